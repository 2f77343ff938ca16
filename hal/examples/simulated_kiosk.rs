//! Runs a script at a simulated kiosk, to see what it looks like.
//!
//! `cargo run -p lotse-hal --example simulated_kiosk -- 800 480 < script`

use std::sync::Arc;

use lotse_hal::Size;
use lotse_hal::simulated::{Options, SystemClock, open, script};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::default();
    let sides: Vec<String> = std::env::args().skip(1).collect();
    if let [width, height] = sides.as_slice() {
        options.size = Size::new(width.parse()?, height.parse()?);
    }
    let kiosk = open(options, Arc::new(SystemClock))?;
    let mut first_problem = None;
    let stdin = std::io::stdin().lock();
    script::run(&kiosk.staff, stdin, std::thread::sleep, |problem| {
        first_problem.get_or_insert(problem);
    })?;
    first_problem.map_or(Ok(()), |problem| Err(problem.into()))
}
