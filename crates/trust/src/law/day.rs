//! Days in Korea: birth dates as precise as they are known, ages, deadlines.

use std::cmp::Ordering;
use std::sync::OnceLock;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp, ToSpan};

use super::row::Unit;

/// Korean time, out of the tables in this program.
fn korea() -> &'static TimeZone {
    static KOREA: OnceLock<TimeZone> = OnceLock::new();
    KOREA.get_or_init(|| {
        let found = TimeZoneDatabase::bundled().get("Asia/Seoul");
        found.expect("jiff's bundled tables hold Asia/Seoul; a test checks it")
    })
}

/// The day in Korea of an instant, in microseconds since 1970. Instants beyond the calendar give its ends.
#[must_use]
pub fn in_korea(micros: i64) -> Date {
    let end = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    korea().to_datetime(Timestamp::from_microsecond(micros).unwrap_or(end)).date()
}

/// A birth date as it is known: a day, a month or a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    first: Date,
    last: Date,
}

/// Not a birth date. Never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a birth date: write YYYY, YYYY-MM or YYYY-MM-DD")]
pub struct NoBirth;

impl Birth {
    /// Somebody born on a day.
    #[must_use]
    pub const fn on(day: Date) -> Self {
        Self { first: day, last: day }
    }

    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as FHIR writes dates.
    ///
    /// # Errors
    /// [`NoBirth`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NoBirth> {
        let parts: Vec<&str> = text.split('-').collect();
        let number = |text: &str, digits: usize| {
            let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<i16>().ok()).flatten().ok_or(NoBirth)
        };
        let date = |year, month: i16, day: i16| {
            let (month, day) =
                (i8::try_from(month).map_err(|_| NoBirth)?, i8::try_from(day).map_err(|_| NoBirth)?);
            Date::new(year, month, day).map_err(|_| NoBirth)
        };
        match *parts {
            [year] => {
                let year = number(year, 4)?;
                Ok(Self { first: date(year, 1, 1)?, last: date(year, 12, 31)? })
            }
            [year, month] => {
                let first = date(number(year, 4)?, number(month, 2)?, 1)?;
                Ok(Self { first, last: first.last_of_month() })
            }
            [year, month, day] => Ok(Self::on(date(number(year, 4)?, number(month, 2)?, number(day, 2)?)?)),
            _ => Err(NoBirth),
        }
    }

    /// The least and the greatest age that somebody so born can have on a day; `None` for one who was not born yet.
    /// Somebody who may not have been born yet has the age 0.
    #[must_use]
    pub fn age_on(self, day: Date) -> Option<(u32, u32)> {
        let most = age(self.first, day)?;
        Some((age(self.last, day).unwrap_or(0), most))
    }

    /// Whether somebody so born has reached an age on a day.
    #[must_use]
    pub fn has_reached(self, years: u32, day: Date) -> Reached {
        match (age(self.last, day), age(self.first, day)) {
            (Some(least), _) if least >= years => Reached::Yes,
            (_, Some(most)) if most >= years => Reached::Perhaps,
            _ => Reached::No,
        }
    }

    /// The first day on which somebody so born may have reached an age: what ends with it ends then.
    #[must_use]
    pub fn earliest(self, years: u32) -> Option<Date> {
        birthday(self.first, years)
    }
}

/// Whether an age has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Surely.
    Yes,
    /// Surely not.
    No,
    /// The birth date is not known well enough.
    Perhaps,
}

/// 만나이: completed years on a day; `None` before birth.
///
/// A year of life is complete with the day before the birthday (Civil Act, articles 158 and 160). Somebody born on
/// 29 February completes it in common years with the last of February, article 160(3), and is older from 1 March.
#[must_use]
pub fn age(birth: Date, day: Date) -> Option<u32> {
    if day < birth {
        return None;
    }
    let years = i32::from(day.year()) - i32::from(birth.year());
    let before = (day.month(), day.day()).cmp(&(birth.month(), birth.day())) == Ordering::Less;
    u32::try_from(years - i32::from(before)).ok()
}

/// The day on which an age is reached; `None` beyond the calendar.
#[must_use]
pub fn birthday(birth: Date, years: u32) -> Option<Date> {
    let year = i16::try_from(i64::from(birth.year()) + i64::from(years)).ok()?;
    match Date::new(year, birth.month(), birth.day()) {
        Ok(day) => Some(day),
        // Only 29 February is missing in some years.
        Err(_) => Date::new(year, 3, 1).ok(),
    }
}

/// The day on which a term of days, months or years that began with an event ends; itself still within the term. The
/// day of the event is not counted (Civil Act, article 157). `None` beyond the calendar, and for units that are no days.
#[must_use]
pub fn last_day(event: Date, number: u32, unit: Unit) -> Option<Date> {
    let span: Span = match unit {
        Unit::Days => Span::new().try_days(number).ok()?,
        Unit::Months => Span::new().try_months(number).ok()?,
        Unit::Years => Span::new().try_years(number).ok()?,
        Unit::Age | Unit::Hours | Unit::Minutes | Unit::People | Unit::Times => return None,
    };
    event.checked_add(span).ok()
}

