//! The kinds of machine that the lab has: what shows the picture, and what a finger touches.

use std::fmt;

/// A kind of machine. Its name is the first part of a scenario's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Machine {
    /// DRM driver `virtio_gpu`: PRIME works, a picture is shown when it is flushed.
    Virtio,
    /// As virtio, but mounted with its left side up, as its connector says.
    Sideways,
    /// As virtio, with two displays, 1920×1080 and 1024×768.
    Twin,
    /// DRM driver `bochs-drm`: no PRIME, what is in the memory is shown at once.
    Bochs,
    /// No DRM: the firmware's mode behind `/dev/fb0`, 1024×768 with 4 bytes a pixel.
    Vesa,
    /// No DRM: the firmware's mode behind `/dev/fb0`, 800×600 with 16 bits a pixel (5-6-5).
    Vesa16,
    /// No DRM: the firmware's mode behind `/dev/fb0`, 1024×768 with 3 bytes a pixel, which Xorg can't use.
    Vesa24,
    /// No display of QEMU's: the kernel's virtual card, DRM driver `vkms`, built from its source.
    Vkms,
    /// No display at all: the kernel's `vfb` module serves as `/dev/fb0`, and nothing shows it.
    Vfb,
}

impl Machine {
    /// Every kind, in the order in which they are tried.
    pub(crate) const ALL: [Self; 9] = [
        Self::Virtio,
        Self::Sideways,
        Self::Twin,
        Self::Bochs,
        Self::Vesa,
        Self::Vesa16,
        Self::Vesa24,
        Self::Vkms,
        Self::Vfb,
    ];

    /// Those that have a screen, so that there is a ground truth and a panel to touch.
    pub(crate) const WITH_SCREEN: &[Self] =
        &[Self::Virtio, Self::Bochs, Self::Vesa, Self::Vesa16, Self::Vesa24];

    /// The three ways to a screen that differ in the agent: DRM with PRIME, DRM without, framebuffer.
    pub(crate) const TYPICAL: &[Self] = &[Self::Virtio, Self::Bochs, Self::Vesa];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Virtio => "virtio",
            Self::Sideways => "sideways",
            Self::Twin => "twin",
            Self::Bochs => "bochs",
            Self::Vesa => "vesa",
            Self::Vesa16 => "vesa16",
            Self::Vesa24 => "vesa24",
            Self::Vkms => "vkms",
            Self::Vfb => "vfb",
        }
    }

    /// The kind with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|machine| machine.name() == name)
    }

    /// Whether QEMU can tell what is shown.
    pub(crate) fn has_screendump(self) -> bool {
        !matches!(self, Self::Vkms | Self::Vfb)
    }

    /// QEMU's arguments for the display, keyboard and touch screen. One absolute pointer each: with two, QEMU sends an
    /// event to the one that it likes.
    pub(crate) fn devices(self) -> &'static [&'static str] {
        const USB: [&str; 4] = ["-device", "qemu-xhci", "-device", "usb-tablet"];
        match self {
            Self::Virtio | Self::Sideways => &[
                "-vga",
                "none",
                "-device",
                "virtio-gpu-pci",
                "-device",
                "virtio-keyboard-pci",
                "-device",
                "virtio-tablet-pci",
            ],
            Self::Twin => &[
                "-vga",
                "none",
                "-device",
                "virtio-gpu-pci,max_outputs=2,xres=1920,yres=1080",
                "-device",
                "virtio-keyboard-pci",
                "-device",
                "virtio-tablet-pci",
            ],
            Self::Bochs => {
                &["-vga", "none", "-device", "bochs-display", USB[0], USB[1], USB[2], USB[3]]
            }
            Self::Vesa | Self::Vesa16 | Self::Vesa24 => {
                &["-vga", "std", USB[0], USB[1], USB[2], USB[3]]
            }
            Self::Vkms | Self::Vfb => &["-vga", "none", USB[0], USB[1], USB[2], USB[3]],
        }
    }

    /// What this kind adds to the kernel's command line.
    pub(crate) fn kernel_arguments(self) -> &'static str {
        match self {
            Self::Virtio | Self::Bochs | Self::Vkms | Self::Vfb => "",
            // Forced: QEMU says of the second display that nothing is plugged in.
            Self::Twin => "video=Virtual-2:1024x768e",
            Self::Sideways => "video=Virtual-1:panel_orientation=left_side_up",
            // Modes 0x144 (QEMU's own number), 0x114 and 0x118 (those of VESA); the kernel wants 0x200 more.
            Self::Vesa => "nomodeset vga=0x344",
            Self::Vesa16 => "nomodeset vga=0x314",
            Self::Vesa24 => "nomodeset vga=0x318",
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
