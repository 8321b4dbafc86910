//! What somebody allowed an app. A code, refresh tokens and access tokens stand on such a record: without it they are
//! worth nothing, from the next request on.

use ieum_fhir::decimal::Decimal;
use ieum_fhir::index::ParamType;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::{Filter, NumberTest, Param, Prefix, Query, SystemTest, Test, TokenTest, Total};
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
        OwnParam { code: "ends", param_type: ParamType::Number, path: &["ends"] },
    ],
};

/// Seconds within which a code must be used (FAPI 2.0, section 5.3.2.1).
pub const CODE_SECONDS: i64 = 60;
/// Seconds after which an app must ask again, if it may act without the user: 90 days.
pub const OFFLINE_SECONDS: i64 = 90 * 86_400;

/// Grants read, or ended, at once.
const AT_ONCE: usize = 500;
/// Pages of them that one call goes through.
const PAGES: usize = 200;
/// Seconds that Korea is ahead of UTC.
const KOREA_SECONDS: i64 = 9 * 3_600;

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
    /// When tokens were last given for it; of those of one day, the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<i64>,
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

impl Grant {
    /// Whether anything can still come of it.
    #[must_use]
    pub fn is_living(&self, now: i64) -> bool {
        now < self.ends && (self.code_used || now <= self.made + CODE_SECONDS)
    }

    /// Notes that tokens are given for it now; whether that is news, a day in Korea after the last time.
    pub(super) fn note_used(&mut self, now: i64) -> bool {
        let day = |at: i64| (at + KOREA_SECONDS).div_euclid(86_400);
        let is_news = self.used.is_none_or(|used| day(used) != day(now));
        if is_news {
            self.used = Some(now);
        }
        is_news
    }
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
    // Looked up by digest: how long that takes says nothing about the secret.
    let query = query(vec![has(by.code(), &digest(secret))]);
    let page = door.view(&access())?.search(&query, None, 1)?;
    Ok(page.records.into_iter().next().map(kept).transpose()?.flatten())
}

/// What an account has allowed apps and has not ended.
///
/// # Errors
/// [`DoorError`].
pub fn living(door: &Door, account: &str, now: i64) -> Result<Vec<Kept>, DoorError> {
    let query = query(vec![has("account", account)]);
    let (view, mut living, mut next) = (door.view(&access())?, Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let page = view.search(&query, next.as_deref(), AT_ONCE)?;
        for record in page.records {
            living.extend(kept(record)?.filter(|kept| kept.grant.is_living(now)));
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(living)
}

/// Takes back everything that an account has allowed an app; gives how many grants that were.
///
/// # Errors
/// [`CommitError`].
pub fn revoke_app(door: &Door, account: &str, client: &str) -> Result<usize, CommitError> {
    delete(door, &query(vec![has("account", account), has("client", client)]), "grant-revoke")
}

/// Removes grants that have ended; gives how many.
///
/// # Errors
/// [`CommitError`].
pub fn sweep(door: &Door, now: i64) -> Result<usize, CommitError> {
    let param = Param { kind: GRANT.name.into(), code: "ends".into() };
    let exact = Decimal::parse(&now.to_string()).expect("a whole number is one").sort_key();
    let test = NumberTest { prefix: Prefix::Le, lo: exact.clone(), hi: exact.clone(), exact };
    delete(door, &query(vec![Filter::Any { param, tests: vec![Test::Number(test)] }]), "grant-sweep")
}

/// Deletes what a question finds, some at a time, so that others may write between.
fn delete(door: &Door, query: &Query, action: &'static str) -> Result<usize, CommitError> {
    let mut deleted = 0;
    for _ in 0..PAGES {
        let page = door.view(&access())?.search(query, None, AT_ONCE).map_err(|error| match error {
            DoorError::Store(error) => error,
            DoorError::Cursor(_) => StoreError::Engine("a token was not given".into()),
        })?;
        let change = |record: Record| Change::Delete {
            kind: GRANT.name.into(),
            id: record.id,
            expect: Expect::Anything,
        };
        let changes: Vec<Change> = page.records.into_iter().map(change).collect();
        if changes.is_empty() {
            break;
        }
        deleted += changes.len();
        door.commit(&access(), action, Vec::new(), changes)?;
    }
    Ok(deleted)
}

fn has(code: &str, value: &str) -> Filter {
    let param = Param { kind: GRANT.name.into(), code: code.into() };
    let test = TokenTest { system: SystemTest::Any, code: Some(value.to_owned()) };
    Filter::Any { param, tests: vec![Test::Token(test)] }
}

fn query(filters: Vec<Filter>) -> Query {
    Query { kind: GRANT.name.into(), filters, total: Total::None, ..Query::default() }
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
