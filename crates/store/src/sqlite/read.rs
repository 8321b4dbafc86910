//! Reading records, versions, compartments and the feed.

use rusqlite::{Row, params_from_iter};

use super::apply::{SEVERAL, find_rid};
use super::dict::{StoredId, id_text};
use super::search::Sql;
use super::view::{Scope, op};
use super::{Shared, to_i64, to_u64};
use crate::commit::StoreError;
use crate::compress::unpack;
use crate::engine::{
    CompartmentPage, CompartmentRequest, FeedEntry, HistoryPage, HistoryRequest, HistoryScope, Position,
    SortValue,
};
use crate::record::{Op, Record};

/// A record out of a row `kind, id, ver, t, instant, op, codec, body`.
pub(super) fn record(shared: &Shared, row: &Row<'_>) -> Result<Record, StoreError> {
    let op = op(row.get(5)?)?;
    let body = match op {
        Op::Delete => Vec::new(),
        Op::Create | Op::Update => {
            let packed = row.get_ref(7)?;
            unpack(row.get(6)?, packed.as_blob().map_err(|_| StoreError::Damaged("a body".into()))?)?
        }
    };
    Ok(Record {
        kind: shared.registry.name(row.get(0)?)?.to_owned(),
        id: id_text(row.get_ref(1)?)?,
        version: to_u64(row.get(2)?)?,
        t: to_u64(row.get(3)?)?,
        instant: row.get(4)?,
        op,
        body,
    })
}

/// The number of a record this caller might see.
fn rid(scope: &Scope<'_>, kind: &str, id: &str) -> Result<Option<i64>, StoreError> {
    let Some(kind) = scope.shared.registry.kind(kind) else { return Ok(None) };
    find_rid(scope.connection, kind.no, &StoredId::new(id))
}

fn one(scope: &Scope<'_>, sql: &Sql) -> Result<Option<Record>, StoreError> {
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    rows.next()?.map(|row| record(scope.shared, row)).transpose()
}

/// The newest version of a record.
pub(super) fn newest(scope: &Scope<'_>, kind: &str, id: &str) -> Result<Option<Record>, StoreError> {
    let Some(rid) = rid(scope, kind, id)? else { return Ok(None) };
    one(scope, &versions(scope, "res", rid))
}

