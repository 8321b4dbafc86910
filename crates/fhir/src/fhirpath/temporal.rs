//! Dates, dateTimes and times with their precision (FHIRPath N1, "date", "dateTime", "time").

use std::cmp::Ordering;
use std::fmt;

use jiff::civil;

use super::quantity::Calendar;

mod arithmetic;
mod boundary;
mod text;

/// Which of the three types a value is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `date`
    Date,
    /// `dateTime`, `instant`
    DateTime,
    /// `time`
    Time,
}

/// The smallest part that is given. Fractions belong to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A date, dateTime or time. Parts that are not given have their least value.
#[derive(Debug, Clone, Copy)]
pub struct Temporal {
    pub(super) kind: Kind,
    pub(super) precision: Precision,
    /// For times of day: on 1 January of the year 1.
    pub(super) at: civil::DateTime,
    /// Digits of the fraction of a second.
    pub(super) digits: u8,
    /// Minutes east of Greenwich.
    pub(super) offset: Option<i16>,
}

/// The least and greatest offset in use, in minutes.
const OFFSETS: (i64, i64) = (-12 * 60, 14 * 60);
const MINUTE: i128 = 60 * 1_000_000_000;

impl Temporal {
    /// The order of two values of the same kind, or of a date and a dateTime; `None` when the precision, or a
    /// missing offset, leaves it open.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        if self.offset.is_some() == other.offset.is_some() {
            let (left, right) = (self.universal()?, other.universal()?);
            let parts = self.precision.min(other.precision);
            let order = part_order(left, right, parts);
            let decided = order != Ordering::Equal || self.precision == other.precision;
            return decided.then_some(order);
        }
        let (left, right) = (self.span()?, other.span()?);
        if left.1 < right.0 {
            Some(Ordering::Less)
        } else if left.0 > right.1 {
            Some(Ordering::Greater)
        } else {
            None
        }
    }

    /// In Greenwich, if it has an offset.
    fn universal(&self) -> Option<civil::DateTime> {
        let minutes = i64::from(self.offset.unwrap_or(0));
        self.at.checked_sub(jiff::Span::new().try_minutes(minutes).ok()?).ok()
    }

    /// First and last nanosecond that it may mean, in Greenwich.
    fn span(&self) -> Option<(i128, i128)> {
        let nanos = |at: civil::DateTime| {
            let since = at.duration_since(civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
            since.as_nanos()
        };
        let (lo, hi) = (nanos(self.at), nanos(self.last()?));
        Some(match self.offset {
            Some(offset) => (lo - i128::from(offset) * MINUTE, hi - i128::from(offset) * MINUTE),
            None => (lo - i128::from(OFFSETS.1) * MINUTE, hi - i128::from(OFFSETS.0) * MINUTE),
        })
    }

    /// The last nanosecond within the precision; seconds are points.
    fn last(&self) -> Option<civil::DateTime> {
        let unit = match self.precision {
            Precision::Year => Calendar::Year,
            Precision::Month => Calendar::Month,
            Precision::Day => Calendar::Day,
            Precision::Hour => Calendar::Hour,
            Precision::Minute => Calendar::Minute,
            Precision::Second => return Some(self.at),
        };
        let next = arithmetic::moved(self.at, 1, unit)?;
        next.checked_sub(jiff::Span::new().nanoseconds(1)).ok()
    }

    /// `=`: `None` when it cannot be known.
    pub(super) fn equal(&self, other: &Self) -> Option<bool> {
        if (self.kind == Kind::Time) != (other.kind == Kind::Time) {
            return Some(false);
        }
        self.order(other).map(|order| order == Ordering::Equal)
    }
}

/// The order by the parts down to `last`.
fn part_order(left: civil::DateTime, right: civil::DateTime, last: Precision) -> Ordering {
    let parts = |at: civil::DateTime| {
        [
            i64::from(at.year()),
            i64::from(at.month()),
            i64::from(at.day()),
            i64::from(at.hour()),
            i64::from(at.minute()),
            i64::from(at.second()) * 1_000_000_000 + i64::from(at.subsec_nanosecond()),
        ]
    };
    let count = last as usize + 1;
    parts(left)[..count].cmp(&parts(right)[..count])
}

impl fmt::Display for Temporal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&text::write(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Temporal {
        Temporal::literal(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn order_respects_precision_and_offset() {
        for (left, right, expected) in [
            ("2018-03", "2018-03-01", None),
            ("2018-03", "2018-04-01", Some(Ordering::Less)),
            ("2018-03-01T10:30:00", "2018-03-01T10:30:00.000", Some(Ordering::Equal)),
            ("2017-11-05T01:30:00.0-04:00", "2017-11-05T00:30:00.0-05:00", Some(Ordering::Equal)),
            ("2012-04-15T15:00:00Z", "2012-04-15T10:00:00", None),
            ("2012-04-15T15:00:00Z", "2012-04-17", Some(Ordering::Less)),
            ("T10:30", "T10:29:59", Some(Ordering::Greater)),
        ] {
            assert_eq!(at(left).order(&at(right)), expected, "{left} {right}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["2015-13", "2015-02-30", "15", "2015-1", "T25", "T10:60", "2015T10:00", "2015-02-04T14+1:00", ""]
        {
            assert!(Temporal::literal(text).is_none(), "{text}");
        }
        for text in ["2015T", "2015-02T", "2015-02-04T14", "T14", "2015-02-04T14:34:28.123+10:00"] {
            assert_eq!(at(text).to_string().trim_start_matches('T'), text.trim_matches('T'), "{text}");
        }
    }
}
