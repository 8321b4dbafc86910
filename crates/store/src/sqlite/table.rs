//! The index tables: how a row of each is written, removed and looked for.

use rusqlite::{Connection, Statement};

use super::rows::RowSet;
use crate::commit::StoreError;

/// Columns that every index row of a record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) pat: i64,
    pub(super) mask: i64,
    pub(super) d: Option<i64>,
}

/// A row of an index table, without what it carries. Fields stand, and order, as the columns of the key.
pub(super) trait IndexRow: Ord + Clone {
    /// The table.
    const TABLE: &'static str;
    /// The columns of its key.
    const KEY: &'static [&'static str];
    /// Whether its rows carry the main date of the record.
    const DATED: bool = false;

    /// The parameter.
    fn tp(&self) -> i64;

    /// Binds the columns of the key, from the first place on.
    fn bind(&self, statement: &mut Statement<'_>) -> rusqlite::Result<()>;
}

/// Declares a row type: fields are columns.
macro_rules! index_row {
    ($(#[$doc:meta])* $name:ident in $table:literal $(, dated = $dated:literal)? { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) struct $name { $(pub(super) $field: $type),+ }

        impl IndexRow for $name {
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$(stringify!($field)),+];
            $(const DATED: bool = $dated;)?

            fn tp(&self) -> i64 {
                self.tp
            }

            fn bind(&self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
                let mut place = 0;
                $(place += 1; statement.raw_bind_parameter(place, &self.$field)?;)+
                debug_assert_eq!(place, Self::KEY.len());
                Ok(())
            }
        }
    };
}
pub(super) use index_row;

/// Adds rows; sorted first, so that each leaf page is touched once.
pub(super) fn insert<R: IndexRow>(
    connection: &Connection,
    rows: &mut Vec<(R, Carried)>,
) -> Result<(), StoreError> {
    rows.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    let carried = if R::DATED { 3 } else { 2 };
    let places = vec!["?"; R::KEY.len() + carried].join(", ");
    let sql = format!("INSERT INTO {} VALUES ({places})", R::TABLE);
    let mut statement = connection.prepare_cached(&sql)?;
    for (row, carried) in rows.drain(..) {
        row.bind(&mut statement)?;
        bind_carried::<R>(&mut statement, carried)?;
        statement.raw_execute()?;
    }
    Ok(())
}

/// Removes rows.
pub(super) fn delete<R: IndexRow>(connection: &Connection, rows: &[R]) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM {} WHERE {}", R::TABLE, equal(R::KEY));
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        row.bind(&mut statement)?;
        statement.raw_execute()?;
    }
    Ok(())
}

/// Removes rows under a number, so many at most; gives how many.
pub(super) fn delete_some<R: IndexRow>(
    connection: &Connection,
    tp: i64,
    most: usize,
) -> Result<usize, StoreError> {
    let (table, key) = (R::TABLE, R::KEY.join(", "));
    let sql =
        format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE tp = ?1 LIMIT ?2)");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(connection.prepare_cached(&sql)?.execute([tp, most])?)
}

/// Whether all rows are there, carrying this.
pub(super) fn are_stored<R: IndexRow>(
    connection: &Connection,
    rows: &[R],
    carried: Carried,
) -> Result<bool, StoreError> {
    let date = if R::DATED { " AND d IS ?" } else { "" };
    let sql = format!("SELECT 1 FROM {} WHERE {} AND pat = ? AND mask = ?{date}", R::TABLE, equal(R::KEY));
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        row.bind(&mut statement)?;
        bind_carried::<R>(&mut statement, carried)?;
        if statement.raw_query().next()?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn bind_carried<R: IndexRow>(statement: &mut Statement<'_>, carried: Carried) -> rusqlite::Result<()> {
    let first = R::KEY.len() + 1;
    statement.raw_bind_parameter(first, carried.pat)?;
    statement.raw_bind_parameter(first + 1, carried.mask)?;
    if R::DATED {
        statement.raw_bind_parameter(first + 2, carried.d)?;
    }
    Ok(())
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
