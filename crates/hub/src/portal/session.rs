//! Who is signed in. Kept in memory: a restart signs everybody out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ieum_trust::access::Access;
use ieum_trust::person::entry::Way;
use ieum_trust::person::totp::Totp;
use sha2::{Digest, Sha256};

const MINUTE: i64 = 60_000_000;
/// A session that nothing is asked in ends after half an hour.
pub(crate) const IDLE_MICROS: i64 = 30 * MINUTE;
/// Every session ends after eight hours.
pub(crate) const WHOLE_MICROS: i64 = 8 * 60 * MINUTE;
/// Sessions kept; the one idle for longest makes room for a new one.
pub(crate) const MOST: usize = 10_000;

/// How long what was shown at entering counts as just shown, for actions that ask for it.
pub(crate) const FRESH_MICROS: i64 = 5 * MINUTE;

/// One session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// What it may do; `None` while no account has been chosen.
    pub(crate) access: Option<Access>,
    /// The id of the representation by which the person acts for a patient, if they do.
    pub(crate) represents: Option<String>,
    /// How the person is greeted; `None` for a role entered without account.
    pub(crate) name: Option<String>,
    /// What its forms carry.
    pub(crate) csrf: String,
    /// What it stands on.
    pub(crate) standing: Standing,
    /// The browser and system, as it says itself.
    pub(crate) device: String,
    /// What it is called in lists.
    pub(crate) number: String,
    /// The secret that a code app gets if it is set up in this session.
    pub(crate) app_secret: String,
    /// When what proves who it is was last shown.
    pub(crate) shown: i64,
    /// When it began.
    pub(crate) opened: i64,
    /// When it was last used.
    pub(crate) seen: i64,
}

/// What a session stands on. It is looked at again at every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A role of an open hub, without account.
    Demo,
    /// An account with a secret of its own.
    Secret,
    /// A person.
    Person {
        /// Their id.
        person: String,
        /// The number of sessions that holds for them.
        generation: u64,
        /// How they entered.
        way: Way,
    },
    /// An invitation: somebody who has yet to set up what proves who they are, and may do nothing else.
    Invited {
        /// The account they are invited to.
        account: String,
        /// The person's id.
        person: String,
        /// The number of sessions that holds for them.
        generation: u64,
        /// The digest of the invitation.
        invitation: String,
    },
}

/// All sessions, by the digest of their cookie: who reads this memory cannot take a session over.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

impl Session {
    /// A session that begins now.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn new(standing: Standing, device: &str, now: i64) -> Result<Self, getrandom::Error> {
        let (access, represents, name, device) = (None, None, None, device.to_owned());
        let (csrf, number, app_secret) = (random()?, random()?[..16].to_owned(), Totp::random_secret()?);
        let (shown, opened, seen) = (now, now, now);
        Ok(Self { access, represents, name, csrf, standing, device, number, app_secret, shown, opened, seen })
    }

    /// The same as an account.
    pub(crate) fn acting(self, access: Access, name: Option<String>) -> Self {
        Self { access: Some(access), name, ..self }
    }

    fn is_alive(&self, now: i64) -> bool {
        now - self.seen < IDLE_MICROS && now - self.opened < WHOLE_MICROS
    }

    /// Whether a form carries this session's token. Both are compared as digests, so time tells nothing.
    pub(crate) fn owns(&self, token: &str) -> bool {
        key(&self.csrf) == key(token)
    }

    /// Whether the person has shown it anew is known only from when the provider says that they did.
    pub(crate) fn shown_at(self, shown: i64) -> Self {
        Self { shown, ..self }
    }

    /// Whose it is, once they have shown who they are.
    pub(crate) fn person(&self) -> Option<&str> {
        match &self.standing {
            Standing::Person { person, .. } => Some(person),
            _ => None,
        }
    }

    /// Whether its person has shown who they are within the last minutes. Others never do.
    pub(crate) fn is_fresh(&self, now: i64) -> bool {
        self.person().is_some() && now - self.shown < FRESH_MICROS
    }
}

