//! Health, numbers, and what the operator sees.

use axum::body::Body;
use axum::http::Request;
use ieum_trust::access::Role;

use crate::support::{Portal, RECEIVER, Visitor};

fn metrics(portal: &Portal, peer: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let is_named = headers.iter().any(|(name, _)| *name == "host");
    let mut request = Request::get("/metrics");
    if !is_named {
        request = request.header("host", "127.0.0.1:8080");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = portal.ask_from(request.body(Body::empty()).unwrap(), peer);
    (reply.status.as_u16(), reply.body)
}

#[test]
fn numbers_are_for_this_machine_and_operators() {
    let portal = Portal::with_accounts();
    assert_eq!(metrics(&portal, "127.0.0.1:1", &[]).0, 200);
    assert_eq!(metrics(&portal, "10.0.0.1:1", &[]).0, 303);
    assert_eq!(metrics(&portal, "127.0.0.1:1", &[("x-forwarded-for", "10.0.0.1")]).0, 303);
    assert_eq!(metrics(&portal, "127.0.0.1:1", &[("host", "hub.kr")]).0, 303, "through a silent proxy");
    let operator = portal.sign_in(&portal.account(Role::Operator, None));
    assert_eq!(metrics(&portal, "10.0.0.1:1", &[("cookie", &operator.cookie)]).0, 200);
}

// threat: 18
#[test]
fn numbers_count_requests_by_pattern_and_never_name_anybody() {
    let portal = Portal::open();
    let patient = portal.put_synthetic(2).remove(0);
    let clinician = portal.enter("clinician", "");
    portal.get(&clinician, &format!("/patients/{patient}")).expect(200);
    portal.get(&clinician, "/patients?q=%EA%B9%80").expect(200);
    portal.get(&Visitor::default(), &format!("/fhir/Patient/{patient}")).expect(200);
    let (_, text) = metrics(&portal, "127.0.0.1:1", &[]);
    for line in [
        "ieum_http_requests_total{method=\"GET\",route=\"/patients/{id}\",status=\"200\"} 1",
        "ieum_http_requests_total{method=\"GET\",route=\"/fhir/{kind}/{id}\",status=\"200\"} 1",
        "ieum_records{kind=\"Patient\"} 2",
        "ieum_commits_total 3",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("process_resident_memory_bytes") && text.contains("ieum_uptime_seconds"));
    assert!(!text.contains(&patient) && !text.contains('김') && !text.contains("%EA"));
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("name and value");
        assert!(name.starts_with("ieum_") || name.starts_with("process_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn the_operator_sees_no_patient() {
    let portal = Portal::open();
    let patient = portal.put_synthetic(2).remove(0);
    let clinician = portal.enter("clinician", "");
    portal.get(&clinician, &format!("/patients/{patient}")).expect(200);
    let operator = portal.enter("operator", "");
    for path in [
        "/operator",
        "/operator/jobs",
        "/operator/subscriptions",
        "/operator/feed",
        "/operator/audit",
        "/operator/statements",
    ] {
        let page = portal.get(&operator, path).expect(200).body;
        assert!(!page.contains(&patient) && !page.contains("s42-p"), "{path}");
    }
    let audit = portal.get(&operator, "/operator/audit").expect(200).body;
    assert!(audit.contains("record-summary") && audit.contains("demo-clinician"));
    for word in ["요약 열람", "의료진", "진료"] {
        assert!(audit.contains(word), "{word}");
    }
    portal.get(&operator, &format!("/patients/{patient}")).expect(403);
    let audit = portal.get(&operator, "/operator/audit").expect(200).body;
    assert!(audit.contains("거부") && audit.contains("시스템 운영"));
    let fhir = portal.get(&operator, "/operator").expect(200).body;
    assert!(fhir.contains("환자 (Patient)"));
}

#[test]
fn the_operator_sees_subscriptions_and_turns_them_off() {
    let portal = Portal::open();
    let patient = portal.put_synthetic(1).remove(0);
    let content =
        "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content";
    let filter = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria";
    let subscription = serde_json::json!({
        "resourceType": "Subscription", "id": patient, "status": "requested", "reason": "test",
        "criteria": "https://ieum.example/topics/patient-record-changed",
        "_criteria": { "extension": [{ "url": filter, "valueString": format!("Patient?_id={patient}") }] },
        "channel": {
            "type": "rest-hook", "endpoint": format!("{RECEIVER}/secret-path"), "header": ["X-Key: secret-header"],
            "payload": "application/fhir+json",
            "_payload": { "extension": [{ "url": content, "valueCode": "id-only" }] },
        },
    });
    let request = Request::put(format!("/fhir/Subscription/{patient}"))
        .header("content-type", "application/fhir+json")
        .body(Body::from(subscription.to_string()));
    portal.ask(request.unwrap()).expect(201);
    let operator = portal.enter("operator", "");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let page = loop {
        let page = portal.get(&operator, "/operator/subscriptions").expect(200).body;
        if page.contains("연결되지 않음") {
            break page;
        }
        assert!(std::time::Instant::now() < until, "{page}");
    };
    assert!(
        page.contains("127.0.0.1") && page.contains("patient-record-changed") && page.contains("기다리는 중")
    );
    for secret in [patient.as_str(), "secret-path", "secret-header"] {
        assert!(!page.contains(secret), "{secret}");
    }
    let english = portal.get(&operator, "/operator/subscriptions?lang=en").expect(200).body;
    assert!(english.contains("no connection") && english.contains("Turn off"));
    let path = page.split("action=\"").find(|rest| rest.starts_with("/operator/subscriptions/")).unwrap();
    let path = path.split('"').next().unwrap();
    // A form of somebody else's page ends nothing, and neither does another role.
    portal.ask(crate::support::post_request(&operator, path, "csrf=x", "http://127.0.0.1:8080")).expect(403);
    portal.post(&portal.enter("clinician", ""), path, "").expect(403);
    let reply = portal.post(&operator, path, "").expect(303);
    assert_eq!(reply.header("location"), "/operator/subscriptions?done=off");
    let page = portal.get(&operator, "/operator/subscriptions?done=off").expect(200).body;
    assert!(page.contains("구독을 껐습니다") && page.contains("운영자가 껐습니다"), "{page}");
    let shown = portal.get(&Visitor::default(), &format!("/fhir/Subscription/{patient}")).expect(200).body;
    assert!(shown.contains("\"off\"") && shown.contains("IEUM-N012"), "{shown}");
    let audit = portal.get(&operator, "/operator/audit").expect(200).body;
    assert!(audit.contains("operator-subscription-off") && !audit.contains(&patient));
    let (_, numbers) = metrics(&portal, "127.0.0.1:1", &[]);
    for line in
        ["ieum_subscriptions{state=\"off\"} 1", "ieum_subscriptions{state=\"active\"} 0", "ieum_websockets 0"]
    {
        assert!(numbers.contains(line), "{line} is not in\n{numbers}");
    }
    assert!(numbers.contains("ieum_notifications_total{result=\"failed\"}"));
}

#[test]
fn the_operator_sees_jobs_and_ends_them() {
    let portal = Portal::open();
    let patient = portal.put_synthetic(1).remove(0);
    let ask = |path: &str| {
        let request = Request::get(format!("/fhir{path}")).header("prefer", "respond-async");
        let reply = portal.ask(request.body(Body::empty()).unwrap()).expect(202);
        reply.header("content-location").rsplit_once("/fhir/").unwrap().1.to_owned()
    };
    let filter = format!("/Patient/$export?_typeFilter=Patient%3F_id%3D{patient}");
    let job = ask(&filter);
    let other = ask("/$export");
    portal.run_job(other.rsplit('/').next().unwrap(), 50, 200);
    let operator = portal.enter("operator", "");
    let page = portal.get(&operator, "/operator/jobs").expect(200).body;
    assert!(
        page.contains("환자 기록 내보내기") && page.contains("전체 내보내기") && page.contains("대기 중")
    );
    assert!(page.contains("<progress") && !page.contains(&patient), "{page}");
    assert!(portal.get(&operator, "/operator").expect(200).body.contains("진행 중인 작업"));
    let english = portal.get(&operator, "/operator/jobs?lang=en").expect(200).body;
    assert!(english.contains("Export of patients") && english.contains("Cancel"));

    let id = job.rsplit('/').next().unwrap();
    let path = format!("/operator/jobs/{id}/cancel");
    // A form of somebody else's page ends nothing, and neither does another role.
    portal.ask(crate::support::post_request(&operator, &path, "csrf=x", "http://127.0.0.1:8080")).expect(403);
    portal.post(&portal.enter("clinician", ""), &path, "").expect(403);
    let reply = portal.post(&operator, &path, "").expect(303);
    assert_eq!(reply.header("location"), "/operator/jobs?done=cancel");
    let page = portal.get(&operator, "/operator/jobs?done=cancel").expect(200).body;
    assert!(page.contains("작업을 취소했습니다") && page.contains("취소됨"));
    portal.get(&Visitor::default(), &format!("/fhir/{job}")).expect(404);
    let audit = portal.get(&operator, "/operator/audit").expect(200).body;
    assert!(audit.contains("operator-job-cancel"));
    let (_, numbers) = metrics(&portal, "127.0.0.1:1", &[]);
    assert!(numbers.contains("ieum_jobs_finished_total{what=\"export\",state=\"cancelled\"} 1"));
    assert!(numbers.contains("ieum_jobs_running 0"));
}

#[test]
fn the_operator_sees_records_being_indexed() {
    let portal = Portal::open();
    portal.put_synthetic(1);
    let definition = r#"{"resourceType":"SearchParameter","id":"own","url":"http://x.test/own","name":"n","status":"active",
        "description":"d","code":"own","base":["Patient"],"type":"string","expression":"Patient.name.family"}"#;
    let request = Request::put("/fhir/SearchParameter/own").header("content-type", "application/fhir+json");
    portal.ask(request.body(Body::from(definition)).unwrap()).expect(201);
    let operator = portal.enter("operator", "");
    let page = portal.get(&operator, "/operator/jobs").expect(200).body;
    assert!(page.contains("검색 항목 Patient.own 색인") && page.contains("대기 중"), "{page}");
    let english = portal.get(&operator, "/operator/jobs?lang=en").expect(200).body;
    assert!(english.contains("Indexing by the search parameter Patient.own"));
    let id = page.split("/operator/jobs/").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    portal.post(&operator, &format!("/operator/jobs/{id}/cancel"), "").expect(303);
    let refused = portal.get(&Visitor::default(), "/fhir/Patient?own=x").expect(503).body;
    assert!(refused.contains("IEUM-S013") && refused.contains("was stopped"), "{refused}");
}

#[test]
fn the_operator_learns_whose_an_account_is_unless_it_is_a_patients() {
    let portal = Portal::with_accounts();
    portal.put(&[serde_json::json!({"resourceType": "Patient", "id": "p1"})]);
    for (role, patient) in [(Role::Clinician, None), (Role::Patient, Some("p1")), (Role::Operator, None)] {
        portal.sign_in(&portal.account(role, patient));
    }
    let operator = portal.sign_in(&portal.account(Role::Operator, None));
    let audit = portal.get(&operator, "/operator/audit").expect(200).body;
    assert!(audit.contains("시험 계정") && audit.contains("환자의 계정") && audit.contains("본인 요청"));
}

#[test]
fn imports_are_told_by_digest_and_never_by_file_name() {
    let portal = Portal::with_accounts();
    let import = |id: &str, state: &str, rejected: u64| {
        serde_json::json!({"resourceType": "IeumImport", "id": id, "source": "홍길동_842507-1000017.json",
            "state": state, "done": 5, "bytes": 2048, "rejected": rejected})
    };
    portal.put(&[
        import("aaaa1111ffff", "running", 0),
        import("bbbb2222ffff", "done", 3),
        import("cccc3333ffff", "failed", 0),
    ]);
    let operator = portal.sign_in(&portal.account(Role::Operator, None));
    let page = portal.get(&operator, "/operator").expect(200).body;
    assert!(!page.contains("홍길동") && !page.contains("1000017"));
    for shown in [
        "aaaa1111 (",
        "bbbb2222 (",
        "cccc3333 (",
        "3건 거부됨",
        "cccc3333 (2 KiB): 끝까지 가져오지 못했습니다",
        "실패",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn probes_answer() {
    let portal = Portal::with_accounts();
    assert_eq!(portal.get(&Visitor::default(), "/healthz").expect(200).body, "ok\n");
    assert_eq!(portal.get(&Visitor::default(), "/readyz").expect(200).body, "ready\n");
    let sheet = portal.get(&Visitor::default(), "/");
    let name = sheet.body.split("href=\"/assets/ieum.").nth(1).unwrap().split('"').next().unwrap();
    let sheet = portal.get(&Visitor::default(), &format!("/assets/ieum.{name}")).expect(200);
    assert_eq!(sheet.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(sheet.header("content-type").starts_with("text/css"));
}
