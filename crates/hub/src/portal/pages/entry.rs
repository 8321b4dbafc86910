//! Entering as a person: with a passkey, or with log-in name, password and code; the first time by an invitation.
//!
//! | file | what it holds |
//! |---|---|
//! | [`ways`] | entering with a passkey, or with name, password and code |
//! | [`welcome`], [`set_up`] | the first time: the link of an invitation, and what proves who somebody is |
//! | [`elsewhere`], [`second`] | entering at a provider elsewhere, and the code that goes with it where that is one factor |
//! | [`claim`] | a patient proves who they are, and gets the account prepared for them |
//! | [`choose`] | as which account to act |
//! | [`confirm`] | showing again who one is |
//! | [`passkey`], [`factors`] | forms for passkeys, passwords and code apps, and what they send |

use ieum_trust::account::{ACCOUNT, Account};
use ieum_trust::person::entry::{Entered, Failure};
use ieum_trust::person::{keep, password};
use ieum_trust::records::{self, Kept};
use ieum_ui::{Message, Tone};
use maud::html;

use super::sign_in::{belongs, local};
use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::session::{Session, Standing, random};
use crate::portal::{cookies, routes};

pub(crate) mod choose;
pub(crate) mod claim;
pub(crate) mod confirm;
pub(crate) mod elsewhere;
pub(crate) mod factors;
pub(crate) mod passkey;
pub(crate) mod second;
pub(crate) mod set_up;
pub(crate) mod ways;
pub(crate) mod welcome;

/// Accounts of one person that are shown.
const ACCOUNTS: usize = 50;

impl From<password::Failure> for Refusal {
    fn from(failure: password::Failure) -> Self {
        match failure {
            password::Failure::Busy => Self::Busy,
            password::Failure::Broken => Self::Broken(failure.to_string()),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Password(failure) => failure.into(),
            Failure::Commit(error) => error.into(),
            Failure::Store(error) => error.into(),
        }
    }
}

/// Opens a session in place of the one there was, and goes there. `browser` is remembered as one entered from.
pub(super) fn replace_session(
    call: &Call<'_>,
    session: Session,
    to: String,
    browser: Option<&str>,
) -> Result<Reply, Refusal> {
    let portal = call.portal;
    if let Some(old) = &call.cookie {
        portal.sessions().close(old);
    }
    let cookie = portal.sessions().open(session)?;
    let mut set = vec![cookies::session(portal, &cookie)];
    set.extend(browser.map(|browser| cookies::browser(portal, browser)));
    Ok(Reply::See(to, set))
}

/// The accounts that a person may act as: those that have pages.
pub(super) fn accounts(call: &Call<'_>, person: &str) -> Result<Vec<Kept<Account>>, Refusal> {
    let view = call.portal.hub().door().view(&keep::access())?;
    let all = records::find::<Account>(&view, &ACCOUNT, ("person", person), ACCOUNTS)?;
    Ok(all.into_iter().filter(|kept| routes::home(kept.value.role).is_some()).collect())
}

/// Lets somebody in who has shown who they are: as their only account, or to the page where they choose one. Where they
/// wanted to go comes after.
pub(super) fn let_in(call: &Call<'_>, entered: Entered, browser: &str, next: &str) -> Result<Reply, Refusal> {
    let_in_shown(call, entered, browser, next, call.micros())
}

/// The same for somebody who showed who they are at this time.
fn let_in_shown(
    call: &Call<'_>,
    entered: Entered,
    browser: &str,
    next: &str,
    shown: i64,
) -> Result<Reply, Refusal> {
    let target = format!("/sign-in {} {}", entered.way.name(), from(call));
    call.portal.hub().door().note_person(Some(&entered.person), "sign-in", &target, true)?;
    let accounts = accounts(call, &entered.person)?;
    let Entered { person, name, generation, way } = entered;
    let mut session =
        Session::new(Standing::Person { person, generation, way }, &call.device, call.micros())?
            .shown_at(shown);
    session.name = Some(name);
    let next = local(next);
    let to = match accounts.as_slice() {
        [only] => {
            let access = only.value.access(&only.id);
            let home = routes::home(access.role).unwrap_or("/");
            let to = next.filter(|path| belongs(path, access.role)).unwrap_or(home).to_owned();
            session = session.acting(access, Some(only.value.name.clone()));
            to
        }
        _ => with_pairs("/accounts", next.map(|next| ("next", next))),
    };
    replace_session(call, session, to, Some(browser))
}

/// What this browser holds, or something new for it to hold.
pub(super) fn browser(call: &Call<'_>) -> Result<String, Refusal> {
    let is_ours = |text: &&String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match call.browser.as_ref().filter(is_ours) {
        Some(browser) => Ok(browser.clone()),
        None => Ok(random()?),
    }
}

/// Where a request comes from, for the log of who entered.
pub(super) fn from(call: &Call<'_>) -> String {
    call.peer.map_or_else(|| "?".to_owned(), |peer| peer.to_string())
}

/// That something went wrong, at the top of a form's page.
pub(super) fn trouble(title: &str) -> Message<'_> {
    Message { tone: Tone::Danger, title, body: html! {} }
}
