//! Treatment relations and consents as rows, so that they are part of every question.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use super::apply::Applier;
use super::dict::id_text;
use super::numbers::{Giving, Numbers};
use super::read;
use super::visible::Scope;
use crate::access::{Facts, Proof, Relation, RelationReach, Rule};
use crate::commit::StoreError;

/// A table and the columns of its rows, without those that name the record.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
}

const RELATIONS: Table = Table { name: "rel", columns: &["pat", "org", "person", "hi", "lo", "reach"] };
const RULES: Table = Table {
    name: "rule",
    columns: &[
        "pat", "spec", "made", "permit", "asker", "purposes", "lo", "hi", "org", "dept", "kind", "mask",
        "without", "since", "before", "record", "enc",
    ],
};

/// The rows of what a record says; `org` as in `res`.
struct Rows {
    relations: Vec<Vec<Value>>,
    rules: Vec<Vec<Value>>,
}

impl Rows {
    fn new(numbers: &mut impl Numbers, org: i64, facts: &Facts) -> Result<Self, StoreError> {
        let relations = facts.relations.iter().map(|relation| relation_row(numbers, org.abs(), relation));
        let relations = relations.collect::<Result<_, _>>()?;
        let rules = facts.rules_of(org > 0).map(|rule| rule_row(numbers, rule)).collect::<Result<_, _>>()?;
        Ok(Self { relations, rules })
    }

    fn tables(self) -> [(Table, Vec<Vec<Value>>); 2] {
        [(RELATIONS, self.relations), (RULES, self.rules)]
    }
}

fn relation_row(numbers: &mut impl Numbers, org: i64, relation: &Relation) -> Result<Vec<Value>, StoreError> {
    let org = match &relation.institution {
        Some(id) => record(numbers, "Organization", id)?,
        None => org,
    };
    let reach = match relation.reach {
        RelationReach::Consented => 1,
        RelationReach::All => 2,
    };
    let person = relation.person.clone().unwrap_or_default();
    Ok(vec![
        record(numbers, "Patient", &relation.patient)?.into(),
        org.into(),
        person.into(),
        relation.until.into(),
        relation.from.into(),
        reach.into(),
    ])
}

fn rule_row(numbers: &mut impl Numbers, rule: &Rule) -> Result<Vec<Value>, StoreError> {
    let mut institution = |id: &Option<String>| match id {
        Some(id) => record(numbers, "Organization", id),
        None => Ok(0),
    };
    let (asker, org) = (institution(&rule.asker)?, institution(&rule.which.institution)?);
    let kind = match &rule.which.kind {
        Some(kind) => numbers.registry().kind(kind).map_or(NO_RECORD, |kind| kind.no),
        None => 0,
    };
    let about = match &rule.which.record {
        Some((kind, id)) => record(numbers, kind, id)?,
        None => 0,
    };
    let encounter = match &rule.which.encounter {
        Some(id) => record(numbers, "Encounter", id)?,
        None => 0,
    };
    Ok(vec![
        record(numbers, "Patient", &rule.patient)?.into(),
        rule.specificity.into(),
        rule.made.into(),
        rule.permit.into(),
        asker.into(),
        rule.purposes.into(),
        rule.from.into(),
        rule.until.into(),
        org.into(),
        numbers.maybe(rule.which.department.as_deref())?.into(),
        kind.into(),
        rule.which.labels.into(),
        rule.which.without.into(),
        rule.which.since.into(),
        rule.which.before.into(),
        about.into(),
        encounter.into(),
    ])
}

/// The number of a kind that there is not, and of its records.
const NO_RECORD: i64 = -1;

fn record(numbers: &mut impl Numbers, kind: &str, id: &str) -> Result<i64, StoreError> {
    match numbers.registry().kind(kind).map(|kind| kind.no) {
        Some(kind) => numbers.record(kind, id),
        None => Ok(NO_RECORD),
    }
}

impl Applier<'_> {
    /// Writes down what a record says, which an institution made.
    pub(super) fn add_evidence(&mut self, rid: i64, org: i64, facts: &Facts) -> Result<(), StoreError> {
        if facts.relations.is_empty() && facts.rules.is_empty() {
            return Ok(());
        }
        let (connection, registry) = (self.connection, &self.shared.registry);
        let mut numbers = Giving { connection, registry, given: &mut self.memory.given };
        for (table, rows) in Rows::new(&mut numbers, org, facts)?.tables() {
            let places: Vec<String> = (3..table.columns.len() + 3).map(|place| format!("?{place}")).collect();
            let (name, columns, places) = (table.name, table.columns.join(", "), places.join(", "));
            let sql = format!("INSERT INTO {name} (rid, no, {columns}) VALUES (?1, ?2, {places})");
            for (no, row) in (0_i64..).zip(rows) {
                let values = [rid.into(), no.into()].into_iter().chain(row);
                connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
            }
        }
        Ok(())
    }
}

/// The relations to a patient, if the caller reaches the Patient record.
pub(super) fn relations(scope: &Scope<'_>, patient: &str) -> Result<Vec<Proof>, StoreError> {
    let Some(pat) = read::rid(scope, "Patient", patient)? else { return Ok(Vec::new()) };
    if !scope.sees(pat)? {
        return Ok(Vec::new());
    }
    let sql = "SELECT o.id, g.person, g.hi, g.lo, g.reach, r.kind, r.id FROM rel g JOIN res r ON r.rid = g.rid \
               LEFT JOIN res o ON o.rid = g.org WHERE g.pat = ?1 ORDER BY g.hi DESC, g.lo DESC, g.rid, g.no";
    let mut statement = scope.connection.prepare_cached(sql)?;
    let mut rows = statement.query([pat])?;
    let mut proofs = Vec::new();
    while let Some(row) = rows.next()? {
        let institution = match row.get_ref(0)? {
            ValueRef::Null => None,
            id => Some(id_text(id)?),
        };
        let person: String = row.get(1)?;
        let reach = if row.get::<_, i64>(4)? == 2 { RelationReach::All } else { RelationReach::Consented };
        proofs.push(Proof {
            relation: Relation {
                patient: patient.to_owned(),
                institution,
                person: Some(person).filter(|person| !person.is_empty()),
                reach,
                from: row.get(3)?,
                until: row.get(2)?,
            },
            kind: scope.shared.registry.name(row.get(5)?)?.to_owned(),
            id: id_text(row.get_ref(6)?)?,
        });
    }
    Ok(proofs)
}

/// Takes away what a record said, also where a program that read it otherwise wrote it down.
pub(super) fn remove(connection: &Connection, rid: i64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM rel WHERE rid = ?1")?.execute([rid])?;
    connection.prepare_cached("DELETE FROM rule WHERE rid = ?1")?.execute([rid])?;
    Ok(())
}

/// Whether the rows of what a record says are there.
pub(super) fn is_stored(
    connection: &Connection,
    numbers: &mut impl Numbers,
    (rid, org): (i64, i64),
    facts: &Facts,
) -> Result<bool, StoreError> {
    for (table, rows) in Rows::new(numbers, org, facts)?.tables() {
        let places =
            table.columns.iter().zip(3..).map(|(column, place)| format!(" AND {column} IS ?{place}"));
        let sql =
            format!("SELECT 1 FROM {} WHERE rid = ?1 AND no = ?2{}", table.name, places.collect::<String>());
        for (no, row) in (0_i64..).zip(rows) {
            let values = [rid.into(), no.into()].into_iter().chain(row);
            if !connection.prepare_cached(&sql)?.exists(params_from_iter(values))? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
