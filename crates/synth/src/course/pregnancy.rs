//! Pregnancies: check-ups from the eighth week, and the birth.

use jiff::civil::Date;

use crate::calendar::{any_hour, plus_days};
use crate::country::{Want, place_find};
use crate::resource::{DISCHARGE_SUMMARY, Scribe, VisitPlan, VitalSet};
use crate::tables::acute::{CAESAREAN, FETAL_US};
use crate::tables::codes::{concept, kcd};
use crate::tables::laboratory as lab;
use crate::tables::medicines as drug;

/// Weeks of pregnancy with a check-up, and whether there is an ultrasound.
const CHECKUPS: [(i64, bool); 6] = [(8, true), (12, true), (20, true), (26, false), (32, true), (37, false)];
const NORMAL: (&str, &str) = ("Z34.9", "상세불명의 정상임신의 관리");

impl Scribe<'_> {
    /// Some women between 24 and 43 have had a child in the last years, or are expecting one.
    pub(super) fn pregnancy_course(&mut self) {
        let person = self.person;
        let age = person.age_on(person.last_day());
        if person.male || !(24..43).contains(&age) || !self.dice.permille(190) {
            return;
        }
        let Some(start) = self.recent_day(4, 22) else { return };
        for (at, (week, ultrasound)) in CHECKUPS.iter().enumerate() {
            let day = plus_days(start, week * 7 + self.dice.between(-2, 2));
            self.prenatal_visit(day, at, *ultrasound);
        }
        let birth = plus_days(start, 39 * 7 + self.dice.between(-9, 9));
        if plus_days(birth, 9) < person.last_day() {
            self.birth_stay(birth);
        }
    }

    fn prenatal_visit(&mut self, day: Date, at: usize, ultrasound: bool) {
        let Some(plan) = self.clinic_plan(Want::Clinic("10"), "10", day, "AMB", None) else { return };
        let mut visit = self.visit_open(plan);
        self.diagnosis_record(&mut visit, &kcd(NORMAL.0, NORMAL.1), false);
        self.vitals_record(&visit, VitalSet::Circulation, 3, false, false);
        self.vitals_record(&visit, VitalSet::Growth, 2, false, false);
        if ultrasound {
            self.imaging_record(&visit, &FETAL_US);
        }
        if at == 0 || at == 4 {
            self.laboratory_record(&visit, &[&lab::CBC], false);
        }
        self.medicine_prescribe(&visit, if at < 2 { &drug::FOLIC_ACID } else { &drug::FERROUS }, 42);
        self.visit_close(visit);
    }

    fn birth_stay(&mut self, day: Date) {
        let Some(place) = place_find(self.person.region, Want::Hospital("10"), day, self.person.loyalty)
        else {
            return;
        };
        let caesarean = self.dice.permille(480);
        let days = if caesarean { 5 } else { 3 };
        let start = any_hour(day, &mut self.dice);
        let plan =
            VisitPlan { start, minutes: days * 24 * 60, class: "IMP", place, department: "10", label: None };
        let mut visit = self.visit_open(plan);
        let diagnosis = if caesarean {
            kcd("O82.9", "상세불명의 제왕절개에 의한 분만")
        } else {
            kcd("O80.9", "상세불명의 단일 자연분만")
        };
        self.complaint_record(&visit, &concept("289908002", "Pregnancy", "규칙적인 진통"));
        self.diagnosis_record(&mut visit, &diagnosis, false);
        self.vitals_record(&visit, VitalSet::All, 20, false, false);
        self.laboratory_record(&visit, &[&lab::CBC], false);
        if caesarean {
            let id = self.procedure_record(&visit, &CAESAREAN, (240, 300));
            self.anaesthesia_record(&visit, &id, (225, 315));
        }
        self.medicine_prescribe(&visit, &drug::ACETAMINOPHEN, 5);
        visit.discharge = Some(("home", "Home"));
        let lines = [
            format!("입원 기간: {} ~ {}", visit.start.date(), visit.end.date()),
            format!("최종 진단: {} {}", diagnosis.code, diagnosis.name),
            "경과: 산모와 아기 모두 건강하게 퇴원함.".to_owned(),
        ];
        self.document_record(&visit, DISCHARGE_SUMMARY, &lines);
        self.visit_close(visit);
    }
}
