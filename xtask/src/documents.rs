//! Documents that must agree with the tree: `docs/dependencies.md`, and the pages that name tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{cargo, output};
use crate::{Result, root};

mod threats;

/// Direct dependencies by name, with their licence where the registry tells it without a download.
type Direct = BTreeMap<String, Option<String>>;

/// Pages whose tables name, in their last column, the tests that hold what they say.
const HELD_BY_TESTS: [&str; 3] = ["docs/security.md", "docs/fhir.md", "docs/pitfalls.md"];

/// Makes what is made of the tests.
pub(crate) fn run_documents() -> Result<()> {
    threats::write()
}

/// Checks the documents.
pub(crate) fn check() -> Result<String> {
    let dependencies = fs::read_to_string(root().join("docs/dependencies.md"))?;
    let direct = [("Crates", crates()?), ("npm packages", npm()?), ("Python packages", python()?)];
    let mut faults = Vec::new();
    for (heading, direct) in &direct {
        faults.extend(dependency_faults(&dependencies, heading, direct));
    }
    let existing = tests_in_tree()?;
    let mut tests = 0;
    for page in HELD_BY_TESTS {
        let named = tests_named(&fs::read_to_string(root().join(page))?);
        if named.is_empty() {
            faults.push(format!("{page} names no test"));
        }
        let missing = named.difference(&existing);
        faults.extend(missing.map(|name| format!("{page} names the test {name}, which does not exist")));
        tests += named.len();
    }
    let (threat_faults, against) = threats::check()?;
    faults.extend(threat_faults);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let count: usize = direct.iter().map(|(_, direct)| direct.len()).sum();
    Ok(format!(
        "{count} dependencies explained; {tests} tests that pages name exist; {against} tests against threats"
    ))
}

/// What the crates of the workspace, and the fuzz targets, use directly, tests and builds included.
fn crates() -> Result<Direct> {
    let mut direct = Direct::new();
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let mut command = cargo();
        command.args(["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest]);
        let metadata: Value = serde_json::from_str(&output(&mut command)?)?;
        direct.extend(direct_crates(&metadata).ok_or("cargo metadata is not what it was")?);
    }
    Ok(direct)
}

fn direct_crates(metadata: &Value) -> Option<Direct> {
    let packages = metadata["packages"].as_array()?;
    let ours = |package: &&Value| package["source"].is_null();
    let names: BTreeSet<&str> = packages
        .iter()
        .filter(ours)
        .flat_map(|package| package["dependencies"].as_array().into_iter().flatten())
        .filter(|dependency| dependency["path"].is_null())
        .filter_map(|dependency| dependency["name"].as_str())
        .collect();
    let licence = |name: &str| {
        let of_name = |package: &&Value| package["name"] == name;
        packages.iter().find(of_name).and_then(|package| package["license"].as_str().map(str::to_owned))
    };
    Some(names.into_iter().map(|name| (name.to_owned(), licence(name))).collect())
}

fn npm() -> Result<Direct> {
    let mut direct = Direct::new();
    for folder in ["web", "tests/clients"] {
        let manifest: Value = serde_json::from_slice(&fs::read(root().join(folder).join("package.json"))?)?;
        let lock: Value = serde_json::from_slice(&fs::read(root().join(folder).join("package-lock.json"))?)?;
        for members in ["dependencies", "devDependencies"] {
            for name in manifest[members].as_object().into_iter().flat_map(serde_json::Map::keys) {
                let licence = lock["packages"][format!("node_modules/{name}")]["license"].as_str();
                direct.insert(name.clone(), licence.map(str::to_owned));
            }
        }
    }
    Ok(direct)
}

fn python() -> Result<Direct> {
    let text = fs::read_to_string(root().join("tests/clients/requirements.txt"))?;
    let names =
        text.lines().filter_map(|line| line.split_once("==")).map(|(name, _)| (name.to_owned(), None));
    Ok(names.collect())
}

/// What is wrong with the table under a heading: rows "| `name` | what for | why this one | licence |".
fn dependency_faults(document: &str, heading: &str, direct: &Direct) -> Vec<String> {
    let section = document.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let rows: BTreeMap<&str, Vec<&str>> = section.unwrap_or_default().lines().filter_map(row).collect();
    let mut faults = Vec::new();
    for (name, licence) in direct {
        let Some(cells) = rows.get(name.as_str()) else {
            faults.push(format!("docs/dependencies.md, {heading}: {name} has no line"));
            continue;
        };
        let told = cells.last().copied().unwrap_or_default();
        if cells.len() != 3 || cells.iter().any(|cell| cell.is_empty()) {
            faults.push(format!(
                "docs/dependencies.md, {heading}: {name} needs what for, why this one, licence"
            ));
        } else if licence.as_ref().is_some_and(|licence| licence != told) {
            let licence = licence.as_deref().unwrap_or_default();
            faults.push(format!("docs/dependencies.md, {heading}: {name} is under {licence}, not {told}"));
        }
    }
    let stale = rows.keys().filter(|name| !direct.contains_key(**name));
    faults.extend(
        stale.map(|name| format!("docs/dependencies.md, {heading}: nothing uses {name}; take its line away")),
    );
    faults
}

/// A row of a table whose first cell is a name in backticks.
fn row(line: &str) -> Option<(&str, Vec<&str>)> {
    let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = cells.split('|').map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    Some((name, cells.collect()))
}

/// The tests that the last column of the tables of a page names, in backticks.
fn tests_named(document: &str) -> BTreeSet<String> {
    let last_cells = document.lines().filter_map(|line| line.trim().strip_suffix('|')?.rsplit('|').next());
    last_cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|name| name.rsplit("::").next().unwrap_or(name).to_owned())
        .collect()
}

