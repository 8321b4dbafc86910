//! From events to FHIR resources: one file per kind. All are methods of [`Scribe`], who holds the chart.

mod allergy;
mod condition;
mod document;
mod encounter;
mod imaging;
mod immunization;
mod laboratory;
mod medication;
mod patient;
mod procedure;
mod vitals;

use crate::json::Value;

pub(crate) use document::{DISCHARGE_SUMMARY, REFERRAL};
pub(crate) use encounter::{Visit, VisitPlan};
pub(crate) use medication::medication;
pub(crate) use patient::road_address;
pub(crate) use vitals::VitalSet;

use crate::chart::{Chart, patient_reference};
use crate::dice::Dice;
use crate::person::Person;
use crate::tables::institutions::Institution;

/// Writes one patient's record.
pub(crate) struct Scribe<'a> {
    pub(crate) person: &'a Person,
    pub(crate) chart: Chart,
    pub(crate) dice: Dice,
    /// Institutions visited so far, the first one first.
    pub(crate) places: Vec<&'static Institution>,
}

impl<'a> Scribe<'a> {
    /// An empty chart for `person`.
    pub(crate) fn new(person: &'a Person, dice: Dice) -> Self {
        Scribe { person, chart: Chart::new(person.prefix()), dice, places: Vec::new() }
    }

    fn subject(&self) -> Value {
        patient_reference(self.person)
    }
}
