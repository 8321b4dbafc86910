//! Korean dates and times: always +09:00, never daylight saving (there was none in the years synthetic records have).

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{ToSpan, civil::time};

use crate::dice::Dice;

/// `2026-03-02T09:30:00+09:00`.
pub(crate) fn instant(moment: DateTime) -> String {
    format!("{moment}+09:00")
}

/// Full years between birth and `day` (만나이).
pub(crate) fn age(birth: Date, day: Date) -> i64 {
    let before_birthday = (day.month(), day.day()) < (birth.month(), birth.day());
    i64::from(day.year() - birth.year()) - i64::from(before_birthday)
}

/// Years with a fraction between two days.
pub(crate) fn years_between(from: Date, to: Date) -> f64 {
    f64::from(days_between(from, to)) / 365.25
}

/// Days from one day to another; negative when `to` is earlier.
pub(crate) fn days_between(from: Date, to: Date) -> i32 {
    // Both lie within a human life around the present, where a span of days always exists.
    from.until(to).expect("days between two dates of one life").get_days()
}

/// `day` plus a number of days.
pub(crate) fn plus_days(day: Date, days: i64) -> Date {
    day.saturating_add(days.days())
}

/// `moment` plus a number of minutes.
pub(crate) fn plus_minutes(moment: DateTime, minutes: i64) -> DateTime {
    moment.saturating_add(minutes.minutes())
}

/// A moment in office hours on `day`, on the Monday after if it is a Sunday.
pub(crate) fn office_hours(day: Date, dice: &mut Dice) -> DateTime {
    let day = if day.weekday() == Weekday::Sunday { plus_days(day, 1) } else { day };
    let last = if day.weekday() == Weekday::Saturday { 12 } else { 16 };
    day.to_datetime(time(dice.between(9, last) as i8, dice.between(0, 11) as i8 * 5, 0, 0))
}

/// Any moment of `day`.
pub(crate) fn any_hour(day: Date, dice: &mut Dice) -> DateTime {
    day.to_datetime(time(dice.between(0, 23) as i8, dice.between(0, 59) as i8, 0, 0))
}
