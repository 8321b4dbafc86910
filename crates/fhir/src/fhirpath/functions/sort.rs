//! `sort` (FHIRPath 3.0 ballot): by the items themselves, or by keys; a minus before a key turns its order.

use std::cmp::Ordering;

use super::super::ast::{Ast, Node};
use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, value};
use super::super::item::{Item, System};
use super::super::operators;
use super::{Invocation, filter};

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let mut keyed = Vec::with_capacity(call.focus.len());
    for (index, item) in call.focus.iter().enumerate() {
        keyed.push((keys(evaluator, call, item, index)?, item.clone()));
    }
    // Sorted by insertion, because a comparison can fail; each costs a step.
    let mut sorted: Vec<(Vec<Key<'d>>, Item<'d>)> = Vec::with_capacity(keyed.len());
    for (keys, item) in keyed {
        let (mut low, mut high) = (0, sorted.len());
        while low < high {
            let middle = (low + high) / 2;
            evaluator.spend(call.at, 1)?;
            if order(call.at, &sorted[middle].0, &keys)? == Ordering::Greater {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        sorted.insert(low, (keys, item));
    }
    Ok(sorted.into_iter().map(|(_, item)| item).collect())
}

/// What an item is sorted by, and whether downwards.
type Key<'d> = (Option<System<'d>>, bool);

fn keys<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
    item: &Item<'d>,
    index: usize,
) -> Result<Vec<Key<'d>>, PathError> {
    if call.args.is_empty() {
        let own = [item.clone()];
        return Ok(vec![(value(call.at, &own)?.map(|value| value.into_owned()), false)]);
    }
    let key = |evaluator: &mut Evaluator<'_, 'd>, ast: &Ast, downwards| {
        let found = filter::each(evaluator, ast, item, index, call.scope)?;
        Ok((value(ast.at, &found)?.map(|value| value.into_owned()), downwards))
    };
    let keys = call.args.iter().map(|arg| match &arg.node {
        Node::Minus(inner) => key(evaluator, inner, true),
        _ => key(evaluator, arg, false),
    });
    keys.collect()
}

/// Items without a key come last, downwards first.
fn order(at: usize, left: &[Key<'_>], right: &[Key<'_>]) -> Result<Ordering, PathError> {
    for ((left, downwards), (right, _)) in left.iter().zip(right) {
        let order = match (left, right) {
            (Some(left), Some(right)) => operators::order(at, left, right)?.unwrap_or(Ordering::Equal),
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        };
        if order != Ordering::Equal {
            return Ok(if *downwards { order.reverse() } else { order });
        }
    }
    Ok(Ordering::Equal)
}
