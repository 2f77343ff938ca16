//! The state of the session, as window and command line show it.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use lotse_protocol::SessionNumber;

use super::Role;
use super::picture::PixelRect;
use super::{Access, Command, EndReason, Event, Group, Latency, Live, Notice, Output, ScreenState};

/// The longest name of a technician or panel that is shown, in characters.
pub const MAX_NAME_CHARS: usize = 48;

/// The six digits that both people compare.
///
/// Its `Debug` hides them: they do not belong in a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; 6]);

/// A text that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not six digits.
    #[error("a code has six digits")]
    Code,
}

impl Code {
    /// A code from its digits, each 0 to 9; a larger one counts as 9.
    pub fn from_digits(digits: [u8; 6]) -> Self {
        Self(digits.map(|d| d.min(9)))
    }

    /// In two groups, as it is shown and spoken: `123 456`.
    pub fn grouped(self) -> String {
        let text = self.to_string();
        let (left, right) = text.split_at(3);
        format!("{left} {right}")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|d| write!(f, "{d}"))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl FromStr for Code {
    type Err = Invalid;

    /// Six digits; spaces and hyphens between them do not count.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut digits = [0_u8; 6];
        let mut places = digits.iter_mut();
        for c in text.chars().filter(|c| !matches!(c, ' ' | '-')) {
            let digit = c.to_digit(10).and_then(|d| u8::try_from(d).ok()).ok_or(Invalid::Code)?;
            *places.next().ok_or(Invalid::Code)? = digit;
        }
        if places.next().is_some() {
            return Err(Invalid::Code);
        }
        Ok(Self(digits))
    }
}

/// How sure it is who is on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Certificates of the operator's own root.
    Certificate,
    /// A shared password.
    Password,
    /// Both people compared a code.
    CodeCompared,
    /// Nothing: view only, where the panel's policy allows it.
    None,
}

impl Level {
    /// The word for scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Password => "password",
            Self::CodeCompared => "code-compared",
            Self::None => "none",
        }
    }
}

/// One thing that a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See the panel's picture.
    View,
    /// Steer it with pointer, touch and keys.
    Control,
    /// Point at something on it.
    Pointer,
    /// Use a terminal there.
    Shell,
    /// Restart it, or its application.
    Reboot,
    /// Look into its folders, and fetch files.
    FileRead,
    /// Send files there.
    FileWrite,
}

impl Right {
    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.word() == word)
    }

    /// All, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::View,
        Self::Control,
        Self::Pointer,
        Self::Shell,
        Self::Reboot,
        Self::FileRead,
        Self::FileWrite,
    ];

    /// The word for scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Control => "control",
            Self::Pointer => "pointer",
            Self::Shell => "shell",
            Self::Reboot => "reboot",
            Self::FileRead => "file-read",
            Self::FileWrite => "file-write",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What the person at the panel allowed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u8);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// These, and one more.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | right.bit())
    }

    /// What a session asks for unless told otherwise.
    pub const USUAL: Self = Self::NONE.with(Right::View).with(Right::Control);

    /// Whether a right is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// These, but with or without one of them.
    #[must_use]
    pub const fn toggled(self, right: Right) -> Self {
        Self(self.0 ^ right.bit())
    }

    /// Those that are allowed, in the order of [`Right::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.has(*right))
    }
}

impl FromStr for Rights {
    type Err = UnknownRight;

    /// Words with commas between them.
    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        let right =
            |word: &str| Right::from_word(word.trim()).ok_or_else(|| UnknownRight(word.to_owned()));
        text.split(',').try_fold(Self::NONE, |rights, word| Ok(rights.with(right(word)?)))
    }
}

/// A word that names no right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no right; there are view, control, pointer, shell, reboot")]
pub struct UnknownRight(String);

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Who is connected, and what may be done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// How the panel calls itself.
    pub name: String,
    /// What was allowed.
    pub rights: Rights,
    /// How sure it is that it is this panel.
    pub level: Level,
}

impl Peer {
    /// No panel at all: whoever is in the session waits for one.
    pub const fn nobody() -> Self {
        Self { name: String::new(), rights: Rights::NONE, level: Level::None }
    }

    /// Whether it is one at all.
    pub const fn is_somebody(&self) -> bool {
        !self.name.is_empty()
    }
}