impl Sessions {
    /// Opens a session; gives the value of its cookie.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn open(&self, session: Session) -> Result<String, getrandom::Error> {
        let (cookie, now) = (random()?, session.opened);
        let mut sessions = self.lock();
        if sessions.len() >= MOST {
            sessions.retain(|_, session| session.is_alive(now));
        }
        if sessions.len() >= MOST
            && let Some(idle) = sessions.iter().min_by_key(|(_, session)| session.seen).map(|(key, _)| *key)
        {
            sessions.remove(&idle);
        }
        sessions.insert(key(&cookie), session);
        Ok(cookie)
    }

    /// The session of a cookie, if it is alive; it is awake again.
    pub(crate) fn find(&self, cookie: &str, now: i64) -> Option<Session> {
        let mut sessions = self.lock();
        let key = key(cookie);
        let session = sessions.get_mut(&key)?;
        if !session.is_alive(now) {
            sessions.remove(&key);
            return None;
        }
        session.seen = session.seen.max(now);
        Some(session.clone())
    }

    /// The session of a cookie, if it is alive, left as it is: a page that asks by itself keeps nobody signed in.
    pub(crate) fn peek(&self, cookie: &str, now: i64) -> Option<Session> {
        self.lock().get(&key(cookie)).filter(|session| session.is_alive(now)).cloned()
    }

    /// Ends a session.
    pub(crate) fn close(&self, cookie: &str) {
        self.lock().remove(&key(cookie));
    }

    /// Lets a session act as an account.
    pub(crate) fn choose(&self, cookie: &str, access: Access, name: &str) {
        if let Some(session) = self.lock().get_mut(&key(cookie)) {
            session.access = Some(access);
            session.represents = None;
            session.name = Some(name.to_owned());
        }
    }

    /// Lets a session act for a patient by a representation, or for its person again.
    pub(crate) fn represent(&self, cookie: &str, representation: Option<&str>) {
        if let Some(session) = self.lock().get_mut(&key(cookie)) {
            session.represents = representation.map(ToOwned::to_owned);
        }
    }

    /// Remembers that who it is was shown again.
    pub(crate) fn shown(&self, cookie: &str, now: i64) {
        if let Some(session) = self.lock().get_mut(&key(cookie)) {
            session.shown = now;
        }
    }

    /// The sessions of a person that are alive and have the number that holds, the last one used first.
    pub(crate) fn of_person(&self, person: &str, generation: u64, now: i64) -> Vec<Session> {
        let sessions = self.lock();
        let holds = |session: &&Session| match &session.standing {
            Standing::Person { person: of, generation: number, .. } => of == person && *number == generation,
            _ => false,
        };
        let own = sessions.values().filter(holds);
        let mut own: Vec<Session> = own.filter(|session| session.is_alive(now)).cloned().collect();
        own.sort_by_key(|session| std::cmp::Reverse(session.seen));
        own
    }

    /// Ends one session of a person, by its number.
    pub(crate) fn close_one(&self, person: &str, number: &str) {
        self.lock().retain(|_, session| session.person() != Some(person) || session.number != number);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().len()
    }
}

fn key(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

/// 256 random bits in hexadecimal.
pub(crate) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(sessions: &Sessions, now: i64) -> String {
        open_as(sessions, Standing::Demo, now)
    }

    fn open_as(sessions: &Sessions, standing: Standing, now: i64) -> String {
        let session = Session::new(standing, "Chrome", now).expect("randomness");
        sessions.open(session.acting(Access::open(), None)).expect("randomness")
    }

    #[test]
    fn a_session_ends_when_idle_when_old_and_when_closed() {
        let sessions = Sessions::default();
        let cookie = open(&sessions, 0);
        assert_eq!(cookie.len(), 64);
        assert!(sessions.find(&cookie, IDLE_MICROS - 1).is_some());
        assert!(sessions.find(&cookie, 2 * IDLE_MICROS - 2).is_some(), "asking keeps it awake");
        assert!(sessions.find(&cookie, 3 * IDLE_MICROS).is_none());

        let cookie = open(&sessions, 0);
        assert!(sessions.peek(&cookie, IDLE_MICROS - 1).is_some());
        assert!(sessions.find(&cookie, IDLE_MICROS).is_none(), "looking at it does not keep it awake");

        let cookie = open(&sessions, 0);
        let mut now = 0;
        while now < WHOLE_MICROS - MINUTE {
            assert!(sessions.find(&cookie, now).is_some());
            now += 20 * MINUTE;
        }
        assert!(sessions.find(&cookie, WHOLE_MICROS).is_none());

        let cookie = open(&sessions, 0);
        sessions.close(&cookie);
        assert!(sessions.find(&cookie, 1).is_none());
    }

    // threat: 23
    #[test]
    fn tokens_belong_to_their_session() {
        let sessions = Sessions::default();
        let one = open(&sessions, 0);
        let other = open(&sessions, 0);
        let (one, other) = (sessions.find(&one, 1).unwrap(), sessions.find(&other, 1).unwrap());
        assert!(one.owns(&one.csrf) && !one.owns(&other.csrf) && !one.owns(""));
    }

    // threat: 21
    #[test]
    fn there_are_never_too_many() {
        let sessions = Sessions::default();
        let first = open(&sessions, 0);
        for now in 1..=MOST as i64 {
            open(&sessions, now);
        }
        assert_eq!(sessions.len(), MOST);
        assert!(sessions.find(&first, 1).is_none(), "the one idle for longest made room");
    }

    #[test]
    fn what_was_shown_is_fresh_for_a_while_and_only_a_person_shows_it() {
        let sessions = Sessions::default();
        let person =
            |person: &str| Standing::Person { person: person.into(), generation: 0, way: Way::Passkey };
        let cookie = open_as(&sessions, person("p"), 0);
        let session = sessions.find(&cookie, 1).unwrap();
        assert!(session.is_fresh(FRESH_MICROS - 1) && !session.is_fresh(FRESH_MICROS));
        sessions.shown(&cookie, FRESH_MICROS);
        assert!(sessions.find(&cookie, 1).unwrap().is_fresh(FRESH_MICROS + 1));
        let secret = open_as(&sessions, Standing::Secret, 0);
        assert!(!sessions.find(&secret, 1).unwrap().is_fresh(1));

        let other = open_as(&sessions, person("p"), 5);
        let stranger = open_as(&sessions, person("q"), 5);
        let own = sessions.of_person("p", 0, 6);
        assert_eq!(own.len(), 2);
        assert!(sessions.of_person("p", 1, 6).is_empty(), "these have ended");
        let number = sessions.peek(&other, 6).unwrap().number;
        sessions.close_one("q", &number);
        assert!(sessions.peek(&other, 6).is_some(), "it is not theirs");
        sessions.close_one("p", &number);
        assert!(sessions.peek(&other, 6).is_none() && sessions.peek(&stranger, 6).is_some());
    }
}
