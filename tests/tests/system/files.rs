//! Files to and from the machine: real ones, by the process that moves them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lotse_agent::panel::{Connected, Level, Right, RightSet, View};
use lotse_hal::simulated::{Page, Target};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{User, getuid};
use tempfile::TempDir;

use crate::harness::{
    Console, Kiosk, PATIENCE, Server, TECHNICIAN, all_accepted, connected, eventually,
};

/// 5 MiB, and a little, so that no piece is whole.
const SIZE: usize = (5 << 20) + 1234;

/// A kiosk with a folder that may be read and written, a technician who asks for these rights, and
/// the person's yes to all of them.
fn start(rights: &str) -> (Server, Kiosk, Console, TempDir) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("box");
    std::fs::create_dir(&folder).unwrap();
    for (path, mode) in [(place.path(), 0o755), (folder.as_path(), 0o777)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    // An ordinary user, which root becomes.
    let user = if getuid().is_root() {
        "nobody".to_owned()
    } else {
        User::from_uid(getuid()).unwrap().unwrap().name
    };
    let tables = format!(
        "[policy]\nfile_read = \"allow\"\nfile_write = \"allow\"\n[files]\nuser = {user:?}\n\
         [files.folders.box]\npath = {folder:?}\nread = true\nwrite = true\n"
    );
    let (server, kiosk, console) = all_accepted(tempfile::tempdir().unwrap(), &tables, rights);
    (server, kiosk, console, place)
}

/// What repeats nowhere.
fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..SIZE.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(SIZE);
    bytes
}

fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn sign(rights: &[Right], moves_files: bool) -> View {
    let connected = connected(TECHNICIAN, Level::CodeCompared { code: 0 });
    View::Session(Connected { rights: RightSet::of(rights), moves_files, ..connected })
}

#[test]
fn files_go_both_ways_are_resumed_and_are_what_they_were() {
    let (_server, kiosk, mut console, place) = start("view,control,file-read,file-write");
    let (inside, here) = (place.path().join("box"), place.path().join("here"));
    let bytes = noise();
    std::fs::write(inside.join("a large one"), &bytes).unwrap();
    let listed = console.command("list box");
    assert_eq!(listed["entries"][0]["name"], "a large one", "{listed}");
    assert_eq!(listed["entries"][0]["size"], SIZE, "{listed}");
    // Cut off, and gone on with.
    let get = format!("get \"box/a large one\" {}", here.display());
    let cut = console.attempt(&format!("{get} 0.6"));
    assert_eq!(cut["ok"], false, "{cut}");
    let arrived = std::fs::metadata(part(&here)).unwrap().len();
    assert!(arrived > 0 && arrived < SIZE as u64 && !here.exists(), "{arrived}");
    let got = console.command(&get);
    assert!(got["from"].as_u64() >= Some(arrived) && got["size"] == SIZE, "{got}");
    assert_eq!(std::fs::read(&here).unwrap(), bytes);
    assert!(!part(&here).exists());
    // The same the other way; this time the process that moves files dies.
    let put = format!("put {} box/new", here.display());
    let mark = console.mark();
    console.command(&format!("{put} later"));
    console.wait_event(mark, "file", PATIENCE);
    kill(kiosk.process("programs"), Signal::SIGKILL).unwrap();
    assert_eq!(console.attempt("wait-file 20")["ok"], false);
    let half = inside.join(".new.lotse-part");
    assert!(half.exists() && !inside.join("new").exists());
    let mut done = serde_json::Value::Null;
    eventually("the programs process is back", PATIENCE, || {
        done = console.attempt(&put);
        done["ok"] == true
    });
    assert!(done["from"].as_u64() > Some(0), "{done}");
    assert_eq!(std::fs::read(inside.join("new")).unwrap(), bytes);
    assert!(!half.exists());
    let again = console.attempt(&put);
    assert!(again["error"].as_str().unwrap().contains("replace"), "{again}");
    console.command(&format!("{put} replace"));
    for outside in ["box/../here", "/etc/passwd", "box", "elsewhere/x"] {
        let there = place.path().join("there");
        let refused = console.attempt(&format!("get {outside} {}", there.display()));
        assert_eq!(refused["ok"], false, "{outside}: {refused}");
        assert!(!there.exists() && !part(&there).exists());
    }
}

#[test]
fn a_file_on_its_way_leaves_room_for_pictures_and_input_and_ends_with_its_right() {
    let (_server, mut kiosk, mut console, place) = start("view,control,file-read,file-write");
    let rights = [Right::View, Right::Control, Right::FilesRead, Right::FilesWrite];
    let bytes: Vec<u8> = std::iter::repeat_n(noise(), 8).flatten().collect();
    std::fs::write(place.path().join("box/large"), &bytes).unwrap();
    let here = place.path().join("here");
    console.command(&format!("get box/large {} later", here.display()));
    kiosk.wait_view(sign(&rights, true));
    // What is tapped there is done, and seen here, while the file is on its way.
    let mut slowest = Duration::ZERO;
    for page in [Page::Settings, Page::Orders, Page::Settings] {
        let tab = kiosk.twin.place(Target::Tab(page));
        kiosk.twin.go_to(page);
        let expected = kiosk.twin.picture();
        let since = Instant::now();
        console.command(&format!("tap {} {}", tab.x, tab.y));
        eventually("the tap is seen", PATIENCE, || console.shot().difference(&expected).is_none());
        slowest = slowest.max(since.elapsed());
    }
    eprintln!("slowest tap and its picture beside a file: {slowest:?}");
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    assert!(!here.exists(), "it was on its way all the time");
    // The person takes the right away: it ends at once.
    kiosk.touch(&sign(&rights, true), "details");
    let View::Session(shown) = sign(&rights, true) else { return };
    kiosk.wait_view(View::Details(shown.clone()));
    kiosk.touch(&View::Details(shown), "look-only");
    let ended = console.attempt("wait-file 5");
    assert!(ended["error"].as_str().unwrap().contains("stopped"), "{ended}");
    let again = console.attempt(&format!("get box/large {}", here.display()));
    assert!(again["error"].as_str().unwrap().contains("allows no reading"), "{again}");
}

#[test]
fn without_the_right_of_its_direction_no_file_moves() {
    let (_server, _kiosk, mut console, place) = start("view,control,file-read");
    let here = place.path().join("here");
    std::fs::write(&here, "x").unwrap();
    let refused = console.attempt(&format!("put {} box/x", here.display()));
    assert!(refused["error"].as_str().unwrap().contains("allows no writing"), "{refused}");
    assert!(!place.path().join("box/x").exists());
    console.command("list");
}
