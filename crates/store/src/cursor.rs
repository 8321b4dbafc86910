//! Places in a result as opaque tokens that only this database can make.
//!
//! A token is bound to the question and to the caller: used with another question or by someone else it is refused.
//! Sort values in it may be patient data, so it must not be logged.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::engine::{Position, SortValue};

/// The secret that signs tokens.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page token was not made for this question, this caller or this server")]
pub struct BadCursor;

const SIGNATURE: usize = 16;

impl CursorKey {
    /// A key.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Makes the token of a place in the answer to `question` (anything that tells questions and callers apart).
    #[must_use]
    pub fn seal(&self, position: &Position, question: &[u8]) -> String {
        let mut bytes = encode(position);
        let signature = self.mac(&bytes, question).finalize().into_bytes();
        bytes.extend_from_slice(&signature[..SIGNATURE]);
        to_text(&bytes)
    }

    /// A name for something that nobody can make who does not have the key: 32 hexadecimal digits.
    #[must_use]
    pub fn name(&self, of: &[u8]) -> String {
        // Tokens have a payload.
        let mac = self.mac(b"", of).finalize().into_bytes();
        mac[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a token back.
    ///
    /// # Errors
    /// [`BadCursor`] when the token was not made by this key for this question.
    pub fn open(&self, token: &str, question: &[u8]) -> Result<Position, BadCursor> {
        let bytes = from_text(token).ok_or(BadCursor)?;
        let (payload, signature) =
            bytes.split_at_checked(bytes.len().wrapping_sub(SIGNATURE)).ok_or(BadCursor)?;
        self.mac(payload, question).verify_truncated_left(signature).map_err(|_| BadCursor)?;
        decode(payload).ok_or(BadCursor)
    }

    /// HMAC-SHA-256 of question and payload, shortened to 128 bits.
    fn mac(&self, payload: &[u8], question: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&(question.len() as u64).to_le_bytes());
        mac.update(question);
        mac.update(payload);
        mac
    }
}

fn encode(position: &Position) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&position.as_of.to_le_bytes());
    out.extend_from_slice(&position.last.to_le_bytes());
    for key in &position.keys {
        let (tag, bytes) = match key {
            None => (0, Vec::new()),
            Some(SortValue::Int(value)) => (1, value.to_le_bytes().to_vec()),
            Some(SortValue::Text(text)) => (2, text.as_bytes().to_vec()),
            Some(SortValue::Bytes(bytes)) => (3, bytes.clone()),
        };
        out.push(tag);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&bytes);
    }
    out
}

fn decode(bytes: &[u8]) -> Option<Position> {
    let (as_of, rest) = bytes.split_first_chunk::<8>()?;
    let (last, mut rest) = rest.split_first_chunk::<8>()?;
    let mut keys = Vec::new();
    while let Some((tag, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk::<4>()?;
        let (value, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        keys.push(match tag {
            0 => None,
            1 => Some(SortValue::Int(i64::from_le_bytes(value.try_into().ok()?))),
            2 => Some(SortValue::Text(String::from_utf8(value.to_vec()).ok()?)),
            3 => Some(SortValue::Bytes(value.to_vec())),
            _ => return None,
        });
        rest = after;
    }
    Some(Position { as_of: u64::from_le_bytes(*as_of), keys, last: i64::from_le_bytes(*last) })
}

/// Hexadecimal: tokens go into URLs, and nothing in them needs escaping.
fn to_text(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

fn from_text(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        let keys = vec![
            None,
            Some(SortValue::Int(-5)),
            Some(SortValue::Text("김".into())),
            Some(SortValue::Bytes(vec![0, 255])),
        ];
        Position { as_of: 7, keys, last: -3 }
    }

    #[test]
    fn tokens_come_back() {
        let key = CursorKey::new([7; 32]);
        let token = key.seal(&position(), b"question");
        assert_eq!(key.open(&token, b"question"), Ok(position()));
    }

    #[test]
    fn other_questions_keys_and_bytes_are_refused() {
        let key = CursorKey::new([7; 32]);
        let token = key.seal(&position(), b"question");
        assert_eq!(key.open(&token, b"questiom"), Err(BadCursor));
        assert_eq!(CursorKey::new([8; 32]).open(&token, b"question"), Err(BadCursor));
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            assert_eq!(
                key.open(&String::from_utf8(changed).unwrap(), b"question"),
                Err(BadCursor),
                "byte {index}"
            );
        }
        for text in ["", "0", "zz", "00", "김김"] {
            assert_eq!(key.open(text, b"question"), Err(BadCursor));
        }
    }
}
