//! What records say about access beside whose they are: which institution made them, who has a treatment relation to a
//! patient, and what patients consented to.

use ieum_fhir::json::Value;

use super::{Family, Institution};

/// How a program reads from records what access depends on.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// The sensitivity bits of one security label (system, code).
    pub label_mask: fn(system: &str, code: &str) -> u32,
    /// What a record (kind, id, content) says; references under one of the addresses are references to records here.
    pub facts: fn(kind: &str, id: &str, record: Value<'_>, bases: &[String]) -> Facts,
}

impl Policy {
    /// No label restricts, and no record says anything.
    pub const NONE: Self = Self { label_mask: |_, _| 0, facts: |_, _, _, _| Facts::default() };
}

/// What one record says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The institution that made it, as far as its content tells (id of an Organization); one that writes for itself is
    /// known better.
    pub institution: Option<String>,
    /// The encounter it belongs to (id); of an encounter, itself.
    pub encounter: Option<String>,
    /// Of an encounter: the code of the department.
    pub department: Option<String>,
    /// Treatment relations it proves.
    pub relations: Vec<Relation>,
    /// What a patient consents to by it.
    pub rules: Vec<Rule>,
    /// Whether what the patient signed is with it.
    pub signed: bool,
}

impl Facts {
    /// What a patient consents to by a record that an institution wrote, or did not. What an institution writes down counts only
    /// with what was signed: nobody opens records to themselves by their own word, or closes them to others.
    pub fn rules_of(&self, by_institution: bool) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |_| self.signed || !by_institution)
    }
}

/// How far a treatment relation reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelationReach {
    /// What the institution made, and what the patient's rules permit.
    Consented,
    /// The records of all institutions: what the law allows without consent, such as an emergency.
    All,
}

/// A treatment relation between a patient and an institution.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relation {
    /// The patient (id).
    pub patient: String,
    /// The institution (id of an Organization); `None` for the one that made the record which says so.
    pub institution: Option<String>,
    /// Only this person (account) there; `None` for everybody.
    pub person: Option<String>,
    /// How far it reaches.
    pub reach: RelationReach,
    /// From this instant on, in microseconds since 1970.
    pub from: i64,
    /// Until before this one.
    pub until: i64,
}

/// A treatment relation with the record that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The relation; its institution is known, unless nobody knows who made the record.
    pub relation: Relation,
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: String,
}

/// One line of a patient's consents. Of the lines that apply to a record, the one decides that is most specific, then the
/// one that was made last, and between equals the one that forbids. Where none applies, records of others stay closed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The patient (id).
    pub patient: String,
    /// Whether it permits.
    pub permit: bool,
    /// The more, the more specific.
    pub specificity: u32,
    /// When it was made, in microseconds since 1970.
    pub made: i64,
    /// Who asks: an institution (id of an Organization); `None` for any.
    pub asker: Option<String>,
    /// For which purposes: bits.
    pub purposes: u32,
    /// From this instant on, in microseconds since 1970.
    pub from: i64,
    /// Until before this one.
    pub until: i64,
    /// About which records.
    pub which: Which,
}

/// Records a rule is about: those for which everything holds that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Which {
    /// Made by this institution (id of an Organization).
    pub institution: Option<String>,
    /// Of an encounter in this department (code).
    pub department: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// With each of these labels.
    pub labels: u32,
    /// Without any of these labels.
    pub without: u32,
    /// Whose main date is on this [`day`] or later.
    pub since: Option<i64>,
    /// Whose main date is before this day.
    pub before: Option<i64>,
    /// This record (kind, id).
    pub record: Option<(String, String)>,
    /// This encounter (id) and its records.
    pub encounter: Option<String>,
}

/// The day of an instant (microseconds since 1970) in Korea, counted from 1970-01-01.
#[must_use]
pub fn day(micros: i64) -> i64 {
    const HOUR: i64 = 3_600_000_000;
    micros.saturating_add(9 * HOUR).div_euclid(24 * HOUR)
}

