//! Copying from and to memory that others write, in the widest loads that the machine has.
//!
//! Video memory is often *write-combined*: not cached, so that every load is a transaction of
//! its own, as slow for one byte as for a whole line. Loads are therefore aligned and as wide as
//! can be, and all of a line follow each other. x86-64 has a load made for it (`MOVNTDQA`, from
//! SSE4.1 on: it fetches a line once for its four loads), arm64 one of 64 bytes (`LD1` of four
//! registers). Without them volatile loads of 16 bytes, or of a word, do the same more slowly.
//! On ordinary memory all of them are ordinary copies.
//!
//! # Source
//! Intel SDM volume 1, 12.10.3 "Streaming Load Hint Instruction".

#[cfg(target_arch = "x86_64")]
type Wide = core::arch::x86_64::__m128i;
#[cfg(target_arch = "aarch64")]
type Wide = core::arch::aarch64::uint8x16_t;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Wide = usize;

const WIDE: usize = size_of::<Wide>();

/// Bytes that are loaded together: a line of every cache that matters.
const LINE: usize = 64;

/// Copies from memory that others write. Every byte is loaded once.
///
/// # Safety
/// `from..from + len` must be readable, `into..into + len` writable and exclusively owned.
pub(super) unsafe fn load(from: *const u8, into: *mut u8, len: usize) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.1") {
        // SAFETY: as this function's; the processor has the instructions.
        unsafe { load_by(from, into, len, |from, into| streaming_line(from, into)) };
        return;
    }
    // SAFETY: as this function's.
    unsafe { load_by(from, into, len, |from, into| plain_line(from, into)) };
}

/// Copies with `line` for every whole line: up to the first one and after the last in the widest
/// loads that are aligned.
///
/// # Safety
/// As [`load`]. `line` is called with a source aligned to [`LINE`], and must copy as many bytes.
#[inline(always)]
unsafe fn load_by(
    mut from: *const u8,
    mut into: *mut u8,
    len: usize,
    line: impl Fn(*const u8, *mut u8),
) {
    let mut left = len;
    let head = from.align_offset(LINE).min(len);
    // SAFETY: what is stepped over is at most `left`, which is what is left of the caller's
    // ranges; a line is copied only where a whole one is left.
    unsafe {
        while left > len - head {
            let step = load_step(from, into, left - (len - head));
            (from, into, left) = (from.add(step), into.add(step), left - step);
        }
        while left >= LINE {
            line(from, into);
            (from, into, left) = (from.add(LINE), into.add(LINE), left - LINE);
        }
        while left > 0 {
            let step = load_step(from, into, left);
            (from, into, left) = (from.add(step), into.add(step), left - step);
        }
    }
}

/// Copies 8, 4 or 1 bytes, as many as `from` is aligned for and `left` allows; how many.
///
/// # Safety
/// `left` must not be 0; as many bytes must be readable and writable.
unsafe fn load_step(from: *const u8, into: *mut u8, left: usize) -> usize {
    // SAFETY: checked before each: alignment of the source, and that so many bytes are left.
    unsafe {
        if left >= 8 && from.cast::<u64>().is_aligned() {
            into.cast::<u64>().write_unaligned(from.cast::<u64>().read_volatile());
            8
        } else if left >= 4 && from.cast::<u32>().is_aligned() {
            into.cast::<u32>().write_unaligned(from.cast::<u32>().read_volatile());
            4
        } else {
            into.write(from.read_volatile());
            1
        }
    }
}

/// Copies a line without any special instruction.
///
/// # Safety
/// `from` must be aligned to [`LINE`]; both must be valid for as many bytes.
#[cfg(not(target_arch = "aarch64"))]
#[inline(always)]
unsafe fn plain_line(from: *const u8, into: *mut u8) {
    let (from, into) = (from.cast::<Wide>(), into.cast::<Wide>());
    // SAFETY: LINE / WIDE values of WIDE bytes are one line.
    unsafe {
        for index in 0..LINE / WIDE {
            into.add(index).write_unaligned(from.add(index).read_volatile());
        }
    }
}

/// Copies a line by one load of four registers.
///
/// # Safety
/// `from` must be aligned to [`LINE`]; both must be valid for as many bytes.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
unsafe fn plain_line(from: *const u8, into: *mut u8) {
    // SAFETY: reads 64 bytes at `from` and writes as many at `into`; touches four vector
    // registers and nothing else. As assembly, because memory that others write must not be
    // loaded by an ordinary intrinsic.
    unsafe {
        core::arch::asm!(
            "ld1 {{v0.16b, v1.16b, v2.16b, v3.16b}}, [{from}]",
            "st1 {{v0.16b, v1.16b, v2.16b, v3.16b}}, [{into}]",
            from = in(reg) from,
            into = in(reg) into,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            options(nostack, preserves_flags),
        );
    }
}

