//! One file, or the list of a folder, on a thread of its own that may wait for this computer's
//! disk.
//!
//! A batch at a time is on its way, and then nothing for as long as it had to wait somewhere: of a
//! narrow line pictures and input have the other half, and wait for no more than a small batch.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lotse_protocol::message::{
    FILE_WINDOW, FileBytes, FileError, FileName, FilePath, FromFiles, MAX_FILE_BYTES, ToFiles,
};
use sha2::{Digest as _, Sha256};

use super::files::{Said, Way, end};
use crate::model::{FilesCommand, FilesEnd, FilesEvent, Listed};

/// Entries of a folder that are listed at most.
const MAX_LISTED: usize = 10_000;

/// A batch should wait no longer than this on the line.
const MAX_WAIT: Duration = Duration::from_millis(60);

/// Nobody rests longer than this.
const MAX_REST: Duration = Duration::from_secs(1);

/// How often it is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// The smallest batch, in bytes.
const MIN_BATCH: u32 = 3072;

/// Bytes that are hashed at a time.
const CHUNK: usize = 64 << 10;

type Outcome<T> = Result<T, FilesEnd>;

/// Does it, and tells what has become of it.
pub(super) fn run(way: &Way, command: FilesCommand) {
    let done = match command {
        FilesCommand::List { path } => list(way, &path),
        FilesCommand::Get { path, local, may_replace } => get(way, &path, &local, may_replace),
        FilesCommand::Put { local, path, may_replace } => put(way, &local, &path, may_replace),
        FilesCommand::Cancel => return,
    };
    way.tell(done.unwrap_or_else(FilesEvent::Failed)).ok();
}

impl Way {
    fn ask(&self, what: ToFiles) -> Outcome<()> {
        let asked = self.said.blocking_send((self.id, Said::Ask(what)));
        asked.map_err(|_| FilesEnd::Cancelled)
    }

    fn tell(&self, event: FilesEvent) -> Outcome<()> {
        let told = self.said.blocking_send((self.id, Said::Tell(event)));
        told.map_err(|_| FilesEnd::Cancelled)
    }

    fn hear(&self) -> Outcome<FromFiles> {
        match self.answers.recv() {
            Ok(FromFiles::Failed(error)) => Err(end(error)),
            Ok(what) => Ok(what),
            Err(_) => Err(FilesEnd::Cancelled),
        }
    }
}

fn here(path: &Path) -> impl Fn(io::Error) -> FilesEnd {
    move |error| FilesEnd::Here(format!("{}: {error}", path.display()))
}

fn bounded(path: &str) -> Outcome<Box<FilePath>> {
    FilePath::try_from(path).map(Box::new).map_err(|_| FilesEnd::NotFound)
}

/// How large batches are, and how long to rest after one.
struct Pace {
    batch: u32,
    base: Duration,
}

impl Pace {
    const fn new() -> Self {
        Self { batch: 2 * MIN_BATCH, base: Duration::MAX }
    }

    /// A batch took so long; how long to rest.
    fn took(&mut self, time: Duration) -> Duration {
        self.base = self.base.min(time);
        let waited = time - self.base;
        self.batch = if waited > MAX_WAIT { self.batch / 2 } else { self.batch * 2 };
        self.batch = self.batch.clamp(MIN_BATCH, FILE_WINDOW);
        waited.min(MAX_REST)
    }
}

/// Tells how far it is, not too often.
struct Progress {
    size: u64,
    told: Instant,
}

impl Progress {
    fn at(&mut self, at: u64, way: &Way) -> Outcome<()> {
        if self.told.elapsed() < TELL_EVERY {
            return Ok(());
        }
        self.told = Instant::now();
        way.tell(FilesEvent::Progress { at, size: self.size })
    }
}

fn list(way: &Way, path: &str) -> Outcome<FilesEvent> {
    let (mut all, mut after) = (Vec::new(), Box::<FileName>::default());
    loop {
        way.ask(ToFiles::List { path: bounded(path)?, after: after.clone() })?;
        let FromFiles::Entries { entries, has_more } = way.hear()? else {
            return Err(FilesEnd::Failed);
        };
        let before = after.clone();
        for entry in entries {
            *after = entry.name.clone();
            let size = (!entry.is_folder).then_some(entry.size);
            all.push(Listed { name: entry.name.as_str().to_owned(), size });
        }
        if !has_more || after <= before || all.len() >= MAX_LISTED {
            return Ok(FilesEvent::Listed(all));
        }
    }
}

