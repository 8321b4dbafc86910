//! Records: requests and their log. What happens to a request and the entry that says so are one commit.

use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::commit::{CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};
use jiff::civil::Date;

use super::items::Items;
use super::request::{By, Denied, Event, Request};
use crate::access::Access;
use crate::door::{Door, DoorError};
use crate::law::Law;
use crate::own::{Kept, find, read};
use crate::records::put;

/// The kind of requests.
pub static TRANSFER_REQUEST: OwnKind = OwnKind {
    name: "IeumTransferRequest",
    family: Family::System,
    params: &[
        OwnParam { code: "patient", param_type: ParamType::Token, path: &["patient"] },
        OwnParam { code: "organization", param_type: ParamType::Token, path: &["organization"] },
    ],
};

/// The kind of entries.
pub static TRANSFER_ENTRY: OwnKind = OwnKind {
    name: "IeumTransferEntry",
    family: Family::System,
    params: &[
        OwnParam { code: "request", param_type: ParamType::Token, path: &["request"] },
        OwnParam { code: "day", param_type: ParamType::Date, path: &["day"] },
    ],
};

/// An entry of the log. How long it is kept: [`super::request::logged_until`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Id of the request.
    pub request: String,
    /// Its place in the request's log, from 1.
    pub number: u32,
    /// The day.
    pub day: Date,
    /// What happened.
    pub what: What,
    /// The ground of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<u8>,
    /// The seven items as they were in force.
    pub items: Items,
}

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The request was made.
    Received,
    /// It was accepted.
    Accepted,
    /// It was refused.
    Refused,
    /// The subject was told of it.
    Told,
    /// It was changed.
    Changed,
    /// It was withdrawn.
    Withdrawn,
    /// Data were sent.
    Sent,
    /// The sender stopped.
    Stopped,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The state machine does not allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such request.
    #[error("there is no such request")]
    Missing,
    /// The store refuses.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// On whose authority requests are read: what somebody may know of them is judged by whoever shows them.
fn reader() -> Access {
    Access::system("transfer")
}

/// Keeps a new request under an id that nothing has yet.
///
/// # Errors
/// [`CommitError`] when the id is taken, the access may not, or the store fails.
pub fn receive(door: &Door, access: &Access, id: &str, request: Request) -> Result<(), CommitError> {
    let day = request.received;
    write(door, access, "transfer-receive", (id, request, Expect::New), (What::Received, None, day))
}

/// Lets something happen to a request; gives what became of it.
///
/// # Errors
/// [`ChangeError`]; of two at the same time one finds another version than it read.
pub fn change(
    door: &Door,
    access: &Access,
    law: &Law,
    id: &str,
    (event, by, day): (&Event, By, Date),
) -> Result<Request, ChangeError> {
    let kept = one(door, id)?.ok_or(ChangeError::Missing)?;
    let request = kept.record.after(law, event, by, day)?;
    let (action, what, ground) = match event {
        Event::Accept => ("transfer-accept", What::Accepted, None),
        Event::Refuse { ground } => ("transfer-refuse", What::Refused, Some(*ground)),
        Event::Tell => ("transfer-tell", What::Told, None),
        Event::Change(_) => ("transfer-change", What::Changed, None),
        Event::Withdraw => ("transfer-withdraw", What::Withdrawn, None),
        Event::Send => ("transfer-send", What::Sent, None),
        Event::Stop => ("transfer-stop", What::Stopped, None),
    };
    let expect = Expect::Version(kept.version);
    write(door, access, action, (id, request.clone(), expect), (what, ground, day))?;
    Ok(Request { entries: request.entries + 1, ..request })
}

fn write(
    door: &Door,
    access: &Access,
    action: &'static str,
    (id, mut request, expect): (&str, Request, Expect),
    (what, ground, day): (What, Option<u8>, Date),
) -> Result<(), CommitError> {
    request.entries += 1;
    let (number, items) = (request.entries, request.items.clone());
    let entry = Entry { request: id.to_owned(), number, day, what, ground, items };
    let entry = put(door, &TRANSFER_ENTRY, &format!("{id}-{number}"), &entry, Expect::New);
    let request = put(door, &TRANSFER_REQUEST, id, &request, expect);
    door.commit_own(access, action, vec![request, entry]).map(drop)
}

