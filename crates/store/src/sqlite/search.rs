//! From a query and an access plan to one statement.
//!
//! The statement starts from the most selective condition (found by counting a bounded number of index rows) and
//! checks the others record by record; chains are semi-joins inside the same statement. The access plan is part of
//! every place where a record is looked at: the page, the count, and both ends of a chain.

mod compare;
mod cost;
mod order;
mod plan;
mod select;
mod sql;
mod start;
mod tokens;

use ieum_fhir::search::{Contained, ContainedGive, ContainedSearch, Query};
use rusqlite::{OptionalExtension, params_from_iter};

use super::dict::id_text;
use super::to_u64;
use super::visible::Scope;
use crate::commit::StoreError;
use crate::engine::{
    self, Key, KeysPage, KeysRequest, PlacesPage, Position, SearchPage, SearchRequest, SortValue,
};

use cost::Walk;

pub(super) use cost::Sizes;
pub(super) use plan::alone;
pub(super) use sql::{Sql, any_of, json_numbers};

/// A row of an ordered page: sort values, then the record's number.
pub(super) type Place = (Vec<Option<SortValue>>, i64);

/// The statement for one page; its rows are the sort values, then `rid`.
pub(super) fn page_statement(
    scope: &Scope<'_>,
    request: &SearchRequest<'_>,
) -> Result<Option<Sql>, StoreError> {
    // Without an order a page ends when it is full; with one, all that matches is put in order first.
    let walk = if request.query.sort.is_empty() {
        Walk::ToTheFirst
    } else {
        Walk::All { keys: request.query.sort.len() as u64 }
    };
    let Some(mut matching) = plan::matching(scope, request.query, as_of(scope, request), walk)? else {
        return Ok(None);
    };
    let gathered = request.query.sort.iter().filter(|key| order::is_gathered(scope, &key.by)).count();
    if gathered > 0 {
        let all = scope.shared.sizes.of(scope, &request.query.kind)?;
        matching.cost.add(false, all, gathered as u64);
    }
    matching.cost.check(scope, request.query, walk)?;
    Ok(Some(order::ordered(scope, &matching, request)?))
}

/// The statement that counts.
pub(super) fn count_statement(scope: &Scope<'_>, query: &Query) -> Result<Option<Sql>, StoreError> {
    let walk = Walk::All { keys: 0 };
    let Some(matching) = plan::matching(scope, query, scope.t, walk)? else { return Ok(None) };
    matching.cost.check(scope, query, walk)?;
    let mut sql = Sql::new("SELECT ");
    sql.push(order::counted(query.contained)).push(" ").append(&matching.from).append(&matching.condition);
    Ok(Some(sql))
}

/// The statement for one page of a list; its rows are `rid, id, ver`.
pub(super) fn keys_statement(
    scope: &Scope<'_>,
    request: &KeysRequest<'_>,
) -> Result<Option<Sql>, StoreError> {
    let matching = plan::matching(scope, request.query, scope.t, Walk::ToTheFirst)?;
    let Some(matching) = matching else { return Ok(None) };
    let mut sql = Sql::new("SELECT r.rid, r.id, r.ver ");
    sql.append(&matching.from).append(&matching.condition);
    if request.of_patients {
        sql.append(&Scope::of_some_patient("r"));
    }
    if let Some(after) = request.after {
        sql.push(" AND r.rid > ").bind(after);
    }
    sql.push(" ORDER BY r.rid LIMIT ").bind(i64::try_from(request.limit).unwrap_or(i64::MAX));
    Ok(Some(sql))
}

/// Runs the statement of a page of a list.
pub(super) fn keys(
    scope: &Scope<'_>,
    request: &KeysRequest<'_>,
    statement: &Sql,
) -> Result<KeysPage, StoreError> {
    let mut prepared = scope.connection.prepare_cached(&statement.text)?;
    let mut rows = prepared.query(params_from_iter(&statement.values))?;
    let mut page = KeysPage::default();
    while let Some(row) = rows.next()? {
        let (id, version) = (id_text(row.get_ref(1)?)?, to_u64(row.get(2)?)?);
        page.keys.push(Key { place: row.get(0)?, id, version });
    }
    // A full page may be the last one: then the next is empty.
    page.next = page.keys.last().map(|key| key.place).filter(|_| page.keys.len() == request.limit);
    Ok(page)
}

