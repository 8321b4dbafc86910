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
    merge(tree, patch);
    Ok(())
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
