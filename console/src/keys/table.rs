//! The table of keys.

use winit::keyboard::{KeyCode as Place, NativeKeyCode, PhysicalKey};

use crate::model::KeyCode;

/// Largest number of a key or button, `KEY_MAX`.
const KEY_MAX: u16 = 0x2ff;

/// One key: its place as the window system names it (W3C "UI Events KeyboardEvent code Values"),
/// the kernel's number, and short names for people.
struct Row(Place, u16, &'static [&'static str]);

/// All places that have a number, ordered by number. A name of the W3C comes from the place itself.
const TABLE: &[Row] = &[
    Row(Place::Escape, 1, &["Esc"]),
    Row(Place::Digit1, 2, &["1"]),
    Row(Place::Digit2, 3, &["2"]),
    Row(Place::Digit3, 4, &["3"]),
    Row(Place::Digit4, 5, &["4"]),
    Row(Place::Digit5, 6, &["5"]),
    Row(Place::Digit6, 7, &["6"]),
    Row(Place::Digit7, 8, &["7"]),
    Row(Place::Digit8, 9, &["8"]),
    Row(Place::Digit9, 10, &["9"]),
    Row(Place::Digit0, 11, &["0"]),
    Row(Place::Minus, 12, &["-"]),
    Row(Place::Equal, 13, &["="]),
    Row(Place::Backspace, 14, &[]),
    Row(Place::Tab, 15, &[]),
    Row(Place::KeyQ, 16, &["Q"]),
    Row(Place::KeyW, 17, &["W"]),
    Row(Place::KeyE, 18, &["E"]),
    Row(Place::KeyR, 19, &["R"]),
    Row(Place::KeyT, 20, &["T"]),
    Row(Place::KeyY, 21, &["Y"]),
    Row(Place::KeyU, 22, &["U"]),
    Row(Place::KeyI, 23, &["I"]),
    Row(Place::KeyO, 24, &["O"]),
    Row(Place::KeyP, 25, &["P"]),
    Row(Place::BracketLeft, 26, &["["]),
    Row(Place::BracketRight, 27, &["]"]),
    Row(Place::Enter, 28, &["Return"]),
    Row(Place::ControlLeft, 29, &["Ctrl", "Control"]),
    Row(Place::KeyA, 30, &["A"]),
    Row(Place::KeyS, 31, &["S"]),
    Row(Place::KeyD, 32, &["D"]),
    Row(Place::KeyF, 33, &["F"]),
    Row(Place::KeyG, 34, &["G"]),
    Row(Place::KeyH, 35, &["H"]),
    Row(Place::KeyJ, 36, &["J"]),
    Row(Place::KeyK, 37, &["K"]),
    Row(Place::KeyL, 38, &["L"]),
    Row(Place::Semicolon, 39, &[";"]),
    Row(Place::Quote, 40, &["'"]),
    Row(Place::Backquote, 41, &["`"]),
    Row(Place::ShiftLeft, 42, &["Shift"]),
    Row(Place::Backslash, 43, &["\\"]),
    Row(Place::KeyZ, 44, &["Z"]),
    Row(Place::KeyX, 45, &["X"]),
    Row(Place::KeyC, 46, &["C"]),
    Row(Place::KeyV, 47, &["V"]),
    Row(Place::KeyB, 48, &["B"]),
    Row(Place::KeyN, 49, &["N"]),
    Row(Place::KeyM, 50, &["M"]),
    Row(Place::Comma, 51, &[","]),
    Row(Place::Period, 52, &["."]),
    Row(Place::Slash, 53, &["/"]),
    Row(Place::ShiftRight, 54, &[]),
    Row(Place::NumpadMultiply, 55, &[]),
    Row(Place::AltLeft, 56, &["Alt"]),
    Row(Place::Space, 57, &[]),
    Row(Place::CapsLock, 58, &[]),
    Row(Place::F1, 59, &[]),
    Row(Place::F2, 60, &[]),
    Row(Place::F3, 61, &[]),
    Row(Place::F4, 62, &[]),
    Row(Place::F5, 63, &[]),
    Row(Place::F6, 64, &[]),
    Row(Place::F7, 65, &[]),
    Row(Place::F8, 66, &[]),
    Row(Place::F9, 67, &[]),
    Row(Place::F10, 68, &[]),
    Row(Place::NumLock, 69, &[]),
    Row(Place::ScrollLock, 70, &[]),
    Row(Place::Numpad7, 71, &[]),
    Row(Place::Numpad8, 72, &[]),
    Row(Place::Numpad9, 73, &[]),
    Row(Place::NumpadSubtract, 74, &[]),
    Row(Place::Numpad4, 75, &[]),
    Row(Place::Numpad5, 76, &[]),
    Row(Place::Numpad6, 77, &[]),
    Row(Place::NumpadAdd, 78, &[]),
    Row(Place::Numpad1, 79, &[]),
    Row(Place::Numpad2, 80, &[]),
    Row(Place::Numpad3, 81, &[]),
    Row(Place::Numpad0, 82, &[]),
    Row(Place::NumpadDecimal, 83, &[]),
    Row(Place::Lang5, 85, &[]),
    Row(Place::IntlBackslash, 86, &[]),
    Row(Place::F11, 87, &[]),
    Row(Place::F12, 88, &[]),
    Row(Place::IntlRo, 89, &[]),
    Row(Place::Lang3, 90, &[]),
    Row(Place::Lang4, 91, &[]),
    Row(Place::Convert, 92, &[]),
    Row(Place::KanaMode, 93, &[]),
    Row(Place::NonConvert, 94, &[]),
    Row(Place::NumpadEnter, 96, &[]),
    Row(Place::ControlRight, 97, &[]),
    Row(Place::NumpadDivide, 98, &[]),
    Row(Place::PrintScreen, 99, &["Print", "SysRq"]),
    Row(Place::AltRight, 100, &["AltGr"]),
    Row(Place::Home, 102, &[]),
    Row(Place::ArrowUp, 103, &["Up"]),
    Row(Place::PageUp, 104, &[]),
    Row(Place::ArrowLeft, 105, &["Left"]),
    Row(Place::ArrowRight, 106, &["Right"]),
    Row(Place::End, 107, &[]),
    Row(Place::ArrowDown, 108, &["Down"]),
    Row(Place::PageDown, 109, &[]),
    Row(Place::Insert, 110, &["Ins"]),
    Row(Place::Delete, 111, &["Del"]),
    Row(Place::AudioVolumeMute, 113, &[]),
    Row(Place::AudioVolumeDown, 114, &[]),
    Row(Place::AudioVolumeUp, 115, &[]),
    Row(Place::Power, 116, &[]),
    Row(Place::NumpadEqual, 117, &[]),
    Row(Place::Pause, 119, &[]),
    Row(Place::NumpadComma, 121, &[]),
    Row(Place::Lang1, 122, &[]),
    Row(Place::Lang2, 123, &[]),
    Row(Place::IntlYen, 124, &[]),
    Row(Place::SuperLeft, 125, &["Super", "Win"]),
    Row(Place::SuperRight, 126, &[]),
    Row(Place::ContextMenu, 127, &["Menu"]),
    Row(Place::BrowserStop, 128, &[]),
    Row(Place::Again, 129, &[]),
    Row(Place::Props, 130, &[]),
    Row(Place::Undo, 131, &[]),
    Row(Place::Copy, 133, &[]),
    Row(Place::Open, 134, &[]),
    Row(Place::Paste, 135, &[]),
    Row(Place::Find, 136, &[]),
    Row(Place::Cut, 137, &[]),
    Row(Place::Help, 138, &[]),
    Row(Place::LaunchApp2, 140, &[]),
    Row(Place::Sleep, 142, &[]),
    Row(Place::WakeUp, 143, &[]),
    Row(Place::LaunchMail, 155, &[]),
    Row(Place::BrowserFavorites, 156, &[]),
    Row(Place::LaunchApp1, 157, &[]),
    Row(Place::BrowserBack, 158, &[]),
    Row(Place::BrowserForward, 159, &[]),
    Row(Place::Eject, 161, &[]),
    Row(Place::MediaTrackNext, 163, &[]),
    Row(Place::MediaPlayPause, 164, &[]),
    Row(Place::MediaTrackPrevious, 165, &[]),
    Row(Place::MediaStop, 166, &[]),
    Row(Place::BrowserHome, 172, &[]),
    Row(Place::BrowserRefresh, 173, &[]),
    Row(Place::NumpadParenLeft, 179, &[]),
    Row(Place::NumpadParenRight, 180, &[]),
    Row(Place::F13, 183, &[]),
    Row(Place::F14, 184, &[]),
    Row(Place::F15, 185, &[]),
    Row(Place::F16, 186, &[]),
    Row(Place::F17, 187, &[]),
    Row(Place::F18, 188, &[]),
    Row(Place::F19, 189, &[]),
    Row(Place::F20, 190, &[]),
    Row(Place::F21, 191, &[]),
    Row(Place::F22, 192, &[]),
    Row(Place::F23, 193, &[]),
    Row(Place::F24, 194, &[]),
    Row(Place::Suspend, 205, &[]),
    Row(Place::BrowserSearch, 217, &[]),
    Row(Place::MediaSelect, 226, &[]),
    Row(Place::Select, 353, &[]),
    Row(Place::NumpadClear, 355, &[]),
    Row(Place::Fn, 464, &[]),
];

