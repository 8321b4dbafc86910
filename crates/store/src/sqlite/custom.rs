//! Search parameters that records define: their numbers, and indexing by them in the background.
//!
//! All of it is done by the writer, between commits. Where each parameter stands is kept in `meta`, under `index` and
//! its number, and changes in the transaction that does the work: whatever happens, a restart goes on from there.
//!
//! | state | what holds |
//! |---|---|
//! | none | rows of all records are there; it can be searched by |
//! | `build n`, `stopped n` | rows are there for records with a number up to n, and for no others |
//! | `remove n` | it is a parameter no more; what is left of it goes |
//!
//! A parameter that means something else now gets another number: rows of two meanings never stand under one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ieum_fhir::search::custom::CustomParam;
use ieum_fhir::search::parameters::Indexing;
use rusqlite::{Connection, OptionalExtension, params};

use super::registry::{Registry, facets, kind_of, place, presence, with_presence};
use super::rows::{Cho, Cmp, Dat, Geo, Num, Ref, Str, Tok};
use super::table::{delete_some, delete_under};
use super::{Shared, to_u64};
use crate::catalogue::Catalogue;
use crate::commit::StoreError;
use crate::custom::{IndexStep, IndexTask, IndexWork, Progress};
use crate::sensitive::SensitiveCodes;

/// Up to which record number rows are there, by parameter; parameters with all rows are not among them.
pub(super) type Points = BTreeMap<i64, i64>;

/// How far records are indexed, by parameter.
pub(super) type Indexings = BTreeMap<i64, Arc<Progress>>;

/// Record numbers whose presence bits are looked at for each row that may be removed.
const BITS_PER_ROW: i64 = 16;

/// Before the code of what is a parameter no more.
const GONE: char = '~';

/// Where a parameter stands that is not simply in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Build(i64),
    Stopped(i64),
    Remove(i64),
}

