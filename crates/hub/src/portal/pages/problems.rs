//! Diagnoses, each once, and what was done in the mouth.

use std::collections::BTreeMap;

use ieum_ui::{Table, Tone, badge, card, section};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use super::{column, column_keep, column_number};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::concept::hanja;
use crate::portal::record::fields::Moment;
use crate::portal::record::items::{Condition, Problem, Procedure, problems};
use crate::portal::record::load;
use crate::portal::record::tooth::Tooth;

/// `/patients/{id}/problems`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/problems`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let mut left_out = LeftOut::default();
    let conditions = room.records("Condition", "recorded-date", load::LIST, Condition::read)?;
    let conditions = left_out.take(room.say("진단", "Diagnoses"), conditions);
    let procedures = room.records("Procedure", "date", load::LIST, Procedure::read)?;
    let procedures = left_out.take(room.say("시술·수술", "Procedures"), procedures);
    let (active, past): (Vec<_>, Vec<_>) =
        problems(conditions).into_iter().partition(|problem| problem.is_active);
    let content = html! {
        (left_out.notice(room.lang()))
        (section(room.say("지속 중인 진단", "Lasting"), table(room, &active, true)))
        (section(room.say("지난 진단", "Past"), table(room, &past, false)))
        (done(room, &procedures))
        (teeth(room, &procedures))
    };
    Ok(room.page(Part::Problems, &content))
}

fn table(room: &Room<'_>, problems: &[Problem], lasting: bool) -> Markup {
    let lang = room.lang();
    let columns = [
        column(room.say("진단명", "Diagnosis")),
        column_keep(room.say("KCD 코드", "KCD code")),
        column_keep(room.say("처음", "First")),
        column_keep(room.say("최근", "Latest")),
        column_number(room.say("횟수", "Times")),
    ];
    let day = |moment: Option<&Moment>| moment.map_or_else(|| "–".to_owned(), |moment| moment.short(lang));
    let rows = problems.iter().map(|problem| {
        let code = problem.concept.kcd().or(Some(problem.concept.any_code())).filter(|code| !code.is_empty());
        vec![
            html! {
                (hanja(problem.concept.name(lang))) " " (problem.doubt.mark(lang))
                @if problem.concept.is_korean_medicine() { " " (badge(Tone::Information, room.say("한의", "Korean medicine"))) }
            },
            html! { @if let Some(code) = code { span .i-code-mark { (code) } } @else { "–" } },
            html! { (day(problem.first.as_ref())) },
            html! { (day(problem.last.as_ref())) },
            html! { (problem.times) },
        ]
    });
    let caption =
        if lasting { room.say("지속 중인 진단", "Lasting") } else { room.say("지난 진단", "Past") };
    let empty = room.say("기록된 진단이 없습니다.", "No diagnosis recorded.");
    Table { empty: Some(empty), ..Table::new(caption, &columns, rows.collect()) }.html(lang)
}

/// Operations and treatments that are not in the chart of the teeth, each once: acupuncture is done many times.
fn done(room: &Room<'_>, procedures: &[Procedure]) -> Markup {
    let lang = room.lang();
    let mut each: Vec<(&Procedure, usize)> = Vec::new();
    for procedure in procedures.iter().filter(|procedure| procedure.tooth.is_none() || !procedure.is_done()) {
        let same = |(known, _): &&mut (&Procedure, usize)| {
            known.concept == procedure.concept
                && known.site == procedure.site
                && known.mark(lang).0 == procedure.mark(lang).0
        };
        match each.iter_mut().find(same) {
            Some((_, times)) => *times += 1,
            None => each.push((procedure, 1)),
        }
    }
    if each.is_empty() {
        return html! {};
    }
    let columns = [
        column(room.say("시술·수술", "Procedure")),
        column_keep(room.say("구분", "Kind")),
        column_keep(room.say("최근", "Latest")),
        column_number(room.say("횟수", "Times")),
    ];
    let rows = each.iter().map(|(procedure, times)| {
        vec![
            html! { (hanja(procedure.concept.name(lang)))
            @if let Some(site) = &procedure.site { " " span .i-soft { (site.name(lang)) } }
            @if let Some(tooth) = procedure.tooth { " " span .i-code-mark { (tooth.code()) } } " " (procedure.mark(lang)) },
            html! { (procedure.category(lang).unwrap_or("–")) },
            html! { (procedure.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.short(lang))) },
            html! { (times) },
        ]
    });
    let title = room.say("시술·수술", "Procedures");
    section(title, Table::new(title, &columns, rows.collect()).html(lang))
}

/// The teeth that were treated, as a chart of the mouth and as a list.
fn teeth(room: &Room<'_>, procedures: &[Procedure]) -> Markup {
    let lang = room.lang();
    let mut treated: BTreeMap<Tooth, Vec<&Procedure>> = BTreeMap::new();
    for procedure in procedures {
        if let Some(tooth) = procedure.tooth.filter(|_| procedure.is_done()) {
            treated.entry(tooth).or_default().push(procedure);
        }
    }
    if treated.is_empty() {
        return html! {};
    }
    let columns = [
        column(room.say("치아", "Tooth")),
        column(room.say("처치", "Treatment")),
        column_keep(room.say("날짜", "Date")),
    ];
    let rows = treated.iter().flat_map(|(tooth, done)| done.iter().map(move |procedure| (tooth, procedure)));
    let rows = rows.map(|(tooth, procedure)| {
        vec![
            html! { span .i-code-mark { (tooth.code()) } " " (tooth.name(lang)) },
            html! { (procedure.concept.name(lang)) " " (procedure.mark(lang)) },
            html! { (procedure.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.short(lang))) },
        ]
    });
    let title = room.say("치과", "Teeth");
    section(
        title,
        html! {
            (card(room.say("치료한 치아 (FDI 표기)", "Treated teeth (FDI notation)"), mouth(room, &treated)))
            (Table::new(title, &columns, rows.collect()).html(lang))
        },
    )
}

/// Both jaws as the dentist sees them. Treated teeth are filled and framed, so that colour is not needed.
fn mouth(room: &Room<'_>, treated: &BTreeMap<Tooth, Vec<&Procedure>>) -> Markup {
    let lang = room.lang();
    let cell = |tooth: Tooth| {
        let is_treated = treated.contains_key(&tooth);
        html! {
            td .i-tooth .i-tooth--done[is_treated] {
                (tooth.code())
                @if is_treated { span .i-hidden { " " (tooth.name(lang)) ", " (room.say("치료함", "treated")) } }
            }
        }
    };
    let label = room.say("치아 그림", "Chart of the teeth");
    html! {
        div .i-mouth tabindex="0" role="region" aria-label=(label) {
            table {
                caption .i-hidden { (label) }
                tbody {
                    tr { th scope="row" { (room.say("위", "Upper")) } @for tooth in Tooth::jaw(true) { (cell(tooth)) } }
                    tr { th scope="row" { (room.say("아래", "Lower")) } @for tooth in Tooth::jaw(false) { (cell(tooth)) } }
                }
            }
        }
        p .i-small .i-soft { (room.say("왼쪽이 환자의 오른쪽입니다.", "The patient's right is on the left.")) }
    }
}
