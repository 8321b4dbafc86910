//! Imaging studies with their reports, and pathology reports.

use crate::json::{Value, json};

use super::{Scribe, Visit};
use crate::calendar::instant;
use crate::chart::{coded, meta};
use crate::tables::acute::Imaging;
use crate::tables::codes::SNOMED;

/// The extension that says when an examination was asked for.
pub(super) fn requested_at(visit: &Visit) -> Value {
    json!([{
        "url": "http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-testRequestDateTime",
        "valueDateTime": instant(visit.moment(8))
    }])
}

impl Scribe<'_> {
    /// An examination: the study and the radiologist's report.
    pub(crate) fn imaging_record(&mut self, visit: &Visit, imaging: &Imaging) {
        let id = self.chart.id_next("img");
        let study = self.uid();
        let series = self.uid();
        let resource = json!({
            "resourceType": "ImagingStudy",
            "id": &id,
            "meta": meta(Some("imagingstudy"), visit.label),
            "identifier": [{ "system": "urn:dicom:uid", "value": format!("urn:oid:{study}") }],
            "status": "available",
            "modality": [modality(imaging.modality)],
            "subject": self.subject(),
            "encounter": visit.reference(),
            "started": instant(visit.moment(25)),
            "numberOfSeries": 1,
            "numberOfInstances": imaging.images,
            "description": imaging.text,
            "series": [{
                "uid": series,
                "number": 1,
                "modality": modality(imaging.modality),
                "numberOfInstances": imaging.images,
                "started": instant(visit.moment(25))
            }]
        });
        self.chart.push(resource);
        let mut code = coded(imaging.system, imaging.code, imaging.display);
        code["text"] = imaging.text.into();
        let mut report = self.report(visit, "diagnostic-imaging", "IMG", code);
        report["imagingStudy"] = json!([{ "reference": format!("ImagingStudy/{id}") }]);
        report["conclusion"] = imaging.conclusion.into();
        self.chart.push(report);
    }

    /// Tissue under the microscope.
    pub(crate) fn pathology_record(&mut self, visit: &Visit, conclusion: &'static str) {
        let mut code = coded(SNOMED, "108257001", "Anatomic pathology procedure");
        code["text"] = "조직병리검사".into();
        let mut report = self.report(visit, "pathology-results", "PAT", code);
        report["extension"] = requested_at(visit);
        report["conclusion"] = conclusion.into();
        self.chart.push(report);
    }

    /// A DICOM UID under 2.25: 120 random bits, never the root of a real maker.
    fn uid(&mut self) -> String {
        let high = u128::from(self.dice.below(1 << 56));
        let low = u128::from(self.dice.below(1 << 63));
        format!("2.25.{}", (high << 63) | low)
    }
}

fn modality(code: &'static str) -> Value {
    json!({ "system": "http://dicom.nema.org/resources/ontology/DCM", "code": code })
}
