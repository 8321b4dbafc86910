//! Conditions as SQL, and where the statement starts.

use ieum_fhir::index::TimeRange;
use ieum_fhir::search::{ContainedSearch, DateTest, Filter, Param, Prefix, Query, ReferenceTest, Test, Way};

use super::cost::{Cost, Walk};
use super::select::{Select, Selector};
use super::sql::{Sql, any_of, json_numbers};
use super::start::{Size, Smallest, Start, smallest};
use crate::commit::StoreError;
use crate::sqlite::dict::StoredId;
use crate::sqlite::ids::find_rid;
use crate::sqlite::registry::presence;
use crate::sqlite::to_i64;
use crate::sqlite::visible::Scope;

/// What follows `SELECT …` in a statement that finds matching records as `r`.
pub(super) struct Matching {
    /// `FROM …`, to which joins may be added.
    pub(super) from: Sql,
    /// ` WHERE …`
    pub(super) condition: Sql,
    /// What it costs to walk through them.
    pub(super) cost: Cost,
}

/// The matching records of a query that were there at commit `as_of`. `None` when the caller reaches none of the kind,
/// or there is no such kind.
pub(super) fn matching(
    scope: &Scope<'_>,
    query: &Query,
    as_of: u64,
    walk: Walk,
) -> Result<Option<Matching>, StoreError> {
    let Some(kind) = scope.shared.registry.kind(&query.kind) else { return Ok(None) };
    if !scope.reaches(&query.kind) {
        return Ok(None);
    }
    let with_parts = query.contained.search != ContainedSearch::No;
    let mut planner = Planner { scope, with_parts, walk, aliases: 0, cost: Cost::default() };
    let conditions = planner.conditions("r", &query.kind, &query.filters)?;
    let mut from = Sql::new("FROM ");
    let mut condition = Sql::new(" WHERE ");
    match &conditions.stream {
        // CROSS JOIN keeps the order: the stream gives records in the order of their numbers.
        Some(stream) => {
            from.push(stream.table).push(" x CROSS JOIN res r ON r.rid = ").push(stream.rid);
            condition.append(&stream.condition).push(" AND ");
        }
        None => {
            from.push("res r");
        }
    }
    // With a start of its own the statement must not start from all records of the kind.
    let plus = if conditions.stream.is_some() || conditions.selective { "+" } else { "" };
    condition.push(plus).push("r.kind = ").bind(kind.no);
    condition.push(match query.contained.search {
        ContainedSearch::No => " AND r.op IN (1, 2)",
        ContainedSearch::Only => " AND r.op = 4",
        ContainedSearch::Both => " AND r.op IN (1, 2, 4)",
    });
    condition.push(" AND r.t0 <= ").bind(to_i64(as_of));
    condition.append(&if with_parts { scope.visible_part("r") } else { scope.visible("r") });
    condition.append(&conditions.sql);
    Ok(Some(Matching { from, condition, cost: planner.cost }))
}

/// Conditions on a row of `res` of a kind, each preceded by ` AND `, that look at no other record.
pub(in crate::sqlite) fn alone(
    scope: &Scope<'_>,
    alias: &str,
    kind: &str,
    filters: &[Filter],
) -> Result<Sql, StoreError> {
    let mut planner =
        Planner { scope, with_parts: false, walk: Walk::ToTheFirst, aliases: 0, cost: Cost::default() };
    let mut sql = Sql::default();
    for filter in filters {
        sql.push(" AND ").append(&planner.condition(alias, kind, filter, Form::Probe)?);
    }
    Ok(sql)
}

struct Planner<'p> {
    scope: &'p Scope<'p>,
    /// Resources inside records are searched too.
    with_parts: bool,
    walk: Walk,
    aliases: usize,
    cost: Cost,
}

/// Conditions on one alias, each preceded by ` AND `.
#[derive(Default)]
struct Conditions {
    sql: Sql,
    /// The index to walk through in order, when that is the best start.
    stream: Option<Select>,
    /// Some condition is a small set of records.
    selective: bool,
}

/// The place of the caller's reach among the filters: it is none of them.
const REACH: usize = usize::MAX;

/// How a condition is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As the set of all records that pass.
    Set,
    /// Record by record.
    Probe,
}

