//! Valid resources with one fault put in.

use serde_json::{Value, json};

use super::random::Random;
use super::{Shape, resource};
use crate::definitions::{Codes, Property, TypeDef, r4};

/// What was done to a valid resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An element that does not exist was added.
    Unknown,
    /// A required element was taken away.
    Missing,
    /// A single value became an array.
    Array,
    /// An array became its first value.
    NoArray,
    /// A value became one of another JSON type.
    JsonType,
    /// A value became empty.
    Empty,
    /// A code became one that is not in the required value set.
    Code,
    /// A date, id, URI or number lost its form.
    Format,
    /// A reference came to point to a type it must not.
    Target,
}

/// A resource of this type with exactly one fault, and which; `None` when there is no such type.
#[must_use]
pub fn faulty(resource_type: &str, seed: u64, shape: &Shape) -> Option<(Value, Fault)> {
    let mut made = resource(resource_type, seed, shape)?;
    let mut places = Vec::new();
    places_of(&made, r4().type_of(resource_type)?, "", &mut places);
    let mut random = Random::new(seed ^ 0xFA17);
    // Kinds first, so that the rare ones have their turn.
    let mut kinds: Vec<Fault> = Vec::new();
    for (_, fault, _) in &places {
        if !kinds.contains(fault) {
            kinds.push(*fault);
        }
    }
    let kind = *random.pick(&kinds)?;
    places.retain(|(_, fault, _)| *fault == kind);
    let (pointer, fault, bad) = random.pick(&places)?.clone();
    let (parent, name) = pointer.rsplit_once('/')?;
    let object = made.pointer_mut(parent)?.as_object_mut()?;
    match bad {
        Some(bad) => {
            object.insert(name.to_owned(), bad);
        }
        None => {
            object.remove(name);
            object.remove(&format!("_{name}"));
        }
    }
    Some((made, fault))
}

/// Where a fault can be, which, and what to put there; nothing to take it away.
type Place = (String, Fault, Option<Value>);

fn places_of(value: &Value, def: &'static TypeDef, pointer: &str, places: &mut Vec<Place>) {
    let Some(object) = value.as_object() else { return };
    places.push((format!("{pointer}/notAnElement"), Fault::Unknown, Some(json!("a"))));
    for (name, value) in object {
        let Some(property) = def.property(name) else { continue };
        let pointer = format!("{pointer}/{name}");
        faults_of(value, property, &pointer, places);
        let of = property.type_ref.definition();
        if of.primitive.is_some() || of.name == "Resource" {
            continue;
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    places_of(item, of, &format!("{pointer}/{index}"), places);
                }
            }
            single => places_of(single, of, &pointer, places),
        }
    }
}

fn faults_of(value: &Value, property: Property, pointer: &str, places: &mut Vec<Place>) {
    let (element, of) = (property.element, property.type_ref.definition());
    let mut add = |fault, bad| places.push((pointer.to_owned(), fault, bad));
    if element.min > 0 {
        add(Fault::Missing, None);
    }
    if let Value::Array(items) = value {
        add(Fault::NoArray, items.first().cloned());
        add(Fault::Empty, Some(json!([])));
        return;
    }
    add(Fault::Array, Some(json!([value])));
    add(Fault::Empty, Some(Value::Null));
    add(Fault::JsonType, Some(if value.is_string() { json!(true) } else { json!("a") }));
    if of.primitive.is_some()
        && element.binding.is_some_and(|binding| matches!(binding.codes, Codes::Enumerated(_)))
    {
        add(Fault::Code, Some(json!("no-such-code")));
    }
    let malformed = match of.name {
        "date" | "dateTime" | "instant" => Some(json!("2026-02-30")),
        "id" => Some(json!("no id")),
        "uri" | "url" | "canonical" | "oid" | "uuid" | "code" => Some(json!(" a")),
        "string" => Some(json!("\u{1}")),
        "integer" | "positiveInt" | "unsignedInt" => Some(json!(0.5)),
        _ => None,
    };
    if malformed.is_some() {
        add(Fault::Format, malformed);
    }
    let targets = &property.type_ref.targets;
    if of.name == "Reference"
        && !targets.is_empty()
        && !targets.contains(&"Resource")
        && !targets.contains(&"Slot")
    {
        add(Fault::Target, Some(json!({ "reference": "Slot/1" })));
    }
}
