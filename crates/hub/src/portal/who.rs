//! Whose a request is: the session of its cookie, with what that stands on looked at again, so that an account that was
//! removed, a role that was changed, or a log-out everywhere holds at the next request.

use ieum_trust::access::Access;
use ieum_trust::account::{ACCOUNT, Account};
use ieum_trust::person::{State, keep};
use ieum_trust::records;

use super::Portal;
use super::call::Refusal;
use super::session::{Session, Standing};

/// The session of a cookie, as what it stands on is now.
pub(crate) fn session(portal: &Portal, cookie: &str, is_auto: bool) -> Result<Option<Session>, Refusal> {
    let (sessions, now) = (portal.sessions(), portal.hub().now());
    let found = if is_auto { sessions.peek(cookie, now) } else { sessions.find(cookie, now) };
    let Some(session) = found else { return Ok(None) };
    let current = current(portal, session)?;
    if current.is_none() {
        sessions.close(cookie);
    }
    Ok(current)
}

fn current(portal: &Portal, session: Session) -> Result<Option<Session>, Refusal> {
    let door = portal.hub().door();
    let person = match &session.standing {
        Standing::Demo => return Ok(Some(session)),
        Standing::Secret => None,
        Standing::Person { person, generation, .. } | Standing::Invited { person, generation, .. } => {
            let states: &[State] = match session.standing {
                Standing::Invited { .. } => &[State::Invited, State::Active],
                _ => &[State::Active],
            };
            let kept = keep::read(door, person)?;
            let holds = |value: &ieum_trust::person::Person| {
                value.generation == *generation && states.contains(&value.state)
            };
            if !kept.is_some_and(|kept| holds(&kept.value)) {
                return Ok(None);
            }
            Some(person.clone())
        }
    };
    let Some(id) = session.access.as_ref().map(|access| access.actor.clone()) else {
        return Ok(Some(session));
    };
    let view = door.view(&Access::system("session"))?;
    let account = records::read::<Account>(&view, &ACCOUNT, &id)?;
    let account = account.filter(|account| account.value.person == person);
    Ok(match account {
        Some(account) => Some(session.acting(account.value.access(&id), Some(account.value.name))),
        // Who they are still holds; they choose what else to be.
        None if person.is_some() => Some(Session { access: None, ..session }),
        None => None,
    })
}
