//! Index rows: what a record is found by, as numbers.

use ieum_fhir::index::{IndexValue, NumberRange};
use ieum_fhir::text;
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, Statement, ToSql};

use super::numbers::{CANONICAL, Numbers, REFERENCE, TokenValue, Unit};
use super::registry::{KindNumbers, facet, presence};
use super::table::{self, IndexRow, each_list, index_row};
use super::vals;
use crate::commit::StoreError;

index_row! {
    /// A value of a parameter, by its number in `tokval`: a token, a URI, a word.
    Tok in "tok" { k: i64, rid: i64 }
}
index_row! {
    /// What is referred to.
    Ref in "ref" { tp: i64, target: i64, rid: i64 }
}
index_row! {
    /// A stretch of time in microseconds.
    Dat in "dat" { tp: i64, lo: i64, hi: i64, rid: i64 }
}
index_row! {
    /// A stretch of numbers with its unit.
    Num in "num" { tp: i64, lo: Vec<u8>, hi: Vec<u8>, rid: i64, u: i64 }
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
    /// A combination of values inside one element; see `schema-4.sql`.
    Cmp in "cmp" { k: i64, lo: Key, hi: Key, rid: i64, u: i64, lo3: Vec<u8>, hi3: Vec<u8> }
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
    /// The two presence columns of the record.
    pub(super) present: (i64, i64),
    /// Its dates and numbers, as its own row holds them.
    pub(super) vals: Vec<u8>,
}

/// System and code of an identifier's type as one text; the separator stands in neither.
pub(super) fn of_type(system: &str, code: &str) -> String {
    format!("{system}\u{1f}{code}")
}

impl RowSet {
    /// The rows of a record with these values, which are sorted. The parameters `apart` get no rows, but count for what
    /// stands in the record's own row.
    pub(super) fn new(
        numbers: &mut impl Numbers,
        kind: &KindNumbers,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
        apart: &[i64],
    ) -> Result<Self, StoreError> {
        let (mut rows, mut set_apart) = (Self::default(), Self::default());
        for of_param in values.chunk_by(|(left, _), (right, _)| left == right) {
            let tp = kind.tp[usize::from(of_param[0].0)];
            if let Some((low, high)) = presence(tp) {
                rows.present.0 |= low;
                rows.present.1 |= high;
            }
            let is_apart = apart.contains(&tp);
            if !is_apart {
                rows.add_tokens(numbers, tp, rid, of_param)?;
            }
            for (_, value) in of_param {
                let tp = facet(tp, value.facet());
                if !is_apart {
                    rows.add(numbers, tp, rid, value)?;
                } else if stands_in_row(value) {
                    set_apart.add(numbers, tp, rid, value)?;
                }
            }
        }
        rows.sort();
        rows.vals =
            vals::encode(rows.dat.iter().chain(&set_apart.dat), rows.num.iter().chain(&set_apart.num));
        Ok(rows)
    }

    /// Tokens and the words for them. Most often there is one of each: then they are one value.
    fn add_tokens(
        &mut self,
        numbers: &mut impl Numbers,
        tp: i64,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
    ) -> Result<(), StoreError> {
        let mut tokens = Vec::new();
        for (_, value) in values {
            match value {
                IndexValue::Token { system, code } => {
                    let (v, s) = (numbers.maybe(code.as_deref())?, numbers.maybe(system.as_deref())?);
                    tokens.push(TokenValue { tp, v, s, x: 0 });
                }
                IndexValue::Text(text) => {
                    tokens.push(TokenValue { tp, v: 0, s: 0, x: numbers.text(text)? });
                }
                _ => {}
            }
        }
        if let [TokenValue { v, s, x: 0, .. }, TokenValue { v: 0, s: 0, x, .. }] = tokens[..] {
            tokens = vec![TokenValue { tp, v, s, x }];
        }
        for token in tokens {
            self.tok.push(Tok { k: numbers.token(token)?, rid });
        }
        Ok(())
    }

    fn add(
        &mut self,
        numbers: &mut impl Numbers,
        tp: i64,
        rid: i64,
        value: &IndexValue<'_>,
    ) -> Result<(), StoreError> {
        let mut token = |numbers: &mut _, v, s| {
            let k = Numbers::token(numbers, TokenValue { tp, v, s, x: 0 })?;
            self.tok.push(Tok { k, rid });
            Ok(())
        };
        match value {
            IndexValue::Token { .. } | IndexValue::Text(_) => Ok(()),
            IndexValue::Identifier { system, value } => {
                let (v, s) = (numbers.maybe(value.as_deref())?, numbers.maybe(system.as_deref())?);
                token(numbers, v, s)
            }
            IndexValue::OfType { system, code, value } => {
                let (v, s) = (numbers.text(value)?, numbers.text(&of_type(system, code))?);
                token(numbers, v, s)
            }
            IndexValue::Uri(text) => {
                let v = numbers.text(text)?;
                token(numbers, v, 0)
            }
            IndexValue::Reference(target) => {
                self.refs.push(Ref { tp, target: numbers.target(target)?, rid });
                Ok(())
            }
            IndexValue::Date(range) => {
                self.dat.push(Dat { tp, lo: range.lo, hi: range.hi, rid });
                Ok(())
            }
            IndexValue::Number(range) => {
                self.add_number(tp, rid, range, 0);
                Ok(())
            }
            IndexValue::Quantity { range, .. } | IndexValue::Canonical { range, .. } => {
                self.add_number(tp, rid, range, unit(numbers, value)?);
                Ok(())
            }
            IndexValue::String(raw) => {
                self.add_text(tp, rid, raw);
                Ok(())
            }
            IndexValue::Composite(parts) => {
                self.cmp.push(combination(numbers, tp, rid, parts)?);
                Ok(())
            }
            IndexValue::Near { lat, lon } => {
                self.geo.push(Geo { tp, lat: *lat, lon: *lon, rid });
                Ok(())
            }
        }
    }

