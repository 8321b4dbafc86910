//! Search parameters that clients define, over HTTP: taken into service, indexed in the background, cancelled, retired;
//! and who may.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Failing, Kind, Reply, Server, ids, on_every_engine, patient};

on_every_engine!(
    a_parameter_comes_into_service_and_goes,
    until_all_are_indexed_nothing_is_answered,
    a_redefinition_is_refused_until_it_is_indexed,
    walks_under_another_meaning_do_not_go_on,
    roles_that_define,
    what_is_refused,
    by_transactions_and_patches,
    a_cancelled_indexing_goes_on_when_it_is_put_again,
    what_may_be_asked_changes_at_once,
    what_could_not_be_put_into_force_is_later,
);

/// The id of every definition here is its code.
fn definition(code: &str, kind: &str, of: &str, expression: &str) -> Value {
    json!({"resourceType": "SearchParameter", "id": code, "url": format!("http://x.test/{code}"), "name": "n",
        "status": "active", "description": "d", "code": code, "base": [kind], "type": of, "expression": expression})
}

fn nickname() -> Value {
    definition("nickname", "Patient", "string", "Patient.name.where(use = 'nickname').text")
}

fn nicknamed(id: &str, name: &str) -> String {
    json!({"resourceType": "Patient", "id": id, "name": [{"use": "official", "family": "김"}, {"use": "nickname", "text": name}]})
        .to_string()
}

impl Server {
    fn define(&self, definition: &Value) -> Reply {
        let id = definition["id"].as_str().unwrap();
        let reply = self.put(&format!("/SearchParameter/{id}"), &definition.to_string());
        assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
        reply
    }

    /// Waits until a search by a new parameter is answered.
    fn answers(&self, path: &str) -> Value {
        self.ended_soon(|| self.get(path).status != 503);
        self.get(path).expect(200).json()
    }
}

/// Whether the CapabilityStatement lists a parameter.
fn is_listed(server: &Server, kind: &str, code: &str) -> bool {
    let statement = server.get("/metadata").expect(200).json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let resource = resources.iter().find(|resource| resource["type"] == kind).unwrap();
    resource["searchParam"].as_array().unwrap().iter().any(|param| param["name"] == code)
}

fn a_parameter_comes_into_service_and_goes(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p1", &nicknamed("p1", "하늘"));
    server.put("/Patient/p2", &nicknamed("p2", "바다"));
    server.get("/Patient?nickname=하늘").expect(400);
    assert!(!is_listed(&server, "Patient", "nickname"));
    server.define(&nickname());
    server.put("/Patient/p3", &nicknamed("p3", "하늘이"));
    assert_eq!(ids(&server.answers("/Patient?nickname=하늘"), "match"), ["p1", "p3"]);
    assert_eq!(ids(&server.answers("/Patient?nickname:exact=하늘"), "match"), ["p1"]);
    assert_eq!(ids(&server.answers("/Patient?_sort=nickname"), "match"), ["p2", "p1", "p3"]);
    assert_eq!(ids(&server.answers("/Patient?_filter=nickname%20eq%20%22바다%22"), "match"), ["p2"]);
    assert_eq!(ids(&server.answers("/Patient?nickname=ㅎㄴ"), "match"), ["p1", "p3"]);
    assert!(is_listed(&server, "Patient", "nickname"));

    // Includes, chains and `_has` go by a reference of one's own.
    server.define(&definition(
        "seen-by",
        "Basic",
        "reference",
        "Basic.extension('http://x.test/seen').value",
    ));
    let basic = json!({"resourceType": "Basic", "id": "b1", "code": {"text": "t"},
        "extension": [{"url": "http://x.test/seen", "valueReference": {"reference": "Patient/p2"}}]});
    server.put("/Basic/b1", &basic.to_string()).expect(201);
    assert_eq!(
        ids(&server.answers("/Basic?seen-by:Patient.nickname=바다&_include=Basic:seen-by"), "match"),
        ["b1"]
    );
    assert_eq!(ids(&server.answers("/Basic?_include=Basic:seen-by"), "include"), ["p2"]);
    assert_eq!(ids(&server.answers("/Patient?_id=p2&_revinclude=Basic:seen-by"), "include"), ["b1"]);
    assert_eq!(ids(&server.answers("/Patient?_has:Basic:seen-by:_id=b1"), "match"), ["p2"]);

    // Retired, it is unknown at once, and so it is when its definition is deleted.
    let mut retired = nickname();
    retired["status"] = "retired".into();
    server.define(&retired);
    server.get("/Patient?nickname=하늘").refused(400, "IEUM-S002");
    assert!(!is_listed(&server, "Patient", "nickname"));
    server.delete("/SearchParameter/seen-by");
    server.get("/Basic?seen-by=Patient/p2").refused(400, "IEUM-S002");
    server.define(&nickname());
    assert_eq!(ids(&server.answers("/Patient?nickname=하늘"), "match"), ["p1", "p3"]);
}

