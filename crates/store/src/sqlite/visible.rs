//! What a caller may see, as SQL: the one place where access becomes part of a statement.

use rusqlite::{Connection, params, params_from_iter};

use super::Shared;
use super::carried::{SEVERAL, SHARED, SYSTEM};
use super::dict::StoredId;
use super::ids::find_rid;
use super::search::{Sql, alone, any_of, json_numbers};
use crate::access::{AccessPlan, Family, Institution, Reach, Selection};
use crate::commit::StoreError;

/// A view for one caller's question: the connection, what may be seen, and the moment.
pub(super) struct Scope<'s> {
    pub(super) connection: &'s Connection,
    pub(super) shared: &'s Shared,
    pub(super) access: &'s AccessPlan,
    pub(super) t: u64,
    /// Numbers of the patients reached, when only some are.
    patients: Vec<i64>,
    /// The number of the institution for which somebody acts; one that nobody mentioned has none, and reaches nothing.
    institution: i64,
    /// Now, in microseconds since 1970.
    now: i64,
    /// The conditions of the plan's selections on [`SELECTED`]; `None` when they take nothing away.
    selected: Option<Vec<Selected>>,
}

/// One selection of a plan.
struct Selected {
    /// The number of the kind.
    kind: i64,
    /// What holds of the record beside, if anything must.
    condition: Option<Sql>,
}

/// The name of a row of `res` that a selection is asked of.
const SELECTED: &str = "selected";

/// The number of what there is not.
const NONE: i64 = -1;

impl<'s> Scope<'s> {
    pub(super) fn new(
        connection: &'s Connection,
        shared: &'s Shared,
        access: &'s AccessPlan,
        t: u64,
    ) -> Result<Self, StoreError> {
        let find = |kind: &str, id: &str| match shared.registry.kind(kind) {
            Some(kind) => find_rid(connection, kind.no, &StoredId::new(id)),
            None => Ok(None),
        };
        let (mut patients, mut institution) = (Vec::new(), NONE);
        let ids = match &access.clinical {
            Reach::Patients(ids) => ids.as_slice(),
            Reach::Institution(acting) => {
                institution = find("Organization", &acting.id)?.unwrap_or(NONE);
                acting.about.as_deref().unwrap_or_default()
            }
            Reach::All | Reach::Nothing => &[],
        };
        for id in ids {
            patients.extend(find("Patient", id)?);
        }
        let now = (shared.clock)();
        let mut scope = Self { connection, shared, access, t, patients, institution, now, selected: None };
        scope.selected = scope.selections()?;
        Ok(scope)
    }

    fn selections(&self) -> Result<Option<Vec<Selected>>, StoreError> {
        let Some(only) = &self.access.only else { return Ok(None) };
        let mut selected = Vec::with_capacity(only.len());
        for Selection { kind, filters } in only {
            let Some(numbers) = self.shared.registry.kind(kind) else { continue };
            let condition = match filters.as_slice() {
                [] => None,
                filters => Some(alone(self, SELECTED, kind, filters)?),
            };
            selected.push(Selected { kind: numbers.no, condition });
        }
        Ok(Some(selected))
    }

    /// Whether any record of the kind can be reached at all.
    pub(super) fn reaches(&self, kind: &str) -> bool {
        if self.access.only.as_ref().is_some_and(|only| !only.iter().any(|selection| selection.kind == kind))
        {
            return false;
        }
        match self.shared.catalogue.kind(kind).map(|kind| kind.family) {
            None => false,
            Some(Family::System) => self.access.system,
            Some(_) => self.access.clinical != Reach::Nothing,
        }
    }

