//! Whose a request is: the session of its cookie, with what that stands on looked at again, so that an account that was
//! removed, a role that was changed, or a log-out everywhere holds at the next request.

use ieum_trust::access::Access;
use ieum_trust::account::{ACCOUNT, Account};
use ieum_trust::person::{State, keep};
use ieum_trust::records;
use ieum_trust::representation::REPRESENTATION;
use ieum_trust::representation::acting::acting;

use super::Portal;
use super::call::Refusal;
use super::session::{Session, Standing};

/// The session of a cookie, as what it stands on is now.
pub(crate) fn session(portal: &Portal, cookie: &str, is_auto: bool) -> Result<Option<Session>, Refusal> {
    let (sessions, now) = (portal.sessions(), portal.hub().now());
    let found = if is_auto { sessions.peek(cookie, now) } else { sessions.find(cookie, now) };
    let Some(session) = found else { return Ok(None) };
    let represents = session.represents.clone();
    let Some(current) = current(portal, session)? else {
        sessions.close(cookie);
        return Ok(None);
    };
    let (Some(represents), Some(person)) = (represents, current.person()) else { return Ok(Some(current)) };
    let hub = portal.hub();
    match acting(hub.door(), hub.law(), (person, &represents), now)? {
        Some(access) => Ok(Some(Session { access: Some(access), ..current })),
        None => {
            // What was asked for is not answered as somebody else: they are told first that it is over.
            sessions.represent(cookie, None);
            let target = format!("{}/{represents}", REPRESENTATION.name);
            hub.door().note_person(Some(person), "represent", &target, false)?;
            Err(Refusal::Lapsed)
        }
    }
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
