//! A patient proves who they are at the simulated relay, and gets the account prepared for them, or is told what to do.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use ieum::identity::{Identity, IdentityError};
use ieum::simulator;
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, Account};
use ieum_trust::identity::{Kind, Relay};
use serde_json::{Value, json};

use crate::support::{Portal, Reply, Visitor};

const KEY: &str = "the key that hub and relay have";

/// A portal with the simulator as its relay, and a patient for whom an account is prepared.
struct Claiming {
    portal: Portal,
    _directory: tempfile::TempDir,
}

/// Somebody who has been sent to the relay: its page, and with which cookie they come back.
struct Sent {
    page: String,
    visitor: Visitor,
}

fn relay(address: &str) -> Relay {
    Relay {
        id: "simple".into(),
        kind: Kind::Simple,
        name: "가상 간편인증".into(),
        name_en: "Simulated check".into(),
        address: address.to_owned(),
        key_file: "relay.key".into(),
    }
}

fn patient(id: &str, name: &str, phone: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"text": name}], "gender": "female",
        "birthDate": "1980-02-03", "telecom": [{"system": "phone", "value": phone}]})
}

/// What somebody types on the relay's page.
fn answer(how: &str, name: &str, mobile: &str) -> String {
    format!("answer={how}&name={name}&birth=1980-02-03&sex=female&mobile={mobile}")
}

impl Claiming {
    fn start() -> Self {
        let (portal, directory) = (Portal::with_accounts(), tempfile::tempdir().unwrap());
        let key = directory.path().join("relay.key");
        std::fs::write(&key, KEY).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let hub = portal.hub.clone();
        let router = simulator::router(&address, KEY, Arc::new(move || hub.now()));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Identity::start(&portal.hub, directory.path(), &[relay(&address)]).unwrap();
        let claiming = Self { portal, _directory: directory };
        claiming.prepare("p1", "김하늘", "010-1234-5678");
        claiming
    }

    /// An institution makes an account for a patient.
    fn prepare(&self, id: &str, name: &str, phone: &str) {
        self.portal.put(&[patient(id, name, phone)]);
        let account = Account { patient: Some(id.to_owned()), ..Account::new(name, Role::Patient) };
        account::invite(&self.portal.door, &Access::system("test"), account, self.portal.now()).unwrap();
    }

    fn send(&self) -> Sent {
        let reply = self.portal.post(&Visitor::default(), "/claim/simple", "").expect(200);
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        Sent { page: onward(&reply), visitor: Visitor { cookie, csrf: String::new() } }
    }

    /// What somebody is answered who comes back after having said this on the relay's page.
    fn back(&self, sent: &Sent, form: &str) -> Reply {
        self.portal.get(&sent.visitor, &said(&sent.page, form))
    }

    fn claim(&self, form: &str) -> Reply {
        self.back(&self.send(), form)
    }

    fn refusals(&self) -> Vec<String> {
        let view = self.portal.door.view(&Access::system("test")).unwrap();
        let entries = view.audit_entries(None, 50).unwrap().into_iter();
        let refused =
            entries.filter(|stored| !stored.entry.allowed && stored.entry.action == "account-claim");
        refused.map(|stored| stored.entry.target).collect()
    }
}

/// Answers on the relay's page; gives where it leads then, on the hub.
fn said(page: &str, form: &str) -> String {
    let config = ureq::Agent::config_builder().max_redirects(0).max_redirects_will_error(false);
    let agent: ureq::Agent = config.http_status_as_error(false).build().into();
    let shown = agent.get(page).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(shown.contains("가상입니다. 실제 인증기관이 아니며"));
    let post = agent.post(page).header("content-type", "application/x-www-form-urlencoded");
    let response = post.send(form.as_bytes()).unwrap();
    assert_eq!(response.status(), 303);
    let to = response.headers()["location"].to_str().unwrap();
    to.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
}

fn onward(reply: &Reply) -> String {
    reply.header("refresh").strip_prefix("0; url=").unwrap().to_owned()
}

fn code_of(reply: &Reply) -> &str {
    let at = reply.body.find("IEUM-L").unwrap_or_else(|| panic!("{}: {}", reply.status, reply.body));
    &reply.body[at..at + 9]
}

const RIGHT: (&str, &str) = ("김하늘", "01012345678");

#[test]
fn a_patient_who_is_proven_gets_the_account_prepared_for_them() {
    let claiming = Claiming::start();
    let portal = &claiming.portal;
    assert!(portal.get(&Visitor::default(), "/sign-in").expect(200).body.contains("/claim"));
    assert!(portal.get(&Visitor::default(), "/claim").expect(200).body.contains("가상 간편인증"));
    // The invitation of the institution may be over: who is proven gets a new one.
    portal.wait_minutes(80 * 60);
    let reply = claiming.claim(&answer("confirm", RIGHT.0, RIGHT.1)).expect(200);
    let (_, visitor) = portal.enrol(&onward(&reply), "haneul");
    assert!(portal.get(&visitor, "/me").expect(200).body.contains("김하늘"));
    let account = portal.accounts_of("haneul").remove(0).value;
    let proven = account.proven.unwrap();
    assert_eq!((proven.by.as_str(), proven.kind, proven.ci.unwrap().len()), ("simple", Kind::Simple, 64));
    // Who has an account already signs in.
    let again = claiming.claim(&answer("confirm", RIGHT.0, RIGHT.1)).expect(403);
    assert_eq!(code_of(&again), "IEUM-L012");
}

