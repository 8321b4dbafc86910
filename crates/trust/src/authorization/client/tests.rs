//! What can be registered, and what cannot.

use super::*;

fn client() -> Client {
    let scopes = Scopes::parse("launch/patient patient/*.rs").unwrap();
    let redirect_uris = vec!["https://app.example/back".into()];
    Client { redirect_uris, ..Client::new("혈압 수첩", "이음 시험", Policy::Smart, scopes) }
}

fn told(change: impl FnOnce(&mut Client)) -> Option<String> {
    let mut changed = client();
    change(&mut changed);
    changed.check().err().map(|error| error.to_string())
}

#[test]
fn codes_are_sent_to_safe_addresses_only() {
    for good in [
        "https://app.example/back",
        "https://app.example",
        "https://app.example:8443/a?b=c",
        "http://127.0.0.1:5000/back",
        "http://localhost/back",
        "http://[::1]:1/",
    ] {
        assert!(is_address(good), "{good}");
    }
    for bad in [
        "http://app.example/back",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "https://hub.kr@evil.example/",
        "http://localhost:1@evil.example/",
        "https:///back",
        "https://",
        "https://app.example/#part",
        "https://app.example/a b",
        "https://app.example/\r\nSet-Cookie: a=b",
        "https://app.example/한글",
        "javascript:alert(1)",
        "app.example/back",
        "",
        &format!("https://app.example/{}", "a".repeat(ADDRESS_BYTES)),
    ] {
        assert!(!is_address(bad), "{bad}");
    }
    assert!(told(|client| client.redirect_uris = vec!["https://a.kr".into(); 11]).is_some());
}

#[test]
fn what_does_not_go_together_is_not_registered() {
    let scopes = |text: &str| Scopes::parse(text).unwrap();
    assert_eq!(told(|_| {}), None);
    assert!(told(|client| client.policy = Policy::Fapi2).unwrap().contains("--jwks"));
    assert!(told(|client| client.name = " ".into()).unwrap().contains("name"));
    assert!(told(|client| client.organization = "가".repeat(81)).unwrap().contains("name"));
    assert!(told(|client| client.name = "a\nb".into()).unwrap().contains("name"));
    assert!(told(|client| client.redirect_uris.clear()).unwrap().contains("--redirect"));
    assert!(told(|client| client.account = Some("a".into())).unwrap().contains("--account"));
    assert!(told(|client| client.scopes = scopes("system/*.rs")).unwrap().contains("--account"));
    assert!(told(|client| client.scopes = scopes("launch patient/*.rs")).unwrap().contains("--launch"));
    let alone = told(|client| {
        client.scopes = scopes("system/*.rs");
        client.account = Some("a".into());
        client.redirect_uris.clear();
    });
    assert!(alone.unwrap().contains("--jwks"));
    let private = serde_json::json!({ "keys": [{ "kty": "EC", "crv": "P-256", "d": "AA" }] });
    assert!(told(|client| client.jwks = Some(private)).unwrap().contains("private"));
}
