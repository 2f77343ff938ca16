//! What must hold of files, with real ones: they are what they were, nothing leaves its folder,
//! nothing half is taken for whole.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::Path;

use lotse_protocol::message::{FILE_WINDOW, FileBytes, FileName, FilePath, MAX_FILE_BYTES};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::config::FolderConfig;

/// Folders `in` to read, `out` to write, `both`, and `outside` beside them with a secret.
fn set_up() -> (TempDir, FilesConfig) {
    let place = tempfile::tempdir().unwrap();
    let mut folders = BTreeMap::new();
    for (name, read, write) in [("in", true, false), ("out", false, true), ("both", true, true)] {
        let path = place.path().join(name);
        fs::create_dir(&path).unwrap();
        folders.insert(name.to_owned(), FolderConfig { path, read, write });
    }
    fs::create_dir(place.path().join("outside")).unwrap();
    fs::write(place.path().join("outside/secret"), "secret").unwrap();
    (place, FilesConfig { user: "somebody".to_owned(), max_bytes: 1 << 20, folders })
}

/// The end of the technician.
struct Asker {
    socket: UnixStream,
    reader: Reader,
    worker: std::thread::JoinHandle<()>,
}

impl Asker {
    fn ask(config: &FilesConfig, what: &ToFiles) -> Self {
        let (socket, theirs) = UnixStream::pair().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let config = config.clone();
        let worker = std::thread::spawn(move || serve(&config, theirs));
        let mut asker = Self { socket, reader: Reader::without_pictures(), worker };
        asker.say(what);
        asker
    }

    fn say(&mut self, what: &ToFiles) {
        let mut bytes = Vec::new();
        ipc::encode(what, &mut bytes);
        // Whoever has said the last word listens no more.
        self.socket.write_all(&bytes).ok();
    }

    fn hear(&mut self) -> FromFiles {
        loop {
            if let Some(Message::Typed(what)) = self.reader.take().unwrap() {
                return what;
            }
            let mut chunk = [0; 4096];
            let count = self.socket.read(&mut chunk).unwrap();
            assert!(count > 0, "nothing is said any more");
            self.reader.push(&chunk[..count]);
        }
    }

    /// As when the process is killed, or the link breaks for good.
    fn vanish(self) {
        drop(self.socket);
        self.worker.join().unwrap();
    }
}

fn path(text: &str) -> Box<FilePath> {
    Box::new(text.try_into().unwrap())
}

