//! `bindings.txt`: the value sets of required bindings, with their codes where these can be listed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use serde_json::Value;

use super::package::{Package, list, text};
use crate::Result;

const PREFIX: &str = "http://hl7.org/fhir/ValueSet/";
const FILES: [&str; 3] = ["valuesets.json", "v3-codesystems.json", "v2-tables.json"];

type Codes = BTreeMap<String, BTreeSet<String>>;

/// The table of the value sets `wanted`.
pub(super) fn table(package: &Package, wanted: &BTreeSet<String>) -> Result<String> {
    let mut code_systems = HashMap::new();
    let mut value_sets = HashMap::new();
    for file in FILES {
        for resource in package.resources(file)? {
            let url = text(&resource, "url").to_owned();
            match text(&resource, "resourceType") {
                "CodeSystem" => code_systems.insert(url, resource),
                "ValueSet" => value_sets.insert(url, resource),
                _ => None,
            };
        }
    }
    let mut out = String::from(
        "# set <value set> [open: codes cannot be listed, not checked]\n#  system <url>\n#   <code>\n",
    );
    for name in wanted {
        let url = if name.contains("://") { name.clone() } else { format!("{PREFIX}{name}") };
        let Some(codes) = value_sets.get(&url).and_then(|set| expand(set, &code_systems)) else {
            let _ = writeln!(out, "set {name} open");
            continue;
        };
        let _ = writeln!(out, "set {name}");
        for (system, codes) in codes {
            let _ = writeln!(out, " system {system}");
            for code in codes {
                let _ = writeln!(out, "  {code}");
            }
        }
    }
    Ok(out)
}

/// The codes of a value set; `None` when the package does not list them all.
fn expand(value_set: &Value, code_systems: &HashMap<String, Value>) -> Option<Codes> {
    let compose = &value_set["compose"];
    let include = list(compose, "include");
    if include.is_empty() || !list(compose, "exclude").is_empty() {
        return None;
    }
    let mut codes = Codes::new();
    for part in include {
        if !list(part, "filter").is_empty() || !list(part, "valueSet").is_empty() {
            return None;
        }
        let system = text(part, "system");
        let found = codes.entry(system.to_owned()).or_default();
        let concepts = list(part, "concept");
        if concepts.is_empty() {
            let code_system = code_systems.get(system).filter(|found| found["content"] == "complete")?;
            collect(list(code_system, "concept"), found);
        } else {
            collect(concepts, found);
        }
    }
    Some(codes)
}

fn collect(concepts: &[Value], codes: &mut BTreeSet<String>) {
    for concept in concepts {
        codes.insert(text(concept, "code").to_owned());
        collect(list(concept, "concept"), codes);
    }
}
