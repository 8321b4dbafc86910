//! Equality and equivalence, and the sets built on them (FHIRPath N1, "equality").

use std::borrow::Cow;
use std::collections::HashMap;

use super::error::{At, PathError};
use super::evaluate::{Collection, Evaluator};
use super::item::{Item, System};
use super::number::Number;
use super::operators::{number, quantity};
use super::quantity;
use crate::decimal::SortKey;
use crate::json::{Kind, Value};

/// `=` of collections: `None` when one is empty, or when it cannot be known.
pub(super) fn equal<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    left: &Collection<'d>,
    right: &Collection<'d>,
) -> Result<Option<bool>, PathError> {
    if left.is_empty() || right.is_empty() {
        return Ok(None);
    }
    if left.len() != right.len() {
        return Ok(Some(false));
    }
    let mut known = true;
    for (left, right) in left.iter().zip(right) {
        match items_equal(evaluator, at, left, right)? {
            Some(false) => return Ok(Some(false)),
            Some(true) => {}
            None => known = false,
        }
    }
    Ok(known.then_some(true))
}

/// `~` of collections: the order does not count.
pub(super) fn equivalent<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    left: &Collection<'d>,
    right: &Collection<'d>,
) -> Result<bool, PathError> {
    if left.len() != right.len() {
        return Ok(false);
    }
    let mut rest: Vec<&Item<'d>> = right.iter().collect();
    for item in left {
        let mut found = None;
        for (position, other) in rest.iter().enumerate() {
            evaluator.spend(at, cost(item))?;
            if items_equivalent(item, other) {
                found = Some(position);
                break;
            }
        }
        match found {
            Some(position) => rest.swap_remove(position),
            None => return Ok(false),
        };
    }
    Ok(true)
}

/// Whether an item equals one of a collection.
pub(super) fn contains<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    collection: &[Item<'d>],
    item: &Item<'d>,
) -> Result<bool, PathError> {
    for other in collection {
        if items_equal(evaluator, at, other, item)? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Each item once, in the order of their first.
pub(super) fn distinct<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    items: Collection<'d>,
) -> Result<Collection<'d>, PathError> {
    let mut found: Collection<'d> = Vec::new();
    for item in items {
        if !contains(evaluator, at, &found, &item)? {
            found.push(item);
        }
    }
    Ok(found)
}

/// What is in one or the other, each once.
pub(super) fn union<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    mut left: Collection<'d>,
    right: Collection<'d>,
) -> Result<Collection<'d>, PathError> {
    left.extend(right);
    distinct(evaluator, at, left)
}

/// What a comparison with an item costs: elements are compared with all that is in them.
fn cost(item: &Item<'_>) -> usize {
    let value = item.element().and_then(super::item::Element::value);
    1 + value.map_or(0, |value| value.raw().len() / 64)
}

fn items_equal<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    left: &Item<'d>,
    right: &Item<'d>,
) -> Result<Option<bool>, PathError> {
    evaluator.spend(at, cost(left))?;
    if let (Some(left), Some(right)) = (left.system(), right.system()) {
        return Ok(values_equal(&left, &right));
    }
    Ok(Some(elements_match(left, right, Match::Equal)))
}

fn items_equivalent(left: &Item<'_>, right: &Item<'_>) -> bool {
    match (left.system(), right.system()) {
        (Some(left), Some(right)) => values_equivalent(&left, &right),
        _ => elements_match(left, right, Match::Equivalent),
    }
}

fn values_equal(left: &System<'_>, right: &System<'_>) -> Option<bool> {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Some(left.order(right).is_eq());
    }
    match (left, right) {
        (System::Boolean(left), System::Boolean(right)) => Some(left == right),
        (System::Text(left), System::Text(right)) => Some(left == right),
        (System::Temporal(left), System::Temporal(right)) => left.equal(right),
        (System::Type(namespace, name), System::Type(other, other_name)) => {
            Some(namespace == other && name == other_name)
        }
        _ => match (quantity(left), quantity(right)) {
            (Some(left), Some(right)) => left.equal(&right),
            _ => Some(false),
        },
    }
}

fn values_equivalent(left: &System<'_>, right: &System<'_>) -> bool {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return quantity::equivalent(left, right);
    }
    match (left, right) {
        (System::Text(left), System::Text(right)) => normalized(left) == normalized(right),
        (System::Quantity(_), _) | (_, System::Quantity(_)) => match (quantity(left), quantity(right)) {
            (Some(left), Some(right)) => left.equivalent(&right),
            _ => false,
        },
        _ => values_equal(left, right) == Some(true),
    }
}

/// Without case, and with white space as single spaces.
fn normalized(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Equal,
    Equivalent,
}

/// Elements match when they are of one type and everything in them matches.
fn elements_match(left: &Item<'_>, right: &Item<'_>, by: Match) -> bool {
    let (Some(left), Some(right)) = (left.element(), right.element()) else { return false };
    if left.definition().name != right.definition().name {
        return false;
    }
    let pairs = [(left.value(), right.value()), (left.extra(), right.extra())];
    pairs.into_iter().all(|pair| match pair {
        (None, None) => true,
        (Some(left), Some(right)) => json_matches(left, right, by),
        _ => false,
    })
}

/// Recurses as deep as the documents are nested, which the reader bounds.
fn json_matches(left: Value<'_>, right: Value<'_>, by: Match) -> bool {
    if left.kind() != right.kind() {
        return false;
    }
    match left.kind() {
        Kind::Null => true,
        Kind::Bool => left.raw() == right.raw(),
        Kind::Number => numbers_match(left.raw(), right.raw(), by),
        Kind::String => match (left.text(), right.text()) {
            (Some(left), Some(right)) if by == Match::Equivalent => normalized(&left) == normalized(&right),
            (left, right) => left == right,
        },
        Kind::Array => arrays_match(left, right, by),
        Kind::Object => {
            let others: HashMap<Cow<'_, str>, Value<'_>> =
                right.members().filter_map(|member| Some((member.key()?, member))).collect();
            let mut count = 0;
            let all = left.members().all(|member| {
                count += 1;
                let other = member.key().and_then(|key| others.get(&key).copied());
                other.is_some_and(|other| json_matches(member, other, by))
            });
            all && count == others.len()
        }
    }
}

fn arrays_match(left: Value<'_>, right: Value<'_>, by: Match) -> bool {
    if left.elements().count() != right.elements().count() {
        return false;
    }
    if by == Match::Equal {
        return left.elements().zip(right.elements()).all(|(left, right)| json_matches(left, right, by));
    }
    let mut rest: Vec<Value<'_>> = right.elements().collect();
    left.elements().all(|item| {
        let found = rest.iter().position(|other| json_matches(item, *other, by));
        found.map(|position| rest.swap_remove(position)).is_some()
    })
}

fn numbers_match(left: &str, right: &str, by: Match) -> bool {
    match (by, Number::parse(left), Number::parse(right)) {
        (Match::Equivalent, Some(left), Some(right)) => quantity::equivalent(left, right),
        _ => left == right || SortKey::of(left).is_some_and(|key| SortKey::of(right) == Some(key)),
    }
}
