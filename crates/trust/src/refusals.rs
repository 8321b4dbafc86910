//! How many refusals are written down. Whoever is refused can ask again as often as they like, and must not fill the
//! disk by it: of one asker, and of all together, so many are written in a stretch of time; the others are counted, and
//! their number is written with the next one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ieum_store::commit::StoreError;
use ieum_store::engine::AuditEntry;

use crate::access::Access;
use crate::door::Door;

/// A stretch of time in which refusals are counted.
pub(crate) const STRETCH: Duration = Duration::from_mins(10);
/// Refusals of one asker that are written in a stretch.
pub(crate) const OF_ONE: u32 = 50;
/// Refusals of all askers that are written in a stretch: some 6 MB a day at most.
pub(crate) const OF_ALL: u32 = 300;

/// What has been refused in the current stretch.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Stretch>);

#[derive(Default)]
struct Stretch {
    began: Option<Instant>,
    written: u32,
    /// Written ones by asker; no more askers than refusals that may be written.
    by_asker: HashMap<String, u32>,
    /// Not written, and not told yet.
    passed_over: u64,
}

/// What is to be done with a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Write it, and that so many before it were not written.
    Write {
        /// How many.
        passed_over: u64,
    },
    /// It has been counted.
    PassOver,
}

impl Refusals {
    /// Counts a refusal.
    pub(crate) fn judge(&self, asker: &str, now: Instant) -> Verdict {
        let mut stretch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stretch.began.is_none_or(|began| now.saturating_duration_since(began) >= STRETCH) {
            let passed_over = stretch.passed_over;
            *stretch = Stretch { began: Some(now), passed_over, ..Stretch::default() };
        }
        let of_asker = stretch.by_asker.get(asker).copied().unwrap_or(0);
        if stretch.written >= OF_ALL || of_asker >= OF_ONE {
            stretch.passed_over = stretch.passed_over.saturating_add(1);
            return Verdict::PassOver;
        }
        stretch.written += 1;
        stretch.by_asker.insert(asker.to_owned(), of_asker + 1);
        Verdict::Write { passed_over: std::mem::take(&mut stretch.passed_over) }
    }
}

impl Door {
    /// Records that something was refused before it reached the store. Of a flood only the number is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the entry could not be made durable.
    pub fn refused(&self, access: &Access, action: &str, target: &str) -> Result<(), StoreError> {
        self.write_refusal(&entry(access, action, target, false))
    }

    /// Records that something was refused to somebody who is not known here.
    ///
    /// # Errors
    /// [`StoreError`] when the entry could not be made durable.
    pub fn refused_stranger(&self, action: &str, target: &str) -> Result<(), StoreError> {
        let text = ToOwned::to_owned;
        self.write_refusal(&AuditEntry {
            actor: "unknown".into(),
            role: "none".into(),
            purpose: String::new(),
            action: text(action),
            target: text(target),
            allowed: false,
        })
    }

    pub(crate) fn write_refusal(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let Verdict::Write { passed_over } = self.refusals.judge(&entry.actor, Instant::now()) else {
            return Ok(());
        };
        if passed_over > 0 {
            self.engine.audit(&AuditEntry {
                actor: "several".into(),
                role: "none".into(),
                purpose: String::new(),
                action: "refusals".into(),
                target: format!("{passed_over} more"),
                allowed: false,
            })?;
        }
        self.engine.audit(entry)
    }

    /// Whether there is such a record, or such a version of it, that this access does not reach.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot serve.
    pub fn hides(
        &self,
        access: &Access,
        kind: &str,
        id: &str,
        version: Option<u64>,
    ) -> Result<bool, StoreError> {
        let (reached, all) = (self.resource_view(access)?, self.view(&Access::system("audit"))?);
        if reached.read(kind, id)?.is_none() {
            return Ok(all.read(kind, id)?.is_some());
        }
        let Some(version) = version else { return Ok(false) };
        Ok(reached.read_version(kind, id, version)?.is_none()
            && all.read_version(kind, id, version)?.is_some())
    }
}

/// An audit entry.
pub(crate) fn entry(access: &Access, action: &str, target: &str, allowed: bool) -> AuditEntry {
    let plan = access.plan();
    let (action, target) = (action.to_owned(), target.to_owned());
    AuditEntry { actor: plan.actor.id, role: plan.actor.role, purpose: plan.purpose, action, target, allowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Verdict = Verdict::Write { passed_over: 0 };

    #[test]
    fn floods_of_refusals_are_told_by_their_number() {
        let refusals = Refusals::default();
        let start = Instant::now();
        let all = |asker: &str, count: u32, now| -> Vec<Verdict> {
            (0..count).map(|_| refusals.judge(asker, now)).collect()
        };
        assert_eq!(all("a", OF_ONE, start), vec![ONE; OF_ONE as usize]);
        assert_eq!(all("a", 7, start), [Verdict::PassOver; 7]);
        assert_eq!(refusals.judge("b", start), Verdict::Write { passed_over: 7 }, "others are still written");
        for asker in 0..20 {
            all(&format!("c{asker}"), OF_ONE, start);
        }
        assert_eq!(refusals.judge("d", start), Verdict::PassOver, "all together have a bound too");
        assert!(refusals.0.lock().unwrap().by_asker.len() <= OF_ALL as usize);
        let later = start + STRETCH;
        assert!(matches!(refusals.judge("a", later), Verdict::Write { passed_over } if passed_over > 700));
        assert_eq!(refusals.judge("a", later), ONE);
    }
}
