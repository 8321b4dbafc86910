//! A document: read, validated, stored with all that it is found by, and given back.

use ieum_fhir::definitions::r4;
use ieum_fhir::json::{Document, Kind, Limits, Value};
use ieum_fhir::validate::validate;
use serde_json::Value as Json;

use super::hub::TestHub;

/// What our reader takes, another one reads in the same way. What the hub takes is valid, comes back as it was sent, and
/// is the same again when it is sent again; what it refuses leaves no trace.
pub fn judge(input: &[u8]) {
    let Ok(document) = Document::parse(input, &Limits::default()) else { return };
    let root = document.root();
    let sent: Json = serde_json::from_slice(input).expect("what our reader takes is JSON");
    assert!(is_read_alike(root, &sent), "our reader and another differ");
    let name = root.get("resourceType").and_then(Value::text);
    let Some(kind) = name.filter(|kind| r4().is_resource(kind)) else { return };

    let hub = TestHub::for_input(input);
    let media = Some("application/fhir+json");
    let created = hub.send("POST", &format!("/{kind}"), media, input);
    if created.status != 201 {
        assert_eq!(hub.t(), 0, "refused, and yet there: {}", created.text());
        return;
    }
    assert!(validate(root, None).is_valid(), "taken, and yet not valid");
    let id = created.json()["id"].as_str().expect("what was created has an id").to_owned();
    let address = format!("/{kind}/{id}");
    let read = hub.get(&address).expect("an address of ours");
    assert_eq!(without_stamps(read.json()), without_stamps(sent), "not as it was sent");
    let again = hub.send("PUT", &address, media, &read.body);
    assert_eq!(
        (again.status, again.json()["meta"]["versionId"].as_str()),
        (200, Some("1")),
        "{}",
        again.text()
    );
    assert_eq!(hub.t(), 1, "the same again is no new version");
    hub.check();
}

fn is_read_alike(ours: Value<'_>, other: &Json) -> bool {
    match (ours.kind(), other) {
        (Kind::Null, Json::Null) | (Kind::Number, Json::Number(_)) => true,
        (Kind::Bool, Json::Bool(other)) => ours.boolean() == Some(*other),
        (Kind::String, Json::String(other)) => ours.text().as_deref() == Some(other),
        (Kind::Array, Json::Array(other)) => {
            ours.elements().count() == other.len()
                && ours.elements().zip(other).all(|(ours, other)| is_read_alike(ours, other))
        }
        (Kind::Object, Json::Object(other)) => {
            let is_same = |(ours, (key, other)): (Value<'_>, (&String, &Json))| {
                ours.key().as_deref() == Some(key) && is_read_alike(ours, other)
            };
            ours.members().count() == other.len() && ours.members().zip(other).all(is_same)
        }
        _ => false,
    }
}

/// Without what the hub writes into a record.
fn without_stamps(mut resource: Json) -> Json {
    let Some(members) = resource.as_object_mut() else { return resource };
    members.remove("id");
    if let Some(meta) = members.get_mut("meta").and_then(Json::as_object_mut) {
        for name in ["versionId", "lastUpdated"] {
            meta.remove(name);
        }
        if meta.is_empty() {
            members.remove("meta");
        }
    }
    resource
}
