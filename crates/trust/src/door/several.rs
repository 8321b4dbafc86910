//! One answer out of searches on several kinds (R4, section 3.1.1.1: `[base]?_type=…`, `[base]/Patient/p1/*`).
//!
//! Each kind is asked for the places of its next matches; the places of all kinds are put in one order, and only the
//! records that come to stand on the page are read. A page ends with a place like any other, from which every kind goes
//! on: so paging holds under writes as it does in a search on one kind.

use std::cmp::Ordering;

use ieum_fhir::search::{Include, Query, SortKeyOf, Total};
use ieum_store::commit::StoreError;
use ieum_store::engine::{Place, PlacesPage, SearchRequest};
use ieum_store::include;
use ieum_store::record::Record;

use super::{DoorError, Page, View};

/// Searches on several kinds that are one question.
#[derive(Debug, Clone, Copy)]
pub struct Several<'q> {
    /// What tells this question from others, whichever kinds hold records at the moment: page tokens are bound to it.
    pub about: &'q str,
    /// One query for each kind, all with the same order.
    pub queries: &'q [Query],
}

impl View<'_> {
    /// Records that match, of all kinds, with what goes with them.
    ///
    /// # Errors
    /// [`DoorError`] for a foreign token, or when the engine fails or the question takes too long.
    pub fn search_several(
        &self,
        asked: Several<'_>,
        token: Option<&str>,
        limit: usize,
    ) -> Result<Page, DoorError> {
        let catalogue = self.snapshot.catalogue();
        let meaning: String = asked.queries.iter().map(|query| catalogue.meaning(query)).collect();
        let question = self.question(&format!("search of several kinds {}{meaning}", asked.about));
        let (after, backward) = self.open(token, &question)?;
        let mut found = PlacesPage::default();
        for query in asked.queries {
            let request = SearchRequest { query, after: after.clone(), backward, limit };
            let page = self.snapshot.places(&self.plan, &request)?;
            found.more |= page.more;
            found.places.extend(page.places);
            found.places.sort_by(|left, right| compare(&query.sort, left, right));
            let beyond = found.places.len().saturating_sub(limit);
            found.more |= beyond > 0;
            if backward {
                found.places.drain(..beyond);
            } else {
                found.places.truncate(limit);
            }
        }
        let records = self.read_places(&mut found, backward)?;
        let total = match asked.queries.first().map(|query| query.total) {
            Some(Total::None) => None,
            _ => Some(self.count_several(asked.queries)?),
        };
        let (snapshot, asked_for) = (&*self.snapshot, includes(asked.queries));
        let included = include::included(snapshot, &self.plan, &asked_for, &records, self.page_bytes)?;
        let (more_before, more_after) =
            if backward { (found.more, true) } else { (token.is_some(), found.more) };
        let position = |place: &Place, back| self.seal(&place.position, back, &question);
        Ok(Page {
            records,
            included,
            total,
            previous: found.places.first().filter(|_| more_before).map(|place| position(place, true)),
            next: found.places.last().filter(|_| more_after).map(|place| position(place, false)),
            parts: found.places.into_iter().map(|place| place.part).collect(),
        })
    }

    /// How many records match, of all kinds.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    pub fn count_several(&self, queries: &[Query]) -> Result<u64, StoreError> {
        queries.iter().map(|query| self.count(query)).sum()
    }

    /// The records at these places, as many as have room; the places of the others are taken away.
    fn read_places(&self, found: &mut PlacesPage, backward: bool) -> Result<Vec<Record>, StoreError> {
        // From where the walk came: what has no room comes with the next page.
        if backward {
            found.places.reverse();
        }
        let mut records: Vec<Record> = Vec::with_capacity(found.places.len());
        let mut room = self.page_bytes;
        for place in &found.places {
            let record = self.snapshot.read(&self.plan, &place.kind, &place.id)?;
            let record = record.ok_or_else(|| StoreError::Damaged("a place without record".into()))?;
            if record.body.len() > room && !records.is_empty() {
                break;
            }
            room = room.saturating_sub(record.body.len());
            records.push(record);
        }
        found.more |= records.len() < found.places.len();
        found.places.truncate(records.len());
        if backward {
            found.places.reverse();
            records.reverse();
        }
        Ok(records)
    }
}

/// What is to be included, each once.
fn includes(queries: &[Query]) -> Vec<Include> {
    let mut includes: Vec<Include> = Vec::new();
    for include in queries.iter().flat_map(|query| &query.includes) {
        if !includes.contains(include) {
            includes.push(include.clone());
        }
    }
    includes
}

/// The order that engines give to matches of one kind. Records without a value come last, whatever the direction.
fn compare(sort: &[SortKeyOf], left: &Place, right: &Place) -> Ordering {
    let (left, right) = (&left.position, &right.position);
    for ((key, left), right) in sort.iter().zip(&left.keys).zip(&right.keys) {
        let order = match (left, right) {
            (Some(left), Some(right)) if key.descending => right.cmp(left),
            (Some(left), Some(right)) => left.cmp(right),
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.last.cmp(&right.last)
}
