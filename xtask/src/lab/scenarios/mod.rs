//! The scenarios, by what they are about. To add one, write a function and a line in its module's `CASES`.

mod arrows;
mod asking;
mod consent;
mod faults;
mod follow;
mod input;
mod kiosk;
mod layouts;
mod own_touch;
mod owners;
mod restart;
mod rotation;
mod screen;
mod session;
mod steering;
mod twin;
mod vkms;
mod x11;

use super::scenario::Case;

/// All cases.
pub(crate) const CASES: &[&[Case]] = &[
    screen::CASES,
    rotation::CASES,
    follow::CASES,
    x11::CASES,
    kiosk::CASES,
    input::CASES,
    session::CASES,
    layouts::CASES,
    consent::CASES,
    arrows::CASES,
    asking::CASES,
    faults::CASES,
    restart::CASES,
    steering::CASES,
    own_touch::CASES,
    twin::CASES,
    vkms::CASES,
];
