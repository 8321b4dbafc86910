//! The code that goes with a log-in elsewhere where that is one factor. Between the two nobody has a session: the form
//! holds a challenge, signed for the person, the identity and the provider, good for ten minutes.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_trust::person::entry;
use ieum_ui::{ButtonStyle, button, button_link, card_plain, form_post};
use maud::html;

use super::factors::code_field;
use super::{browser, from, let_in, trouble};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::pages::sign_in::local;

/// What is known after the first factor, as the form holds it.
#[derive(Clone, Copy)]
struct Half<'a> {
    person: &'a str,
    provider: &'a str,
    identity: &'a str,
    challenge: &'a str,
}

impl Half<'_> {
    fn purpose(&self) -> String {
        format!("half {} {} {}", self.person, self.provider, self.identity)
    }
}

/// Asks for the code of a person who has shown this identity at a provider.
pub(super) fn ask(
    call: &Call<'_>,
    person: &str,
    (provider, identity): (&str, &str),
    next: &str,
) -> Result<Reply, Refusal> {
    let half = Half { person, provider, identity, challenge: "" };
    let challenge = call.portal.challenges().ask(&half.purpose(), call.micros())?;
    Ok(form(call, Half { challenge: &challenge, ..half }, next, false))
}

fn form(call: &Call<'_>, half: Half<'_>, next: &str, is_wrong: bool) -> Reply {
    let pairs = [
        ("person", half.person),
        ("provider", half.provider),
        ("identity", half.identity),
        ("challenge", half.challenge),
        ("next", next),
    ];
    let fields = html! {
        @for (name, value) in pairs { input type="hidden" name=(name) value=(value); }
        (code_field(call, None))
    };
    let done = button(ButtonStyle::Primary, call.say("번호로 로그인", "Sign in with the code"));
    let csrf = Some(call.csrf()).filter(|csrf| !csrf.is_empty());
    let other = call.say("패스키로 로그인하려면 여기로", "To sign in with a passkey instead");
    let content = html! {
        (card_plain(form_post("/sign-in/second", csrf, &fields, &done)))
        div .i-actions { (button_link(ButtonStyle::Tertiary, other, "/sign-in")) }
    };
    let lead = html! { (call.say(
        "한 가지 확인이 더 필요합니다. 인증 앱의 번호나 복구 코드를 넣으세요. 둘 다 없으면 패스키로 로그인하세요.",
        "One more proof is needed: a code of your app, or a recovery code. If you have neither, sign in with a passkey.",
    )) };
    let wrong = call.say(
        "번호가 맞지 않거나, 화면을 연 지 오래되었습니다. 한 번 쓴 번호는 다시 쓸 수 없습니다.",
        "The code is not right, or the page has been open for too long. A code can be used once only.",
    );
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let flash = is_wrong.then(|| trouble(wrong));
    let title = call.say("인증 번호", "Code");
    call.page_with(status, Frame { lead: Some(lead), flash, ..Frame::new(title, content) })
}

/// `POST /sign-in/second`
pub(crate) fn with_code(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (challenges, now) = (call.portal.challenges(), call.micros());
    let half = Half {
        person: call.field("person"),
        provider: call.field("provider"),
        identity: call.field("identity"),
        challenge: call.field("challenge"),
    };
    let challenge = URL_SAFE_NO_PAD.decode(half.challenge).unwrap_or_default();
    let next = local(call.field("next")).unwrap_or("");
    if !challenges.is_ours(&half.purpose(), &challenge, now) {
        return Ok(Reply::See("/sign-in".to_owned(), Vec::new()));
    }
    let tried = format!("half {}", half.person);
    call.portal.guesses().begin(&tried, now).map_err(Refusal::TooMany)?;
    let (door, browser) = (call.portal.hub().door(), browser(call)?);
    let way = (half.provider, call.field("code"));
    let entered = entry::by_provider_and_code(door, (half.person, half.identity), way, &browser, now)?;
    // A code counts once, and so does the log-in that it goes with.
    let Some(entered) = entered.filter(|_| challenges.take(&challenge, now)) else {
        let target = format!("IeumPerson/{} provider-{} code {}", half.person, half.provider, from(call));
        door.note_person(None, "sign-in", &target, false)?;
        return Ok(form(call, half, next, true));
    };
    call.portal.guesses().right(&tried);
    let_in(call, entered, &browser, next)
}
