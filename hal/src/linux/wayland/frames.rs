//! Having a compositor copy its picture: by ext-image-copy-capture, or by wlr-screencopy.
//!
//! Both go the same way. We ask; the compositor tells what memory it wants; we share such memory;
//! it copies, at once or when something has changed, and tells. With the one, what memory is
//! wanted is told once and again when it changes, with the other for every picture.

use super::buffer::Buffer;
use super::desktop::Desktop;
use super::interfaces::{capture, screencopy, shm};
use super::wire::{Event, Id, Request};
use crate::{Error, Size};

/// What an event meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing to do.
    Nothing,
    /// Memory like this is wanted for the picture that was asked for.
    Wanted { size: Size, pitch: u32, format: u32 },
    /// The picture is in the memory, whole.
    Copied { is_flipped: bool },
    /// It cannot be copied now.
    Failed,
}

/// The protocol that a compositor offers.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    /// wlr-screencopy: the manager, and its version.
    Wlr { manager: Id, version: u32 },
    /// ext-image-copy-capture: the session of an output.
    Ext { session: Id },
}

/// A compositor's copies of its picture, one after the other.
#[derive(Debug)]
pub(super) struct Frames {
    protocol: Protocol,
    /// The picture that was asked for.
    frame: Option<Id>,
    /// Memory that is wanted, as far as told.
    wanted: Option<(Size, u32, u32)>,
    /// Whether that is all that will be told.
    is_wanted_whole: bool,
    /// Whether memory was given for the picture that was asked for.
    is_given: bool,
    is_flipped: bool,
}

impl Frames {
    /// Of the desktop's output.
    ///
    /// # Errors
    /// When the compositor offers no copies.
    pub(super) fn of(desktop: &mut Desktop) -> Result<Self, Error> {
        let protocol = match ext_session(desktop)? {
            Some(session) => Protocol::Ext { session },
            None => {
                let offered = desktop.bind(screencopy::NAME, screencopy::VERSION)?;
                let (manager, version) = offered.ok_or_else(|| {
                    Error::Unsupported(
                        "the Wayland compositor offers no copies of its picture \
                         (ext-image-copy-capture, wlr-screencopy)"
                            .to_owned(),
                    )
                })?;
                Protocol::Wlr { manager, version }
            }
        };
        Ok(Self {
            protocol,
            frame: None,
            wanted: None,
            is_wanted_whole: false,
            is_given: false,
            is_flipped: false,
        })
    }

    /// Whether a picture was asked for that has not come.
    pub(super) fn is_asked(&self) -> bool {
        self.frame.is_some()
    }

