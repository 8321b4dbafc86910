//! Who represents a patient: asked for, checked, granted, taken back, blocked.
//!
//! One record for each pair of patient and representative, so that a block cannot be passed by asking anew; what was before
//! is in its versions. A record never decides alone: [`Representation::may`] asks the law of the day, so that a guardian's
//! powers end with the birthday, whatever was granted.

use std::collections::BTreeSet;

use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};
use jiff::civil::Date;

use crate::access::Access;
use crate::account::digest;
use crate::door::{Door, DoorError};
use crate::law::Law;
use crate::law::day::Birth;
use crate::law::may::{Act, Decision, Facts, Reason, Relation, State, needed, represent};
use crate::law::papers::{Needed, Paper};
pub use crate::own::Kept;
use crate::own::{find, read};
use crate::records::put;

pub mod acting;

/// The record kind.
pub static REPRESENTATION: OwnKind = OwnKind {
    name: "IeumRepresentation",
    family: Family::System,
    params: &[
        OwnParam { code: "patient", param_type: ParamType::Token, path: &["patient"] },
        OwnParam { code: "representative", param_type: ParamType::Token, path: &["representative"] },
        OwnParam { code: "organization", param_type: ParamType::Token, path: &["organization"] },
        OwnParam { code: "status", param_type: ParamType::Token, path: &["status"] },
    ],
};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// Id of the Patient.
    pub patient: String,
    /// Who represents: `IeumPerson/…`, or `IeumAccount/…` where no person is known. Name the person where there is one, so
    /// that a block holds in whatever account they enter.
    pub representative: String,
    /// What the representative is to the patient.
    pub relation: Relation,
    /// The state of a patient who cannot consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_state: Option<State>,
    /// Whether kin are known to exist who come before siblings.
    #[serde(default)]
    pub nearer_kin: bool,
    /// Id of the Organization that checks what is shown, and lifts a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// A representation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Representation {
    /// What was asked for.
    #[serde(flatten)]
    pub asked: Asked,
    /// How it stands, its period apart.
    pub status: Status,
    /// The first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// What was shown.
    pub papers: BTreeSet<Paper>,
    /// Who checked it: an account's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_by: Option<String>,
    /// The day it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Date>,
    /// The day from which the representative is kept away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Date>,
}

/// How a representation stands. That it has lapsed is told by the day: [`Representation::standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Asked for, not yet checked.
    Asked,
    /// Checked and granted.
    Granted,
    /// Checked and refused.
    Refused,
    /// Taken back, or laid down.
    Revoked,
    /// The representative is kept away from the patient.
    Blocked,
}

/// How a representation stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// As its status says; a granted one is within its period.
    Is(Status),
    /// Granted, and not begun.
    NotYet,
    /// Granted, and over.
    Lapsed,
}

/// What happens to a representation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is asked for anew, perhaps in another relation.
    Ask(Asked),
    /// It is granted.
    Grant {
        /// Who checked: an account's id.
        checked_by: String,
        /// What was shown.
        papers: BTreeSet<Paper>,
        /// The first day.
        since: Date,
        /// The last day.
        until: Option<Date>,
    },
    /// It is refused.
    Refuse,
    /// It is taken back, or laid down.
    Revoke,
    /// The representative is kept away from the patient.
    Block,
    /// The block is lifted. The representation stays taken back: it must be asked for anew.
    Unblock,
}

/// By whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The patient.
    Patient,
    /// The representative.
    Representative,
    /// Whoever checks such things at an institution.
    Checker,
}

/// Why nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not out of this state.
    #[error("this representation is not in a state for that")]
    State,
    /// Not by this one.
    #[error("somebody else must do that")]
    By,
    /// Of another patient or representative than the record.
    #[error("a representation stays with its patient and representative")]
    Pair,
    /// It would end before it begins.
    #[error("a representation cannot end before it begins")]
    Period,
}

