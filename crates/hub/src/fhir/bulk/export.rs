//! What an export asks for (Bulk Data Access 2.0.0, "Query Parameters"; `_until` as in the ballot of 3.0.0).

use ieum_fhir::definitions::r4;
use ieum_fhir::outcome::Code;
use ieum_fhir::reference::is_id;
use ieum_fhir::search::parse::ParseContext;
use ieum_fhir::search::{self, Query, Summary};
use ieum_store::access::Family;
use ieum_store::catalogue::Catalogue;
use serde::{Deserialize, Serialize};

use super::parameters::legible;
use crate::call::{Call, Failure};
use crate::fhir::subset::Subset;
use crate::fhir::{error, page, search_context, value_sets};
use crate::percent;

/// Filters, elements and patients that may be named, at most.
const NAMES_MOST: usize = 10_000;

/// An export, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// Of what.
    pub level: Level,
    /// Only these types; empty for all of the level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Only records that pass one of the filters of their type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<TypeFilter>,
    /// Only these elements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<ElementName>,
    /// Only what changed after this instant (microseconds since 1970).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Only what changed before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Only these patients, by id; empty for all of the level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patients: Vec<String>,
}

/// Of what an export is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "lowercase")]
pub enum Level {
    /// Everything.
    System,
    /// One type. (Not in the guide: its operation at the level of every type.)
    Kind {
        /// The type.
        kind: String,
    },
    /// What belongs to patients.
    Patients,
    /// What belongs to the members of a group.
    Group {
        /// Id of the Group.
        id: String,
    },
}

/// A `_typeFilter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeFilter {
    /// The type it is about.
    pub kind: String,
    /// The criteria, as in a URL.
    pub query: String,
}

/// An element of `_elements`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementName {
    /// The type it is about; all types without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its name.
    pub name: String,
}

/// Parameters of the guide that are not served.
const NOT_SERVED: [&str; 3] = ["includeAssociatedData", "organizeOutputBy", "allowPartialManifests"];

fn wrong(name: &str, what: &str) -> Failure {
    error::bad(Code::AsyncParameter, format!("parameter {name}: {what}"))
}

/// Reads an export.
///
/// # Errors
/// 400 for what cannot be read or is not served. `Prefer: handling=lenient` passes over what does not exist or is not
/// served, as the guide allows; values that cannot be read are refused all the same.
pub(super) fn parse(call: &Call<'_>, level: Level, pairs: &[(String, String)]) -> Result<Export, Failure> {
    let mut export = Export {
        level,
        types: Vec::new(),
        filters: Vec::new(),
        elements: Vec::new(),
        since: page::instant(pairs, "_since")?,
        until: page::instant(pairs, "_until")?,
        patients: Vec::new(),
    };
    for (name, value) in pairs {
        match name.as_str() {
            "_since" | "_until" | "_format" | "_pretty" => {}
            "_outputFormat" => check_format(value)?,
            "_type" => export.types.extend(value.split(',').map(|kind| kind.trim().to_owned())),
            "_typeFilter" => export.filters.extend(filters(value)?),
            "_elements" => export.elements.extend(value.split(',').map(element)),
            "patient" => export.patients.push(patient(call, value)?),
            _ if call.prefer.lenient => {}
            name if NOT_SERVED.contains(&name) => {
                return Err(wrong(
                    name,
                    "is not supported; leave it out, or send `Prefer: handling=lenient`",
                ));
            }
            name => return Err(wrong(legible(name), "does not exist for this operation")),
        }
        if export.filters.len().max(export.elements.len()).max(export.patients.len()) > NAMES_MOST {
            return Err(wrong(legible(name), &format!("at most {NAMES_MOST} may be given")));
        }
    }
    check_types(call, &mut export)?;
    check_filters(call, &export)?;
    check_patients(call, &mut export)?;
    Ok(export)
}

fn check_format(value: &str) -> Result<(), Failure> {
    // A plus sign that was not percent-encoded arrives as a space.
    match value.replace(' ', "+").as_str() {
        "application/fhir+ndjson" | "application/ndjson" | "ndjson" => Ok(()),
        _ => Err(wrong("_outputFormat", "must be application/fhir+ndjson")),
    }
}

fn element(text: &str) -> ElementName {
    let (kind, name) =
        text.trim().split_once('.').map_or((None, text.trim()), |(kind, name)| (Some(kind), name));
    ElementName { kind: kind.map(str::to_owned), name: name.to_owned() }
}

/// The filters in one value. Version 1 of the guide had several, separated by commas: one that is followed by `Type?`
/// separates.
fn filters(value: &str) -> Result<Vec<TypeFilter>, Failure> {
    let begins = |rest: &str| rest.split_once('?').is_some_and(|(kind, _)| r4().is_resource(kind));
    let mut parts = vec![String::new()];
    for piece in value.split(',') {
        let last = parts.len() - 1;
        if parts[last].is_empty() {
            parts[last] = piece.to_owned();
        } else if begins(piece) {
            parts.push(piece.to_owned());
        } else {
            parts[last] = format!("{},{piece}", parts[last]);
        }
    }
    parts
        .iter()
        .map(|part| {
            let (kind, query) = part.split_once('?').filter(|_| begins(part)).ok_or_else(|| {
                wrong("_typeFilter", "must be a search such as Observation?category=laboratory")
            })?;
            Ok(TypeFilter { kind: kind.to_owned(), query: query.to_owned() })
        })
        .collect()
}

fn patient(call: &Call<'_>, value: &str) -> Result<String, Failure> {
    let relative = value.strip_prefix(call.hub.base_url()).map_or(value, |rest| rest.trim_start_matches('/'));
    let id = relative.strip_prefix("Patient/").filter(|id| is_id(id));
    id.map(str::to_owned).ok_or_else(|| wrong("patient", "must be a reference such as Patient/123"))
}

