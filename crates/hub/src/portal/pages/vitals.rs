//! Vital signs: a chart for each.

use ieum_ui::chart::{LineChart, PressureChart, Reading, Size};
use ieum_ui::{Grid, Message, Tone, card_plain, empty, grid};
use maud::{Markup, html};

use super::cut_notice;
use super::room::{Part, Room};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::load;
use crate::portal::record::observation::{Observation, Series, plain_unit, series};

/// Limits drawn into the chart of blood pressure, as the Korean Society of Hypertension draws them at the doctor's.
const LIMITS: (f64, f64) = (140.0, 90.0);

/// `/patients/{id}/vitals`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/vitals`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let pairs = room.of_person(&[("category", "vital-signs"), ("_sort", "-date")]);
    let found =
        load::records(room.call, &room.view, "Observation", &pairs, load::MEASUREMENTS, Observation::read)?;
    let all = series(found.items);
    let lang = room.lang();
    let charts: Vec<Markup> = all
        .iter()
        .enumerate()
        .filter_map(|(index, series)| chart(room, index, series))
        .map(card_plain)
        .collect();
    let content = html! {
        (cut_notice(found.is_cut, load::MEASUREMENTS, lang))
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
        (grid(Grid::Charts, charts))
    };
    room.page(Part::Vitals, &content)
}

fn chart(room: &Room<'_>, index: usize, series: &Series) -> Option<Markup> {
    let lang = room.lang();
    let id = format!("vital-{index}");
    let latest = series.latest();
    let readings: Vec<Reading> = series.items.iter().filter_map(Observation::pressure).collect();
    if !readings.is_empty() {
        let limits = Some(LIMITS);
        return Some(PressureChart { id: &id, readings: &readings, limits, size: Size::CARD }.html(lang));
    }
    let (_, unit) = latest.value.number()?;
    let unit = plain_unit(unit, lang);
    let (title, points, range) = (latest.name(lang), series.points(), latest.range);
    let places = series.places();
    Some(
        LineChart { title, id: &id, unit: &unit, points: &points, range, size: Size::CARD, places }
            .html(lang),
    )
}
