//! Under which names a hub answers.

use std::time::Duration;

use crate::support::{Kind, Server, on_every_engine, patient};

on_every_engine!(open_hubs_answer_under_names_of_this_machine_only);

fn status(server: &Server, method: &str, path: &str, host: &str, body: &str) -> String {
    let request = format!(
        "{method} /fhir{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let reply = server.raw(request.as_bytes(), Duration::from_secs(5));
    if reply.starts_with("HTTP/1.1 403") {
        assert!(reply.contains("IEUM-R032") && reply.contains("x-request-id"), "{reply}");
    }
    reply.chars().skip(9).take(3).collect()
}

/// DNS rebinding: a page of another site gives its own name the address 127.0.0.1, and its scripts ask us under it.
// threat: 22
fn open_hubs_answer_under_names_of_this_machine_only(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    for host in ["evil.test", "evil.test:9151", "127.0.0.1.evil.test", "localhost.evil.test", "10.0.0.1", ""]
    {
        for (method, path, body) in [
            ("GET", "/Patient", String::new()),
            ("GET", "/metadata", String::new()),
            ("GET", "", String::new()),
            ("POST", "/Patient", patient("1", "김")),
            ("DELETE", "/Patient/p", String::new()),
        ] {
            assert_eq!(status(&server, method, path, host, &body), "403", "{method} {path} as {host}");
        }
    }
    let port = server.address.port();
    for host in
        ["localhost".to_owned(), format!("127.0.0.1:{port}"), format!("[::1]:{port}"), "LOCALHOST".into()]
    {
        assert_eq!(status(&server, "GET", "/Patient/p", &host, ""), "200", "{host}");
    }
    assert_eq!(server.count("/_history"), 1);
    // Where accounts are asked for, names are the business of whoever runs the hub.
    let server = Server::with_accounts(kind);
    assert_eq!(status(&server, "GET", "/metadata", "hub.example", ""), "200");
}
