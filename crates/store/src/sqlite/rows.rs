//! Index rows: what a record is found by, as numbers.

use ieum_fhir::index::{IndexValue, Target};
use ieum_fhir::text;
use rusqlite::{Connection, params};

use super::apply::Ids;
use super::dict::Dict;
use super::registry::{EXTERNAL, KindNumbers, Registry, presence};
use crate::commit::StoreError;
use crate::prepare::Indexed;

/// `(tp, v, rid, s)`
pub(super) type Tok = (i64, i64, i64, i64);
/// `(tp, target, rid)`
pub(super) type Ref = (i64, i64, i64);
/// `(tp, lo, hi, rid)`
pub(super) type Dat = (i64, i64, i64, i64);
/// `(tp, lo, hi, rid, code, s, unit)`
pub(super) type Num = (i64, Vec<u8>, Vec<u8>, i64, i64, i64, i64);
/// `(tp, norm, rid, raw)`; also `(tp, initials, rid, norm)`
pub(super) type Str = (i64, String, i64, String);

/// Columns that every index row of a record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) pat: i64,
    pub(super) mask: i64,
    pub(super) d: Option<i64>,
}

/// The index rows of one record; each list sorted, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RowSet {
    pub(super) tok: Vec<Tok>,
    pub(super) refs: Vec<Ref>,
    pub(super) dat: Vec<Dat>,
    pub(super) num: Vec<Num>,
    pub(super) text: Vec<Str>,
    pub(super) cho: Vec<Str>,
    /// The two presence columns.
    pub(super) present: (i64, i64),
}

/// Gives the numbers of texts and records while rows are made.
pub(super) trait Numbers {
    /// The number of a text.
    fn text(&mut self, text: &str) -> Result<i64, StoreError>;

    /// The number of a record, or of an address elsewhere.
    fn record(&mut self, kind: i64, id: &str) -> Result<i64, StoreError>;

    /// The numbers of kinds.
    fn registry(&self) -> &Registry;

    /// The number of a text; 0 for none.
    fn maybe(&mut self, text: Option<&str>) -> Result<i64, StoreError> {
        text.map_or(Ok(0), |text| self.text(text))
    }

    /// The number of what a reference points to.
    fn target(&mut self, target: &Target<'_>) -> Result<i64, StoreError> {
        match target {
            Target::Local { kind, id } => match self.registry().kind(kind).map(|kind| kind.no) {
                Some(kind) => self.record(kind, id),
                None => self.record(EXTERNAL, &format!("{kind}/{id}")),
            },
            Target::Url(url) => self.record(EXTERNAL, url),
        }
    }
}

/// The writer's numbers: what is new gets one.
pub(super) struct Giving<'n> {
    pub(super) connection: &'n Connection,
    pub(super) registry: &'n Registry,
    pub(super) dict: &'n mut Dict,
    pub(super) ids: &'n mut Ids,
}

impl Numbers for Giving<'_> {
    fn text(&mut self, text: &str) -> Result<i64, StoreError> {
        self.dict.number(self.connection, text)
    }

    fn record(&mut self, kind: i64, id: &str) -> Result<i64, StoreError> {
        self.ids.rid(self.connection, kind, id)
    }

    fn registry(&self) -> &Registry {
        self.registry
    }
}

