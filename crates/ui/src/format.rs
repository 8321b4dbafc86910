//! Dates, times, ages and numbers as Korean and English readers write them. All functions are pure; times are shown in
//! Korean Standard Time (+09:00, without the summer times of 1948–1960 and 1987–1988).

use jiff::{Timestamp, civil, tz};

use crate::Lang;

const KST: tz::Offset = tz::offset(9);

/// The civil date and time of an instant in Korea.
#[must_use]
pub fn korean_time(instant: Timestamp) -> civil::DateTime {
    KST.to_datetime(instant)
}

/// "2026년 3월 1일" / "2026-03-01".
#[must_use]
pub fn date(date: civil::Date, lang: Lang) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    lang.pick(format!("{year}년 {month}월 {day}일"), format!("{year:04}-{month:02}-{day:02}"))
}

/// "2026.3.1." / "2026-03-01": for charts and narrow columns.
#[must_use]
pub fn date_short(date: civil::Date, lang: Lang) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    lang.pick(format!("{year}.{month}.{day}."), format!("{year:04}-{month:02}-{day:02}"))
}

/// "오후 3:05" / "15:05".
#[must_use]
pub fn time(time: civil::Time, lang: Lang) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    let half = if hour < 12 { "오전" } else { "오후" };
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    lang.pick(format!("{half} {twelve}:{minute:02}"), format!("{hour:02}:{minute:02}"))
}

/// An instant as Korean date and time: "2026년 3월 1일 오후 3:05" / "2026-03-01 15:05 KST".
#[must_use]
pub fn date_time(instant: Timestamp, lang: Lang) -> String {
    let local = korean_time(instant);
    let text = format!("{} {}", date(local.date(), lang), time(local.time(), lang));
    lang.pick(text.clone(), format!("{text} KST"))
}

/// A FHIR `date`, `dateTime` or `instant` of any precision. Text that is none of these is returned as it is, because
/// a record shown unformatted is better than a record not shown.
#[must_use]
pub fn fhir_date(text: &str, lang: Lang) -> String {
    let parts: Vec<&str> = text.split('-').collect();
    match (text.len(), parts.as_slice()) {
        (4, [year]) if digits(year) => lang.pick(format!("{year}년"), (*year).to_owned()),
        (7, [year, month]) if digits(year) && digits(month) => {
            let short = month.trim_start_matches('0');
            lang.pick(format!("{year}년 {short}월"), text.to_owned())
        }
        _ => fhir_instant(text, lang),
    }
}

fn fhir_instant(text: &str, lang: Lang) -> String {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return date_time(instant, lang);
    }
    // Without an offset a time is Korean time.
    if text.contains('T')
        && let Ok(local) = text.parse::<civil::DateTime>()
    {
        return KST.to_timestamp(local).map_or_else(|_| text.to_owned(), |instant| date_time(instant, lang));
    }
    text.parse::<civil::Date>().map_or_else(|_| text.to_owned(), |day| date(day, lang))
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The calendar date in Korea of a FHIR date or time that names at least the day.
#[must_use]
pub fn fhir_day(text: &str) -> Option<civil::Date> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(korean_time(instant).date());
    }
    text.parse::<civil::DateTime>().map(civil::DateTime::date).or_else(|_| text.parse()).ok()
}

/// 만나이: completed years, months and days at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    /// Completed years: 만나이.
    pub years: i16,
    /// Completed months beyond the years.
    pub months: i8,
    /// Completed days since birth; for the newborn.
    pub days: i32,
}

/// The age at an event, counted from the day of birth (Civil Act, articles 158 and 160); `None` before birth.
/// Someone born on 29 February comes of age on 1 March in common years: article 160(3) ends the period with the last
/// day of the month, so that the new year of life begins the day after.
#[must_use]
pub fn age(birth: civil::Date, event: civil::Date) -> Option<Age> {
    if event < birth {
        return None;
    }
    let mut months = (i32::from(event.year()) - i32::from(birth.year())) * 12 + i32::from(event.month())
        - i32::from(birth.month());
    // A month whose number has no such day in this month is complete only when the next one begins.
    if event.day() < birth.day() {
        months -= 1;
    }
    let days = event.since(birth).map_or(0, |span| span.get_days());
    let years = i16::try_from(months / 12).unwrap_or(i16::MAX);
    let rest = i8::try_from(months % 12).unwrap_or(0);
    Some(Age { years, months: rest, days })
}

/// "만 35세", "생후 5개월", "생후 12일" / "35 years", "5 months", "12 days".
#[must_use]
pub fn age_text(age: Age, lang: Lang) -> String {
    let plural = |count: i32, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    let (years, months) = (i32::from(age.years), i32::from(age.months));
    match (years, months) {
        (0, 0) => lang.pick(format!("생후 {}일", age.days), plural(age.days, "day")),
        (0, _) => lang.pick(format!("생후 {months}개월"), plural(months, "month")),
        _ => lang.pick(format!("만 {years}세"), plural(years, "year")),
    }
}

/// "1,234,567".
#[must_use]
pub fn integer(number: u64) -> String {
    group(&number.to_string())
}

/// A decimal with grouped integer part and at most `places` decimals, without trailing zeros; "–" when not finite.
#[must_use]
pub fn decimal(number: f64, places: usize) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{number:.places$}");
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let sign = if whole.bytes().all(|byte| byte == b'0') && fraction.is_empty() { "" } else { sign };
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{fraction}", group(whole))
}

fn group(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A size in bytes with a binary unit: "512 B", "1.5 MiB".
#[must_use]
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    #[expect(clippy::cast_precision_loss, reason = "a size is shown with two digits")]
    let mut value = size as f64;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", decimal(value, usize::from(unit > 0)), UNITS[unit])
}

/// A duration in seconds in its two largest units: "2시간 5분" / "2 h 5 min".
#[must_use]
pub fn duration(seconds: u64, lang: Lang) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => lang.pick(format!("{rest}초"), format!("{rest} s")),
        (0, _) => lang.pick(format!("{minutes}분 {rest}초"), format!("{minutes} min {rest} s")),
        _ => lang.pick(format!("{hours}시간 {minutes}분"), format!("{hours} h {minutes} min")),
    }
}

/// A telephone number with its middle hidden: "010-****-5678". All but the last four digits of a number without
/// separators are hidden, the area code of a separated one stays.
#[must_use]
pub fn phone_masked(number: &str) -> String {
    let total = number.chars().filter(char::is_ascii_digit).count();
    let first = number.split(['-', ' ', '.', ')']).next().unwrap_or("");
    let leading = first.chars().filter(char::is_ascii_digit).count();
    let shown_first = if leading < total && leading <= 3 { leading } else { 0 };
    let shown_last = if total > 4 { (total - 4).max(shown_first) } else { total };
    let mut seen = 0;
    let mask = |character: char| {
        if !character.is_ascii_digit() {
            return character;
        }
        seen += 1;
        if seen <= shown_first || seen > shown_last { character } else { '*' }
    };
    number.chars().map(mask).collect()
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
