//! Patient `$everything`.

use std::collections::HashSet;

use ieum_trust::access::Role;
use serde_json::Value;

use crate::support::{Kind, Server, entries, ids, link, on_every_engine, patient};

on_every_engine!(
    compartment_with_shared_records,
    paged,
    narrowed,
    dates_of_care,
    by_post,
    of_nobody,
    within_reach,
    of_an_encounter,
    of_a_group,
    of_a_group_within_reach,
    of_too_large_a_group,
);

/// Two patients, each with observations and a shared hospital; gives the first one's id.
fn hospital(server: &Server) -> String {
    server
        .put("/Organization/h", r#"{"resourceType":"Organization","id":"h","name":"가나다 병원"}"#)
        .expect(201);
    server.put("/Practitioner/d", r#"{"resourceType":"Practitioner","id":"d"}"#).expect(201);
    server.put("/Practitioner/unknown", r#"{"resourceType":"Practitioner","id":"unknown"}"#).expect(201);
    let first = server.create(&patient("1", "김"));
    let second = server.create(&patient("2", "이"));
    for number in 0..5 {
        for id in [&first, &second] {
            server.create(&format!(
                r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"valueInteger":{number},"subject":{{"reference":"Patient/{id}"}},"performer":[{{"reference":"Practitioner/d"}},{{"reference":"Organization/h"}}]}}"#
            ));
        }
    }
    first
}

fn compartment_with_shared_records(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let bundle = server.get(&format!("/Patient/{id}/$everything")).expect(200).json();
    assert_eq!(bundle["type"], "searchset");
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}/Patient/{id}/$everything", server.base));
    let mut found: Vec<&str> =
        entries(&bundle).iter().map(|entry| entry["resource"]["resourceType"].as_str().unwrap()).collect();
    found.sort_unstable();
    let observations = ["Observation"; 5];
    assert_eq!(found, [&observations[..], &["Organization", "Patient", "Practitioner"]].concat());
    assert!(ids(&bundle, "match").contains(&id));
    let mut shared = ids(&bundle, "include");
    shared.sort();
    assert_eq!(shared, ["d", "h"]);
    // Nothing of the other patient.
    assert!(!bundle.to_string().contains("http://a.kr/mrn\",\"value\":\"2"));
}

fn paged(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let pages = server.pages(&format!("/Patient/{id}/$everything?_count=2"));
    assert_eq!(pages.len(), 3);
    let matches: Vec<&Value> =
        pages.iter().flatten().filter(|entry| entry["search"]["mode"] == "match").collect();
    assert_eq!(matches.len(), 6);
    assert_eq!(
        matches.iter().map(|entry| entry["fullUrl"].as_str().unwrap()).collect::<HashSet<_>>().len(),
        6
    );
    let first = server.get(&format!("/Patient/{id}/$everything?_count=2")).json();
    let next = link(&first, "next").unwrap();
    server.get(&next.replace("_count=2", "_count=1")).expect(200);
    server.get(&next.replace(&id, "none")).expect(404);
    server.get(&format!("{next}&_type=Observation")).refused(400, "IEUM-R024");
}

