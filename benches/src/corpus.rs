//! The data: Synthea's bundles as they are, and the same resources one by one under their own ids.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;

/// Letters of a UUID.
const UUID: usize = 36;

/// One resource, with references to `Type/id`.
pub(crate) struct Resource {
    /// Type.
    pub(crate) kind: String,
    /// Id.
    pub(crate) id: String,
    /// JSON on one line.
    pub(crate) text: String,
    /// Where ids of the corpus stand in the text.
    ids: Vec<usize>,
}

/// Everything read from the folder of examples.
pub(crate) struct Corpus {
    /// Transaction bundles, as they are.
    pub(crate) bundles: Vec<Vec<u8>>,
    /// How many entries each has.
    pub(crate) entries: Vec<usize>,
    /// The distinct resources.
    pub(crate) resources: Vec<Resource>,
}

impl Corpus {
    /// Reads `*.json.zst`, at most so many files.
    pub(crate) fn load(folder: &Path, files: usize) -> Result<Self> {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(|error| format!("{}: {error}; give the Synthea bundles with --data", folder.display()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()?;
        paths.retain(|path| path.display().to_string().ends_with(".json.zst"));
        paths.sort();
        paths.truncate(files);
        let bundles: Vec<Vec<u8>> =
            paths.iter().map(|path| Ok(zstd::decode_all(File::open(path)?)?)).collect::<Result<_>>()?;
        if bundles.is_empty() {
            return Err(format!("{} holds no *.json.zst", folder.display()).into());
        }
        let parsed: Vec<Value> =
            bundles.iter().map(|bundle| serde_json::from_slice(bundle)).collect::<Result<_, _>>()?;
        let entries = parsed.iter().map(|bundle| entries_of(bundle).len()).collect();
        let resources = resources_of(&parsed)?;
        Ok(Self { bundles, entries, resources })
    }

    /// Entries of all bundles.
    pub(crate) fn size(&self) -> usize {
        self.entries.iter().sum()
    }

    /// Resources of a type, as JSON.
    pub(crate) fn of_kind(&self, kind: &str) -> Result<Vec<Value>> {
        let found = self.resources.iter().filter(|resource| resource.kind == kind);
        Ok(found.map(|resource| serde_json::from_str(&resource.text)).collect::<Result<_, _>>()?)
    }

    /// Writes one NDJSON file a type; `copy` 0 is the corpus itself, others have other ids. Gives types and files.
    pub(crate) fn write_ndjson(&self, folder: &Path, copy: u16) -> Result<Vec<(String, PathBuf)>> {
        crate::server::emptied(folder)?;
        let mut files: BTreeMap<&str, (PathBuf, BufWriter<File>)> = BTreeMap::new();
        for resource in &self.resources {
            if !files.contains_key(resource.kind.as_str()) {
                let path = folder.join(format!("{}.ndjson", resource.kind));
                files.insert(&resource.kind, (path.clone(), BufWriter::new(File::create(path)?)));
            }
            let (_, file) = files.get_mut(resource.kind.as_str()).expect("made above");
            writeln!(file, "{}", resource.copied(copy))?;
        }
        let mut written = Vec::new();
        for (kind, (path, mut file)) in files {
            file.flush()?;
            written.push((kind.to_owned(), path));
        }
        Ok(written)
    }

    /// Entries of the bundles joined into one transaction of about so many entries; parts are repeated under other ids when
    /// there are too few.
    pub(crate) fn joined(&self, entries: usize) -> (Vec<u8>, usize) {
        let mut bundle = br#"{"resourceType":"Bundle","type":"transaction","entry":["#.to_vec();
        let all = (0..=u16::MAX).flat_map(|copy| self.resources.iter().map(move |one| (one, copy)));
        for (index, (resource, copy)) in all.take(entries).enumerate() {
            let text = resource.copied(copy);
            let id = shifted(&resource.id, &[0], copy);
            let comma = if index == 0 { "" } else { "," };
            let head = format!(r#"{comma}{{"fullUrl":"urn:uuid:{id}","resource":"#);
            bundle.extend_from_slice(head.as_bytes());
            bundle.extend_from_slice(text.as_bytes());
            let url = format!("{}/{id}", resource.kind);
            let request = format!(r#","request":{{"method":"PUT","url":"{url}"}}}}"#);
            bundle.extend_from_slice(request.as_bytes());
        }
        bundle.extend_from_slice(b"]}");
        (bundle, entries)
    }

    /// Searches whose counts are known: of each type with a `status`, how many have the first one's.
    pub(crate) fn probes(&self, once_each: bool) -> Result<Vec<(String, u64)>> {
        let mut statuses: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut count = |resource: &Value| {
            let status = resource["status"].as_str().filter(|_| resource["resourceType"] != "Bundle");
            if let (Some(kind), Some(status)) = (resource["resourceType"].as_str(), status) {
                *statuses.entry((kind.to_owned(), status.to_owned())).or_default() += 1;
            }
        };
        if once_each {
            for resource in &self.resources {
                count(&serde_json::from_str(&resource.text)?);
            }
        } else {
            for bundle in &self.bundles {
                let bundle: Value = serde_json::from_slice(bundle)?;
                entries_of(&bundle).iter().for_each(|entry| count(&entry["resource"]));
            }
        }
        Ok(statuses.into_iter().map(|((kind, status), n)| (format!("{kind}?status={status}"), n)).collect())
    }
}

impl Resource {
    /// The text with other ids.
    fn copied(&self, copy: u16) -> String {
        shifted(&self.text, &self.ids, copy)
    }
}

/// Turns the second group of the UUIDs at these places, so that copies differ among themselves and from the original.
fn shifted(text: &str, places: &[usize], copy: u16) -> String {
    let mut text = text.to_owned();
    for place in places.iter().filter(|_| copy > 0) {
        let group = place + 9..place + 13;
        let value = u16::from_str_radix(&text[group.clone()], 16).unwrap_or_default();
        text.replace_range(group, &format!("{:04x}", value.wrapping_add(copy.wrapping_mul(257))));
    }
    text
}

fn entries_of(bundle: &Value) -> &[Value] {
    bundle["entry"].as_array().map_or(&[], Vec::as_slice)
}

fn resources_of(bundles: &[Value]) -> Result<Vec<Resource>> {
    let entries: Vec<&Value> = bundles.iter().flat_map(entries_of).collect();
    let mut targets: HashMap<&str, String> = HashMap::new();
    for entry in &entries {
        let (kind, id) = (&entry["resource"]["resourceType"], &entry["resource"]["id"]);
        let names = entry["fullUrl"].as_str().zip(kind.as_str()).zip(id.as_str());
        let ((url, kind), id) = names.ok_or("an entry without fullUrl, type or id")?;
        targets.insert(url, format!("{kind}/{id}"));
    }
    let ids: HashSet<&str> = targets.values().filter_map(|target| target.split('/').nth(1)).collect();
    let mut seen = HashSet::new();
    let mut resources = Vec::new();
    for entry in entries {
        let resource = &entry["resource"];
        let (kind, id) = (resource["resourceType"].as_str(), resource["id"].as_str());
        let (kind, id) = kind.zip(id).expect("asked above");
        if !seen.insert((kind, id)) {
            continue;
        }
        let text = with_targets(&resource.to_string(), &targets);
        let places = places_of(&text, &ids);
        resources.push(Resource { kind: kind.to_owned(), id: id.to_owned(), text, ids: places });
    }
    Ok(resources)
}

/// Writes `Type/id` for each `urn:uuid:…` that an entry has.
fn with_targets(text: &str, targets: &HashMap<&str, String>) -> String {
    let length = "urn:uuid:".len() + UUID;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("urn:uuid:") {
        out.push_str(&rest[..at]);
        let name = rest.get(at..at + length).unwrap_or(&rest[at..]);
        out.push_str(targets.get(name).map_or(name, String::as_str));
        rest = &rest[at + name.len()..];
    }
    out.push_str(rest);
    out
}

fn places_of(text: &str, ids: &HashSet<&str>) -> Vec<usize> {
    let bytes = text.as_bytes();
    let looks_like = |at: &usize| [8, 13, 18, 23].iter().all(|dash| bytes[at + dash] == b'-');
    let starts = (0..bytes.len().saturating_sub(UUID)).filter(looks_like);
    starts.filter(|at| text.get(*at..at + UUID).is_some_and(|id| ids.contains(id))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_real_and_copies_differ() {
        let id = "727b224a-7b1d-4097-a8d1-23f1df4f8763";
        let bundle = serde_json::json!({"entry": [
            {"fullUrl": format!("urn:uuid:{id}"), "resource": {"resourceType": "Patient", "id": id}},
            {"fullUrl": "urn:uuid:x", "resource": {"resourceType": "Observation", "id": "o",
                "subject": {"reference": format!("urn:uuid:{id}")}}},
        ]});
        let resources = resources_of(&[bundle]).unwrap();
        assert!(resources[1].text.contains(&format!("Patient/{id}")), "{}", resources[1].text);
        let copy = resources[1].copied(1);
        assert!(copy.contains("Patient/727b224a-7c1e-4097-a8d1-23f1df4f8763"), "{copy}");
        assert_eq!(resources[1].copied(0), resources[1].text);
    }
}