/// A record as an access decision sees it.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'r> {
    /// Kind.
    pub kind: &'r str,
    /// Id.
    pub id: &'r str,
    /// Family of its kind.
    pub family: Family,
    /// Patients in whose compartment it is (ids).
    pub patients: &'r [String],
    /// Sensitivity bits.
    pub mask: u32,
    /// The [`day`] of its main date.
    pub day: Option<i64>,
    /// The institution that made it; if that is not known, the one that made its encounter.
    pub institution: Option<&'r str>,
    /// Its encounter (id).
    pub encounter: Option<&'r str>,
    /// The department of that encounter.
    pub department: Option<&'r str>,
}

/// Everything that current records say, and the moment.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'e> {
    /// Treatment relations; each names its institution.
    pub relations: &'e [Relation],
    /// What patients consent to.
    pub rules: &'e [Rule],
    /// Now, in microseconds since 1970.
    pub now: i64,
}

impl Institution {
    pub(super) fn reaches(&self, record: &Judged<'_>, evidence: &Evidence<'_>) -> bool {
        let is_own = record.institution == Some(self.id.as_str());
        let is_about = self
            .about
            .as_ref()
            .is_none_or(|about| record.patients.iter().any(|patient| about.contains(patient)));
        is_about
            && match &self.person {
                None => is_own,
                Some(person) => {
                    let opens = |patient: &String| self.opens(person, patient, record, evidence);
                    if record.patients.is_empty() { is_own } else { record.patients.iter().all(opens) }
                }
            }
    }

    /// Whether a clinical record may be written that was made by this institution before, `None` for a new one, and is to
    /// be about these patients: nobody changes what another institution made, and a person writes about patients alone to
    /// whom the institution has a relation. Its own systems may write about others: that is how a relation begins.
    #[must_use]
    pub fn may_write(
        &self,
        before: Option<Option<&str>>,
        patients: &[String],
        evidence: &Evidence<'_>,
    ) -> bool {
        let is_own = before.is_none_or(|maker| maker == Some(self.id.as_str()));
        let has_relation =
            |person: &str| patients.iter().all(|one| self.relation(person, one, evidence).is_some());
        is_own && self.person.as_deref().is_none_or(has_relation)
    }

    /// How far the relation to a patient reaches, if there is one.
    fn relation(&self, person: &str, patient: &str, evidence: &Evidence<'_>) -> Option<RelationReach> {
        let relations = evidence.relations.iter().filter(|relation| {
            relation.patient == patient
                && relation.institution.as_ref() == Some(&self.id)
                && relation.person.as_deref().is_none_or(|only| only == person)
                && (relation.from..relation.until).contains(&evidence.now)
        });
        relations.map(|relation| relation.reach).max()
    }

    fn opens(&self, person: &str, patient: &str, record: &Judged<'_>, evidence: &Evidence<'_>) -> bool {
        match self.relation(person, patient, evidence) {
            None => false,
            Some(RelationReach::All) => true,
            Some(RelationReach::Consented) => {
                let is_the_patient = record.kind == "Patient" && record.id == patient;
                is_the_patient
                    || record.institution == Some(self.id.as_str())
                    || self.is_consented(patient, record, evidence)
            }
        }
    }

    fn is_consented(&self, patient: &str, record: &Judged<'_>, evidence: &Evidence<'_>) -> bool {
        let applies = |rule: &&Rule| {
            rule.patient == patient
                && rule.asker.as_ref().is_none_or(|asker| *asker == self.id)
                && rule.purposes & self.purpose != 0
                && (rule.from..rule.until).contains(&evidence.now)
                && rule.which.holds(record)
        };
        let lines = evidence.rules.iter().filter(applies);
        lines.max_by_key(|rule| (rule.specificity, rule.made, !rule.permit)).is_some_and(|rule| rule.permit)
    }
}

impl Which {
    fn holds(&self, record: &Judged<'_>) -> bool {
        let is = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| given == Some(wanted))
        };
        is(&self.institution, record.institution)
            && is(&self.department, record.department)
            && is(&self.kind, Some(record.kind))
            && self.labels & record.mask == self.labels
            && self.without & record.mask == 0
            && self.since.is_none_or(|since| record.day.is_some_and(|day| day >= since))
            && self.before.is_none_or(|before| record.day.is_some_and(|day| day < before))
            && is(&self.encounter, record.encounter)
            && self.record.as_ref().is_none_or(|(kind, id)| record.kind == kind && record.id == id)
    }
}