/// The instant after which a term is over, in microseconds since 1970: of hours and minutes exactly so much later, of
/// days, months and years midnight in Korea at the end of [`last_day`].
#[must_use]
pub fn over_at(event_micros: i64, number: u32, unit: Unit) -> Option<i64> {
    let minutes = match unit {
        Unit::Hours => i64::from(number) * 60,
        Unit::Minutes => i64::from(number),
        _ => {
            let after = last_day(in_korea(event_micros), number, unit)?.checked_add(1.day()).ok()?;
            let midnight = korea().to_ambiguous_zoned(after.to_datetime(jiff::civil::Time::midnight()));
            return Some(midnight.compatible().ok()?.timestamp().as_microsecond());
        }
    };
    event_micros.checked_add(minutes.checked_mul(60_000_000)?)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn micros(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn ages_change_at_the_birthday() {
        for (birth, on, years) in [
            ("2012-07-01", "2012-06-30", None),
            ("2012-07-01", "2012-07-01", Some(0)),
            ("2012-07-01", "2026-06-30", Some(13)),
            ("2012-07-01", "2026-07-01", Some(14)),
            ("2012-02-29", "2026-02-28", Some(13)),
            ("2012-02-29", "2026-03-01", Some(14)),
            ("2012-02-29", "2028-02-28", Some(15)),
            ("2012-02-29", "2028-02-29", Some(16)),
            ("2007-12-31", "2026-12-30", Some(18)),
            ("2007-12-31", "2026-12-31", Some(19)),
        ] {
            assert_eq!(age(day(birth), day(on)), years, "{birth} on {on}");
        }
    }

    #[test]
    fn the_birthday_is_the_first_day_of_an_age() {
        for birth in ["2012-02-29", "2012-07-01", "2011-12-31", "2012-01-01"] {
            for years in 1..30 {
                let first = birthday(day(birth), years).unwrap();
                assert_eq!(age(day(birth), first), Some(years), "{birth}");
                assert_eq!(age(day(birth), first.yesterday().unwrap()), Some(years - 1), "{birth}");
            }
        }
    }

    #[test]
    fn days_change_at_midnight_in_korea() {
        for (instant, on) in [
            ("2026-06-30T14:59:59.999999Z", "2026-06-30"),
            ("2026-06-30T15:00:00Z", "2026-07-01"),
            ("2026-07-01T14:59:59Z", "2026-07-01"),
            // Summer time of 1988: ten hours before UTC.
            ("1988-07-01T13:59:59Z", "1988-07-01"),
            ("1988-07-01T14:00:00Z", "1988-07-02"),
        ] {
            assert_eq!(in_korea(micros(instant)), day(on), "{instant}");
        }
        assert_eq!(in_korea(i64::MAX), in_korea(i64::MAX - 1));
        assert!(in_korea(i64::MIN) < date(0, 1, 1));
    }

    #[test]
    fn birth_dates_are_as_precise_as_they_are_known() {
        use Reached::{No, Perhaps, Yes};
        for (birth, on, ages, has_14) in [
            ("2012-07-01", "2026-06-30", Some((13, 13)), No),
            ("2012-07-01", "2026-07-01", Some((14, 14)), Yes),
            ("2012-07", "2026-06-30", Some((13, 13)), No),
            ("2012-07", "2026-07-01", Some((13, 14)), Perhaps),
            ("2012-07", "2026-07-30", Some((13, 14)), Perhaps),
            ("2012-07", "2026-07-31", Some((14, 14)), Yes),
            ("2012-02", "2026-02-28", Some((13, 14)), Perhaps),
            ("2012-02", "2026-03-01", Some((14, 14)), Yes),
            ("2012", "2025-12-31", Some((13, 13)), No),
            ("2012", "2026-01-01", Some((13, 14)), Perhaps),
            ("2012", "2026-12-31", Some((14, 14)), Yes),
            ("2026", "2026-05-01", Some((0, 0)), No),
            ("2027", "2026-12-31", None, No),
        ] {
            let known = Birth::parse(birth).unwrap();
            assert_eq!(known.age_on(day(on)), ages, "{birth} on {on}");
            assert_eq!(known.has_reached(14, day(on)), has_14, "{birth} on {on}");
        }
        assert_eq!(Birth::parse("2012-07").unwrap().earliest(14), Some(date(2026, 7, 1)));
    }

    #[test]
    fn what_is_no_birth_date_is_refused() {
        for wrong in
            ["", "12", "2012-", "2012-13", "2012-7", "2012-02-30", "2012-07-01T00:00", "+012", "2012-07-01-1"]
        {
            assert_eq!(Birth::parse(wrong), Err(NoBirth), "{wrong}");
        }
    }

    #[test]
    fn terms_end_with_the_day_in_korea_or_after_exact_hours() {
        for (event, number, unit, over) in [
            // Five days after a request late on 1 July in Korea: the end of 6 July.
            ("2026-07-01T14:59:59Z", 5, Unit::Days, "2026-07-06T15:00:00Z"),
            ("2026-07-01T15:00:00Z", 5, Unit::Days, "2026-07-07T15:00:00Z"),
            ("2026-09-10T14:59:59Z", 72, Unit::Hours, "2026-09-13T14:59:59Z"),
            ("2026-09-10T15:00:00Z", 72, Unit::Hours, "2026-09-13T15:00:00Z"),
            ("2026-09-10T15:00:00Z", 5, Unit::Minutes, "2026-09-10T15:05:00Z"),
            ("2026-01-31T00:00:00Z", 1, Unit::Months, "2026-02-28T15:00:00Z"),
            ("2024-02-29T00:00:00Z", 3, Unit::Years, "2027-02-28T15:00:00Z"),
        ] {
            assert_eq!(over_at(micros(event), number, unit), Some(micros(over)), "{event} {number} {unit:?}");
        }
        assert_eq!(last_day(date(2026, 7, 1), 14, Unit::Days), Some(date(2026, 7, 15)));
        assert_eq!(last_day(date(2026, 7, 1), 14, Unit::Age), None);
        assert_eq!(last_day(date(9999, 12, 31), 1, Unit::Days), None);
        assert_eq!(over_at(i64::MAX, 1, Unit::Hours), None);
    }
}
