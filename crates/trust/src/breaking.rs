//! Breaking the glass: a clinician who must look without a consent, in an emergency. It takes a reason, opens one patient's
//! records to one person for a short time, is told to the patient at once, and is looked at by the institution's privacy
//! officer, always. Sealed records stay sealed.
//!
//! How long at most, and by when it must be reviewed, are rows of the law's tables (`law/terms.toml`), which say that they are
//! this project's own: no Korean rule gives them.

use ieum_fhir::date::format_instant;
use ieum_fhir::index::ParamType;
use ieum_fhir::search::{Filter, Param, Query, ReferenceTest, SortBy, SortKeyOf, Test, Total};
use ieum_store::access::Family;
use ieum_store::commit::{CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};

use crate::access::{Access, Role};
use crate::account::{digest, new_secret};
use crate::door::{Door, DoorError};
use crate::evidence::relation::{Basis, OwnRelation, RELATION};
use crate::law::Law;
use crate::law::asked::{BREAK_GLASS_REVIEW, BREAK_GLASS_WINDOW};
use crate::law::day::in_korea;
use crate::records::{self, Kept, put};

/// Minutes for which the glass is broken if nothing else is said.
pub const MINUTES: i64 = 60;
/// Characters that a reason must have: a word is none.
pub const REASON: usize = 10;
/// The most that are kept.
pub const MOST_REASON: usize = 1_000;
const MINUTE: i64 = 60_000_000;

/// The record kind of reviews.
pub static REVIEW: OwnKind = OwnKind {
    name: "IeumReview",
    family: Family::System,
    params: &[
        OwnParam { code: "organization", param_type: ParamType::Reference, path: &["organizationReference"] },
        OwnParam { code: "patient", param_type: ParamType::Reference, path: &["patientReference"] },
        OwnParam { code: "state", param_type: ParamType::Token, path: &["state"] },
        OwnParam { code: "from", param_type: ParamType::Date, path: &["from"] },
    ],
};

/// What became of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has decided.
    Open,
    /// It was right to look.
    Justified,
    /// It was not.
    Unjustified,
}

/// The review of one broken glass.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// `Patient/id`.
    pub patient_reference: String,
    /// `Organization/id`.
    pub organization_reference: String,
    /// The account that broke it.
    pub person: String,
    /// Why, in their words.
    pub reason: String,
    /// When (FHIR instant).
    pub from: String,
    /// Until when it was open.
    pub until: String,
    /// Where the review stands.
    pub state: State,
    /// The account that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
    /// What they wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why the glass was not broken.
