//! The panel on a Wayland compositor: a surface of the overlay layer, or a full-screen window.
//!
//! A compositor with layers (`wlr-layer-shell`) keeps the overlay above everything, and shows
//! parts of the panel, too: the sign of a session. On one without, the newest full-screen window
//! covers the others (cage, weston's kiosk shell), which is enough for a question, but not for a
//! sign: the kiosk's application would lose the keyboard. Whether the panel is seen is read from
//! the screen. Nothing that the compositor says is an answer; it is not even asked for input, but
//! for taking its cursor off our picture.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::desktop::Desktop;
use super::interfaces::{compositor, layer, seat, shm, surface, xdg};
use super::link::PATIENCE;
use super::wire::{Event, Id, Request};
use crate::linux::mounting::Mounting;
use crate::linux::panel::{Painted, is_seen};
use crate::linux::pixel_format::{BGRX_BYTES, PixelFormat};
use crate::{Error, Orientation, Paint, Panel, Rect, Size};

/// Rows that are painted at once.
const STRIP_ROWS: u32 = 16;

/// How long the compositor may take to begin to show what was painted, and to bring that to the
/// screen. Nobody waits for it but where the panel is not seen; a busy machine that draws without a
/// graphics processor takes more than a second.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// What our surfaces are called, where a compositor's configuration wants to know.
const NAME: &str = "lotse";

/// A panel on a compositor of this machine.
#[derive(Debug)]
pub(crate) struct WaylandPanel {
    /// The compositor's socket; looked for if `None`.
    socket: Option<PathBuf>,
    mounting: Mounting,
    /// It shows a mark, which takes no input and may have any shape.
    is_mark: bool,
    shown: Option<Shown>,
    /// Whether something was above it when it was last looked at.
    is_covered: bool,
}

/// What a surface is to the compositor.
#[derive(Debug, Clone, Copy)]
enum Role {
    /// In the overlay layer.
    Layer { layer: Id },
    /// A full-screen window.
    Window { xdg: Id, toplevel: Id },
}

/// What is shown now.
#[derive(Debug)]
pub(super) struct Shown {
    desktop: Desktop,
    /// In pixels of the panel, upright.
    area: Rect,
    /// What makes the window's picture upright.
    orientation: Orientation,
    surface: Id,
    role: Role,
    /// What tells windows that we must be alive.
    shell: Option<Id>,
    seat: Option<Id>,
    pointer: Option<Id>,
    buffer: Buffer,
    is_configured: bool,
    is_closed: bool,
    has_picture: bool,
    /// What tells that the compositor has begun to show what was painted last.
    frame: Option<Id>,
    /// From then on what was painted must be seen.
    settled_at: Instant,
}

/// What makes the picture in a compositor's window upright: it comes to the display as the
/// compositor turns it, and that is mounted somehow.
fn orientation(desktop: &Desktop, mounting: &Mounting) -> Orientation {
    desktop.output.turn().then(mounting.orientation())
}

impl WaylandPanel {
    /// A panel that shows nothing yet.
    pub(crate) fn new(socket: Option<PathBuf>, mounting: Mounting) -> Self {
        Self { socket, mounting, is_mark: false, shown: None, is_covered: false }
    }

    /// The same for a mark.
    pub(crate) fn mark(socket: Option<PathBuf>, mounting: Mounting) -> Self {
        Self { is_mark: true, ..Self::new(socket, mounting) }
    }

    fn begin(&self, area: Rect) -> Result<Shown, Error> {
        let desktop = Desktop::open(self.socket.as_deref())?;
        let mut shown = Shown::new(desktop, &self.mounting, area, self.is_mark)?;
        if self.is_mark {
            shown.let_input_through()?;
        }
        Ok(shown)
    }
}

