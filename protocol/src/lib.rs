//! Packets, messages, handshake, keys and session state machines of Lotse; no I/O.
