//! The program on the kiosk.
