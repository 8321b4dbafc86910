//! Visits and stays.

use ieum_fhir::json::Value;
use ieum_ui::{Lang, Tone, badge, format};
use jiff::Timestamp;
use maud::{Markup, html};

use super::fields::{Moment, all, reference, text};

/// The parameter that leaves out what has not taken place: bookings, and what was called off.
pub(crate) const TOOK_PLACE: (&str, &str) = ("status:not", "planned,cancelled,entered-in-error");

/// One visit.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Logical id.
    pub(crate) id: String,
    class: String,
    /// When it began.
    pub(crate) start: Option<Moment>,
    /// When it ended.
    pub(crate) end: Option<Moment>,
    /// Department in words.
    pub(crate) department: Option<String>,
    /// The institution's record.
    pub(crate) institution: Option<String>,
    /// The institution's name, when the visit itself gives it.
    pub(crate) institution_name: Option<String>,
    /// The practitioner's record.
    pub(crate) doctor: Option<String>,
    /// The patient's record.
    pub(crate) patient: Option<String>,
    /// Why, when the visit itself says so.
    pub(crate) reason: Option<String>,
    status: String,
}

impl Visit {
    /// Reads an Encounter.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        Self {
            id: text(resource, &["id"]).unwrap_or_default(),
            class: text(resource, &["class", "code"]).unwrap_or_default(),
            start: Moment::read(resource, &["period", "start"]),
            end: Moment::read(resource, &["period", "end"]),
            department: text(resource, &["serviceType", "text"])
                .or_else(|| text(resource, &["serviceType", "coding", "display"])),
            institution: reference(resource, &["serviceProvider"], "Organization"),
            institution_name: text(resource, &["serviceProvider", "display"]),
            doctor: all(resource, "participant")
                .find_map(|participant| reference(participant, &["individual"], "Practitioner")),
            patient: reference(resource, &["subject"], "Patient"),
            reason: text(resource, &["reasonCode", "text"])
                .or_else(|| text(resource, &["reasonCode", "coding", "display"])),
            status: text(resource, &["status"]).unwrap_or_default(),
        }
    }

    /// A word beside a visit that may not be one.
    pub(crate) fn mark(&self, now: Timestamp, lang: Lang) -> Markup {
        let is_ahead = self.start.as_ref().is_some_and(|start| start.instant() > now);
        html! {
            @if self.status == "unknown" { (badge(Tone::Warning, lang.pick("상태 미상", "State unknown"))) }
            @if is_ahead { (badge(Tone::Warning, lang.pick("날짜가 앞으로임", "Dated ahead"))) }
        }
    }

    /// The kind of visit in words.
    pub(crate) fn kind(&self, lang: Lang) -> &'static str {
        match self.class.as_str() {
            "AMB" => lang.pick("외래", "Outpatient"),
            "IMP" | "ACUTE" | "NONAC" => lang.pick("입원", "Inpatient stay"),
            "EMER" => lang.pick("응급", "Emergency"),
            "HH" => lang.pick("방문", "Home visit"),
            "VR" => lang.pick("비대면", "Remote visit"),
            "SS" | "OBSENC" => lang.pick("관찰", "Observation"),
            _ => lang.pick("진료", "Visit"),
        }
    }

    /// How long it took: nights of a stay, until now when it is under way.
    pub(crate) fn length(&self, lang: Lang) -> Option<String> {
        if matches!(self.status.as_str(), "in-progress" | "arrived" | "triaged" | "onleave") {
            return Some(lang.pick("진행 중", "under way").to_owned());
        }
        let (start, end) = (self.start.as_ref()?.date()?, self.end.as_ref()?.date()?);
        let nights = start.until(end).ok()?.get_days();
        let until = format::date(end, lang);
        (nights > 0).then(|| {
            lang.pick(format!("{nights}박, {until} 퇴원"), format!("{nights} nights, until {until}"))
        })
    }
}
