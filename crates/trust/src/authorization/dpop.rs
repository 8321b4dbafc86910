//! Proof that whoever sends a token holds the key that it is bound to (DPoP, RFC 9449).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::assertion::{AHEAD_SECONDS, JTI_BYTES};
use super::certificate::Chain;
use super::fault::Fault;
use super::jwk::PublicKey;
use super::jws::{Algorithm, Jws};
use super::replay::{Replay, Use};

/// How proofs may be signed.
pub const ALGORITHMS: &[Algorithm] = &[Algorithm::Es256];
/// Seconds for which a proof may be used.
pub const MOST_SECONDS: i64 = 60;

/// What a proof claims.
#[derive(Deserialize)]
struct Claims {
    htm: Option<String>,
    htu: Option<String>,
    iat: Option<i64>,
    jti: Option<String>,
    ath: Option<String>,
}

/// The request that a proof is part of.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// Every value of the header `DPoP`.
    pub proofs: &'a [&'a str],
    /// Method.
    pub method: &'a str,
    /// The address as clients see it; query and fragment do not count.
    pub url: &'a str,
    /// The certificate that the client connected with, and whose key it holds; whose it is has not been asked.
    pub certificate: Option<&'a Chain>,
}

/// The thumbprint of the key that the request proves to hold; `None` when it proves none. With a token, the proof must
/// be for that token.
///
/// # Errors
/// Why the proof is not taken.
pub fn check(
    sent: Sent<'_>,
    token: Option<&str>,
    replay: &Replay,
    now: i64,
) -> Result<Option<String>, Fault> {
    let proof = match sent.proofs {
        [] => return Ok(None),
        [proof] => *proof,
        _ => return Err(Fault::Dpop("send one header DPoP, with one proof")),
    };
    let (jws, jwk) = Jws::read_with_key(proof, ALGORITHMS).map_err(Fault::DpopSignature)?;
    jws.must_be("dpop+jwt").map_err(Fault::DpopSignature)?;
    let key = PublicKey::read(&jwk).map_err(|_| Fault::Dpop("its jwk must be a public EC key on P-256"))?;
    let claims: Claims = jws.claims(&key).map_err(Fault::DpopSignature)?;
    let wrong = |what| Err(Fault::Dpop(what));
    if claims.htm.as_deref() != Some(sent.method) {
        return wrong("htm must be the method of the request");
    }
    if claims.htu.as_deref().and_then(normal) != normal(sent.url) {
        return wrong("htu must be the address of the request, without query");
    }
    let Some(iat) = claims.iat else { return wrong("it has no iat") };
    if iat > now + AHEAD_SECONDS {
        return wrong("it is from the future (iat): set the clock");
    }
    // What was used before a restart is not remembered.
    if iat < now - MOST_SECONDS || iat < replay.began() {
        return wrong(
            "it is over a minute old, or older than the server's last start (iat): make one for each request",
        );
    }
    let expected = token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    if expected.is_some() && claims.ath != expected {
        return wrong("ath must be the digest of the access token");
    }
    let Some(jti) = claims.jti.filter(|jti| !jti.is_empty() && jti.len() <= JTI_BYTES) else {
        return wrong("it has no jti, or one of over 256 bytes");
    };
    let thumbprint = key.thumbprint();
    match replay.take(&format!("dpop {thumbprint}"), &jti, iat + MOST_SECONDS, now) {
        Use::First => Ok(Some(thumbprint)),
        Use::Again => wrong("its jti was used before: make one for each request"),
        Use::Full => Err(Fault::Full),
    }
}

/// An address so that the same ones are equal (RFC 9449, section 4.3; RFC 3986, section 6.2): scheme and host in small
/// letters, no default port, no query, no fragment.
fn normal(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = host.strip_suffix(default).unwrap_or(&host);
    Some(format!("{scheme}://{host}{}", if path.is_empty() { "/" } else { path }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_as_addresses() {
        let same = |one: &str, other: &str| normal(one) == normal(other) && normal(one).is_some();
        assert!(same("HTTPS://Hub.Example:443/fhir/Patient?name=a#b", "https://hub.example/fhir/Patient"));
        assert!(same("http://hub.example:80", "http://hub.example/"));
        assert!(!same("https://hub.example/fhir", "http://hub.example/fhir"));
        assert!(!same("https://hub.example/fhir", "https://hub.example/FHIR"));
        assert!(!same("https://hub.example:8443/fhir", "https://hub.example/fhir"));
        assert!(!same("https://hub.example.evil/fhir", "https://hub.example/fhir"));
        assert_eq!(normal("hub.example/fhir"), None);
        assert_eq!(normal("ftp://hub.example/fhir"), None);
    }

    /// RFC 9449, section 4.2 (figure 2): the proof of a token request; and section 7.1 (figure 12): with `ath`.
    #[test]
    fn the_examples_of_the_standard_are_taken() {
        let at_token = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
        let sent = Sent {
            proofs: &[at_token],
            method: "POST",
            url: "https://server.example.com/token",
            certificate: None,
        };
        let replay = Replay::new(0);
        let thumbprint = check(sent, None, &replay, 1_562_262_616).unwrap();
        assert_eq!(thumbprint.as_deref(), Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
        assert_eq!(
            URL_SAFE_NO_PAD.encode(Sha256::digest("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU")),
            "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
        );
    }
}
