//! Texts and ids as the tables hold them.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use sha2::{Digest, Sha256};

use super::numbers::Known;
use crate::commit::StoreError;

/// A public id as stored: a lower-case UUID as 16 bytes, anything else as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum StoredId {
    Uuid([u8; 16]),
    Text(String),
}

impl StoredId {
    pub(super) fn new(id: &str) -> Self {
        parse_uuid(id).map_or_else(|| Self::Text(id.to_owned()), Self::Uuid)
    }
}

impl ToSql for StoredId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Uuid(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

impl From<StoredId> for Value {
    fn from(id: StoredId) -> Self {
        match id {
            StoredId::Uuid(bytes) => Self::Blob(bytes.to_vec()),
            StoredId::Text(text) => Self::Text(text),
        }
    }
}

/// A stored id as people write it.
pub(super) fn id_text(stored: ValueRef<'_>) -> Result<String, StoreError> {
    let damaged = || StoreError::Damaged("an id".into());
    match stored {
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).map_err(|_| damaged()),
        ValueRef::Blob(bytes) if bytes.len() == 16 => Ok(format_uuid(bytes)),
        _ => Err(damaged()),
    }
}

const DASHES: [usize; 4] = [8, 13, 18, 23];

fn parse_uuid(id: &str) -> Option<[u8; 16]> {
    let text = id.as_bytes();
    if text.len() != 36 || DASHES.iter().any(|&place| text[place] != b'-') {
        return None;
    }
    let mut bytes = [0; 16];
    let mut digits = text.iter().enumerate().filter(|(place, _)| !DASHES.contains(place));
    for byte in &mut bytes {
        for _ in 0..2 {
            let digit = match digits.next()?.1 {
                digit @ b'0'..=b'9' => digit - b'0',
                digit @ b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *byte = *byte << 4 | digit;
        }
    }
    Some(bytes)
}

fn format_uuid(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for byte in bytes {
        if DASHES.contains(&text.len()) {
            text.push('-');
        }
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// A number that spreads texts evenly in the dictionary's index. Two texts may share it: the text itself decides.
fn spread(text: &str) -> i64 {
    let digest = Sha256::digest(text.as_bytes());
    let (head, _) = digest.split_first_chunk::<8>().expect("a digest has 32 bytes");
    i64::from_le_bytes(*head)
}

/// The number of a text, if it has one.
pub(super) fn dict_find(connection: &Connection, text: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM dict WHERE hash = ?1 AND text = ?2")?;
    Ok(statement.query_row(params![spread(text), text], |row| row.get(0)).optional()?)
}

/// The writer's dictionary: gives numbers to new texts.
#[derive(Debug, Default)]
pub(super) struct Dict {
    known: Known<String>,
}

impl Dict {
    /// The number of a text, a new one when it is new.
    pub(super) fn number(&mut self, connection: &Connection, text: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.known.get(text) {
            return Ok(id);
        }
        let id = match dict_find(connection, text)? {
            Some(id) => id,
            None => {
                let mut insert =
                    connection.prepare_cached("INSERT INTO dict (hash, text) VALUES (?1, ?2)")?;
                insert.insert(params![spread(text), text])?
            }
        };
        self.known.remember(text.to_owned(), id);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_written() {
        for id in
            ["0194f3c2-0000-7000-8000-0123456789ab", "p1", "0194F3C2-0000-7000-8000-0123456789AB", "0194f3c2"]
        {
            let stored = StoredId::new(id);
            let ToSqlOutput::Borrowed(value) = stored.to_sql().unwrap() else { panic!("always borrowed") };
            assert_eq!(id_text(value).unwrap(), id);
        }
        assert!(matches!(StoredId::new("0194f3c2-0000-7000-8000-0123456789ab"), StoredId::Uuid(_)));
        assert!(matches!(StoredId::new("0194F3C2-0000-7000-8000-0123456789AB"), StoredId::Text(_)));
    }

    #[test]
    fn texts_that_share_a_hash_are_not_the_same() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE dict (id INTEGER PRIMARY KEY, hash INTEGER, text TEXT)")
            .unwrap();
        for (id, text) in [(1, "a"), (2, "b"), (3, "c")] {
            // As if all of them had the hash of the second.
            connection
                .execute("INSERT INTO dict VALUES (?1, ?2, ?3)", params![id, spread("b"), text])
                .unwrap();
        }
        assert_eq!(dict_find(&connection, "b").unwrap(), Some(2));
        assert_eq!(dict_find(&connection, "a").unwrap(), None);
    }
}
