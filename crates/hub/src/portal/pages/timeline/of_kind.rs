//! Everything of one kind, by day, whether or not it belongs to a visit.

use std::collections::HashMap;

use ieum_fhir::json::Value;
use ieum_trust::door::Page;
use ieum_ui::{Entry, Group, Kind, Tone, badge, timeline};
use maud::html;

use super::super::left_out::LeftOut;
use super::super::results::test_href;
use super::super::room::{Part, Room};
use super::{Stretch, place};
use crate::portal::call::Refusal;
use crate::portal::record::fields::Moment;
use crate::portal::record::items::{Condition, Dose, Procedure, preliminary};
use crate::portal::record::load::{self, Names};
use crate::portal::record::medicine::Prescription;
use crate::portal::record::observation::Observation;
use crate::portal::record::paper::{Paper, Study};
use crate::portal::record::visit::Visit;

/// Records on one page.
const RECORDS: usize = 50;

/// One record as a line.
struct Item {
    at: Option<Moment>,
    visit: Option<String>,
    title: String,
    href: Option<String>,
    detail: String,
    marks: maud::Markup,
}

/// One page of records of a kind.
pub(super) fn stretch(room: &Room<'_>, kind: Kind, token: Option<&str>) -> Result<Stretch, Refusal> {
    let Read { page, items, withdrawn } = items(room, kind, token)?;
    let mut left_out = LeftOut::default();
    left_out.withdrawn(withdrawn);
    let places = places(room, &items)?;
    let lang = room.lang();
    let day = |item: &Item| item.at.as_ref().and_then(Moment::date);
    let groups: Vec<Group<'_>> = items
        .chunk_by(|one, other| day(one) == day(other) && one.visit == other.visit)
        .map(|of_day| {
            let at = of_day.first().and_then(|item| item.at.as_ref());
            let visit = of_day.first().and_then(|item| item.visit.as_ref());
            let entries = of_day.iter().map(|item| Entry {
                kind,
                title: &item.title,
                href: item.href.as_deref(),
                time: item.at.as_ref().and_then(|at| at.time(lang)),
                detail: if item.detail.is_empty() {
                    html! {}
                } else {
                    html! { (item.detail) }
                },
                marks: item.marks.clone(),
            });
            Group {
                day: at.map(|at| at.day(lang)),
                machine_day: at.and_then(Moment::date).map(|date| date.to_string()),
                place: visit.and_then(|visit| places.get(visit)).map(String::as_str),
                entries: entries.collect(),
            }
        })
        .collect();
    let content = html! {
        (left_out.notice(lang))
        section .i-section { h2 { (kind.word().get(lang)) } (timeline(&groups, lang)) }
    };
    Ok(Stretch { content, previous: page.previous, next: page.next })
}

