//! A picture of every screen, for documents and to look at.

mod members;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::model::picture::{PixelRect, SharedPicture};
use crate::model::{
    Code, Command, EndReason, Event, Invitation, Knock, Latency, Level, Model, Need, Notice, Peer,
    Restart, RestartEvent, Right, Rights, TerminalEvent,
};
use crate::render::{Headless, PngError, write_canvas};
use crate::ui::{Scale, Scene, View, console_ui};
use crate::words::Language;

/// Size of the pictures in pixels.
const SIZE: [u32; 2] = [1280, 800];

/// What is on the terminal.
const EXAMPLE: &str = "service@machine-7:~$ \x1b[1mdf -h /\x1b[0m\r\n\
    Filesystem      Size  Used Avail Use% Mounted on\r\n\
    /dev/mmcblk0p2  7.1G  \x1b[31m6.9G\x1b[0m     0 100% /\r\nservice@machine-7:~$ ";

/// Size of a small window, in pixels.
const SMALL: [u32; 2] = [860, 540];

/// One screen to show.
struct Shot {
    name: &'static str,
    model: Model,
    view: View,
    size: [u32; 2],
}

/// Writes a PNG of each screen into a folder, and returns how many.
///
/// # Errors
/// When a file cannot be written.
pub fn render_all(folder: &Path, language: Language) -> Result<usize, PngError> {
    let picture = example_picture();
    let started = Instant::now();
    let shots = shots(language, started);
    let count = shots.len();
    for Shot { name, model, mut view, size } in shots {
        let scene =
            Scene { model: &model, picture: &picture, now: started + Duration::from_secs(4) };
        let mut headless = Headless::new(size, 1.0);
        let canvas = headless.render(|ui| {
            console_ui(ui, &scene, &mut view);
        });
        write_canvas(&folder.join(format!("{name}.png")), canvas)?;
    }
    Ok(count)
}

fn shots(language: Language, now: Instant) -> Vec<Shot> {
    let view = || View::new(language, "lotse.example.com".into(), "A. Technician".into());
    let shot = |name, model| Shot { name, model, view: view(), size: SIZE };
    let mut shots = vec![
        Shot {
            name: "01-start",
            model: Model::default(),
            view: View::new(language, String::new(), String::new()),
            size: SIZE,
        },
        shot("02-opening", after(0, now)),
        shot("03-waiting", after(1, now)),
        shot("03-waiting-password", with(invited(now), Event::WrongPassword, now)),
        shot("04-joining", after(2, now)),
        shot("05-comparing", after(3, now)),
        shot("06-asking", after(4, now)),
        shot("07-connected", with(after(5, now), Event::Latency(latency()), now)),
        shot("09-view-only", with(after(5, now), Event::RightsChanged(view_only()), now)),
        shot("09-paused", with(after(5, now), Event::Paused(true), now)),
        shot("11-interrupted", with(after(5, now), Event::Interrupted, now)),
    ];
    let notice = with(after(5, now), Event::Notice(Notice::CannotType('€')), now);
    let mut native = shot("08-native-size", notice);
    native.view.scale = Scale::Native;
    let mut typing = shot("10-typing", after(5, now));
    typing.view.typing = Some("Gruß vom Service".into());
    let opened = with(after(5, now), Event::Terminal(TerminalEvent::Opened), now);
    let written = TerminalEvent::Output(EXAMPLE.as_bytes().to_vec());
    let mut terminal = shot("10-terminal", with(opened, Event::Terminal(written), now));
    terminal.view.terminal = true;
    shots.extend([native, typing, terminal]);
    let news = |news| with(after(5, now), Event::Restart(news), now);
    let all = Rights::USUAL.with(Right::Reboot);
    let may = with(after(5, now), Event::RightsChanged(all), now);
    let mut asks = shot("22-restart-asks", may);
    asks.view.restart = Some(Restart::Machine);
    let away = with(news(RestartEvent::Leaves), Event::Interrupted, now);
    let announced = shot("22-restart-announced", news(RestartEvent::Announced(10)));
    shots.extend([asks, announced, shot("22-restart-waits", away)]);
    let unreachable = EndReason::ServerUnreachable { detail: "connection refused".into() };
    for (name, why) in [
        ("12-ended", EndReason::StoppedAtPanel),
        ("13-codes-differ", EndReason::CodesDiffer),
        ("14-unreachable", unreachable),
    ] {
        shots.push(shot(name, with(after(1, now), Event::Ended(why), now)));
    }
    let mut start = shot("15-start-watch", Model::default());
    start.view.looks_on = true;
    let mut small = shot("19-members-small", members::moderating(after(5, now), now));
    small.size = SMALL;
    shots.extend([
        start,
        shot("16-members", members::moderating(after(5, now), now)),
        shot("17-members-knocking", members::knocking(after(5, now), now)),
        shot("18-looking-on", members::looking_on(now)),
        small,
        shot("20-no-panel", with(members::looking_on(now), Event::Presents(None), now)),
        shot(
            "21-sent-away",
            with(members::looking_on(now), Event::Ended(EndReason::SentAway), now),
        ),
    ]);
    shots
}

