//! What this program tells the person who started it.

use std::io::{self, Write};

/// A step that takes a while, on standard error: standard output is for results.
pub(crate) fn step(what: &str) {
    // Nobody reading is no reason to stop.
    let _ = writeln!(io::stderr(), "· {what}");
}

/// A line of the result, on standard output.
pub(crate) fn result(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
