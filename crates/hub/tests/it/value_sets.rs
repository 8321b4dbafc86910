//! `:in`, `:not-in`, `:below` and `:above` with value sets and code systems that are stored here.

use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Kind, Server, ids, on_every_engine};

on_every_engine!(
    lists_of_codes,
    sets_of_sets_and_systems,
    expansions,
    hierarchies,
    what_is_not_written_out_is_refused,
    one_of_several_versions,
    definitions_count_at_once,
    definitions_are_read_within_reach,
);

const SYSTEM: &str = "http://a.kr/codes";

fn store(server: &Server, resource: &Value) {
    let (kind, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    let reply = server.put(&format!("/{kind}/{id}"), &resource.to_string());
    assert!(reply.status < 300, "{}", reply.text());
}

/// An observation for each code.
fn observations(server: &Server, codes: &[&str]) {
    for code in codes {
        store(
            server,
            &json!({"resourceType": "Observation", "id": code, "status": "final",
            "code": {"coding": [{"system": SYSTEM, "code": code}]}}),
        );
    }
}

fn value_set(id: &str, compose: &Value) -> Value {
    json!({"resourceType": "ValueSet", "id": id, "url": format!("http://a.kr/vs/{id}"), "status": "active", "compose": compose})
}

/// a over b and c, b over d; e by property below c; f above nothing.
fn system(id: &str, content: &str) -> Value {
    json!({"resourceType": "CodeSystem", "id": id, "url": SYSTEM, "status": "active", "content": content, "concept": [
        {"code": "a", "concept": [{"code": "b", "concept": [{"code": "d"}]}, {"code": "c"}]},
        {"code": "e", "property": [{"code": "subsumedBy", "valueCode": "c"}]},
        {"code": "f"}
    ]})
}

fn found(server: &Server, query: &str) -> Vec<String> {
    let mut found = ids(&server.get(&format!("/Observation?{query}")).expect(200).json(), "match");
    found.sort();
    found
}

fn concepts(codes: &[&str]) -> Value {
    json!({"system": SYSTEM, "concept": codes.iter().map(|code| json!({"code": code})).collect::<Vec<_>>()})
}

fn lists_of_codes(kind: Kind) {
    let server = Server::open(kind);
    observations(&server, &["a", "b", "c"]);
    store(&server, &value_set("two", &json!({"include": [concepts(&["a", "b"])]})));
    assert_eq!(found(&server, "code:in=http://a.kr/vs/two"), ["a", "b"]);
    assert_eq!(found(&server, "code:in=ValueSet/two"), ["a", "b"]);
    assert_eq!(found(&server, "code:not-in=http://a.kr/vs/two"), ["c"]);
    store(
        &server,
        &value_set("one", &json!({"include": [concepts(&["a", "b"])], "exclude": [concepts(&["b"])]})),
    );
    assert_eq!(found(&server, "code:in=http://a.kr/vs/one"), ["a"]);
    assert_eq!(found(&server, "_has:Provenance:target:_id=x"), [""; 0]);
    // R4's own stay as they are.
    assert_eq!(found(&server, "status:in=http://hl7.org/fhir/ValueSet/observation-status").len(), 3);
    // In every search: by criteria, too.
    let reply = server.delete("/Observation?code:in=http://a.kr/vs/two");
    reply.refused(412, "IEUM-R015");
}

fn sets_of_sets_and_systems(kind: Kind) {
    let server = Server::open(kind);
    observations(&server, &["a", "b", "c", "d"]);
    store(&server, &system("s", "complete"));
    store(&server, &value_set("two", &json!({"include": [concepts(&["a", "b"])]})));
    store(&server, &value_set("all", &json!({"include": [{"system": SYSTEM}]})));
    assert_eq!(found(&server, "code:in=http://a.kr/vs/all"), ["a", "b", "c", "d"]);
    let other = json!({"include": [{"system": SYSTEM}], "exclude": [{"valueSet": ["http://a.kr/vs/two"]}]});
    store(&server, &value_set("other", &other));
    assert_eq!(found(&server, "code:in=http://a.kr/vs/other"), ["c", "d"]);
    let both =
        json!({"include": [{"system": SYSTEM, "valueSet": ["http://a.kr/vs/two", "http://a.kr/vs/all"]}]});
    store(&server, &value_set("both", &both));
    assert_eq!(found(&server, "code:in=http://a.kr/vs/both"), ["a", "b"]);
    // Round in circles.
    store(&server, &value_set("x", &json!({"include": [{"valueSet": ["http://a.kr/vs/y"]}]})));
    store(&server, &value_set("y", &json!({"include": [{"valueSet": ["http://a.kr/vs/x"]}]})));
    server.get("/Observation?code:in=http://a.kr/vs/x").refused(400, "IEUM-S004");
}

fn expansions(kind: Kind) {
    let server = Server::open(kind);
    observations(&server, &["a", "b", "c"]);
    let set = |id: &str, expansion: Value| {
        let mut set = value_set(
            id,
            &json!({"include": [{"system": SYSTEM, "filter": [{"property": "x", "op": "=", "value": "y"}]}]}),
        );
        set["expansion"] = expansion;
        set["expansion"]["timestamp"] = "2026-01-01T00:00:00Z".into();
        store(&server, &set);
    };
    let entry = |code: &str| json!({"system": SYSTEM, "code": code});
    let mut upper = entry("a");
    upper["abstract"] = true.into();
    upper["contains"] = json!([entry("b"), entry("c")]);
    set("whole", json!({"total": 3, "contains": [upper]}));
    assert_eq!(found(&server, "code:in=http://a.kr/vs/whole"), ["b", "c"]);
    for (id, part) in [
        ("cut", json!({"total": 7, "contains": [entry("a")]})),
        ("later", json!({"offset": 10, "contains": [entry("a")]})),
        ("none", json!({"contains": []})),
    ] {
        if id != "none" {
            set(id, part);
        }
        server.get(&format!("/Observation?code:in=http://a.kr/vs/{id}")).expect(400);
    }
}

fn hierarchies(kind: Kind) {
    let server = Server::open(kind);
    observations(&server, &["a", "b", "c", "d", "e", "f"]);
    let below = |code: &str| found(&server, &format!("code:below={SYSTEM}%7C{code}"));
    server.get(&format!("/Observation?code:below={SYSTEM}%7Ca")).refused(400, "IEUM-S004");
    store(&server, &system("s", "complete"));
    assert_eq!(below("a"), ["a", "b", "c", "d", "e"]);
    assert_eq!(below("b"), ["b", "d"]);
    assert_eq!(below("c"), ["c", "e"]);
    assert_eq!(below("f"), ["f"]);
    assert_eq!(found(&server, &format!("code:above={SYSTEM}%7Ce")), ["a", "c", "e"]);
    assert_eq!(found(&server, &format!("code:above={SYSTEM}%7Cd,{SYSTEM}%7Cf")), ["a", "b", "d", "f"]);
    server.get(&format!("/Observation?code:below={SYSTEM}%7Cnothing")).refused(400, "IEUM-S005");
    let mut parts = system("s", "complete");
    parts["hierarchyMeaning"] = "part-of".into();
    store(&server, &parts);
    server.get(&format!("/Observation?code:below={SYSTEM}%7Ca")).refused(400, "IEUM-S004");
}

fn what_is_not_written_out_is_refused(kind: Kind) {
    let server = Server::open(kind);
    observations(&server, &["a"]);
    let refused = |name: &str, code: &str| {
        server.get(&format!("/Observation?code:in=http://a.kr/vs/{name}")).refused(400, code);
    };
    refused("nowhere", "IEUM-S005");
    let filter = json!({"property": "concept", "op": "is-a", "value": "a"});
    store(&server, &value_set("filtered", &json!({"include": [{"system": SYSTEM, "filter": [filter]}]})));
    refused("filtered", "IEUM-S004");
    store(&server, &value_set("absent", &json!({"include": [{"system": "http://snomed.info/sct"}]})));
    refused("absent", "IEUM-S004");
    store(&server, &system("s", "fragment"));
    store(&server, &value_set("fragment", &json!({"include": [{"system": SYSTEM}]})));
    refused("fragment", "IEUM-S004");
    store(&server, &value_set("active", &json!({"inactive": false, "include": [concepts(&["a"])]})));
    refused("active", "IEUM-S004");
    let many: Vec<String> = (0..10_001).map(|code| code.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    store(&server, &value_set("many", &json!({"include": [concepts(&many)]})));
    refused("many", "IEUM-S008");
    // More definitions than one search may read.
    let others: Vec<String> = (0..60).map(|number| format!("http://a.kr/vs/n{number}")).collect();
    for number in 0..60 {
        store(&server, &value_set(&format!("n{number}"), &json!({"include": [concepts(&["a"])]})));
    }
    store(&server, &value_set("sixty", &json!({"include": [{"valueSet": others[..40]}]})));
    assert_eq!(found(&server, "code:in=http://a.kr/vs/sixty"), ["a"]);
    store(&server, &value_set("sixty", &json!({"include": [{"valueSet": others}]})));
    refused("sixty", "IEUM-S004");
}

fn one_of_several_versions(kind: Kind) {
    let server = Server::open(kind);
    observations(&server, &["a", "b"]);
    for (id, version, status, code) in [("v1", "1", "retired", "a"), ("v2", "2", "active", "b")] {
        let mut set = value_set(id, &json!({"include": [concepts(&[code])]}));
        set["url"] = "http://a.kr/vs/v".into();
        set["version"] = version.into();
        set["status"] = status.into();
        store(&server, &set);
    }
    assert_eq!(found(&server, "code:in=http://a.kr/vs/v"), ["b"]);
    assert_eq!(found(&server, "code:in=http://a.kr/vs/v%7C1"), ["a"]);
    server.get("/Observation?code:in=http://a.kr/vs/v%7C3").refused(400, "IEUM-S005");
    let mut set = value_set("v3", &json!({"include": [concepts(&["a"])]}));
    set["url"] = "http://a.kr/vs/v".into();
    store(&server, &set);
    server.get("/Observation?code:in=http://a.kr/vs/v").refused(400, "IEUM-S005");
}

fn definitions_count_at_once(kind: Kind) {
    let server = Server::open(kind);
    observations(&server, &["a", "b"]);
    for code in ["a", "b"] {
        store(&server, &value_set("set", &json!({"include": [concepts(&[code])]})));
        assert_eq!(found(&server, "code:in=http://a.kr/vs/set"), [code]);
    }
    server.delete("/ValueSet/set").expect(204);
    server.get("/Observation?code:in=http://a.kr/vs/set").refused(400, "IEUM-S005");
}

fn definitions_are_read_within_reach(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    let set = value_set("set", &json!({"include": [concepts(&["a"])]}));
    server.send_as(&service, "PUT", "/ValueSet/set", &set.to_string()).expect(201);
    let path = "/Observation?code:in=http://a.kr/vs/set";
    server.get_as(&service, path).expect(200);
    let own = server.account(Role::Patient, Some("a"));
    server.get_as(&own, path).expect(200);
    // Operators reach no records: for them there is no such value set.
    let operator = server.account(Role::Operator, None);
    server.get_as(&operator, path).refused(400, "IEUM-S005");
}
