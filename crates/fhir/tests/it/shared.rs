//! The data folder shared by all who work on Ieum: real files nobody here wrote.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use ieum_fhir::json::{Document, Limits, write_minified};

/// The folder, from `IEUM_SHARED` or beside the repository; says so loudly when there is none.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("IEUM_SHARED").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no shared data at {}; set IEUM_SHARED", folder.display());
    None
}

/// The files of a folder with their bytes, unpacked, sorted by name.
pub(crate) fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let Some(folder) = self::folder().map(|shared| shared.join("data").join(folder)) else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no folder {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        let bytes = if name.ends_with(".zst") { zstd::decode_all(bytes.as_slice()).unwrap() } else { bytes };
        (name, bytes)
    };
    paths.into_iter().map(read).collect()
}

/// The resources of a Synthea bundle as they would be stored: references from `urn:uuid:` to `Type/id`.
pub(crate) fn synthea_resources(bundle: &[u8]) -> Vec<String> {
    let document = Document::parse(bundle, &Limits::default()).unwrap();
    let resources =
        || document.root().get("entry").unwrap().elements().map(|entry| entry.get("resource").unwrap());
    let mut local = HashMap::new();
    for (entry, resource) in document.root().get("entry").unwrap().elements().zip(resources()) {
        let text = |name| resource.get(name).unwrap().text().unwrap();
        let url = entry.get("fullUrl").unwrap().text().unwrap().into_owned();
        local.insert(url, format!("{}/{}", text("resourceType"), text("id")));
    }
    let stored = resources().map(|resource| {
        let mut out = Vec::new();
        write_minified(resource, &mut out, &mut |value| local.get(&*value.text()?).cloned());
        String::from_utf8(out).unwrap()
    });
    stored.collect()
}
