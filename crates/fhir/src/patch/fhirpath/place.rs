//! Where elements are in the JSON of a resource: members and items of arrays, and for primitives the member beside them
//! that has their extensions.

use super::value::NewValue;
use super::{PatchProblem, Selected};
use crate::definitions::{TypeDef, TypeKind, r4};
use crate::fhirpath::Step;
use crate::json::Value;
use crate::patch::tree::{Down, Tree};

/// The object that an element's own elements are members of: the element itself, or for a primitive the object beside
/// it, which is made if it is missing.
pub(super) fn object<'t>(tree: &'t mut Tree, steps: &[Step<'static>]) -> Result<&'t mut Tree, PatchProblem> {
    let down = down(steps);
    let is_object = matches!(tree.at_mut(&down), Some(Tree::Object(_)));
    if is_object {
        return tree.at_mut(&down).ok_or(PatchProblem::Nothing);
    }
    let beside = self::down(&[steps, &[Step::Beside]].concat());
    make(tree, &beside)?;
    tree.at_mut(&beside).ok_or(PatchProblem::Nothing)
}

/// Makes an empty object at the place beside a primitive.
fn make(tree: &mut Tree, steps: &[Down]) -> Result<(), PatchProblem> {
    let (name_at, name) = match steps {
        [.., Down::Name(name)] => (steps.len() - 1, name),
        [.., Down::Name(name), Down::Index(_)] => (steps.len() - 2, name),
        _ => return Err(PatchProblem::Nothing),
    };
    let object = tree.at_mut(&steps[..name_at]).ok_or(PatchProblem::Nothing)?;
    if object.get(name).is_none() {
        let is_array = matches!(steps.last(), Some(Down::Index(_)));
        object.set(name, if is_array { Tree::Array(Vec::new()) } else { Tree::Object(Vec::new()) });
    }
    if let (Some(Down::Index(index)), Some(Tree::Array(items))) = (steps.last(), object.get_mut(name)) {
        while items.len() <= *index {
            items.push(Tree::null());
        }
        if items[*index].is_null() {
            items[*index] = Tree::Object(Vec::new());
        }
    }
    Ok(())
}

/// Steps in the tree: what is beside `given` is `_given`.
fn down(steps: &[Step<'static>]) -> Vec<Down> {
    let mut down: Vec<Down> = Vec::with_capacity(steps.len());
    for step in steps {
        match step {
            Step::Name(name) => down.push(Down::Name(name.clone().into_owned())),
            Step::Index(index) => down.push(Down::Index(*index)),
            Step::Beside => {
                let last = down.iter_mut().rev().find_map(|step| match step {
                    Down::Name(name) => Some(name),
                    Down::Index(_) => None,
                });
                if let Some(name) = last {
                    name.insert(0, '_');
                }
            }
        }
    }
    down
}

/// The element that has this one, the name it has there, and its index in a list; `None` for the resource itself.
pub(super) fn member(steps: &[Step<'static>]) -> Option<(Vec<Step<'static>>, String, Option<usize>)> {
    match steps {
        [before @ .., Step::Name(name), Step::Index(index)] => {
            Some((before.to_vec(), name.clone().into_owned(), Some(*index)))
        }
        [before @ .., Step::Name(name)] => Some((before.to_vec(), name.clone().into_owned(), None)),
        _ => None,
    }
}

/// The list that all these elements are in.
pub(super) fn list(found: &[Selected]) -> Result<(Vec<Step<'static>>, String), PatchProblem> {
    let mut list = None;
    for element in found {
        let Some((steps, key, Some(_))) = member(&element.steps) else { return Err(PatchProblem::NoList) };
        let place = (steps, key);
        if list.as_ref().is_some_and(|list| *list != place) {
            return Err(PatchProblem::NoList);
        }
        list = Some(place);
    }
    list.ok_or(PatchProblem::NoList)
}

/// The type of what is at these steps below a value of this type.
pub(super) fn type_at(
    mut def: &'static TypeDef,
    mut value: Value<'_>,
    steps: &[Step<'static>],
) -> Option<&'static TypeDef> {
    for (position, step) in steps.iter().enumerate() {
        match step {
            Step::Beside => {}
            Step::Index(index) => value = value.elements().nth(*index)?,
            Step::Name(name) => {
                def = def.property(name)?.type_ref.definition();
                // The extensions of a primitive are in the member beside it.
                let rest = steps.get(position + 1..).unwrap_or_default();
                let is_beside = matches!(rest, [Step::Beside, ..] | [Step::Index(_), Step::Beside, ..]);
                value = if is_beside { value.get(&format!("_{name}"))? } else { value.get(name)? };
            }
        }
        if def.kind == TypeKind::Resource
            && let Some(kind) = value.get("resourceType").and_then(Value::text)
        {
            def = r4().type_of(&kind)?;
        }
    }
    Some(def)
}

/// Gives a member another name, in its place.
pub(super) fn rename(object: &mut Tree, from: &str, to: &str) {
    if let Tree::Object(members) = object {
        for (name, _) in members {
            if name == from {
                to.clone_into(name);
            } else if name.strip_prefix('_') == Some(from) {
                *name = format!("_{to}");
            }
        }
    }
}

/// Removes what has become empty, from an element up to the resource: FHIR has no empty elements.
pub(super) fn prune(tree: &mut Tree, steps: &[Step<'static>]) {
    let mut down = down(steps);
    while let Some(last) = down.pop() {
        let Some(parent) = tree.at_mut(&down) else { continue };
        match (&last, parent) {
            (Down::Name(name), object) if object.get(name).is_some_and(Tree::is_empty) => {
                object.take(name);
            }
            (Down::Index(index), Tree::Array(items)) if items.get(*index).is_some_and(Tree::is_empty) => {
                // Beside primitives the position counts: a null keeps it. A list of nulls is empty, and goes next.
                let is_beside = matches!(down.last(), Some(Down::Name(name)) if name.starts_with('_'));
                if is_beside {
                    items[*index] = Tree::null();
                } else {
                    items.remove(*index);
                }
            }
            _ => {}
        }
    }
}

/// An element's member of an object, with the one beside it.
pub(super) struct Slot<'t> {
    object: &'t mut Tree,
    key: String,
    beside: String,
}

impl<'t> Slot<'t> {
    pub(super) fn of(object: &'t mut Tree, key: &str) -> Self {
        Self { object, key: key.to_owned(), beside: format!("_{key}") }
    }

    fn items(&self, name: &str) -> usize {
        match self.object.get(name) {
            Some(Tree::Array(items)) => items.len(),
            _ => 0,
        }
    }

    /// Items of the list.
    pub(super) fn len(&self) -> usize {
        self.items(&self.key).max(self.items(&self.beside))
    }

    /// Changes the list of values and the list beside it in the same way; lists of nulls are left out.
    fn change(&mut self, mut change: impl FnMut(&mut Vec<Tree>, bool)) {
        let length = self.len();
        for (name, is_beside) in [(self.key.clone(), false), (self.beside.clone(), true)] {
            let mut items = match self.object.get_mut(&name) {
                Some(Tree::Array(items)) => std::mem::take(items),
                _ => Vec::new(),
            };
            items.resize(length, Tree::null());
            change(&mut items, is_beside);
            if items.iter().all(Tree::is_null) {
                self.object.take(&name);
            } else {
                self.object.set(&name, Tree::Array(items));
            }
        }
    }

    pub(super) fn insert(&mut self, index: usize, value: NewValue) {
        let (mut plain, mut beside) = (value.json, value.beside);
        self.change(|items, is_beside| {
            let part = if is_beside { beside.take() } else { plain.take() };
            items.insert(index, part.unwrap_or_else(Tree::null));
        });
    }

    pub(super) fn replace(&mut self, index: usize, value: NewValue) {
        let (mut plain, mut beside) = (value.json, value.beside);
        self.change(|items, is_beside| {
            let part = if is_beside { beside.take() } else { plain.take() };
            if let Some(item) = items.get_mut(index) {
                *item = part.unwrap_or_else(Tree::null);
            }
        });
    }

    pub(super) fn reorder(&mut self, source: usize, destination: usize) {
        self.change(|items, _| {
            let item = items.remove(source);
            items.insert(destination, item);
        });
    }

    /// Removes an item of the list, or the member.
    pub(super) fn remove(&mut self, index: Option<usize>) {
        match index {
            Some(index) => self.change(|items, _| {
                if index < items.len() {
                    items.remove(index);
                }
            }),
            None => {
                self.object.take(&self.key);
                self.object.take(&self.beside);
            }
        }
    }

    /// Gives the member a value, for elements that do not repeat.
    pub(super) fn put(&mut self, value: NewValue) {
        for (name, part) in [(self.key.clone(), value.json), (self.beside.clone(), value.beside)] {
            match part {
                Some(part) => self.object.set(&name, part),
                None => drop(self.object.take(&name)),
            }
        }
    }
}
