//! Searches over several types, and within compartments.

use ieum_trust::access::Role;
use serde_json::Value;

use crate::support::{Kind, Server, entries, ids, link, on_every_engine, patient};

on_every_engine!(
    all_types_and_named_ones,
    several_types_by_post,
    one_order_for_all_types,
    pages_of_several_types_hold_under_writes,
    tokens_of_several_types_belong_to_their_question,
    several_types_include,
    several_types_strict_and_lenient,
    several_types_within_reach,
    compartments,
    compartments_that_are_none,
    compartments_within_reach,
);

fn observation(patient: &str, number: usize) -> String {
    let code = serde_json::json!({"text": format!("검사 {number}")});
    serde_json::json!({"resourceType": "Observation", "status": "final", "code": code,
        "effectiveDateTime": format!("2026-01-{:02}", number % 28 + 1),
        "subject": {"reference": format!("Patient/{patient}")}})
    .to_string()
}

fn condition(patient: &str, number: usize) -> String {
    serde_json::json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{patient}")},
        "recordedDate": format!("2026-01-{:02}", number % 28 + 1)})
    .to_string()
}

/// A patient with so many observations and conditions, in turn; their ids in that order.
fn fill(server: &Server, count: usize) -> (String, Vec<String>) {
    let owner = server.create(&patient("1", "김"));
    let make = |number: usize| {
        if number.is_multiple_of(2) { observation(&owner, number) } else { condition(&owner, number) }
    };
    let made = (0..count).map(|number| server.create(&make(number))).collect();
    (owner, made)
}

fn of_entries(entries: &[Value]) -> Vec<String> {
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap_or_default().to_owned()).collect()
}

fn all_types_and_named_ones(kind: Kind) {
    let server = Server::open(kind);
    let none = server.get("").expect(200).json();
    assert_eq!((none["total"].as_u64(), entries(&none).len()), (Some(0), 0));
    let (owner, made) = fill(&server, 5);
    let all = server.get("").expect(200).json();
    assert_eq!((all["type"].as_str(), all["total"].as_u64()), (Some("searchset"), Some(6)));
    assert_eq!(ids(&all, "match"), [std::slice::from_ref(&owner), &made].concat());
    assert_eq!(link(&all, "self"), Some(server.base.as_str()));
    let two = server.get("?_type=Condition,Patient").expect(200).json();
    assert_eq!(two["total"], 3);
    assert_eq!(link(&two, "self").unwrap(), format!("{}?_type=Condition,Patient", server.base));
    assert_eq!(ids(&two, "match"), [owner.as_str(), &made[1], &made[3]]);
    assert_eq!(server.get("?_type=Observation&_summary=count").expect(200).json()["total"], 3);
    assert_eq!(server.get("?_count=0").expect(200).json()["total"], 6);
    assert_eq!(server.get("?_count=0&_type=Media").expect(200).json()["total"], 0);
    let uncounted = server.get("?_type=Media&_total=none").expect(200).json();
    assert!(uncounted["total"].is_null());
    let one = server.get(&format!("?_id={}&_elements=status", made[0])).expect(200).json();
    assert_eq!(one["entry"][0]["resource"]["status"], "final");
    assert!(one["entry"][0]["resource"]["subject"].is_null());
    server.get("?_type=Nothing").refused(400, "IEUM-S005");
    server.get("?_type=IeumAccount").refused(400, "IEUM-S005");
    server.get("?_contained=true").refused(400, "IEUM-S004");
}

fn several_types_by_post(kind: Kind) {
    let server = Server::open(kind);
    let (_, made) = fill(&server, 4);
    let bundle = server.form("/_search", "_type=Observation&_count=1").expect(200).json();
    assert_eq!((bundle["total"].as_u64(), ids(&bundle, "match")), (Some(2), vec![made[0].clone()]));
    let next = server.get(link(&bundle, "next").unwrap()).expect(200).json();
    assert_eq!(ids(&next, "match"), made[2..3]);
    assert_eq!(server.request("POST", "/_search", &[], None).expect(200).json()["total"], 5);
}

fn one_order_for_all_types(kind: Kind) {
    let server = Server::open(kind);
    let (owner, made) = fill(&server, 9);
    for (path, expected) in [
        ("?_sort=_lastUpdated", made.clone()),
        ("?_sort=-_lastUpdated", made.iter().rev().cloned().collect()),
        ("?_type=Observation,Condition&_sort=-patient,-_lastUpdated", made.iter().rev().cloned().collect()),
        ("?_type=Condition,Observation", made.clone()),
    ] {
        for count in [1, 2, 4, 100] {
            let pages = server.pages(&format!("{path}&_count={count}"));
            let mut found = of_entries(&pages.concat());
            found.retain(|id| *id != owner);
            assert_eq!(found, expected, "{path} by {count}");
        }
    }
    // Going back gives the same pages.
    let mut forward = Vec::new();
    let mut next = Some("?_sort=_id&_count=3".to_owned());
    let mut last = None;
    while let Some(path) = next {
        let bundle = server.get(&path).expect(200).json();
        forward.push(ids(&bundle, "match"));
        next = link(&bundle, "next").map(str::to_owned);
        last = Some(bundle);
    }
    let mut back = link(&last.unwrap(), "previous").map(str::to_owned);
    for expected in forward.iter().rev().skip(1) {
        let bundle = server.get(&back.unwrap()).expect(200).json();
        assert_eq!(ids(&bundle, "match"), *expected);
        back = link(&bundle, "previous").map(str::to_owned);
    }
    assert_eq!(back, None);
}

