//! Condition: diagnoses of an encounter and chief complaints.

use crate::json::{Value, json};

use super::{Scribe, Visit};
use crate::calendar::instant;
use crate::chart::meta;
use crate::tables::codes::{CONDITION_CATEGORY, Concept, Diagnosis, KCD8, SNOMED};

fn clinical_status(code: &'static str) -> Value {
    json!({ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": code }] })
}

fn category(code: &'static str) -> Value {
    json!([{ "coding": [{ "system": CONDITION_CATEGORY, "code": code }] }])
}

impl Scribe<'_> {
    /// A diagnosis made in `visit`; `lasting` ones stay active, others are resolved by the time of export.
    pub(crate) fn diagnosis_record(&mut self, visit: &mut Visit, diagnosis: &Diagnosis, lasting: bool) {
        let id = self.chart.id_next("dx");
        visit.diagnosis_add(&id, if visit.is_stay() { "DD" } else { "CC" });
        let condition = json!({
            "resourceType": "Condition",
            "id": id,
            "meta": meta(Some("condition-encounter-diagnosis"), visit.label),
            "clinicalStatus": clinical_status(if lasting { "active" } else { "resolved" }),
            "verificationStatus": {
                "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"
                }]
            },
            "category": category("진단"),
            "code": {
                "coding": [{ "system": KCD8, "code": diagnosis.code, "display": diagnosis.name }],
                "text": diagnosis.name
            },
            "subject": self.subject(),
            "encounter": visit.reference(),
            "recordedDate": instant(visit.moment(10)),
            "recorder": visit.practitioner()
        });
        self.chart.push(condition);
    }

    /// What the patient came with.
    pub(crate) fn complaint_record(&mut self, visit: &Visit, complaint: &Concept) {
        let days = self.dice.between(0, 4);
        let onset = crate::calendar::plus_days(visit.start.date(), -days).max(self.person.birth);
        let condition = json!({
            "resourceType": "Condition",
            "id": self.chart.id_next("cc"),
            "meta": meta(Some("condition-chief-complaint"), visit.label),
            "clinicalStatus": clinical_status("inactive"),
            "category": category("주호소"),
            "code": {
                "coding": [{ "system": SNOMED, "code": complaint.code, "display": complaint.display }],
                "text": complaint.text
            },
            "subject": self.subject(),
            "encounter": visit.reference(),
            "onsetDateTime": onset.to_string(),
            "recordedDate": instant(visit.start)
        });
        self.chart.push(condition);
    }
}
