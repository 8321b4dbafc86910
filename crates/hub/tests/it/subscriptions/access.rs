//! What is told is what the maker of a subscription may see, at the moment when it is told.

use std::time::Duration;

use ieum::hub::Entrance;
use ieum_store::commit::{Change, Expect};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, digest};
use serde_json::{Value, json};

use super::receiver::{Receiver, events_of, subscribe, subscription, wait_for_state};
use super::telling::with_entrance;
use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(
    hidden_records_are_no_events,
    what_is_hidden_later_is_told_without_the_record,
    an_account_that_is_gone_is_told_nothing,
    another_role_is_told_nothing,
    every_notification_is_in_the_audit_log,
);

fn patient(id: &str, label: Option<&str>) -> String {
    let mut json = json!({ "resourceType": "Patient", "id": id, "name": [{ "family": "김" }] });
    if let Some(label) = label {
        let system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
        json["meta"] = json!({ "security": [{ "system": system, "code": label }] });
    }
    json.to_string()
}

pub(super) fn account_id(server: &Server, secret: &str) -> String {
    let accounts = account::list(&server.door, &Access::system("test")).unwrap();
    accounts.into_iter().find(|(_, account)| account.secret_digest == Some(digest(secret))).unwrap().0
}

// threat: 3
fn hidden_records_are_no_events(kind: Kind) {
    let (few, all) = (Receiver::start(), Receiver::start());
    let server = with_entrance(kind, Entrance::Accounts, &[&few, &all]);
    let (clinician, service) = (server.account(Role::Clinician, None), server.account(Role::Service, None));
    let wanted = |receiver| subscription(receiver, "resource-changed", &["Patient?name=김"], "full-resource");
    subscribe(&server, Some(&clinician), &wanted(&few));
    subscribe(&server, Some(&service), &wanted(&all));
    let put = |id: &str, label| {
        let reply = server.send_as(&service, "PUT", &format!("/Patient/{id}"), &patient(id, label));
        assert!(reply.status < 300, "{}", reply.text());
    };
    let delete = |id: &str| {
        let bearer = format!("Bearer {service}");
        server.request("DELETE", &format!("/Patient/{id}"), &[("authorization", &bearer)], None).expect(204);
    };
    put("open1", None);
    put("secret1", Some("V"));
    put("secret2", Some("V"));
    delete("secret1");
    put("open2", None);
    delete("open2");
    // One who was seen before, and is hidden by this very change.
    put("open1", Some("V"));
    put("open3", None);
    let ids = |receiver: &Receiver, count: usize| {
        receiver.wait_for(count).into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&all, 8), ["open1", "secret1", "secret2", "secret1", "open2", "open2", "open1", "open3"]);
    // Numbers tell nothing of what is hidden. What happened to open1 before it was hidden may have been told or not.
    let has_last = || few.events().iter().any(|(_, id)| id == "open3");
    super::receiver::wait(has_last, &|| format!("open3, got {:?}", few.events()));
    let told = few.events();
    let numbers: Vec<u64> = told.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=told.len() as u64).collect::<Vec<_>>());
    let ids: Vec<&str> = told.iter().map(|(_, id)| id.as_str()).filter(|id| *id != "open1").collect();
    assert_eq!(ids, ["open2", "open2", "open3"]);
    std::thread::sleep(Duration::from_millis(300));
    let everything: String = few.came().iter().map(|came| came.bundle.to_string()).collect();
    assert!(!everything.contains("secret"));
    assert!(few.events().iter().filter(|(_, id)| id == "open1").count() <= 1);
}

fn what_is_hidden_later_is_told_without_the_record(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Accounts, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.pause_first = Duration::from_millis(20);
        options.pause_most = Duration::from_millis(20);
        options.attempts = 10_000;
    });
    let (clinician, service) = (server.account(Role::Clinician, None), server.account(Role::Service, None));
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "full-resource");
    let id = subscribe(&server, Some(&clinician), &wanted);
    receiver.answer(503);
    server.send_as(&service, "PUT", "/Patient/p1", &patient("p1", None)).expect(201);
    let path = format!("/Subscription/{id}/$events");
    let events = || events_of(&server.get_as(&clinician, &path).expect(200).json());
    super::receiver::wait(|| events() == [(1, "p1".to_owned())], &|| "the event".into());
    server.send_as(&service, "PUT", "/Patient/p1", &patient("p1", Some("V"))).expect(200);
    assert_eq!(events(), [(1, String::new())]);
    // What was on its way before is refused by now.
    std::thread::sleep(Duration::from_millis(300));
    receiver.answer(200);
    assert_eq!(receiver.wait_for(1), [(1, String::new())]);
    assert!(!receiver.came().iter().any(|came| came.bundle.to_string().contains("p1")));
}

