//! How an app proves who it is: an assertion signed with its key (`private_key_jwt`; RFC 7523, section 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::certificate::thumbprint;
use super::client::{Client, Policy};
use super::fault::Fault;
use super::jws::{Jws, JwsError};
use super::replay::{Replay, Use};

/// The one `client_assertion_type`.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds that an assertion may live.
pub const MOST_SECONDS: i64 = 300;
/// Seconds that an app's clock may be ahead of ours (FAPI 2.0, section 5.3.2.1).
pub(super) const AHEAD_SECONDS: i64 = 10;
/// Bytes of a name that may be used once.
pub(super) const JTI_BYTES: usize = 256;

/// What an assertion claims.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    /// One string; an array is for nobody.
    aud: Option<Value>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: Option<String>,
}

/// Whom an assertion is for: us, by one of these names.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// Our issuer.
    pub issuer: &'a str,
    /// The address of the token endpoint.
    pub token: &'a str,
}

/// Which app an assertion says it is of; nothing of it is proven.
///
/// # Errors
/// [`Fault`] when it is no assertion.
pub fn subject(assertion: &str, policies: &[Policy]) -> Result<String, Fault> {
    let mut last = JwsError::Algorithm;
    for policy in policies {
        match Jws::read_with_chain(assertion, policy.algorithms())
            .and_then(|(jws, _)| jws.unproven::<Claims>())
        {
            Ok(claims) => return claims.sub.ok_or(Fault::AssertionClaim("it has no sub")),
            Err(error) => last = error,
        }
    }
    Err(Fault::Assertion(last))
}

/// Whether the assertion proves that this app asks.
///
/// # Errors
/// Why it does not.
pub fn check(
    assertion: &str,
    (id, client): (&str, &Client),
    addressee: Addressee<'_>,
    replay: &Replay,
    now: i64,
) -> Result<(), Fault> {
    let (jws, chain) =
        Jws::read_with_chain(assertion, client.policy.algorithms()).map_err(Fault::Assertion)?;
    if chain.is_some_and(|chain| !is_of(&chain, client)) {
        return Err(Fault::Assertion(JwsError::Header));
    }
    let keys = client.keys();
    let key = keys.find(jws.kid()).ok_or(Fault::Assertion(JwsError::Signature))?;
    let claims: Claims = jws.claims(key).map_err(Fault::Assertion)?;
    let wrong = |what| Err(Fault::AssertionClaim(what));
    if claims.iss.as_deref() != Some(id) || claims.sub.as_deref() != Some(id) {
        return wrong("iss and sub must both be the client_id");
    }
    let is_for_us = claims.aud.as_ref().and_then(Value::as_str).is_some_and(|aud| match client.policy {
        Policy::Fapi2 => aud == addressee.issuer,
        Policy::Smart => aud == addressee.token || aud == addressee.issuer,
    });
    if !is_for_us {
        return wrong(
            "aud must be our issuer, as one string; under policy smart it may be the token address",
        );
    }
    let Some(exp) = claims.exp else { return wrong("it has no exp") };
    if exp <= now {
        return wrong("it is over (exp)");
    }
    if exp > now + MOST_SECONDS + AHEAD_SECONDS {
        return wrong("it may live 5 minutes at most (exp)");
    }
    let is_ahead = |time: Option<i64>| time.is_some_and(|time| time > now + AHEAD_SECONDS);
    if is_ahead(claims.iat) || is_ahead(claims.nbf) {
        return wrong("it is from the future (iat, nbf): set the clock");
    }
    // What was used before a restart is not remembered.
    let earliest = exp - MOST_SECONDS - AHEAD_SECONDS;
    if claims.iat.unwrap_or(earliest) < replay.began() {
        return wrong("it is older than the server's last start (iat): make a new one");
    }
    let Some(jti) = claims.jti.filter(|jti| !jti.is_empty() && jti.len() <= JTI_BYTES) else {
        return wrong("it has no jti, or one of over 256 bytes");
    };
    match replay.take(&format!("assertion {id}"), &jti, exp, now) {
        Use::First => Ok(()),
        Use::Again => Err(Fault::AssertionAgain),
        Use::Full => Err(Fault::Full),
    }
}

/// Apps that registered themselves send their certificate with each assertion (UDAP). It says nothing new, and must say
/// nothing else: the key is the one we hold.
fn is_of(chain: &[String], client: &Client) -> bool {
    let own = chain.first().and_then(|text| STANDARD.decode(text).ok());
    client.statement.as_ref().zip(own).is_some_and(|(known, own)| thumbprint(&own) == known.certificate)
}
