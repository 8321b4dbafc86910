//! What is judged, as somebody would describe it: records, relations, consents, and a few dates with what they mean.

use ieum_store::access::{Family, Relation, day};
use ieum_trust::evidence::department_code;
use ieum_trust::labels::label_mask;
use serde_json::Value;

/// Midnight in Korea at the beginning of 10 March 2026, in seconds since 1970.
pub(crate) const MIDNIGHT: i64 = 1_773_068_400;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Dates as they are written, the first second that each includes, and the first after it; counted from [`MIDNIGHT`].
pub(crate) const DATES: [(&str, i64, i64); 18] = [
    ("2025", -433 * DAY, -68 * DAY),
    ("2026", -68 * DAY, 297 * DAY),
    ("2026-02", -37 * DAY, -9 * DAY),
    ("2026-03", -9 * DAY, 22 * DAY),
    ("2026-03-08", -2 * DAY, -DAY),
    ("2026-03-09", -DAY, 0),
    ("2026-03-10", 0, DAY),
    ("2026-03-11", DAY, 2 * DAY),
    ("2026-03-09T14:59:59Z", -1, 0),
    ("2026-03-10T00:00:00+09:00", 0, 1),
    ("2026-03-09T15:00:01Z", 1, 2),
    ("2026-03-10T11:59:59+09:00", 12 * HOUR - 1, 12 * HOUR),
    ("2026-03-10T03:00:00Z", 12 * HOUR, 12 * HOUR + 1),
    ("2026-03-10T12:00:01+09:00", 12 * HOUR + 1, 12 * HOUR + 2),
    ("2026-03-10T23:59:59+09:00", DAY - 1, DAY),
    ("2026-03-11T00:00:00+09:00", DAY, DAY + 1),
    ("2026-03-08T15:00:00Z", -DAY, -DAY + 1),
    ("2030-01-01", 1393 * DAY, 1394 * DAY),
];

/// Moments at which is asked, and main dates of records; in seconds from [`MIDNIGHT`].
pub(crate) const MOMENTS: [i64; 12] =
    [-40 * DAY, -DAY - 1, -DAY, -1, 0, 1, 12 * HOUR - 1, 12 * HOUR, 12 * HOUR + 1, DAY - 1, DAY, 2 * DAY];

/// Encounters: id, and department as an institution writes it.
pub(crate) const ENCOUNTERS: [(&str, Option<&str>); 4] =
    [("e1", Some("01")), ("e2", Some("0100")), ("e3", Some("0300")), ("e4", None)];

/// Everything that is known at a moment.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) consents: Vec<Value>,
    pub(crate) relations: Vec<Relation>,
    /// In seconds from [`MIDNIGHT`].
    pub(crate) now: i64,
}

/// A record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    /// About nobody: an institution, a definition.
    pub(crate) shared: bool,
    pub(crate) patients: Vec<String>,
    /// System and code of each label.
    pub(crate) labels: Vec<(&'static str, &'static str)>,
    /// Main date, in seconds from [`MIDNIGHT`].
    pub(crate) date: Option<i64>,
    pub(crate) institution: Option<String>,
    /// One of [`ENCOUNTERS`].
    pub(crate) encounter: Option<(&'static str, Option<&'static str>)>,
}

/// Microseconds since 1970, as the compiled decision counts.
pub(crate) fn micros(seconds: i64) -> i64 {
    (MIDNIGHT + seconds) * 1_000_000
}

impl Record {
    /// Asks the compiled decision about it.
    pub(crate) fn judged<T>(&self, decide: impl FnOnce(&ieum_store::access::Judged<'_>) -> T) -> T {
        let department = self.encounter.and_then(|(_, department)| department).map(department_code);
        decide(&ieum_store::access::Judged {
            kind: self.kind,
            id: &self.id,
            family: if self.shared { Family::Shared } else { Family::Clinical },
            patients: &self.patients,
            mask: self.labels.iter().fold(0, |mask, (system, code)| mask | label_mask(system, code)),
            day: self.date.map(|date| day(micros(date))),
            institution: self.institution.as_deref(),
            encounter: self.encounter.map(|(id, _)| id),
            department: department.as_deref(),
        })
    }
}
