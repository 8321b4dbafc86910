//! Vital signs: a chart for each.

use ieum_ui::chart::{LineChart, PressureChart, Reading, Size, Verdict};
use ieum_ui::{Grid, Message, Tone, badge, card_plain, empty, grid};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::fields::Moment;
use crate::portal::record::items::preliminary;
use crate::portal::record::load;
use crate::portal::record::observation::{Observation, Series, series};
use crate::portal::record::usual;

/// `/patients/{id}/vitals`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/vitals`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let lang = room.lang();
    let mut left_out = LeftOut::default();
    let found = room.measurements(&[("category", "vital-signs"), ("_sort", "-date")], load::MEASUREMENTS)?;
    let all = series(left_out.take(Part::Vitals.word(lang), found));
    let charts: Vec<Markup> =
        all.iter().enumerate().map(|(index, series)| card_plain(measured(room, index, series))).collect();
    let content = html! {
        (left_out.notice(lang))
        @if room.own {
            (Message {
                tone: Tone::Information,
                title: room.say("진료실에서 잰 값입니다.", "Measured at your visits."),
                body: html! { p { (room.say(
                    "혈압은 긴장하거나 움직인 뒤에 높게 나올 수 있습니다. 집에서 잰 값을 적어 두었다가 진료 때 보여 주세요.",
                    "Blood pressure can be high after moving or when tense. Note what you measure at home and show it at your visit.",
                )) } },
            }.html(lang))
        }
        @if charts.is_empty() { (empty(room.say("활력징후 기록이 없습니다.", "No vital signs recorded."))) }
        @if !charts.is_empty() { p .i-small .i-soft { (usual::words(lang)) } }
        (grid(Grid::Charts, charts))
    };
    Ok(room.page(Part::Vitals, &content))
}

/// The newest value with its mark, and the course.
fn measured(room: &Room<'_>, index: usize, series: &Series) -> Markup {
    let lang = room.lang();
    let id = format!("vital-{index}");
    let latest = series.latest();
    let notes = series.unplotted(lang);
    let readings: Vec<Reading> = series.items.iter().filter_map(Observation::pressure).collect();
    let points = series.points();
    html! {
        @if !readings.is_empty() {
            @let day = latest.at.as_ref().and_then(Moment::date);
            @let is_grown = room.born().zip(day).is_some_and(usual::is_grown);
            @let limits = is_grown.then_some(usual::HIGH_PRESSURE);
            @let verdict = series.items.iter().find(|item| item.pressure().is_some()).map_or(Verdict::Unknown, Observation::verdict);
            (PressureChart { id: &id, readings: &readings, limits, size: Size::CARD, verdict, notes: &notes }.html(lang))
        } @else if !points.is_empty() {
            (LineChart {
                title: latest.name(lang), id: &id, unit: &series.unit(lang), points: &points, span: series.span(),
                size: Size::CARD, places: series.places(), notes: &notes,
            }.html(lang))
        } @else {
            h2 .i-card__title { (latest.name(lang)) }
            p { (latest.words(lang)) " " (latest.verdict().badge(lang))
                @if let Some(at) = &latest.at { " " span .i-soft .i-small { (at.day(lang)) } } }
        }
        @if latest.is_preliminary { p { (badge(Tone::Warning, preliminary(lang))) } }
    }
}
