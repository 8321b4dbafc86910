//! Registered apps. What an app may do is fixed when it is registered and never chosen by a request: its policy, its
//! addresses, its keys and its scopes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::commit::CommitError;
use ieum_store::own::{OwnKind, OwnParam};
use serde_json::Value;

use super::certificate::{Authorities, Chain, thumbprint};
use super::jwk::{KeyError, KeySet};
use super::jws::Algorithm;
use super::scopes::{Level, Scope, Scopes};
use crate::access::Role;

mod keep;
#[cfg(test)]
mod tests;

pub use keep::{Known, by_issuer, change_keys, create, list, of_institution, read, remove, replace};

/// The record kind.
pub static CLIENT: OwnKind = OwnKind {
    name: "IeumClient",
    family: Family::System,
    params: &[
        OwnParam { code: "account", param_type: ParamType::Token, path: &["account"] },
        OwnParam { code: "institution", param_type: ParamType::Token, path: &["institution"] },
        OwnParam { code: "issuer", param_type: ParamType::Token, path: &["statement", "issuer"] },
    ],
};

/// Addresses that one app may have.
pub const MOST_ADDRESSES: usize = 10;
/// Bytes of an address.
const ADDRESS_BYTES: usize = 512;
/// Letters of a name.
const NAME_LETTERS: usize = 80;

/// Under which rules an app is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The FAPI 2.0 Security Profile: keys, pushed requests, tokens bound to a key. For everything new.
    Fapi2,
    /// SMART App Launch 2.2: apps without keys of their own are allowed, with PKCE.
    Smart,
}

impl Policy {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fapi2 => "fapi2",
            Self::Smart => "smart",
        }
    }

    /// The policy of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Fapi2, Self::Smart].into_iter().find(|policy| policy.name() == name)
    }

    /// By which algorithms assertions may be signed (FAPI 2.0, section 5.4.1; SMART, "Registering a client").
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Fapi2 => &[Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa],
            Self::Smart => &[Algorithm::Es384, Algorithm::Es256],
        }
    }
}

/// A registered app.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// What people know it by.
    pub name: String,
    /// Who runs it, as people know them.
    pub organization: String,
    /// Its rules.
    pub policy: Policy,
    /// Where people are sent back to, compared letter by letter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Where it is started from a chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_uri: Option<String>,
    /// Its public keys, a JWK set; an app without is a public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// What it may ask for.
    pub scopes: Scopes,
    /// As which account it acts when it acts for nobody (`client_credentials`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Id of the institution whose manager registered it. It is for the institution's own people and for patients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    /// How its certificate is known, where that proves who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<ByCertificate>,
    /// By what it registered itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Stated>,
}

/// How the certificate of an app is known, with which it proves in TLS who it is (RFC 8705, section 2).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ByCertificate {
    /// It leads to an authority for clients, and has this subject (RFC 4514), letter by letter.
    Subject(String),
    /// It leads to an authority for clients, and names this host.
    Host(String),
    /// It leads to an authority for clients, and names this URI.
    Uri(String),
    /// It is one of those in the app's JWK set (`x5c`), whoever made it.
    Own,
}

/// What an app registered itself by: a software statement (RFC 7591).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stated {
    /// Who made it: a URI of the app's.
    pub issuer: String,
    /// Under which authority's terms.
    pub anchor: String,
    /// Thumbprint of its certificate.
    pub certificate: String,
    /// When that is over, in seconds since 1970: then the app proves nothing, and registers anew.
    pub until: i64,
}

/// Why an app cannot be registered.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A name is missing or too long.
    #[error("name and organization must have 1 to 80 letters, on one line")]
    Name,
    /// An address that codes must not be sent to.
    #[error(
        "addresses must be https://…, or http:// on this machine, without fragment, of 512 bytes at most, and 10 of them"
    )]
    Address,
    /// The keys cannot be taken.
    #[error("the keys cannot be taken: {0}")]
    Keys(#[from] KeyError),
    /// A certificate that is not described as it must be.
    #[error(
        "certificates are for policy fapi2; name a subject, host or URI of 512 bytes at most and give no keys, or let every \
         key have its certificate (x5c)"
    )]
    Certificate,
    /// A strict app without keys.
    #[error("policy fapi2 needs keys (--jwks): such apps prove who they are")]
    NeedsKeys,
    /// Scopes and the rest do not go together.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The store.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] getrandom::Error),
}

/// What of an app does not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// `system/` scopes without account, or an account without them.
    #[error("`system/` scopes and an account (--account) to act as go together")]
    Account,
    /// `system/` scopes of an app that cannot prove who it is.
    #[error("`system/` scopes need keys (--jwks): without a user only a key tells who asks")]
    SystemKeys,
    /// Scopes for users without a way back, or a way back without them.
    #[error("scopes other than `system/` and addresses to send people back to (--redirect) go together")]
    Redirect,
    /// A launch without address, or the other way round.
    #[error("the scope `launch` and an address to be started at (--launch) go together")]
    Launch,
}

impl Client {
    /// An app with nothing but what all have.
    #[must_use]
    pub fn new(name: &str, organization: &str, policy: Policy, scopes: Scopes) -> Self {
        Self {
            name: name.to_owned(),
            organization: organization.to_owned(),
            policy,
            redirect_uris: Vec::new(),
            launch_uri: None,
            jwks: None,
            scopes,
            account: None,
            institution: None,
            certificate: None,
            statement: None,
        }
    }

