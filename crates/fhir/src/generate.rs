//! Random resources made from the definitions, for property tests: valid ones, and ones with exactly one fault.
//!
//! The same type and seed always give the same resource. Sizes are bounded: about [`Shape::values`] values, nested a
//! handful of levels.
//!
//! ```
//! use ieum_fhir::generate::{Shape, resource};
//! let patient = resource("Patient", 7, &Shape::default()).unwrap();
//! assert_eq!(patient["resourceType"], "Patient");
//! assert_eq!(patient, resource("Patient", 7, &Shape::default()).unwrap());
//! ```

use serde_json::{Map, Value, json};

use crate::definitions::{Codes, Element, Property, TypeDef, TypeKind, TypeRef, r4};

mod faults;
mod random;
#[cfg(test)]
mod tests;
mod values;

pub use faults::{Fault, faulty};
use random::Random;

/// What resources are made.
#[derive(Debug, Clone)]
pub struct Shape {
    /// About how many values a resource holds at most; required elements are always made.
    pub values: usize,
    /// References are `Type/<one of these>`: few ids make resources that point to one another.
    pub ids: Vec<String>,
}

impl Default for Shape {
    /// Up to 60 values, and ids `a0` to `a7`.
    fn default() -> Self {
        Self { values: 60, ids: (0..8).map(|number| format!("a{number}")).collect() }
    }
}

/// A valid resource of this type; `None` when there is no such type. It has an id of `shape`.
#[must_use]
pub fn resource(resource_type: &str, seed: u64, shape: &Shape) -> Option<Value> {
    let def = r4().type_of(resource_type).filter(|_| r4().is_resource(resource_type))?;
    let mut maker = Maker { random: Random::new(seed), budget: shape.values, shape };
    let mut made = maker.object(def, 0);
    made.insert("id".into(), maker.id().into());
    Some(Value::Object(made))
}

/// Levels below which only required elements are made.
const DEEPEST: usize = 6;

struct Maker<'s> {
    random: Random,
    budget: usize,
    shape: &'s Shape,
}

