//! Visits to Korean-medicine clinics: a series of acupuncture for one complaint.

use crate::calendar::plus_days;
use crate::country::Want;
use crate::resource::Scribe;
use crate::tables::korean_medicine::{CASES, HERBALS, KoreanCase, TREATMENTS};

impl Scribe<'_> {
    /// About a quarter of the grown-up, more of the old, have had a series of two to five visits.
    pub(super) fn korean_medicine_course(&mut self) {
        let age = self.person.age_on(self.person.last_day());
        if age < 20 || !self.dice.permille(if age >= 60 { 330 } else { 190 }) {
            return;
        }
        let Some(first) = self.recent_day(5, 20) else { return };
        let case = self.dice.pick(&CASES);
        let mut day = first;
        for at in 0..self.dice.between(2, 5) {
            self.korean_visit(day, case, at == 0);
            day = plus_days(day, self.dice.between(3, 6));
        }
    }

    fn korean_visit(&mut self, day: jiff::civil::Date, case: &KoreanCase, first: bool) {
        let department = if case.herbal.is_some() { "80" } else { "85" };
        let Some(plan) = self.clinic_plan(Want::KoreanMedicine, department, day, "AMB", None) else { return };
        let mut visit = self.visit_open(plan);
        if first {
            self.complaint_record(&visit, &case.complaint);
        }
        self.diagnosis_record(&mut visit, &case.diagnosis, false);
        self.diagnosis_record(&mut visit, &case.pattern, false);
        self.procedure_record(&visit, &TREATMENTS[0], (10, 25));
        if self.dice.permille(500) {
            let more = 1 + self.dice.below(2) as usize;
            self.procedure_record(&visit, &TREATMENTS[more], (26, 30));
        }
        if let Some(herbal) = case.herbal.filter(|_| first) {
            self.herbal_prescribe(&visit, &HERBALS[herbal], 7);
        }
        self.visit_close(visit);
    }
}
