//! Records of people: found, changed, and tied to the accounts that they act as.

use ieum_store::commit::{Change, CommitError, Expect, Guard, StoreError};

use super::link::{LINKS, Link};
use super::passkey::Passkey;
use super::{Issuer, PASSKEYS, PERSON, Person, State};
use crate::access::Access;
use crate::account::{ACCOUNT, Account};
use crate::door::Door;
use crate::records::{self, Kept, none_has, put, query};

/// Accounts of one person that are looked at; who has more is taken to act elsewhere too.
const OTHERS: usize = 100;

/// On whose authority these records are read and written: whoever enters is nobody yet.
#[must_use]
pub fn access() -> Access {
    Access::system("people")
}

/// A person.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn read(door: &Door, id: &str) -> Result<Option<Kept<Person>>, StoreError> {
    records::read(&door.view(&access())?, &PERSON, id)
}

/// The person with a log-in name, as [`super::login_name`] writes it.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn by_login(door: &Door, login: &str) -> Result<Option<Kept<Person>>, StoreError> {
    Ok(records::find(&door.view(&access())?, &PERSON, ("login", login), 1)?.pop())
}

/// The person with the passkey of this digest.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn by_passkey(door: &Door, digest: &str) -> Result<Option<Kept<Person>>, StoreError> {
    Ok(records::find(&door.view(&access())?, &PERSON, ("passkey", digest), 1)?.pop())
}

/// The person with this identity elsewhere.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn by_link(door: &Door, identity: &str) -> Result<Option<Kept<Person>>, StoreError> {
    Ok(records::find(&door.view(&access())?, &PERSON, ("link", identity), 1)?.pop())
}

/// Changes a person; see [`records::change`].
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn change<R>(
    door: &Door,
    action: &'static str,
    id: &str,
    change: impl FnMut(&mut Person) -> Option<R>,
) -> Result<Option<R>, CommitError> {
    records::change(door, (&access(), action), (&PERSON, id), &[], change)
}

/// What came of a log-in name that somebody chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is theirs: the id of the new person.
    Made(String),
    /// Somebody else has it.
    Taken,
    /// The invitation is not what it was.
    Stale,
}

/// Gives an invited account a new person with a log-in name. Of two who choose the same name, one has it.
///
/// # Errors
/// [`CommitError`] when the store fails.
///
/// # Panics
/// Never: the identifier is made by us.
pub fn claim(door: &Door, account: &Kept<Account>, login: &str) -> Result<Claim, CommitError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Engine(error.to_string()))?;
    let id = data_encoding::HEXLOWER.encode(&bytes);
    let person = Person::invited(login, &account.value.name);
    let claimed = Account { person: Some(id.clone()), ..account.value.clone() };
    let changes = vec![
        put(door, &PERSON, &id, &person, Expect::New),
        put(door, &ACCOUNT, &account.id, &claimed, Expect::Version(account.version)),
    ];
    match door.commit(&access(), "first-entry", vec![none_has(&PERSON, "login", login)], changes) {
        Ok(_) => Ok(Claim::Made(id)),
        Err(CommitError::Guard { .. }) => Ok(Claim::Taken),
        Err(CommitError::Version { .. }) => Ok(Claim::Stale),
        Err(error) => Err(error),
    }
}

/// A factor that belongs to one person alone, whoever comes first.
#[derive(Clone, Copy)]
pub enum Unique<'a> {
    /// A passkey.
    Passkey(&'a Passkey),
    /// An identity elsewhere.
    Link(&'a Link),
}

impl Unique<'_> {
    /// That nobody else has it. What the person themselves had before is forgotten in the same commit.
    fn guard(self, person: &Kept<Person>) -> Guard {
        let (code, value, is_own) = match self {
            Self::Passkey(passkey) => ("passkey", &passkey.digest, false),
            Self::Link(link) => ("link", &link.identity, person.value.has_link(&link.identity)),
        };
        let found = if is_own { vec![person.id.clone()] } else { Vec::new() };
        Guard { query: query(&PERSON, code, value), found }
    }
}