/// Reads a file from a byte on: the bytes, and the hash of the whole.
fn read_from(config: &FilesConfig, file: &str, at: u64) -> Result<(Vec<u8>, [u8; 32]), FileError> {
    let credit = u32::try_from(MAX_FILE_BYTES).unwrap() * 2;
    let mut asker = Asker::ask(config, &ToFiles::Read { path: path(file), at, credit });
    let mut all = Vec::new();
    loop {
        match asker.hear() {
            FromFiles::Reading { .. } => {}
            FromFiles::Data(bytes) => {
                all.extend_from_slice(bytes.as_slice());
                asker.say(&ToFiles::Taken(u32::try_from(bytes.as_slice().len()).unwrap()));
            }
            FromFiles::Done { hash } => return Ok((all, hash)),
            FromFiles::Failed(error) => return Err(error),
            other => panic!("{other:?}"),
        }
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn wish(file: &str, bytes: &[u8], may_replace: bool) -> ToFiles {
    let size = bytes.len() as u64;
    ToFiles::Write { path: path(file), size, hash: hash(bytes), may_replace }
}

/// Writes a file; from where on it was awaited.
fn write_all(config: &FilesConfig, wanted: &ToFiles, bytes: &[u8]) -> Result<u64, FileError> {
    let mut asker = Asker::ask(config, wanted);
    let from = match asker.hear() {
        FromFiles::Writing { at } => at,
        FromFiles::Failed(error) => return Err(error),
        other => panic!("{other:?}"),
    };
    for piece in bytes[usize::try_from(from).unwrap()..].chunks(MAX_FILE_BYTES) {
        asker.say(&ToFiles::Data(FileBytes::of(piece)));
        match asker.hear() {
            FromFiles::Taken(count) => assert_eq!(count as usize, piece.len()),
            FromFiles::Failed(error) => return Err(error),
            other => panic!("{other:?}"),
        }
    }
    match asker.hear() {
        FromFiles::Done { hash: told } => {
            assert_eq!(told, hash(bytes));
            Ok(from)
        }
        FromFiles::Failed(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

fn names(config: &FilesConfig, folder: &str) -> Result<Vec<String>, FileError> {
    let (mut all, mut after) = (Vec::new(), Box::<FileName>::default());
    loop {
        let list = ToFiles::List { path: path(folder), after: after.clone() };
        match Asker::ask(config, &list).hear() {
            FromFiles::Entries { entries, has_more } => {
                all.extend(entries.iter().map(|entry| entry.name.to_string()));
                let Some(last) = entries.iter().last().filter(|_| has_more) else { return Ok(all) };
                *after = last.name.clone();
            }
            FromFiles::Failed(error) => return Err(error),
            other => panic!("{other:?}"),
        }
    }
}

fn part(place: &TempDir, name: &str) -> std::path::PathBuf {
    place.path().join("both").join(format!(".{name}.lotse-part"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_is_written_is_what_is_read(
        bytes in proptest::collection::vec(any::<u8>(), 0..20_000), from in any::<u16>(),
    ) {
        let (_place, config) = set_up();
        prop_assert_eq!(write_all(&config, &wish("both/a b", &bytes, false), &bytes), Ok(0));
        let at = usize::from(from) % (bytes.len() + 1);
        let rest = read_from(&config, "both/a b", at as u64).unwrap();
        prop_assert_eq!(rest, (bytes[at..].to_vec(), hash(&bytes)));
    }
}

#[test]
fn a_file_that_was_cut_off_goes_on_where_it_stopped_and_has_no_name_before() {
    let (place, config) = set_up();
    let bytes: Vec<u8> = (0..50_000_u32).map(|n| (n % 251) as u8).collect();
    let wanted = wish("both/new", &bytes, false);
    let mut asker = Asker::ask(&config, &wanted);
    assert_eq!(asker.hear(), FromFiles::Writing { at: 0 });
    for piece in bytes[..30_000].chunks(3000) {
        asker.say(&ToFiles::Data(FileBytes::of(piece)));
        asker.hear();
    }
    asker.vanish();
    assert!(!place.path().join("both/new").exists());
    assert_eq!(names(&config, "both"), Ok(Vec::new()), "what is not whole is not shown");
    assert_eq!(read_from(&config, "both/.new.lotse-part", 0), Err(FileError::NotFound));
    assert_eq!(write_all(&config, &wanted, &bytes), Ok(30_000));
    assert_eq!(fs::read(place.path().join("both/new")).unwrap(), bytes);
    assert!(!part(&place, "new").exists());
}

#[test]
fn what_is_not_as_announced_is_not_kept_and_nothing_is_replaced_unasked() {
    let (place, config) = set_up();
    let wanted = wish("both/f", b"as announced", false);
    assert_eq!(write_all(&config, &wanted, b"otherwise..."), Err(FileError::Differs));
    assert!(!part(&place, "f").exists() && !place.path().join("both/f").exists());
    // More than was announced.
    let mut asker = Asker::ask(&config, &wanted);
    asker.hear();
    asker.say(&ToFiles::Data(FileBytes::of(&[0; 13])));
    assert_eq!(asker.hear(), FromFiles::Failed(FileError::Differs));
    fs::write(place.path().join("both/f"), "old").unwrap();
    assert_eq!(write_all(&config, &wanted, b"as announced"), Err(FileError::Exists));
    assert_eq!(fs::read(place.path().join("both/f")).unwrap(), b"old");
    let replaces = wish("both/f", b"as announced", true);
    assert_eq!(write_all(&config, &replaces, b"as announced"), Ok(0));
    assert_eq!(fs::read(place.path().join("both/f")).unwrap(), b"as announced");
    // A file that comes while another of its name is on the way is not replaced either.
    let late = wish("both/late", b"x", false);
    let mut asker = Asker::ask(&config, &late);
    asker.hear();
    fs::write(place.path().join("both/late"), "first").unwrap();
    asker.say(&ToFiles::Data(FileBytes::of(b"x")));
    asker.hear();
    assert_eq!(asker.hear(), FromFiles::Failed(FileError::Exists));
    assert_eq!(fs::read(place.path().join("both/late")).unwrap(), b"first");
}

#[test]
fn a_folder_is_for_what_it_is_set_up_for() {
    let (place, config) = set_up();
    fs::write(place.path().join("out/f"), "x").unwrap();
    assert_eq!(read_from(&config, "out/f", 0), Err(FileError::NotAllowed));
    assert_eq!(names(&config, "out"), Err(FileError::NotAllowed));
    let denied = write_all(&config, &wish("in/f", b"x", true), b"x");
    assert_eq!(denied, Err(FileError::NotAllowed));
    assert_eq!(names(&config, "outside"), Err(FileError::NotFound));
    assert_eq!(names(&config, "").unwrap(), ["both", "in", "out"]);
}

#[test]
fn no_path_and_no_link_leads_out_of_the_folder() {
    let (place, config) = set_up();
    let (inside, outside) = (place.path().join("both"), place.path().join("outside"));
    symlink(&outside, inside.join("folder")).unwrap();
    symlink(outside.join("secret"), inside.join("link")).unwrap();
    symlink("/proc/self/fd", inside.join("fd")).unwrap();
    let absolute = outside.join("secret").display().to_string();
    for escape in [
        "both/../outside/secret",
        "../outside/secret",
        "both/folder/secret",
        "both/link",
        "both/fd/0",
        "both//secret",
        "both/./link",
        "both",
        "",
        &absolute,
        &format!("both/{absolute}"),
    ] {
        assert_eq!(read_from(&config, escape, 0), Err(FileError::NotFound), "{escape}");
        let written = write_all(&config, &wish(escape, b"attack", true), b"attack");
        assert!(
            matches!(written, Err(FileError::NotFound | FileError::NotAllowed)),
            "{escape}: {written:?}"
        );
    }
    for folder in ["both/folder", "both/..", "both/fd", "both/"] {
        assert_eq!(names(&config, folder), Err(FileError::NotFound), "{folder}");
    }
    // Where the part would be, there is a link, or a name of a file elsewhere.
    symlink(outside.join("secret"), part(&place, "a")).unwrap();
    fs::hard_link(outside.join("secret"), part(&place, "b")).unwrap();
    symlink(outside.join("made"), part(&place, "c")).unwrap();
    for name in ["a", "b", "c"] {
        let written =
            write_all(&config, &wish(&format!("both/{name}"), b"attack", true), b"attack");
        assert_eq!(written, Err(FileError::NotFound), "{name}");
    }
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");
    assert!(!outside.join("made").exists());
}

#[test]
fn a_link_that_is_swapped_in_all_the_time_never_leads_out() {
    let (place, config) = set_up();
    let (inside, outside) = (place.path().join("both"), place.path().join("outside"));
    fs::create_dir(inside.join("real")).unwrap();
    fs::write(inside.join("real/secret"), "public").unwrap();
    symlink(&outside, inside.join("evil")).unwrap();
    let (done, stop) = std::sync::mpsc::sync_channel::<()>(1);
    let swapper = std::thread::spawn(move || {
        let swap = |from: &str| {
            let aside = inside.join("aside");
            let at = inside.join("at");
            fs::rename(inside.join(from), &at).ok();
            fs::rename(&at, &aside).ok();
            fs::rename(&aside, inside.join(from)).ok();
        };
        while stop.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            swap("real");
            swap("evil");
        }
    });
    for _ in 0..300 {
        match read_from(&config, "both/at/secret", 0) {
            Ok((bytes, _)) => assert_eq!(bytes, b"public"),
            Err(error) => assert_eq!(error, FileError::NotFound),
        }
    }
    drop(done);
    swapper.join().unwrap();
}

#[test]
fn what_is_no_file_is_neither_read_nor_written_nor_waited_for() {
    let (place, config) = set_up();
    let inside = place.path().join("both");
    mkfifo(&inside.join("fifo"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).unwrap();
    fs::create_dir(inside.join("folder")).unwrap();
    for name in ["fifo", "socket", "folder"] {
        let file = format!("both/{name}");
        assert_eq!(read_from(&config, &file, 0), Err(FileError::NotFound), "{name}");
        let written = write_all(&config, &wish(&file, b"x", true), b"x");
        assert_eq!(written, Err(FileError::NotAllowed), "{name}");
    }
    mkfifo(&part(&place, "p"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    assert_eq!(write_all(&config, &wish("both/p", b"x", true), b"x"), Err(FileError::NotFound));
    assert_eq!(names(&config, "both").unwrap(), ["folder"]);
    // Devices, as root sees them.
    let devices = FolderConfig { path: Path::new("/dev").into(), read: true, write: true };
    let config = FilesConfig { folders: BTreeMap::from([("dev".to_owned(), devices)]), ..config };
    assert_eq!(read_from(&config, "dev/zero", 0), Err(FileError::NotFound));
}

#[test]
fn large_files_and_long_names_are_refused() {
    let (place, config) = set_up();
    let file = fs::File::create(place.path().join("in/large")).unwrap();
    file.set_len(config.max_bytes + 1).unwrap();
    assert_eq!(read_from(&config, "in/large", 0), Err(FileError::TooLarge));
    let size = config.max_bytes + 1;
    let wanted =
        ToFiles::Write { path: path("both/large"), size, hash: [0; 32], may_replace: false };
    assert_eq!(write_all(&config, &wanted, &[]), Err(FileError::TooLarge));
    let longest = format!("both/{}", "x".repeat(240));
    assert_eq!(write_all(&config, &wish(&longest, b"x", false), b"x"), Ok(0));
    let longer = format!("both/{}", "x".repeat(241));
    assert_eq!(write_all(&config, &wish(&longer, b"x", false), b"x"), Err(FileError::NotFound));
    assert_eq!(read_from(&config, "in/large", u64::MAX), Err(FileError::TooLarge));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_told_and_one_that_grows_is_read() {
    let (place, config) = set_up();
    let file = place.path().join("in/f");
    let read = ToFiles::Read { path: path("in/f"), at: 0, credit: 3000 };
    let rest = |asker: &mut Asker| loop {
        match asker.hear() {
            FromFiles::Data(bytes) => {
                asker.say(&ToFiles::Taken(bytes.as_slice().len() as u32));
            }
            other => return other,
        }
    };
    for (change, expected) in [
        ("shorter", FromFiles::Failed(FileError::Changed)),
        ("other", FromFiles::Failed(FileError::Changed)),
        ("longer", FromFiles::Done { hash: hash(&[1; 9000]) }),
    ] {
        fs::write(&file, [1; 9000]).unwrap();
        let mut asker = Asker::ask(&config, &read);
        assert_eq!(asker.hear(), FromFiles::Reading { size: 9000 });
        let FromFiles::Data(_) = asker.hear() else { panic!("no data") };
        let mut changed = fs::OpenOptions::new();
        match change {
            "shorter" => changed.write(true).open(&file).unwrap().set_len(4000).unwrap(),
            "other" => changed.write(true).open(&file).unwrap().write_all(b"other").unwrap(),
            _ => changed.append(true).open(&file).unwrap().write_all(b"more").unwrap(),
        }
        asker.say(&ToFiles::Taken(3000));
        assert_eq!(rest(&mut asker), expected, "{change}");
    }
}

#[test]
fn no_more_is_sent_than_was_taken_whatever_is_promised() {
    let (place, config) = set_up();
    fs::write(place.path().join("in/f"), vec![1; 400_000]).unwrap();
    let mut asker =
        Asker::ask(&config, &ToFiles::Read { path: path("in/f"), at: 0, credit: u32::MAX });
    asker.hear();
    asker.socket.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    let (mut chunk, mut bytes) = ([0; 4096], 0);
    while let Ok(count) = asker.socket.read(&mut chunk) {
        bytes += count;
    }
    // A piece was heard before.
    let most = FILE_WINDOW as usize;
    assert!((most - 8192..most + most / 20).contains(&bytes), "{bytes}");
    asker.vanish();
}

#[test]
fn a_folder_of_many_is_told_page_by_page() {
    let (place, config) = set_up();
    let mut expected: Vec<String> = (0..100).map(|n| format!("{n}.txt")).collect();
    for name in &expected {
        fs::write(place.path().join("in").join(name), "x").unwrap();
    }
    expected.sort();
    assert_eq!(names(&config, "in").unwrap(), expected);
}

#[test]
fn a_full_disk_is_told_and_what_was_written_is_kept() {
    let (place, config) = set_up();
    let folder = place.path().join("both");
    let mount = |arguments: &[&str]| {
        let mut mount = std::process::Command::new("mount");
        mount.args(arguments).arg(&folder).status().is_ok_and(|status| status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=64k", "lotse-test"]) {
        // Only root can have a small disk; what the kernel says then is mapped, though.
        let Over::Failed(error) = Over::from(Errno::ENOSPC) else { panic!("alone") };
        assert_eq!(error, FileError::NoSpace);
        return;
    }
    let bytes = vec![7; 200_000];
    let full = write_all(&config, &wish("both/f", &bytes, false), &bytes);
    let kept = fs::metadata(part(&place, "f")).map(|meta| meta.len());
    let named = folder.join("f").exists();
    // There is room again.
    let is_larger = mount(&["-o", "remount,size=1m"]);
    let again = write_all(&config, &wish("both/f", &bytes, false), &bytes);
    let whole = fs::read(folder.join("f"));
    std::process::Command::new("umount").arg(&folder).status().unwrap();
    assert_eq!((full, named, is_larger), (Err(FileError::NoSpace), false, true));
    let kept = kept.unwrap();
    assert!((40_000..=65_536).contains(&kept), "{kept}");
    assert_eq!(again, Ok(kept));
    assert_eq!(whole.unwrap(), bytes);
}

#[test]
fn garbage_ends_a_request_without_harm() {
    let (_place, config) = set_up();
    for garbage in [&b"\xff\xff\xff\xff"[..], &[9, 0, 0, 0, 0, 99, 1, 2, 3, 4, 5, 6, 7], &[]] {
        let (mut socket, theirs) = UnixStream::pair().unwrap();
        let config = config.clone();
        let worker = std::thread::spawn(move || serve(&config, theirs));
        socket.write_all(garbage).unwrap();
        drop(socket);
        worker.join().unwrap();
    }
}

#[test]
fn a_file_is_made_for_all_to_read_and_for_its_user_to_change() {
    use std::os::unix::fs::PermissionsExt as _;
    let (place, config) = set_up();
    write_all(&config, &wish("both/f", b"x", false), b"x").unwrap();
    let mode = fs::metadata(place.path().join("both/f")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777 & !0o044, 0o600);
    // One that its user may not read is not read: root may.
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).mode(0o000).open(place.path().join("in/closed")).unwrap();
    let outcome = read_from(&config, "in/closed", 0);
    let is_root = nix::unistd::getuid().is_root();
    assert!(outcome == Err(FileError::NotAllowed) || (is_root && outcome.is_ok()), "{outcome:?}");
}
