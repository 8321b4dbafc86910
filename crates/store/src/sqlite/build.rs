//! Indexing by a parameter that is new: the records that were there before it, in the order of their numbers.

use std::time::{Duration, Instant};

use super::apply::{Applier, Current};
use super::contained::CONTAINED;
use super::custom::{State, set_state};
use super::registry::kind_of;
use crate::commit::StoreError;

/// How long one part may take: commits wait for it.
const LONGEST: Duration = Duration::from_millis(25);

impl Applier<'_> {
    /// Indexes some more records by a parameter whose point this is; gives how many, and whether these were the last.
    pub(super) fn build_some(&mut self, tp: i64, point: i64, most: usize) -> Result<(u64, bool), StoreError> {
        let begun = Instant::now();
        // What waits was made with the point as it was.
        self.flush()?;
        let (rids, mut up_to) = self.next_records(tp, point, most)?;
        let mut done = 0;
        for rid in rids {
            self.build_one(tp, rid)?;
            done += 1;
            if begun.elapsed() >= LONGEST {
                up_to = Some(up_to.map_or(rid, |last| last.min(rid)));
                break;
            }
        }
        let points = self.memory.points(self.connection)?;
        match up_to {
            Some(up_to) => points.insert(tp, up_to),
            None => points.remove(&tp),
        };
        set_state(self.connection, tp, up_to.map(State::Build))?;
        self.flush()?;
        Ok((done, up_to.is_none()))
    }

    /// The next records of the kind, in order, and the number up to which these are all; `None` when there are no more
    /// at all. Contained resources are among them.
    fn next_records(&self, tp: i64, point: i64, most: usize) -> Result<(Vec<i64>, Option<i64>), StoreError> {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut found = Vec::new();
        let mut up_to: Option<i64> = None;
        // Left to itself, SQLite walks through all records of every kind in search of the next.
        for (index, ops) in [("res_kind", "op IN (1, 2)"), ("res_part", "op = 4")] {
            let sql = format!(
                "SELECT rid FROM res INDEXED BY {index} WHERE kind = ?1 AND {ops} AND rid > ?2 ORDER BY rid LIMIT ?3"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map([kind_of(tp), point, limit], |row| row.get(0))?;
            let rids = rows.collect::<Result<Vec<i64>, _>>()?;
            if rids.len() == most {
                let last = rids.last().copied();
                up_to = up_to.into_iter().chain(last).min();
            }
            found.extend(rids);
        }
        found.retain(|rid| up_to.is_none_or(|up_to| *rid <= up_to));
        found.sort_unstable();
        Ok((found, up_to))
    }

    /// Writes the rows of a record, or of a resource inside one, by the parameter.
    fn build_one(&mut self, tp: i64, rid: i64) -> Result<(), StoreError> {
        let sql = "SELECT r.op, coalesce(r.part, 0), h.kind, id_text(h.id), k.name FROM res r \
                   JOIN res h ON h.rid = coalesce(r.container, r.rid) JOIN kind k ON k.no = r.kind WHERE r.rid = ?1";
        let (op, part, holder, id, kind): (i64, i64, i64, String, String) = self
            .connection
            .prepare_cached(sql)?
            .query_row([rid], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        let holder = self.shared.registry.name(holder)?.to_owned();
        let Some(current) = self.current(&holder, &id)?.filter(Current::exists) else { return Ok(()) };
        let indexed = self.indexed(&holder, &id, &current, self.shared.catalogue.bases())?;
        let values = if op == CONTAINED {
            let place = usize::try_from(part - 1).ok();
            let inner = place.and_then(|place| indexed.contained.get(place));
            &inner.ok_or_else(|| StoreError::Damaged("the place of a contained resource".into()))?.values
        } else {
            &indexed.values
        };
        self.index_values_again(&kind, rid, values, &[tp])
    }
}
