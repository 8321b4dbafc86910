//! Requests that the hub makes to others: only to origins that the operator allows, and never to where a client could not
//! get by itself (server-side request forgery, OWASP). No redirect is followed, no proxy is used, and the address that is
//! connected to is the one that was looked at. Certificates are judged by what this machine trusts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::{HeaderName, StatusCode};
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// Where notifications may go.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Origins, such as `https://emr.example`; none by default.
    pub origins: Vec<String>,
    /// Whether these may lie in private networks or on this machine.
    pub private: bool,
}

impl Rules {
    /// Whether something may be sent there.
    ///
    /// # Errors
    /// What to do, for whoever asked. It does not repeat the address.
    pub fn check(&self, url: &str) -> Result<(), String> {
        check(url, &self.origins).map_err(|what| {
            format!("{what}; the operator allows origins with the setting subscription_origins")
        })
    }

    /// A client that keeps to these rules.
    #[must_use]
    pub fn client(&self) -> Client {
        Client(agent(self.private, |config| config.max_idle_connections_per_host(1)))
    }
}

/// What sends notifications to one receiver.
pub struct Client(ureq::Agent);

/// Why something was not sent, or not taken. It says nothing of what was sent, or of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The operator does not allow it any more.
    #[error("the address is not allowed")]
    NotAllowed,
    /// No connection, or a private address, or a certificate that is not trusted.
    #[error("no connection")]
    Unreachable,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// An answer other than 2xx.
    #[error("answered with status {0}")]
    Status(u16),
}

/// Bytes of an answer that are read, so that the connection can be used again.
const ANSWER_BYTES: u64 = 64 << 10;

impl Client {
    /// Sends FHIR JSON; the receiver must take it with 2xx.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn post<'h>(
        &self,
        rules: &Rules,
        url: &str,
        headers: impl Iterator<Item = (HeaderName, &'h str)>,
        body: &[u8],
        time: Duration,
    ) -> Result<(), Trouble> {
        rules.check(url).map_err(|_| Trouble::NotAllowed)?;
        let mut request = self.0.post(url).config().timeout_global(Some(time)).build();
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/fhir+json");
        let mut response = request.send(body).map_err(|error| match error {
            ureq::Error::Timeout(_) => Trouble::Timeout,
            _ => Trouble::Unreachable,
        })?;
        let status: StatusCode = response.status();
        // What it says is of no interest, and is not kept.
        let _ = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
        if status.is_success() { Ok(()) } else { Err(Trouble::Status(status.as_u16())) }
    }
}

/// Whether an address is of an allowed origin; what to do, if not.
///
/// # Errors
/// What to do. It does not repeat the address.
pub fn check(url: &str, origins: &[String]) -> Result<(), String> {
    let refused = |what: &str| Err(what.to_owned());
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return refused("the address cannot be read") };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return refused("the address must be whole, with scheme and host");
    };
    if authority.as_str().contains('@') {
        return refused("the address must not hold a name or password");
    }
    let origin = format!("{scheme}://{authority}");
    let is_allowed = |allowed: &&String| allowed.trim_end_matches('/').eq_ignore_ascii_case(&origin);
    if origins.iter().find(is_allowed).is_none() {
        return refused("this origin is not allowed");
    }
    Ok(())
}

/// A client that connects to public addresses only, or also to private ones.
pub fn agent(
    private: bool,
    set: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
) -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(trusted()))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .tls_config(tls);
    let resolver = Guarded { private, inner: DefaultResolver::default() };
    ureq::Agent::with_parts(set(config).build(), DefaultConnector::default(), resolver)
}

/// The authorities that this machine trusts, read once.
fn trusted() -> Arc<Vec<Certificate<'static>>> {
    static TRUSTED: OnceLock<Arc<Vec<Certificate<'static>>>> = OnceLock::new();
    let load = || {
        let found = rustls_native_certs::load_native_certs();
        for error in found.errors {
            tracing::warn!(error = %error, "certificates that this machine trusts cannot be read");
        }
        Arc::new(
            found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect(),
        )
    };
    Arc::clone(TRUSTED.get_or_init(load))
}

/// Names only those addresses that may be connected to.
#[derive(Debug)]
struct Guarded {
    private: bool,
    inner: DefaultResolver,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        // One private address among several is enough to refuse: which one is taken is not ours to say.
        if self.private || found.iter().all(|address| is_public(address.ip())) {
            Ok(found)
        } else {
            Err(ureq::Error::HostNotFound)
        }
    }
}

/// Whether an address belongs to the public internet (the registries of special addresses: RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        // Written as IPv6, meant as IPv4: mapped, translated, 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(v4(high, low))
        }
        [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        // Teredo, benchmarking, ORCHID, documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        // Of the rest only global unicast.
        [first, ..] => (0x2000..0x4000).contains(&first) && first != 0x3fff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: 19
    #[test]
    fn only_public_addresses_are_public() {
        for public in
            ["1.1.1.1", "203.248.252.2", "2606:4700::1111", "2001:2b8::1", "::ffff:8.8.8.8", "2002:808:808::"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    // threat: 19
    #[test]
    fn only_allowed_origins_are_taken() {
        let origins = ["http://files.example:8000/".to_owned()];
        assert_eq!(check("http://files.example:8000/a/b.ndjson?x=1", &origins), Ok(()));
        assert_eq!(check("HTTP://Files.Example:8000/a", &origins), Ok(()));
        for refused in [
            "http://files.example/a",
            "https://files.example:8000/a",
            "http://files.example:8000.evil.example/a",
            "http://files.example:8000@evil.example/a",
            "http://user:word@files.example:8000/a",
            "http://evil.example/?http://files.example:8000/",
            "//files.example:8000/a",
            "file:///etc/passwd",
            "/a",
            "",
        ] {
            assert!(check(refused, &origins).is_err(), "{refused}");
        }
        assert!(check("http://files.example:8000/a", &[]).is_err());
    }
}
