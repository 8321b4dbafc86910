//! JSON Patch (RFC 6902).

use std::borrow::Cow;

use super::pointer;
use super::tree::Tree;
use super::{Bounds, PatchError, PatchProblem};
use crate::json::{Kind, Value};

/// Applies all operations of a patch, in their order.
pub(super) fn apply(tree: &mut Tree, patch: Value<'_>, bounds: &Bounds) -> Result<(), PatchError> {
    if patch.kind() != Kind::Array {
        return Err(PatchError::whole(PatchProblem::Form("a JSON Patch is an array of operations")));
    }
    if patch.elements().nth(bounds.operations).is_some() {
        return Err(PatchError::whole(PatchProblem::Limit("operations")));
    }
    let mut budget = Budget { room: bounds.bytes.saturating_sub(tree.size()), work: bounds.work };
    for (position, operation) in patch.elements().enumerate() {
        one(tree, operation, bounds, &mut budget)
            .map_err(|problem| PatchError { operation: Some(position), problem })?;
    }
    Ok(())
}

/// What the operations to come may cost.
struct Budget {
    /// Bytes that may still be added.
    room: usize,
    /// Bytes that may still be moved.
    work: usize,
}

fn one(
    tree: &mut Tree,
    operation: Value<'_>,
    bounds: &Bounds,
    budget: &mut Budget,
) -> Result<(), PatchProblem> {
    if operation.kind() != Kind::Object {
        return Err(PatchProblem::Form("an operation is an object with op and path"));
    }
    let text =
        |name: &'static str| operation.get(name).and_then(Value::text).ok_or(PatchProblem::Missing(name));
    let path = || pointer::tokens(&text("path")?);
    let value = || operation.get("value").map(Tree::of).ok_or(PatchProblem::Missing("value"));
    let from = || {
        let from: Cow<'_, str> = text("from")?;
        pointer::tokens(&from)
    };
    let check_depth = |path: &[String], value: &Tree| {
        let is_deep = path.len() + value.depth() > bounds.depth;
        if is_deep { Err(PatchProblem::Limit("nesting")) } else { Ok(()) }
    };
    let mut spend = |path: &[String], value: &Tree| {
        budget.room = budget.room.checked_sub(value.size()).ok_or(PatchProblem::Limit("size"))?;
        check_depth(path, value)
    };
    match &*text("op")? {
        "add" => {
            let (path, value) = (path()?, value()?);
            spend(&path, &value)?;
            add(tree, &path, value)
        }
        "remove" => remove(tree, &path()?).map(|_| ()),
        "replace" => {
            let (path, value) = (path()?, value()?);
            spend(&path, &value)?;
            *find(tree, &path)? = value;
            Ok(())
        }
        "move" => {
            let (from, path) = (from()?, path()?);
            if path.len() > from.len() && path.starts_with(&from) {
                return Err(PatchProblem::Impossible("nothing can be moved into itself"));
            }
            if path == from {
                return find(tree, &path).map(|_| ());
            }
            let value = remove(tree, &from)?;
            budget.work = budget.work.checked_sub(value.size()).ok_or(PatchProblem::Limit("work"))?;
            check_depth(&path, &value)?;
            add(tree, &path, value)
        }
        "copy" => {
            let (from, path) = (from()?, path()?);
            let value = find(tree, &from)?;
            spend(&path, value)?;
            let value = value.clone();
            add(tree, &path, value)
        }
        "test" => {
            let (path, value) = (path()?, value()?);
            if find(tree, &path)?.equals(&value) { Ok(()) } else { Err(PatchProblem::Test) }
        }
        _ => Err(PatchProblem::Form("op is one of add, remove, replace, move, copy and test")),
    }
}

fn find<'t>(tree: &'t mut Tree, path: &[String]) -> Result<&'t mut Tree, PatchProblem> {
    path.iter().try_fold(tree, |tree, token| match tree {
        Tree::Array(items) => items.get_mut(pointer::index(token)?).ok_or(PatchProblem::Nothing),
        tree => tree.get_mut(token).ok_or(PatchProblem::Nothing),
    })
}

fn add(tree: &mut Tree, path: &[String], value: Tree) -> Result<(), PatchProblem> {
    let Some((last, parent)) = path.split_last() else {
        *tree = value;
        return Ok(());
    };
    match find(tree, parent)? {
        Tree::Array(items) => {
            let index = if last == "-" { items.len() } else { pointer::index(last)? };
            if index > items.len() {
                return Err(PatchProblem::Index);
            }
            items.insert(index, value);
            Ok(())
        }
        object @ Tree::Object(_) => {
            object.set(last, value);
            Ok(())
        }
        Tree::Scalar(_) => Err(PatchProblem::Nothing),
    }
}

fn remove(tree: &mut Tree, path: &[String]) -> Result<Tree, PatchProblem> {
    let Some((last, parent)) = path.split_last() else {
        return Err(PatchProblem::Impossible("a patch cannot remove the whole resource; delete it"));
    };
    match find(tree, parent)? {
        Tree::Array(items) => {
            let index = pointer::index(last)?;
            if index < items.len() { Ok(items.remove(index)) } else { Err(PatchProblem::Nothing) }
        }
        object => object.take(last).ok_or(PatchProblem::Nothing),
    }
}