/// A server that takes jobs and does none.
fn idle(kind: Kind) -> Server {
    Server::start_with(kind, Entrance::Open, Limits::default(), |options| options.at_once = 0)
}

fn until_all_are_indexed_nothing_is_answered(kind: Kind) {
    let server = idle(kind);
    for number in 0..7 {
        server.put(&format!("/Patient/p{number}"), &nicknamed(&format!("p{number}"), "하늘"));
    }
    let reply = server.define(&nickname());
    let link = reply.header("link").unwrap();
    let place = link.split(['<', '>']).nth(1).unwrap().to_owned();
    assert!(link.ends_with("rel=\"status\""), "{link}");
    assert_eq!(server.get(&place).expect(202).header("x-progress"), Some("waiting"));
    for path in [
        "/Patient?nickname=하늘",
        "/Patient?nickname:missing=false",
        "/Patient?_sort=-nickname",
        "/Observation?subject:Patient.nickname=x",
        "/Observation?patient.nickname=x",
        "/Patient?_filter=nickname%20eq%20%22x%22",
        "/?_type=Patient&nickname=x",
        "/Patient/p1/Patient?nickname=x",
    ] {
        let refused = server.get(path).refused(503, "IEUM-S013");
        assert_eq!(refused.header("retry-after"), Some("5"), "{path}");
        assert!(refused.text().contains("0 of about 7 records"), "{}", refused.text());
    }
    let header = [("prefer", "handling=lenient")];
    server.get_with("/Patient?nickname=하늘", &header).refused(503, "IEUM-S013");
    server
        .send("POST", "/Patient", &[("if-none-exist", "nickname=x")], &patient("1", "김"))
        .refused(503, "IEUM-S013");
    assert!(!is_listed(&server, "Patient", "nickname"));
    let work = server.door.index_work().unwrap();
    server.door.index_some(&work[0], 3).unwrap();
    let refused = server.get("/Patient?nickname=하늘").refused(503, "IEUM-S013");
    assert!(refused.text().contains("3 of about 7 records"), "{}", refused.text());
    while !server.door.index_some(&work[0], 3).unwrap().is_finished {}
    assert_eq!(server.count("/Patient?nickname=하늘"), 7);
}

fn a_redefinition_is_refused_until_it_is_indexed(kind: Kind) {
    let server = idle(kind);
    server.put("/Patient/p1", &nicknamed("p1", "하늘"));
    server.define(&nickname());
    let index = || {
        for work in server.door.index_work().unwrap() {
            while !server.door.index_some(&work, 3).unwrap().is_finished {}
        }
    };
    index();
    assert_eq!(server.count("/Patient?nickname=하늘"), 1);
    // What does not change the meaning changes nothing.
    let mut described = nickname();
    described["description"] = "another word".into();
    server.define(&described);
    assert_eq!(server.count("/Patient?nickname=하늘"), 1);
    server.define(&definition("nickname", "Patient", "string", "Patient.name.family"));
    server.get("/Patient?nickname=하늘").refused(503, "IEUM-S013");
    index();
    assert_eq!(server.count("/Patient?nickname=하늘"), 0);
    assert_eq!(server.count("/Patient?nickname=김"), 1);
}

