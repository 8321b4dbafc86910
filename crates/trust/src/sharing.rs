//! What a patient lets institutions see of what others made, as switches: one for all who treat them, and one for each
//! institution that is to be an exception. Each is a FHIR Consent, so that it is enforced, exported and understood like
//! any other (docs/access.md).

use ieum_fhir::date::format_instant;
use ieum_fhir::json::{Document, Limits};
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use serde_json::{Value, json};

use crate::access::Access;
use crate::door::{Door, View};

/// Identifier of the consents that are switches; its value is the institution, or [`EVERYBODY`].
const SWITCH: &str = "https://ieum.example/consents/switch";
/// The value for all institutions.
const EVERYBODY: &str = "*";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Sensitive data that can be left out: code of the label, Korean, English.
pub const CLASSES: [(&str, &str, &str); 7] = [
    ("PSY", "정신건강", "Mental health"),
    ("HIV", "HIV", "HIV"),
    ("STD", "성매개감염", "Sexually transmitted infections"),
    ("SEX", "임신·성·생식", "Pregnancy, sexuality and reproduction"),
    ("ETH", "알코올·약물", "Alcohol and drugs"),
    ("GDIS", "유전", "Genetics"),
    ("SDV", "폭력 피해", "Violence and abuse"),
];

/// What a switch says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// What others made may be seen, but for these classes (codes of [`CLASSES`]).
    Permit {
        /// Left out.
        without: Vec<String>,
    },
    /// It may not.
    Deny,
}

/// A switch that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The institution (id of its Organization); `None` for all who treat the patient.
    pub institution: Option<String>,
    /// What it says.
    pub choice: Choice,
}

/// What a patient's consents in force say: the switches, that for all institutions first, and the others, newest first.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn consents(view: &View<'_>, patient: &str, most: usize) -> Result<(Vec<Switch>, Vec<Form>), StoreError> {
    let (kinds, patients) = (["Consent".to_owned()], [patient.to_owned()]);
    let page = view.compartment("switches", &patients, (&kinds, None), None, most);
    let page = page.map_err(|_| StoreError::Engine("a token was not given".into()))?;
    let (mut switches, mut forms) = (Vec::new(), Vec::new());
    for record in &page.records {
        let Ok(consent) = serde_json::from_slice::<Value>(&record.plain_json()) else { continue };
        if consent["status"] != "active" {
            continue;
        }
        match value_of(&consent).filter(|value| record.id == view.own_id(&named(patient, value))) {
            Some(value) => switches.extend(switch(value, &consent)),
            None => forms.push(form(&record.id, &consent)),
        }
    }
    switches.sort_by(|left, right| left.institution.cmp(&right.institution));
    forms.sort_by(|left, right| right.given.cmp(&left.given));
    Ok((switches, forms))
}

/// What names the one record of a patient's switch. Its id is made of it with a key: whoever could foretell the id could write a
/// record there first, which would be theirs then.
fn named(patient: &str, value: &str) -> String {
    format!("{SWITCH}|{patient}|{value}")
}

fn switch(institution: &str, consent: &Value) -> Option<Switch> {
    let provision = &consent["provision"];
    let labels = provision["provision"][0]["securityLabel"].as_array();
    let codes = labels.into_iter().flatten().filter_map(|label| label["code"].as_str());
    let choice = match provision["type"].as_str()? {
        "permit" => Choice::Permit { without: codes.map(ToOwned::to_owned).collect() },
        _ => Choice::Deny,
    };
    let institution = Some(institution).filter(|institution| *institution != EVERYBODY);
    Some(Switch { institution: institution.map(ToOwned::to_owned), choice })
}

fn value_of(consent: &Value) -> Option<&str> {
    let mut identifiers = consent["identifier"].as_array()?.iter();
    identifiers.find(|identifier| identifier["system"] == SWITCH)?["value"].as_str()
}

/// A consent in force that is no switch: what was signed at an institution, or written by another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Id of the Consent.
    pub id: String,
    /// When it was given, as it says.
    pub given: Option<String>,
    /// Whether its general rule permits.
    pub permits: bool,
    /// The institutions that ask (ids); none: all.
    pub institutions: Vec<String>,
}

fn form(id: &str, consent: &Value) -> Form {
    let provision = &consent["provision"];
    let actors = provision["actor"].as_array().into_iter().flatten();
    let institutions = actors.filter_map(|actor| actor["reference"]["reference"].as_str());
    let institutions = institutions.filter_map(|actor| actor.rsplit_once("Organization/"));
    Form {
        id: id.to_owned(),
        given: consent["dateTime"].as_str().map(ToOwned::to_owned),
        permits: provision["type"] == "permit",
        institutions: institutions.map(|(_, id)| id.to_owned()).collect(),
    }
}

