//! What the codec promises, tested from outside.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod loss;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod picture;
#[cfg(test)]
mod rough;
#[cfg(test)]
mod round_trip;
