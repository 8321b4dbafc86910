//! Rows waiting to be written, so that each table is touched in the order of its key.

use rusqlite::{Connection, params};

use super::rows::{Cho, Cmp, Dat, Geo, Num, Ref, RowSet, Str, Tok};
use super::table::{self, Carried, each_list};
use crate::commit::StoreError;

/// What the writer has to write before anyone asks.
#[derive(Debug, Default)]
pub(super) struct Pending {
    insert: Lists,
    delete: RowSet,
}

#[derive(Debug, Default)]
struct Lists {
    tok: Vec<(Tok, Carried)>,
    refs: Vec<(Ref, Carried)>,
    dat: Vec<(Dat, Carried)>,
    num: Vec<(Num, Carried)>,
    text: Vec<(Str, Carried)>,
    cho: Vec<(Cho, Carried)>,
    cmp: Vec<(Cmp, Carried)>,
    geo: Vec<(Geo, Carried)>,
}

impl Pending {
    pub(super) fn insert(&mut self, rows: RowSet, carried: Carried) {
        macro_rules! add {
            ($list:ident) => {
                self.insert.$list.extend(rows.$list.into_iter().map(|row| (row, carried)))
            };
        }
        each_list!(add);
    }

    pub(super) fn delete(&mut self, rows: RowSet) {
        macro_rules! add {
            ($list:ident) => {
                self.delete.$list.extend(rows.$list)
            };
        }
        each_list!(add);
    }

    /// Replaces one set by another, touching only what differs.
    pub(super) fn replace(&mut self, old: RowSet, old_carried: Carried, new: RowSet, carried: Carried) {
        if old_carried != carried {
            self.delete(old);
            self.insert(new, carried);
            return;
        }
        let (mut gone, mut come) = (RowSet::default(), RowSet::default());
        macro_rules! split {
            ($list:ident) => {
                (gone.$list, come.$list) = table::difference(&old.$list, new.$list)
            };
        }
        each_list!(split);
        self.delete(gone);
        self.insert(come, carried);
    }

    /// Writes everything that waits.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let gone = std::mem::take(&mut self.delete);
        macro_rules! delete {
            ($list:ident) => {
                if !gone.$list.is_empty() {
                    table::delete(connection, &gone.$list)?;
                }
            };
        }
        each_list!(delete);
        list_tokens(connection, &self.insert.tok)?;
        macro_rules! insert {
            ($list:ident) => {
                if !self.insert.$list.is_empty() {
                    table::insert(connection, &mut self.insert.$list)?;
                }
            };
        }
        each_list!(insert);
        Ok(())
    }
}

/// Adds to the list of values that a parameter ever had.
fn list_tokens(connection: &Connection, rows: &[(Tok, Carried)]) -> Result<(), StoreError> {
    let mut values: Vec<(i64, i64, i64)> = rows.iter().map(|(row, _)| (row.tp, row.s, row.v)).collect();
    values.sort_unstable();
    values.dedup();
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO tokdict VALUES (?1, ?2, ?3)")?;
    for (tp, s, v) in values {
        insert.execute(params![tp, s, v])?;
    }
    Ok(())
}
