//! `lowBoundary`, `highBoundary`, `precision`, `comparable` (FHIRPath 2.1 and R5): what a value may mean by its
//! precision.

use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, integer, one, value};
use super::super::item::System;
use super::super::number::{Number, Towards};
use super::super::operators::{number, optional, quantity};
use super::super::quantity::Quantity;
use super::{Invocation, Problem};

/// Places after the point of a boundary when none are asked for.
const PLACES: i64 = 8;
/// Places that may be asked for at most.
const MOST_PLACES: i64 = 31;

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let Some(focus) = value(call.at, &call.focus)? else { return Ok(Vec::new()) };
    let argument = match call.args.first() {
        Some(arg) => evaluator.evaluate(arg, call.scope)?,
        None => Vec::new(),
    };
    let wrong = || call.fail(Problem::Operand("a number, a date, a time or a quantity is needed here"));
    match call.name {
        "comparable" => {
            let Some(other) = value(call.at, &argument)? else { return Ok(Vec::new()) };
            let (Some(left), Some(right)) = (quantity(&focus), quantity(&other)) else { return Err(wrong()) };
            Ok(one(System::Boolean(left.comparable(&right))))
        }
        "precision" => {
            let digits = match &*focus {
                System::Temporal(value) => value.digit_count(),
                other => i64::from(number(other).ok_or_else(wrong)?.places()),
            };
            Ok(one(System::Integer(digits)))
        }
        name => {
            let precision = integer(call.at, &argument)?;
            let high = name == "highBoundary";
            let found = match &*focus {
                System::Temporal(value) => value.boundary(precision, high).map(System::Temporal),
                System::Quantity(quantity) => {
                    let value = boundary(quantity.value, precision, high);
                    value.map(|value| System::Quantity(Quantity { value, unit: quantity.unit.clone() }))
                }
                other => boundary(number(other).ok_or_else(wrong)?, precision, high).map(System::Decimal),
            };
            Ok(optional(found))
        }
    }
}

/// Half a unit of the last place below or above, cut to so many places, away from the number.
fn boundary(value: Number, places: Option<i64>, high: bool) -> Option<Number> {
    let places = places.unwrap_or(PLACES);
    let places = u32::try_from(places).ok().filter(|_| places <= MOST_PLACES)?;
    let half = Number::parse(&format!("5e-{}", value.places() + 1))?;
    if high {
        value.plus(half)?.with_places(places, Towards::Up)
    } else {
        value.minus(half)?.with_places(places, Towards::Down)
    }
}
