//! The page to sign in on, signing in with an account's secret, and signing out.

use axum::http::StatusCode;
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{ACCOUNT, Account, digest};
use ieum_trust::records::{self, Kept};
use ieum_ui::{
    ButtonStyle, Field, InputKind, Message, Tone, button, card_plain, disclosure, form_post, section,
    text_input,
};
use maud::{Markup, html};

use super::entry::claim;
use super::entry::elsewhere::{self, What, words};
use super::entry::passkey;
use super::entry::replace_session;
use super::entry::ways::PURPOSE;
use crate::federation::Known;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::session::{Session, Standing};
use crate::portal::{cookies, routes};

/// Longest secret that is looked at.
const SECRET_BYTES: usize = 512;

/// What went wrong with the attempt before.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// No account has this secret.
    Unknown,
    /// The secret is a system's.
    NotForPeople,
    /// Name, password or code is missing.
    Incomplete,
    /// Name, password or code is wrong; which, is not told.
    Password,
    /// Nobody who may enter has this passkey.
    NoPasskey,
    /// The passkey was not taken, for this reason.
    Passkey(&'static str),
}

/// `GET /sign-in`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    if call.portal.is_open() {
        return Ok(Reply::See("/".into(), Vec::new()));
    }
    form(call, None)
}

/// The page, with what went wrong.
pub(super) fn form(call: &Call<'_>, fault: Option<Fault>) -> Result<Reply, Refusal> {
    // The address after a failure is that of the form.
    let next = local(if fault.is_some() { call.field("next") } else { call.value("next") });
    let elsewhere: Vec<&Known> = elsewhere::providers(call).iter().collect();
    let content = html! {
        (section(call.say("패스키", "Passkey"), card_plain(passkey::form_use(call, "/sign-in/passkey", PURPOSE, None, next)?)))
        (section(call.say("비밀번호와 인증 번호", "Password and code"), card_plain(password_form(call, fault, next))))
        @if !elsewhere.is_empty() {
            (section(words::title(call), words::buttons(call, &elsewhere, What::Enter, next)))
        }
        (claim::way_there(call))
        (secret_form(call, fault, next))
    };
    let title = call.say("로그인하지 못했습니다.", "You are not signed in.");
    let body = match fault {
        Some(Fault::Passkey(what)) => html! { p { (what) } },
        Some(Fault::NoPasskey) => html! { p { (call.say(
        "이 패스키로 들어올 수 있는 사람이 없거나, 화면을 연 지 오래되었습니다. 다시 하거나 다른 방법을 쓰세요.",
        "Nobody enters with this passkey, or the page has been open for too long. Try again, or use another way.")) } },
        _ => html! {},
    };
    let flash = fault.map(|_| Message { tone: Tone::Danger, title, body });
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let lead = html! { (call.say("공용 컴퓨터에서는 쓰고 난 뒤 꼭 로그아웃하세요. 30분 동안 쓰지 않으면 저절로 로그아웃됩니다.",
    "On a shared computer, sign out when you are done. After 30 minutes without use you are signed out.")) };
    let frame = Frame { lead: Some(lead), flash, ..Frame::new(call.say("로그인", "Sign in"), content) };
    Ok(call.page_with(status, frame))
}

fn password_form(call: &Call<'_>, fault: Option<Fault>, next: Option<&str>) -> Markup {
    let lang = call.lang;
    let error = match fault {
        Some(Fault::Incomplete) => Some(call.say(
            "로그인 이름, 비밀번호, 인증 번호를 모두 넣으세요.",
            "Log-in name, password and code are all needed.",
        )),
        Some(Fault::Password) => Some(call.say(
            "로그인 이름, 비밀번호, 인증 번호 가운데 맞지 않는 것이 있습니다. 한 번 쓴 번호는 다시 쓸 수 없습니다.",
            "Log-in name, password or code is not right. A code can be used once only.",
        )),
        _ => None,
    };
    let login =
        Field { error, required: true, ..Field::new("login", call.say("로그인 이름", "Log-in name")) };
    let password = Field { required: true, ..Field::new("password", call.say("비밀번호", "Password")) };
    let code = Field {
        hint: Some(
            call.say("인증 앱에 보이는 6자리, 또는 복구 코드", "The 6 digits of the app, or a recovery code"),
        ),
        required: true,
        ..Field::new("code", call.say("인증 번호", "Code"))
    };
    let fields = html! {
        (next_field(next))
        (text_input(&login, InputKind::Text, call.field("login"), "username", lang))
        (text_input(&password, InputKind::Password, "", "current-password", lang))
        (text_input(&code, InputKind::Text, "", "one-time-code", lang))
    };
    let label = call.say("비밀번호로 로그인", "Sign in with password");
    form_post("/sign-in/password", csrf(call), &fields, &button(ButtonStyle::Secondary, label))
}

