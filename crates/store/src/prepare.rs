//! A version made ready for the commit: everything that can be done before its turn comes.

use std::borrow::Cow;

use ieum_fhir::definitions;
use ieum_fhir::index::{ContainedValues, Extracted, FullText, IndexValue, Target};
use ieum_fhir::json::{Document, JsonError, Limits, Value};
use ieum_fhir::reference;

use crate::access::{Facts, Family};
use crate::body;
use crate::catalogue::{Catalogue, KindDef};

/// A version ready to be written.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Kind.
    pub kind: String,
    /// Logical id.
    pub id: String,
    /// Stored body (see [`crate::body`]).
    pub body: Vec<u8>,
    /// What it is found by.
    pub indexed: Indexed,
    /// The terms of its texts.
    pub text: FullText,
    /// Of the catalogue whose positions stand in `indexed`.
    pub generation: u64,
}

/// Everything an engine keeps beside a body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Indexed {
    /// Values, as (position of the parameter in its kind, value); sorted, none twice.
    pub values: Vec<(u16, IndexValue<'static>)>,
    /// Patients in whose compartment the record is; sorted.
    pub patients: Vec<String>,
    /// Sensitivity bits.
    pub mask: u32,
    /// Main date in microseconds since 1970.
    pub main_date: Option<i64>,
    /// What the resources contained in it are found by.
    pub contained: Vec<ContainedValues<'static>>,
    /// What it says that access depends on.
    pub facts: Facts,
}

impl Catalogue {
    /// Prepares a resource for writing. `replace` may give another text for a string value: that is how references
    /// inside a transaction become real.
    #[must_use]
    pub fn prepare(
        &self,
        kind: &KindDef,
        id: &str,
        resource: Value<'_>,
        replace: &mut dyn FnMut(Value<'_>) -> Option<String>,
    ) -> Prepared {
        let mut replaced = false;
        let body = body::body_from(resource, &mut |value| {
            let text = replace(value);
            replaced |= text.is_some();
            text
        });
        let indexed = if replaced {
            self.index_body(kind, id, &body).expect("a document with other strings in it is still a document")
        } else {
            self.index(kind, id, resource, self.bases())
        };
        // What is replaced are references and links, which are no text.
        let text = self.full_text(kind, resource);
        let generation = self.generation();
        Prepared { kind: kind.name.clone(), id: id.to_owned(), body, indexed, text, generation }
    }

    /// What a version is found by, by this catalogue: as it was prepared, or read again when another catalogue was in
    /// force then.
    ///
    /// # Errors
    /// [`JsonError`] when the body is not what this program wrote.
    pub(crate) fn indexed_now<'p>(&self, record: &'p Prepared) -> Result<Cow<'p, Indexed>, JsonError> {
        match self.kind(&record.kind) {
            Some(kind) if record.generation != self.generation() => {
                self.index_body(kind, &record.id, &record.body).map(Cow::Owned)
            }
            _ => Ok(Cow::Borrowed(&record.indexed)),
        }
    }

    /// Reads a stored body again to learn what it is found by.
    ///
    /// # Errors
    /// [`JsonError`] when the body is not what this program wrote.
    pub fn index_body(&self, kind: &KindDef, id: &str, body: &[u8]) -> Result<Indexed, JsonError> {
        self.index_body_as(kind, id, body, self.bases())
    }

    /// The same, as a hub with these addresses would find it.
    pub(crate) fn index_body_as(
        &self,
        kind: &KindDef,
        id: &str,
        body: &[u8],
        bases: &[String],
    ) -> Result<Indexed, JsonError> {
        with_body(kind, id, body, |resource| self.index(kind, id, resource, bases))
    }

    /// Reads a stored body again to learn the terms of its texts.
    ///
    /// # Errors
    /// [`JsonError`] when the body is not what this program wrote.
    pub fn full_text_of_body(&self, kind: &KindDef, id: &str, body: &[u8]) -> Result<FullText, JsonError> {
        with_body(kind, id, body, |resource| self.full_text(kind, resource))
    }

    fn index(&self, kind: &KindDef, id: &str, resource: Value<'_>, bases: &[String]) -> Indexed {
        let extracted = self.extract(kind, resource, bases);
        let mut patients: Vec<String> = match kind.family {
            Family::Clinical if kind.name == "Patient" => vec![id.to_owned()],
            Family::Clinical => owners(kind, resource, &extracted, bases),
            Family::Shared | Family::System => Vec::new(),
        };
        patients.sort();
        patients.dedup();
        let contained = self.contained(kind, resource, bases).into_iter().map(|inner| ContainedValues {
            kind: inner.kind,
            id: inner.id.into_owned().into(),
            values: owned(inner.values),
        });
        let contained: Vec<ContainedValues<'static>> = contained.collect();
        let mut mask = self.mask(&extracted);
        if kind.family == Family::Clinical {
            mask |= self.sensitive().of(resource);
        }
        Indexed {
            patients,
            mask,
            main_date: extracted.main_date,
            values: owned(extracted.values),
            contained,
            facts: self.facts(kind, id, resource, bases),
        }
    }
}

/// Gives the document of a stored body to `read`.
fn with_body<T>(
    kind: &KindDef,
    id: &str,
    body: &[u8],
    read: impl FnOnce(Value<'_>) -> T,
) -> Result<T, JsonError> {
    let mut plain = Vec::with_capacity(body.len() + 80);
    body::write_plain(body, &kind.name, id, &mut plain);
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    let document = Document::parse(&plain, &limits)?;
    Ok(read(document.root()))
}

/// Whose record it is: the patients in whose compartment it is; for types outside the specification's compartment, the
/// `patient` parameter that R4 has; for a Binary, the patient of its security context (R4, Binary.securityContext). What
/// records define never says whose a record is.
fn owners(kind: &KindDef, resource: Value<'_>, extracted: &Extracted<'_>, bases: &[String]) -> Vec<String> {
    let in_compartment = extracted.compartments.iter().filter(|(compartment, _)| *compartment == "Patient");
    let mut owners: Vec<String> = in_compartment.map(|(_, owner)| owner.to_string()).collect();
    let patient = |target: &Target<'_>| match target {
        Target::Local { kind, id } if kind == "Patient" => Some(id.to_string()),
        _ => None,
    };
    if let Some(position) = kind.built_in("patient") {
        owners.extend(extracted.values.iter().filter_map(|(place, value)| match value {
            IndexValue::Reference(target) if usize::from(*place) == position => patient(target),
            _ => None,
        }));
    }
    if kind.name == "Binary" {
        let context = resource.get("securityContext").and_then(|context| context.get("reference"));
        let is_kind = |name: &str| definitions::r4().is_resource(name);
        let target = context.and_then(Value::text).and_then(|text| reference::target(text, bases, &is_kind));
        owners.extend(target.as_ref().and_then(patient));
    }
    owners
}

fn owned(values: Vec<(u16, IndexValue<'_>)>) -> Vec<(u16, IndexValue<'static>)> {
    values.into_iter().map(|(position, value)| (position, value.into_owned())).collect()
}
