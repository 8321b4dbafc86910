//! The sender's side: the privacy officer of the institution that is to send accepts, refuses with one of the grounds of the
//! law, or stops.

use ieum_trust::access::Access;
use ieum_trust::law::asked::TRANSFER_REFUSAL;
use ieum_trust::representation::Kept;
use ieum_trust::transfer::log;
use ieum_trust::transfer::request::{By, Event, Request, Status};
use ieum_ui::{
    ButtonStyle, Field, Message, Tone, button, button_post, card_plain, form_post, section, select,
};
use maud::{Markup, html};

use super::{facts, truth};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::load;

const PAGE: &str = "/privacy/transfers";
/// Requests that are shown.
const SHOWN: usize = 200;

fn organization(call: &Call<'_>) -> Result<String, Refusal> {
    call.access()?.organization.clone().ok_or(Refusal::NotFound)
}

/// `GET /privacy/transfers`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let door = call.portal.hub().door();
    let all = log::of_sender(door, &organization(call)?)?;
    let today = call.today();
    let is_waiting =
        |kept: &&Kept<Request>| matches!(kept.record.standing(today), Status::Received | Status::Changed);
    let is_active = |kept: &&Kept<Request>| kept.record.standing(today) == Status::Active;
    let list = |kept: Vec<&Kept<Request>>| -> Result<Markup, Refusal> {
        let items =
            kept.into_iter().take(SHOWN).map(|kept| one(call, kept)).collect::<Result<Vec<_>, _>>()?;
        Ok(html! {
            @if items.is_empty() { (ieum_ui::empty(call.say("없습니다.", "None."))) }
            @for item in &items { (item) }
        })
    };
    let (waiting, active) =
        (list(all.iter().filter(is_waiting).collect())?, list(all.iter().filter(is_active).collect())?);
    if !all.is_empty() {
        // Names of patients are on the page.
        door.released(call.access()?, "transfers", "IeumTransferRequest")?;
    }
    let content = html! {
        (truth(call))
        (section(call.say("답할 것", "To answer"), waiting))
        (section(call.say("받아들인 것", "Accepted"), active))
    };
    let flash = (call.value("done") == "saved").then(|| Message {
        tone: Tone::Success,
        title: call.say("저장했습니다. 환자에게 바로 보입니다.", "Saved. The patient sees it at once."),
        body: html! {},
    });
    let lead = html! { (call.say(
        "환자가 우리 기관의 정보를 다른 곳으로 보내 달라고 한 요청입니다. 법이 정한 열한 가지 까닭으로만 거절할 수 있고, 까닭은 바로 환자에게 알려집니다.",
        "Requests of patients that your institution send their data elsewhere. They can be refused on the eleven grounds of the law alone, and the ground is told to the patient at once.",
    )) };
    let title = call.say("전송 요구", "Requests to send");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

fn one(call: &Call<'_>, kept: &Kept<Request>) -> Result<Markup, Refusal> {
    let view = call.portal.hub().door().view(&Access::system("transfer"))?;
    let person = load::person(&view, &kept.record.patient);
    drop(view);
    let gone = call.say("기록이 없는 사람", "Somebody without record").to_owned();
    let name = person.map_or(gone, |person| {
        let birth = person.birth.as_ref().map(|birth| birth.short(call.lang)).unwrap_or_default();
        format!("{} · {birth}", person.name(call.lang))
    });
    let (heading, address) = (format!("t-{}", kept.id), format!("{PAGE}/{}", kept.id));
    let is_active = kept.record.standing(call.today()) == Status::Active;
    let press = |style, label: &str, what: &str| {
        button_post(style, label, &address, &[("do", what), ("csrf", call.csrf())])
    };
    Ok(html! {
        article .i-card aria-labelledby=(heading) {
            h3 id=(heading) { (name) }
            (facts(call, kept)?)
            @if is_active {
                div .i-actions { (press(ButtonStyle::Danger, call.say("중단하기", "Stop"), "stop")) }
            } @else {
                div .i-actions { (press(ButtonStyle::Primary, call.say("받아들이기", "Accept"), "accept")) }
                (refusal(call, &kept.id, &address))
            }
        }
    })
}

/// The grounds of the law of today, one of which must be chosen.
fn refusal(call: &Call<'_>, id: &str, address: &str) -> Markup {
    let rows = call.portal.hub().law().family(&TRANSFER_REFUSAL, call.today());
    let mut grounds: Vec<(u32, &str, String)> = rows
        .filter_map(|row| {
            let code = row.word("code")?;
            let said: &str = call.say(&row.source_ko, &row.source_en);
            Some((code.parse().ok()?, code, format!("{code}. {said}")))
        })
        .collect();
    grounds.sort_by_key(|(number, ..)| *number);
    let options: Vec<(&str, &str)> = grounds.iter().map(|(_, code, said)| (*code, said.as_str())).collect();
    let name = format!("ground-{id}");
    let field =
        Field { required: true, ..Field::new(&name, call.say("거절하는 까닭", "Ground for refusing")) };
    let fields = html! {
        input type="hidden" name="do" value="refuse";
        (select(&field, &options, None, call.lang))
    };
    let actions = button(ButtonStyle::Secondary, call.say("거절하기", "Refuse"));
    card_plain(form_post(address, Some(call.csrf()), &fields, &actions))
}

/// `POST /privacy/transfers/{id}`
pub(crate) fn change(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (organization, hub) = (organization(call)?, call.portal.hub());
    let kept = log::one(hub.door(), call.place.first())?;
    let kept = kept.filter(|kept| kept.record.organization.as_ref() == Some(&organization));
    let kept = kept.ok_or(Refusal::NotFound)?;
    call.fresh(PAGE)?;
    let event = match call.field("do") {
        "accept" => Event::Accept,
        "stop" => Event::Stop,
        "refuse" => Event::Refuse { ground: call.field_of("ground").parse().map_err(|_| Refusal::Bad)? },
        _ => return Err(Refusal::Bad),
    };
    log::change(hub.door(), call.access()?, hub.law(), &kept.id, (&event, By::Sender, call.today()))?;
    Ok(Reply::See(format!("{PAGE}?done=saved"), Vec::new()))
}
