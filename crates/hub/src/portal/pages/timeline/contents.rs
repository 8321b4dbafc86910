//! Everything that belongs to the visits of one page, read with one search for each kind.

use ieum_fhir::json::Value;
use ieum_ui::Kind;

use super::super::left_out::LeftOut;
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
    /// What of it is not shown.
    pub(super) left_out: LeftOut,
}

impl Contents {
    /// Reads what belongs to these visits.
    pub(super) fn of(room: &Room<'_>, visits: &[Visit]) -> Result<Self, Refusal> {
        let ids: Vec<String> = visits.iter().map(|visit| format!("Encounter/{}", visit.id)).collect();
        let ids = ids.join(",");
        let mut reader = Reader { room, ids: &ids, left_out: LeftOut::default() };
        let born = room.born();
        let mut contents = Self {
            conditions: reader.read(Kind::Problem, "Condition", Condition::read)?,
            prescriptions: reader.read(Kind::Medicine, "MedicationRequest", Prescription::read)?,
            procedures: reader.read(Kind::Procedure, "Procedure", Procedure::read)?,
            observations: reader.read(Kind::Result, "Observation", |value| Observation::read(value, born))?,
            reports: reader.read(Kind::Result, "DiagnosticReport", Report::read)?,
            // R4 cannot search immunisations by visit; there are few enough to read them by person.
            doses: reader.doses()?,
            papers: reader.read(Kind::Document, "DocumentReference", Paper::read)?,
            studies: reader.read(Kind::Image, "ImagingStudy", Study::read)?,
            left_out: LeftOut::default(),
        };
        contents.left_out = reader.left_out;
        load::complete(room.call, &room.view, &mut contents.prescriptions)?;
        Ok(contents)
    }
}

struct Reader<'r> {
    room: &'r Room<'r>,
    ids: &'r str,
    left_out: LeftOut,
}

impl Reader<'_> {
    fn read<T>(&mut self, what: Kind, kind: &str, work: impl Fn(Value<'_>) -> T) -> Result<Vec<T>, Refusal> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let room = self.room;
        let pairs = room.of_person(&[("encounter", self.ids)]);
        let found = load::records(room.call, &room.view, kind, &pairs, load::OF_VISITS, work)?;
        Ok(self.left_out.take(what.word().get(room.lang()), found))
    }

    /// Of all visits, so those that do not count are not counted with these.
    fn doses(&mut self) -> Result<Vec<Dose>, Refusal> {
        let found = self.room.records("Immunization", "date", load::LIST, Dose::read)?;
        let what = Kind::Immunisation.word().get(self.room.lang());
        Ok(self.left_out.take(what, Found { withdrawn: 0, ..found }))
    }
}