fn check_types(call: &Call<'_>, export: &mut Export) -> Result<(), Failure> {
    if let Level::Kind { kind } = &export.level {
        if !export.types.is_empty() {
            return Err(wrong("_type", "is in the address already; leave it out, or use [base]/$export"));
        }
        export.types = vec![kind.clone()];
    }
    let catalogue = call.kinds.catalogue();
    let served = kinds_of(catalogue, &export.level);
    if export.types.iter().any(|kind| !r4().is_resource(kind)) {
        return Err(wrong("_type", "must be a list of resource types of FHIR R4"));
    }
    if call.prefer.lenient {
        export.types.retain(|kind| served.contains(&kind.as_str()));
    } else if export.types.iter().any(|kind| !served.contains(&kind.as_str())) {
        return Err(wrong(
            "_type",
            "names a type outside the patient compartment; use [base]/$export for it",
        ));
    }
    export.types.sort_unstable();
    export.types.dedup();
    Ok(())
}

fn check_filters(call: &Call<'_>, export: &Export) -> Result<(), Failure> {
    let catalogue = call.kinds.catalogue();
    let sets = value_sets::of_call(call);
    for filter in &export.filters {
        if !call.prefer.lenient && !export.kinds(catalogue).contains(&filter.kind.as_str()) {
            return Err(wrong("_typeFilter", "is about a type that is not exported; name it in _type"));
        }
        let query = filter.parse(&search_context(call, &sets, !call.prefer.lenient))?;
        let shapes = !query.sort.is_empty()
            || !query.includes.is_empty()
            || query.count.is_some()
            || query.summary != Summary::False
            || !query.elements.is_empty();
        if shapes {
            return Err(wrong(
                "_typeFilter",
                "may hold criteria only, no _include, _sort, _count or _elements",
            ));
        }
    }
    Ok(())
}

fn check_patients(call: &Call<'_>, export: &mut Export) -> Result<(), Failure> {
    if export.patients.is_empty() {
        return Ok(());
    }
    if call.route.method != axum::http::Method::POST {
        return Err(wrong("patient", "is taken by POST, in a Parameters resource"));
    }
    if !matches!(export.level, Level::Patients | Level::Group { .. }) {
        return Err(wrong("patient", "belongs to [base]/Patient/$export and [base]/Group/id/$export"));
    }
    export.patients.sort_unstable();
    export.patients.dedup();
    Ok(())
}

/// The types of a level.
fn kinds_of<'k>(catalogue: &'k Catalogue, level: &Level) -> Vec<&'k str> {
    let is_of = |family: Family| match level {
        Level::System | Level::Kind { .. } => family != Family::System,
        Level::Patients | Level::Group { .. } => family == Family::Clinical,
    };
    let kinds = catalogue.kinds().iter().filter(|kind| is_of(kind.family));
    kinds.map(|kind| kind.name.as_str()).collect()
}

impl Export {
    /// The types to export, in a fixed order.
    #[must_use]
    pub fn kinds<'k>(&self, catalogue: &'k Catalogue) -> Vec<&'k str> {
        let mut kinds = kinds_of(catalogue, &self.level);
        kinds.retain(|kind| self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind));
        kinds.sort_unstable();
        kinds
    }

    /// The filters of a type; none when all of it is wanted.
    pub fn filters_of<'e>(&'e self, kind: &'e str) -> impl Iterator<Item = &'e TypeFilter> {
        self.filters.iter().filter(move |filter| filter.kind == kind)
    }

    /// Which part of each resource of a type is written.
    #[must_use]
    pub(super) fn subset(&self, kind: &str) -> Subset {
        let is_of = |element: &&ElementName| element.kind.as_deref().is_none_or(|of| of == kind);
        let names: Vec<String> =
            self.elements.iter().filter(is_of).map(|element| element.name.clone()).collect();
        if names.is_empty() { Subset::Whole } else { Subset::Elements(names) }
    }

    /// Whether only records of patients are wanted.
    #[must_use]
    pub fn is_of_patients(&self) -> bool {
        matches!(self.level, Level::Patients | Level::Group { .. })
    }
}

impl TypeFilter {
    /// The search it stands for.
    ///
    /// # Errors
    /// 400 when it is none.
    pub(super) fn parse(&self, context: &ParseContext<'_>) -> Result<Query, Failure> {
        let pairs = percent::pairs(&self.query).map_err(|error| wrong("_typeFilter", &error.to_string()))?;
        Ok(search::parse(&self.kind, &pairs, context)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_separated_where_a_type_begins() {
        let read = |value| {
            let filters = filters(value).map_err(|failure| failure.status.as_u16())?;
            Ok(filters
                .into_iter()
                .map(|filter| format!("{}?{}", filter.kind, filter.query))
                .collect::<Vec<_>>())
        };
        assert_eq!(read("Observation?code=1,2"), Ok(vec!["Observation?code=1,2".to_owned()]));
        assert_eq!(
            read("Observation?code=1,2,Patient?name=a"),
            Ok(vec!["Observation?code=1,2".to_owned(), "Patient?name=a".to_owned()])
        );
        for bad in ["", "Observation", "?a=b", "observation?a=b", "Nothing?a=b", "a,Observation?b=c"] {
            assert_eq!(read(bad), Err(400), "{bad}");
        }
    }

    #[test]
    fn elements_may_name_their_type() {
        assert_eq!(element("id"), ElementName { kind: None, name: "id".into() });
        assert_eq!(
            element(" Patient.name"),
            ElementName { kind: Some("Patient".into()), name: "name".into() }
        );
    }
}
