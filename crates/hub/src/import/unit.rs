//! From what stands in a file to a transaction that may be sent any number of times.

use ieum_fhir::json::{Document, JsonError, Limits, Value};
use ieum_fhir::outcome::{Code, Issue, operation_outcome};
use ieum_fhir::reference::is_id;
use sha2::{Digest, Sha256};

use super::source::LONGEST;
use super::target::Refusal;
use super::writer::{self, Writer};

/// One document, or some lines of NDJSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// As they stand in the file.
    pub bytes: Vec<u8>,
    /// Number of the first line, from 0.
    pub first_line: u64,
    /// How many lines.
    pub lines: u64,
    /// How far the file has been read, in bytes on disk.
    pub offset: u64,
}

/// Something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// A transaction or batch.
    pub bundle: Vec<u8>,
    /// Resources in it.
    pub records: u64,
    /// Whether each entry holds a resource.
    pub(super) holds_record: Vec<bool>,
    /// What stands for the records it writes.
    pub(super) keys: Vec<u64>,
}

/// One document by itself.
#[derive(Debug, Clone)]
pub struct Single<'u> {
    /// Number of its line, from 0.
    pub line: u64,
    /// As it stands in the file.
    pub bytes: &'u [u8],
    /// What to send for it, or why there is nothing to send.
    pub part: Result<Part, Refusal>,
}

/// Lines that are resources, of which each is written once.
pub struct Together<'u> {
    resources: Vec<Document<'u>>,
    /// The ids of those that have none of their own.
    derived: Vec<String>,
    /// What stands for the records they write.
    pub(super) keys: Vec<u64>,
}

impl Unit {
    /// Several lines at once, when they are resources of which each is written once.
    #[must_use]
    pub fn together(&self) -> Option<Together<'_>> {
        if self.lines < 2 {
            return None;
        }
        let mut together = Together { resources: Vec::new(), derived: Vec::new(), keys: Vec::new() };
        for line in self.bytes.split(|&byte| byte == b'\n').filter(|line| !is_blank(line)) {
            let document = Document::parse(line, &limits()).ok()?;
            let root = document.root();
            let kind = text(root, "resourceType").filter(|kind| kind != "Bundle")?;
            // An id that cannot be one is told of by itself.
            let id = match root.get("id") {
                Some(id) => id.text().filter(|id| is_id(id))?.into_owned(),
                None => derived_id(&Sha256::digest(line.trim_ascii()), 0),
            };
            together.keys.push(writer::key(&format!("{kind}/{id}")));
            if root.get("id").is_none() {
                together.derived.push(id);
            }
            together.resources.push(document);
        }
        let mut keys = together.keys.clone();
        keys.sort_unstable();
        let is_each_once = !keys.windows(2).any(|pair| pair[0] == pair[1]);
        is_each_once.then_some(together)
    }

    /// The documents one by one. Empty lines are nothing.
    #[must_use]
    pub fn singles(&self) -> Vec<Single<'_>> {
        // A document by itself may go over many lines, and is one all the same.
        let is_end = |byte: &u8| self.lines > 1 && *byte == b'\n';
        let lines = (self.first_line..).zip(self.bytes.split(is_end));
        let lines = lines.filter(|(_, bytes)| !is_blank(bytes));
        lines.map(|(line, bytes)| Single { line, bytes, part: part_of_document(bytes) }).collect()
    }
}

impl Together<'_> {
    /// How many resources.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.resources.len() as u64
    }

    /// The resources, when each has an id of its own.
    #[must_use]
    pub fn with_ids(&self) -> Option<Vec<Value<'_>>> {
        let is_complete = self.derived.is_empty();
        is_complete.then(|| self.resources.iter().map(Document::root).collect())
    }

    /// One transaction.
    ///
    /// # Errors
    /// When one of them cannot be part of one.
    pub fn part(&self) -> Result<Part, Refusal> {
        let mut writer = Writer::new("transaction");
        let mut derived = self.derived.iter();
        for resource in &self.resources {
            let root = resource.root();
            let id = if root.get("id").is_none() { derived.next() } else { None };
            writer.put(root, None, id.map_or("", String::as_str))?;
        }
        Ok(writer.finish())
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

fn text(value: Value<'_>, name: &str) -> Option<String> {
    value.get(name)?.text().map(Into::into)
}

fn limits() -> Limits {
    Limits { bytes: usize::try_from(LONGEST).unwrap_or(usize::MAX), ..Limits::default() }
}

fn not_json(error: &JsonError) -> Refusal {
    Refusal::Invalid { status: 400, outcome: operation_outcome(&[error.into()]) }
}

fn part_of_document(bytes: &[u8]) -> Result<Part, Refusal> {
    let document = Document::parse(bytes, &limits()).map_err(|error| not_json(&error))?;
    let root = document.root();
    let digest = Sha256::digest(bytes.trim_ascii());
    if text(root, "resourceType").as_deref() != Some("Bundle") {
        let mut writer = Writer::new("transaction");
        writer.put(root, None, &derived_id(&digest, 0))?;
        return Ok(writer.finish());
    }
    let entries = || root.get("entry").into_iter().flat_map(Value::elements).enumerate();
    match text(root, "type").as_deref() {
        Some(kind @ ("transaction" | "batch")) => {
            let mut writer = Writer::new(kind);
            for (index, entry) in entries() {
                writer.request(entry, &derived_id(&digest, index));
            }
            Ok(writer.finish())
        }
        Some("history") => Err(no_history()),
        // Resources that belong together: their references to one another are kept.
        _ => {
            let mut writer = Writer::new("transaction");
            for (index, entry) in entries().filter(|(_, entry)| !is_about_the_search(*entry)) {
                if let Some(resource) = entry.get("resource") {
                    writer.put(resource, entry.get("fullUrl"), &derived_id(&digest, index))?;
                }
            }
            Ok(writer.finish())
        }
    }
}

/// In the answer to a search: an entry with what the server had to say about it. It is no record.
fn is_about_the_search(entry: Value<'_>) -> bool {
    entry.get("search").and_then(|search| text(search, "mode")).as_deref() == Some("outcome")
}

/// Older versions cannot be written again as what they were, and their deletions have no body.
fn no_history() -> Refusal {
    let advice = "a history cannot be brought in; export the records as they are now, and import those";
    let issue = Issue::error(Code::NoTransaction, "Bundle.type", advice);
    Refusal::Invalid { status: 400, outcome: operation_outcome(&[issue]) }
}

/// An id that only this place in this content gets: a UUID of version 8 (RFC 9562) made of its SHA-256.
fn derived_id(content: &[u8], index: usize) -> String {
    let mut digest = Sha256::new();
    digest.update(b"ieum import\0");
    digest.update(content);
    digest.update((index as u64).to_le_bytes());
    let digest = digest.finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid().to_string()
}
