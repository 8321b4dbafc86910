//! Prescriptions, and what somebody takes at present.

use std::collections::HashMap;

use ieum_fhir::json::Value;
use ieum_ui::{Lang, Tone, badge};
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};

use super::concept::Concept;
use super::fields::{Moment, all, at, latest_first, number, reference, text};

const INGREDIENT: &str =
    "http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-medicationIngredient";

/// One prescription.
#[derive(Debug, Clone)]
pub(crate) struct Prescription {
    /// The medicine, when it is named here.
    pub(crate) medicine: Option<Concept>,
    /// The Medication record that names it.
    pub(crate) medication: Option<String>,
    /// Its ingredient.
    pub(crate) ingredient: Option<Concept>,
    status: String,
    intent: String,
    is_forbidden: bool,
    /// When it was written.
    pub(crate) written: Option<Moment>,
    /// How to take it.
    pub(crate) dose: Option<String>,
    /// For how many days.
    pub(crate) days: Option<i64>,
    /// The visit it was written in.
    pub(crate) visit: Option<String>,
}

impl Prescription {
    /// Reads a MedicationRequest.
    pub(crate) fn read(request: Value<'_>) -> Self {
        Self {
            medicine: Concept::at(request, &["medicationCodeableConcept"]),
            medication: reference(request, &["medicationReference"], "Medication"),
            ingredient: request.get("medicationCodeableConcept").and_then(ingredient),
            status: text(request, &["status"]).unwrap_or_default(),
            intent: text(request, &["intent"]).unwrap_or_default(),
            is_forbidden: at(request, &["doNotPerform"]).and_then(Value::boolean).unwrap_or(false),
            written: Moment::read(request, &["authoredOn"]),
            dose: text(request, &["dosageInstruction", "text"]),
            days: days(request),
            visit: reference(request, &["encounter"], "Encounter"),
        }
    }

    /// The last day it was prescribed for.
    pub(crate) fn last_day(&self) -> Option<Date> {
        let first = self.written.as_ref()?.date()?;
        first.checked_add((self.days? - 1).max(0).days()).ok()
    }

    /// What it means for today.
    pub(crate) fn standing(&self, today: Date) -> Standing {
        let is_open = matches!(self.status.as_str(), "active" | "on-hold");
        match self.lane() {
            Standing::Taken if self.status == "active" => {
                if self.last_day().is_none_or(|last| last >= today) {
                    Standing::Taken
                } else {
                    Standing::Past
                }
            }
            lane if lane != Standing::Taken && is_open => lane,
            _ => Standing::Past,
        }
    }

    /// Which prescriptions it belongs with, whether or not it is over.
    fn lane(&self) -> Standing {
        match self.intent.as_str() {
            _ if self.is_forbidden => Standing::Forbidden,
            "proposal" | "plan" | "option" => Standing::Proposed,
            _ if self.status == "on-hold" => Standing::OnHold,
            _ => Standing::Taken,
        }
    }

    /// A word beside what is not simply an order to take it.
    pub(crate) fn mark(&self, lang: Lang) -> Markup {
        html! {
            @if self.is_forbidden { (badge(Tone::Danger, lang.pick("쓰지 않을 것", "Do not use"))) }
            @match self.intent.as_str() {
                "proposal" | "option" => (badge(Tone::Warning, lang.pick("제안, 처방 아님", "Proposed, not ordered"))),
                "plan" => (badge(Tone::Warning, lang.pick("계획, 처방 아님", "Planned, not ordered"))),
                _ => {}
            }
            @match self.status.as_str() {
                "on-hold" => (badge(Tone::Warning, lang.pick("보류", "On hold"))),
                "stopped" => (badge(Tone::Warning, lang.pick("중단", "Stopped"))),
                "unknown" => (badge(Tone::Warning, lang.pick("상태 미상", "State unknown"))),
                _ => {}
            }
        }
    }