fn narrowed(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let types = |query: &str| {
        let pages = server.pages(&format!("/Patient/{id}/$everything?{query}")).concat();
        let types = pages.iter().map(|entry| entry["resource"]["resourceType"].as_str().unwrap().to_owned());
        types.collect::<Vec<_>>()
    };
    assert_eq!(types("_type=Patient"), ["Patient"]);
    assert_eq!(types("_type=Observation").len(), 5);
    assert_eq!(types("_type=Patient,Organization"), ["Patient", "Organization"]);
    assert_eq!(types("_since=2999-01-01T00:00:00Z").len(), 0);
    let body = format!(r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/{id}"}}}}"#);
    let condition = server.post("/Condition", &body).json();
    let since = condition["meta"]["lastUpdated"].as_str().unwrap();
    assert_eq!(types(&format!("_since={since}")), ["Condition"]);
    server.get(&format!("/Patient/{id}/$everything?_type=Nothing")).refused(400, "IEUM-S005");
    server.get(&format!("/Patient/{id}/$everything?begin=2020")).refused(400, "IEUM-S002");
}

fn dates_of_care(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    server.put("/Practitioner/d", r#"{"resourceType":"Practitioner","id":"d"}"#).expect(201);
    let put = |kind: &str, id: &str, members: &str| {
        let body = format!(r#"{{"resourceType":"{kind}","id":"{id}",{members}}}"#);
        server.put(&format!("/{kind}/{id}"), &body).expect(201);
    };
    let subject = r#""subject":{"reference":"Patient/p"}"#;
    let observation = |id: &str, when: &str| {
        put("Observation", id, &format!(r#"{subject},"status":"final","code":{{"text":"x"}}{when}"#));
    };
    observation(
        "last-of-may",
        r#","effectiveDateTime":"2026-05-31T23:59:59+09:00","performer":[{"reference":"Practitioner/d"}]"#,
    );
    observation("first-of-june", r#","effectiveDateTime":"2026-05-31T15:00:00Z""#);
    observation("in-2026", r#","effectiveDateTime":"2026""#);
    observation("last-of-june", r#","effectiveDateTime":"2026-06-30""#);
    observation("first-of-july", r#","effectiveDateTime":"2026-07-01""#);
    observation("undated", "");
    let stay = |id: &str, period: &str| {
        put(
            "Encounter",
            id,
            &format!(r#"{subject},"status":"finished","class":{{"code":"IMP"}},"period":{{{period}}}"#),
        );
    };
    stay("through-june", r#""start":"2026-05-01","end":"2026-08-01""#);
    stay("since-april", r#""start":"2026-04-01""#);
    stay("in-may", r#""start":"2026-05-01","end":"2026-05-31""#);
    put("Condition", "of-july", &format!(r#"{subject},"recordedDate":"2026-07-02""#));
    put("AllergyIntolerance", "unknown", r#""patient":{"reference":"Patient/p"}"#);

    let always = ["AllergyIntolerance/unknown", "Observation/undated", "Patient/p"];
    let all = |dated: &[&str]| {
        let mut all: Vec<String> = always.iter().chain(dated).map(ToString::to_string).collect();
        all.sort();
        all
    };
    let june = all(&[
        "Encounter/since-april",
        "Encounter/through-june",
        "Observation/first-of-june",
        "Observation/in-2026",
        "Observation/last-of-june",
    ]);
    for count in [1, 3, 100] {
        let path = format!("/Patient/p/$everything?start=2026-06-01&end=2026-06-30&_count={count}");
        assert_eq!(found(&server, &path), june, "by {count}");
    }
    assert_eq!(found(&server, "/Patient/p/$everything?start=2026-06&end=2026-06"), june);
    let bundle = server.get("/Patient/p/$everything?start=2026-06-01&end=2026-06-30").expect(200).json();
    assert!(link(&bundle, "self").unwrap().contains("start=2026-06-01&end=2026-06-30"));
    assert!(ids(&bundle, "include").is_empty(), "who did what is left out does not go with it");
    let path = "/Patient/p/$everything?start=2026&_count=1";
    let next = link(&server.get(path).expect(200).json(), "next").unwrap().to_owned();
    server.get(&next).expect(200);
    server.get(&next.replace("start=2026", "start=2025")).refused(400, "IEUM-R024");
    let later = all(&[
        "Condition/of-july",
        "Encounter/since-april",
        "Encounter/through-june",
        "Observation/first-of-july",
        "Observation/in-2026",
    ]);
    assert_eq!(found(&server, "/Patient/p/$everything?start=2026-07-01"), later);
    let earlier = [
        "Encounter/in-may",
        "Encounter/since-april",
        "Encounter/through-june",
        "Observation/in-2026",
        "Observation/last-of-may",
        "Practitioner/d",
    ];
    assert_eq!(found(&server, "/Patient/p/$everything?end=2026-05"), all(&earlier));
    assert_eq!(
        found(&server, "/Patient/p/$everything?start=2026-07-01&_type=Condition"),
        ["Condition/of-july"]
    );

    let group = r#"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p"}}]}"#;
    server.put("/Group/g", group).expect(201);
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"start","valueDate":"2026-07-01"},{"name":"_type","valueCode":"Condition,Encounter"}]}"#;
    let mut of_group = ids(&server.post("/Group/g/$everything", body).expect(200).json(), "match");
    of_group.sort();
    assert_eq!(of_group, ["of-july", "since-april", "through-june"]);

    for wrong in ["start=x", "start=2026&start=2027", "start=2026-06-02&end=2026-06-01", "end=2026-06-31"] {
        server.get(&format!("/Patient/p/$everything?{wrong}")).refused(400, "IEUM-S005");
    }
    server.get("/Encounter/in-may/$everything?start=2026").refused(400, "IEUM-S002");
}

fn by_post(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let path = format!("/Patient/{id}/$everything");
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"_type","valueCode":"Observation"},{"name":"_count","valueInteger":2}]}"#;
    let bundle = server.post(&path, body).expect(200).json();
    assert_eq!(ids(&bundle, "match").len(), 2);
    assert_eq!(
        server.get(link(&bundle, "next").unwrap()).expect(200).json()["entry"].as_array().unwrap().len(),
        2
    );
    assert_eq!(server.request("POST", &path, &[], None).expect(200).body, server.get(&path).body);
    server.post(&path, r#"{"resourceType":"Patient"}"#).refused(400, "IEUM-V003");
    server
        .post(&path, r#"{"resourceType":"Parameters","parameter":[{"name":"x"}]}"#)
        .refused(400, "IEUM-S005");
    server
        .post(&path, r#"{"resourceType":"Parameters","parameter":[{"name":"x","valueCode":"y"}]}"#)
        .refused(400, "IEUM-S002");
}

fn of_nobody(kind: Kind) {
    let server = Server::open(kind);
    server.get("/Patient/none/$everything").refused(404, "IEUM-R006");
    let id = server.create(&patient("1", "김"));
    server.delete(&format!("/Patient/{id}"));
    server.get(&format!("/Patient/{id}/$everything")).refused(410, "IEUM-R007");
}

fn within_reach(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    for id in ["a", "b"] {
        server
            .send_as(
                &service,
                "PUT",
                &format!("/Patient/{id}"),
                &format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#),
            )
            .expect(201);
    }
    let own = server.account(Role::Patient, Some("a"));
    server.get_as(&own, "/Patient/a/$everything").expect(200);
    server.get_as(&own, "/Patient/b/$everything").refused(404, "IEUM-R006");
    let operator = server.account(Role::Operator, None);
    server.get_as(&operator, "/Patient/a/$everything").refused(404, "IEUM-R006");
}

fn found(server: &Server, path: &str) -> Vec<String> {
    let pages = server.pages(path).concat();
    let address = |entry: &Value| {
        let resource = &entry["resource"];
        format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
    };
    let mut found: Vec<String> = pages.iter().map(address).collect();
    found.sort();
    found
}

fn of_an_encounter(kind: Kind) {
    let server = Server::open(kind);
    let patient = hospital(&server);
    for id in ["v", "w"] {
        server.put(&format!("/Encounter/{id}"), &format!(
            r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/{patient}"}},"serviceProvider":{{"reference":"Organization/h"}}}}"#
        )).expect(201);
        for number in 0..3 {
            server.put(&format!("/Observation/{id}{number}"), &format!(
                r#"{{"resourceType":"Observation","id":"{id}{number}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{patient}"}},"encounter":{{"reference":"Encounter/{id}"}}}}"#
            )).expect(201);
        }
    }
    let path = "/Encounter/v/$everything";
    let patient = format!("Patient/{patient}");
    let all =
        ["Encounter/v", "Observation/v0", "Observation/v1", "Observation/v2", "Organization/h", &patient];
    assert_eq!(found(&server, path), all);
    let bundle = server.get(path).expect(200).json();
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}{path}", server.base));
    assert_eq!(ids(&bundle, "match"), ["v", "v0", "v1", "v2"]);
    let pages = server.pages(&format!("{path}?_count=3"));
    let matches = |page: &Vec<Value>| page.iter().filter(|entry| entry["search"]["mode"] == "match").count();
    assert_eq!(pages.iter().map(matches).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(found(&server, &format!("{path}?_type=Observation&_count=1")), all[1..4]);
    assert_eq!(found(&server, &format!("{path}?_type=Organization")), ["Organization/h"]);
    let since = server.get("/Observation/v1").json()["meta"]["lastUpdated"].as_str().unwrap().to_owned();
    assert_eq!(found(&server, &format!("{path}?_since={since}")), all[2..4]);
    let next = link(&server.get(&format!("{path}?_count=1")).json(), "next").unwrap().to_owned();
    server.get(&next.replace("Encounter/v", "Encounter/w")).refused(400, "IEUM-R024");
    server.get(&format!("{path}?start=2020")).refused(400, "IEUM-S002");
    server.get("/Encounter/none/$everything").refused(404, "IEUM-R006");
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"_type","valueCode":"Encounter"}]}"#;
    assert_eq!(ids(&server.post(path, body).expect(200).json(), "match"), ["v"]);
}

/// Two patients whose records are together in one of them, a third, and a group of the first two.
fn group(send: &dyn Fn(&str, &str)) {
    for id in ["a", "b", "c"] {
        send(&format!("/Patient/{id}"), &format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#));
        for number in 0..2 {
            let id = format!("{id}{number}");
            let patient = &id[..1];
            send(
                &format!("/Condition/{id}"),
                &format!(
                    r#"{{"resourceType":"Condition","id":"{id}","subject":{{"reference":"Patient/{patient}"}}}}"#
                ),
            );
        }
    }
    let both = r#"{"resourceType":"Appointment","id":"both","status":"booked","participant":[{"actor":{"reference":"Patient/a"},"status":"accepted"},{"actor":{"reference":"Patient/b"},"status":"accepted"}]}"#;
    send("/Appointment/both", both);
    let member =
        |id: &str, inactive: bool| format!(r#"{{"entity":{{"reference":"{id}"}},"inactive":{inactive}}}"#);
    let members = [
        member("Patient/a", false),
        member("Patient/b", false),
        member("Patient/c", true),
        member("Device/x", false),
    ];
    send(
        "/Group/g",
        &format!(
            r#"{{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{}]}}"#,
            members.join(",")
        ),
    );
}

const OF_MEMBERS: [&str; 7] = [
    "Appointment/both",
    "Condition/a0",
    "Condition/a1",
    "Condition/b0",
    "Condition/b1",
    "Patient/a",
    "Patient/b",
];

fn of_a_group(kind: Kind) {
    let server = Server::open(kind);
    group(&|path, body| drop(server.put(path, body).expect(201)));
    let path = "/Group/g/$everything";
    for count in [1, 2, 3, 100] {
        let mut all = found(&server, &format!("{path}?_count={count}"));
        // The group refers to its members, the one who has left among them: it is theirs too.
        all.retain(|address| address != "Group/g");
        assert_eq!(all, OF_MEMBERS, "by {count}");
    }
    assert_eq!(found(&server, &format!("{path}?_type=Patient")), ["Patient/a", "Patient/b"]);
    // A new member does not break a walk.
    let next = link(&server.get(&format!("{path}?_count=1")).json(), "next").unwrap().to_owned();
    let more = r#"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/c"}}]}"#;
    server.put("/Group/g", more).expect(200);
    server.get(&next).expect(200);
    let all = found(&server, &format!("{path}?_type=Condition"));
    assert_eq!(all, ["Condition/a0", "Condition/a1", "Condition/c0", "Condition/c1"]);
    server.delete("/Group/g").expect(204);
    server.get(path).refused(410, "IEUM-R007");
    server.get("/Group/none/$everything").refused(404, "IEUM-R006");
}

fn of_a_group_within_reach(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    group(&|path, body| drop(server.send_as(&service, "PUT", path, body).expect(201)));
    let own = server.account(Role::Patient, Some("a"));
    for path in ["/Group/g/$everything", "/Encounter/e/$everything"] {
        server.get(path).refused(401, "IEUM-R001");
    }
    let bundle = server.get_as(&own, "/Group/g/$everything").expect(200).json();
    let mut found = ids(&bundle, "match");
    found.sort();
    assert_eq!(found, ["a", "a0", "a1", "both", "g"]);
    let operator = server.account(Role::Operator, None);
    server.get_as(&operator, "/Group/g/$everything").refused(404, "IEUM-R006");
}

fn of_too_large_a_group(kind: Kind) {
    let server = Server::open(kind);
    let members: Vec<String> =
        (0..1_001).map(|id| format!(r#"{{"entity":{{"reference":"Patient/p{id}"}}}}"#)).collect();
    let body = format!(
        r#"{{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{}]}}"#,
        members.join(",")
    );
    server.put("/Group/g", &body).expect(201);
    server.get("/Group/g/$everything").refused(400, "IEUM-S008");
}
