//! Log-in at providers outside Ieum that speak OpenID Connect (`docs/people.md`, "Log-in elsewhere"): what whoever runs
//! the hub says of each, what a provider says of itself, and whether an ID token proves that somebody has logged in there.
//! Nothing here has sockets; the hub fetches (`crates/hub/src/federation.rs`).
//!
//! An identity elsewhere is issuer and subject together (OpenID Connect Core 1.0, section 2), never an e-mail address or
//! a name. Of the two a digest is kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::account::hexadecimal;

pub mod id_token;
pub mod keys;
pub mod metadata;

/// Letters of a provider's id.
const ID_CHARS: std::ops::RangeInclusive<usize> = 1..=32;
/// Letters of a name that people read.
const NAME_CHARS: usize = 40;
/// Bytes of an address.
const URL_BYTES: usize = 1024;
/// Providers of one hub: more buttons than that nobody reads.
pub const PROVIDERS: usize = 20;

/// One provider, as whoever runs the hub sets it up (`[[login_provider]]` in `ieum.toml`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What it is called in addresses and audit entries.
    pub id: String,
    /// What people read on its button, in Korean.
    pub name: String,
    /// The same in English.
    pub name_en: String,
    /// Its issuer, letter by letter.
    pub issuer: String,
    /// Who the hub is there.
    pub client_id: String,
    /// The file with the client secret. Without one the hub signs with its log-in key (`private_key_jwt`), which is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// Scopes that are asked for; nothing but who it is is read of what they give.
    #[serde(default = "openid")]
    pub scopes: Vec<String>,
    /// One of these must be what `acr` says; any, when there are none.
    #[serde(default)]
    pub acr: Vec<String>,
    /// All of these must be in `amr`.
    #[serde(default)]
    pub amr: Vec<String>,
    /// Whether logging in there is two factors: only then does it let somebody in without more.
    #[serde(default)]
    pub two_factors: bool,
    /// Whether it may lie in a private network or, by http, on this machine.
    #[serde(default)]
    pub private: bool,
}

fn openid() -> Vec<String> {
    vec!["openid".to_owned()]
}

/// Why a provider cannot be set up so; it says which and what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    /// The id.
    #[error("login_provider \"{0}\": an id has 1 to 32 small letters, digits and hyphens")]
    Id(String),
    /// A name.
    #[error("login_provider \"{0}\": name and name_en have 1 to 40 letters each")]
    Name(String),
    /// The issuer.
    #[error(
        "login_provider \"{0}\": issuer is an https address without query; http only for this machine, with private = true"
    )]
    Issuer(String),
    /// The client id.
    #[error("login_provider \"{0}\": client_id has 1 to 255 printable letters")]
    ClientId(String),
    /// The scopes.
    #[error("login_provider \"{0}\": scopes are words, and openid is one of them")]
    Scopes(String),
    /// Values that are asked for.
    #[error("login_provider \"{0}\": acr and amr are words without spaces")]
    Values(String),
    /// Two are one.
    #[error("login_provider \"{0}\": another has the same id or issuer")]
    Twice(String),
    /// Too many.
    #[error("there can be 20 login_provider at most")]
    TooMany,
}

impl Provider {
    /// Whether it can be used as it is set up.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn check(&self) -> Result<(), SetUpError> {
        let id = || self.id.clone();
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !ID_CHARS.contains(&self.id.len()) || !self.id.chars().all(is_id) {
            return Err(SetUpError::Id(id()));
        }
        let is_name = |name: &str| {
            (1..=NAME_CHARS).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control)
        };
        if !is_name(&self.name) || !is_name(&self.name_en) {
            return Err(SetUpError::Name(id()));
        }
        if !is_address(&self.issuer, self.private) || self.issuer.contains('?') {
            return Err(SetUpError::Issuer(id()));
        }
        if !is_word(&self.client_id) {
            return Err(SetUpError::ClientId(id()));
        }
        if !self.scopes.iter().all(|scope| is_word(scope))
            || !self.scopes.iter().any(|scope| scope == "openid")
        {
            return Err(SetUpError::Scopes(id()));
        }
        if !self.acr.iter().chain(&self.amr).all(|value| is_word(value)) {
            return Err(SetUpError::Values(id()));
        }
        Ok(())
    }
}

