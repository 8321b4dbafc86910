//! Where settings come from, and what cannot be served.

use super::*;

#[test]
fn later_sources_win_and_tell() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("ieum.toml"), "log = 'json'\nlisten = '127.0.0.1:1'\n").unwrap();
    let flags = Flags { listen: Some("127.0.0.1:2".parse().unwrap()), ..Flags::default() };
    let loaded = Loaded::new(data.path(), &flags).unwrap();
    assert_eq!(loaded.settings.listen.port(), 2);
    assert_eq!(loaded.settings.log, LogFormat::Json);
    let origins: Vec<_> = loaded.shown().into_iter().map(|shown| (shown.name, shown.origin)).collect();
    assert_eq!(origins[0], ("listen", "flag".into()));
    assert_eq!(origins[1], ("open", "default".into()));
    assert!(origins[4].1.ends_with("ieum.toml"), "{origins:?}");
}

#[test]
fn unknown_settings_are_refused() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("ieum.toml"), "listn = '127.0.0.1:1'\n").unwrap();
    let error = Loaded::new(data.path(), &Flags::default()).unwrap_err().to_string();
    assert!(error.contains("listn"), "{error}");
}

#[test]
fn names_can_be_listened_on() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("ieum.toml"), "listen = 'localhost:9152'\n").unwrap();
    let listen = Loaded::new(data.path(), &Flags::default()).unwrap().settings.listen;
    assert!(listen.ip().is_loopback() && listen.port() == 9152);
    for wrong in ["localhost", "127.0.0.1", ":80", "127.0.0.1:99999", ""] {
        assert!(address(wrong).is_err_and(|text| text.contains("127.0.0.1:8080")), "{wrong}");
    }
}

#[test]
fn what_cannot_be_served_is_told_before_it_is() {
    let with = |listen: &str, open, base_url: &str| {
        let base_url = Some(base_url.to_owned()).filter(|text| !text.is_empty());
        Settings { listen: listen.parse().unwrap(), open, base_url, ..Settings::default() }.check()
    };
    assert_eq!(with("127.0.0.1:80", true, ""), Ok(()));
    assert_eq!(with("0.0.0.0:80", true, "https://hub.kr/fhir"), Err(Misfit::OpenBeyondLoopback));
    assert_eq!(with("0.0.0.0:80", false, ""), Err(Misfit::BaseUrlMissing));
    assert_eq!(with("0.0.0.0:80", false, "https://hub.kr/fhir"), Ok(()));
    assert_eq!(with("127.0.0.1:80", false, "https://hub.kr/fhir"), Ok(()));
    assert_eq!(with("127.0.0.1:80", false, "http://localhost:80/fhir"), Ok(()));
    assert_eq!(with("127.0.0.1:80", false, "http://hub.kr/fhir"), Err(Misfit::BaseUrlPlain));
    let with_tls = |certificate: bool, clients: bool, base_url: &str| {
        let file = |is_there: bool| is_there.then(|| PathBuf::from("file.pem"));
        let base_url = Some(base_url.to_owned()).filter(|text| !text.is_empty());
        let (tls_certificate, tls_key, client_ca) = (file(certificate), file(true), file(clients));
        Settings { tls_certificate, tls_key, client_ca, base_url, ..Settings::default() }.check()
    };
    assert_eq!(with_tls(true, true, ""), Ok(()));
    assert_eq!(with_tls(true, false, "https://localhost/fhir"), Ok(()));
    assert_eq!(with_tls(true, false, "http://localhost/fhir"), Err(Misfit::BaseUrlNotTls));
    assert_eq!(with_tls(false, false, ""), Err(Misfit::TlsHalf));
    let client_ca = Some(PathBuf::from("file.pem"));
    assert_eq!(Settings { client_ca, ..Settings::default() }.check(), Err(Misfit::ClientsWithoutTls));
    for wrong in ["hub.kr/fhir", "/fhir", "ftp://hub.kr/fhir", "https://", "https://hub.kr/fhir?a=b"] {
        assert_eq!(with("127.0.0.1:80", false, wrong), Err(Misfit::BaseUrlForm), "{wrong}");
    }
}
