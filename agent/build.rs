//! Makes the panel's fonts, and leaves out of the device's program what it never reads.
//!
//! The fonts are DejaVu Sans reduced to the letters that the panel can need.
//!
//! The whole fonts take 1.4 MB, a third of what the agent may be; the reduced ones 76 KB.
//! Kept are the outlines and widths of Latin, Greek and Cyrillic letters; dropped are all other
//! letters, hinting and tables that the panel does not read.
//!
//! Source: the OpenType specification, tables `cmap`, `glyf`, `head`, `hhea`, `hmtx`, `loca`
//! and `maxp`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::Path;

/// The letters that are kept.
const KEPT: [RangeInclusive<u32>; 20] = [
    0x20..=0x7e,     // ASCII
    0xa0..=0x17f,    // Latin-1, Latin Extended-A
    0x18f..=0x18f,   // Azerbaijani
    0x1a0..=0x1a1,   // Vietnamese
    0x1af..=0x1b0,   // Vietnamese
    0x218..=0x21b,   // Romanian
    0x259..=0x259,   // Azerbaijani
    0x384..=0x3ce,   // Greek
    0x400..=0x45f,   // Cyrillic
    0x490..=0x491,   // Ukrainian
    0x1e80..=0x1e85, // Welsh
    0x1e9e..=0x1e9e, // German
    0x1ea0..=0x1ef9, // Vietnamese
    0x2010..=0x2027, // dashes, quotation marks, ellipsis
    0x2039..=0x203a, // quotation marks
    0x20ac..=0x20ac, // euro
    0x2190..=0x2193, // arrows
    0x232b..=0x232b, // erase to the left
    0x2713..=0x2717, // ticks and crosses
    0xfffd..=0xfffd, // a character that cannot be shown
];

/// `glyf`: the component's arguments are words.
const ARGUMENTS_ARE_WORDS: u16 = 0x0001;
/// `glyf`: the component has one scale.
const HAS_SCALE: u16 = 0x0008;
/// `glyf`: another component follows.
const MORE_COMPONENTS: u16 = 0x0020;
/// `glyf`: the component has a scale for each axis.
const HAS_TWO_SCALES: u16 = 0x0040;
/// `glyf`: the component has a 2×2 matrix.
const HAS_MATRIX: u16 = 0x0080;
/// `glyf`: instructions follow the last component.
const HAS_INSTRUCTIONS: u16 = 0x0100;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = std::env::var("OUT_DIR")?;
    let fonts =
        [("panel-regular.ttf", dejavu::sans::regular()), ("panel-bold.ttf", dejavu::sans::bold())];
    for (name, font) in fonts {
        std::fs::write(Path::new(&folder).join(name), reduce(font)?)?;
    }
    let mut out = std::io::stdout();
    // The fonts come from a crate of a fixed version: only this file can change them.
    writeln!(out, "cargo::rerun-if-changed=build.rs")?;
    if is_for_devices() {
        let script = Path::new(&folder).join("no-unwinding.ld");
        std::fs::write(&script, NO_UNWINDING)?;
        writeln!(out, "cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display())?;
        writeln!(out, "cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr")?;
    }
    Ok(())
}

/// The tables by which a stack is unwound take 300 KB. What is built for devices ends at a panic, without
/// unwinding, and has no names of functions that a trace could show.
const NO_UNWINDING: &str =
    "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame.*) } } INSERT AFTER .text;\n";

/// Whether this is the profile `release`: others, which are built for speed or for finding faults,
/// keep traces.
fn is_for_devices() -> bool {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    is("PROFILE", "release") && is("OPT_LEVEL", "s")
}

