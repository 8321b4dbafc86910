//! Who may do what: every route is tried by nobody and by every role.

use ieum::routes::{self, Route, Who};
use ieum_trust::access::{Access, Role};

use crate::refusals::refusals_when;
use crate::support::{Kind, Server, entries, on_every_engine, patient};

on_every_engine!(
    every_route_asks_who_it_is,
    bad_credentials,
    refusals_are_audited,
    a_patient_sees_their_own,
    hidden_records_do_not_exist,
    labels_inside_hide_the_whole,
    open_hubs_stay_at_home,
);

/// Method, pattern, who may, and what audit entries call it.
type Row = (&'static str, &'static str, Who, &'static str);

const CANARY: &str = r#"{"resourceType":"Patient","id":"canary","name":[{"family":"카나리아"}]}"#;

/// What each route is expected to ask for: a route without a row here fails the test.
const EXPECTED: &[Row] = &[
    ("GET", "/fhir/metadata", Who::Anybody, "capabilities"),
    ("GET", "/fhir/.well-known/smart-configuration", Who::Anybody, "smart-configuration"),
    ("GET", "/fhir/openapi.json", Who::Anybody, "openapi"),
    ("GET", "/fhir", Who::Accounts, "search-system"),
    ("POST", "/fhir", Who::Accounts, "bundle"),
    ("POST", "/fhir/_search", Who::Accounts, "search-system"),
    ("GET", "/fhir/_history", Who::Accounts, "history-system"),
    ("GET", "/fhir/{kind}", Who::Accounts, "search"),
    ("POST", "/fhir/{kind}/_search", Who::Accounts, "search"),
    ("POST", "/fhir/{kind}", Who::Writers, "create"),
    ("PUT", "/fhir/{kind}", Who::Writers, "update"),
    ("PATCH", "/fhir/{kind}", Who::Writers, "patch"),
    ("DELETE", "/fhir/{kind}", Who::Writers, "delete"),
    ("GET", "/fhir/{kind}/_history", Who::Accounts, "history-type"),
    ("GET", "/fhir/{kind}/{id}", Who::Accounts, "read"),
    ("PUT", "/fhir/{kind}/{id}", Who::Writers, "update"),
    ("PATCH", "/fhir/{kind}/{id}", Who::Writers, "patch"),
    ("DELETE", "/fhir/{kind}/{id}", Who::Writers, "delete"),
    ("GET", "/fhir/{kind}/{id}/_history", Who::Accounts, "history-instance"),
    ("GET", "/fhir/{kind}/{id}/_history/{version}", Who::Accounts, "vread"),
    ("GET", "/fhir/{kind}/{id}/{inner}", Who::Accounts, "search-compartment"),
    ("POST", "/fhir/{kind}/{id}/{inner}/_search", Who::Accounts, "search-compartment"),
    ("GET", "/fhir/Patient/{id}/$everything", Who::Accounts, "everything"),
    ("POST", "/fhir/Patient/{id}/$everything", Who::Accounts, "everything"),
    ("GET", "/fhir/Encounter/{id}/$everything", Who::Accounts, "everything"),
    ("POST", "/fhir/Encounter/{id}/$everything", Who::Accounts, "everything"),
    ("GET", "/fhir/Group/{id}/$everything", Who::Accounts, "everything"),
    ("POST", "/fhir/Group/{id}/$everything", Who::Accounts, "everything"),
    ("GET", "/fhir/$export", Who::Accounts, "export"),
    ("POST", "/fhir/$export", Who::Accounts, "export"),
    ("GET", "/fhir/{kind}/$export", Who::Accounts, "export"),
    ("POST", "/fhir/{kind}/$export", Who::Accounts, "export"),
    ("GET", "/fhir/Group/{id}/$export", Who::Accounts, "export"),
    ("POST", "/fhir/Group/{id}/$export", Who::Accounts, "export"),
    ("POST", "/fhir/$import", Who::Writers, "import"),
    ("GET", "/fhir/Subscription/$status", Who::Accounts, "subscription-status"),
    ("POST", "/fhir/Subscription/$status", Who::Accounts, "subscription-status"),
    ("GET", "/fhir/Subscription/{id}/$status", Who::Accounts, "subscription-status"),
    ("POST", "/fhir/Subscription/{id}/$status", Who::Accounts, "subscription-status"),
    ("GET", "/fhir/Subscription/{id}/$events", Who::Accounts, "subscription-events"),
    ("POST", "/fhir/Subscription/{id}/$events", Who::Accounts, "subscription-events"),
    ("GET", "/fhir/Subscription/$get-ws-binding-token", Who::Accounts, "subscription-token"),
    ("POST", "/fhir/Subscription/$get-ws-binding-token", Who::Accounts, "subscription-token"),
    ("GET", "/fhir/Subscription/{id}/$get-ws-binding-token", Who::Accounts, "subscription-token"),
    ("POST", "/fhir/Subscription/{id}/$get-ws-binding-token", Who::Accounts, "subscription-token"),
    ("GET", "/fhir/$ws", Who::Anybody, "websocket"),
    ("GET", "/fhir/$jobs/{id}", Who::Accounts, "job-status"),
    ("DELETE", "/fhir/$jobs/{id}", Who::Accounts, "job-cancel"),
    ("GET", "/fhir/$jobs/{id}/{file}", Who::Accounts, "job-file"),
];

fn path(route: &Route) -> String {
    let path = route.pattern.strip_prefix("/fhir").unwrap();
    path.replace("{kind}", "Patient")
        .replace("{id}", "canary")
        .replace("{inner}", "Observation")
        .replace("{version}", "1")
        .replace("{file}", "Patient.1.ndjson")
}

/// Routes that are asked on one server: of one asker 50 refusals are written down in ten minutes.
const AT_ONCE: usize = 14;

// threat: 2, 17
fn every_route_asks_who_it_is(kind: Kind) {
    let all: Vec<&'static Route> = routes::all().collect();
    let mut rows = EXPECTED.to_vec();
    for some in all.chunks(AT_ONCE) {
        let world = Coverage::new(kind);
        let mut written = Vec::new();
        for route in some {
            let is_of = |row: &Row| row.0 == route.method.as_str() && row.1 == route.pattern;
            let row = rows.iter().position(is_of);
            let row = row.unwrap_or_else(|| panic!("{} {} has no row", route.method, route.pattern));
            let (.., who, action) = rows.remove(row);
            assert_eq!((route.who, route.action), (who, action), "{} {}", route.method, route.pattern);
            written.extend(world.ask(route));
        }
        world.check_written(written);
        world.server.get_as(&world.service, "/Patient/canary").expect(200);
    }
    assert_eq!(rows, [], "rows without a route");
}

/// A server with one record, and an account of each role.
struct Coverage {
    server: Server,
    service: String,
    accounts: Vec<(Role, String)>,
}

impl Coverage {
    fn new(kind: Kind) -> Self {
        let server = Server::with_accounts(kind);
        let service = server.account(Role::Service, None);
        server.send_as(&service, "PUT", "/Patient/canary", CANARY).expect(201);
        let roles = Role::ALL.into_iter().filter(|role| *role != Role::Open);
        let accounts = roles.map(|role| (role, server.account(role, Some("somebody-else")))).collect();
        Self { server, service, accounts }
    }

    /// Lets everybody ask; gives what must have been written down of it: role, action, target.
    fn ask(&self, route: &Route) -> Vec<(String, String, String)> {
        let mut written = Vec::new();
        let mut note =
            |role: &str, target: &str| written.push((role.into(), route.action.into(), target.into()));
        let (method, path) = (route.method.as_str(), path(route));
        let has_body = ["POST", "PUT", "PATCH"].contains(&method);
        let json = ("content-type", "application/fhir+json");
        let nobody = self.server.request(method, &path, &[json], has_body.then_some(CANARY.as_bytes()));
        if route.who == Who::Anybody {
            // Whoever opens a WebSocket is nobody until they show a token; see `subscriptions::socket`.
            assert_eq!(nobody.status, if route.pattern == "/fhir/$ws" { 426 } else { 200 });
            return written;
        }
        let nobody = nobody.refused(401, "IEUM-R001");
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"ieum\""));
        note("none", route.pattern);
        for (role, secret) in &self.accounts {
            let bearer = format!("Bearer {secret}");
            // Nothing that would change the canary.
            let (body, never) = (has_body.then_some(&b"{}"[..]), ("if-match", "W/\"77\""));
            let reply = self.server.request(method, &path, &[("authorization", &bearer), json, never], body);
            assert_ne!(reply.status, 401);
            let may = route.who.roles().any(|admitted| admitted == *role);
            assert_eq!(reply.status == 403, !may, "{role:?} {method} {}: {}", route.pattern, reply.text());
            if matches!(role, Role::Clinician | Role::Service) {
                continue;
            }
            assert!(!reply.text().contains("카나리아"), "{role:?} {method} {}", route.pattern);
            if !may {
                note(role.name(), if route.pattern.contains("{kind}") { "Patient" } else { "" });
            } else if reply.status == 404 && path.starts_with("/Patient/canary") {
                note(role.name(), "Patient/canary");
            }
        }
        written
    }

    /// Whether exactly these refusals were written down.
    fn check_written(&self, mut expected: Vec<(String, String, String)>) {
        let found = refusals_when(&self.server, expected.len()).into_iter();
        let mut found: Vec<_> = found.map(|entry| (entry.role, entry.action, entry.target)).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

fn bad_credentials(kind: Kind) {
    let server = Server::with_accounts(kind);
    let secret = server.account(Role::Service, None);
    for value in
        ["", "Bearer", "Bearer ", "Bearer wrong", "Basic dTpw", &format!("Bearer {secret}x"), &secret]
    {
        server.get_with("/Patient", &[("authorization", value)]).refused(401, "IEUM-R001");
    }
    for value in [format!("Bearer {secret}"), format!("bearer {secret}"), format!("BEARER  {secret}")] {
        server.get_with("/Patient", &[("authorization", &value)]).expect(200);
    }
    // Nobody's body is read for long, and nothing of it is told.
    server.send("POST", "/Patient", &[], "not json").refused(401, "IEUM-R001");
}

fn refusals_are_audited(kind: Kind) {
    let server = Server::with_accounts(kind);
    let operator = server.account(Role::Operator, None);
    server.send_as(&operator, "POST", "/Patient", &patient("1", "김")).refused(403, "IEUM-R002");
    let view = server.door.view(&Access::system("test")).unwrap();
    let entry = view.audit_entries(None, 1).unwrap().remove(0).entry;
    assert_eq!((entry.action.as_str(), entry.target.as_str(), entry.allowed), ("create", "Patient", false));
    assert_eq!(entry.role, "operator");
}

// threat: 2
fn a_patient_sees_their_own(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    let put = |path: &str, body: String| {
        server.send_as(&service, "PUT", path, &body).expect(201);
    };
    put("/Organization/h", r#"{"resourceType":"Organization","id":"h","name":"병원"}"#.into());
    for id in ["a", "b"] {
        put(&format!("/Patient/{id}"), format!(r#"{{"resourceType":"Patient","id":"{id}","active":true}}"#));
        put(
            &format!("/Condition/c-{id}"),
            format!(
                r#"{{"resourceType":"Condition","id":"c-{id}","subject":{{"reference":"Patient/{id}"}}}}"#
            ),
        );
    }
    let own = server.account(Role::Patient, Some("a"));
    server.get_as(&own, "/Patient/a").expect(200);
    server.get_as(&own, "/Organization/h").expect(200);
    server.get_as(&own, "/Condition/c-a").expect(200);
    let hidden = server.get_as(&own, "/Condition/c-b").refused(404, "IEUM-R006");
    let never = server.get_as(&own, "/Condition/never").refused(404, "IEUM-R006");
    assert_eq!(hidden.body, never.body);
    for path in ["/Patient/b", "/Patient/b/_history", "/Patient/b/_history/1"] {
        server.get_as(&own, path).refused(404, "IEUM-R006");
    }
    for (path, count) in [
        ("/Patient", 1),
        ("/Condition", 1),
        ("/Patient?_id=b", 0),
        ("/Patient?active=true", 1),
        ("/Condition?subject=Patient/b", 0),
        ("/Condition?subject:Patient.active=true", 1),
        ("/Patient?_has:Condition:patient:_id=c-b", 0),
        ("/Patient/_history", 1),
        ("/_history", 3),
    ] {
        let bundle = server.get_as(&own, path).expect(200).json();
        assert!(bundle["total"].is_null() || bundle["total"] == count, "{path}");
        assert_eq!(entries(&bundle).len(), count, "{path}");
        assert!(!bundle["entry"].to_string().contains("Patient/b"), "{path}");
    }
    let operator = server.account(Role::Operator, None);
    assert_eq!(server.get_as(&operator, "/Patient").expect(200).json()["total"], 0);
    assert!(entries(&server.get_as(&operator, "/_history").expect(200).json()).is_empty());
}

// threat: 3
fn hidden_records_do_not_exist(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    let clinician = server.account(Role::Clinician, None);
    let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]}"#;
    let body =
        format!(r#"{{"resourceType":"Patient","id":"v",{label},"identifier":[{{"value":"secret"}}]}}"#);
    server.send_as(&service, "PUT", "/Patient/v", &body).expect(201);
    server.get_as(&clinician, "/Patient/v").refused(404, "IEUM-R006");
    assert_eq!(server.get_as(&clinician, "/Patient?identifier=secret").json()["total"], 0);
    // Conditions do not probe for what is hidden, and nothing hidden is deleted.
    let bearer = format!("Bearer {clinician}");
    // A patch would show what it is applied to.
    let test = r#"[{"op":"test","path":"/identifier/0/value","value":"secret"}]"#;
    for path in ["/Patient/v", "/Patient?identifier=secret"] {
        let json_patch =
            [("authorization", bearer.as_str()), ("content-type", "application/json-patch+json")];
        server.request("PATCH", path, &json_patch, Some(test.as_bytes())).refused(404, "IEUM-R006");
    }
    let reply = server.send(
        "POST",
        "/Patient",
        &[("authorization", &bearer), ("if-none-exist", "identifier=secret")],
        r#"{"resourceType":"Patient","identifier":[{"value":"secret"}]}"#,
    );
    reply.expect(201);
    server.request("DELETE", "/Patient/v", &[("authorization", &bearer)], None).expect(204);
    let overwrite = r#"{"resourceType":"Patient","id":"v"}"#;
    server.send_as(&clinician, "PUT", "/Patient/v", overwrite).refused(403, "IEUM-R002");
    assert_eq!(server.get_as(&service, "/Patient/v").expect(200).json()["meta"]["versionId"], "1");
}

// threat: 4
fn labels_inside_hide_the_whole(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    let clinician = server.account(Role::Clinician, None);
    let very = r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}"#;
    let subject = r#""subject":{"reference":"Patient/p"}"#;
    let document = format!(
        r#"{{"resourceType":"Bundle","id":"x","type":"document","timestamp":"2026-01-01T00:00:00Z","identifier":{{"value":"1"}},"entry":[{{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{{"resourceType":"Composition","meta":{{"security":[{very}]}},"status":"final","type":{{"text":"x"}},{subject},"date":"2026","author":[{{"display":"x"}}],"title":"x"}}}}]}}"#
    );
    let reference = format!(
        r#"{{"resourceType":"DocumentReference","id":"x","status":"current",{subject},"securityLabel":[{{"coding":[{very}]}}],"content":[{{"attachment":{{"title":"x"}}}}]}}"#
    );
    for (kind, body) in [("Bundle", document), ("DocumentReference", reference)] {
        let path = format!("/{kind}/x");
        server.send_as(&service, "PUT", &path, &body).expect(201);
        server.get_as(&service, &path).expect(200);
        server.get_as(&clinician, &path).refused(404, "IEUM-R006");
        assert_eq!(server.get_as(&clinician, &format!("/{kind}")).json()["total"], 0, "{kind}");
        // The same without the label is seen.
        let plain = body.replace("\"V\"", "\"N\"");
        server.send_as(&service, "PUT", &path, &plain).expect(200);
        server.get_as(&clinician, &path).expect(200);
    }
}

fn open_hubs_stay_at_home(kind: Kind) {
    // The engine does not matter; the rule does.
    let server = Server::open(kind);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let hub = ieum::hub::Hub::new(
        server.door.clone(),
        ieum_store::clock::system_clock(),
        ieum::hub::Options {
            base_url: server.base.clone(),
            entrance: ieum::hub::Entrance::Open,
            limits: ieum::limits::Limits::default(),
        },
    );
    runtime.block_on(async {
        let listening = ieum::server::Listening::on(([0, 0, 0, 0], 0).into()).await.unwrap();
        let result = listening.serve(&hub, ieum::server::router(hub.clone()), std::future::pending()).await;
        assert!(matches!(result, Err(ieum::server::ServerError::OpenBeyondLoopback)));
    });
}
