//! Apps as records: registered, found, changed, removed.

use ieum_fhir::search::{Query, Total};
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use serde_json::Value;

use super::{CLIENT, Client, ClientError};
use crate::access::Access;
use crate::account::{digest, new_secret, put_own};
use crate::door::{Door, DoorError};
use crate::records::{self, Kept};

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

/// The apps of an institution, at most so many.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn of_institution(
    door: &Door,
    access: &Access,
    institution: &str,
    most: usize,
) -> Result<Vec<Kept<Client>>, StoreError> {
    records::find(&door.view(access)?, &CLIENT, ("institution", institution), most)
}

/// An app with its place in the store.
pub type Known = Kept<Client>;

/// The app that registered itself under an issuer, if there is one.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn by_issuer(door: &Door, access: &Access, issuer: &str) -> Result<Option<Known>, StoreError> {
    Ok(records::find(&door.view(access)?, &CLIENT, ("issuer", issuer), 1)?.pop())
}

/// Registers an app anew under the id that it has; somebody must have looked at it ([`Client::check`]).
///
/// # Errors
/// [`CommitError`]; of them `Version` when somebody else has changed it meanwhile.
pub fn replace(door: &Door, access: &Access, known: &Known, client: &Client) -> Result<(), CommitError> {
    let put = records::put(door, &CLIENT, &known.id, client, Expect::Version(known.version));
    door.commit(access, "client", Vec::new(), vec![put]).map(drop)
}

/// Gives an app of an institution other keys; false when it has no such app. Proofs by keys that are not among them count
/// no more, from the next request on.
///
/// # Errors
/// [`ClientError`]; then it keeps those it has.
pub fn change_keys(
    door: &Door,
    (access, action): (&Access, &'static str),
    (institution, id): (&str, &str),
    jwks: &Value,
) -> Result<bool, ClientError> {
    let mut refused = None;
    let changed = records::change(door, (access, action), (&CLIENT, id), &[], |client: &mut Client| {
        if client.institution.as_deref() != Some(institution) || client.jwks.is_none() {
            return None;
        }
        client.jwks = Some(jwks.clone());
        refused = client.check().err();
        refused.is_none().then_some(())
    })?;
    refused.map_or(Ok(changed.is_some()), Err)
}
