//! `lowBoundary`, `highBoundary` and `precision` of dates and times.

use super::{Kind, OFFSETS, Precision, Temporal};

impl Temporal {
    /// Digits of the date and time that are given, without signs and offset.
    pub(in crate::fhirpath) fn digit_count(&self) -> i64 {
        let fraction = if self.digits > 0 { i64::from(self.digits) } else { 0 };
        let whole = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14,
        };
        let of_day = if self.kind == Kind::Time { 8 } else { 0 };
        whole + fraction - of_day
    }

    /// The first (`high`: the last) value that this one may mean, with so many digits; as many as the type has when
    /// not said. `None` when there is no precision with so many digits.
    pub(in crate::fhirpath) fn boundary(&self, digits: Option<i64>, high: bool) -> Option<Self> {
        let digits = digits.unwrap_or(match self.kind {
            Kind::Date => 8,
            Kind::DateTime => 17,
            Kind::Time => 9,
        });
        let of_day = if self.kind == Kind::Time { 8 } else { 0 };
        let precision = match digits + of_day {
            4 => Precision::Year,
            6 => Precision::Month,
            8 => Precision::Day,
            10 => Precision::Hour,
            12 => Precision::Minute,
            14 | 17 => Precision::Second,
            _ => return None,
        };
        let allowed = match self.kind {
            Kind::Date => precision <= Precision::Day,
            Kind::DateTime => true,
            Kind::Time => precision >= Precision::Hour,
        };
        if !allowed {
            return None;
        }
        let millis = digits + of_day == 17;
        let at = if high && precision > self.precision { self.last()? } else { self.at };
        let needs_offset =
            self.kind == Kind::DateTime && precision >= Precision::Hour && self.offset.is_none();
        let assumed = i16::try_from(if high { OFFSETS.0 } else { OFFSETS.1 }).ok();
        let offset = if needs_offset { assumed } else { self.offset };
        // What has no time has no offset.
        let offset = offset.filter(|_| precision >= Precision::Hour);
        Some(Self { precision, at, digits: if millis { 3 } else { 0 }, offset, ..*self })
    }
}
