//! Reaching a session server and keeping the link.
