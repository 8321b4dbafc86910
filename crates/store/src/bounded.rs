//! Pages bounded in bytes, on any engine: a page is read in pieces, the next only while there is room, and ends early
//! when there is none.

use crate::commit::StoreError;
use crate::engine::Position;
use crate::record::Record;

/// How many records a piece has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    /// The first.
    pub(crate) first: usize,
    /// How many times as many each further one has.
    pub(crate) growth: usize,
}

impl Pieces {
    /// Where going on from a position costs next to nothing.
    pub(crate) const SMALL: Self = Self { first: 16, growth: 4 };
    /// Where it costs as much as starting: an order by values is made anew for each piece.
    pub(crate) const LARGE: Self = Self { first: 64, growth: 16 };
}

/// What a record takes beside its body, about.
const BESIDE: usize = 200;

/// Records of a walk, and where it goes on.
type Piece = (Vec<Record>, Option<Position>);

/// Reads at most `limit` records of about `bytes` in all, and at least one if there is any. `ask` gives so many from a
/// position on, in the order of the walk.
pub(crate) fn read(
    start: Option<Position>,
    limit: usize,
    bytes: usize,
    pieces: Pieces,
    mut ask: impl FnMut(Option<Position>, usize) -> Result<Piece, StoreError>,
) -> Result<Piece, StoreError> {
    let mut records: Vec<Record> = Vec::new();
    let (mut held, mut position, mut wanted) = (0, start, pieces.first);
    loop {
        let (piece, next) = ask(position.clone(), wanted.min(limit - records.len()))?;
        let mut fitting = 0;
        for record in &piece {
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
                let records = (from..end).map(|place| record(place, sizes[place])).collect();
                Ok((records, (end < sizes.len()).then(|| position(end))))
            };
            let (records, next) = read(start, limit, bytes, Pieces::SMALL, ask).unwrap();
            for record in &records {
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
