//! transaction: all or nothing.

use serde_json::{Value, json};

use crate::support::{Kind, Server, entries, on_every_engine, patient};

on_every_engine!(
    answers_in_the_order_of_the_request,
    references_become_real,
    relative_and_absolute_full_urls,
    narratives_and_uris,
    circular_references,
    conditional_references,
    conditional_entries,
    nothing_happens_on_failure,
    duplicates_are_refused,
    if_match_per_entry,
    reads_see_the_state_after,
    prefer_and_unchanged,
);

pub(crate) const A: &str = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520";
const B: &str = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a";

pub(crate) fn transaction(server: &Server, entries: &Value) -> crate::support::Reply {
    server.post("", &json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}).to_string())
}

fn statuses(answer: &Value) -> Vec<&str> {
    entries(answer).iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect()
}

/// `Type/id` of an entry of the answer.
pub(crate) fn written(server: &Server, answer: &Value, index: usize) -> String {
    let location = entries(answer)[index]["response"]["location"].as_str().unwrap();
    let relative = location.strip_prefix(&format!("{}/", server.base)).unwrap();
    relative.split("/_history").next().unwrap().to_owned()
}

pub(crate) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn answers_in_the_order_of_the_request(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/old", r#"{"resourceType":"Patient","id":"old"}"#).expect(201);
    server.put("/Patient/kept", r#"{"resourceType":"Patient","id":"kept"}"#).expect(201);
    let answer = transaction(&server, &json!([
        {"request": {"method": "GET", "url": "Patient?_summary=count"}},
        {"request": {"method": "PUT", "url": "Patient/kept"}, "resource": {"resourceType": "Patient", "id": "kept", "active": true}},
        {"request": {"method": "POST", "url": "Patient"}, "resource": value(&patient("1", "김"))},
        {"request": {"method": "DELETE", "url": "Patient/old"}},
        {"request": {"method": "DELETE", "url": "Patient/never"}},
    ])).expect(200).json();
    assert_eq!(answer["type"], "transaction-response");
    assert_eq!(statuses(&answer), ["200", "200", "201", "204", "204"]);
    // One commit: one instant for all that was written.
    let instants: Vec<_> =
        [1, 2, 3].map(|index| entries(&answer)[index]["response"]["lastModified"].clone()).into();
    assert!(
        instants[0].is_string() && instants.iter().all(|instant| *instant == instants[0]),
        "{instants:?}"
    );
    assert_eq!(entries(&answer)[0]["resource"]["total"], 2);
    assert_eq!(entries(&answer)[1]["response"]["etag"], "W/\"2\"");
    server.get("/Patient/old").expect(410);
}

fn references_become_real(kind: Kind) {
    let server = Server::open(kind);
    let answer = transaction(&server, &json!([
        {"fullUrl": B, "request": {"method": "POST", "url": "Observation"}, "resource": {
            "resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": A, "display": A},
            "hasMember": [{"reference": "Observation/other"}, {"reference": B}],
            "contained": [{"resourceType": "Specimen", "id": "s", "subject": {"reference": A}}],
            "specimen": {"reference": "#s"},
            "extension": [{"url": "http://a.kr/x", "valueReference": {"reference": A}}]}},
        {"fullUrl": A, "request": {"method": "POST", "url": "Patient"}, "resource": value(&patient("1", "김"))},
    ])).expect(200).json();
    let (observation, patient) = (written(&server, &answer, 0), written(&server, &answer, 1));
    let read = server.get(&format!("/{observation}")).expect(200).json();
    assert_eq!(read["subject"], json!({"reference": patient, "display": A}));
    assert_eq!(read["contained"][0]["subject"]["reference"], patient);
    assert_eq!(read["extension"][0]["valueReference"]["reference"], patient);
    assert_eq!(read["hasMember"], json!([{"reference": "Observation/other"}, {"reference": observation}]));
    assert_eq!(read["specimen"]["reference"], "#s");
    // And are found by what they have become.
    assert_eq!(server.get(&format!("/Observation?subject={patient}")).json()["total"], 1);
    let everything = server.get(&format!("/{patient}/$everything")).expect(200).json();
    assert_eq!(entries(&everything).len(), 2);
}

