//! The example data beside the repository: Synthea bundles and KR Core.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ieum_fhir::json::{Document, Limits};

/// `IEUM_SHARED`, or `../shared` beside the repository; nothing, loudly, when it is not there.
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let place = std::env::var_os("IEUM_SHARED").map_or_else(beside, PathBuf::from);
    if place.join("data").is_dir() {
        return Some(place);
    }
    eprintln!("\n*** SKIPPED: no example data at {}; set IEUM_SHARED ***\n", place.display());
    None
}

/// The files of a folder of the example data, sorted.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let Some(shared) = shared() else { return Vec::new() };
    let entries = std::fs::read_dir(shared.join("data").join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The resources of a Synthea bundle as they would be stored: references from `urn:uuid:` to `Type/id`.
pub(crate) fn synthea_resources(bundle: &Path) -> Vec<String> {
    let text = zstd::decode_all(std::fs::File::open(bundle).unwrap()).unwrap();
    let document = Document::parse(&text, &Limits::default()).unwrap();
    let entries = || document.root().get("entry").unwrap().elements();
    let mut local = HashMap::new();
    for entry in entries() {
        let resource = entry.get("resource").unwrap();
        let text = |name| resource.get(name).unwrap().text().unwrap().into_owned();
        let url = entry.get("fullUrl").unwrap().text().unwrap().into_owned();
        local.insert(url, format!("{}/{}", text("resourceType"), text("id")));
    }
    entries()
        .map(|entry| {
            let mut out = Vec::new();
            let resource = entry.get("resource").unwrap();
            ieum_fhir::json::write_minified(resource, &mut out, &mut |value| {
                value.text().and_then(|text| local.get(&*text).cloned())
            });
            String::from_utf8(out).unwrap()
        })
        .collect()
}
