//! Pictures to bytes and back.
