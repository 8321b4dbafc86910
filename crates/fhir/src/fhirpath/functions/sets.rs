//! Sets (FHIRPath N1, "subsetting" and "combining").

use super::super::equality;
use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, one};
use super::super::item::{Item, System};
use super::Invocation;

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let at = call.at;
    let other = match call.args.first() {
        Some(other) => evaluator.evaluate(other, call.scope)?,
        None => Vec::new(),
    };
    let focus = call.focus;
    match call.name {
        "union" => equality::union(evaluator, at, focus, other),
        "combine" => Ok(focus.into_iter().chain(other).collect()),
        "distinct" => equality::distinct(evaluator, at, focus),
        "isDistinct" => {
            let count = focus.len();
            let distinct = equality::distinct(evaluator, at, focus)?.len();
            Ok(one(System::Boolean(count == distinct)))
        }
        "intersect" => {
            let mut found = Vec::new();
            for item in equality::distinct(evaluator, at, focus)? {
                if equality::contains(evaluator, at, &other, &item)? {
                    found.push(item);
                }
            }
            Ok(found)
        }
        "exclude" => {
            let mut found = Vec::new();
            for item in focus {
                if !equality::contains(evaluator, at, &other, &item)? {
                    found.push(item);
                }
            }
            Ok(found)
        }
        "subsetOf" => within(evaluator, at, &focus, &other),
        _ => within(evaluator, at, &other, &focus),
    }
}

fn within<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: usize,
    inner: &[Item<'d>],
    outer: &[Item<'d>],
) -> Result<Collection<'d>, PathError> {
    for item in inner {
        if !equality::contains(evaluator, at, outer, item)? {
            return Ok(one(System::Boolean(false)));
        }
    }
    Ok(one(System::Boolean(true)))
}
