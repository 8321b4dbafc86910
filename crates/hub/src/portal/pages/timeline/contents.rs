//! Everything that belongs to the visits of one page, read with one search for each kind.

use ieum_fhir::json::Value;

use super::super::room::Room;
use crate::portal::call::Refusal;
use crate::portal::record::items::{Condition, Dose, Procedure, Report};
use crate::portal::record::load::{self, Found};
use crate::portal::record::medicine::Prescription;
use crate::portal::record::observation::Observation;
use crate::portal::record::paper::{Paper, Study};
use crate::portal::record::visit::Visit;

/// What happened in some visits.
pub(super) struct Contents {
    pub(super) conditions: Vec<Condition>,
    pub(super) prescriptions: Vec<Prescription>,
    pub(super) procedures: Vec<Procedure>,
    pub(super) observations: Vec<Observation>,
    pub(super) reports: Vec<Report>,
    pub(super) doses: Vec<Dose>,
    pub(super) papers: Vec<Paper>,
    pub(super) studies: Vec<Study>,
    /// Whether some kind had more than is read at once.
    pub(super) is_cut: bool,
}

impl Contents {
    /// Reads what belongs to these visits.
    pub(super) fn of(room: &Room<'_>, visits: &[Visit]) -> Result<Self, Refusal> {
        let ids: Vec<String> = visits.iter().map(|visit| format!("Encounter/{}", visit.id)).collect();
        let ids = ids.join(",");
        let mut reader = Reader { room, ids: &ids, is_cut: false };
        let mut contents = Self {
            conditions: reader.read("Condition", Condition::read)?,
            prescriptions: reader.read("MedicationRequest", Prescription::read)?,
            procedures: reader.read("Procedure", Procedure::read)?,
            observations: reader.read("Observation", Observation::read)?,
            reports: reader.read("DiagnosticReport", Report::read)?,
            // R4 cannot search immunisations by visit; there are few enough to read them by person.
            doses: room.records("Immunization", "date", load::LIST, Dose::read)?.items,
            papers: reader.read("DocumentReference", Paper::read)?,
            studies: reader.read("ImagingStudy", Study::read)?,
            is_cut: false,
        };
        contents.is_cut = reader.is_cut;
        load::complete(room.call, &room.view, &mut contents.prescriptions)?;
        Ok(contents)
    }
}

struct Reader<'r> {
    room: &'r Room<'r>,
    ids: &'r str,
    is_cut: bool,
}

impl Reader<'_> {
    fn read<T>(&mut self, kind: &str, work: impl Fn(Value<'_>) -> T) -> Result<Vec<T>, Refusal> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let room = self.room;
        let pairs = room.of_person(&[("encounter", self.ids)]);
        let Found { items, is_cut } =
            load::records(room.call, &room.view, kind, &pairs, load::OF_VISITS, work)?;
        self.is_cut |= is_cut;
        Ok(items)
    }
}
