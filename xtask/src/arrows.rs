//! Which crate may use which: the table of rooms in `docs/architecture.md` against the manifests.
//!
//! The document is the rule, so that rule and description cannot part. Its last column holds short names (`store` for
//! `ieum-store`), `core` for the ground that every capability stands on, `everything`, or `-`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Result;

/// What `core` stands for. No capability is in it, and so no capability may use another.
const CORE: &[&str] = &["fhir", "terms", "store", "trust", "ui"];
/// Tests of any crate may use synthetic people.
const FOR_TESTS: &str = "ieum-synth";

/// Which packages each package may use; `None` for all.
type Rules = BTreeMap<String, Option<BTreeSet<String>>>;

/// Compares the manifests of this workspace with the table.
pub(crate) fn check() -> Result<String> {
    let table = std::fs::read_to_string(crate::root().join("docs/architecture.md"))?;
    let mut cargo = crate::process::cargo();
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--locked"]);
    let metadata: Value = serde_json::from_str(&crate::process::output(&mut cargo)?)?;
    let rules = rules_of(&table)?;
    let faults = faults(&rules, &metadata)?;
    if faults.is_empty() {
        return Ok(format!("{} rooms in the table, no arrow against it", rules.len()));
    }
    Err(faults.join("\n").into())
}

/// Reads the rows "| `package` | room | may use |".
fn rules_of(document: &str) -> Result<Rules> {
    let mut rules = Rules::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, may_use] = cells.as_slice() else { continue };
        let Some(name) = name.strip_prefix('`').and_then(|rest| rest.split('`').next()) else { continue };
        if name != "ieum" && name != "xtask" && !name.starts_with("ieum-") {
            continue;
        }
        let may_use =
            may_use_of(may_use).map_err(|word| format!("{name}: what is `{word}` in the table?"))?;
        rules.insert(name.to_owned(), may_use);
    }
    if rules.is_empty() {
        return Err("docs/architecture.md has no table of rooms".into());
    }
    Ok(rules)
}

fn may_use_of(cell: &str) -> std::result::Result<Option<BTreeSet<String>>, String> {
    let mut packages = BTreeSet::new();
    for word in cell.split(',').map(str::trim) {
        match word {
            "-" => {}
            "everything" => return Ok(None),
            "core" => packages.extend(CORE.iter().map(|name| format!("ieum-{name}"))),
            word if !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase()) => {
                packages.insert(format!("ieum-{word}"));
            }
            word => return Err(word.to_owned()),
        }
    }
    Ok(Some(packages))
}

/// Every arrow that the table does not allow, one line each.
fn faults(rules: &Rules, metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(may_use) = rules.get(name) else {
            faults.push(format!("{name} has no row in the table of docs/architecture.md"));
            continue;
        };
        let Some(may_use) = may_use else { continue };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let is_ours = dependency["path"].is_string();
            let is_for_tests = dependency["kind"].as_str() == Some("dev") && used == FOR_TESTS;
            if is_ours && !is_for_tests && used != name && !may_use.contains(used) {
                let allowed: Vec<&str> = may_use.iter().map(String::as_str).collect();
                let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
                faults.push(format!("{name} uses {used}, but may use {allowed} (docs/architecture.md)"));
            }
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &str = "\
| crate | room | may use |
|---|---|---|
| `ieum-fhir` | the standard | - |
| `ieum-store` | records | fhir |
| `ieum-archive` | custody | core |
| `ieum-imaging` | pictures | core |
| `ieum` (`crates/hub`) | the binary | everything |
| `xtask` | tasks | synth |
| `serde` | no room of ours | - |
";

    fn told(package: &str, used: &str, kind: Option<&str>) -> Vec<String> {
        let dependency = json!({"name": used, "path": "/crates/x", "kind": kind});
        let metadata = json!({"packages": [{"name": package, "dependencies": [dependency]}]});
        faults(&rules_of(TABLE).unwrap(), &metadata).unwrap()
    }

    #[test]
    fn arrows_down_the_table_are_fine() {
        for (package, used) in [
            ("ieum-store", "ieum-fhir"),
            ("ieum-archive", "ieum-trust"),
            ("ieum", "ieum-archive"),
            ("xtask", "ieum-synth"),
        ] {
            assert_eq!(told(package, used, None), Vec::<String>::new());
        }
    }

    // threat: 24
    #[test]
    fn arrows_up_and_between_capabilities_are_faults() {
        for kind in [None, Some("build"), Some("dev")] {
            assert_eq!(
                told("ieum-fhir", "ieum-store", kind),
                ["ieum-fhir uses ieum-store, but may use nothing (docs/architecture.md)"]
            );
            assert_eq!(told("ieum-imaging", "ieum-archive", kind).len(), 1);
            assert_eq!(told("ieum-archive", "ieum", kind).len(), 1);
        }
    }

    #[test]
    fn tests_may_use_synthetic_people_and_code_may_not() {
        assert!(told("ieum-store", "ieum-synth", Some("dev")).is_empty());
        assert_eq!(told("ieum-store", "ieum-synth", None).len(), 1);
    }

    #[test]
    fn other_peoples_crates_are_no_arrows() {
        let dependency = json!({"name": "serde", "kind": null, "path": null});
        let metadata = json!({"packages": [{"name": "ieum-fhir", "dependencies": [dependency]}]});
        assert!(faults(&rules_of(TABLE).unwrap(), &metadata).unwrap().is_empty());
    }

    #[test]
    fn a_crate_needs_a_row_and_a_table_needs_sense() {
        assert_eq!(
            told("ieum-new", "serde", None),
            ["ieum-new has no row in the table of docs/architecture.md"]
        );
        assert!(rules_of("no table").is_err());
        let error = rules_of("| `ieum-x` | a room | the core above |").unwrap_err().to_string();
        assert!(error.contains("the core above"), "{error}");
    }
}
