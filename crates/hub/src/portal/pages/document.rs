//! One document, its text shown as text.

use ieum_ui::{Message, Tone, card_plain, definitions_inline, format};
use maud::{Markup, html};

use super::room::{Part, Room};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::load;
use crate::portal::record::paper::{self, Paper};

/// `/patients/{id}/documents/{document}`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/documents/{document}`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

/// Looked for among this patient's documents, so that another's is not found here.
fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let id = load::escaped(room.call.place.last());
    let pairs = room.of_person(&[("_id", &id)]);
    let found = load::records(room.call, &room.view, "DocumentReference", &pairs, 1, Paper::read)?;
    let paper = found.items.into_iter().next().ok_or(Refusal::NotFound)?;
    let names = load::names(room.call, &room.view, paper.custodian.clone(), paper.author.clone())?;
    let lang = room.lang();
    let rows = [
        (room.say("작성일", "Date"), paper.at.as_ref().map(|at| html! { (at.day(lang)) })),
        (room.say("기관", "Institution"), names.get(paper.custodian.as_ref()).map(|name| html! { (name) })),
        (room.say("작성자", "Author"), names.get(paper.author.as_ref()).map(|name| html! { (name) })),
    ];
    let content = html! {
        (card_plain(html! {
            h2 .i-card__title { (paper.concept.name(lang)) " " (paper.mark(lang)) }
            (definitions_inline(&rows, lang))
        }))
        @for part in &paper.parts { (shown(room, part)) }
    };
    Ok(room.page_below(Part::Documents, Some(paper.concept.name(lang)), &content))
}

fn shown(room: &Room<'_>, part: &paper::Part) -> Markup {
    let lang = room.lang();
    match &part.text {
        Some((text, is_cut)) => html! {
            article .i-card .i-paper { pre .i-paper__text { (text) } }
            @if *is_cut { p .i-soft { (room.say("문서가 길어 앞부분만 보입니다.", "The document is long: only its beginning is shown.")) } }
        },
        None => {
            let size = part.size.map(format::bytes).unwrap_or_default();
            let title = room
                .say("이 첨부는 아직 화면에서 열 수 없습니다.", "This attachment cannot be shown here yet.");
            let body = html! { p { code { (part.media_type) } " " (size) } };
            Message { tone: Tone::Information, title, body }.html(lang)
        }
    }
}
