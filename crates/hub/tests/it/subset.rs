//! `_summary` and `_elements`.

use serde_json::{Value, json};

use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(summaries, elements, parts_are_not_written_back, on_history_and_everything);

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","meta":{"tag":[{"code":"a"}]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">김</div>"},"extension":[{"url":"http://a.kr/x","valueCode":"a"}],"active":true,"name":[{"family":"김","_family":{"extension":[{"url":"http://a.kr/x","valueCode":"a"}]}}],"birthDate":"1980-01-01","_birthDate":{"id":"b"},"photo":[{"contentType":"image/png"}],"communication":[{"language":{"text":"ko"}}],"link":[{"other":{"reference":"Patient/q"},"type":"seealso"}]}"#;

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn is_subsetted(value: &Value) -> bool {
    let tags = value["meta"]["tag"].as_array().cloned().unwrap_or_default();
    tags.iter().any(|tag| tag["code"] == "SUBSETTED")
}

// threat: 4
fn parts_are_not_written_back(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", PATIENT).expect(201);
    let part = server.get("/Patient/p?_elements=name").expect(200).json();
    let reply = server.put("/Patient/p", &part.to_string()).refused(422, "IEUM-V023");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Patient.meta.tag");
    server.post("/Patient", &part.to_string()).refused(422, "IEUM-V023");
    let entry = json!({"request": {"method": "PUT", "url": "Patient/p"}, "resource": part});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    let reply = server.post("", &bundle.to_string()).refused(422, "IEUM-V023");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[0].resource.meta.tag");
    assert_eq!(server.get("/Patient/p").json()["meta"]["versionId"], "1");
}

fn summaries(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", PATIENT).expect(201);
    for path in ["/Patient/p?_summary=", "/Patient?_summary=", "/Patient/p/_history/1?_summary="] {
        let part = |summary: &str| {
            let json = server.get(&format!("{path}{summary}")).expect(200).json();
            if path.contains("?_summary") && path.starts_with("/Patient?") {
                entries(&json)[0]["resource"].clone()
            } else {
                json
            }
        };
        let summary = part("true");
        let expected = ["resourceType", "id", "meta", "active", "name", "birthDate", "_birthDate", "link"];
        assert_eq!(members(&summary), expected);
        assert!(is_subsetted(&summary));
        assert_eq!(summary["meta"]["tag"][0], json!({"code": "a"}));
        assert_eq!(members(&part("text")), ["resourceType", "id", "meta", "text"]);
        let data = part("data");
        assert!(is_subsetted(&data) && data.get("text").is_none() && data.get("photo").is_some());
        let whole = part("false");
        assert!(!is_subsetted(&whole) && whole.get("text").is_some());
    }
    // Summary goes into data types and backbone elements.
    server.put(
        "/Observation/o",
        r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50,"unit":"mg"},"note":[{"text":"n"}],"component":[{"code":{"text":"c"},"valueString":"v","interpretation":[{"text":"i"}]}]}"#,
    ).expect(201);
    let reply = server.get("/Observation/o?_summary=true").expect(200);
    let summary = reply.json();
    assert_eq!(
        members(&summary),
        ["resourceType", "id", "meta", "status", "code", "valueQuantity", "component"]
    );
    assert_eq!(members(&summary["component"][0]), ["code", "valueString"]);
    assert!(reply.text().contains("\"value\":1.50"));
    server.get("/Patient/p?_summary=x").refused(400, "IEUM-S005");
}

fn elements(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", PATIENT).expect(201);
    let json = server.get("/Patient/p?_elements=birthDate,photo").expect(200).json();
    assert_eq!(members(&json), ["resourceType", "id", "meta", "birthDate", "_birthDate", "photo"]);
    assert!(is_subsetted(&json));
    // Mandatory elements stay, and a choice is named without its type.
    server.put(
        "/Observation/o",
        r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueInteger":5,"note":[{"text":"n"}]}"#,
    ).expect(201);
    let json = server.get("/Observation?_elements=value").expect(200).json();
    let resource = &entries(&json)[0]["resource"];
    assert_eq!(members(resource), ["resourceType", "id", "meta", "status", "code", "valueInteger"]);
    server.get("/Patient/p?_elements=a.b").refused(400, "IEUM-S005");
}

fn on_history_and_everything(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", PATIENT).expect(201);
    let history = server.get("/Patient/p/_history?_elements=active").expect(200).json();
    assert_eq!(members(&entries(&history)[0]["resource"]), ["resourceType", "id", "meta", "active"]);
    let everything = server.get("/Patient/p/$everything?_summary=text").expect(200).json();
    assert_eq!(members(&entries(&everything)[0]["resource"]), ["resourceType", "id", "meta", "text"]);
}
