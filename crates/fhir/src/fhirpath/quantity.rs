//! Quantities: a number with a unit of UCUM or of the calendar (FHIRPath N1, "quantity", "time-valued quantities").

use std::cmp::Ordering;
use std::fmt;

use super::number::{Number, Towards};
use crate::ucum;

/// Digits that a number keeps when it is written in another unit. Factors have 24: the rest swallows their rounding, so
/// that 60 per minute is exactly 1 per second.
const CONVERTED_DIGITS: u32 = 22;

/// A quantity.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// How many.
    pub value: Number,
    /// Of what.
    pub unit: Unit,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// A code of UCUM; `1` for none.
    Ucum(String),
    /// A word for a stretch of time.
    Calendar(Calendar),
    /// A unit of another system: it equals itself alone.
    Other(String),
}

/// Words for stretches of time. Years and months of the calendar have no fixed length, unlike those of UCUM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Calendar {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

const CALENDAR: [(Calendar, &str, &str); 8] = [
    (Calendar::Year, "year", "a"),
    (Calendar::Month, "month", "mo"),
    (Calendar::Week, "week", "wk"),
    (Calendar::Day, "day", "d"),
    (Calendar::Hour, "hour", "h"),
    (Calendar::Minute, "minute", "min"),
    (Calendar::Second, "second", "s"),
    (Calendar::Millisecond, "millisecond", "ms"),
];

impl Calendar {
    fn row(self) -> &'static (Calendar, &'static str, &'static str) {
        // One row for each variant, in their order.
        &CALENDAR[self as usize]
    }

    /// The word, singular.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().1
    }

    fn ucum(self) -> &'static str {
        self.row().2
    }
}

impl Unit {
    /// A quoted unit: of UCUM, but a quoted word of the calendar is that word.
    #[must_use]
    pub fn ucum(code: &str) -> Self {
        Self::calendar(code).unwrap_or_else(|| Self::Ucum(code.to_owned()))
    }

    /// A word of the calendar, singular or plural.
    #[must_use]
    pub fn calendar(word: &str) -> Option<Self> {
        let singular = word.strip_suffix('s').unwrap_or(word);
        CALENDAR.iter().find(|(_, name, _)| *name == singular).map(|(unit, ..)| Self::Calendar(*unit))
    }

    /// The stretch of time that is added to a date: of UCUM only those that the calendar knows exactly.
    pub(super) fn stretch(&self) -> Option<Calendar> {
        match self {
            Self::Calendar(unit) => Some(*unit),
            Self::Ucum(code) => {
                let (unit, ..) = CALENDAR.iter().find(|(_, _, ucum)| ucum == code)?;
                (*unit > Calendar::Month).then_some(*unit)
            }
            Self::Other(_) => None,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Ucum(code) | Self::Other(code) => code,
            Self::Calendar(unit) => unit.ucum(),
        }
    }

    /// As UCUM has it. `loosely`: a year of the calendar is one of UCUM.
    fn canonical(&self, loosely: bool) -> Option<ucum::Unit> {
        match self {
            Self::Other(_) => None,
            Self::Calendar(Calendar::Year | Calendar::Month) if !loosely => None,
            _ => ucum::Unit::parse(self.code()),
        }
    }
}

impl Quantity {
    /// The numbers of both in one unit; `None` when the units cannot be compared.
    pub(super) fn aligned(&self, other: &Self, loosely: bool) -> Option<(Number, Number)> {
        if self.unit == other.unit {
            return Some((self.value, other.value));
        }
        if let (Unit::Calendar(left), Unit::Calendar(right)) = (&self.unit, &other.unit) {
            let months = |unit: Calendar, value: Number| match unit {
                Calendar::Year => value.times(Number::from(12)),
                Calendar::Month => Some(value),
                _ => None,
            };
            if let (Some(left), Some(right)) = (months(*left, self.value), months(*right, other.value)) {
                return Some((left, right));
            }
        }
        let (left, right) = (self.unit.canonical(loosely)?, other.unit.canonical(loosely)?);
        // In the unit of the left one: its number stays as precise as it was written.
        Some((self.value, converted(other.value, &right, &left)?))
    }

