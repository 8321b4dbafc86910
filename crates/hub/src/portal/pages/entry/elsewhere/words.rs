//! What is said of log-in elsewhere: buttons, the page on the way, and the page when nobody has entered.

use axum::http::StatusCode;
use ieum_fhir::outcome::Code;
use ieum_trust::federation::Provider;
use ieum_trust::federation::id_token::IdTokenError;
use ieum_ui::{ButtonStyle, Message, Tone, button, button_link, form_post};
use maud::{Markup, html};

use super::What;
use crate::federation::{Fault, Known};
use crate::portal::call::{Call, Reply};
use crate::portal::frame::Frame;

/// Why nobody has entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Too many wait for providers.
    Busy,
    /// The provider cannot be asked.
    Unreachable,
    /// The answer goes with no question of this browser.
    State,
    /// Nobody has logged in there.
    Denied,
    /// The answer proves nothing.
    Proof,
    /// The log-in is not strong or not new enough.
    Weak,
    /// The identity is linked to nobody.
    Unlinked,
    /// The person may not enter.
    Out,
    /// The identity is another person's, or another than the one that is linked.
    Taken,
}

impl Trouble {
    pub(super) fn of(fault: &Fault) -> Self {
        match fault {
            Fault::Busy => Self::Busy,
            Fault::Unreachable | Fault::Metadata(_) | Fault::Client => Self::Unreachable,
            Fault::Token(IdTokenError::Weak(_) | IdTokenError::Stale) => Self::Weak,
            Fault::Code | Fault::Token(_) => Self::Proof,
        }
    }

    /// Its code (`docs/errors.md`); being busy is no error.
    pub(super) fn code(self) -> Option<Code> {
        match self {
            Self::Busy => None,
            Self::Unreachable => Some(Code::LoginUnreachable),
            Self::State => Some(Code::LoginState),
            Self::Denied => Some(Code::LoginDenied),
            Self::Proof => Some(Code::LoginProof),
            Self::Weak => Some(Code::LoginWeak),
            Self::Unlinked => Some(Code::LoginUnlinked),
            Self::Out => Some(Code::LoginOut),
            Self::Taken => Some(Code::LoginTaken),
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable => StatusCode::BAD_GATEWAY,
            Self::State | Self::Denied | Self::Proof => StatusCode::BAD_REQUEST,
            Self::Weak | Self::Unlinked | Self::Out | Self::Taken => StatusCode::FORBIDDEN,
        }
    }

    /// What happened, and what to do.
    fn words(self, call: &Call<'_>, name: &str) -> (String, &'static str) {
        let (ko, en, remedy_ko, remedy_en) = match self {
            Self::Busy => (
                format!("{name}의 답을 기다리는 사람이 많습니다."),
                format!("Many are waiting for {name}."),
                "잠시 뒤에 다시 하세요.",
                "Try again in a while.",
            ),
            Self::Unreachable => (
                format!("{name}에 지금 물어볼 수 없습니다."),
                format!("{name} cannot be asked at the moment."),
                "잠시 뒤에 다시 하거나 다른 방법으로 들어오세요. 계속되면 허브 운영자에게 알려 주세요.",
                "Try again in a while, or enter in another way. If it goes on, tell the operator of the hub.",
            ),
            Self::State => (
                "이 브라우저에서 시작한 로그인이 아니거나, 시작한 지 10분이 지났습니다.".to_owned(),
                "The log-in was not begun in this browser, or more than 10 minutes ago.".to_owned(),
                "처음부터 다시 하세요. 쿠키를 막아 두었으면 허용하고, 로그인 창은 하나만 여세요.",
                "Begin anew. Let cookies through if they are blocked, and log in in one window only.",
            ),
            Self::Denied => (
                format!("{name}에서 로그인을 마치지 않았습니다."),
                format!("The log-in at {name} was not finished."),
                "취소했다면 다시 하거나 다른 방법으로 들어오세요. 취소하지 않았다면 그 기관에 문의하세요.",
                "If you cancelled it, try again or enter in another way. If you did not, ask there.",
            ),
            Self::Proof => (
                format!("{name}의 답이 본인임을 증명하지 못했습니다."),
                format!("The answer of {name} does not prove who you are."),
                "처음부터 다시 하세요. 계속되면 코드와 함께 허브 운영자에게 알려 주세요.",
                "Begin anew. If it goes on, tell the operator of the hub the code.",
            ),
            Self::Weak => (
                format!("{name}의 로그인이 이 허브가 요구하는 만큼 강하지 않거나, 방금 한 것이 아닙니다."),
                format!(
                    "The log-in at {name} is not as strong as this hub asks for, or was not made just now."
                ),
                "그 기관에서 더 강한 수단으로 다시 로그인하거나, 다른 방법으로 들어오세요.",
                "Log in there again with something stronger, or enter in another way.",
            ),
            Self::Unlinked => (
                format!("{name}의 이 로그인은 아직 이음의 누구와도 이어져 있지 않습니다."),
                format!("This log-in at {name} is linked to nobody here yet."),
                "이미 이음에 들어올 수 있으면 다른 방법으로 들어와 ‘내 로그인’에서 이으세요. 처음이면 기관이 보낸 초대 링크를 여세요. 초대가 없으면 기관에 부탁하세요.",
                "If you can enter in another way, do, and link it under “my log-in”. If you are new, open the link of your invitation; if you have none, ask your institution.",
            ),
            Self::Out => (
                "이 로그인의 사람은 지금 들어올 수 없습니다.".to_owned(),
                "The person of this log-in may not enter at present.".to_owned(),
                "잠겼거나 떠난 사람입니다. 일하는 기관의 관리자나 허브 운영자에게 문의하세요.",
                "They are locked, or have left. Ask the manager of your institution or the operator of the hub.",
            ),
            Self::Taken => (
                format!("{name}의 이 로그인은 여기에 쓸 수 없습니다."),
                format!("This log-in at {name} cannot be used here."),
                "다른 사람과 이어져 있거나, 내가 이어 둔 로그인이 아닙니다. 그 기관에 내 이름으로 로그인했는지 보고 다시 하세요.",
                "It is linked to another person, or is not the one that you have linked. See that you are logged in there as yourself, and try again.",
            ),
        };
        (call.say(ko, en), call.say(remedy_ko, remedy_en))
    }
}

