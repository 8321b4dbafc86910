//! The texts of dates and times.

use jiff::civil;

use super::{Kind, Precision, Temporal};

impl Temporal {
    /// As literals write it, without `@`: `2015-02`, `2015T`, `T14:30`.
    #[must_use]
    pub fn literal(text: &str) -> Option<Self> {
        if let Some(time) = text.strip_prefix('T') {
            return Self::time(time);
        }
        if text.contains('T') { Self::date_time(text) } else { Self::date(text) }
    }

    /// A FHIR `date`.
    #[must_use]
    pub fn date(text: &str) -> Option<Self> {
        let (date, precision) = days(text)?;
        let at = date.to_datetime(civil::Time::midnight());
        Some(Self { kind: Kind::Date, precision, at, digits: 0, offset: None })
    }

    /// A FHIR `dateTime` or `instant`; one without time may end with `T` or not.
    #[must_use]
    pub fn date_time(text: &str) -> Option<Self> {
        let (day, time) = text.split_once('T').unwrap_or((text, ""));
        let (date, precision) = days(day)?;
        if time.is_empty() {
            let at = date.to_datetime(civil::Time::midnight());
            return Some(Self { kind: Kind::DateTime, precision, at, digits: 0, offset: None });
        }
        let offset_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (clock, offset) = time.split_at(offset_at);
        let (time, time_precision, digits) = self::clock(clock)?;
        let offset = if offset.is_empty() { None } else { Some(self::offset(offset)?) };
        if precision != Precision::Day {
            return None;
        }
        let at = date.to_datetime(time);
        Some(Self { kind: Kind::DateTime, precision: time_precision, at, digits, offset })
    }

    /// A FHIR `time`, perhaps without minutes or seconds.
    #[must_use]
    pub fn time(text: &str) -> Option<Self> {
        let (time, precision, digits) = clock(text)?;
        let at = civil::Date::constant(1, 1, 1).to_datetime(time);
        Some(Self { kind: Kind::Time, precision, at, digits, offset: None })
    }
}

fn number(text: &str, digits: usize) -> Option<i16> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn days(text: &str) -> Option<(civil::Date, Precision)> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4).filter(|year| *year > 0)?;
    let (month, day) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let precision = match (month, day) {
        (None, _) => Precision::Year,
        (_, None) => Precision::Month,
        _ => Precision::Day,
    };
    let part = |text: Option<&str>| text.map_or(Some(1), |text| number(text, 2));
    let (month, day) = (i8::try_from(part(month)?).ok()?, i8::try_from(part(day)?).ok()?);
    Some((civil::Date::new(year, month, day).ok()?, precision))
}

/// A time of day, its precision and the digits of its fraction. A leap second counts as second 59.
fn clock(text: &str) -> Option<(civil::Time, Precision, u8)> {
    let mut parts = text.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let precision = match (minute, second) {
        (None, _) => Precision::Hour,
        (_, None) => Precision::Minute,
        _ => Precision::Second,
    };
    let (second, fraction) = match second.map(|text| text.split_once('.').ok_or(text)) {
        None => ("00", ""),
        Some(Err(whole)) => (whole, ""),
        Some(Ok((_, ""))) => return None,
        Some(Ok(parts)) => parts,
    };
    let digits = fraction.len().min(9);
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{:0<9}", &fraction[..digits]).parse().ok()?;
    let part = |text: &str| number(text, 2).and_then(|number| i8::try_from(number).ok());
    let second = part(second).filter(|second| *second <= 60)?.min(59);
    let time = civil::Time::new(part(hour)?, minute.map_or(Some(0), part)?, second, nanos).ok()?;
    Some((time, precision, u8::try_from(digits).ok()?))
}

fn offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, text) = text.split_at(1);
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    let offset = hours * 60 + minutes;
    (minutes < 60 && offset <= 14 * 60).then_some(if sign == "-" { -offset } else { offset })
}

/// As FHIR writes it.
pub(super) fn write(value: &Temporal) -> String {
    let at = value.at;
    let mut text = String::new();
    if value.kind != Kind::Time {
        text = format!("{:04}", at.year());
        if value.precision >= Precision::Month {
            text.push_str(&format!("-{:02}", at.month()));
        }
        if value.precision >= Precision::Day {
            text.push_str(&format!("-{:02}", at.day()));
        }
        if value.precision < Precision::Hour {
            return text;
        }
        text.push('T');
    }
    text.push_str(&format!("{:02}", at.hour()));
    if value.precision >= Precision::Minute {
        text.push_str(&format!(":{:02}", at.minute()));
    }
    if value.precision >= Precision::Second {
        text.push_str(&format!(":{:02}", at.second()));
    }
    if value.digits > 0 {
        let nanos = format!("{:09}", at.subsec_nanosecond());
        text.push('.');
        text.push_str(&nanos[..usize::from(value.digits)]);
    }
    match value.offset {
        None => {}
        Some(0) => text.push('Z'),
        Some(offset) => {
            let sign = if offset < 0 { '-' } else { '+' };
            text.push_str(&format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60));
        }
    }
    text
}
