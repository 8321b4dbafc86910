//! References (R4, `references.html`): their form, and what they point to, as far as the text says.

use std::collections::HashMap;

use super::place::Place;
use super::primitive::is_id;
use super::walk::{Scope, Walk};
use crate::definitions::{TypeRef, r4};
use crate::json::{Kind, Value};
use crate::outcome::Code;

impl Walk {
    /// A value of type Reference: its form, and what it may point to.
    pub(super) fn reference(
        &mut self,
        value: Value<'_>,
        of: &'static TypeRef,
        place: &Place<'_>,
        scope: Scope<'_>,
    ) {
        let literal = value.get("reference").filter(|literal| literal.kind() == Kind::String);
        let mut target = None;
        if let Some(literal) = literal {
            self.found.references.push(literal.index());
            let text = literal.text().unwrap_or_default();
            match pointed(&text) {
                Pointed::Type(kind) => target = Some(kind),
                Pointed::Unknown | Pointed::Contained("") => {}
                Pointed::Contained(id) => match self.contained_type(scope.container, id) {
                    Some(kind) => target = kind,
                    None => self.issue(Code::ContainedMissing, &place.element("reference"), || {
                        "add a resource with this id to `contained`, or point to Type/id".into()
                    }),
                },
                Pointed::Malformed => self.issue(Code::ReferenceForm, &place.element("reference"), || {
                    "write Type/id, an absolute URL, urn:uuid:… or #id, without white space".into()
                }),
            }
        }
        let declared = value.get("type").and_then(Value::text);
        let declared = declared.and_then(|name| r4().type_of(&name)).map(|found| found.name);
        if let (Some(declared), Some(target)) = (declared, target)
            && declared != target
        {
            self.issue(Code::ReferenceTarget, &place.element("type"), || {
                "make the type that of the reference, or leave it out".into()
            });
        }
        let Some(kind) = target.or(declared) else { return };
        if !allows(&of.targets, kind) {
            self.issue(Code::ReferenceTarget, place, || {
                format!("point to one of: {}", of.targets.join(", "))
            });
        }
    }

    /// The type of a contained resource, as far as it is known; `None` when there is no such resource.
    fn contained_type(&mut self, container: Value<'_>, id: &str) -> Option<Option<&'static str>> {
        let known = self.contained.entry(container.index()).or_insert_with(|| contained(container));
        known.get(id).copied()
    }
}

/// Contained resources by id, with their types.
fn contained(container: Value<'_>) -> HashMap<String, Option<&'static str>> {
    let resources = container.get("contained").into_iter().flat_map(Value::each);
    let named = resources.filter_map(|resource| {
        let id = resource.get("id").and_then(Value::text)?;
        let kind = resource.get("resourceType").and_then(Value::text);
        Some((id.into_owned(), kind.and_then(|kind| r4().type_of(&kind)).map(|def| def.name)))
    });
    named.collect()
}

/// What a reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointed<'t> {
    /// `#id`: a contained resource; `#` alone: the container.
    Contained(&'t str),
    /// A resource of this type: `Type/id`, `Type/id/_history/1`, `https://…/Type/id`, or the condition `Type?…`.
    Type(&'static str),
    /// `urn:…` or a URL that does not say.
    Unknown,
    /// Not a reference.
    Malformed,
}

/// Reads the text of a reference.
pub(super) fn pointed(text: &str) -> Pointed<'_> {
    if let Some(id) = text.strip_prefix('#') {
        return Pointed::Contained(id);
    }
    if text.is_empty() || text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Pointed::Malformed;
    }
    let absolute = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    if let Some(rest) = absolute {
        return of_path(rest).map_or(Pointed::Unknown, Pointed::Type);
    }
    if let Some((kind, condition)) = text.split_once('?') {
        return match resource_type(kind) {
            Some(kind) if !condition.is_empty() => Pointed::Type(kind),
            _ => Pointed::Malformed,
        };
    }
    if has_scheme(text) {
        return Pointed::Unknown;
    }
    let kind = text.split('/').next().and_then(resource_type);
    match (kind, of_path(text)) {
        (Some(first), Some(found)) if first == found => Pointed::Type(found),
        _ => Pointed::Malformed,
    }
}

/// The type in `…Type/id` or `…Type/id/_history/version`.
fn of_path(path: &str) -> Option<&'static str> {
    let mut parts = path.rsplit('/');
    let mut id = parts.next()?;
    let mut kind = parts.next()?;
    if kind == "_history" {
        id = parts.next()?;
        kind = parts.next()?;
    }
    if is_id(id) { resource_type(kind) } else { None }
}

fn resource_type(name: &str) -> Option<&'static str> {
    let found = r4().type_of(name)?;
    r4().is_resource(name).then_some(found.name)
}

/// `urn:…`, `oid:…`: letters, then a colon before any slash.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        !rest.is_empty()
            && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.bytes().all(is_scheme)
    })
}

/// Whether a resource of type `kind` may be pointed to.
pub(super) fn allows(targets: &[&'static str], kind: &str) -> bool {
    targets.is_empty() || targets.iter().any(|target| *target == kind || *target == "Resource")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_references() {
        let table = [
            ("Patient/1", Pointed::Type("Patient")),
            ("Patient/1/_history/2", Pointed::Type("Patient")),
            ("https://a.kr/fhir/Patient/1", Pointed::Type("Patient")),
            ("http://a.kr/fhir/Patient/1/_history/2", Pointed::Type("Patient")),
            ("Practitioner?identifier=http://a.kr|1", Pointed::Type("Practitioner")),
            ("https://a.kr/anything", Pointed::Unknown),
            ("https://a.kr/Nothing/1", Pointed::Unknown),
            ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", Pointed::Unknown),
            ("urn:oid:1.2.3", Pointed::Unknown),
            ("#p1", Pointed::Contained("p1")),
            ("#", Pointed::Contained("")),
            ("", Pointed::Malformed),
            ("1", Pointed::Malformed),
            ("Patient", Pointed::Malformed),
            ("Patient/", Pointed::Malformed),
            ("Patient/a_b", Pointed::Malformed),
            ("patient/1", Pointed::Malformed),
            ("DomainResource/1", Pointed::Malformed),
            ("x/Patient/1", Pointed::Malformed),
            ("/Patient/1", Pointed::Malformed),
            ("Patient/1 ", Pointed::Malformed),
            ("Nothing?a=b", Pointed::Malformed),
            ("Patient?", Pointed::Malformed),
        ];
        for (text, expected) in table {
            assert_eq!(pointed(text), expected, "{text}");
        }
    }
}
