//! One test over time.

use ieum_ui::chart::{LineChart, Size};
use ieum_ui::{Message, Table, Tone, badge, card_plain, section};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use super::{column_keep, explain};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::items::preliminary;
use crate::portal::record::load::{self, escaped};
use crate::portal::record::observation::{Observation, Series, series};

/// `/patients/{id}/results/{code}`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/results/{code}`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let (code, system) = (escaped(room.call.place.last()), escaped(room.call.value("system")));
    let code = if system.is_empty() { code } else { format!("{system}|{code}") };
    let mut left_out = LeftOut::default();
    let found = room.measurements(&[("code", &code), ("_sort", "-date")], load::MEASUREMENTS)?;
    let all = series(left_out.take(Part::Results.word(room.lang()), found));
    let Some(series) = all.first() else { return Err(Refusal::NotFound) };
    let lang = room.lang();
    let latest = series.latest();
    let content = html! {
        (left_out.notice(lang))
        @if room.own { (about(room, latest)) }
        @if !series.points().is_empty() { (charts(room, series)) }
        (section(room.say("모든 결과", "All results"), table(room, series)))
    };
    Ok(room.page_below(Part::Results, Some(latest.name(lang)), &content))
}

fn about(room: &Room<'_>, latest: &Observation) -> Markup {
    let lang = room.lang();
    let title = latest.concept.code("http://loinc.org").and_then(|code| explain::test(code, lang));
    let title = title.unwrap_or(
        room.say("이 검사에 대해서는 진료한 의사에게 물어보세요.", "Ask your doctor about this test."),
    );
    Message { tone: Tone::Information, title, body: html! { p { (explain::range(lang)) } } }.html(lang)
}

/// The chart twice: one drawing cannot be read at both a desk and a telephone. Only one is ever seen or heard.
fn charts(room: &Room<'_>, series: &Series) -> Markup {
    let latest = series.latest();
    let lang = room.lang();
    let (unit, points, notes) = (series.unit(lang), series.points(), series.unplotted(lang));
    let chart = |id, size| {
        let (title, span, places) = (latest.name(lang), series.span(), series.places());
        LineChart { title, id, unit: &unit, points: &points, span, size, places, notes: &notes }.html(lang)
    };
    html! {
        div .i-at-desk { (card_plain(chart("chart-wide", Size::WIDE))) }
        div .i-at-hand { (card_plain(chart("chart-card", Size::CARD))) }
    }
}

fn table(room: &Room<'_>, series: &Series) -> Markup {
    let lang = room.lang();
    let columns = [
        column_keep(room.say("검사일", "Date")),
        column_keep(room.say("값", "Value")),
        column_keep(room.say("판정", "Reading")),
        column_keep(room.say("참고범위", "Reference range")),
    ];
    let rows = series.items.iter().map(|item| {
        vec![
            html! { (item.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.day(lang))) },
            html! { span .i-number { (item.words(lang)) }
                @if item.is_preliminary { " " (badge(Tone::Warning, preliminary(lang))) } },
            html! { @if item.verdict() == ieum_ui::chart::Verdict::Unknown { "–" } @else { (item.verdict().badge(lang)) } },
            html! { span .i-number { (item.range.text().unwrap_or_else(|| "–".to_owned())) } },
        ]
    });
    Table::new(room.say("모든 결과", "All results"), &columns, rows.collect()).html(lang)
}
