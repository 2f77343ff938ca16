//! Draws every screen of the panel as PNG files.
//!
//! `cargo run -p lotse-agent --example panel_preview -- FOLDER [LANGUAGE]`

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lotse_agent::panel::{
    Ask, Coming, Connected, Ended, Language, Level, Message, Name, PanelOutput, PanelUi, Right,
    RightSet, View, Work,
};
use lotse_hal::draw::paint_strips;
use lotse_hal::{KeyCode, LocalEvent, Size};

const SIZES: [Size; 7] = [
    Size::new(320, 240),
    Size::new(240, 320),
    Size::new(800, 480),
    Size::new(800, 600),
    Size::new(1280, 800),
    Size::new(1080, 1920),
    Size::new(3840, 2160),
];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("say which folder to write to")?;
    let language = match arguments.next() {
        Some(tag) => Language::from_tag(&tag).context("there is no such language")?,
        None => Language::English,
    };
    std::fs::create_dir_all(&folder)?;
    let now = Instant::now();
    for size in SIZES {
        for (name, view) in views(now) {
            let mut ui = PanelUi::new(size, language, now);
            ui.show(view, now);
            if name == "home" {
                type_keys(&mut ui, &[5, 2, 8, 4], now);
            }
            if name.starts_with("asking-armed") {
                ui.handle_verified(true, now);
                ui.handle_timeout(now + Duration::from_secs(2));
            }
            let file = format!("{name}-{}x{}.png", size.width, size.height);
            write(&ui, size, &Path::new(&folder).join(file))?;
        }
    }
    Ok(())
}

fn views(now: Instant) -> Vec<(&'static str, View)> {
    let ask = |level, rights: &[Right]| {
        View::Asking(Ask {
            name: Name::from_network("Aleksandra Brzęczyszczykiewicz"),
            rights: RightSet::of(rights),
            ticked: RightSet::of(&[Right::View, Right::Control]),
            level,
            deadline: now + Duration::from_secs(60),
        })
    };
    let code = Level::CodeCompared { code: 407_318 };
    let home = |is_server_reachable, can_close| View::Home { is_server_reachable, can_close };
    let name = || Name::from_network("Aleksandra Brzęczyszczykiewicz");
    let rights = RightSet::of(&[Right::View, Right::Control, Right::Shell]);
    let connected = Connected::new(name(), Some(Level::Password), rights);
    let session = |is_silent| View::Session(Connected { is_silent, ..connected.clone() });
    let details = View::Details(connected.clone());
    let deadline = now + Duration::from_secs(10);
    let coming = |what| View::Coming(Coming { name: name(), what, deadline });
    vec![
        ("asking", ask(code, &Right::ALL)),
        ("asking-armed", ask(code, &[Right::View, Right::Control])),
        ("asking-unknown", ask(Level::None, &[Right::View])),
        ("coming-application", coming(Work::RestartApplication)),
        ("coming-reboot", coming(Work::Reboot)),
        ("ended", View::Message(Message::Ended(Ended::ByTechnician))),
        ("home", home(true, true)),
        ("home-offline", home(false, false)),
        ("interrupted", View::Message(Message::Interrupted)),
        ("joining", View::Joining { number: 528_401_736 }),
        ("password", View::Password { number: 528_401_736 }),
        ("details", details),
        ("session", session(false)),
        ("session-silent", session(true)),
        ("unreachable", View::Message(Message::ServerUnreachable)),
    ]
}

fn type_keys(ui: &mut PanelUi, digits: &[u16], now: Instant) {
    for digit in digits {
        for pressed in [true, false] {
            ui.handle_local(&LocalEvent::Key { key: KeyCode(digit + 1), pressed }, now);
        }
    }
    while let Some(PanelOutput::Redraw) = ui.poll_output() {}
}

fn write(ui: &PanelUi, size: Size, path: &Path) -> anyhow::Result<()> {
    let area = ui.area().context("nothing is shown")?;
    let mut encoder = png::Encoder::new(File::create(path)?, area.width, area.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut picture = Vec::new();
    let mut scratch = Vec::new();
    paint_strips(size, area, 64, ui, &mut scratch, |_, pixels| {
        for [blue, green, red, _] in pixels.as_chunks::<4>().0 {
            picture.extend([red, green, blue]);
        }
        Ok::<(), anyhow::Error>(())
    })?;
    encoder.write_header()?.write_image_data(&picture)?;
    Ok(())
}
