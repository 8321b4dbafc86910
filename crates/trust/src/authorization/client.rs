//! Registered apps. What an app may do is fixed when it is registered and never chosen by a request: its policy, its
//! addresses, its keys and its scopes.

use ieum_fhir::index::ParamType;
use ieum_fhir::search::{Query, Total};
use ieum_store::access::Family;
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};
use serde_json::Value;

use super::jwk::{KeyError, KeySet};
use super::jws::Algorithm;
use super::scopes::{Level, Scope, Scopes};
use crate::access::Access;
use crate::account::{digest, new_secret, put_own};
use crate::door::{Door, DoorError};

/// The record kind.
pub static CLIENT: OwnKind = OwnKind {
    name: "IeumClient",
    family: Family::System,
    params: &[OwnParam { code: "account", param_type: ParamType::Token, path: &["account"] }],
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
    /// A strict app without keys.
    #[error("policy fapi2 needs keys (--jwks): such apps prove who they are")]
    NeedsKeys,
    /// Scopes and the rest do not go together.
    #[error("{0}")]
    Misfit(&'static str),
    /// The store.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] getrandom::Error),
}

impl Client {
    /// Whether it cannot prove who it is: an app in a browser or on a phone, which has no place for a key.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.jwks.is_none()
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
            None if self.policy == Policy::Fapi2 => return Err(ClientError::NeedsKeys),
            None => {}
        }
        self.check_scopes()
    }

    fn check_scopes(&self) -> Result<(), ClientError> {
        let is_system = |scope: &Scope| matches!(scope, Scope::Records(one) if one.level == Level::System);
        let misfit = |what| Err(ClientError::Misfit(what));
        let alone = self.scopes.iter().any(is_system);
        if alone != self.account.is_some() {
            return misfit("`system/` scopes and an account (--account) to act as go together");
        }
        if alone && self.is_public() {
            return misfit("`system/` scopes need keys (--jwks): without a user only a key tells who asks");
        }
        if self.scopes.iter().all(is_system) != self.redirect_uris.is_empty() {
            return misfit(
                "scopes other than `system/` and addresses to send people back to (--redirect) go together",
            );
        }
        if self.launch_uri.is_some() != self.scopes.contains(&Scope::Launch) {
            return misfit("the scope `launch` and an address to be started at (--launch) go together");
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

/// Registers an app; gives its id.
///
/// # Errors
/// [`ClientError`].
pub fn create(door: &Door, access: &Access, client: &Client) -> Result<String, ClientError> {
    client.check()?;
    let id = digest(&new_secret()?)[..32].to_owned();
    put_own(door, access, "client", &CLIENT, &id, client)?;
    Ok(id)
}

/// An app, if there is one of this id.
///
/// # Errors
/// [`DoorError`] when the access may not, or the store fails.
pub fn read(door: &Door, access: &Access, id: &str) -> Result<Option<Client>, DoorError> {
    let record = door.view(access)?.read(CLIENT.name, id)?.filter(|record| !record.is_deleted());
    Ok(record.map(|record| parsed(&record.id, &record.plain_json())).transpose()?)
}

/// All apps, with their ids.
///
/// # Errors
/// [`DoorError`] when the access may not, or the store fails.
pub fn list(door: &Door, access: &Access) -> Result<Vec<(String, Client)>, DoorError> {
    const PAGE: usize = 1_000;
    let view = door.view(access)?;
    let query = Query { kind: CLIENT.name.into(), total: Total::None, ..Query::default() };
    let (mut clients, mut next): (_, Option<String>) = (Vec::new(), None);
    loop {
        let page = view.search(&query, next.as_deref(), PAGE)?;
        for record in page.records {
            let client = parsed(&record.id, &record.plain_json())?;
            clients.push((record.id, client));
        }
        next = page.next;
        if next.is_none() {
            return Ok(clients);
        }
    }
}

fn parsed(id: &str, json: &[u8]) -> Result<Client, StoreError> {
    serde_json::from_slice(json).map_err(|_| StoreError::Damaged(format!("client {id} cannot be read")))
}

/// Removes an app; false when there is none of this id. From then on its tokens are worth nothing.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
pub fn remove(door: &Door, access: &Access, id: &str) -> Result<bool, CommitError> {
    let known = door.view(access)?.read(CLIENT.name, id)?;
    if known.is_none_or(|record| record.is_deleted()) {
        return Ok(false);
    }
    let change = Change::Delete { kind: CLIENT.name.into(), id: id.to_owned(), expect: Expect::Anything };
    door.commit(access, "client", Vec::new(), vec![change])?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client {
            name: "혈압 수첩".into(),
            organization: "이음 시험".into(),
            policy: Policy::Smart,
            redirect_uris: vec!["https://app.example/back".into()],
            launch_uri: None,
            jwks: None,
            scopes: Scopes::parse("launch/patient patient/*.rs").unwrap(),
            account: None,
        }
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
}