/// Copies a line by streaming loads, all before the first store.
///
/// # Safety
/// The processor must have SSE4.1; `from` must be aligned to [`LINE`]; both must be valid for as
/// many bytes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn streaming_line(from: *const u8, into: *mut u8) {
    // SAFETY: reads 64 bytes at `from`, which is aligned as MOVNTDQA demands, and writes as many
    // at `into`, unaligned. As assembly, because memory that others write must not be loaded by
    // an ordinary intrinsic, and so that nothing gets between the four loads.
    unsafe {
        core::arch::asm!(
            "movntdqa {a}, [{from}]",
            "movntdqa {b}, [{from} + 16]",
            "movntdqa {c}, [{from} + 32]",
            "movntdqa {d}, [{from} + 48]",
            "movdqu [{into}], {a}",
            "movdqu [{into} + 16], {b}",
            "movdqu [{into} + 32], {c}",
            "movdqu [{into} + 48], {d}",
            from = in(reg) from,
            into = in(reg) into,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// Copies into memory that others read: bytes up to an aligned address, wide stores, bytes for
/// the rest.
///
/// # Safety
/// `from..from + len` must be readable and owned, `into..into + len` writable.
pub(super) unsafe fn store(from: *const u8, into: *mut u8, len: usize) {
    let head = into.align_offset(WIDE).min(len);
    let wide = (len - head) / WIDE;
    // SAFETY: all offsets are below `len`; the wide stores start at an address aligned for them,
    // the loads from ordinary memory need no alignment.
    unsafe {
        for index in 0..head {
            into.add(index).write_volatile(*from.add(index));
        }
        for index in 0..wide {
            let at = head + index * WIDE;
            let value = from.add(at).cast::<Wide>().read_unaligned();
            into.add(at).cast::<Wide>().write_volatile(value);
        }
        for index in head + wide * WIDE..len {
            into.add(index).write_volatile(*from.add(index));
        }
    }
}

/// Sets every fourth byte: the one of each pixel that is neither blue, green nor red.
///
/// Bytes after the last whole pixel are left as they are. Written for vector registers, because
/// it touches the whole picture in every pass, and a compiler that is told to save space makes
/// single stores of it.
pub(crate) fn make_opaque(pixels: &mut [u8]) {
    let (lines, rest) = pixels.as_chunks_mut::<LINE>();
    for line in lines {
        opaque_line(line);
    }
    for pixel in rest.as_chunks_mut::<4>().0 {
        pixel[3] = 0xff;
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn opaque_line(line: &mut [u8; LINE]) {
    use core::arch::x86_64::{_mm_loadu_si128, _mm_or_si128, _mm_set1_epi32, _mm_storeu_si128};
    const FOURTH: i32 = 0xff00_0000_u32.cast_signed();
    // SAFETY: SSE2 is part of x86-64; loads and stores need no alignment and stay within the
    // line, which is exclusively borrowed.
    unsafe {
        let fourth = _mm_set1_epi32(FOURTH);
        let line = line.as_mut_ptr().cast::<Wide>();
        for index in 0..LINE / WIDE {
            let pixels = _mm_or_si128(_mm_loadu_si128(line.add(index)), fourth);
            _mm_storeu_si128(line.add(index), pixels);
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn opaque_line(line: &mut [u8; LINE]) {
    const FOURTH: u64 = 0xff00_0000_ff00_0000;
    for pair in line.as_chunks_mut::<8>().0 {
        *pair = (u64::from_le_bytes(*pair) | FOURTH).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies `len` bytes from `offset` of a source with `copy`, and checks what is around them.
    fn check(source: &[u8], offset: usize, len: usize, copy: impl Fn(*const u8, *mut u8, usize)) {
        let mut out = vec![0xAA; len + 2];
        let from = &source[offset..offset + len];
        copy(from.as_ptr(), out[1..].as_mut_ptr(), len);
        assert_eq!(&out[1..=len], from, "{len} bytes from {offset}");
        assert_eq!((out[0], out[len + 1]), (0xAA, 0xAA), "beside {len} bytes from {offset}");
    }

    fn every_place(copy: impl Fn(*const u8, *mut u8, usize)) {
        let source: Vec<u8> = (0..500).map(|n: u32| (n * 7 + n / 256) as u8).collect();
        for offset in 0..LINE + 3 {
            for len in (0..20).chain(55..75).chain(120..140).chain([333]) {
                check(&source, offset, len, &copy);
            }
        }
    }

    #[test]
    fn what_is_chosen_copies_every_length_at_every_alignment() {
        // SAFETY: `check` passes pointers to as many bytes as it says.
        every_place(|from, into, len| unsafe { load(from, into, len) });
    }

    #[test]
    fn the_plain_way_copies_the_same() {
        // SAFETY: as above, and `load_by` calls with whole aligned lines.
        every_place(|from, into, len| unsafe {
            load_by(from, into, len, |from, into| plain_line(from, into));
        });
    }

    #[test]
    fn every_fourth_byte_is_set_and_no_other() {
        for len in (0..9).chain(60..72).chain([1000]) {
            let before: Vec<u8> = (0..len).map(|n: usize| (n * 5) as u8).collect();
            let mut pixels = before.clone();
            make_opaque(&mut pixels);
            let is_fourth = |at: usize| at % 4 == 3;
            for (at, (before, after)) in before.iter().zip(&pixels).enumerate() {
                assert_eq!(*after, if is_fourth(at) { 0xff } else { *before }, "{at} of {len}");
            }
        }
    }
}
