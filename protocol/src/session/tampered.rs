//! Signs that somebody is in between.

/// Somebody on the way changed or invented a packet, or a member speaks against the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("packets were changed on the way: {0}")]
pub struct Tampered(pub &'static str);
