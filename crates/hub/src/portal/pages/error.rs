//! Pages for what cannot be shown: what happened, and where to go from here. Never a technical detail; the request's
//! number leads an operator to the log.

use axum::http::StatusCode;
use ieum_store::commit::StoreError;
use ieum_ui::{ButtonStyle, Message, Tone, button_link};
use maud::{Markup, html};
use uuid::Uuid;

use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::{Frame, role_word};
use crate::portal::routes;

/// The answer to a request that is refused.
pub(crate) fn reply(call: &Call<'_>, refusal: &Refusal, id: Uuid) -> Reply {
    if let Some(elsewhere) = elsewhere(call, refusal) {
        return elsewhere;
    }
    match refusal {
        Refusal::Failed(error) => {
            tracing::error!(request.id = %id, error = %error, "the store could not serve a page");
        }
        Refusal::Broken(what) => tracing::error!(request.id = %id, error = %what, "a page could not be made"),
        _ => {}
    }
    let (status, tone, title, what) = words(call, refusal);
    let content = html! {
        (Message { tone, title: &what, body: html! {} }.html(call.lang))
        div .i-actions { (ways_out(call, refusal)) }
        p .i-small .i-soft { (call.say("요청 번호", "Request number")) " " code { (id) } }
    };
    call.page_with(status, Frame { trail: None, ..Frame::new(title, content) })
}

/// Where something else is to be done first.
fn elsewhere(call: &Call<'_>, refusal: &Refusal) -> Option<Reply> {
    let path = call.address.split('?').next().unwrap_or("/");
    let to = |page: &str, next: &str| Some(Reply::See(with_pairs(page, [("next", next)]), Vec::new()));
    match refusal {
        Refusal::SignIn => Some(sign_in(call)),
        Refusal::SetUp => Some(Reply::See("/set-up".to_owned(), Vec::new())),
        Refusal::Choose => to("/accounts", path),
        Refusal::Lapsed => Some(Reply::See("/representing?done=lapsed".to_owned(), Vec::new())),
        Refusal::Confirm(next) => to("/confirm", next),
        _ => None,
    }
}

/// To the sign-in page, and from there back; on an open hub to the start page, where roles are entered.
fn sign_in(call: &Call<'_>) -> Reply {
    let path = call.address.split('?').next().unwrap_or("/");
    let to = if call.portal.is_open() { "/".to_owned() } else { with_pairs("/sign-in", [("next", path)]) };
    Reply::See(to, Vec::new())
}

