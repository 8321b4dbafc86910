//! Pages bounded in bytes, on any engine: a page is read in pieces, the next only while there is room, and ends early
//! when there is none.

use ieum_fhir::search::SortBy;

use crate::access::AccessPlan;
use crate::commit::StoreError;
use crate::engine::{
    CompartmentPage, CompartmentRequest, HistoryPage, HistoryRequest, Position, SearchPage, SearchRequest,
    Snapshot,
};
use crate::record::Record;

/// How many records a piece has.
#[derive(Debug, Clone, Copy)]
struct Pieces {
    /// The first.
    first: usize,
    /// How many times as many each further one has.
    growth: usize,
}

impl Pieces {
    /// Where going on from a position costs next to nothing.
    const SMALL: Self = Self { first: 16, growth: 4 };
    /// Where it costs as much as starting: an order by values is made anew for each piece.
    const LARGE: Self = Self { first: 64, growth: 16 };
}

/// What a record takes beside its body, about.
const BESIDE: usize = 200;

/// Records of a walk, each with what is told beside it, and where the walk goes on.
type Piece<T> = (Vec<(Record, T)>, Option<Position>);

/// Reads at most `limit` records of about `bytes` in all, and at least one if there is any. `ask` gives so many from a
/// position on, in the order of the walk.
fn read<T>(
    start: Option<Position>,
    limit: usize,
    bytes: usize,
    pieces: Pieces,
    mut ask: impl FnMut(Option<Position>, usize) -> Result<Piece<T>, StoreError>,
) -> Result<Piece<T>, StoreError> {
    let mut records: Vec<(Record, T)> = Vec::new();
    let (mut held, mut position, mut wanted) = (0, start, pieces.first);
    loop {
        let (piece, next) = ask(position.clone(), wanted.min(limit - records.len()))?;
        let mut fitting = 0;
        for (record, _) in &piece {
            let size = record.body.len() + BESIDE;
            if held + size > bytes && !(records.is_empty() && fitting == 0) {
                break;
            }
            held += size;
            fitting += 1;
        }
        if fitting < piece.len() {
            drop(piece);
            if fitting == 0 {
                return Ok((records, position));
            }
            // Where a walk goes on is told at the end of what was asked for: so what fits is asked for by itself.
            let (piece, next) = ask(position, fitting)?;
            records.extend(piece);
            return Ok((records, next));
        }
        records.extend(piece);
        if next.is_none() || records.len() >= limit || held >= bytes {
            return Ok((records, next));
        }
        (position, wanted) = (next, wanted.saturating_mul(pieces.growth));
    }
}

/// See [`Snapshot::search_within`].
pub(crate) fn search<S: Snapshot + ?Sized>(
    snapshot: &S,
    access: &AccessPlan,
    request: &SearchRequest<'_>,
    bytes: usize,
) -> Result<SearchPage, StoreError> {
    let backward = request.backward;
    // Where the walk came from, as the first piece tells it.
    let mut origin = None;
    let ask = |after, limit| {
        let page = snapshot.search(access, &SearchRequest { after, limit, ..request.clone() })?;
        // Parts are told of every record or of none.
        let parts = page.parts.into_iter().map(Some).chain(std::iter::repeat(None));
        let mut records: Vec<_> = page.records.into_iter().zip(parts).collect();
        // A walk towards the start meets the last records first.
        if backward {
            records.reverse();
        }
        let (onward, behind) = if backward { (page.previous, page.next) } else { (page.next, page.previous) };
        origin.get_or_insert(behind);
        Ok((records, onward))
    };
    let is_by_value =
        request.query.sort.iter().any(|key| !matches!(key.by, SortBy::Id | SortBy::LastUpdated));
    let pieces = if is_by_value { Pieces::LARGE } else { Pieces::SMALL };
    let (mut found, onward) = read(request.after.clone(), request.limit, bytes, pieces, ask)?;
    if backward {
        found.reverse();
    }
    let behind = origin.flatten();
    let (previous, next) = if backward { (onward, behind) } else { (behind, onward) };
    let (records, parts): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Ok(SearchPage { records, parts: parts.into_iter().flatten().collect(), previous, next })
}