impl Shown {
    /// A surface for a part of the panel, without a picture yet.
    pub(super) fn new(
        mut desktop: Desktop,
        mounting: &Mounting,
        area: Rect,
        is_mark: bool,
    ) -> Result<Self, Error> {
        let orientation = orientation(&desktop, mounting);
        let size = desktop.output.size();
        let whole = orientation.size(size).rect();
        let part = orientation.inverse().rect(area, orientation.size(size));
        let id = desktop.link.new_id();
        let request = Request::new(desktop.compositor, compositor::CREATE_SURFACE).uint(id);
        desktop.link.send(request)?;
        let (role, shell) = match desktop.bind(layer::NAME, layer::VERSION)? {
            Some((shell, _)) => (begin_layer(&mut desktop, shell, id, part)?, None),
            None if area == whole && !is_mark => begin_window(&mut desktop, id)?,
            None => {
                return Err(Error::Unsupported(
                    "a part of the panel cannot be shown above this Wayland compositor's windows, \
                     which has no layers"
                        .to_owned(),
                ));
            }
        };
        let scale = desktop.output.scale;
        desktop.link.send(Request::new(id, surface::SET_BUFFER_SCALE).side(scale))?;
        let seat = desktop.bind(seat::NAME, seat::VERSION)?.map(|(seat, _)| seat);
        // It says how large it may be before it takes a picture.
        desktop.link.send(Request::new(id, surface::COMMIT))?;
        let memory = Size::new(part.width, part.height);
        let pitch = part.width * BGRX_BYTES as u32;
        let shm = desktop.shm;
        let format = if is_mark { shm::ARGB8888 } else { shm::XRGB8888 };
        let buffer = Buffer::new(&mut desktop.link, shm, memory, pitch, format)?;
        let mut shown = Self {
            desktop,
            area,
            orientation,
            surface: id,
            role,
            shell,
            seat,
            pointer: None,
            buffer,
            is_configured: false,
            is_closed: false,
            has_picture: false,
            frame: None,
            settled_at: Instant::now(),
        };
        let deadline = Instant::now() + PATIENCE;
        while !shown.is_configured {
            let event = shown.desktop.link.wait_next(deadline)?;
            shown.handle(&event)?;
            shown.ensure_open()?;
        }
        Ok(shown)
    }
}

/// Puts a surface into the layer above everything.
fn begin_layer(desktop: &mut Desktop, shell: Id, id: Id, part: Rect) -> Result<Role, Error> {
    let scale = desktop.output.scale;
    let is_even = [part.x, part.y, part.width, part.height].iter().all(|side| side % scale == 0);
    if !is_even {
        return Err(Error::Unsupported(format!(
            "the Wayland compositor scales by {scale}, and {part:?} does not fit"
        )));
    }
    let layer = desktop.link.new_id();
    let request = Request::new(shell, layer::GET_LAYER_SURFACE).uint(layer).uint(id);
    let request = request.uint(desktop.output.id).uint(layer::OVERLAY).string(NAME);
    desktop.link.send(request)?;
    for request in [
        Request::new(layer, layer::SET_SIZE).uint(part.width / scale).uint(part.height / scale),
        Request::new(layer, layer::SET_ANCHOR).uint(layer::TOP | layer::LEFT),
        Request::new(layer, layer::SET_EXCLUSIVE_ZONE).int(layer::WHOLE_OUTPUT),
        margins(layer, scale, part),
    ] {
        desktop.link.send(request)?;
    }
    Ok(Role::Layer { layer })
}

/// Where a surface of a layer is.
fn margins(layer: Id, scale: u32, part: Rect) -> Request {
    // Top, right, bottom, left.
    let request = Request::new(layer, layer::SET_MARGIN).side(part.y / scale);
    request.int(0).int(0).side(part.x / scale)
}

/// Makes a surface a window that covers the output; and what tells windows that we must be alive.
fn begin_window(desktop: &mut Desktop, id: Id) -> Result<(Role, Option<Id>), Error> {
    let (shell, _) = desktop.bind(xdg::NAME, xdg::VERSION)?.ok_or_else(|| {
        Error::Unsupported("the Wayland compositor has neither layers nor windows".to_owned())
    })?;
    let (xdg, toplevel) = (desktop.link.new_id(), desktop.link.new_id());
    for request in [
        Request::new(shell, xdg::GET_XDG_SURFACE).uint(xdg).uint(id),
        Request::new(xdg, xdg::SURFACE_GET_TOPLEVEL).uint(toplevel),
        Request::new(toplevel, xdg::TOPLEVEL_SET_TITLE).string("Lotse"),
        Request::new(toplevel, xdg::TOPLEVEL_SET_APP_ID).string(NAME),
        Request::new(toplevel, xdg::TOPLEVEL_SET_FULLSCREEN).uint(desktop.output.id),
    ] {
        desktop.link.send(request)?;
    }
    Ok((Role::Window { xdg, toplevel }, Some(shell)))
}

