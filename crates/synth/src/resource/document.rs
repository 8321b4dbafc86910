//! DocumentReference: texts such as discharge summaries and referral letters.

use crate::json::json;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Scribe, Visit};
use crate::calendar::instant;
use crate::chart::{coded, meta};
use crate::tables::codes::LOINC;

/// Kinds of documents: LOINC code, display, Korean title.
pub(crate) const DISCHARGE_SUMMARY: (&str, &str, &str) = ("18842-5", "Discharge summary", "퇴원요약지");
/// A letter that sends the patient on.
pub(crate) const REFERRAL: (&str, &str, &str) = ("57133-1", "Referral note", "진료의뢰서");

impl Scribe<'_> {
    /// A plain-text document of `visit` with these lines.
    pub(crate) fn document_record(
        &mut self,
        visit: &Visit,
        kind: (&'static str, &'static str, &'static str),
        lines: &[String],
    ) {
        let mut text =
            format!("[가상 자료 — 실제 환자가 아닙니다]\n{}\n작성 기관: {}\n", kind.2, visit.place.name);
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let date = instant(visit.end);
        let mut document_type = coded(LOINC, kind.0, kind.1);
        document_type["text"] = kind.2.into();
        let document = json!({
            "resourceType": "DocumentReference",
            "id": self.chart.id_next("doc"),
            "meta": meta(None, visit.label),
            "status": "current",
            "docStatus": "final",
            "type": document_type,
            "subject": self.subject(),
            "date": &date,
            "author": [visit.practitioner()],
            "custodian": { "reference": visit.place.reference() },
            "content": [{
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "language": "ko",
                    "data": STANDARD.encode(&text),
                    "size": text.len(),
                    "title": kind.2,
                    "creation": &date
                }
            }],
            "context": {
                "encounter": [visit.reference()],
                "period": { "start": instant(visit.start), "end": date }
            }
        });
        self.chart.push(document);
    }
}
