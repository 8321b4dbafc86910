//! What must hold of all rows together before any of them is in force.

use std::fmt;
use std::io;
use std::path::PathBuf;

use ieum_store::sensitive::SensitiveCodes;
use jiff::civil::Date;

use super::asked::{FAMILIES, Of, RULES, Shape};
use super::read::shape_of;
use super::row::{Row, Unit, Value};
use crate::labels;

/// Faults that are told; the others wait until these are gone.
const MOST_TOLD: usize = 20;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// The line on which the row begins; 0 where no row is to blame.
    pub line: usize,
    /// The row's id.
    pub id: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Fault {
    pub(super) fn new((file, line): (&str, usize), id: &str, problem: String, remedy: &str) -> Self {
        Self { file: file.to_owned(), line, id: id.to_owned(), problem, remedy: remedy.to_owned() }
    }

    fn of(row: &Row, problem: String, remedy: &str) -> Self {
        Self::new((&row.file, row.line), &row.id, problem, remedy)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, id, problem, remedy } = self;
        match line {
            0 => write!(formatter, "{file}: {id}: {problem}; {remedy}"),
            _ => write!(formatter, "{file}, line {line}: {id}: {problem}; {remedy}"),
        }
    }
}

/// Why tables are not taken.
#[derive(Debug, thiserror::Error)]
pub enum LawError {
    /// A file cannot be read.
    #[error("{path}: {error}; let the user who runs ieum read the directory of law and its files")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// More files than anybody needs.
    #[error("{path} holds more than {most} tables; is it the directory of law?")]
    TooMany {
        /// Which directory.
        path: PathBuf,
        /// How many are taken.
        most: usize,
    },
    /// A file beyond all measure.
    #[error("{path} is larger than {most} bytes; part it into several files")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// How large one may be.
        most: u64,
    },
    /// Rows are wrong.
    #[error("the tables of law are wrong:{}", told(.0))]
    Faults(Vec<Fault>),
}

fn told(faults: &[Fault]) -> String {
    let mut text: String = faults.iter().take(MOST_TOLD).map(|fault| format!("\n  {fault}")).collect();
    if faults.len() > MOST_TOLD {
        text += &format!("\n  and {} more", faults.len() - MOST_TOLD);
    }
    text
}

/// Rows that name the same id and first day twice.
pub(super) fn repeated(rows: &[Row], faults: &mut Vec<Fault>) {
    for (index, row) in rows.iter().enumerate() {
        if rows.iter().take(index).any(|other| other.id == row.id && other.valid_from == row.valid_from) {
            let problem = "the same id and first day stand twice".to_owned();
            faults.push(Fault::of(row, problem, "keep one of the two rows"));
        }
    }
}

/// Everything that must hold of all rows.
pub(super) fn all(rows: &[Row], faults: &mut Vec<Fault>) {
    for row in rows {
        if let Some((problem, remedy)) = misshapen(row) {
            faults.push(Fault::of(row, problem, remedy));
        }
    }
    overlaps(rows, faults);
    for rule in RULES {
        present(rows, rule.id, rule.since, faults);
        let unconfirmed = |row: &&Row| row.id == rule.id && !row.confidence.decides();
        for row in rows.iter().filter(unconfirmed).filter(|_| rule.decides) {
            let problem = "decisions rest on this row alone, and it is unconfirmed".to_owned();
            faults.push(Fault::of(row, problem, "confirm it, or leave the row out"));
        }
    }
    for family in FAMILIES {
        for member in family.required {
            present(rows, &format!("{}{member}", family.prefix), family.since, faults);
        }
    }
}

