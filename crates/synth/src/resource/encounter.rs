//! Encounter: one visit, from opening to closing.

use crate::json::{Value, json};
use jiff::civil::DateTime;

use super::Scribe;
use crate::calendar::{instant, plus_minutes};
use crate::chart::{Label, coded, meta};
use crate::country::{department_at, doctor_id};
use crate::tables::codes::{ACT_CODE, INSURANCE, department_name};
use crate::tables::institutions::Institution;

/// What is known before a visit begins.
#[derive(Clone, Copy)]
pub(crate) struct VisitPlan {
    pub(crate) start: DateTime,
    pub(crate) minutes: i64,
    /// Code of v3-ActEncounterCode.
    pub(crate) class: &'static str,
    pub(crate) place: &'static Institution,
    pub(crate) department: &'static str,
    pub(crate) label: Label,
}

/// A visit that is under way.
pub(crate) struct Visit {
    pub(crate) id: String,
    pub(crate) start: DateTime,
    pub(crate) end: DateTime,
    pub(crate) place: &'static Institution,
    pub(crate) label: Label,
    class: &'static str,
    department: &'static str,
    doctor: String,
    diagnoses: Vec<Value>,
    pub(crate) discharge: Option<(&'static str, &'static str)>,
}

impl Visit {
    pub(crate) fn reference(&self) -> Value {
        json!({ "reference": format!("Encounter/{}", self.id) })
    }

    pub(crate) fn practitioner(&self) -> Value {
        json!({ "reference": format!("Practitioner/doc-{}", self.doctor) })
    }

    /// A moment of the visit, `minutes` after its start but never after its end.
    pub(crate) fn moment(&self, minutes: i64) -> DateTime {
        plus_minutes(self.start, minutes).min(self.end)
    }

    pub(crate) fn diagnosis_add(&mut self, condition: &str, role: &'static str) {
        let rank = self.diagnoses.len() + 1;
        self.diagnoses.push(json!({
            "condition": { "reference": format!("Condition/{condition}") },
            "use": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/diagnosis-role", "code": role }] },
            "rank": rank
        }));
    }

    /// Whether the patient stays overnight.
    pub(crate) fn is_stay(&self) -> bool {
        self.class == "IMP"
    }
}

/// The display of an encounter class.
fn class_name(code: &str) -> &'static str {
    match code {
        "AMB" => "ambulatory",
        "IMP" => "inpatient encounter",
        "EMER" => "emergency",
        "HH" => "home health",
        "VR" => "virtual",
        other => unreachable!("no visit has class {other}"),
    }
}

impl Scribe<'_> {
    /// Opens a visit: what happens in it refers to it from now on.
    pub(crate) fn visit_open(&mut self, plan: VisitPlan) -> Visit {
        if !self.places.iter().any(|place| std::ptr::eq(*place, plan.place)) {
            self.places.push(plan.place);
        }
        let department = department_at(plan.place, plan.department);
        // A patient keeps the same doctor in a department.
        let doctor = doctor_id(plan.place, department, self.person.loyalty);
        Visit {
            id: self.chart.id_next("enc"),
            start: plan.start,
            end: plus_minutes(plan.start, plan.minutes),
            place: plan.place,
            label: plan.label,
            class: plan.class,
            department,
            doctor,
            diagnoses: Vec::new(),
            discharge: None,
        }
    }

    /// Closes a visit: the Encounter itself is written, with its diagnoses.
    pub(crate) fn visit_close(&mut self, visit: Visit) {
        let insurance = self.person.insurance;
        let mut encounter = json!({
            "resourceType": "Encounter",
            "id": &visit.id,
            "meta": meta(Some("encounter"), visit.label),
            "extension": [{
                "url": "http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-insuranceTypes",
                "valueCodeableConcept": coded(INSURANCE, insurance.0, insurance.1)
            }],
            "status": "finished",
            "class": { "system": ACT_CODE, "code": visit.class, "display": class_name(visit.class) },
            "serviceType": { "text": department_name(visit.department) },
            "subject": self.subject(),
            "participant": [{ "individual": visit.practitioner() }],
            "period": { "start": instant(visit.start), "end": instant(visit.end) },
            "location": [{ "location": { "reference": format!("Location/loc-{}", visit.place.symbol) } }],
            "serviceProvider": { "reference": visit.place.reference() }
        });
        if !visit.diagnoses.is_empty() {
            encounter["diagnosis"] = Value::Array(visit.diagnoses);
        }
        if let Some((code, display)) = visit.discharge {
            let system = "http://terminology.hl7.org/CodeSystem/discharge-disposition";
            encounter["hospitalization"] = json!({ "dischargeDisposition": coded(system, code, display) });
        }
        self.chart.push(encounter);
    }
}
