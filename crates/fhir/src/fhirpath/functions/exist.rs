//! Existence (FHIRPath N1, "existence") and `not`.

use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, boolean, one};
use super::super::item::{Item, System};
use super::super::operators::optional;
use super::{Invocation, Problem, filter};

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let focus = &call.focus;
    let answer = match call.name {
        "empty" => focus.is_empty(),
        "exists" => match call.args.first() {
            None => !focus.is_empty(),
            Some(criteria) => holding(evaluator, call, criteria, true)?,
        },
        "all" => match call.args.first() {
            None => true,
            Some(criteria) => !holding(evaluator, call, criteria, false)?,
        },
        "count" => {
            let count = i64::try_from(focus.len()).unwrap_or(i64::MAX);
            return Ok(one(System::Integer(count)));
        }
        "not" => return Ok(optional(boolean(call.at, focus)?.map(|value| System::Boolean(!value)))),
        "allTrue" => booleans(call)?.into_iter().all(|value| value),
        "anyTrue" => booleans(call)?.into_iter().any(|value| value),
        "allFalse" => booleans(call)?.into_iter().all(|value| !value),
        _ => booleans(call)?.into_iter().any(|value| !value),
    };
    Ok(one(System::Boolean(answer)))
}

/// Whether the criteria are `wanted` for any item; what is unknown counts as not true.
fn holding<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
    criteria: &super::Ast,
    wanted: bool,
) -> Result<bool, PathError> {
    for (index, item) in call.focus.iter().enumerate() {
        let found = filter::each(evaluator, criteria, item, index, call.scope)?;
        if boolean(criteria.at, &found)?.unwrap_or(false) == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn booleans(call: &Invocation<'_, '_>) -> Result<Vec<bool>, PathError> {
    let boolean = |item: &Item<'_>| match item.system().as_deref() {
        Some(System::Boolean(value)) => Ok(*value),
        _ => Err(call.fail(Problem::Operand("only booleans are true or false here"))),
    };
    call.focus.iter().map(boolean).collect()
}
