//! Visits for short illnesses.

use crate::country::Want;
use crate::resource::{Scribe, VitalSet};
use crate::tables::acute::{SHORT_ILLNESSES, ShortIllness};

impl Scribe<'_> {
    /// A few visits in the last years: more for children and the old.
    pub(super) fn acute_course(&mut self) {
        let visits = match self.person.age_on(self.person.last_day()) {
            ..10 => self.dice.between(4, 7),
            10..60 => self.dice.between(2, 4),
            _ => self.dice.between(1, 3),
        };
        for _ in 0..visits {
            if self.is_full() {
                return;
            }
            self.acute_visit();
        }
    }

    fn acute_visit(&mut self) {
        let Some(day) = self.recent_day(5, 0) else { return };
        let age = self.person.age_on(day);
        let fits = |illness: &ShortIllness| (illness.ages.0..=illness.ages.1).contains(&age);
        let male = self.person.male;
        let weight = |illness: &ShortIllness| if fits(illness) { illness.weight_of(male) } else { 0 };
        let illness = self.dice.weighted(SHORT_ILLNESSES, weight);
        let want = if self.dice.permille(90) {
            Want::Hospital(illness.department)
        } else {
            Want::Clinic(illness.department)
        };
        let Some(plan) = self.clinic_plan(want, illness.department, day, "AMB", illness.sensitivity) else {
            return;
        };
        let mut visit = self.visit_open(plan);
        let fever = illness.fever && self.dice.permille(700);
        self.complaint_record(&visit, &illness.complaint);
        self.vitals_record(&visit, VitalSet::Temperature, 3, fever, false);
        if age < 13 {
            self.vitals_record(&visit, VitalSet::Growth, 2, false, false);
        } else {
            self.vitals_record(&visit, VitalSet::Circulation, 4, fever, false);
        }
        self.diagnosis_record(&mut visit, &illness.diagnosis, false);
        for medicine in illness.medicines {
            self.medicine_prescribe(&visit, medicine, illness.days);
        }
        if !illness.panels.is_empty() && self.dice.permille(450) {
            self.laboratory_record(&visit, illness.panels, fever);
        }
        // A broken bone is always looked at; a cough or a headache now and then.
        let always = illness.diagnosis.code.starts_with('S');
        if let Some(imaging) = illness.imaging.filter(|_| always || self.dice.permille(350)) {
            self.imaging_record(&visit, imaging);
        }
        self.visit_close(visit);
    }
}
