//! What is written on behalf of somebody who may not write otherwise: their own consents, and records of ours that an act
//! of theirs leaves behind.

use ieum_store::access::{AccessPlan, Family, Reach};
use ieum_store::commit::{Change, CommitError, Committed};

use super::Door;
use crate::access::{Access, Role};

impl Door {
    /// Commits consents of the patient who asks. Patients write nothing else, and about nobody else. Who may consent for the
    /// patient writes beside them the RelatedPerson that they are themself, under the id of their representation.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has happened.
    pub fn commit_consents(
        &self,
        access: &Access,
        action: &'static str,
        changes: Vec<Change>,
    ) -> Result<Committed, CommitError> {
        let is_own = |change: &Change| match change {
            Change::Put { record, .. } => {
                let is_theirs =
                    access.behalf.as_ref().is_some_and(|behalf| record.id == behalf.representation);
                let is_kind = record.kind == "Consent" || record.kind == "RelatedPerson" && is_theirs;
                is_kind && record.indexed.patients.iter().eq(&access.patient)
            }
            Change::Delete { .. } => false,
        };
        let is_patient = access.role == Role::Patient && access.patient.is_some();
        let may_consent = access.behalf.as_ref().is_none_or(|behalf| behalf.consents);
        let is_allowed = is_patient && may_consent && changes.iter().all(is_own);
        let plan = AccessPlan { write: true, ..access.plan() };
        self.commit_as(plan, is_allowed, action, Vec::new(), changes)
    }

    /// Commits records of our own kinds alone, which the program made out of what somebody did and was allowed to do.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has happened.
    pub fn commit_own(
        &self,
        access: &Access,
        action: &'static str,
        changes: Vec<Change>,
    ) -> Result<Committed, CommitError> {
        let catalogue = self.catalogue();
        let is_own = |change: &Change| {
            let kind = catalogue.kind(change.key().0);
            kind.is_some_and(|kind| kind.family == Family::System)
        };
        let is_allowed = changes.iter().all(is_own);
        let plan = AccessPlan { clinical: Reach::Nothing, system: true, write: true, ..access.plan() };
        self.commit_as(plan, is_allowed, action, Vec::new(), changes)
    }
}
