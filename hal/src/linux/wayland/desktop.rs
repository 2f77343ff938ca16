//! A compositor, what it offers, and the output that is looked at.

use std::path::{Path, PathBuf};

use super::find;
use super::interfaces::{compositor, display, output, registry, shm};
use super::link::{Link, Trust};
use super::wire::{Event, Id, Request};
use crate::{Error, Orientation, Size};

/// Interfaces that a compositor may offer; none that exists offers so many.
const MAX_GLOBALS: usize = 512;

/// Longest name that is believed, in bytes.
const MAX_NAME: usize = 64;

/// Something that a compositor offers.
#[derive(Debug, Clone)]
struct Global {
    name: u32,
    interface: String,
    version: u32,
}

/// An output of a compositor, as it told.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    pub(super) id: Id,
    /// As of DRM's connector; empty if it does not tell.
    pub(super) name: String,
    /// The mode's size, as the display was made.
    pub(super) native: Size,
    /// Pixels of the display for one of a window's, to each side.
    pub(super) scale: u32,
    /// Of the display, as it was made; zero if that is not known.
    pub(super) millimetres: Size,
    /// `wl_output.transform`.
    transform: i32,
}

/// A compositor of this machine, and the output that is looked at: its first.
#[derive(Debug)]
pub(super) struct Desktop {
    pub(super) link: Link,
    globals: Vec<Global>,
    pub(super) compositor: Id,
    pub(super) shm: Id,
    pub(super) output: Output,
}

impl Output {
    /// What the compositor does to what is in its windows before the display gets it.
    pub(super) fn turn(&self) -> Orientation {
        turn(self.transform)
    }

    /// The size of a window that covers it, in pixels of the display.
    pub(super) fn size(&self) -> Size {
        self.turn().inverse().size(self.native)
    }

    fn handle(&mut self, event: &Event) {
        let mut arguments = event.arguments();
        match event.opcode {
            output::GEOMETRY => {
                let (_x, _y) = (arguments.int(), arguments.int());
                self.millimetres = Size::new(arguments.uint(), arguments.uint());
                let _subpixel = arguments.int();
                arguments.string();
                arguments.string();
                self.transform = arguments.int();
            }
            output::MODE if arguments.uint() & output::MODE_CURRENT != 0 => {
                let (width, height) = (arguments.int(), arguments.int());
                let side = |side| u32::try_from(side).unwrap_or_default();
                self.native = Size::new(side(width), side(height));
            }
            output::SCALE => self.scale = u32::try_from(arguments.int()).unwrap_or(1).max(1),
            output::NAMED => {
                let name = arguments.string();
                if name.len() <= MAX_NAME {
                    name.clone_into(&mut self.name);
                }
            }
            _ => {}
        }
    }
}

/// What a `wl_output.transform` does to a window's picture.
fn turn(transform: i32) -> Orientation {
    // Mirrored first, then by quarters against the clock.
    let mirror = if transform & 4 == 0 { Orientation::UPRIGHT } else { Orientation::MIRROR_X };
    let turn = match transform & 3 {
        0 => Orientation::UPRIGHT,
        1 => Orientation::THREE_QUARTERS,
        2 => Orientation::HALF,
        _ => Orientation::QUARTER,
    };
    mirror.then(turn)
}

