//! The numbers of `linux/input-event-codes.h` and `linux/input.h` that are used here.

pub(crate) const EV_SYN: u16 = 0x00;
pub(crate) const EV_KEY: u16 = 0x01;
pub(crate) const EV_REL: u16 = 0x02;
pub(crate) const EV_ABS: u16 = 0x03;
pub(crate) const EV_MSC: u16 = 0x04;
pub(crate) const EV_LED: u16 = 0x11;

pub(crate) const SYN_REPORT: u16 = 0;
pub(crate) const SYN_MT_REPORT: u16 = 2;
pub(crate) const SYN_DROPPED: u16 = 3;

/// The first code that is a button and no key.
pub(crate) const BTN_MISC: u16 = 0x100;
pub(crate) const BTN_LEFT: u16 = 0x110;
pub(crate) const BTN_RIGHT: u16 = 0x111;
pub(crate) const BTN_MIDDLE: u16 = 0x112;
pub(crate) const BTN_TOOL_FINGER: u16 = 0x145;
pub(crate) const BTN_TOUCH: u16 = 0x14a;

pub(crate) const REL_X: u16 = 0x00;
pub(crate) const REL_Y: u16 = 0x01;
pub(crate) const REL_HWHEEL: u16 = 0x06;
pub(crate) const REL_WHEEL: u16 = 0x08;
pub(crate) const REL_WHEEL_HI_RES: u16 = 0x0b;
pub(crate) const REL_HWHEEL_HI_RES: u16 = 0x0c;

pub(crate) const ABS_X: u16 = 0x00;
pub(crate) const ABS_Y: u16 = 0x01;
pub(crate) const ABS_MT_SLOT: u16 = 0x2f;
pub(crate) const ABS_MT_POSITION_X: u16 = 0x35;
pub(crate) const ABS_MT_POSITION_Y: u16 = 0x36;
pub(crate) const ABS_MT_TRACKING_ID: u16 = 0x39;

pub(crate) const MSC_SCAN: u16 = 0x04;

pub(crate) const LED_NUML: u16 = 0x00;
pub(crate) const LED_CAPSL: u16 = 0x01;
pub(crate) const LED_SCROLLL: u16 = 0x02;

pub(crate) const INPUT_PROP_DIRECT: u16 = 0x01;

pub(crate) const BUS_VIRTUAL: u16 = 0x06;