/// Places that share a number with another one.
const TWINS: &[(Place, u16)] = &[(Place::Hiragana, 91), (Place::Katakana, 90)];

/// The key of a place; `None` for one without a number, such as F25 and beyond.
pub fn from_winit(key: PhysicalKey) -> Option<KeyCode> {
    match key {
        PhysicalKey::Code(place) => {
            let listed = TABLE.iter().find(|row| row.0 == place).map(|row| row.1);
            let twin = || TWINS.iter().find(|twin| twin.0 == place).map(|twin| twin.1);
            listed.or_else(twin).map(KeyCode)
        }
        // A key that winit has no name for. It has taken off what xkb adds, so that this is the
        // kernel's number.
        PhysicalKey::Unidentified(NativeKeyCode::Xkb(raw)) => {
            let code = u16::try_from(raw).ok()?;
            (1..=KEY_MAX).contains(&code).then_some(KeyCode(code))
        }
        PhysicalKey::Unidentified(_) => None,
    }
}

/// The key of a name, or of a number from 1 to 767; upper and lower case are the same.
///
/// Names are those of the W3C (`KeyA`, `ArrowUp`, `SuperLeft`) and short ones (`A`, `Up`, `Super`).
/// A single digit is the key of that digit; numbers below 10 are written `#1` to `#9`, and any
/// number may be written so.
pub fn by_name(name: &str) -> Option<KeyCode> {
    let named = TABLE.iter().find(|row| {
        row.2.iter().any(|short| short.eq_ignore_ascii_case(name))
            || format!("{:?}", row.0).eq_ignore_ascii_case(name)
    });
    if let Some(row) = named {
        return Some(KeyCode(row.1));
    }
    let code: u16 = name.strip_prefix('#').unwrap_or(name).parse().ok()?;
    (1..=KEY_MAX).contains(&code).then_some(KeyCode(code))
}