impl Representation {
    /// A representation that is asked for, by the patient, the representative or a checker.
    #[must_use]
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            status: Status::Asked,
            since: None,
            until: None,
            papers: BTreeSet::new(),
            checked_by: None,
            revoked: None,
            blocked: None,
        }
    }

    /// How it stands on a day.
    #[must_use]
    pub fn standing(&self, day: Date) -> Standing {
        match self.status {
            Status::Granted if self.since.is_some_and(|since| day < since) => Standing::NotYet,
            Status::Granted if self.until.is_some_and(|until| until < day) => Standing::Lapsed,
            status => Standing::Is(status),
        }
    }

    /// What becomes of it when something happens on a day.
    ///
    /// # Errors
    /// [`Denied`]; then nothing does.
    pub fn after(&self, event: Event, by: By, day: Date) -> Result<Self, Denied> {
        let standing = self.standing(day);
        if !leads_on(standing, &event) {
            return Err(Denied::State);
        }
        if !is_allowed(&event, by) {
            return Err(Denied::By);
        }
        match event {
            Event::Ask(asked) if !self.is_of_same_pair(&asked) => Err(Denied::Pair),
            Event::Ask(asked) => Ok(Self::new(asked)),
            Event::Grant { since, until: Some(until), .. } if until < since => Err(Denied::Period),
            Event::Grant { checked_by, papers, since, until } => {
                let (status, checked_by, since) = (Status::Granted, Some(checked_by), Some(since));
                Ok(Self { status, papers, checked_by, since, until, ..self.clone() })
            }
            Event::Refuse => Ok(Self { status: Status::Refused, ..self.clone() }),
            Event::Revoke => Ok(Self { status: Status::Revoked, revoked: Some(day), ..self.clone() }),
            Event::Block => Ok(Self { status: Status::Blocked, blocked: Some(day), ..self.clone() }),
            Event::Unblock => {
                // From the block on nothing was granted any more.
                let revoked = [self.revoked, self.blocked].into_iter().flatten().min();
                Ok(Self { status: Status::Revoked, revoked, blocked: None, ..self.clone() })
            }
        }
    }

    fn is_of_same_pair(&self, asked: &Asked) -> bool {
        self.asked.patient == asked.patient && self.asked.representative == asked.representative
    }

    /// What the representative may do on a day: what was granted, and what the law of the day says of it.
    /// `birth`, `has_card`: of the patient.
    #[must_use]
    pub fn may(&self, law: &Law, patient: (Option<Birth>, bool), act: Act, day: Date) -> Decision {
        // What was ever granted has a first day.
        if self.since.is_none() {
            return Decision::refused(Reason::NotGranted, Vec::new());
        }
        represent(law, &self.facts(patient), act, day)
    }

    /// What must be shown, for the records to be seen from a day on.
    #[must_use]
    pub fn needed(&self, law: &Law, patient: (Option<Birth>, bool), day: Date) -> Vec<Needed> {
        needed(law, &self.facts(patient), Act::View, day)
    }

    fn facts(&self, (birth, has_card): (Option<Birth>, bool)) -> Facts<'_> {
        Facts {
            birth,
            has_card,
            state: self.asked.patient_state,
            relation: self.asked.relation,
            nearer_kin: self.asked.nearer_kin,
            shown: &self.papers,
            since: self.since,
            until: self.until,
            revoked: self.revoked,
            blocked: self.blocked,
        }
    }
}

/// Whether something can happen to a representation that stands so.
fn leads_on(standing: Standing, event: &Event) -> bool {
    use Status::{Asked, Blocked, Granted, Refused, Revoked};
    match event {
        Event::Ask(_) => matches!(standing, Standing::Is(Refused | Revoked) | Standing::Lapsed),
        Event::Grant { .. } | Event::Refuse => standing == Standing::Is(Asked),
        Event::Revoke => matches!(standing, Standing::Is(Asked | Granted) | Standing::NotYet),
        Event::Block => standing != Standing::Is(Blocked),
        Event::Unblock => standing == Standing::Is(Blocked),
    }
}

