//! The smaller parts of a record: problems, procedures, immunisations, reports.

use std::collections::HashMap;

use ieum_fhir::json::Value;
use ieum_ui::{Lang, Tone, badge};
use maud::{Markup, html};

use super::concept::Concept;
use super::fields::{Moment, all, codes, latest_first, number, reference, text};
use super::tooth::Tooth;

const TOOTH: &str = "http://terminology.hl7.org/CodeSystem/ex-tooth";

/// A condition as one visit recorded it.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// What it is.
    pub(crate) concept: Concept,
    /// Whether it is what the patient came with, and not a diagnosis.
    pub(crate) is_complaint: bool,
    /// Whether it lasts.
    pub(crate) is_active: bool,
    /// When it was recorded, or began.
    pub(crate) at: Option<Moment>,
    /// The visit.
    pub(crate) visit: Option<String>,
    /// How sure it is.
    pub(crate) doubt: Doubt,
}

/// How sure a diagnosis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Confirmed, or nothing is said.
    None,
    /// Not confirmed.
    Unconfirmed,
    /// Held for now, while it is looked into.
    Provisional,
    /// One of several that may explain the findings.
    Differential,
}

impl Doubt {
    fn read(resource: Value<'_>) -> Self {
        let codes = codes(resource, "verificationStatus");
        let states = [
            ("unconfirmed", Self::Unconfirmed),
            ("provisional", Self::Provisional),
            ("differential", Self::Differential),
        ];
        let found = states.into_iter().find(|(code, _)| codes.iter().any(|other| other == code));
        found.map_or(Self::None, |(_, doubt)| doubt)
    }

    /// A word beside the diagnosis.
    pub(crate) fn mark(self, lang: Lang) -> Markup {
        match self {
            Self::None => html! {},
            Self::Unconfirmed => badge(Tone::Warning, lang.pick("미확인", "Unconfirmed")),
            Self::Provisional => badge(Tone::Warning, lang.pick("잠정 진단", "Provisional")),
            Self::Differential => badge(Tone::Warning, lang.pick("감별 진단", "Differential")),
        }
    }
}

impl Condition {
    /// Reads a Condition.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        let status = text(resource, &["clinicalStatus", "coding", "code"]).unwrap_or_default();
        let categories: Vec<Concept> = all(resource, "category").map(Concept::read).collect();
        Self {
            concept: Concept::at(resource, &["code"]).unwrap_or_default(),
            is_complaint: categories.iter().any(|category| category.any_code() == "주호소"),
            is_active: matches!(status.as_str(), "active" | "recurrence" | "relapse"),
            at: Moment::first(resource, &[&["recordedDate"], &["onsetDateTime"], &["onsetPeriod", "start"]]),
            visit: reference(resource, &["encounter"], "Encounter"),
            doubt: Doubt::read(resource),
        }
    }
}

/// A diagnosis over all the visits that recorded it.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// What it is.
    pub(crate) concept: Concept,
    /// Whether it lasts.
    pub(crate) is_active: bool,
    /// First recorded.
    pub(crate) first: Option<Moment>,
    /// Last recorded.
    pub(crate) last: Option<Moment>,
    /// How often.
    pub(crate) times: usize,
    /// How sure it is.
    pub(crate) doubt: Doubt,
}

/// Diagnoses, each once for each degree of certainty: those that last first, then the latest first.
pub(crate) fn problems(conditions: Vec<Condition>) -> Vec<Problem> {
    let mut places: HashMap<(String, u8), usize> = HashMap::new();
    let mut all: Vec<Problem> = Vec::new();
    for condition in conditions.into_iter().filter(|condition| !condition.is_complaint) {
        let doubt = condition.doubt;
        let place = *places.entry((condition.concept.key(), doubt as u8)).or_insert(all.len());
        if place == all.len() {
            let concept = condition.concept.clone();
            all.push(Problem { concept, is_active: false, first: None, last: None, times: 0, doubt });
        }
        let problem = &mut all[place];
        problem.times += 1;
        problem.is_active |= condition.is_active;
        let Some(at) = condition.at else { continue };
        if problem.first.as_ref().is_none_or(|first| at.micros() < first.micros()) {
            problem.first = Some(at.clone());
        }
        if problem.last.as_ref().is_none_or(|last| at.micros() > last.micros()) {
            problem.last = Some(at);
        }
    }
    all.sort_by_key(|problem| (!problem.is_active, latest_first(problem.last.as_ref())));
    all
}

/// An operation or treatment.
#[derive(Debug, Clone)]
pub(crate) struct Procedure {
    /// What was done.
    pub(crate) concept: Concept,
    /// Operation, treatment or anaesthesia.
    category: Option<Concept>,
    /// When.
    pub(crate) at: Option<Moment>,
    /// The tooth it was done on.
    pub(crate) tooth: Option<Tooth>,
    /// Where on the body, otherwise.
    pub(crate) site: Option<Concept>,
    /// The visit.
    pub(crate) visit: Option<String>,
    status: String,
}