/// A font with only the letters of [`KEPT`].
fn reduce(font: &[u8]) -> Outcome<Vec<u8>> {
    let source = Font { data: font };
    let characters = source.characters()?;
    // .notdef first, then the letters in the order of their numbers, then what they consist of.
    let mut order = vec![0];
    order.extend(characters.values().copied().collect::<BTreeSet<u16>>());
    let mut next = 0;
    while let Some(glyph) = order.get(next).copied() {
        for component in source.components(glyph)? {
            let part = be16(source.glyph(glyph)?, component + 2)?;
            if !order.contains(&part) {
                order.push(part);
            }
        }
        next += 1;
    }
    let renumbered: BTreeMap<u16, u16> =
        order.iter().zip(0..).map(|(old, new)| (*old, new)).collect();

    let (mut glyf, mut loca, mut hmtx) = (Vec::new(), Vec::new(), Vec::new());
    for glyph in &order {
        loca.extend(u32::try_from(glyf.len())?.to_be_bytes());
        glyf.extend(source.reduced_glyph(*glyph, &renumbered)?);
        glyf.resize(glyf.len().next_multiple_of(4), 0);
        hmtx.extend(source.metrics(*glyph)?);
    }
    loca.extend(u32::try_from(glyf.len())?.to_be_bytes());
    let count = u16::try_from(order.len())?.to_be_bytes();
    let patched = |name: &[u8; 4], at: usize, bytes: &[u8]| -> Outcome<Vec<u8>> {
        let mut table = source.table(name)?.to_vec();
        table.get_mut(at..at + bytes.len()).ok_or("short table")?.copy_from_slice(bytes);
        Ok(table)
    };
    assemble(&[
        (b"cmap", cmap(&characters, &renumbered)?),
        (b"glyf", glyf),
        (b"head", patched(b"head", 50, &[0, 1])?),
        (b"hhea", patched(b"hhea", 34, &count)?),
        (b"hmtx", hmtx),
        (b"loca", loca),
        (b"maxp", patched(b"maxp", 4, &count)?),
    ])
}

/// A font being read.
struct Font<'a> {
    data: &'a [u8],
}

impl<'a> Font<'a> {
    fn table(&self, name: &[u8; 4]) -> Outcome<&'a [u8]> {
        for entry in (0..usize::from(be16(self.data, 4)?)).map(|index| 12 + index * 16) {
            if self.data.get(entry..entry + 4) == Some(name) {
                let start = be32(self.data, entry + 8)? as usize;
                let length = be32(self.data, entry + 12)? as usize;
                return Ok(self.data.get(start..start + length).ok_or("table outside")?);
            }
        }
        Err(format!("no table {}", String::from_utf8_lossy(name)).into())
    }

    /// The glyphs of the letters that are kept, as far as the font has them.
    fn characters(&self) -> Outcome<BTreeMap<u32, u16>> {
        let cmap = self.table(b"cmap")?;
        let subtable = (0..usize::from(be16(cmap, 2)?))
            .filter_map(|index| be32(cmap, 4 + index * 8 + 4).ok())
            .filter_map(|offset| cmap.get(offset as usize..))
            .find(|subtable| be16(subtable, 0).is_ok_and(|format| format == 12))
            .ok_or("no cmap of format 12")?;
        let mut characters = BTreeMap::new();
        for group in (0..be32(subtable, 12)? as usize).map(|index| 16 + index * 12) {
            let first = be32(subtable, group)?;
            for character in first..=be32(subtable, group + 4)? {
                if KEPT.iter().any(|range| range.contains(&character)) {
                    let glyph = be32(subtable, group + 8)? + (character - first);
                    characters.insert(character, u16::try_from(glyph)?);
                }
            }
        }
        Ok(characters)
    }

    fn glyph(&self, glyph: u16) -> Outcome<&'a [u8]> {
        let loca = self.table(b"loca")?;
        let place = |index: usize| -> Outcome<usize> {
            Ok(match be16(self.table(b"head")?, 50)? {
                0 => usize::from(be16(loca, index * 2)?) * 2,
                _ => be32(loca, index * 4)? as usize,
            })
        };
        let range = place(usize::from(glyph))?..place(usize::from(glyph) + 1)?;
        Ok(self.table(b"glyf")?.get(range).ok_or("glyph outside")?)
    }

    /// Advance and left bearing, as in `hmtx`.
    fn metrics(&self, glyph: u16) -> Outcome<[u8; 4]> {
        let hmtx = self.table(b"hmtx")?;
        let full = be16(self.table(b"hhea")?, 34)?;
        let advance = be16(hmtx, usize::from(glyph.min(full - 1)) * 4)?;
        let bearing = match glyph.checked_sub(full) {
            None => be16(hmtx, usize::from(glyph) * 4 + 2)?,
            Some(rest) => be16(hmtx, usize::from(full) * 4 + usize::from(rest) * 2)?,
        };
        let ([a, b], [c, d]) = (advance.to_be_bytes(), bearing.to_be_bytes());
        Ok([a, b, c, d])
    }

    /// Where the components of a composite glyph begin; empty for a simple one.
    fn components(&self, glyph: u16) -> Outcome<Vec<usize>> {
        let data = self.glyph(glyph)?;
        let mut starts = Vec::new();
        if data.is_empty() || be16(data, 0)? < 0x8000 {
            return Ok(starts);
        }
        let mut at = 10;
        loop {
            starts.push(at);
            let flags = be16(data, at)?;
            at = component_end(at, flags);
            if flags & MORE_COMPONENTS == 0 {
                return Ok(starts);
            }
        }
    }

    /// The outline without instructions, its components renumbered.
    fn reduced_glyph(&self, glyph: u16, renumbered: &BTreeMap<u16, u16>) -> Outcome<Vec<u8>> {
        let data = self.glyph(glyph)?;
        if data.is_empty() {
            return Ok(Vec::new());
        }
        let components = self.components(glyph)?;
        if let Some(last) = components.last() {
            let end = component_end(*last, be16(data, *last)?);
            let mut reduced = data.get(..end).ok_or("short glyph")?.to_vec();
            for at in components {
                let flags = be16(data, at)? & !HAS_INSTRUCTIONS;
                let part = renumbered.get(&be16(data, at + 2)?).ok_or("unknown component")?;
                reduced[at..at + 2].copy_from_slice(&flags.to_be_bytes());
                reduced[at + 2..at + 4].copy_from_slice(&part.to_be_bytes());
            }
            return Ok(reduced);
        }
        let contours = usize::from(be16(data, 0)?);
        let length_at = 10 + contours * 2;
        let instructions = usize::from(be16(data, length_at)?);
        let mut reduced = data.get(..length_at).ok_or("short glyph")?.to_vec();
        reduced.extend([0, 0]);
        reduced.extend(data.get(length_at + 2 + instructions..).ok_or("short glyph")?);
        Ok(reduced)
    }
}