fn walks_under_another_meaning_do_not_go_on(kind: Kind) {
    let server = Server::open(kind);
    for number in 0..6 {
        server.put(&format!("/Patient/p{number}"), &nicknamed(&format!("p{number}"), "하늘"));
    }
    server.define(&nickname());
    let first = server.answers("/Patient?_sort=nickname&_count=2");
    let next = crate::support::link(&first, "next").unwrap().to_owned();
    // Other parameters come and go beside it.
    server.define(&definition("own-family", "Patient", "string", "Patient.name.family"));
    server.answers("/Patient?own-family=김");
    server.get(&next).expect(200);
    server.define(&definition("nickname", "Patient", "string", "Patient.name.family"));
    server.answers("/Patient?nickname=김");
    server.get(&next).refused(400, "IEUM-R024");
}

fn roles_that_define(kind: Kind) {
    let server = Server::with_accounts(kind);
    let patient = server.account(Role::Patient, Some("p1"));
    let clinician = server.account(Role::Clinician, None);
    let operator = server.account(Role::Operator, None);
    let service = server.account(Role::Service, None);
    let text = nickname().to_string();
    let place = "/SearchParameter/nickname";
    for secret in [&patient, &clinician] {
        server.send_as(secret, "PUT", place, &text).refused(403, "IEUM-R002");
        let mut draft = nickname();
        draft["status"] = "draft".into();
        server.send_as(secret, "POST", "/SearchParameter", &draft.to_string()).refused(403, "IEUM-R002");
        let entry =
            json!({"request": {"method": "PUT", "url": "SearchParameter/nickname"}, "resource": nickname()});
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
        assert_eq!(server.send_as(secret, "POST", "", &bundle.to_string()).status, 403);
    }
    // The operator defines, reads and takes away definitions, and sees nothing else by it.
    server.send_as(&service, "PUT", "/Patient/p1", &nicknamed("p1", "하늘")).expect(201);
    server
        .send_as(
            &service,
            "PUT",
            "/Organization/o1",
            r#"{"resourceType":"Organization","id":"o1","name":"x"}"#,
        )
        .expect(201);
    let reply = server.send_as(&operator, "PUT", place, &text).expect(201);
    assert!(reply.header("link").is_some(), "where its progress is told");
    server.get_as(&operator, place).expect(200);
    assert_eq!(
        ids(&server.get_as(&operator, "/SearchParameter?code=nickname").expect(200).json(), "match"),
        ["nickname"]
    );
    server.ended_soon(|| server.get_as(&service, "/Patient?nickname=하늘").status == 200);
    let found = server.get_as(&operator, "/Patient?nickname=하늘").expect(200).json();
    assert_eq!(found["total"], 0);
    server.get_as(&operator, "/Organization/o1").refused(404, "IEUM-R006");
    // Not by way of a reference of its own either.
    let seen = definition(
        "seen",
        "SearchParameter",
        "reference",
        "SearchParameter.extension('http://x.test/seen').value",
    );
    server.send_as(&operator, "PUT", "/SearchParameter/seen", &seen.to_string()).expect(201);
    let mut draft = definition("draft", "Patient", "token", "Patient.active");
    draft["status"] = "draft".into();
    draft["extension"] =
        json!([{"url": "http://x.test/seen", "valueReference": {"reference": "Organization/o1"}}]);
    server.send_as(&operator, "PUT", "/SearchParameter/draft", &draft.to_string()).expect(201);
    let included = "/SearchParameter?code=draft&_include=SearchParameter:seen";
    server.ended_soon(|| server.get_as(&service, included).status == 200);
    assert_eq!(ids(&server.get_as(&service, included).json(), "include"), ["o1"]);
    assert_eq!(ids(&server.get_as(&operator, included).expect(200).json(), "include"), [""; 0]);
    let chained = "/SearchParameter?seen:Organization.name=x&_total=accurate";
    assert_eq!(server.get_as(&service, chained).expect(200).json()["total"], 1);
    assert_eq!(server.get_as(&operator, chained).expect(200).json()["total"], 0);
    server.send_as(&operator, "PUT", "/Patient/p2", &nicknamed("p2", "x")).refused(403, "IEUM-R002");
    let entries = json!([
        {"request": {"method": "PUT", "url": "SearchParameter/nickname"}, "resource": nickname()},
        {"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}},
    ]);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    assert_eq!(server.send_as(&operator, "POST", "", &bundle.to_string()).status, 403);
    // A clinician searches by it, of course; a patient finds themselves alone.
    assert_eq!(server.get_as(&clinician, "/Patient?nickname=하늘").expect(200).json()["total"], 1);
    server.send_as(&service, "PUT", "/Patient/p9", &nicknamed("p9", "하늘")).expect(201);
    assert_eq!(ids(&server.get_as(&patient, "/Patient?nickname=하늘").expect(200).json(), "match"), ["p1"]);
    server
        .request("DELETE", place, &[("authorization", &format!("Bearer {clinician}"))], None)
        .refused(403, "IEUM-R002");
    let reply = server.request("DELETE", place, &[("authorization", &format!("Bearer {operator}"))], None);
    assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
    server.get_as(&service, "/Patient?nickname=하늘").refused(400, "IEUM-S002");
}

fn what_is_refused(kind: Kind) {
    let server = Server::open(kind);
    let refused = |changed: &[(&str, Value)], place: &str| {
        let mut definition = nickname();
        for (name, value) in changed {
            definition[*name] = value.clone();
        }
        let reply =
            server.put("/SearchParameter/nickname", &definition.to_string()).refused(422, "IEUM-V024");
        let outcome = reply.json();
        assert_eq!(outcome["issue"][0]["expression"][0], format!("SearchParameter.{place}"), "{outcome}");
        assert!(!outcome["issue"][0]["diagnostics"].as_str().unwrap().is_empty());
    };
    refused(&[("code", "birthdate".into())], "base[0]");
    refused(&[("type", "date".into())], "expression");
    refused(&[("expression", "Patient.nothing.here()".into())], "expression");
    refused(&[("base", json!(["DomainResource"]))], "base[0]");
    server.define(&nickname());
    let mut other = nickname();
    (other["id"], other["url"]) = ("other".into(), "http://x.test/other".into());
    let reply = server.put("/SearchParameter/other", &other.to_string()).refused(422, "IEUM-V024");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "SearchParameter.code");
    // As a draft it is stored, and R4's own are nothing new.
    other["status"] = "draft".into();
    server.put("/SearchParameter/other", &other.to_string()).expect(201);
    let mut own = definition("active", "Patient", "token", "Patient.active");
    own["url"] = "http://hl7.org/fhir/SearchParameter/Patient-active".into();
    server.define(&own);
    assert_eq!(server.get("/Patient?active=true").expect(200).json()["total"], 0);
    for number in 1..ieum_store::custom::MOST_OF_A_KIND {
        server.define(&definition(&format!("own{number}"), "Patient", "token", "Patient.active"));
    }
    let more = definition("more", "Patient", "token", "Patient.active");
    let reply = server.put("/SearchParameter/more", &more.to_string()).refused(422, "IEUM-V024");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "SearchParameter.base");
}

