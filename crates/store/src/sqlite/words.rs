//! The terms of texts (`_text`, `_content`), in two full-text tables of SQLite.
//!
//! A term is kept as the number of its text in `dict`, so that what counts as a term is decided by `ieum-fhir` alone and
//! not by a tokenizer of SQLite.

use std::hash::{DefaultHasher, Hash, Hasher};

use ieum_fhir::index::FullText;
use ieum_fhir::search::TextPlace;
use rusqlite::{Connection, params};

use super::dict::{Dict, dict_find};
use super::numbers::Known;
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

/// Which terms find which records, as a sum for each of [`TABLES`]: equal sets have equal sums. Asking for each record
/// would take as long for every one of them as its most frequent term has records.
#[derive(Debug, Default)]
pub(super) struct Sums {
    sums: [u64; 2],
    known: Known<String>,
}

impl Sums {
    /// Adds what a record is to be found by; false when one of its terms is not even listed.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        rid: i64,
        text: &FullText,
    ) -> Result<bool, StoreError> {
        for (sum, terms) in self.sums.iter_mut().zip([&text.narrative, &text.content]) {
            for term in terms {
                let number = match self.known.get(term.as_str()) {
                    Some(number) => number,
                    None => {
                        let Some(number) = dict_find(connection, term)? else { return Ok(false) };
                        self.known.remember(term.clone(), number);
                        number
                    }
                };
                *sum = sum.wrapping_add(mixed(rid, number));
            }
        }
        Ok(true)
    }

    /// The tables that find other records than these, or by other terms.
    pub(super) fn differing(&self, connection: &Connection) -> Result<Vec<&'static str>, StoreError> {
        let mut differing = Vec::new();
        for (table, expected) in TABLES.into_iter().zip(self.sums) {
            let list = format!(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.{table}_terms USING fts5vocab(main, {table}, instance)"
            );
            connection.execute_batch(&list)?;
            let mut statement = connection.prepare(&format!("SELECT term, doc FROM temp.{table}_terms"))?;
            let mut rows = statement.query([])?;
            let mut found = 0_u64;
            while let Some(row) = rows.next()? {
                // What is no number is no term of ours, and counts for something else.
                let number = row.get_ref(0)?.as_str().ok().and_then(|term| term.parse().ok()).unwrap_or(-1);
                found = found.wrapping_add(mixed(row.get(1)?, number));
            }
            if found != expected {
                differing.push(table);
            }
        }
        Ok(differing)
    }
}

/// A record and a term as one number, spread evenly.
fn mixed(rid: i64, term: i64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (rid, term).hash(&mut hasher);
    hasher.finish()
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
