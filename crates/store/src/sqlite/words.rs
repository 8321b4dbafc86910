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
    write(connection, dict, rid, text, |table| format!("INSERT INTO {table} (rowid, terms) VALUES (?1, ?2)"))
}

/// Removes the terms of a record, which must be those it was added with.
pub(super) fn delete(
    connection: &Connection,
    dict: &mut Dict,
    rid: i64,
    text: &FullText,
) -> Result<(), StoreError> {
    write(connection, dict, rid, text, |table| {
        format!("INSERT INTO {table} ({table}, rowid, terms) VALUES ('delete', ?1, ?2)")
    })
}

fn write(
    connection: &Connection,
    dict: &mut Dict,
    rid: i64,
    text: &FullText,
    statement: fn(&str) -> String,
) -> Result<(), StoreError> {
    for (table, terms) in TABLES.into_iter().zip([&text.narrative, &text.content]) {
        if !terms.is_empty() {
            let line = line(connection, dict, terms)?;
            connection.prepare_cached(&statement(table))?.execute(params![rid, line])?;
        }
    }
    Ok(())
}

/// Terms as the tokenizer reads them.
fn line(connection: &Connection, dict: &mut Dict, terms: &[String]) -> Result<String, StoreError> {
    let mut line = String::with_capacity(terms.len() * 7);
    for term in terms {
        line.push_str(&dict.number(connection, term)?.to_string());
        line.push(' ');
    }
    Ok(line)
}

/// Whether a record is found by all its terms.
pub(super) fn are_stored(connection: &Connection, rid: i64, text: &FullText) -> Result<bool, StoreError> {
    for (table, terms) in TABLES.into_iter().zip([&text.narrative, &text.content]) {
        // A question has a bounded length.
        for some in terms.chunks(100) {
            let Some(question) = question(connection, some)? else { return Ok(false) };
            let sql = format!("SELECT 1 FROM {table} WHERE {table} MATCH ?1 AND rowid = ?2");
            if !connection.prepare_cached(&sql)?.exists(params![question, rid])? {
                return Ok(false);
            }
        }
    }
    Ok(true)
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
