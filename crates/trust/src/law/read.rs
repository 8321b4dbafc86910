//! From files to rows.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::asked::{FACTS, FAMILIES, RULES, Shape};
use super::check::{Fault, LawError};
use super::row::{Confidence, Row, Unit, Value};

/// Files that a directory may hold.
const MOST_FILES: usize = 64;
/// The largest file.
const MOST_BYTES: u64 = 1 << 20;
/// The longest text of a row, in bytes.
const MOST_TEXT: usize = 2_000;

/// The files of a directory whose names end in `.toml`, by name, with their text.
pub(super) fn directory(directory: &Path) -> Result<Vec<(String, String)>, LawError> {
    let failed = |path: &Path, error| LawError::Io { path: path.to_owned(), error };
    let entries = std::fs::read_dir(directory).map_err(|error| failed(directory, error))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
        if paths.len() > MOST_FILES {
            return Err(LawError::TooMany { path: directory.to_owned(), most: MOST_FILES });
        }
    }
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let mut text = String::new();
        let file = File::open(&path).map_err(|error| failed(&path, error))?;
        file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| failed(&path, error))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(LawError::TooLarge { path, most: MOST_BYTES });
        }
        files.push((path.display().to_string(), text));
    }
    Ok(files)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    row: Vec<Spanned<RawRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    id: String,
    law: String,
    article: String,
    value: toml::Value,
    unit: Option<Unit>,
    valid_from: Option<Datetime>,
    valid_to: Option<Datetime>,
    source_ko: String,
    source_en: String,
    confidence: Confidence,
}

/// The rows of a file; what is wrong with it goes to the faults.
pub(super) fn rows(file: &str, text: &str, faults: &mut Vec<Fault>) -> Vec<Row> {
    let raw: Raw = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let problem = format!("cannot be read: {}", error.message());
            faults.push(Fault::new((file, line), "", problem, "write it as the rows in docs/law.md are"));
            return Vec::new();
        }
    };
    let mut rows = Vec::with_capacity(raw.row.len());
    for raw in raw.row {
        let line = line_of(text, raw.span().start);
        let raw = raw.into_inner();
        let id = raw.id.clone();
        match row(raw, file, line) {
            Ok(row) => rows.push(row),
            Err((problem, remedy)) => faults.push(Fault::new((file, line), &id, problem, remedy)),
        }
    }
    rows
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

/// What is wrong with a row, and what to do.
type Wrong = (String, &'static str);

fn row(raw: RawRow, file: &str, line: usize) -> Result<Row, Wrong> {
    for (name, text) in [
        ("id", &raw.id),
        ("law", &raw.law),
        ("article", &raw.article),
        ("source_ko", &raw.source_ko),
        ("source_en", &raw.source_en),
    ] {
        if text.trim().is_empty() || text.len() > MOST_TEXT {
            return Err((
                format!("{name} is empty or too long"),
                "give every row its law, article and sense",
            ));
        }
    }
    let (valid_from, valid_to) = (day("valid_from", raw.valid_from)?, day("valid_to", raw.valid_to)?);
    if valid_from.zip(valid_to).is_some_and(|(first, last)| last < first) {
        return Err(("ends before it begins".to_owned(), "valid_to is the last day on which the row holds"));
    }
    Ok(Row {
        value: value(raw.value, raw.unit)?,
        id: raw.id,
        law: raw.law,
        article: raw.article,
        valid_from,
        valid_to,
        source_ko: raw.source_ko,
        source_en: raw.source_en,
        confidence: raw.confidence,
        file: file.to_owned(),
        line,
    })
}

fn day(name: &str, given: Option<Datetime>) -> Result<Option<Date>, Wrong> {
    let Some(given) = given else { return Ok(None) };
    let wrong = || (format!("{name} is not a day"), "write a day without quotes: 2026-09-11");
    match given {
        Datetime { date: Some(date), time: None, offset: None } => {
            let (year, month, day) =
                (date.year.cast_signed(), date.month.cast_signed(), date.day.cast_signed());
            Date::new(year, month, day).map(Some).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}

fn value(value: toml::Value, unit: Option<Unit>) -> Result<Value, Wrong> {
    match (value, unit) {
        (toml::Value::Integer(number), Some(unit)) => {
            let number = u32::try_from(number).ok().filter(|number| (1..=1_000_000).contains(number));
            let wrong =
                || ("the number is too small or too large".to_owned(), "give a number from 1 to 1000000");
            Ok(Value::Number { number: number.ok_or_else(wrong)?, unit })
        }
        (toml::Value::Boolean(true), None) => Ok(Value::Holds(true)),
        (toml::Value::Table(table), None) => {
            let word = |(name, value): (String, toml::Value)| match value {
                toml::Value::String(text) if !text.trim().is_empty() && text.len() <= MOST_TEXT => {
                    Ok((name, text))
                }
                _ => Err((format!("the word {name} is no text"), "write it between quotes")),
            };
            Ok(Value::Words(table.into_iter().map(word).collect::<Result<_, _>>()?))
        }
        (toml::Value::Boolean(false), _) => {
            Err(("a rule that does not hold".to_owned(), "end the row with valid_to instead"))
        }
        _ => Err((
            "the value has no known form".to_owned(),
            "give a number with a unit, true, or named words between braces",
        )),
    }
}

/// What an id gives; nothing for one that the code does not know.
pub(super) fn shape_of(id: &str) -> Option<(Shape, Option<&str>)> {
    if let Some(rule) = RULES.iter().find(|rule| rule.id == id) {
        return Some((Shape::Number(rule.unit), None));
    }
    if FACTS.contains(&id) {
        return Some((Shape::Holds, None));
    }
    FAMILIES.iter().find_map(|family| family.member(id).map(|member| (family.shape, Some(member))))
}
