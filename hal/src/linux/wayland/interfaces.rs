//! The numbers of the requests and events that are used, by the interface that they are of.
//!
//! # Source
//! The protocols' own files: `wayland.xml`, `xdg-shell.xml`, `wlr-layer-shell-unstable-v1.xml`,
//! `wlr-screencopy-unstable-v1.xml`, `ext-image-capture-source-v1.xml`,
//! `ext-image-copy-capture-v1.xml`.

pub(super) mod display {
    pub(crate) const ID: u32 = 1;
    pub(crate) const SYNC: u16 = 0;
    pub(crate) const GET_REGISTRY: u16 = 1;
    pub(crate) const ERROR: u16 = 0;
    pub(crate) const DELETE_ID: u16 = 1;
}

pub(super) mod registry {
    pub(crate) const BIND: u16 = 0;
    pub(crate) const GLOBAL: u16 = 0;
    pub(crate) const GLOBAL_REMOVE: u16 = 1;
}

pub(super) mod callback {
    pub(crate) const DONE: u16 = 0;
}

pub(super) mod compositor {
    pub(crate) const NAME: &str = "wl_compositor";
    /// The first that counts damage and scale of buffers.
    pub(crate) const VERSION: u32 = 4;
    pub(crate) const CREATE_SURFACE: u16 = 0;
    pub(crate) const CREATE_REGION: u16 = 1;
    pub(crate) const REGION_DESTROY: u16 = 0;
}

pub(super) mod shm {
    pub(crate) const NAME: &str = "wl_shm";
    pub(crate) const VERSION: u32 = 1;
    pub(crate) const CREATE_POOL: u16 = 0;
    pub(crate) const POOL_CREATE_BUFFER: u16 = 0;
    pub(crate) const POOL_DESTROY: u16 = 1;
    pub(crate) const BUFFER_DESTROY: u16 = 0;
    /// Formats are DRM's but for two, the usual ones.
    pub(crate) const ARGB8888: u32 = 0;
    pub(crate) const XRGB8888: u32 = 1;
}

pub(super) mod surface {
    pub(crate) const DESTROY: u16 = 0;
    pub(crate) const ATTACH: u16 = 1;
    pub(crate) const FRAME: u16 = 3;
    pub(crate) const SET_INPUT_REGION: u16 = 5;
    pub(crate) const COMMIT: u16 = 6;
    pub(crate) const SET_BUFFER_SCALE: u16 = 8;
    pub(crate) const DAMAGE_BUFFER: u16 = 9;
}

pub(super) mod seat {
    pub(crate) const NAME: &str = "wl_seat";
    pub(crate) const VERSION: u32 = 1;
    pub(crate) const GET_POINTER: u16 = 0;
    pub(crate) const CAPABILITIES: u16 = 0;
    pub(crate) const CAPABILITY_POINTER: u32 = 1;
    pub(crate) const POINTER_SET_CURSOR: u16 = 0;
    pub(crate) const POINTER_ENTER: u16 = 0;
}

pub(super) mod output {
    pub(crate) const NAME: &str = "wl_output";
    /// The first that tells its name, as of DRM's connector.
    pub(crate) const VERSION: u32 = 4;
    pub(crate) const GEOMETRY: u16 = 0;
    pub(crate) const MODE: u16 = 1;
    pub(crate) const SCALE: u16 = 3;
    pub(crate) const NAMED: u16 = 4;
    pub(crate) const MODE_CURRENT: u32 = 1;
}

