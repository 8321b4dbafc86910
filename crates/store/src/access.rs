//! What one caller may reach, as the engines understand it.
//!
//! An [`AccessPlan`] is the compiled form of an access decision. `ieum-trust` makes it from who asks, for whom, why
//! and on what evidence; every engine turns it into a part of each statement, so that an answer equals the answer of
//! a store that never held the rest. There is no call without one.
//!
//! Evidence that changes from moment to moment, treatment relations and consents, is no part of the plan: it is read
//! from the records themselves, in the snapshot that answers, so that a withdrawal works from its commit on. What
//! records say of it is [`Facts`].

mod facts;

use ieum_fhir::search::Filter;

pub use facts::{Evidence, Facts, Judged, Policy, Proof, Relation, RelationReach, Rule, Which, day};

/// Which records a plan reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Every record of the family.
    All,
    /// Records in the compartment of one of these patients (by id), and records that are nobody's.
    Patients(Vec<String>),
    /// What somebody reaches who acts for an institution, and records that are nobody's.
    Institution(Institution),
    /// None.
    Nothing,
}

/// Somebody who acts for an institution.
///
/// Its own systems reach what it made, and no more. A person reaches the records of those patients alone to whom the
/// institution has a [`Relation`] at that moment: what the institution made, the Patient records themselves, and of what
/// other institutions made that which the patient's [`Rule`]s permit, or everything where the relation says so. Of a
/// record about several patients, each of them decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Institution {
    /// Id of its Organization record.
    pub id: String,
    /// The account of the person who acts; `None` for the institution's own systems.
    pub person: Option<String>,
    /// The bit of the purpose, as in [`Rule::purposes`].
    pub purpose: u32,
    /// These patients alone; `None` for all.
    pub about: Option<Vec<String>>,
}

/// Who acts, for the audit entry of a commit. Holds no names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Account, client or system process.
    pub id: String,
    /// Role acted in.
    pub role: String,
}

/// Records of a kind, or some of them: what a token's scope names.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The kind.
    pub kind: String,
    /// What holds of the newest version, all of it; of one deleted nothing does. Only conditions that are judged of a record
    /// alone: no [`Filter::Chain`], [`Filter::Has`] or [`Filter::Tree`]. None at all: the whole kind.
    pub filters: Vec<Filter>,
}

impl Selection {
    /// All records of a kind.
    #[must_use]
    pub fn of_kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), filters: Vec::new() }
    }
}

/// A compiled access decision.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessPlan {
    /// Who acts.
    pub actor: Actor,
    /// Purpose of use (`http://terminology.hl7.org/CodeSystem/v3-ActReason`), such as `TREAT`.
    pub purpose: String,
    /// Reach among clinical and shared records.
    pub clinical: Reach,
    /// Whether the system's own records (imports, accounts) are reached.
    pub system: bool,
    /// Sensitivity classes that are hidden: a record with any of these bits does not exist for this caller.
    pub denied: u32,
    /// Of all that, what is in one of these selections, as if there were nothing else; `None` for everything.
    pub only: Option<Vec<Selection>>,
    /// Whether records may be written.
    pub write: bool,
}

impl AccessPlan {
    /// Whether nothing at all is hidden from this caller.
    #[must_use]
    pub fn reaches_everything(&self) -> bool {
        self.clinical == Reach::All && self.system && self.denied == 0 && self.only.is_none()
    }

    /// The institution for which the caller acts (id of its Organization).
    #[must_use]
    pub fn institution(&self) -> Option<&str> {
        match &self.clinical {
            Reach::Institution(institution) => Some(&institution.id),
            _ => None,
        }
    }

    /// Whether a record exists for this caller, by this evidence, if it is in a selection. The plain statement of the rule that
    /// engines compile; the oracle uses it as it stands, and judges selections as it judges searches.
    #[must_use]
    pub fn allows(&self, record: &Judged<'_>, evidence: &Evidence<'_>) -> bool {
        if record.mask & self.denied != 0 {
            return false;
        }
        match (record.family, &self.clinical) {
            (Family::System, _) => self.system,
            (_, Reach::All) => true,
            (_, Reach::Nothing) => false,
            (Family::Shared, _) => true,
            (Family::Clinical, Reach::Patients(own)) => {
                record.patients.iter().any(|patient| own.contains(patient))
            }
            (Family::Clinical, Reach::Institution(institution)) => institution.reaches(record, evidence),
        }
    }
}

/// To whom records of a kind belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Records about patients: visible by patient.
    Clinical,
    /// Records about nobody in particular: institutions, practitioners, medicines, definitions.
    Shared,
    /// Records only the system itself needs.
    System,
}
