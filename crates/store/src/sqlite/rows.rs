//! Index rows: what a record is found by, as numbers.

use ieum_fhir::index::{IndexValue, Target};
use ieum_fhir::text;
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, Statement, ToSql};

use super::apply::Ids;
use super::dict::Dict;
use super::registry::{EXTERNAL, KindNumbers, Registry, base, facet, presence};
use super::table::{self, Carried, IndexRow, each_list, index_row};
use crate::commit::StoreError;

index_row! {
    /// A code, the number of its text, under a system; 0 for none. URIs and words for tokens have no system.
    Tok in "tok", dated = true { tp: i64, v: i64, rid: i64, s: i64 }
}
index_row! {
    /// What is referred to.
    Ref in "ref", dated = true { tp: i64, target: i64, rid: i64 }
}
index_row! {
    /// A stretch of time in microseconds.
    Dat in "dat" { tp: i64, lo: i64, hi: i64, rid: i64 }
}
index_row! {
    /// A stretch of numbers with its unit.
    Num in "num" { tp: i64, lo: Vec<u8>, hi: Vec<u8>, rid: i64, code: i64, s: i64, unit: i64 }
}
index_row! {
    /// A text, normalised and as it stands.
    Str in "str" { tp: i64, norm: String, rid: i64, raw: String }
}
index_row! {
    /// The initials of a text.
    Cho in "cho" { tp: i64, initials: String, rid: i64, norm: String }
}
index_row! {
    /// A place.
    Geo in "geo" { tp: i64, lat: i64, lon: i64, rid: i64 }
}
index_row! {
    /// A combination of values inside one element; see `schema-3.sql`.
    Cmp in "cmp" {
        tp: i64, v: i64, lo: Key, hi: Key, rid: i64, s: i64, code: i64, s2: i64, unit: i64, lo3: Vec<u8>, hi3: Vec<u8>,
    }
}

/// A value that orders as SQLite orders it: numbers, then text, then bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Key> for Value {
    fn from(key: &Key) -> Self {
        match key {
            Key::Int(value) => Self::Integer(*value),
            Key::Text(text) => Self::Text(text.clone()),
            Key::Bytes(bytes) => Self::Blob(bytes.clone()),
        }
    }
}

impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Int(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => bytes.as_slice().into(),
        })
    }
}

/// `s2` of a quantity in canonical units, whose `code` is the canonical unit.
pub(super) const CANONICAL: i64 = -1;

/// The index rows of one record; each list sorted, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RowSet {
    pub(super) tok: Vec<Tok>,
    pub(super) refs: Vec<Ref>,
    pub(super) dat: Vec<Dat>,
    pub(super) num: Vec<Num>,
    pub(super) text: Vec<Str>,
    pub(super) cho: Vec<Cho>,
    pub(super) cmp: Vec<Cmp>,
    pub(super) geo: Vec<Geo>,
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

/// System and code of an identifier's type as one text; the separator stands in neither.
pub(super) fn of_type(system: &str, code: &str) -> String {
    format!("{system}\u{1f}{code}")
}