const fn view_only() -> Rights {
    Rights::NONE.with(Right::View)
}

const fn latency() -> Latency {
    Latency(Duration::from_millis(23))
}

/// A model of a session with a password that waits for a panel.
fn invited(now: Instant) -> Model {
    let mut model = after(1, now);
    if let (Ok(server), Ok(number)) = ("lotse.example.com".parse(), "412936085".parse()) {
        let words = ("407318", "h4k9m2qv7x0c3t8w5z1r6b0ydn");
        let invitation = Invitation::new(&server, number, words);
        model.apply(Event::Invitation(invitation), now);
        let who = "Ticket machine, platform 7".to_owned();
        let need = Need::Name;
        model.apply(Event::Knocking(Knock { member: 3, who, is_device: true, need }), now);
    }
    model
}

/// A model after so many steps of an ordinary session.
fn after(steps: usize, now: Instant) -> Model {
    let who = || "Ticket machine, platform 7".to_owned();
    let peer =
        Peer { name: who(), rights: view_only().with(Right::Control), level: Level::CodeCompared };
    let mut model = Model::default();
    if let Ok(server) = "lotse.example.com".parse() {
        let (name, asks) = ("A. Technician".into(), Rights::USUAL);
        model.note(&Command::Open { server, name, with_password: false, asks });
    }
    let opened = "412936085".parse().ok().map(|number| Event::Opened { number });
    let code = Code::from_digits([4, 7, 1, 9, 0, 3]);
    let events = [
        opened,
        Some(Event::Joined),
        Some(Event::Code { code, who: who() }),
        None,
        Some(Event::Connected(peer)),
    ];
    for event in events.into_iter().take(steps) {
        match event {
            Some(event) => model.apply(event, now),
            None => model.note(&Command::CodesMatch),
        }
    }
    model
}

fn with(mut model: Model, event: Event, now: Instant) -> Model {
    model.apply(event, now);
    model
}

/// A picture with edges and gradients, in the size of a common panel.
fn example_picture() -> SharedPicture {
    const WIDTH: u32 = 1024;
    const HEIGHT: u32 = 600;
    let color = |x: u32, y: u32| -> [u8; 4] {
        let keys = (32..992).contains(&x) && (152..560).contains(&y);
        let key = keys && (x - 32) % 244 < 212 && (y - 152) % 136 < 112;
        match (y < 96, key) {
            (true, _) => [0x20, 0x5c, 0x3b, 255],
            (_, true) if x < 240 && y < 260 => [0xf5, 0xbd, 0x2b, 255],
            (_, true) => [0xff, 0xff, 0xff, 255],
            _ => [(0xc4 + x / 64) as u8, 0xd2, (0xcc + y / 40) as u8, 255],
        }
    };
    let bytes: Vec<u8> =
        (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| color(x, y))).collect();
    let shared = SharedPicture::default();
    let mut picture = shared.lock();
    // Both sides are far below the bound.
    if picture.resize(WIDTH, HEIGHT).is_ok() {
        picture.copy_rgbx(&bytes, PixelRect { x: 0, y: 0, width: WIDTH, height: HEIGHT });
    }
    drop(picture);
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_screen_is_written_in_every_language() {
        for language in Language::ALL {
            let folder = tempfile::tempdir().unwrap();
            let count = render_all(folder.path(), language).unwrap();
            let files = std::fs::read_dir(folder.path()).unwrap().count();
            assert!(files == count && count >= 14);
        }
    }
}