/// Ends a first entry: the invitation is used up, and the person has the factors that `set` gives them and no others.
/// `None` when the invitation is not good any more.
///
/// # Errors
/// [`CommitError::Guard`] when a passkey is somebody's already; others when the store fails.
pub fn complete(
    door: &Door,
    (account, invitation): (&str, &str),
    now: i64,
    unique: Option<Unique<'_>>,
    set: impl FnOnce(&mut Person),
) -> Result<Option<Kept<Person>>, CommitError> {
    let view = door.view(&access())?;
    let Some(mut account) = records::read::<Account>(&view, &ACCOUNT, account)? else { return Ok(None) };
    let is_good = account.value.invitation.as_ref().is_some_and(|kept| kept.is(invitation, now));
    let Some(person) = account.value.person.clone().filter(|_| is_good) else { return Ok(None) };
    let Some(mut person) = records::read::<Person>(&view, &PERSON, &person)? else { return Ok(None) };
    // What a manager made opens nothing of another institution, also if they have begun to act there since.
    let within = account.value.invitation.as_ref().and_then(|invitation| invitation.within.clone());
    if within.is_some() {
        let all = records::find::<Account>(&view, &ACCOUNT, ("person", &person.id), OTHERS)?;
        if all.len() == OTHERS || all.iter().any(|other| other.value.organization != within) {
            return Ok(None);
        }
    }
    drop(view);
    if !matches!(person.value.state, State::Invited | State::Active) {
        return Ok(None);
    }
    let guard = unique.map(|unique| unique.guard(&person));
    person.value.forget_factors();
    person.value.end_sessions();
    match unique {
        Some(Unique::Passkey(passkey)) => person.value.passkeys.push(passkey.clone()),
        Some(Unique::Link(link)) => person.value.links.push(link.clone()),
        None => {}
    }
    set(&mut person.value);
    person.value.state = State::Active;
    person.value.last_entry = Some(now);
    account.value.invitation = None;
    let changes = vec![
        put(door, &PERSON, &person.id, &person.value, Expect::Version(person.version)),
        put(door, &ACCOUNT, &account.id, &account.value, Expect::Version(account.version)),
    ];
    match door.commit(&access(), "first-entry", guard.into_iter().collect(), changes) {
        Ok(_) => Ok(Some(person)),
        Err(CommitError::Version { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives an invited account to a person who is there already; false when the invitation is not good any more.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn accept(door: &Door, account: &Kept<Account>, person: &str) -> Result<bool, CommitError> {
    let accepted = Account { person: Some(person.to_owned()), invitation: None, ..account.value.clone() };
    let put = put(door, &ACCOUNT, &account.id, &accepted, Expect::Version(account.version));
    match door.commit(&access(), "account-accept", Vec::new(), vec![put]) {
        Ok(_) => Ok(true),
        Err(CommitError::Version { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Adds a passkey, which ends the other sessions; gives the new number of sessions. `None` when there are too many.
///
/// # Errors
/// [`CommitError::Guard`] when it is somebody's already; others when the store fails.
pub fn add_passkey(door: &Door, id: &str, passkey: &Passkey) -> Result<Option<u64>, CommitError> {
    let guards = [none_has(&PERSON, "passkey", &passkey.digest)];
    records::change(door, (&access(), "passkey-add"), (&PERSON, id), &guards, |person: &mut Person| {
        if person.passkeys.len() >= PASSKEYS {
            return None;
        }
        person.passkeys.push(passkey.clone());
        person.end_sessions();
        Some(person.generation)
    })
}

/// Ties an identity elsewhere to a person, which ends the other sessions; gives the new number of sessions. `None` when
/// there are too many, or one of the same issuer.
///
/// # Errors
/// [`CommitError::Guard`] when it is somebody's already; others when the store fails.
pub fn add_link(door: &Door, id: &str, link: &Link) -> Result<Option<u64>, CommitError> {
    let guards = [none_has(&PERSON, "link", &link.identity)];
    records::change(door, (&access(), "provider-link"), (&PERSON, id), &guards, |person: &mut Person| {
        let has_one = person.links.iter().any(|other| other.issuer == link.issuer);
        if has_one || person.links.len() >= LINKS {
            return None;
        }
        person.links.push(link.clone());
        person.end_sessions();
        Some(person.generation)
    })
}

/// What came of taking away an identity elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlinked {
    /// It is gone, and this is the new number of sessions.
    Gone(u64),
    /// It is the last way in.
    Last,
    /// It was not there.
    Missing,
}

/// Takes away an identity elsewhere, unless nothing would be left to enter with.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn remove_link(
    door: &Door,
    id: &str,
    identity: &str,
    offered: &[Issuer<'_>],
) -> Result<Unlinked, CommitError> {
    let mut is_there = false;
    let removed = change(door, "provider-unlink", id, |person| {
        is_there = person.has_link(identity);
        person.links.retain(|link| link.identity != identity);
        person.end_sessions();
        (is_there && person.is_complete(offered)).then_some(person.generation)
    })?;
    Ok(match removed {
        Some(generation) => Unlinked::Gone(generation),
        None if is_there => Unlinked::Last,
        None => Unlinked::Missing,
    })
}

/// Ends an account; a person who has no other has left. False when the account is not there, or something about it was
/// changed in the meantime.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn end_account(
    door: &Door,
    (access, action): (&Access, &'static str),
    account: &Kept<Account>,
) -> Result<bool, CommitError> {
    let expect = Expect::Version(account.version);
    let mut changes = vec![Change::Delete { kind: ACCOUNT.name.into(), id: account.id.clone(), expect }];
    let mut guards = Vec::new();
    if let Some(id) = &account.value.person
        && let Some(mut person) = read(door, id)?
    {
        let others = records::find::<Account>(&door.view(access)?, &ACCOUNT, ("person", id), 2)?;
        if others.iter().all(|other| other.id == account.id) {
            person.value.state = State::Ended;
            person.value.end_sessions();
            changes.push(put(door, &PERSON, id, &person.value, Expect::Version(person.version)));
            // That nobody gives them another account meanwhile.
            let found = vec![account.id.clone()];
            guards.push(Guard { query: query(&ACCOUNT, "person", id), found });
        }
    }
    match door.commit(access, action, guards, changes) {
        Ok(_) => Ok(true),
        Err(CommitError::Version { .. } | CommitError::Guard { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
