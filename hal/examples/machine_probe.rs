//! Tries the real devices of a machine, one at a time; the lab runs it in its guests.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lotse_hal::conformance::{self, Picture, TestPattern};
use lotse_hal::linux::choose::{ScreenChoice, choose, outputs};
use lotse_hal::linux::follow::FollowingScreen;
use lotse_hal::linux::local_input::EvdevInput;
use lotse_hal::linux::mounting::{Mounted, Mounting};
use lotse_hal::linux::panel::{ChosenPanel, PanelChoice, PanelConfig};
use lotse_hal::linux::uinput::{self, InputWays};
use lotse_hal::{Held, KeyCode, LocalInput, Panel, Point, Rect, Screen, Size};

const USAGE: &str =
    "usage: machine_probe [--screen CHOICE] [--rotation DEGREES] [--panel CHOICE] COMMAND
  list                       the screens, and why each is chosen or not; the local devices
  shot FILE.ppm              what is shown, as a picture
  cursor                     where the cursor is that hardware shows beside the picture
  captures N                 N pictures; what they cost, and whether anything leaks
  watch SECONDS              what the screen does, one line for each change
  inject-key CODE...         press and release keys by their numbers
  tap X Y                    tap a pixel with a virtual finger
  click X Y                  click a pixel with the virtual pointer
  act                        do what standard input says, a line each: key CODE, tap X Y, click X Y
  listen SECONDS [grab]      what physical devices do, one line for each event
  panel-show SECONDS [W H]   the test pattern on the whole panel, or its upper left part
  conform                    check every device against the rules";

/// Remembers the largest handle that the screen was given, which grows if any is not closed.
struct HandleLog;

static LARGEST_HANDLE: AtomicU32 = AtomicU32::new(0);

impl log::Log for HandleLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        if let Some((_, handle)) = text.rsplit_once(": handle ") {
            LARGEST_HANDLE.fetch_max(handle.parse().unwrap_or(0), Ordering::Relaxed);
        } else {
            println!("{}: {text}", record.level());
        }
    }

    fn flush(&self) {}
}

/// What is tried.
struct Target {
    choice: ScreenChoice,
    mounting: Mounting,
    panel: PanelChoice,
}

impl Target {
    fn open(&self) -> Result<FollowingScreen, lotse_hal::Error> {
        FollowingScreen::open(self.choice.clone(), self.mounting.clone())
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    log::set_logger(&HandleLog).map_err(|error| error.to_string())?;
    log::set_max_level(log::LevelFilter::Trace);
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut target = Target {
        choice: ScreenChoice::Auto,
        mounting: Mounting::default(),
        panel: PanelChoice::Auto,
    };
    while arguments.first().is_some_and(|argument| argument.starts_with("--"))
        && arguments.len() > 1
    {
        let value = arguments.remove(1);
        match arguments.remove(0).as_str() {
            "--screen" => target.choice = value.parse()?,
            "--panel" => target.panel = value.parse()?,
            "--rotation" => target.mounting = Mounting::new(Some(value.parse()?)),
            _ => return Err(USAGE.into()),
        }
    }
    let target = &target;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list"] => list(target),
        ["shot", file] => shot(target, file),
        ["cursor"] => cursor(target),
        ["captures", count] => captures(target, count.parse()?),
        ["watch", seconds] => watch(target, seconds.parse()?),
        ["inject-key", codes @ ..] => inject_keys(target, codes),
        ["tap", x, y] => {
            let (at, size) = (Point::new(x.parse()?, y.parse()?), size_of_screen(target)?);
            tap(&mut settled_input(target)?, at, size)
        }
        ["click", x, y] => {
            let (at, size) = (Point::new(x.parse()?, y.parse()?), size_of_screen(target)?);
            click(&mut settled_input(target)?, at, size)
        }
        ["act"] => act(target),
        ["listen", seconds] => listen(target, seconds.parse()?, false),
        ["listen", seconds, "grab"] => listen(target, seconds.parse()?, true),
        ["panel-show", seconds] => panel_show(target, seconds.parse()?, None),
        ["panel-show", seconds, width, height] => {
            panel_show(target, seconds.parse()?, Some(Size::new(width.parse()?, height.parse()?)))
        }
        ["conform"] => conform(target),
        _ => Err(USAGE.into()),
    }
}

