//! A version made ready for the commit: everything that can be done before its turn comes.

use std::borrow::Cow;

use ieum_fhir::index::{Extracted, IndexValue, Target};
use ieum_fhir::json::{Document, JsonError, Limits, Value};

use crate::access::Family;
use crate::body;
use crate::catalogue::{Catalogue, KindDef};
use crate::compress::{self, Packed};

/// A version ready to be written.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Kind.
    pub kind: String,
    /// Logical id.
    pub id: String,
    /// Stored body (see [`crate::body`]).
    pub body: Vec<u8>,
    /// The same, compressed.
    pub packed: Packed,
    /// What it is found by.
    pub indexed: Indexed,
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
            self.index(kind, id, &self.extract(kind, resource))
        };
        let packed = compress::pack(&body);
        Prepared { kind: kind.name.clone(), id: id.to_owned(), body, packed, indexed }
    }

    /// Reads a stored body again to learn what it is found by.
    ///
    /// # Errors
    /// [`JsonError`] when the body is not what this program wrote.
    pub fn index_body(&self, kind: &KindDef, id: &str, body: &[u8]) -> Result<Indexed, JsonError> {
        let mut plain = Vec::with_capacity(body.len() + 80);
        body::write_plain(body, &kind.name, id, &mut plain);
        let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
        let document = Document::parse(&plain, &limits)?;
        Ok(self.index(kind, id, &self.extract(kind, document.root())))
    }

    fn index(&self, kind: &KindDef, id: &str, extracted: &Extracted<'_>) -> Indexed {
        let mut patients: Vec<String> = match kind.family {
            Family::Clinical if kind.name == "Patient" => vec![id.to_owned()],
            Family::Clinical => {
                let owners =
                    extracted.compartments.iter().filter(|(compartment, _)| *compartment == "Patient");
                owners.map(|(_, owner)| owner.to_string()).collect()
            }
            Family::Shared | Family::System => Vec::new(),
        };
        patients.sort();
        patients.dedup();
        Indexed {
            values: extracted.values.iter().map(|(position, value)| (*position, owned(value))).collect(),
            patients,
            mask: self.mask(extracted),
            main_date: extracted.main_date,
        }
    }
}

fn owned(value: &IndexValue<'_>) -> IndexValue<'static> {
    let text = |text: &Cow<'_, str>| Cow::Owned(text.to_string());
    let maybe = |value: &Option<Cow<'_, str>>| value.as_ref().map(text);
    match value {
        IndexValue::Token { system, code } => IndexValue::Token { system: maybe(system), code: maybe(code) },
        IndexValue::Reference(Target::Local { kind, id }) => {
            IndexValue::Reference(Target::Local { kind: text(kind), id: text(id) })
        }
        IndexValue::Reference(Target::Url(url)) => IndexValue::Reference(Target::Url(text(url))),
        IndexValue::Date(range) => IndexValue::Date(*range),
        IndexValue::Number(range) => IndexValue::Number(range.clone()),
        IndexValue::Quantity { system, code, unit, range } => IndexValue::Quantity {
            system: maybe(system),
            code: maybe(code),
            unit: maybe(unit),
            range: range.clone(),
        },
        IndexValue::String(value) => IndexValue::String(text(value)),
        IndexValue::Uri(value) => IndexValue::Uri(text(value)),
    }
}
