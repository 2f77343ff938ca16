//! Where the panel is shown: by the first way that is seen to work.
//!
//! Whatever runs on the machine, a person in front of it must be able to read the question. The
//! ways are tried in order, least disturbing first; each shows the picture, and the screen is
//! read back. A way that is not seen is given up, with its reason. The last one, drawing in the
//! frame buffer, keeps what it draws even unseen: a question can be accepted only while it is
//! verified, and a person who sees a part of it can refuse.

mod application;
mod choice;
mod fbdev;
mod marks;
mod overlay;
mod painted;
mod read_back;
mod saved;
mod terminal;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use self::application::ApplicationConfig;
use self::application::ApplicationPanel;
pub use self::choice::{PanelChoice, ParsePanelChoiceError};
pub use self::fbdev::FbdevPanel;
pub(crate) use self::fbdev::restore;
pub(crate) use self::marks::ChosenMarks;
use self::overlay::OverlayPanel;
pub(crate) use self::painted::Painted;
pub(crate) use self::read_back::is_seen;
use super::mounting::Mounting;
use super::wayland::panel::WaylandPanel;
use super::x11::panel::X11Panel;
use crate::{Error, Paint, Panel, Rect, Size};

/// How long a size is believed while nothing is shown; asking anew may mean to connect.
const SIZE_LASTS: Duration = Duration::from_secs(2);

/// So often in a row the picture may not be seen before another way is looked for.
const MAX_UNSEEN: u32 = 4;

/// How the panel is set up.
#[derive(Debug, Clone)]
pub struct PanelConfig {
    /// By which way it is shown.
    pub choice: PanelChoice,
    /// Where the machine's own application is waited for, if that can show it.
    pub application: Option<ApplicationConfig>,
    /// The frame buffer to draw in; looked for if `None`.
    pub frame_buffer: Option<PathBuf>,
    /// The file that remembers which terminal to bring back after a crash. Its directory must
    /// exist and be writable by this process alone, as `/run/lotse`.
    pub terminal_record: PathBuf,
    /// How the display is mounted: the panel is upright.
    pub mounting: Mounting,
}

/// A way to show the panel, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// Which, as in `x11`.
    pub name: &'static str,
    /// How it would be shown, as in `x11:0 above all windows`, or why it cannot be.
    pub outcome: Result<String, String>,
}

