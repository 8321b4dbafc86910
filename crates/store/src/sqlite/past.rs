//! Records as they were at a commit.
//!
//! A walk goes by the records' own numbers, which never change. Looked at is everything of the kind that is there now,
//! and everything that the feed says was deleted since; of each the version that was the newest at the commit is given.
//! So no view need be held between pages, and each page costs what it looks at, and the deletions since the commit.

use rusqlite::params_from_iter;

use super::read::record;
use super::search::{Sql, json_numbers};
use super::to_i64;
use super::visible::Scope;
use crate::commit::StoreError;
use crate::engine::{AsOfPage, AsOfRequest, AsOfWhich};
use crate::record::Record;

/// One page.
pub(super) fn as_of(scope: &Scope<'_>, request: &AsOfRequest<'_>) -> Result<AsOfPage, StoreError> {
    let Some(kind) = scope.shared.registry.kind(request.kind).filter(|_| scope.reaches(request.kind)) else {
        return Ok(AsOfPage::default());
    };
    let candidates = match request.which {
        AsOfWhich::Live => live(kind.no, request),
        AsOfWhich::Deleted => deleted(kind.no, request),
    };
    let rids = numbers(scope, &candidates)?;
    let mut found = versions(scope, request, &current(&rids, request))?;
    found.extend(versions(scope, request, &earlier(&rids, request))?);
    found.sort_by_key(|(rid, _)| *rid);
    Ok(AsOfPage {
        records: found.into_iter().map(|(_, record)| record).collect(),
        next: rids.last().copied().filter(|_| rids.len() == request.limit),
    })
}

fn limit(request: &AsOfRequest<'_>) -> i64 {
    i64::try_from(request.limit).unwrap_or(i64::MAX)
}

/// What is there now, and what was deleted since.
fn live(kind: i64, request: &AsOfRequest<'_>) -> Sql {
    let after = request.after.unwrap_or(i64::MIN);
    let mut sql = Sql::new("SELECT rid FROM (SELECT rid FROM res WHERE kind = ");
    sql.bind(kind).push(" AND op IN (1, 2) AND rid > ").bind(after).push(" ORDER BY rid LIMIT ");
    sql.bind(limit(request)).push(") UNION SELECT rid FROM feed WHERE t > ").bind(to_i64(request.t));
    sql.push(" AND kind = ").bind(kind).push(" AND op = 3 AND rid > ").bind(after);
    sql.push(" ORDER BY rid LIMIT ").bind(limit(request));
    sql
}

/// What was deleted up to the commit.
fn deleted(kind: i64, request: &AsOfRequest<'_>) -> Sql {
    let mut sql = Sql::new("SELECT DISTINCT rid FROM feed WHERE t <= ");
    sql.bind(to_i64(request.t)).push(" AND t >= coalesce((SELECT t FROM commits WHERE instant > ");
    sql.bind(request.since.unwrap_or(i64::MIN)).push(" ORDER BY instant LIMIT 1), ").bind(i64::MAX);
    sql.push(") AND kind = ").bind(kind).push(" AND op = 3 AND rid > ");
    sql.bind(request.after.unwrap_or(i64::MIN)).push(" ORDER BY rid LIMIT ").bind(limit(request));
    sql
}

fn numbers(scope: &Scope<'_>, sql: &Sql) -> Result<Vec<i64>, StoreError> {
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let rows = statement.query_map(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Records whose newest version was there at the commit, as `v`.
fn current(rids: &[i64], request: &AsOfRequest<'_>) -> Sql {
    let mut sql = Sql::new("FROM json_each(");
    sql.bind(json_numbers(rids))
        .push(") j CROSS JOIN res r ON r.rid = j.value CROSS JOIN res v ON v.rid = r.rid ");
    sql.push("JOIN commits c ON c.t = v.t WHERE r.t <= ").bind(to_i64(request.t));
    sql
}

/// Records that were written since: their newest version of then, as `v`.
fn earlier(rids: &[i64], request: &AsOfRequest<'_>) -> Sql {
    let mut sql = Sql::new("FROM json_each(");
    sql.bind(json_numbers(rids))
        .push(") j CROSS JOIN res r ON r.rid = j.value CROSS JOIN ver v ON v.rid = r.rid ");
    sql.push("AND v.ver = (SELECT max(x.ver) FROM ver x WHERE x.rid = r.rid AND x.t <= ")
        .bind(to_i64(request.t));
    sql.push(") JOIN commits c ON c.t = v.t WHERE r.t > ").bind(to_i64(request.t));
    sql
}

/// The versions that may be seen and are asked for, each with its record's number.
fn versions(
    scope: &Scope<'_>,
    request: &AsOfRequest<'_>,
    from: &Sql,
) -> Result<Vec<(i64, Record)>, StoreError> {
    let mut sql = Sql::new("SELECT r.kind, r.id, v.ver, v.t, c.instant, v.op, v.codec, v.body, r.rid ");
    // What the newest version hides, its older ones do not tell.
    sql.append(from).append(&scope.visible("v")).append(&scope.visible("r"));
    sql.push(match request.which {
        AsOfWhich::Live => " AND v.op IN (1, 2)",
        AsOfWhich::Deleted => " AND v.op = 3",
    });
    if let Some(since) = request.since {
        sql.push(" AND c.instant > ").bind(since);
    }
    if request.of_patients {
        sql.append(&Scope::of_some_patient("v"));
    }
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(8)?, record(scope.shared, row)?));
    }
    Ok(found)
}
