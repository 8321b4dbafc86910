//! Passwords: Argon2id with the parameters that OWASP asks for (19 MiB, two passes, one lane), kept as PHC strings.
//!
//! A computation takes memory and time on purpose. Few run at once, few wait, and the others are told to come back, so
//! that nobody can use the log-in to exhaust the machine.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use unicode_normalization::UnicodeNormalization;

/// Fewest characters of a password.
pub const LEAST: usize = 10;
/// Most bytes of one.
pub const MOST: usize = 256;

/// Computations at once: 19 MiB each.
const AT_ONCE: usize = 2;
/// Those who wait beside them.
const WAITING: usize = 8;
/// How long anybody waits.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is compared when there is no password, so that it takes as long: a hash of nothing anybody knows.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Fewer than [`LEAST`] characters.
    Short,
    /// More than [`MOST`] bytes.
    Long,
    /// Few different characters, a row of letters or digits, or little beside the log-in name.
    Simple,
}

/// Why nothing was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Too many ask at once.
    #[error("too many passwords are being checked")]
    Busy,
    /// The operating system gives no randomness, or no memory.
    #[error("a password could not be hashed")]
    Broken,
}

/// Whether a password may be chosen.
///
/// # Errors
/// [`Unfit`] when not.
pub fn check(password: &str, login: &str) -> Result<(), Unfit> {
    if password.len() > MOST {
        return Err(Unfit::Long);
    }
    let characters: Vec<char> = normalized(password).to_lowercase().chars().collect();
    if characters.len() < LEAST {
        return Err(Unfit::Short);
    }
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    let steps =
        characters.windows(2).map(|pair| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0])));
    let in_a_row = steps.filter(|step| (-1..=1).contains(step)).count();
    let text: String = characters.iter().collect();
    let beside_the_name = text.replace(login, "").chars().count();
    let is_simple = different.len() < 5 || in_a_row * 2 > characters.len() || beside_the_name < LEAST / 2;
    if is_simple { Err(Unfit::Simple) } else { Ok(()) }
}

/// What is kept of a password. Blocks.
///
/// # Errors
/// [`Failure`] when nothing was computed.
pub fn hash(password: &str) -> Result<String, Failure> {
    let _turn = TURNS.take()?;
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Failure::Broken)?;
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(normalized(password).as_bytes(), &salt)
        .map_err(|_| Failure::Broken)?;
    Ok(hash.to_string())
}

/// Whether a password is the one. Without one to compare with it takes as long. Blocks.
///
/// # Errors
/// [`Failure::Busy`] when too many ask at once.
pub fn is_right(password: &str, kept: Option<&str>) -> Result<bool, Failure> {
    let _turn = TURNS.take()?;
    let hash = PasswordHash::new(kept.unwrap_or(NOBODYS)).map_err(|_| Failure::Broken)?;
    // One that is too long was never chosen; it takes as long as any other.
    let password = if password.len() > MOST { "" } else { password };
    let is_equal = Argon2::default().verify_password(normalized(password).as_bytes(), &hash).is_ok();
    Ok(is_equal && kept.is_some())
}

/// The same text however a keyboard composes it (NIST SP 800-63B, section 3.1.1.2).
fn normalized(password: &str) -> String {
    password.nfkc().collect()
}

static TURNS: Turns = Turns { state: Mutex::new((0, 0)), left: Condvar::new() };

/// Turns for computing: how many run, how many wait.
struct Turns {
    state: Mutex<(usize, usize)>,
    left: Condvar,
}

struct Turn(&'static Turns);

impl Turns {
    fn take(&'static self) -> Result<Turn, Failure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 >= AT_ONCE && state.1 >= WAITING {
            return Err(Failure::Busy);
        }
        let until = Instant::now() + PATIENCE;
        state.1 += 1;
        while state.0 >= AT_ONCE {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.1 -= 1;
                return Err(Failure::Busy);
            }
            state = self.left.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *state = (state.0 + 1, state.1 - 1);
        Ok(Turn(self))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).0 -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_recognised_however_it_is_composed_and_no_other() {
        let kept = hash("비밀번호는 이것입니다").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let in_parts: String = "비밀번호는 이것입니다".nfd().collect();
        assert!(is_right(&in_parts, Some(&kept)).unwrap());
        assert!(!is_right("비밀번호는 이것입니다.", Some(&kept)).unwrap());
        assert!(!is_right("", None).unwrap() && !is_right("x", None).unwrap());
        assert!(!is_right(&"a".repeat(MOST + 1), Some(&kept)).unwrap());
        assert_ne!(hash("the same twice").unwrap(), hash("the same twice").unwrap(), "salted");
    }

    // threat: 11
    #[test]
    fn what_is_compared_for_nobody_costs_the_same() {
        let nobodys = PasswordHash::new(NOBODYS).unwrap();
        let ours = hash("0123456789abcdef").unwrap();
        let ours = PasswordHash::new(&ours).unwrap();
        assert_eq!(nobodys.params, ours.params);
        assert_eq!(nobodys.hash.unwrap().len(), ours.hash.unwrap().len());
    }

    #[test]
    fn simple_passwords_are_told() {
        for (password, verdict) in [
            ("short", Err(Unfit::Short)),
            ("가나다라마바사아자", Err(Unfit::Short)),
            ("aaaaaaaaaaaa", Err(Unfit::Simple)),
            ("0123456789", Err(Unfit::Simple)),
            ("abcdefghijklm", Err(Unfit::Simple)),
            ("kim.nurse2024", Err(Unfit::Simple)),
            ("1212121212121", Err(Unfit::Simple)),
            ("맑은 물 흐르는 골짜기", Ok(())),
            ("correct horse battery", Ok(())),
        ] {
            assert_eq!(check(password, "kim.nurse"), verdict, "{password}");
        }
        assert_eq!(check(&"ab1 c".repeat(60), "kim.nurse"), Err(Unfit::Long));
    }

    // threat: 21
    #[test]
    fn few_compute_at_once_and_few_wait() {
        static TURNS: Turns = Turns { state: Mutex::new((0, 0)), left: Condvar::new() };
        let running: Vec<Turn> = (0..AT_ONCE).map(|_| TURNS.take().unwrap()).collect();
        let waiting: Vec<_> = (0..WAITING).map(|_| std::thread::spawn(|| TURNS.take().is_ok())).collect();
        while TURNS.state.lock().unwrap().1 < WAITING {
            std::thread::yield_now();
        }
        assert_eq!(TURNS.take().err(), Some(Failure::Busy));
        drop(running);
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap()), "those who waited had their turn");
        assert_eq!(*TURNS.state.lock().unwrap(), (0, 0));
    }
}
