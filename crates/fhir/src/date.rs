//! Dates as stretches of time (R4, sections 2.24.0.1 and 3.1.1.4.7).
//!
//! Every FHIR date says how precise it is by its length: `2026` is a year, `2026-03-01T10:00:00+09:00` a second.
//! Here each becomes a half-open [`TimeRange`] in microseconds. A text without offset is civil time in Korea.
//!
//! ```
//! use ieum_fhir::date;
//! let day = date::parse("2026-03-01").unwrap();
//! assert_eq!(day, date::parse("2026-03-01T00:00:00+09:00").map(|second| ieum_fhir::index::TimeRange {
//!     lo: second.lo,
//!     hi: second.lo + 86_400_000_000,
//! }).unwrap());
//! ```

mod element;
mod text;
mod zone;

pub use element::{period, timing};
pub use text::{parse, parse_time};
pub use zone::format_instant;

use crate::index::TimeRange;

/// Why a text is no date we keep. Never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not the form of a FHIR date, dateTime or instant.
    #[error("not a date or time as FHIR writes them")]
    Syntax,
    /// No such day: month 13, 30 February, year 0000.
    #[error("no such day in the calendar")]
    NoSuchDay,
    /// No such time of day or offset: 24:00, second 61, +15:00.
    #[error("no such time of day")]
    NoSuchTime,
}

/// The range of `ap`: wider on each side by a tenth of the gap between `now` and the range (R4, section 3.1.1.4.6).
#[must_use]
pub fn approximate(range: TimeRange, now_micros: i64) -> TimeRange {
    let gap = if now_micros < range.lo {
        range.lo.saturating_sub(now_micros)
    } else {
        now_micros.saturating_sub(range.hi).max(0)
    };
    TimeRange { lo: range.lo.saturating_sub(gap / 10), hi: range.hi.saturating_add(gap / 10) }
}
