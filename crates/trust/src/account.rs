//! Accounts: what somebody acts as - one role, at one institution or as a patient.
//!
//! An account is a person's ([`crate::person`]), who takes it over by an invitation, or has a secret of its own: 256 random
//! bits, shown once when the account is made and kept only as a SHA-256 digest. There is nothing to guess, so nothing
//! slower is needed. Invitations are of the same kind, and end by themselves.

use ieum_fhir::index::ParamType;
use ieum_fhir::search::{Query, Total};
use ieum_store::access::Family;
use ieum_store::commit::{CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};
use sha2::{Digest, Sha256};

use crate::access::{Access, Role};
use crate::door::{Door, DoorError};
use crate::identity::Proven;
use crate::person::keep;
use crate::records::{self, Kept};

/// The record kind.
pub static ACCOUNT: OwnKind = OwnKind {
    name: "IeumAccount",
    family: Family::System,
    params: &[
        OwnParam { code: "secret", param_type: ParamType::Token, path: &["secretDigest"] },
        OwnParam { code: "role", param_type: ParamType::Token, path: &["role"] },
        OwnParam { code: "person", param_type: ParamType::Token, path: &["person"] },
        OwnParam { code: "organization", param_type: ParamType::Token, path: &["organization"] },
        OwnParam { code: "patient", param_type: ParamType::Token, path: &["patient"] },
        OwnParam { code: "invitation", param_type: ParamType::Token, path: &["invitation", "digest"] },
    ],
};

/// How long an invitation is good.
pub const INVITATION_MICROS: i64 = 72 * 3_600_000_000;

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
    /// The Organization record's id of the institution in whose name it acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The departments it works in there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<String>,
    /// The id of the person whose account it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// In the role of patient: how it was proven who it is for ([`crate::identity`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Proven>,
    /// The invitation that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
    /// SHA-256 of the account's own secret, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_digest: Option<String>,
}

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// SHA-256 of what the link ends with, hexadecimal.
    pub digest: String,
    /// Until when it is good, in microseconds since 1970.
    pub until: i64,
    /// Made by the manager of this institution: it gives no new way in to somebody who acts for others too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

impl Invitation {
    /// Whether it is the one of this digest, and still good.
    #[must_use]
    pub fn is(&self, digest: &str, now: i64) -> bool {
        self.digest == digest && now < self.until
    }
}

impl Account {
    /// An account of nobody yet, without a secret.
    #[must_use]
    pub fn new(name: &str, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            role,
            patient: None,
            organization: None,
            departments: Vec::new(),
            person: None,
            proven: None,
            invitation: None,
            secret_digest: None,
        }
    }

    /// Whether it waits for somebody to take it over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.person.is_none() && self.secret_digest.is_none()
    }

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
pub fn create(door: &Door, access: &Access, account: Account, secret: &str) -> Result<(), CommitError> {
    let secret_digest = digest(secret);
    let id = id_of(&secret_digest);
    let account = Account { secret_digest: Some(secret_digest), ..account };
    put_own(door, access, "account", &ACCOUNT, &id, &account)
}

/// Makes an account that nobody enters by: for a system that only gets tokens. Gives its id.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
pub fn create_for_tokens(door: &Door, access: &Access, account: &Account) -> Result<String, CommitError> {
    let secret = new_secret().map_err(|error| StoreError::Engine(error.to_string()))?;
    let id = id_of(&digest(&secret));
    put_own(door, access, "account", &ACCOUNT, &id, account)?;
    Ok(id)
}

/// Makes an account for somebody to take over; gives its id and what the link of the invitation ends with, once.
/// The account is nobody's yet, so the invitation needs no bounds.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
pub fn invite(
    door: &Door,
    access: &Access,
    account: Account,
    now: i64,
) -> Result<(String, String), CommitError> {
    let (token, invitation) = invitation(now, None)?;
    let id = id_of(&invitation.digest);
    let account = Account { invitation: Some(invitation), ..account };
    put_own(door, access, "account-invite", &ACCOUNT, &id, &account)?;
    Ok((id, token))
}

/// Makes a new invitation to an account, in place of an earlier one; `within` an institution when its manager does.
/// `None` when there is no such account, or it has a secret of its own.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
pub fn invite_again(
    door: &Door,
    access: &Access,
    id: &str,
    within: Option<&str>,
    now: i64,
) -> Result<Option<String>, CommitError> {
    let (token, invitation) = invitation(now, within)?;
    records::change(door, (access, "account-invite"), (&ACCOUNT, id), &[], |account: &mut Account| {
        if account.secret_digest.is_some() {
            return None;
        }
        account.invitation = Some(invitation.clone());
        Some(token.clone())
    })
}

/// The account that a link invites to, while it is good.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn invited(door: &Door, token: &str, now: i64) -> Result<Option<Kept<Account>>, StoreError> {
    let digest = digest(token);
    let view = door.view(&Access::system("people"))?;
    let found = records::find::<Account>(&view, &ACCOUNT, ("invitation", &digest), 1)?.pop();
    Ok(found.filter(|kept| kept.value.invitation.as_ref().is_some_and(|open| open.is(&digest, now))))
}

/// The accounts that were made for a patient, at most so many.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn of_patient(door: &Door, patient: &str, most: usize) -> Result<Vec<Kept<Account>>, StoreError> {
    let view = door.view(&Access::system("people"))?;
    let found = records::find::<Account>(&view, &ACCOUNT, ("patient", patient), most)?;
    Ok(found.into_iter().filter(|kept| kept.value.role == Role::Patient).collect())
}

/// Gives whoever has been proven to be the patient of an account an invitation to it, in place of an earlier one. `None` when
/// it is somebody's meanwhile, or is not what it was.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn claim(door: &Door, account: &Kept<Account>, proven: &Proven) -> Result<Option<String>, CommitError> {
    let (token, invitation) = invitation(proven.at, None)?;
    let access = Access::system("people");
    records::change(door, (&access, "account-claim"), (&ACCOUNT, &account.id), &[], |now: &mut Account| {
        if *now != account.value || !now.is_open() {
            return None;
        }
        now.invitation = Some(invitation.clone());
        now.proven = Some(proven.clone());
        Some(token.clone())
    })
}

fn invitation(now: i64, within: Option<&str>) -> Result<(String, Invitation), CommitError> {
    let token = new_secret().map_err(|error| StoreError::Engine(error.to_string()))?;
    let (digest, until) = (digest(&token), now + INVITATION_MICROS);
    let invitation = Invitation { digest, until, within: within.map(ToOwned::to_owned) };
    Ok((token, invitation))
}

/// An id that tells nothing: another digest of a digest.
fn id_of(digest_of_secret: &str) -> String {
    digest(digest_of_secret)[..32].to_owned()
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

/// Removes an account; false when there is none of this id. From then on its secret and its sessions let nobody in, and a
/// person who has no other account has left.
///
/// # Errors
/// [`CommitError`] when the access may not, or the store fails.
pub fn remove(door: &Door, access: &Access, id: &str) -> Result<bool, CommitError> {
    let account = records::read::<Account>(&door.view(access)?, &ACCOUNT, id)?;
    account.map_or(Ok(false), |account| keep::end_account(door, (access, "account"), &account))
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
    let put = records::put(door, kind, id, record, Expect::Anything);
    door.commit(access, action, Vec::new(), vec![put]).map(drop)
}
