//! Visits to the dentist.

use crate::country::Want;
use crate::resource::Scribe;
use crate::tables::dental::{CASES, DentalCase, tooth};
use crate::tables::medicines as drug;

impl Scribe<'_> {
    /// One to three visits in the last years for about half of the people from five years of age.
    pub(super) fn dental_course(&mut self) {
        if !self.dice.permille(560) {
            return;
        }
        for _ in 0..self.dice.between(1, 3) {
            self.dental_visit();
        }
    }

    fn dental_visit(&mut self) {
        let Some(day) = self.recent_day(5, 6) else { return };
        let age = self.person.age_on(day);
        let fits = |case: &DentalCase| (case.ages.0..=case.ages.1).contains(&age);
        if !CASES.iter().any(fits) {
            return;
        }
        let case = self.dice.weighted(&CASES, |case| if fits(case) { case.weight } else { 0 });
        let department = if case.treatment.category == "1" { "50" } else { "55" };
        let Some(plan) = self.clinic_plan(Want::Dentist, department, day, "AMB", None) else { return };
        let mut visit = self.visit_open(plan);
        self.complaint_record(&visit, &case.complaint);
        self.diagnosis_record(&mut visit, &case.diagnosis, false);
        if case.tooth {
            let quadrant = 1 + self.dice.below(4);
            let position = if case.diagnosis.code == "K01.1" { 8 } else { 4 + self.dice.below(4) };
            let (code, name) = tooth(quadrant, position);
            self.tooth_procedure_record(&visit, &case.treatment, &code, &name);
        } else {
            self.procedure_record(&visit, &case.treatment, (10, 40));
        }
        if case.medicines {
            self.medicine_prescribe(&visit, &drug::IBUPROFEN, 3);
            self.medicine_prescribe(&visit, &drug::AMOXICILLIN_CLAVULANATE, 3);
        } else if case.diagnosis.code == "K05.3" {
            self.medicine_prescribe(&visit, &drug::CHLORHEXIDINE, 7);
        }
        self.visit_close(visit);
    }
}
