//! Where a statement starts: from the smallest set of records, found by counting a bounded number of index rows.

use rusqlite::{Connection, params_from_iter};

use super::select::Select;
use super::sql::Sql;
use crate::commit::StoreError;

/// Index rows counted at first to learn how selective a condition is.
const FIRST_LOOK: usize = 500;
/// The same, when no condition turns out to be small: at most so many for a page,
const LOOK: usize = 5_000;
/// and so many where all that matches is needed anyway.
const LAST_LOOK: usize = 50_000;

/// How far it is worth to count one after another, where of so many records of the kind the first few are wanted. Of n
/// records that match, fetching all costs n, and walking to the first 20 costs 20 records of the kind for each nth of it:
/// they are equal at √(20 · records).
fn looks(is_needed_whole: bool, records: u64) -> Vec<usize> {
    if is_needed_whole {
        return vec![FIRST_LOOK, LOOK, LAST_LOOK];
    }
    let worth = usize::try_from((40 * records).isqrt()).unwrap_or(LOOK);
    if worth <= FIRST_LOOK { vec![FIRST_LOOK] } else { vec![FIRST_LOOK, worth.min(LOOK)] }
}

/// A condition that is a set of records, from which the statement may start.
pub(super) struct Start {
    /// Its place among the filters; that of the reach is none of theirs.
    pub(super) index: usize,
    pub(super) size: Size,
}

/// How many records a start has.
pub(super) enum Size {
    /// So many.
    Known(usize),
    /// Those of these selections.
    Of(Vec<Select>),
    /// Those that the caller may reach.
    Reach(Sql),
}

impl Start {
    /// The selection to walk through, if there is one that gives records in order.
    pub(super) fn stream(&self) -> Option<&Select> {
        match &self.size {
            Size::Of(selects) => selects.first().filter(|select| selects.len() == 1 && select.ordered),
            Size::Known(_) | Size::Reach(_) => None,
        }
    }

    /// Whether it is asked of a record's own row as cheaply as of the index.
    pub(super) fn stands_in_row(&self) -> bool {
        matches!(&self.size, Size::Of(selects) if !selects.is_empty() && selects.iter().all(Select::stands_in_row))
    }

    /// About how many records there are, each selection counted a little further than `look`.
    pub(super) fn count(&self, connection: &Connection, look: usize) -> Result<usize, StoreError> {
        let selects = match &self.size {
            Size::Known(size) => return Ok(*size),
            Size::Reach(reach) => return count(connection, reach, look),
            Size::Of(selects) => selects,
        };
        let mut total = 0;
        for select in selects {
            total += count(connection, &select.statement(), look)?;
        }
        Ok(total)
    }
}

/// How many rows a selection has, counted a little further than `look`.
fn count(connection: &Connection, select: &Sql, look: usize) -> Result<usize, StoreError> {
    let mut sql = Sql::new("SELECT count(*) FROM (");
    sql.append(select).push(" LIMIT ").bind(i64::try_from(look + 1).unwrap_or(i64::MAX)).push(")");
    let mut statement = connection.prepare_cached(&sql.text)?;
    let count: i64 = statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// The start with the fewest records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Smallest {
    /// Its place among the starts.
    pub(super) place: usize,
    /// How many records it has, or more than were counted.
    pub(super) size: usize,
    /// Whether they are few.
    pub(super) is_small: bool,
}

impl Smallest {
    /// The first start, not counted.
    pub(super) const FIRST: Self = Self { place: 0, size: usize::MAX, is_small: false };
}

/// The start with the fewest records, of a kind that has so many; none when there is no start.
pub(super) fn smallest(
    connection: &Connection,
    starts: &[Start],
    is_needed_whole: bool,
    records: u64,
) -> Result<Option<Smallest>, StoreError> {
    let mut smallest: Option<Smallest> = None;
    for look in looks(is_needed_whole, records) {
        smallest = None;
        for (place, start) in starts.iter().enumerate() {
            // Counting what the caller reaches takes longer than walking through a few records too many.
            let is_reach = matches!(start.size, Size::Reach(_));
            if is_reach && smallest.is_some_and(|least: Smallest| least.size <= FIRST_LOOK) {
                continue;
            }
            // Beyond the look all are alike, but that some can be walked through in order.
            let size = start.count(connection, look)?.min(look + 1);
            let is_better = |least: Smallest| {
                let streams = start.stream().is_some() && starts[least.place].stream().is_none();
                size < least.size || (size == least.size && streams)
            };
            if smallest.is_none_or(is_better) {
                smallest = Some(Smallest { place, size, is_small: size <= look });
            }
        }
        if smallest.is_none_or(|smallest| smallest.is_small) {
            break;
        }
    }
    Ok(smallest)
}
