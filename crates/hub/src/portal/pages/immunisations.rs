//! Vaccinations.

use ieum_ui::{Table, Tone, badge, section};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::items::Dose;
use crate::portal::record::load;

/// `/patients/{id}/immunisations`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me/immunisations`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let mut left_out = LeftOut::default();
    let title = room.say("접종 기록", "Doses");
    let doses = left_out.take(title, room.records("Immunization", "date", load::LIST, Dose::read)?);
    let content = html! {
        (left_out.notice(room.lang()))
        (section(title, table(room, title, &doses)))
    };
    Ok(room.page(Part::Immunisations, &content))
}

fn table(room: &Room<'_>, title: &str, doses: &[Dose]) -> Markup {
    let lang = room.lang();
    let columns = [
        column(room.say("백신", "Vaccine")),
        column_keep(room.say("차수", "Dose")),
        column_keep(room.say("접종일", "Date")),
        column_keep(room.say("상태", "State")),
        column_keep(room.say("제조번호", "Lot")),
    ];
    let rows = doses.iter().map(|dose| {
        vec![
            html! { (dose.vaccine.name(lang)) },
            html! { (dose.number_words(lang).unwrap_or_else(|| "–".to_owned())) },
            html! { (dose.at.as_ref().map_or_else(|| "–".to_owned(), |at| at.short(lang))) },
            if dose.is_given {
                badge(Tone::Success, room.say("접종함", "Given"))
            } else {
                badge(Tone::Warning, room.say("접종 안 함", "Not given"))
            },
            html! { span .i-number { (dose.lot.as_deref().unwrap_or("–")) } },
        ]
    });
    let empty = room.say("예방접종 기록이 없습니다.", "No vaccination recorded.");
    Table { empty: Some(empty), ..Table::new(title, &columns, rows.collect()) }.html(lang)
}