    /// Whether the institution for which the caller acts made the newest version of a record.
    pub(super) fn is_own(&self, rid: i64) -> Result<bool, StoreError> {
        let sql = format!("SELECT {} = ?2 FROM res r WHERE r.rid = ?1", maker("r"));
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([rid, self.institution], |row| row.get(0))?)
    }

    /// Whether the institution has a treatment relation to a patient, for this caller and now.
    pub(super) fn has_relation(&self, patient: &str) -> Result<bool, StoreError> {
        let Reach::Institution(institution) = &self.access.clinical else { return Ok(false) };
        let Some(kind) = self.shared.registry.kind("Patient") else { return Ok(false) };
        let Some(pat) = find_rid(self.connection, kind.no, &StoredId::new(patient))? else {
            return Ok(false);
        };
        let sql =
            "SELECT 1 FROM rel WHERE pat = ?1 AND org = ?2 AND person IN ('', ?3) AND lo <= ?4 AND hi > ?4";
        let values = params![pat, self.institution, institution.person, self.now];
        Ok(self.connection.prepare_cached(sql)?.exists(values)?)
    }

    /// [`AccessPlan::allows`] on the columns of a row of `res` or `ver`, as ` AND …`.
    pub(super) fn visible(&self, row: &str) -> Sql {
        self.visible_as(row, &format!("{row}.rid"))
    }

    /// The same for rows of `res` that may be of a resource inside a record: it is seen by whoever sees the record.
    pub(super) fn visible_part(&self, row: &str) -> Sql {
        self.visible_as(row, &format!("coalesce({row}.container, {row}.rid)"))
    }

    fn visible_as(&self, row: &str, rid: &str) -> Sql {
        let mut sql = Sql::default();
        if let Some(selected) = &self.selected {
            sql.push(" AND ").append(&in_one_of(selected, row, rid));
        }
        if self.access.denied != 0 {
            sql.push(" AND ").push(row).push(".mask & ").bind(i64::from(self.access.denied)).push(" = 0");
        }
        match (&self.access.clinical, self.access.system) {
            (Reach::All, true) => {}
            (Reach::All, false) => {
                sql.push(" AND ").push(row).push(".pat <> ").number(SYSTEM);
            }
            (Reach::Nothing, true) => {
                sql.push(" AND ").push(row).push(".pat = ").number(SYSTEM);
            }
            (Reach::Nothing, false) => {
                sql.push(" AND 0");
            }
            (Reach::Patients(_), system) => {
                sql.push(" AND (").append(&nobodys(row, system)).push(" OR ");
                sql.append(&self.of_patients(row, rid)).push(")");
            }
            (Reach::Institution(institution), system) => {
                sql.push(" AND (").append(&nobodys(row, system)).push(" OR ");
                sql.append(&self.of_institution(institution, row, rid)).push(")");
            }
        }
        sql
    }

    /// The numbers of all records that may be reached, and perhaps of others, of a kind that is about patients: where only
    /// some patients are reached, it is quicker to start from theirs than from what is asked for.
    pub(super) fn of_reach(&self, kind: &str) -> Option<Sql> {
        let family = self.shared.catalogue.kind(kind)?.family;
        let mut patients = Sql::default();
        match &self.access.clinical {
            _ if family != Family::Clinical => return None,
            Reach::All | Reach::Nothing => return None,
            Reach::Institution(Institution { person: None, about: None, .. }) => return None,
            Reach::Institution(Institution { person: Some(person), about: None, .. }) => {
                patients.push("SELECT g.pat FROM rel g WHERE g.org = ").bind(self.institution);
                patients
                    .push(" AND g.person IN ('', ")
                    .bind(person.clone())
                    .push(") AND g.hi > ")
                    .bind(self.now);
                patients.push(" AND g.lo <= ").bind(self.now);
            }
            Reach::Patients(_) | Reach::Institution(_) => {
                patients.push("SELECT value FROM json_each(").bind(json_numbers(&self.patients)).push(")");
            }
        }
        let mut sql = Sql::new("SELECT rid FROM res WHERE pat > 0 AND pat IN (");
        sql.append(&patients).push(") UNION ALL SELECT rid FROM comp WHERE owner IN (");
        sql.append(&patients).push(")");
        if matches!(self.access.clinical, Reach::Institution(Institution { about: None, .. })) {
            // What the institution made of no patient; where nobody knows, its encounter may.
            sql.push(" UNION ALL SELECT rid FROM res WHERE pat = ").number(SEVERAL).push(" AND org IN (0, ");
            sql.bind(self.institution).push(", ").bind(-self.institution).push(")");
        }
        Some(sql)
    }

    /// Whether a record is of one of the patients named.
    fn of_patients(&self, row: &str, rid: &str) -> Sql {
        let mut sql = Sql::new("(");
        sql.push(row).push(".pat IN (SELECT value FROM json_each(").bind(json_numbers(&self.patients));
        sql.push(")) OR ").push(row).push(".pat = ").number(SEVERAL).push(" AND EXISTS (");
        sql.append(&owners(row, rid)).push(" AND o.owner IN (SELECT value FROM json_each(");
        sql.bind(json_numbers(&self.patients)).push("))))");
        sql
    }

    /// Whether somebody who acts for an institution reaches a clinical record.
    fn of_institution(&self, institution: &Institution, row: &str, rid: &str) -> Sql {
        let mut sql = Sql::new("(");
        if institution.about.is_some() {
            sql.append(&self.of_patients(row, rid)).push(" AND ");
        }
        let mut own = Sql::new(row);
        own.push(".pat <> ")
            .number(SYSTEM)
            .push(" AND ")
            .push(&maker(row))
            .push(" = ")
            .bind(self.institution);
        let Some(person) = &institution.person else {
            sql.append(&own).push(")");
            return sql;
        };
        let opens = |patient: &str| self.opens(institution, person, patient, (row, rid));
        sql.push("CASE WHEN ").push(row).push(".pat > 0 THEN ").append(&opens(&format!("{row}.pat")));
        sql.push(" WHEN ").push(row).push(".pat <> ").number(SEVERAL).push(" THEN 0");
        sql.push(" WHEN EXISTS (").append(&owners(row, rid)).push(") THEN NOT EXISTS (");
        sql.append(&owners(row, rid)).push(" AND NOT ").append(&opens("o.owner")).push(")");
        sql.push(" ELSE ").append(&own).push(" END)");
        sql
    }

    /// Whether a patient's relations and rules open a record; never null. What is cheap or usual is asked first: who made the
    /// record is mostly told by its own row.
    fn opens(&self, institution: &Institution, person: &str, patient: &str, (row, rid): (&str, &str)) -> Sql {
        let mut sql = Sql::new("(");
        sql.append(&self.related(person, patient, "")).push(" AND (").push(rid).push(" = ").push(patient);
        sql.push(" OR abs(").push(row).push(".org) = ").bind(self.institution).push(" OR coalesce((");
        sql.append(&self.rule(institution, patient, (row, rid))).push("), 0) OR (");
        sql.push(row)
            .push(".org = 0 AND ")
            .push(&maker(row))
            .push(" = ")
            .bind(self.institution)
            .push(") OR ");
        sql.append(&self.related(person, patient, " AND g.reach = 2")).push("))");
        sql
    }

    /// Whether the institution has a relation to a patient: of everybody there, or of this person.
    fn related(&self, person: &str, patient: &str, also: &str) -> Sql {
        let relation = |person: &str| {
            let mut sql = Sql::new("EXISTS (SELECT 1 FROM rel g WHERE g.pat = ");
            sql.push(patient).push(" AND g.org = ").bind(self.institution).push(" AND g.person = ");
            sql.bind(person.to_owned()).push(" AND g.hi > ").bind(self.now);
            sql.push(" AND g.lo <= ").bind(self.now).push(also).push(")");
            sql
        };
        any_of(&[relation(""), relation(person)])
    }

    /// What the first of a patient's rules says that applies to a record.
    fn rule(&self, institution: &Institution, patient: &str, (row, rid): (&str, &str)) -> Sql {
        let mut sql = Sql::new("SELECT u.permit FROM rule u WHERE u.pat = ");
        sql.push(patient).push(" AND u.asker IN (0, ").bind(self.institution).push(") AND u.purposes & ");
        sql.bind(i64::from(institution.purpose)).push(" <> 0 AND u.lo <= ").bind(self.now);
        sql.push(" AND u.hi > ").bind(self.now);
        sql.push(&format!(
            " AND (u.org = 0 OR u.org = {}) AND u.mask & {row}.mask = u.mask \
             AND u.without & {row}.mask = 0 AND (u.since IS NULL OR {row}.d >= u.since) AND (u.before IS NULL OR {row}.d < u.before) \
             AND (u.record = 0 OR u.record = {rid}) AND (u.enc = 0 OR u.enc = {row}.enc) \
             AND (u.dept = 0 OR u.dept = (SELECT e.dept FROM res e WHERE e.rid = {row}.enc AND e.op IN (1, 2))) \
             AND (u.kind = 0 OR u.kind = ",
            maker(row)
        ));
        sql.push(&kind_of(row, rid));
        sql.push(") ORDER BY u.spec DESC, u.made DESC, u.permit LIMIT 1");
        sql
    }

    /// Whether the newest version of a record, deleted or not, exists for this caller.
    pub(super) fn sees(&self, rid: i64) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT 1 FROM res r WHERE r.rid = ");
        sql.bind(rid).append(&self.visible("r"));
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        Ok(statement.exists(params_from_iter(&sql.values))?)
    }
}