fn by_transactions_and_patches(kind: Kind) {
    let server = Server::open(kind);
    let entries = json!([
        {"request": {"method": "POST", "url": "Patient"}, "resource": serde_json::from_str::<Value>(&nicknamed("x", "하늘")).unwrap()},
        {"request": {"method": "PUT", "url": "SearchParameter?url=http://x.test/nickname"}, "resource": nickname()},
        {"request": {"method": "POST", "url": "Patient"}, "resource": serde_json::from_str::<Value>(&nicknamed("y", "하늘")).unwrap()},
    ]);
    let mut bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    server.post("", &bundle.to_string()).expect(200);
    assert_eq!(server.answers("/Patient?nickname=하늘")["total"], 2);
    // Again, it is the same definition.
    server.post("", &bundle.to_string()).expect(200);
    assert_eq!(server.answers("/Patient?nickname=하늘")["total"], 4);
    bundle["entry"][1]["resource"]["code"] = "birthdate".into();
    server.post("", &bundle.to_string()).refused(422, "IEUM-V024");
    assert_eq!(server.answers("/Patient?nickname=하늘")["total"], 4, "nothing of it has happened");
    let found = server.get("/SearchParameter?code=nickname").expect(200).json();
    let id = ids(&found, "match").remove(0);
    let patch = r#"[{"op":"replace","path":"/code","value":"calling"}]"#;
    let headers = [("content-type", "application/json-patch+json")];
    server.request("PATCH", &format!("/SearchParameter/{id}"), &headers, Some(patch.as_bytes())).expect(200);
    assert_eq!(server.answers("/Patient?calling=하늘")["total"], 4);
    server.get("/Patient?nickname=하늘").refused(400, "IEUM-S002");
    let patch = r#"[{"op":"replace","path":"/type","value":"date"}]"#;
    server
        .request("PATCH", &format!("/SearchParameter/{id}"), &headers, Some(patch.as_bytes()))
        .refused(422, "IEUM-V024");
}

