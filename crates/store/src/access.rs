//! What one caller may reach, as the engines understand it.
//!
//! An [`AccessPlan`] is the compiled form of an access decision. `ieum-trust` makes it from who asks, for whom, why
//! and on what evidence; every engine turns it into a part of each statement, so that an answer equals the answer of
//! a store that never held the rest. There is no call without one.

/// Which records a plan reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Every record of the family.
    All,
    /// Records in the compartment of one of these patients (by id), and records that are nobody's.
    Patients(Vec<String>),
    /// None.
    Nothing,
}

/// Who acts, for the audit entry of a commit. Holds no names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Account, client or system process.
    pub id: String,
    /// Role acted in.
    pub role: String,
}

/// A compiled access decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// Records of this kind alone are reached, as if there were no others; `None` for all kinds.
    pub only: Option<&'static str>,
    /// Whether records may be written.
    pub write: bool,
}

impl AccessPlan {
    /// Whether nothing at all is hidden from this caller.
    #[must_use]
    pub fn reaches_everything(&self) -> bool {
        self.clinical == Reach::All && self.system && self.denied == 0 && self.only.is_none()
    }

    /// Whether a record of this kind, family, patients and mask exists for this caller. The plain statement of the rule
    /// that engines compile; the oracle uses it as it stands.
    #[must_use]
    pub fn allows(&self, kind: &str, family: Family, patients: &[String], mask: u32) -> bool {
        if mask & self.denied != 0 || self.only.is_some_and(|only| only != kind) {
            return false;
        }
        match (family, &self.clinical) {
            (Family::System, _) => self.system,
            (_, Reach::All) => true,
            (_, Reach::Nothing) => false,
            (Family::Shared, Reach::Patients(_)) => true,
            (Family::Clinical, Reach::Patients(own)) => patients.iter().any(|patient| own.contains(patient)),
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