type Wrong = (String, &'static str);

/// Whether a value is what the code will ask the id for.
fn misshapen(row: &Row) -> Option<Wrong> {
    let Some((shape, member)) = shape_of(&row.id) else {
        return Some(("no part of the program asks for this id".to_owned(), "look for a slip in it"));
    };
    match (shape, &row.value) {
        (Shape::Number(wanted), Value::Number { unit, .. }) if wanted == *unit => None,
        (Shape::Number(wanted), _) => {
            Some((format!("the value must be a number of {}", unit_word(wanted)), "give value and unit so"))
        }
        (Shape::Holds, Value::Holds(_)) => None,
        (Shape::Holds, _) => Some(("the value must be true".to_owned(), "write `value = true`")),
        (Shape::Words(wanted), Value::Words(words)) => {
            let unknown = words.keys().find(|name| wanted.iter().all(|word| word.name != *name));
            if let Some(name) = unknown {
                return Some((format!("the word {name} is unknown here"), "look for a slip in its name"));
            }
            wanted.iter().find_map(|word| match words.get(word.name) {
                None if word.required => {
                    Some((format!("the word {} is missing", word.name), "add it to the value"))
                }
                None => None,
                Some(text) => bad_word(&word.of, text, member)
                    .map(|must| (format!("the word {} must be {must}", word.name), "write it so")),
            })
        }
        (Shape::Words(_), _) => {
            Some(("the value must be named words".to_owned(), "write them between braces"))
        }
    }
}

/// What a word must be, when it is not.
fn bad_word(of: &Of, text: &str, member: Option<&str>) -> Option<String> {
    match of {
        Of::Text => None,
        Of::These(allowed) => (!allowed.contains(&text)).then(|| format!("one of {}", allowed.join(", "))),
        Of::Age => {
            let is_age = RULES.iter().any(|rule| rule.id == text && rule.unit == Unit::Age && rule.decides);
            (!is_age).then(|| "the id of an age".to_owned())
        }
        Of::Member => {
            member.filter(|member| *member != text).map(|member| format!("the id's own end, {member}"))
        }
        Of::Labels => {
            let known = text.split(' ').all(|label| labels::of_act_code(label) != 0);
            (!known).then(|| "codes of labels that this hub knows, parted by single spaces".to_owned())
        }
        Of::Categories => SensitiveCodes::default().add("", text, true, 0).err().map(|_| {
            "categories of a classification such as `F20`, or `F00-F09`, parted by spaces".to_owned()
        }),
    }
}

const fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Age => "age",
        Unit::Years => "years",
        Unit::Months => "months",
        Unit::Days => "days",
        Unit::Hours => "hours",
        Unit::Minutes => "minutes",
        Unit::People => "people",
        Unit::Times => "times",
    }
}

/// The rows of an id, by their first days.
fn periods<'r>(rows: &'r [Row], id: &str) -> Vec<&'r Row> {
    let mut periods: Vec<&Row> = rows.iter().filter(|row| row.id == id).collect();
    periods.sort_by_key(|row| row.valid_from);
    periods
}

fn overlaps(rows: &[Row], faults: &mut Vec<Fault>) {
    let mut ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        for pair in periods(rows, id).windows(2) {
            let [earlier, later] = pair else { continue };
            if earlier.valid_to.is_none_or(|last| later.valid_from.is_none_or(|first| first <= last)) {
                let other = format!("{}, line {}", earlier.file, earlier.line);
                let problem = format!("its period overlaps with that of the row in {other}");
                let remedy = "repeat the earlier row with valid_to on the day before this one begins";
                faults.push(Fault::of(later, problem, remedy));
            }
        }
    }
}

/// Whether an id has a row for every day from `since` on; without one, for every day.
fn present(rows: &[Row], id: &str, since: Option<Date>, faults: &mut Vec<Fault>) {
    // The first day that has no row yet; `None` before all days.
    let mut open = since;
    for row in periods(rows, id) {
        let begins_in_time = match (row.valid_from, open) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(first), Some(open)) => first <= open,
        };
        if !begins_in_time {
            let before = open.map_or_else(|| "before it".to_owned(), |open| format!("on {open}"));
            let problem = format!("no row holds {before}, and one can be asked for");
            let remedy = "let the rows of an id follow one another without a gap";
            faults.push(Fault::of(row, problem, remedy));
            return;
        }
        let Some(last) = row.valid_to else { return };
        let after = last.tomorrow().ok();
        // A row that ended before anybody can ask leaves the question where it was.
        if open.is_none_or(|open| after.is_some_and(|after| after > open)) {
            open = after;
        }
    }
    let problem =
        open.map_or_else(|| "no row at all".to_owned(), |open| format!("no row holds from {open} on"));
    let remedy = "add a row that goes on, or leave valid_to of the last one out";
    faults.push(Fault::new(("the tables together", 0), id, problem, remedy));
}
