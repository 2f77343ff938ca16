//! The panel's words, one file per language.
//!
//! A language is a [`Texts`] with every field filled; one that lacks a word does not compile.
//! Sentences say what happened, what is safe, and what to do next, in words that anybody
//! understands who has never heard of remote maintenance.

mod cs;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod nl;
mod pl;
mod pt;
mod sv;

use super::view::Right;

/// A language of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `de`
    German,
    /// `cs`
    Czech,
    /// `es`
    Spanish,
    /// `fr`
    French,
    /// `it`
    Italian,
    /// `nl`
    Dutch,
    /// `pl`
    Polish,
    /// `pt`
    Portuguese,
    /// `sv`
    Swedish,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 10] = [
        Self::English,
        Self::German,
        Self::Czech,
        Self::Spanish,
        Self::French,
        Self::Italian,
        Self::Dutch,
        Self::Polish,
        Self::Portuguese,
        Self::Swedish,
    ];

    /// The language of a tag like `de`, `de-AT` or `de_DE.UTF-8`; `None` if there is none yet.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// Its tag, as in RFC 5646.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Czech => "cs",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Italian => "it",
            Self::Dutch => "nl",
            Self::Polish => "pl",
            Self::Portuguese => "pt",
            Self::Swedish => "sv",
        }
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &en::TEXTS,
            Self::German => &de::TEXTS,
            Self::Czech => &cs::TEXTS,
            Self::Spanish => &es::TEXTS,
            Self::French => &fr::TEXTS,
            Self::Italian => &it::TEXTS,
            Self::Dutch => &nl::TEXTS,
            Self::Polish => &pl::TEXTS,
            Self::Portuguese => &pt::TEXTS,
            Self::Swedish => &sv::TEXTS,
        }
    }
}

/// All words of the panel in one language.
pub(super) struct Texts {
    pub(super) home: HomeTexts,
    pub(super) password: PasswordTexts,
    pub(super) joining: JoiningTexts,
    pub(super) asking: AskingTexts,
    pub(super) rights: RightTexts,
    pub(super) levels: LevelTexts,
    pub(super) session: SessionTexts,
    pub(super) work: WorkTexts,
    pub(super) messages: MessageTexts,
}

/// Words of the screen without a session.
pub(super) struct HomeTexts {
    pub(super) title: &'static str,
    pub(super) instruction: &'static str,
    pub(super) connect: &'static str,
    pub(super) close: &'static str,
    pub(super) server_reachable: &'static str,
    pub(super) server_unreachable: &'static str,
}

/// Words of the screen where a password is typed.
pub(super) struct PasswordTexts {
    pub(super) title: &'static str,
    pub(super) instruction: &'static str,
    /// Before the number.
    pub(super) of_number: &'static str,
}

/// Words while a number is being joined.
pub(super) struct JoiningTexts {
    pub(super) title: &'static str,
    pub(super) waiting: &'static str,
    pub(super) cancel: &'static str,
}

/// Words of the question.
pub(super) struct AskingTexts {
    pub(super) title: &'static str,
    pub(super) name_label: &'static str,
    pub(super) rights_label: &'static str,
    /// Over the rights, where they can be chosen one by one.
    pub(super) choose: &'static str,
    pub(super) code_question: &'static str,
    pub(super) code_advice: &'static str,
    pub(super) accept: &'static str,
    pub(super) refuse: &'static str,
    /// So many seconds until it is a no.
    pub(super) countdown: fn(u64) -> String,
}

/// The rights by name.
pub(super) struct RightTexts {
    pub(super) view: &'static str,
    pub(super) control: &'static str,
    pub(super) pointer: &'static str,
    pub(super) files_read: &'static str,
    pub(super) files_write: &'static str,
    pub(super) shell: &'static str,
    pub(super) reboot: &'static str,
}

impl RightTexts {
    pub(super) fn of(&self, right: Right) -> &'static str {
        match right {
            Right::View => self.view,
            Right::Control => self.control,
            Right::Pointer => self.pointer,
            Right::FilesRead => self.files_read,
            Right::FilesWrite => self.files_write,
            Right::Shell => self.shell,
            Right::Reboot => self.reboot,
        }
    }
}

/// How it is known who asks: a word, and what follows from it.
pub(super) struct LevelTexts {
    pub(super) certificate: LevelText,
    pub(super) code_compared: LevelText,
    pub(super) none: LevelText,
    pub(super) password: LevelText,
}

/// One level in words.
pub(super) struct LevelText {
    /// The level's name.
    pub(super) word: &'static str,
    /// What it means for the decision.
    pub(super) meaning: &'static str,
}

/// Words of the sign that stays while a session lasts.
pub(super) struct SessionTexts {
    pub(super) connected: &'static str,
    /// The same, and how it is known who it is.
    pub(super) by_certificate: &'static str,
    pub(super) by_code: &'static str,
    pub(super) by_password: &'static str,
    /// The link is silent, but the session may go on.
    pub(super) interrupted: &'static str,
    pub(super) stop: &'static str,
    /// Takes everything away but looking on.
    pub(super) look_only: &'static str,
    /// That was done.
    pub(super) only_looks_on: &'static str,
    pub(super) terminal_open: &'static str,
    /// A file is being read or written.
    pub(super) files_move: &'static str,
}

/// Words for what is about to be restarted.
pub(super) struct WorkTexts {
    pub(super) reboot: &'static str,
    pub(super) restart_application: &'static str,
    /// So many seconds until it begins.
    pub(super) countdown: fn(u64) -> String,
    /// It shall not.
    pub(super) prevent: &'static str,
}

/// What the person should know.
pub(super) struct MessageTexts {
    pub(super) ok: &'static str,
    pub(super) stop: &'static str,
    pub(super) ended_by_policy: MessageText,
    pub(super) ended_by_staff: MessageText,
    pub(super) ended_by_technician: MessageText,
    pub(super) ended_by_time: MessageText,
    pub(super) ended_connection_lost: MessageText,
    pub(super) interrupted: MessageText,
    pub(super) not_certified: MessageText,
    pub(super) not_joined: MessageText,
    pub(super) number_burned: MessageText,
    pub(super) refused: MessageText,
    pub(super) refused_by_time: MessageText,
    pub(super) server_unreachable: MessageText,
    pub(super) not_safe: MessageText,
    pub(super) wrong_password: MessageText,
}

/// One message.
pub(super) struct MessageText {
    /// What happened.
    pub(super) happened: &'static str,
    /// What is safe.
    pub(super) safe: &'static str,
    /// What to do next.
    pub(super) next: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_language_by_its_tag() {
        assert_eq!(Language::from_tag("de_DE.UTF-8"), Some(Language::German));
        assert_eq!(Language::from_tag("EN-us"), Some(Language::English));
        assert_eq!(Language::from_tag("C.UTF-8"), None);
        assert_eq!(Language::from_tag(""), None);
    }

    #[test]
    fn every_language_says_how_long_there_is() {
        for language in Language::ALL {
            let countdown = language.texts().asking.countdown;
            assert!(countdown(42).contains("42"), "{language:?}");
            assert!(countdown(1).contains('1') && countdown(1) != countdown(2), "{language:?}");
            assert!((language.texts().work.countdown)(7).contains('7'), "{language:?}");
        }
    }
}
