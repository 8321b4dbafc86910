//! Accounts: who may enter, until the log-in chapter brings passkeys and certificates.
//!
//! An account's secret is 256 random bits, shown once when the account is made and kept only as a SHA-256 digest: there
//! is nothing to guess, so nothing slower is needed.

use ieum_fhir::index::ParamType;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::{Query, Total};
use ieum_store::access::Family;
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};
use sha2::{Digest, Sha256};

use crate::access::{Access, Role};
use crate::door::{Door, DoorError};

/// The record kind.
pub static ACCOUNT: OwnKind = OwnKind {
    name: "IeumAccount",
    family: Family::System,
    params: &[
        OwnParam { code: "secret", param_type: ParamType::Token, path: &["secretDigest"] },
        OwnParam { code: "role", param_type: ParamType::Token, path: &["role"] },
    ],
};

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// How the person is greeted.
    pub name: String,
    /// The role it acts in.
    pub role: Role,
    /// In the role of patient: the Patient record's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The institution for which it acts: the id of its Organization record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// SHA-256 of the secret, hexadecimal.
    pub secret_digest: String,
}

impl Account {
    /// The authority that the account with this id gives.
    #[must_use]
    pub fn access(&self, id: &str) -> Access {
        let (patient, organization) = (self.patient.clone(), self.organization.clone());
        Access { patient, organization, ..Access::new(id, self.role) }
    }
}

/// A new secret: 43 characters that nobody can guess.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn new_secret() -> Result<String, getrandom::Error> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 43];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect())
}

/// What is kept of a secret.
#[must_use]
pub fn digest(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret.as_bytes()))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Makes an account.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
pub fn create(
    door: &Door,
    access: &Access,
    name: &str,
    role: Role,
    patient: Option<&str>,
    secret: &str,
) -> Result<(), CommitError> {
    let account = Account {
        name: name.to_owned(),
        role,
        patient: patient.map(ToOwned::to_owned),
        organization: None,
        secret_digest: digest(secret),
    };
    // The id tells nothing: another digest of the secret's digest.
    let id = digest(&account.secret_digest)[..32].to_owned();
    put_own(door, access, "account", &ACCOUNT, &id, &account)
}

/// All accounts, with their ids.
///
/// # Errors
/// [`DoorError`] when the access may not, or the store fails.
pub fn list(door: &Door, access: &Access) -> Result<Vec<(String, Account)>, DoorError> {
    const PAGE: usize = 1_000;
    let view = door.view(access)?;
    let query = Query { kind: ACCOUNT.name.into(), total: Total::None, ..Query::default() };
    let mut accounts = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = view.search(&query, next.as_deref(), PAGE)?;
        for record in page.records {
            let account = serde_json::from_slice(&record.plain_json())
                .map_err(|_| StoreError::Damaged(format!("account {} cannot be read", record.id)))?;
            accounts.push((record.id, account));
        }
        next = page.next;
        if next.is_none() {
            return Ok(accounts);
        }
    }
}

/// Removes an account; false when there is none of this id. From then on its secret and its sessions let nobody in.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
pub fn remove(door: &Door, access: &Access, id: &str) -> Result<bool, CommitError> {
    let known = door.view(access)?.read(ACCOUNT.name, id)?;
    if known.is_none_or(|record| record.is_deleted()) {
        return Ok(false);
    }
    let change = Change::Delete { kind: ACCOUNT.name.into(), id: id.to_owned(), expect: Expect::Anything };
    door.commit(access, "account", Vec::new(), vec![change])?;
    Ok(true)
}

/// Writes a record of one of our own kinds.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
///
/// # Panics
/// When the record is not JSON or its kind not in the catalogue: bugs.
pub fn put_own(
    door: &Door,
    access: &Access,
    action: &'static str,
    kind: &OwnKind,
    id: &str,
    record: &impl serde::Serialize,
) -> Result<(), CommitError> {
    let json = serde_json::to_vec(record).expect("our own records are JSON");
    let document = Document::parse(&json, &Limits::default()).expect("our own records are JSON");
    let catalogue = door.catalogue();
    let def = catalogue.kind(kind.name).expect("our own kinds are in the catalogue");
    let prepared = catalogue.prepare(def, id, document.root(), &mut |_| None);
    let change = Change::Put { record: Box::new(prepared), expect: Expect::Anything };
    door.commit(access, action, Vec::new(), vec![change]).map(drop)
}
