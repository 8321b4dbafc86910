//! Who may do what: every route is tried by nobody and by every role.

use ieum::routes::{self, Route, Who};
use ieum_trust::access::{Access, Role};

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

/// What each route is expected to ask for: a route without a row here fails the test.
const EXPECTED: &[(&str, &str, Who, &str)] = &[
    ("GET", "/fhir/metadata", Who::Anybody, "capabilities"),
    ("GET", "/fhir/.well-known/smart-configuration", Who::Anybody, "smart-configuration"),
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

fn every_route_asks_who_it_is(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    let canary = r#"{"resourceType":"Patient","id":"canary","name":[{"family":"카나리아"}]}"#;
    server.send_as(&service, "PUT", "/Patient/canary", canary).expect(201);
    let roles = Role::ALL.into_iter().filter(|role| *role != Role::Open);
    let accounts: Vec<_> = roles.map(|role| (role, server.account(role, Some("somebody-else")))).collect();
    let mut rows = EXPECTED.to_vec();
    for route in routes::all() {
        let method = route.method.as_str();
        let row =
            rows.iter().position(|(expected, pattern, ..)| *expected == method && *pattern == route.pattern);
        let (_, _, who, action) =
            rows.remove(row.unwrap_or_else(|| panic!("{method} {} has no row", route.pattern)));
        assert_eq!((route.who, route.action), (who, action), "{method} {}", route.pattern);
        let path = path(route);
        let body = ["POST", "PUT", "PATCH"].contains(&method).then_some(canary.as_bytes());
        let json = ("content-type", "application/fhir+json");
        let nobody = server.request(method, &path, &[json], body);
        if who == Who::Anybody {
            // Whoever opens a WebSocket is nobody until they show a token; see `subscriptions::socket`.
            assert_eq!(nobody.status, if route.pattern == "/fhir/$ws" { 426 } else { 200 });
            continue;
        }
        let nobody = nobody.refused(401, "IEUM-R001");
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"ieum\""));
        for (role, secret) in &accounts {
            let bearer = format!("Bearer {secret}");
            // Nothing that would change the canary.
            let body = body.map(|_| &b"{}"[..]);
            let never = ("if-match", "W/\"77\"");
            let reply = server.request(method, &path, &[("authorization", &bearer), json, never], body);
            assert_ne!(reply.status, 401);
            let may = route.who.roles().any(|admitted| admitted == *role);
            assert_eq!(reply.status == 403, !may, "{role:?} {method} {}: {}", route.pattern, reply.text());
            if !matches!(role, Role::Clinician | Role::Service) {
                assert!(!reply.text().contains("카나리아"), "{role:?} {method} {}", route.pattern);
            }
        }
    }
    assert_eq!(rows, [], "rows without a route");
    server.get_as(&service, "/Patient/canary").expect(200);
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