impl Desktop {
    /// Connects to a socket that was named, or to the first compositor that may be believed.
    ///
    /// # Errors
    /// The first reason why not.
    pub(super) fn open(socket: Option<&Path>) -> Result<Self, Error> {
        let found: Vec<(PathBuf, Trust)> = match socket {
            Some(socket) => vec![(socket.to_owned(), Trust::Folder)],
            None => find::sockets().into_iter().map(|path| (path, Trust::Screen)).collect(),
        };
        let mut first = None;
        for (path, trust) in found {
            match Link::connect(&path, trust).and_then(Self::over) {
                Ok(desktop) => return Ok(desktop),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first
            .unwrap_or_else(|| Error::Unsupported("no Wayland compositor is running".to_owned())))
    }

    /// Asks a compositor for what it has.
    ///
    /// # Errors
    /// When it does not answer, or lacks what every one has.
    pub(super) fn over(mut link: Link) -> Result<Self, Error> {
        let list = link.new_id();
        link.send(Request::new(display::ID, display::GET_REGISTRY).uint(list))?;
        let mut globals = Vec::new();
        link.settle(&mut |_, event| {
            if (event.object, event.opcode) != (list, registry::GLOBAL) {
                return;
            }
            let mut arguments = event.arguments();
            let (name, interface) = (arguments.uint(), arguments.string().to_owned());
            if globals.len() < MAX_GLOBALS && interface.len() <= MAX_NAME {
                globals.push(Global { name, interface, version: arguments.uint() });
            }
        })?;
        let mut desktop = Self {
            link,
            globals,
            compositor: 0,
            shm: 0,
            output: Output { scale: 1, ..Output::default() },
        };
        desktop.compositor = desktop.need(list, compositor::NAME, compositor::VERSION)?;
        desktop.shm = desktop.need(list, shm::NAME, shm::VERSION)?;
        let mut output = Output { scale: 1, ..Output::default() };
        output.id = desktop.need(list, output::NAME, output::VERSION)?;
        desktop.link.settle(&mut |_, event| {
            if event.object == output.id {
                output.handle(&event);
            }
        })?;
        if !output.native.is_plausible() {
            return Err(Error::Unsupported("the Wayland compositor shows nothing".to_owned()));
        }
        desktop.output = output;
        Ok(desktop)
    }

    /// Something that must be offered.
    fn need(&mut self, registry: Id, interface: &str, version: u32) -> Result<Id, Error> {
        self.bind_from(registry, interface, version)?.map(|(id, _)| id).ok_or_else(|| {
            Error::Unsupported(format!("the Wayland compositor offers no {interface}"))
        })
    }

    /// Something that may be offered: its number, and the version that both know.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub(super) fn bind(
        &mut self,
        interface: &str,
        version: u32,
    ) -> Result<Option<(Id, u32)>, Error> {
        // The registry was the first object that was made.
        self.bind_from(display::ID + 1, interface, version)
    }

    fn bind_from(
        &mut self,
        registry: Id,
        interface: &str,
        version: u32,
    ) -> Result<Option<(Id, u32)>, Error> {
        let Some(global) = self.globals.iter().find(|global| global.interface == interface) else {
            return Ok(None);
        };
        let (name, version) = (global.name, version.min(global.version));
        let id = self.link.new_id();
        let request = Request::new(registry, registry::BIND).uint(name).string(interface);
        self.link.send(request.uint(version).uint(id))?;
        Ok(Some((id, version)))
    }

    /// Whether it offers something.
    pub(super) fn offers(&self, interface: &str) -> bool {
        self.globals.iter().any(|global| global.interface == interface)
    }

    /// Follows what the compositor tells of the output; whether the event was of that.
    pub(super) fn handle(&mut self, event: &Event) -> bool {
        if event.object == display::ID + 1 && event.opcode == registry::GLOBAL_REMOVE {
            let gone = event.arguments().uint();
            self.globals.retain(|global| global.name != gone);
            return true;
        }
        if event.object != self.output.id {
            return false;
        }
        self.output.handle(event);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_turns_against_the_clock_are_none() {
        for mirror in [0, 4] {
            let quarter = turn(1);
            assert_eq!(turn(mirror).then(quarter), turn(mirror + 1));
            assert_eq!(turn(mirror).then(quarter).then(quarter), turn(mirror + 2));
            assert_eq!(turn(mirror + 3).then(quarter), turn(mirror));
        }
        assert_eq!(turn(0), Orientation::UPRIGHT);
    }
}
