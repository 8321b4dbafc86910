//! The first time: what proves who somebody is. A passkey, or a password with a code app; both can be had later.

use axum::http::StatusCode;
use ieum_store::commit::CommitError;
use ieum_trust::person::entry::{Entered, Way};
use ieum_trust::person::keep::Unique;
use ieum_trust::person::passkey::Passkey;
use ieum_trust::person::{Person, keep, password};
use ieum_trust::records::Kept;
use ieum_ui::{ButtonStyle, button, card_plain, form_post, section};
use maud::html;

use super::elsewhere::{self, What, words};
use super::factors::{Wrong, app_fields, chosen_app, chosen_password, password_fields};
use super::passkey::{self, Answer};
use super::{browser, let_in, trouble};
use crate::federation::Known;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::session::Standing;

/// What went wrong.
#[derive(Clone, Copy)]
enum Fault {
    Factors(Wrong),
    Passkey(&'static str),
}

/// `GET /set-up`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    form(call, None)
}

fn form(call: &Call<'_>, fault: Option<Fault>) -> Result<Reply, Refusal> {
    let mut person = person(call)?;
    // Those from before end with this first entry, so their authenticators may be used again.
    person.value.passkeys.clear();
    let login = &person.value.login;
    let wrong = match fault {
        Some(Fault::Factors(wrong)) => Some(wrong),
        _ => None,
    };
    let with_app = html! {
        (password_fields(call, login, wrong))
        (app_fields(call, login, wrong))
    };
    let elsewhere: Vec<&Known> =
        elsewhere::providers(call).iter().filter(|known| known.provider.two_factors).collect();
    let done =
        button(ButtonStyle::Secondary, call.say("비밀번호와 인증 앱으로 정하기", "Use password and app"));
    let content = html! {
        (section(call.say("패스키 (권장)", "Passkey (recommended)"), card_plain(html! {
            p { (call.say(
                "지문, 얼굴, PIN이나 보안 키로 들어옵니다. 외울 것이 없고, 가짜 사이트에 속지 않습니다.",
                "You enter by fingerprint, face, PIN or security key. Nothing to remember, and no false site can take it.")) }
            (passkey::form_make(call, "/set-up/passkey", &purpose(call)?, (&person.id, &person.value))?)
        })))
        (section(call.say("비밀번호와 인증 앱", "Password and authenticator app"), card_plain(form_post("/set-up/password", Some(call.csrf()), &with_app, &done))))
        @if !elsewhere.is_empty() {
            (section(words::title(call), html! {
                p { (call.say(
                    "아래 기관에서 본인을 확인하고, 다음부터 그 로그인으로 들어옵니다.",
                    "You show there who you are, and from then on enter with that log-in.")) }
                (words::buttons(call, &elsewhere, What::SetUp, None))
            }))
        }
    };
    let title = call.say("로그인 수단 정하기", "How you will sign in");
    let lead = html! { (call.say(
        format!("로그인 이름은 {login}입니다. 하나를 먼저 정하세요. 다른 것은 나중에 더할 수 있습니다."),
        format!("Your log-in name is {login}. Choose one; others can be added later."),
    )) };
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let what = fault.map(|fault| match fault {
        Fault::Passkey(what) => what,
        Fault::Factors(_) => call.say("아직 정하지 못했습니다. 아래를 고쳐 주세요.", "Not yet: see below."),
    });
    let flash = what.map(trouble);
    Ok(call.page_with(status, Frame { lead: Some(lead), flash, ..Frame::new(title, content) }))
}

/// `POST /set-up/password`
pub(crate) fn with_password(call: &Call<'_>) -> Result<Reply, Refusal> {
    let person = person(call)?;
    let chosen = chosen_password(call, &person.value.login)
        .and_then(|password| chosen_app(call).map(|app| (password, app)));
    let (password, app) = match chosen {
        Ok(chosen) => chosen,
        Err(wrong) => return form(call, Some(Fault::Factors(wrong))),
    };
    let hash = password::hash(&password)?;
    complete(call, None, Way::Code, |person| {
        person.password = Some(hash);
        person.totp = Some(app);
    })
}

/// `POST /set-up/passkey`
pub(crate) fn with_passkey(call: &Call<'_>) -> Result<Reply, Refusal> {
    let purpose = purpose(call)?;
    let Some(answer) = Answer::of(call) else { return form(call, None) };
    match answer.register(call, &purpose, &passkey::label(call)) {
        Ok(passkey) => complete(call, Some(&passkey), Way::Passkey, |_| {}),
        Err(fault) => form(call, Some(Fault::Passkey(passkey::fault_word(call, fault)))),
    }
}

fn complete(
    call: &Call<'_>,
    passkey: Option<&Passkey>,
    way: Way,
    set: impl FnOnce(&mut Person),
) -> Result<Reply, Refusal> {
    let (door, browser) = (call.portal.hub().door(), browser(call)?);
    let (account, invitation) = invitation(call)?;
    let set = |person: &mut Person| {
        set(person);
        person.remember_browser(&browser);
    };
    let done =
        match keep::complete(door, (account, invitation), call.micros(), passkey.map(Unique::Passkey), set) {
            Err(CommitError::Guard { .. }) => {
                let what = call.say("이미 쓰고 있는 패스키입니다.", "This passkey is in use already.");
                return form(call, Some(Fault::Passkey(what)));
            }
            done => done?,
        };
    // Used in another window, or withdrawn meanwhile: the session ends with the invitation.
    let Some(Kept { id, value, .. }) = done else { return Err(Refusal::SignIn) };
    let entered = Entered { person: id, name: value.name, generation: value.generation, way };
    let_in(call, entered, &browser, "/my-login")
}

fn person(call: &Call<'_>) -> Result<Kept<Person>, Refusal> {
    let Some(Standing::Invited { person, .. }) = call.session.as_ref().map(|session| &session.standing)
    else {
        return Err(Refusal::SignIn);
    };
    keep::read(call.portal.hub().door(), person)?.ok_or(Refusal::SignIn)
}

fn invitation<'c>(call: &'c Call<'_>) -> Result<(&'c str, &'c str), Refusal> {
    match call.session.as_ref().map(|session| &session.standing) {
        Some(Standing::Invited { account, invitation, .. }) => Ok((account, invitation)),
        _ => Err(Refusal::SignIn),
    }
}

/// A challenge of this session for a new passkey.
pub(crate) fn purpose(call: &Call<'_>) -> Result<String, Refusal> {
    let number = call.session.as_ref().map(|session| session.number.as_str()).ok_or(Refusal::SignIn)?;
    Ok(format!("make {number}"))
}
