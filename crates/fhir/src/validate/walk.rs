//! The walk over a resource. It recurses as deep as the document is nested, which the JSON reader bounds.

use std::collections::HashMap;

use super::place::Place;
use super::{ISSUES_LISTED, Validation, binding, narrative, primitive};
use crate::definitions::{Element, Primitive, Property, TypeDef, TypeKind, r4};
use crate::json::{Children, Kind, Value};
use crate::outcome::{Code, Issue};

/// Walks over a resource and everything in it.
pub(super) fn walk(resource: Value<'_>, expected_type: Option<&str>) -> Validation {
    let mut walk = Walk { found: Validation::default(), contained: HashMap::new() };
    let scope = Scope { container: resource, contained: false };
    walk.resource(resource, expected_type, None, scope);
    walk.found.references.sort_unstable();
    walk.found
}

/// Which resource the walk is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'d> {
    /// The resource whose `contained` the references `#id` mean.
    pub(super) container: Value<'d>,
    /// Whether we are inside one of its contained resources.
    contained: bool,
}

pub(super) struct Walk {
    pub(super) found: Validation,
    /// The contained resources of each container that is pointed into, by its node index.
    pub(super) contained: HashMap<u32, HashMap<String, Option<&'static str>>>,
}

impl Walk {
    /// Keeps an issue, or counts it when enough are listed.
    pub(super) fn issue(&mut self, code: Code, place: &Place<'_>, diagnostics: impl FnOnce() -> String) {
        if self.found.issues.len() < ISSUES_LISTED {
            self.found.issues.push(Issue::error(code, place.path(), diagnostics()));
        } else {
            self.found.unlisted += 1;
        }
    }

    /// A resource; `place` is `None` for the outermost.
    fn resource(
        &mut self,
        value: Value<'_>,
        expected: Option<&str>,
        place: Option<&Place<'_>>,
        scope: Scope<'_>,
    ) {
        let root = Place::root(expected.unwrap_or("Resource"));
        let Some(kind) = value.get("resourceType").and_then(Value::text) else {
            let advice = "send an object with a resourceType such as \"Patient\"";
            return self.issue(Code::NoResource, place.unwrap_or(&root), || advice.into());
        };
        let Some(def) = r4().type_of(&kind).filter(|def| def.kind == TypeKind::Resource && !def.is_abstract)
        else {
            let advice = "use one of the resource types of FHIR R4 in resourceType; case matters";
            return self.issue(Code::UnknownResourceType, place.unwrap_or(&root), || advice.into());
        };
        if let Some(expected) = expected.filter(|expected| *expected != def.name) {
            let advice = || format!("send a {expected} here, or send the {} to its own type", def.name);
            return self.issue(Code::OtherResourceType, place.unwrap_or(&root), advice);
        }
        self.object(value, def, place.unwrap_or(&Place::root(def.name)), scope);
    }

    fn object(&mut self, value: Value<'_>, def: &'static TypeDef, place: &Place<'_>, scope: Scope<'_>) {
        self.members(value, def, place, scope, def.kind == TypeKind::Resource);
    }

    /// The members of an object. An id alone is no content (invariant ele-1), unless `id_is_enough`.
    fn members(
        &mut self,
        value: Value<'_>,
        def: &'static TypeDef,
        place: &Place<'_>,
        scope: Scope<'_>,
        id_is_enough: bool,
    ) {
        if value.kind() != Kind::Object {
            return self.issue(Code::JsonType, place, || format!("give a JSON object ({})", def.name));
        }
        let is_resource = def.kind == TypeKind::Resource;
        let mut seen = 0_u128;
        let mut has_content = false;
        for member in value.members() {
            let Some(key) = member.key() else { continue };
            has_content |= id_is_enough || &*key != "id";
            if is_resource && &*key == "resourceType" {
                continue;
            }
            let (name, is_extension) = key.strip_prefix('_').map_or((&*key, false), |name| (name, true));
            let Some(property) = find(def, name, is_extension) else {
                self.unknown(def, &key, place);
                continue;
            };
            let bit = 1_u128 << property.position;
            if seen & bit != 0 && property.element.choice && differs_before(value, member, def, property) {
                self.issue(Code::ChoiceTwice, &place.element(property.element.name), || {
                    format!("give {} once, with one type", property.element.name)
                });
            }
            seen |= bit;
            let place = place.element(property.element.name);
            if is_extension {
                self.extended(value, name, member, property, &place, scope);
            } else {
                self.member(value, name, member, property, &place, scope);
            }
        }
        if !has_content {
            self.issue(Code::Empty, place, || format!("give the {} a value, or leave it out", def.name));
        }
        if def.required & !seen != 0 {
            self.missing(def, def.required & !seen, place);
        }
        if def.name == "Extension" {
            self.extension(value, place);
        }
    }

