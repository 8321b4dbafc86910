//! Emergencies, operations and stays in hospital; the last days of life.

use jiff::civil::{Date, DateTime};

use crate::calendar::{any_hour, plus_days, plus_minutes};
use crate::country::{Want, place_find};
use crate::resource::{DISCHARGE_SUMMARY, REFERRAL, Scribe, VisitPlan, VitalSet};
use crate::tables::acute::{SEVERE_ILLNESSES, SevereIllness};
use crate::tables::codes::{concept, kcd};
use crate::tables::institutions::Institution;
use crate::tables::laboratory as lab;
use crate::tables::medicines as drug;
use crate::tables::regions::REGIONS;

const DAY: i64 = 24 * 60;

impl Scribe<'_> {
    /// Some have been in an emergency room in the last years; those who died have a last stay.
    pub(super) fn severe_course(&mut self) {
        let age = self.person.age_on(self.person.last_day());
        let permille = match age {
            ..40 => 90,
            40..65 => 150,
            _ => 300,
        };
        if self.dice.permille(permille)
            && let Some(day) = self.recent_day(4, 0)
        {
            self.severe_episode(day);
        }
        if let Some(death) = self.person.death {
            self.last_stay(death);
        }
    }

    fn severe_episode(&mut self, day: Date) {
        let age = self.person.age_on(day);
        let fits = |illness: &SevereIllness| (illness.ages.0..=illness.ages.1).contains(&age);
        let weight = |illness: &SevereIllness| if fits(illness) { illness.weight } else { 0 };
        let illness = self.dice.weighted(SEVERE_ILLNESSES, weight);
        let stay = self.dice.between(illness.stay.0, illness.stay.1);
        if plus_days(day, stay + 2) >= self.person.last_day() {
            return;
        }
        let Some(place) = place_find(self.person.region, Want::Hospital("24"), day, self.person.loyalty)
        else {
            return;
        };
        if REGIONS[self.person.region].remote {
            self.referral_visit(day, illness, place);
        }
        let arrival = plus_minutes(any_hour(day, &mut self.dice), 600);
        let left = self.emergency_visit(arrival, place, illness, stay > 0);
        if stay > 0 {
            self.hospital_stay(left, place, illness, stay);
        }
    }

    /// On islands the health centre sees the patient first, and writes a letter.
    fn referral_visit(&mut self, day: Date, illness: &SevereIllness, to: &Institution) {
        let day = plus_days(day, -1);
        let Some(plan) = self.clinic_plan(Want::PublicHealth, "00", day, "AMB", None) else { return };
        let mut visit = self.visit_open(plan);
        self.complaint_record(&visit, &illness.complaint);
        self.vitals_record(&visit, VitalSet::All, 3, illness.fever, false);
        self.diagnosis_record(&mut visit, &illness.diagnosis, false);
        let lines = [
            format!("의뢰 받는 기관: {}", to.name),
            format!("주호소: {}", illness.complaint.text),
            format!("추정 진단: {} {}", illness.diagnosis.code, illness.diagnosis.name),
            "의뢰 사유: 정밀 검사와 입원 치료가 필요함.".to_owned(),
        ];
        self.document_record(&visit, REFERRAL, &lines);
        self.visit_close(visit);
    }

    /// The emergency room; returns when the patient left it.
    fn emergency_visit(
        &mut self,
        start: DateTime,
        place: &'static Institution,
        illness: &SevereIllness,
        admitted: bool,
    ) -> DateTime {
        let minutes = self.dice.between(18, 44) * 10;
        let plan = VisitPlan { start, minutes, class: "EMER", place, department: "24", label: None };
        let mut visit = self.visit_open(plan);
        let breathless = illness.complaint.code == "267036007";
        self.complaint_record(&visit, &illness.complaint);
        self.vitals_record(&visit, VitalSet::All, 4, illness.fever, breathless);
        self.diagnosis_record(&mut visit, &illness.diagnosis, false);
        if !illness.panels.is_empty() {
            self.laboratory_record(&visit, illness.panels, illness.fever);
        }
        self.imaging_record(&visit, illness.imaging);
        if illness.complaint.code == "29857009" {
            self.electrocardiogram_record(&visit, "ST 분절 상승");
        }
        if !admitted {
            if let Some(operation) = illness.operation {
                self.procedure_record(&visit, operation, (60, 90));
            }
            for medicine in illness.medicines {
                self.medicine_prescribe(&visit, medicine, 5);
            }
        }
        visit.discharge =
            Some(if admitted { ("other-hcf", "Other healthcare facility") } else { ("home", "Home") });
        let end = visit.end;
        self.visit_close(visit);
        end
    }

    fn hospital_stay(
        &mut self,
        start: DateTime,
        place: &'static Institution,
        illness: &SevereIllness,
        days: i64,
    ) {
        let department = illness.department;
        let plan = VisitPlan { start, minutes: days * DAY, class: "IMP", place, department, label: None };
        let mut visit = self.visit_open(plan);
        self.diagnosis_record(&mut visit, &illness.diagnosis, false);
        self.vitals_record(&visit, VitalSet::Growth, 30, false, false);
        for night in (0..days).step_by(2) {
            let ill = illness.fever && night < 2;
            self.vitals_record(&visit, VitalSet::All, night * DAY + 90, ill, ill);
        }
        if let Some(operation) = illness.operation {
            let id = self.procedure_record(&visit, operation, (200, 290));
            if illness.pathology.is_some() || operation.edi == "ZZ914" {
                self.anaesthesia_record(&visit, &id, (180, 310));
            }
        }
        if let Some(finding) = illness.pathology {
            self.pathology_record(&visit, finding);
        }
        for medicine in illness.medicines {
            self.medicine_prescribe(&visit, medicine, days.max(5));
        }
        visit.discharge = Some(("home", "Home"));
        let lines = [
            format!("입원 기간: {} ~ {}", visit.start.date(), visit.end.date()),
            format!("주호소: {}", illness.complaint.text),
            format!("최종 진단: {} {}", illness.diagnosis.code, illness.diagnosis.name),
            format!("시행한 수술·처치: {}", illness.operation.map_or("없음", |operation| operation.name)),
            format!("경과: {}", illness.story),
        ];
        self.document_record(&visit, DISCHARGE_SUMMARY, &lines);
        self.visit_close(visit);
    }

    /// The days before death, in a nursing hospital.
    fn last_stay(&mut self, death: Date) {
        let days = self.dice.between(6, 24);
        let admission = plus_days(death, -days - 1);
        if admission <= self.person.birth {
            return;
        }
        let want = if self.person.age_on(death) >= 65 { Want::NursingHospital } else { Want::Hospital("01") };
        let Some(place) = place_find(self.person.region, want, admission, self.person.loyalty) else {
            return;
        };
        let start = any_hour(admission, &mut self.dice);
        let plan =
            VisitPlan { start, minutes: days * DAY, class: "IMP", place, department: "01", label: None };
        let mut visit = self.visit_open(plan);
        self.complaint_record(&visit, &concept("84229001", "Fatigue", "기력이 없고 식사를 하지 못함"));
        self.diagnosis_record(&mut visit, &kcd("J18.9", "상세불명의 폐렴"), false);
        for night in (0..days).step_by(5) {
            self.vitals_record(&visit, VitalSet::All, night * DAY + 60, true, true);
        }
        self.laboratory_record(&visit, &[&lab::CBC, &lab::INFLAMMATION], true);
        self.medicine_prescribe(&visit, &drug::CEFTRIAXONE, days.min(14));
        visit.discharge = Some(("exp", "Expired"));
        self.visit_close(visit);
    }

    /// Someone brought in without papers: one night in the emergency room.
    pub(super) fn unidentified_course(&mut self) {
        let Some(day) = self.recent_day(2, 16) else { return };
        let Some(place) = place_find(self.person.region, Want::Hospital("24"), day, self.person.loyalty)
        else {
            return;
        };
        let start = any_hour(day, &mut self.dice);
        let plan = VisitPlan { start, minutes: 420, class: "EMER", place, department: "24", label: None };
        let mut visit = self.visit_open(plan);
        self.complaint_record(
            &visit,
            &concept("419284004", "Altered mental status", "의식이 흐린 채 길에서 발견됨"),
        );
        self.vitals_record(&visit, VitalSet::All, 5, false, false);
        self.vitals_record(&visit, VitalSet::All, 200, false, false);
        self.diagnosis_record(&mut visit, &kcd("R40.0", "졸림"), false);
        self.laboratory_record(&visit, &[&lab::CBC, &lab::KIDNEY, &lab::LIVER, &lab::DIABETES], false);
        self.imaging_record(&visit, &crate::tables::acute::HEAD_CT);
        self.electrocardiogram_record(&visit, "정상 동율동");
        self.visit_close(visit);
    }
}