fn list(target: &Target) -> Outcome {
    match choose(&target.choice, &target.mounting) {
        Ok(chosen) => {
            let info = chosen.screen.info();
            println!("screen {} {} {:?}", info.source, info.name, info.size);
            for rejected in chosen.rejected {
                println!("not {}: {}", rejected.name, rejected.reason);
            }
        }
        Err(error) => println!("no screen: {error}"),
    }
    for output in outputs() {
        println!("output {}: {}", output.choice, output.about);
    }
    for way in panel(target).survey() {
        match way.outcome {
            Ok(how) => println!("panel {how}"),
            Err(reason) => println!("no panel by {}: {reason}", way.name),
        }
    }
    for name in EvdevInput::open(Path::new("/run/lotse-probe-key"))?.names() {
        println!("device {name}");
    }
    Ok(())
}

fn shot(target: &Target, file: &str) -> Outcome {
    let mut screen = target.open()?;
    save(&mut screen, file)
}

fn cursor(target: &Target) -> Outcome {
    let mut screen = target.open()?;
    screen.poll()?;
    match screen.cursor()? {
        Some(cursor) => {
            let opaque = cursor.pixels.as_chunks::<4>().0.iter().filter(|pixel| pixel[3] == 255);
            println!(
                "cursor at {} {}, {:?}, {} pixels opaque",
                cursor.x,
                cursor.y,
                cursor.size,
                opaque.count()
            );
        }
        None => println!("no cursor"),
    }
    Ok(())
}

fn save(screen: &mut FollowingScreen, file: &str) -> Outcome {
    if let lotse_hal::ScreenState::Off = screen.poll()? {
        return Err("the screen is off".into());
    }
    let picture = Picture::read(screen)?;
    let mut out = BufWriter::new(File::create(file)?);
    write!(out, "P6\n{} {}\n255\n", picture.size.width, picture.size.height)?;
    for pixel in picture.pixels.as_chunks::<4>().0 {
        out.write_all(&[pixel[2], pixel[1], pixel[0]])?;
    }
    out.flush()?;
    Ok(())
}

/// Open descriptors of this process.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count())
}

/// A line of `/proc/self/status`, in KiB.
fn status(field: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap_or("?").trim_matches([':', '\t', ' ']).to_owned()
}

fn captures(target: &Target, count: u32) -> Outcome {
    let mut screen = target.open()?;
    screen.poll()?;
    screen.read(&mut |_| {})?;
    let (before, memory) = (descriptors(), status("VmRSS"));
    LARGEST_HANDLE.store(0, Ordering::Relaxed);
    let start = Instant::now();
    let mut bytes = 0;
    for _ in 0..count {
        screen.poll()?;
        screen.read(&mut |band| bytes += band.pixels.len())?;
    }
    let each = start.elapsed() / count.max(1);
    println!("{count} captures, {each:?} each, {bytes} bytes");
    println!("largest handle {}", LARGEST_HANDLE.load(Ordering::Relaxed));
    println!("descriptors {before} -> {}", descriptors());
    println!("resident {memory} -> {}, anonymous {}", status("VmRSS"), status("RssAnon"));
    let start = Instant::now();
    for _ in 0..count {
        screen.poll()?;
    }
    println!("a poll takes {:?}", start.elapsed() / count.max(1));
    Ok(())
}

