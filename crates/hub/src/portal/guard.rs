//! Where a request may come from.
//!
//! A form must come from our own page: the browser says so in `Origin` and `Sec-Fetch-Site`, and the page proves it with
//! its session's token. An open hub answers under loopback names only, so that no page of another site can reach it by
//! giving itself the address 127.0.0.1.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, Uri, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Headers by which a proxy says that the request is not its own.
const FORWARDED: [HeaderName; 3] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// Whether a form was sent from our own page. At least one of the two headers must be there and none may object.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(&SEC_FETCH_SITE);
    let origin = text(&header::ORIGIN);
    if site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    match origin {
        None => site.is_some(),
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(&header::HOST)
        }
    }
}

/// Whether a browser, if it is one, asks on behalf of our own pages.
pub(crate) fn is_not_of_another_origin(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::ORIGIN) || is_same_origin(headers)
}

/// Whether the request names this machine by a name that only means this machine.
pub(crate) fn is_loopback_host(headers: &HeaderMap, uri: &Uri) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.or(uri.host()).is_some_and(is_loopback_name)
}

/// Whether a URL leads to this machine itself.
pub(crate) fn is_loopback_url(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    is_loopback_name(rest.split('/').next().unwrap_or_default())
}

/// The name of the session cookie of a hub at a URL. Over TLS the prefix makes browsers hold it to this host. On
/// loopback browsers share cookies over all ports, and hubs beside one another must not sign each other's people out.
pub(crate) fn cookie_name(url: &str, is_secure: bool) -> String {
    if is_secure {
        return "__Host-ieum".to_owned();
    }
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port { format!("ieum-{port}") } else { "ieum".to_owned() }
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the request was made on this machine, and not by a proxy for somebody else. A proxy that says nothing of itself
/// still asks under the name by which it is reached.
pub(crate) fn is_local(peer: Option<IpAddr>, headers: &HeaderMap, uri: &Uri) -> bool {
    peer.is_some_and(|peer| peer.is_loopback())
        && is_loopback_host(headers, uri)
        && !FORWARDED.iter().any(|name| headers.contains_key(name))
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    cookies.find(|(given, _)| *given == name).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    // threat: 23
    #[test]
    fn forms_come_from_our_own_pages_only() {
        let here = ("host", "hub.kr:8080");
        for (pairs, expected) in [
            (vec![here], false),
            (vec![here, ("origin", "http://hub.kr:8080")], true),
            (vec![here, ("origin", "https://hub.kr:8080"), ("sec-fetch-site", "same-origin")], true),
            (vec![here, ("sec-fetch-site", "same-origin")], true),
            (vec![here, ("origin", "http://hub.kr")], false),
            (vec![here, ("origin", "null"), ("sec-fetch-site", "same-origin")], false),
            (vec![here, ("origin", "http://hub.kr:8080"), ("sec-fetch-site", "cross-site")], false),
            (vec![here, ("origin", "http://hub.kr:8080"), ("sec-fetch-site", "same-site")], false),
            (vec![("origin", "http://hub.kr:8080")], false),
        ] {
            assert_eq!(is_same_origin(&headers(&pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn loopback_is_told_by_name() {
        for name in ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "127.3.2.1", "[::1]:80", "[::1]"] {
            assert!(is_loopback_host(&headers(&[("host", name)]), &Uri::default()), "{name}");
        }
        for name in ["hub.kr", "127.0.0.1.hub.kr", "localhost.hub.kr", "10.0.0.1", "", "[::2]"] {
            assert!(!is_loopback_host(&headers(&[("host", name)]), &Uri::default()), "{name}");
        }
        assert!(is_loopback_url("http://127.0.0.1:8080/fhir") && !is_loopback_url("https://hub.kr/fhir"));
    }

    // threat: 22
    #[test]
    fn a_proxy_on_this_machine_is_not_this_machine() {
        let here = Some("127.0.0.1".parse().unwrap());
        let is_local =
            |peer, pairs: &[(&'static str, &str)]| is_local(peer, &headers(pairs), &Uri::default());
        let name = ("host", "localhost:9090");
        assert!(is_local(here, &[name]));
        assert!(!is_local(here, &[name, ("x-forwarded-for", "10.1.1.1")]));
        assert!(!is_local(here, &[("host", "hub.kr")]), "a proxy that says nothing of itself");
        assert!(!is_local(here, &[]));
        assert!(!is_local(Some("10.0.0.1".parse().unwrap()), &[name]));
        assert!(!is_local(None, &[name]));
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers(&[("cookie", "a=1; ieum=xyz;b=2")]);
        assert_eq!(cookie(&headers, "ieum").as_deref(), Some("xyz"));
        assert_eq!(cookie(&headers, "eum"), None);
    }

    #[test]
    fn hubs_on_other_ports_have_cookies_of_their_own() {
        for (url, secure, name) in [
            ("http://127.0.0.1:8080/fhir", false, "ieum-8080"),
            ("http://[::1]:9000/fhir", false, "ieum-9000"),
            ("http://[::1]/fhir", false, "ieum"),
            ("http://localhost/fhir", false, "ieum"),
            ("https://hub.example:8443/fhir", true, "__Host-ieum"),
        ] {
            assert_eq!(cookie_name(url, secure), name);
        }
    }
}
