//! PATCH over HTTP: the three kinds of patches, conditions, and what is refused.

use serde_json::json;

use crate::support::{Kind, Reply, Server, on_every_engine};

on_every_engine!(
    json_patch,
    merge_patch,
    fhirpath_patch,
    nothing_changed_is_no_version,
    texts_are_kept,
    versions,
    by_criteria,
    what_is_refused,
    answers_as_preferred,
    patches_are_bounded,
    patches_are_audited,
);

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const FHIR: &str = "application/fhir+json";
const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true,"identifier":[{"value":"1"}]}"#;

fn patch(server: &Server, path: &str, media: &str, body: &str) -> Reply {
    server.request("PATCH", path, &[("content-type", media)], Some(body.as_bytes()))
}

fn with_patient(kind: Kind) -> Server {
    let server = Server::open(kind);
    server.put("/Patient/p", PATIENT).expect(201);
    server
}

/// A FHIRPath Patch of one operation.
fn replace(path: &str, value: &serde_json::Value) -> String {
    let mut value = value.clone();
    value["name"] = "value".into();
    let parts =
        json!([{"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": path}, value]);
    json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}).to_string()
}

fn json_patch(kind: Kind) {
    let server = with_patient(kind);
    let body = r#"[{"op":"test","path":"/active","value":true},{"op":"replace","path":"/active","value":false},
        {"op":"add","path":"/identifier/0","value":{"value":"0"}}]"#;
    let reply = patch(&server, "/Patient/p", JSON, body).expect(200);
    assert_eq!(reply.header("etag"), Some("W/\"2\""));
    assert!(reply.header("location").unwrap().ends_with("/Patient/p/_history/2"));
    let stored = server.get("/Patient/p").json();
    assert_eq!(reply.json(), stored);
    assert_eq!((&stored["active"], &stored["identifier"][0]["value"]), (&json!(false), &json!("0")));
    // Nothing happens when one operation fails.
    patch(&server, "/Patient/p", JSON, body).refused(422, "IEUM-P006");
    let half = r#"[{"op":"remove","path":"/active"},{"op":"remove","path":"/active"}]"#;
    let refused = patch(&server, "/Patient/p", JSON, half).refused(422, "IEUM-P003");
    assert!(refused.text().contains("operation 2 of the patch"));
    assert_eq!(server.get("/Patient/p").json(), stored);
    // What was added can be found.
    assert_eq!(server.get("/Patient?identifier=0").json()["total"], 1);
}

fn merge_patch(kind: Kind) {
    let server = with_patient(kind);
    let body = r#"{"active":null,"gender":"female","identifier":[{"value":"2"}]}"#;
    let patched = patch(&server, "/Patient/p", MERGE, body).expect(200).json();
    assert_eq!(patched["gender"], "female");
    assert!(patched.get("active").is_none());
    assert_eq!(patched["identifier"], json!([{"value": "2"}]));
    patch(&server, "/Patient/p", MERGE, "[]").refused(400, "IEUM-P001");
}

fn fhirpath_patch(kind: Kind) {
    let server = with_patient(kind);
    let body = replace("Patient.identifier.where(value = '1').value", &json!({"valueString": "9"}));
    let patched = patch(&server, "/Patient/p", FHIR, &body).expect(200).json();
    assert_eq!(patched["identifier"], json!([{"value": "9"}]));
    let body = replace("Patient.active", &json!({"valueString": "yes"}));
    patch(&server, "/Patient/p", FHIR, &body).refused(422, "IEUM-P005");
    patch(&server, "/Patient/p", FHIR, &replace("Patient.active[", &json!({}))).refused(400, "IEUM-P002");
    patch(&server, "/Patient/p", FHIR, &replace("Patient.gender", &json!({"valueCode": "male"})))
        .refused(422, "IEUM-P003");
    patch(&server, "/Patient/p", FHIR, PATIENT).refused(400, "IEUM-P001");
}

