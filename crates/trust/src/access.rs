//! Who asks, in which role, about whom, and why.

use ieum_store::access::{AccessPlan, Actor, Institution, Reach, Selection};

use crate::door::DEFINITION;
use crate::labels::VERY_RESTRICTED;
use crate::purpose::Purpose;

/// The role somebody acts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A person, about themselves.
    Patient,
    /// A doctor, nurse or front desk who treats.
    Clinician,
    /// Runs the hub; sees what it holds and how it does, but no record of a patient.
    Operator,
    /// Manages the staff of one institution; sees no record of a patient.
    Manager,
    /// Answers for privacy at one institution: who may enter, what was done in emergencies; sees no record of a patient.
    Privacy,
    /// Another system, such as an EMR or an import.
    Service,
    /// Anybody, on a hub opened for trying out on this machine only.
    Open,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Patient,
        Self::Clinician,
        Self::Operator,
        Self::Manager,
        Self::Privacy,
        Self::Service,
        Self::Open,
    ];

    /// Its name, as written in accounts and audit entries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Clinician => "clinician",
            Self::Operator => "operator",
            Self::Manager => "manager",
            Self::Privacy => "privacy",
            Self::Service => "service",
            Self::Open => "open",
        }
    }

    /// Whether it may define what everybody can search by: whoever runs the hub, systems, and anybody on an open hub.
    #[must_use]
    pub const fn defines_searches(self) -> bool {
        matches!(self, Self::Operator | Self::Service | Self::Open)
    }

    /// What the role is there for.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Patient => Purpose::PatientRequest,
            Self::Clinician | Self::Service => Purpose::Treatment,
            Self::Operator => Purpose::Administration,
            Self::Manager => Purpose::Operations,
            Self::Privacy => Purpose::Compliance,
            Self::Open => Purpose::Test,
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A request's authority. Made once per request; nothing is read or written without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The account or client that asks; an opaque id, no name.
    pub actor: String,
    /// The role acted in.
    pub role: Role,
    /// In the role of patient: whose records these are.
    pub patient: Option<String>,
    /// The institution for which somebody acts: the id of its Organization record. A clinician without one works at the
    /// hub of a single institution, which holds no records of others.
    pub organization: Option<String>,
    /// What for.
    pub purpose: Purpose,
    /// In the role of patient: that somebody else acts for the patient.
    pub behalf: Option<Behalf>,
}

/// Acting for a patient. Made anew at each request, by the law of the day ([`crate::representation::acting`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behalf {
    /// The id of the representation.
    pub representation: String,
    /// Bits of the sensitivity labels that stay hidden.
    pub hidden: u32,
    /// Whether they may also consent for the patient.
    pub consents: bool,
}

impl Access {
    /// The authority of an account in a role, for what that role is there for.
    #[must_use]
    pub fn new(actor: &str, role: Role) -> Self {
        let purpose = role.purpose();
        Self { actor: actor.to_owned(), role, patient: None, organization: None, purpose, behalf: None }
    }

    /// The authority of this program itself, for imports and maintenance started by whoever runs it.
    #[must_use]
    pub fn system(process: &str) -> Self {
        Self::new(process, Role::Service)
    }

    /// The authority of anybody on an open hub.
    #[must_use]
    pub fn open() -> Self {
        Self::new("anybody", Role::Open)
    }

    /// The same for reading and writing definitions of search parameters alone, which are about nobody: an operator, who
    /// may not write otherwise and reaches no record, may do that.
    #[must_use]
    pub fn definition_plan(&self) -> AccessPlan {
        let plan = self.plan();
        if self.role != Role::Operator {
            return plan;
        }
        let (clinical, only) = (Reach::Patients(Vec::new()), Some(vec![Selection::of_kind(DEFINITION)]));
        AccessPlan { clinical, system: false, only, write: true, ..plan }
    }

    /// What the engines enforce.
    #[must_use]
    pub fn plan(&self) -> AccessPlan {
        let (clinical, system, denied, write) = match self.role {
            Role::Patient => {
                let hidden = self.behalf.as_ref().map_or(0, |behalf| behalf.hidden);
                (Reach::Patients(self.patient.iter().cloned().collect()), false, hidden, false)
            }
            Role::Clinician => (self.acting(Some(&self.actor)), false, VERY_RESTRICTED, true),
            Role::Operator => (Reach::Nothing, true, 0, false),
            Role::Manager | Role::Privacy => (Reach::Nothing, false, 0, false),
            // Another institution's system reaches what that made; one of the hub itself, everything.
            Role::Service => (self.acting(None), self.organization.is_none(), 0, true),
            Role::Open => (Reach::All, false, 0, true),
        };
        let actor = Actor { id: self.actor.clone(), role: self.acted_in() };
        let purpose = self.purpose.code().to_owned();
        AccessPlan { actor, purpose, clinical, system, denied, only: None, write }
    }

    /// The role as audit entries tell it: of whoever acts for a patient, by which representation.
    fn acted_in(&self) -> String {
        match &self.behalf {
            Some(behalf) => format!("representative {}", behalf.representation),
            None => self.role.name().to_owned(),
        }
    }

    /// What is reached for an institution by this person, or by its systems.
    fn acting(&self, person: Option<&str>) -> Reach {
        let Some(id) = self.organization.clone() else { return Reach::All };
        let person = person.map(ToOwned::to_owned);
        Reach::Institution(Institution { id, person, purpose: self.purpose.bit(), about: None })
    }
}
