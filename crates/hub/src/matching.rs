//! How often one account looks for people. Whoever walks through numbers or names is slowed down long before they are
//! through; who works, and systems that register their patients, do not notice. The hub's own systems are not counted: they
//! reach everything anyway.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ieum_trust::access::{Access, Role};

use crate::call::{Call, Failure};
use crate::fhir::error;

/// A window of time in which searches are counted.
const WINDOW_MICROS: i64 = 60_000_000;
/// Accounts kept; the oldest window makes room for a new one.
const MOST: usize = 10_000;

/// Searches for people in the current window, by account.
pub(crate) struct Matching {
    most: u32,
    windows: Mutex<HashMap<String, Window>>,
}

struct Window {
    began: i64,
    searches: u32,
}

impl Matching {
    /// One that lets so many searches of an account pass in a minute.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, windows: Mutex::default() }
    }

    /// Counts a search of this account.
    ///
    /// # Errors
    /// Seconds to wait, when there were too many.
    pub(crate) fn count(&self, access: &Access, now: i64) -> Result<(), u32> {
        let is_the_hubs = access.role == Role::Service && access.organization.is_none();
        if is_the_hubs || access.role == Role::Open {
            return Ok(());
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST && !windows.contains_key(&access.actor) {
            windows.retain(|_, window| now - window.began < WINDOW_MICROS);
            let oldest =
                windows.iter().min_by_key(|(_, window)| window.began).map(|(actor, _)| actor.clone());
            if let Some(oldest) = oldest.filter(|_| windows.len() >= MOST) {
                windows.remove(&oldest);
            }
        }
        let window = windows.entry(access.actor.clone()).or_insert(Window { began: now, searches: 0 });
        if now - window.began >= WINDOW_MICROS {
            *window = Window { began: now, searches: 0 };
        }
        if window.searches >= self.most {
            let left = (window.began + WINDOW_MICROS - now).clamp(1, WINDOW_MICROS);
            return Err(u32::try_from(left).unwrap_or(u32::MAX).div_ceil(1_000_000));
        }
        window.searches += 1;
        Ok(())
    }
}

/// Counts a call that finds people, and refuses it when there were too many.
///
/// # Errors
/// 429, which is written down; or why it could not be.
pub(crate) fn check(call: &Call<'_>) -> Result<(), Failure> {
    if !finds_people(call) {
        return Ok(());
    }
    let Err(seconds) = call.hub.matching().count(call.access, call.hub.now()) else { return Ok(()) };
    // What is no type of people may be anything, and is not kept.
    let target = if is_people(&call.place.kind) { &call.place.kind } else { "" };
    call.hub.door().refused(call.access, call.route.action, target)?;
    Err(error::too_many_people(seconds))
}

/// Whether a call finds people by what is said of them: searches and conditions of the types that are people, searches of
/// all types, and what leads to people from everything else.
fn finds_people(call: &Call<'_>) -> bool {
    let place = &call.place;
    let leads_on = |name: &str| name.contains('.') || name.starts_with("_has:") || name == "_filter";
    match call.route.action {
        "search-system" => true,
        "search" => is_people(&place.kind) || call.pairs.iter().any(|(name, _)| leads_on(name)),
        "search-compartment" => is_people(&place.inner) || call.pairs.iter().any(|(name, _)| leads_on(name)),
        "create" => {
            is_people(&place.kind) && (call.conditions.if_none_exist.is_some() || !call.pairs.is_empty())
        }
        "update" | "patch" | "delete" => is_people(&place.kind) && place.id.is_empty(),
        _ => false,
    }
}

fn is_people(kind: &str) -> bool {
    ["Patient", "Person", "RelatedPerson"].contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: 11
    #[test]
    fn so_many_searches_for_people_pass_in_a_minute() {
        let matching = Matching::new(3);
        let (one, other) = (Access::new("one", Role::Clinician), Access::new("other", Role::Patient));
        for _ in 0..3 {
            assert_eq!(matching.count(&one, 0), Ok(()));
        }
        assert_eq!(matching.count(&one, 1_500_000), Err(59));
        assert_eq!(matching.count(&other, 1_500_000), Ok(()), "others wait for nothing");
        assert_eq!(matching.count(&one, WINDOW_MICROS), Ok(()));
        let of_institution = Access { organization: Some("a".into()), ..Access::system("emr") };
        for _ in 0..3 {
            assert_eq!(matching.count(&of_institution, 0), Ok(()));
        }
        assert!(matching.count(&of_institution, 0).is_err());
        for _ in 0..10 {
            assert_eq!(matching.count(&Access::system("import"), 0), Ok(()), "the hub's own work");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let matching = Matching::new(1);
        for number in 0..=MOST {
            matching.count(&Access::new(&number.to_string(), Role::Clinician), number as i64).unwrap();
        }
        assert!(matching.windows.lock().unwrap().len() <= MOST);
    }
}
