//! A second opinion: R4's JSON schema must know the same properties as the table.

use std::collections::BTreeSet;

use serde_json::Value;

use super::package::Package;
use super::types::{Type, Types, capitalised, schema_name};
use crate::Result;

/// Properties of the package's schema that are Medplum's or a later release's, not R4's.
const NOT_R4: &[(&str, &[&str])] = &[
    ("DeviceDefinition", &["classification"]),
    ("Meta", &["account", "author", "compartment", "project"]),
    ("ObservationDefinition", &["publisher"]),
    ("OperationOutcome", &["resource", "status"]),
    ("Reference", &["resource"]),
];

/// Fails with the differences.
pub(super) fn check(package: &Package, types: &Types) -> Result<()> {
    let schema = package.read("fhir.schema.json")?;
    let definitions = schema["definitions"].as_object().ok_or("the JSON schema has no definitions")?;
    let mut differences = Vec::new();
    for (name, entry) in &types.types {
        if entry.is_abstract || entry.kind == "primitive" {
            continue;
        }
        let mut not_r4 =
            NOT_R4.iter().find(|(odd, _)| odd == name).map_or(vec![], |(_, names)| names.to_vec());
        if entry.base == "Element" {
            // The schema treats every inner type as a BackboneElement.
            not_r4.push("modifierExtension");
        }
        let ours = properties(types, entry);
        let wanted = schema_name(name);
        // Backbone types of the same last name are numbered: `ClaimResponse_Detail`, `ClaimResponse_Detail1`.
        let mut candidates = definitions.iter().filter(|(candidate, _)| {
            candidate.strip_prefix(&wanted).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if !candidates.any(|(_, definition)| schema_properties(definition, &not_r4) == ours) {
            let theirs = definitions
                .get(&wanted)
                .map(|definition| schema_properties(definition, &not_r4))
                .unwrap_or_default();
            let odd: Vec<_> = ours.symmetric_difference(&theirs).cloned().collect();
            differences.push(format!("{name}: {}", odd.join(" ")));
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("the tables and R4's JSON schema differ:\n{}", differences.join("\n")).into())
}

fn properties(types: &Types, entry: &Type) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut next = Some(entry);
    while let Some(entry) = next {
        for element in &entry.elements {
            match element.name.strip_suffix("[x]") {
                None => {
                    names.insert(element.name.clone());
                }
                Some(stem) => names.extend(element.types.iter().map(|written| {
                    let name = written.split('(').next().unwrap_or(written);
                    format!("{stem}{}", capitalised(name))
                })),
            }
        }
        next = types.types.get(&entry.base);
    }
    names
}

fn schema_properties(definition: &Value, not_r4: &[&str]) -> BTreeSet<String> {
    let properties = definition["properties"].as_object();
    let names = properties.into_iter().flat_map(|properties| properties.keys());
    let is_ours = |name: &&String| {
        let is_type = *name == "resourceType" && definition["properties"][*name]["const"].is_string();
        !name.starts_with('_') && !is_type && !not_r4.contains(&name.as_str())
    };
    names.filter(is_ours).cloned().collect()
}