/// See [`Snapshot::history_within`].
pub(crate) fn history<S: Snapshot + ?Sized>(
    snapshot: &S,
    access: &AccessPlan,
    request: &HistoryRequest<'_>,
    bytes: usize,
) -> Result<HistoryPage, StoreError> {
    let backward = request.backward;
    let (mut total, mut origin) = (None, None);
    let ask = |after, limit| {
        let page = snapshot.history(access, &HistoryRequest { after, limit, ..request.clone() })?;
        total = total.or(page.total);
        let mut records = alone(page.records);
        // A walk towards the newest meets the oldest first.
        if backward {
            records.reverse();
        }
        let (onward, behind) = if backward { (page.previous, page.next) } else { (page.next, page.previous) };
        origin.get_or_insert(behind);
        Ok((records, onward))
    };
    let (mut records, onward) = read(request.after.clone(), request.limit, bytes, Pieces::SMALL, ask)?;
    if backward {
        records.reverse();
    }
    let behind = origin.flatten();
    let (previous, next) = if backward { (onward, behind) } else { (behind, onward) };
    let records = records.into_iter().map(|(record, ())| record).collect();
    Ok(HistoryPage { records, previous, next, total })
}

/// See [`Snapshot::compartment_within`].
pub(crate) fn compartment<S: Snapshot + ?Sized>(
    snapshot: &S,
    access: &AccessPlan,
    request: &CompartmentRequest<'_>,
    bytes: usize,
) -> Result<CompartmentPage, StoreError> {
    let ask = |after, limit| {
        let page = snapshot.compartment(access, &CompartmentRequest { after, limit, ..request.clone() })?;
        Ok((alone(page.records), page.next))
    };
    let (records, next) = read(request.after.clone(), request.limit, bytes, Pieces::SMALL, ask)?;
    Ok(CompartmentPage { records: records.into_iter().map(|(record, ())| record).collect(), next })
}

fn alone(records: Vec<Record>) -> Vec<(Record, ())> {
    records.into_iter().map(|record| (record, ())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Op;

    fn record(place: usize, bytes: usize) -> Record {
        let (kind, id, body) = ("Basic".into(), place.to_string(), vec![b'x'; bytes]);
        Record { kind, id, version: 1, t: 1, instant: 0, op: Op::Create, body }
    }

    fn position(place: usize) -> Position {
        Position { as_of: 1, keys: Vec::new(), last: i64::try_from(place).unwrap() }
    }

    /// Walks over records of these sizes; gives the length of each page, and the most records held at a time.
    fn pages(sizes: &[usize], limit: usize, bytes: usize) -> Vec<usize> {
        let (mut pages, mut start, mut seen) = (Vec::new(), None, 0);
        loop {
            let ask = |from: Option<Position>, count: usize| {
                let from = from.map_or(0, |position| usize::try_from(position.last).unwrap());
                let end = (from + count).min(sizes.len());
                let records = (from..end).map(|place| (record(place, sizes[place]), ())).collect();
                Ok((records, (end < sizes.len()).then(|| position(end))))
            };
            let (records, next) = read(start, limit, bytes, Pieces::SMALL, ask).unwrap();
            for (record, ()) in &records {
                assert_eq!(record.id, seen.to_string(), "each once, in order");
                seen += 1;
            }
            pages.push(records.len());
            match next {
                Some(next) => start = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, sizes.len());
        pages
    }

    #[test]
    fn pages_end_early_and_lose_nothing() {
        assert_eq!(pages(&[100; 300], 200, 1 << 20), [200, 100], "small records fill their page");
        assert_eq!(pages(&[10_000; 100], 100, 102_000), [10; 10]);
        assert_eq!(pages(&[5_000_000; 3], 50, 1_000), [1, 1, 1], "at least one, whatever its size");
        assert_eq!(pages(&[1, 1, 900_000, 1, 900_000], 50, 1 << 20), [4, 1]);
        let mut sizes = vec![100; 16];
        sizes.push(2_000_000);
        assert_eq!(pages(&sizes, 50, 1 << 20), [16, 1], "a piece of which nothing fits");
        assert_eq!(pages(&[], 50, 1_000), [0]);
    }
}
