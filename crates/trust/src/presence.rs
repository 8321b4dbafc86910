//! Relations that a patient makes themself: presence, shown by a code at an institution that types it in, and a grant for some
//! days. Both open what the institution wrote itself, and of others what the patient's consents permit; both end by
//! themselves, and at once when the patient ends them.
//!
//! How long presence holds are rows of the law's tables (`law/terms.toml`), which say that they are this project's own.

use ieum_fhir::date::{self, format_instant};
use ieum_store::commit::{CommitError, Expect, StoreError};

use crate::access::{Access, Role};
use crate::account::{digest, new_secret};
use crate::code::{self, What};
use crate::door::{Door, DoorError};
use crate::evidence::relation::{Basis, OwnRelation, RELATION};
use crate::institution::{PHARMACY, is_of_type};
use crate::law::Law;
use crate::law::asked::{PRESENCE, PRESENCE_PHARMACY};
use crate::law::day::in_korea;
use crate::own::{Kept, find_reference};
use crate::records::{self, put};

const DAY: i64 = 24 * 3_600_000_000;
/// The most days of a grant.
pub const MOST_DAYS: i64 = 365;

/// Why no relation was made.
#[derive(Debug, thiserror::Error)]
pub enum NoRelation {
    /// Only those who treat, for an institution, take codes; and only patients grant.
    #[error("not by this one")]
    Role,
    /// No such code is good.
    #[error("no such code")]
    Code,
    /// No such institution.
    #[error("no such institution")]
    Institution,
    /// Too few or too many days.
    #[error("a grant is for 1 to {MOST_DAYS} days")]
    Days,
    /// The store refuses.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<StoreError> for NoRelation {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

/// Takes the code that a patient shows: from the commit on their institution has a relation to them. Gives the patient and the
/// end, in microseconds since 1970.
///
/// # Errors
/// [`NoRelation`]; a refusal is written down.
pub fn present(
    door: &Door,
    law: &Law,
    access: &Access,
    typed: &str,
    now: i64,
) -> Result<(String, i64), NoRelation> {
    let (Role::Clinician, Some(organization)) = (access.role, &access.organization) else {
        door.refused(access, "presence", "Patient")?;
        return Err(NoRelation::Role);
    };
    let Some(code) = code::find(door, What::Presence, typed, now)? else {
        door.refused(access, "presence", "Patient")?;
        return Err(NoRelation::Code);
    };
    let patient = code.value.patient.clone();
    let until = now + days(door, law, organization, now)? * DAY;
    let relation = relation((&patient, organization), Basis::Presence, access, (now, until));
    let changes = vec![code::used(&code), put(door, &RELATION, &new_id()?, &relation, Expect::New)];
    match door.commit_own(access, "presence", changes) {
        Ok(_) => Ok((patient, until)),
        // Somebody else was quicker with the same code.
        Err(CommitError::Version { .. }) => Err(NoRelation::Code),
        Err(error) => Err(error.into()),
    }
}

/// Days for which presence at an institution holds.
fn days(door: &Door, law: &Law, organization: &str, now: i64) -> Result<i64, StoreError> {
    let is_pharmacy = is_of_type(door, organization, PHARMACY)?;
    let rule = if is_pharmacy { &PRESENCE_PHARMACY } else { &PRESENCE };
    Ok(i64::from(law.always(rule, in_korea(now)).0))
}

/// Lets an institution see the records of the patient who asks, for some days.
///
/// # Errors
/// [`NoRelation`]; then nothing is open.
pub fn grant(
    door: &Door,
    access: &Access,
    (organization, days): (&str, i64),
    now: i64,
) -> Result<(), NoRelation> {
    let patient = patient(access).ok_or(NoRelation::Role)?;
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(NoRelation::Days);
    }
    let known = door.view(&Access::system("presence"))?.read("Organization", organization)?;
    if known.is_none_or(|record| record.is_deleted()) {
        return Err(NoRelation::Institution);
    }
    let relation = relation((patient, organization), Basis::Grant, access, (now, now + days * DAY));
    let change = put(door, &RELATION, &new_id()?, &relation, Expect::New);
    door.commit_own(access, "relation-grant", vec![change])?;
    Ok(())
}

/// What the patient who asks has made and is not over, the newest first.
///
/// # Errors
/// [`DoorError`] when the store fails. For other roles there is none.
pub fn in_force(door: &Door, access: &Access, now: i64) -> Result<Vec<Kept<OwnRelation>>, DoorError> {
    let Some(patient) = patient(access) else { return Ok(Vec::new()) };
    let system = Access::system("presence");
    let mut all = find_reference::<OwnRelation>(door, &system, &RELATION, ("patient", "Patient", patient))?;
    all.retain(|kept| is_own(&kept.record) && instant(&kept.record.until).is_some_and(|until| now < until));
    all.sort_by(|one, other| other.record.from.cmp(&one.record.from));
    Ok(all)
}

/// Ends one of them now; false when there is none of this id.
///
/// # Errors
/// [`CommitError`] when the store fails, or somebody ends it at the same moment.
pub fn end(door: &Door, access: &Access, id: &str, now: i64) -> Result<bool, CommitError> {
    let Some(patient) = patient(access) else { return Err(CommitError::Denied) };
    let view = door.view(&Access::system("presence"))?;
    let Some(kept) = records::read::<OwnRelation>(&view, &RELATION, id)? else { return Ok(false) };
    drop(view);
    let is_theirs = kept.value.patient_reference == format!("Patient/{patient}");
    if !is_theirs || !is_own(&kept.value) || instant(&kept.value.until).is_none_or(|until| until <= now) {
        return Ok(false);
    }
    let ended = OwnRelation { until: format_instant(now), ..kept.value };
    let change = put(door, &RELATION, id, &ended, Expect::Version(kept.version));
    door.commit_own(access, "relation-end", vec![change])?;
    Ok(true)
}

/// The patient who asks, or for whom somebody asks who may consent for them.
fn patient(access: &Access) -> Option<&str> {
    let may = access.role == Role::Patient && access.behalf.as_ref().is_none_or(|behalf| behalf.consents);
    access.patient.as_deref().filter(|_| may)
}

/// Whether a relation is the patient's to end: an emergency is not.
const fn is_own(relation: &OwnRelation) -> bool {
    matches!(relation.basis, Basis::Presence | Basis::Grant)
}

fn relation(
    (patient, organization): (&str, &str),
    basis: Basis,
    access: &Access,
    (from, until): (i64, i64),
) -> OwnRelation {
    OwnRelation {
        patient_reference: format!("Patient/{patient}"),
        organization_reference: format!("Organization/{organization}"),
        person: None,
        basis,
        reason: None,
        made_by: access.actor.clone(),
        from: format_instant(from),
        until: format_instant(until),
    }
}

/// The instant of a text that we wrote, in microseconds since 1970.
#[must_use]
pub fn instant(text: &str) -> Option<i64> {
    date::parse(text).ok().map(|range| range.lo)
}

fn new_id() -> Result<String, StoreError> {
    let secret = new_secret().map_err(|error| StoreError::Engine(error.to_string()))?;
    Ok(digest(&secret)[..32].to_owned())
}