impl RowSet {
    /// The rows of a record.
    pub(super) fn new(
        numbers: &mut impl Numbers,
        kind: &KindNumbers,
        rid: i64,
        indexed: &Indexed,
    ) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for (position, value) in &indexed.values {
            let tp = kind.tp[usize::from(*position)];
            if let Some((low, high)) = presence(tp) {
                rows.present.0 |= low;
                rows.present.1 |= high;
            }
            rows.add(numbers, tp, rid, value)?;
        }
        rows.sort();
        Ok(rows)
    }

    fn add(
        &mut self,
        numbers: &mut impl Numbers,
        tp: i64,
        rid: i64,
        value: &IndexValue<'_>,
    ) -> Result<(), StoreError> {
        match value {
            IndexValue::Token { system, code } => {
                let row = (tp, numbers.maybe(code.as_deref())?, rid, numbers.maybe(system.as_deref())?);
                self.tok.push(row);
            }
            IndexValue::Uri(uri) => self.tok.push((tp, numbers.text(uri)?, rid, 0)),
            IndexValue::Reference(target) => self.refs.push((tp, numbers.target(target)?, rid)),
            IndexValue::Date(range) => self.dat.push((tp, range.lo, range.hi, rid)),
            IndexValue::Number(range) => {
                self.num.push((tp, range.lo.0.clone(), range.hi.0.clone(), rid, 0, 0, 0));
            }
            IndexValue::Quantity { system, code, unit, range } => {
                let code = numbers.maybe(code.as_deref())?;
                let system = numbers.maybe(system.as_deref())?;
                let unit = numbers.maybe(unit.as_deref())?;
                self.num.push((tp, range.lo.0.clone(), range.hi.0.clone(), rid, code, system, unit));
            }
            IndexValue::String(raw) => self.add_text(tp, rid, raw),
            IndexValue::Text(_)
            | IndexValue::OfType { .. }
            | IndexValue::Identifier { .. }
            | IndexValue::Canonical { .. }
            | IndexValue::Composite(_)
            | IndexValue::Near { .. } => {}
        }
        Ok(())
    }

    fn add_text(&mut self, tp: i64, rid: i64, raw: &str) {
        let raw = text::nfc(raw);
        let norm = text::normalize(&raw).into_owned();
        let initials = text::initials(&raw);
        if initials != norm || text::has_initials(&norm) {
            self.cho.push((tp, initials, rid, norm.clone()));
        }
        // Most texts are their own normal form; an empty column says so.
        let raw = if raw == norm { String::new() } else { raw.into_owned() };
        self.text.push((tp, norm, rid, raw));
    }

    /// Leaves only the rows of these parameters.
    pub(super) fn keep_only(&mut self, tps: &[i64]) {
        self.tok.retain(|row| tps.contains(&row.0));
        self.refs.retain(|row| tps.contains(&row.0));
        self.dat.retain(|row| tps.contains(&row.0));
        self.num.retain(|row| tps.contains(&row.0));
        self.text.retain(|row| tps.contains(&row.0));
        self.cho.retain(|row| tps.contains(&row.0));
    }

    fn sort(&mut self) {
        fn tidy<T: Ord>(rows: &mut Vec<T>) {
            rows.sort_unstable();
            rows.dedup();
        }
        tidy(&mut self.tok);
        tidy(&mut self.refs);
        tidy(&mut self.dat);
        tidy(&mut self.num);
        tidy(&mut self.text);
        tidy(&mut self.cho);
    }
}

/// Rows waiting to be written. Sorted by key before they are, so that each leaf page is touched once.
#[derive(Debug, Default)]
pub(super) struct Pending {
    insert: Lists,
    delete: RowSet,
}

#[derive(Debug, Default)]
struct Lists {
    tok: Vec<(Tok, Carried)>,
    refs: Vec<(Ref, Carried)>,
    dat: Vec<(Dat, Carried)>,
    num: Vec<(Num, Carried)>,
    text: Vec<(Str, Carried)>,
    cho: Vec<(Str, Carried)>,
}

impl Pending {
    pub(super) fn insert(&mut self, rows: RowSet, carried: Carried) {
        fn add<T>(list: &mut Vec<(T, Carried)>, rows: Vec<T>, carried: Carried) {
            list.extend(rows.into_iter().map(|row| (row, carried)));
        }
        add(&mut self.insert.tok, rows.tok, carried);
        add(&mut self.insert.refs, rows.refs, carried);
        add(&mut self.insert.dat, rows.dat, carried);
        add(&mut self.insert.num, rows.num, carried);
        add(&mut self.insert.text, rows.text, carried);
        add(&mut self.insert.cho, rows.cho, carried);
    }

    pub(super) fn delete(&mut self, rows: RowSet) {
        self.delete.tok.extend(rows.tok);
        self.delete.refs.extend(rows.refs);
        self.delete.dat.extend(rows.dat);
        self.delete.num.extend(rows.num);
        self.delete.text.extend(rows.text);
        self.delete.cho.extend(rows.cho);
    }

    /// Replaces one set by another, touching only what differs.
    pub(super) fn replace(&mut self, old: RowSet, old_carried: Carried, new: RowSet, carried: Carried) {
        if old_carried != carried {
            self.delete(old);
            self.insert(new, carried);
            return;
        }
        fn split<T: Ord + Clone>(old: &[T], new: Vec<T>) -> (Vec<T>, Vec<T>) {
            let gone = old.iter().filter(|row| new.binary_search(row).is_err()).cloned().collect();
            let come = new.into_iter().filter(|row| old.binary_search(row).is_err()).collect();
            (gone, come)
        }
        let (mut gone, mut come) = (RowSet::default(), RowSet::default());
        (gone.tok, come.tok) = split(&old.tok, new.tok);
        (gone.refs, come.refs) = split(&old.refs, new.refs);
        (gone.dat, come.dat) = split(&old.dat, new.dat);
        (gone.num, come.num) = split(&old.num, new.num);
        (gone.text, come.text) = split(&old.text, new.text);
        (gone.cho, come.cho) = split(&old.cho, new.cho);
        self.delete(gone);
        self.insert(come, carried);
    }

