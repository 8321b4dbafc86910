//! transaction: conditions and the state after it.

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_store::sqlite::SqliteOptions;
use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Kind, Server, on_every_engine, patient};
use crate::transaction::{A, transaction, value, written};

on_every_engine!(
    conditional_references_are_resolved_last,
    what_a_condition_finds_stays,
    operators_find_what_is_there,
    value_sets_in_references_need_no_second_reader,
);

fn referring(criteria: &str) -> Value {
    json!({"request": {"method": "POST", "url": "Condition"},
        "resource": {"resourceType": "Condition", "subject": {"reference": format!("Patient?{criteria}")}}})
}

/// They mean the state after the transaction: with what it writes, without what it deletes or changes.
fn conditional_references_are_resolved_last(kind: Kind) {
    let server = Server::open(kind);
    let create = |number: &str| json!({"request": {"method": "POST", "url": "Patient"}, "resource": value(&patient(number, "김"))});
    let mrn = |number: &str| format!("identifier=http://a.kr/mrn|{number}");
    let answer = transaction(&server, &json!([referring(&mrn("1")), create("1"), create("2")]));
    let answer = answer.expect(200).json();
    let subject = |answer: &Value, index| {
        server.get(&format!("/{}", written(&server, answer, index))).json()["subject"]["reference"].clone()
    };
    assert_eq!(subject(&answer, 0), written(&server, &answer, 1));
    assert_eq!(
        server.get(&format!("/Condition?subject={}", written(&server, &answer, 1))).json()["total"],
        1
    );
    // One that was there and one that is new: two.
    transaction(&server, &json!([referring(&mrn("1")), create("1")])).refused(412, "IEUM-R015");
    let old = written(&server, &answer, 1);
    let delete = json!({"request": {"method": "DELETE", "url": old}});
    transaction(&server, &json!([referring(&mrn("1")), delete])).refused(412, "IEUM-B006");
    let id = old.strip_prefix("Patient/").unwrap();
    let put = |number: &str| {
        let mut resource = value(&patient(number, "김"));
        resource["id"] = id.into();
        json!({"request": {"method": "PUT", "url": old}, "resource": resource})
    };
    transaction(&server, &json!([referring(&mrn("1")), put("9")])).refused(412, "IEUM-B006");
    let answer = transaction(&server, &json!([referring(&mrn("9")), put("9")])).expect(200).json();
    assert_eq!(subject(&answer, 0), old);
    // What cannot be judged on the entries alone is refused, and only where there are such entries.
    let chained = referring("general-practitioner.identifier=1");
    let reply = transaction(&server, &json!([chained, create("3")])).refused(400, "IEUM-S004");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[0]");
    transaction(&server, &json!([chained])).refused(412, "IEUM-B006");
}

/// What a conditional create has found is not deleted or changed by another entry.
fn what_a_condition_finds_stays(kind: Kind) {
    let server = Server::open(kind);
    let mut old = value(&patient("1", "김"));
    old["id"] = "old".into();
    server.put("/Patient/old", &old.to_string()).expect(201);
    let create = json!({"fullUrl": A, "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=http://a.kr/mrn|1"},
        "resource": value(&patient("1", "이"))});
    let delete = json!({"request": {"method": "DELETE", "url": "Patient/old"}});
    let put = json!({"request": {"method": "PUT", "url": "Patient/old"}, "resource": {"resourceType": "Patient", "id": "old"}});
    for (first, second) in [(&create, &delete), (&delete, &create), (&create, &put), (&put, &create)] {
        let reply = transaction(&server, &json!([first, second])).refused(400, "IEUM-B004");
        assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[1]");
    }
    // Nor is a record deleted and written that was never there.
    let delete = json!({"request": {"method": "DELETE", "url": "Patient/none"}});
    let put = json!({"request": {"method": "PUT", "url": "Patient/none"}, "resource": {"resourceType": "Patient", "id": "none"}});
    transaction(&server, &json!([delete, put])).refused(400, "IEUM-B004");
    // The order of criteria means nothing.
    let by = |criteria: &str| json!({"request": {"method": "POST", "url": "Patient", "ifNoneExist": criteria}, "resource": {"resourceType": "Patient"}});
    let both = json!([by("identifier=7&gender=male"), by("gender=male&identifier=7")]);
    transaction(&server, &both).refused(400, "IEUM-B004");
    assert_eq!(server.count("/_history"), 1);
}

/// A conditional create that finds something writes nothing: whoever may do it alone may do it in a transaction.
fn operators_find_what_is_there(kind: Kind) {
    let server = Server::with_accounts(kind);
    let operator = server.account(Role::Operator, None);
    let definition = json!({"resourceType": "SearchParameter", "url": "http://x.test/own", "name": "n", "status": "draft",
        "description": "d", "code": "own", "base": ["Patient"], "type": "string", "expression": "Patient.name.text"});
    let entry = json!({"request": {"method": "POST", "url": "SearchParameter", "ifNoneExist": "url=http://x.test/own"},
        "resource": definition});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).to_string();
    for status in ["201", "200"] {
        let answer = server.send_as(&operator, "POST", "", &bundle).expect(200).json();
        assert_eq!(answer["entry"][0]["response"]["status"], status, "{answer}");
    }
}

/// Everything that a transaction looks at it sees in one view: with one reader, a second one would be waited for in vain.
fn value_sets_in_references_need_no_second_reader(kind: Kind) {
    let options = SqliteOptions { readers: 1, query_seconds: 2, ..SqliteOptions::default() };
    let server = Server::start_on(kind, Entrance::Open, Limits::default(), options, |_| {});
    let men = json!({"resourceType": "ValueSet", "id": "men", "url": "http://vs.test/men", "status": "active",
        "compose": {"include": [{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "male"}]}]}});
    server.put("/ValueSet/men", &men.to_string()).expect(201);
    let man = json!({"resourceType": "Patient", "id": "p1", "gender": "male"});
    server.put("/Patient/p1", &man.to_string()).expect(201);
    let answer = transaction(&server, &json!([referring("gender:in=http://vs.test/men")])).expect(200).json();
    let made = server.get(&format!("/{}", written(&server, &answer, 0))).expect(200).json();
    assert_eq!(made["subject"]["reference"], "Patient/p1");
    transaction(&server, &json!([referring("gender:in=ValueSet/men")])).expect(200);
}