    /// Takes the medicine's name from the shared list.
    pub(crate) fn complete(&mut self, list: &HashMap<String, (Concept, Option<Concept>)>) {
        let Some((medicine, ingredient)) = self.medication.as_ref().and_then(|id| list.get(id)) else {
            return;
        };
        self.medicine.get_or_insert_with(|| medicine.clone());
        if self.ingredient.is_none() {
            self.ingredient.clone_from(ingredient);
        }
    }
}

/// Reads a Medication: name and first ingredient.
pub(crate) fn medication(resource: Value<'_>) -> (String, (Concept, Option<Concept>)) {
    let id = text(resource, &["id"]).unwrap_or_default();
    let name = Concept::at(resource, &["code"]).unwrap_or_default();
    (id, (name, Concept::at(resource, &["ingredient", "itemCodeableConcept"])))
}

fn ingredient(concept: Value<'_>) -> Option<Concept> {
    let extension = all(concept, "extension")
        .find(|extension| extension.get("url").and_then(Value::text).is_some_and(|url| url == INGREDIENT))?;
    let ingredient = Concept::at(extension, &["valueCodeableConcept"])?;
    // Herbal preparations say that ATC does not apply.
    (ingredient.any_code() != "not-applicable").then_some(ingredient)
}

fn days(request: Value<'_>) -> Option<i64> {
    let supply: &[&str] = &["dispenseRequest", "expectedSupplyDuration"];
    let (_, value) = number(request, &[supply, &["value"]].concat())?;
    let in_days = match text(request, &[supply, &["code"]].concat()).as_deref() {
        Some("d") | None => 1.0,
        Some("wk") => 7.0,
        Some("mo") => 30.0,
        Some("a") => 365.0,
        Some(_) => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "bounded on the line before")]
    (0.0..=36_500.0).contains(&(value * in_days)).then(|| (value * in_days).ceil() as i64)
}

/// What a prescription means for today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    /// Ordered, and not run out.
    Taken,
    /// Interrupted.
    OnHold,
    /// Not to be used.
    Forbidden,
    /// Proposed or planned, and not ordered.
    Proposed,
    /// Over.
    Past,
}

/// All prescriptions of one medicine, newest first.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// The prescriptions; at least one.
    pub(crate) prescriptions: Vec<Prescription>,
    /// What they mean for today.
    pub(crate) standing: Standing,
    /// The place of the newest that means it.
    lead: usize,
}

impl Course {
    /// The newest that its standing comes from.
    pub(crate) fn latest(&self) -> &Prescription {
        &self.prescriptions[self.lead]
    }

    /// How to take it: what every prescription says that its standing comes from. Two of different hospitals may differ.
    pub(crate) fn doses(&self, today: Date) -> Vec<&str> {
        let of = self.prescriptions.iter().filter(|one| one.standing(today) == self.standing);
        let of = if self.standing == Standing::Past { of.take(1).collect() } else { of.collect::<Vec<_>>() };
        let mut doses: Vec<&str> = Vec::new();
        for dose in of.into_iter().filter_map(|one| one.dose.as_deref()) {
            if !doses.contains(&dose) {
                doses.push(dose);
            }
        }
        doses
    }

    /// The oldest.
    pub(crate) fn first(&self) -> &Prescription {
        &self.prescriptions[self.prescriptions.len() - 1]
    }
}

