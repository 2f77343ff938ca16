//! `lotse-agent probe`: what this machine has, what of it the agent would use, and why not the
//! rest. What an integrator runs first on a new board.
//!
//! It changes nothing: no virtual device is made, no mode set, no connector probed. It may run
//! beside an agent that works.

mod png;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use lotse_hal::linux::choose::{choose, outputs};
use lotse_hal::linux::inventory::{
    AxisReport, BufferReport, CardReport, ConnectorReport, FrameBufferReport, InputReport,
    PlaneReport, cards, frame_buffers, inputs, x_displays,
};
use lotse_hal::linux::mounting::Mounting;
use lotse_hal::linux::{MachineConfig, panel};
use lotse_hal::{Error, Panel, ScreenState, Size};

use crate::machine::typing::KeyboardLayout;
use crate::outline::Outline;
use png::PngWriter;

/// All that can be told of this machine.
pub fn probe(config: &MachineConfig, layout: &KeyboardLayout) -> Outline {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Outline::Fields(vec![
        ("agent", env!("CARGO_PKG_VERSION").into()),
        ("kernel", release.trim().into()),
        ("screen", screen(config)),
        ("panel", panel_method(config)),
        ("keyboard_layout", layout.name().into()),
        (
            "outputs",
            Outline::list(outputs(), |output| {
                let name = Outline::text(output.choice);
                Outline::Fields(vec![("name", name), ("about", Outline::Text(output.about))])
            }),
        ),
        ("cards", Outline::list(cards(), |(path, found)| device(&path, found, card))),
        (
            "frame_buffers",
            Outline::list(frame_buffers(), |(path, found)| device(&path, found, frame_buffer)),
        ),
        (
            "x_servers",
            Outline::list(x_displays(), |(display, found)| {
                let state = found.map_or_else(|error| error.to_string(), size);
                let name = Outline::text(format_args!(":{display}"));
                Outline::Fields(vec![("name", name), ("size", Outline::Text(state))])
            }),
        ),
        ("input_devices", Outline::list(inputs(), |found| input(&found))),
    ])
}

/// Writes what the screen shows, as the technician would see it.
///
/// # Errors
/// When it is off or cannot be read, or the file cannot be written.
pub fn screenshot(config: &MachineConfig, file: &Path) -> anyhow::Result<Size> {
    let mounting = Mounting::new(config.rotation);
    let mut screen = choose(&config.screen, &mounting)?.screen;
    let ScreenState::Shown { size, .. } = screen.poll()? else {
        bail!("the screen is off: there is nothing to see");
    };
    let doing = || format!("write {}", file.display());
    let out = BufWriter::new(File::create(file).with_context(doing)?);
    let mut writer = PngWriter::new(out, size).with_context(doing)?;
    let mut outcome = Ok(());
    screen.read(&mut |band| {
        if outcome.is_ok() {
            outcome = writer.rows(band.pixels);
        }
    })?;
    outcome.and_then(|()| writer.finish()).with_context(doing)?;
    Ok(size)
}

fn size(size: Size) -> String {
    format!("{}x{}", size.width, size.height)
}

/// Width and height of a display, where it tells them.
fn millimetres(of: Size) -> Outline {
    if of.width == 0 || of.height == 0 { Outline::Nothing } else { size(of).into() }
}