    /// Whether it may act for this account.
    #[must_use]
    pub fn is_for(&self, role: Role, organization: Option<&str>) -> bool {
        match &self.institution {
            Some(institution) => match role {
                Role::Patient => true,
                Role::Clinician | Role::Manager | Role::Privacy | Role::Service => {
                    organization == Some(institution)
                }
                Role::Operator | Role::Open => false,
            },
            None => true,
        }
    }

    /// Whether it cannot prove who it is: an app in a browser or on a phone, which has no place for a key.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.jwks.is_none() && self.certificate.is_none()
    }

    /// Its keys; none when it is public.
    #[must_use]
    pub fn keys(&self) -> KeySet {
        // They were read when the app was registered.
        self.jwks.as_ref().and_then(|set| KeySet::read(set).ok()).unwrap_or_default()
    }

    /// Whether it can be registered as it is.
    ///
    /// # Errors
    /// [`ClientError`]; its message says what to change.
    pub fn check(&self) -> Result<(), ClientError> {
        for name in [&self.name, &self.organization] {
            let letters = name.chars().count();
            if name.trim().is_empty() || letters > NAME_LETTERS || name.chars().any(char::is_control) {
                return Err(ClientError::Name);
            }
        }
        let addresses = self.redirect_uris.iter().chain(&self.launch_uri);
        if self.redirect_uris.len() > MOST_ADDRESSES || !addresses.into_iter().all(|uri| is_address(uri)) {
            return Err(ClientError::Address);
        }
        match &self.jwks {
            Some(set) => drop(KeySet::read(set)?),
            None if self.policy == Policy::Fapi2 && self.is_public() => return Err(ClientError::NeedsKeys),
            None => {}
        }
        if let Some(certificate) = &self.certificate
            && !self.is_described(certificate)
        {
            return Err(ClientError::Certificate);
        }
        self.check_scopes()
    }

    fn is_described(&self, certificate: &ByCertificate) -> bool {
        let is_name = |name: &str| {
            self.jwks.is_none()
                && (1..=ADDRESS_BYTES).contains(&name.len())
                && !name.chars().any(char::is_control)
        };
        self.policy == Policy::Fapi2
            && match certificate {
                ByCertificate::Subject(name) | ByCertificate::Host(name) | ByCertificate::Uri(name) => {
                    is_name(name)
                }
                ByCertificate::Own => {
                    let keys = self.jwks.as_ref().and_then(|set| set["keys"].as_array()).map_or(0, Vec::len);
                    keys > 0 && self.own_certificates().len() == keys
                }
            }
    }

    /// Thumbprints of the certificates in its JWK set (RFC 7517, section 4.7).
    #[must_use]
    pub fn own_certificates(&self) -> Vec<String> {
        let keys = self.jwks.as_ref().and_then(|set| set["keys"].as_array()).into_iter().flatten();
        let first = keys.filter_map(|key| key["x5c"].get(0).and_then(Value::as_str));
        first.filter_map(|text| STANDARD.decode(text).ok()).map(|der| thumbprint(&der)).collect()
    }

    /// Whether the certificate of a connection proves that it is this app's; `authorities` are those for clients.
    #[must_use]
    pub fn is_proven_by(&self, chain: &Chain, authorities: &Authorities, now: i64) -> bool {
        let is_trusted = || chain.check(authorities, now).is_ok();
        match &self.certificate {
            None => false,
            Some(ByCertificate::Subject(subject)) => *subject == chain.subject() && is_trusted(),
            Some(ByCertificate::Host(host)) => chain.names_host(host) && is_trusted(),
            Some(ByCertificate::Uri(uri)) => chain.names_uri(uri) && is_trusted(),
            Some(ByCertificate::Own) => self.own_certificates().contains(&chain.thumbprint()),
        }
    }

    fn check_scopes(&self) -> Result<(), ClientError> {
        let is_system = |scope: &Scope| matches!(scope, Scope::Records(one) if one.level == Level::System);
        let alone = self.scopes.iter().any(is_system);
        if alone != self.account.is_some() {
            return Err(Misfit::Account.into());
        }
        if alone && self.is_public() {
            return Err(Misfit::SystemKeys.into());
        }
        if self.scopes.iter().all(is_system) != self.redirect_uris.is_empty() {
            return Err(Misfit::Redirect.into());
        }
        if self.launch_uri.is_some() != self.scopes.contains(&Scope::Launch) {
            return Err(Misfit::Launch.into());
        }
        Ok(())
    }
}

/// An address that codes may be sent to: over TLS, or on the user's own machine; and that we can write into a header.
fn is_address(uri: &str) -> bool {
    let is_plain = uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
    let on_this_machine = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|prefix| {
        uri.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    let authority =
        uri.strip_prefix("https://").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let over_tls = authority.is_some_and(|authority| !authority.is_empty());
    // `https://hub.kr@evil.example/` leads to evil.example; so would a user on this machine.
    let names_a_user = uri.split('/').nth(2).is_none_or(|authority| authority.contains('@'));
    uri.len() <= ADDRESS_BYTES && is_plain && !names_a_user && (on_this_machine || over_tls)
}