impl Maker<'_> {
    fn id(&mut self) -> String {
        self.random.pick(&self.shape.ids).cloned().unwrap_or_else(|| "a0".into())
    }

    /// An object of a type; resources begin with their type.
    fn object(&mut self, def: &'static TypeDef, depth: usize) -> Map<String, Value> {
        let mut object = Map::new();
        if def.kind == TypeKind::Resource {
            object.insert("resourceType".into(), def.name.into());
        }
        match def.name {
            "Extension" => return self.extension(depth),
            "Reference" => unreachable!("references know their targets"),
            "Narrative" => {
                object.insert("status".into(), "generated".into());
                object.insert("div".into(), values::DIV.into());
                return object;
            }
            _ => {}
        }
        let mut optional: Vec<usize> = (0..def.elements.len()).collect();
        self.random.shuffle(&mut optional);
        let few = self.random.below(5) + 1;
        let mut chosen: Vec<usize> = optional
            .into_iter()
            .filter(|&position| is_made(def.elements[position]))
            .take(if depth < DEEPEST { few } else { 0 })
            .chain((0..def.elements.len()).filter(|&position| def.elements[position].min > 0))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        let is_bare =
            |object: &Map<String, Value>| !object.keys().any(|key| key != "id" && key != "resourceType");
        for position in chosen {
            let element = def.elements[position];
            if element.min > 0 || self.budget > 0 || is_bare(&object) {
                self.element(def, element, position, depth, &mut object);
            }
        }
        if def.kind != TypeKind::Resource && is_bare(&object) {
            // Something cheap: the first element that is a primitive, else the first at all.
            let is_primitive =
                |&&position: &&usize| def.elements[position].types[0].definition().primitive.is_some();
            let made: Vec<usize> = (0..def.elements.len())
                .filter(|&position| is_made(def.elements[position]) && def.elements[position].name != "id")
                .collect();
            if let Some(&position) = made.iter().find(is_primitive).or(made.first()) {
                self.element(def, def.elements[position], position, depth, &mut object);
            }
        }
        object
    }

    fn element(
        &mut self,
        def: &'static TypeDef,
        element: &'static Element,
        position: usize,
        depth: usize,
        object: &mut Map<String, Value>,
    ) {
        let choices: Vec<(&str, Property)> =
            def.properties().filter(|(_, property)| property.position == position).collect();
        let deep = depth + 2 >= DEEPEST;
        let simple: Vec<_> = choices
            .iter()
            .filter(|(_, property)| property.type_ref.definition().primitive.is_some())
            .collect();
        let of_choice = if deep { self.random.pick(&simple).copied() } else { None };
        let Some(&(name, property)) = of_choice.or_else(|| self.random.pick(&choices)) else { return };
        if !element.repeats() {
            let value = self.value(element, property.type_ref, depth);
            self.maybe_extend(def, name, property, depth, object);
            object.insert(name.to_owned(), value);
            return;
        }
        let count =
            (element.min as usize).max(1) + if deep || self.budget == 0 { 0 } else { self.random.below(3) };
        let values = (0..count).map(|_| self.value(element, property.type_ref, depth)).collect();
        object.insert(name.to_owned(), Value::Array(values));
    }

    /// Now and then a primitive gets an id or an extension.
    fn maybe_extend(
        &mut self,
        def: &'static TypeDef,
        name: &str,
        property: Property,
        depth: usize,
        object: &mut Map<String, Value>,
    ) {
        let is_attribute = name == "id" || (name == "url" && def.name == "Extension");
        let is_primitive =
            property.type_ref.definition().primitive.is_some() && property.type_ref.name != "xhtml";
        if is_primitive && !is_attribute && depth < DEEPEST && self.random.below(20) == 0 {
            let extension = json!({ "extension": [self.extension(DEEPEST)] });
            object.insert(format!("_{name}"), extension);
        }
    }

    fn value(&mut self, element: &'static Element, of: &'static TypeRef, depth: usize) -> Value {
        self.budget = self.budget.saturating_sub(1);
        let def = of.definition();
        let codes = element.binding.map(|binding| &binding.codes);
        if let Some(Codes::Enumerated(codes)) = codes {
            let all: Vec<_> = codes.iter().collect();
            if let Some(&(system, code)) = self.random.pick(&all) {
                return match def.name {
                    "CodeableConcept" => json!({ "coding": [{ "system": system, "code": code }] }),
                    "Coding" => json!({ "system": system, "code": code }),
                    _ => code.into(),
                };
            }
        }
        if let Some(primitive) = def.primitive {
            return values::primitive(primitive, &mut self.random);
        }
        match def.name {
            "Reference" => self.reference(of),
            // What a bundle or a parameter carries: small, so that nesting ends.
            "Resource" => {
                let kind = *self.random.pick(&["Basic", "Patient", "Location"]).unwrap_or(&"Basic");
                let mut resource = json!({ "resourceType": kind, "id": self.id() });
                if kind == "Basic" {
                    resource["code"] = json!({ "text": "a" });
                }
                resource
            }
            _ => Value::Object(self.object(def, depth + 1)),
        }
    }

    fn reference(&mut self, of: &'static TypeRef) -> Value {
        const ANY: [&str; 4] = ["Patient", "Practitioner", "Observation", "Organization"];
        let is_any = of.targets.is_empty() || of.targets.contains(&"Resource");
        let target = if is_any { self.random.pick(&ANY) } else { self.random.pick(&of.targets) };
        let target = target.copied().unwrap_or("Patient");
        match self.random.below(10) {
            0 => {
                json!({ "type": target, "identifier": { "system": "http://example.kr/id", "value": self.id() } })
            }
            1 => json!({ "reference": format!("https://example.kr/fhir/{target}/{}", self.id()) }),
            2 => json!({ "display": "누군가" }),
            _ => json!({ "reference": format!("{target}/{}", self.id()) }),
        }
    }

    fn extension(&mut self, depth: usize) -> Map<String, Value> {
        let number = self.random.below(4);
        let mut extension = Map::new();
        extension.insert("url".into(), format!("http://example.kr/extension/{number}").into());
        match self.random.below(if depth < DEEPEST { 4 } else { 3 }) {
            0 => extension.insert("valueString".into(), "값".into()),
            1 => extension.insert("valueInteger".into(), number.into()),
            2 => extension.insert("valueCodeableConcept".into(), json!({ "text": "값" })),
            _ => extension.insert("extension".into(), json!([{ "url": "inner", "valueBoolean": true }])),
        };
        extension
    }
}

/// Elements that are made at random. Not `contained`, which needs care, and not what HL7 leaves to servers.
fn is_made(element: &Element) -> bool {
    element.max > 0 && !matches!(element.name, "contained" | "implicitRules" | "modifierExtension")
}
