//! The places in which canaries are put.

use serde_json::json;

use super::{Client, ID, patient};

pub(super) fn records(client: &mut Client) {
    let id = format!("{ID}-p");
    // The import has brought it already.
    assert_eq!(client.fhir("PUT", &format!("/Patient/{id}"), &patient().to_string()).status, 200);
    let subject = json!({"reference": format!("Patient/{id}"), "display": "cnry-display"});
    for (kind, more) in [
        ("Condition", json!({"code": {"text": "cnry-diagnosis"}, "note": [{"text": "cnry-note"}]})),
        (
            "Observation",
            json!({"status": "final", "code": {"text": "cnry-test"}, "valueString": "cnry-value"}),
        ),
        (
            "DocumentReference",
            json!({"status": "current", "description": "cnry-document",
            "content": [{"attachment": {"contentType": "text/plain", "title": "cnry-file.txt", "data": "Y25yeQ=="}}]}),
        ),
    ] {
        let mut body = json!({"resourceType": kind, "id": format!("{ID}-{kind}"), "subject": subject});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(client.fhir("PUT", &format!("/{kind}/{ID}-{kind}"), &body.to_string()).status, 201);
    }
    for path in [
        format!("/Patient/{id}"),
        format!("/Patient/{id}/_history/1"),
        format!("/Patient/{id}/$everything"),
        format!("/Patient/{id}/_history"),
    ] {
        assert_eq!(client.fhir("GET", &path, "").status, 200);
    }
    for path in [
        format!("/Patient/{ID}-none"),
        format!("/Patient/{ID}.{}", "x".repeat(80)),
        format!("/Patient/{id}/cnry-operation"),
        format!("/cnry-type/{id}"),
        format!("/Patient/{id}/$cnry"),
        format!("/$jobs/{ID}"),
        format!("/$jobs/{ID}/cnry.ndjson"),
        format!("/Patient/{id}/_history/cnry"),
        format!("/Patient/{id}/cnry/cnry/cnry"),
        "/Patient/%ffcnry".to_owned(),
        "/Subscription/cnry/$events".to_owned(),
    ] {
        assert!(client.fhir("GET", &path, "").status >= 400, "{path}");
    }
}

pub(super) fn searches(client: &mut Client) {
    let values = [
        "name=cnry",
        "name=%EC%B9%B4%EB%82%98%EB%A6%AC",
        "identifier=urn:cnry%7C900231-1999991",
        "phone=010-0000-7391",
        "birthdate=cnry",
        "_lastUpdated=cnry",
        "_count=cnry",
        "_sort=-cnry",
        "_include=cnry:cnry",
        "_revinclude=Condition:cnry",
        "_page=cnry",
        "_elements=cnry",
        "_summary=cnry",
        "_total=cnry",
        "_format=cnry",
        "_has:Condition:subject:code=cnry",
        "_has:zznm:zznm:zznm=cnry",
        "general-practitioner.name=cnry",
        "organization=cnry%7Ccnry%25",
        "gender:in=http://cnry.example/cnry",
        "birthdate=gt1911-02-03cnry",
        "name=cnry%ff",
        "_filter=name%20eq%20cnry",
        "zznm=cnry",
        "name:zznm=cnry",
        "_type=cnry",
        "_list=cnry",
        "_text=cnry",
        "_content=cnry",
        "_id=cnry",
        "_id=%00cnry",
        "address:exact=cnry&address:zznm=cnry",
        "_tag=cnry%7C",
    ];
    for value in values {
        client.fhir("GET", &format!("/Patient?{value}"), "");
        client.form("/fhir/Patient/_search", value, &[]);
        client.fhir("GET", &format!("/Condition?subject:Patient.{value}"), "");
        client.fhir("DELETE", &format!("/Patient?{value}&_id=none"), "");
        let entry = json!([{"request": {"method": "GET", "url": format!("Patient?{value}")}}]);
        for kind in ["batch", "transaction", "cnry"] {
            client.fhir(
                "POST",
                "",
                &json!({"resourceType": "Bundle", "type": kind, "entry": entry}).to_string(),
            );
        }
    }
}