/// Prescriptions by medicine, the newest first. What is taken and what is over belong to one course; what is on hold,
/// forbidden or only proposed is never mixed with them.
pub(crate) fn courses(prescriptions: Vec<Prescription>, today: Date) -> Vec<Course> {
    let mut places: HashMap<(String, Standing), usize> = HashMap::new();
    let mut all: Vec<Course> = Vec::new();
    for prescription in prescriptions {
        let named = prescription.medicine.as_ref().map(Concept::key);
        let key = named.or_else(|| prescription.medication.clone()).unwrap_or_default();
        let lane = prescription.lane();
        let place = *places.entry((key, lane)).or_insert(all.len());
        if place == all.len() {
            all.push(Course { prescriptions: Vec::new(), standing: lane, lead: 0 });
        }
        all[place].prescriptions.push(prescription);
    }
    for course in &mut all {
        course.prescriptions.sort_by_key(|prescription| latest_first(prescription.written.as_ref()));
        let mut standings = course.prescriptions.iter().map(|one| one.standing(today));
        course.standing = standings.clone().min().unwrap_or(Standing::Past);
        course.lead = standings.position(|standing| standing == course.standing).unwrap_or(0);
    }
    all.sort_by_key(|course| latest_first(course.latest().written.as_ref()));
    all
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};
    use jiff::civil::date;

    use super::*;

    fn prescription(name: &str, status: &str, on: &str, days: i64) -> Prescription {
        with(name, status, on, days, r#""intent":"order""#)
    }

    fn with(name: &str, status: &str, on: &str, days: i64, more: &str) -> Prescription {
        let json = format!(
            r#"{{{more},"status":"{status}","dosageInstruction":[{{"text":"{on}"}}],"authoredOn":"{on}","medicationCodeableConcept":{{"text":"{name}"}},
            "dispenseRequest":{{"expectedSupplyDuration":{{"value":{days},"code":"d"}}}}}}"#
        );
        Prescription::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn what_is_taken_is_active_and_not_run_out() {
        let today = date(2026, 11, 1);
        let all = vec![
            prescription("가", "completed", "2026-01-01", 30),
            prescription("가", "active", "2026-10-03", 30),
            prescription("나", "active", "2026-10-02", 30),
            prescription("라", "completed", "2026-10-31", 30),
        ];
        let all = courses(all, today);
        assert_eq!(names(&all, Standing::Taken), ["가"], "the last day counts, the day after does not");
        assert_eq!(names(&all, Standing::Past), ["라", "나"]);
        let taken = all.iter().find(|course| course.standing == Standing::Taken).unwrap();
        assert_eq!(taken.prescriptions.len(), 2);
        assert_eq!(taken.first().last_day(), Some(date(2026, 1, 30)));
    }

    fn names(all: &[Course], standing: Standing) -> Vec<String> {
        let of = all.iter().filter(|course| course.standing == standing);
        of.map(|course| course.latest().medicine.as_ref().unwrap().key()).collect()
    }

    #[test]
    fn what_is_not_ordered_or_interrupted_is_not_taken() {
        let on = "2026-10-31";
        let mut all = vec![prescription("나", "on-hold", on, 30), prescription("마", "unknown", on, 30)];
        for (name, more) in [
            ("가", r#""intent":"proposal""#),
            ("다", r#""intent":"order","doNotPerform":true"#),
            ("라", r#""intent":"plan""#),
            ("바", r#""intent":"instance-order","doNotPerform":false"#),
        ] {
            all.push(with(name, "active", on, 30, more));
        }
        let all = courses(all, date(2026, 11, 1));
        assert_eq!(names(&all, Standing::Taken), ["바"]);
        assert_eq!(names(&all, Standing::OnHold), ["나"]);
        assert_eq!(names(&all, Standing::Forbidden), ["다"]);
        assert_eq!(names(&all, Standing::Proposed), ["가", "라"]);
        assert_eq!(names(&all, Standing::Past), ["마"]);
    }

    #[test]
    fn what_is_taken_speaks_for_itself_and_not_for_its_neighbours() {
        let today = date(2026, 11, 1);
        let all = courses(
            vec![
                prescription("가", "stopped", "2026-10-31", 30),
                prescription("가", "active", "2026-10-20", 30),
                prescription("가", "active", "2026-10-25", 30),
                prescription("가", "on-hold", "2026-10-30", 30),
                with("가", "active", "2026-10-29", 30, r#""doNotPerform":true"#),
            ],
            today,
        );
        let of = |standing| all.iter().find(|course| course.standing == standing).unwrap().doses(today);
        assert_eq!(of(Standing::Taken), ["2026-10-25", "2026-10-20"], "not the newest, which was stopped");
        assert_eq!(of(Standing::OnHold), ["2026-10-30"]);
        assert_eq!(of(Standing::Forbidden), ["2026-10-29"]);
    }
}
