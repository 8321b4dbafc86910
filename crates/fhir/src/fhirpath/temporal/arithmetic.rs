//! Adding stretches of time (FHIRPath N1, "date/time arithmetic").

use jiff::{Span, civil};

use super::{Kind, Precision, Temporal};
use crate::fhirpath::number::{Number, Towards};
use crate::fhirpath::quantity::Calendar;

impl Temporal {
    /// This and so many units; the units must be of time. Fractions count for seconds and below only. `None` beyond the
    /// years that can be written.
    pub(in crate::fhirpath) fn plus(&self, value: Number, unit: Calendar) -> Option<Self> {
        if self.kind == Kind::Time && unit < Calendar::Hour {
            return None;
        }
        let at = if unit >= Calendar::Second {
            let nanos = if unit == Calendar::Second { 1_000_000_000 } else { 1_000_000 };
            let nanos = value.times(Number::from(nanos))?.with_places(0, Towards::Zero)?.integer()?;
            self.at_precision(nanos, Calendar::Second)
        } else {
            self.at_precision(value.with_places(0, Towards::Zero)?.integer()?, unit)
        }?;
        let at =
            if self.kind == Kind::Time { civil::Date::constant(1, 1, 1).to_datetime(at.time()) } else { at };
        let is_writable = (1..=9999).contains(&at.year());
        is_writable.then_some(Self { at, ..*self })
    }

    /// Adds units that are smaller than the precision as whole units of the precision: 24 hours are a day, 30 days a
    /// month, 365 days a year, 12 months a year. Seconds come as nanoseconds.
    fn at_precision(&self, amount: i64, unit: Calendar) -> Option<civil::DateTime> {
        let own = match self.precision {
            Precision::Year => Calendar::Year,
            Precision::Month => Calendar::Month,
            Precision::Day => Calendar::Day,
            Precision::Hour => Calendar::Hour,
            Precision::Minute => Calendar::Minute,
            Precision::Second => Calendar::Millisecond,
        };
        if unit <= own {
            return moved(self.at, amount, unit);
        }
        const SECOND: i64 = 1_000_000_000;
        let hours = match own {
            Calendar::Year => 365 * 24,
            Calendar::Month => 30 * 24,
            Calendar::Day => 24,
            _ => 1,
        };
        // One division by all that is between, so that 48 hours are two days.
        let (amount, per_own) = match unit {
            Calendar::Month => (amount, 12),
            Calendar::Week => (amount.checked_mul(7)?, hours / 24),
            Calendar::Day => (amount, hours / 24),
            Calendar::Hour => (amount, hours),
            Calendar::Minute => (amount, hours * 60),
            _ if own == Calendar::Minute => (amount, 60 * SECOND),
            _ => (amount, hours * 3_600 * SECOND),
        };
        moved(self.at, amount / per_own, own)
    }
}

/// So many units later; the day is cut to the length of the month. Seconds come as nanoseconds.
pub(super) fn moved(at: civil::DateTime, amount: i64, unit: Calendar) -> Option<civil::DateTime> {
    let span = Span::new();
    let span = match unit {
        Calendar::Year => span.try_years(amount),
        Calendar::Month => span.try_months(amount),
        Calendar::Week => span.try_weeks(amount),
        Calendar::Day => span.try_days(amount),
        Calendar::Hour => span.try_hours(amount),
        Calendar::Minute => span.try_minutes(amount),
        Calendar::Second | Calendar::Millisecond => span.try_nanoseconds(amount),
    };
    at.checked_add(span.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_at_the_precision() {
        for (start, amount, unit, expected) in [
            ("2014", "25", Calendar::Month, "2016"),
            ("2014-01", "31", Calendar::Day, "2014-02"),
            ("2014-01-01", "48", Calendar::Hour, "2014-01-03"),
            ("2014-01-01", "-1", Calendar::Second, "2014-01-01"),
            ("2014-01-31", "1", Calendar::Month, "2014-02-28"),
            ("2016-02-29", "1", Calendar::Year, "2017-02-28"),
            ("1973-12-25", "7.7", Calendar::Day, "1974-01-01"),
            ("2014-01-01T10:00:00", "0.5", Calendar::Second, "2014-01-01T10:00:00"),
            ("2014-01-01T10:00:00.0Z", "1500", Calendar::Millisecond, "2014-01-01T10:00:01.5Z"),
            ("2014-01-01T10:00", "90", Calendar::Second, "2014-01-01T10:01"),
            ("T23:30", "45", Calendar::Minute, "00:15"),
            ("2014-01-01", "1", Calendar::Week, "2014-01-08"),
            ("2014", "104", Calendar::Week, "2015"),
        ] {
            let sum = Temporal::literal(start).unwrap().plus(Number::parse(amount).unwrap(), unit);
            assert_eq!(sum.unwrap().to_string(), expected, "{start} {amount} {unit:?}");
        }
        let last = Temporal::literal("9999").unwrap();
        assert!(last.plus(Number::from(1), Calendar::Year).is_none());
        assert!(Temporal::literal("T10").unwrap().plus(Number::from(1), Calendar::Day).is_none());
    }
}
