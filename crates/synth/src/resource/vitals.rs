//! Vital signs, and function tests (electrocardiogram, spirometry).

use crate::json::{Value, json};

use super::{Scribe, Visit};
use crate::body::Vitals;
use crate::calendar::instant;
use crate::chart::{coded, meta, quantity};
use crate::tables::codes::{EDI_PROCEDURE, LOINC};

/// What to measure at a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VitalSet {
    /// Blood pressure and pulse.
    Circulation,
    /// Temperature alone.
    Temperature,
    /// Everything, as on admission.
    All,
    /// Height and weight.
    Growth,
}

/// A single-value vital sign.
struct Sign {
    profile: &'static str,
    loinc: &'static str,
    display: &'static str,
    unit: &'static str,
    ucum: &'static str,
}

const fn sign(
    profile: &'static str,
    loinc: &'static str,
    display: &'static str,
    unit: &'static str,
    ucum: &'static str,
) -> Sign {
    Sign { profile, loinc, display, unit, ucum }
}

const HEART_RATE: Sign = sign("heartrate", "8867-4", "Heart rate", "회/분", "/min");
const RESPIRATION: Sign = sign("respiratoryrate", "9279-1", "Respiratory rate", "회/분", "/min");
const TEMPERATURE: Sign = sign("bodytemperature", "8310-5", "Body temperature", "℃", "Cel");
const SATURATION: Sign = sign("pulseoximetry", "2708-6", "Oxygen saturation in Arterial blood", "%", "%");
const HEIGHT: Sign = sign("bodyheight", "8302-2", "Body height", "cm", "cm");
const WEIGHT: Sign = sign("bodyweight", "29463-7", "Body weight", "kg", "kg");

impl Scribe<'_> {
    /// Measures and writes the signs of `set`, `minutes` after the start of the visit.
    pub(crate) fn vitals_record(
        &mut self,
        visit: &Visit,
        set: VitalSet,
        minutes: i64,
        ill: bool,
        breathless: bool,
    ) {
        let at = visit.moment(minutes);
        let vitals = Vitals::measure(self.person, at.date(), ill, breathless, &mut self.dice);
        let time = instant(at);
        if matches!(set, VitalSet::Circulation | VitalSet::All) {
            self.pressure_write(visit, &time, &vitals);
        }
        if matches!(set, VitalSet::Circulation | VitalSet::All) {
            self.sign_write(visit, &time, &HEART_RATE, vitals.heart_rate.into());
        }
        if matches!(set, VitalSet::Temperature | VitalSet::All) {
            self.sign_write(visit, &time, &TEMPERATURE, vitals.temperature.into());
        }
        if set == VitalSet::All {
            self.sign_write(visit, &time, &RESPIRATION, vitals.respiration.into());
            self.sign_write(visit, &time, &SATURATION, vitals.saturation.into());
        }
        if set == VitalSet::Growth {
            self.sign_write(visit, &time, &HEIGHT, vitals.height.into());
            self.sign_write(visit, &time, &WEIGHT, vitals.weight.into());
        }
    }

    fn sign_write(&mut self, visit: &Visit, time: &str, sign: &Sign, value: Value) {
        let mut observation =
            self.vital_sign(visit, time, sign.profile, coded(LOINC, sign.loinc, sign.display));
        observation["valueQuantity"] = quantity(value, sign.unit, sign.ucum);
        self.chart.push(observation);
    }

    fn pressure_write(&mut self, visit: &Visit, time: &str, vitals: &Vitals) {
        let code = coded(LOINC, "85354-9", "Blood pressure panel with all children optional");
        let mut observation = self.vital_sign(visit, time, "bloodpressure", code);
        let part = |loinc: &'static str, display: &'static str, value: i64| {
            json!({
                "code": coded(LOINC, loinc, display),
                "valueQuantity": quantity(value, "mmHg", "mm[Hg]")
            })
        };
        observation["component"] = json!([
            part("8480-6", "Systolic blood pressure", vitals.systolic),
            part("8462-4", "Diastolic blood pressure", vitals.diastolic)
        ]);
        self.chart.push(observation);
    }

    fn vital_sign(&mut self, visit: &Visit, time: &str, profile: &'static str, code: Value) -> Value {
        json!({
            "resourceType": "Observation",
            "id": self.chart.id_next("vs"),
            "meta": meta(Some(profile), visit.label),
            "status": "final",
            "category": [coded(
                "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs"
            )],
            "code": code,
            "subject": self.subject(),
            "encounter": visit.reference(),
            "effectiveDateTime": time.to_owned(),
            "performer": [visit.practitioner()]
        })
    }

    /// An electrocardiogram with its heart rate and reading.
    pub(crate) fn electrocardiogram_record(&mut self, visit: &Visit, conclusion: &'static str) {
        let rate = self.dice.between(58, 96);
        self.function_test_write(
            visit,
            ("ZZ950", "심전도검사(표준 12유도)"),
            "심박수",
            quantity(rate, "회/분", "/min"),
            conclusion,
        );
    }

    /// Spirometry: FEV1 against the expected value.
    pub(crate) fn spirometry_record(&mut self, visit: &Visit, obstructed: bool) {
        let percent = if obstructed { self.dice.between(44, 72) } else { self.dice.between(78, 104) };
        let conclusion = if obstructed { "폐쇄성 환기장애" } else { "정상 폐기능" };
        let value = quantity(percent, "%", "%");
        self.function_test_write(
            visit,
            ("ZZ951", "폐기능검사"),
            "1초간 노력성 호기량(예측치 대비)",
            value,
            conclusion,
        );
    }

    fn function_test_write(
        &mut self,
        visit: &Visit,
        (code, name): (&'static str, &'static str),
        text: &'static str,
        value: Value,
        conclusion: &'static str,
    ) {
        let mut concept = coded(EDI_PROCEDURE, code, name);
        concept["text"] = text.into();
        let id = self.chart.id_next("fn");
        let observation = json!({
            "resourceType": "Observation",
            "id": &id,
            "meta": meta(Some("observation-function-test"), visit.label),
            "status": "final",
            "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "exam", "Exam")],
            "code": concept,
            "subject": self.subject(),
            "encounter": visit.reference(),
            "effectiveDateTime": instant(visit.moment(20)),
            "performer": [visit.practitioner()],
            "valueQuantity": value
        });
        self.chart.push(observation);
        let mut report = self.report(visit, "function-tests", "OSL", coded(EDI_PROCEDURE, code, name));
        report["extension"] = super::imaging::requested_at(visit);
        report["result"] = json!([{ "reference": format!("Observation/{id}") }]);
        report["conclusion"] = conclusion.into();
        self.chart.push(report);
    }
}
