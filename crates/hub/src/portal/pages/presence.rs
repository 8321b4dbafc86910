//! The institution's side of presence: whoever has the patient before them types in the code that the patient shows.

use axum::http::StatusCode;
use ieum_trust::presence::{self, NoRelation};
use ieum_ui::{
    ButtonStyle, Field, InputKind, Message, Tone, button, button_link, card_plain, form_post, text_input,
};
use maud::html;

use super::entry::trouble;
use super::my_login::instant;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::load;

const PAGE: &str = "/presence";

/// `GET /presence`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    Ok(form(call, None))
}

/// `POST /presence`. Wrong codes cost waits, by account and by address, and each is written down.
pub(crate) fn confirm(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (access, hub, now) = (call.access()?, call.portal.hub(), call.micros());
    let tried = format!("presence {}", access.actor);
    call.portal.guesses().begin(&tried, now).map_err(Refusal::TooMany)?;
    if let Some(seconds) = call.portal.numbers().wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    match presence::present(hub.door(), hub.law(), access, call.field("code"), now) {
        Ok((patient, until)) => {
            call.portal.guesses().right(&tried);
            shown(call, &patient, until)
        }
        Err(NoRelation::Code) => {
            call.portal.numbers().failed(call.peer, now);
            Ok(form(call, Some(&NoRelation::Code)))
        }
        Err(NoRelation::Commit(error)) => Err(error.into()),
        Err(other) => Ok(form(call, Some(&other))),
    }
}

/// Whose code it was, and until when the institution may look.
fn shown(call: &Call<'_>, patient: &str, until: i64) -> Result<Reply, Refusal> {
    let person = load::person(&call.view()?, patient)?;
    call.portal.hub().door().released(call.access()?, "presence", &format!("Patient/{patient}"))?;
    let birth = person.birth.as_ref().map(|birth| birth.day(call.lang)).unwrap_or_default();
    let (name, until) = (person.name(call.lang), instant(Some(until), call));
    let title = call.say(format!("{name} 님의 내원을 확인했습니다."), format!("{name} is here."));
    let body = html! { p { (call.say(
        format!("생년월일 {birth}. 우리 기관은 {until}까지 기록을 볼 수 있습니다. 앞에 있는 환자가 맞는지 확인하세요."),
        format!("Born {birth}. Your institution may see the records until {until}. Make sure that this is the patient before you."),
    )) } };
    let content = html! {
        (Message { tone: Tone::Success, title: &title, body }.html(call.lang))
        div .i-actions {
            (button_link(ButtonStyle::Primary, call.say("기록 열기", "Open the record"), &format!("/patients/{patient}")))
            (button_link(ButtonStyle::Tertiary, call.say("다른 환자 확인", "Another patient"), PAGE))
        }
    };
    Ok(call.page(Frame { trail: Some(&[]), ..Frame::new(call.say("내원 확인", "Presence"), content) }))
}

fn form(call: &Call<'_>, wrong: Option<&NoRelation>) -> Reply {
    let error = matches!(wrong, Some(NoRelation::Code)).then(|| {
        call.say(
            "이 코드를 쓸 수 없습니다. 10분이 지났거나 이미 썼을 수 있습니다. 새 코드를 보여 달라고 하세요.",
            "This code cannot be used. It may be older than 10 minutes, or have been used. Ask for a new one.",
        )
    });
    let field = Field {
        hint: Some(call.say("환자의 휴대전화에 보이는 8자리", "The 8 digits on the patient’s telephone")),
        error,
        required: true,
        ..Field::new("code", call.say("내원 코드", "Code"))
    };
    let fields = text_input(&field, InputKind::Digits, "", "off", call.lang);
    let actions = button(ButtonStyle::Primary, call.say("확인", "Confirm"));
    let content = card_plain(form_post(PAGE, Some(call.csrf()), &fields, &actions));
    let (status, flash) = match wrong {
        None => (StatusCode::OK, None),
        Some(NoRelation::Role) => (
            StatusCode::FORBIDDEN,
            Some(trouble(call.say(
                "기관에 속한 의료진 계정만 할 수 있습니다.",
                "Only a clinician’s account of an institution can do this.",
            ))),
        ),
        Some(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(trouble(call.say("내원을 확인하지 못했습니다.", "Nobody was confirmed."))),
        ),
    };
    let lead = html! { (call.say(
        "환자가 이음의 ‘병원에서’ 화면에서 보여주는 코드를 넣으면, 환자가 온 것이 확인되어 기록을 볼 수 있습니다. 환자에게 보이고, 환자가 언제든 끝낼 수 있습니다.",
        "With the code that the patient shows on their page “At an institution”, you may see the records. The patient sees it, and can end it at any time.",
    )) };
    let title = call.say("내원 확인", "Presence");
    call.page_with(status, Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) })
}
