//! Every text that people read, in every language; a language that lacks one does not compile.
//!
//! Texts are short and plain, and the same thing always has the same word. An error says what
//! happened, what is safe, and what to do next.

mod de;
mod en;
mod members;
mod members_de;
mod members_en;
mod restart;

pub use members::{MemberWords, WatchedEndings};
pub use restart::RestartWords;

use crate::model::{EndReason, Level, Right};

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Language {
    /// German.
    #[value(name = "de")]
    De,
    /// English.
    #[default]
    #[value(name = "en")]
    En,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::De, Self::En];

    /// The language of a locale such as `de_AT.UTF-8`; English if it is not spoken here.
    pub fn of_locale(locale: &str) -> Self {
        let end = locale.find(['_', '-', '.', '@']).unwrap_or(locale.len());
        match locale.get(..end) {
            Some("de") => Self::De,
            _ => Self::En,
        }
    }

    /// The language of this process (`LC_ALL`, `LC_MESSAGES`, `LANG`, the first that is set).
    pub fn of_environment() -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .map_or(Self::En, |locale| Self::of_locale(&locale))
    }

    /// Its texts.
    pub const fn words(self) -> &'static Words {
        match self {
            Self::De => &de::WORDS,
            Self::En => &en::WORDS,
        }
    }

    /// Its short name, in itself.
    pub const fn short(self) -> &'static str {
        match self {
            Self::De => "DE",
            Self::En => "EN",
        }
    }
}

/// What happened, what is safe, what to do next.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// What happened, as a heading.
    pub happened: &'static str,
    /// What is safe, or what is not.
    pub safe: &'static str,
    /// What to do next.
    pub next: &'static str,
}

/// One advice for each way to end.
#[derive(Debug)]
pub struct Endings {
    /// The technician ended it.
    pub ended_here: Advice,
    /// The technician stopped before anybody joined.
    pub cancelled: Advice,
    /// The person at the panel stopped it.
    pub stopped_at_panel: Advice,
    /// The person at the panel refused.
    pub refused_at_panel: Advice,
    /// Nobody decided in time.
    pub no_answer_at_panel: Advice,
    /// The panel has no way to ask anybody.
    pub panel_cannot_ask: Advice,
    /// The panel failed.
    pub panel_failed: Advice,
    /// The codes differ.
    pub codes_differ: Advice,
    /// The check of the keys failed.
    pub keys_do_not_match: Advice,
    /// The number was not used in time.
    pub number_expired: Advice,
    /// The panel left.
    pub panel_left: Advice,
    /// The link could not be mended.
    pub link_lost: Advice,
    /// The server cannot be reached.
    pub server_unreachable: Advice,
    /// The server is not the right one.
    pub server_not_trusted: Advice,
    /// The server does not want to.
    pub server_refused: Advice,
    /// The other side spoke against the rules.
    pub protocol: Advice,
    /// This program failed.
    pub internal: Advice,
}

/// The screen on which a session is opened.
#[derive(Debug)]
pub struct StartWords {
    /// Heading.
    pub heading: &'static str,
    /// What will happen.
    pub intro: &'static str,
    /// Field.
    pub server: &'static str,
    /// What to write into it.
    pub server_hint: &'static str,
    /// Field.
    pub name: &'static str,
    /// What it is for.
    pub name_hint: &'static str,
    /// Button.
    pub open: &'static str,
    /// Switch: the session has a password.
    pub with_password: &'static str,
    /// What that is good for.
    pub with_password_how: &'static str,
    /// Before what else may be asked for.
    pub asks: &'static str,
    /// The server's address is missing or wrong.
    pub server_invalid: &'static str,
    /// The name is missing.
    pub name_missing: &'static str,
}

