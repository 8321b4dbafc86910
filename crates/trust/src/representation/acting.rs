//! Acting for a patient: the authority of a representative, made anew at each request by the law of the day. So everything
//! ends by itself, at the next request: at the birthday, after the last day, when it is taken back, with a block.

use std::collections::BTreeSet;

use ieum_store::commit::{Expect, StoreError};
use ieum_store::record::Record;
use jiff::civil::Date;
use serde_json::Value;

use super::{By, ChangeError, Event, Kept, REPRESENTATION, Representation, one};
use crate::access::{Access, Behalf, Role};
use crate::door::Door;
use crate::law::Law;
use crate::law::day::{Birth, in_korea};
use crate::law::may::{Act, Decision, Outcome, Reason, State};
use crate::law::papers::{Needed, Paper};
use crate::purpose::Purpose;
use crate::records::put;

/// How a person is named in [`super::Asked::representative`].
#[must_use]
pub fn reference(person: &str) -> String {
    format!("IeumPerson/{person}")
}

/// What is known of a patient for decisions about representatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patient {
    /// The birth date, if the record has one that can be read.
    pub birth: Option<Birth>,
    /// Whether the record says that they have died.
    pub is_dead: bool,
}

impl Patient {
    /// Reads a Patient record.
    ///
    /// # Errors
    /// [`StoreError`] when the record is no JSON.
    pub fn read(record: &Record) -> Result<Self, StoreError> {
        let damaged = |_| StoreError::Damaged(format!("a record of kind {} cannot be read", record.kind));
        let patient: Value = serde_json::from_slice(&record.plain_json()).map_err(damaged)?;
        let birth = patient["birthDate"].as_str().and_then(|text| Birth::parse(text).ok());
        let is_dead = patient["deceasedBoolean"] == true || patient["deceasedDateTime"].is_string();
        Ok(Self { birth, is_dead })
    }

    /// The patient with this id; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn with_id(door: &Door, id: &str) -> Result<Option<Self>, StoreError> {
        let record = door.view(&Access::system("representation"))?.read("Patient", id)?;
        record.filter(|record| !record.is_deleted()).map(|record| Self::read(&record)).transpose()
    }

    /// A representation as it is of this patient: of somebody who has died, whatever was known when it was asked for.
    fn of(self, representation: &Representation) -> Representation {
        let mut of = representation.clone();
        if self.is_dead {
            of.asked.patient_state = Some(State::Death);
        }
        of
    }

    /// What a representative may do for them now. That the patient has no card is never taken for granted: it would waive a
    /// paper.
    #[must_use]
    pub fn decision(self, law: &Law, representation: &Representation, act: Act, now: i64) -> Decision {
        self.of(representation).may(law, (self.birth, true), act, in_korea(now))
    }

    /// What must be shown for a representation.
    #[must_use]
    pub fn needed(self, law: &Law, representation: &Representation, now: i64) -> Vec<Needed> {
        self.of(representation).needed(law, (self.birth, true), in_korea(now))
    }
}

/// The authority of a person to act for a patient by a representation at this moment; `None` when they have none.
///
/// # Errors
/// [`StoreError`] when it cannot be judged.
pub fn acting(
    door: &Door,
    law: &Law,
    (person, representation): (&str, &str),
    now: i64,
) -> Result<Option<Access>, StoreError> {
    let Some(Kept { record, .. }) = one(door, representation)? else { return Ok(None) };
    if record.asked.representative != reference(person) {
        return Ok(None);
    }
    let Some(patient) = Patient::with_id(door, &record.asked.patient)? else { return Ok(None) };
    let Outcome::Granted(grant) = patient.decision(law, &record, Act::View, now).outcome else {
        return Ok(None);
    };
    let consents = patient.decision(law, &record, Act::Consent, now).is_granted();
    let (representation, hidden) = (representation.to_owned(), grant.hidden);
    Ok(Some(Access {
        patient: Some(record.asked.patient),
        purpose: Purpose::FamilyRequest,
        behalf: Some(Behalf { representation, hidden, consents }),
        ..Access::new(person, Role::Patient)
    }))
}

/// Why a representation was not granted.
#[derive(Debug, thiserror::Error)]
pub enum NotGranted {
    /// The law of the day does not let them see anything by it.
    #[error("nothing could be done with it")]
    Law {
        /// Why.
        reason: Reason,
        /// What would have to be shown besides.
        missing: Vec<Paper>,
    },
    /// Who is asked for may not check it themself.
    #[error("nobody checks what they ask for themself")]
    Own,
    /// It was not changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<StoreError> for NotGranted {
    fn from(error: StoreError) -> Self {
        Self::Change(error.into())
    }
}

/// Grants a representation that was read, from today on: until a last day, or before the day on which the law ends it, so that
/// it can be asked for anew from then on. `person`: who checks, with the account of `access`.
///
/// # Errors
/// [`NotGranted`]; also when it was changed since it was read.
pub fn grant(
    door: &Door,
    law: &Law,
    (access, person): (&Access, &str),
    kept: &Kept<Representation>,
    (papers, until): (BTreeSet<Paper>, Option<Date>),
    now: i64,
) -> Result<Representation, NotGranted> {
    if kept.record.asked.representative == reference(person) {
        return Err(NotGranted::Own);
    }
    let patient = Patient::with_id(door, &kept.record.asked.patient)?.ok_or(ChangeError::Missing)?;
    let (since, checked_by) = (in_korea(now), access.actor.clone());
    let event = Event::Grant { checked_by, papers, since, until };
    let mut record = kept.record.after(event, By::Checker, since).map_err(ChangeError::from)?;
    match patient.decision(law, &record, Act::View, now).outcome {
        Outcome::Granted(grant) | Outcome::ForAPerson(grant) => {
            record.until = grant.lapses.and_then(|day| day.yesterday().ok());
        }
        Outcome::Refused { reason, missing } => return Err(NotGranted::Law { reason, missing }),
    }
    let change = put(door, &REPRESENTATION, &kept.id, &record, Expect::Version(kept.version));
    door.commit_own(access, "representation-grant", vec![change]).map_err(ChangeError::from)?;
    Ok(record)
}
