//! The vital signs of one visit. Of a stay with hundreds, the newest of each kind and how far they went.

use ieum_ui::chart::Reading;
use ieum_ui::{Kind, Tone, badge, format};
use maud::{Markup, html};

use super::super::room::{Part, Room};
use super::visits::Line;
use crate::portal::record::observation::{Observation, Series, series};

/// The line of a visit's vital signs; nothing when none were taken.
pub(super) fn vital_line<'o>(room: &Room<'_>, vitals: impl Iterator<Item = &'o Observation>) -> Option<Line> {
    let all = series(vitals.cloned().collect());
    if all.is_empty() {
        return None;
    }
    let out = all.iter().flat_map(|series| &series.items).filter(|item| item.verdict().is_out()).count();
    let some = room.say(format!("통상 범위를 벗어남 {out}건"), format!("{out} outside what is customary"));
    let is_one_set = all.iter().all(|series| series.items.len() == 1);
    let detail = if is_one_set { one_set(room, &all) } else { many(room, &all) };
    Some(Line {
        kind: Kind::Vital,
        title: room.say("활력징후", "Vital signs").to_owned(),
        href: Some(room.href(Part::Vitals)),
        detail,
        marks: html! { @if out > 0 { (badge(Tone::Danger, &some)) } },
    })
}

fn one_set(room: &Room<'_>, all: &[Series]) -> Markup {
    let lang = room.lang();
    html! {
        span .i-number {
            @for (index, series) in all.iter().enumerate() {
                @let one = series.latest();
                @if index > 0 { " · " }
                (one.name(lang)) " " (one.words(lang)) " " (one.verdict().badge(lang))
            }
        }
    }
}

/// A line for each kind: how often, the newest with its time, the lowest and the highest.
fn many(room: &Room<'_>, all: &[Series]) -> Markup {
    let lang = room.lang();
    html! {
        ul .i-plain-list {
            @for series in all {
                @let newest = series.latest();
                @let count = series.items.len();
                li {
                    (newest.name(lang)) " "
                    @if count > 1 { (room.say(format!("{count}회: 최근 "), format!("{count} times: latest "))) }
                    strong .i-number { (newest.words(lang)) } " " (newest.verdict().badge(lang))
                    @if let Some(when) = when(room, newest) { " " span .i-soft .i-small { "(" (when) ")" } }
                    @if let Some(extent) = extent(series) {
                        ", " span .i-number { (room.say("최저–최고 ", "lowest to highest ")) (extent) }
                    }
                }
            }
        }
    }
}

fn when(room: &Room<'_>, one: &Observation) -> Option<String> {
    let at = one.at.as_ref()?;
    let time = at.time(room.lang()).unwrap_or_default();
    Some(format!("{} {time}", at.short(room.lang())).trim_end().to_owned())
}

/// From the lowest to the highest; of blood pressure, of either part.
fn extent(series: &Series) -> Option<String> {
    if series.items.len() < 2 {
        return None;
    }
    let readings: Vec<Reading> = series.items.iter().filter_map(Observation::pressure).collect();
    if !readings.is_empty() {
        let of = |part: fn(&Reading) -> f64| ends(readings.iter().map(part), 0);
        return Some(format!("{} / {}", of(|one| one.systolic)?, of(|one| one.diastolic)?));
    }
    ends(series.points().iter().map(|point| point.value), series.places())
}

fn ends(values: impl Iterator<Item = f64> + Clone, places: usize) -> Option<String> {
    let low = values.clone().reduce(f64::min)?;
    let high = values.reduce(f64::max)?;
    Some(format!("{}–{}", format::decimal(low, places), format::decimal(high, places)))
}