/// The requests of a patient.
///
/// # Errors
/// [`DoorError`] when the store fails.
pub fn requests(door: &Door, patient: &str) -> Result<Vec<Kept<Request>>, DoorError> {
    let mut found = find::<Request>(door, &reader(), &TRANSFER_REQUEST, ("patient", patient))?;
    found.sort_by_key(|kept| kept.record.received);
    Ok(found)
}

/// The requests to an institution of this hub.
///
/// # Errors
/// [`DoorError`] when the store fails.
pub fn of_sender(door: &Door, organization: &str) -> Result<Vec<Kept<Request>>, DoorError> {
    let mut found = find::<Request>(door, &reader(), &TRANSFER_REQUEST, ("organization", organization))?;
    found.sort_by_key(|kept| kept.record.received);
    Ok(found)
}

/// One request.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn one(door: &Door, id: &str) -> Result<Option<Kept<Request>>, StoreError> {
    read(door, &reader(), &TRANSFER_REQUEST, id)
}

/// The log of a request, oldest first.
///
/// # Errors
/// [`DoorError`] when the store fails.
pub fn log(door: &Door, id: &str) -> Result<Vec<Entry>, DoorError> {
    let found = find::<Entry>(door, &reader(), &TRANSFER_ENTRY, ("request", id))?;
    let mut entries: Vec<Entry> = found.into_iter().map(|kept| kept.record).collect();
    entries.sort_by_key(|entry| entry.number);
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ieum_store::catalogue::Catalogue;
    use ieum_store::memory::MemoryEngine;
    use jiff::civil::date;

    use super::*;
    use crate::evidence::POLICY;
    use crate::law::row::Unit;
    use crate::transfer::items::{Given, Periodic, Term};
    use crate::transfer::request::Status;

    fn request() -> Request {
        let given = Given {
            purpose: Some("건강관리".into()),
            sender: Some("hira".into()),
            receiver: Some("o1".into()),
            data: vec!["dispensing".into()],
            periodic: Some(Periodic::Once),
            end: Some(date(2026, 12, 31)),
            retention: Some(Term { number: 30, unit: Unit::Days }),
        };
        let day = date(2026, 11, 28);
        Request::new("p1", Some("o1".into()), given.check(&Law::built_in(), day).unwrap(), day)
    }

    #[test]
    fn what_happens_is_logged_in_the_same_commit() {
        static KINDS: &[&OwnKind] = &[&TRANSFER_REQUEST, &TRANSFER_ENTRY];
        let catalogue = Arc::new(Catalogue::new(KINDS, Vec::new(), POLICY));
        let door = Door::new(Arc::new(MemoryEngine::new(catalogue, Arc::new(|| 0))), [0; 32]);
        let (access, law, day) = (Access::system("test"), Law::built_in(), date(2026, 11, 28));
        receive(&door, &access, "t1", request()).unwrap();
        assert!(matches!(receive(&door, &access, "t1", request()), Err(CommitError::Taken { .. })));
        for (event, by) in
            [(Event::Accept, By::Sender), (Event::Send, By::Sender), (Event::Withdraw, By::Subject)]
        {
            change(&door, &access, &law, "t1", (&event, by, day)).unwrap();
        }
        let denied = change(&door, &access, &law, "t1", (&Event::Accept, By::Sender, day));
        assert!(matches!(denied, Err(ChangeError::Denied(Denied::State))));
        receive(&door, &access, "t2", request()).unwrap();
        let refused =
            change(&door, &access, &law, "t2", (&Event::Refuse { ground: 8 }, By::Sender, day)).unwrap();
        assert_eq!((refused.status, refused.entries), (Status::Refused { ground: 8, told: false }, 2));
        let told = |id| {
            let log = log(&door, id).unwrap();
            log.into_iter().map(|entry| (entry.number, entry.what, entry.ground)).collect::<Vec<_>>()
        };
        assert_eq!(
            told("t1"),
            [
                (1, What::Received, None),
                (2, What::Accepted, None),
                (3, What::Sent, None),
                (4, What::Withdrawn, None)
            ]
        );
        assert_eq!(told("t2"), [(1, What::Received, None), (2, What::Refused, Some(8))]);
        let kept = requests(&door, "p1").unwrap();
        assert_eq!(kept.iter().map(|kept| kept.record.entries).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(of_sender(&door, "o1").unwrap().len(), 2);
        assert!(of_sender(&door, "o2").unwrap().is_empty() && requests(&door, "p2").unwrap().is_empty());
        assert_eq!(kept[1].record, refused);
    }
}
