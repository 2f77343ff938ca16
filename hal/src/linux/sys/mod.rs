//! The only unsafe code of the project: device memory and the system calls no crate offers.
//!
//! Everything that leaves this module is safe to call with any argument: lengths are checked
//! against what was mapped, and no reference is ever formed to memory that another process or
//! the hardware writes.
#![expect(unsafe_code, reason = "mappings and ioctls need it; nothing else in the project does")]

mod buffers;
mod copy;
mod input;
mod map;
mod terminal;

pub(crate) use buffers::{
    DmaAccess, adopt_descriptor, dma_buf_sync, frame_buffer_palette, frame_buffer_unblank,
};
pub(crate) use copy::make_opaque;
pub(crate) use input::{
    AbsoluteAxis, DeviceId, KeymapEntry, UinputBit, device_slots, keymap_entry, set_keymap_entry,
    uinput_absolute, uinput_bit, uinput_create, uinput_sysname,
};
pub(crate) use map::Mapping;
pub(crate) use terminal::{
    TerminalMode, activate_terminal, free_terminal, release_terminal, set_terminal_mode,
    set_window_size, terminal_mode, terminals,
};