fn a_cancelled_indexing_goes_on_when_it_is_put_again(kind: Kind) {
    let server = idle(kind);
    server.put("/Patient/p1", &nicknamed("p1", "하늘"));
    let reply = server.define(&nickname());
    let place = reply.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    server.delete(&place).expect(202);
    server.get(&place).expect(404);
    let refused = server.get("/Patient?nickname=하늘").refused(503, "IEUM-S013");
    assert!(refused.text().contains("was stopped"), "{}", refused.text());
    assert!(server.door.index_work().unwrap().is_empty(), "nobody takes it up again");
    let reply = server.define(&nickname());
    assert_eq!(reply.status, 200);
    assert!(reply.header("link").is_some());
    assert!(server.get("/Patient?nickname=하늘").refused(503, "IEUM-S013").text().contains("ask again"));
    let work = server.door.index_work().unwrap();
    while !server.door.index_some(&work[0], 3).unwrap().is_finished {}
    assert_eq!(server.count("/Patient?nickname=하늘"), 1);
}

/// Eight clients write while a parameter comes, changes its meaning, goes and comes again; at the end everything is found
/// by it that a parameter of R4's own finds.
#[test]
fn eight_writers_write_meanwhile() {
    let server = Server::open(Kind::Sqlite);
    let body = |id: &str, family: &str| {
        json!({"resourceType": "Patient", "id": id, "name": [{"family": family}], "active": true}).to_string()
    };
    let mut entries = Vec::new();
    for number in 0..2_000 {
        let id = format!("old{number}");
        let resource: Value = serde_json::from_str(&body(&id, &format!("family{}", number % 7))).unwrap();
        entries.push(
            json!({"request": {"method": "PUT", "url": format!("Patient/{id}")}, "resource": resource}),
        );
    }
    for part in entries.chunks(500) {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": part});
        server.post("", &bundle.to_string()).expect(200);
    }
    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let own = |expression: &str| definition("own", "Patient", "string", expression);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (server, stop, written) = (&server, &stop, &written);
            scope.spawn(move || {
                for round in 0_usize.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let family = format!("family{}", (round + writer) % 7);
                    let id = match round % 4 {
                        0 => format!("new{writer}-{round}"),
                        _ => format!("old{}", (round * 131 + writer * 17) % 2_000),
                    };
                    let reply = if round % 9 == 8 {
                        server.delete(&format!("/Patient/{id}"))
                    } else {
                        server.put(&format!("/Patient/{id}"), &body(&id, &family))
                    };
                    assert!(reply.status < 300, "{}", reply.text());
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let same = || {
            server.ended_soon(|| server.get("/Patient?own=family3&_summary=count").status == 200);
        };
        server.define(&own("Patient.name.family"));
        same();
        server.define(&own("Patient.name.where(family.exists()).family"));
        same();
        server.delete("/SearchParameter/own");
        server.define(&own("Patient.name.family"));
        same();
        stop.store(true, Ordering::Relaxed);
    });
    assert!(written.load(Ordering::Relaxed) > 50, "{written:?}");
    for family in 0..7 {
        let total = |code: &str| {
            server.get(&format!("/Patient?{code}=family{family}&_summary=count")).expect(200).json()["total"]
                .clone()
        };
        assert_eq!(total("own"), total("family"));
    }
    let missing = server.get("/Patient?own:missing=true&_summary=count").expect(200).json();
    assert_eq!(missing["total"], 0);
}