    fn add_number(&mut self, tp: i64, rid: i64, range: &NumberRange, u: i64) {
        let (lo, hi) = ends(range);
        self.num.push(Num { tp, lo, hi, rid, u });
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

    fn sort(&mut self) {
        macro_rules! tidy {
            ($list:ident) => {
                self.$list.sort_unstable();
                self.$list.dedup();
            };
        }
        each_list!(tidy);
    }

    /// Whether every row is in its table.
    pub(super) fn is_stored(&self, connection: &Connection) -> Result<bool, StoreError> {
        macro_rules! look {
            ($list:ident) => {
                if !table::are_stored(connection, &self.$list)? {
                    return Ok(false);
                }
            };
        }
        each_list!(look);
        Ok(true)
    }
}

/// Whether a value is kept in the record's own row too.
fn stands_in_row(value: &IndexValue<'_>) -> bool {
    matches!(
        value,
        IndexValue::Date(_)
            | IndexValue::Number(_)
            | IndexValue::Quantity { .. }
            | IndexValue::Canonical { .. }
    )
}

/// The raw text as kept beside its normal form. Most texts are their own normal form; an empty column says so.
pub(super) fn stored_raw(raw: &str, norm: &str) -> String {
    if raw == norm { String::new() } else { raw.to_owned() }
}

/// A stretch of numbers as kept: an empty end is equal to the start. No stretch ends at minus infinity, whose key is
/// empty too.
fn ends(range: &NumberRange) -> (Vec<u8>, Vec<u8>) {
    let hi = if range.hi == range.lo { Vec::new() } else { range.hi.0.clone() };
    (range.lo.0.clone(), hi)
}

/// The number of the unit of a quantity.
fn unit(numbers: &mut impl Numbers, value: &IndexValue<'_>) -> Result<i64, StoreError> {
    let unit = match value {
        IndexValue::Quantity { system, code, unit, .. } => Unit {
            code: numbers.maybe(code.as_deref())?,
            s: numbers.maybe(system.as_deref())?,
            unit: numbers.maybe(unit.as_deref())?,
        },
        IndexValue::Canonical { unit, .. } => Unit { code: numbers.text(unit)?, s: CANONICAL, unit: 0 },
        _ => Unit::default(),
    };
    numbers.unit(unit)
}

/// The row of one combination.
fn combination(
    numbers: &mut impl Numbers,
    tp: i64,
    rid: i64,
    parts: &[IndexValue<'_>],
) -> Result<Cmp, StoreError> {
    let unknown = || StoreError::Engine("a composite parameter of a form without index".into());
    let [first, second, rest @ ..] = parts else { return Err(unknown()) };
    let k = match first {
        IndexValue::Token { .. } => token_part(numbers, tp, first)?,
        IndexValue::Reference(target) => {
            let v = numbers.target(target)?;
            numbers.token(TokenValue { tp, v, s: REFERENCE, x: 0 })?
        }
        _ => return Err(unknown()),
    };
    let (lo, hi) = second_part(numbers, tp, second)?.ok_or_else(unknown)?;
    let u = unit(numbers, second)?;
    let (lo3, hi3) = match rest {
        [] => (Vec::new(), Vec::new()),
        [IndexValue::Number(range)] => (range.lo.0.clone(), range.hi.0.clone()),
        _ => return Err(unknown()),
    };
    Ok(Cmp { k, lo, hi, rid, u, lo3, hi3 })
}

/// The number of a token that is part of a combination.
fn token_part(numbers: &mut impl Numbers, tp: i64, part: &IndexValue<'_>) -> Result<i64, StoreError> {
    let (v, s) = match part {
        IndexValue::Token { system, code } => {
            (numbers.maybe(code.as_deref())?, numbers.maybe(system.as_deref())?)
        }
        _ => (0, 0),
    };
    numbers.token(TokenValue { tp, v, s, x: 0 })
}

/// The columns of the second part; `None` for forms that no parameter of R4 has there.
fn second_part(
    numbers: &mut impl Numbers,
    tp: i64,
    part: &IndexValue<'_>,
) -> Result<Option<(Key, Key)>, StoreError> {
    Ok(Some(match part {
        IndexValue::Token { .. } => (Key::Int(token_part(numbers, tp, part)?), Key::Int(0)),
        IndexValue::Reference(target) => (Key::Int(numbers.target(target)?), Key::Int(0)),
        IndexValue::Quantity { range, .. }
        | IndexValue::Canonical { range, .. }
        | IndexValue::Number(range) => {
            let (lo, hi) = ends(range);
            (Key::Bytes(lo), Key::Bytes(hi))
        }
        IndexValue::Date(range) => (Key::Int(range.lo), Key::Int(range.hi)),
        IndexValue::String(raw) => {
            let raw = text::nfc(raw);
            let norm = text::normalize(&raw).into_owned();
            let raw = stored_raw(&raw, &norm);
            (Key::Text(norm), Key::Text(raw))
        }
        _ => return Ok(None),
    }))
}
