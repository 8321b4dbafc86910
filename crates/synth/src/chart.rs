//! A record under construction: numbering of resources, and the bundle they end in.

use crate::json::{Value, json};

use crate::person::Person;
use crate::tables::codes::{ACT_CODE, CONFIDENTIALITY, PROFILE_BASE, UCUM};

/// A sensitivity label of v3-ActCode, or none.
pub(crate) type Label = Option<&'static str>;

/// The resources of one patient (or of the country), in order of making.
pub(crate) struct Chart {
    prefix: String,
    counts: Vec<(&'static str, u32)>,
    resources: Vec<Value>,
}

impl Chart {
    pub(crate) fn new(prefix: String) -> Self {
        Chart { prefix, counts: Vec::with_capacity(16), resources: Vec::with_capacity(128) }
    }

    /// The next free id for a resource of the `kind` (a short word such as `obs`).
    pub(crate) fn id_next(&mut self, kind: &'static str) -> String {
        let at = self.counts.iter().position(|count| count.0 == kind).unwrap_or_else(|| {
            self.counts.push((kind, 0));
            self.counts.len() - 1
        });
        self.counts[at].1 += 1;
        format!("{}-{kind}-{}", self.prefix, self.counts[at].1)
    }

    pub(crate) fn push(&mut self, resource: Value) {
        self.resources.push(resource);
    }

    pub(crate) fn push_first(&mut self, resource: Value) {
        self.resources.insert(0, resource);
    }

    pub(crate) fn len(&self) -> usize {
        self.resources.len()
    }

    /// The transaction Bundle of everything, as minified JSON.
    pub(crate) fn bundle(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(self.resources.len() * 900);
        json.extend_from_slice(br#"{"resourceType":"Bundle","type":"transaction","entry":["#);
        for (at, resource) in self.resources.iter().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            let kind = resource["resourceType"].as_str().expect("every resource is made with its type");
            let id = resource["id"].as_str().expect("every resource is made with its id");
            json.extend_from_slice(br#"{"resource":"#);
            resource.write(&mut json);
            json.extend_from_slice(
                format!(r#","request":{{"method":"PUT","url":"{kind}/{id}"}}}}"#).as_bytes(),
            );
        }
        json.extend_from_slice(b"]}");
        json
    }
}

/// Reference to the patient.
pub(crate) fn patient_reference(person: &Person) -> Value {
    json!({ "reference": format!("Patient/{}", person.prefix()) })
}

/// `meta` with the KR Core profile, the test tag, and labels for what is sensitive.
pub(crate) fn meta(profile: Option<&str>, label: Label) -> Value {
    let mut meta = Vec::with_capacity(3);
    if let Some(profile) = profile {
        meta.push(("profile", json!([format!("{PROFILE_BASE}{profile}")])));
    }
    if let Some(code) = label {
        let labels = json!([
            { "system": CONFIDENTIALITY, "code": if code == "HIV" { "V" } else { "R" } },
            { "system": ACT_CODE, "code": code }
        ]);
        meta.push(("security", labels));
    }
    let tag = json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST" }]);
    meta.push(("tag", tag));
    Value::Object(meta)
}

/// A CodeableConcept of one coding.
pub(crate) fn coded(system: &'static str, code: &'static str, display: &'static str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

/// A UCUM quantity whose unit reads as its code.
pub(crate) fn quantity(value: impl Into<Value>, unit: &'static str, code: &'static str) -> Value {
    json!({ "value": value.into(), "unit": unit, "system": UCUM, "code": code })
}
