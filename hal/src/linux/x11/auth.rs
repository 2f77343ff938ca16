//! How to reach an X server of this machine, and what it wants to see before it lets anyone in.
//!
//! A server that was started with `-auth FILE` wants a *cookie* from that file. The agent runs
//! beside the kiosk, not within its session, so that it looks for the file where the server
//! itself was told of it: on its command line.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Where X servers listen.
const SOCKETS: &str = "/tmp/.X11-unix";

/// The kind of cookie that is known here, as every server does.
const COOKIE: &[u8] = b"MIT-MAGIC-COOKIE-1";

/// Bytes of a file with cookies at most.
const MAX_FILE: u64 = 64 << 10;

/// The most displays that are looked at.
const MAX_DISPLAYS: usize = 8;

/// The numbers of the displays of this machine, in order.
pub(super) fn displays() -> Vec<u16> {
    let entries = fs::read_dir(SOCKETS).into_iter().flatten().flatten();
    let mut numbers: Vec<u16> = entries
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix('X')?.parse().ok())
        .take(MAX_DISPLAYS)
        .collect();
    numbers.sort_unstable();
    numbers
}

/// The displays that have a server which draws on a screen, as far as can be told without
/// connecting: that would start those which compositors keep ready for X programs.
pub(super) fn displays_with_screen() -> Vec<u16> {
    let mut found = displays();
    if !found.is_empty() {
        let lines = command_lines();
        found.retain(|display| lines.iter().any(|line| serves(&words(line), *display)));
    }
    found
}

/// The socket of a display.
pub(super) fn socket(display: u16) -> PathBuf {
    Path::new(SOCKETS).join(format!("X{display}"))
}

/// The cookie of a display; empty if it wants none, as far as can be told.
pub(super) fn cookie(display: u16) -> Vec<u8> {
    let configured = std::env::var_os("XAUTHORITY").map(PathBuf::from);
    let file = configured.or_else(|| server_file(display));
    let Some(file) = file else { return Vec::new() };
    match fs::metadata(&file) {
        Ok(meta) if meta.len() <= MAX_FILE => {}
        _ => return Vec::new(),
    }
    fs::read(&file).map_or_else(|_| Vec::new(), |bytes| find(&bytes, display).unwrap_or_default())
}

/// The name and the data of the authorization that go with a cookie.
pub(super) fn authorization(cookie: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    if cookie.is_empty() { (Vec::new(), Vec::new()) } else { (COOKIE.to_vec(), cookie) }
}

/// The file that the server of a display was told of.
fn server_file(display: u16) -> Option<PathBuf> {
    command_lines().iter().find_map(|line| file_of(&words(line), display))
}

/// The command lines of all processes.
fn command_lines() -> Vec<Vec<u8>> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes
        .filter(|entry| entry.file_name().as_bytes().first().is_some_and(u8::is_ascii_digit));
    numbers.filter_map(|process| fs::read(process.path().join("cmdline")).ok()).collect()
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(|&byte| byte == 0).collect()
}

/// The name of the program of a command line.
fn program<'a>(words: &[&'a [u8]]) -> Option<&'a [u8]> {
    words.first()?.rsplit(|&byte| byte == b'/').next()
}

/// Whether a command line is of an X server with a screen of its own, for this display.
fn serves(words: &[&[u8]], display: u16) -> bool {
    matches!(program(words), Some(b"X" | b"Xorg" | b"Xorg.bin")) && is_of(words, display)
}

/// Whether an X server's command line names this display.
fn is_of(words: &[&[u8]], display: u16) -> bool {
    let named = words.iter().find_map(|word| word.strip_prefix(b":"));
    match named {
        Some(number) => number == display.to_string().as_bytes(),
        // Without a name it is the first.
        None => display == 0,
    }
}

/// What follows `-auth` on the command line of an X server of this display.
fn file_of(words: &[&[u8]], display: u16) -> Option<PathBuf> {
    let is_server = matches!(program(words)?, b"X" | b"Xorg" | b"Xorg.bin" | b"Xwayland" | b"Xvfb");
    if !is_server || !is_of(words, display) {
        return None;
    }
    let at = words.iter().position(|word| *word == b"-auth")?;
    let file = std::ffi::OsStr::from_bytes(words.get(at + 1)?);
    Some(PathBuf::from(file))
}

/// The cookie of a display in a file of them; the first of several.
///
/// Each entry has a family in two bytes, and then address, display, name and data, each behind its length in two
/// bytes, the higher first (`man Xsecurity`, libXau's `AuRead.c`). An empty display means any.
fn find(mut bytes: &[u8], display: u16) -> Option<Vec<u8>> {
    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = bytes.split_at_checked(count)?;
        *bytes = rest;
        Some(taken)
    }
    fn field<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
        let length = take(bytes, 2)?;
        let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        take(bytes, length)
    }
    let wanted = display.to_string();
    while !bytes.is_empty() {
        take(&mut bytes, 2)?;
        let (_address, number) = (field(&mut bytes)?, field(&mut bytes)?);
        let (name, data) = (field(&mut bytes)?, field(&mut bytes)?);
        if name == COOKIE && (number.is_empty() || number == wanted.as_bytes()) {
            return Some(data.to_vec());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(display: &str, name: &[u8], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1, 0];
        for field in [b"kiosk", display.as_bytes(), name, data] {
            bytes.extend((field.len() as u16).to_be_bytes());
            bytes.extend(field);
        }
        bytes
    }

    #[test]
    fn the_cookie_of_the_display_is_found() {
        let file = [
            entry("1", COOKIE, b"other display"),
            entry("0", b"XDM-AUTHORIZATION-1", b"other kind"),
            entry("0", COOKIE, b"this"),
        ]
        .concat();
        assert_eq!(find(&file, 0).as_deref(), Some(&b"this"[..]));
        assert_eq!(find(&file, 1).as_deref(), Some(&b"other display"[..]));
        assert_eq!(find(&file, 2), None);
        assert_eq!(find(&entry("", COOKIE, b"any"), 7).as_deref(), Some(&b"any"[..]));
    }

    #[test]
    fn the_servers_own_command_line_names_the_file() {
        let line: [&[u8]; 5] = [b"/usr/lib/xorg/Xorg", b":0", b"-auth", b"/run/a", b"vt7"];
        assert_eq!(file_of(&line, 0), Some("/run/a".into()));
        assert_eq!(file_of(&line, 1), None);
        assert_eq!(file_of(&[b"/usr/bin/X", b"-auth", b"/run/b"], 0), Some("/run/b".into()));
        assert_eq!(file_of(&[b"/bin/sh", b":0", b"-auth", b"/run/c"], 0), None);
        assert_eq!(file_of(&[b"Xorg", b":0", b"-auth"], 0), None);
        assert_eq!(file_of(&[], 0), None);
    }

    #[test]
    fn a_server_that_a_compositor_keeps_has_no_screen_of_its_own() {
        assert!(serves(&[b"/usr/lib/xorg/Xorg", b":0", b"vt7"], 0));
        assert!(serves(&[b"X"], 0) && !serves(&[b"X"], 1));
        assert!(!serves(&[b"Xwayland", b":0", b"-rootless"], 0));
        assert!(!serves(&[b"xterm", b"-display", b":0"], 0));
    }

    proptest! {
        #[test]
        fn garbage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..60) {
            find(&bytes, 0);
            let whole = entry("0", COOKIE, b"this");
            let cut = cut.min(whole.len() - 1);
            prop_assert_eq!(find(&whole[..cut], 0), None);
        }
    }
}
