//! JSON Merge Patch (RFC 7386).

use super::tree::Tree;
use super::{Bounds, PatchError, PatchProblem};
use crate::json::{Kind, Value};

/// Merges a patch into a resource.
pub(super) fn apply(tree: &mut Tree, patch: Value<'_>, bounds: &Bounds) -> Result<(), PatchError> {
    if patch.kind() != Kind::Object {
        return Err(PatchError::whole(PatchProblem::Form("a merge patch for a resource is an object")));
    }
    let patch = Tree::of(patch);
    if tree.size() + patch.size() > bounds.bytes {
        return Err(PatchError::whole(PatchProblem::Limit("size")));
    }
    check_members(&patch, bounds).map_err(PatchError::whole)?;
    merge(tree, patch);
    Ok(())
}

/// Members are looked for one by one; no resource has so many.
fn check_members(patch: &Tree, bounds: &Bounds) -> Result<(), PatchProblem> {
    match patch {
        Tree::Object(members) if members.len() > bounds.operations => Err(PatchProblem::Limit("members")),
        Tree::Object(members) => members.iter().try_for_each(|(_, value)| check_members(value, bounds)),
        Tree::Array(_) | Tree::Scalar(_) => Ok(()),
    }
}

/// Recurses as deep as the patch is nested, which its reader bounds; the result is no deeper than the deeper of both.
fn merge(tree: &mut Tree, patch: Tree) {
    let Tree::Object(members) = patch else {
        *tree = patch;
        return;
    };
    if !matches!(tree, Tree::Object(_)) {
        *tree = Tree::Object(Vec::new());
    }
    for (name, value) in members {
        if value.is_null() {
            tree.take(&name);
        } else if let Some(own) = tree.get_mut(&name) {
            merge(own, value);
        } else {
            // What is new must lose its nulls too.
            let mut own = Tree::Object(Vec::new());
            merge(&mut own, value);
            tree.set(&name, own);
        }
    }
}
