//! The thirty shapes of searches, and the values that they are filled with from the data.

use std::collections::HashMap;

use serde_json::Value;

use crate::Result;
use crate::corpus::Corpus;
use crate::http::encode;

/// What a search asks of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// One criterion.
    Single,
    /// Several that all must hold.
    And,
    /// Chains and `_has`.
    Chain,
    /// Includes, orders, counts.
    Shape,
}

impl Class {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Single, Self::And, Self::Chain, Self::Shape];

    /// As the table calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::And => "several criteria",
            Self::Chain => "chain and _has",
            Self::Shape => "include, sort, count",
        }
    }
}

/// The searches. Names in braces are values of [`FIELDS`]; those of one letter come from one record of the data, so that
/// something is found.
pub(crate) const SHAPES: [(Class, &str); 30] = [
    (Class::Single, "Patient?family={p.family}"),
    (Class::Single, "Patient?birthdate={p.birth}"),
    (Class::Single, "Patient?identifier={p.identifier}"),
    (Class::Single, "Observation?code={o.code}"),
    (Class::Single, "Observation?subject={o.subject}"),
    (Class::Single, "Condition?code={c.system}%7C{c.code}"),
    (Class::Single, "Encounter?date=ge{e.start}"),
    (Class::Single, "Observation?value-quantity=gt{o.value}"),
    (Class::And, "Observation?subject={o.subject}&code={o.code}"),
    (Class::And, "Observation?subject={o.subject}&category={o.category}&date=ge{o.date}"),
    (Class::And, "Observation?status=final&category={o.category}&code={o.code}"),
    (Class::And, "Observation?code={o.code}&value-quantity=gt{o.value}"),
    (Class::And, "Observation?code={o.code}&date=ge{o.date}"),
    (Class::And, "Encounter?subject={e.subject}&status=finished&class={e.class}"),
    (Class::And, "Patient?gender={p.gender}&birthdate=ge{p.birth}&address-city={p.city}"),
    (Class::And, "Claim?status=active&patient={e.subject}"),
    (Class::Chain, "Observation?patient.family={p.family}"),
    (Class::Chain, "Observation?patient.gender={p.gender}&code={o.code}"),
    (Class::Chain, "Encounter?patient.identifier={p.identifier}"),
    (Class::Chain, "Encounter?service-provider.name={g.name}"),
    (Class::Chain, "MedicationRequest?patient.birthdate=ge{p.birth}&code={m.code}"),
    (Class::Chain, "Patient?_has:Observation:patient:code={o.code}"),
    (Class::Chain, "Patient?_has:Condition:patient:code={c.code}&gender={p.gender}"),
    (Class::Shape, "Observation?subject={o.subject}&_sort=-date"),
    (Class::Shape, "Observation?code={o.code}&_sort=-date"),
    (Class::Shape, "Patient?gender={p.gender}&_sort=birthdate"),
    (Class::Shape, "MedicationRequest?code={m.code}&_include=MedicationRequest:patient"),
    (Class::Shape, "Patient?_id={p.id}&_revinclude=Condition:patient"),
    (Class::Shape, "Observation?code={o.code}&_summary=count"),
    (Class::Shape, "Observation?status=final&category={o.category}&_summary=count"),
];

/// Value, type of the record, and where it stands there.
const FIELDS: [(&str, &str, &str); 18] = [
    ("p.id", "Patient", "/id"),
    ("p.family", "Patient", "/name/0/family"),
    ("p.birth", "Patient", "/birthDate"),
    ("p.gender", "Patient", "/gender"),
    ("p.city", "Patient", "/address/0/city"),
    ("p.identifier", "Patient", "/identifier/0/value"),
    ("o.code", "Observation", "/code/coding/0/code"),
    ("o.category", "Observation", "/category/0/coding/0/code"),
    ("o.subject", "Observation", "/subject/reference"),
    ("o.date", "Observation", "/effectiveDateTime"),
    ("o.value", "Observation", "/valueQuantity/value"),
    ("c.code", "Condition", "/code/coding/0/code"),
    ("c.system", "Condition", "/code/coding/0/system"),
    ("e.start", "Encounter", "/period/start"),
    ("e.subject", "Encounter", "/subject/reference"),
    ("e.class", "Encounter", "/class/code"),
    ("m.code", "MedicationRequest", "/medicationCodeableConcept/coding/0/code"),
    ("g.name", "Organization", "/name"),
];

/// Draws values from the data.
pub(crate) struct Values {
    by_kind: HashMap<&'static str, Vec<Value>>,
}

impl Values {
    /// Reads the records that have all of their type's values.
    pub(crate) fn new(corpus: &Corpus) -> Result<Self> {
        let mut by_kind = HashMap::new();
        for (_, kind, _) in FIELDS {
            if by_kind.contains_key(kind) {
                continue;
            }
            let mut records = corpus.of_kind(kind)?;
            let fields = || FIELDS.iter().filter(|(_, of, _)| *of == kind);
            records.retain(|record| fields().all(|(.., at)| record.pointer(at).is_some()));
            if records.is_empty() {
                return Err(format!("the data have no {kind} with all values that are asked for").into());
            }
            by_kind.insert(kind, records);
        }
        Ok(Self { by_kind })
    }

    /// The search with the values of the `n`th draw, the same for every server.
    pub(crate) fn fill(&self, shape: &str, n: usize) -> String {
        let mut question = shape.to_owned();
        for (name, kind, at) in FIELDS {
            let place = format!("{{{name}}}");
            if !question.contains(&place) {
                continue;
            }
            let records = &self.by_kind[kind];
            // A step that shares no factor with most lengths walks through all of them in no order.
            let record = &records[(n * 7_919 + 13) % records.len()];
            let value = match record.pointer(at) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            question = question.replace(&place, &encode(&value.replace(',', "\\,")));
        }
        question
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_shapes_and_every_value_a_place() {
        for class in Class::ALL {
            assert!(SHAPES.iter().filter(|(of, _)| *of == class).count() >= 6, "{class:?}");
        }
        for (_, shape) in SHAPES {
            for name in shape.split('{').skip(1).filter_map(|part| part.split('}').next()) {
                assert!(FIELDS.iter().any(|(field, ..)| *field == name), "{name}");
            }
        }
    }
}
