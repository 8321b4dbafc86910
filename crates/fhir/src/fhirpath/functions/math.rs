//! Mathematics (FHIRPath N1, "math"). What has no result (the root of a negative number) is empty.

use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, integer, value};
use super::super::item::System;
use super::super::number::{Number, Towards};
use super::super::operators::{number, optional, whole};
use super::super::quantity::Quantity;
use super::{Invocation, Problem};

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let Some(focus) = value(call.at, &call.focus)? else { return Ok(Vec::new()) };
    let argument = match call.args.first() {
        Some(arg) => Some(evaluator.evaluate(arg, call.scope)?),
        None => None,
    };
    if let (System::Quantity(quantity), "abs") = (&*focus, call.name) {
        let value = quantity.value.absolute();
        return Ok(optional(Some(System::Quantity(Quantity { value, unit: quantity.unit.clone() }))));
    }
    let needs_number = || call.fail(Problem::Operand("a number is needed here"));
    let focus_number = number(&focus).ok_or_else(needs_number)?;
    let is_whole = matches!(&*focus, System::Integer(_));
    let to_whole = |towards| focus_number.with_places(0, towards).and_then(Number::integer).and_then(whole);
    let result = match call.name {
        "abs" if is_whole => focus_number.absolute().integer().and_then(whole),
        "abs" => Some(System::Decimal(focus_number.absolute())),
        "ceiling" => to_whole(Towards::Up),
        "floor" => to_whole(Towards::Down),
        "truncate" => to_whole(Towards::Zero),
        "round" => {
            let places = match &argument {
                Some(argument) => integer(call.at, argument)?,
                None => Some(0),
            };
            let Some(places) = places else { return Ok(Vec::new()) };
            let negative = |_| call.fail(Problem::Operand("a number cannot have less than no places"));
            let places = u32::try_from(places).map_err(negative)?;
            let rounded = focus_number.with_places(places.min(focus_number.places()), Towards::Nearest);
            rounded.map(System::Decimal)
        }
        "sqrt" => focus_number.root().map(System::Decimal),
        "exp" => nearest(focus_number.approximately().exp()),
        "ln" => nearest(focus_number.approximately().ln()),
        name => {
            let Some(argument) = value(call.at, argument.as_deref().unwrap_or_default())? else {
                return Ok(Vec::new());
            };
            let argument_number = number(&argument).ok_or_else(needs_number)?;
            if name == "log" {
                nearest(focus_number.approximately().ln() / argument_number.approximately().ln())
            } else {
                power(focus_number, argument_number, is_whole && matches!(&*argument, System::Integer(_)))
            }
        }
    };
    Ok(optional(result))
}

fn nearest<'d>(value: f64) -> Option<System<'d>> {
    Number::nearest(value).map(System::Decimal)
}

/// Whole exponents exactly, others by floating point.
fn power<'d>(base: Number, exponent: Number, is_whole: bool) -> Option<System<'d>> {
    match exponent.integer() {
        Some(exponent) => {
            let power = base.power(exponent)?;
            match power.integer().filter(|_| is_whole) {
                Some(integer) => whole(integer),
                None => Some(System::Decimal(power)),
            }
        }
        None => nearest(base.approximately().powf(exponent.approximately())),
    }
}
