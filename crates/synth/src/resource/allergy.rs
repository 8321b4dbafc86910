//! AllergyIntolerance.

use crate::json::{Value, json};

use super::Scribe;
use crate::calendar::plus_days;
use crate::chart::{coded, meta};
use crate::tables::codes::{ATC, SNOMED};

/// A cause: category, system, code, display, Korean word, share.
type Cause = (&'static str, &'static str, &'static str, &'static str, &'static str, u32);

const CAUSES: [Cause; 7] = [
    ("medication", ATC, "J01CA04", "amoxicillin", "페니실린계 항생제", 30),
    ("medication", ATC, "M01AE01", "ibuprofen", "비스테로이드소염제", 24),
    ("medication", ATC, "J01DC04", "cefaclor", "세파계 항생제", 12),
    ("medication", ATC, "V08AB02", "iohexol", "요오드 조영제", 14),
    ("food", SNOMED, "102263004", "Eggs (edible)", "달걀", 8),
    ("food", SNOMED, "762952008", "Peanut", "땅콩", 6),
    ("environment", SNOMED, "256277009", "Grass pollen", "꽃가루", 10),
];

/// How it shows: SNOMED CT code, display, Korean word.
const SIGNS: [(&str, &str, &str); 4] = [
    ("126485001", "Urticaria", "두드러기"),
    ("271807003", "Eruption of skin", "피부 발진"),
    ("41291007", "Angioedema", "혈관부종"),
    ("39579001", "Anaphylaxis", "아나필락시스"),
];

impl Scribe<'_> {
    /// The allergies someone has: most have none.
    pub(crate) fn allergies_record(&mut self) {
        let count = if self.dice.permille(110) { 1 + usize::from(self.dice.permille(120)) } else { 0 };
        let mut first = None;
        for _ in 0..count {
            let cause = *self.dice.weighted(&CAUSES, |cause| cause.5);
            if first != Some(cause.2) {
                self.allergy_write(cause);
            }
            first = Some(cause.2);
        }
    }

    fn allergy_write(&mut self, (category, system, code, display, text, _): Cause) {
        let person = self.person;
        let oldest = i64::from(crate::calendar::days_between(person.birth, person.last_day()));
        let onset = plus_days(person.last_day(), -self.dice.between(0, oldest.min(3_600)));
        let sign = *self.dice.pick(&SIGNS);
        let severe = sign.0 == "39579001";
        let mut substance = coded(system, code, display);
        substance["text"] = Value::from(text);
        let allergy = json!({
            "resourceType": "AllergyIntolerance",
            "id": self.chart.id_next("al"),
            "meta": meta(Some("allergyintolerance"), None),
            "clinicalStatus": coded(
                "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active", "Active"
            ),
            "verificationStatus": coded(
                "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "confirmed", "Confirmed"
            ),
            "type": "allergy",
            "category": [category],
            "criticality": if severe { "high" } else { "low" },
            "code": substance,
            "patient": self.subject(),
            "onsetDateTime": onset.to_string(),
            "reaction": [{
                "manifestation": [{
                    "coding": [{ "system": SNOMED, "code": sign.0, "display": sign.1 }], "text": sign.2
                }],
                "severity": if severe { "severe" } else { "mild" }
            }]
        });
        self.chart.push(allergy);
    }
}