fn relative_and_absolute_full_urls(kind: Kind) {
    let server = Server::open(kind);
    let answer = transaction(&server, &json!([
        {"fullUrl": "http://emr.kr/fhir/Patient/7", "request": {"method": "POST", "url": "Patient"}, "resource": value(&patient("1", "김"))},
        {"fullUrl": "http://emr.kr/fhir/Condition/8", "request": {"method": "POST", "url": "Condition"},
         "resource": {"resourceType": "Condition", "subject": {"reference": "Patient/7"}}},
        {"fullUrl": "http://other.kr/fhir/Condition/9", "request": {"method": "POST", "url": "Condition"},
         "resource": {"resourceType": "Condition", "subject": {"reference": "Patient/7"}}},
        {"request": {"method": "POST", "url": "Condition"},
         "resource": {"resourceType": "Condition", "subject": {"reference": "http://emr.kr/fhir/Patient/7"}}},
    ])).expect(200).json();
    let patient = written(&server, &answer, 0);
    let subject = |index| {
        let read = server.get(&format!("/{}", written(&server, &answer, index))).expect(200).json();
        read["subject"]["reference"].as_str().unwrap().to_owned()
    };
    assert_eq!((subject(1), subject(2), subject(3)), (patient.clone(), "Patient/7".into(), patient));
}

fn narratives_and_uris(kind: Kind) {
    let server = Server::open(kind);
    let div = format!(
        "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{A}\">환자</a><img src=\"#x\" alt=\"{A}\"/>{A}</div>"
    );
    let answer = transaction(&server, &json!([
        {"fullUrl": A, "request": {"method": "POST", "url": "Patient"}, "resource": value(&patient("1", "김"))},
        {"request": {"method": "POST", "url": "DocumentReference"}, "resource": {
            "resourceType": "DocumentReference", "status": "current", "text": {"status": "generated", "div": div},
            "identifier": [{"system": A, "value": A}],
            "content": [{"attachment": {"url": A, "title": A}}]}},
        {"request": {"method": "POST", "url": "PlanDefinition"}, "resource": {
            "resourceType": "PlanDefinition", "status": "draft", "library": [A]}},
    ])).expect(200).json();
    let patient = written(&server, &answer, 0);
    let read = server.get(&format!("/{}", written(&server, &answer, 1))).expect(200).json();
    let expected = div.replace(&format!("href=\"{A}\""), &format!("href=\"{patient}\""));
    assert_eq!(read["text"]["div"], expected);
    // uri and url, but neither strings nor canonical URLs.
    assert_eq!(read["identifier"][0], json!({"system": patient, "value": A}));
    assert_eq!(read["content"][0]["attachment"], json!({"url": patient, "title": A}));
    let read = server.get(&format!("/{}", written(&server, &answer, 2))).expect(200).json();
    assert_eq!(read["library"][0], A);
}

fn circular_references(kind: Kind) {
    let server = Server::open(kind);
    let link = |other: &str| json!({"resourceType": "Patient", "link": [{"other": {"reference": other}, "type": "seealso"}]});
    let answer = transaction(
        &server,
        &json!([
            {"fullUrl": A, "request": {"method": "POST", "url": "Patient"}, "resource": link(B)},
            {"fullUrl": B, "request": {"method": "POST", "url": "Patient"}, "resource": link(A)},
        ]),
    )
    .expect(200)
    .json();
    let (a, b) = (written(&server, &answer, 0), written(&server, &answer, 1));
    assert_eq!(server.get(&format!("/{a}")).json()["link"][0]["other"]["reference"], b);
    assert_eq!(server.get(&format!("/{b}")).json()["link"][0]["other"]["reference"], a);
}

fn conditional_references(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    let condition = |criteria: &str| {
        json!([{"request": {"method": "POST", "url": "Condition"}, "resource": {
        "resourceType": "Condition", "subject": {"reference": format!("Patient?{criteria}")}}}])
    };
    let answer = transaction(&server, &condition("identifier=http://a.kr/mrn|1")).expect(200).json();
    let read = server.get(&format!("/{}", written(&server, &answer, 0))).json();
    assert_eq!(read["subject"]["reference"], format!("Patient/{id}"));
    let reply = transaction(&server, &condition("identifier=http://a.kr/mrn|2")).refused(412, "IEUM-B006");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[0]");
    server.create(&patient("1", "이"));
    let reply = transaction(&server, &condition("identifier=http://a.kr/mrn|1")).refused(412, "IEUM-R015");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[0]");
    let reply = transaction(&server, &condition("nmae=x")).refused(400, "IEUM-S002");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[0]");
    assert_eq!(server.get("/Condition?_summary=count").json()["total"], 1);
}

