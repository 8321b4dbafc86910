//! Results: the latest of each test with its trend, and reports with a conclusion.

use ieum_ui::{Message, Table, Tone, badge, chart, section};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use super::{column, column_keep, explain};
use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::items::{Report, preliminary};
use crate::portal::record::load;
use crate::portal::record::measured::plain_unit;
use crate::portal::record::observation::{Observation, Series, series};

/// `/patients/{id}/results`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/results`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let mut left_out = LeftOut::default();
    let found =
        room.measurements(&[("category:not", "vital-signs"), ("_sort", "-date")], load::MEASUREMENTS)?;
    let mut all = series(left_out.take(Part::Results.word(room.lang()), found));
    let reports = room.records("DiagnosticReport", "date", load::LIST, Report::read)?;
    let reports = left_out.take(room.say("판독", "Reports"), reports);
    all.sort_by_key(|series| !series.latest().verdict().is_out());
    let content = html! {
        (left_out.notice(room.lang()))
        @if room.own {
            (Message {
                tone: Tone::Information,
                title: room.say("‘참고범위’란 무엇인가요?", "What is a reference range?"),
                body: html! { p { (explain::range(room.lang())) } },
            }.html(room.lang()))
        }
        (section(room.say("검사별 최근 결과", "Latest of each test"), table(room, &all)))
        (conclusions(room, &reports))
    };
    Ok(room.page(Part::Results, &content))
}

/// The address of one test.
pub(super) fn test_href(room: &Room<'_>, observation: &Observation) -> Option<String> {
    let coding = observation.concept.codings().iter().find(|coding| !coding.code.is_empty())?;
    let mut code = String::new();
    // A code may hold a slash, which would be two parts of the path.
    for byte in coding.code.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            code.push(char::from(byte));
        } else {
            code.push_str(&format!("%{byte:02X}"));
        }
    }
    let path = format!("{}/{code}", room.href(Part::Results));
    Some(with_pairs(&path, (!coding.system.is_empty()).then_some(("system", coding.system.as_str()))))
}

fn table(room: &Room<'_>, all: &[Series]) -> Markup {
    let lang = room.lang();
    let columns = [
        column(room.say("검사", "Test")),
        column_keep(room.say("최근 값", "Latest value")),
        column_keep(room.say("참고범위", "Reference range")),
        column_keep(room.say("흐름", "Trend")),
        column_keep(room.say("검사일", "Date")),
    ];
    let rows = all.iter().map(|series| row(room, series));
    let caption = room.say("검사별 최근 결과", "Latest of each test");
    let empty = room.say("검사 결과가 없습니다.", "No results.");
    Table { empty: Some(empty), ..Table::new(caption, &columns, rows.collect()) }.html(lang)
}

fn row(room: &Room<'_>, series: &Series) -> Vec<Markup> {
    let lang = room.lang();
    let latest = series.latest();
    let unit = plain_unit(latest.value.unit(), lang);
    let points = series.points();
    vec![
        html! {
            @match test_href(room, latest) {
                Some(href) => a href=(href) { (latest.name(lang)) },
                None => (latest.name(lang)),
            }
        },
        html! { span .i-row { span .i-number { (latest.words(lang)) } (latest.verdict().badge(lang))
        @if latest.is_preliminary { (badge(Tone::Warning, preliminary(lang))) } } },
        html! { span .i-number { @match latest.range.text() { Some(range) => { (range) " " (unit) }, None => "–" } } },
        html! {
            @if points.len() > 1 { (chart::sparkline(latest.name(lang), &points, series.span(), lang)) }
            @else if series.items.len() == 1 { span .i-soft .i-small { (room.say("한 번", "Once")) } }
            @else { "–" }
        },
        html! { (latest.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.short(lang))) },
    ]
}

/// Imaging, pathology and function tests, by what they conclude.
fn conclusions(room: &Room<'_>, reports: &[Report]) -> Markup {
    let lang = room.lang();
    let columns = [
        column(room.say("검사", "Examination")),
        column(room.say("판독·결론", "Conclusion")),
        column_keep(room.say("날짜", "Date")),
    ];
    let rows: Vec<Vec<Markup>> = reports
        .iter()
        .filter_map(|report| {
            let conclusion = report.conclusion.as_ref()?;
            Some(vec![
                html! { (report.concept.name(lang))
                " " (report.mark(lang))
                @if report.study.is_some() { " " (badge(Tone::Neutral, room.say("영상", "Images"))) } },
                html! { (conclusion) },
                html! { (report.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.short(lang))) },
            ])
        })
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    let title = room.say("영상·병리·기능 검사 판독", "Imaging, pathology, function tests");
    section(title, Table::new(title, &columns, rows).html(lang))
}
