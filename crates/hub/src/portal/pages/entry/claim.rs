//! A patient proves who they are, and gets the account that an institution prepared for them: an invitation to it, which
//! then goes its usual way (`welcome`). Nobody is told of accounts of anybody else: who is not found, is not.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_fhir::json::Value;
use ieum_trust::account::{self, Account};
use ieum_trust::identity::{Checked, Proven, Recorded, Trouble};
use ieum_trust::person::keep;
use ieum_trust::records::Kept;
use ieum_ui::{ButtonStyle, button, button_link, card_plain, form_post};
use maud::{Markup, html};

use super::from;
use crate::identity::{Check, Identity};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::cookies;
use crate::portal::frame::Frame;
use crate::portal::record::fields::{all, read_all, text};
use crate::portal::record::load;
use crate::portal::session::random;

mod words;

use words::{Unproven, onward, page_of};

/// Patients with one name and day of birth that are looked at, and accounts of each.
const MOST: usize = 50;

fn identity<'c>(call: &'c Call<'_>) -> Result<&'c Identity, Refusal> {
    call.portal.hub().identity().ok_or(Refusal::NotFound)
}

fn check<'c>(call: &'c Call<'_>) -> Result<&'c Check, Refusal> {
    identity(call)?.find(call.place.first()).ok_or(Refusal::NotFound)
}

/// `GET /claim`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let csrf = Some(call.csrf()).filter(|csrf| !csrf.is_empty());
    let content = html! {
        (card_plain(html! {
            p { (call.say(
                "기관이 나를 위해 만들어 둔 계정을 찾습니다. 이름, 생년월일, 성별, 휴대전화번호를 기관의 기록과 맞추어 보고, 연계정보(CI)는 그대로 저장하지 않습니다.",
                "The account that an institution has prepared for you is looked for. Name, day of birth, sex and mobile number are compared with its record; the CI is not kept as it is.")) }
            div .i-actions {
                @for check in identity(call)?.checks() {
                    (form_post(&format!("/claim/{}", check.relay.id), csrf, &html! {},
                        &button(ButtonStyle::Primary, words::name(call, check))))
                }
            }
        }))
        div .i-actions {
            (button_link(ButtonStyle::Tertiary, call.say("이미 로그인할 수 있으면 여기로", "If you can sign in already"), "/sign-in"))
        }
    };
    let title = call.say("본인 확인으로 내 계정 찾기", "Find your account by showing who you are");
    Ok(call.page(Frame::new(title, content)))
}

/// The way there from the sign-in page, where there is any.
pub(crate) fn way_there(call: &Call<'_>) -> Markup {
    html! {
        @if call.portal.hub().identity().is_some() {
            div .i-actions {
                (button_link(ButtonStyle::Tertiary, call.say("처음 온 환자: 본인 확인으로 내 계정 찾기", "New patients: find your account"), "/claim"))
            }
        }
    }
}

fn purpose(check: &Check, sent: &str) -> String {
    format!("claim {} {sent}", check.relay.id)
}

/// `POST /claim/{check}`
pub(crate) fn begin(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (check, now) = (check(call)?, call.micros());
    if let Some(seconds) = call.portal.passwords().wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    // Every question costs one at the relay.
    call.portal.passwords().failed(call.peer, now);
    let (challenges, browser) = (call.portal.challenges(), random()?);
    let state = challenges.ask(&purpose(check, &browser[..32]), now)?;
    let request = challenges.derived("claim", &state);
    let path = format!("/claim/{}/return?state={state}", check.relay.id);
    match identity(call)?.begin(check, &request, &path) {
        Ok(begun) => {
            // What the transaction is called is no secret, and counts with its request alone.
            let cookie =
                cookies::elsewhere(call.portal, &format!("{}:{}", &browser[..32], begun.transaction));
            Ok(onward(call, begun.page, check, vec![cookie]))
        }
        Err(trouble) => failed(call, check, Unproven::of(trouble)),
    }
}

