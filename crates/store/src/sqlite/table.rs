//! The index tables: how a row of each is written, removed and looked for.

use rusqlite::{Connection, Statement};

use super::rows::RowSet;
use crate::commit::StoreError;

/// A row of an index table, which is its key. Fields stand, and order, as the columns.
pub(super) trait IndexRow: Ord + Clone {
    /// The table.
    const TABLE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [&'static str];

    /// Binds the columns, from the first place on.
    fn bind(&self, statement: &mut Statement<'_>) -> rusqlite::Result<()>;
}

/// Declares a row type: fields are columns.
macro_rules! index_row {
    ($(#[$doc:meta])* $name:ident in $table:literal { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) struct $name { $(pub(super) $field: $type),+ }

        impl IndexRow for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn bind(&self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
                let mut place = 0;
                $(place += 1; statement.raw_bind_parameter(place, &self.$field)?;)+
                debug_assert_eq!(place, Self::COLUMNS.len());
                Ok(())
            }
        }
    };
}
pub(super) use index_row;

/// Adds rows; sorted first, so that each leaf page is touched once.
pub(super) fn insert<R: IndexRow>(connection: &Connection, rows: &mut Vec<R>) -> Result<(), StoreError> {
    rows.sort_unstable();
    let places = vec!["?"; R::COLUMNS.len()].join(", ");
    let sql = format!("INSERT INTO {} VALUES ({places})", R::TABLE);
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows.drain(..) {
        row.bind(&mut statement)?;
        statement.raw_execute()?;
    }
    Ok(())
}

/// Removes rows.
pub(super) fn delete<R: IndexRow>(connection: &Connection, rows: &[R]) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM {} WHERE {}", R::TABLE, equal(R::COLUMNS));
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        row.bind(&mut statement)?;
        statement.raw_execute()?;
    }
    Ok(())
}

/// Removes rows under the number of a parameter, so many at most; gives how many.
pub(super) fn delete_some<R: IndexRow>(
    connection: &Connection,
    tp: i64,
    most: usize,
) -> Result<usize, StoreError> {
    delete_where::<R>(connection, "tp = ?1", tp, most)
}

/// The same of rows under the number of a value.
pub(super) fn delete_under<R: IndexRow>(
    connection: &Connection,
    k: i64,
    most: usize,
) -> Result<usize, StoreError> {
    delete_where::<R>(connection, "k = ?1", k, most)
}

fn delete_where<R: IndexRow>(
    connection: &Connection,
    condition: &str,
    number: i64,
    most: usize,
) -> Result<usize, StoreError> {
    let (table, columns) = (R::TABLE, R::COLUMNS.join(", "));
    let sql = format!(
        "DELETE FROM {table} WHERE ({columns}) IN (SELECT {columns} FROM {table} WHERE {condition} LIMIT ?2)"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(connection.prepare_cached(&sql)?.execute([number, most])?)
}

/// The rows of a table that stand under the number `?1` of a parameter.
pub(super) fn of_param(table: &str) -> &'static str {
    match table {
        "tok" | "cmp" => "k IN (SELECT k FROM tokval WHERE tp = ?1)",
        _ => "tp = ?1",
    }
}

/// Whether all rows are there.
pub(super) fn are_stored<R: IndexRow>(connection: &Connection, rows: &[R]) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM {} WHERE {}", R::TABLE, equal(R::COLUMNS));
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        row.bind(&mut statement)?;
        if statement.raw_query().next()?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(" AND ")
}

/// The rows of `old` that are not in `new`, and the other way round; both sorted.
pub(super) fn difference<R: IndexRow>(old: &[R], new: Vec<R>) -> (Vec<R>, Vec<R>) {
    let gone = old.iter().filter(|row| new.binary_search(row).is_err()).cloned().collect();
    let come = new.into_iter().filter(|row| old.binary_search(row).is_err()).collect();
    (gone, come)
}

/// Calls a macro with the name of each list of rows of a [`RowSet`].
macro_rules! each_list {
    ($do:ident) => {
        $do!(tok);
        $do!(refs);
        $do!(dat);
        $do!(num);
        $do!(text);
        $do!(cho);
        $do!(cmp);
        $do!(geo);
    };
}
pub(super) use each_list;

/// The tables of a [`RowSet`], in the order of [`RowSet::counts`].
pub(super) const TABLES: [&str; 8] = ["tok", "ref", "dat", "num", "str", "cho", "cmp", "geo"];

impl RowSet {
    /// Rows in each of [`TABLES`].
    pub(super) fn counts(&self) -> [usize; TABLES.len()] {
        [
            self.tok.len(),
            self.refs.len(),
            self.dat.len(),
            self.num.len(),
            self.text.len(),
            self.cho.len(),
            self.cmp.len(),
            self.geo.len(),
        ]
    }
}