#[derive(Debug, thiserror::Error)]
pub enum BreakError {
    /// Only clinicians of an institution may.
    #[error("only clinicians who act for an institution break the glass")]
    Role,
    /// The reason is too short or too long.
    #[error("a reason has {REASON} to {MOST_REASON} characters")]
    Reason,
    /// The time is too short or too long.
    #[error("the glass is broken for 1 to {0} minutes")]
    Time(i64),
    /// There is no such patient.
    #[error("there is no such patient")]
    Patient,
    /// The store refuses.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<StoreError> for BreakError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

/// Minutes for which the glass may be broken on a day.
#[must_use]
pub fn most_minutes(law: &Law, now: i64) -> i64 {
    60 * i64::from(law.always(&BREAK_GLASS_WINDOW, in_korea(now)).0)
}

/// Hours after which a review is overdue, of a glass that was broken at this instant.
#[must_use]
pub fn review_hours(law: &Law, from: i64) -> i64 {
    i64::from(law.always(&BREAK_GLASS_REVIEW, in_korea(from)).0)
}

/// Breaks the glass for the clinician who asks: from the commit on, and for so many minutes, they reach the patient's
/// records. Gives the id of the review.
///
/// # Errors
/// [`BreakError`]; then nothing is open.
pub fn break_glass(
    door: &Door,
    law: &Law,
    access: &Access,
    (patient, reason, minutes): (&str, &str, i64),
    now: i64,
) -> Result<String, BreakError> {
    let (Role::Clinician, Some(organization)) = (access.role, &access.organization) else {
        door.refused(access, "break-glass", "Patient")?;
        return Err(BreakError::Role);
    };
    let reason = reason.trim();
    if !(REASON..=MOST_REASON).contains(&reason.chars().count()) {
        return Err(BreakError::Reason);
    }
    let most = most_minutes(law, now);
    if !(1..=most).contains(&minutes) {
        return Err(BreakError::Time(most));
    }
    let known = door.view(&Access::system("break-glass"))?.read("Patient", patient)?;
    if known.is_none_or(|record| record.is_deleted()) {
        door.refused(access, "break-glass", "Patient")?;
        return Err(BreakError::Patient);
    }
    let (patient_reference, organization_reference) =
        (format!("Patient/{patient}"), format!("Organization/{organization}"));
    let (from, until) = (format_instant(now), format_instant(now + minutes * MINUTE));
    let relation = OwnRelation {
        patient_reference: patient_reference.clone(),
        organization_reference: organization_reference.clone(),
        person: Some(access.actor.clone()),
        basis: Basis::BreakGlass,
        reason: Some(reason.to_owned()),
        made_by: access.actor.clone(),
        from: from.clone(),
        until: until.clone(),
    };
    let review = Review {
        patient_reference,
        organization_reference,
        person: access.actor.clone(),
        reason: reason.to_owned(),
        from,
        until,
        state: State::Open,
        decided_by: None,
        decided_at: None,
        note: None,
    };
    let secret = new_secret().map_err(|error| StoreError::Engine(error.to_string()))?;
    let id = digest(&secret)[..32].to_owned();
    let changes = vec![
        put(door, &RELATION, &id, &relation, Expect::New),
        put(door, &REVIEW, &id, &review, Expect::New),
    ];
    door.commit_own(access, "break-glass", changes)?;
    Ok(id)
}

/// The reviews of the institution whose privacy officer asks, the newest first, at most so many.
///
/// # Errors
/// [`DoorError`] when the store fails. For other roles there are none.
pub fn reviews(door: &Door, access: &Access, most: usize) -> Result<Vec<(String, Review)>, DoorError> {
    let (Role::Privacy, Some(organization)) = (access.role, &access.organization) else {
        return Ok(Vec::new());
    };
    of(door, "organization", ("Organization", organization), most)
}

/// The times the glass was broken for the records of the patient who asks, the newest first, at most so many.
///
/// # Errors
/// [`DoorError`] when the store fails. For other roles there are none.
pub fn told_to(door: &Door, access: &Access, most: usize) -> Result<Vec<(String, Review)>, DoorError> {
    let (Role::Patient, Some(patient)) = (access.role, &access.patient) else { return Ok(Vec::new()) };
    of(door, "patient", ("Patient", patient), most)
}

fn of(
    door: &Door,
    code: &str,
    (kind, id): (&str, &str),
    most: usize,
) -> Result<Vec<(String, Review)>, DoorError> {
    let param = |code: &str| Param { kind: REVIEW.name.into(), code: code.into() };
    let test = ReferenceTest::Local { kind: kind.to_owned(), id: id.to_owned() };
    let query = Query {
        kind: REVIEW.name.into(),
        filters: vec![Filter::Any { param: param(code), tests: vec![Test::Reference(test)] }],
        sort: vec![SortKeyOf { by: SortBy::Param(param("from")), descending: true }],
        total: Total::None,
        ..Query::default()
    };
    let page = door.view(&Access::system("reviews"))?.search(&query, None, most)?;
    let read = |record: &ieum_store::record::Record| {
        let review = serde_json::from_slice(&record.plain_json());
        let damaged = |_| StoreError::Damaged(format!("review {} cannot be read", record.id));
        Ok((record.id.clone(), review.map_err(damaged)?))
    };
    page.records.iter().map(read).collect()
}

/// Decides a review of the institution whose privacy officer asks; false when there is none of this id that is open.
///
/// # Errors
/// [`CommitError`] when the store fails, or somebody else decides at the same moment.
pub fn decide(
    door: &Door,
    access: &Access,
    (id, is_justified, note): (&str, bool, &str),
    now: i64,
) -> Result<bool, CommitError> {
    let (Role::Privacy, Some(organization)) = (access.role, &access.organization) else {
        door.refused(access, "review-decide", REVIEW.name)?;
        return Err(CommitError::Denied);
    };
    let view = door.view(&Access::system("reviews"))?;
    let Some(Kept { version, value: review, .. }) = records::read::<Review>(&view, &REVIEW, id)? else {
        return Ok(false);
    };
    drop(view);
    if review.organization_reference != format!("Organization/{organization}") || review.state != State::Open
    {
        return Ok(false);
    }
    let note: String = note.trim().chars().take(MOST_REASON).collect();
    let decided = Review {
        state: if is_justified { State::Justified } else { State::Unjustified },
        decided_by: Some(access.actor.clone()),
        decided_at: Some(format_instant(now)),
        note: Some(note).filter(|note| !note.is_empty()),
        ..review
    };
    let change = put(door, &REVIEW, id, &decided, Expect::Version(version));
    door.commit_own(access, "review-decide", vec![change])?;
    Ok(true)
}