pub(super) fn headers(client: &mut Client) {
    for name in [
        "accept",
        "content-type",
        "prefer",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-none-exist",
        "range",
        "dpop",
        "user-agent",
        "referer",
        "cookie",
        "x-request-id",
        "x-forwarded-for",
        "traceparent",
        "origin",
        "accept-language",
        "zznm",
        "authorization",
        "expect",
    ] {
        for value in [
            "cnry-header 900231-1999991",
            "Bearer cnry.cnry.cnry",
            "DPoP cnry",
            "name=cnry",
            "W/\"cnry\"",
            "respond-async; cnry=cnry",
        ] {
            client.ask("GET", &format!("/fhir/Patient/{ID}-none"), &[(name, value)], b"");
            client.ask(
                "POST",
                "/fhir/Patient",
                &[("content-type", "application/json"), (name, value)],
                br#"{"resourceType":"Patient","active":"cnry"}"#,
            );
            client.ask("GET", "/patients", &[(name, value)], b"");
            client.form("/oauth/token", "grant_type=cnry", &[(name, value)]);
        }
    }
    client.ask("CNRY", "/fhir/Patient", &[], b"");
    client.ask("CNRY", "/patients/cnry", &[], b"");
    client.ask(
        "OPTIONS",
        "/fhir/cnry",
        &[("origin", "http://cnry.example"), ("access-control-request-method", "CNRY")],
        b"",
    );
}