/// `GET /claim/{check}/return`: from the relay.
pub(crate) fn finish(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (check, now) = (check(call)?, call.micros());
    if let Some(seconds) = call.portal.passwords().wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    let (challenges, state) = (call.portal.challenges(), call.value("state"));
    let sent = call.elsewhere.as_deref().and_then(|cookie| cookie.split_once(':'));
    let challenge = URL_SAFE_NO_PAD.decode(state).unwrap_or_default();
    let is_ours = |(browser, _): &(&str, &str)| challenges.is_ours(&purpose(check, browser), &challenge, now);
    let Some((_, transaction)) = sent.filter(is_ours) else {
        return failed(call, check, Unproven::State);
    };
    let request = challenges.derived("claim", state);
    let checked = match identity(call)?.finish(check, (transaction, &request), now.div_euclid(1_000_000)) {
        Ok(checked) => checked,
        Err(Trouble::Pending) => return Ok(words::pending(call, check)),
        Err(trouble) => return failed(call, check, Unproven::of(trouble)),
    };
    if !challenges.take(&challenge, now) {
        return failed(call, check, Unproven::State);
    }
    proven(call, check, &checked)
}

fn proven(call: &Call<'_>, check: &Check, checked: &Checked) -> Result<Reply, Refusal> {
    let ci = identity(call)?.ci_digest(checked);
    let accounts = accounts_of(call, checked, ci.as_deref())?;
    let [account] = accounts.as_slice() else {
        // None, or several patients that are alike: which of them it is, the institution knows.
        return failed(call, check, Unproven::NoAccount);
    };
    if !account.value.is_open() {
        return failed(call, check, Unproven::HasLogIn);
    }
    let proven = Proven { by: check.relay.id.clone(), kind: check.relay.kind, at: call.micros(), ci };
    let door = call.portal.hub().door();
    let target = format!("IeumAccount/{} check-{} {}", account.id, check.relay.id, from(call));
    door.note_person(None, "account-claim", &target, true)?;
    match account::claim(door, account, &proven)? {
        Some(token) => Ok(onward(call, format!("/welcome/{token}"), check, Vec::new())),
        None => failed(call, check, Unproven::NoAccount),
    }
}

/// The accounts prepared for whoever was checked.
fn accounts_of(call: &Call<'_>, checked: &Checked, ci: Option<&str>) -> Result<Vec<Kept<Account>>, Refusal> {
    let door = call.portal.hub().door();
    let view = door.view(&keep::access())?;
    let birth = checked.birth_date.to_string();
    let name = load::escaped(&checked.name);
    let pairs = [("birthdate", birth.as_str()), ("name", name.as_str())];
    let page = load::search(call, &view, "Patient", &pairs, None, MOST)?;
    // So many of one name and day are no people.
    if page.next.is_some() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (id, recorded) in read_all(&page.records, |patient| (text(patient, &["id"]), recorded(patient))) {
        for account in account::of_patient(door, &id.unwrap_or_default(), MOST)? {
            let known = account.value.proven.as_ref().and_then(|proven| proven.ci.clone());
            if checked.is(&Recorded { ci: known, ..recorded.clone() }, ci) {
                found.push(account);
            }
        }
    }
    Ok(found)
}

fn recorded(patient: Value<'_>) -> Recorded {
    let is_phone = |contact: &Value<'_>| text(*contact, &["system"]).as_deref() == Some("phone");
    Recorded {
        names: all(patient, "name").filter_map(|name| text(name, &["text"])).collect(),
        birth: text(patient, &["birthDate"]),
        sex: text(patient, &["gender"]),
        phones: all(patient, "telecom").filter(is_phone).filter_map(|it| text(it, &["value"])).collect(),
        ci: None,
    }
}

/// Nobody was proven, or nothing is prepared for them: counted, written down with its code, told with what to do.
fn failed(call: &Call<'_>, check: &Check, unproven: Unproven) -> Result<Reply, Refusal> {
    if unproven.status() != StatusCode::BAD_GATEWAY {
        call.portal.passwords().failed(call.peer, call.micros());
    }
    let target = format!("/claim check-{} {} {}", check.relay.id, unproven.code().id(), from(call));
    call.portal.hub().door().note_person(None, "account-claim", &target, false)?;
    Ok(page_of(call, check, unproven))
}
