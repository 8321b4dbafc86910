//! The link of an invitation. Whoever opens it chooses a log-in name, or, when signed in, takes the account over. Nothing
//! is used up by opening it: mail programs look into links too.

use axum::http::StatusCode;
use ieum_trust::account::{self, Account};
use ieum_trust::person::keep::{self, Claim};
use ieum_trust::person::login_name;
use ieum_trust::records::Kept;
use ieum_ui::{ButtonStyle, Field, InputKind, Message, Tone, button, card_plain, form_post, text_input};
use maud::html;

use super::replace_session;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::{Frame, role_word};
use crate::portal::session::{Session, Standing};

/// What is wrong with the name that was chosen.
#[derive(Clone, Copy)]
enum Wrong {
    Form,
    Taken,
}

/// `GET /welcome/{token}`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    match invited(call)? {
        Some(account) => form(call, &account, None),
        None => Ok(gone(call)),
    }
}

/// `POST /welcome/{token}`
pub(crate) fn begin(call: &Call<'_>) -> Result<Reply, Refusal> {
    let Some(account) = invited(call)? else { return Ok(gone(call)) };
    let door = call.portal.hub().door();
    // One link opens few sessions, and tells few times whether a name is taken.
    let tried = format!("welcome {}", account.id);
    call.portal.guesses().begin(&tried, call.micros()).map_err(Refusal::TooMany)?;
    let person = match (&account.value.person, call.person()) {
        (Some(person), _) => person.clone(),
        (None, Ok(person)) => {
            call.fresh(&format!("/welcome/{}", call.place.first()))?;
            door.note_person(Some(person), "account-accept", &format!("IeumAccount/{}", account.id), true)?;
            let accepted = keep::accept(door, &account, person)?;
            return if accepted { Ok(Reply::See("/accounts".into(), Vec::new())) } else { Ok(gone(call)) };
        }
        (None, Err(_)) => {
            let Some(login) = login_name(call.field("login")) else {
                return form(call, &account, Some(Wrong::Form));
            };
            match keep::claim(door, &account, &login)? {
                Claim::Made(person) => person,
                Claim::Taken => return form(call, &account, Some(Wrong::Taken)),
                Claim::Stale => return Ok(gone(call)),
            }
        }
    };
    let Some(kept) = keep::read(door, &person)? else { return Ok(gone(call)) };
    door.note_person(Some(&person), "first-entry", &format!("/welcome {}", super::from(call)), true)?;
    let invitation = account::digest(call.place.first());
    let (account, generation) = (account.id, kept.value.generation);
    let standing = Standing::Invited { account, person, generation, invitation };
    let mut session = Session::new(standing, &call.device, call.micros())?;
    session.name = Some(kept.value.name);
    replace_session(call, session, "/set-up".to_owned(), None)
}

/// The account invited to. Links that are none are counted, so that nobody tries them by the thousand.
fn invited(call: &Call<'_>) -> Result<Option<Kept<Account>>, Refusal> {
    if call.portal.is_open() {
        return Err(Refusal::NotFound);
    }
    let now = call.micros();
    let found = account::invited(call.portal.hub().door(), call.place.first(), now)?;
    if found.is_none() {
        if let Some(seconds) = call.portal.passwords().wait_seconds(call.peer, now) {
            return Err(Refusal::TooMany(seconds));
        }
        call.portal.passwords().failed(call.peer, now);
    }
    Ok(found)
}

fn form(call: &Call<'_>, account: &Kept<Account>, wrong: Option<Wrong>) -> Result<Reply, Refusal> {
    let lang = call.lang;
    let signed_in = call.person().is_ok();
    let error = wrong.map(|wrong| match wrong {
        Wrong::Form => call.say(
            "3자에서 64자까지, 글자와 숫자와 . _ - @ 만 쓸 수 있습니다.",
            "From 3 to 64 letters, digits, and . _ - @ alone.",
        ),
        Wrong::Taken => call.say("다른 사람이 쓰는 이름입니다.", "Somebody else has this name."),
    });
    let field = Field {
        hint: Some(call.say(
            "들어올 때 쓰는 이름입니다. 나중에 바꿀 수 없습니다. 예: kim.nurse, 김간호",
            "The name to sign in with. It cannot be changed later. Such as kim.nurse",
        )),
        error,
        required: true,
        ..Field::new("login", call.say("로그인 이름", "Log-in name"))
    };
    let (fields, label) = match (&account.value.person, signed_in) {
        (Some(_), _) => (
            html! { p { (call.say(
            "로그인 수단을 처음부터 다시 정합니다. 전에 쓰던 패스키, 비밀번호, 복구 코드는 끝내면 더는 쓸 수 없습니다.",
            "You set up anew how you sign in. Passkeys, password and recovery codes from before end once you are done.")) } },
            call.say("계속", "Continue"),
        ),
        (None, true) => (
            html! { p { (call.say(
            "지금 로그인한 사람의 계정으로 더합니다. 다른 사람이면 로그아웃한 뒤 링크를 다시 여세요.",
            "The account is added to the person who is signed in. If that is somebody else, sign out and open the link again.")) } },
            call.say("내 계정으로 더하기", "Add to my accounts"),
        ),
        (None, false) => (
            text_input(&field, InputKind::Text, call.field("login"), "username", lang),
            call.say("계속", "Continue"),
        ),
    };
    let csrf = Some(call.csrf()).filter(|csrf| !csrf.is_empty());
    let action = format!("/welcome/{}", call.place.first());
    let content = card_plain(form_post(&action, csrf, &fields, &button(ButtonStyle::Primary, label)));
    let role = role_word(account.value.role, lang);
    let name = &account.value.name;
    let lead = html! { (call.say(
        format!("{name} 님을 초대합니다. 역할: {role}"),
        format!("{name}, you are invited as “{role}”."),
    )) };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let title = call.say("이음에 오신 것을 환영합니다", "Welcome to Ieum");
    Ok(call.page_with(status, Frame { lead: Some(lead), ..Frame::new(title, content) }))
}

fn gone(call: &Call<'_>) -> Reply {
    let title = call.say("초대 링크를 쓸 수 없습니다", "This invitation cannot be used");
    let what = call.say(
        "이미 썼거나 사흘이 지났습니다. 초대한 사람에게 새 링크를 부탁하세요.",
        "It has been used, or is older than three days. Ask whoever invited you for a new link.",
    );
    let content = Message { tone: Tone::Warning, title: what, body: html! {} }.html(call.lang);
    call.page_with(StatusCode::GONE, Frame::new(title, content))
}