    /// A member that is no primitive extension.
    fn member(
        &mut self,
        object: Value<'_>,
        name: &str,
        member: Value<'_>,
        property: Property,
        place: &Place<'_>,
        scope: Scope<'_>,
    ) {
        let element = property.element;
        if !self.is_repeated_right(member, element, place) {
            return;
        }
        if !element.repeats() {
            return self.value(member, property, place, scope);
        }
        let mut extensions = Extensions::default();
        let mut count = 0;
        for (index, item) in member.elements().enumerate() {
            count += 1;
            if item.kind() != Kind::Null {
                self.value(item, property, &place.at(index), scope);
            } else if !extensions.has(object, name, index) {
                self.issue(Code::Empty, &place.at(index), || {
                    format!("leave the null out, or give _{} an extension at this position", element.name)
                });
            }
        }
        self.count(count, element, place);
    }

    /// Arrays exactly where the element repeats, and something in them.
    fn is_repeated_right(&mut self, member: Value<'_>, element: &'static Element, place: &Place<'_>) -> bool {
        match (element.repeats(), member.kind()) {
            (_, Kind::Null) => {
                self.issue(Code::Empty, place, || "leave it out instead of giving null".into());
            }
            (true, Kind::Array) if member.elements().next().is_none() => {
                self.issue(Code::Empty, place, || "leave it out instead of giving an empty array".into());
            }
            (true, Kind::Array) => return true,
            (true, _) => self.issue(Code::ArrayNeeded, place, || {
                format!("give an array, also for one value: {} may repeat", element.name)
            }),
            (false, Kind::Array) => self.issue(Code::ArrayNotAllowed, place, || {
                format!("give one value without an array: {} does not repeat", element.name)
            }),
            (false, _) => return true,
        }
        false
    }

    fn count(&mut self, count: u32, element: &'static Element, place: &Place<'_>) {
        if count < element.min {
            self.issue(Code::MissingElement, place, || format!("give at least {} values", element.min));
        } else if count > element.max {
            self.issue(Code::ArrayNotAllowed, place, || format!("give at most {} values", element.max));
        }
    }

    /// One value of an element.
    fn value(&mut self, value: Value<'_>, property: Property, place: &Place<'_>, scope: Scope<'_>) {
        let def = property.type_ref.definition();
        match def.primitive {
            Some(of) => self.primitive(value, of, property.element, place),
            None if def.kind == TypeKind::Resource => {
                self.inner_resource(value, property.element, place, scope);
            }
            None => {
                if def.name == "Reference" {
                    self.reference(value, property.type_ref, place, scope);
                }
                self.object(value, def, place, scope);
            }
        }
        if let Some(codes) = binding::required(property.element)
            && !binding::holds(codes, def.name, value)
        {
            self.issue(Code::CodeNotAllowed, place, || {
                let set = property.element.binding.map_or("", |binding| binding.url);
                format!("use a code of {set}: {}", binding::listed(codes))
            });
        }
    }

    fn inner_resource(
        &mut self,
        value: Value<'_>,
        element: &'static Element,
        place: &Place<'_>,
        scope: Scope<'_>,
    ) {
        if element.name != "contained" {
            return self.resource(value, None, Some(place), Scope { container: value, contained: false });
        }
        if scope.contained {
            let advice = "move the resource to the `contained` of the outermost resource";
            return self.issue(Code::ContainedNested, place, || advice.into());
        }
        self.resource(value, None, Some(place), Scope { contained: true, ..scope });
    }

    fn primitive(&mut self, value: Value<'_>, of: Primitive, element: &'static Element, place: &Place<'_>) {
        let expected = primitive::json_kind(of);
        if value.kind() != expected {
            return self.issue(Code::JsonType, place, || {
                let kind = match expected {
                    Kind::Bool => "true or false, without quotes",
                    Kind::Number => "a JSON number, without quotes",
                    _ => "a JSON string",
                };
                format!("give {} as {kind}", element.name)
            });
        }
        match of {
            Primitive::Xhtml => match narrative::check(&value.text().unwrap_or_default()) {
                Ok(false) => {}
                Ok(true) => self.found.linked_narratives.push(value.index()),
                Err((code, advice)) => self.issue(code, place, || advice.into()),
            },
            Primitive::Uri | Primitive::Url | Primitive::Oid | Primitive::Uuid => {
                self.found.uris.push(value.index());
            }
            _ => {}
        }
        if let Err(form) = primitive::check(of, value) {
            self.issue(Code::Format, place, || format!("give {form}"));
        }
    }