/// Whether these can be used together. Two with one issuer could be taken for one another.
///
/// # Errors
/// [`SetUpError`].
pub fn check(providers: &[Provider]) -> Result<(), SetUpError> {
    if providers.len() > PROVIDERS {
        return Err(SetUpError::TooMany);
    }
    for (index, provider) in providers.iter().enumerate() {
        provider.check()?;
        let is_same = |other: &Provider| other.id == provider.id || other.issuer == provider.issuer;
        if providers[..index].iter().any(is_same) {
            return Err(SetUpError::Twice(provider.id.clone()));
        }
    }
    Ok(())
}

/// What is kept of an identity elsewhere: which it is can be told again, and not who.
#[must_use]
pub fn identity(issuer: &str, subject: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((issuer.len() as u64).to_le_bytes());
    hash.update(issuer);
    hash.update(subject);
    hexadecimal(&hash.finalize())
}

/// Whether a text may be asked for as it is.
fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether something may be fetched from an address, or somebody sent there: https, or http on this machine if that is
/// allowed; no name or password in it, no fragment, and no sign that ends an address in a page or header.
fn is_address(url: &str, private: bool) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let is_scheme = scheme == "https" || (scheme == "http" && private && is_here);
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}#@".contains(&byte);
    is_scheme && !host.is_empty() && url.len() <= URL_BYTES && url.bytes().all(is_plain)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn provider() -> Provider {
        Provider {
            id: "test".into(),
            name: "시험 기관".into(),
            name_en: "Test".into(),
            issuer: "https://id.example".into(),
            client_id: "ieum".into(),
            client_secret_file: None,
            scopes: openid(),
            acr: Vec::new(),
            amr: Vec::new(),
            two_factors: true,
            private: false,
        }
    }

    #[test]
    fn what_cannot_be_set_up_is_told() {
        assert_eq!(provider().check(), Ok(()));
        let fault = |set: &dyn Fn(&mut Provider)| {
            let mut one = provider();
            set(&mut one);
            one.check().expect_err("a fault").to_string()
        };
        for id in ["", "A", "a/b", "a b", &"a".repeat(33)] {
            assert!(fault(&|one| one.id = id.into()).contains("an id has"), "{id}");
        }
        for issuer in [
            "id.example",
            "http://id.example",
            "http://localhost:1",
            "https://",
            "https://id.example?a=b",
            "https://id.example#a",
            "https://a@id.example",
            "https://id.example/\u{a0}",
            "https://id.example/\"",
        ] {
            assert!(fault(&|one| one.issuer = issuer.into()).contains("issuer"), "{issuer}");
        }
        assert!(fault(&|one| one.name = " ".into()).contains("name"));
        assert!(fault(&|one| one.name_en = "\n".into()).contains("name"));
        assert!(fault(&|one| one.client_id = "a b".into()).contains("client_id"));
        assert!(fault(&|one| one.scopes = vec!["email".into()]).contains("openid"));
        assert!(fault(&|one| one.acr = vec!["a b".into()]).contains("acr"));
        let here = Provider { issuer: "http://localhost:1".into(), private: true, ..provider() };
        assert_eq!(here.check(), Ok(()));
        let elsewhere = Provider { issuer: "http://10.0.0.1".into(), private: true, ..provider() };
        assert!(elsewhere.check().is_err());
    }

    #[test]
    fn two_are_never_taken_for_one_another() {
        let same_issuer = Provider { id: "other".into(), ..provider() };
        let same_id = Provider { issuer: "https://other.example".into(), ..provider() };
        for other in [same_issuer, same_id] {
            assert!(matches!(check(&[provider(), other]), Err(SetUpError::Twice(_))));
        }
        assert_ne!(identity("https://a", "b"), identity("https://", "ab"));
        assert_ne!(identity("https://a", "b"), identity("https://a", "B"));
    }
}