#[test]
fn who_is_not_that_patient_gets_nothing() {
    let claiming = Claiming::start();
    for (name, mobile) in [("김하나", RIGHT.1), (RIGHT.0, "01012345679"), (RIGHT.0, ""), ("KIM", RIGHT.1)]
    {
        let reply = claiming.claim(&answer("confirm", name, mobile)).expect(403);
        assert_eq!(code_of(&reply), "IEUM-L011", "{name} {mobile}");
        assert!(!reply.body.contains(RIGHT.0));
    }
    let other_day = answer("confirm", RIGHT.0, RIGHT.1).replace("1980-02-03", "1980-02-04");
    assert_eq!(code_of(&claiming.claim(&other_day)), "IEUM-L011");
    let other_sex = answer("confirm", RIGHT.0, RIGHT.1).replace("female", "male");
    assert_eq!(code_of(&claiming.claim(&other_sex)), "IEUM-L011");
    // A patient without an account prepared, and two who are alike in all.
    claiming.portal.put(&[patient("p2", "박바다", "010-1111-2222")]);
    assert_eq!(code_of(&claiming.claim(&answer("confirm", "박바다", "01011112222"))), "IEUM-L011");
    claiming.prepare("p3", RIGHT.0, RIGHT.1);
    assert_eq!(code_of(&claiming.claim(&answer("confirm", RIGHT.0, RIGHT.1))), "IEUM-L011");
    let refused = claiming.refusals();
    assert!(
        refused.iter().all(|target| target.starts_with("/claim check-simple IEUM-L011 127.0.0.1")),
        "{refused:?}"
    );
}

#[test]
fn results_that_are_none_prove_nobody() {
    let claiming = Claiming::start();
    let with = |how: &str| answer(how, RIGHT.0, RIGHT.1);
    assert_eq!(code_of(&claiming.claim(&with("refuse")).expect(400)), "IEUM-L009");
    assert_eq!(code_of(&claiming.claim(&with("tamper")).expect(400)), "IEUM-L010");
    assert_eq!(code_of(&claiming.claim(&with("replay")).expect(400)), "IEUM-L010");
    // Come back too early: nothing is lost.
    let sent = claiming.send();
    let page = claiming.back(&sent, &with("leave")).expect(200).body;
    assert!(page.contains("아직 끝나지 않았습니다"));
    let to = said(&sent.page, &with("confirm"));
    // In another browser, without one, with another state, and twice.
    let other = claiming.send();
    for visitor in [&other.visitor, &Visitor::default()] {
        assert_eq!(code_of(&claiming.portal.get(visitor, &to).expect(400)), "IEUM-L002");
    }
    let cut = to.split('?').next().unwrap();
    assert_eq!(code_of(&claiming.portal.get(&sent.visitor, cut).expect(400)), "IEUM-L002");
    assert!(onward(&claiming.portal.get(&sent.visitor, &to).expect(200)).starts_with("/welcome/"));
    assert_eq!(code_of(&claiming.portal.get(&sent.visitor, &to).expect(400)), "IEUM-L009", "given once");
    // Too late.
    let sent = claiming.send();
    let to = said(&sent.page, &with("confirm"));
    claiming.portal.wait_minutes(10);
    assert_eq!(code_of(&claiming.portal.get(&sent.visitor, &to).expect(400)), "IEUM-L002");
}

#[test]
fn the_ci_counts_once_it_is_known() {
    let claiming = Claiming::start();
    onward(&claiming.claim(&answer("confirm", RIGHT.0, RIGHT.1)).expect(200));
    // The telephone has changed: it is still them.
    let moved = claiming.claim(&answer("confirm", RIGHT.0, "01099998888")).expect(200);
    assert!(onward(&moved).starts_with("/welcome/"));
}

#[test]
fn only_the_simulator_on_this_machine_is_taken_and_only_who_knows_its_key() {
    let portal = Portal::with_accounts();
    let directory = tempfile::tempdir().unwrap();
    let start = |address: &str| Identity::start(&portal.hub, directory.path(), &[relay(address)]);
    assert!(matches!(start("https://relay.example"), Err(IdentityError::SetUp(_))));
    assert!(matches!(start("http://127.0.0.1:9"), Err(IdentityError::Key(_))), "no key");
    let key = directory.path().join("relay.key");
    std::fs::write(&key, KEY).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    start("http://127.0.0.1:9").unwrap();
    // Nobody is there.
    let page = portal.post(&Visitor::default(), "/claim/simple", "").expect(502);
    assert_eq!(code_of(&page), "IEUM-L001");
    let router = simulator::router("http://127.0.0.1:9", KEY, Arc::new(|| 0));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let request =
        axum::http::Request::post("/requests").header("x-signature", "AAAA").body("{}".to_owned()).unwrap();
    let response = runtime.block_on(tower::ServiceExt::oneshot(router, request)).unwrap();
    assert_eq!(response.status(), 401);
}
