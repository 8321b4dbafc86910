//! Who fails to sign in too often, by address. A secret of 256 bits is not guessed; there this keeps failures from filling
//! the audit log, and the right secret is never slowed down: others behind the same address may fail. Of passwords it
//! bounds how many names one address may try (`guesses` bounds how often one name is tried).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Wrong secrets in a window before an address must wait.
pub(crate) const SECRETS: u32 = 5;
/// Wrong names, passwords and codes: behind one address may stand a whole hospital.
pub(crate) const PASSWORDS: u32 = 60;
/// How long a window is.
pub(crate) const WINDOW_MICROS: i64 = 5 * 60_000_000;
/// Addresses kept; the oldest window makes room for a new one.
pub(crate) const MOST: usize = 10_000;

/// Failures by address.
pub(crate) struct Throttle {
    failures: u32,
    windows: Mutex<HashMap<Option<IpAddr>, Window>>,
}

struct Window {
    began: i64,
    failures: u32,
}

impl Throttle {
    /// One that lets so many failures pass in a window.
    pub(crate) fn new(failures: u32) -> Self {
        Self { failures, windows: Mutex::default() }
    }

    /// How many seconds an address must still wait; `None` when it may try.
    pub(crate) fn wait_seconds(&self, address: Option<IpAddr>, now: i64) -> Option<u64> {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get(&network(address))?;
        let left = window.began + WINDOW_MICROS - now;
        (window.failures >= self.failures && left > 0)
            .then(|| u64::try_from(left).unwrap_or(0).div_ceil(1_000_000))
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, address: Option<IpAddr>, now: i64) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if windows.len() >= MOST && !windows.contains_key(&address) {
            windows.retain(|_, window| now - window.began < WINDOW_MICROS);
            if windows.len() >= MOST
                && let Some(oldest) =
                    windows.iter().min_by_key(|(_, window)| window.began).map(|(key, _)| *key)
            {
                windows.remove(&oldest);
            }
        }
        let window = windows.entry(address).or_insert(Window { began: now, failures: 0 });
        if now - window.began >= WINDOW_MICROS {
            *window = Window { began: now, failures: 0 };
        }
        window.failures = window.failures.saturating_add(1);
    }
}

/// One household has one IPv4 address or one /64 of IPv6.
fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    match address {
        Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => Some(address.into()),
            None => Some(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_cost_five_minutes_and_others_nothing() {
        let throttle = Throttle::new(SECRETS);
        let (one, other) = (Some("10.0.0.1".parse().unwrap()), Some("10.0.0.2".parse().unwrap()));
        for _ in 0..SECRETS {
            assert_eq!(throttle.wait_seconds(one, 0), None);
            throttle.failed(one, 0);
        }
        assert_eq!(throttle.wait_seconds(one, 0), Some(300));
        assert_eq!(throttle.wait_seconds(other, 0), None);
        assert_eq!(throttle.wait_seconds(one, WINDOW_MICROS), None);
        throttle.failed(one, WINDOW_MICROS);
        assert_eq!(throttle.wait_seconds(one, WINDOW_MICROS), None, "a new window has begun");
    }

    #[test]
    fn neighbours_in_one_network_count_together_and_memory_is_bounded() {
        let throttle = Throttle::new(SECRETS);
        for last in 0..SECRETS {
            throttle.failed(Some(format!("2001:db8::{last}").parse().unwrap()), 0);
        }
        assert!(throttle.wait_seconds(Some("2001:db8::ffff".parse().unwrap()), 0).is_some());
        for bits in 0..=u32::try_from(MOST).unwrap() + 10 {
            throttle.failed(Some(std::net::Ipv4Addr::from_bits(bits).into()), 1);
        }
        assert!(throttle.windows.lock().unwrap().len() <= MOST);
    }
}