fn words(call: &Call<'_>, refusal: &Refusal) -> (StatusCode, Tone, &'static str, String) {
    let own = |ko: &str, en: &str| call.say(ko, en).to_owned();
    match refusal {
        Refusal::WrongRole => (
            StatusCode::FORBIDDEN,
            Tone::Warning,
            call.say("이 화면은 다른 역할의 화면입니다", "This page belongs to another role"),
            wrong_role(call),
        ),
        Refusal::Oneself => (
            StatusCode::FORBIDDEN,
            Tone::Warning,
            call.say("본인만 할 수 있는 일입니다", "Only the person themself can do this"),
            own(
                "지금은 다른 사람을 대신하고 있습니다. 내 일이면 위의 ‘내 화면으로’를 누른 뒤 다시 하세요.",
                "You are acting for somebody else. If it is about yourself, press “Back to myself” above and try again.",
            ),
        ),
        Refusal::Forged => (
            StatusCode::FORBIDDEN,
            Tone::Warning,
            call.say("요청을 받아들이지 않았습니다", "The request was not accepted"),
            own(
                "이 요청은 지금 열린 이음 화면에서 보낸 것이 아니거나, 그 사이에 로그인이 바뀌었습니다. 화면을 새로 열고 다시 해 보세요.",
                "It did not come from a page of Ieum that is open now, or you have signed in anew since. Open the page again and retry.",
            ),
        ),
        Refusal::Stale => (
            StatusCode::GONE,
            Tone::Information,
            call.say("이 쪽은 더 이상 열 수 없습니다", "This page of the list has expired"),
            own(
                "목록의 쪽 주소는 잠시 동안만 쓸 수 있습니다. 목록을 처음부터 다시 열어 주세요.",
                "Addresses inside a list are good for a while only. Open the list from its beginning.",
            ),
        ),
        Refusal::TooMany(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            Tone::Warning,
            call.say("잠시 뒤에 다시 시도하세요", "Try again in a while"),
            call.say(
                format!("잘못된 값을 여러 번 넣었습니다. {seconds}초 뒤에 다시 시도할 수 있습니다."),
                format!("What was entered was wrong several times. You can try again in {seconds} seconds."),
            ),
        ),
        Refusal::TooManyPeople(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            Tone::Warning,
            call.say("잠시 뒤에 다시 찾으세요", "Look again in a while"),
            call.say(
                format!("짧은 동안 환자를 너무 많이 찾았습니다. {seconds}초 뒤에 다시 찾을 수 있습니다."),
                format!("Patients were looked for too often in a short time. You can look again in {seconds} seconds."),
            ),
        ),
        Refusal::NoRecord => (
            StatusCode::NOT_FOUND,
            Tone::Warning,
            call.say("내 기록이 없습니다", "There is no record of yours"),
            own(
                "이 계정에 이어진 환자 기록이 지워졌거나 아직 등록되지 않았습니다. 계정을 만들어 준 기관에 문의하세요.",
                "The record that this account belongs to was deleted, or is not registered yet. Ask the institution that gave you the account.",
            ),
        ),
        Refusal::NotFound
        | Refusal::Method
        | Refusal::SignIn
        | Refusal::SetUp
        | Refusal::Choose
        | Refusal::Lapsed
        | Refusal::Confirm(_) => (
            if matches!(refusal, Refusal::Method) {
                StatusCode::METHOD_NOT_ALLOWED
            } else {
                StatusCode::NOT_FOUND
            },
            Tone::Information,
            call.say("찾으시는 화면이 없습니다", "There is no such page"),
            own(
                "주소가 바뀌었거나, 이 화면에서 볼 수 있는 기록이 없습니다.",
                "The address has changed, or there is no record that you can see here.",
            ),
        ),
        Refusal::Bad | Refusal::TooLarge => (
            if matches!(refusal, Refusal::Bad) {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::PAYLOAD_TOO_LARGE
            },
            Tone::Warning,
            call.say("요청을 읽을 수 없습니다", "The request cannot be read"),
            own(
                "보낸 내용의 모양이 맞지 않거나 너무 깁니다.",
                "What was sent is too long or not in the right form.",
            ),
        ),
        Refusal::Busy
        | Refusal::Failed(
            StoreError::TooSlow { .. } | StoreError::TooCostly { .. } | StoreError::NotServed { .. },
        ) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Tone::Warning,
            call.say("지금은 답할 수 없습니다", "No answer at the moment"),
            own(
                "이용자가 많거나 시간이 오래 걸리는 요청입니다. 잠시 뒤에 다시 시도하세요.",
                "Many are asking, or the question takes too long. Try again in a while.",
            ),
        ),
        Refusal::Failed(_) | Refusal::Broken(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Tone::Danger,
            call.say("문제가 생겼습니다", "Something went wrong"),
            own(
                "기록은 그대로 있습니다. 잠시 뒤에 다시 시도하고, 계속되면 아래 요청 번호와 함께 운영자에게 알려 주세요.",
                "Your records are as they were. Try again in a while; if it goes on, tell the operator the number below.",
            ),
        ),
    }
}

fn wrong_role(call: &Call<'_>) -> String {
    let role = call.role().map_or("", |role| role_word(role, call.lang));
    call.say(
        format!("지금은 '{role}' 역할로 들어와 있어 이 화면을 볼 수 없습니다. 내 첫 화면으로 가거나, 로그아웃한 뒤 맞는 역할로 들어오세요."),
        format!("You are signed in as “{role}” and cannot see this page. Go to your home page, or sign out and enter in the right role."),
    )
}

fn ways_out(call: &Call<'_>, refusal: &Refusal) -> Markup {
    let home = call.role().and_then(routes::home);
    // Without a record the home page is missing too.
    let home = home.filter(|_| !matches!(refusal, Refusal::NoRecord));
    let path = call.address.split('?').next().unwrap_or("/");
    html! {
        @if let Some(home) = home {
            (button_link(ButtonStyle::Primary, call.say("내 첫 화면으로", "To my home page"), home))
        }
        @if matches!(refusal, Refusal::Stale) {
            (button_link(ButtonStyle::Secondary, call.say("목록 처음으로", "To the start of the list"), path))
        }
        (button_link(ButtonStyle::Tertiary, call.say("이음 시작 화면", "Start page of Ieum"), "/"))
    }
}
