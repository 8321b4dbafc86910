//! Changes of what proves who a person is. Each asks that they have just shown it, leaves an audit entry, and ends the
//! sessions that were open elsewhere.

use ieum_store::commit::CommitError;
use ieum_trust::person::keep::{self, Unlinked};
use ieum_trust::person::password;
use ieum_ui::{ButtonStyle, Message, Tone, button_link, button_print};
use maud::html;

use super::{Fault, shown};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::pages::entry::elsewhere::issuers;
use crate::portal::pages::entry::factors::{chosen_app, chosen_password};
use crate::portal::pages::entry::passkey::{self, Answer};
use crate::portal::pages::entry::{from, replace_session, set_up};
use crate::portal::session::{Session, Standing};

const PAGE: &str = "/my-login";

/// `POST /my-login/passkeys`
pub(crate) fn add_passkey(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    let (person, purpose) = (call.person()?, set_up::purpose(call)?);
    let answer = Answer::of(call).ok_or(Refusal::Bad)?;
    let passkey = match answer.register(call, &purpose, &passkey::label(call)) {
        Ok(passkey) => passkey,
        Err(fault) => return shown(call, Some(Fault::Passkey(passkey::fault_word(call, fault)))),
    };
    note(call, "passkey-add")?;
    match keep::add_passkey(call.portal.hub().door(), person, &passkey) {
        Ok(Some(generation)) => goes_on(call, generation, "passkey"),
        Ok(None) => {
            let what = call.say(
                "패스키는 10개까지입니다. 쓰지 않는 것을 먼저 지우세요.",
                "There can be 10 passkeys. Remove one first.",
            );
            shown(call, Some(Fault::Passkey(what)))
        }
        Err(CommitError::Guard { .. }) => {
            let what = call.say("이미 쓰고 있는 패스키입니다.", "This passkey is in use already.");
            shown(call, Some(Fault::Passkey(what)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /my-login/passkeys/{digest}/remove`
pub(crate) fn remove_passkey(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    note(call, "passkey-remove")?;
    let (mut is_there, digest) = (false, call.place.first());
    let removed = keep::change(call.portal.hub().door(), "passkey-remove", call.person()?, |person| {
        is_there = person.passkeys.iter().any(|passkey| passkey.digest == digest);
        person.passkeys.retain(|passkey| passkey.digest != digest);
        person.end_sessions();
        (is_there && person.is_complete(&issuers(call))).then_some(person.generation)
    })?;
    match removed {
        Some(generation) => goes_on(call, generation, "removed"),
        None if is_there => shown(call, Some(Fault::Passkey(last_way(call)))),
        None => Err(Refusal::NotFound),
    }
}

/// `POST /my-login/links/{link}/remove`
pub(crate) fn remove_link(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    note(call, "provider-unlink")?;
    let (door, identity) = (call.portal.hub().door(), call.place.first());
    match keep::remove_link(door, call.person()?, identity, &issuers(call))? {
        Unlinked::Gone(generation) => goes_on(call, generation, "unlinked"),
        Unlinked::Last => shown(call, Some(Fault::Link(last_way(call)))),
        Unlinked::Missing => Err(Refusal::NotFound),
    }
}

fn last_way(call: &Call<'_>) -> &'static str {
    call.say(
        "마지막 로그인 수단은 지울 수 없습니다. 다른 패스키나 비밀번호와 인증 앱을 먼저 더하세요.",
        "The last way in cannot be removed. Add another passkey first, or a password and an app.",
    )
}

/// `POST /my-login/password`
pub(crate) fn password(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    let (door, id) = (call.portal.hub().door(), call.person()?);
    let login = keep::read(door, id)?.ok_or(Refusal::SignIn)?.value.login;
    let chosen = match chosen_password(call, &login) {
        Ok(chosen) => chosen,
        Err(wrong) => return shown(call, Some(Fault::Password(wrong))),
    };
    let hash = password::hash(&chosen)?;
    note(call, "password-change")?;
    let generation = keep::change(door, "password-change", id, |person| {
        person.password = Some(hash.clone());
        person.end_sessions();
        Some(person.generation)
    })?;
    goes_on(call, generation.ok_or(Refusal::SignIn)?, "password")
}

/// `POST /my-login/app`
pub(crate) fn app(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    let app = match chosen_app(call) {
        Ok(app) => app,
        Err(wrong) => return shown(call, Some(Fault::App(wrong))),
    };
    note(call, "app-change")?;
    let generation = keep::change(call.portal.hub().door(), "app-change", call.person()?, |person| {
        person.totp = Some(app.clone());
        person.end_sessions();
        Some(person.generation)
    })?;
    goes_on(call, generation.ok_or(Refusal::SignIn)?, "app")
}

/// `POST /my-login/recovery`: shows the new codes, once.
pub(crate) fn recovery(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    note(call, "recovery-make")?;
    let made = keep::change(call.portal.hub().door(), "recovery-make", call.person()?, |person| {
        Some(person.renew_recovery())
    })?;
    let codes = made.ok_or(Refusal::SignIn)??;
    let what = call.say(
        "이 화면을 떠나면 다시 볼 수 없습니다. 인쇄하거나 암호 관리자에 넣어 두세요. 전에 만든 코드는 더는 쓸 수 없습니다.",
        "They are shown this once. Print them, or keep them in a password manager. Earlier ones are not good any more.",
    );
    let content = html! {
        (Message { tone: Tone::Warning, title: what, body: html! {} }.html(call.lang))
        ul .i-codes { @for code in &codes { li { code { (code) } } } }
        div .i-actions {
            (button_print(call.lang))
            (button_link(ButtonStyle::Primary, call.say("적어 두었습니다", "I have kept them"), PAGE))
        }
    };
    Ok(call
        .page(Frame { trail: Some(&[]), ..Frame::new(call.say("복구 코드", "Recovery codes"), content) }))
}

/// `POST /my-login/devices/{number}/end`
pub(crate) fn end_one(call: &Call<'_>) -> Result<Reply, Refusal> {
    note(call, "device-end")?;
    call.portal.sessions().close_one(call.person()?, call.place.first());
    Ok(Reply::See(format!("{PAGE}?done=ended"), Vec::new()))
}

/// `POST /my-login/devices/end`: everywhere else. It holds after a restart too, and for sessions that began meanwhile.
pub(crate) fn end_all(call: &Call<'_>) -> Result<Reply, Refusal> {
    note(call, "devices-end")?;
    let generation = keep::change(call.portal.hub().door(), "devices-end", call.person()?, |person| {
        person.end_sessions();
        Some(person.generation)
    })?;
    goes_on(call, generation.ok_or(Refusal::SignIn)?, "ended")
}

fn note(call: &Call<'_>, action: &str) -> Result<(), Refusal> {
    let target = format!("{PAGE} {}", from(call));
    Ok(call.portal.hub().door().note_person(Some(call.person()?), action, &target, true)?)
}

/// This session goes on under the new number and with another cookie; all others have ended. It is no younger for that,
/// and who it is has not been shown anew.
pub(crate) fn goes_on(call: &Call<'_>, generation: u64, done: &str) -> Result<Reply, Refusal> {
    let old = call.session.as_ref().ok_or(Refusal::SignIn)?;
    let Standing::Person { person, way, .. } = &old.standing else { return Err(Refusal::SignIn) };
    let standing = Standing::Person { person: person.clone(), generation, way: way.clone() };
    let session = Session::new(standing, &call.device, call.micros())?;
    let (access, name) = (old.access.clone(), old.name.clone());
    let session = Session { access, name, shown: old.shown, opened: old.opened, ..session };
    replace_session(call, session, format!("{PAGE}?done={done}"), None)
}
