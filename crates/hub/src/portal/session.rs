//! Who is signed in. Kept in memory: a restart signs everybody out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use ieum_trust::access::Access;
use sha2::{Digest, Sha256};

const MINUTE: i64 = 60_000_000;
/// A session that nothing is asked in ends after half an hour.
pub(crate) const IDLE_MICROS: i64 = 30 * MINUTE;
/// Every session ends after eight hours.
pub(crate) const WHOLE_MICROS: i64 = 8 * 60 * MINUTE;
/// Sessions kept; the one idle for longest makes room for a new one.
pub(crate) const MOST: usize = 10_000;

/// One session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// What it may do.
    pub(crate) access: Access,
    /// How the person is greeted; `None` for a role entered without account.
    pub(crate) name: Option<String>,
    /// What its forms carry.
    pub(crate) csrf: String,
    /// Whether it stands on an account, which must still be there at each request.
    pub(crate) has_account: bool,
    opened: i64,
    seen: i64,
}

/// All sessions, by the digest of their cookie: who reads this memory cannot take a session over.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

impl Sessions {
    /// Opens a session; gives the value of its cookie.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn open(
        &self,
        access: Access,
        name: Option<String>,
        has_account: bool,
        now: i64,
    ) -> Result<String, getrandom::Error> {
        let (cookie, csrf) = (random()?, random()?);
        let session = Session { access, name, csrf, has_account, opened: now, seen: now };
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&key(cookie)).filter(|session| session.is_alive(now)).cloned()
    }

    /// Ends a session.
    pub(crate) fn close(&self, cookie: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(cookie));
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Session {
    fn is_alive(&self, now: i64) -> bool {
        now - self.seen < IDLE_MICROS && now - self.opened < WHOLE_MICROS
    }

    /// Whether a form carries this session's token. Both are compared as digests, so time tells nothing.
    pub(crate) fn owns(&self, token: &str) -> bool {
        key(&self.csrf) == key(token)
    }
}

fn key(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

/// 256 random bits in hexadecimal.
fn random() -> Result<String, getrandom::Error> {
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
        sessions.open(Access::open(), None, false, now).expect("randomness")
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

    #[test]
    fn tokens_belong_to_their_session() {
        let sessions = Sessions::default();
        let one = open(&sessions, 0);
        let other = open(&sessions, 0);
        let (one, other) = (sessions.find(&one, 1).unwrap(), sessions.find(&other, 1).unwrap());
        assert!(one.owns(&one.csrf) && !one.owns(&other.csrf) && !one.owns(""));
    }

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
}