/// Where the visits of these records were: two searches for all of them.
fn places(room: &Room<'_>, items: &[Item]) -> Result<HashMap<String, String>, Refusal> {
    let mut ids: Vec<&str> = items.iter().filter_map(|item| item.visit.as_deref()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = ids.join(",");
    let pairs = room.of_person(&[("_id", &ids)]);
    let visits = load::records(room.call, &room.view, "Encounter", &pairs, RECORDS, Visit::read)?.items;
    let institutions = visits.iter().filter_map(|visit| visit.institution.clone());
    let names: Names = load::names(room.call, &room.view, institutions, [])?;
    Ok(visits.into_iter().map(|visit| (visit.id.clone(), place(&visit, &names))).collect())
}

/// One page of records, and how many of it do not count.
struct Read {
    page: Page,
    items: Vec<Item>,
    withdrawn: usize,
}

fn items(room: &Room<'_>, kind: Kind, token: Option<&str>) -> Result<Read, Refusal> {
    let ask = |resource: &str, more: &[(&str, &str)]| {
        load::search(room.call, &room.view, resource, &room.of_person(more), token, RECORDS)
    };
    fn read(page: Page, work: impl Fn(Value<'_>) -> Item) -> Read {
        let (items, withdrawn) = load::counting(&page, work);
        Read { page, items, withdrawn }
    }
    Ok(match kind {
        Kind::Problem => {
            read(ask("Condition", &[("_sort", "-recorded-date")])?, |value| problem(room, value))
        }
        Kind::Medicine => medicines(room, ask("MedicationRequest", &[("_sort", "-authoredon")])?)?,
        Kind::Procedure => read(ask("Procedure", &[("_sort", "-date")])?, |value| procedure(room, value)),
        Kind::Immunisation => read(ask("Immunization", &[("_sort", "-date")])?, |value| dose(room, value)),
        Kind::Document => read(ask("DocumentReference", &[("_sort", "-date")])?, |value| paper(room, value)),
        Kind::Image => read(ask("ImagingStudy", &[("_sort", "-started")])?, |value| study(room, value)),
        _ => {
            let pairs = [("category:not", "vital-signs"), ("_sort", "-date")];
            read(ask("Observation", &pairs)?, |value| result(room, value))
        }
    })
}

fn problem(room: &Room<'_>, value: Value<'_>) -> Item {
    let condition = Condition::read(value);
    let marks = html! {
        @if let Some(code) = condition.concept.kcd() { span .i-code-mark { (code) } }
        (condition.doubt.mark(room.lang()))
        @if condition.is_complaint { (badge(Tone::Neutral, room.say("주호소", "Complaint"))) }
        @if condition.is_active { (badge(Tone::Primary, room.say("지속", "Lasting"))) }
    };
    let title = condition.concept.name(room.lang()).to_owned();
    Item { at: condition.at, visit: condition.visit, title, href: None, detail: String::new(), marks }
}

fn medicines(room: &Room<'_>, page: Page) -> Result<Read, Refusal> {
    let (mut prescriptions, withdrawn) = load::counting(&page, Prescription::read);
    load::complete(room.call, &room.view, &mut prescriptions)?;
    let items = prescriptions.into_iter().map(|one| Item {
        title: one.medicine.as_ref().map_or("–", |medicine| medicine.name(room.lang())).to_owned(),
        href: None,
        marks: one.mark(room.lang()),
        detail: one.dose.unwrap_or_default(),
        at: one.written,
        visit: one.visit,
    });
    let items = items.collect();
    Ok(Read { page, items, withdrawn })
}

fn result(room: &Room<'_>, value: Value<'_>) -> Item {
    let lang = room.lang();
    let one = Observation::read(value, room.born());
    let range = one.range.text();
    let range =
        range.map(|range| room.say(format!(" (참고범위 {range})"), format!(" (reference range {range})")));
    Item {
        title: one.name(lang).to_owned(),
        href: test_href(room, &one),
        detail: format!("{}{}", one.words(lang), range.unwrap_or_default()),
        marks: html! {
            (one.verdict().badge(lang))
            @if one.is_preliminary { (badge(Tone::Warning, preliminary(lang))) }
        },
        at: one.at,
        visit: one.visit,
    }
}

fn procedure(room: &Room<'_>, value: Value<'_>) -> Item {
    let lang = room.lang();
    let one = Procedure::read(value);
    let tooth = one.tooth.map(|tooth| format!("{} {}", tooth.code(), tooth.name(lang)));
    Item {
        title: one.concept.name(lang).to_owned(),
        href: None,
        detail: [one.category(lang).map(str::to_owned), tooth]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · "),
        marks: one.mark(lang),
        at: one.at,
        visit: one.visit,
    }
}

fn dose(room: &Room<'_>, value: Value<'_>) -> Item {
    let lang = room.lang();
    let one = Dose::read(value);
    let marks = html! { @if !one.is_given { (badge(Tone::Warning, room.say("접종 안 함", "Not given"))) } };
    let detail = one.number_words(lang).unwrap_or_default();
    Item { title: one.vaccine.name(lang).to_owned(), href: None, detail, marks, at: one.at, visit: one.visit }
}

fn paper(room: &Room<'_>, value: Value<'_>) -> Item {
    let one = Paper::read(value);
    let href = Some(format!("{}/{}", room.href(Part::Documents), one.id));
    let title = one.concept.name(room.lang()).to_owned();
    let marks = one.mark(room.lang());
    Item { title, href, detail: String::new(), marks, at: one.at, visit: one.visit }
}

fn study(room: &Room<'_>, value: Value<'_>) -> Item {
    let one = Study::read(value);
    let marks = one.mark(room.lang());
    let title = one.description.unwrap_or_else(|| room.say("영상 검사", "Imaging study").to_owned());
    let detail = one.modalities.join(", ");
    Item { title, href: None, detail, marks, at: one.at, visit: one.visit }
}