    /// Writes everything that waits.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let delete = std::mem::take(&mut self.delete);
        flush_deletes(connection, delete)?;
        let mut insert = std::mem::take(&mut self.insert);
        insert.flush_tokens(connection)?;
        insert.flush_ranges(connection)?;
        insert.flush_texts(connection)
    }
}

fn flush_deletes(connection: &Connection, rows: RowSet) -> Result<(), StoreError> {
    for (tp, v, rid, s) in rows.tok {
        let sql = "DELETE FROM tok WHERE tp = ?1 AND v = ?2 AND rid = ?3 AND s = ?4";
        connection.prepare_cached(sql)?.execute(params![tp, v, rid, s])?;
    }
    for (tp, target, rid) in rows.refs {
        let sql = "DELETE FROM ref WHERE tp = ?1 AND target = ?2 AND rid = ?3";
        connection.prepare_cached(sql)?.execute(params![tp, target, rid])?;
    }
    for (tp, lo, hi, rid) in rows.dat {
        let sql = "DELETE FROM dat WHERE tp = ?1 AND lo = ?2 AND hi = ?3 AND rid = ?4";
        connection.prepare_cached(sql)?.execute(params![tp, lo, hi, rid])?;
    }
    for (tp, lo, hi, rid, code, s, unit) in rows.num {
        let sql = "DELETE FROM num WHERE tp = ?1 AND lo = ?2 AND hi = ?3 AND rid = ?4 \
                   AND code = ?5 AND s = ?6 AND unit = ?7";
        connection.prepare_cached(sql)?.execute(params![tp, lo, hi, rid, code, s, unit])?;
    }
    for (tp, norm, rid, raw) in rows.text {
        let sql = "DELETE FROM str WHERE tp = ?1 AND norm = ?2 AND rid = ?3 AND raw = ?4";
        connection.prepare_cached(sql)?.execute(params![tp, norm, rid, raw])?;
    }
    for (tp, initials, rid, norm) in rows.cho {
        let sql = "DELETE FROM cho WHERE tp = ?1 AND initials = ?2 AND rid = ?3 AND norm = ?4";
        connection.prepare_cached(sql)?.execute(params![tp, initials, rid, norm])?;
    }
    Ok(())
}

impl Lists {
    fn flush_tokens(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.tok.sort_unstable_by_key(|(row, _)| *row);
        let mut insert = connection.prepare_cached("INSERT INTO tok VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        let mut known = connection.prepare_cached("INSERT OR IGNORE INTO tokdict VALUES (?1, ?2, ?3)")?;
        let mut last = None;
        for ((tp, v, rid, s), carried) in self.tok.drain(..) {
            insert.execute(params![tp, v, rid, s, carried.pat, carried.mask, carried.d])?;
            if s != 0 && last != Some((tp, s, v)) {
                known.execute(params![tp, s, v])?;
                last = Some((tp, s, v));
            }
        }
        self.refs.sort_unstable_by_key(|(row, _)| *row);
        let mut insert = connection.prepare_cached("INSERT INTO ref VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for ((tp, target, rid), carried) in self.refs.drain(..) {
            insert.execute(params![tp, target, rid, carried.pat, carried.mask, carried.d])?;
        }
        Ok(())
    }

    fn flush_ranges(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.dat.sort_unstable_by_key(|(row, _)| *row);
        let mut insert = connection.prepare_cached("INSERT INTO dat VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for ((tp, lo, hi, rid), carried) in self.dat.drain(..) {
            insert.execute(params![tp, lo, hi, rid, carried.pat, carried.mask])?;
        }
        self.num.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let mut insert =
            connection.prepare_cached("INSERT INTO num VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        for ((tp, lo, hi, rid, code, s, unit), carried) in self.num.drain(..) {
            insert.execute(params![tp, lo, hi, rid, code, s, unit, carried.pat, carried.mask])?;
        }
        Ok(())
    }

    fn flush_texts(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.text.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let mut insert = connection.prepare_cached("INSERT INTO str VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for ((tp, norm, rid, raw), carried) in self.text.drain(..) {
            insert.execute(params![tp, norm, rid, raw, carried.pat, carried.mask])?;
        }
        self.cho.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let mut insert = connection.prepare_cached("INSERT INTO cho VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for ((tp, initials, rid, norm), carried) in self.cho.drain(..) {
            insert.execute(params![tp, initials, rid, norm, carried.pat, carried.mask])?;
        }
        Ok(())
    }
}
