//! Parts of resources: `_summary` and `_elements` (R4, `search.html#summary`), as streams over the JSON tape.

use ieum_fhir::definitions::{Property, TypeDef, TypeKind, r4};
use ieum_fhir::json::{Document, Limits, Value, write_minified, write_string};
use ieum_fhir::outcome::Code;
use ieum_fhir::search::{self, Query, Summary};
use ieum_store::record::Record;

use super::{error, search_context};
use crate::call::{Call, Failure};

/// Which part of each resource is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subset {
    /// All of it.
    Whole,
    /// Elements that the definitions mark as summary.
    Summary,
    /// Narrative, id, meta and mandatory elements.
    Text,
    /// All but the narrative.
    Data,
    /// These elements, id, meta and mandatory elements.
    Elements(Vec<String>),
}

const SUBSETTED: &[u8] =
    br#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const FORMAT: [&str; 2] = ["_format", "_pretty"];
const SHAPE: [&str; 2] = ["_summary", "_elements"];

/// What the parameters of a read ask for; `others` are the names of parameters that the interaction knows besides.
///
/// # Errors
/// 400 for parameters that do not exist (unless handling is lenient) or cannot be read.
pub(super) fn asked(call: &Call<'_>, others: &[&str]) -> Result<Subset, Failure> {
    check_parameters(call, &[&SHAPE, others].concat())?;
    let pairs: Vec<_> =
        call.pairs.iter().filter(|(name, _)| SHAPE.contains(&name.as_str())).cloned().collect();
    if pairs.is_empty() {
        return Ok(Subset::Whole);
    }
    // Both parameters are read alike for every type.
    of_query(&search::parse("Basic", &pairs, &search_context(call, &search::R4, true))?)
}

/// What a search asks for.
///
/// # Errors
/// 400 for combinations that exclude one another.
pub(super) fn of_query(query: &Query) -> Result<Subset, Failure> {
    let part = match query.summary {
        Summary::False | Summary::Count => None,
        Summary::True => Some(Subset::Summary),
        Summary::Text => Some(Subset::Text),
        Summary::Data => Some(Subset::Data),
    };
    let refuse = |what: &str| Err(error::bad(Code::SearchValue, what));
    match (part, query.elements.is_empty()) {
        (Some(_), false) => refuse("_summary and _elements cannot be used together; leave one out"),
        (Some(Subset::Text), true) if !query.includes.is_empty() => {
            refuse("_summary=text cannot be used with _include or _revinclude (R4, search.html#summary)")
        }
        (Some(part), true) => Ok(part),
        (None, true) => Ok(Subset::Whole),
        (None, false) => Ok(Subset::Elements(query.elements.clone())),
    }
}

/// Refuses parameters of the URL that the interaction does not know, unless handling is lenient.
///
/// # Errors
/// 400.
pub(super) fn check_parameters(call: &Call<'_>, known: &[&str]) -> Result<(), Failure> {
    let is_known = |name: &str| known.contains(&name) || FORMAT.contains(&name);
    if call.prefer.lenient || call.pairs.iter().all(|(name, _)| is_known(name)) {
        return Ok(());
    }
    let known = if known.is_empty() { String::new() } else { format!("{}, ", known.join(", ")) };
    let what = format!("this interaction knows the parameters {known}_format and _pretty");
    Err(error::bad(Code::SearchUnknownParameter, what))
}

/// The parameters that are not about the format of the answer.
#[must_use]
pub(super) fn without_format(pairs: &[(String, String)]) -> Vec<(String, String)> {
    pairs.iter().filter(|(name, _)| !FORMAT.contains(&name.as_str())).cloned().collect()
}

/// Whether a resource carries the mark of what is sent in part.
#[must_use]
pub(super) fn is_subsetted(resource: Value<'_>) -> bool {
    let tags = resource.get("meta").and_then(|meta| meta.get("tag"));
    let is = |tag: Value<'_>, name, wanted| tag.get(name).and_then(Value::text).as_deref() == Some(wanted);
    tags.into_iter()
        .flat_map(Value::elements)
        .any(|tag| is(tag, "code", "SUBSETTED") && is(tag, "system", OBSERVATION_VALUE))
}

impl Subset {
    /// Writes this part of a record.
    ///
    /// # Errors
    /// 500 when the stored body cannot be read.
    pub(super) fn write(&self, record: &Record, out: &mut Vec<u8>) -> Result<(), Failure> {
        if *self == Self::Whole {
            record.write_json(out);
            return Ok(());
        }
        let json = record.json();
        let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
        let document = Document::parse(&json, &limits).map_err(|_| unreadable())?;
        let def = r4().type_of(&record.kind).ok_or_else(unreadable)?;
        self.resource(document.root(), def, out);
        Ok(())
    }