impl Shown {
    /// Answers what the compositor tells.
    fn handle(&mut self, event: &Event) -> Result<(), Error> {
        if self.desktop.handle(event) {
            return Ok(());
        }
        if Some(event.object) == self.frame {
            self.frame = None;
            self.settled_at = Instant::now() + SETTLE_TIME;
            return Ok(());
        }
        let mut arguments = event.arguments();
        let answer = match (event.object, event.opcode, self.role) {
            (object, layer::CONFIGURE, Role::Layer { layer }) if object == layer => {
                self.is_configured = true;
                Request::new(layer, layer::ACK_CONFIGURE).uint(arguments.uint())
            }
            (object, xdg::SURFACE_CONFIGURE, Role::Window { xdg, .. }) if object == xdg => {
                self.is_configured = true;
                Request::new(xdg, xdg::SURFACE_ACK_CONFIGURE).uint(arguments.uint())
            }
            (object, xdg::PING, _) if Some(object) == self.shell => {
                Request::new(object, xdg::PONG).uint(arguments.uint())
            }
            (object, layer::CLOSED, Role::Layer { layer }) if object == layer => {
                self.is_closed = true;
                return Ok(());
            }
            (object, xdg::TOPLEVEL_CLOSE, Role::Window { toplevel, .. }) if object == toplevel => {
                self.is_closed = true;
                return Ok(());
            }
            (object, seat::CAPABILITIES, _)
                if Some(object) == self.seat
                    && self.pointer.is_none()
                    && arguments.uint() & seat::CAPABILITY_POINTER != 0 =>
            {
                let pointer = self.desktop.link.new_id();
                self.pointer = Some(pointer);
                Request::new(object, seat::GET_POINTER).uint(pointer)
            }
            (object, seat::POINTER_ENTER, _) if Some(object) == self.pointer => {
                // No cursor above our picture, where it would be in the way of reading it back.
                let serial = arguments.uint();
                Request::new(object, seat::POINTER_SET_CURSOR).uint(serial).uint(0).int(0).int(0)
            }
            _ => return Ok(()),
        };
        self.desktop.link.send(answer)
    }

    /// Nothing that is touched or clicked is for this surface.
    fn let_input_through(&mut self) -> Result<(), Error> {
        let region = self.desktop.link.new_id();
        for request in [
            Request::new(self.desktop.compositor, compositor::CREATE_REGION).uint(region),
            Request::new(self.surface, surface::SET_INPUT_REGION).uint(region),
            Request::new(region, compositor::REGION_DESTROY),
        ] {
            self.desktop.link.send(request)?;
        }
        Ok(())
    }

    /// Brings a mark to another place with its next picture; whether that is possible.
    fn move_to(&mut self, area: Rect) -> Result<bool, Error> {
        let size = self.size();
        let place = |area| self.orientation.inverse().rect(area, size);
        let (from, to, scale) = (place(self.area), place(area), self.desktop.output.scale);
        let Role::Layer { layer } = self.role else { return Ok(false) };
        let is_even = to.x % scale == 0 && to.y % scale == 0;
        if (from.width, from.height) != (to.width, to.height) || !is_even {
            return Ok(false);
        }
        if from != to {
            self.desktop.link.send(margins(layer, scale, to))?;
            self.area = area;
        }
        Ok(true)
    }

    fn ensure_open(&self) -> Result<(), Error> {
        match self.is_closed {
            true => Err(Error::Gone("the panel's place on the Wayland compositor".to_owned())),
            false => Ok(()),
        }
    }

    /// The panel's size, upright.
    fn size(&self) -> Size {
        self.orientation.size(self.desktop.output.size())
    }

