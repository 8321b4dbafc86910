//! Signing in with an account's secret, and signing out.

use ieum_fhir::search::{Filter, Param, Query, SystemTest, Test, TokenTest, Total};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{ACCOUNT, Account, digest};
use ieum_ui::{ButtonStyle, Field, InputKind, Message, Tone, button, card_plain, form_post, text_input};
use maud::html;

use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::{routes, serve};

/// Longest secret that is looked at.
const SECRET_BYTES: usize = 512;

/// What went wrong with the attempt before.
#[derive(Clone, Copy)]
enum Fault {
    Unknown,
    NotForPeople,
}

/// `GET /sign-in`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    if call.portal.is_open() {
        return Ok(Reply::See("/".into(), None));
    }
    Ok(form(call, None, call.value("next")))
}

fn form(call: &Call<'_>, fault: Option<Fault>, next: &str) -> Reply {
    let lang = call.lang;
    let error = fault.map(|fault| match fault {
        Fault::Unknown => call.say(
            "이 비밀값의 계정이 없습니다. 빠진 글자가 없는지 확인하세요.",
            "No account has this secret. Check that no character is missing.",
        ),
        Fault::NotForPeople => call.say(
            "이 계정은 시스템 사이의 연결에 쓰는 계정입니다. 화면에는 사람의 계정으로 들어올 수 있습니다.",
            "This account is for systems. Pages are entered with a person's account.",
        ),
    });
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
        @if let Some(next) = local(next) { input type="hidden" name="next" value=(next); }
        (text_input(&field, InputKind::Password, "", "current-password", lang))
    };
    let csrf = call.session.as_ref().map(|session| session.csrf.as_str());
    let actions = button(ButtonStyle::Primary, call.say("로그인", "Sign in"));
    let content = card_plain(form_post("/sign-in", csrf, &fields, &actions));
    let flash = fault.map(|_| Message {
        tone: Tone::Danger,
        title: call.say("로그인하지 못했습니다.", "You are not signed in."),
        body: html! {},
    });
    let status = if fault.is_some() {
        axum::http::StatusCode::UNPROCESSABLE_ENTITY
    } else {
        axum::http::StatusCode::OK
    };
    let lead = html! { (call.say("공용 컴퓨터에서는 쓰고 난 뒤 꼭 로그아웃하세요. 30분 동안 쓰지 않으면 저절로 로그아웃됩니다.",
    "On a shared computer, sign out when you are done. After 30 minutes without use you are signed out.")) };
    call.page_with(
        status,
        Frame { lead: Some(lead), flash, ..Frame::new(call.say("로그인", "Sign in"), content) },
    )
}

/// `POST /sign-in`
pub(crate) fn enter(call: &Call<'_>) -> Result<Reply, Refusal> {
    if call.portal.is_open() {
        return Ok(Reply::See("/".into(), None));
    }
    // Looked up whatever failed before: nobody guesses 256 bits, and behind one address may stand a whole hospital.
    let secret = call.field("secret").trim();
    let known = if secret.is_empty() || secret.len() > SECRET_BYTES { None } else { account(call, secret)? };
    let Some((id, account)) = known else {
        let now = call.portal.hub().now();
        // Only failures are slowed down, and leave no further audit entries.
        if let Some(seconds) = call.portal.throttle().wait_seconds(call.peer, now) {
            return Err(Refusal::TooMany(seconds));
        }
        call.portal.throttle().failed(call.peer, now);
        let nobody = Access::new("unknown", Role::Open);
        call.portal.hub().door().refused(&nobody, "sign-in", "/sign-in")?;
        return Ok(form(call, Some(Fault::Unknown), call.field("next")));
    };
    let access = account.access(&id);
    let Some(home) = routes::home(access.role) else {
        call.portal.hub().door().refused(&access, "sign-in", "/sign-in")?;
        return Ok(form(call, Some(Fault::NotForPeople), call.field("next")));
    };
    let next = local(call.field("next")).filter(|path| belongs(path, access.role)).unwrap_or(home).to_owned();
    call.portal.hub().door().released(&access, "sign-in", "/sign-in")?;
    open(call, access, Some(account.name), true, next)
}

/// Opens a session in place of the one there was, and goes there.
pub(super) fn open(
    call: &Call<'_>,
    access: Access,
    name: Option<String>,
    has_account: bool,
    to: String,
) -> Result<Reply, Refusal> {
    let portal = call.portal;
    if let Some(old) = &call.cookie {
        portal.sessions().close(old);
    }
    let cookie = portal
        .sessions()
        .open(access, name, has_account, portal.hub().now())
        .map_err(|error| Refusal::Broken(error.to_string()))?;
    Ok(Reply::See(to, Some(serve::session_cookie(portal, &cookie))))
}

/// `POST /sign-out`
pub(crate) fn leave(call: &Call<'_>) -> Result<Reply, Refusal> {
    if let Some(cookie) = &call.cookie {
        call.portal.sessions().close(cookie);
    }
    Ok(Reply::See("/".into(), Some(serve::session_cookie(call.portal, ""))))
}

/// The account of a secret, looked up by digest: how long that takes says nothing about the secret.
fn account(call: &Call<'_>, secret: &str) -> Result<Option<(String, Account)>, Refusal> {
    let param = Param { kind: ACCOUNT.name.into(), code: "secret".into() };
    let test = TokenTest { system: SystemTest::Any, code: Some(digest(secret)) };
    let filters = vec![Filter::Any { param, tests: vec![Test::Token(test)] }];
    let query = Query { kind: ACCOUNT.name.into(), filters, total: Total::None, ..Query::default() };
    let page = call.portal.hub().door().view(&Access::system("sign-in"))?.search(&query, None, 1)?;
    let Some(record) = page.records.first() else { return Ok(None) };
    let account = serde_json::from_slice(&record.plain_json())
        .map_err(|_| Refusal::Broken("an account cannot be read".into()))?;
    Ok(Some((record.id.clone(), account)))
}

/// A path on this hub, and nothing that leads elsewhere.
fn local(next: &str) -> Option<&str> {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    (next.starts_with('/') && !next.starts_with("//") && is_plain).then_some(next)
}

/// Whether a page is one of this role's, or of everybody who is signed in.
fn belongs(path: &str, role: Role) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let route = routes::find(&axum::http::Method::GET, &parts).map(|(route, _)| route.who);
    match route {
        Some(routes::Who::Only(only)) => only == role,
        Some(routes::Who::SignedIn) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
