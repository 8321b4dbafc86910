//! Prescriptions, and what somebody takes at present.

use std::collections::HashMap;

use ieum_fhir::json::Value;
use jiff::ToSpan;
use jiff::civil::Date;

use super::concept::Concept;
use super::fields::{Moment, all, latest_first, number, reference, text};

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

    /// Whether it is taken at present: active, and not run out.
    pub(crate) fn is_current(&self, today: Date) -> bool {
        matches!(self.status.as_str(), "active" | "on-hold")
            && self.last_day().is_none_or(|last| last >= today)
    }

    /// Whether it was ever meant to be taken.
    pub(crate) fn is_valid(&self) -> bool {
        !matches!(self.status.as_str(), "entered-in-error" | "draft" | "cancelled")
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

/// All prescriptions of one medicine, newest first.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// The prescriptions; at least one.
    pub(crate) prescriptions: Vec<Prescription>,
}

impl Course {
    /// The newest.
    pub(crate) fn latest(&self) -> &Prescription {
        &self.prescriptions[0]
    }

    /// The oldest.
    pub(crate) fn first(&self) -> &Prescription {
        &self.prescriptions[self.prescriptions.len() - 1]
    }
}

/// Prescriptions by medicine: what is taken at present, and what was taken before.
pub(crate) fn courses(prescriptions: Vec<Prescription>, today: Date) -> (Vec<Course>, Vec<Course>) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<Course> = Vec::new();
    for prescription in prescriptions.into_iter().filter(Prescription::is_valid) {
        let named = prescription.medicine.as_ref().map(Concept::key);
        let key = named.or_else(|| prescription.medication.clone()).unwrap_or_default();
        let place = *places.entry(key).or_insert(all.len());
        if place == all.len() {
            all.push(Course { prescriptions: Vec::new() });
        }
        all[place].prescriptions.push(prescription);
    }
    for course in &mut all {
        course.prescriptions.sort_by_key(|prescription| latest_first(prescription.written.as_ref()));
    }
    all.sort_by_key(|course| latest_first(course.latest().written.as_ref()));
    all.into_iter().partition(|course| course.prescriptions.iter().any(|one| one.is_current(today)))
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};
    use jiff::civil::date;

    use super::*;

    fn prescription(name: &str, status: &str, on: &str, days: i64) -> Prescription {
        let json = format!(
            r#"{{"status":"{status}","authoredOn":"{on}","medicationCodeableConcept":{{"text":"{name}"}},
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
            prescription("다", "entered-in-error", "2026-10-31", 30),
            prescription("라", "completed", "2026-10-31", 30),
        ];
        let (current, past) = courses(all, today);
        let names = |courses: &[Course]| -> Vec<String> {
            courses.iter().map(|course| course.latest().medicine.as_ref().unwrap().key()).collect()
        };
        assert_eq!(names(&current), ["가"], "the last day counts, the day after does not");
        assert_eq!(names(&past), ["라", "나"]);
        assert_eq!(current[0].prescriptions.len(), 2);
        assert_eq!(current[0].first().last_day(), Some(date(2026, 1, 30)));
    }
}