/// Where the session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// There is none.
    Idle,
    /// The server has been asked for a number.
    Opening,
    /// The number waits for somebody to type it.
    Waiting {
        /// The number.
        number: SessionNumber,
    },
    /// Somebody typed it; keys are being exchanged.
    Joining {
        /// The number.
        number: SessionNumber,
    },
    /// Looking on: the session's password is to be typed.
    Password {
        /// The number.
        number: SessionNumber,
    },
    /// Both people compare the code.
    Comparing {
        /// The number, for another one if this is not who was expected.
        number: SessionNumber,
        /// The code of this side.
        code: Code,
        /// How the panel calls itself.
        who: String,
    },
    /// The technician said that the codes are the same; the person at the panel decides.
    Asking {
        /// How the panel calls itself.
        who: String,
    },
    /// The panel is seen, and steered if that was allowed.
    Connected(Peer),
    /// The link is broken and is being mended.
    Interrupted {
        /// Who was connected.
        peer: Peer,
        /// Since when.
        since: Instant,
    },
    /// It is over.
    Ended {
        /// Why.
        why: EndReason,
    },
}

/// Everything that is shown of a session.
#[derive(Debug, Clone)]
pub struct Model {
    state: SessionState,
    latency: Option<Latency>,
    screen: ScreenState,
    notice: Option<Notice>,
    access: Access,
    outputs: Vec<Output>,
    covered: Vec<PixelRect>,
    live: Live,
    group: Group,
    number: Option<SessionNumber>,
}

impl Default for Model {
    fn default() -> Self {
        Self::of(SessionState::Idle)
    }
}

impl Model {
    fn of(state: SessionState) -> Self {
        Self {
            state,
            latency: None,
            screen: ScreenState::Shown,
            notice: None,
            access: Access::default(),
            outputs: Vec::new(),
            covered: Vec::new(),
            live: Live::default(),
            group: Group::default(),
            number: None,
        }
    }

    /// Where the session is.
    pub const fn state(&self) -> &SessionState {
        &self.state
    }

    /// Who else is in the session.
    pub const fn group(&self) -> &Group {
        &self.group
    }

    /// The session's number, for others who are to come in.
    pub const fn number(&self) -> Option<SessionNumber> {
        self.number
    }

    /// The last measurement, while connected.
    pub const fn latency(&self) -> Option<Latency> {
        self.latency
    }

    /// What the panel's screen is doing.
    pub const fn screen(&self) -> ScreenState {
        self.screen
    }

    /// The screens that the panel has, if it has several.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Parts of the picture that are covered by what is not in it.
    pub fn covered(&self) -> &[PixelRect] {
        &self.covered
    }

    /// What went wrong last on a small scale, until the next input.
    pub const fn notice(&self) -> Option<Notice> {
        self.notice
    }

    /// What is so at the panel at the moment.
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// Who is connected, now or before the interruption.
    pub const fn peer(&self) -> Option<&Peer> {
        match &self.state {
            SessionState::Connected(peer) | SessionState::Interrupted { peer, .. } => Some(peer),
            _ => None,
        }
    }

    /// Whether input would reach the panel now.
    pub fn may_control(&self) -> bool {
        matches!(&self.state, SessionState::Connected(peer) if peer.rights.has(Right::Control))
    }

    /// Whether an arrow would reach the panel now.
    pub fn may_point(&self) -> bool {
        matches!(&self.state, SessionState::Connected(peer) if peer.rights.has(Right::Pointer))
    }

    /// How people get into the session.
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// Whether text would reach the panel, now or when the interruption is over.
    pub fn may_type(&self) -> bool {
        self.peer().is_some_and(|peer| peer.rights.has(Right::Control))
    }

    /// Notes that a command was given, for what shows at once.
    pub fn note(&mut self, command: &Command) {
        self.group.note(command);
        self.live.note(command);
        match command {
            Command::Watch { number, .. } => {
                *self = Self::of(SessionState::Joining { number: *number });
                (self.group.role, self.number) = (Role::Onlooker, Some(*number));
            }
            Command::Password(_) => {
                if let SessionState::Password { number } = self.state {
                    self.state = SessionState::Joining { number };
                }
            }
            Command::Open { .. } => *self = Self::of(SessionState::Opening),
            Command::CodesMatch => {
                if let SessionState::Comparing { who, .. } = &mut self.state {
                    self.state = SessionState::Asking { who: std::mem::take(who) };
                }
            }
            Command::Text(_) | Command::Key { pressed: true, .. } => self.notice = None,
            _ => {}
        }
    }