/// What is known of a device, or why nothing is.
fn device<T>(
    path: &Path,
    found: Result<T, Error>,
    known: impl FnOnce(&T) -> Vec<(&'static str, Outline)>,
) -> Outline {
    let mut fields = vec![("device", Outline::text(path.display()))];
    match found {
        Ok(found) => fields.extend(known(&found)),
        Err(error) => fields.push(("error", Outline::text(error))),
    }
    Outline::Fields(fields)
}

fn screen(config: &MachineConfig) -> Outline {
    let mounting = Mounting::new(config.rotation);
    let mut fields = vec![("configured", Outline::text(&config.screen))];
    match choose(&config.screen, &mounting) {
        Ok(mut chosen) => {
            let state = match chosen.screen.poll() {
                Ok(ScreenState::Shown { .. }) => "shown".to_owned(),
                Ok(_) => "off".to_owned(),
                Err(error) => error.to_string(),
            };
            let info = chosen.screen.info();
            fields.extend([
                ("chosen", Outline::text(format_args!("{} {}", info.source, info.name))),
                ("state", state.into()),
                ("size", size(info.size).into()),
                ("turned_by", Outline::text(info.mounting)),
                (
                    "covered_by_video",
                    Outline::list(info.covered, |part| {
                        let at = format!("{}x{} at {},{}", part.width, part.height, part.x, part.y);
                        at.into()
                    }),
                ),
                (
                    "not_chosen",
                    Outline::list(chosen.rejected, |other| {
                        let why = Outline::Text(other.reason);
                        Outline::Fields(vec![("name", Outline::Text(other.name)), ("because", why)])
                    }),
                ),
            ]);
        }
        Err(error) => fields.push(("error", Outline::text(error))),
    }
    Outline::Fields(fields)
}

fn panel_method(config: &MachineConfig) -> Outline {
    let mut panel = unused_panel(config);
    let mut fields = vec![("method", panel.describe().into())];
    match panel.size() {
        Ok(found) => fields.push(("size", size(found).into())),
        Err(error) => fields.push(("error", Outline::text(error))),
    }
    // In the order in which they are tried; whether each is seen, only showing it tells.
    let ways = Outline::list(panel.survey(), |way| {
        let (state, text) = match way.outcome {
            Ok(how) => ("can be tried", how),
            Err(reason) => ("not there", reason),
        };
        let fields =
            [("name", way.name.into()), ("state", state.into()), ("about", Outline::Text(text))];
        Outline::Fields(fields.to_vec())
    });
    fields.push(("ways", ways));
    Outline::Fields(fields)
}

/// The panel as the agent would have it, without what an agent that runs has noted of its own.
pub(crate) fn unused_panel(config: &MachineConfig) -> panel::ChosenPanel {
    panel::ChosenPanel::new(panel::PanelConfig {
        choice: config.panel.clone(),
        // One that runs listens there.
        application: None,
        frame_buffer: config.panel_frame_buffer.clone(),
        terminal_record: PathBuf::from("/run/lotse-probe/none"),
        mounting: Mounting::new(config.rotation),
    })
}

fn card(found: &CardReport) -> Vec<(&'static str, Outline)> {
    vec![
        ("driver", found.driver.as_str().into()),
        ("drawn_on_by", if found.has_other_master { "a program" } else { "the console" }.into()),
        ("connectors", Outline::list(&found.connectors, connector)),
        ("planes", Outline::list(&found.planes, plane)),
    ]
}

fn connector(found: &ConnectorReport) -> Outline {
    Outline::Fields(vec![
        ("name", found.name.as_str().into()),
        ("connected", found.is_connected.into()),
        ("crtc", found.crtc.into()),
        ("turned_by", Outline::text(found.mounting)),
        ("millimetres", millimetres(found.millimetres)),
    ])
}

fn plane(found: &PlaneReport) -> Outline {
    Outline::Fields(vec![
        ("plane", found.id.into()),
        ("kind", found.kind.into()),
        ("crtc", found.crtc.into()),
        (
            "shows",
            found
                .buffer
                .as_ref()
                .map(|buffer| match buffer {
                    Ok(buffer) => self::buffer(buffer),
                    Err(error) => error.as_str().into(),
                })
                .into(),
        ),
        ("formats", Outline::list(&found.formats, |format| format.as_str().into())),
        ("modifiers", Outline::list(&found.modifiers, |modifier| self::modifier(*modifier))),
    ])
}

fn buffer(found: &BufferReport) -> Outline {
    Outline::Fields(vec![
        ("frame_buffer", found.id.into()),
        ("size", size(found.size).into()),
        ("format", found.format.as_str().into()),
        ("modifier", found.modifier.map_or("not told".into(), modifier)),
        ("bytes_per_row", found.pitch.into()),
    ])
}

fn modifier(modifier: u64) -> Outline {
    if modifier == 0 { "linear".into() } else { Outline::text(format_args!("{modifier:#018x}")) }
}

fn frame_buffer(found: &FrameBufferReport) -> Vec<(&'static str, Outline)> {
    let card = found.card.as_ref().map(|card| card.display().to_string());
    vec![
        ("driver", found.driver.as_str().into()),
        ("emulated_by", card.into()),
        ("size", size(found.size).into()),
        ("virtual_size", size(found.virtual_size).into()),
        ("shown_from", Outline::text(format_args!("{},{}", found.offset.0, found.offset.1))),
        ("bits_per_pixel", found.bits.into()),
        ("bytes_per_row", found.pitch.into()),
        ("millimetres", millimetres(found.millimetres)),
    ]
}

fn input(found: &InputReport) -> Outline {
    let mut fields = vec![
        ("device", Outline::text(found.path.display())),
        ("name", found.name.as_str().into()),
        ("class", found.class.name().into()),
        (
            "heard",
            match &found.heard {
                Ok(()) => "yes".into(),
                Err(why) => Outline::text(format_args!("no: {why}")),
            },
        ),
    ];
    let range = |axis: AxisReport| {
        let AxisReport { minimum, maximum, resolution } = axis;
        Outline::text(format_args!("{minimum} to {maximum}, {resolution} per mm"))
    };
    if let (Some(x), Some(y)) = (found.x, found.y) {
        fields.extend([("x", range(x)), ("y", range(y)), ("fingers", found.fingers.into())]);
    }
    Outline::Fields(fields)
}

#[cfg(test)]
mod tests {
    use lotse_hal::Orientation;
    use lotse_hal::linux::choose::ScreenChoice;
    use lotse_hal::linux::inventory::Class;

    use super::*;

    #[test]
    fn a_file_is_a_screen_that_can_be_shot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("screen");
        std::fs::write(&path, [9, 8, 7, 0].repeat(30 * 70)).unwrap();
        let choice = ScreenChoice::File { path, size: Size::new(30, 70) };
        let config = MachineConfig { screen: choice, ..MachineConfig::default() };
        let file = folder.path().join("shot.png");
        assert_eq!(screenshot(&config, &file).unwrap(), Size::new(30, 70));
        let mut reader = ::png::Decoder::new(std::io::BufReader::new(File::open(&file).unwrap()))
            .read_info()
            .unwrap();
        let mut seen = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut seen).unwrap();
        assert!(seen.as_chunks::<3>().0.iter().all(|pixel| *pixel == [7, 8, 9]));
        let said = screen(&config).to_string();
        assert!(said.contains("state: shown") && said.contains("size: 30x70"), "{said}");
    }

    #[test]
    fn what_cannot_be_opened_is_told_with_the_reason() {
        let choice = ScreenChoice::Fbdev { path: Some("/nonexistent/fb7".into()) };
        let config = MachineConfig { screen: choice, ..MachineConfig::default() };
        let said = screen(&config).to_string();
        assert!(said.contains("error: open /nonexistent/fb7"), "{said}");
    }

    #[test]
    fn a_card_is_told_down_to_its_modifiers() {
        let buffer = BufferReport {
            id: 40,
            size: Size::new(1280, 800),
            format: "XR24".to_owned(),
            modifier: Some(0x0100_0000_0000_0001),
            pitch: 5120,
        };
        let found = CardReport {
            driver: "i915".to_owned(),
            has_other_master: true,
            connectors: vec![ConnectorReport {
                name: "eDP-1".to_owned(),
                is_connected: true,
                crtc: Some(51),
                mounting: Orientation::QUARTER,
                millimetres: Size::new(217, 136),
            }],
            planes: vec![PlaneReport {
                id: 31,
                kind: "primary",
                crtc: Some(51),
                buffer: Some(Ok(buffer)),
                formats: vec!["XR24".to_owned(), "AR24".to_owned()],
                modifiers: vec![0, 0x0100_0000_0000_0001],
            }],
        };
        let said = device(Path::new("/dev/dri/card0"), Ok(found), card).to_string();
        for part in [
            "device: /dev/dri/card0",
            "drawn on by: a program",
            "name: eDP-1",
            "turned by: 90",
            "millimetres: 217x136",
            "formats: XR24, AR24",
            "modifiers: linear, 0x0100000000000001",
            "modifier: 0x0100000000000001",
        ] {
            assert!(said.contains(part), "no {part:?} in:\n{said}");
        }
    }

    #[test]
    fn an_input_device_says_whether_it_is_heard() {
        let axis = AxisReport { minimum: 0, maximum: 4095, resolution: 16 };
        let found = InputReport {
            path: "/dev/input/event3".into(),
            name: "Goodix".to_owned(),
            class: Class::TouchScreen,
            x: Some(axis),
            y: Some(axis),
            fingers: 5,
            heard: Err("it is virtual".to_owned()),
        };
        let said = input(&found).to_string();
        for part in ["class: touch screen", "heard: no: it is virtual", "x: 0 to 4095, 16 per mm"] {
            assert!(said.contains(part), "no {part:?} in:\n{said}");
        }
    }
}
