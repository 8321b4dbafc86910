//! `search-parameters.txt` and `compartments.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::package::{Package, list, text, texts};
use super::types::Types;
use crate::Result;

/// All search parameters of R4, sorted by URL.
///
/// Three of them are not in the CapabilityStatement `base` of the same package, which lists all others: DetectedIssue
/// `status`, ServiceRequest `order-detail` and DeviceDefinition `classification` (whose element R4 does not have). They
/// do no harm and are kept, so that the table holds the 1,378 entries of the file.
pub(super) fn parameters(package: &Package, types: &Types) -> Result<String> {
    let mut table = BTreeMap::new();
    for parameter in package.resources("search-parameters.json")? {
        let url = text(&parameter, "url");
        let mut out = String::new();
        let _ = writeln!(out, "param {} {} {url}", text(&parameter, "code"), text(&parameter, "type"));
        let mut bases = texts(&parameter, "base");
        bases.sort_unstable();
        let _ = writeln!(out, " base {}", bases.join(" "));
        if let Some(expression) = parameter["expression"].as_str() {
            let _ = writeln!(out, " expression {expression}");
        }
        let targets: BTreeSet<&str> = texts(&parameter, "target").into_iter().collect();
        if !targets.is_empty() {
            let _ = writeln!(out, " target {}", written_targets(&targets, types));
        }
        for component in list(&parameter, "component") {
            let _ = writeln!(
                out,
                " component {} {}",
                text(component, "definition"),
                text(component, "expression")
            );
        }
        match text(&parameter, "xpathUsage") {
            "normal" => {}
            usage => {
                let _ = writeln!(out, " usage {usage}");
            }
        }
        if table.insert(url.to_owned(), out).is_some() {
            return Err(format!("two search parameters have the URL {url}").into());
        }
    }
    let head = "# param <code> <type> <url>\n#  base <types>, expression <FHIRPath>, target <types, * for any>,\n#  \
                component <url of its parameter> <FHIRPath>, usage <xpathUsage when not normal>\n";
    Ok(head.to_owned() + &table.into_values().collect::<String>())
}

/// R4 lists every resource type but Parameters where any target is meant.
fn written_targets(targets: &BTreeSet<&str>, types: &Types) -> String {
    let all = types.resources();
    if all.iter().all(|name| *name == "Parameters" || targets.contains(name)) {
        return "*".to_owned();
    }
    targets.iter().copied().collect::<Vec<_>>().join(" ")
}

/// The five compartments: which parameters of which types lead into them.
pub(super) fn compartments(package: &Package) -> Result<String> {
    let mut table = BTreeMap::new();
    for definition in package.resources("profiles-resources.json")? {
        if definition["resourceType"] != "CompartmentDefinition" {
            continue;
        }
        let mut members = BTreeMap::new();
        for resource in list(&definition, "resource") {
            let parameters = texts(resource, "param");
            if !parameters.is_empty() {
                members.insert(text(resource, "code"), parameters.join(" "));
            }
        }
        let lines = members.iter().map(|(code, parameters)| format!(" {code} {parameters}\n"));
        table.insert(text(&definition, "code").to_owned(), lines.collect::<String>());
    }
    if table.len() != 5 {
        return Err(format!("{} compartments instead of five", table.len()).into());
    }
    let mut out = String::from(
        "# compartment <type>\n#  <member type> <codes of its search parameters; {def}: the member itself>\n",
    );
    for (code, members) in table {
        let _ = write!(out, "compartment {code}\n{members}");
    }
    Ok(out)
}
