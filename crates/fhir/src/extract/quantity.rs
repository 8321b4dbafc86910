//! Numbers, and numbers with units.

use std::borrow::Cow;

use crate::decimal::{Decimal, SortKey};
use crate::index::{IndexValue, NumberRange};
use crate::json::Value;
use crate::ucum::{self, Unit};

const CURRENCIES: &str = "urn:iso:std:iso:4217";

/// A number, as a range of one.
pub(super) fn point(value: Value<'_>) -> Option<NumberRange> {
    let key = SortKey::of(value.number()?)?;
    Some(NumberRange { lo: key.clone(), hi: key })
}

/// `low` to `high`, each open when absent; nothing when both are.
pub(super) fn stretch(range: Value<'_>) -> Option<NumberRange> {
    let end = |name| SortKey::of(range.get(name)?.get("value")?.number()?);
    between(end("low"), end("high"))
}

fn between(low: Option<SortKey>, high: Option<SortKey>) -> Option<NumberRange> {
    (low.is_some() || high.is_some()).then(|| NumberRange {
        lo: low.unwrap_or_else(SortKey::minus_infinity),
        hi: high.unwrap_or_else(SortKey::plus_infinity),
    })
}

/// A Money, by its currency.
pub(super) fn money(value: Value<'_>) -> Option<IndexValue<'_>> {
    let range = point(value.get("value")?)?;
    let system = Some(Cow::Borrowed(CURRENCIES));
    Some(IndexValue::Quantity { system, code: text(value, "currency"), unit: None, range })
}

/// A Quantity or one of its kin: as written, and in canonical units if it has a UCUM code.
pub(super) fn quantity<'d>(value: Value<'d>) -> impl Iterator<Item = IndexValue<'d>> {
    let comparator = text(value, "comparator");
    let range = |number: SortKey| compared(number, comparator.as_deref());
    let number = value.get("value").and_then(Value::number).and_then(|text| Decimal::parse(text).ok());
    let written = number.as_ref().map(|number| as_written(value, range(number.sort_key())));
    let canonical = number.as_ref().zip(unit_of(value)).and_then(|(number, unit)| {
        let range = range(unit.canonical(number)?.sort_key());
        Some(IndexValue::Canonical { unit: Cow::Owned(unit.name().to_owned()), range })
    });
    written.into_iter().chain(canonical)
}

/// A Range: as written, with the unit of its first end; and in canonical units if its ends have UCUM codes that are
/// commensurable.
pub(super) fn range<'d>(value: Value<'d>) -> impl Iterator<Item = IndexValue<'d>> {
    let (low, high) = (value.get("low"), value.get("high"));
    let written = low.or(high).and_then(|of| Some(as_written(of, stretch(value)?)));
    let end = |end: Option<Value<'d>>| {
        let end = end?;
        let (unit, number) = (unit_of(end)?, Decimal::parse(end.get("value")?.number()?).ok()?);
        Some((unit.name().to_owned(), unit.canonical(&number)?.sort_key()))
    };
    let canonical = match (end(low), end(high)) {
        (Some((unit, low)), Some((other, high))) if unit == other => {
            between(Some(low), Some(high)).zip(Some(unit))
        }
        (Some((unit, low)), None) if high.is_none() => between(Some(low), None).zip(Some(unit)),
        (None, Some((unit, high))) if low.is_none() => between(None, Some(high)).zip(Some(unit)),
        _ => None,
    };
    let canonical = canonical.map(|(range, unit)| IndexValue::Canonical { unit: Cow::Owned(unit), range });
    written.into_iter().chain(canonical)
}

/// The range that a number with a comparator stands for.
fn compared(number: SortKey, comparator: Option<&str>) -> NumberRange {
    match comparator {
        Some("<") => NumberRange { lo: SortKey::minus_infinity(), hi: number.just_below() },
        Some("<=") => NumberRange { lo: SortKey::minus_infinity(), hi: number },
        Some(">=") => NumberRange { lo: number, hi: SortKey::plus_infinity() },
        Some(">") => NumberRange { lo: number.just_above(), hi: SortKey::plus_infinity() },
        _ => NumberRange { lo: number.clone(), hi: number },
    }
}

fn as_written<'d>(of: Value<'d>, range: NumberRange) -> IndexValue<'d> {
    IndexValue::Quantity { system: text(of, "system"), code: text(of, "code"), unit: text(of, "unit"), range }
}

fn unit_of(value: Value<'_>) -> Option<Unit> {
    if text(value, "system")? != ucum::SYSTEM {
        return None;
    }
    Unit::parse(&text(value, "code")?)
}

fn text<'d>(value: Value<'d>, name: &str) -> Option<Cow<'d, str>> {
    value.get(name).and_then(Value::text)
}
