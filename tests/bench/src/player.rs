//! Plays a workload onto a screen, in time.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use lotse_bench::{Canvas, Workload};
use lotse_codec::Size;

use crate::offered::{Offered, Print};

/// Something that pixels can be shown on.
pub(crate) trait Stage {
    /// Shows what is new.
    fn show(&mut self, shot: &Shot) -> Result<()>;
}

/// A file of pixels, which `file:PATH:WxH` makes a screen.
#[derive(Debug)]
pub(crate) struct FileStage {
    file: File,
    stride: u64,
}

impl FileStage {
    /// A black screen.
    pub(crate) fn create(path: &Path, size: Size) -> Result<Self> {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        file.write_all_at(Canvas::new(size.width, size.height).pixels(), 0)?;
        Ok(Self { file, stride: u64::from(size.width) * 4 })
    }
}

impl Stage for FileStage {
    fn show(&mut self, shot: &Shot) -> Result<()> {
        Ok(self.file.write_all_at(&shot.rows, u64::from(shot.y) * self.stride)?)
    }
}

/// A frame as it is shown: what is new in it.
#[derive(Debug)]
pub(crate) struct Shot {
    /// The first row that is new.
    pub(crate) y: u32,
    /// Whole rows from there on, BGRX; none if nothing is new.
    pub(crate) rows: Vec<u8>,
    /// The first column that is new, and how many are from there on.
    pub(crate) x: u32,
    pub(crate) width: u32,
    print: Print,
}

/// A workload whose frames are drawn already, so that playing costs nothing but copying.
#[derive(Debug)]
pub(crate) struct Film {
    shots: Vec<Shot>,
    period: Duration,
}

impl Film {
    /// Draws all frames.
    pub(crate) fn draw(workload: &Workload, size: Size, seed: u64) -> Self {
        let mut canvas = Canvas::new(size.width, size.height);
        let mut last = canvas.clone();
        let mut scene = workload.scene(seed);
        let shots = (0..workload.frames).map(|frame| {
            scene.draw(&mut canvas, frame);
            let shot = difference(&last, &canvas, frame == 0);
            last.clone_from(&canvas);
            shot
        });
        Self { shots: shots.collect(), period: workload.period }
    }

    /// Shows the first frame.
    pub(crate) fn begin(&self, stage: &mut dyn Stage, offered: &Offered) -> Result<()> {
        self.shots.first().map_or(Ok(()), |shot| shot.put_on(stage, offered))
    }

    /// Shows the others, each in its time.
    pub(crate) fn play(&self, stage: &mut dyn Stage, offered: &Offered) -> Result<()> {
        let mut due = Instant::now();
        for shot in self.shots.iter().skip(1) {
            due += self.period;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            shot.put_on(stage, offered)?;
        }
        Ok(())
    }
}

impl Shot {
    fn put_on(&self, stage: &mut dyn Stage, offered: &Offered) -> Result<()> {
        // Before it is shown: a viewer may be faster than this thread.
        offered.offer(self.print, Instant::now());
        if self.rows.is_empty() { Ok(()) } else { stage.show(self) }
    }
}

/// The rows that differ, from the first to the last.
fn difference(last: &Canvas, canvas: &Canvas, all: bool) -> Shot {
    let stride = canvas.width() as usize * 4;
    let rows = || canvas.pixels().chunks_exact(stride).zip(last.pixels().chunks_exact(stride));
    let first = if all { Some(0) } else { rows().position(|(new, old)| new != old) };
    let end = if all {
        canvas.height() as usize
    } else {
        canvas.height() as usize - rows().rev().position(|(new, old)| new != old).unwrap_or(0)
    };
    let print = Print::of_bgra(canvas.pixels());
    let Some(first) = first else {
        return Shot { y: 0, rows: Vec::new(), x: 0, width: 0, print };
    };
    // Columns in which any row differs.
    let (mut left, mut right) = (canvas.width(), 0);
    for (new, old) in rows() {
        let differs = || new.as_chunks::<4>().0.iter().zip(old.as_chunks::<4>().0).zip(0_u32..);
        let mut columns = differs().filter(|((new, old), _)| new != old).map(|(_, column)| column);
        if let Some(column) = columns.next() {
            left = left.min(column);
            right = right.max(columns.last().unwrap_or(column) + 1);
        }
    }
    let (x, width) = if all { (0, canvas.width()) } else { (left, right.saturating_sub(left)) };
    let rows = canvas.pixels().get(first * stride..end * stride).unwrap_or_default();
    Shot { y: first as u32, rows: rows.to_vec(), x, width, print }
}
