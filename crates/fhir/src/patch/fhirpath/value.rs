//! The values that a FHIRPath Patch gives: `value[x]`, a resource, or parts for types that Parameters cannot hold.

use super::PatchProblem;
use crate::definitions::{Element, Primitive, TypeDef, TypeKind, r4};
use crate::json::{Kind, Value};
use crate::patch::tree::Tree;

/// A new value for an element.
pub(super) struct NewValue {
    /// Its JSON; `None` for a primitive with extensions alone.
    pub(super) json: Option<Tree>,
    /// For a primitive: its id and extensions.
    pub(super) beside: Option<Tree>,
    /// The element it is for.
    pub(super) element: &'static Element,
}

/// What a part holds.
enum Given<'p> {
    /// A value of this type.
    Typed(&'static TypeDef, Option<Value<'p>>, Option<Value<'p>>),
    Resource(Value<'p>),
    Parts(Value<'p>),
}

impl NewValue {
    /// The value that a part gives to the element of this name (`value`, or `valueQuantity`), with the name of its
    /// JSON member.
    pub(super) fn read(
        of: &'static TypeDef,
        name: &str,
        part: Value<'_>,
    ) -> Result<(String, Self), PatchProblem> {
        let element = of.element(name).or_else(|| of.property(name).map(|property| property.element));
        let element = element.filter(|element| element.max > 0).ok_or(PatchProblem::NoElement(of.name))?;
        let wrong = || PatchProblem::ValueType(format!("{}.{}", of.name, element.name));
        let (type_name, json, beside) = match given(part)? {
            Given::Typed(def, json, beside) => {
                let fits = element.types.iter().find(|wanted| fits(element, wanted.definition(), def));
                let name = fits.ok_or_else(wrong)?.name;
                (name, json.map(Tree::of), beside.map(Tree::of))
            }
            Given::Resource(resource) => {
                let wanted = element.types.first().map(|wanted| wanted.definition());
                let wanted = wanted.filter(|wanted| wanted.kind == TypeKind::Resource).ok_or_else(wrong)?;
                (wanted.name, Some(Tree::of(resource)), None)
            }
            Given::Parts(parts) => {
                let [wanted] = element.types.as_slice() else { return Err(wrong()) };
                let def = wanted.definition();
                if !matches!(def.kind, TypeKind::Backbone | TypeKind::Complex) {
                    return Err(wrong());
                }
                (wanted.name, Some(built(def, parts)?), None)
            }
        };
        let key = if element.choice { choice_key(element.name, type_name) } else { element.name.to_owned() };
        Ok((key, Self { json, beside, element }))
    }
}

fn given(part: Value<'_>) -> Result<Given<'_>, PatchProblem> {
    if let Some(resource) = part.get("resource") {
        return Ok(Given::Resource(resource));
    }
    if let Some(parts) = part.get("part") {
        return Ok(Given::Parts(parts));
    }
    let parameter = r4().type_of("Parameters.parameter").ok_or(PatchProblem::Missing("value"))?;
    for member in part.members() {
        let Some(key) = member.key() else { continue };
        let plain = key.strip_prefix('_').unwrap_or(&key);
        let property = parameter.property(plain).filter(|property| property.element.name == "value");
        if let Some(property) = property {
            let has_value = |value: &Value<'_>| value.kind() != Kind::Null;
            let json = part.get(plain).filter(has_value);
            let beside = part.get(&format!("_{plain}")).filter(has_value);
            return Ok(Given::Typed(property.type_ref.definition(), json, beside));
        }
    }
    Err(PatchProblem::Missing("value"))
}

/// Whether a value of a type can be given to an element of the type `wanted`. Choices take exactly their types, for
/// their JSON name says which; other primitives take all that are written alike (a `string` for a `uri`, a `date` for a
/// `dateTime`), and quantities all kinds of quantities: what they must look like is for validation.
fn fits(element: &Element, wanted: &'static TypeDef, given: &'static TypeDef) -> bool {
    if wanted.name == given.name {
        return true;
    }
    if element.choice {
        return false;
    }
    match (wanted.primitive, given.primitive) {
        (Some(wanted), Some(given)) => written_as(wanted) == written_as(given),
        (None, None) => wanted.base == Some(given.name) && given.name == "Quantity",
        _ => false,
    }
}

fn written_as(primitive: Primitive) -> Kind {
    match primitive {
        Primitive::Boolean => Kind::Bool,
        Primitive::Decimal | Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => {
            Kind::Number
        }
        _ => Kind::String,
    }
}

/// `value` and `dateTime` make `valueDateTime`.
fn choice_key(name: &str, type_name: &str) -> String {
    let mut letters = type_name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    name.chars().chain(first).chain(letters).collect()
}

/// An object of this type, made from parts named by its elements. Recurses as deep as the patch is nested.
fn built(def: &'static TypeDef, parts: Value<'_>) -> Result<Tree, PatchProblem> {
    let mut object = Tree::Object(Vec::new());
    for part in parts.elements() {
        let name = part.get("name").and_then(Value::text).ok_or(PatchProblem::Missing("name"))?;
        let (key, value) = NewValue::read(def, &name, part)?;
        let mut slot = super::place::Slot::of(&mut object, &key);
        if value.element.repeats() {
            let end = slot.len();
            slot.insert(end, value);
        } else if object.get(&key).is_some() {
            return Err(PatchProblem::Occupied);
        } else {
            super::place::Slot::of(&mut object, &key).put(value);
        }
    }
    Ok(object)
}