    /// The order of two quantities; `None` when they cannot be compared.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        self.aligned(other, false).map(|(left, right)| left.order(right))
    }

    /// Whether both measure the same; `None` when nobody can say: other systems, or calendars against UCUM.
    pub(super) fn equal(&self, other: &Self) -> Option<bool> {
        if let Some(order) = self.order(other) {
            return Some(order == Ordering::Equal);
        }
        let (left, right) = (self.unit.canonical(false)?, other.unit.canonical(false)?);
        // Units of different dimensions are never equal.
        (left.name() != right.name()).then_some(false)
    }

    /// Whether the units have the same dimension.
    pub(super) fn comparable(&self, other: &Self) -> bool {
        self.aligned(other, false).is_some()
    }

    /// Whether both are the same at the precision of the less precise.
    pub(super) fn equivalent(&self, other: &Self) -> bool {
        self.aligned(other, true).is_some_and(|(left, right)| equivalent(left, right))
    }

    /// Sum or difference, in the unit of this one.
    pub(super) fn plus(&self, other: &Self, negative: bool) -> Option<Self> {
        let (left, right) = self.aligned(other, false)?;
        let value = if negative { left.minus(right) } else { left.plus(right) }?;
        Some(Self { value, unit: self.unit.clone() })
    }

    /// Product or quotient, with the product or quotient of the units.
    pub(super) fn times(&self, other: &Self, over: bool) -> Option<Self> {
        let value = if over { self.value.over(other.value) } else { self.value.times(other.value) }?;
        let (left, right) = (self.unit.code(), other.unit.code());
        let unit = match (left, right, over) {
            (left, "1", _) => left.to_owned(),
            ("1", right, false) => right.to_owned(),
            (left, right, true) if left == right => "1".to_owned(),
            (left, right, _) => {
                let sign = if over { '/' } else { '.' };
                let right = if right.contains(['.', '/']) { format!("({right})") } else { right.to_owned() };
                format!("{left}{sign}{right}")
            }
        };
        Some(Self { value, unit: Unit::Ucum(unit) })
    }
}

/// A number of one unit as a number of another; `None` when the two measure different things, or it would be too long.
fn converted(number: Number, from: &ucum::Unit, to: &ucum::Unit) -> Option<Number> {
    if from.name() != to.name() {
        return None;
    }
    let ((from, from_power), (to, to_power)) = (from.ratio()?, to.ratio()?);
    let ((from, from_leading), (to, to_leading)) = (Number::leading(from)?, Number::leading(to)?);
    let power = i64::from(from_power) + i64::from(from_leading) - i64::from(to_power) - i64::from(to_leading);
    number.times(from)?.over(to)?.shifted(i32::try_from(power).ok()?)?.rounded(CONVERTED_DIGITS)
}

/// `~` of numbers: equal when both are rounded to the places of the less precise one (zeros at the end do not count).
pub(super) fn equivalent(left: Number, right: Number) -> bool {
    let (left, right) = (left.trimmed(), right.trimmed());
    let places = left.places().min(right.places());
    let round = |number: Number| number.with_places(places, Towards::Nearest);
    match (round(left), round(right)) {
        (Some(left), Some(right)) => left.order(right) == Ordering::Equal,
        _ => false,
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Unit::Ucum(code) | Unit::Other(code) => write!(formatter, "{} '{code}'", self.value),
            Unit::Calendar(unit) => {
                let plural = if self.value.order(Number::from(1)) == Ordering::Equal { "" } else { "s" };
                write!(formatter, "{} {}{plural}", self.value, unit.word())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(number: &str, unit: &str) -> Quantity {
        Quantity { value: Number::parse(number).unwrap(), unit: Unit::ucum(unit) }
    }

    #[test]
    fn numbers_in_other_units() {
        for (from, to, expected) in [
            ("1 g", "mg", Some("1000")),
            ("1 mmol/L", "umol/mL", Some("1")),
            ("1 cm.m", "m2", Some("0.01")),
            ("1 [in_i]", "cm", Some("2.54")),
            ("1 [lb_av]", "kg", Some("0.45359237")),
            ("1 mm[Hg]", "Pa", Some("133.322")),
            ("1 10*3/uL", "10*9/L", Some("1")),
            ("1 wk", "d", Some("7")),
            ("86400 s", "d", Some("1")),
            ("60 /min", "Hz", Some("1")),
            ("1 /min", "s-1", Some("0.01666666666666666666667")),
            ("1 kcal", "J", Some("4184")),
            ("1 m/m", "1", Some("1")),
            ("1 {cells}/uL", "/uL", Some("1")),
            ("-120.50 U/L", "ukat/L", Some("-2.008333333333333333333")),
            ("123456789012345 s-1", "/min", Some("7407407340740700")),
            ("1 Ym", "ym", None),
            ("1 kg/m2", "mol/L", None),
            ("1 Cel", "K", None),
            ("1 kmin", "s", None),
        ] {
            let (number, unit) = from.split_once(' ').unwrap();
            let found = quantity("1", to).aligned(&quantity(number, unit), false);
            assert_eq!(found.map(|(_, value)| value.to_string()).as_deref(), expected, "{from} in {to}");
        }
        assert_eq!(quantity("60", "/min").equal(&quantity("1", "Hz")), Some(true));
        assert_eq!(quantity("1", "g").equal(&quantity("1", "m")), Some(false));
        assert_eq!(quantity("37", "Cel").equal(&quantity("310.15", "K")), None);
    }
}
