//! Laboratory: specimen, results and the report that holds them together.

use crate::json::{Value, json};

use super::{Scribe, Visit};
use crate::body::Sample;
use crate::calendar::{instant, plus_minutes};
use crate::chart::{coded, meta, quantity};
use crate::tables::codes::{LOINC, SNOMED};
use crate::tables::laboratory::{Analyte, Panel, Shows};

impl Scribe<'_> {
    /// Orders `panels` from one sample, taken in `visit`; tests that two panels share are done once.
    pub(crate) fn laboratory_record(&mut self, visit: &Visit, panels: &[&'static Panel], ill: bool) {
        let heart =
            panels.iter().any(|panel| panel.analytes.iter().any(|test| test.shows == Shows::Troponin));
        let sample = Sample::draw(self.person, visit.start.date(), ill, heart, &mut self.dice);
        let mut done: Vec<(&'static str, String)> = Vec::new();
        for urine in [false, true] {
            let wanted = || panels.iter().filter(|panel| panel.urine == urine);
            if wanted().next().is_none() {
                continue;
            }
            let specimen = self.specimen_write(visit, urine);
            for panel in wanted() {
                let mut results = Vec::with_capacity(panel.analytes.len());
                for analyte in panel.analytes {
                    let known =
                        done.iter().find(|result| result.0 == analyte.loinc).map(|result| result.1.clone());
                    let id = known.unwrap_or_else(|| {
                        let id = self.result_write(visit, analyte, &sample, &specimen);
                        done.push((analyte.loinc, id.clone()));
                        id
                    });
                    results.push(json!({ "reference": format!("Observation/{id}") }));
                }
                let mut code = coded(LOINC, panel.loinc, panel.display);
                code["text"] = panel.text.into();
                let mut report = self.report(visit, "laboratory-results", "LAB", code);
                report["specimen"] = json!([{ "reference": format!("Specimen/{specimen}") }]);
                report["result"] = Value::Array(results);
                self.chart.push(report);
            }
        }
    }

    fn specimen_write(&mut self, visit: &Visit, urine: bool) -> String {
        let id = self.chart.id_next("sp");
        let (code, display) =
            if urine { ("122575003", "Urine specimen") } else { ("119297000", "Blood specimen") };
        let specimen = json!({
            "resourceType": "Specimen",
            "id": &id,
            "meta": meta(Some("specimen"), visit.label),
            "status": "available",
            "type": coded(SNOMED, code, display),
            "subject": self.subject(),
            "collection": { "collectedDateTime": instant(visit.moment(15)) }
        });
        self.chart.push(specimen);
        id
    }

    fn result_write(&mut self, visit: &Visit, analyte: &Analyte, sample: &Sample, specimen: &str) -> String {
        let id = self.chart.id_next("lab");
        let value = sample.value(analyte, &mut self.dice);
        let mut code = coded(LOINC, analyte.loinc, analyte.display);
        code["text"] = analyte.text.into();
        let range = json!([{
            "low": shown(analyte.low, analyte), "high": shown(analyte.high, analyte)
        }]);
        let observation = json!({
            "resourceType": "Observation",
            "id": &id,
            "meta": meta(Some("observation-laboratory-result"), visit.label),
            "status": "final",
            "category": [coded(
                "http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "Laboratory"
            )],
            "code": code,
            "subject": self.subject(),
            "encounter": visit.reference(),
            "effectiveDateTime": instant(visit.moment(15)),
            "issued": issued(visit),
            "performer": [visit.practitioner()],
            "valueQuantity": shown(value, analyte),
            "interpretation": [interpretation(value, analyte)],
            "specimen": { "reference": format!("Specimen/{specimen}") },
            "referenceRange": range
        });
        self.chart.push(observation);
        id
    }

    /// A final DiagnosticReport of one of the four kinds, without its results.
    pub(super) fn report(
        &mut self,
        visit: &Visit,
        profile: &str,
        category: &'static str,
        code: Value,
    ) -> Value {
        json!({
            "resourceType": "DiagnosticReport",
            "id": self.chart.id_next("dr"),
            "meta": meta(Some(&format!("diagnosticreport-{profile}")), visit.label),
            "status": "final",
            "category": [{
                "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": category }]
            }],
            "code": code,
            "subject": self.subject(),
            "encounter": visit.reference(),
            "effectiveDateTime": instant(visit.moment(15)),
            "issued": issued(visit),
            "performer": [visit.practitioner()]
        })
    }
}

/// Results come two hours after the sample at the latest; the visit's end does not wait for them.
fn issued(visit: &Visit) -> String {
    instant(plus_minutes(visit.moment(15), 95))
}

fn shown(value: f64, analyte: &Analyte) -> Value {
    if analyte.decimals == 0 {
        quantity(value as i64, analyte.ucum, analyte.ucum)
    } else {
        quantity(value, analyte.ucum, analyte.ucum)
    }
}

fn interpretation(value: f64, analyte: &Analyte) -> Value {
    let (code, display) = if value < analyte.low {
        ("L", "Low")
    } else if value > analyte.high {
        ("H", "High")
    } else {
        ("N", "Normal")
    };
    coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", code, display)
}
