//! The terms of texts (`_text`, `_content`), in two full-text tables of SQLite.
//!
//! A term is kept as the number of its text in `dict`, so that what counts as a term is decided by `ieum-fhir` alone and
//! not by a tokenizer of SQLite.

use ieum_fhir::index::FullText;
use ieum_fhir::search::TextPlace;
use rusqlite::{Connection, params};

use super::dict::{Dict, dict_find};
use crate::commit::StoreError;

/// The tables.
pub(super) const TABLES: [&str; 2] = ["narrative", "content"];

/// The table of a text.
pub(super) fn table(place: TextPlace) -> &'static str {
    match place {
        TextPlace::Narrative => "narrative",
        TextPlace::Content => "content",
    }
}

/// Adds the terms of a record that has none there.
pub(super) fn insert(
    connection: &Connection,
    dict: &mut Dict,
    rid: i64,
    text: &FullText,
) -> Result<(), StoreError> {
    for (place, terms) in [(TextPlace::Narrative, &text.narrative), (TextPlace::Content, &text.content)] {
        if terms.is_empty() {
            continue;
        }
        let mut line = String::with_capacity(terms.len() * 7);
        for term in terms {
            line.push_str(&dict.number(connection, term)?.to_string());
            line.push(' ');
        }
        let sql = format!("INSERT INTO {} (rowid, terms) VALUES (?1, ?2)", table(place));
        connection.prepare_cached(&sql)?.execute(params![rid, line])?;
    }
    Ok(())
}

/// Removes the terms of a record.
pub(super) fn delete(connection: &Connection, rid: i64) -> Result<(), StoreError> {
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE rowid = ?1");
        connection.prepare_cached(&sql)?.execute(params![rid])?;
    }
    Ok(())
}

/// The question for all of these terms, as FTS5 reads it; `None` when one of them was never seen.
pub(super) fn question(connection: &Connection, terms: &[String]) -> Result<Option<String>, StoreError> {
    let mut numbers = Vec::with_capacity(terms.len());
    for term in terms {
        match dict_find(connection, term)? {
            Some(number) => numbers.push(number.to_string()),
            None => return Ok(None),
        }
    }
    Ok(Some(numbers.join(" AND ")))
}
