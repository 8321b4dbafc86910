//! The texts of `date`, `dateTime`, `instant` and `time`.

use super::DateError;
use super::zone::{self, MICROS};
use crate::index::TimeRange;

/// Reads a date, dateTime or instant of any precision: year, month, day, minute, second, or fraction of a second.
/// Minutes without seconds are what searches may use; resources never hold them.
///
/// - Without offset it is Korean civil time, with the summer times of 1948–60 and 1987–88. A time that the clocks
///   showed twice is the earlier one; one they skipped is moved on by the length of the gap.
/// - A leap second (`:60`) counts as second 59, so that it stays within its day.
/// - Digits beyond microseconds are cut off.
///
/// # Errors
/// [`DateError`] for anything else.
pub fn parse(text: &str) -> Result<TimeRange, DateError> {
    let mut reader = Reader { bytes: text.as_bytes() };
    let year = reader.number(4)?;
    if reader.done() {
        return civil_days((year, 1, 1), (year + 1, 1, 1));
    }
    let month = reader.after(b'-')?.number(2)?;
    if reader.done() {
        let next = if month == 12 { (year + 1, 1, 1) } else { (year, month + 1, 1) };
        return civil_days((year, month, 1), next);
    }
    let day = reader.after(b'-')?.number(2)?;
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > zone::days_in_month(year, month) {
        return Err(DateError::NoSuchDay);
    }
    let midnight = zone::days_from_civil(year, month, day) * 86_400;
    if reader.done() {
        let start = zone::korean_to_utc(midnight);
        return Ok(TimeRange { lo: start * MICROS, hi: zone::korean_to_utc(midnight + 86_400) * MICROS });
    }
    let time = reader.after(b'T')?.time()?;
    let seconds = midnight + time.seconds;
    let utc = match reader.offset()? {
        Some(offset) => seconds - offset,
        None => zone::korean_to_utc(seconds),
    };
    let lo = utc * MICROS + time.micros;
    Ok(TimeRange { lo, hi: lo + time.width })
}

/// Reads a `time` (`15:04`, `15:04:05.123`) as microseconds since midnight.
///
/// # Errors
/// [`DateError`] for anything else.
pub fn parse_time(text: &str) -> Result<TimeRange, DateError> {
    let mut reader = Reader { bytes: text.as_bytes() };
    let time = reader.time()?;
    if !reader.done() {
        return Err(DateError::Syntax);
    }
    let lo = time.seconds * MICROS + time.micros;
    Ok(TimeRange { lo, hi: lo + time.width })
}

fn civil_days(first: (i64, i64, i64), after: (i64, i64, i64)) -> Result<TimeRange, DateError> {
    if first.0 < 1 || !(1..=12).contains(&first.1) {
        return Err(DateError::NoSuchDay);
    }
    let start =
        |(year, month, day)| zone::korean_to_utc(zone::days_from_civil(year, month, day) * 86_400) * MICROS;
    Ok(TimeRange { lo: start(first), hi: start(after) })
}

/// A time of day with its precision.
struct Time {
    seconds: i64,
    micros: i64,
    /// Microseconds that the text covers.
    width: i64,
}

struct Reader<'t> {
    bytes: &'t [u8],
}

impl Reader<'_> {
    fn done(&self) -> bool {
        self.bytes.is_empty()
    }

    fn after(&mut self, wanted: u8) -> Result<&mut Self, DateError> {
        match self.bytes.split_first() {
            Some((&first, rest)) if first == wanted => {
                self.bytes = rest;
                Ok(self)
            }
            _ => Err(DateError::Syntax),
        }
    }

    fn number(&mut self, digits: usize) -> Result<i64, DateError> {
        let (number, rest) = self.bytes.split_at_checked(digits).ok_or(DateError::Syntax)?;
        if !number.iter().all(u8::is_ascii_digit) {
            return Err(DateError::Syntax);
        }
        self.bytes = rest;
        Ok(number.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    }

    fn time(&mut self) -> Result<Time, DateError> {
        let hour = self.number(2)?;
        let minute = self.after(b':')?.number(2)?;
        if hour > 23 || minute > 59 {
            return Err(DateError::NoSuchTime);
        }
        let seconds = hour * 3_600 + minute * 60;
        if self.bytes.first() != Some(&b':') {
            return Ok(Time { seconds, micros: 0, width: 60 * MICROS });
        }
        let second = self.after(b':')?.number(2)?;
        if second > 60 {
            return Err(DateError::NoSuchTime);
        }
        let seconds = seconds + second.min(59);
        if self.bytes.first() != Some(&b'.') {
            return Ok(Time { seconds, micros: 0, width: MICROS });
        }
        let (micros, width) = self.after(b'.')?.fraction()?;
        Ok(Time { seconds, micros, width })
    }

    /// Digits after the point, as microseconds and the microseconds that the last digit stands for.
    fn fraction(&mut self) -> Result<(i64, i64), DateError> {
        let (mut micros, mut width) = (0, MICROS);
        let length = self.bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.bytes.split_at(length);
        if digits.is_empty() {
            return Err(DateError::Syntax);
        }
        for digit in digits.iter().take(6) {
            width /= 10;
            micros += i64::from(digit - b'0') * width;
        }
        self.bytes = rest;
        Ok((micros, width))
    }

    /// Seconds east of Greenwich, or nothing; then the text must end.
    fn offset(&mut self) -> Result<Option<i64>, DateError> {
        let offset = match self.bytes.first() {
            None => return Ok(None),
            Some(b'Z') => {
                self.after(b'Z')?;
                0
            }
            Some(&sign) if sign == b'+' || sign == b'-' => {
                let hours = self.after(sign)?.number(2)?;
                let minutes = self.after(b':')?.number(2)?;
                if minutes > 59 || hours * 60 + minutes > 14 * 60 {
                    return Err(DateError::NoSuchTime);
                }
                (if sign == b'-' { -60 } else { 60 }) * (hours * 60 + minutes)
            }
            Some(_) => return Err(DateError::Syntax),
        };
        if self.done() { Ok(Some(offset)) } else { Err(DateError::Syntax) }
    }
}