fn nothing_changed_is_no_version(kind: Kind) {
    let server = with_patient(kind);
    for (media, body) in [
        (JSON, "[]".to_owned()),
        (JSON, r#"[{"op":"replace","path":"/active","value":true}]"#.to_owned()),
        (MERGE, r#"{"active":true}"#.to_owned()),
        (MERGE, r#"{"meta":{"versionId":"77"}}"#.to_owned()),
        (FHIR, r#"{"resourceType":"Parameters"}"#.to_owned()),
        (FHIR, replace("Patient.active", &json!({"valueBoolean": true}))),
    ] {
        let reply = patch(&server, "/Patient/p", media, &body).expect(200);
        assert_eq!(reply.header("etag"), Some("W/\"1\""), "{body}");
    }
    assert_eq!(server.get("/Patient/p/_history").json()["total"], 1);
}

fn texts_are_kept(kind: Kind) {
    let server = Server::open(kind);
    let body = r#"{"resourceType":"Observation","id":"o","status":"final","_status":{"id":"s"},"code":{"text":"\u00e9"},"valueQuantity":{"value":1.10,"unit":"mg"}}"#;
    server.put("/Observation/o", body).expect(201);
    let kept = r#""_status":{"id":"s"},"code":{"text":"\u00e9"},"valueQuantity":{"value":1.10,"unit":"g"}"#;
    for (media, body) in [
        (JSON, r#"[{"op":"replace","path":"/valueQuantity/unit","value":"g"}]"#.to_owned()),
        (MERGE, r#"{"valueQuantity":{"unit":"g"}}"#.to_owned()),
        (FHIR, replace("Observation.value.unit", &json!({"valueString": "g"}))),
    ] {
        let text =
            String::from_utf8(patch(&server, "/Observation/o", media, &body).expect(200).body).unwrap();
        assert!(text.contains(kept), "{text}");
    }
}

fn versions(kind: Kind) {
    let server = with_patient(kind);
    let inactive = r#"{"active":false}"#;
    let conditional = |header: (&str, &str), body: &str| {
        server.request("PATCH", "/Patient/p", &[("content-type", MERGE), header], Some(body.as_bytes()))
    };
    conditional(("if-match", "W/\"2\""), inactive).refused(412, "IEUM-R014");
    conditional(("if-match", "W/\"1\""), inactive).expect(200);
    conditional(("if-match", "W/\"1\""), r#"{"active":true}"#).refused(412, "IEUM-R014");
    conditional(("if-none-match", "W/\"2\""), r#"{"active":true}"#).refused(412, "IEUM-R014");
    conditional(("if-match", "*"), r#"{"active":true}"#).expect(200);
    patch(&server, "/Patient/none", MERGE, inactive).refused(404, "IEUM-R006");
    server.delete("/Patient/p").expect(204);
    patch(&server, "/Patient/p", MERGE, inactive).refused(410, "IEUM-R007");
}

fn by_criteria(kind: Kind) {
    let server = with_patient(kind);
    let inactive = r#"{"active":false}"#;
    let path = "/Patient?identifier=1";
    assert_eq!(patch(&server, path, MERGE, inactive).expect(200).json()["active"], false);
    patch(&server, "/Patient?identifier=2", MERGE, inactive).refused(404, "IEUM-R006");
    patch(&server, "/Patient", MERGE, inactive).refused(400, "IEUM-R025");
    patch(&server, "/Patient?nmae=x", MERGE, inactive).refused(400, "IEUM-S002");
    server.put("/Patient/q", &PATIENT.replace("\"p\"", "\"q\"")).expect(201);
    patch(&server, path, MERGE, inactive).refused(412, "IEUM-R015");
}

fn what_is_refused(kind: Kind) {
    let server = with_patient(kind);
    for (media, body, status, code) in [
        (JSON, r#"[{"op":"replace","path":"/id","value":"q"}]"#, 422, "IEUM-R016"),
        (MERGE, r#"{"id":null}"#, 422, "IEUM-R016"),
        (MERGE, r#"{"resourceType":"Person"}"#, 400, "IEUM-V003"),
        (JSON, r#"[{"op":"replace","path":"","value":1}]"#, 400, "IEUM-V001"),
        (MERGE, r#"{"gender":"m"}"#, 422, "IEUM-V019"),
        (MERGE, r#"{"colour":"red"}"#, 422, "IEUM-V004"),
        (JSON, r#"{"op":"add"}"#, 400, "IEUM-P001"),
        (JSON, r#"[{"op":"remove","path":"active"}]"#, 400, "IEUM-P002"),
        (JSON, r#"[{"op":"remove","path":""}]"#, 422, "IEUM-P005"),
        (JSON, "[", 400, "IEUM-J004"),
        (JSON, "", 400, "IEUM-J004"),
        ("application/xml-patch+xml", "<diff/>", 415, "IEUM-R010"),
        ("text/plain", "[]", 415, "IEUM-R010"),
    ] {
        patch(&server, "/Patient/p", media, body).refused(status, code);
    }
    patch(&server, "/Patient/p?active=true", JSON, "[]").refused(400, "IEUM-S002");
    patch(&server, "/Patient/%20", JSON, "[]").refused(400, "IEUM-R026");
    patch(&server, "/Patients/p", JSON, "[]").refused(404, "IEUM-R004");
    assert_eq!(server.get("/Patient/p").json()["meta"]["versionId"], "1");
}

fn answers_as_preferred(kind: Kind) {
    let server = with_patient(kind);
    let prefer = |how: &str, value: bool| {
        let body = format!(r#"{{"active":{value}}}"#);
        let headers = [("content-type", MERGE), ("prefer", how)];
        server.request("PATCH", "/Patient/p", &headers, Some(body.as_bytes())).expect(200)
    };
    let minimal = prefer("return=minimal", false);
    assert!(minimal.body.is_empty() && minimal.header("etag") == Some("W/\"2\""));
    assert_eq!(prefer("return=\"representation\"", true).json()["active"], true);
    assert_eq!(prefer("Return = OperationOutcome", false).json()["resourceType"], "OperationOutcome");
}

fn patches_are_bounded(kind: Kind) {
    let server = with_patient(kind);
    let many = format!("[{}]", vec![r#"{"op":"test","path":"/active","value":true}"#; 1_001].join(","));
    patch(&server, "/Patient/p", JSON, &many).refused(422, "IEUM-P007");
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    patch(&server, "/Patient/p", JSON, &deep).refused(400, "IEUM-J002");
    let slow = replace("(1 | 2).repeat($this + 1)", &json!({"valueString": "x"}));
    patch(&server, "/Patient/p", FHIR, &slow).refused(400, "IEUM-P002");
}

fn patches_are_audited(kind: Kind) {
    let server = with_patient(kind);
    patch(&server, "/Patient/p", MERGE, r#"{"active":false}"#).expect(200);
    let view = server.door.view(&ieum_trust::access::Access::system("test")).unwrap();
    let entry = view.audit_entries(None, 1).unwrap().remove(0).entry;
    assert_eq!((entry.action.as_str(), entry.allowed), ("patch", true));
}
