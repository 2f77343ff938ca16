//! Where the pieces of the kiosk's application are, for any size of screen.

use crate::{Point, Rect, Size};

/// How many orders can be chosen.
pub(super) const ORDERS: usize = 4;
/// How many switches there are in the settings.
pub(super) const SWITCHES: usize = 3;
/// How many lamps there are in the overview.
pub(super) const LAMPS: usize = 4;

/// A page of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    /// The gauge and the lamps.
    Overview,
    /// What is to be filled, and how many.
    Orders,
    /// Switches and the batch's name.
    Settings,
}

impl Page {
    /// All pages, in the order of their buttons.
    pub const ALL: [Self; 3] = [Self::Overview, Self::Orders, Self::Settings];
}

/// Something that can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The text field for the batch's name.
    Field,
    /// One fewer of an order.
    Less(usize),
    /// One more of an order.
    More(usize),
    /// Starts the order.
    Start,
    /// Turns a switch over; 0 stops and starts the line.
    Switch(usize),
    /// Goes to a page.
    Tab(Page),
}

/// The places of everything on a page.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) size: Size,
    /// The bar on top.
    pub(super) header: Rect,
    /// The larger part of the page: the dial, the list, the switches.
    pub(super) main: Rect,
    /// The smaller part of the overview and of the orders.
    pub(super) side: Rect,
    /// What can be pressed.
    pub(super) targets: Vec<(Target, Rect)>,
    /// The space between pieces, in pixels.
    pub(super) gap: u32,
}

impl Layout {
    /// Where everything is on `page`.
    pub(super) fn new(size: Size, page: Page) -> Self {
        let gap = (size.width.min(size.height) / 40).max(3);
        let header = Rect { x: 0, y: 0, width: size.width, height: size.height / 10 };
        let tabs_height = size.height / 8;
        let tabs =
            Rect { x: 0, y: size.height - tabs_height, width: size.width, height: tabs_height };
        let content = inset(
            Rect {
                x: 0,
                y: header.height,
                width: size.width,
                height: size.height - header.height - tabs_height,
            },
            gap,
        );
        let (main, side) = match (page, size.width >= size.height) {
            (Page::Settings, _) => (content, Rect::default()),
            (_, true) => cut_right(content, content.width * 3 / 10, gap),
            (_, false) => cut_bottom(content, content.height * 3 / 10, gap),
        };
        let mut targets = Vec::new();
        for (page, place) in Page::ALL.into_iter().zip(columns(inset(tabs, gap / 2), 3, gap)) {
            targets.push((Target::Tab(page), place));
        }
        match page {
            Page::Overview => {}
            Page::Orders => orders(main, side, gap, &mut targets),
            Page::Settings => settings(main, gap, &mut targets),
        }
        Self { size, header, main, side, targets, gap }
    }

    /// What is at a place of the screen.
    pub(super) fn target_at(&self, at: Point) -> Option<Target> {
        self.targets.iter().find(|(_, place)| place.contains(at)).map(|(target, _)| *target)
    }

    /// Where something that can be pressed is; an empty rectangle if not on this page.
    pub(super) fn place(&self, target: Target) -> Rect {
        self.targets
            .iter()
            .find(|(other, _)| *other == target)
            .map_or_else(Rect::default, |(_, place)| *place)
    }

    /// The rows of the orders.
    pub(super) fn order_rows(&self) -> Vec<Rect> {
        rows(self.main, ORDERS as u32, self.gap)
    }

    /// The rows of the settings: the switches, and the text field's as the last.
    pub(super) fn setting_rows(&self) -> Vec<Rect> {
        rows(self.main, SWITCHES as u32 + 1, self.gap)
    }

    /// The rows of the lamps.
    pub(super) fn lamp_rows(&self) -> Vec<Rect> {
        rows(self.side, LAMPS as u32, self.gap)
    }
}

fn orders(main: Rect, side: Rect, gap: u32, targets: &mut Vec<(Target, Rect)>) {
    for (index, row) in rows(main, ORDERS as u32, gap).into_iter().enumerate() {
        let button = row.height.min(row.width / 5);
        let more = Rect { x: row.x + row.width - button, width: button, ..row };
        let less = Rect {
            x: (row.x + row.width).saturating_sub(button * 2 + button * 4 / 5),
            width: button,
            ..row
        };
        targets.push((Target::Less(index), inset(less, gap / 2)));
        targets.push((Target::More(index), inset(more, gap / 2)));
    }
    let (_, start) = cut_bottom(side, side.height / 3, gap);
    targets.push((Target::Start, start));
}

fn settings(main: Rect, gap: u32, targets: &mut Vec<(Target, Rect)>) {
    for (index, row) in rows(main, SWITCHES as u32 + 1, gap).into_iter().enumerate() {
        if index < SWITCHES {
            let (_, switch) = cut_right(row, row.width / 5, gap);
            targets.push((Target::Switch(index), inset(switch, gap / 2)));
        } else {
            let (_, field) = cut_right(row, row.width * 3 / 5, gap);
            targets.push((Target::Field, inset(field, gap / 2)));
        }
    }
}

/// A rectangle that is smaller by `by` on every side.
pub(super) fn inset(rect: Rect, by: u32) -> Rect {
    let x = by.min(rect.width / 2);
    let y = by.min(rect.height / 2);
    Rect { x: rect.x + x, y: rect.y + y, width: rect.width - 2 * x, height: rect.height - 2 * y }
}

fn cut_right(rect: Rect, width: u32, gap: u32) -> (Rect, Rect) {
    let width = width.min(rect.width);
    let left = Rect { width: (rect.width - width).saturating_sub(gap), ..rect };
    (left, Rect { x: rect.x + rect.width - width, width, ..rect })
}

fn cut_bottom(rect: Rect, height: u32, gap: u32) -> (Rect, Rect) {
    let height = height.min(rect.height);
    let top = Rect { height: (rect.height - height).saturating_sub(gap), ..rect };
    (top, Rect { y: rect.y + rect.height - height, height, ..rect })
}

fn columns(rect: Rect, count: u32, gap: u32) -> Vec<Rect> {
    let width = rect.width.saturating_sub(gap * (count - 1)) / count;
    (0..count).map(|i| Rect { x: rect.x + i * (width + gap), width, ..rect }).collect()
}

fn rows(rect: Rect, count: u32, gap: u32) -> Vec<Rect> {
    let height = rect.height.saturating_sub(gap * (count - 1)) / count;
    (0..count).map(|i| Rect { y: rect.y + i * (height + gap), height, ..rect }).collect()
}
