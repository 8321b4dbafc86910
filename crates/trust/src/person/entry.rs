//! Entering: by password and code, or by passkey. What was shown is taken durably before anybody is let in, so that
//! nothing counts twice.

use ieum_store::commit::{CommitError, StoreError};
use ieum_store::engine::AuditEntry;

use super::passkey::{Fault, Passkey, Site, Used};
use super::{Code, Person, State, keep, password};
use crate::door::Door;
use crate::records::Kept;

/// How somebody entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With a passkey.
    Passkey,
    /// With the password and a code of the app.
    Code,
    /// With the password and a recovery code.
    Recovery,
}

impl Way {
    /// What audit entries call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Code => "password-code",
            Self::Recovery => "password-recovery",
        }
    }
}

/// Somebody who has shown who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The person's id.
    pub person: String,
    /// How they are greeted.
    pub name: String,
    /// The number that their sessions must have.
    pub generation: u64,
    /// How.
    pub way: Way,
}

/// Why nothing could be said about who it is.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Passwords could not be checked.
    #[error(transparent)]
    Password(#[from] password::Failure),
    /// The store did not write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store did not read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Enters with a password and a code. Whoever is not there, may not enter, or has no password is told the same after the
/// same time as whoever mistyped.
///
/// # Errors
/// [`Failure`] when nothing could be checked.
pub fn by_password(
    door: &Door,
    found: Option<&Kept<Person>>,
    (password, code): (&str, &str),
    browser: &str,
    now: i64,
) -> Result<Option<Entered>, Failure> {
    let hash = found.and_then(|kept| kept.value.password.as_deref());
    let is_right = password::is_right(password, hash)?;
    let Some(kept) = found.filter(|_| is_right) else { return Ok(None) };
    Ok(keep::change(door, "sign-in", &kept.id, |person| {
        if person.state != State::Active || person.password.as_deref() != hash {
            return None;
        }
        let way = match person.take_code(code, now)? {
            Code::App => Way::Code,
            Code::Recovery => Way::Recovery,
        };
        Some(entered(&kept.id, person, browser, way, now))
    })?)
}

/// Enters with the passkey of a credential id. `is_ours` says whether a challenge is one that we asked.
///
/// # Errors
/// [`Failure`] when nothing could be checked.
pub fn by_passkey(
    door: &Door,
    site: &Site,
    (credential, used): (&[u8], &Used<'_>),
    browser: &str,
    now: i64,
    is_ours: impl Fn(&[u8]) -> bool,
) -> Result<Result<Entered, Refused>, Failure> {
    let digest = Passkey::digest(credential);
    let Some(kept) = keep::by_passkey(door, &digest)? else { return Ok(Err(Refused::Unknown)) };
    let mut refused = Refused::Unknown;
    let done = keep::change(door, "sign-in", &kept.id, |person| {
        refused = Refused::Unknown;
        if person.state != State::Active {
            return None;
        }
        let passkey = person.passkeys.iter_mut().find(|passkey| passkey.digest == digest)?;
        let was_suspect = passkey.suspect;
        match passkey.verify(site, used, now, &is_ours) {
            Ok(()) => Some(Some(entered(&kept.id, person, browser, Way::Passkey, now))),
            Err(fault) => {
                refused = Refused::Fault(kept.id.clone(), fault);
                // That it was cloned is written down, once.
                (fault == Fault::Cloned && !was_suspect).then_some(None)
            }
        }
    })?;
    Ok(done.flatten().ok_or(refused))
}

/// Why a passkey let nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is nobody's, or of somebody who may not enter.
    Unknown,
    /// It is this person's, and was not taken.
    Fault(String, Fault),
}

fn entered(id: &str, person: &mut Person, browser: &str, way: Way, now: i64) -> Entered {
    person.remember_browser(browser);
    person.last_entry = Some(now);
    Entered { person: id.to_owned(), name: person.name.clone(), generation: person.generation, way }
}

impl Door {
    /// Records what a person did or tried, before or beside any role: entering, and what proves who they are.
    ///
    /// # Errors
    /// [`StoreError`] when the entry could not be made durable.
    pub fn note_person(
        &self,
        person: Option<&str>,
        action: &str,
        target: &str,
        allowed: bool,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            actor: person.unwrap_or("unknown").to_owned(),
            role: if person.is_some() { "person" } else { "none" }.to_owned(),
            purpose: String::new(),
            action: action.to_owned(),
            target: target.to_owned(),
            allowed,
        };
        if allowed { self.engine.audit(&entry) } else { self.write_refusal(&entry) }
    }
}