/// What a definition allows to be asked is in force with it, and changes without anything being indexed again.
fn what_may_be_asked_changes_at_once(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p1", &nicknamed("p1", "하늘"));
    server.put("/Patient/p2", &nicknamed("p2", "바다"));
    let mut definition = nickname();
    server.define(&definition);
    assert_eq!(ids(&server.answers("/Patient?nickname:contains=늘"), "match"), ["p1"]);
    definition["modifier"] = json!(["exact"]);
    definition["multipleOr"] = false.into();
    server.define(&definition);
    let strict = [("prefer", "handling=strict")];
    let ask = |query: &str| server.request("GET", &format!("/Patient?{query}"), &strict, None);
    ask("nickname:exact=하늘").expect(200);
    ask("nickname:contains=늘").refused(400, "IEUM-S003");
    ask("nickname=하늘,바다").refused(400, "IEUM-S003");
    let lenient = [("prefer", "handling=lenient")];
    let lenient = server.request("GET", "/Patient?nickname:contains=늘&_id=p2", &lenient, None);
    let lenient = lenient.expect(200).json();
    assert_eq!(ids(&lenient, "match"), ["p2"]);
    let of_itself =
        lenient["link"].as_array().unwrap().iter().find(|link| link["relation"] == "self").unwrap();
    assert!(!of_itself["url"].as_str().unwrap().contains("nickname"), "{of_itself}");
    // A condition of a write is never passed over.
    let headers =
        [("content-type", "application/fhir+json"), ("if-none-exist", "nickname:contains=%EB%8A%98")];
    let body = nicknamed("p3", "하늘");
    server.request("POST", "/Patient", &headers, Some(body.as_bytes())).refused(400, "IEUM-S003");
    definition.as_object_mut().unwrap().remove("modifier");
    server.define(&definition);
    ask("nickname:contains=늘").expect(200);
}

/// A definition that was taken is in force without a restart, however slow the store was when it came.
fn what_could_not_be_put_into_force_is_later(kind: Kind) {
    let (server, failing) = Server::unreliable(kind, Entrance::Open, |_| {});
    server.put("/Patient/p1", &nicknamed("p1", "하늘"));
    Failing::set(&failing.define, true);
    server.define(&nickname());
    server.get("/Patient?nickname=하늘").refused(400, "IEUM-S002");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    server.get("/Patient?nickname=하늘").refused(400, "IEUM-S002");
    Failing::set(&failing.define, false);
    server.ended_soon(|| server.get("/Patient?nickname=하늘").status == 200);
    assert_eq!(ids(&server.get("/Patient?nickname=하늘").json(), "match"), ["p1"]);
    // One that is taken away goes in the same manner.
    Failing::set(&failing.define, true);
    server.delete("/SearchParameter/nickname").expect(204);
    server.get("/Patient?nickname=하늘").expect(200);
    Failing::set(&failing.define, false);
    server.ended_soon(|| server.get("/Patient?nickname=하늘").status == 400);
}
