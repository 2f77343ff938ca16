//! What the kiosk's screen must show: the same kiosk again, without an agent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lotse_agent::panel::{
    self, Ask, Connected, Language, Level, Name, PanelUi, Right, RightSet, View,
};
use lotse_hal::simulated::{self, Options, Page, Simulated, SystemClock, Target};
use lotse_hal::{KeyCode, LocalEvent, Point, Rect, Size};

use super::{Picture, TECHNICIAN};

/// The size of all kiosks here.
pub(crate) const SIZE: Size = Size::new(800, 480);

/// A kiosk in the test's own hands, and a panel above it that shows what it is told.
pub(crate) struct Twin {
    kiosk: Simulated,
    panel: PanelUi,
}

impl Twin {
    /// A kiosk as it is when it starts, without a panel; its gauge stands still.
    pub(crate) fn new() -> Self {
        let options = Options { size: SIZE, gauge_period: None };
        let kiosk = simulated::open(options, Arc::new(SystemClock)).unwrap();
        let panel = PanelUi::new(SIZE, Language::default(), Instant::now());
        Self { kiosk, panel }
    }

    /// Its panel shows something else.
    pub(crate) fn show(&mut self, view: View) {
        let now = Instant::now();
        self.panel.show(view, now);
        // The person has used the keyboard, so the selected button is marked. Nobody pressed
        // this key, so that letting go of it does nothing else.
        let released = LocalEvent::Key { key: KeyCode(28), pressed: false };
        self.panel.handle_local(&released, now);
        self.kiosk.machine.panel.hide().unwrap();
        if let Some(area) = self.panel.area() {
            self.kiosk.machine.panel.show(area, &self.panel).unwrap();
        }
    }

    /// A text is in the field of the settings' page, which has the focus.
    pub(crate) fn fill_field(&mut self, text: &str) {
        self.go_to(Page::Settings);
        let field = self.place(Target::Field);
        self.kiosk.staff.tap(field);
        for _ in 0..self.kiosk.kiosk.field().len() {
            self.kiosk.staff.press(KeyCode(14));
        }
        self.kiosk.staff.type_text(text);
        assert_eq!(self.kiosk.kiosk.field(), text, "the field takes this text");
    }

    /// Its application goes to another page.
    pub(crate) fn go_to(&mut self, page: Page) {
        if self.kiosk.kiosk.page() != page {
            let tab = self.place(Target::Tab(page));
            self.kiosk.staff.tap(tab);
        }
        assert_eq!(self.kiosk.kiosk.page(), page);
    }

    /// Where something of the application is.
    pub(crate) fn place(&self, target: Target) -> Point {
        self.kiosk.kiosk.place(target).expect("it is on this page")
    }

    /// Where the text of the field on the settings' page is.
    pub(crate) fn field_area(&self) -> Rect {
        let center = self.place(Target::Field);
        // Within the field, which is 454 pixels wide and 70 high; the text starts at its left.
        Rect { x: center.x - 220, y: center.y - 20, width: 440, height: 40 }
    }

    /// What is on its screen.
    pub(crate) fn picture(&self) -> Picture {
        let mut ppm = Vec::new();
        self.kiosk.staff.shoot(&mut ppm).unwrap();
        Picture::from_ppm(&ppm).unwrap()
    }
}

/// The question whether the technician may see and steer.
pub(crate) fn question(code: &str) -> View {
    question_at(Level::CodeCompared { code: code.parse().unwrap() })
}

/// The same, when so much is known of the technician.
pub(crate) fn question_at(level: Level) -> View {
    View::Asking(Ask {
        name: Name::from_network(TECHNICIAN),
        rights: usual_rights(),
        ticked: usual_rights(),
        level,
        deadline: Instant::now() + Duration::from_secs(60),
    })
}

/// What is asked for and allowed, unless a scenario says otherwise.
fn usual_rights() -> RightSet {
    RightSet::of(&[Right::View, Right::Control])
}

/// Somebody who is connected.
pub(crate) fn connected(name: &str, level: Level) -> Connected {
    Connected::new(Name::from_network(name), Some(level), usual_rights())
}

/// The part of the screen where the code of a question is, and what is to be seen there.
pub(crate) fn code_on_screen(code: &str) -> (Rect, Picture) {
    let picture_of = |code: &str| {
        let mut twin = Twin::new();
        twin.show(question(code));
        twin.picture()
    };
    let wanted = picture_of(code);
    // All that depends on the code: where no digit is equal, all of them are.
    let other: String =
        code.bytes().map(|digit| char::from(b'0' + (digit - b'0' + 5) % 10)).collect();
    let area = wanted.difference(&picture_of(&other)).expect("the code is shown");
    (area, wanted.part(area))
}

/// Where a button of the panel is.
pub(crate) fn button(view: &View, name: &str) -> Point {
    let layout = panel::layout(SIZE, None, view);
    let found = layout.buttons.iter().find(|button| button.name == name);
    let place = found.unwrap_or_else(|| panic!("there is no button {name}"));
    Point::new(place.x + place.width / 2, place.y + place.height / 2)
}