/// Whether a record is about nobody, or the system's own and these are reached.
fn nobodys(row: &str, system: bool) -> Sql {
    let mut sql = Sql::new(row);
    sql.push(".pat IN (").number(SHARED);
    if system {
        sql.push(", ").number(SYSTEM);
    }
    sql.push(")");
    sql
}

/// The institution that made a record. Where nobody knows, the one that the record's encounter names, if the hub itself wrote
/// that: nobody makes a record theirs by writing its encounter.
fn maker(row: &str) -> String {
    format!(
        "iif({row}.org <> 0 OR {row}.enc = 0, abs({row}.org), \
         coalesce((SELECT -e.org FROM res e WHERE e.rid = {row}.enc AND e.op IN (1, 2) AND e.org < 0), 0))"
    )
}

/// The patients of a version that is of several, as `o`.
fn owners(row: &str, rid: &str) -> Sql {
    let mut sql = Sql::new("SELECT 1 FROM comp o WHERE o.rid = ");
    sql.push(rid).push(" AND o.ver = ").push(row).push(".ver");
    sql
}

/// Whether a record is in one of the selections.
fn in_one_of(selected: &[Selected], row: &str, rid: &str) -> Sql {
    let whole = selected.iter().filter(|selected| selected.condition.is_none()).map(|selected| selected.kind);
    let mut kinds = Sql::new(&kind_of(row, rid));
    kinds.push(" IN (SELECT value FROM json_each(").bind(json_numbers(&whole.collect::<Vec<_>>())).push("))");
    let mut pieces = vec![kinds];
    for Selected { kind, condition } in selected {
        let Some(condition) = condition else { continue };
        let mut sql = Sql::new("EXISTS (SELECT 1 FROM res selected WHERE selected.rid = ");
        sql.push(rid).push(" AND selected.op IN (1, 2) AND selected.kind = ").bind(*kind);
        sql.append(condition).push(")");
        pieces.push(sql);
    }
    any_of(&pieces)
}

/// The kind of a record. Versions in `ver` do not have it.
fn kind_of(row: &str, rid: &str) -> String {
    if row != "v" && rid.starts_with(row) {
        return format!("{row}.kind");
    }
    format!("(SELECT q.kind FROM res q WHERE q.rid = {rid})")
}