fn an_account_that_is_gone_is_told_nothing(kind: Kind) {
    let receiver = Receiver::start();
    let server = with_entrance(kind, Entrance::Accounts, &[&receiver]);
    let (maker, writer) = (server.account(Role::Clinician, None), server.account(Role::Service, None));
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let id = subscribe(&server, Some(&maker), &wanted);
    server.send_as(&writer, "PUT", "/Patient/p1", &patient("p1", None)).expect(201);
    receiver.wait_for(1);
    account::remove(&server.door, &Access::system("test"), &account_id(&server, &maker)).unwrap();
    server.send_as(&writer, "PUT", "/Patient/p2", &patient("p2", None)).expect(201);
    wait_for_state(&server, Some(&writer), &id, "off");
    let shown = server.get_as(&writer, &format!("/Subscription/{id}")).json();
    assert!(shown["error"].as_str().unwrap().starts_with("IEUM-N010"), "{shown}");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(receiver.events(), [(1, "p1".into())]);
}

fn another_role_is_told_nothing(kind: Kind) {
    let receiver = Receiver::start();
    let server = with_entrance(kind, Entrance::Accounts, &[&receiver]);
    let (maker, writer) = (server.account(Role::Service, None), server.account(Role::Service, None));
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "full-resource");
    let id = subscribe(&server, Some(&maker), &wanted);
    // What waits for a receiver that is down does not leave once the role is another, either.
    receiver.answer(503);
    server.send_as(&writer, "PUT", "/Patient/p1", &patient("p1", None)).expect(201);
    std::thread::sleep(Duration::from_millis(200));
    let account = account_id(&server, &maker);
    let record =
        server.door.view(&Access::system("test")).unwrap().read("IeumAccount", &account).unwrap().unwrap();
    let mut json: Value = serde_json::from_slice(&record.plain_json()).unwrap();
    json["role"] = "clinician".into();
    let text = json.to_string();
    let document = ieum_fhir::json::Document::parse(text.as_bytes(), &Default::default()).unwrap();
    let catalogue = server.door.catalogue();
    let prepared =
        catalogue.prepare(catalogue.kind("IeumAccount").unwrap(), &account, document.root(), &mut |_| None);
    let change = Change::Put { record: Box::new(prepared), expect: Expect::Anything };
    server.door.commit(&Access::system("test"), "account", Vec::new(), vec![change]).unwrap();
    // What was on its way before is refused by now.
    std::thread::sleep(Duration::from_millis(300));
    receiver.answer(200);
    wait_for_state(&server, Some(&writer), &id, "off");
    std::thread::sleep(Duration::from_millis(300));
    assert!(receiver.events().is_empty());
}

// threat: 17
fn every_notification_is_in_the_audit_log(kind: Kind) {
    let receiver = Receiver::start();
    let server = with_entrance(kind, Entrance::Accounts, &[&receiver]);
    let maker = server.account(Role::Clinician, None);
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let id = subscribe(&server, Some(&maker), &wanted);
    server.send_as(&maker, "PUT", "/Patient/p1", &patient("p1", None)).expect(201);
    receiver.wait_for(1);
    server.get_as(&maker, &format!("/Subscription/{id}/$events")).expect(200);
    let audit = server.door.view(&Access::system("test")).unwrap().audit_entries(None, 1_000).unwrap();
    let account = account_id(&server, &maker);
    let target = format!("Subscription/{id}");
    let of = |action: &str| {
        audit
            .iter()
            .filter(|one| {
                one.entry.action == action && one.entry.actor == account && one.entry.target == target
            })
            .count()
    };
    assert_eq!(of("notification"), 2, "the handshake and the event");
    assert_eq!(of("subscription-events"), 1);
    // Nothing of it tells of the patient.
    assert!(!audit.iter().any(|one| one.entry.action == "notification" && one.entry.target.contains("p1")));
    assert!(entries(&server.get_as(&maker, "/Subscription").json()).len() == 1);
}
