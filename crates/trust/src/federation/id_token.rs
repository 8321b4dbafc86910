//! Whether an ID token proves that somebody has logged in at a provider, for us and now (OpenID Connect Core 1.0, section
//! 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha384};

use super::keys::Keys;
use super::{Provider, identity};
use crate::authorization::jws::{Algorithm, Jws, JwsError};

/// Algorithms that are taken: with a public key all of them. `none` and those with a shared secret are not among them.
pub const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Es256, Algorithm::Es384, Algorithm::Ps256, Algorithm::EdDsa, Algorithm::Rs256];
/// Seconds that a provider's clock may differ from ours.
pub const SKEW_SECONDS: i64 = 60;
/// Seconds after which a token is too old, whatever it says: it was made for the code that has just been exchanged.
const AGE_SECONDS: i64 = 600;
/// Letters of a subject (section 2).
const SUBJECT_BYTES: usize = 255;

/// What a token must go with.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// What was sent with the person.
    pub nonce: &'a str,
    /// The access token that came along.
    pub access_token: Option<&'a str>,
    /// When somebody was asked to log in anew, in seconds: they must have, since.
    pub since: Option<i64>,
    /// Seconds since 1970.
    pub now: i64,
}

/// Somebody who has logged in elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What is kept of who it is.
    pub identity: String,
    /// When they logged in, if the provider says so.
    pub at: Option<i64>,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The token itself.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// It is signed by a key that the provider does not publish, or did not when its keys were fetched.
    #[error("its key is not among those that the provider publishes")]
    Key,
    /// A claim is missing or another than it must be.
    #[error("its `{0}` is missing, or another than it must be")]
    Claim(&'static str),
    /// The log-in is not strong enough.
    #[error("its `{0}` does not say that the log-in was as it must be")]
    Weak(&'static str),
    /// Somebody was asked to log in anew and has not.
    #[error("its `auth_time` does not say that somebody has just logged in")]
    Stale,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    azp: Option<String>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    auth_time: Option<i64>,
    acr: Option<String>,
    #[serde(default)]
    amr: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether it is us and nobody else: we trust no other audience with what is for us.
    fn is_only(&self, client: &str) -> bool {
        match self {
            Self::One(one) => one == client,
            Self::Several(several) => matches!(several.as_slice(), [one] if one == client),
        }
    }
}

/// Who a token proves to have logged in.
///
/// # Errors
/// [`IdTokenError`]; with [`IdTokenError::Key`] newer keys of the provider may help.
pub fn shown(
    token: &str,
    provider: &Provider,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Shown, IdTokenError> {
    let jws = Jws::read(token, &ALGORITHMS)?;
    // Tokens of other types are no ID tokens (RFC 8725, section 3.11); an ID token may leave its type out.
    if jws.must_be("").is_err() {
        jws.must_be("JWT")?;
    }
    let claims: Claims = jws.claims(keys.find(jws.kid()).ok_or(IdTokenError::Key)?)?;
    of_us(&claims, provider)?;
    in_time(&claims, expected.now)?;
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(IdTokenError::Claim("nonce"));
    }
    if let (Some(hash), Some(token)) = (&claims.at_hash, expected.access_token)
        && *hash != at_hash(token, jws.algorithm())
    {
        return Err(IdTokenError::Claim("at_hash"));
    }
    strong(&claims, provider)?;
    if expected.since.is_some_and(|since| claims.auth_time.is_none_or(|at| at < since - SKEW_SECONDS)) {
        return Err(IdTokenError::Stale);
    }
    let is_subject = |sub: &&String| (1..=SUBJECT_BYTES).contains(&sub.len()) && sub.is_ascii();
    let subject = claims.sub.as_ref().filter(is_subject).ok_or(IdTokenError::Claim("sub"))?;
    Ok(Shown { identity: identity(&provider.issuer, subject), at: claims.auth_time })
}

fn of_us(claims: &Claims, provider: &Provider) -> Result<(), IdTokenError> {
    let client = &provider.client_id;
    if claims.iss.as_ref() != Some(&provider.issuer) {
        return Err(IdTokenError::Claim("iss"));
    }
    if !claims.aud.as_ref().is_some_and(|aud| aud.is_only(client)) {
        return Err(IdTokenError::Claim("aud"));
    }
    if claims.azp.as_ref().is_some_and(|azp| azp != client) {
        return Err(IdTokenError::Claim("azp"));
    }
    Ok(())
}

fn in_time(claims: &Claims, now: i64) -> Result<(), IdTokenError> {
    if claims.exp.is_none_or(|exp| exp <= now.saturating_sub(SKEW_SECONDS)) {
        return Err(IdTokenError::Claim("exp"));
    }
    let is_ahead = |time: i64| time > now + SKEW_SECONDS;
    if claims.iat.is_none_or(|iat| is_ahead(iat) || iat < now - AGE_SECONDS) {
        return Err(IdTokenError::Claim("iat"));
    }
    if claims.nbf.is_some_and(is_ahead) {
        return Err(IdTokenError::Claim("nbf"));
    }
    // Whoever says to have logged in tomorrow would count as fresh until then.
    if claims.auth_time.is_some_and(is_ahead) {
        return Err(IdTokenError::Claim("auth_time"));
    }
    Ok(())
}

fn strong(claims: &Claims, provider: &Provider) -> Result<(), IdTokenError> {
    let is_taken = claims.acr.as_ref().is_some_and(|acr| provider.acr.contains(acr));
    if !provider.acr.is_empty() && !is_taken {
        return Err(IdTokenError::Weak("acr"));
    }
    if !provider.amr.iter().all(|wanted| claims.amr.contains(wanted)) {
        return Err(IdTokenError::Weak("amr"));
    }
    Ok(())
}

/// The left half of the hash that goes with the algorithm (section 3.1.3.6). Of EdDSA with Ed25519 it is SHA-512.
fn at_hash(token: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::Es384 => Sha384::digest(token).to_vec(),
        Algorithm::EdDsa => sha2::Sha512::digest(token).to_vec(),
        Algorithm::Es256 | Algorithm::Ps256 | Algorithm::Rs256 => Sha256::digest(token).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