/// For accounts that have a secret of their own: the demo's, and those of whoever runs systems.
fn secret_form(call: &Call<'_>, fault: Option<Fault>, next: Option<&str>) -> Markup {
    let error = match fault {
        Some(Fault::Unknown) => Some(call.say(
            "이 비밀값의 계정이 없습니다. 빠진 글자가 없는지 확인하세요.",
            "No account has this secret. Check that no character is missing.",
        )),
        Some(Fault::NotForPeople) => Some(call.say(
            "이 계정은 시스템 사이의 연결에 쓰는 계정입니다. 화면에는 사람의 계정으로 들어올 수 있습니다.",
            "This account is for systems. Pages are entered with a person's account.",
        )),
        _ => None,
    };
    let field = Field {
        hint: Some(call.say(
            "계정을 만들 때 받은 43자의 값입니다. 암호 관리자에 저장해 두면 편합니다.",
            "The 43 characters given when the account was made. A password manager can keep them.",
        )),
        error,
        required: true,
        ..Field::new("secret", call.say("계정 비밀값", "Account secret"))
    };
    let fields = html! {
        (next_field(next))
        (text_input(&field, InputKind::Password, "", "current-password", call.lang))
    };
    let actions = button(ButtonStyle::Tertiary, call.say("비밀값으로 로그인", "Sign in with the secret"));
    let is_open = error.is_some() || call.portal.is_demo();
    let summary = call.say("비밀값이 있는 계정으로 로그인", "Sign in to an account with a secret");
    disclosure(summary, is_open, form_post("/sign-in", csrf(call), &fields, &actions))
}

fn next_field(next: Option<&str>) -> Markup {
    html! { @if let Some(next) = next { input type="hidden" name="next" value=(next); } }
}

fn csrf<'c>(call: &'c Call<'_>) -> Option<&'c str> {
    Some(call.csrf()).filter(|csrf| !csrf.is_empty())
}

/// `POST /sign-in`
pub(crate) fn enter(call: &Call<'_>) -> Result<Reply, Refusal> {
    if call.portal.is_open() {
        return Ok(Reply::See("/".into(), Vec::new()));
    }
    // Looked up whatever failed before: nobody guesses 256 bits, and behind one address may stand a whole hospital.
    let secret = call.field("secret").trim();
    let known = if secret.is_empty() || secret.len() > SECRET_BYTES { None } else { account(call, secret)? };
    let Some(Kept { id, value: account, .. }) = known else {
        let now = call.micros();
        // Only failures are slowed down, and leave no further audit entries.
        if let Some(seconds) = call.portal.secrets().wait_seconds(call.peer, now) {
            return Err(Refusal::TooMany(seconds));
        }
        call.portal.secrets().failed(call.peer, now);
        call.portal.hub().door().note_person(None, "sign-in", "/sign-in", false)?;
        return form(call, Some(Fault::Unknown));
    };
    let access = account.access(&id);
    let Some(home) = routes::home(access.role) else {
        call.portal.hub().door().refused(&access, "sign-in", "/sign-in")?;
        return form(call, Some(Fault::NotForPeople));
    };
    let next = local(call.field("next")).filter(|path| belongs(path, access.role)).unwrap_or(home).to_owned();
    call.portal.hub().door().released(&access, "sign-in", "/sign-in")?;
    let session = Session::new(Standing::Secret, &call.device, call.micros())?;
    replace_session(call, session.acting(access, Some(account.name)), next, None)
}

/// `POST /sign-out`
pub(crate) fn leave(call: &Call<'_>) -> Result<Reply, Refusal> {
    if let Some(cookie) = &call.cookie {
        call.portal.sessions().close(cookie);
    }
    Ok(Reply::See("/".into(), vec![cookies::session(call.portal, "")]))
}

/// The account of a secret, looked up by digest: how long that takes says nothing about the secret.
fn account(call: &Call<'_>, secret: &str) -> Result<Option<Kept<Account>>, Refusal> {
    let view = call.portal.hub().door().view(&Access::system("sign-in"))?;
    Ok(records::find(&view, &ACCOUNT, ("secret", &digest(secret)), 1)?.pop())
}

/// A path on this hub, and nothing that leads elsewhere.
pub(super) fn local(next: &str) -> Option<&str> {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    (next.starts_with('/') && !next.starts_with("//") && is_plain).then_some(next)
}

/// Whether a page is one of this role's, or of everybody who has entered.
pub(super) fn belongs(path: &str, role: Role) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let route = routes::find(&axum::http::Method::GET, &parts).map(|(route, _)| route.who);
    match route {
        Some(routes::Who::Only(only)) => only == role,
        Some(routes::Who::PatientOrRepresentative) => role == Role::Patient,
        Some(routes::Who::SignedIn | routes::Who::Person) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: 19
    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        for bad in ["", "//evil.kr", "https://evil.kr", "/\\evil.kr", "/a?b", "/a b", "/%2f", "patients"] {
            assert_eq!(local(bad), None, "{bad}");
        }
        assert_eq!(local("/patients/p-1"), Some("/patients/p-1"));
        assert!(belongs("/patients/p-1", Role::Clinician) && !belongs("/patients/p-1", Role::Patient));
        assert!(
            belongs("/oauth/consent/abc", Role::Patient) && belongs("/oauth/consent/abc", Role::Operator)
        );
        assert!(!belongs("/metrics", Role::Operator) && !belongs("/nowhere", Role::Operator));
    }
}
