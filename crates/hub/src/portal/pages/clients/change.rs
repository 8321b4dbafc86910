//! What a manager does with an app that is there. Each asks that they have just shown who they are, and leaves an audit
//! entry with the manager's name before it is done.

use axum::http::StatusCode;
use ieum_trust::authorization::client::{self, CLIENT, ClientError, Misfit};
use ieum_trust::authorization::jwk::KeyError;
use serde_json::Value;

use super::{LIST, access, own, shown};
use crate::portal::call::{Call, Refusal, Reply};

/// `POST /manager/clients/{id}/keys`
pub(crate) fn keys(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (id, client) = own(call)?;
    let address = format!("{LIST}/{id}");
    call.fresh(&address)?;
    let Some(jwks) = jwks(call) else { return shown(call, Some(unreadable(call))) };
    note(call, "client-keys", &id)?;
    let door = call.portal.hub().door();
    let institution = client.institution.as_deref().unwrap_or_default();
    match client::change_keys(door, (&access(), "client-keys"), (institution, &id), &jwks) {
        Ok(true) => Ok(Reply::See(format!("{address}?done=keys"), Vec::new())),
        Ok(false) => Err(Refusal::NotFound),
        Err(error) => {
            let wrong = wrong(call, error)?;
            shown(call, Some(wrong.1))
        }
    }
}

/// `POST /manager/clients/{id}/end`
pub(crate) fn end(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (id, _) = own(call)?;
    call.fresh(&format!("{LIST}/{id}"))?;
    note(call, "client-end", &id)?;
    client::remove(call.portal.hub().door(), &access(), &id)?;
    Ok(Reply::See(format!("{LIST}?done=ended"), Vec::new()))
}

pub(super) fn note(call: &Call<'_>, action: &str, id: &str) -> Result<(), Refusal> {
    let target = format!("{}/{id}", CLIENT.name);
    Ok(call.portal.hub().door().released(call.access()?, action, &target)?)
}

/// The JWK set in the form; `None` when it is none.
pub(super) fn jwks(call: &Call<'_>) -> Option<Value> {
    serde_json::from_str(call.field("jwks").trim()).ok()
}

pub(super) fn unreadable(call: &Call<'_>) -> &'static str {
    call.say(
        "JSON으로 읽을 수 없습니다. {\"keys\": […]} 꼴로 넣으세요.",
        "This cannot be read as JSON: write {\"keys\": […]}.",
    )
}

pub(super) fn status(wrong: Option<&str>) -> StatusCode {
    if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
}

/// In which field something is wrong, and what.
///
/// # Errors
/// When it is not the form that is wrong.
pub(super) fn wrong(call: &Call<'_>, error: ClientError) -> Result<(&'static str, &'static str), Refusal> {
    let (field, ko, en) = match error {
        ClientError::Name => {
            ("name", "이름을 한 줄로 80자까지 넣으세요.", "A name of up to 80 letters on one line is needed.")
        }
        ClientError::Address => (
            "redirects",
            "https://로 시작하는 주소를 10개까지, 각각 512바이트까지 넣으세요. #은 쓸 수 없습니다.",
            "Give up to 10 addresses that begin with https://, of up to 512 bytes, without #.",
        ),
        ClientError::NeedsKeys => {
            ("jwks", "엄격한 규칙에는 공개 키가 있어야 합니다.", "The strict policy needs public keys.")
        }
        ClientError::Keys(error) => return Ok(("jwks", key_word(call, error))),
        ClientError::Misfit(Misfit::Account) => (
            "account",
            "system/ 범위가 있으면 시스템 계정을 고르고, 없으면 고르지 마세요.",
            "With system/ scopes choose an account, without them choose none.",
        ),
        ClientError::Misfit(Misfit::SystemKeys) => {
            ("jwks", "system/ 범위에는 공개 키가 있어야 합니다.", "system/ scopes need public keys.")
        }
        ClientError::Misfit(Misfit::Redirect) => (
            "redirects",
            "사람이 쓰는 범위가 있으면 돌아갈 주소를 넣고, system/ 범위뿐이면 비우세요.",
            "With scopes for people give an address back; with system/ scopes alone, none.",
        ),
        ClientError::Misfit(Misfit::Launch) => (
            "launch",
            "launch 범위와 시작 주소는 함께 있거나 함께 없어야 합니다.",
            "The scope launch and a launch address go together.",
        ),
        ClientError::Certificate => (
            "jwks",
            "이 앱은 인증서로 본인임을 밝힙니다. 키마다 인증서(x5c)가 있어야 합니다.",
            "This app proves who it is by a certificate: every key needs its own (x5c).",
        ),
        ClientError::Commit(error) => return Err(error.into()),
        ClientError::Random(error) => return Err(error.into()),
    };
    Ok((field, call.say(ko, en)))
}

fn key_word(call: &Call<'_>, error: KeyError) -> &'static str {
    match error {
        KeyError::Private => call.say(
            "개인 키가 들어 있습니다. 이 키는 이제 쓰지 말고 새로 만들어, 공개 부분만 넣으세요.",
            "A private key is in it. Do not use that key any more: make a new one, and give its public part.",
        ),
        KeyError::Kind => call.say(
            "EC(P-256, P-384), RSA(2048–4096비트), Ed25519 키만 쓸 수 있습니다.",
            "Keys must be EC (P-256, P-384), RSA (2048 to 4096 bits) or Ed25519.",
        ),
        KeyError::Form => call.say(
            "키를 읽을 수 없습니다. 값은 base64url이어야 합니다.",
            "A key cannot be read: its members must be base64url.",
        ),
        KeyError::Number => {
            call.say("키를 1개에서 10개까지 넣으세요: {\"keys\": […]}", "Give 1 to 10 keys: {\"keys\": […]}")
        }
        KeyError::Names => call.say(
            "키가 여럿이면 각각 다른 kid가 있어야 합니다.",
            "With several keys each needs a kid of its own.",
        ),
    }
}
