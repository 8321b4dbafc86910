//! Rows waiting to be written, so that each table is touched in the order of its key.

use rusqlite::Connection;

use super::rows::RowSet;
use super::table::{self, each_list};
use crate::commit::StoreError;

/// What the writer has to write before anyone asks.
#[derive(Debug, Default)]
pub(super) struct Pending {
    insert: RowSet,
    delete: RowSet,
}

impl Pending {
    pub(super) fn insert(&mut self, rows: RowSet) {
        macro_rules! add {
            ($list:ident) => {
                self.insert.$list.extend(rows.$list)
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
    pub(super) fn replace(&mut self, old: &RowSet, new: RowSet) {
        let (mut gone, mut come) = (RowSet::default(), RowSet::default());
        macro_rules! split {
            ($list:ident) => {
                (gone.$list, come.$list) = table::difference(&old.$list, new.$list)
            };
        }
        each_list!(split);
        self.delete(gone);
        self.insert(come);
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
