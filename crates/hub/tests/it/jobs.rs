//! Jobs as clients meet them: asked for, looked at, ended; and who may.

use std::time::{Duration, Instant};

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_trust::access::{Access, Role};
use ieum_trust::account::ACCOUNT;
use serde_json::Value;

use crate::support::{Kind, Reply, Server, on_every_engine, patient};

on_every_engine!(
    asked_later_or_not_at_all,
    a_job_is_its_askers_alone,
    a_job_ends_with_the_account_that_asked,
    waiting_jobs_can_be_cancelled,
    so_many_may_wait,
    starts_files_and_ends_are_audited,
    files_are_sent_whole_and_in_part,
    results_go_after_a_while,
);

impl Server {
    /// Asks for a job, as somebody if there are accounts.
    pub(crate) fn ask(&self, secret: Option<&str>, path: &str) -> Reply {
        let bearer = secret.map(|secret| format!("Bearer {secret}"));
        let mut headers = vec![("prefer", "respond-async")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        self.get_with(path, &headers)
    }

    /// Looks at a job until it has ended.
    pub(crate) fn result(&self, secret: Option<&str>, asked: &Reply) -> Reply {
        assert_eq!(asked.status, 202, "{}", asked.text());
        let place = asked.header("content-location").unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let reply = match secret {
                Some(secret) => self.get_as(secret, place),
                None => self.get(place),
            };
            if reply.status != 202 {
                return reply;
            }
            assert!(reply.header("x-progress").unwrap().len() <= 100);
            assert!(reply.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
            assert!(Instant::now() < until, "a job does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The manifest of a job that anybody asks for.
    pub(crate) fn manifest(&self, path: &str) -> Value {
        self.result(None, &self.ask(None, path)).expect(200).json()
    }

    /// Waits for what follows soon after an answer.
    pub(crate) fn ended_soon(&self, what: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(10);
        while !what() {
            assert!(Instant::now() < until, "does not happen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A server that takes jobs and does none.
fn idle(kind: Kind, entrance: Entrance) -> Server {
    Server::start_with(kind, entrance, Limits::default(), |options| {
        options.at_once = 0;
        options.open_most_each = 2;
    })
}

fn asked_later_or_not_at_all(kind: Kind) {
    let server = Server::open(kind);
    server.get("/$export").refused(400, "IEUM-A001");
    server.get_with("/$export", &[("prefer", "return=minimal")]).refused(400, "IEUM-A001");
    let batch =
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"$export"}}]}"#;
    let reply = server.send("POST", "", &[("prefer", "respond-async")], batch).expect(200).json();
    assert_eq!(reply["entry"][0]["response"]["status"], "400");
    let asked = server.ask(None, "/$export?_type=Patient").expect(202);
    assert!(asked.header("content-location").unwrap().starts_with(&format!("{}/$jobs/", server.base)));
    assert!(asked.body.is_empty());
    server.result(None, &asked).expect(200);
    server.ask(None, "/Nothing/$export").refused(404, "IEUM-R004");
    server.ask(None, "/IeumAccount/$export").refused(404, "IEUM-R004");
    server.ask(None, "/Group/none/$export").refused(404, "IEUM-R006");
    server.get("/$jobs/none").refused(404, "IEUM-R006");
    server.delete("/$jobs/none").refused(404, "IEUM-R006");
}

// threat: 2
fn a_job_is_its_askers_alone(kind: Kind) {
    let server = Server::with_accounts(kind);
    let [one, other] = [Role::Service, Role::Service].map(|role| server.account(role, None));
    server.send_as(&one, "PUT", "/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    let asked = server.ask(Some(&one), "/$export");
    let manifest = server.result(Some(&one), &asked).expect(200).json();
    assert_eq!(manifest["requiresAccessToken"], true);
    let file = manifest["output"][0]["url"].as_str().unwrap();
    let place = asked.header("content-location").unwrap();
    for path in [place, file] {
        server.get(path).refused(401, "IEUM-R001");
        server.get_as(&other, path).refused(404, "IEUM-R006");
    }
    let bearer = format!("Bearer {other}");
    server.request("DELETE", place, &[("authorization", &bearer)], None).refused(404, "IEUM-R006");
    assert!(server.get_as(&one, file).expect(200).text().contains("\"p\""));
    // Jobs are records, but no resources.
    let id = place.rsplit('/').next().unwrap();
    server.get_as(&one, &format!("/IeumJob/{id}")).refused(404, "IEUM-R004");
}

fn a_job_ends_with_the_account_that_asked(kind: Kind) {
    use ieum_store::commit::{Change, Expect};
    let server = idle(kind, Entrance::Accounts);
    let secret = server.account(Role::Service, None);
    server.ask(Some(&secret), "/$export").expect(202);
    let system = Access::system("test");
    let view = server.door.view(&system).unwrap();
    let query = ieum_fhir::search::Query { kind: ACCOUNT.name.into(), ..Default::default() };
    let account = view.search(&query, None, 10).unwrap().records.remove(0);
    drop(view);
    let delete = Change::Delete { kind: ACCOUNT.name.into(), id: account.id, expect: Expect::Anything };
    server.door.commit(&system, "test", Vec::new(), vec![delete]).unwrap();
    // Another process goes on with what waits.
    let hub = server.hub_again();
    let options = ieum::jobs::JobOptions::new(&server.jobs);
    let service = ieum::jobs::Service::start(&hub, options).unwrap();
    server.ended_soon(|| service.jobs().finished() == [("export", "failed", 1)]);
    let job = ieum::jobs::keep::newest(&hub, 1).unwrap().remove(0).job;
    assert_eq!(job.failure.unwrap().code, "IEUM-A006");
    assert_eq!(job.files, []);
    service.stop();
}

fn waiting_jobs_can_be_cancelled(kind: Kind) {
    let server = idle(kind, Entrance::Open);
    let asked = server.ask(None, "/$export").expect(202);
    let place = asked.header("content-location").unwrap();
    let reply = server.get(place).expect(202);
    assert_eq!(reply.header("x-progress"), Some("waiting"));
    server.delete(place).expect(202);
    server.get(place).refused(404, "IEUM-R006");
    server.delete(place).refused(404, "IEUM-R006");
    let id = place.rsplit('/').next().unwrap();
    assert!(!server.jobs.join(id).exists());
}

// threat: 21
fn so_many_may_wait(kind: Kind) {
    let server = idle(kind, Entrance::Open);
    let first = server.ask(None, "/$export").expect(202);
    server.ask(None, "/$export").expect(202);
    let refused = server.ask(None, "/$export").refused(429, "IEUM-A004");
    assert_eq!(refused.header("retry-after"), Some("10"));
    server.delete(first.header("content-location").unwrap()).expect(202);
    server.ask(None, "/$export").expect(202);
}

// threat: 17
fn starts_files_and_ends_are_audited(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    server.send_as(&service, "POST", "/Patient", &patient("1", "김")).expect(201);
    let asked = server.ask(Some(&service), "/Patient/$export");
    let manifest = server.result(Some(&service), &asked).expect(200).json();
    server.get_as(&service, manifest["output"][0]["url"].as_str().unwrap()).expect(200);
    let bearer = format!("Bearer {service}");
    let place = asked.header("content-location").unwrap();
    server.request("DELETE", place, &[("authorization", &bearer)], None).expect(202);
    server.get_as(&service, place).refused(404, "IEUM-R006");
    let view = server.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, 100).unwrap();
    let of = |action: &str| {
        let mut found = entries.iter().filter(|stored| stored.entry.action == action);
        let entry = found.next().unwrap_or_else(|| panic!("no entry for {action}"));
        assert!(found.next().is_none(), "two entries for {action}");
        entry.entry.clone()
    };
    let id = place.rsplit('/').next().unwrap();
    for (action, target) in [
        ("export", format!("IeumJob/{id}")),
        ("job-file", format!("IeumJob/{id}/Patient.1.ndjson")),
        ("job-cancel", format!("IeumJob/{id}")),
    ] {
        let entry = of(action);
        assert_eq!((entry.role.as_str(), entry.allowed), ("service", true));
        assert_eq!(entry.target, target);
    }
    for action in ["job-ask", "job-start", "job-end", "job-remove"] {
        assert_eq!(of(action).actor, "jobs");
    }
}

fn files_are_sent_whole_and_in_part(kind: Kind) {
    let server = Server::open(kind);
    for number in 0..30 {
        server.create(&patient(&number.to_string(), "김"));
    }
    let manifest = server.manifest("/Patient/$export");
    let url = manifest["output"][0]["url"].as_str().unwrap();
    // What is asked for has been agreed on already.
    let whole = server.get_with(url, &[("accept", "application/fhir+ndjson")]).expect(200);
    assert_eq!(whole.header("content-type"), Some("application/fhir+ndjson"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("cache-control"), Some("no-store"));
    let length = whole.body.len();
    assert_eq!(manifest["output"][0]["extension"]["bytes"], length);
    for (range, expected) in [
        ("bytes=0-99".to_owned(), 0..100),
        (format!("bytes={}-", length - 7), length - 7..length),
        ("bytes=-5".to_owned(), length - 5..length),
    ] {
        let part = server.get_with(url, &[("range", &range)]).expect(206);
        let content_range = format!("bytes {}-{}/{length}", expected.start, expected.end - 1);
        assert_eq!(part.header("content-range"), Some(content_range.as_str()));
        assert_eq!(part.body, whole.body[expected]);
    }
    server.get_with(url, &[("range", &format!("bytes={length}-"))]).refused(416, "IEUM-A008");
    let head = server.request("HEAD", url, &[], None).expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (Some(length.to_string().as_str()), 0));
    for name in ["Patient.2.ndjson", "..%2Flock", "..", "Patient.list"] {
        let other = url.replace("Patient.1.ndjson", name);
        server.get(&other).refused(404, "IEUM-R006");
    }
}

fn results_go_after_a_while(kind: Kind) {
    let server = Server::open(kind);
    server.create(&patient("1", "김"));
    let asked = server.ask(None, "/$export");
    let result = server.result(None, &asked).expect(200);
    assert!(result.header("expires").unwrap().ends_with("GMT"));
    let place = asked.header("content-location").unwrap();
    let directory = server.jobs.join(place.rsplit('/').next().unwrap());
    assert!(directory.exists());
    let stray = server.jobs.join("01890000-0000-7000-8000-000000000000");
    std::fs::create_dir(&stray).unwrap();
    let hub = server.hub_again();
    let mut options = ieum::jobs::JobOptions::new(&server.jobs);
    options.keep = Duration::ZERO;
    let service = ieum::jobs::Service::start(&hub, options).unwrap();
    assert!(!stray.exists());
    server.ended_soon(|| !directory.exists());
    server.ended_soon(|| server.get(place).status == 404);
    service.stop();
}