/// Where a file is put until it is whole.
fn part_of(local: &Path) -> PathBuf {
    let mut name = local.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn get(way: &Way, path: &str, local: &Path, may_replace: bool) -> Outcome<FilesEvent> {
    if !may_replace && local.exists() {
        return Err(FilesEnd::Exists);
    }
    let part = part_of(local);
    let fails = here(&part);
    let opened = OpenOptions::new().read(true).append(true).create(true).open(&part);
    let mut file = opened.map_err(&fails)?;
    let from = file.metadata().map_err(&fails)?.len();
    let mut hash = hash_of(&mut file, from).map_err(&fails)?;
    let received = receive(way, (path, from), |bytes| {
        hash.update(bytes);
        file.write_all(bytes).map_err(&fails)
    });
    let outcome = received.and_then(|(size, whole)| {
        if <[u8; 32]>::from(hash.finalize()) == whole { Ok(size) } else { Err(FilesEnd::Differs) }
    });
    if matches!(outcome, Err(FilesEnd::Changed | FilesEnd::Differs))
        || (outcome.is_err() && file.metadata().is_ok_and(|meta| meta.len() == 0))
    {
        fs::remove_file(&part).map_err(&fails)?;
    }
    let size = outcome?;
    file.sync_all().map_err(&fails)?;
    fs::rename(&part, local).map_err(here(local))?;
    Ok(FilesEvent::Done { size, from })
}

/// Takes a file from a byte on: its size, and the hash of the whole.
fn receive(
    way: &Way,
    (path, from): (&str, u64),
    mut take: impl FnMut(&[u8]) -> Outcome<()>,
) -> Outcome<(u64, [u8; 32])> {
    let mut pace = Pace::new();
    let (mut at, mut left, mut since) = (from, pace.batch, Instant::now());
    way.ask(ToFiles::Read { path: bounded(path)?, at, credit: left })?;
    let FromFiles::Reading { size } = way.hear()? else { return Err(FilesEnd::Failed) };
    // What was there before is hashed at the panel first.
    let mut is_first = from > 0;
    let mut progress = Progress { size, told: Instant::now() };
    loop {
        let bytes = match way.hear()? {
            FromFiles::Data(bytes) => bytes,
            FromFiles::Done { hash } if at == size => return Ok((size, hash)),
            _ => return Err(FilesEnd::Failed),
        };
        let bytes = bytes.as_slice();
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        at += bytes.len() as u64;
        if count > left || at > size {
            return Err(FilesEnd::Failed);
        }
        take(bytes)?;
        left -= count;
        progress.at(at, way)?;
        if left == 0 && at < size {
            if !std::mem::take(&mut is_first) {
                std::thread::sleep(pace.took(since.elapsed()));
            }
            (left, since) = (pace.batch, Instant::now());
            way.ask(ToFiles::Taken(left))?;
        }
    }
}

fn put(way: &Way, local: &Path, path: &str, may_replace: bool) -> Outcome<FilesEvent> {
    let fails = here(local);
    let mut file = File::open(local).map_err(&fails)?;
    let found = file.metadata().map_err(&fails)?;
    if !found.is_file() {
        return Err(FilesEnd::Here(format!("{}: it is no file", local.display())));
    }
    let size = found.len();
    let hash: [u8; 32] = hash_of(&mut file, size).map_err(&fails)?.finalize().into();
    way.ask(ToFiles::Write { path: bounded(path)?, size, hash, may_replace })?;
    let FromFiles::Writing { at: from } = way.hear()? else { return Err(FilesEnd::Failed) };
    if from > size {
        return Err(FilesEnd::Failed);
    }
    file.seek(SeekFrom::Start(from)).map_err(&fails)?;
    let (mut at, mut pace) = (from, Pace::new());
    let mut progress = Progress { size, told: Instant::now() };
    let mut piece = [0; MAX_FILE_BYTES];
    while at < size {
        let since = Instant::now();
        let batch = u64::from(pace.batch).min(size - at);
        let mut left = batch;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(MAX_FILE_BYTES).min(MAX_FILE_BYTES);
            let bytes = piece.get_mut(..count).unwrap_or_default();
            file.read_exact(bytes).map_err(&fails)?;
            way.ask(ToFiles::Data(FileBytes::of(bytes)))?;
            left -= bytes.len() as u64;
        }
        while left < batch {
            let FromFiles::Taken(count) = way.hear()? else { return Err(FilesEnd::Failed) };
            left += u64::from(count);
            at += u64::from(count);
            progress.at(at, way)?;
        }
        std::thread::sleep(pace.took(since.elapsed()));
    }
    match way.hear()? {
        FromFiles::Done { hash: told } if told == hash => Ok(FilesEvent::Done { size, from }),
        _ => Err(end(FileError::Differs)),
    }
}