/// What people call a provider.
pub(crate) fn name<'p>(call: &Call<'_>, provider: &'p Provider) -> &'p str {
    call.say(&provider.name, &provider.name_en)
}

/// The heading of what has to do with providers.
pub(crate) fn title(call: &Call<'_>) -> &'static str {
    call.say("다른 기관의 로그인", "Log-in elsewhere")
}

/// A button for each provider, to go there for this.
pub(crate) fn buttons(call: &Call<'_>, known: &[&Known], what: What, next: Option<&str>) -> Markup {
    let action = match what {
        What::Enter => "/sign-in/with",
        What::SetUp => "/set-up/with",
        What::Confirm => "/confirm/with",
        What::Link => "/my-login/links/with",
    };
    let csrf = Some(call.csrf()).filter(|csrf| !csrf.is_empty());
    let fields = html! { @if let Some(next) = next { input type="hidden" name="next" value=(next); } };
    html! {
        div .i-actions {
            @for known in known {
                @let name = name(call, &known.provider);
                @let label = match what {
                    What::Enter | What::SetUp => call.say(format!("{name} 로그인"), format!("Log in at {name}")),
                    What::Confirm => call.say(format!("{name}에서 확인"), format!("Confirm at {name}")),
                    What::Link => call.say(format!("{name} 잇기"), format!("Link {name}")),
                };
                (form_post(&format!("{action}/{}", known.provider.id), csrf, &fields, &button(ButtonStyle::Secondary, &label)))
            }
        }
    }
}

/// The page that leads to a provider, or from there to us.
pub(super) fn onward(
    call: &Call<'_>,
    to: String,
    provider: Option<&Provider>,
    cookies: Vec<String>,
) -> Reply {
    let label = call.say("계속", "Continue");
    let content = html! { div .i-actions { (button_link(ButtonStyle::Primary, label, &to)) } };
    let lead = html! { (call.say("저절로 넘어가지 않으면 아래를 누르세요.", "If this page stays, press the button.")) };
    let title = match provider.map(|provider| name(call, provider)) {
        Some(name) => call.say(format!("{name}(으)로 넘어갑니다"), format!("On to {name}")),
        None => call.say("이음으로 돌아왔습니다", "Back at Ieum").to_owned(),
    };
    call.onward_with(to, Frame { lead: Some(lead), ..Frame::new(&title, content) }, cookies)
}

/// The page when nobody has entered: what happened, the code, what to do, and ways on.
pub(super) fn page(call: &Call<'_>, what: What, provider: &Provider, trouble: Trouble) -> Reply {
    let (happened, remedy) = trouble.words(call, name(call, provider));
    let body = html! {
        p { (remedy) }
        @if let Some(code) = trouble.code() { p .i-small { code { (code.id()) } } }
    };
    let (to, label) = match what {
        What::Enter => ("/sign-in", call.say("로그인 화면으로", "To the sign-in page")),
        What::SetUp => ("/set-up", call.say("로그인 수단 정하기로", "To how you will sign in")),
        What::Confirm => ("/confirm", call.say("본인 확인으로", "To the confirmation")),
        What::Link => ("/my-login", call.say("내 로그인으로", "To my log-in")),
    };
    let content = html! {
        (Message { tone: Tone::Warning, title: &happened, body }.html(call.lang))
        div .i-actions {
            (button_link(ButtonStyle::Primary, label, to))
            (button_link(ButtonStyle::Tertiary, call.say("이음 시작 화면", "Start page of Ieum"), "/"))
        }
    };
    let title = match what {
        What::Enter => call.say("로그인하지 못했습니다", "You are not signed in"),
        What::SetUp | What::Link => call.say("잇지 못했습니다", "Nothing was linked"),
        What::Confirm => call.say("확인하지 못했습니다", "It was not confirmed"),
    };
    call.page_with(trouble.status(), Frame::new(title, content))
}
