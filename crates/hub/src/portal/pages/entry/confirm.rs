//! Showing again who one is: asked for before what must not be done by somebody who only found an open window.

use axum::http::StatusCode;
use ieum_trust::person::entry::{self, Refused};
use ieum_trust::person::keep;
use ieum_ui::{ButtonStyle, button, card_plain, form_post, section};
use maud::html;

use super::elsewhere::{self, What, words};
use super::factors::code_field;
use super::passkey::{self, Answer, fault_word};
use super::{browser, from, trouble};
use crate::federation::Known;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::pages::sign_in::local;

/// `GET /confirm`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    form(call, None, call.value("next"))
}

fn form(call: &Call<'_>, fault: Option<&str>, next: &str) -> Result<Reply, Refusal> {
    let person = keep::read(call.portal.hub().door(), call.person()?)?.ok_or(Refusal::SignIn)?.value;
    let next = local(next).unwrap_or("/my-login");
    let by_passkey = person.passkeys.iter().any(|passkey| !passkey.suspect);
    let by_code = person.totp.is_some() || !person.recovery.is_empty();
    let fields = html! {
        input type="hidden" name="next" value=(next);
        (code_field(call, None))
    };
    let linked = |known: &&Known| {
        known.provider.two_factors && person.links.iter().any(|link| link.issuer == known.provider.issuer)
    };
    let elsewhere: Vec<&Known> = elsewhere::providers(call).iter().filter(linked).collect();
    let content = html! {
        @if by_passkey {
            (card_plain(passkey::form_use(call, "/confirm/passkey", &purpose(call)?, Some(&person), Some(next))?))
        }
        @if by_code {
            (section(call.say("인증 번호", "Code"), card_plain(form_post("/confirm/code", Some(call.csrf()), &fields,
                &button(ButtonStyle::Secondary, call.say("번호로 확인", "Confirm with the code"))))))
        }
        @if !by_passkey && !by_code && elsewhere.is_empty() {
            p { (call.say(
                "지금 쓸 수 있는 확인 수단이 없습니다. 기관의 관리자에게 새 초대 링크를 부탁하세요.",
                "Nothing that you have can be shown at present. Ask the manager of your institution for a new invitation.")) }
        }
        @if !elsewhere.is_empty() {
            (section(words::title(call), words::buttons(call, &elsewhere, What::Confirm, Some(next))))
        }
    };
    let lead = html! { (call.say(
        "중요한 일을 하기 전에 본인인지 다시 확인합니다. 확인한 뒤 5분 동안은 다시 묻지 않습니다.",
        "Before something that matters you show again who you are. For 5 minutes after that you are not asked again.",
    )) };
    let title = call.say("본인 확인", "Confirm that it is you");
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let flash = fault.map(trouble);
    Ok(call
        .page_with(status, Frame { lead: Some(lead), flash, trail: Some(&[]), ..Frame::new(title, content) }))
}

/// `POST /confirm/code`
pub(crate) fn with_code(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (person, now) = (call.person()?, call.micros());
    let tried = format!("confirm {person}");
    call.portal.guesses().begin(&tried, now).map_err(Refusal::TooMany)?;
    let code = call.field("code");
    let door = call.portal.hub().door();
    let is_right = keep::change(door, "confirm", person, |person| person.take_code(code, now))?.is_some();
    if !is_right {
        return refuse(call, call.say("번호가 맞지 않습니다.", "The code is not right."));
    }
    call.portal.guesses().right(&tried);
    confirmed(call, "code", call.field("next"))
}

/// `POST /confirm/passkey`
pub(crate) fn with_passkey(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (person, now, purpose) = (call.person()?, call.micros(), purpose(call)?);
    let (Some(site), Some(answer)) = (call.portal.site(), Answer::of(call)) else { return Err(Refusal::Bad) };
    let challenges = call.portal.challenges();
    // Its own challenge for each session: an answer of somebody else's passkey is none to this question.
    let is_ours =
        |challenge: &[u8]| challenges.is_ours(&purpose, challenge, now) && challenges.take(challenge, now);
    let browser = browser(call)?;
    let door = call.portal.hub().door();
    match entry::by_passkey(door, site, (&answer.credential, &answer.used()), &browser, now, is_ours)? {
        Ok(entered) if entered.person == person => confirmed(call, "passkey", call.field("next")),
        Err(Refused::Fault(_, fault)) => refuse(call, fault_word(call, fault)),
        _ => refuse(call, call.say("내 패스키가 아닙니다.", "This passkey is not yours.")),
    }
}

pub(super) fn confirmed(call: &Call<'_>, way: &str, next: &str) -> Result<Reply, Refusal> {
    let target = format!("/confirm {way} {}", from(call));
    call.portal.hub().door().note_person(Some(call.person()?), "confirm", &target, true)?;
    if let Some(cookie) = &call.cookie {
        call.portal.sessions().shown(cookie, call.micros());
    }
    Ok(Reply::See(local(next).unwrap_or("/my-login").to_owned(), Vec::new()))
}

fn refuse(call: &Call<'_>, what: &str) -> Result<Reply, Refusal> {
    let target = format!("/confirm {}", from(call));
    call.portal.hub().door().note_person(Some(call.person()?), "confirm", &target, false)?;
    form(call, Some(what), call.field("next"))
}

fn purpose(call: &Call<'_>) -> Result<String, Refusal> {
    let number = call.session.as_ref().map(|session| session.number.as_str()).ok_or(Refusal::SignIn)?;
    Ok(format!("confirm {number}"))
}
