//! Searching the oracle: every record is looked at, matches are put in order, and a page is cut out.

use std::cmp::Ordering;

use ieum_fhir::search::{ContainedGive, ContainedSearch, Query, SortKeyOf};

use super::judge::Subject;
use super::{Version, View};
use crate::access::AccessPlan;
use crate::engine::{self, PlacesPage, Position, SearchPage, SearchRequest, SortValue};

/// A match's place in the order: its sort values, then the order of creation.
type Place = (Vec<Option<SortValue>>, i64);

/// Resources contained in one record, for the numbers of places.
const MOST_PARTS: i64 = 1 << 20;

/// Something that matches: a record, or a resource contained in one.
#[derive(Clone, Copy)]
pub(super) struct Match<'v> {
    pub(super) version: &'v Version,
    /// Which of [`crate::prepare::Indexed::contained`].
    part: Option<usize>,
}

impl<'v> Match<'v> {
    fn subject(self) -> Subject<'v> {
        match self.part {
            None => Subject::of(self.version),
            Some(part) => Subject::of_part(self.version, &self.version.indexed.contained[part]),
        }
    }
}

/// A page cut out of all matches.
struct Cut<'v> {
    as_of: u64,
    has_before: bool,
    rest: Vec<(Place, Match<'v>)>,
    more: bool,
}

impl View {
    /// Everything that matches, in order of creation.
    pub(super) fn matching(&self, access: &AccessPlan, query: &Query) -> Vec<Match<'_>> {
        let live = self.state.born.iter().filter_map(|(kind, id)| self.live(access, kind, id));
        let mut found = Vec::new();
        for version in live {
            let parts = version.indexed.contained.iter().enumerate();
            let parts = parts.filter(|(_, part)| part.kind == query.kind).map(|(place, _)| Some(place));
            let itself = (version.record.kind == query.kind).then_some(None);
            let candidates: Vec<Option<usize>> = match query.contained.search {
                ContainedSearch::No => itself.into_iter().collect(),
                ContainedSearch::Only => parts.collect(),
                ContainedSearch::Both => itself.into_iter().chain(parts).collect(),
            };
            let candidates = candidates.into_iter().map(|part| Match { version, part });
            let mut matches: Vec<Match<'_>> = candidates
                .filter(|found| {
                    query.filters.iter().all(|filter| self.holds(access, filter, found.subject()))
                })
                .collect();
            if query.contained.give == ContainedGive::Container && !matches.is_empty() {
                matches = vec![Match { version, part: None }];
            }
            found.append(&mut matches);
        }
        found
    }

    pub(super) fn search_page(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> SearchPage {
        let Cut { as_of, has_before, rest, more } = self.cut(access, request);
        let position = |(keys, last): &Place| Position { as_of, keys: keys.clone(), last: *last };
        let parts = rest.iter().map(|(_, one)| one.subject().part_id().map(ToOwned::to_owned));
        let wants_parts = request.query.contained.give == ContainedGive::Contained;
        SearchPage {
            previous: rest.first().filter(|_| has_before).map(|(place, _)| position(place)),
            next: rest.last().filter(|_| more).map(|(place, _)| position(place)),
            parts: if wants_parts { parts.collect() } else { Vec::new() },
            records: rest.iter().map(|(_, one)| one.version.record.clone()).collect(),
        }
    }

    pub(super) fn places_page(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> PlacesPage {
        let Cut { as_of, has_before, rest, more } = self.cut(access, request);
        let wants_parts = request.query.contained.give == ContainedGive::Contained;
        let place = |((keys, last), one): (Place, Match<'_>)| engine::Place {
            position: Position { as_of, keys, last },
            kind: one.version.record.kind.clone(),
            id: one.version.record.id.clone(),
            part: one.subject().part_id().filter(|_| wants_parts).map(ToOwned::to_owned),
        };
        let more = if request.backward { has_before } else { more };
        PlacesPage { places: rest.into_iter().map(place).collect(), more }
    }

    /// What stands on a page.
    fn cut(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Cut<'_> {
        let query = request.query;
        let as_of = request.after.as_ref().map_or(self.state.t, |position| position.as_of);
        let mut found: Vec<(Place, Match<'_>)> = Vec::new();
        for one in self.matching(access, query) {
            let record = &one.version.record;
            if self.born_at(&record.kind, &record.id) > as_of {
                continue;
            }
            let keys = query.sort.iter().map(|key| self.sort_key(access, key, one.subject())).collect();
            found.push(((keys, self.number(one)), one));
        }
        found.sort_by(|(left, _), (right, _)| compare(&query.sort, left, right));

        let place_of = |position: &Position| (position.keys.clone(), position.last);
        let (mut before, mut rest) = match &request.after {
            None => (Vec::new(), found),
            Some(after) => {
                let after = place_of(after);
                let split = |place: &Place| match compare(&query.sort, place, &after) {
                    Ordering::Less => true,
                    Ordering::Equal => !request.backward,
                    Ordering::Greater => false,
                };
                found.into_iter().partition(|(place, _)| split(place))
            }
        };
        let more = if request.backward {
            let start = before.len().saturating_sub(request.limit);
            let behind = std::mem::replace(&mut rest, before.split_off(start));
            !behind.is_empty()
        } else {
            rest.len() > request.limit
        };
        rest.truncate(request.limit);
        Cut { as_of, has_before: !before.is_empty(), rest, more }
    }

    /// The order of creation; resources contained in a record follow it, in their own order.
    fn number(&self, one: Match<'_>) -> i64 {
        let record = &one.version.record;
        let same = |(kind, id): &(String, String)| *kind == record.kind && *id == record.id;
        let born = self.state.born.iter().position(same).unwrap_or(usize::MAX >> 32);
        let part = one.part.map_or(0, |part| part + 1);
        i64::try_from(born).unwrap_or(i64::MAX >> 32) * MOST_PARTS + i64::try_from(part).unwrap_or(MOST_PARTS)
    }
}

/// Order of two places. Records without a value come last, whatever the direction.
fn compare(sort: &[SortKeyOf], left: &Place, right: &Place) -> Ordering {
    for ((key, left), right) in sort.iter().zip(&left.0).zip(&right.0) {
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
    left.1.cmp(&right.1)
}
