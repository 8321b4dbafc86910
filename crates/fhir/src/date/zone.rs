//! Korean civil time and the calendar.

use std::sync::OnceLock;

use jiff::civil;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Microseconds in a second.
pub(super) const MICROS: i64 = 1_000_000;

const NINE_HOURS: i64 = 9 * 3_600;

/// Korean time from the time zone tables in this program, so that it does not depend on the machine it runs on.
fn korea() -> &'static TimeZone {
    static KOREA: OnceLock<TimeZone> = OnceLock::new();
    KOREA.get_or_init(|| {
        TimeZoneDatabase::bundled()
            .get("Asia/Seoul")
            .expect("jiff's bundled tables hold Asia/Seoul; a test checks it")
    })
}

/// Seconds of UTC for seconds of Korean civil time, both counted from 1970-01-01T00:00:00.
pub(super) fn korean_to_utc(civil_seconds: i64) -> i64 {
    // Beyond the end of jiff's calendar, which only the end of the year 9999 reaches, today's offset holds.
    let (days, seconds) = (civil_seconds.div_euclid(86_400), civil_seconds.rem_euclid(86_400));
    civil_from_days(days)
        .and_then(|(year, month, day)| {
            let time = i32::try_from(seconds).ok().and_then(|seconds| {
                let (hour, rest) = (seconds / 3_600, seconds % 3_600);
                civil::Time::new(i8::try_from(hour).ok()?, (rest / 60) as i8, (rest % 60) as i8, 0).ok()
            })?;
            let date = civil::Date::new(year, month, day).ok()?;
            korea().to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()
        })
        .map_or(civil_seconds - NINE_HOURS, |timestamp| timestamp.as_second())
}

/// An instant as FHIR writes it, with Korea's offset and microseconds: `2026-11-23T15:04:05.123456+09:00`.
/// Instants beyond the years 0001–9999 come out as the nearest that FHIR can write.
#[must_use]
pub fn format_instant(micros: i64) -> String {
    let first = days_from_civil(1, 1, 2) * 86_400 * MICROS;
    let after = days_from_civil(9999, 12, 31) * 86_400 * MICROS;
    let micros = micros.clamp(first, after - 1);
    let offset = jiff::Timestamp::from_microsecond(micros)
        .map_or(NINE_HOURS, |instant| i64::from(korea().to_offset(instant).seconds()));
    // Before 1908 Seoul kept its local mean time, which FHIR's whole minutes cannot write.
    let offset = if offset % 60 == 0 { offset } else { NINE_HOURS };
    let local = micros + offset * MICROS;
    let (days, rest) = (local.div_euclid(86_400 * MICROS), local.rem_euclid(86_400 * MICROS));
    let (year, month, day) = civil_from_days(days).unwrap_or((9999, 12, 31));
    let (seconds, fraction) = (rest / MICROS, rest % MICROS);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{fraction:06}+{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        offset / 3_600,
        offset / 60 % 60,
    )
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, for any year from 0 to 10000. Years are counted from March, so
/// that the leap day comes last.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The day of [`days_from_civil`], if it lies in the years that jiff keeps.
fn civil_from_days(days: i64) -> Option<(i16, i8, i8)> {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Some((i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?))
}