/// Whether somebody may do it. Taking back is no harder than asking; only who checks lifts a block, so that nobody can be
/// pressed to.
const fn is_allowed(event: &Event, by: By) -> bool {
    match event {
        Event::Ask(_) | Event::Revoke => true,
        Event::Grant { .. } | Event::Unblock => matches!(by, By::Checker),
        Event::Refuse | Event::Block => matches!(by, By::Checker | By::Patient),
    }
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The state machine does not allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such representation.
    #[error("there is no such representation")]
    Missing,
    /// The store refuses.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The id of the one record of a patient and a representative. It tells neither.
#[must_use]
pub fn id(patient: &str, representative: &str) -> String {
    digest(&format!("representation\n{patient}\n{representative}"))[..32].to_owned()
}

/// On whose authority records are read: what somebody may know of them is judged by whoever shows them.
fn reader() -> Access {
    Access::system("representation")
}

/// Asks for a representation, anew where there was one before, together with other changes of records of ours; gives the
/// record's id.
///
/// # Errors
/// [`ChangeError`] while one is under way, in force or blocked, or when the store fails.
pub fn ask(
    door: &Door,
    access: &Access,
    asked: Asked,
    (by, day): (By, Date),
    mut also: Vec<Change>,
) -> Result<String, ChangeError> {
    let id = id(&asked.patient, &asked.representative);
    let (record, expect) = match read::<Representation>(door, &reader(), &REPRESENTATION, &id)? {
        Some(kept) => (kept.record.after(Event::Ask(asked), by, day)?, Expect::Version(kept.version)),
        None => (Representation::new(asked), Expect::New),
    };
    also.push(put(door, &REPRESENTATION, &id, &record, expect));
    door.commit_own(access, "representation-ask", also)?;
    Ok(id)
}

/// Lets something else happen to a representation; gives what became of it.
///
/// # Errors
/// [`ChangeError`]; of two at the same time one finds another version than it read.
pub fn change(
    door: &Door,
    access: &Access,
    id: &str,
    event: Event,
    (by, day): (By, Date),
) -> Result<Representation, ChangeError> {
    let kept = read::<Representation>(door, &reader(), &REPRESENTATION, id)?.ok_or(ChangeError::Missing)?;
    let action = match event {
        Event::Ask(_) => "representation-ask",
        Event::Grant { .. } => "representation-grant",
        Event::Refuse => "representation-refuse",
        Event::Revoke => "representation-revoke",
        Event::Block => "representation-block",
        Event::Unblock => "representation-unblock",
    };
    let record = kept.record.after(event, by, day)?;
    let change = put(door, &REPRESENTATION, id, &record, Expect::Version(kept.version));
    door.commit_own(access, action, vec![change])?;
    Ok(record)
}

/// Representations of one kind of party, in whatever state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'o> {
    /// Of the patient with this id.
    Patient(&'o str),
    /// Of the representative: `IeumPerson/…` or `IeumAccount/…`.
    Representative(&'o str),
    /// Those that the Organization with this id checks.
    Organization(&'o str),
}

/// All of one party. What each may do is asked of [`Representation::may`].
///
/// # Errors
/// [`DoorError`] when the store fails.
pub fn all(door: &Door, of: Of<'_>) -> Result<Vec<Kept<Representation>>, DoorError> {
    let wanted = match of {
        Of::Patient(id) => ("patient", id),
        Of::Representative(reference) => ("representative", reference),
        Of::Organization(id) => ("organization", id),
    };
    find(door, &reader(), &REPRESENTATION, wanted)
}

/// One of them.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn one(door: &Door, id: &str) -> Result<Option<Kept<Representation>>, StoreError> {
    read(door, &reader(), &REPRESENTATION, id)
}

#[cfg(test)]
mod tests;
