//! Treatment relations: why an institution may look at a patient's records at all.
//!
//! Elsewhere a purpose is asserted and believed. Here every relation is a record that somebody had to write, dated, shown
//! to the patient, and over when its time is over. Some follow from clinical records; others are records of our own.
//! Who may make which is judged where it is written ([`ieum_store::access::Institution::may_write`] and the hub).

use ieum_fhir::date;
use ieum_fhir::date::period;
use ieum_fhir::index::{ParamType, TimeRange};
use ieum_fhir::json::Value;
use ieum_store::access::{Family, Relation, RelationReach};
use ieum_store::own::{OwnKind, OwnParam};

use super::{Refer, text};

/// The record kind: a relation that follows from no clinical record.
pub static RELATION: OwnKind = OwnKind {
    name: "IeumRelation",
    family: Family::System,
    params: &[
        OwnParam { code: "patient", param_type: ParamType::Reference, path: &["patientReference"] },
        OwnParam { code: "organization", param_type: ParamType::Reference, path: &["organizationReference"] },
        OwnParam { code: "person", param_type: ParamType::Token, path: &["person"] },
        OwnParam { code: "basis", param_type: ParamType::Token, path: &["basis"] },
        OwnParam { code: "from", param_type: ParamType::Date, path: &["from"] },
    ],
};

/// What a relation of our own rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The patient was there: shown by card or app.
    Presence,
    /// The patient grants it.
    Grant,
    /// Somebody broke the glass.
    BreakGlass,
}

/// A relation of our own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnRelation {
    /// `Patient/id`.
    pub patient_reference: String,
    /// `Organization/id`.
    pub organization_reference: String,
    /// Only this account there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// What it rests on.
    pub basis: Basis,
    /// Why, in the words of whoever made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The account that made it.
    pub made_by: String,
    /// From when on (FHIR instant).
    pub from: String,
    /// Until before when.
    pub until: String,
}

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const DAY: i64 = 24 * 3_600_000_000;
/// How long an institution may look after a visit is over. ePA's 90 days; no Korean rule says otherwise.
const AFTER_VISIT: i64 = 90 * DAY;
/// How long an emergency lasts at most: one that nobody ended opens nothing for ever.
const EMERGENCY: i64 = 3 * DAY;
/// How long before and after an appointment.
const AROUND_APPOINTMENT: i64 = 7 * DAY;
/// How long a referral, and a task to care for somebody, opens the records to whom it is addressed.
const REFERRAL: i64 = 90 * DAY;
/// How long a prescription opens them to the pharmacy that it names.
const PRESCRIPTION: i64 = 3 * DAY;

/// The relations that a record proves. One that is modified in a way that is not known here, or says that something is not
/// to be done, proves none.
pub(super) fn of(kind: &str, record: Value<'_>, refer: Refer<'_>) -> Vec<Relation> {
    let is_negated = record.get("doNotPerform").and_then(Value::boolean) == Some(true);
    if is_negated || record.get("modifierExtension").is_some() || record.get("implicitRules").is_some() {
        return Vec::new();
    }
    match kind {
        "Encounter" => of_encounter(record, refer),
        "Appointment" => of_appointment(record, refer),
        "ServiceRequest" => {
            // A proposal or a plan asks nobody yet.
            let is_order = text(record, "intent").is_some_and(|intent| intent.ends_with("order"));
            let is_active = is_order && text(record, "status").as_deref() == Some("active");
            addressed(record, refer, "subject", ("performer", is_active), ("authoredOn", REFERRAL))
        }
        "Task" => {
            const OPEN: [&str; 5] = ["requested", "received", "accepted", "in-progress", "on-hold"];
            let is_open = text(record, "status").is_some_and(|status| OPEN.contains(&status.as_str()));
            addressed(record, refer, "for", ("owner", is_open), ("authoredOn", REFERRAL))
        }
        "MedicationRequest" => of_prescription(record, refer),
        "IeumRelation" => of_own(record),
        _ => Vec::new(),
    }
}