/// The newest commit whose records belong to the walk.
fn as_of(scope: &Scope<'_>, request: &SearchRequest<'_>) -> u64 {
    request.after.as_ref().map_or(scope.t, |position| position.as_of)
}

/// Runs the statement of a page: which records, and what stands before and after them.
pub(super) fn run(
    scope: &Scope<'_>,
    request: &SearchRequest<'_>,
    statement: &Sql,
) -> Result<SearchPage, StoreError> {
    let mut places = places(scope, statement, request.query.sort.len())?;
    let more = places.len() > request.limit;
    places.truncate(request.limit);
    if request.backward {
        places.reverse();
    }
    let (more_before, more_after) =
        if request.backward { (more, true) } else { (request.after.is_some(), more) };
    let as_of = as_of(scope, request);
    let position = |(keys, last): &Place| Position { as_of, keys: keys.clone(), last: *last };
    let contained = request.query.contained;
    let found: Vec<(i64, i64)> =
        places.iter().map(|(_, place)| order::part_of_place(contained, *place)).collect();
    let rids: Vec<i64> = found.iter().map(|(rid, _)| *rid).collect();
    Ok(SearchPage {
        previous: places.first().filter(|_| more_before).map(position),
        next: places.last().filter(|_| more_after).map(position),
        records: scope.records(&rids)?,
        parts: if gives_parts(contained) { part_ids(scope, &found)? } else { Vec::new() },
    })
}

/// Runs the statement of a page for the places alone.
pub(super) fn found(
    scope: &Scope<'_>,
    request: &SearchRequest<'_>,
    statement: &Sql,
) -> Result<PlacesPage, StoreError> {
    let mut places = places(scope, statement, request.query.sort.len())?;
    let more = places.len() > request.limit;
    places.truncate(request.limit);
    if request.backward {
        places.reverse();
    }
    let (as_of, contained) = (as_of(scope, request), request.query.contained);
    let records: Vec<(i64, i64)> =
        places.iter().map(|(_, place)| order::part_of_place(contained, *place)).collect();
    let parts = if gives_parts(contained) { part_ids(scope, &records)? } else { vec![None; records.len()] };
    let sql = "SELECT kind, id FROM res WHERE rid = ?1";
    let mut name = scope.connection.prepare_cached(sql)?;
    let mut found = Vec::with_capacity(places.len());
    for (((keys, last), (rid, _)), part) in places.into_iter().zip(records).zip(parts) {
        let (kind, id) =
            name.query_row([rid], |row| Ok((row.get::<_, i64>(0)?, id_text(row.get_ref(1)?))))?;
        let kind = scope.shared.registry.name(kind)?.to_owned();
        found.push(engine::Place { position: Position { as_of, keys, last }, kind, id: id?, part });
    }
    Ok(PlacesPage { places: found, more })
}

fn gives_parts(contained: Contained) -> bool {
    contained.search != ContainedSearch::No && contained.give == ContainedGive::Contained
}

/// The ids of resources inside records, by record and place there.
fn part_ids(scope: &Scope<'_>, found: &[(i64, i64)]) -> Result<Vec<Option<String>>, StoreError> {
    let sql = "SELECT id_text(id) FROM res WHERE container = ?1 AND part = ?2";
    let mut statement = scope.connection.prepare_cached(sql)?;
    let id = |place: &(i64, i64)| Ok(statement.query_row([place.0, place.1], |row| row.get(0)).optional()?);
    found.iter().map(id).collect()
}

fn places(scope: &Scope<'_>, sql: &Sql, keys: usize) -> Result<Vec<Place>, StoreError> {
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut places = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..keys)
            .map(|column| Ok(order::sort_value(row.get_ref(column)?)))
            .collect::<Result<_, StoreError>>()?;
        places.push((values, row.get(keys)?));
    }
    Ok(places)
}
