//! Entering: by password and code, or by passkey. What was shown is taken durably before anybody is let in, so that
//! nothing counts twice.

use std::borrow::Cow;

use ieum_store::commit::{CommitError, StoreError};
use ieum_store::engine::AuditEntry;

use super::passkey::{Fault, Passkey, Site, Used};
use super::{Code, Person, State, keep, password};
use crate::door::Door;
use crate::records::Kept;

/// How somebody entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// With a passkey.
    Passkey,
    /// With the password and a code of the app.
    Code,
    /// With the password and a recovery code.
    Recovery,
    /// At a provider elsewhere, of this id, where logging in is two factors.
    Provider(String),
    /// At a provider elsewhere, of this id, and with a code.
    ProviderCode(String),
}

impl Way {
    /// What audit entries call it.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Passkey => "passkey".into(),
            Self::Code => "password-code".into(),
            Self::Recovery => "password-recovery".into(),
            Self::Provider(id) => format!("provider-{id}").into(),
            Self::ProviderCode(id) => format!("provider-{id}-code").into(),
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

/// What comes of a log-in elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// It lets them in.
    Entered(Entered),
    /// It is this person's, and a code is needed too.
    Half(String),
    /// It is nobody's.
    Unlinked,
    /// It is this person's, who may not enter.
    Out(String),
}

/// Enters with an identity elsewhere that has been proven at a provider. Where logging in is not two factors, nothing is
/// written: a code comes next, [`by_provider_and_code`].
///
/// # Errors
/// [`Failure`] when the store fails.
pub fn by_provider(
    door: &Door,
    identity: &str,
    (provider, two_factors): (&str, bool),
    browser: &str,
    now: i64,
) -> Result<Elsewhere, Failure> {
    let Some(kept) = keep::by_link(door, identity)? else { return Ok(Elsewhere::Unlinked) };
    if !two_factors {
        let is_active = kept.value.state == State::Active;
        return Ok(if is_active { Elsewhere::Half(kept.id) } else { Elsewhere::Out(kept.id) });
    }
    let done = keep::change(door, "sign-in", &kept.id, |person| {
        linked(person, identity, now)?;
        Some(entered(&kept.id, person, browser, Way::Provider(provider.to_owned()), now))
    })?;
    Ok(done.map_or(Elsewhere::Out(kept.id), Elsewhere::Entered))
}

/// Enters with an identity elsewhere, proven before, and a code. `None` when the code is not right, or they may not.
///
/// # Errors
/// [`Failure`] when the store fails.
pub fn by_provider_and_code(
    door: &Door,
    (id, identity): (&str, &str),
    (provider, code): (&str, &str),
    browser: &str,
    now: i64,
) -> Result<Option<Entered>, Failure> {
    Ok(keep::change(door, "sign-in", id, |person| {
        linked(person, identity, now)?;
        person.take_code(code, now)?;
        Some(entered(id, person, browser, Way::ProviderCode(provider.to_owned()), now))
    })?)
}

/// That somebody who may enter still has this identity.
fn linked(person: &mut Person, identity: &str, now: i64) -> Option<()> {
    let is_active = person.state == State::Active;
    let link = person.links.iter_mut().find(|link| link.identity == identity).filter(|_| is_active)?;
    link.used = Some(now);
    Some(())
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
