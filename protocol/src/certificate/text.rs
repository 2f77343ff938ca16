//! Bytes as hexadecimal digits, for files and command lines.

/// A text that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a key or certificate in hexadecimal digits, or not in its only valid form")]
pub struct InvalidText;

/// Two small digits for each byte.
pub fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The bytes of such a text; space around it does not count.
///
/// # Errors
/// [`InvalidText`]
pub fn from_hex(text: &str) -> Result<Vec<u8>, InvalidText> {
    let digits = text.trim().as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(InvalidText);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    digits.chunks(2).map(|pair| byte(pair).ok_or(InvalidText)).collect()
}