/// Every function in the tree's Rust and Python, and every test in its JavaScript, by name.
fn tests_in_tree() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for path in files_in_tree()? {
        names.extend(fs::read_to_string(&path)?.lines().filter_map(|line| name_in_line(&path, line)));
    }
    Ok(names)
}

/// The files in which tests may stand, in order.
fn files_in_tree() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["crates", "xtask", "web/tests", "tests"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.is_file() && words_around_names(&path).is_some() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What stands before and after the name of a test in the language of a file.
fn words_around_names(path: &Path) -> Option<(&'static str, char)> {
    match path.extension()?.to_str()? {
        "rs" => Some(("fn ", '(')),
        "py" => Some(("def ", '(')),
        "mjs" => Some(("test(\"", '"')),
        _ => None,
    }
}

/// The name that begins in a line: what stands between the word of the language, after nothing but words like `pub` and
/// `async`, and what follows names.
fn name_in_line(path: &Path, line: &str) -> Option<String> {
    let (before, after) = words_around_names(path)?;
    let (head, rest) = line.split_once(before)?;
    let is_code = head.chars().all(|letter| letter.is_ascii_lowercase() || letter == ' ');
    let (name, _) = rest.split_once(after)?;
    is_code.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGE: &str = "# Dependencies\n\n## Crates\n| crate | what for | why this one | licence |\n|---|---|---|---|\n\
        | `serde` | records | everybody's | MIT |\n\n## npm packages\n| `esbuild` | bundles | quick | MIT |\n";

    fn direct(entries: &[(&str, Option<&str>)]) -> Direct {
        entries.iter().map(|(name, licence)| ((*name).to_owned(), licence.map(str::to_owned))).collect()
    }

    #[test]
    fn a_complete_table_has_no_fault() {
        assert!(dependency_faults(PAGE, "Crates", &direct(&[("serde", Some("MIT"))])).is_empty());
        assert!(dependency_faults(PAGE, "npm packages", &direct(&[("esbuild", None)])).is_empty());
    }

    // threat: 24
    #[test]
    fn missing_stale_and_wrong_lines_are_faults() {
        let told = |entries| dependency_faults(PAGE, "Crates", &direct(entries)).join("; ");
        assert!(told(&[("serde", Some("MIT")), ("tokio", None)]).contains("tokio has no line"));
        assert!(told(&[]).contains("nothing uses serde"));
        assert!(told(&[("serde", Some("ISC"))]).contains("serde is under ISC, not MIT"));
        let short = dependency_faults("## x\n| `a` | b |", "x", &direct(&[("a", None)]));
        assert!(
            short.join("").contains("has no line"),
            "a heading only counts at the start of a line after text"
        );
    }

    #[test]
    fn direct_crates_are_those_our_manifests_name() {
        let metadata = json!({"packages": [
            {"name": "ieum-fhir", "source": null, "dependencies": [{"name": "serde", "path": null}, {"name": "ieum-x", "path": "/x"}]},
            {"name": "serde", "source": "registry", "license": "MIT", "dependencies": [{"name": "serde_core", "path": null}]},
        ]});
        assert_eq!(direct_crates(&metadata).unwrap(), direct(&[("serde", Some("MIT"))]));
    }

    #[test]
    fn tests_are_found_by_name() {
        let named =
            tests_named("| property | tests |\n|---|---|\n| no leak | `store::access::a_b`, `c_d` |\n");
        assert_eq!(named, BTreeSet::from(["a_b".to_owned(), "c_d".to_owned()]));
        let code = "    pub async fn a_b(store: &Store) {\n// see fn c_d()\nfn e_f() {}";
        let names = |file: &str, text: &str| -> Vec<String> {
            text.lines().filter_map(|line| name_in_line(Path::new(file), line)).collect()
        };
        assert_eq!(names("x.rs", code), ["a_b", "e_f"]);
        assert_eq!(names("x.mjs", "test(\"the gallery\", () => {"), ["the gallery"]);
    }
}