/// Withdraws a consent of the patient who asks, whoever wrote it down: withdrawing is no harder than giving. True when there was
/// one in force.
///
/// # Errors
/// [`CommitError`] when whoever asks is no patient and may not consent for one, or the store fails.
pub fn withdraw(door: &Door, access: &Access, id: &str) -> Result<bool, CommitError> {
    let Some(record) = door.view(access)?.read("Consent", id)?.filter(|record| !record.is_deleted()) else {
        return Ok(false);
    };
    let damaged = || StoreError::Damaged("a consent that cannot be read".into());
    let mut consent: Value = serde_json::from_slice(&record.plain_json()).map_err(|_| damaged())?;
    if consent["status"] != "active" {
        return Ok(false);
    }
    consent["status"] = json!("inactive");
    let change = put(door, id, &consent, Expect::Version(record.version));
    door.commit_consents(access, "consent-withdraw", vec![change])?;
    Ok(true)
}

/// Whether a consent says that it is a switch: that is for patients alone to write.
#[must_use]
pub fn says_switch(consent: ieum_fhir::json::Value<'_>) -> bool {
    let identifiers = consent.get("identifier").into_iter().flat_map(ieum_fhir::json::Value::elements);
    let systems = identifiers.filter_map(|identifier| identifier.get("system")?.text());
    systems.into_iter().any(|system| system == SWITCH)
}

/// Sets a switch of the patient who asks, or takes it away: from the commit on it holds. Who may consent for the patient gives
/// it as the RelatedPerson that they are, who is written down with it.
///
/// # Errors
/// [`CommitError`] when whoever asks is no patient and may not consent for one, or the store fails.
pub fn set(
    door: &Door,
    access: &Access,
    institution: Option<&str>,
    choice: Option<&Choice>,
    now: i64,
) -> Result<(), CommitError> {
    let patient = access.patient.as_deref().unwrap_or_default();
    let value = institution.unwrap_or(EVERYBODY);
    // One record for each switch, whose versions are its history.
    let id = door.own_id(&named(patient, value));
    let mut consent = consent(&id, patient, institution, choice, now);
    let mut changes = Vec::new();
    if let Some(behalf) = &access.behalf {
        let giver = &behalf.representation;
        consent["performer"] = json!([{ "reference": format!("RelatedPerson/{giver}") }]);
        let known = door.view(access)?.read("RelatedPerson", giver)?;
        if known.is_none_or(|record| record.is_deleted()) {
            changes.push(put(door, giver, &related_person(giver, patient), Expect::New));
        }
    }
    changes.push(put(door, &id, &consent, Expect::Anything));
    door.commit_consents(access, "consent", changes).map(drop)
}

fn put(door: &Door, id: &str, resource: &Value, expect: Expect) -> Change {
    let json = serde_json::to_vec(resource).expect("a resource is JSON");
    let document = Document::parse(&json, &Limits::default()).expect("a resource is JSON");
    let catalogue = door.catalogue();
    let kind = resource["resourceType"].as_str().and_then(|kind| catalogue.kind(kind)).expect("R4 has it");
    let record = Box::new(catalogue.prepare(kind, id, document.root(), &mut |_| None));
    Change::Put { record, expect }
}

/// Who represents a patient, for other systems to read: of those who may consent, guardians all (`GUARD` of v3-RoleCode).
fn related_person(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "RelatedPerson",
        "id": id,
        "identifier": [{ "system": "https://ieum.example/representations", "value": id }],
        "active": true,
        "patient": { "reference": format!("Patient/{patient}") },
        "relationship": [{
            "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "GUARD" }],
        }],
    })
}

fn consent(id: &str, patient: &str, institution: Option<&str>, choice: Option<&Choice>, now: i64) -> Value {
    let coding = |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    let patient = json!({ "reference": format!("Patient/{patient}") });
    let mut provision = json!({
        "type": if matches!(choice, Some(Choice::Permit { .. })) { "permit" } else { "deny" },
        "purpose": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT" }],
    });
    let mut consent = json!({
        "resourceType": "Consent",
        "id": id,
        "identifier": [{ "system": SWITCH, "value": institution.unwrap_or(EVERYBODY) }],
        "status": if choice.is_some() { "active" } else { "inactive" },
        "scope": coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coding("http://loinc.org", "59284-0")],
        "patient": patient,
        "dateTime": format_instant(now),
        "performer": [patient],
        "policy": [{ "uri": "https://ieum.example/policies/sharing" }],
    });
    if let Some(institution) = institution {
        let reference = json!({ "reference": format!("Organization/{institution}") });
        let role = coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP");
        provision["actor"] = json!([{ "role": role, "reference": reference }]);
        consent["organization"] = json!([reference]);
    }
    if let Some(Choice::Permit { without }) = choice
        && !without.is_empty()
    {
        let labels: Vec<Value> =
            without.iter().map(|code| json!({ "system": ACT_CODE, "code": code })).collect();
        provision["provision"] = json!([{ "type": "deny", "securityLabel": labels }]);
    }
    consent["provision"] = provision;
    consent
}