/// The shortest name of a key, or its number.
pub fn name_of(key: KeyCode) -> String {
    TABLE.iter().find(|row| row.1 == key.0).map_or_else(
        || format!("#{}", key.0),
        |row| row.2.first().map_or_else(|| format!("{:?}", row.0), ToString::to_string),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Every key that the kernel reports and winit knows arrives with the kernel's own number.
    #[cfg(target_os = "linux")]
    #[test]
    fn covers_every_key_that_winit_knows() {
        use winit::platform::scancode::PhysicalKeyExtScancode;
        // 240 is KEY_UNKNOWN.
        let codes = (1..=u32::from(KEY_MAX)).filter(|code| *code != 240);
        let mut known = 0;
        for code in codes {
            let key = PhysicalKey::from_scancode(code);
            known += usize::from(matches!(key, PhysicalKey::Code(_)));
            assert_eq!(from_winit(key).map(|k| u32::from(k.0)), Some(code), "{key:?}");
        }
        assert!(known > 130, "{known}");
    }

    #[test]
    fn numbers_and_names_are_unique() {
        let numbers: HashSet<u16> = TABLE.iter().map(|row| row.1).collect();
        assert_eq!(numbers.len(), TABLE.len());
        let mut names = HashSet::new();
        for row in TABLE {
            let own = format!("{:?}", row.0);
            for name in row.2.iter().map(ToString::to_string).chain([own]) {
                assert!(names.insert(name.to_lowercase()), "{name} twice");
            }
        }
    }

    /// The main block, the editing keys, the numeric pad and the function keys have no gap:
    /// numbers 1 to 127, but for those that no keyboard of today sends.
    #[test]
    fn has_every_key_of_a_keyboard() {
        let missing: Vec<u16> =
            (1..128).filter(|code| !TABLE.iter().any(|row| row.1 == *code)).collect();
        // unassigned, KPJPCOMMA, LINEFEED, MACRO, KPPLUSMINUS, SCALE
        assert_eq!(missing, [84, 95, 101, 112, 118, 120]);
        for f in 1..=24 {
            assert!(by_name(&format!("F{f}")).is_some(), "F{f}");
        }
    }

    #[test]
    fn keys_that_desktops_swallow_are_there() {
        for (name, code) in [("Super", 125), ("Print", 99), ("Pause", 119), ("F13", 183)] {
            assert_eq!(by_name(name), Some(KeyCode(code)), "{name}");
        }
    }

    #[test]
    fn digits_are_keys_and_numbers_have_a_mark() {
        assert_eq!(by_name("1"), Some(KeyCode(2)));
        assert_eq!(by_name("#1"), Some(KeyCode(1)));
        assert_eq!(by_name("240"), Some(KeyCode(240)));
        for none in ["", "0x10", "768", "#0", "-5", "Hyper9"] {
            assert_eq!(by_name(none), None, "{none}");
        }
    }

    #[test]
    fn a_name_leads_back_to_its_key() {
        for code in 1..=KEY_MAX {
            assert_eq!(by_name(&name_of(KeyCode(code))), Some(KeyCode(code)), "{code}");
        }
    }
}