/// A visit: the institution that has it looks while it lasts and for some time after. In an open emergency the law lets it
/// look at everything (의료법 제21조의2 제1항): whoever wrote down the emergency, and nobody whom they name.
fn of_encounter(encounter: Value<'_>, refer: Refer<'_>) -> Vec<Relation> {
    let status = text(encounter, "status").unwrap_or_default();
    let is_open = matches!(status.as_str(), "arrived" | "triaged" | "in-progress" | "onleave");
    let Some(TimeRange { lo, hi }) = encounter.get("period").and_then(period) else { return Vec::new() };
    let Some(patient) = refer.member(encounter, "subject", "Patient") else { return Vec::new() };
    // Without a beginning nobody knows since when.
    if lo == i64::MIN || !is_open && status != "finished" {
        return Vec::new();
    }
    let provider = refer.member(encounter, "serviceProvider", "Organization");
    let relation = |institution, reach, until| Relation {
        patient: patient.clone(),
        institution,
        person: None,
        reach,
        from: lo,
        until,
    };
    // A finished visit ends, even where nobody wrote when.
    let end = if is_open || hi != i64::MAX { hi } else { lo };
    let mut relations = vec![relation(provider, RelationReach::Consented, end.saturating_add(AFTER_VISIT))];
    let is_emergency = encounter.get("class").is_some_and(|class| {
        let is_act = text(class, "system").is_none_or(|system| system == ACT_CODE);
        is_act && text(class, "code").as_deref() == Some("EMER")
    });
    if is_open && is_emergency {
        relations.push(relation(None, RelationReach::All, end.min(lo.saturating_add(EMERGENCY))));
    }
    relations
}

/// An appointment: the institution that keeps it looks some days before and after.
fn of_appointment(appointment: Value<'_>, refer: Refer<'_>) -> Vec<Relation> {
    let is_kept = text(appointment, "status")
        .is_some_and(|status| matches!(status.as_str(), "booked" | "arrived" | "checked-in" | "fulfilled"));
    let start = text(appointment, "start").and_then(|text| date::parse(&text).ok());
    let (Some(start), true) = (start, is_kept) else { return Vec::new() };
    let participants = appointment.get("participant").into_iter().flat_map(Value::elements);
    let come = participants.filter(|participant| text(*participant, "status").as_deref() != Some("declined"));
    let patients = come.filter_map(|participant| refer.member(participant, "actor", "Patient"));
    let relation = |patient| Relation {
        patient,
        institution: None,
        person: None,
        reach: RelationReach::Consented,
        from: start.lo.saturating_sub(AROUND_APPOINTMENT),
        until: start.hi.saturating_add(AROUND_APPOINTMENT),
    };
    patients.map(relation).collect()
}

/// Something addressed to institutions: these look for some time.
fn addressed(
    record: Value<'_>,
    refer: Refer<'_>,
    of: &str,
    (to, is_open): (&str, bool),
    (since, time): (&str, i64),
) -> Vec<Relation> {
    let since = text(record, since).and_then(|text| date::parse(&text).ok());
    let patient = refer.member(record, of, "Patient");
    let (Some(since), Some(patient), Some(to), true) = (since, patient, record.get(to), is_open) else {
        return Vec::new();
    };
    let relation = |institution| Relation {
        patient: patient.clone(),
        institution: Some(institution),
        person: None,
        reach: RelationReach::Consented,
        from: since.lo,
        // From the beginning of a day, or of a year: what is vague opens no longer.
        until: since.lo.saturating_add(time),
    };
    refer.each(to, "Organization").map(relation).collect()
}

/// A prescription: the pharmacy that it names looks for some days.
fn of_prescription(prescription: Value<'_>, refer: Refer<'_>) -> Vec<Relation> {
    let is_active = text(prescription, "status").as_deref() == Some("active");
    let since = text(prescription, "authoredOn").and_then(|text| date::parse(&text).ok());
    let patient = refer.member(prescription, "subject", "Patient");
    let dispense = prescription.get("dispenseRequest");
    let pharmacy = dispense.and_then(|dispense| refer.member(dispense, "performer", "Organization"));
    let (Some(since), Some(patient), Some(_), true) = (since, patient, &pharmacy, is_active) else {
        return Vec::new();
    };
    vec![Relation {
        patient,
        institution: pharmacy,
        person: None,
        reach: RelationReach::Consented,
        from: since.lo,
        until: since.lo.saturating_add(PRESCRIPTION),
    }]
}

fn of_own(record: Value<'_>) -> Vec<Relation> {
    let id = |name: &str, kind: &str| text(record, name)?.strip_prefix(kind).map(ToOwned::to_owned);
    let instant = |name: &str| date::parse(&text(record, name)?).ok().map(|range| range.lo);
    let (patient, institution) =
        (id("patientReference", "Patient/"), id("organizationReference", "Organization/"));
    let (Some(patient), Some(_), Some(from), Some(until)) =
        (patient, &institution, instant("from"), instant("until"))
    else {
        return Vec::new();
    };
    let reach = match text(record, "basis").as_deref() {
        Some("break-glass") => RelationReach::All,
        Some("presence" | "grant") => RelationReach::Consented,
        _ => return Vec::new(),
    };
    vec![Relation { patient, institution, person: text(record, "person"), reach, from, until }]
}

#[cfg(test)]
#[path = "relation_tests.rs"]
mod tests;
