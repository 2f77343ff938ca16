//! Texts about those who are in a session besides the panel.

use super::Advice;

/// How it ends for somebody who looks on.
#[derive(Debug)]
pub struct WatchedEndings {
    /// Nobody can join under this number.
    pub no_such_session: Advice,
    /// Too many numbers were tried.
    pub too_many_tries: Advice,
    /// The technician who moderates did not let this program in.
    pub not_admitted: Advice,
    /// The session takes nobody else.
    pub session_busy: Advice,
    /// The password was wrong.
    pub wrong_password: Advice,
    /// The technician who moderates showed no certificate that counts.
    pub not_certified: Advice,
    /// The moderator sent this program away.
    pub sent_away: Advice,
    /// The moderator ended the session.
    pub ended_by_moderator: Advice,
    /// The moderator is lost.
    pub moderator_lost: Advice,
}

/// Looking on, and the list of members.
#[derive(Debug)]
pub struct MemberWords {
    /// Choice on the first screen: open a session.
    pub open: &'static str,
    /// Choice on the first screen: look on at somebody else's.
    pub watch: &'static str,
    /// Heading of that.
    pub watch_heading: &'static str,
    /// What will happen.
    pub watch_intro: &'static str,
    /// Field.
    pub number: &'static str,
    /// What to write into it.
    pub number_hint: &'static str,
    /// It is no number.
    pub number_invalid: &'static str,
    /// What the name is for.
    pub name_hint: &'static str,
    /// Button.
    pub join: &'static str,
    /// Heading while the session is being joined.
    pub joining: &'static str,
    /// Heading: the password is to be typed.
    pub password: &'static str,
    /// Where it comes from.
    pub password_how: &'static str,
    /// Button.
    pub go_on: &'static str,
    /// What to ask the technician who moderates.
    pub compare_how: &'static str,
    /// Heading while the technician who moderates decides.
    pub asking: &'static str,
    /// What happens meanwhile.
    pub asking_how: &'static str,
    /// Button and heading: the list.
    pub members: &'static str,
    /// What the button does.
    pub members_hint: &'static str,
    /// Above the number by which others come in.
    pub invite: &'static str,
    /// Switch: nobody else comes in.
    pub lock: &'static str,
    /// What that means.
    pub locked: &'static str,
    /// This program itself.
    pub me: &'static str,
    /// A device.
    pub panel: &'static str,
    /// A technician's program.
    pub console: &'static str,
    /// Role.
    pub moderator: &'static str,
    /// Role.
    pub deputy: &'static str,
    /// Its screen is seen.
    pub presents: &'static str,
    /// Controls the panel that is seen.
    pub controls: &'static str,
    /// Before seconds: its link is broken.
    pub away: &'static str,
    /// The one who opened the session proved nothing to anybody.
    pub opened: &'static str,
    /// Heading of those who want to come in.
    pub asks: &'static str,
    /// Wants to show a screen.
    pub asks_panel: &'static str,
    /// Wants to look on.
    pub asks_console: &'static str,
    /// Above a code.
    pub compare: &'static str,
    /// Button: codes are the same, let in.
    pub same: &'static str,
    /// Button: they differ.
    pub differ: &'static str,
    /// Would like control.
    pub asks_control: &'static str,
    /// Button.
    pub give_control: &'static str,
    /// Button.
    pub take_control: &'static str,
    /// Button of one who looks on.
    pub ask_control: &'static str,
    /// Said after that.
    pub asked_control: &'static str,
    /// Button: show this panel to all.
    pub present: &'static str,
    /// Button: name as deputy.
    pub make_deputy: &'static str,
    /// Button: not the deputy any more.
    pub no_deputy: &'static str,
    /// What a deputy is.
    pub deputy_hint: &'static str,
    /// Button: hand over.
    pub hand_over: &'static str,
    /// What that does.
    pub hand_over_hint: &'static str,
    /// Button: send away.
    pub kick: &'static str,
    /// Before a name: being removed, not yet true.
    pub leaving: &'static str,
    /// Before a name: it is true.
    pub removed: &'static str,
    /// Two lists.
    pub lists_differ: &'static str,
    /// There is no panel in the session.
    pub nobody: &'static str,
    /// What to do about that, as the moderator.
    pub nobody_how: &'static str,
    /// Looking on, without control.
    pub looking_on: &'static str,
    /// Button: leaves the session.
    pub leave: &'static str,
    /// What was asked for is not possible.
    pub not_possible: &'static str,
    /// How it ends for somebody who looks on.
    pub endings: WatchedEndings,
}
