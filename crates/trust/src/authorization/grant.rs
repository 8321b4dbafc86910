//! What somebody allowed an app. A code, refresh tokens and access tokens stand on such a record: without it they are
//! worth nothing, from the next request on.

use ieum_fhir::index::ParamType;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::{Filter, Param, Query, SystemTest, Test, TokenTest, Total};
use ieum_store::access::Family;
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};
use ieum_store::record::Record;

use super::scopes::Scopes;
use crate::access::Access;
use crate::account::digest;
use crate::door::{Door, DoorError};

/// The record kind.
pub static GRANT: OwnKind = OwnKind {
    name: "IeumGrant",
    family: Family::System,
    params: &[
        OwnParam { code: "code", param_type: ParamType::Token, path: &["codeDigest"] },
        OwnParam { code: "refresh", param_type: ParamType::Token, path: &["refreshDigest"] },
        OwnParam { code: "refresh-before", param_type: ParamType::Token, path: &["refreshBefore"] },
        OwnParam { code: "account", param_type: ParamType::Token, path: &["account"] },
        OwnParam { code: "client", param_type: ParamType::Token, path: &["client"] },
    ],
};

/// Seconds within which a code must be used (FAPI 2.0, section 5.3.2.1).
pub const CODE_SECONDS: i64 = 60;
/// Seconds after which an app must ask again, if it may act without the user: 90 days.
pub const OFFLINE_SECONDS: i64 = 90 * 86_400;

/// What was allowed. Of code and refresh tokens only digests are kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Who allowed it.
    pub account: String,
    /// To which app.
    pub client: String,
    /// How far.
    pub scopes: Scopes,
    /// About which patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// When, in seconds since 1970.
    pub made: i64,
    /// Until when tokens are given for it.
    pub ends: i64,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// PKCE.
    pub challenge: String,
    /// What the ID token must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Thumbprint of the key that the code was bound to; then, for apps without keys of their own, of the key that the
    /// refresh token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Digest of the code.
    pub code_digest: String,
    /// Whether the code was used.
    pub code_used: bool,
    /// Digest of the refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_digest: Option<String>,
    /// Digest of the one before it, where they change with each use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_before: Option<String>,
}

/// A grant as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    version: u64,
    /// The grant.
    pub grant: Grant,
}

/// By what a grant is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Its code.
    Code,
    /// Its refresh token.
    Refresh,
    /// A refresh token that was used up.
    RefreshBefore,
}

impl By {
    const fn code(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Refresh => "refresh",
            Self::RefreshBefore => "refresh-before",
        }
    }
}

/// The authority in which the server keeps grants.
pub(super) fn access() -> Access {
    Access::system("authorization")
}

/// Keeps a new grant; gives its id.
///
/// # Errors
/// [`CommitError`].
pub fn create(door: &Door, grant: &Grant) -> Result<String, CommitError> {
    // The id tells nothing: another digest of the code's digest.
    let id = digest(&grant.code_digest)[..32].to_owned();
    put(door, &id, grant, Expect::New)?;
    Ok(id)
}

/// The grant of an id, unless it was withdrawn.
///
/// # Errors
/// [`DoorError`].
pub fn read(door: &Door, id: &str) -> Result<Option<Kept>, DoorError> {
    let record = door.view(&access())?.read(GRANT.name, id)?;
    Ok(record.map(kept).transpose()?.flatten())
}

/// The grant of a code or refresh token, unless it was withdrawn.
///
/// # Errors
/// [`DoorError`].
pub fn find(door: &Door, by: By, secret: &str) -> Result<Option<Kept>, DoorError> {
    let param = Param { kind: GRANT.name.into(), code: by.code().into() };
    // Looked up by digest: how long that takes says nothing about the secret.
    let test = TokenTest { system: SystemTest::Any, code: Some(digest(secret)) };
    let filters = vec![Filter::Any { param, tests: vec![Test::Token(test)] }];
    let query = Query { kind: GRANT.name.into(), filters, total: Total::None, ..Query::default() };
    let page = door.view(&access())?.search(&query, None, 1)?;
    Ok(page.records.into_iter().next().map(kept).transpose()?.flatten())
}

fn kept(record: Record) -> Result<Option<Kept>, StoreError> {
    if record.is_deleted() {
        return Ok(None);
    }
    let grant = serde_json::from_slice(&record.plain_json())
        .map_err(|_| StoreError::Damaged(format!("grant {} cannot be read", record.id)))?;
    Ok(Some(Kept { id: record.id, version: record.version, grant }))
}

/// Keeps a grant as it is now; false when it is not any more what it was when it was read.
///
/// # Errors
/// [`CommitError`].
pub fn update(door: &Door, kept: &Kept) -> Result<bool, CommitError> {
    match put(door, &kept.id, &kept.grant, Expect::Version(kept.version)) {
        Ok(()) => Ok(true),
        Err(CommitError::Version { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn put(door: &Door, id: &str, grant: &Grant, expect: Expect) -> Result<(), CommitError> {
    let json = serde_json::to_vec(grant).expect("a grant is JSON");
    let document = Document::parse(&json, &Limits::default()).expect("a grant is JSON");
    let catalogue = door.catalogue();
    let kind = catalogue.kind(GRANT.name).expect("our own kinds are in the catalogue");
    let record = Box::new(catalogue.prepare(kind, id, document.root(), &mut |_| None));
    door.commit(&access(), "grant", Vec::new(), vec![Change::Put { record, expect }]).map(drop)
}

/// Withdraws a grant: everything that stands on it ends.
///
/// # Errors
/// [`CommitError`].
pub fn revoke(door: &Door, id: &str) -> Result<(), CommitError> {
    let change = Change::Delete { kind: GRANT.name.into(), id: id.to_owned(), expect: Expect::Anything };
    door.commit(&access(), "grant-revoke", Vec::new(), vec![change]).map(drop)
}
