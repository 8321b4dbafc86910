//! The apps that somebody has allowed something, and that taking it back works in their next request.

use std::time::{Duration, Instant};

use ieum::jobs::{JobOptions, Service};
use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use ieum_trust::authorization::grant::GRANT;

use super::{ask, authorize, form, onward, portal, redeem, register, told};
use crate::support::{Portal, Visitor};

/// Somebody allows an app; gives what it got.
fn connect(portal: &Portal, app: &str, visitor: &Visitor, chosen: &str, scope: &str) -> serde_json::Value {
    let consent = onward(&portal.get(&Visitor::default(), &authorize(app, scope)));
    let back = onward(&portal.post(visitor, &consent, chosen));
    redeem(portal, app, &told(&back, "code"))
}

fn refresh(portal: &Portal, app: &str, token: &str) -> u16 {
    let pairs = [("grant_type", "refresh_token"), ("client_id", app), ("refresh_token", token)];
    form(portal, "/oauth/token", &pairs).status.as_u16()
}

#[test]
fn a_patient_sees_what_is_connected_and_takes_it_back() {
    let portal = portal();
    let (app, other) =
        (register(&portal, |_| {}), register(&portal, |client| client.name = "걷기 앱".into()));
    let secrets = [portal.account(Role::Patient, Some("p1")), portal.account(Role::Patient, Some("p2"))];
    let [visitor, somebody] = secrets.map(|secret| portal.sign_in(&secret));
    assert!(
        portal.get(&visitor, "/me").expect(200).body.contains("href=\"/my-apps\""),
        "the home leads there"
    );
    assert!(portal.get(&visitor, "/my-apps").expect(200).body.contains("연결된 앱이 없습니다"));

    let first = connect(&portal, &app, &visitor, "", "offline_access patient/Condition.rs");
    let second = connect(&portal, &app, &visitor, "", "offline_access patient/Observation.rs");
    let others = connect(&portal, &other, &visitor, "", "offline_access patient/*.rs");
    let page = portal.get(&visitor, "/my-apps").expect(200).body;
    for text in ["혈압 &lt;수첩&gt;", "걷기 앱", "내 진단 보기", "내 검사 결과와 활력징후 보기", "이음 시험"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(page.matches("연결 끊기</button>").count(), 2, "one app is one card: {page}");
    let english = portal.get(&visitor, "/my-apps?lang=en").expect(200).body;
    assert!(english.contains("See your diagnoses") && english.contains("Last used"), "{english}");
    // What somebody else allowed is not theirs to see, nor to take back.
    assert!(portal.get(&somebody, "/my-apps").expect(200).body.contains("연결된 앱이 없습니다"));
    let end = format!("/my-apps/{app}/end");
    portal.post(&somebody, &end, "").expect(404);
    let forged = crate::support::post_request(&visitor, &end, "csrf=x", "https://evil.example");
    portal.ask(forged).expect(403);

    let use_token = |tokens: &serde_json::Value, kind: &str| {
        let token = tokens["access_token"].as_str().unwrap();
        ask(&portal, token, "GET", &format!("/fhir/{kind}"), None).status.as_u16()
    };
    assert_eq!((use_token(&first, "Condition"), use_token(&second, "Observation")), (200, 200));
    let told = portal.post(&visitor, &end, "").expect(303);
    assert_eq!(told.header("location"), "/my-apps?done=ended");
    assert_eq!((use_token(&first, "Condition"), use_token(&second, "Observation")), (401, 401));
    assert_eq!(refresh(&portal, &app, first["refresh_token"].as_str().unwrap()), 400);
    assert_eq!(use_token(&others, "Observation"), 200, "another app goes on");
    let page = portal.get(&visitor, "/my-apps").expect(200).body;
    assert!(!page.contains("혈압 &lt;수첩&gt;") && page.contains("걷기 앱"));
    portal.post(&visitor, &end, "").expect(404);

    let patient = account::list(&portal.door, &Access::system("test")).unwrap();
    let patient =
        patient.into_iter().find(|(_, account)| account.patient.as_deref() == Some("p1")).unwrap().0;
    let view = portal.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, 100).unwrap().into_iter().map(|stored| stored.entry);
    let of: Vec<_> = entries.filter(|entry| entry.action == "app-end" && entry.allowed).collect();
    assert_eq!(of.len(), 1);
    assert_eq!((of[0].actor.as_str(), of[0].target.as_str()), (&*patient, &*format!("IeumClient/{app}")));
}

#[test]
fn a_clinician_sees_them_too_and_a_removed_app_is_gone() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    assert!(portal.get(&clinician, "/patients").expect(200).body.contains("href=\"/my-apps\""));
    connect(&portal, &app, &clinician, "", "offline_access user/Condition.rs");
    let page = portal.get(&clinician, "/my-apps").expect(200).body;
    assert!(page.contains("내가 볼 수 있는 모든 사람의 진단 보기"), "{page}");
    ieum_trust::authorization::client::remove(&portal.door, &Access::system("test"), &app).unwrap();
    assert!(portal.get(&clinician, "/my-apps").expect(200).body.contains("연결된 앱이 없습니다"));
}

#[test]
fn what_has_ended_is_removed_by_the_runners_of_jobs() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let visitor = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    connect(&portal, &app, &visitor, "", "patient/*.rs");
    let lasting = connect(&portal, &app, &visitor, "", "offline_access patient/*.rs");
    portal.wait_minutes(7);
    let left = || {
        let query = ieum_fhir::search::Query { kind: GRANT.name.into(), ..Default::default() };
        portal.door.view(&Access::system("test")).unwrap().matching_ids(&query, 10).unwrap().len()
    };
    assert_eq!(left(), 2);
    let directory = tempfile::tempdir().unwrap();
    let mut options = JobOptions::new(directory.path());
    options.at_once = 1;
    let runners = Service::start(&portal.hub, options).unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while left() != 1 {
        assert!(Instant::now() < until, "nothing is removed");
        std::thread::sleep(Duration::from_millis(20));
    }
    runners.stop();
    assert_eq!(refresh(&portal, &app, lasting["refresh_token"].as_str().unwrap()), 200);
}
