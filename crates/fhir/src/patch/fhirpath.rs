//! FHIRPath Patch (R4, `fhirpatch.html`).

use std::borrow::Cow;

use self::place::Slot;
use self::value::NewValue;
use super::tree::Tree;
use super::{Bounds, PatchError, PatchProblem};
use crate::definitions::TypeDef;
use crate::fhirpath::{self as path, Context, Element, Expression, Item, Step};
use crate::json::{Document, Limits, Value};

mod place;
mod value;

/// Steps that the paths of a patch may take together, and each of them at least and at most.
const STEPS: u64 = 4_000_000;
const LEAST_STEPS: u64 = 20_000;
const MOST_STEPS: u64 = 1_000_000;

/// Applies all operations, in their order; each sees what those before it did.
pub(super) fn apply(
    tree: &mut Tree,
    parameters: Value<'_>,
    now_micros: i64,
    bounds: &Bounds,
) -> Result<(), PatchError> {
    let kind = parameters.get("resourceType").and_then(Value::text);
    if kind.as_deref() != Some("Parameters") {
        return Err(PatchError::whole(PatchProblem::Form("a FHIRPath Patch is a Parameters resource")));
    }
    let operations = parameters.get("parameter").into_iter().flat_map(Value::elements);
    if operations.clone().nth(bounds.operations).is_some() {
        return Err(PatchError::whole(PatchProblem::Limit("operations")));
    }
    // All paths together have a bound, too.
    let count = u64::try_from(operations.clone().count()).unwrap_or(u64::MAX).max(1);
    let limits =
        path::Limits { steps: (STEPS / count).clamp(LEAST_STEPS, MOST_STEPS), ..path::Limits::default() };
    let mut patch = Patch { tree, now_micros, bounds, limits, work: 0 };
    for (position, parameter) in operations.enumerate() {
        patch.operation(parameter).map_err(|problem| PatchError { operation: Some(position), problem })?;
    }
    Ok(())
}

struct Patch<'t> {
    tree: &'t mut Tree,
    now_micros: i64,
    bounds: &'t Bounds,
    limits: path::Limits,
    work: usize,
}

/// An element as far as it must be known to change it, free of the document it was found in.
struct Selected {
    steps: Vec<Step<'static>>,
    def: &'static TypeDef,
}