    /// Takes what happened, at the time `now`.
    ///
    /// An event that does not fit the state is dropped: a session that has ended stays ended.
    pub fn apply(&mut self, event: Event, now: Instant) {
        match event {
            Event::Role(_)
            | Event::Members(_)
            | Event::Removed { .. }
            | Event::AsksControl { .. }
            | Event::Locked(_)
            | Event::ListsDiffer => self.group.apply(&event, now),
            Event::Entered { .. } | Event::Gone { .. } => {}
            Event::Invitation(_)
            | Event::Knocking(_)
            | Event::Left { .. }
            | Event::WrongPassword => self.access.apply(&event),
            Event::Paused(is_paused) => {
                self.live.apply(&event);
                self.notice = (!is_paused).then_some(Notice::GoesOn);
            }
            Event::InputDropped(_)
            | Event::Terminal(_)
            | Event::Files(_)
            | Event::Restart(_)
            | Event::Arrows { .. } => {
                self.live.apply(&event);
            }
            Event::Screen(screen) => self.screen = screen,
            Event::Outputs(outputs) => self.outputs = outputs,
            Event::Covered(parts) => self.covered = parts,
            Event::Notice(notice) => self.notice = Some(notice),
            Event::Latency(latency) => self.latency = Some(latency),
            event => {
                self.access.apply(&event);
                self.live.apply(&event);
                match &event {
                    Event::Opened { number } => self.number = Some(*number),
                    // What was said of another panel does not hold for this one.
                    Event::Presents(_) => {
                        self.screen = ScreenState::Shown;
                        (self.outputs, self.covered) = (Vec::new(), Vec::new());
                    }
                    Event::JoinFailed => {
                        if let (SessionState::Asking { .. }, Some(number)) =
                            (&self.state, self.number)
                        {
                            self.state = SessionState::Waiting { number };
                        }
                    }
                    _ => {}
                }
                let state = std::mem::replace(&mut self.state, SessionState::Idle);
                self.state = state.after(event, now);
            }
        }
        if !matches!(self.state, SessionState::Connected(_)) {
            (self.latency, self.notice) = (None, None);
        }
    }
}

impl SessionState {
    fn after(self, event: Event, now: Instant) -> Self {
        match (self, event) {
            (ended @ Self::Ended { .. }, _) => ended,
            (_, Event::Ended(why)) => Self::Ended { why },
            (Self::Opening, Event::Opened { number }) => Self::Waiting { number },
            (Self::Waiting { number }, Event::Joined) => Self::Joining { number },
            (Self::Joining { number }, Event::JoinFailed) => Self::Waiting { number },
            (Self::Waiting { .. } | Self::Joining { .. }, Event::NumberBurned) => Self::Opening,
            (Self::Joining { .. }, Event::Checked { who, .. }) => {
                Self::Asking { who: shown_name(&who) }
            }
            (Self::Comparing { number, .. }, Event::JoinFailed) => Self::Waiting { number },
            (Self::Joining { number }, Event::Code { code, who }) => {
                Self::Comparing { code, who: shown_name(&who), number }
            }
            (Self::Joining { number }, Event::AskPassword) => Self::Password { number },
            (Self::Connected(_), Event::Presents(peer)) => Self::Connected(shown_peer(peer)),
            (Self::Interrupted { since, .. }, Event::Presents(peer)) => {
                Self::Interrupted { peer: shown_peer(peer), since }
            }
            (Self::Asking { .. }, Event::Connected(peer)) => {
                Self::Connected(Peer { name: shown_name(&peer.name), ..peer })
            }
            (Self::Connected(peer), Event::RightsChanged(rights)) => {
                Self::Connected(Peer { rights, ..peer })
            }
            (Self::Interrupted { peer, since }, Event::RightsChanged(rights)) => {
                Self::Interrupted { peer: Peer { rights, ..peer }, since }
            }
            (Self::Connected(peer), Event::Interrupted) => Self::Interrupted { peer, since: now },
            (Self::Interrupted { peer, .. }, Event::Resumed) => Self::Connected(peer),
            (state, _) => state,
        }
    }
}

fn shown_peer(peer: Option<Peer>) -> Peer {
    peer.map_or_else(Peer::nobody, |peer| Peer { name: shown_name(&peer.name), ..peer })
}

/// A name from the other side as it may be shown: no control characters, not too long.
pub(super) fn shown_name(name: &str) -> String {
    let visible = |c: &char| !c.is_control() && !is_direction_mark(*c);
    name.chars().filter(visible).take(MAX_NAME_CHARS).collect()
}

/// Characters that would turn the text around them (Unicode bidirectional controls).
const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