/// One version of a record.
pub(super) fn version(
    scope: &Scope<'_>,
    kind: &str,
    id: &str,
    version: u64,
) -> Result<Option<Record>, StoreError> {
    let Some(rid) = rid(scope, kind, id)? else { return Ok(None) };
    for table in ["res", "ver"] {
        let mut sql = versions(scope, table, rid);
        sql.push(" AND v.ver = ").bind(to_i64(version));
        if let Some(record) = one(scope, &sql)? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Versions of one record in `res` (the newest) or `ver` (all others).
fn versions(scope: &Scope<'_>, table: &str, rid: i64) -> Sql {
    let mut sql = Sql::new("SELECT r.kind, r.id, v.ver, v.t, c.instant, v.op, v.codec, v.body FROM ");
    sql.push(table)
        .push(" v JOIN res r ON r.rid = v.rid JOIN commits c ON c.t = v.t WHERE v.rid = ")
        .bind(rid);
    // What the newest version hides, its older ones do not tell.
    sql.append(&scope.visible("v")).append(&scope.visible("r"));
    sql
}

/// Versions, newest first.
pub(super) fn history(scope: &Scope<'_>, request: &HistoryRequest<'_>) -> Result<HistoryPage, StoreError> {
    let as_of = request.after.as_ref().map_or(scope.t, |position| position.as_of);
    let limit = i64::try_from(request.limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut total = None;
    let mut rows = match request.scope {
        HistoryScope::Record(kind, id) => {
            let Some(rid) = rid(scope, kind, id)? else { return Ok(HistoryPage::default()) };
            total = Some(count_versions(scope, rid, request.since, as_of)?);
            record_history(scope, rid, request, as_of, limit)?
        }
        HistoryScope::Kind(kind) => {
            let Some(kind) = scope.shared.registry.kind(kind) else { return Ok(HistoryPage::default()) };
            feed_history(scope, Some(kind.no), request, as_of, limit)?
        }
        HistoryScope::System => feed_history(scope, None, request, as_of, limit)?,
    };
    let more = rows.len() > request.limit;
    rows.truncate(request.limit);
    let next = rows.last().filter(|_| more).map(|(rid, record)| Position {
        as_of,
        keys: vec![Some(SortValue::Int(to_i64(record.t)))],
        last: *rid,
    });
    Ok(HistoryPage { records: rows.into_iter().map(|(_, record)| record).collect(), next, total })
}

/// The commit at which the previous page ended.
fn after_t(request: &HistoryRequest<'_>) -> Option<(i64, i64)> {
    let after = request.after.as_ref()?;
    match after.keys.first() {
        Some(Some(SortValue::Int(t))) => Some((*t, after.last)),
        _ => None,
    }
}

fn since(sql: &mut Sql, request: Option<i64>) {
    if let Some(since) = request {
        sql.push(" AND c.instant >= ").bind(since);
    }
}

fn record_history(
    scope: &Scope<'_>,
    rid: i64,
    request: &HistoryRequest<'_>,
    as_of: u64,
    limit: i64,
) -> Result<Vec<(i64, Record)>, StoreError> {
    let mut both = Vec::new();
    for table in ["res", "ver"] {
        let mut sql = versions(scope, table, rid);
        sql.push(" AND v.t > 0 AND v.t <= ").bind(to_i64(as_of));
        since(&mut sql, request.since);
        if let Some((t, _)) = after_t(request) {
            sql.push(" AND v.t < ").bind(t);
        }
        both.push(sql);
    }
    let mut sql = Sql::new("SELECT * FROM (");
    sql.join(&both, " UNION ALL ").push(") ORDER BY ver DESC LIMIT ").bind(limit);
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push((rid, record(scope.shared, row)?));
    }
    Ok(records)
}

fn count_versions(scope: &Scope<'_>, rid: i64, from: Option<i64>, as_of: u64) -> Result<u64, StoreError> {
    let mut total = 0;
    for table in ["res", "ver"] {
        let mut sql = Sql::new("SELECT count(*) FROM ");
        sql.push(table).push(" v JOIN res r ON r.rid = v.rid JOIN commits c ON c.t = v.t WHERE v.rid = ");
        sql.bind(rid).push(" AND v.t > 0 AND v.t <= ").bind(to_i64(as_of));
        sql.append(&scope.visible("v")).append(&scope.visible("r"));
        since(&mut sql, from);
        let mut statement = scope.connection.prepare_cached(&sql.text)?;
        total += to_u64(statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?)?;
    }
    Ok(total)
}

/// Versions of all records or all of a kind, through the feed.
fn feed_history(
    scope: &Scope<'_>,
    kind: Option<i64>,
    request: &HistoryRequest<'_>,
    as_of: u64,
    limit: i64,
) -> Result<Vec<(i64, Record)>, StoreError> {
    let mut sql = Sql::new(
        "SELECT r.kind, r.id, f.ver, f.t, c.instant, f.op, coalesce(v.codec, r.codec), coalesce(v.body, r.body), f.rid ",
    );
    sql.append(&feed_rows(scope));
    sql.push(" AND f.t <= ").bind(to_i64(as_of));
    if let Some(kind) = kind {
        sql.push(" AND f.kind = ").bind(kind);
    }
    if let Some(since) = request.since {
        sql.push(" AND f.t >= ").bind(scope.first_commit(since)?);
    }
    if let Some((t, rid)) = after_t(request) {
        sql.push(" AND (f.t, f.rid) < (").bind(t).push(", ").bind(rid).push(")");
    }
    sql.push(" ORDER BY f.t DESC, f.rid DESC LIMIT ").bind(limit);
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push((row.get(8)?, record(scope.shared, row)?));
    }
    Ok(records)
}

/// `FROM … WHERE …` of the feed `f` with the version each entry made: in `ver` as `v`, or still in `res` as `r`.
fn feed_rows(scope: &Scope<'_>) -> Sql {
    let mut sql = Sql::new(
        "FROM feed f JOIN res r ON r.rid = f.rid JOIN commits c ON c.t = f.t \
         LEFT JOIN ver v ON v.rid = f.rid AND v.ver = f.ver WHERE ",
    );
    // What the newest version hides, its older ones do not tell; and each has its own class.
    sql.push("(v.rid IS NULL OR (1").append(&scope.visible("v")).push("))").append(&scope.visible("r"));
    sql
}

/// Changes after a commit, oldest first, whole commits.
pub(super) fn feed(scope: &Scope<'_>, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
    let mut sql = Sql::new("SELECT f.t, c.instant, r.kind, r.id, f.ver, f.op ");
    sql.append(&feed_rows(scope)).push(" AND f.t > ").bind(to_i64(after)).push(" ORDER BY f.t, f.rid");
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut entries: Vec<FeedEntry> = Vec::new();
    while let Some(row) = rows.next()? {
        let t = to_u64(row.get(0)?)?;
        if entries.len() >= limit && entries.last().is_some_and(|last| last.t != t) {
            break;
        }
        entries.push(FeedEntry {
            t,
            instant: row.get(1)?,
            kind: scope.shared.registry.name(row.get(2)?)?.to_owned(),
            id: id_text(row.get_ref(3)?)?,
            version: to_u64(row.get(4)?)?,
            op: op(row.get(5)?)?,
        });
    }
    Ok(entries)
}

/// Current records of a patient's compartment, in the order of their numbers.
pub(super) fn compartment(
    scope: &Scope<'_>,
    request: &CompartmentRequest<'_>,
) -> Result<CompartmentPage, StoreError> {
    let as_of = request.after.as_ref().map_or(scope.t, |position| position.as_of);
    let Some(patient) = rid(scope, "Patient", request.patient)? else {
        return Ok(CompartmentPage::default());
    };
    let mut kinds = Vec::new();
    for kind in request.kinds {
        kinds.extend(scope.shared.registry.kind(kind).map(|kind| kind.no));
    }
    let mut from = Sql::new("(SELECT rid FROM res WHERE pat = ");
    from.bind(patient)
        .push(" UNION ALL SELECT o.rid FROM comp o JOIN res m ON m.rid = o.rid AND m.ver = o.ver ");
    from.push("WHERE o.owner = ").bind(patient).push(" AND m.pat = ").bind(SEVERAL).push(")");

    let mut sql = Sql::new("SELECT r.rid FROM ");
    sql.append(&from).push(" p CROSS JOIN res r ON r.rid = p.rid JOIN commits c ON c.t = r.t ");
    sql.push("WHERE r.op IN (1, 2) AND r.t0 <= ").bind(to_i64(as_of)).append(&scope.visible("r"));
    since(&mut sql, request.since);
    if !request.kinds.is_empty() {
        sql.push(" AND r.kind IN (SELECT value FROM json_each(")
            .bind(super::search::json_numbers(&kinds))
            .push("))");
    }
    if let Some(after) = &request.after {
        sql.push(" AND r.rid > ").bind(after.last);
    }
    let limit = i64::try_from(request.limit.saturating_add(1)).unwrap_or(i64::MAX);
    sql.push(" ORDER BY r.rid LIMIT ").bind(limit);
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let rows = statement.query_map(params_from_iter(&sql.values), |row| row.get(0))?;
    let mut rids: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let more = rids.len() > request.limit;
    rids.truncate(request.limit);
    let next = rids.last().filter(|_| more).map(|rid| Position { as_of, keys: Vec::new(), last: *rid });
    Ok(CompartmentPage { records: scope.records(&rids)?, next })
}