fn conditional_entries(kind: Kind) {
    let server = Server::open(kind);
    let existing = server.create(&patient("1", "김"));
    let gone = server.create(&patient("9", "최"));
    let bundle = json!([
        {"fullUrl": A, "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=http://a.kr/mrn|1"},
         "resource": value(&patient("1", "박"))},
        {"fullUrl": B, "request": {"method": "PUT", "url": "Patient?identifier=http://a.kr/mrn|2"}, "resource": value(&patient("2", "이"))},
        {"request": {"method": "POST", "url": "Condition"}, "resource": {"resourceType": "Condition", "subject": {"reference": A}}},
        {"request": {"method": "POST", "url": "Condition"}, "resource": {"resourceType": "Condition", "subject": {"reference": B}}},
        {"request": {"method": "DELETE", "url": "Patient?identifier=http://a.kr/mrn|9"}},
        {"request": {"method": "DELETE", "url": "Patient?identifier=http://a.kr/mrn|none"}},
    ]);
    let answer = transaction(&server, &bundle).expect(200).json();
    assert_eq!(statuses(&answer), ["200", "201", "201", "201", "204", "204"]);
    assert_eq!(written(&server, &answer, 0), format!("Patient/{existing}"));
    assert_eq!(server.get(&format!("/Patient/{existing}")).json()["meta"]["versionId"], "1");
    let subject = |index| {
        server.get(&format!("/{}", written(&server, &answer, index))).json()["subject"]["reference"].clone()
    };
    assert_eq!(subject(2), format!("Patient/{existing}"));
    assert_eq!(subject(3), written(&server, &answer, 1));
    server.get(&format!("/Patient/{gone}")).expect(410);
    // Again: the update finds what it made.
    let answer = transaction(&server, &bundle).expect(200).json();
    assert_eq!(statuses(&answer), ["200", "200", "201", "201", "204", "204"]);
    server.create(&patient("2", "이"));
    let reply = transaction(&server, &bundle).refused(412, "IEUM-R015");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[1]");
}

fn nothing_happens_on_failure(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    let good =
        json!({"request": {"method": "POST", "url": "Patient"}, "resource": value(&patient("1", "김"))});
    let delete = json!({"request": {"method": "DELETE", "url": "Patient/p"}});
    for (bad, status, code, place) in [
        (
            json!({"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient", "nmae": 1}}),
            422,
            "IEUM-V004",
            "Bundle.entry[2].resource",
        ),
        (
            json!({"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Organization", "name": "x"}}),
            400,
            "IEUM-V003",
            "Bundle.entry[2]",
        ),
        (
            json!({"request": {"method": "PUT", "url": "Patient/q"}, "resource": {"resourceType": "Patient", "id": "r"}}),
            400,
            "IEUM-R016",
            "Bundle.entry[2]",
        ),
        (
            json!({"request": {"method": "PUT", "url": "Patient/q", "ifMatch": "W/\"1\""}, "resource": {"resourceType": "Patient", "id": "q"}}),
            412,
            "IEUM-R014",
            "Bundle.entry[2]",
        ),
        (json!({"request": {"method": "DELETE", "url": "Patient"}}), 400, "IEUM-R025", "Bundle.entry[2]"),
        (
            json!({"request": {"method": "GET", "url": "a/b/c/d/e"}}),
            404,
            "IEUM-R003",
            "Bundle.entry[2].request",
        ),
        (
            json!({"request": {"method": "PATCH", "url": "metadata"}}),
            405,
            "IEUM-R008",
            "Bundle.entry[2].request",
        ),
        (
            json!({"request": {"method": "POST", "url": "Nothing"}, "resource": {"resourceType": "Patient"}}),
            404,
            "IEUM-R004",
            "Bundle.entry[2]",
        ),
        (
            json!({"request": {"method": "POST", "url": "Patient"}}),
            400,
            "IEUM-B003",
            "Bundle.entry[2].request",
        ),
        (json!({"resource": {"resourceType": "Patient"}}), 400, "IEUM-B003", "Bundle.entry[2].request"),
        (
            json!({"request": {"method": "POST", "url": "IeumAccount"}, "resource": {"resourceType": "Patient"}}),
            404,
            "IEUM-R004",
            "Bundle.entry[2]",
        ),
    ] {
        let reply = transaction(&server, &json!([good, delete, bad])).refused(status, code);
        let found = reply.json()["issue"][0]["expression"][0].as_str().unwrap_or_default().to_owned();
        assert!(found.starts_with(place), "{found} for {bad}");
        server.get("/Patient/p").expect(200);
        assert_eq!(server.count("/_history"), 1, "{bad}");
    }
}

