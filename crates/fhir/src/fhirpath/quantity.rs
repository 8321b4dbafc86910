//! Quantities: a number with a unit of UCUM or of the calendar (FHIRPath N1, "quantity", "time-valued quantities").

use std::cmp::Ordering;
use std::fmt;

use super::number::{Number, Towards};
use super::units::{self, Canonical};

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

    /// In base units. `loosely`: a year of the calendar is one of UCUM.
    fn canonical(&self, loosely: bool) -> Option<Canonical> {
        match self {
            Self::Other(_) => None,
            Self::Calendar(Calendar::Year | Calendar::Month) if !loosely => None,
            _ => units::canonical(self.code()),
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
        if left.powers != right.powers {
            return None;
        }
        // In the unit of the left one: its number stays as precise as it was written.
        let right_in_left = other.value.times(right.numerator)?.times(left.denominator)?;
        Some((self.value, right_in_left.over(right.denominator.times(left.numerator)?)?))
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
        (left.powers != right.powers).then_some(false)
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
