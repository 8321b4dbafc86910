//! Procedure: operations, treatments, anaesthesia.

use crate::json::{Value, json};

use super::{Scribe, Visit};
use crate::calendar::instant;
use crate::chart::{coded, meta};
use crate::tables::codes::{EDI_PROCEDURE, PROCEDURE_CATEGORY, ProcedureKind, SNOMED, TOOTH};

impl Scribe<'_> {
    /// A procedure of `visit` that took `minutes`; returns its id.
    pub(crate) fn procedure_record(
        &mut self,
        visit: &Visit,
        kind: &ProcedureKind,
        minutes: (i64, i64),
    ) -> String {
        self.procedure_write(visit, kind, minutes, |_| {})
    }

    /// A procedure on one tooth, in FDI notation.
    pub(crate) fn tooth_procedure_record(
        &mut self,
        visit: &Visit,
        kind: &ProcedureKind,
        code: &str,
        name: &str,
    ) {
        self.procedure_write(visit, kind, (10, 40), |procedure| {
            procedure["bodySite"] = json!([{
                "coding": [{ "system": TOOTH, "code": code.to_owned() }], "text": format!("{name} (FDI {code})")
            }]);
        });
    }

    /// Anaesthesia for the operation `part_of`.
    pub(crate) fn anaesthesia_record(&mut self, visit: &Visit, part_of: &str, minutes: (i64, i64)) {
        self.procedure_write(visit, &crate::tables::acute::ANAESTHESIA, minutes, |procedure| {
            procedure["partOf"] = json!([{ "reference": format!("Procedure/{part_of}") }]);
        });
    }

    fn procedure_write(
        &mut self,
        visit: &Visit,
        kind: &ProcedureKind,
        minutes: (i64, i64),
        finish: impl FnOnce(&mut Value),
    ) -> String {
        let id = self.chart.id_next("pr");
        let mut codings = vec![json!({ "system": EDI_PROCEDURE, "code": kind.edi, "display": kind.name })];
        if let Some((code, display)) = kind.snomed {
            codings.push(json!({ "system": SNOMED, "code": code, "display": display }));
        }
        let category = match kind.category {
            "1" => "수술",
            "2" => "처치",
            _ => "마취",
        };
        let mut procedure = json!({
            "resourceType": "Procedure",
            "id": &id,
            "meta": meta(Some("procedure"), visit.label),
            "status": "completed",
            "category": coded(PROCEDURE_CATEGORY, kind.category, category),
            "code": { "coding": codings, "text": kind.name },
            "subject": self.subject(),
            "encounter": visit.reference(),
            "performedPeriod": { "start": instant(visit.moment(minutes.0)), "end": instant(visit.moment(minutes.1)) },
            "performer": [{ "actor": visit.practitioner() }]
        });
        finish(&mut procedure);
        self.chart.push(procedure);
        id
    }
}
