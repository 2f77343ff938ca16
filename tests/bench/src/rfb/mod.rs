//! A viewer for RFB 3.8 (RFC 6143), the protocol of VNC, without loss and without passwords.
//!
//! It asks for the next update as soon as one begins to arrive, so that the server never waits for
//! it by more than the line's delay.

mod tight;

use std::io::{BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::offered::{Offered, Print};

/// Encodings by number: the best that are without loss first, then raw; and the one that says that
/// a rectangle is the last.
const TIGHT: i32 = 7;
const COPY_RECT: i32 = 1;
const RAW: i32 = 0;
const LAST_RECT: i32 = -224;
/// The pointer's shape, so that it is not drawn into the picture.
const CURSOR: i32 = -239;
/// How hard to compress, 0 to 9, as TigerVNC's viewer asks for; no quality means no JPEG.
const COMPRESS_LEVEL: i32 = -256 + 2;

/// Red, green and blue in the upper three of four bytes, little-endian 32 bits, 24 of them used.
const PIXEL_FORMAT: [u8; 16] = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];

/// The largest side of a screen that is believed.
const MAX_SIDE: usize = 8192;

/// A picture as the viewer has it: red, green, blue, 255.
#[derive(Debug)]
pub(crate) struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
}

/// Where something is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Picture {
    /// The rows of an area.
    fn rows(&mut self, area: Area) -> impl Iterator<Item = &mut [[u8; 4]]> {
        let rows = self.pixels.chunks_exact_mut(self.width.max(1));
        let rows = rows.skip(area.y).take(area.height);
        rows.filter_map(move |row| row.get_mut(area.x..area.x + area.width))
    }

    fn copy(&mut self, from: (usize, usize), to: Area) {
        let area = Area { x: from.0, y: from.1, ..to };
        let pixels: Vec<[u8; 4]> = self.rows(area).flat_map(|row| row.to_vec()).collect();
        for (row, from) in self.rows(to).zip(pixels.chunks_exact(to.width.max(1))) {
            row.copy_from_slice(from);
        }
    }
}

/// Connects and watches in a thread of its own until the connection ends.
///
/// # Errors
/// When the server cannot be reached within `patience`.
pub(crate) fn watch(server: SocketAddr, offered: Arc<Offered>, patience: Duration) -> Result<()> {
    let end = Instant::now() + patience;
    let stream = loop {
        match TcpStream::connect(server).map_err(anyhow::Error::from).and_then(Viewer::new) {
            Ok(viewer) => break viewer,
            Err(error) if Instant::now() > end => return Err(error.context("no VNC server")),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    };
    thread::spawn(move || {
        // It ends when the server does.
        let _ = stream.run(&offered);
    });
    Ok(())
}

struct Viewer {
    input: BufReader<TcpStream>,
    output: TcpStream,
    picture: Picture,
    tight: tight::Decoder,
}

/// Reads exactly `N` bytes.
fn take<const N: usize>(input: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_of(input: &mut impl Read) -> Result<usize> {
    Ok(usize::from(u16::from_be_bytes(take(input)?)))
}

fn u32_of(input: &mut impl Read) -> Result<usize> {
    Ok(u32::from_be_bytes(take(input)?) as usize)
}

/// Reads and forgets.
fn skip(input: &mut impl Read, len: usize) -> Result<()> {
    std::io::copy(&mut input.take(len as u64), &mut std::io::sink())?;
    Ok(())
}

impl Viewer {
    fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        let mut output = stream.try_clone()?;
        let mut input = BufReader::with_capacity(1 << 16, stream);
        let version: [u8; 12] = take(&mut input)?;
        ensure!(version.starts_with(b"RFB 003"), "no RFB");
        output.write_all(b"RFB 003.008\n")?;
        let [kinds] = take(&mut input)?;
        let mut offered = vec![0; usize::from(kinds)];
        input.read_exact(&mut offered)?;
        ensure!(offered.contains(&1), "the server wants a password");
        output.write_all(&[1])?;
        ensure!(u32_of(&mut input)? == 0, "refused");
        output.write_all(&[1])?;
        let (width, height) = (u16_of(&mut input)?, u16_of(&mut input)?);
        ensure!(width <= MAX_SIDE && height <= MAX_SIDE, "a screen of {width}×{height}");
        let _: [u8; 16] = take(&mut input)?;
        let name = u32_of(&mut input)?;
        skip(&mut input, name)?;
        let picture = Picture { width, height, pixels: vec![[0, 0, 0, 255]; width * height] };
        let mut viewer = Self { input, output, picture, tight: tight::Decoder::default() };
        viewer.set_up()?;
        Ok(viewer)
    }

    fn set_up(&mut self) -> Result<()> {
        let mut message = vec![0, 0, 0, 0];
        message.extend(PIXEL_FORMAT);
        let encodings = [TIGHT, COPY_RECT, RAW, LAST_RECT, CURSOR, COMPRESS_LEVEL];
        message.extend([2, 0, 0, encodings.len() as u8]);
        message.extend(encodings.into_iter().flat_map(i32::to_be_bytes));
        self.output.write_all(&message)?;
        self.request(0)
    }

    /// Asks for an update: all (0) or what has changed (1).
    fn request(&mut self, incremental: u8) -> Result<()> {
        let mut message = vec![3, incremental, 0, 0, 0, 0];
        message.extend((self.picture.width as u16).to_be_bytes());
        message.extend((self.picture.height as u16).to_be_bytes());
        Ok(self.output.write_all(&message)?)
    }

    fn run(mut self, offered: &Offered) -> Result<()> {
        loop {
            let [kind] = take(&mut self.input)?;
            match kind {
                0 => {
                    self.request(1)?;
                    self.update()?;
                    let now = Instant::now();
                    offered.see(Print::of_rgba(self.picture.pixels.as_flattened()), now);
                }
                1 => {
                    let _: [u8; 3] = take(&mut self.input)?;
                    let colors = u16_of(&mut self.input)?;
                    skip(&mut self.input, colors * 6)?;
                }
                2 => {}
                3 => {
                    let _: [u8; 3] = take(&mut self.input)?;
                    let len = u32_of(&mut self.input)?;
                    skip(&mut self.input, len)?;
                }
                other => bail!("message {other} is not expected"),
            }
        }
    }

    fn update(&mut self) -> Result<()> {
        let input = &mut self.input;
        let _: [u8; 1] = take(input)?;
        let rectangles = u16_of(input)?;
        for _ in 0..rectangles {
            let (x, y) = (u16_of(input)?, u16_of(input)?);
            let (width, height) = (u16_of(input)?, u16_of(input)?);
            let encoding = i32::from_be_bytes(take(input)?);
            if encoding == LAST_RECT {
                return Ok(());
            }
            if encoding == CURSOR {
                skip(input, width * height * 4 + width.div_ceil(8) * height)?;
                continue;
            }
            let area = Area { x, y, width, height };
            let is_inside = x + width <= self.picture.width && y + height <= self.picture.height;
            ensure!(is_inside, "a rectangle outside the screen");
            match encoding {
                RAW => {
                    for row in self.picture.rows(area) {
                        for pixel in row {
                            let [blue, green, red, _] = take(input)?;
                            *pixel = [red, green, blue, 255];
                        }
                    }
                }
                COPY_RECT => {
                    let from = (u16_of(input)?, u16_of(input)?);
                    self.picture.copy(from, area);
                }
                TIGHT => self.tight.read(input, &mut self.picture, area).context("Tight")?,
                other => bail!("encoding {other} was not asked for"),
            }
        }
        Ok(())
    }
}
