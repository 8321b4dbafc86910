//! The visits and what happened in them, newest first; or everything of one kind.

use ieum_ui::{Kind, pagination, tab_links};
use maud::{Markup, html};

use super::room::{Part, Room};
use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::fields::Moment;
use crate::portal::record::load::{self, Names};
use crate::portal::record::visit::Visit;

mod contents;
mod of_kind;
mod visits;
mod vitals;

/// The kinds that can be looked at alone, in the order of the links.
const KINDS: [Kind; 7] = [
    Kind::Problem,
    Kind::Medicine,
    Kind::Result,
    Kind::Procedure,
    Kind::Immunisation,
    Kind::Document,
    Kind::Image,
];

/// Bookings read.
const BOOKED: usize = 50;

/// A part of the timeline: what is shown, and where the parts before and after are.
struct Stretch {
    content: Markup,
    previous: Option<String>,
    next: Option<String>,
}

/// `/patients/{id}/visits`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/visits`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let kind = room.call.some("kind").and_then(Kind::from_slug).filter(|kind| KINDS.contains(kind));
    let token = room.call.some("page");
    let stretch = match kind {
        None => visits::stretch(room, token)?,
        Some(kind) => of_kind::stretch(room, kind, token)?,
    };
    let address = |token: &String| {
        let kind = kind.map(|kind| ("kind", kind.slug()));
        with_pairs(&room.href(Part::Visits), kind.into_iter().chain([("page", token.as_str())]))
    };
    let (previous, next) = (stretch.previous.as_ref().map(address), stretch.next.as_ref().map(address));
    let content = html! {
        (filters(room, kind))
        (stretch.content)
        (pagination(previous.as_deref(), next.as_deref(), room.lang()))
    };
    Ok(room.page(Part::Visits, &content))
}

/// Links, so that a filter needs no script and has an address.
fn filters(room: &Room<'_>, chosen: Option<Kind>) -> Markup {
    let lang = room.lang();
    let base = room.href(Part::Visits);
    let mut links = vec![(room.say("모든 진료", "All visits"), base.clone(), chosen.is_none())];
    for kind in KINDS {
        links.push((kind.word().get(lang), with_pairs(&base, [("kind", kind.slug())]), chosen == Some(kind)));
    }
    let links: Vec<(&str, &str, bool)> =
        links.iter().map(|(word, href, current)| (*word, href.as_str(), *current)).collect();
    html! { div .i-filters { (tab_links(room.say("종류로 거르기", "Filter by kind"), &links)) } }
}

/// What is booked.
pub(super) struct Booked {
    /// From today on, the next first; then those without a day.
    pub(super) ahead: Vec<Visit>,
    /// How many were booked for a day that is over, and nothing says that they took place.
    missed: usize,
}

/// Visits that are booked: they are no visits yet.
pub(super) fn booked(room: &Room<'_>) -> Result<Booked, Refusal> {
    let today = room.call.today();
    let pairs = room.of_person(&[("_sort", "-date"), ("status", "planned")]);
    let all = load::records(room.call, &room.view, "Encounter", &pairs, BOOKED, Visit::read)?.items;
    let is_over = |visit: &Visit| visit.start.as_ref().and_then(Moment::date).is_some_and(|day| day < today);
    let (missed, mut ahead): (Vec<_>, Vec<_>) = all.into_iter().partition(is_over);
    ahead.sort_by_key(|visit| visit.start.as_ref().map_or(i64::MAX, Moment::micros));
    Ok(Booked { ahead, missed: missed.len() })
}

/// Where a visit was: institution and department.
pub(super) fn place(visit: &Visit, names: &Names) -> String {
    let institution = names.get(visit.institution.as_ref()).or(visit.institution_name.as_deref());
    let parts = [institution, visit.department.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