impl RowSet {
    /// The rows of a record with these values.
    pub(super) fn new(
        numbers: &mut impl Numbers,
        kind: &KindNumbers,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
    ) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for (position, value) in values {
            let tp = kind.tp[usize::from(*position)];
            if let Some((low, high)) = presence(tp) {
                rows.present.0 |= low;
                rows.present.1 |= high;
            }
            rows.add(numbers, facet(tp, value.facet()), rid, value)?;
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
            IndexValue::Token { system, code } | IndexValue::Identifier { system, value: code } => {
                let (v, s) = (numbers.maybe(code.as_deref())?, numbers.maybe(system.as_deref())?);
                self.tok.push(Tok { tp, v, rid, s });
            }
            IndexValue::OfType { system, code, value } => {
                let (v, s) = (numbers.text(value)?, numbers.text(&of_type(system, code))?);
                self.tok.push(Tok { tp, v, rid, s });
            }
            IndexValue::Uri(text) | IndexValue::Text(text) => {
                self.tok.push(Tok { tp, v: numbers.text(text)?, rid, s: 0 });
            }
            IndexValue::Reference(target) => {
                self.refs.push(Ref { tp, target: numbers.target(target)?, rid });
            }
            IndexValue::Date(range) => self.dat.push(Dat { tp, lo: range.lo, hi: range.hi, rid }),
            IndexValue::Number(range) => {
                let (lo, hi) = (range.lo.0.clone(), range.hi.0.clone());
                self.num.push(Num { tp, lo, hi, rid, code: 0, s: 0, unit: 0 });
            }
            IndexValue::Quantity { system, code, unit, range } => {
                let (lo, hi) = (range.lo.0.clone(), range.hi.0.clone());
                let (code, s) = (numbers.maybe(code.as_deref())?, numbers.maybe(system.as_deref())?);
                self.num.push(Num { tp, lo, hi, rid, code, s, unit: numbers.maybe(unit.as_deref())? });
            }
            IndexValue::Canonical { unit, range } => {
                let (lo, hi) = (range.lo.0.clone(), range.hi.0.clone());
                self.num.push(Num { tp, lo, hi, rid, code: numbers.text(unit)?, s: 0, unit: 0 });
            }
            IndexValue::String(raw) => self.add_text(tp, rid, raw),
            IndexValue::Composite(parts) => self.cmp.push(combination(numbers, tp, rid, parts)?),
            IndexValue::Near { lat, lon } => self.geo.push(Geo { tp, lat: *lat, lon: *lon, rid }),
        }
        Ok(())
    }

    fn add_text(&mut self, tp: i64, rid: i64, raw: &str) {
        let raw = text::nfc(raw);
        let norm = text::normalize(&raw).into_owned();
        let initials = text::initials(&raw);
        if initials != norm || text::has_initials(&norm) {
            self.cho.push(Cho { tp, initials, rid, norm: norm.clone() });
        }
        let raw = stored_raw(&raw, &norm);
        self.text.push(Str { tp, norm, rid, raw });
    }

    /// Leaves only the rows of these parameters.
    pub(super) fn keep_only(&mut self, tps: &[i64]) {
        macro_rules! keep {
            ($list:ident) => {
                self.$list.retain(|row| tps.contains(&base(row.tp())))
            };
        }
        each_list!(keep);
    }

    /// Leaves out the rows of these parameters.
    pub(super) fn leave_out(&mut self, tps: &[i64]) {
        macro_rules! drop_rows {
            ($list:ident) => {
                self.$list.retain(|row| !tps.contains(&base(row.tp())))
            };
        }
        each_list!(drop_rows);
    }

    fn sort(&mut self) {
        macro_rules! tidy {
            ($list:ident) => {
                self.$list.sort_unstable();
                self.$list.dedup();
            };
        }
        each_list!(tidy);
    }

    /// Whether every row is in its table, carrying this.
    pub(super) fn is_stored(&self, connection: &Connection, carried: Carried) -> Result<bool, StoreError> {
        macro_rules! look {
            ($list:ident) => {
                if !table::are_stored(connection, &self.$list, carried)? {
                    return Ok(false);
                }
            };
        }
        each_list!(look);
        let mut known =
            connection.prepare_cached("SELECT 1 FROM tokdict WHERE tp = ? AND s = ? AND v = ?")?;
        for Tok { tp, v, s, .. } in &self.tok {
            if !known.exists([tp, s, v])? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The raw text as kept beside its normal form. Most texts are their own normal form; an empty column says so.
pub(super) fn stored_raw(raw: &str, norm: &str) -> String {
    if raw == norm { String::new() } else { raw.to_owned() }
}

/// The row of one combination.
fn combination(
    numbers: &mut impl Numbers,
    tp: i64,
    rid: i64,
    parts: &[IndexValue<'_>],
) -> Result<Cmp, StoreError> {
    let unknown = || StoreError::Engine("a composite parameter of a form without index".into());
    let none = Key::Int(0);
    let (mut row, rest) = match parts {
        [first, second, rest @ ..] if rest.len() <= 1 => {
            let (v, s) = match first {
                IndexValue::Token { system, code } => {
                    (numbers.maybe(code.as_deref())?, numbers.maybe(system.as_deref())?)
                }
                IndexValue::Reference(target) => (numbers.target(target)?, 0),
                _ => return Err(unknown()),
            };
            let row = Cmp {
                tp,
                v,
                lo: none.clone(),
                hi: none,
                rid,
                s,
                code: 0,
                s2: 0,
                unit: 0,
                lo3: Vec::new(),
                hi3: Vec::new(),
            };
            (second_part(numbers, row, second)?.ok_or_else(unknown)?, rest)
        }
        _ => return Err(unknown()),
    };
    match rest {
        [] => {}
        [IndexValue::Number(range)] => (row.lo3, row.hi3) = (range.lo.0.clone(), range.hi.0.clone()),
        _ => return Err(unknown()),
    }
    Ok(row)
}

/// Puts the second part into the row; `None` for forms that no parameter of R4 has there.
fn second_part(
    numbers: &mut impl Numbers,
    mut row: Cmp,
    part: &IndexValue<'_>,
) -> Result<Option<Cmp>, StoreError> {
    match part {
        IndexValue::Token { system, code } => {
            row.lo = Key::Int(numbers.maybe(code.as_deref())?);
            row.s2 = numbers.maybe(system.as_deref())?;
        }
        IndexValue::Quantity { system, code, unit, range } => {
            (row.lo, row.hi) = (Key::Bytes(range.lo.0.clone()), Key::Bytes(range.hi.0.clone()));
            (row.code, row.s2) = (numbers.maybe(code.as_deref())?, numbers.maybe(system.as_deref())?);
            row.unit = numbers.maybe(unit.as_deref())?;
        }
        IndexValue::Canonical { unit, range } => {
            (row.lo, row.hi) = (Key::Bytes(range.lo.0.clone()), Key::Bytes(range.hi.0.clone()));
            (row.code, row.s2) = (numbers.text(unit)?, CANONICAL);
        }
        IndexValue::Reference(target) => row.lo = Key::Int(numbers.target(target)?),
        IndexValue::Number(range) => {
            (row.lo, row.hi) = (Key::Bytes(range.lo.0.clone()), Key::Bytes(range.hi.0.clone()));
        }
        IndexValue::Date(range) => (row.lo, row.hi) = (Key::Int(range.lo), Key::Int(range.hi)),
        IndexValue::String(raw) => {
            let raw = text::nfc(raw);
            let norm = text::normalize(&raw).into_owned();
            (row.lo, row.hi) = (Key::Text(norm.clone()), Key::Text(stored_raw(&raw, &norm)));
        }
        _ => return Ok(None),
    }
    Ok(Some(row))
}