    /// `_birthDate`: ids and extensions of primitive values.
    fn extended(
        &mut self,
        object: Value<'_>,
        name: &str,
        member: Value<'_>,
        property: Property,
        place: &Place<'_>,
        scope: Scope<'_>,
    ) {
        let (element, def) = (property.element, property.type_ref.definition());
        if !self.is_repeated_right(member, element, place) {
            return;
        }
        if !element.repeats() {
            let has_value = object.get(name).is_some_and(|value| value.kind() != Kind::Null);
            return self.members(member, def, place, scope, has_value);
        }
        let values = object.get(name);
        let count = member.elements().count();
        if values.is_some_and(|values| values.kind() == Kind::Array && values.elements().count() != count) {
            let name = element.name;
            self.issue(Code::Alignment, place, || {
                format!("give {name} and _{name} the same length; fill gaps with null")
            });
        }
        let mut beside = values.into_iter().flat_map(Value::elements);
        for (index, item) in member.elements().enumerate() {
            let has_value = beside.next().is_some_and(|value| value.kind() != Kind::Null);
            match (item.kind(), values) {
                (Kind::Null, Some(_)) => {}
                (Kind::Null, None) => self.issue(Code::Empty, &place.at(index), || {
                    "leave the null out: there is neither a value nor an extension".into()
                }),
                _ => self.members(item, def, &place.at(index), scope, has_value),
            }
        }
        if values.is_none() {
            self.count(u32::try_from(count).unwrap_or(u32::MAX), element, place);
        }
    }

    fn extension(&mut self, value: Value<'_>, place: &Place<'_>) {
        let is_value = |name: &str| name.strip_prefix('_').unwrap_or(name).starts_with("value");
        let has_value = value.members().any(|member| member.key().is_some_and(|key| is_value(&key)));
        if has_value == value.get("extension").is_some() {
            let advice = "give the extension either a value[x] or extensions of its own, not both";
            self.issue(Code::ExtensionContent, place, || advice.into());
        }
    }

    fn missing(&mut self, def: &'static TypeDef, bits: u128, place: &Place<'_>) {
        for (position, element) in def.elements.iter().enumerate() {
            if bits & (1 << position) != 0 {
                self.issue(Code::MissingElement, &place.element(element.name), || {
                    format!("give {}: {} needs it", element.name, def.name)
                });
            }
        }
    }

    fn unknown(&mut self, def: &'static TypeDef, key: &str, place: &Place<'_>) {
        let choice = def.elements.iter().find(|element| {
            let rest = key.strip_prefix(element.name).filter(|_| element.choice);
            rest.is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_uppercase()))
        });
        if let Some(element) = choice {
            let types: Vec<&str> = element.types.iter().map(|of| of.name).collect();
            return self.issue(Code::ChoiceType, &place.element(element.name), || {
                format!("use one of the types of {}: {}", element.name, types.join(", "))
            });
        }
        // Names come from outside: only what looks like one of ours is repeated, so that no data slip through.
        let is_plain =
            key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let named = place.element(key);
        let (place, name) = if is_plain { (&named, format!("`{key}`")) } else { (place, "it".into()) };
        self.issue(Code::UnknownElement, place, || {
            format!("leave {name} out, or carry it in an extension: {} does not define it", def.name)
        });
    }
}

/// The element behind a member. Primitive extensions exist for primitive elements only, and not for the two that are
/// attributes in XML.
fn find(def: &'static TypeDef, name: &str, is_extension: bool) -> Option<Property> {
    let property = def.property(name).filter(|property| property.element.max > 0)?;
    if !is_extension {
        return Some(property);
    }
    let is_attribute = name == "id" || (name == "url" && def.name == "Extension");
    (property.type_ref.definition().primitive.is_some() && !is_attribute).then_some(property)
}

/// Whether a member before this one gives the same choice element with another type.
fn differs_before(object: Value<'_>, member: Value<'_>, def: &'static TypeDef, property: Property) -> bool {
    let earlier = object.members().take_while(|other| other.index() < member.index());
    let mut types = earlier.filter_map(|other| {
        let key = other.key()?;
        def.property(key.strip_prefix('_').unwrap_or(&key))
    });
    types.any(|other| other.position == property.position && !std::ptr::eq(other.type_ref, property.type_ref))
}

/// The array `_name` beside an array with nulls, walked along with it: looking up each position anew would cost the
/// square of the length.
#[derive(Default)]
struct Extensions<'d> {
    items: Option<Children<'d>>,
    passed: usize,
}

impl<'d> Extensions<'d> {
    /// Whether there is something at this position; positions only grow.
    fn has(&mut self, object: Value<'d>, name: &str, index: usize) -> bool {
        if self.items.is_none() {
            self.items = object.get(&format!("_{name}")).map(Value::elements);
        }
        let Some(items) = &mut self.items else { return false };
        let item = items.nth(index - self.passed);
        self.passed = index + 1;
        item.is_some_and(|item| item.kind() != Kind::Null)
    }
}
