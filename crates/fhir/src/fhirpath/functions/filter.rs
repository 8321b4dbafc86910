//! Filtering, projecting, subsetting and walking (FHIRPath N1, "filtering and projection", "subsetting", "tree
//! navigation"), with `iif`, `aggregate` and `trace`.

use super::super::ast::Ast;
use super::super::equality;
use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, Scope, boolean, integer, single};
use super::super::item::Item;
use super::{Invocation, Problem};

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    match call.name {
        "where" => selected(evaluator, &call, |item, found, criteria, keep| {
            if boolean(criteria.at, &found)? == Some(true) {
                keep.push(item.clone());
            }
            Ok(())
        }),
        "select" => selected(evaluator, &call, |_, found, _, keep| {
            keep.extend(found);
            Ok(())
        }),
        "repeat" => repeat(evaluator, &call),
        "aggregate" => aggregate(evaluator, &call),
        "iif" => iif(evaluator, &call),
        "children" => children(evaluator, &call, &call.focus),
        "descendants" => descendants(evaluator, &call),
        "single" => Ok(single(call.at, &call.focus)?.cloned().into_iter().collect()),
        "first" => Ok(call.focus.into_iter().take(1).collect()),
        "last" => Ok(call.focus.into_iter().next_back().into_iter().collect()),
        "tail" => Ok(call.focus.into_iter().skip(1).collect()),
        "skip" | "take" => {
            let Some(count) = call.args.first() else { return Ok(Vec::new()) };
            let count = evaluator.evaluate(count, call.scope)?;
            let Some(count) = integer(call.at, &count)? else { return Ok(Vec::new()) };
            let count = usize::try_from(count).unwrap_or(0);
            let items = call.focus.into_iter();
            Ok(if call.name == "skip" { items.skip(count).collect() } else { items.take(count).collect() })
        }
        // There is no log to write to: what passes through may be patient data.
        _ => Ok(call.focus),
    }
}

/// Evaluates an expression for one item.
pub(super) fn each<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    ast: &Ast,
    item: &Item<'d>,
    index: usize,
    scope: Scope<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let this = std::slice::from_ref(item);
    evaluator.evaluate(ast, Scope { this, index: i64::try_from(index).ok(), ..scope })
}

/// Evaluates the argument for each item, and lets `keep` decide what comes of it.
fn selected<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
    mut keep: impl FnMut(&Item<'d>, Collection<'d>, &Ast, &mut Collection<'d>) -> Result<(), PathError>,
) -> Result<Collection<'d>, PathError> {
    let mut kept = Vec::new();
    let Some(ast) = call.args.first() else { return Ok(kept) };
    for (index, item) in call.focus.iter().enumerate() {
        let found = each(evaluator, ast, item, index, call.scope)?;
        evaluator.spend(call.at, found.len())?;
        keep(item, found, ast, &mut kept)?;
    }
    Ok(kept)
}

/// What the projection finds, and finds in what it found, until nothing new comes.
fn repeat<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let mut all: Collection<'d> = Vec::new();
    let Some(ast) = call.args.first() else { return Ok(all) };
    let mut round = call.focus.clone();
    while !round.is_empty() {
        let mut next = Vec::new();
        for (index, item) in round.iter().enumerate() {
            for found in each(evaluator, ast, item, index, call.scope)? {
                if !equality::contains(evaluator, call.at, &all, &found)? {
                    all.push(found.clone());
                    next.push(found);
                }
            }
        }
        round = next;
    }
    Ok(all)
}

fn aggregate<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let mut total = match call.args.get(1) {
        Some(start) => evaluator.evaluate(start, call.scope)?,
        None => Vec::new(),
    };
    let Some(ast) = call.args.first() else { return Ok(total) };
    for (index, item) in call.focus.iter().enumerate() {
        total = each(evaluator, ast, item, index, Scope { total: &total, ..call.scope })?;
    }
    Ok(total)
}

/// Only the branch that is chosen is evaluated. `$this` is what `iif` was called on.
fn iif<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    single(call.at, &call.focus)?;
    let scope = Scope { this: &call.focus, ..call.scope };
    let [criterion, then, otherwise @ ..] = call.args else { return Ok(Vec::new()) };
    let holds = evaluator.evaluate(criterion, scope)?;
    if boolean(criterion.at, &holds)? == Some(true) {
        return evaluator.evaluate(then, scope);
    }
    match otherwise.first() {
        Some(otherwise) => evaluator.evaluate(otherwise, scope),
        None => Ok(Vec::new()),
    }
}

fn children<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
    of: &[Item<'d>],
) -> Result<Collection<'d>, PathError> {
    let mut found = Vec::new();
    for item in of {
        if let Item::Element(element) = item {
            element.children(None, &mut |child| found.push(Item::Element(child)));
        }
    }
    evaluator.spend(call.at, of.len() + found.len())?;
    Ok(found)
}

/// Children and their children, level by level. A tree has no cycles, so that nothing is found twice.
fn descendants<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let mut all = Vec::new();
    let mut level = children(evaluator, call, &call.focus)?;
    while !level.is_empty() {
        let next = children(evaluator, call, &level)?;
        all.extend(level);
        level = next;
    }
    if all.len() > evaluator.most_items() {
        return Err(call.fail(Problem::Limit("items of a collection")));
    }
    Ok(all)
}
