//! Numbers of texts, records, values and units: what index rows are made of.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use ieum_fhir::index::Target;
use rusqlite::{Connection, OptionalExtension, params};

use super::dict::{Dict, StoredId, dict_find};
use super::ids::{Ids, find_rid};
use super::registry::{EXTERNAL, Registry};
use crate::commit::StoreError;

/// Entries remembered by the writer of each sort; cleared when full.
const REMEMBERED: usize = 400_000;

/// `s` of a reference that begins a combination.
pub(super) const REFERENCE: i64 = -1;
/// `s` of a canonical unit.
pub(super) const CANONICAL: i64 = -1;

/// A value of a parameter, as a row of `tokval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TokenValue {
    pub(super) tp: i64,
    /// The code, the number of its text; 0 for none.
    pub(super) v: i64,
    /// Its system; 0 for none.
    pub(super) s: i64,
    /// The word for it; 0 for none.
    pub(super) x: i64,
}

/// What a number counts, as a row of `unit`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Unit {
    pub(super) code: i64,
    pub(super) s: i64,
    pub(super) unit: i64,
}

/// Numbers once read or given, so that they are not asked for again.
#[derive(Debug)]
pub(super) struct Known<K>(HashMap<K, i64, RandomState>);

impl<K> Default for Known<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Eq + Hash> Known<K> {
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<i64>
    where
        K: Borrow<Q>,
    {
        self.0.get(key).copied()
    }

    pub(super) fn remember(&mut self, key: K, number: i64) {
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(key, number);
    }
}

/// Gives the numbers of what stands in rows.
pub(super) trait Numbers {
    /// The number of a text.
    fn text(&mut self, text: &str) -> Result<i64, StoreError>;

    /// The number of a record, or of an address elsewhere.
    fn record(&mut self, kind: i64, id: &str) -> Result<i64, StoreError>;

    /// The number of a value of a parameter.
    fn token(&mut self, value: TokenValue) -> Result<i64, StoreError>;

    /// The number of a unit that is not none.
    fn known_unit(&mut self, unit: Unit) -> Result<i64, StoreError>;

    /// The numbers of kinds.
    fn registry(&self) -> &Registry;

    /// The number of a text; 0 for none.
    fn maybe(&mut self, text: Option<&str>) -> Result<i64, StoreError> {
        text.map_or(Ok(0), |text| self.text(text))
    }

    /// The number of a unit; 0 for none.
    fn unit(&mut self, unit: Unit) -> Result<i64, StoreError> {
        if unit == Unit::default() { Ok(0) } else { self.known_unit(unit) }
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

/// What the writer remembers of numbers.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) dict: Dict,
    pub(super) ids: Ids,
    tokens: Known<TokenValue>,
    units: Known<Unit>,
}

impl Given {
    /// Forgets the numbers of values, some of which are no more.
    pub(super) fn forget_tokens(&mut self) {
        self.tokens = Known::default();
    }
}

/// The writer's numbers: what is new gets one.
pub(super) struct Giving<'n> {
    pub(super) connection: &'n Connection,
    pub(super) registry: &'n Registry,
    pub(super) given: &'n mut Given,
}

impl Numbers for Giving<'_> {
    fn text(&mut self, text: &str) -> Result<i64, StoreError> {
        self.given.dict.number(self.connection, text)
    }

    fn record(&mut self, kind: i64, id: &str) -> Result<i64, StoreError> {
        self.given.ids.mentioned(self.connection, kind, id)
    }

    fn token(&mut self, value: TokenValue) -> Result<i64, StoreError> {
        if let Some(k) = self.given.tokens.get(&value) {
            return Ok(k);
        }
        let k = match find_token(self.connection, value)? {
            Some(k) => k,
            None => {
                let TokenValue { tp, v, s, x } = value;
                let sql = "INSERT INTO tokval (tp, v, s, x) VALUES (?1, ?2, ?3, ?4)";
                self.connection.prepare_cached(sql)?.insert([tp, v, s, x])?
            }
        };
        self.given.tokens.remember(value, k);
        Ok(k)
    }

    fn known_unit(&mut self, unit: Unit) -> Result<i64, StoreError> {
        if let Some(u) = self.given.units.get(&unit) {
            return Ok(u);
        }
        let u = match find_unit(self.connection, unit)? {
            Some(u) => u,
            None => {
                let sql = "INSERT INTO unit (code, s, unit) VALUES (?1, ?2, ?3)";
                self.connection.prepare_cached(sql)?.insert([unit.code, unit.s, unit.unit])?
            }
        };
        self.given.units.remember(unit, u);
        Ok(u)
    }

    fn registry(&self) -> &Registry {
        self.registry
    }
}

/// Numbers as they are in the file: a missing one is a fault.
pub(super) struct Finding<'f> {
    pub(super) connection: &'f Connection,
    pub(super) registry: &'f Registry,
}

impl Numbers for Finding<'_> {
    fn text(&mut self, text: &str) -> Result<i64, StoreError> {
        found(dict_find(self.connection, text)?, "a text has no number")
    }

    fn record(&mut self, kind: i64, id: &str) -> Result<i64, StoreError> {
        found(find_rid(self.connection, kind, &StoredId::new(id))?, "a reference has no number")
    }

    fn token(&mut self, value: TokenValue) -> Result<i64, StoreError> {
        found(find_token(self.connection, value)?, "a value has no number")
    }

    fn known_unit(&mut self, unit: Unit) -> Result<i64, StoreError> {
        found(find_unit(self.connection, unit)?, "a unit has no number")
    }

    fn registry(&self) -> &Registry {
        self.registry
    }
}

fn found(number: Option<i64>, else_what: &str) -> Result<i64, StoreError> {
    number.ok_or_else(|| StoreError::Damaged(else_what.to_owned()))
}

fn find_token(connection: &Connection, value: TokenValue) -> Result<Option<i64>, StoreError> {
    let TokenValue { tp, v, s, x } = value;
    let sql = "SELECT k FROM tokval WHERE tp = ?1 AND v = ?2 AND s = ?3 AND x = ?4";
    Ok(connection.prepare_cached(sql)?.query_row([tp, v, s, x], |row| row.get(0)).optional()?)
}

fn find_unit(connection: &Connection, unit: Unit) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT u FROM unit WHERE code = ?1 AND s = ?2 AND unit = ?3";
    let values = params![unit.code, unit.s, unit.unit];
    Ok(connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?)
}
