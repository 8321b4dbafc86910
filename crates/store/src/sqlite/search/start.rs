//! Where a statement starts: from the smallest set of records, found by counting a bounded number of index rows.

use rusqlite::{Connection, params_from_iter};

use super::select::Select;
use super::sql::Sql;
use crate::commit::StoreError;

/// Index rows counted at most to learn how selective a condition is: few at first, and more only when no condition turns
/// out to be small; the most where all that matches is needed anyway.
const LOOKS: [usize; 3] = [500, 5_000, 50_000];

/// A condition that is a set of records, from which the statement may start.
pub(super) struct Start {
    /// Its place among the filters.
    pub(super) index: usize,
    pub(super) size: Size,
}

/// How many records a start has.
pub(super) enum Size {
    /// So many.
    Known(usize),
    /// Those of these selections.
    Of(Vec<Select>),
}

impl Start {
    /// The selection to walk through, if there is one that gives records in order.
    pub(super) fn stream(&self) -> Option<&Select> {
        match &self.size {
            Size::Of(selects) => selects.first().filter(|select| selects.len() == 1 && select.ordered),
            Size::Known(_) => None,
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
            Size::Of(selects) => selects,
        };
        let mut total = 0;
        for select in selects {
            let mut sql = Sql::new("SELECT count(*) FROM (");
            sql.append(&select.statement()).push(" LIMIT ").bind(i64::try_from(look + 1).unwrap_or(i64::MAX));
            sql.push(")");
            let mut statement = connection.prepare_cached(&sql.text)?;
            let count: i64 = statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?;
            total += usize::try_from(count).unwrap_or(usize::MAX);
        }
        Ok(total)
    }
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

/// The start with the fewest records; none when there is no start.
pub(super) fn smallest(
    connection: &Connection,
    starts: &[Start],
    is_needed_whole: bool,
) -> Result<Option<Smallest>, StoreError> {
    let mut smallest: Option<Smallest> = None;
    let looks = if is_needed_whole { &LOOKS[..] } else { &LOOKS[..2] };
    for &look in looks {
        smallest = None;
        for (place, start) in starts.iter().enumerate() {
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