fn pages_of_several_types_hold_under_writes(kind: Kind) {
    let server = Server::open(kind);
    let (owner, made) = fill(&server, 12);
    for sort in ["", "&_sort=-_lastUpdated", "&_sort=_id"] {
        let mut seen = Vec::new();
        let mut next = Some(format!("?_count=2{sort}"));
        let mut round = 0;
        while let Some(path) = next {
            let bundle = server.get(&path).expect(200).json();
            seen.extend(ids(&bundle, "match"));
            next = link(&bundle, "next").map(str::to_owned);
            // Types that held nothing before, and others; one record that is always changed.
            server.create(r#"{"resourceType":"Organization","name":"새 병원"}"#);
            server.create(&observation(&owner, round));
            server.put(
                &format!("/Patient/{owner}"),
                &format!(r#"{{"resourceType":"Patient","id":"{owner}","multipleBirthInteger":{round}}}"#),
            );
            round += 1;
            assert!(round < 100, "{sort}");
        }
        for id in &made {
            assert_eq!(seen.iter().filter(|found| *found == id).count(), 1, "{sort}");
        }
    }
}

fn tokens_of_several_types_belong_to_their_question(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    let clinician = server.account(Role::Clinician, None);
    for number in 0..3 {
        server.send_as(&service, "POST", "/Patient", &patient(&number.to_string(), "김")).expect(201);
    }
    let first = server.get_as(&service, "?_type=Patient,Media&_count=1").expect(200).json();
    let next = link(&first, "next").unwrap();
    server.get_as(&service, next).expect(200);
    // The size of pages and what is shown may change.
    server.get_as(&service, &format!("{}&_elements=id", next.replace("_count=1", "_count=2"))).expect(200);
    server.get_as(&clinician, next).refused(400, "IEUM-R024");
    server.get_as(&service, &next.replace("Media", "Group")).refused(400, "IEUM-R024");
    server.get_as(&service, &format!("{next}&_id=x")).refused(400, "IEUM-R024");
}

fn several_types_include(kind: Kind) {
    let server = Server::open(kind);
    let (owner, made) = fill(&server, 3);
    let bundle = server
        .get("?_type=Observation,Media&_include=Observation:subject&_include=Media:subject")
        .expect(200);
    let bundle = bundle.json();
    assert_eq!(ids(&bundle, "match"), [made[0].as_str(), &made[2]]);
    assert_eq!(ids(&bundle, "include"), [owner.as_str()]);
    let path = "?_type=Patient,Organization&_revinclude=Observation:subject";
    let bundle = server.get(path).expect(200).json();
    assert_eq!(bundle["total"], 1);
    assert_eq!(ids(&bundle, "include"), [made[0].as_str(), &made[2]]);
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}{path}", server.base));
    server.get("?_type=Patient,Media&_include=Observation:subject").refused(400, "IEUM-S002");
}

fn several_types_strict_and_lenient(kind: Kind) {
    let server = Server::open(kind);
    let (owner, made) = fill(&server, 4);
    let path = format!("?patient={owner}&_type=Observation,Condition");
    assert_eq!(ids(&server.get(&path).expect(200).json(), "match"), made);
    // What some of the types do not have is no parameter of all of them.
    server.get("?_type=Observation,Organization&patient=x").refused(400, "IEUM-S002");
    server.get("?_type=Observation&nmae=x").refused(400, "IEUM-S002");
    let lenient = [("prefer", "handling=lenient")];
    let path = format!("?status=final&_type=Observation,Condition&patient={owner}");
    let bundle = server.get_with(&path, &lenient).expect(200).json();
    assert_eq!(ids(&bundle, "match"), made);
    let applied = format!("{}?_type=Observation,Condition&patient={owner}", server.base);
    assert_eq!(link(&bundle, "self"), Some(applied.as_str()));
    let outcome = entries(&bundle).iter().find(|entry| entry["search"]["mode"] == "outcome").unwrap();
    assert_eq!(outcome["resource"]["issue"].as_array().unwrap().len(), 1);
    assert!(outcome.to_string().contains("status"));
}

fn several_types_within_reach(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    for id in ["a", "b"] {
        let body = format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
        server.send_as(&service, "PUT", &format!("/Patient/{id}"), &body).expect(201);
        server.send_as(&service, "POST", "/Observation", &observation(id, 1)).expect(201);
    }
    server.get("").refused(401, "IEUM-R001");
    server.form("/_search", "_type=Patient").refused(401, "IEUM-R001");
    let own = server.account(Role::Patient, Some("a"));
    for path in ["", "?_type=Patient,Observation", "?_id=a,b&_type=Patient"] {
        let bundle = server.get_as(&own, path).expect(200).json();
        assert_eq!(bundle["total"], entries(&bundle).len());
        assert!(!bundle["entry"].to_string().contains("Patient/b"), "{path}");
    }
    assert_eq!(server.get_as(&own, "").json()["total"], 2);
    let operator = server.account(Role::Operator, None);
    // Accounts are records, but no resources.
    assert_eq!(server.get_as(&operator, "").expect(200).json()["total"], 0);
}

fn compartments(kind: Kind) {
    let server = Server::open(kind);
    let (owner, made) = fill(&server, 6);
    let (other, _) = fill(&server, 3);
    let path = format!("/Patient/{owner}/Observation");
    let bundle = server.get(&path).expect(200).json();
    assert_eq!(
        (bundle["total"].as_u64(), link(&bundle, "self")),
        (Some(3), Some(&*format!("{}{path}", server.base)))
    );
    let dated = format!("{path}?date=ge2026-01-02&_sort=-date&_count=1");
    assert_eq!(of_entries(&server.pages(&dated).concat()), [made[4].as_str(), &made[2]]);
    assert_eq!(server.get(&format!("/Patient/{other}/Observation")).expect(200).json()["total"], 2);
    // The patient is in their own compartment.
    assert_eq!(ids(&server.get(&format!("/Patient/{owner}/Patient")).json(), "match"), [owner.as_str()]);
    let everything = [std::slice::from_ref(&owner), &made].concat();
    for path in [format!("/Patient/{owner}/*?_count=2"), format!("/Patient/{owner}/%2A?_count=3")] {
        assert_eq!(of_entries(&server.pages(&path).concat()), everything);
    }
    let some = server.get(&format!("/Patient/{owner}/*?_type=Condition")).expect(200).json();
    assert_eq!(ids(&some, "match"), [made[1].as_str(), &made[3], &made[5]]);
    let posted = server.form(&format!("/Patient/{owner}/Condition/_search"), "_count=1").expect(200).json();
    assert_eq!((posted["total"].as_u64(), entries(&posted).len()), (Some(3), 1));
    assert_eq!(server.form(&format!("/Patient/{owner}/*/_search"), "_count=0").json()["total"], 7);
    // A token belongs to its compartment.
    let next = link(&posted, "next").unwrap().to_owned();
    assert_eq!(entries(&server.get(&next).expect(200).json()).len(), 1);
    server.get(&next.replace(&owner, &other)).refused(400, "IEUM-R024");
    // The other compartments.
    server.put("/Practitioner/d", r#"{"resourceType":"Practitioner","id":"d"}"#).expect(201);
    let visit = format!(
        r#"{{"resourceType":"Encounter","id":"v","status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/{owner}"}},"participant":[{{"individual":{{"reference":"Practitioner/d"}}}}]}}"#
    );
    server.put("/Encounter/v", &visit).expect(201);
    let seen = observation(&owner, 1).replacen('{', r#"{"encounter":{"reference":"Encounter/v"},"device":{"reference":"Device/x"},"performer":[{"reference":"RelatedPerson/r"}],"#, 1);
    let seen = server.create(&seen);
    for (path, expected) in [
        ("/Encounter/v/Observation", vec![seen.as_str()]),
        ("/Encounter/v/*", vec!["v", &seen]),
        ("/Practitioner/d/Encounter", vec!["v"]),
        ("/Practitioner/d/*", vec!["d", "v"]),
        ("/Device/x/Observation", vec![&seen]),
        ("/RelatedPerson/r/Observation", vec![&seen]),
    ] {
        assert_eq!(ids(&server.get(path).expect(200).json(), "match"), expected, "{path}");
    }
}

fn compartments_that_are_none(kind: Kind) {
    let server = Server::open(kind);
    server.get("/Organization/o/Patient").refused(404, "IEUM-R003");
    server.get("/Patient/p/Organization").refused(404, "IEUM-R003");
    server.get("/Patient/p/nothing").refused(404, "IEUM-R004");
    server.get("/Patient/p/*?_type=Organization").refused(400, "IEUM-S005");
    server.get("/Patient/p/Observation?nmae=x").refused(400, "IEUM-S002");
    assert_eq!(
        server.delete("/Patient/p/Observation").refused(405, "IEUM-R008").header("allow"),
        Some("GET, HEAD")
    );
    // Nobody of this id: nothing is in the compartment.
    assert_eq!(server.get("/Patient/p/Observation").expect(200).json()["total"], 0);
}

fn compartments_within_reach(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    for id in ["a", "b"] {
        server.send_as(&service, "POST", "/Observation", &observation(id, 1)).expect(201);
    }
    let own = server.account(Role::Patient, Some("a"));
    for (path, count) in [
        ("/Patient/a/Observation", 1),
        ("/Patient/b/Observation", 0),
        ("/Patient/a/*", 1),
        ("/Patient/b/*", 0),
    ] {
        server.get(path).refused(401, "IEUM-R001");
        assert_eq!(server.get_as(&own, path).expect(200).json()["total"], count, "{path}");
    }
    let operator = server.account(Role::Operator, None);
    assert_eq!(server.get_as(&operator, "/Patient/a/*").expect(200).json()["total"], 0);
}