pub(super) mod xdg {
    pub(crate) const NAME: &str = "xdg_wm_base";
    pub(crate) const VERSION: u32 = 1;
    pub(crate) const GET_XDG_SURFACE: u16 = 2;
    pub(crate) const PONG: u16 = 3;
    pub(crate) const PING: u16 = 0;
    pub(crate) const SURFACE_DESTROY: u16 = 0;
    pub(crate) const SURFACE_GET_TOPLEVEL: u16 = 1;
    pub(crate) const SURFACE_ACK_CONFIGURE: u16 = 4;
    pub(crate) const SURFACE_CONFIGURE: u16 = 0;
    pub(crate) const TOPLEVEL_DESTROY: u16 = 0;
    pub(crate) const TOPLEVEL_SET_TITLE: u16 = 2;
    pub(crate) const TOPLEVEL_SET_APP_ID: u16 = 3;
    pub(crate) const TOPLEVEL_SET_FULLSCREEN: u16 = 11;
    pub(crate) const TOPLEVEL_CLOSE: u16 = 1;
}

pub(super) mod layer {
    pub(crate) const NAME: &str = "zwlr_layer_shell_v1";
    pub(crate) const VERSION: u32 = 1;
    pub(crate) const GET_LAYER_SURFACE: u16 = 0;
    /// Above everything, full-screen windows too.
    pub(crate) const OVERLAY: u32 = 3;
    pub(crate) const SET_SIZE: u16 = 0;
    pub(crate) const SET_ANCHOR: u16 = 1;
    pub(crate) const SET_EXCLUSIVE_ZONE: u16 = 2;
    pub(crate) const SET_MARGIN: u16 = 3;
    pub(crate) const ACK_CONFIGURE: u16 = 6;
    pub(crate) const DESTROY: u16 = 7;
    pub(crate) const CONFIGURE: u16 = 0;
    pub(crate) const CLOSED: u16 = 1;
    pub(crate) const TOP: u32 = 1;
    pub(crate) const LEFT: u32 = 4;
    /// Do not make way for anything else's zone.
    pub(crate) const WHOLE_OUTPUT: i32 = -1;
}

pub(super) mod screencopy {
    pub(crate) const NAME: &str = "zwlr_screencopy_manager_v1";
    /// The first that says when it has told all kinds of buffers.
    pub(crate) const VERSION: u32 = 3;
    pub(crate) const CAPTURE_OUTPUT: u16 = 0;
    pub(crate) const FRAME_COPY: u16 = 0;
    pub(crate) const FRAME_DESTROY: u16 = 1;
    pub(crate) const FRAME_COPY_WITH_DAMAGE: u16 = 2;
    pub(crate) const FRAME_BUFFER: u16 = 0;
    pub(crate) const FRAME_FLAGS: u16 = 1;
    pub(crate) const FRAME_READY: u16 = 2;
    pub(crate) const FRAME_FAILED: u16 = 3;
    pub(crate) const FRAME_BUFFER_DONE: u16 = 6;
    pub(crate) const FLAG_Y_INVERT: u32 = 1;
}

pub(super) mod capture {
    pub(crate) const SOURCES_NAME: &str = "ext_output_image_capture_source_manager_v1";
    pub(crate) const NAME: &str = "ext_image_copy_capture_manager_v1";
    pub(crate) const VERSION: u32 = 1;
    pub(crate) const CREATE_SOURCE: u16 = 0;
    pub(crate) const CREATE_SESSION: u16 = 0;
    pub(crate) const PAINT_CURSORS: u32 = 1;
    pub(crate) const SESSION_CREATE_FRAME: u16 = 0;
    pub(crate) const SESSION_BUFFER_SIZE: u16 = 0;
    pub(crate) const SESSION_SHM_FORMAT: u16 = 1;
    pub(crate) const SESSION_DONE: u16 = 4;
    pub(crate) const SESSION_STOPPED: u16 = 5;
    pub(crate) const FRAME_DESTROY: u16 = 0;
    pub(crate) const FRAME_ATTACH_BUFFER: u16 = 1;
    pub(crate) const FRAME_DAMAGE_BUFFER: u16 = 2;
    pub(crate) const FRAME_CAPTURE: u16 = 3;
    pub(crate) const FRAME_READY: u16 = 3;
    pub(crate) const FRAME_FAILED: u16 = 4;
}
