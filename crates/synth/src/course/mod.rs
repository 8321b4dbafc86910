//! What happens to a person: each file makes the visits of one kind.

mod acute;
mod chronic;
mod dental;
mod korean_medicine;
mod pregnancy;
mod prevention;
mod severe;

use jiff::civil::Date;

use crate::calendar::{office_hours, plus_days};
use crate::chart::{Chart, Label};
use crate::country::{Want, place_find};
use crate::dice::Dice;
use crate::person::{Naming, Person};
use crate::resource::{Scribe, VisitPlan};

/// Courses stop adding visits of their own accord when a chart holds so many resources.
const ENOUGH: usize = 150;

/// Lives through everything and returns the chart.
pub(crate) fn record(person: &Person, dice: Dice) -> Chart {
    let mut scribe = Scribe::new(person, dice);
    if matches!(person.naming, Naming::Unidentified) {
        scribe.unidentified_course();
    } else {
        scribe.allergies_record();
        scribe.children_vaccines_course();
        scribe.chronic_course();
        scribe.severe_course();
        scribe.pregnancy_course();
        scribe.checkup_course();
        scribe.acute_course();
        scribe.adult_vaccines_course();
        scribe.dental_course();
        scribe.korean_medicine_course();
    }
    scribe.patient_record();
    scribe.chart
}

impl Scribe<'_> {
    fn is_full(&self) -> bool {
        self.chart.len() >= ENOUGH
    }

    /// An outpatient visit on `day` or, if that is a Sunday, the day after; none outside the patient's life.
    fn clinic_plan(
        &mut self,
        want: Want,
        department: &'static str,
        day: Date,
        class: &'static str,
        label: Label,
    ) -> Option<VisitPlan> {
        let start = office_hours(day, &mut self.dice);
        let person = self.person;
        // The last day itself is left alone: someone may die in its first hour.
        if start.date() >= person.last_day() || start.date() < person.birth {
            return None;
        }
        let place = place_find(person.region, want, start.date(), person.loyalty)?;
        let minutes = self.dice.between(6, 12) * 5;
        Some(VisitPlan { start, minutes, class, place, department, label })
    }

    /// A day in the last `years` years of the record, at least at the age of `youngest`.
    fn recent_day(&mut self, years: i64, youngest: i64) -> Option<Date> {
        let last = self.person.last_day();
        let first = plus_days(self.person.birth, youngest * 366).max(plus_days(last, -years * 365));
        let span = i64::from(crate::calendar::days_between(first, last));
        (span > 3).then(|| plus_days(last, -self.dice.between(2, span)))
    }
}