impl Procedure {
    /// Reads a Procedure.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        let site = Concept::at(resource, &["bodySite"]);
        let tooth = site.as_ref().and_then(|site| site.code(TOOTH)).and_then(Tooth::from_code);
        Self {
            concept: Concept::at(resource, &["code"]).unwrap_or_default(),
            category: Concept::at(resource, &["category"]),
            at: Moment::first(resource, &[&["performedPeriod", "start"], &["performedDateTime"]]),
            site: site.filter(|_| tooth.is_none()),
            tooth,
            visit: reference(resource, &["encounter"], "Encounter"),
            status: text(resource, &["status"]).unwrap_or_default(),
        }
    }

    /// Whether it was done, or at least begun.
    pub(crate) fn is_done(&self) -> bool {
        !matches!(self.status.as_str(), "not-done" | "preparation" | "on-hold" | "unknown")
    }

    /// A word beside what was not simply done.
    pub(crate) fn mark(&self, lang: Lang) -> Markup {
        match self.status.as_str() {
            "not-done" => badge(Tone::Warning, lang.pick("시행하지 않음", "Not done")),
            "preparation" => badge(Tone::Information, lang.pick("준비 중", "In preparation")),
            "in-progress" => badge(Tone::Information, lang.pick("진행 중", "Under way")),
            "on-hold" => badge(Tone::Warning, lang.pick("보류", "On hold")),
            "stopped" => badge(Tone::Warning, lang.pick("중단", "Stopped")),
            "unknown" => badge(Tone::Warning, lang.pick("시행 여부 미상", "Not known whether done")),
            _ => html! {},
        }
    }

    /// Operation, treatment or anaesthesia, in words.
    pub(crate) fn category(&self, lang: Lang) -> Option<&str> {
        let category = self.category.as_ref()?;
        Some(match category.any_code() {
            "1" => lang.pick("수술", "Operation"),
            "2" => lang.pick("처치", "Treatment"),
            "3" => lang.pick("마취", "Anaesthesia"),
            _ => category.name(lang),
        })
    }
}

/// A dose of a vaccine.
#[derive(Debug, Clone)]
pub(crate) struct Dose {
    /// The vaccine.
    pub(crate) vaccine: Concept,
    /// When.
    pub(crate) at: Option<Moment>,
    /// Which dose of the series.
    pub(crate) number: Option<String>,
    /// Whether it was given.
    pub(crate) is_given: bool,
    /// Lot.
    pub(crate) lot: Option<String>,
    /// The visit.
    pub(crate) visit: Option<String>,
}

impl Dose {
    /// Reads an Immunization.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        let number =
            number(resource, &["protocolApplied", "doseNumberPositiveInt"]).map(|(digits, _)| digits);
        Self {
            vaccine: Concept::at(resource, &["vaccineCode"]).unwrap_or_default(),
            at: Moment::read(resource, &["occurrenceDateTime"]),
            number: number.or_else(|| text(resource, &["protocolApplied", "doseNumberString"])),
            is_given: text(resource, &["status"]).as_deref() == Some("completed"),
            lot: text(resource, &["lotNumber"]),
            visit: reference(resource, &["encounter"], "Encounter"),
        }
    }

    /// "2차" / "dose 2".
    pub(crate) fn number_words(&self, lang: Lang) -> Option<String> {
        self.number.as_ref().map(|number| lang.pick(format!("{number}차"), format!("dose {number}")))
    }
}

/// A report with a conclusion: imaging, pathology, function tests.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Of what.
    pub(crate) concept: Concept,
    /// When.
    pub(crate) at: Option<Moment>,
    /// What it says.
    pub(crate) conclusion: Option<String>,
    /// The study it is about.
    pub(crate) study: Option<String>,
    /// The visit.
    pub(crate) visit: Option<String>,
    status: String,
}

impl Report {
    /// Reads a DiagnosticReport.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        Self {
            concept: Concept::at(resource, &["code"]).unwrap_or_default(),
            at: Moment::first(
                resource,
                &[&["effectiveDateTime"], &["effectivePeriod", "start"], &["issued"]],
            ),
            conclusion: text(resource, &["conclusion"]),
            study: reference(resource, &["imagingStudy"], "ImagingStudy"),
            visit: reference(resource, &["encounter"], "Encounter"),
            status: text(resource, &["status"]).unwrap_or_default(),
        }
    }

    /// A word beside what may still change, or has.
    pub(crate) fn mark(&self, lang: Lang) -> Markup {
        match self.status.as_str() {
            "registered" | "partial" | "preliminary" => badge(Tone::Warning, preliminary(lang)),
            "amended" | "corrected" | "appended" => badge(Tone::Information, lang.pick("정정됨", "Amended")),
            "unknown" => badge(Tone::Warning, lang.pick("상태 미상", "State unknown")),
            _ => html! {},
        }
    }
}

/// What is not final yet.
pub(crate) fn preliminary(lang: Lang) -> &'static str {
    lang.pick("잠정", "Preliminary")
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    fn condition(code: &str, status: &str, day: &str, category: &str) -> Condition {
        let json = format!(
            r#"{{"clinicalStatus":{{"coding":[{{"code":"{status}"}}]}},"category":[{{"coding":[{{"code":"{category}"}}]}}],
            "code":{{"coding":[{{"system":"s","code":"{code}"}}]}},"recordedDate":"2026-01-{day}"}}"#
        );
        Condition::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn a_diagnosis_of_many_visits_is_one_problem() {
        let all = problems(vec![
            condition("J00", "resolved", "20", "진단"),
            condition("I10", "active", "01", "진단"),
            condition("I10", "active", "15", "진단"),
            condition("x", "inactive", "16", "주호소"),
        ]);
        let shown: Vec<_> = all
            .iter()
            .map(|problem| (problem.concept.any_code(), problem.is_active, problem.times))
            .collect();
        assert_eq!(shown, [("I10", true, 2), ("J00", false, 1)]);
        assert!(all.iter().all(|problem| problem.doubt == Doubt::None));
        assert_eq!(all[0].first.as_ref().unwrap().day(Lang::En), "2026-01-01");
        assert_eq!(all[0].last.as_ref().unwrap().day(Lang::En), "2026-01-15");
    }
}
