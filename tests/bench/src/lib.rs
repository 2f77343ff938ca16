//! Frame sequences that can be made again bit for bit, for measuring how screens are sent.
//!
//! `cargo xtask bench` measures with them. Each [`Workload`] draws what people see on industrial
//! panels and kiosks, from a seed, without any assets; frame *n* comes from frame *n* − 1, as on
//! a real screen.
//!
//! ```
//! use lotse_bench::{Canvas, Workload};
//!
//! let typing = Workload::find("typing").ok_or("no such workload")?;
//! let mut canvas = Canvas::new(640, 400);
//! let mut scene = typing.scene(1);
//! for frame in 0..3 {
//!     scene.draw(&mut canvas, frame);
//! }
//! assert_eq!(canvas.pixels().len(), 640 * 400 * 4);
//! # Ok::<(), &str>(())
//! ```

mod canvas;
mod letters;
mod random;
mod workloads;

pub use canvas::Canvas;
pub use workloads::{Content, Scene, Workload};