impl State {
    fn text(self) -> String {
        match self {
            Self::Build(point) => format!("build {point}"),
            Self::Stopped(point) => format!("stopped {point}"),
            Self::Remove(point) => format!("remove {point}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (word, point) = text.split_once(' ')?;
        let point = point.parse().ok()?;
        match word {
            "build" => Some(Self::Build(point)),
            "stopped" => Some(Self::Stopped(point)),
            "remove" => Some(Self::Remove(point)),
            _ => None,
        }
    }
}

/// Where all parameters stand that are not simply in force.
pub(super) fn states(connection: &Connection) -> Result<BTreeMap<i64, State>, StoreError> {
    let sql = "SELECT substr(name, 7), value FROM meta WHERE name >= 'index ' AND name < 'index!'";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut states = BTreeMap::new();
    for row in rows {
        let (number, state) = row?;
        let (Ok(number), Some(state)) = (number.parse(), State::read(&state)) else {
            return Err(StoreError::Damaged("the state of a search parameter".into()));
        };
        states.insert(number, state);
    }
    Ok(states)
}

/// Writes down where a parameter stands.
pub(super) fn set_state(connection: &Connection, tp: i64, state: Option<State>) -> Result<(), StoreError> {
    let name = format!("index {tp}");
    match state {
        Some(state) => connection
            .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
            .execute(params![name, state.text()])?,
        None => connection.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute(params![name])?,
    };
    Ok(())
}

/// Up to where rows are there, of the parameters of which not all are.
pub(super) fn points(connection: &Connection) -> Result<Points, StoreError> {
    let points = states(connection)?.into_iter().filter_map(|(tp, state)| match state {
        State::Build(point) | State::Stopped(point) => Some((tp, point)),
        State::Remove(_) => None,
    });
    Ok(points.collect())
}

/// What is to be done in the background.
pub(super) fn work(connection: &Connection, registry: &Registry) -> Result<Vec<IndexWork>, StoreError> {
    let mut work = Vec::new();
    for (number, state) in states(connection)? {
        let task = match state {
            State::Build(_) => IndexTask::Build,
            State::Remove(_) => IndexTask::Remove,
            State::Stopped(_) => continue,
        };
        let kind = registry.name(kind_of(number))?.to_owned();
        let code: String = connection
            .prepare_cached("SELECT code FROM param WHERE tp = ?1")?
            .query_row([number], |row| row.get(0))?;
        // `~123 code`
        let code = code.split_once(' ').map_or(code.as_str(), |(_, code)| code).to_owned();
        work.push(IndexWork { number, kind, code, task });
    }
    Ok(work)
}

/// Lets all parameters that are not built in be indexed anew when they are defined: rows of records were written without
/// knowing of them.
pub(super) fn distrust(connection: &Connection, shared: &Shared) -> Result<(), StoreError> {
    for (tp, kind, code) in own_numbers(connection)? {
        if !is_built_in(shared, kind, &code) {
            let sql = "UPDATE param SET definition = '' WHERE tp = ?1";
            connection.prepare_cached(sql)?.execute([tp])?;
        }
    }
    Ok(())
}

/// Numbers of parameters, with their kind and code, without those that are none any more.
fn own_numbers(connection: &Connection) -> Result<Vec<(i64, i64, String)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT tp, kind, code FROM param WHERE code < '~'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn is_built_in(shared: &Shared, kind: i64, code: &str) -> bool {
    let name = shared.registry.name(kind).ok();
    let kind = name.and_then(|name| shared.catalogue.kind(name));
    // Of kinds that this program does not know it takes nothing away.
    kind.is_none_or(|kind| kind.built_in(code).is_some())
}

/// Gives numbers to parameters that are new or mean something else now, and takes away those that are none any more;
/// gives what is in force then.
pub(super) fn define(
    connection: &Connection,
    shared: &Shared,
    custom: &[Arc<CustomParam>],
) -> Result<Shared, StoreError> {
    let wanted = shared.catalogue.with(custom, |_| None);
    let definition = |kind: i64, code: &str| {
        let kind = wanted.kind(shared.registry.name(kind).ok()?)?;
        Some(kind.params[kind.param(code)?].definition.as_str())
    };
    for (tp, kind, code) in own_numbers(connection)? {
        let known: String = connection
            .prepare_cached("SELECT definition FROM param WHERE tp = ?1")?
            .query_row([tp], |row| row.get(0))?;
        if !is_built_in(shared, kind, &code) && definition(kind, &code) != Some(known.as_str()) {
            let sql = "UPDATE param SET code = ?2, definition = '' WHERE tp = ?1";
            connection.prepare_cached(sql)?.execute(params![tp, format!("{GONE}{tp} {code}")])?;
            set_state(connection, tp, Some(State::Remove(0)))?;
        }
    }
    let mut admitted = Vec::new();
    for param in custom {
        let Some(kind) = shared.registry.kind(param.kind).map(|kind| kind.no) else { continue };
        let Some(definition) = definition(kind, &param.code) else { continue };
        let sql = "SELECT 1 FROM param WHERE kind = ?1 AND code = ?2";
        let is_known = connection.prepare_cached(sql)?.exists(params![kind, param.code])?;
        if !is_known {
            let Some(tp) = free_number(connection, kind)? else {
                tracing::warn!(kind = param.kind, "a search parameter waits until others are taken away");
                continue;
            };
            connection
                .prepare_cached("INSERT INTO param (tp, kind, code, definition) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![tp, kind, param.code, definition])?;
            set_state(connection, tp, Some(State::Build(0)))?;
        }
        admitted.push(Arc::clone(param));
    }
    in_force(connection, shared, &admitted)
}

/// The lowest number of a kind that is free and has a presence bit.
fn free_number(connection: &Connection, kind: i64) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT tp FROM param WHERE kind = ?1")?;
    let taken = statement.query_map([kind], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    Ok(with_presence(kind).find(|tp| !taken.contains(tp)))
}

/// What is in force with these parameters, as the tables tell it.
pub(super) fn in_force(
    connection: &Connection,
    shared: &Shared,
    custom: &[Arc<CustomParam>],
) -> Result<Shared, StoreError> {
    let mut indexing = Indexings::new();
    let mut by_name = HashMap::new();
    for (tp, state) in states(connection)? {
        let (point, is_stopped) = match state {
            State::Build(point) => (point, false),
            State::Stopped(point) => (point, true),
            State::Remove(_) => continue,
        };
        let progress = shared.indexing.get(&tp).cloned().unwrap_or_default();
        let Indexing { done, total, .. } = counted(connection, tp, point)?;
        progress.set(Indexing { done, total, is_stopped });
        let sql = "SELECT k.name, p.code FROM param p JOIN kind k ON k.no = p.kind WHERE p.tp = ?1";
        let name = connection.prepare_cached(sql)?;
        let name = { name }.query_row([tp], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        by_name.extend(name.optional()?.map(|name| (name, Arc::clone(&progress))));
        indexing.insert(tp, progress);
    }
    let progress = |param: &CustomParam| by_name.get(&(param.kind.to_owned(), param.code.clone())).cloned();
    with_catalogue(connection, shared, shared.catalogue.with(custom, progress), indexing)
}

/// What is in force with other sensitive codes.
pub(super) fn labelled(
    connection: &Connection,
    shared: &Shared,
    codes: &Arc<SensitiveCodes>,
) -> Result<Shared, StoreError> {
    let catalogue = shared.catalogue.with_sensitive(Arc::clone(codes));
    with_catalogue(connection, shared, catalogue, shared.indexing.clone())
}

fn with_catalogue(
    connection: &Connection,
    shared: &Shared,
    catalogue: Catalogue,
    indexing: Indexings,
) -> Result<Shared, StoreError> {
    let catalogue = Arc::new(catalogue);
    let registry = Registry::read(connection, &catalogue)?;
    let (path, sizes) = (shared.path.clone(), Arc::clone(&shared.sizes));
    let (clock, options) = (Arc::clone(&shared.clock), shared.options);
    let (dictionaries, records) = (Arc::clone(&shared.dictionaries), Arc::clone(&shared.records));
    Ok(Shared { path, catalogue, registry, indexing, sizes, clock, options, dictionaries, records })
}

/// How many records of a parameter's kind there are up to a number, and in all.
fn counted(connection: &Connection, tp: i64, point: i64) -> Result<Indexing, StoreError> {
    let count = |up_to: i64| {
        let sql = "SELECT (SELECT count(*) FROM res WHERE kind = ?1 AND op IN (1, 2) AND rid <= ?2) + \
                   (SELECT count(*) FROM res WHERE kind = ?1 AND op = 4 AND rid <= ?2)";
        let mut statement = connection.prepare_cached(sql)?;
        to_u64(statement.query_row([kind_of(tp), up_to], |row| row.get(0))?)
    };
    Ok(Indexing { done: count(point)?, total: count(i64::MAX)?, is_stopped: false })
}

/// Removes values of a parameter together with the rows that stand under them, about so many; gives how many.
fn remove_values(connection: &Connection, tp: i64, most: usize) -> Result<usize, StoreError> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let keys: Vec<i64> = connection
        .prepare_cached("SELECT k FROM tokval WHERE tp = ?1 LIMIT ?2")?
        .query_map([tp, limit], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut removed = 0;
    for k in keys {
        let rows = delete_under::<Tok>(connection, k, most)? + delete_under::<Cmp>(connection, k, most)?;
        removed += rows + 1;
        if rows < most {
            connection.prepare_cached("DELETE FROM tokval WHERE k = ?1")?.execute([k])?;
        }
        if removed >= most {
            break;
        }
    }
    Ok(removed)
}

/// Removes a part of what is left of a parameter that is none any more: its rows, then its bit of each record, at last
/// its number.
pub(super) fn remove_some(
    connection: &Connection,
    tp: i64,
    point: i64,
    most: usize,
) -> Result<IndexStep, StoreError> {
    let last: i64 = connection.query_row("SELECT coalesce(max(rid), 0) FROM res", [], |row| row.get(0))?;
    let (done, total) = (to_u64(point)?, to_u64(last)?);
    for tp in facets(tp) {
        macro_rules! remove {
            ($($row:ident),+) => {
                0 $(+ delete_some::<$row>(connection, tp, most)?)+
            };
        }
        if remove_values(connection, tp, most)? + remove!(Ref, Dat, Num, Str, Cho, Geo) > 0 {
            return Ok(IndexStep { done, total, is_finished: false });
        }
    }
    let bits = i64::try_from(most).unwrap_or(i64::MAX).saturating_mul(BITS_PER_ROW);
    let up_to = point.saturating_add(bits);
    if let Some((low, high)) = presence(tp) {
        let sql = "UPDATE res SET present = present & ~?1, present_high = present_high & ~?2, vals = without(vals, ?6) \
                   WHERE rid > ?3 AND rid <= ?4 AND kind = ?5 AND (present & ?1 OR present_high & ?2)";
        let values = params![low, high, point, up_to, kind_of(tp), place(tp).cast_signed()];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    if up_to < last {
        set_state(connection, tp, Some(State::Remove(up_to)))?;
        return Ok(IndexStep { done: to_u64(up_to)?, total, is_finished: false });
    }
    connection.prepare_cached("DELETE FROM param WHERE tp = ?1")?.execute([tp])?;
    set_state(connection, tp, None)?;
    Ok(IndexStep { done: total, total, is_finished: true })
}
