//! Documents and imaging studies.

use ieum_ui::{Table, Tone, badge, section};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use super::{column, column_keep, column_number};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::items::Report;
use crate::portal::record::load::{self, Names};
use crate::portal::record::paper::{Paper, Study};

/// `/patients/{id}/documents`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/documents`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let mut left_out = LeftOut::default();
    let papers = room.records("DocumentReference", "date", load::LIST, Paper::read)?;
    let papers = left_out.take(room.say("문서", "Documents"), papers);
    let studies = room.records("ImagingStudy", "started", load::LIST, Study::read)?;
    let studies = left_out.take(room.say("영상 검사", "Imaging"), studies);
    let reports = room.records("DiagnosticReport", "date", load::LIST, Report::read)?;
    let reports = left_out.take(room.say("판독", "Reports"), reports);
    let custodians = papers.iter().filter_map(|paper| paper.custodian.clone());
    let names = load::names(room.call, &room.view, custodians, [])?;
    let content = html! {
        (left_out.notice(room.lang()))
        (section(room.say("문서", "Documents"), table(room, &papers, &names)))
        (section(room.say("영상 검사", "Imaging"), images(room, &studies, &reports)))
    };
    Ok(room.page(Part::Documents, &content))
}

fn table(room: &Room<'_>, papers: &[Paper], names: &Names) -> Markup {
    let lang = room.lang();
    let columns = [
        column(room.say("문서", "Document")),
        column(room.say("기관", "Institution")),
        column_keep(room.say("작성일", "Date")),
    ];
    let rows = papers.iter().map(|paper| {
        vec![
            html! { a href={ (room.href(Part::Documents)) "/" (paper.id) } { (paper.concept.name(lang)) } " " (paper.mark(lang)) },
            html! { (names.get(paper.custodian.as_ref()).unwrap_or("–")) },
            html! { (paper.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.short(lang))) },
        ]
    });
    let empty = room.say("문서가 없습니다.", "No documents.");
    Table { empty: Some(empty), ..Table::new(room.say("문서", "Documents"), &columns, rows.collect()) }
        .html(lang)
}

fn images(room: &Room<'_>, studies: &[Study], reports: &[Report]) -> Markup {
    let lang = room.lang();
    let columns = [
        column(room.say("검사", "Examination")),
        column_keep(room.say("장비", "Modality")),
        column_number(room.say("영상 수", "Images")),
        column(room.say("판독", "Conclusion")),
        column_keep(room.say("검사일", "Date")),
    ];
    let rows = studies.iter().map(|study| {
        let of_study = |report: &&Report| report.study.as_deref() == Some(study.id.as_str());
        let read: Vec<&Report> = reports.iter().filter(of_study).filter(|report| report.conclusion.is_some()).collect();
        vec![
            html! { (study.description.as_deref().unwrap_or(room.say("영상 검사", "Imaging study"))) " " (study.mark(lang)) },
            html! { @for modality in &study.modalities { (badge(Tone::Neutral, modality)) " " } },
            html! { (study.images.as_deref().unwrap_or("–")) },
            html! {
                @if read.is_empty() { "–" }
                @for report in &read { p { (report.conclusion.as_deref().unwrap_or_default()) " " (report.mark(lang)) } }
            },
            html! { (study.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.short(lang))) },
        ]
    });
    let empty = room.say("영상 검사가 없습니다.", "No imaging.");
    Table { empty: Some(empty), ..Table::new(room.say("영상 검사", "Imaging"), &columns, rows.collect()) }
        .html(lang)
}