    pub(super) fn paint(&mut self, painter: &dyn Paint) -> Result<(), Error> {
        let native = self.desktop.output.size();
        let part = self.orientation.inverse().rect(self.area, self.size());
        let mut painted = Painted::new(painter, self.orientation, native);
        let link = &mut self.desktop.link;
        let attach = Request::new(self.surface, surface::ATTACH).uint(self.buffer.id);
        link.send(attach.int(0).int(0))?;
        let mut y = 0;
        while y < part.height {
            let height = STRIP_ROWS.min(part.height - y);
            let strip = Rect { y: part.y + y, height, ..part };
            let offset = y as usize * self.buffer.pitch as usize;
            let is_new = self.buffer.write(offset, painted.native(strip))?;
            if is_new || !self.has_picture {
                let damage = Request::new(self.surface, surface::DAMAGE_BUFFER).int(0).side(y);
                link.send(damage.side(part.width).side(height))?;
            }
            y += height;
        }
        self.has_picture = true;
        let frame = link.new_id();
        link.send(Request::new(self.surface, surface::FRAME).uint(frame))?;
        link.send(Request::new(self.surface, surface::COMMIT))?;
        self.frame = Some(frame);
        self.settled_at = Instant::now() + SETTLE_TIME;
        // So that an error is heard now; twice, since a seat has to be asked for its pointer.
        let mut events = Vec::new();
        self.desktop.link.settle(&mut |_, event| events.push(event))?;
        events.iter().try_for_each(|event| self.handle(event))
    }

    fn take_events(&mut self) -> Result<(), Error> {
        while let Some(event) = self.desktop.link.next()? {
            self.handle(&event)?;
        }
        self.ensure_open()
    }

    /// Waits until the compositor shows what was painted last, or has had its time.
    fn wait_for_frame(&mut self) -> Result<(), Error> {
        self.take_events()?;
        while self.frame.is_some() && Instant::now() < self.settled_at {
            match self.desktop.link.next_until(self.settled_at)? {
                Some(event) => self.handle(&event)?,
                None => break,
            }
        }
        self.ensure_open()
    }

    /// Gives the surface back; its end is seen when all is done.
    fn end(mut self) -> Result<(), Error> {
        let link = &mut self.desktop.link;
        let requests = match self.role {
            Role::Layer { layer } => vec![Request::new(layer, layer::DESTROY)],
            Role::Window { xdg, toplevel } => vec![
                Request::new(toplevel, xdg::TOPLEVEL_DESTROY),
                Request::new(xdg, xdg::SURFACE_DESTROY),
            ],
        };
        requests.into_iter().try_for_each(|request| link.send(request))?;
        link.send(Request::new(self.surface, surface::DESTROY))?;
        link.settle(&mut |_, _| {})
    }
}

impl Panel for WaylandPanel {
    fn describe(&self) -> String {
        match &self.shown {
            Some(shown) => {
                let how = match shown.role {
                    Role::Layer { .. } => "overlay layer",
                    Role::Window { .. } => "full-screen window",
                };
                format!("wayland:{}, {how}", shown.desktop.link.path().display())
            }
            None => "wayland, above all windows".to_owned(),
        }
    }

    fn size(&mut self) -> Result<Size, Error> {
        if let Some(shown) = &mut self.shown {
            shown.take_events()?;
            return Ok(shown.size());
        }
        let desktop = Desktop::open(self.socket.as_deref())?;
        Ok(orientation(&desktop, &self.mounting).size(desktop.output.size()))
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let is_on_top = !std::mem::take(&mut self.is_covered);
        if let Some(shown) = &mut self.shown {
            let size = shown.size();
            let fits = shown.take_events().is_ok()
                && (shown.area == area || self.is_mark && shown.move_to(area)?)
                && shown.size() == size
                && matches!((is_on_top, shown.role), (true, _) | (_, Role::Layer { .. }));
            if !fits {
                // A window comes above the others by being a new one.
                self.hide().ok();
            }
        }
        if self.shown.is_none() {
            self.shown = Some(self.begin(area)?);
        }
        let Some(shown) = &mut self.shown else { return Ok(()) };
        let painted = shown.paint(painter);
        if painted.is_err() {
            self.shown = None;
        }
        painted
    }

    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        let Some(shown) = &mut self.shown else { return Ok(false) };
        shown.wait_for_frame()?;
        let deadline = shown.settled_at;
        // An output may have fewer colours than the window.
        let coarse = PixelFormat::from_fourcc(u32::from_le_bytes(*b"RG16"));
        let formats: Vec<_> = std::iter::once(PixelFormat::Bgrx).chain(coarse).collect();
        let size = shown.size();
        let seen = is_seen(&self.mounting, size, &formats, area, painter, deadline)?;
        self.is_covered = !seen;
        Ok(seen)
    }

    fn keep(&mut self) -> Result<(), Error> {
        self.shown.as_mut().map_or(Ok(()), Shown::take_events)
    }

    fn hide(&mut self) -> Result<(), Error> {
        self.is_covered = false;
        self.shown.take().map_or(Ok(()), Shown::end)
    }
}
