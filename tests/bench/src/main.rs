//! Measures how frame sequences are sent; `cargo xtask bench` starts it and compares.
//!
//! Every command writes one JSON object a line on standard output.

mod codec_alone;
mod counter;
mod crowd;
mod line;
mod lossy;
mod offered;
mod path;
mod peers;
mod player;
mod process;
mod rfb;
mod server;
mod viewers;
mod x11;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use lotse_bench::Workload;
use lotse_codec::Size;

/// Measures how frame sequences are sent.
#[derive(Debug, Parser)]
#[command(name = "lotse-bench", version)]
struct Arguments {
    /// Size of the pictures
    #[arg(long, global = true, value_name = "WxH", default_value = "1280x800", value_parser = size)]
    size: Size,
    /// What the frames are made from
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name the workloads
    List,
    /// Encode and decode within this process: bytes and processor time
    Codec {
        /// Only these; all if none is named
        workloads: Vec<String>,
    },
    /// Play into a file that an agent reads as its screen, and watch it through a server
    Path {
        #[command(flatten)]
        product: path::Product,
        /// Only these; all if none is named
        workloads: Vec<String>,
    },
    /// Fill a session, and measure how long it takes until newcomers are in and keys are new
    Crowd {
        #[command(flatten)]
        crowd: crowd::Crowd,
    },
    /// Play onto a screen that another product shows, and watch it by that product's protocol
    Peer {
        /// Which
        peer: peers::Peer,
        /// For logs
        #[arg(long, value_name = "FOLDER")]
        folder: PathBuf,
        /// Only these; all if none is named
        workloads: Vec<String>,
    },
    /// Code as video, which loses something
    Lossy {
        /// By what
        coder: lossy::Coder,
        /// For files in between
        #[arg(long, value_name = "FOLDER")]
        folder: PathBuf,
        /// Only these; all if none is named
        workloads: Vec<String>,
    },
    /// Write the frames of a workload into a file, BGRX, one after the other
    Frames {
        /// Name of the workload
        workload: String,
        /// Frames at most
        #[arg(long)]
        at_most: Option<u32>,
        /// Where to
        file: PathBuf,
    },
    /// Encode the frames of such a file and do nothing else, for counting instructions
    Encode {
        /// The file
        file: PathBuf,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (size, seed) = (arguments.size, arguments.seed);
    match arguments.command {
        Command::List => {
            for workload in Workload::ALL {
                say(&serde_json::json!({
                    "workload": workload.name,
                    "what": workload.what,
                    "drawn": workload.content == lotse_bench::Content::Drawn,
                    "frames": workload.frames,
                    "period_ms": workload.period.as_millis() as u64,
                }))?;
            }
        }
        Command::Codec { workloads } => {
            for workload in chosen(&workloads)? {
                say(&codec_alone::measure(&workload, size, seed)?)?;
            }
        }
        Command::Path { product, workloads } => {
            for workload in chosen(&workloads)? {
                say(&path::measure(&product, &workload, size, seed)?)?;
            }
        }
        Command::Crowd { crowd } => say(&crowd::measure(&crowd)?)?,
        Command::Peer { peer, folder, workloads } => {
            for workload in chosen(&workloads)? {
                say(&peers::measure(peer, &folder, &workload, size, seed)?)?;
            }
        }
        Command::Lossy { coder, folder, workloads } => {
            for workload in chosen(&workloads)? {
                say(&lossy::measure(coder, &folder, &workload, size, seed)?)?;
            }
        }
        Command::Frames { workload, at_most, file } => {
            let workload = find(&workload)?;
            let frames = at_most.unwrap_or(u32::MAX).min(workload.frames);
            codec_alone::write_frames(&workload, size, seed, frames, &file)
                .with_context(|| file.display().to_string())?;
        }
        Command::Encode { file } => {
            say(&codec_alone::encode_file(size, &file)?)?;
        }
    }
    Ok(())
}

/// The workloads of these names; all if there are none.
fn chosen(names: &[String]) -> Result<Vec<Workload>> {
    if names.is_empty() {
        return Ok(Workload::ALL.to_vec());
    }
    names.iter().map(|name| find(name)).collect()
}

fn find(name: &str) -> Result<Workload> {
    Workload::find(name).with_context(|| {
        let names = Workload::ALL.map(|workload| workload.name);
        format!("there is no workload {name:?}; there are {}", names.join(", "))
    })
}

/// Writes one line of results.
fn say(line: &serde_json::Value) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output")
}

fn size(text: &str) -> Result<Size, String> {
    text.split_once('x')
        .and_then(|(width, height)| Some(Size::new(width.parse().ok()?, height.parse().ok()?)))
        .filter(|size| size.is_plausible())
        .ok_or_else(|| "write it as in 1280x800".to_owned())
}