pub(super) fn bodies(client: &mut Client) {
    let bodies: [&[u8]; 14] = [b"zznm=cnry", b"{\"cnry", b"{\"zznm\":\"cnry\"}", b"{\"resourceType\":\"cnry\"}", b"[\"cnry\"]", b"\xffcnry", b"<Patient><cnry/></Patient>",
        br#"{"resourceType":"Patient","birthDate":"cnry","gender":"cnry","name":"cnry","telecom":[{"system":"cnry"}],"zznm":"cnry"}"#,
        br#"{"resourceType":"Patient","active":true,"name":[{"family":"cnry","family":"cnry"}]}"#,
        br#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>cnry</script></div>"}}"#,
        br#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"cnry","resource":{"resourceType":"Patient","birthDate":"cnry"},"request":{"method":"cnry","url":"cnry?cnry=cnry"}}]}"#,
        br#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Condition","subject":{"reference":"Patient?name=cnry&birthdate=cnry"}},"request":{"method":"POST","url":"Condition","ifNoneExist":"code=cnry&zznm=cnry"}}]}"#,
        br#"[{"op":"test","path":"/name/0/family","value":"cnry"},{"op":"cnry","path":"cnry"}]"#,
        br#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.where(name='cnry').zznm("},{"name":"value","valueString":"cnry"}]}]}"#];
    for body in bodies {
        for media in [
            "application/fhir+json",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/fhir+ndjson",
            "application/x-www-form-urlencoded",
            "text/cnry",
        ] {
            for (method, path) in [
                ("POST", "/fhir/Patient"),
                ("PUT", "/fhir/Patient/new"),
                ("PATCH", "/fhir/Patient/kidx-p"),
                ("POST", "/fhir"),
                ("POST", "/fhir/Patient/_search"),
                ("POST", "/fhir/Patient/kidx-p/$everything"),
                ("POST", "/fhir/Subscription"),
                ("POST", "/fhir/SearchParameter"),
            ] {
                client.ask(
                    method,
                    path,
                    &[("content-type", media), ("prefer", "return=OperationOutcome")],
                    body,
                );
            }
        }
    }
}

pub(super) fn subscriptions(client: &mut Client, origin: &str) {
    let url =
        |name: &str| format!("http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/{name}");
    // Nobody is there; a place that is not allowed; what is no address.
    for endpoint in [
        format!("{origin}/cnry-path?cnry=900231-1999991"),
        "https://cnry:cnry@cnry.example/cnry".to_owned(),
        "cnry".to_owned(),
    ] {
        for (criteria, filter) in [
            ("https://ieum.example/topics/resource-changed", "Patient?name=cnry"),
            ("cnry", "cnry"),
            ("https://ieum.example/topics/resource-changed", "Patient?birthdate=cnry"),
        ] {
            let body = json!({"resourceType": "Subscription", "status": "requested", "reason": "cnry-reason", "criteria": criteria,
                "_criteria": {"extension": [{"url": url("backport-filter-criteria"), "valueString": filter}]},
                "channel": {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json", "header": ["X-Cnry: cnry-header"],
                    "_payload": {"extension": [{"url": url("backport-payload-content"), "valueCode": "full-resource"}]}}});
            client.fhir("POST", "/Subscription", &body.to_string());
        }
    }
}

pub(super) fn jobs(client: &mut Client, origin: &str) {
    let later = ("prefer", "respond-async");
    let lines = format!(
        "{}\n{{\"resourceType\":\"Patient\",\"birthDate\":\"cnry\"}}\ncnry\n{{\"zznm\":\"cnry\"}}\n",
        patient()
    );
    client.ask(
        "POST",
        "/fhir/$import",
        &[("content-type", "application/fhir+ndjson"), later],
        lines.as_bytes(),
    );
    for source in [
        format!("{origin}/cnry.ndjson?cnry=010-0000-7391"),
        "https://cnry.example/cnry".to_owned(),
        "cnry".to_owned(),
    ] {
        let body = json!({"resourceType": "Parameters", "parameter": [{"name": "inputFormat", "valueCode": "application/fhir+ndjson"},
            {"name": "inputSource", "valueUri": "http://cnry.example"}, {"name": "storageDetail", "part": [{"name": "type", "valueCode": "https"}]},
            {"name": "input", "part": [{"name": "type", "valueCode": "Patient"}, {"name": "url", "valueUrl": source}]}]});
        client.ask(
            "POST",
            "/fhir/$import",
            &[("content-type", "application/fhir+json"), later],
            body.to_string().as_bytes(),
        );
    }
    for query in [
        "_typeFilter=Patient%3Fname%3Dcnry",
        "_typeFilter=Patient%3Fbirthdate%3Dcnry",
        "_type=cnry",
        "_since=cnry",
        "zznm=cnry",
        "_outputFormat=cnry",
        "patient=Patient/cnry",
        "_elements=cnry",
    ] {
        client.ask("GET", &format!("/fhir/$export?{query}"), &[later], b"");
        client.ask("GET", &format!("/fhir/Group/cnry/$export?{query}"), &[later], b"");
        client.ask("GET", &format!("/fhir/Patient?name=cnry&{query}"), &[later], b"");
    }
}

pub(super) fn apps(client: &mut Client) {
    let all = [
        "client_id",
        "client_assertion",
        "client_assertion_type",
        "code",
        "code_verifier",
        "redirect_uri",
        "refresh_token",
        "scope",
        "state",
        "request_uri",
        "token",
        "aud",
        "launch",
        "response_type",
        "code_challenge",
        "zznm",
    ];
    let pairs: Vec<String> = all.iter().map(|name| format!("{name}=cnry%20900231-1999991")).collect();
    let form = pairs.join("&");
    for path in ["/oauth/par", "/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
        for grant in ["cnry", "authorization_code", "refresh_token", "client_credentials"] {
            client.form(path, &format!("grant_type={grant}&{form}"), &[("authorization", "")]);
        }
        client.form(path, "cnry=%ff", &[]);
        client.ask("POST", path, &[("content-type", "text/cnry")], b"cnry");
        client.ask("GET", &format!("{path}?{form}"), &[], b"");
    }
    client.ask("GET", &format!("/oauth/authorize?{form}"), &[], b"");
    client.ask("GET", "/oauth/consent/cnry", &[], b"");
}

pub(super) fn pages(client: &mut Client, cookies: &[String]) {
    let origin = format!("http://{}", client.address);
    for path in [
        "/cnry",
        "/patients/cnry",
        "/welcome/cnry",
        "/assets/cnry",
        "/sign-in?next=/cnry",
        "/?lang=cnry",
        "/patients?q=cnry",
        "/patients/kidx-p/results/cnry",
        "/manager/staff/cnry",
        "/%ffcnry",
    ] {
        client.ask("GET", path, &[], b"");
        for cookie in cookies {
            client.ask("GET", path, &[("cookie", cookie)], b"");
            client.form(path, "cnry=cnry&csrf=cnry", &[("cookie", cookie), ("origin", &origin)]);
        }
    }
    for path in [
        "/sign-in",
        "/sign-in/password",
        "/sign-in/passkey",
        "/welcome/cnry",
        "/sign-out",
        "/enter",
        "/patients/kidx-p/apps/cnry",
    ] {
        client.form(
            path,
            "secret=cnry&login=cnry&password=900231-1999991&code=cnry&answer=cnry&next=/cnry",
            &[("origin", &origin)],
        );
        client.form(path, "login=cnry", &[("origin", "http://cnry.example")]);
    }
    for page in [
        "/patients/kidx-p",
        "/patients?q=cnry-family",
        "/me",
        "/me/documents",
        "/operator",
        "/operator/jobs",
        "/operator/subscriptions",
        "/operator/feed",
    ] {
        for cookie in cookies {
            client.ask("GET", page, &[("cookie", cookie)], b"");
        }
    }
}
