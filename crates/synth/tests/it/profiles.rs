//! Minimum cardinalities, fixed values and patterns of KR Core 2.0.0, taken from the official definitions when they
//! stand beside the project (`IEUM_SHARED`, else `../shared`): an oracle, never an input of the build.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::{records, text};

/// The folder of the definitions, if it is there.
fn folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let shared = std::env::var_os("IEUM_SHARED").map_or_else(beside, PathBuf::from);
    let folder = shared.join("data/krcore-2.0.0");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there, so KR Core is not compared", folder.display());
        return None;
    }
    Some(folder)
}

/// One profile with the elements of its KR Core parents.
struct Profile {
    elements: Vec<Value>,
}

impl Profile {
    fn load(definitions: &HashMap<String, Value>, url: &str) -> Option<Profile> {
        let definition = definitions.get(url)?;
        let mut elements = definition["differential"]["element"].as_array()?.clone();
        if let Some(parent) = Profile::load(definitions, text(&definition["baseDefinition"])) {
            elements.extend(parent.elements);
        }
        Some(Profile { elements })
    }

    /// Values below `node` named `segment`, which may be a slice or a choice.
    fn children<'a>(&self, nodes: &[&'a Value], id: &str, segment: &str) -> Vec<&'a Value> {
        let (name, slice) =
            segment.split_once(':').map_or((segment, None), |(name, slice)| (name, Some(slice)));
        let mut found = Vec::new();
        for node in nodes {
            let Some(map) = node.as_object() else { continue };
            for (key, value) in map {
                let hit = match name.strip_suffix("[x]") {
                    Some(stem) => match slice {
                        Some(chosen) => key == chosen,
                        None => {
                            key.strip_prefix(stem).is_some_and(|rest| rest.starts_with(char::is_uppercase))
                        }
                    },
                    None => key == name || key.strip_prefix('_') == Some(name),
                };
                if hit {
                    match value {
                        Value::Array(items) => found.extend(items.iter()),
                        one => found.push(one),
                    }
                }
            }
        }
        if slice.is_some() && !name.ends_with("[x]") {
            found.retain(|node| self.in_slice(id, slice.unwrap_or_default(), node));
        }
        found
    }

    /// Whether `node` belongs to the slice that the element `id` names.
    fn in_slice(&self, id: &str, slice: &str, node: &Value) -> bool {
        match slice {
            "VcntType" => return text(&node["system"]).ends_with("krcore-vcnt-types"),
            "KDCode" => return text(&node["system"]).ends_with("kpis-kdcode"),
            "LOINC" => return node["system"] == "http://loinc.org",
            "Systolic" => return node["code"]["coding"][0]["code"] == "8480-6",
            "Diastolic" => return node["code"]["coding"][0]["code"] == "8462-4",
            "roadNameAddress" => return text(&node["url"]).ends_with("krcore-roadNameAddress"),
            _ => {}
        }
        if let Some(url) = node["url"].as_str() {
            return url.ends_with(slice);
        }
        let prefix = format!("{id}.");
        self.elements.iter().all(|element| {
            let Some(own) = element["id"].as_str() else { return true };
            if own == id {
                let pattern = &element["patternCodeableConcept"]["coding"][0];
                return pattern.is_null()
                    || node["coding"].as_array().is_some_and(|codings| {
                        codings.iter().any(|coding| {
                            coding["system"] == pattern["system"] && coding["code"] == pattern["code"]
                        })
                    });
            }
            match own.strip_prefix(&prefix) {
                Some("system") => fixed(element).is_none_or(|value| node["system"] == *value),
                _ => true,
            }
        })
    }

    fn resolve<'a>(&self, resource: &'a Value, path: &[&str], root: &str) -> Vec<&'a Value> {
        let mut nodes = vec![resource];
        let mut id = root.to_owned();
        for segment in path {
            id = format!("{id}.{segment}");
            nodes = self.children(&nodes, &id, segment);
        }
        nodes
    }

    /// All the faults of `resource`.
    fn faults(&self, resource: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        for element in &self.elements {
            let id = text(&element["id"]);
            let segments: Vec<&str> = id.split('.').collect();
            let Some((last, parents)) = segments[1..].split_last() else { continue };
            let min = element["min"].as_u64().unwrap_or(0);
            for parent in self.resolve(resource, parents, segments[0]) {
                let children = self.children(&[parent], id, last);
                if (children.len() as u64) < min {
                    faults.push(format!("{id}: {} of at least {min}", children.len()));
                }
                if let Some(max) = element["max"].as_str().and_then(|max| max.parse::<usize>().ok())
                    && children.len() > max
                {
                    faults.push(format!("{id}: {} of at most {max}", children.len()));
                }
                if let Some(value) = fixed(element) {
                    faults.extend(
                        children
                            .iter()
                            .filter(|child| **child != value)
                            .map(|child| format!("{id}: {child}")),
                    );
                }
            }
        }
        faults
    }
}

fn fixed(element: &Value) -> Option<&Value> {
    element.get("fixedUri").or_else(|| element.get("fixedCode"))
}

#[test]
fn every_resource_keeps_the_profile_it_claims() {
    let Some(folder) = folder() else { return };
    let mut definitions = HashMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("StructureDefinition-")) {
            let definition: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            definitions.insert(text(&definition["url"]).to_owned(), definition);
        }
    }
    let mut profiles: HashMap<&str, Profile> = HashMap::new();
    for resource in records().iter().flat_map(|record| &record.resources) {
        let Some(url) = resource["meta"]["profile"][0].as_str() else { continue };
        let profile = profiles.entry(url).or_insert_with(|| {
            Profile::load(&definitions, url).unwrap_or_else(|| panic!("{url} is no profile"))
        });
        let faults = profile.faults(resource);
        assert!(faults.is_empty(), "{url}: {faults:?}\n{resource}");
    }
    // 31 profiles less three parents that are never claimed themselves.
    assert_eq!(profiles.len(), 27, "{:?}", profiles.keys());
}

#[test]
fn displays_are_those_of_the_official_code_systems() {
    let Some(folder) = folder() else { return };
    let mut names: HashMap<(String, String), String> = HashMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("CodeSystem-")) {
            let system: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for concept in system["concept"].as_array().into_iter().flatten() {
                if let Some(display) = concept["display"].as_str() {
                    let key = (text(&system["url"]).to_owned(), text(&concept["code"]).to_owned());
                    names.insert(key, display.to_owned());
                }
            }
        }
    }
    for resource in records().iter().flat_map(|record| &record.resources) {
        crate::walk(resource, &mut |map| {
            let (Some(Value::String(system)), Some(Value::String(code))) =
                (map.get("system"), map.get("code"))
            else {
                return;
            };
            let known = names.get(&(system.clone(), code.clone()));
            if let (Some(known), Some(display)) = (known, map.get("display")) {
                assert_eq!(known, text(display), "{system} {code}");
            }
        });
    }
}
