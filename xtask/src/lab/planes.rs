//! What the kernel's virtual card shows, which no screen of QEMU's does: its planes are read one by one, by the kernel's own
//! list of them, and put together. That the result is what the card scans out, its check sum tells.

use std::time::Duration;

use anyhow::Result;

use super::guest::Guest;
use super::picture::Picture;

/// Where the picture is written in the guest.
const FILE: &str = "/tmp/planes.ppm";

/// Puts all planes of the first card together. A plane's later ones lie above it; all are of 32 bits and opaque.
const READER: &str = r#"
import fcntl, mmap, os, re, struct, sys
DROP_MASTER, SET_CLIENT_CAP, GEM_CLOSE = 0x641f, 0x4010640d, 0x40086409
HANDLE_TO_FD, GETFB2 = 0xc00c642d, 0xc06864ce
card = os.open("/dev/dri/card0", os.O_RDWR | os.O_CLOEXEC)
try:
    fcntl.ioctl(card, DROP_MASTER)
except OSError:
    pass
fcntl.ioctl(card, SET_CLIENT_CAP, struct.pack("QQ", 2, 1))
picture = None
with open("/sys/kernel/debug/dri/0/state") as state:
    planes = state.read().split("\ncrtc[")[0].split("plane[")[1:]
for plane in planes:
    frame_buffer = int(re.search(r"\tfb=(\d+)", plane)[1])
    if frame_buffer == 0:
        continue
    place = re.search(r"crtc-pos=(\d+)x(\d+)\+(\d+)\+(\d+)", plane)
    width, height, left, top = map(int, place.groups())
    source = re.search(r"src-pos=[\d.]+x[\d.]+\+(\d+)\.\d+\+(\d+)", plane)
    x, y = map(int, source.groups())
    found = bytearray(struct.pack("I", frame_buffer) + bytes(100))
    fcntl.ioctl(card, GETFB2, found)
    handle, pitch = struct.unpack_from("I", found, 20)[0], struct.unpack_from("I", found, 36)[0]
    exported = bytearray(struct.pack("IIi", handle, os.O_RDWR | os.O_CLOEXEC, -1))
    fcntl.ioctl(card, HANDLE_TO_FD, exported)
    memory = struct.unpack_from("i", exported, 8)[0]
    with mmap.mmap(memory, pitch * (y + height), prot=mmap.PROT_READ) as pixels:
        if picture is None:
            size, picture = (width, height), bytearray(width * height * 4)
        for row in range(height):
            to, start = ((top + row) * size[0] + left) * 4, (y + row) * pitch + x * 4
            picture[to : to + width * 4] = pixels[start : start + width * 4]
    os.close(memory)
    fcntl.ioctl(card, GEM_CLOSE, struct.pack("II", handle, 0))
colours = bytearray(size[0] * size[1] * 3)
for channel in range(3):
    colours[channel::3] = picture[2 - channel :: 4]
with open(sys.argv[1], "wb") as out:
    out.write(b"P6\n%d %d\n255\n" % size + colours)
"#;

/// All planes put together.
///
/// # Errors
/// When the card is not there, or its planes change each time while they are read.
pub(super) fn all(guest: &mut Guest) -> Result<Picture> {
    const SCRIPT: &str = "/tmp/planes.py";
    guest.put(SCRIPT, READER)?;
    let command = format!("python3 {SCRIPT} {FILE}");
    // A plane may go away between two calls.
    if guest.sh(&command).is_err() {
        std::thread::sleep(Duration::from_millis(100));
        guest.sh(&command)?;
    }
    Picture::from_ppm(&guest.get(FILE)?)
}
