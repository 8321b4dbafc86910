//! What is said of identity checks.

use axum::http::StatusCode;
use ieum_fhir::outcome::Code;
use ieum_trust::identity::Trouble;
use ieum_ui::{ButtonStyle, Message, Tone, button_link};
use maud::html;

use crate::identity::Check;
use crate::portal::call::{Call, Reply};
use crate::portal::frame::Frame;

/// Why nobody got an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unproven {
    /// The relay cannot be asked.
    Unreachable,
    /// The answer goes with no question of this browser.
    State,
    /// The person refused, or it is over.
    NotFinished,
    /// The result is not one.
    Sealed,
    /// No account is prepared for them.
    NoAccount,
    /// The account has a log-in already.
    HasLogIn,
}

impl Unproven {
    pub(super) fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unreachable => Self::Unreachable,
            Trouble::Pending | Trouble::Refused | Trouble::Over => Self::NotFinished,
            Trouble::Sealed => Self::Sealed,
        }
    }

    pub(super) fn code(self) -> Code {
        match self {
            Self::Unreachable => Code::LoginUnreachable,
            Self::State => Code::LoginState,
            Self::NotFinished => Code::IdentityUnfinished,
            Self::Sealed => Code::IdentityUntrusted,
            Self::NoAccount => Code::IdentityNoAccount,
            Self::HasLogIn => Code::IdentityHasLogIn,
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unreachable => StatusCode::BAD_GATEWAY,
            Self::State | Self::NotFinished | Self::Sealed => StatusCode::BAD_REQUEST,
            Self::NoAccount | Self::HasLogIn => StatusCode::FORBIDDEN,
        }
    }

    /// What happened, and what to do.
    fn words(self, call: &Call<'_>) -> (&'static str, &'static str) {
        match self {
            Self::Unreachable => (
                call.say("지금은 본인 확인을 할 수 없습니다.", "Identity cannot be checked at the moment."),
                call.say(
                    "잠시 뒤에 다시 하거나 다른 수단을 고르세요.",
                    "Try again in a while, or choose another way.",
                ),
            ),
            Self::State => (
                call.say(
                    "이 브라우저에서 시작한 본인 확인이 아니거나, 시작한 지 10분이 지났습니다.",
                    "The check was not begun in this browser, or more than 10 minutes ago.",
                ),
                call.say(
                    "처음부터 다시 하세요. 창은 하나만 여세요.",
                    "Begin anew, in one window only.",
                ),
            ),
            Self::NotFinished => (
                call.say("본인 확인을 마치지 않았습니다.", "The check was not finished."),
                call.say(
                    "거절했거나 시간이 지났습니다. 처음부터 다시 하세요.",
                    "It was refused, or took too long. Begin anew.",
                ),
            ),
            Self::Sealed => (
                call.say("본인 확인 결과를 믿을 수 없습니다.", "The result of the check cannot be trusted."),
                call.say(
                    "처음부터 다시 하세요. 계속되면 코드와 함께 허브 운영자에게 알려 주세요.",
                    "Begin anew. If it goes on, tell the operator of the hub the code.",
                ),
            ),
            Self::NoAccount => (
                call.say("나를 위해 준비된 계정을 찾지 못했습니다.", "No account prepared for you was found."),
                call.say(
                    "다니는 기관에 계정을 만들어 달라고 하세요. 이미 만들었다면 기관에 적힌 이름, 생년월일, 성별, 휴대전화번호가 맞는지 물어보거나, 초대 링크를 받아 여세요.",
                    "Ask your institution to make one. If it has, ask whether name, day of birth, sex and mobile number are right there, or for the link of an invitation.",
                ),
            ),
            Self::HasLogIn => (
                call.say("내 계정에는 이미 로그인이 있습니다.", "Your account has a log-in already."),
                call.say(
                    "로그인 화면에서 들어오세요. 로그인 수단을 모두 잃었으면 기관에 새 초대 링크를 부탁하세요.",
                    "Sign in with it. If you have lost every way in, ask your institution for a new invitation.",
                ),
            ),
        }
    }
}

/// What people call a check.
pub(super) fn name<'c>(call: &Call<'_>, check: &'c Check) -> &'c str {
    call.say(&check.relay.name, &check.relay.name_en)
}

/// A page that leads on by itself.
pub(super) fn onward(call: &Call<'_>, to: String, check: &Check, cookies: Vec<String>) -> Reply {
    let label = call.say("계속", "Continue");
    let content = html! { div .i-actions { (button_link(ButtonStyle::Primary, label, &to)) } };
    let lead = html! { (call.say("저절로 넘어가지 않으면 아래를 누르세요.", "If this page stays, press the button.")) };
    call.onward_with(to, Frame { lead: Some(lead), ..Frame::new(name(call, check), content) }, cookies)
}

/// The person has come back without having finished.
pub(super) fn pending(call: &Call<'_>, check: &Check) -> Reply {
    let title = call.say("아직 끝나지 않았습니다.", "It is not finished yet.");
    let body = html! { p { (call.say(
    "앱에서 확인한 뒤 아래를 누르세요.", "Confirm it in the app, then press the button.")) } };
    let content = html! {
        (Message { tone: Tone::Information, title, body }.html(call.lang))
        div .i-actions {
            (button_link(ButtonStyle::Primary, call.say("확인했습니다", "I have confirmed it"), call.address))
            (button_link(ButtonStyle::Tertiary, call.say("처음부터 다시", "Begin anew"), "/claim"))
        }
    };
    call.page(Frame::new(name(call, check), content))
}

/// The page when nobody got an account: what happened, the code, what to do, and ways on.
pub(super) fn page_of(call: &Call<'_>, check: &Check, unproven: Unproven) -> Reply {
    let (title, remedy) = unproven.words(call);
    let body = html! { p { (remedy) } p .i-small { code { (unproven.code().id()) } } };
    let content = html! {
        (Message { tone: Tone::Warning, title, body }.html(call.lang))
        div .i-actions {
            (button_link(ButtonStyle::Primary, call.say("다시 하기", "Try again"), "/claim"))
            (button_link(ButtonStyle::Tertiary, call.say("로그인 화면으로", "To the sign-in page"), "/sign-in"))
        }
    };
    call.page_with(unproven.status(), Frame::new(name(call, check), content))
}
