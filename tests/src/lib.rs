//! Whole-system scenarios: see `tests/system`, which runs the real programs against each other.
