//! What the window remembers beside the session: fields, choices, and what is held down.

use std::collections::BTreeMap;

use egui::Vec2;
use lotse_protocol::SessionNumber;
use winit::keyboard::PhysicalKey;

use crate::keys;
use crate::model::held::Held;
use crate::model::{Command, Model, PixelPoint, Restart, Rights};
use crate::words::Language;

/// How large the picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// As large as the window allows.
    #[default]
    Fitted,
    /// One pixel of the picture is one pixel of the window.
    Native,
}

/// What a click is at the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pointing {
    /// A mouse button.
    #[default]
    Mouse,
    /// A finger.
    Touch,
    /// Nothing: the mouse points, with an arrow that is seen there.
    Arrow,
}

/// The window's own state.
#[derive(Debug, Default)]
pub struct View {
    /// The language of all texts.
    pub language: Language,
    /// The field with the server's address.
    pub server: String,
    /// The field with the technician's name.
    pub name: String,
    /// Whether somebody else's session is to be joined, to look on.
    pub looks_on: bool,
    /// The field with the number of that session.
    pub number: String,
    /// The field with its password.
    pub password: String,
    /// Whether the list of members is open; it opens by itself when there is more than a panel.
    pub members_open: Option<bool>,
    /// Whether control was asked for.
    pub asked_control: bool,
    /// Whether the next session has a password.
    pub with_password: bool,
    /// What the next session asks for.
    pub asks: Rights,
    /// Whether the terminal is shown, and keys go there.
    pub terminal: bool,
    /// How large the picture is shown.
    pub scale: Scale,
    /// What a click is.
    pub pointing: Pointing,
    /// Whether keys go to the panel.
    pub picture_focused: bool,
    /// The text that is being written for the panel, while its window is open.
    pub typing: Option<String>,
    /// What is about to be restarted, while it is asked once more.
    pub restart: Option<Restart>,
    /// Whether the technician wants the first screen again; the window's owner starts anew.
    pub back_to_start: bool,
    /// Whether an arrow is seen at the panel, as far as this window knows.
    pub(super) is_pointing: bool,
    pub(super) held: Held,
    pub(super) complained: bool,
    pub(super) copied: bool,
    pub(super) was_connected: bool,
    /// Real fingers on the picture, by the window's numbers: which finger each is at the panel.
    pub(super) touches: BTreeMap<u64, u8>,
    /// The middle of a pinch by one mouse, while its keys are held.
    pub(super) pinch_centre: Option<PixelPoint>,
    /// Whether both fingers of it are down.
    pub(super) is_pinching: bool,
    /// Turns of the wheel too small to be a notch yet.
    pub(super) wheel: Vec2,
}

impl View {
    /// A window with filled fields.
    pub fn new(language: Language, server: String, name: String) -> Self {
        Self { language, server, name, asks: Rights::USUAL, ..Self::default() }
    }

    /// Joins the session with this number, to look on, if server and name are there; else the
    /// first screen says what is missing.
    pub fn watch(&mut self, number: SessionNumber) -> Vec<Command> {
        (self.looks_on, self.number) = (true, number.to_string());
        let mut commands = Vec::new();
        super::watching::watch(self.server.trim().parse().ok(), self, &mut commands);
        commands
    }

    /// Whether a key pressed now belongs to the panel.
    pub fn keys_go_to_panel(&self, model: &Model) -> bool {
        let has_window = self.terminal || self.typing.is_some() || self.restart.is_some();
        self.picture_focused && !has_window && model.may_control()
    }

    /// Takes a physical key that belongs to the panel; repetitions give no command.
    pub fn key(&mut self, key: PhysicalKey, pressed: bool) -> Option<Command> {
        keys::from_winit(key).and_then(|key| self.held.key(key, pressed))
    }

    /// Lets go of everything that is held down, when the window loses the focus or the link
    /// breaks.
    pub fn lose_focus(&mut self, commands: &mut Vec<Command>) {
        commands.extend(self.held.release());
        commands.extend(std::mem::take(&mut self.is_pointing).then_some(Command::Point(None)));
        self.forget_fingers();
    }

    fn forget_fingers(&mut self) {
        self.touches.clear();
        (self.pinch_centre, self.is_pinching) = (None, false);
    }

    /// The picture is gone: nothing is held there, and nothing of it is remembered.
    pub(super) fn leave_picture(&mut self) {
        self.held.release();
        self.forget_fingers();
        self.picture_focused = false;
        self.was_connected = false;
        (self.typing, self.restart) = (None, None);
        self.terminal = false;
        self.wheel = Vec2::ZERO;
        (self.members_open, self.asked_control, self.is_pointing) = (None, false, false);
    }
}
