//! From what stands in a file to a transaction that may be sent any number of times.

use ieum_fhir::json::{Document, JsonError, Limits, Value, write_minified, write_string};
use ieum_fhir::reference::is_id;
use sha2::{Digest, Sha256};

use super::source::LONGEST;
use super::target::Refusal;

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
}

impl Unit {
    /// What to send for this unit: one part, or the reason why there is none. Empty lines are nothing.
    #[must_use]
    pub fn parts(&self) -> Vec<Result<Part, Refusal>> {
        if self.bytes.iter().all(u8::is_ascii_whitespace) {
            return Vec::new();
        }
        vec![if self.lines > 1 { self.part_of_lines() } else { part_of_document(&self.bytes) }]
    }

    /// The lines one by one.
    #[must_use]
    pub fn singles(&self) -> Vec<Self> {
        let lines = self.bytes.split_inclusive(|&byte| byte == b'\n');
        let unit = |(line, bytes): (u64, &[u8])| Self {
            bytes: bytes.to_vec(),
            first_line: self.first_line + line,
            lines: 1,
            offset: self.offset,
        };
        (0..).zip(lines).map(unit).collect()
    }

    fn part_of_lines(&self) -> Result<Part, Refusal> {
        let mut writer = Writer::new("transaction");
        for line in self.bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let document = Document::parse(line, &limits()).map_err(|error| not_json(&error))?;
            let digest = Sha256::digest(line.trim_ascii());
            writer.put(document.root(), None, &derived_id(&digest, 0));
        }
        Ok(writer.finish())
    }
}

fn limits() -> Limits {
    Limits { bytes: usize::try_from(LONGEST).unwrap_or(usize::MAX), ..Limits::default() }
}

fn not_json(error: &JsonError) -> Refusal {
    Refusal::Invalid { status: 400, outcome: ieum_fhir::outcome::operation_outcome(&[error.into()]) }
}

fn part_of_document(bytes: &[u8]) -> Result<Part, Refusal> {
    let document = Document::parse(bytes, &limits()).map_err(|error| not_json(&error))?;
    let root = document.root();
    let digest = Sha256::digest(bytes.trim_ascii());
    let text = |name: &str| root.get(name).and_then(Value::text);
    if text("resourceType").as_deref() != Some("Bundle") {
        let mut writer = Writer::new("transaction");
        writer.put(root, None, &derived_id(&digest, 0));
        return Ok(writer.finish());
    }
    let entries = || root.get("entry").into_iter().flat_map(Value::elements).enumerate();
    match text("type").as_deref() {
        Some(kind @ ("transaction" | "batch")) => {
            let mut writer = Writer::new(kind);
            for (index, entry) in entries() {
                writer.request(entry, &derived_id(&digest, index));
            }
            Ok(writer.finish())
        }
        // Resources that belong together: their references to one another are kept.
        _ => {
            let mut writer = Writer::new("transaction");
            for (index, entry) in entries() {
                if let Some(resource) = entry.get("resource") {
                    writer.put(resource, entry.get("fullUrl"), &derived_id(&digest, index));
                }
            }
            Ok(writer.finish())
        }
    }
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

/// Writes a bundle.
struct Writer {
    out: Vec<u8>,
    records: u64,
}

impl Writer {
    fn new(kind: &str) -> Self {
        let out = format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":["#).into_bytes();
        Self { out, records: 0 }
    }

    /// An entry of a transaction or batch: a create without condition becomes an update of its derived id; everything
    /// else stays as it is.
    fn request(&mut self, entry: Value<'_>, id: &str) {
        let request = entry.get("request");
        let member = |name: &str| request.and_then(|request| request.get(name)).and_then(Value::text);
        match entry.get("resource") {
            Some(resource)
                if member("method").as_deref() == Some("POST") && member("ifNoneExist").is_none() =>
            {
                self.entry(resource, entry.get("fullUrl"), id);
            }
            resource => {
                self.comma();
                self.records += u64::from(resource.is_some());
                write_minified(entry, &mut self.out, &mut |_| None);
            }
        }
    }

    /// A resource under its own id, or under the derived one if it has none.
    fn put(&mut self, resource: Value<'_>, full_url: Option<Value<'_>>, derived: &str) {
        let own = resource.get("id").and_then(Value::text).filter(|id| is_id(id));
        self.entry(resource, full_url, own.as_deref().unwrap_or(derived));
    }

    fn entry(&mut self, resource: Value<'_>, full_url: Option<Value<'_>>, id: &str) {
        self.comma();
        self.records += 1;
        self.out.push(b'{');
        if let Some(full_url) = full_url {
            self.out.extend_from_slice(br#""fullUrl":"#);
            self.out.extend_from_slice(full_url.raw().as_bytes());
            self.out.push(b',');
        }
        self.out.extend_from_slice(br#""resource":"#);
        self.resource(resource, id);
        self.out.extend_from_slice(br#","request":{"method":"PUT","url":"#);
        let kind = resource.get("resourceType").and_then(Value::text).unwrap_or_default();
        write_string(&format!("{kind}/{id}"), &mut self.out);
        self.out.extend_from_slice(b"}}");
    }

    /// The resource with this id. What is no object is written as it is: the hub says what is wrong with it.
    fn resource(&mut self, resource: Value<'_>, id: &str) {
        if resource.get("resourceType").is_none() {
            write_minified(resource, &mut self.out, &mut |_| None);
            return;
        }
        self.out.extend_from_slice(br#"{"id":"#);
        write_string(id, &mut self.out);
        for member in resource.members() {
            let Some(key) = member.key().filter(|key| key != "id") else { continue };
            self.out.push(b',');
            write_string(&key, &mut self.out);
            self.out.push(b':');
            write_minified(member, &mut self.out, &mut |_| None);
        }
        self.out.push(b'}');
    }

    fn comma(&mut self) {
        if !self.out.ends_with(b"[") || self.records > 0 {
            self.out.push(b',');
        }
    }

    fn finish(mut self) -> Part {
        self.out.extend_from_slice(b"]}");
        Part { bundle: self.out, records: self.records }
    }
}