/// The screens between opening and connecting.
#[derive(Debug)]
pub struct WaitWords {
    /// The server is being asked.
    pub opening: &'static str,
    /// Heading above the number.
    pub number: &'static str,
    /// How to pass it on, step by step.
    pub steps: [&'static str; 3],
    /// That the number is no secret.
    pub no_secret: &'static str,
    /// Nobody typed it yet.
    pub nobody_yet: &'static str,
    /// Button.
    pub copy: &'static str,
    /// Said after copying.
    pub copied: &'static str,
    /// Button.
    pub cancel: &'static str,
    /// Heading when somebody has joined.
    pub joined: &'static str,
    /// Keys are exchanged.
    pub joining: &'static str,
    /// Before the name of the panel: what it calls itself.
    pub calls_itself: &'static str,
    /// Heading above the code.
    pub compare: &'static str,
    /// What to ask the person at the panel.
    pub compare_how: &'static str,
    /// Why, and what a difference means.
    pub compare_why: &'static str,
    /// Button.
    pub same: &'static str,
    /// Button.
    pub differ: &'static str,
    /// Button: somebody else has typed the number.
    pub not_expected: &'static str,
    /// What that button does.
    pub not_expected_how: &'static str,
    /// Above the password.
    pub password: &'static str,
    /// Button: the link with the secret.
    pub copy_link: &'static str,
    /// That number and password together let somebody in.
    pub secret: &'static str,
    /// A wrong password was tried.
    pub wrong_password: &'static str,
    /// This is another number, since three wrong passwords were tried.
    pub renewed: &'static str,
    /// Why somebody must be let in by name.
    pub knocking: &'static str,
    /// Button: let in.
    pub admit: &'static str,
    /// Button: send away.
    pub send_away: &'static str,
    /// Heading while the person at the panel decides.
    pub asking: &'static str,
    /// What happens meanwhile.
    pub asking_how: &'static str,
}

/// The screen on which a panel is seen and steered.
#[derive(Debug)]
pub struct ConnectedWords {
    /// The sign that a session is on.
    pub live: &'static str,
    /// Button: the picture fits the window.
    pub fitted: &'static str,
    /// Button: the picture has its own size.
    pub native: &'static str,
    /// Explains both.
    pub size_hint: &'static str,
    /// Button: the mouse points with an arrow.
    pub arrow: &'static str,
    /// What the three are.
    pub arrow_hint: &'static str,
    /// The panel cannot show arrows.
    pub no_arrows: &'static str,
    /// Button: clicks are those of a mouse.
    pub mouse: &'static str,
    /// Button: clicks are a finger.
    pub touch: &'static str,
    /// Explains both.
    pub pointing_hint: &'static str,
    /// Menu of key combinations.
    pub keys: &'static str,
    /// Button and heading of the text to type.
    pub type_text: &'static str,
    /// How the text gets there.
    pub type_how: &'static str,
    /// Button.
    pub type_now: &'static str,
    /// Button.
    pub cancel: &'static str,
    /// Button: ends the session.
    pub end: &'static str,
    /// The keyboard goes to the panel.
    pub keyboard_there: &'static str,
    /// The keyboard stays here.
    pub keyboard_here: &'static str,
    /// How to change that.
    pub keyboard_hint: &'static str,
    /// Before the rights that were given.
    pub allowed: &'static str,
    /// Nothing may be steered.
    pub view_only: &'static str,
    /// No picture came yet.
    pub no_picture: &'static str,
    /// Heading while the link is broken.
    pub interrupted: &'static str,
    /// The picture is exactly as on the panel.
    pub exact: &'static str,
    /// The same in a sentence.
    pub exact_hint: &'static str,
    /// Parts of it are not yet.
    pub rough: &'static str,
    /// The same in a sentence.
    pub rough_hint: &'static str,
    /// What is safe meanwhile.
    pub interrupted_safe: &'static str,
    /// What happens next.
    pub interrupted_next: &'static str,
    /// Before a number of seconds: since when.
    pub since: &'static str,
    /// Button and heading: the terminal at the panel.
    pub terminal: &'static str,
    /// Button: everything on it goes to the clipboard.
    pub terminal_copy: &'static str,
    /// Button: closes it, and ends whatever runs there.
    pub terminal_close: &'static str,
    /// It is over.
    pub terminal_ended: &'static str,
    /// None is set up there.
    pub terminal_missing: &'static str,
    /// Somebody at the panel uses it.
    pub paused: &'static str,
    /// Nobody does any more.
    pub goes_on: &'static str,
    /// Behind a number of inputs that were not carried out.
    pub dropped: &'static str,
    /// Why they were not.
    pub dropped_hint: &'static str,
    /// The session takes no more input.
    pub busy: &'static str,
    /// The panel's screen shows nothing.
    pub screen_off: &'static str,
    /// The panel's screen cannot be read.
    pub screen_unreadable: &'static str,
    /// A part of the picture is covered by a video of the hardware.
    pub covered: &'static str,
    /// What the choice between several screens is for.
    pub outputs_hint: &'static str,
    /// Before a character that cannot be typed there.
    pub cannot_type: &'static str,
    /// Input was dropped at the panel.
    pub too_late: &'static str,
}

/// The screen after the end.
#[derive(Debug)]
pub struct EndedWords {
    /// Button.
    pub open_again: &'static str,
    /// Button.
    pub back: &'static str,
    /// Before what the system said.
    pub detail: &'static str,
}

/// All texts of one language.
#[derive(Debug)]
pub struct Words {
    /// Title of the window.
    pub title: &'static str,
    /// Opening a session.
    pub start: StartWords,
    /// From opening to connecting.
    pub wait: WaitWords,
    /// Seeing and steering.
    pub connected: ConnectedWords,
    /// Others in the session, and looking on.
    pub members: MemberWords,
    /// Restarts of the panel.
    pub restart: RestartWords,
    /// After the end.
    pub ended: EndedWords,
    /// Why it is over.
    pub endings: Endings,
    /// Levels of trust, as [`Words::level`] gives them: certificate, password, code, none.
    pub levels: [&'static str; 4],
    /// That a level was checked, in the order of [`Level`].
    pub checked: [&'static str; 4],
    /// Rights in the order of [`Right::ALL`].
    pub rights: [&'static str; 7],
}

impl Words {
    /// What to say about an end.
    pub const fn advice(&self, why: &EndReason) -> &Advice {
        let (endings, watched) = (&self.endings, &self.members.endings);
        match why {
            EndReason::EndedHere => &endings.ended_here,
            EndReason::Cancelled => &endings.cancelled,
            EndReason::StoppedAtPanel => &endings.stopped_at_panel,
            EndReason::RefusedAtPanel => &endings.refused_at_panel,
            EndReason::NoAnswerAtPanel => &endings.no_answer_at_panel,
            EndReason::PanelCannotAsk => &endings.panel_cannot_ask,
            EndReason::PanelFailed => &endings.panel_failed,
            EndReason::CodesDiffer => &endings.codes_differ,
            EndReason::KeysDoNotMatch => &endings.keys_do_not_match,
            EndReason::NumberExpired => &endings.number_expired,
            EndReason::NoSuchSession => &watched.no_such_session,
            EndReason::TooManyTries => &watched.too_many_tries,
            EndReason::NotAdmitted => &watched.not_admitted,
            EndReason::SessionBusy => &watched.session_busy,
            EndReason::WrongPassword => &watched.wrong_password,
            EndReason::NotCertified { .. } => &watched.not_certified,
            EndReason::SentAway => &watched.sent_away,
            EndReason::EndedByModerator => &watched.ended_by_moderator,
            EndReason::ModeratorLost => &watched.moderator_lost,
            EndReason::PanelLeft => &endings.panel_left,
            EndReason::LinkLost => &endings.link_lost,
            EndReason::ServerUnreachable { .. } => &endings.server_unreachable,
            EndReason::ServerNotTrusted { .. } => &endings.server_not_trusted,
            EndReason::ServerRefused => &endings.server_refused,
            EndReason::Protocol { .. } => &endings.protocol,
            EndReason::Internal { .. } => &endings.internal,
        }
    }

    /// That a level was checked, or what people still have to do.
    pub const fn checked(&self, level: Level) -> &'static str {
        let [certificate, password, code, none] = self.checked;
        match level {
            Level::Certificate => certificate,
            Level::Password => password,
            Level::CodeCompared => code,
            Level::None => none,
        }
    }

    /// The word of a level of trust.
    pub const fn level(&self, level: Level) -> &'static str {
        let [certificate, password, code, none] = self.levels;
        match level {
            Level::Certificate => certificate,
            Level::Password => password,
            Level::CodeCompared => code,
            Level::None => none,
        }
    }

    /// The word of a right.
    pub const fn right(&self, right: Right) -> &'static str {
        let [view, control, pointer, shell, reboot, file_read, file_write] = self.rights;
        match right {
            Right::View => view,
            Right::Control => control,
            Right::Pointer => pointer,
            Right::Shell => shell,
            Right::Reboot => reboot,
            Right::FileRead => file_read,
            Right::FileWrite => file_write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_chooses_its_language_or_english() {
        for (locale, language) in [
            ("de_DE.UTF-8", Language::De),
            ("de", Language::De),
            ("de-AT", Language::De),
            ("en_GB.UTF-8", Language::En),
            ("C", Language::En),
            ("den_XX", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }

    #[test]
    fn every_end_says_all_three_things_in_every_language() {
        let detail = String::new;
        let ends = [
            EndReason::EndedHere,
            EndReason::Cancelled,
            EndReason::StoppedAtPanel,
            EndReason::RefusedAtPanel,
            EndReason::NoAnswerAtPanel,
            EndReason::PanelCannotAsk,
            EndReason::PanelFailed,
            EndReason::CodesDiffer,
            EndReason::KeysDoNotMatch,
            EndReason::NumberExpired,
            EndReason::PanelLeft,
            EndReason::NoSuchSession,
            EndReason::TooManyTries,
            EndReason::NotAdmitted,
            EndReason::SessionBusy,
            EndReason::WrongPassword,
            EndReason::NotCertified { detail: detail() },
            EndReason::SentAway,
            EndReason::EndedByModerator,
            EndReason::ModeratorLost,
            EndReason::LinkLost,
            EndReason::ServerUnreachable { detail: detail() },
            EndReason::ServerNotTrusted { detail: detail() },
            EndReason::ServerRefused,
            EndReason::Protocol { detail: detail() },
            EndReason::Internal { detail: detail() },
        ];
        for language in Language::ALL {
            let mut headings = std::collections::HashSet::new();
            for end in &ends {
                let advice = language.words().advice(end);
                for text in [advice.happened, advice.safe, advice.next] {
                    assert!(text.ends_with('.') && text.len() > 8, "{language:?} {end:?}: {text}");
                }
                assert!(headings.insert(advice.happened), "{language:?}: {}", advice.happened);
            }
        }
    }
}
