//! Medicines: what is taken at present, and what was taken before.

use ieum_ui::{Message, Table, Tone, section};
use maud::{Markup, html};

use super::room::{Part, Room};
use super::{column, column_keep, column_number, cut_notice};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::concept::hanja;
use crate::portal::record::load;
use crate::portal::record::medicine::{Course, Prescription, courses};

/// `/patients/{id}/medicines`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/medicines`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let mut found = room.records("MedicationRequest", "authoredon", load::LIST, Prescription::read)?;
    load::complete(room.call, &room.view, &mut found.items)?;
    let (current, past) = courses(found.items, room.call.today());
    let content = html! {
        (cut_notice(found.is_cut, load::LIST, room.lang()))
        @if room.own { (advice(room)) }
        (section(room.say("복용 중", "Current"), table(room, &current, true)))
        (section(room.say("지난 처방", "Past"), table(room, &past, false)))
    };
    room.page(Part::Medicines, &content)
}

fn advice(room: &Room<'_>) -> Markup {
    let title = room.say("약을 스스로 끊거나 늘리지 마세요.", "Do not stop or add medicines on your own.");
    let body = html! { p { (room.say(
        "다른 병원이나 약국에 갈 때 이 화면을 보여 주면 같은 약을 겹쳐 먹는 일을 막을 수 있습니다. 약국에서 산 약과 건강기능식품은 여기에 없습니다.",
        "Showing this page to another doctor or pharmacist helps to avoid taking the same medicine twice. What you bought without prescription is not listed.",
    )) } };
    Message { tone: Tone::Information, title, body }.html(room.lang())
}

fn table(room: &Room<'_>, courses: &[Course], current: bool) -> Markup {
    let lang = room.lang();
    let columns = [
        column(room.say("약", "Medicine")),
        column(room.say("복용법", "How to take")),
        column_keep(room.say("처방일", "Prescribed")),
        column_keep(if current {
            room.say("언제까지", "Until")
        } else {
            room.say("처음 처방", "First")
        }),
        column_number(room.say("처방 횟수", "Times")),
    ];
    let rows = courses.iter().map(|course| {
        let latest = course.latest();
        let until = latest.last_day().map(|day| ieum_ui::format::date_short(day, lang));
        let first = course.first().written.as_ref().map(|written| written.short(lang));
        vec![
            html! {
                (hanja(latest.medicine.as_ref().map_or("–", |medicine| medicine.name(lang))))
                @if let Some(ingredient) = &latest.ingredient {
                    p .i-small .i-soft .i-light { (ingredient.name(lang)) " " span .i-code-mark { (ingredient.any_code()) } }
                }
            },
            html! { (latest.dose.as_deref().unwrap_or("–")) },
            html! { (latest.written.as_ref().map_or_else(|| "–".to_owned(), |written| written.short(lang))) },
            html! { (if current { until } else { first }.unwrap_or_else(|| "–".to_owned())) },
            html! { (course.prescriptions.len()) },
        ]
    });
    let caption = if current {
        room.say("복용 중인 약", "Current medicines")
    } else {
        room.say("지난 처방", "Past medicines")
    };
    let empty = if current {
        room.say("지금 복용 중인 처방약이 없습니다.", "No prescription is current.")
    } else {
        room.say("지난 처방이 없습니다.", "No past prescription.")
    };
    Table { empty: Some(empty), ..Table::new(caption, &columns, rows.collect()) }.html(lang)
}
