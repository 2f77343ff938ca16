//! `cargo xtask demo`: the main job on one computer, without any hardware.

use std::io::{BufRead as _, stdin};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::product::{Kiosk, Product, Server, Technician};
use crate::{paths, say};

/// Where the simulated kiosk has the button of its second page, at 1280×800.
const ORDERS_BUTTON: &str = "640 714";

/// Shows the main job: a server, a simulated kiosk, and a console that sees and steers it.
///
/// With a display it opens the console's window, and you play the person at the kiosk here in the
/// terminal. With --headless everything runs by itself and leaves a picture of the console.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run by itself, without a display
    #[arg(long)]
    headless: bool,
    /// How long the headless session lasts
    #[arg(long, default_value_t = 15, value_name = "N")]
    seconds: u64,
    /// Where the picture of the headless session goes
    #[arg(long, value_name = "FILE", default_value = "target/demo/demo.png")]
    shot: PathBuf,
}

/// Runs the demonstration.
///
/// # Errors
/// When a program does not do its part.
pub(crate) fn run(args: &Args) -> Result<()> {
    let product = Product::build()?;
    let folder = paths::output("demo");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let server = Server::start(&product.server, &folder)?;
    let mut kiosk = Kiosk::start(&product.agent, &server, &folder, "1280x800", &[])?;
    if args.headless {
        headless(args, &product, &server, &mut kiosk, &folder)
    } else {
        with_window(&product, &server, &mut kiosk, &folder)
    }
}

fn headless(
    args: &Args,
    product: &Product,
    server: &Server,
    kiosk: &mut Kiosk,
    folder: &Path,
) -> Result<()> {
    let start = Instant::now();
    let mut technician = Technician::connect(&product.console, server, kiosk, folder)?;
    let before = folder.join("before.png");
    technician.command(&format!("shot {}", before.display()), 10)?;
    say::step("connected; the technician touches the kiosk's second page");
    technician.command(&format!("tap {ORDERS_BUTTON}"), 10)?;
    let rest = Duration::from_secs(args.seconds).saturating_sub(start.elapsed());
    thread::sleep(rest.max(Duration::from_secs(2)));
    let after = folder.join("after.png");
    technician.command(&format!("shot {}", after.display()), 10)?;
    ensure!(
        std::fs::read(&before)? != std::fs::read(&after)?,
        "the touch changed nothing in the picture: compare {} and {}",
        before.display(),
        after.display()
    );
    let shot = std::path::absolute(&args.shot).context("the picture's place")?;
    if let Some(parent) = shot.parent() {
        std::fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    }
    technician.command(&format!("screenshot-ui {}", shot.display()), 20)?;
    let status = technician.command("status", 10)?;
    technician.command("end", 10)?;
    say::result(&format!("session: {status}"));
    say::result(&format!("picture: {}", shot.display()));
    Ok(())
}

fn with_window(product: &Product, server: &Server, kiosk: &mut Kiosk, folder: &Path) -> Result<()> {
    say::result("The console opens. Press \"Open session\" there; it shows a number.");
    say::result("Here you are the person at the kiosk. You can say:");
    say::result("  123456789   type this number at the kiosk");
    say::result("  accept      answer the question with yes (compare the code first: look)");
    say::result("  refuse      answer it with no");
    say::result("  look        write what the kiosk shows to target/demo/kiosk.ppm");
    say::result("  quit        end the demonstration; so does closing the console");
    let mut window = Command::new(&product.console)
        .args(["window", "--server", &server.address])
        .spawn()
        .context("open the console's window (without a display use --headless)")?;
    let (sender, lines) = std::sync::mpsc::sync_channel(16);
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(std::io::Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    loop {
        if let Some(status) = window.try_wait()? {
            ensure!(status.success(), "the console ended with {status}");
            return Ok(());
        }
        match lines.recv_timeout(Duration::from_millis(200)).as_deref().map(str::trim) {
            Ok("quit") => {
                window.kill().ok();
                window.wait().ok();
                return Ok(());
            }
            Ok("accept") => kiosk.accept()?,
            Ok("refuse") => kiosk.staff("key ENTER")?,
            Ok("look") => {
                let picture = folder.join("kiosk.ppm");
                kiosk.staff(&format!("shot {}", picture.display()))?;
                say::result(&picture.display().to_string());
            }
            Ok(number) if !number.is_empty() => kiosk.type_number(number)?,
            _ => {}
        }
    }
}