/// One of the ways.
struct Way {
    name: &'static str,
    panel: Box<dyn Panel>,
    /// How often in a row it was not seen.
    unseen: u32,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The panel, shown by the first way that works.
#[derive(Debug)]
pub struct ChosenPanel {
    /// In the order in which they are tried.
    ways: Vec<Way>,
    /// The one that shows something.
    current: Option<usize>,
    /// What was last tried, and what became of it.
    considered: Vec<Considered>,
    size: Option<(Instant, Size)>,
    /// It shows a mark: comes and goes often, by the same way as long as that works.
    is_mark: bool,
}

impl ChosenPanel {
    /// A panel that shows nothing yet; brings back what a process left that died meanwhile.
    pub fn new(config: PanelConfig) -> Self {
        let mounting = config.mounting.clone();
        let choice = config.choice.clone();
        let mut ways: Vec<(&'static str, Box<dyn Panel>)> = Vec::new();
        if let Some(application) = &config.application {
            let panel = ApplicationPanel::new(application, mounting.clone());
            ways.push(("application", Box::new(panel)));
        }
        match choice {
            PanelChoice::Auto => {
                ways.push(("wayland", Box::new(WaylandPanel::new(None, mounting.clone()))));
                ways.push(("x11", Box::new(X11Panel::new(None, mounting.clone()))));
                ways.push(("overlay", Box::new(OverlayPanel::new(mounting))));
            }
            PanelChoice::Wayland { socket } => {
                ways.push(("wayland", Box::new(WaylandPanel::new(socket, mounting))));
            }
            PanelChoice::X11 { display } => {
                ways.push(("x11", Box::new(X11Panel::new(display, mounting))));
            }
            PanelChoice::Overlay => ways.push(("overlay", Box::new(OverlayPanel::new(mounting)))),
            PanelChoice::FrameBuffer => {}
        }
        // Also if another way is configured: better seen in a way that was not meant than not.
        ways.push(("fbdev", Box::new(FbdevPanel::new(config))));
        Self::of(ways)
    }

    fn of(ways: Vec<(&'static str, Box<dyn Panel>)>) -> Self {
        let way = |(name, panel)| Way { name, panel, unseen: 0 };
        let ways = ways.into_iter().map(way).collect();
        Self { ways, current: None, considered: Vec::new(), size: None, is_mark: false }
    }

    fn of_mark(ways: Vec<(&'static str, Box<dyn Panel>)>) -> Self {
        Self { is_mark: true, ..Self::of(ways) }
    }

    /// Whether it is drawn into the picture of others.
    fn is_drawn(&self) -> bool {
        self.current.is_some_and(|current| current + 1 == self.ways.len())
    }

    /// All ways in the order in which they are tried, without showing anything: whether each is
    /// there at all. Whether it is seen, only showing tells.
    pub fn survey(&mut self) -> Vec<Considered> {
        let consider = |way: &mut Way| {
            let size = way.panel.size();
            let outcome = size.map(|_| way.panel.describe()).map_err(|error| error.to_string());
            Considered { name: way.name, outcome }
        };
        self.ways.iter_mut().map(consider).collect()
    }

    /// What the last search for a way met, until one was taken; empty before the first.
    pub fn considered(&self) -> &[Considered] {
        &self.considered
    }

    /// Shows it by the first way from `first` on that is seen.
    fn search(&mut self, first: usize, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        self.considered.retain(|one| self.ways.iter().take(first).any(|way| way.name == one.name));
        let last = self.ways.len().saturating_sub(1);
        let mut only = None;
        for (index, way) in self.ways.iter_mut().enumerate().skip(first) {
            way.unseen = 0;
            let outcome = way.try_out(area, painter, index == last);
            if let Err(error) = outcome {
                way.panel.hide().ok();
                log::info!("panel: not by {}: {error}", way.name);
                self.considered
                    .push(Considered { name: way.name, outcome: Err(error.to_string()) });
                only = Some(error);
                continue;
            }
            let how = way.panel.describe();
            log::info!("panel: shown by {how}");
            self.considered.push(Considered { name: way.name, outcome: Ok(how) });
            self.current = Some(index);
            return Ok(());
        }
        self.current = None;
        let reasons: Vec<_> = self
            .considered
            .iter()
            .filter_map(|one| Some(format!("{}: {}", one.name, one.outcome.as_ref().err()?)))
            .collect();
        match only {
            Some(error) if reasons.len() == 1 => Err(error),
            _ => Err(Error::Unsupported(format!(
                "the panel cannot be shown; {}",
                reasons.join("; ")
            ))),
        }
    }
}

impl Way {
    /// Shows something and makes sure that it is seen.
    fn try_out(&mut self, area: Rect, painter: &dyn Paint, is_last: bool) -> Result<(), Error> {
        self.panel.show(area, painter)?;
        if is_last || self.panel.verify(area, painter)? {
            return Ok(());
        }
        // Something may have been drawn at that moment.
        self.panel.keep()?;
        if self.panel.verify(area, painter)? {
            return Ok(());
        }
        Err(Error::Unsupported("what it shows is not what is seen".to_owned()))
    }
}

impl Panel for ChosenPanel {
    fn describe(&self) -> String {
        match self.current.and_then(|current| self.ways.get(current)) {
            Some(way) => way.panel.describe(),
            None => {
                let names: Vec<_> = self.ways.iter().map(|way| way.name).collect();
                format!("the first that is seen of {}", names.join(", "))
            }
        }
    }

    fn size(&mut self) -> Result<Size, Error> {
        if let Some(way) = self.current.and_then(|current| self.ways.get_mut(current)) {
            return way.panel.size();
        }
        if let Some((at, size)) = self.size
            && at.elapsed() < SIZE_LASTS
        {
            return Ok(size);
        }
        let mut outcome = Err(Error::Unsupported("there is no way to show the panel".to_owned()));
        for way in &mut self.ways {
            outcome = way.panel.size();
            if let Ok(size) = outcome {
                self.size = Some((Instant::now(), size));
                break;
            }
        }
        outcome
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let Some(current) = self.current else { return self.search(0, area, painter) };
        let Some(way) = self.ways.get_mut(current) else { return Ok(()) };
        let is_seen = way.unseen < MAX_UNSEEN;
        let outcome = match is_seen {
            true => way.panel.show(area, painter),
            false => Err(Error::Unsupported("it is not seen any more".to_owned())),
        };
        let Err(error) = outcome else { return Ok(()) };
        log::info!("panel: no longer by {}: {error}", way.name);
        way.panel.hide().ok();
        // What cannot be shown any more may have come back as something else; what is covered
        // goes on to be, unless there is nothing else to try.
        let next = if is_seen || current + 1 >= self.ways.len() { 0 } else { current + 1 };
        self.search(next, area, painter)
    }

    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        let current = self.current.and_then(|current| self.ways.get_mut(current));
        let Some(way) = current else { return Ok(false) };
        let outcome = way.panel.verify(area, painter);
        way.unseen = if matches!(outcome, Ok(true)) { 0 } else { way.unseen + 1 };
        outcome
    }

    fn keep(&mut self) -> Result<(), Error> {
        let current = self.current.and_then(|current| self.ways.get_mut(current));
        current.map_or(Ok(()), |way| way.panel.keep())
    }

    fn hide(&mut self) -> Result<(), Error> {
        self.size = None;
        let current = if self.is_mark { self.current } else { self.current.take() };
        let way = current.and_then(|current| self.ways.get_mut(current));
        way.map_or(Ok(()), |way| way.panel.hide())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::TestPattern;

    const SIZE: Size = Size::new(20, 10);

    /// A way that shows nothing, or says that it is seen so many times.
    #[derive(Debug)]
    struct Pretended {
        name: &'static str,
        shows: bool,
        seen: u32,
    }

    impl Panel for Pretended {
        fn describe(&self) -> String {
            self.name.to_owned()
        }

        fn size(&mut self) -> Result<Size, Error> {
            Ok(SIZE)
        }

        fn show(&mut self, _: Rect, _: &dyn Paint) -> Result<(), Error> {
            if self.shows { Ok(()) } else { Err(Error::Gone(self.name.to_owned())) }
        }

        fn verify(&mut self, _: Rect, _: &dyn Paint) -> Result<bool, Error> {
            let is_seen = self.seen > 0;
            self.seen = self.seen.saturating_sub(1);
            Ok(is_seen)
        }

        fn hide(&mut self) -> Result<(), Error> {
            Ok(())
        }
    }

    fn panel(ways: &[(&'static str, bool, u32)]) -> ChosenPanel {
        let way = |&(name, shows, seen): &(&'static str, bool, u32)| {
            (name, Box::new(Pretended { name, shows, seen }) as Box<dyn Panel>)
        };
        ChosenPanel::of(ways.iter().map(way).collect())
    }

    const PATTERN: TestPattern = TestPattern { seed: 1 };

    #[test]
    fn the_first_way_that_is_seen_is_taken_and_the_others_have_reasons() {
        let mut panel =
            panel(&[("gone", false, 9), ("unseen", true, 0), ("seen", true, 9), ("last", true, 9)]);
        panel.show(SIZE.rect(), &PATTERN).unwrap();
        assert_eq!(panel.describe(), "seen");
        let told: Vec<_> =
            panel.considered().iter().map(|one| (one.name, one.outcome.is_ok())).collect();
        assert_eq!(told, [("gone", false), ("unseen", false), ("seen", true)]);
        panel.hide().unwrap();
        assert!(!panel.verify(SIZE.rect(), &PATTERN).unwrap(), "what is hidden is not seen");
    }

    #[test]
    fn the_last_way_is_kept_though_it_is_not_seen() {
        let mut panel = panel(&[("unseen", true, 0), ("last", true, 0)]);
        panel.show(SIZE.rect(), &PATTERN).unwrap();
        assert_eq!(panel.describe(), "last");
        assert!(!panel.verify(SIZE.rect(), &PATTERN).unwrap());
    }

    #[test]
    fn what_no_way_shows_is_an_error_with_every_reason() {
        let mut panel = panel(&[("one", false, 0), ("other", false, 0)]);
        let error = panel.show(SIZE.rect(), &PATTERN).unwrap_err().to_string();
        assert!(error.contains("one is gone") && error.contains("other is gone"), "{error}");
    }

    #[test]
    fn a_way_that_is_covered_for_long_is_given_up() {
        let mut panel = panel(&[("covered", true, 2), ("last", true, 9)]);
        panel.show(SIZE.rect(), &PATTERN).unwrap();
        assert!(panel.verify(SIZE.rect(), &PATTERN).unwrap());
        for _ in 0..MAX_UNSEEN {
            assert_eq!(panel.describe(), "covered");
            assert!(!panel.verify(SIZE.rect(), &PATTERN).unwrap());
        }
        panel.show(SIZE.rect(), &PATTERN).unwrap();
        assert_eq!(panel.describe(), "last");
    }
}
