//! Law as data: dated rows of ages, terms and bases, each with its article (`law/`, docs/law.md).
//!
//! The tables are part of the program; a directory can lay rows over them without a release. Every look-up takes the day
//! of the event in Korea, never "now": an event of last year is judged by last year's law.
//!
//! | file | what it holds |
//! |---|---|
//! | [`row`] | a row, and what a value can be |
//! | [`asked`] | what the code asks for: no table is taken that cannot answer it |
//! | `read`, `check` | files to rows, and what must hold of all rows together |
//! | [`day`] | days in Korea, birth dates as precise as they are known, ages, deadlines |
//! | [`may`], [`papers`] | what a representative may do for a patient, and what is shown for it |
//! | [`sensitive`] | codes that label records |
//! | [`kept`] | a change of what is in force is written down at start |

use std::path::Path;

use jiff::civil::Date;

pub mod asked;
mod check;
pub mod day;
pub mod kept;
pub mod may;
pub mod papers;
mod read;
pub mod row;
pub mod sensitive;

pub use check::{Fault, LawError};

use asked::{Family, Rule};
use row::Row;

/// The tables of the program, in the order in which people see them.
const BUILT_IN: [(&str, &str); 9] = [
    ("ages.toml", include_str!("../../../law/ages.toml")),
    ("representatives.toml", include_str!("../../../law/representatives.toml")),
    ("labels.toml", include_str!("../../../law/labels.toml")),
    ("access.toml", include_str!("../../../law/access.toml")),
    ("terms.toml", include_str!("../../../law/terms.toml")),
    ("transfer.toml", include_str!("../../../law/transfer.toml")),
    ("breach.toml", include_str!("../../../law/breach.toml")),
    ("telemedicine.toml", include_str!("../../../law/telemedicine.toml")),
    ("retention.toml", include_str!("../../../law/retention.toml")),
];

/// All rows. That every [`Rule`] and [`Family`] can be answered was proven when they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    rows: Vec<Row>,
}

impl Law {
    /// The tables of the program.
    ///
    /// # Panics
    /// Never: a test reads them.
    #[must_use]
    pub fn built_in() -> Self {
        Self::put_together(&[]).expect("the tables in the program are right: a test reads them")
    }

    /// The tables of the program with those of a directory laid over them: a row with the id and the first day of
    /// another takes its place, every other is added.
    ///
    /// # Errors
    /// [`LawError`] names every fault with its file, line and remedy; then nothing of the directory is in force.
    pub fn with_overlay(directory: &Path) -> Result<Self, LawError> {
        Self::put_together(&read::directory(directory)?)
    }

    fn put_together(overlays: &[(String, String)]) -> Result<Self, LawError> {
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        for (name, text) in BUILT_IN {
            rows.extend(read::rows(name, text, &mut faults));
        }
        check::repeated(&rows, &mut faults);
        let mut laid: Vec<Row> = Vec::new();
        for (name, text) in overlays {
            laid.extend(read::rows(name, text, &mut faults));
        }
        check::repeated(&laid, &mut faults);
        for row in laid {
            let place = rows.iter().position(|old| old.id == row.id && old.valid_from == row.valid_from);
            match place {
                Some(place) => rows[place] = row,
                None => rows.push(row),
            }
        }
        check::all(&rows, &mut faults);
        if faults.is_empty() { Ok(Self { rows }) } else { Err(LawError::Faults(faults)) }
    }

    /// All rows, those of the program first, in the order in which they are written.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of an id that holds on a day.
    #[must_use]
    pub fn at(&self, id: &str, day: Date) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id && row.holds_on(day))
    }

    /// The number that a rule gives on a day, with its row; `None` before the rule began.
    #[must_use]
    pub fn number(&self, rule: &Rule, day: Date) -> Option<(u32, &Row)> {
        let row = self.at(rule.id, day)?;
        Some((row.number()?, row))
    }

    /// The same for a rule that has always held.
    ///
    /// # Panics
    /// When the rule says of itself that it began some day: a bug.
    #[must_use]
    pub fn always(&self, rule: &Rule, day: Date) -> (u32, &Row) {
        debug_assert!(rule.since.is_none(), "{} has not always held", rule.id);
        self.number(rule, day).expect("a rule without beginning has a row for every day: reading checks it")
    }

    /// The rows of a family that hold on a day.
    pub fn family<'l>(&'l self, family: &'l Family, day: Date) -> impl Iterator<Item = &'l Row> {
        self.rows.iter().filter(move |row| family.member(&row.id).is_some() && row.holds_on(day))
    }

    /// The row of a member of a family that is required for every day.
    ///
    /// # Panics
    /// When the member is not required: a bug.
    #[must_use]
    pub fn always_member(&self, family: &Family, member: &str, day: Date) -> &Row {
        debug_assert!(
            family.since.is_none() && family.required.contains(&member),
            "{member} is not required"
        );
        self.member(family, member, day)
            .expect("a required member has a row for every day: reading checks it")
    }

    /// The row of one member of a family, if it holds on a day and a decision may rest on it.
    #[must_use]
    pub fn deciding(&self, family: &Family, member: &str, day: Date) -> Option<&Row> {
        self.member(family, member, day).filter(|row| row.confidence.decides())
    }

    /// The row of one member of a family, if it holds on a day.
    #[must_use]
    pub fn member(&self, family: &Family, member: &str, day: Date) -> Option<&Row> {
        self.at(&format!("{}{member}", family.prefix), day)
    }
}

#[cfg(test)]
mod tests;
