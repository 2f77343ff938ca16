//! The machine: screens, input devices and the panel.
