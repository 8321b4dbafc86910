//! Entering with a passkey, or with log-in name, password and code.

use ieum_trust::person::entry::{self, Refused};
use ieum_trust::person::{Person, keep, login_name, passkey};
use ieum_trust::records::Kept;

use super::passkey::{Answer, fault_word};
use super::{browser, from, let_in};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::pages::sign_in::{Fault, form};

/// What a challenge for entering is for.
pub(crate) const PURPOSE: &str = "enter";
/// Longest name and code that are looked at.
const FIELD_BYTES: usize = 256;

/// `POST /sign-in/password`
pub(crate) fn with_password(call: &Call<'_>) -> Result<Reply, Refusal> {
    if call.portal.is_open() {
        return Ok(Reply::See("/".into(), Vec::new()));
    }
    let (door, now) = (call.portal.hub().door(), call.micros());
    let (name, password, code) = (call.field("login"), call.field("password"), call.field("code"));
    if name.is_empty() || password.is_empty() || code.is_empty() || name.len().max(code.len()) > FIELD_BYTES {
        return form(call, Some(Fault::Incomplete));
    }
    // What is not a name is tried like one that nobody has.
    let login = login_name(name);
    let found = login.as_deref().map(|login| keep::by_login(door, login)).transpose()?.flatten();
    let browser = browser(call)?;
    let is_known = found.as_ref().is_some_and(|kept| kept.value.knows_browser(&browser));
    let tried = tried(login.as_deref().unwrap_or(name), is_known.then_some(browser.as_str()));
    if !is_known && let Some(seconds) = call.portal.passwords().wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    call.portal.guesses().begin(&tried, now).map_err(Refusal::TooMany)?;
    let entered = entry::by_password(door, found.as_ref(), (password, code), &browser, now)?;
    let Some(entered) = entered else {
        if !is_known {
            call.portal.passwords().failed(call.peer, now);
        }
        failed(call, found.as_ref().map(|kept: &Kept<Person>| kept.id.as_str()), "password")?;
        return form(call, Some(Fault::Password));
    };
    call.portal.guesses().right(&tried);
    let_in(call, entered, &browser, call.field("next"))
}

/// What is counted: the name, or the name from a browser that its owner has entered from.
fn tried(name: &str, browser: Option<&str>) -> String {
    match browser {
        Some(browser) => format!("known {browser} {name}"),
        None => format!("name {name}"),
    }
}

/// `POST /sign-in/passkey`
pub(crate) fn with_passkey(call: &Call<'_>) -> Result<Reply, Refusal> {
    let Some(site) = call.portal.site().filter(|_| !call.portal.is_open()) else {
        return Ok(Reply::See("/".into(), Vec::new()));
    };
    let (door, now, challenges) = (call.portal.hub().door(), call.micros(), call.portal.challenges());
    // Failures alone are counted, as with secrets: nobody guesses a signature.
    let Some(answer) = Answer::of(call) else { return refuse(call, (None, "passkey"), Fault::NoPasskey) };
    let browser = browser(call)?;
    let asked = std::cell::RefCell::new(Vec::new());
    let is_ours = |challenge: &[u8]| {
        challenge.clone_into(&mut asked.borrow_mut());
        challenges.is_ours(PURPOSE, challenge, now)
    };
    let entered =
        entry::by_passkey(door, site, (&answer.credential, &answer.used()), &browser, now, is_ours)?;
    match entered {
        Ok(entered) if challenges.take(&asked.borrow(), now) => {
            let_in(call, entered, &browser, call.field("next"))
        }
        // The same answer a second time.
        Ok(entered) => refuse(call, (Some(&entered.person), "passkey"), Fault::NoPasskey),
        Err(Refused::Unknown) => refuse(call, (None, "passkey"), Fault::NoPasskey),
        Err(Refused::Fault(person, fault)) => {
            let way = if fault == passkey::Fault::Cloned { "passkey-cloned" } else { "passkey" };
            refuse(call, (Some(&person), way), Fault::Passkey(fault_word(call, fault)))
        }
    }
}

fn refuse(call: &Call<'_>, (person, way): (Option<&str>, &str), fault: Fault) -> Result<Reply, Refusal> {
    let now = call.micros();
    if let Some(seconds) = call.portal.passwords().wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    call.portal.passwords().failed(call.peer, now);
    failed(call, person, way)?;
    form(call, Some(fault))
}

/// Whoever tried is not known; whose name or passkey it was is.
fn failed(call: &Call<'_>, person: Option<&str>, way: &str) -> Result<(), Refusal> {
    let whose = person.map_or_else(|| "/sign-in".to_owned(), |person| format!("IeumPerson/{person}"));
    let target = format!("{whose} {way} {}", from(call));
    Ok(call.portal.hub().door().note_person(None, "sign-in", &target, false)?)
}