    /// Asks for a picture, to be copied by [`Frames::copy`] into the memory that is then wanted.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub(super) fn ask(&mut self, desktop: &mut Desktop) -> Result<Told, Error> {
        self.is_flipped = false;
        self.is_given = false;
        let frame = desktop.link.new_id();
        self.frame = Some(frame);
        match self.protocol {
            Protocol::Wlr { manager, .. } => {
                self.wanted = None;
                let request = Request::new(manager, screencopy::CAPTURE_OUTPUT).uint(frame);
                // With the cursor in the picture.
                desktop.link.send(request.int(1).uint(desktop.output.id))?;
                Ok(Told::Nothing)
            }
            Protocol::Ext { session } => {
                let request = Request::new(session, capture::SESSION_CREATE_FRAME).uint(frame);
                desktop.link.send(request)?;
                Ok(if self.is_wanted_whole { self.wanted() } else { Told::Nothing })
            }
        }
    }

    /// Gives the memory for the picture that was asked for. With `only_changed`, it is copied when
    /// it is another one than the last.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub(super) fn copy(
        &mut self,
        desktop: &mut Desktop,
        buffer: &Buffer,
        only_changed: bool,
    ) -> Result<(), Error> {
        let Some(frame) = self.frame else { return Ok(()) };
        self.is_given = true;
        match self.protocol {
            Protocol::Wlr { version, .. } => {
                let opcode = match only_changed && version > 1 {
                    true => screencopy::FRAME_COPY_WITH_DAMAGE,
                    false => screencopy::FRAME_COPY,
                };
                desktop.link.send(Request::new(frame, opcode).uint(buffer.id))
            }
            Protocol::Ext { .. } => {
                let Size { width, height } = buffer.size;
                let link = &desktop.link;
                link.send(Request::new(frame, capture::FRAME_ATTACH_BUFFER).uint(buffer.id))?;
                let whole = Request::new(frame, capture::FRAME_DAMAGE_BUFFER).int(0).int(0);
                link.send(whole.side(width).side(height))?;
                link.send(Request::new(frame, capture::FRAME_CAPTURE))
            }
        }
    }

    /// Takes an event.
    ///
    /// # Errors
    /// When the compositor is gone, or ends the copies.
    pub(super) fn handle(&mut self, desktop: &mut Desktop, event: &Event) -> Result<Told, Error> {
        match self.protocol {
            Protocol::Wlr { version, .. } if Some(event.object) == self.frame => {
                self.handle_wlr(desktop, event, version)
            }
            Protocol::Ext { session } if event.object == session => self.handle_session(event),
            Protocol::Ext { .. } if Some(event.object) == self.frame => match event.opcode {
                capture::FRAME_READY => self.end(desktop, Told::Copied { is_flipped: false }),
                capture::FRAME_FAILED => self.end(desktop, Told::Failed),
                _ => Ok(Told::Nothing),
            },
            _ => Ok(Told::Nothing),
        }
    }

    fn handle_wlr(
        &mut self,
        desktop: &mut Desktop,
        event: &Event,
        version: u32,
    ) -> Result<Told, Error> {
        let mut arguments = event.arguments();
        match event.opcode {
            screencopy::FRAME_BUFFER => {
                let format = arguments.uint();
                let size = Size::new(arguments.uint(), arguments.uint());
                self.wanted = Some((size, arguments.uint(), format));
                Ok(if version < screencopy::VERSION { self.wanted() } else { Told::Nothing })
            }
            screencopy::FRAME_BUFFER_DONE => match self.wanted {
                Some(_) => Ok(self.wanted()),
                None => self.end(desktop, Told::Failed),
            },
            screencopy::FRAME_FLAGS => {
                self.is_flipped = arguments.uint() & screencopy::FLAG_Y_INVERT != 0;
                Ok(Told::Nothing)
            }
            screencopy::FRAME_READY => {
                self.end(desktop, Told::Copied { is_flipped: self.is_flipped })
            }
            screencopy::FRAME_FAILED => self.end(desktop, Told::Failed),
            _ => Ok(Told::Nothing),
        }
    }

    /// What a session tells of the memory that it wants: a size, formats, and that this was all.
    fn handle_session(&mut self, event: &Event) -> Result<Told, Error> {
        if std::mem::take(&mut self.is_wanted_whole) {
            self.wanted = None;
        }
        let mut arguments = event.arguments();
        let (mut size, _, mut format) = self.wanted.unwrap_or_default();
        match event.opcode {
            capture::SESSION_BUFFER_SIZE => size = Size::new(arguments.uint(), arguments.uint()),
            capture::SESSION_SHM_FORMAT => {
                let told = arguments.uint();
                // Of several the usual one; "no format" would be ARGB, which is as good.
                if told == shm::XRGB8888 || format == shm::ARGB8888 {
                    format = told;
                }
            }
            capture::SESSION_DONE => {
                self.is_wanted_whole = true;
                return Ok(self.wanted());
            }
            capture::SESSION_STOPPED => {
                return Err(Error::Gone("the Wayland compositor's output".to_owned()));
            }
            _ => {}
        }
        self.wanted = Some((size, size.width.saturating_mul(4), format));
        Ok(Told::Nothing)
    }

    fn wanted(&self) -> Told {
        match self.wanted {
            Some((size, pitch, format)) if self.frame.is_some() && !self.is_given => {
                Told::Wanted { size, pitch, format }
            }
            _ => Told::Nothing,
        }
    }

    /// The picture that was asked for has become something.
    fn end(&mut self, desktop: &mut Desktop, told: Told) -> Result<Told, Error> {
        if let Some(frame) = self.frame.take() {
            let destroy = match self.protocol {
                Protocol::Wlr { .. } => screencopy::FRAME_DESTROY,
                Protocol::Ext { .. } => capture::FRAME_DESTROY,
            };
            desktop.link.send(Request::new(frame, destroy))?;
        }
        Ok(told)
    }
}

/// A session of ext-image-copy-capture, if the compositor offers that.
fn ext_session(desktop: &mut Desktop) -> Result<Option<Id>, Error> {
    if !(desktop.offers(capture::NAME) && desktop.offers(capture::SOURCES_NAME)) {
        return Ok(None);
    }
    let sources = desktop.bind(capture::SOURCES_NAME, capture::VERSION)?;
    let manager = desktop.bind(capture::NAME, capture::VERSION)?;
    let Some(((sources, _), (manager, _))) = sources.zip(manager) else { return Ok(None) };
    let (source, session) = (desktop.link.new_id(), desktop.link.new_id());
    let output = desktop.output.id;
    let request = Request::new(sources, capture::CREATE_SOURCE).uint(source).uint(output);
    desktop.link.send(request)?;
    let request = Request::new(manager, capture::CREATE_SESSION).uint(session).uint(source);
    desktop.link.send(request.uint(capture::PAINT_CURSORS))?;
    Ok(Some(session))
}
