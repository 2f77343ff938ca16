//! Rules of the screens as a whole.