impl Planner<'_> {
    /// All filters on an alias. The most selective becomes the start.
    fn conditions(&mut self, alias: &str, kind: &str, filters: &[Filter]) -> Result<Conditions, StoreError> {
        let mut conditions = Conditions::default();
        let filters = flat(filters);
        let mut starts = Vec::new();
        for (index, filter) in filters.iter().enumerate() {
            if let Filter::Id(ids) = filter {
                if !self.with_parts {
                    starts.push(Start { index, size: Size::Known(ids.len()) });
                }
            } else if let Some(selects) = self.set(filter)? {
                starts.push(Start { index, size: Size::Of(selects) });
            }
        }
        // With parts, the order is another than that of numbers.
        let may_stream = alias == "r" && !self.with_parts;
        if let Some(reach) = self.scope.of_reach(kind).filter(|_| may_stream) {
            starts.push(Start { index: REACH, size: Size::Reach(reach) });
        }
        let mut set = None;
        let mut streamed = None;
        let is_needed_whole = alias != "r" || matches!(self.walk, Walk::All { .. });
        // What alone can be walked through in order, to the first few, need not be counted.
        let is_clear = may_stream
            && !is_needed_whole
            && matches!(starts.as_slice(), [start] if start.stream().is_some());
        let smallest = if is_clear {
            Some(Smallest::FIRST)
        } else {
            let records = self.scope.shared.sizes.of(self.scope, kind)?;
            smallest(self.scope.connection, &starts, is_needed_whole, records)?
        };
        let mut records = None;
        if let Some(Smallest { place, size, is_small }) = smallest {
            let Start { index, .. } = starts[place];
            records = is_small.then_some(size as u64);
            match starts[place].stream().filter(|_| may_stream && !is_small) {
                Some(stream) => {
                    conditions.stream = Some(stream.clone());
                    streamed = Some(index);
                }
                None if index == REACH => {
                    if let Size::Reach(reach) = &starts[place].size
                        && is_small
                    {
                        conditions.sql.push(" AND r.rid IN (").append(reach).push(")");
                        conditions.selective = true;
                    }
                }
                // A large set is better than all records of the kind where all that matches is needed; but what stands in
                // each record's row costs no more to ask there.
                None if is_small || (is_needed_whole && !starts[place].stands_in_row()) => {
                    set = Some(index);
                    conditions.selective = true;
                }
                None => {}
            }
        }
        if is_needed_whole {
            let start = smallest.map(|smallest| &starts[smallest.place]);
            let records = match records {
                Some(records) => records,
                None => self.walked(kind, start, filters.len())?,
            };
            self.cost.add(alias == "r", records, filters.len() as u64);
        }
        for (index, filter) in filters.into_iter().enumerate().filter(|(index, _)| Some(*index) != streamed) {
            let form = if set == Some(index) { Form::Set } else { Form::Probe };
            let condition = self.condition(alias, kind, filter, form)?;
            conditions.sql.push(" AND ").append(&condition);
        }
        Ok(conditions)
    }

    /// How many records are looked at where no condition is a small set: those of the start if these are less than would
    /// be refused, else all of the kind.
    fn walked(&self, kind: &str, start: Option<&Start>, conditions: usize) -> Result<u64, StoreError> {
        let all = self.scope.shared.sizes.of(self.scope, kind)?;
        let most = self.scope.shared.options.query_records / self.walk.times(conditions as u64);
        match start.filter(|start| all > most && !start.stands_in_row()) {
            Some(start) => {
                let most = usize::try_from(most).unwrap_or(usize::MAX - 1);
                Ok(all.min(start.count(self.scope.connection, most)? as u64))
            }
            None => Ok(all),
        }
    }

    /// A filter as selections that together are all records that pass, when it is of that kind.
    fn set(&self, filter: &Filter) -> Result<Option<Vec<Select>>, StoreError> {
        match filter {
            Filter::Any { param, tests } => self.selects(param, tests).map(Some),
            Filter::Words { place, terms } => {
                Ok(Some(Select::words(self.scope.connection, *place, terms)?.into_iter().collect()))
            }
            Filter::Or(filters) => {
                let mut all = Vec::new();
                for filter in filters {
                    let Some(selects) = self.set(filter)? else { return Ok(None) };
                    all.extend(selects);
                }
                Ok(Some(all))
            }
            _ => Ok(None),
        }
    }

    fn selects(&self, param: &Param, tests: &[Test]) -> Result<Vec<Select>, StoreError> {
        let Some(tp) = self.tp(param) else { return Ok(Vec::new()) };
        let selector =
            Selector { connection: self.scope.connection, registry: &self.scope.shared.registry, tp };
        selector.selects(tests)
    }

    fn tp(&self, param: &Param) -> Option<i64> {
        let position = self.scope.shared.catalogue.kind(&param.kind)?.param(&param.code)?;
        Some(self.scope.shared.registry.kind(&param.kind)?.tp[position])
    }

    fn condition(&mut self, alias: &str, kind: &str, filter: &Filter, form: Form) -> Result<Sql, StoreError> {
        let rid = format!("{alias}.rid");
        if let Some(selects) = self.set(filter)? {
            return Ok(any(&selects, alias, form));
        }
        match filter {
            Filter::Any { .. } | Filter::Words { .. } => unreachable!("these are sets"),
            Filter::None { param, tests } => {
                let mut sql = Sql::new("NOT ");
                sql.append(&any(&self.selects(param, tests)?, alias, Form::Probe));
                Ok(sql)
            }
            Filter::Missing { param, missing } => Ok(self.missing(alias, param, *missing)),
            Filter::Id(ids) => self.ids(&rid, kind, ids),
            Filter::LastUpdated(tests) => self.last_updated(alias, tests),
            Filter::Chain { param, targets } => self.chain(&rid, param, targets),
            Filter::Has { param, filter } => self.has(&rid, param, filter),
            Filter::Tree { param, by, way, roots } => self.tree(&rid, param, by, *way, roots),
            Filter::And(filters) => {
                let mut sql = Sql::new("(1");
                for filter in filters {
                    sql.push(" AND ").append(&self.condition(alias, kind, filter, Form::Probe)?);
                }
                sql.push(")");
                Ok(sql)
            }
            Filter::Or(filters) => {
                let pieces = filters.iter().map(|filter| self.condition(alias, kind, filter, Form::Probe));
                Ok(any_of(&pieces.collect::<Result<Vec<_>, _>>()?))
            }
            Filter::Not(filter) => {
                let mut sql = Sql::new("NOT (");
                sql.append(&self.condition(alias, kind, filter, Form::Probe)?).push(")");
                Ok(sql)
            }
        }
    }

    fn missing(&self, alias: &str, param: &Param, missing: bool) -> Sql {
        let Some((low, high)) = self.tp(param).and_then(presence) else {
            return Sql::new(if missing { "1" } else { "0" });
        };
        let mut sql = Sql::new("((");
        sql.push(alias).push(".present & ").bind(low).push(") | (");
        sql.push(alias).push(".present_high & ").bind(high);
        sql.push(if missing { ")) = 0" } else { ")) <> 0" });
        sql
    }

    fn ids(&self, rid: &str, kind: &str, ids: &[String]) -> Result<Sql, StoreError> {
        let mut rids = Vec::new();
        if let Some(numbers) = self.scope.shared.registry.kind(kind) {
            for id in ids {
                rids.extend(find_rid(self.scope.connection, numbers.no, &StoredId::new(id))?);
            }
        }
        let mut sql = Sql::new("(");
        sql.push(rid).push(" IN (SELECT value FROM json_each(").bind(json_numbers(&rids)).push("))");
        if self.with_parts && rid == "r.rid" {
            let names = ids.iter().map(|id| Sql::default().bind(id.clone()).clone()).collect::<Vec<_>>();
            sql.push(" OR r.op = 4 AND r.id IN (").join(&names, ", ").push(")");
        }
        sql.push(")");
        Ok(sql)
    }

    fn last_updated(&self, alias: &str, tests: &[DateTest]) -> Result<Sql, StoreError> {
        let mut pieces = Vec::new();
        for test in tests {
            let TimeRange { lo, hi } = test.range;
            // A commit's instant is one microsecond wide, which makes each comparison one of these.
            let (from, until, outside) = match test.prefix {
                Prefix::Eq | Prefix::Ap => (Some(lo), Some(hi), false),
                Prefix::Ne => (Some(lo), Some(hi), true),
                Prefix::Gt | Prefix::Sa => (Some(hi), None, false),
                Prefix::Lt | Prefix::Eb => (None, Some(lo), false),
                Prefix::Ge => (Some(lo), None, false),
                Prefix::Le => (None, Some(hi), false),
            };
            let mut sql = Sql::new(if outside { "NOT (1" } else { "(1" });
            if let Some(from) = from {
                sql.push(" AND ").push(alias).push(".t >= ").bind(self.scope.first_commit(from)?);
            }
            if let Some(until) = until {
                sql.push(" AND ").push(alias).push(".t < ").bind(self.scope.first_commit(until)?);
            }
            sql.push(")");
            pieces.push(sql);
        }
        Ok(any_of(&pieces))
    }

    fn chain(&mut self, rid: &str, param: &Param, targets: &[(String, Filter)]) -> Result<Sql, StoreError> {
        let mut pieces = Vec::new();
        for (kind, filter) in targets {
            let (Some(tp), Some(numbers)) = (self.tp(param), self.scope.shared.registry.kind(kind)) else {
                continue;
            };
            if !self.scope.reaches(kind) {
                continue;
            }
            let alias = self.alias();
            let conditions = self.conditions(&alias, kind, std::slice::from_ref(filter))?;
            let plus = if conditions.selective { "+" } else { "" };
            let mut sql = Sql::new(rid);
            sql.push(" IN (SELECT f.rid FROM ref f WHERE f.tp = ").bind(tp);
            sql.push(" AND f.target IN (SELECT ").push(&alias).push(".rid FROM res ").push(&alias);
            sql.push(" WHERE ").push(plus).push(&alias).push(".kind = ").bind(numbers.no);
            sql.push(" AND ").push(&alias).push(".op IN (1, 2)");
            sql.append(&self.scope.visible(&alias)).append(&conditions.sql).push("))");
            pieces.push(sql);
        }
        Ok(any_of(&pieces))
    }

    fn has(&mut self, rid: &str, param: &Param, filter: &Filter) -> Result<Sql, StoreError> {
        let Some(tp) = self.tp(param).filter(|_| self.scope.reaches(&param.kind)) else {
            return Ok(Sql::new("0"));
        };
        let alias = self.alias();
        let condition = self.condition(&alias, &param.kind, filter, Form::Probe)?;
        let mut sql = Sql::new("EXISTS (SELECT 1 FROM ref f JOIN res ");
        sql.push(&alias).push(" ON ").push(&alias).push(".rid = f.rid WHERE f.tp = ").bind(tp);
        sql.push(" AND f.target = ").push(rid).push(" AND ").push(&alias).push(".op IN (1, 2)");
        sql.append(&self.scope.visible(&alias)).push(" AND ").append(&condition).push(")");
        Ok(sql)
    }

    /// Records that refer to a place above or below the roots, step by step through records that can be seen.
    fn tree(
        &mut self,
        rid: &str,
        param: &Param,
        by: &Param,
        way: Way,
        roots: &[ReferenceTest],
    ) -> Result<Sql, StoreError> {
        let (Some(tp), Some(by_tp)) = (self.tp(param), self.tp(by)) else { return Ok(Sql::new("0")) };
        let registry = &self.scope.shared.registry;
        let selector = Selector { connection: self.scope.connection, registry, tp };
        let mut start = Vec::new();
        // What stands elsewhere is part of no hierarchy here.
        for root in roots.iter().filter(|root| matches!(root, ReferenceTest::Local { .. })) {
            start.extend(selector.targets(root)?);
        }
        let (name, alias) = (self.alias(), self.alias());
        // The record that holds the reference must be seen, whichever way the step goes.
        let (next, from, holder) = match way {
            Way::Below => ("g.rid", "g.target", "g.rid"),
            Way::Above => ("g.target", "g.rid", "g.rid"),
        };
        let mut sql = Sql::new(rid);
        sql.push(" IN (SELECT f.rid FROM ref f WHERE f.tp = ")
            .bind(tp)
            .push(" AND f.target IN (WITH RECURSIVE ");
        sql.push(&name).push("(n) AS (SELECT value FROM json_each(").bind(json_numbers(&start));
        sql.push(") UNION SELECT ").push(next).push(" FROM ").push(&name).push(" JOIN ref g ON ").push(from);
        sql.push(" = ").push(&name).push(".n AND g.tp = ").bind(by_tp).push(" JOIN res ").push(&alias);
        sql.push(" ON ").push(&alias).push(".rid = ").push(holder).push(" AND ").push(&alias);
        sql.push(".op IN (1, 2)").append(&self.scope.visible(&alias));
        if way == Way::Above {
            sql.push(" AND (SELECT kind FROM res WHERE rid = g.target) = ").push(&alias).push(".kind");
        }
        sql.push(") SELECT n FROM ").push(&name).push("))");
        Ok(sql)
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("c{}", self.aliases)
    }
}

/// Filters without `And` at their top: all of them must hold in any case.
fn flat(filters: &[Filter]) -> Vec<&Filter> {
    let mut flat = Vec::new();
    for filter in filters {
        match filter {
            Filter::And(filters) => flat.extend(self::flat(filters)),
            other => flat.push(other),
        }
    }
    flat
}

/// Whether the record of the alias is in one of the selections.
fn any(selects: &[Select], alias: &str, form: Form) -> Sql {
    if selects.is_empty() {
        return Sql::new("0");
    }
    let mut sql = Sql::default();
    if form == Form::Set {
        let statements: Vec<Sql> = selects.iter().map(Select::statement).collect();
        sql.push(alias).push(".rid IN (").join(&statements, " UNION ALL ").push(")");
    } else {
        let probes: Vec<Sql> = selects.iter().map(|select| select.probe(alias)).collect();
        sql = any_of(&probes);
    }
    sql
}
