//! How a record's JSON is kept, and how it leaves.
//!
//! A stored body is the resource without `resourceType`, `id`, `meta.versionId` and `meta.lastUpdated`: those are
//! columns, and are spliced in at reading without parsing anything. Layout of a stored body:
//!
//! | bytes | what |
//! |---|---|
//! | 4, little endian | length of the next part |
//! | n | the members of `meta`, as `"profile":[…],"tag":[…]`, without braces |
//! | rest | all other members, as `"status":"final",…`, without braces |
//!
//! Both parts are minified; numbers, strings and order stand as they were sent.

use ieum_fhir::date::format_instant;
use ieum_fhir::json::{self, Value, write_minified, write_string};

/// Makes a stored body from a resource. `replace` may give another text for a string value (reference rewriting).
pub fn body_from(resource: Value<'_>, replace: &mut dyn FnMut(Value<'_>) -> Option<String>) -> Vec<u8> {
    let mut body = vec![0; 4];
    let meta = resource.get("meta");
    if let Some(meta) = meta {
        write_members(meta, &["versionId", "lastUpdated"], &mut body, replace);
    }
    let length = u32::try_from(body.len() - 4).expect("documents are shorter than 4 GiB");
    body[..4].copy_from_slice(&length.to_le_bytes());
    write_members(resource, &["resourceType", "id", "meta"], &mut body, replace);
    body
}

fn write_members(
    object: Value<'_>,
    without: &[&str],
    out: &mut Vec<u8>,
    replace: &mut dyn FnMut(Value<'_>) -> Option<String>,
) {
    let mut first = true;
    for member in object.members() {
        let Some(key) = member.key().filter(|key| !without.contains(&key.as_ref())) else { continue };
        if !first {
            out.push(b',');
        }
        first = false;
        write_string(&key, out);
        out.push(b':');
        write_minified(member, out, replace);
    }
}

/// The columns that a record's JSON shows.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// Kind, as `resourceType`.
    pub kind: &'a str,
    /// Logical id.
    pub id: &'a str,
    /// `meta.versionId`.
    pub version: u64,
    /// `meta.lastUpdated`, in microseconds since 1970.
    pub instant: i64,
}

/// Writes the whole resource from a stored body.
pub fn write_resource(body: &[u8], stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let (meta, rest) = split(body);
    write_head(stamp, out);
    out.extend_from_slice(br#","meta":{"versionId":""#);
    out.extend_from_slice(stamp.version.to_string().as_bytes());
    out.extend_from_slice(br#"","lastUpdated":""#);
    out.extend_from_slice(format_instant(stamp.instant).as_bytes());
    out.push(b'"');
    write_after_comma(meta, out);
    out.push(b'}');
    write_after_comma(rest, out);
    out.push(b'}');
}

/// Writes the resource without version and time: what was sent, and what is read again to index it.
pub fn write_plain(body: &[u8], kind: &str, id: &str, out: &mut Vec<u8>) {
    let (meta, rest) = split(body);
    write_head(&Stamp { kind, id, version: 0, instant: 0 }, out);
    if !meta.is_empty() {
        out.extend_from_slice(br#","meta":{"#);
        out.extend_from_slice(meta);
        out.push(b'}');
    }
    write_after_comma(rest, out);
    out.push(b'}');
}

fn write_head(stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"resourceType":""#);
    out.extend_from_slice(stamp.kind.as_bytes());
    out.extend_from_slice(br#"","id":"#);
    json::write_string(stamp.id, out);
}

fn write_after_comma(members: &[u8], out: &mut Vec<u8>) {
    if !members.is_empty() {
        out.push(b',');
        out.extend_from_slice(members);
    }
}

/// Whether these bytes have the layout of a stored body; asked of everything that comes from a disk.
#[must_use]
pub fn is_body(bytes: &[u8]) -> bool {
    parts(bytes).is_some()
}

/// The two parts of a stored body: members of `meta`, and all others.
fn split(body: &[u8]) -> (&[u8], &[u8]) {
    parts(body).expect("bodies are made by `body_from`, or were looked at when they were read")
}

fn parts(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, parts) = body.split_first_chunk::<4>()?;
    parts.split_at_checked(u32::from_le_bytes(*length) as usize)
}
