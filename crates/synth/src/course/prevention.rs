//! Immunisations and check-ups.

use jiff::civil::{Date, date};

use crate::calendar::plus_days;
use crate::country::Want;
use crate::resource::{Scribe, VitalSet};
use crate::tables::acute::{CHEST_XRAY, COLONOSCOPY, GASTROSCOPY, MAMMOGRAM};
use crate::tables::codes::kcd;
use crate::tables::laboratory as lab;
use crate::tables::regions::REGIONS;
use crate::tables::vaccines::CHILDREN;

impl Scribe<'_> {
    /// The children's schedule, a few days late here and there; doses due in the same weeks share a visit.
    pub(super) fn children_vaccines_course(&mut self) {
        let person = self.person;
        if person.age_on(person.as_of) >= 19 {
            return;
        }
        let wanted = |at: usize| !CHILDREN[at].girls || !person.male;
        let mut at = 0;
        while at < CHILDREN.len() {
            let months = CHILDREN[at].months;
            let end = CHILDREN[at..]
                .iter()
                .position(|dose| dose.months != months)
                .map_or(CHILDREN.len(), |n| at + n);
            let given: Vec<usize> = (at..end).filter(|dose| wanted(*dose)).collect();
            let day = plus_days(person.birth, months * 3_044 / 100 + self.dice.between(0, 12));
            if !given.is_empty() && self.dice.permille(965) {
                self.vaccine_visit(
                    day,
                    &given
                        .iter()
                        .map(|dose| (CHILDREN[*dose].code, CHILDREN[*dose].dose))
                        .collect::<Vec<_>>(),
                );
            }
            at = end;
        }
    }

    /// Influenza every autumn from 65, pneumococcus once, sometimes shingles.
    pub(super) fn adult_vaccines_course(&mut self) {
        let person = self.person;
        let old = |day: Date| person.age_on(day) >= 65;
        let last = person.last_day().year();
        for year in last - 3..=last {
            let day = plus_days(date(year, 10, 5), self.dice.between(0, 20));
            let chance = if old(day) { 820 } else { 180 };
            if person.age_on(day) >= 19 && self.dice.permille(chance) && !self.is_full() {
                let mut doses = vec![("35", i64::from(year - last + 4))];
                if old(day) && !old(date(year - 1, 10, 5)) {
                    doses.push(("27", 1));
                } else if old(day) && self.dice.permille(60) {
                    doses.push(("43", 1));
                }
                self.vaccine_visit(day, &doses);
            }
        }
    }

    fn vaccine_visit(&mut self, day: Date, doses: &[(&'static str, i64)]) {
        let child = self.person.age_on(day) < 19;
        let department = if child { "11" } else { "01" };
        let remote = REGIONS[self.person.region].remote;
        let want =
            if remote && self.dice.permille(500) { Want::PublicHealth } else { Want::Clinic(department) };
        let Some(plan) = self.clinic_plan(want, department, day, "AMB", None) else { return };
        let visit = self.visit_open(plan);
        let given = self.dice.permille(985);
        for (code, dose) in doses {
            self.immunization_record(&visit, code, *dose, given);
        }
        if child && self.dice.permille(350) {
            self.vitals_record(&visit, VitalSet::Growth, 2, false, false);
        }
        self.visit_close(visit);
    }

    /// The general check-up every second year, even or odd by the year of birth.
    pub(super) fn checkup_course(&mut self) {
        let person = self.person;
        let last = person.last_day().year();
        for back in 0..6 {
            let year = last - 5 + back;
            let due = (year - person.birth.year()) % 2 == 0 && year - person.birth.year() >= 20;
            if due && !self.is_full() && self.dice.permille(410) {
                let day = plus_days(date(year, 3, 2), self.dice.between(0, 260));
                self.checkup_visit(day);
            }
        }
    }

    fn checkup_visit(&mut self, day: Date) {
        let Some(plan) = self.clinic_plan(Want::Hospital("01"), "01", day, "AMB", None) else { return };
        let age = self.person.age_on(day);
        let mut visit = self.visit_open(plan);
        self.diagnosis_record(&mut visit, &kcd("Z00.0", "일반적 의학검사"), false);
        self.vitals_record(&visit, VitalSet::Growth, 2, false, false);
        self.vitals_record(&visit, VitalSet::Circulation, 4, false, false);
        self.laboratory_record(&visit, &[&lab::CHECKUP], false);
        self.imaging_record(&visit, &CHEST_XRAY);
        if age >= 40 && !self.person.male && self.dice.permille(500) {
            self.imaging_record(&visit, &MAMMOGRAM);
        }
        if age >= 40 && self.dice.permille(450) {
            self.procedure_record(&visit, &GASTROSCOPY, (25, 35));
            if self.dice.permille(200) {
                self.pathology_record(&visit, "만성 위염, 장상피화생 동반");
            }
        }
        if age >= 50 && self.dice.permille(150) {
            self.procedure_record(&visit, &COLONOSCOPY, (36, 50));
            if self.dice.permille(400) {
                self.pathology_record(&visit, "관상선종, 저도 이형성");
            }
        }
        self.visit_close(visit);
    }
}
