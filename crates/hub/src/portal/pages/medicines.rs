//! Medicines: what is taken at present, and what was taken before.

use ieum_ui::{Message, Table, Tone, section};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use super::{column, column_keep, column_number};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::concept::hanja;
use crate::portal::record::load;
use crate::portal::record::medicine::{Course, Prescription, Standing, courses};

/// `/patients/{id}/medicines`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/medicines`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let mut left_out = LeftOut::default();
    let what = room.say("처방", "Prescriptions");
    let mut found =
        left_out.take(what, room.records("MedicationRequest", "authoredon", load::LIST, Prescription::read)?);
    load::complete(room.call, &room.view, &mut found)?;
    let all = courses(found, room.call.today());
    let of = |standing| all.iter().filter(|course| course.standing == standing).collect::<Vec<&Course>>();
    let optional = [
        (Standing::Forbidden, room.say("쓰지 않을 약", "Not to be used")),
        (Standing::OnHold, room.say("보류된 처방", "On hold")),
        (Standing::Proposed, room.say("제안·계획 (처방 아님)", "Proposed or planned, not ordered")),
    ];
    let content = html! {
        (left_out.notice(room.lang()))
        @if room.own { (advice(room)) }
        (section(room.say("복용 중", "Current"), table(room, &of(Standing::Taken), Standing::Taken, left_out.is_cut(what))))
        @for (standing, title) in optional {
            @let courses = of(standing);
            @if !courses.is_empty() { (section(title, table(room, &courses, standing, false))) }
        }
        (section(room.say("지난 처방", "Past"), table(room, &of(Standing::Past), Standing::Past, false)))
    };
    Ok(room.page(Part::Medicines, &content))
}

fn advice(room: &Room<'_>) -> Markup {
    let title = room.say("약을 스스로 끊거나 늘리지 마세요.", "Do not stop or add medicines on your own.");
    let body = html! { p { (room.say(
        "다른 병원이나 약국에 갈 때 이 화면을 보여 주면 같은 약을 겹쳐 먹는 일을 막을 수 있습니다. 약국에서 산 약과 건강기능식품은 여기에 없습니다.",
        "Showing this page to another doctor or pharmacist helps to avoid taking the same medicine twice. What you bought without prescription is not listed.",
    )) } };
    Message { tone: Tone::Information, title, body }.html(room.lang())
}

fn table(room: &Room<'_>, courses: &[&Course], standing: Standing, is_cut: bool) -> Markup {
    let lang = room.lang();
    let is_past = standing == Standing::Past;
    let columns = [
        column(room.say("약", "Medicine")),
        column(room.say("복용법", "How to take")),
        column_keep(room.say("처방일", "Prescribed")),
        column_keep(if is_past {
            room.say("처음 처방", "First")
        } else {
            room.say("언제까지", "Until")
        }),
        column_number(room.say("처방 횟수", "Times")),
    ];
    let rows = courses.iter().map(|course| row(room, course, is_past));
    let caption = match standing {
        Standing::Taken => room.say("복용 중인 약", "Current medicines"),
        Standing::OnHold => room.say("보류된 처방", "On hold"),
        Standing::Forbidden => room.say("쓰지 않을 약", "Not to be used"),
        Standing::Proposed => room.say("제안·계획", "Proposed or planned"),
        Standing::Past => room.say("지난 처방", "Past medicines"),
    };
    let empty = match is_past {
        true => room.say("지난 처방이 없습니다.", "No past prescription."),
        false => none_current(room, is_cut),
    };
    Table { empty: Some(empty), ..Table::new(caption, &columns, rows.collect()) }.html(lang)
}

/// That none is current; when older ones were not read, only of those that were.
pub(super) fn none_current(room: &Room<'_>, is_cut: bool) -> &'static str {
    if is_cut {
        return room.say(
            "불러온 처방 가운데 지금 복용 중인 것이 없습니다. 더 오래된 처방은 보지 않았습니다.",
            "None of the prescriptions that were read is current. Older ones were not read.",
        );
    }
    room.say("지금 복용 중인 처방약이 없습니다.", "No prescription is current.")
}

fn row(room: &Room<'_>, course: &Course, is_past: bool) -> Vec<Markup> {
    let lang = room.lang();
    let latest = course.latest();
    let until = latest.last_day().map(|day| ieum_ui::format::date_short(day, lang));
    let first = course.first().written.as_ref().map(|written| written.short(lang));
    let doses = course.doses(room.call.today());
    vec![
        html! {
            (hanja(latest.medicine.as_ref().map_or("–", |medicine| medicine.name(lang))))
            " " (latest.mark(lang))
            @if let Some(ingredient) = &latest.ingredient {
                p .i-small .i-soft .i-light { (ingredient.name(lang)) " " span .i-code-mark { (ingredient.any_code()) } }
            }
        },
        html! { @if doses.is_empty() { "–" } @for dose in doses { p { (dose) } } },
        html! { (latest.written.as_ref().map_or_else(|| "–".to_owned(), |written| written.short(lang))) },
        html! { (if is_past { first } else { until }.unwrap_or_else(|| "–".to_owned())) },
        html! { (course.prescriptions.len()) },
    ]
}
