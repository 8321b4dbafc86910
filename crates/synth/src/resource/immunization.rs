//! Immunization.

use crate::json::json;

use super::{Scribe, Visit};
use crate::calendar::instant;
use crate::chart::{coded, meta};
use crate::tables::codes::VACCINE;
use crate::tables::vaccines::vaccine_name;

impl Scribe<'_> {
    /// A dose given in `visit`, or not given because the patient was ill that day.
    pub(crate) fn immunization_record(&mut self, visit: &Visit, code: &'static str, dose: i64, given: bool) {
        let lot = self.dice.between(1_000, 9_999);
        let mut immunization = json!({
            "resourceType": "Immunization",
            "id": self.chart.id_next("im"),
            "meta": meta(Some("immunization"), None),
            "status": if given { "completed" } else { "not-done" },
            "vaccineCode": coded(VACCINE, code, vaccine_name(code)),
            "patient": self.subject(),
            "encounter": visit.reference(),
            "occurrenceDateTime": instant(visit.moment(10)),
            "performer": [{ "actor": visit.practitioner() }],
            "protocolApplied": [{ "doseNumberPositiveInt": dose }]
        });
        if given {
            immunization["lotNumber"] = format!("SYNTH-{lot}").into();
        } else {
            let reason = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
            immunization["statusReason"] = coded(reason, "MEDPREC", "medical precaution");
        }
        self.chart.push(immunization);
    }
}
