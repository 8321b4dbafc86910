//! Writing the bundle that is sent.

use std::hash::{DefaultHasher, Hash, Hasher};

use ieum_fhir::json::{Value, write_minified, write_string};
use ieum_fhir::outcome::{Code, Issue, operation_outcome};
use ieum_fhir::reference::is_id;

use super::target::Refusal;
use super::unit::Part;

/// A bundle under way.
pub(super) struct Writer {
    out: Vec<u8>,
    holds_record: Vec<bool>,
    keys: Vec<u64>,
}

impl Writer {
    pub(super) fn new(kind: &str) -> Self {
        let out = format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":["#).into_bytes();
        Self { out, holds_record: Vec::new(), keys: Vec::new() }
    }

    /// An entry of a transaction or batch: a plain create becomes an update of the derived id. Everything else is the
    /// hub's to judge, to the letter.
    pub(super) fn request(&mut self, entry: Value<'_>, derived: &str) {
        match (entry.get("request"), entry.get("resource")) {
            (Some(request), Some(resource)) if is_plain_create(request, resource) => {
                self.begin(true);
                self.out.push(b'{');
                for member in entry.members() {
                    let Some(key) = member.key() else { continue };
                    if key != "request" && key != "resource" {
                        write_string(&key, &mut self.out);
                        self.out.push(b':');
                        write_minified(member, &mut self.out, &mut |_| None);
                        self.out.push(b',');
                    }
                }
                self.update(resource, derived);
            }
            (request, resource) => {
                self.begin(resource.is_some());
                let url = request.and_then(|request| request.get("url")).and_then(Value::text);
                self.keys.extend(url.map(|url| key(&url)));
                write_minified(entry, &mut self.out, &mut |_| None);
            }
        }
    }

    /// A resource under its own id, or under the derived one if it has none.
    ///
    /// # Errors
    /// When its own id cannot be one: references to it would lead nowhere if it were given another.
    pub(super) fn put(
        &mut self,
        resource: Value<'_>,
        full_url: Option<Value<'_>>,
        derived: &str,
    ) -> Result<(), Refusal> {
        let own = match resource.get("id") {
            None => None,
            Some(id) => Some(id.text().filter(|id| is_id(id)).ok_or_else(bad_id)?),
        };
        self.begin(true);
        self.out.push(b'{');
        if let Some(full_url) = full_url {
            self.out.extend_from_slice(br#""fullUrl":"#);
            self.out.extend_from_slice(full_url.raw().as_bytes());
            self.out.push(b',');
        }
        self.update(resource, own.as_deref().unwrap_or(derived));
        Ok(())
    }

    pub(super) fn finish(mut self) -> Part {
        self.out.extend_from_slice(b"]}");
        let records = self.holds_record.iter().filter(|holds| **holds).count() as u64;
        Part { bundle: self.out, records, holds_record: self.holds_record, keys: self.keys }
    }

    /// Begins an entry.
    fn begin(&mut self, holds_record: bool) {
        if !self.holds_record.is_empty() {
            self.out.push(b',');
        }
        self.holds_record.push(holds_record);
    }

    /// The end of an entry: the resource, and the request that writes it under this id.
    fn update(&mut self, resource: Value<'_>, id: &str) {
        self.out.extend_from_slice(br#""resource":"#);
        self.resource(resource, id);
        self.out.extend_from_slice(br#","request":{"method":"PUT","url":"#);
        let kind = resource.get("resourceType").and_then(Value::text).unwrap_or_default();
        let url = format!("{kind}/{id}");
        self.keys.push(key(&url));
        write_string(&url, &mut self.out);
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
}

/// `POST` to the kind of the resource, and not a word more.
fn is_plain_create(request: Value<'_>, resource: Value<'_>) -> bool {
    let text =
        |value: Value<'_>, name: &str| value.get(name).and_then(|value| Some(value.text()?.into_owned()));
    request.members().all(|member| member.key().is_some_and(|key| key == "method" || key == "url"))
        && text(request, "method").as_deref() == Some("POST")
        && text(request, "url").is_some_and(|url| text(resource, "resourceType") == Some(url))
}

/// What an address stands for where only sameness counts. Two that fall together wait for each other, nothing more.
pub(super) fn key(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

fn bad_id() -> Refusal {
    let advice = "give it an id of 1 to 64 letters of ASCII, digits, - and ., here and in references to it; or none, \
                  and it gets one";
    Refusal::Invalid { status: 400, outcome: operation_outcome(&[Issue::error(Code::BadId, "", advice)]) }
}