fn duplicates_are_refused(kind: Kind) {
    let server = Server::open(kind);
    server
        .put("/Patient/p", r#"{"resourceType":"Patient","id":"p","identifier":[{"value":"x"}]}"#)
        .expect(201);
    let put = json!({"request": {"method": "PUT", "url": "Patient/p"}, "resource": {"resourceType": "Patient", "id": "p"}});
    let delete = json!({"request": {"method": "DELETE", "url": "Patient/p"}});
    let by_criteria = json!({"request": {"method": "DELETE", "url": "Patient?identifier=x"}});
    let create = json!({"request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=y"}, "resource": {"resourceType": "Patient"}});
    let update = json!({"request": {"method": "PUT", "url": "Patient?identifier=y"}, "resource": {"resourceType": "Patient"}});
    for (first, second) in [
        (&put, &put),
        (&put, &delete),
        (&delete, &by_criteria),
        (&by_criteria, &put),
        (&create, &create),
        (&create, &update),
        (&update, &update),
    ] {
        let reply = transaction(&server, &json!([first, second])).refused(400, "IEUM-B004");
        let place = reply.json()["issue"][0]["expression"][0].as_str().unwrap().to_owned();
        assert!(place.starts_with("Bundle.entry["), "{place}");
    }
    let named = |url: &str| json!({"fullUrl": A, "request": {"method": "POST", "url": url}, "resource": {"resourceType": url}});
    let reply = transaction(&server, &json!([named("Patient"), named("Basic")]));
    assert!(reply.status == 400 || reply.status == 422, "{}", reply.text());
    assert_eq!(server.count("/_history"), 1);
}

fn if_match_per_entry(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    let put = |tag: &str| {
        json!([{"request": {"method": "PUT", "url": "Patient/p", "ifMatch": tag},
        "resource": {"resourceType": "Patient", "id": "p", "active": tag == "W/\"1\""}}])
    };
    transaction(&server, &put("W/\"2\"")).refused(412, "IEUM-R014");
    assert_eq!(statuses(&transaction(&server, &put("W/\"1\"")).expect(200).json()), ["200"]);
    transaction(&server, &put("W/\"1\"")).refused(412, "IEUM-R014");
    let delete = json!([{"request": {"method": "DELETE", "url": "Patient/p", "ifMatch": "W/\"1\""}}]);
    transaction(&server, &delete).refused(412, "IEUM-R014");
}

fn reads_see_the_state_after(kind: Kind) {
    let server = Server::open(kind);
    let answer = transaction(&server, &json!([
        {"request": {"method": "GET", "url": "Patient/new"}},
        {"request": {"method": "GET", "url": "Patient/none"}},
        {"request": {"method": "PUT", "url": "Patient/new"}, "resource": {"resourceType": "Patient", "id": "new"}},
    ])).expect(200).json();
    assert_eq!(statuses(&answer), ["200", "404", "201"]);
    assert_eq!(entries(&answer)[0]["resource"]["id"], "new");
    assert_eq!(entries(&answer)[1]["response"]["outcome"]["resourceType"], "OperationOutcome");
}

fn prefer_and_unchanged(kind: Kind) {
    let server = Server::open(kind);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "PUT", "url": "Patient/p"}, "resource": {"resourceType": "Patient", "id": "p"}}]}).to_string();
    let first = server.send("POST", "", &[("prefer", "return=representation")], &bundle).expect(200).json();
    assert_eq!(entries(&first)[0]["resource"]["meta"]["versionId"], "1");
    assert_eq!(entries(&first)[0]["fullUrl"], format!("{}/Patient/p", server.base));
    let again = server.send("POST", "", &[("prefer", "return=OperationOutcome")], &bundle).expect(200).json();
    assert_eq!(entries(&again)[0]["response"]["etag"], "W/\"1\"");
    assert_eq!(entries(&again)[0]["response"]["status"], "200");
    assert_eq!(entries(&again)[0]["response"]["outcome"]["resourceType"], "OperationOutcome");
    let minimal = server.post("", &bundle).expect(200).json();
    assert!(entries(&minimal)[0].get("resource").is_none());
}