fn component_end(at: usize, flags: u16) -> usize {
    let arguments = if flags & ARGUMENTS_ARE_WORDS != 0 { 4 } else { 2 };
    let transformation = match flags {
        _ if flags & HAS_SCALE != 0 => 2,
        _ if flags & HAS_TWO_SCALES != 0 => 4,
        _ if flags & HAS_MATRIX != 0 => 8,
        _ => 0,
    };
    at + 4 + arguments + transformation
}

/// A `cmap` with one subtable of format 12.
fn cmap(characters: &BTreeMap<u32, u16>, renumbered: &BTreeMap<u16, u16>) -> Outcome<Vec<u8>> {
    let mut groups: Vec<(u32, u32, u32)> = Vec::new();
    for (character, glyph) in characters {
        let glyph = u32::from(*renumbered.get(glyph).ok_or("a lost glyph")?);
        match groups.last_mut() {
            Some((first, last, start))
                if *last + 1 == *character && *start + (*character - *first) == glyph =>
            {
                *last = *character;
            }
            _ => groups.push((*character, *character, glyph)),
        }
    }
    let count = u32::try_from(groups.len())?;
    let mut table = Vec::new();
    table.extend([0u16, 1, 3, 10].iter().flat_map(|value| value.to_be_bytes()));
    table.extend(12u32.to_be_bytes());
    table.extend([12u16, 0].iter().flat_map(|value| value.to_be_bytes()));
    table.extend([16 + count * 12, 0, count].iter().flat_map(|value| value.to_be_bytes()));
    for (first, last, start) in groups {
        table.extend([first, last, start].iter().flat_map(|value| value.to_be_bytes()));
    }
    Ok(table)
}

/// A font file of tables; its checksums are left out, nobody here reads them.
fn assemble(tables: &[(&[u8; 4], Vec<u8>)]) -> Outcome<Vec<u8>> {
    let mut font = vec![0, 1, 0, 0];
    font.extend(u16::try_from(tables.len())?.to_be_bytes());
    font.extend([0; 6]);
    let mut start = 12 + tables.len() * 16;
    for (name, table) in tables {
        font.extend(*name);
        font.extend([0; 4]);
        font.extend(u32::try_from(start)?.to_be_bytes());
        font.extend(u32::try_from(table.len())?.to_be_bytes());
        start += table.len().next_multiple_of(4);
    }
    for (_, table) in tables {
        font.extend(table);
        font.resize(font.len().next_multiple_of(4), 0);
    }
    Ok(font)
}

fn be16(data: &[u8], at: usize) -> Outcome<u16> {
    let bytes = data.get(at..).and_then(<[u8]>::first_chunk).ok_or("short table")?;
    Ok(u16::from_be_bytes(*bytes))
}

fn be32(data: &[u8], at: usize) -> Outcome<u32> {
    let bytes = data.get(at..).and_then(<[u8]>::first_chunk).ok_or("short table")?;
    Ok(u32::from_be_bytes(*bytes))
}
