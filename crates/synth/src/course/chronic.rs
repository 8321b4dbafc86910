//! Regular visits for long diseases: one doctor for all diseases of a department, values that move over years.

use jiff::civil::{Date, date};

use crate::calendar::{plus_days, years_between};
use crate::country::Want;
use crate::person::Illness;
use crate::resource::{Scribe, VitalSet};
use crate::tables::chronic::{Chronic, LongDisease};
use crate::tables::laboratory::Panel;

impl Scribe<'_> {
    /// Visits for all long diseases, department by department.
    pub(super) fn chronic_course(&mut self) {
        let person = self.person;
        let mut seen: Vec<&str> = Vec::new();
        for illness in &person.illnesses {
            let department = illness.disease.department;
            if seen.contains(&department) || (self.is_full() && !seen.is_empty()) {
                continue;
            }
            seen.push(department);
            let group: Vec<&Illness> =
                person.illnesses.iter().filter(|other| other.disease.department == department).collect();
            self.department_course(department, &group);
        }
    }

    /// A series of visits up to the present (or to death), at the interval the disease asks for.
    fn department_course(&mut self, department: &'static str, group: &[&Illness]) {
        let interval = group.iter().map(|illness| illness.disease.interval).min().unwrap_or(90);
        let since = group.iter().map(|illness| illness.since).min().unwrap_or(self.person.birth);
        let most = (20 / (group.len() as i64 + 2)).clamp(3, 6);
        // Long intervals show how values move over years: every second visit, sometimes, was elsewhere.
        let step = if self.dice.permille(400) { interval * 2 } else { interval };
        let mut days = Vec::new();
        let mut day = plus_days(self.person.last_day(), -self.dice.between(2, interval));
        while day > since && (days.len() as i64) < most {
            days.push(day);
            day = plus_days(day, -step - self.dice.between(-8, 12));
        }
        if (days.len() as i64) < most {
            days.push(since);
        }
        days.reverse();
        for (at, day) in days.iter().enumerate() {
            self.chronic_visit(department, group, *day, at);
        }
    }

    fn chronic_visit(&mut self, department: &'static str, group: &[&Illness], day: Date, at: usize) {
        let present: Vec<&Illness> = group.iter().filter(|illness| illness.since <= day).copied().collect();
        let Some(first) = present.first() else { return };
        let label = present.iter().find_map(|illness| illness.disease.sensitivity);
        let (want, class) = self.chronic_setting(department, day, at);
        let Some(plan) = self.clinic_plan(want, department, day, class, label) else { return };
        let mut visit = self.visit_open(plan);
        if at == 0 {
            self.complaint_record(&visit, &first.disease.complaint);
        }
        if class != "VR" && !matches!(department, "03" | "13" | "14") {
            self.vitals_record(&visit, VitalSet::Circulation, 3, false, false);
            if at.is_multiple_of(3) {
                self.vitals_record(&visit, VitalSet::Growth, 2, false, false);
            }
        }
        let refill = present[0].disease.interval.min(91);
        for illness in &present {
            let disease = illness.disease;
            self.diagnosis_record(&mut visit, &disease.diagnosis, true);
            let years = years_between(illness.since, day);
            self.treatment_prescribe(&visit, disease, years, refill);
        }
        if class != "VR" && at.is_multiple_of(3) {
            let mut panels: Vec<&'static Panel> = Vec::new();
            for panel in present.iter().flat_map(|illness| illness.disease.panels) {
                if !panels.iter().any(|known| known.loinc == panel.loinc) {
                    panels.push(panel);
                }
            }
            self.laboratory_record(&visit, &panels, false);
            self.function_tests(&visit, &present);
        }
        self.visit_close(visit);
    }

    /// Mostly the clinic; on islands sometimes by video or with a nurse at home.
    fn chronic_setting(&mut self, department: &'static str, day: Date, at: usize) -> (Want, &'static str) {
        let remote = crate::tables::regions::REGIONS[self.person.region].remote;
        let internal = department == "01";
        let by_video = if remote { 160 } else { 25 };
        if at > 0 && day >= date(2023, 6, 1) && self.dice.permille(by_video) {
            (Want::Clinic(department), "VR")
        } else if remote && internal && self.person.age_on(day) >= 75 && self.dice.permille(200) {
            (Want::HomeNurse, "HH")
        } else if self.person.loyalty.is_multiple_of(6) {
            (Want::Hospital(department), "AMB")
        } else {
            (Want::Clinic(department), "AMB")
        }
    }

    /// The steps of treatment reached after `years`; later steps depend on the person.
    fn treatment_prescribe(
        &mut self,
        visit: &crate::resource::Visit,
        disease: &LongDisease,
        years: f64,
        days: i64,
    ) {
        for (step, medicines) in disease.steps.iter().enumerate() {
            let needed = step == 0 || (self.person.loyalty >> step) & 1 == 1;
            if needed && years >= 1.5 * step as f64 {
                for medicine in *medicines {
                    self.medicine_prescribe(visit, medicine, days);
                }
            }
        }
    }

    fn function_tests(&mut self, visit: &crate::resource::Visit, present: &[&Illness]) {
        let has = |kind| present.iter().any(|illness| illness.disease.kind == kind);
        if has(Chronic::AtrialFibrillation) {
            self.electrocardiogram_record(visit, "심방세동 리듬");
        } else if has(Chronic::Hypertension) && self.dice.permille(250) {
            self.electrocardiogram_record(visit, "정상 동율동");
        }
        if has(Chronic::Copd) || has(Chronic::Asthma) {
            self.spirometry_record(visit, has(Chronic::Copd));
        }
    }
}