/// The hash of the first bytes of a file, to go on with; the file is behind them.
fn hash_of(file: &mut File, size: u64) -> io::Result<Sha256> {
    let mut hash = Sha256::new();
    file.rewind()?;
    let mut chunk = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let bytes = chunk.get_mut(..count).unwrap_or_default();
        file.read_exact(bytes)?;
        hash.update(&*bytes);
        left -= bytes.len() as u64;
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;
    use tokio::sync::mpsc;

    /// A panel that answers as a test says; what was told to the console.
    fn with_panel(
        command: FilesCommand,
        mut panel: impl FnMut(ToFiles) -> Vec<FromFiles>,
    ) -> FilesEvent {
        let (said, mut heard) = mpsc::channel(8);
        let (answers, receiver) = sync_channel(64);
        let way = Way { id: 1, said, answers: receiver };
        let thread = std::thread::spawn(move || run(&way, command));
        let mut last = None;
        while let Some((_, said)) = heard.blocking_recv() {
            match said {
                Said::Ask(what) => {
                    for answer in panel(what) {
                        answers.send(answer).unwrap();
                    }
                }
                Said::Tell(event) => last = Some(event),
            }
        }
        thread.join().unwrap();
        last.unwrap()
    }

    fn sent(bytes: &[u8], hash: &[u8]) -> Vec<FromFiles> {
        vec![
            FromFiles::Data(FileBytes::of(bytes)),
            FromFiles::Done { hash: Sha256::digest(hash).into() },
        ]
    }

    #[test]
    fn what_was_there_before_counts_in_the_hash_and_nothing_false_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("file");
        let command = || FilesCommand::Get {
            path: "logs/file".to_owned(),
            local: local.clone(),
            may_replace: false,
        };
        for (whole, good) in [("12345678", true), ("1234x678", false)] {
            fs::write(part_of(&local), "1234").unwrap();
            let outcome = with_panel(command(), |asked| {
                let ToFiles::Read { at: 4, .. } = asked else { panic!("{asked:?}") };
                let mut all = vec![FromFiles::Reading { size: 8 }];
                all.extend(sent(b"5678", whole.as_bytes()));
                all
            });
            assert!(!part_of(&local).exists());
            if good {
                assert_eq!(outcome, FilesEvent::Done { size: 8, from: 4 });
                assert_eq!(fs::read(&local).unwrap(), b"12345678");
                fs::remove_file(&local).unwrap();
            } else {
                assert_eq!(outcome, FilesEvent::Failed(FilesEnd::Differs));
                assert!(!local.exists());
            }
        }
        fs::write(&local, "mine").unwrap();
        let outcome = with_panel(command(), |asked| panic!("{asked:?}"));
        assert_eq!(outcome, FilesEvent::Failed(FilesEnd::Exists));
    }

    #[test]
    fn a_panel_that_sends_more_than_was_asked_for_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("file");
        let command = FilesCommand::Get { path: "a/b".to_owned(), local, may_replace: false };
        let outcome = with_panel(command, |_| {
            let mut all = vec![FromFiles::Reading { size: 2 }];
            all.extend(sent(b"123", b"123"));
            all
        });
        assert_eq!(outcome, FilesEvent::Failed(FilesEnd::Failed));
    }

    #[test]
    fn a_line_is_left_to_others_half_of_the_time_and_batches_fit_it() {
        let mut pace = Pace::new();
        assert_eq!(pace.took(Duration::from_millis(10)), Duration::ZERO);
        for _ in 0..9 {
            pace.took(Duration::from_millis(12));
        }
        assert_eq!(pace.batch, FILE_WINDOW);
        assert_eq!(pace.took(Duration::from_millis(110)), Duration::from_millis(100));
        assert_eq!(pace.batch, FILE_WINDOW / 2);
        for _ in 0..9 {
            pace.took(Duration::from_secs(9));
        }
        assert_eq!(pace.batch, MIN_BATCH);
        assert_eq!(pace.took(Duration::from_secs(9)), MAX_REST);
    }
}
