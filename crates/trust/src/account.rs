//! Accounts: who may enter, until the log-in chapter brings passkeys and certificates.
//!
//! An account's secret is 256 random bits, shown once when the account is made and kept only as a SHA-256 digest: there
//! is nothing to guess, so nothing slower is needed.

use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::own::{OwnKind, OwnParam};
use sha2::{Digest, Sha256};

use crate::access::{Access, Role};

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
    /// SHA-256 of the secret, hexadecimal.
    pub secret_digest: String,
}

impl Account {
    /// The authority that the account with this id gives.
    #[must_use]
    pub fn access(&self, id: &str) -> Access {
        Access { actor: id.to_owned(), role: self.role, patient: self.patient.clone() }
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
    use std::fmt::Write as _;
    Sha256::digest(secret.as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