impl Patch<'_> {
    fn operation(&mut self, parameter: Value<'_>) -> Result<(), PatchProblem> {
        if parameter.get("name").and_then(Value::text).as_deref() != Some("operation") {
            return Err(PatchProblem::Form("each parameter of a FHIRPath Patch is named operation"));
        }
        let parts = Parts { parameter };
        let path = parts.text("path")?;
        let path = Expression::parse_within(&path, self.limits).map_err(PatchProblem::Path)?;
        match &*parts.text("type")? {
            "add" => self.add(&path, &parts.text("name")?, parts.value()?),
            "insert" => self.insert(&path, parts.index("index")?, parts.value()?),
            "delete" => self.delete(&path),
            "replace" => self.replace(&path, parts.value()?),
            "move" => self.reorder(&path, parts.index("source")?, parts.index("destination")?),
            _ => Err(PatchProblem::Form("the type is one of add, insert, delete, replace and move")),
        }
    }

    /// The resource as it is now.
    fn snapshot(&mut self) -> Result<Vec<u8>, PatchProblem> {
        let bytes = self.tree.bytes();
        self.work += bytes.len();
        if self.work > self.bounds.work {
            return Err(PatchProblem::Limit("work"));
        }
        if bytes.len() > self.bounds.bytes {
            return Err(PatchProblem::Limit("size"));
        }
        Ok(bytes)
    }

    /// What an expression selects in the resource as it is now.
    fn select(&mut self, path: &Expression) -> Result<Vec<Selected>, PatchProblem> {
        let bytes = self.snapshot()?;
        let limits = Limits { depth: self.bounds.depth, ..Limits::default() };
        let document = Document::parse(&bytes, &limits).map_err(|_| PatchProblem::Limit("nesting"))?;
        let context = Context { now_micros: self.now_micros, ..Context::of(document.root()) };
        let found = path.evaluate(&context).map_err(PatchProblem::Path)?;
        found.iter().map(|item| selected(item, document.root())).collect()
    }

    fn select_one(&mut self, path: &Expression) -> Result<Selected, PatchProblem> {
        let mut found = self.select(path)?;
        match (found.pop(), found.is_empty()) {
            (None, _) => Err(PatchProblem::Nothing),
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(PatchProblem::Several),
        }
    }

    fn add(&mut self, path: &Expression, name: &str, value: Value<'_>) -> Result<(), PatchProblem> {
        let parent = self.select_one(path)?;
        let (key, value) = NewValue::read(parent.def, name, value)?;
        let object = place::object(self.tree, &parent.steps)?;
        if value.element.repeats() {
            let mut slot = Slot::of(object, &key);
            let end = slot.len();
            slot.insert(end, value);
            return Ok(());
        }
        // A choice is taken by any of its types.
        let is_taken = parent.def.properties().any(|(property, of)| {
            let beside = format!("_{property}");
            std::ptr::eq(of.element, value.element)
                && (object.get(property).is_some() || object.get(&beside).is_some())
        });
        if is_taken {
            return Err(PatchProblem::Occupied);
        }
        Slot::of(object, &key).put(value);
        Ok(())
    }

    fn insert(&mut self, path: &Expression, index: usize, value: Value<'_>) -> Result<(), PatchProblem> {
        let found = self.select(path)?;
        if found.is_empty() {
            // An empty list has no place of its own, but what it would be a list of has.
            let (parent, name) = path.last_member().ok_or(PatchProblem::Nothing)?;
            let parent = self.select_one(&parent)?;
            let (key, value) = NewValue::read(parent.def, &name, value)?;
            if !value.element.repeats() {
                return Err(PatchProblem::NoList);
            }
            if index > 0 {
                return Err(PatchProblem::Index);
            }
            Slot::of(place::object(self.tree, &parent.steps)?, &key).insert(0, value);
            return Ok(());
        }
        let (steps, key) = place::list(&found)?;
        let parent = self.parent_of(&steps)?;
        let (_, value) = NewValue::read(parent, &key, value)?;
        let mut slot = Slot::of(place::object(self.tree, &steps)?, &key);
        if slot.len() != found.len() {
            return Err(PatchProblem::NoList);
        }
        if index > slot.len() {
            return Err(PatchProblem::Index);
        }
        slot.insert(index, value);
        Ok(())
    }

    fn delete(&mut self, path: &Expression) -> Result<(), PatchProblem> {
        let mut found = self.select(path)?;
        let Some(element) = found.pop() else { return Ok(()) };
        if !found.is_empty() {
            return Err(PatchProblem::Several);
        }
        let (steps, key, index) = place::member(&element.steps)
            .ok_or(PatchProblem::Impossible("a patch cannot remove the whole resource; delete it"))?;
        Slot::of(place::object(self.tree, &steps)?, &key).remove(index);
        place::prune(self.tree, &steps);
        Ok(())
    }

    fn replace(&mut self, path: &Expression, value: Value<'_>) -> Result<(), PatchProblem> {
        let element = self.select_one(path)?;
        let (steps, key, index) = place::member(&element.steps)
            .ok_or(PatchProblem::Impossible("a patch cannot replace the whole resource; send an update"))?;
        let parent = self.parent_of(&steps)?;
        let (new_key, value) = NewValue::read(parent, &key, value)?;
        let object = place::object(self.tree, &steps)?;
        match index {
            Some(index) => Slot::of(object, &key).replace(index, value),
            None => {
                // A choice may change its type, and then its name; it keeps its place.
                place::rename(object, &key, &new_key);
                Slot::of(object, &new_key).put(value);
            }
        }
        Ok(())
    }

    fn reorder(&mut self, path: &Expression, source: usize, destination: usize) -> Result<(), PatchProblem> {
        let found = self.select(path)?;
        if found.is_empty() {
            return Err(PatchProblem::Nothing);
        }
        let (steps, key) = place::list(&found)?;
        let mut slot = Slot::of(place::object(self.tree, &steps)?, &key);
        if slot.len() != found.len() {
            return Err(PatchProblem::NoList);
        }
        if source >= slot.len() || destination >= slot.len() {
            return Err(PatchProblem::Index);
        }
        slot.reorder(source, destination);
        Ok(())
    }

    /// The type of the element at these steps.
    fn parent_of(&mut self, steps: &[Step<'static>]) -> Result<&'static TypeDef, PatchProblem> {
        let bytes = self.snapshot()?;
        let document = Document::parse(&bytes, &Limits::default()).map_err(|_| PatchProblem::Nothing)?;
        let root = Element::resource(document.root()).ok_or(PatchProblem::Nothing)?;
        place::type_at(root.definition(), document.root(), steps).ok_or(PatchProblem::Nothing)
    }
}

fn selected(item: &Item<'_>, root: Value<'_>) -> Result<Selected, PatchProblem> {
    let element = item.element();
    let element = element.ok_or(PatchProblem::Impossible("the path must select elements of the resource"))?;
    let steps = element.path();
    // What resolve() found in another resource, or as a resource of its own, has no place in this one.
    let is_root = element.value().is_some_and(|value| value.index() == root.index());
    if steps.is_empty() && !is_root {
        return Err(PatchProblem::Impossible("the path must select elements of the resource"));
    }
    let owned = |step: Step<'_>| match step {
        Step::Name(name) => Step::Name(Cow::Owned(name.into_owned())),
        Step::Index(index) => Step::Index(index),
        Step::Beside => Step::Beside,
    };
    Ok(Selected { steps: steps.into_iter().map(owned).collect(), def: element.definition() })
}

/// The parts of an operation.
struct Parts<'p> {
    parameter: Value<'p>,
}

impl<'p> Parts<'p> {
    fn part(&self, name: &'static str) -> Result<Value<'p>, PatchProblem> {
        let parts = self.parameter.get("part").into_iter().flat_map(Value::elements);
        let mut of_name =
            parts.filter(|part| part.get("name").and_then(Value::text).as_deref() == Some(name));
        match (of_name.next(), of_name.next()) {
            (Some(part), None) => Ok(part),
            (None, _) => Err(PatchProblem::Missing(name)),
            (Some(_), Some(_)) => Err(PatchProblem::Form("an operation has each part once")),
        }
    }

    fn text(&self, name: &'static str) -> Result<Cow<'p, str>, PatchProblem> {
        let part = self.part(name)?;
        // Codes and strings are often taken for each other, and mean the same here.
        let text =
            ["valueString", "valueCode", "valueUri", "valueId"].into_iter().find_map(|key| part.get(key));
        text.and_then(Value::text).ok_or(PatchProblem::Missing(name))
    }

    fn index(&self, name: &'static str) -> Result<usize, PatchProblem> {
        let part = self.part(name)?;
        let keys = ["valueInteger", "valueUnsignedInt", "valuePositiveInt"];
        let number = keys.into_iter().find_map(|key| part.get(key)).and_then(Value::number);
        let number: i64 = number.and_then(|text| text.parse().ok()).ok_or(PatchProblem::Missing(name))?;
        usize::try_from(number).map_err(|_| PatchProblem::Index)
    }

    fn value(&self) -> Result<Value<'p>, PatchProblem> {
        self.part("value")
    }
}