    /// Writes this part of a resource inside a record.
    ///
    /// # Errors
    /// 500 when the stored body cannot be read, or holds no such resource.
    pub(super) fn write_part(&self, record: &Record, part: &str, out: &mut Vec<u8>) -> Result<(), Failure> {
        let json = record.plain_json();
        let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
        let document = Document::parse(&json, &limits).map_err(|_| unreadable())?;
        let text =
            |value: Value<'_>, name| value.get(name).and_then(Value::text).unwrap_or_default().into_owned();
        let mut contained = document.root().get("contained").into_iter().flat_map(Value::elements);
        let inner = contained.find(|inner| text(*inner, "id") == part).ok_or_else(unreadable)?;
        if *self == Self::Whole {
            write_minified(inner, out, &mut |_| None);
            return Ok(());
        }
        let def = r4().type_of(&text(inner, "resourceType")).ok_or_else(unreadable)?;
        self.resource(inner, def, out);
        Ok(())
    }

    fn resource(&self, resource: Value<'_>, def: &TypeDef, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut first = true;
        for member in resource.members() {
            let Some(key) = member.key() else { continue };
            let wanted = match &*key {
                "resourceType" | "id" | "meta" => true,
                name => self.has(name, def),
            };
            if !wanted {
                continue;
            }
            let start = out.len();
            if !first {
                out.push(b',');
            }
            write_string(&key, out);
            out.push(b':');
            let before = out.len();
            match (&*key, self) {
                ("meta", _) => meta(member, out),
                (name, Self::Summary) if name != "resourceType" && !name.starts_with('_') => {
                    if let Some(property) = def.property(name) {
                        summary(member, property, out);
                    }
                }
                _ => write_minified(member, out, &mut |_| None),
            }
            if out.len() == before {
                out.truncate(start);
            } else {
                first = false;
            }
        }
        if resource.get("meta").is_none() {
            // Records always have one; a resource inside a record may have none.
            out.extend_from_slice(if first { br#""meta":{"tag":["# } else { br#","meta":{"tag":["# });
            out.extend_from_slice(SUBSETTED);
            out.extend_from_slice(b"]}");
        }
        out.push(b'}');
    }

    /// Whether a property at the top of a resource is part of it.
    fn has(&self, property: &str, def: &TypeDef) -> bool {
        let name = property.strip_prefix('_').unwrap_or(property);
        let Some(found) = def.property(name) else { return false };
        let element = found.element;
        match self {
            Self::Whole => true,
            Self::Summary => element.summary,
            Self::Text => element.name == "text" || element.min > 0,
            Self::Data => element.name != "text",
            Self::Elements(names) => {
                element.min > 0
                    || ["implicitRules", "modifierExtension"].contains(&element.name)
                    || names.iter().any(|wanted| wanted == element.name || wanted == name)
            }
        }
    }
}

/// The meta of a resource of which a part is sent, marked as such. It is last stored, first shown: versions and time
/// are always in it.
fn meta(meta: Value<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut tagged = false;
    for (index, member) in meta.members().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let key = member.key().unwrap_or_default();
        write_string(&key, out);
        out.push(b':');
        if key != "tag" {
            write_minified(member, out, &mut |_| None);
            continue;
        }
        tagged = true;
        out.push(b'[');
        for tag in member.elements() {
            write_minified(tag, out, &mut |_| None);
            out.push(b',');
        }
        out.extend_from_slice(SUBSETTED);
        out.push(b']');
    }
    if !tagged {
        if meta.members().next().is_some() {
            out.push(b',');
        }
        out.extend_from_slice(br#""tag":["#);
        out.extend_from_slice(SUBSETTED);
        out.push(b']');
    }
    out.push(b'}');
}

/// What is summary of an element's value; nothing when no part of it is.
fn summary(value: Value<'_>, property: Property, out: &mut Vec<u8>) {
    let def = property.type_ref.definition();
    let is_taken_apart = matches!(def.kind, TypeKind::Complex | TypeKind::Backbone)
        && def.elements.iter().any(|element| element.summary);
    if !is_taken_apart {
        return write_minified(value, out, &mut |_| None);
    }
    if !property.element.repeats() {
        return summary_object(value, def, out);
    }
    let start = out.len();
    out.push(b'[');
    for item in value.elements() {
        let before = out.len();
        if before > start + 1 {
            out.push(b',');
        }
        let inside = out.len();
        summary_object(item, def, out);
        if out.len() == inside {
            out.truncate(before);
        }
    }
    if out.len() == start + 1 { out.truncate(start) } else { out.push(b']') }
}

fn summary_object(value: Value<'_>, def: &TypeDef, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(b'{');
    for member in value.members() {
        let Some(key) = member.key() else { continue };
        let (name, is_extension) = key.strip_prefix('_').map_or((&*key, false), |name| (name, true));
        let Some(property) = def.property(name).filter(|property| property.element.summary) else { continue };
        let before = out.len();
        if before > start + 1 {
            out.push(b',');
        }
        write_string(&key, out);
        out.push(b':');
        let inside = out.len();
        if is_extension {
            write_minified(member, out, &mut |_| None);
        } else {
            summary(member, property, out);
        }
        if out.len() == inside {
            out.truncate(before);
        }
    }
    if out.len() == start + 1 { out.truncate(start) } else { out.push(b'}') }
}

fn unreadable() -> Failure {
    tracing::error!("a stored body cannot be read");
    error::internal()
}
