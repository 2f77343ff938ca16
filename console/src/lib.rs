//! The moderator's desktop program and command line.