fn watch(target: &Target, seconds: u64) -> Outcome {
    let mut screen = target.open()?;
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut before = String::new();
    while Instant::now() < deadline {
        let read = |screen: &mut FollowingScreen| screen.read(&mut |_| {}).err();
        let state = match screen.poll() {
            Ok(lotse_hal::ScreenState::Off) => "off".to_owned(),
            Ok(state) => format!("{} {state:?} {:?}", screen.info().source, read(&mut screen)),
            Err(error) => format!("{:?}: {error}", error.kind()),
        };
        if state != before {
            println!("{state}");
            before = state;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Time for other programs to open a device that is new.
const SETTLE: Duration = Duration::from_millis(1500);

/// A real press takes as long.
const PRESS: Duration = Duration::from_millis(60);

/// The virtual devices, once other programs have had the time to open them.
fn settled_input(target: &Target) -> Result<Held, lotse_hal::Error> {
    let input = uinput::create(&InputWays::default(), &target.mounting, Path::new("/run"))?;
    std::thread::sleep(SETTLE);
    Ok(input)
}

fn inject_keys(target: &Target, codes: &[&str]) -> Outcome {
    let mut input = settled_input(target)?;
    codes.iter().try_for_each(|code| press_key(&mut input, code))
}

fn press_key(input: &mut Held, code: &str) -> Outcome {
    for pressed in [true, false] {
        input.key(KeyCode(code.parse()?), pressed)?;
        std::thread::sleep(PRESS);
    }
    Ok(())
}

fn size_of_screen(target: &Target) -> Result<Size, lotse_hal::Error> {
    let mut screen = target.open()?;
    screen.poll()?;
    Ok(screen.info().size)
}

fn tap(input: &mut Held, at: Point, size: Size) -> Outcome {
    input.contact(0, at, size)?;
    std::thread::sleep(PRESS);
    input.lift(0)?;
    std::thread::sleep(PRESS);
    Ok(())
}

fn click(input: &mut Held, at: Point, size: Size) -> Outcome {
    input.move_to(at, size)?;
    for pressed in [true, false] {
        input.button(lotse_hal::Button::Left, pressed)?;
        std::thread::sleep(PRESS);
    }
    Ok(())
}

/// Keeps the devices, so that who drives this can wait until they have been opened.
fn act(target: &Target) -> Outcome {
    let mut screen = target.open()?;
    screen.poll()?;
    let size = screen.info().size;
    let mut input = uinput::create(&InputWays::default(), &target.mounting, Path::new("/run"))?;
    println!("ready");
    for line in std::io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["shot", file] => {
                // The same screen throughout: it must follow what becomes of it.
                if let Err(error) = save(&mut screen, file) {
                    println!("no shot: {error}");
                }
            }
            ["key", code] => press_key(&mut input, code)?,
            ["tap", x, y] => tap(&mut input, Point::new(x.parse()?, y.parse()?), size)?,
            ["click", x, y] => click(&mut input, Point::new(x.parse()?, y.parse()?), size)?,
            _ => return Err(USAGE.into()),
        }
        println!("done: {line}");
    }
    Ok(())
}

fn listen(target: &Target, seconds: u64, grab: bool) -> Outcome {
    let size = size_of_screen(target)?;
    let mut input =
        Mounted::new(EvdevInput::open(Path::new("/run/lotse-probe-key"))?, target.mounting.clone());
    input.grab(grab)?;
    println!("listening");
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut events = Vec::new();
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        input.read(size, &mut events)?;
        for event in events.drain(..) {
            println!("{event:?}");
        }
    }
    Ok(())
}

fn panel(target: &Target) -> ChosenPanel {
    let terminal_record = PathBuf::from("/run/lotse-probe-terminal");
    let mounting = target.mounting.clone();
    let choice = target.panel.clone();
    ChosenPanel::new(PanelConfig {
        choice,
        application: None,
        frame_buffer: None,
        terminal_record,
        mounting,
    })
}

fn panel_show(target: &Target, seconds: u64, part: Option<Size>) -> Outcome {
    let mut panel = panel(target);
    let size = panel.size()?;
    let area = part.map_or(size.rect(), |part| Rect { x: 8, y: 8, ..part.rect() });
    let pattern = TestPattern { seed: 5 };
    let start = Instant::now();
    panel.show(area, &pattern)?;
    println!("shown after {:?} by {}", start.elapsed(), panel.describe());
    let start = Instant::now();
    println!("verified {:?} in {:?}", panel.verify(area, &pattern), start.elapsed());
    std::thread::sleep(Duration::from_secs(seconds));
    println!("still there {:?}", panel.verify(area, &pattern));
    panel.show(area, &pattern)?;
    println!("shown again, verified {:?}", panel.verify(area, &pattern));
    panel.hide()?;
    println!("hidden");
    Ok(())
}

fn conform(target: &Target) -> Outcome {
    let mut screen = target.open()?;
    conformance::screen(&mut screen);
    println!("screen ok");
    conformance::keyboard(&mut uinput::UinputKeyboard::create()?);
    conformance::pointer(&mut uinput::UinputPointer::create()?);
    conformance::touch(&mut uinput::UinputTouch::create()?);
    println!("input ok");
    conformance::panel(&mut panel(target));
    println!("panel ok");
    Ok(())
}
