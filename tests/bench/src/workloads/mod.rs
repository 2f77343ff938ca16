//! What is shown: one entry of [`Workload::ALL`] each.

mod panel;
mod photo;
mod reading;

use std::time::Duration;

use crate::canvas::Canvas;

/// Something that moves on a screen.
pub trait Scene {
    /// Draws frame number `frame` over the one before it; frame 0 over anything.
    ///
    /// To be called with 0, 1, 2 and so on, always with the same canvas.
    fn draw(&mut self, canvas: &mut Canvas, frame: u32);
}

/// What a workload is made of, which decides by what it can be sent well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Drawn by a program: text, lines, plain areas.
    Drawn,
    /// Photographs, video, noise.
    Photo,
}

/// A sequence of frames.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// One word or two with a hyphen.
    pub name: &'static str,
    /// In a few words.
    pub what: &'static str,
    /// What it is made of.
    pub content: Content,
    /// From one frame to the next.
    pub period: Duration,
    /// How many frames a measurement takes.
    pub frames: u32,
    make: fn(u64) -> Box<dyn Scene>,
}

/// From one frame of the films to the next: 25 a second.
const FILM: u64 = 40;

impl Workload {
    /// All there are.
    pub const ALL: [Self; 14] = [
        drawn("idle", "a page stands still", 100, 20, panel::idle),
        drawn("typing", "letters in a form, caret blinking", 60, 120, panel::typing),
        drawn("pages", "six pages, most of them seen before", 250, 30, panel::pages),
        drawn("gauges", "dials, bars and a trend at 10 Hz", 100, 60, panel::gauges),
        drawn("pointer", "only the pointer moves", 16, 120, panel::pointer),
        drawn("drag", "a window is dragged over a page", 33, 60, panel::drag),
        drawn("scroll-steps", "a list, 96 rows of pixels at a time", 100, 40, reading::steps),
        drawn("scroll-smooth", "a list under a finger, slowing down", 16, 120, reading::smooth),
        drawn("scroll-sideways", "a table, 64 columns at a time", 100, 30, reading::sideways),
        drawn("terminal", "lines run through a terminal", 50, 80, reading::terminal),
        photo("slideshow", "photographs, one after the other", 1000, 6, photo::slideshow),
        photo("video-window", "a film of 640×360 on a page", FILM, 75, photo::video_window),
        photo("video-full", "a film on the whole screen", FILM, 50, photo::video_full),
        photo("noise", "every pixel by chance", 100, 5, photo::noise),
    ];

    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.name == name)
    }

    /// Begins it; the same seed gives the same frames.
    pub fn scene(&self, seed: u64) -> Box<dyn Scene> {
        (self.make)(seed)
    }
}

const fn drawn(
    name: &'static str,
    what: &'static str,
    period_ms: u64,
    frames: u32,
    make: fn(u64) -> Box<dyn Scene>,
) -> Workload {
    let period = Duration::from_millis(period_ms);
    Workload { name, what, content: Content::Drawn, period, frames, make }
}

const fn photo(
    name: &'static str,
    what: &'static str,
    period_ms: u64,
    frames: u32,
    make: fn(u64) -> Box<dyn Scene>,
) -> Workload {
    let period = Duration::from_millis(period_ms);
    Workload { name, what, content: Content::Photo, period, frames, make }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(workload: &Workload, seed: u64) -> Vec<Canvas> {
        let mut canvas = Canvas::new(640, 400);
        let mut scene = workload.scene(seed);
        let mut draw = |frame| {
            scene.draw(&mut canvas, frame);
            canvas.clone()
        };
        (0..4).map(&mut draw).collect()
    }

    #[test]
    fn a_seed_gives_the_same_frames_again() {
        for workload in Workload::ALL {
            assert_eq!(pictures(&workload, 7), pictures(&workload, 7), "{}", workload.name);
        }
    }

    #[test]
    fn everything_moves_but_idle() {
        for workload in Workload::ALL {
            let pictures = pictures(&workload, 7);
            let moves = pictures.windows(2).any(|pair| pair[0] != pair[1]);
            assert_eq!(moves, workload.name != "idle", "{}", workload.name);
        }
    }
}
