//! Making index rows anew when a parameter means something else than when they were written.

use rusqlite::{Connection, TransactionBehavior, params};

use super::Shared;
use super::apply::{Applier, Memory};
use super::registry::ChangedParam;
use crate::commit::StoreError;

const TABLES: [&str; 7] = ["tok", "tokdict", "ref", "dat", "num", "str", "cho"];

/// Rebuilds what changed, before anyone can ask. All or nothing: a crash on the way leaves the file as it was, and the
/// next start begins again.
pub(super) fn run(
    connection: &mut Connection,
    shared: &Shared,
    changed: &[ChangedParam],
) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut kinds: Vec<&str> = changed.iter().map(|param| param.kind.as_str()).collect();
    kinds.dedup();
    for kind in kinds {
        let Some(numbers) = shared.registry.kind(kind) else { continue };
        let tps: Vec<i64> = changed.iter().filter(|param| param.kind == kind).map(|param| param.tp).collect();
        let sql = "SELECT id_text(id) FROM res WHERE kind = ?1 AND op IN (1, 2) ORDER BY rid";
        let ids: Vec<String> = {
            let mut statement = transaction.prepare_cached(sql)?;
            let rows = statement.query_map(params![numbers.no], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        if ids.is_empty() {
            continue;
        }
        tracing::info!(
            kind,
            records = ids.len(),
            parameters = tps.len(),
            "search parameters changed: indexing again"
        );
        for tp in &tps {
            for table in TABLES {
                transaction.execute(&format!("DELETE FROM {table} WHERE tp = ?1"), params![tp])?;
            }
        }
        let mut memory = Memory::default();
        let mut applier = Applier { connection: &transaction, shared, memory: &mut memory };
        for id in ids {
            applier.index_again(kind, &id, &tps)?;
        }
        applier.flush()?;
    }
    transaction.commit()?;
    Ok(())
}
