//! Conversions (FHIRPath N1, "conversion"): `toX` answers nothing where `convertsToX` says no.

use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, one, single, text};
use super::super::item::{Item, System};
use super::super::number::Number;
use super::super::operators::{optional, whole};
use super::super::quantity::{Quantity, Unit};
use super::super::temporal::{Kind, Precision, Temporal};
use super::Invocation;

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let Some(item) = single(call.at, &call.focus)? else { return Ok(Vec::new()) };
    let unit = match call.args.first() {
        Some(arg) => text(arg.at, &evaluator.evaluate(arg, call.scope)?)?,
        None => None,
    };
    let (asks, target) = match call.name.strip_prefix("convertsTo") {
        Some(target) => (true, target),
        None => (false, call.name.trim_start_matches("to")),
    };
    let converted = item.system().and_then(|value| convert(&value, target, unit.as_deref()));
    if asks {
        return Ok(one(System::Boolean(converted.is_some())));
    }
    Ok(optional(converted))
}

fn convert<'d>(value: &System<'_>, target: &str, unit: Option<&str>) -> Option<System<'d>> {
    match target {
        "Boolean" => boolean(value).map(System::Boolean),
        "Integer" => match value {
            System::Integer(value) => Some(System::Integer(*value)),
            System::Boolean(value) => Some(System::Integer(i64::from(*value))),
            System::Text(text) if is_whole(text) => whole(text.trim_start_matches('+').parse().ok()?),
            _ => None,
        },
        "Decimal" => decimal(value).map(System::Decimal),
        "String" => written(value).map(|text| System::Text(text.into())),
        "Date" | "DateTime" | "Time" => temporal(value, target).map(System::Temporal),
        _ => quantity(value, unit).map(System::Quantity),
    }
}

fn boolean(value: &System<'_>) -> Option<bool> {
    let of_number = |number: Number| match number.integer() {
        Some(1) => Some(true),
        Some(0) => Some(false),
        _ => None,
    };
    match value {
        System::Boolean(value) => Some(*value),
        System::Integer(value) => of_number(Number::from(*value)),
        System::Decimal(value) => of_number(*value),
        System::Text(text) => match text.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn decimal(value: &System<'_>) -> Option<Number> {
    match value {
        System::Integer(value) => Some(Number::from(*value)),
        System::Decimal(value) => Some(*value),
        System::Boolean(value) => Number::parse(if *value { "1.0" } else { "0.0" }),
        System::Text(text) if !text.contains(['e', 'E']) => Number::parse(text),
        _ => None,
    }
}

/// As `toString()` writes it.
pub(super) fn written(value: &System<'_>) -> Option<String> {
    Some(match value {
        System::Boolean(value) => value.to_string(),
        System::Integer(value) => value.to_string(),
        System::Decimal(value) => value.to_string(),
        System::Text(text) => text.clone().into_owned(),
        System::Temporal(value) => value.to_string(),
        System::Quantity(value) => value.to_string(),
        System::Type(..) => return None,
    })
}

fn temporal(value: &System<'_>, target: &str) -> Option<Temporal> {
    let (kind, read): (Kind, fn(&str) -> Option<Temporal>) = match target {
        "Date" => (Kind::Date, Temporal::date),
        "DateTime" => (Kind::DateTime, Temporal::date_time),
        _ => (Kind::Time, Temporal::time),
    };
    match value {
        System::Text(text) => read(text),
        System::Temporal(value) if value.kind == kind => Some(*value),
        System::Temporal(value) if value.kind == Kind::Date && kind == Kind::DateTime => {
            Some(Temporal { kind, ..*value })
        }
        System::Temporal(value) if value.kind == Kind::DateTime && kind == Kind::Date => {
            let at = value.at.date().to_datetime(jiff::civil::Time::midnight());
            let precision = value.precision.min(Precision::Day);
            Some(Temporal { kind, precision, at, digits: 0, offset: None })
        }
        _ => None,
    }
}

fn quantity(value: &System<'_>, unit: Option<&str>) -> Option<Quantity> {
    let quantity = match value {
        System::Quantity(value) => value.clone(),
        System::Text(text) => quantity_of(text)?,
        other => Quantity { value: decimal(other)?, unit: Unit::ucum("1") },
    };
    let Some(unit) = unit else { return Some(quantity) };
    let wanted = Quantity { value: Number::from(1), unit: Unit::ucum(unit) };
    let (_, value) = wanted.aligned(&quantity, false)?;
    Some(Quantity { value, unit: wanted.unit })
}

/// `4 days`, `1 'wk'`, `1.5`
fn quantity_of(text: &str) -> Option<Quantity> {
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let value = Number::parse(number)?;
    let rest = rest.trim();
    let unit = match rest.strip_prefix('\'').map(|rest| rest.strip_suffix('\'')) {
        _ if rest.is_empty() => Unit::ucum("1"),
        Some(code) => Unit::ucum(code.filter(|code| !code.is_empty() && !code.contains('\''))?),
        None => Unit::calendar(rest)?,
    };
    Some(Quantity { value, unit })
}

/// The text of an item, if it has one.
pub(super) fn item_text(item: &Item<'_>) -> Option<String> {
    match item.system().as_deref() {
        Some(System::Text(text)) => Some(text.clone().into_owned()),
        _ => None,
    }
}
