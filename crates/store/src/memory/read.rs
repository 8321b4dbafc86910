//! Reading the oracle.

use std::cmp::Reverse;

use ieum_fhir::search::Query;

use super::{Version, View};
use crate::access::{AccessPlan, Proof, Relation};
use crate::catalogue::Catalogue;
use crate::commit::StoreError;
use crate::engine::{
    AsOfPage, AsOfRequest, AsOfWhich, CompartmentPage, CompartmentRequest, FeedEntry, HistoryPage,
    HistoryRequest, HistoryScope, Key, KeysPage, KeysRequest, PlacesPage, Position, SearchPage,
    SearchRequest, Snapshot, StoredAuditEntry, Stretch,
};
use crate::record::Record;

impl Snapshot for View {
    fn t(&self) -> u64 {
        self.state.t
    }

    fn catalogue(&self) -> &Catalogue {
        &self.state.catalogue
    }

    fn instant(&self) -> Result<i64, StoreError> {
        Ok(self.state.instant)
    }

    fn read(&self, access: &AccessPlan, kind: &str, id: &str) -> Result<Option<Record>, StoreError> {
        let newest = self.state.newest(kind, id).filter(|version| self.visible(access, version));
        Ok(newest.map(|version| version.record.clone()))
    }

    fn read_version(
        &self,
        access: &AccessPlan,
        kind: &str,
        id: &str,
        version: u64,
    ) -> Result<Option<Record>, StoreError> {
        let versions = self.state.records.get(&(kind.to_owned(), id.to_owned()));
        let found = versions.into_iter().flatten().find(|candidate| candidate.record.version == version);
        Ok(found.filter(|version| self.shows(access, version)).map(|version| version.record.clone()))
    }

    fn history(&self, access: &AccessPlan, request: &HistoryRequest<'_>) -> Result<HistoryPage, StoreError> {
        let in_scope = |record: &Record| match request.scope {
            HistoryScope::System => true,
            HistoryScope::Kind(kind) => record.kind == kind,
            HistoryScope::Record(kind, id) => record.kind == kind && record.id == id,
        };
        let as_of = request.after.as_ref().map_or(self.state.t, |position| position.as_of);
        let mut records: Vec<(usize, &Record)> = Vec::new();
        for (place, entry) in self.state.feed.iter().enumerate() {
            let version = self.version(entry);
            let wanted = in_scope(&version.record)
                && self.shows(access, version)
                && entry.t <= as_of
                && request.since.is_none_or(|since| entry.instant >= since)
                && request.at.is_none_or(|at| self.was_newest(&version.record, at));
            if wanted {
                records.push((place, &version.record));
            }
        }
        let total = Some(records.len() as u64);
        records.reverse();
        let after = request.after.as_ref().map(|after| after.last);
        let is_before = |place: usize| {
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            after.is_some_and(|after| if request.backward { place > after } else { place >= after })
        };
        let (mut before, mut rest): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|(place, _)| is_before(*place));
        let more = if request.backward {
            let start = before.len().saturating_sub(request.limit);
            let behind = std::mem::replace(&mut rest, before.split_off(start));
            !behind.is_empty()
        } else {
            rest.len() > request.limit
        };
        rest.truncate(request.limit);
        let position = |(place, _): &(usize, &Record)| Position {
            as_of,
            keys: Vec::new(),
            last: i64::try_from(*place).unwrap_or(i64::MAX),
        };
        Ok(HistoryPage {
            previous: rest.first().filter(|_| !before.is_empty()).map(position),
            next: rest.last().filter(|_| more).map(position),
            records: rest.into_iter().map(|(_, record)| record.clone()).collect(),
            total,
        })
    }

    fn search(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<SearchPage, StoreError> {
        self.state.catalogue.check(request.query)?;
        Ok(self.search_page(access, request))
    }

    fn places(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<PlacesPage, StoreError> {
        self.state.catalogue.check(request.query)?;
        Ok(self.places_page(access, request))
    }

    fn count(&self, access: &AccessPlan, query: &Query) -> Result<u64, StoreError> {
        self.state.catalogue.check(query)?;
        Ok(self.matching(access, query).len() as u64)
    }

    fn compartment(
        &self,
        access: &AccessPlan,
        request: &CompartmentRequest<'_>,
    ) -> Result<CompartmentPage, StoreError> {
        let as_of = request.after.as_ref().map_or(self.state.t, |position| position.as_of);
        let mut found: Vec<(i64, &Version)> = Vec::new();
        for (place, (kind, id)) in (0..).zip(&self.state.born) {
            let Some(version) = self.state.newest(kind, id) else { continue };
            let wanted = version.indexed.patients.iter().any(|patient| request.patients.contains(patient))
                && !version.record.is_deleted()
                && self.visible(access, version)
                && (request.kinds.is_empty() || request.kinds.contains(kind))
                && request.since.is_none_or(|since| version.record.instant >= since)
                && request.after.as_ref().is_none_or(|after| place > after.last)
                && self.born_at(kind, id) <= as_of;
            if wanted {
                found.push((place, version));
            }
        }
        let more = found.len() > request.limit;
        found.truncate(request.limit);
        let next = found.last().filter(|_| more).map(|(place, _)| Position {
            as_of,
            keys: Vec::new(),
            last: *place,
        });
        let records = found.into_iter().map(|(_, version)| version.record.clone()).collect();
        Ok(CompartmentPage { records, next })
    }

    fn as_of(&self, access: &AccessPlan, request: &AsOfRequest<'_>) -> Result<AsOfPage, StoreError> {
        let of_kind = (0..).zip(&self.state.born).filter(|(place, (kind, _))| {
            kind == request.kind && request.after.is_none_or(|after| *place > after)
        });
        let looked_at: Vec<(i64, &(String, String))> = of_kind.take(request.limit).collect();
        let mut page = AsOfPage::default();
        for (_, key) in &looked_at {
            let then = self.state.records[*key].iter().rev().find(|version| version.record.t <= request.t);
            let Some(version) = then.filter(|version| self.shows(access, version)) else { continue };
            let wanted = version.record.is_deleted() == (request.which == AsOfWhich::Deleted)
                && request.since.is_none_or(|since| version.record.instant > since)
                && (!request.of_patients || !version.indexed.patients.is_empty());
            if wanted {
                page.records.push(version.record.clone());
            }
        }
        page.next = looked_at.last().map(|(place, _)| *place).filter(|_| looked_at.len() == request.limit);
        Ok(page)
    }

    fn keys(&self, access: &AccessPlan, request: &KeysRequest<'_>) -> Result<KeysPage, StoreError> {
        self.state.catalogue.check(request.query)?;
        let mut page = KeysPage::default();
        for found in self.matching(access, request.query) {
            let version = found.version;
            let record = &version.record;
            let key = (record.kind.clone(), record.id.clone());
            let born = self.state.born.iter().position(|other| *other == key);
            let place = born.and_then(|place| i64::try_from(place).ok()).unwrap_or(i64::MAX);
            let wanted = request.after.is_none_or(|after| place > after)
                && (!request.of_patients || !version.indexed.patients.is_empty());
            if wanted {
                page.keys.push(Key { place, id: record.id.clone(), version: record.version });
                page.next = Some(place);
            }
            if page.keys.len() == request.limit {
                return Ok(page);
            }
        }
        page.next = None;
        Ok(page)
    }

    fn feed(&self, access: &AccessPlan, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        let mut entries: Vec<FeedEntry> = Vec::new();
        for entry in self.state.feed.iter().filter(|entry| entry.t > after) {
            if entries.len() >= limit && entries.last().is_some_and(|last| last.t != entry.t) {
                break;
            }
            if self.shows(access, self.version(entry)) {
                entries.push(entry.clone());
            }
        }
        Ok(entries)
    }

    fn follower(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.state.followers.get(name).copied().unwrap_or(0))
    }

    fn audit_entries(&self, before: Option<u64>, limit: usize) -> Result<Vec<StoredAuditEntry>, StoreError> {
        let entries =
            self.state.audit.iter().filter(|entry| before.is_none_or(|before| entry.number < before));
        let mut entries: Vec<StoredAuditEntry> = entries.cloned().collect();
        entries.sort_by_key(|entry| Reverse(entry.number));
        entries.truncate(limit);
        Ok(entries)
    }

    fn relations(&self, access: &AccessPlan, patient: &str) -> Result<Vec<Proof>, StoreError> {
        let own = self.state.newest("Patient", patient);
        if !own.is_some_and(|own| self.visible(access, own)) {
            return Ok(Vec::new());
        }
        let born = self.state.born.iter().filter_map(|(kind, id)| self.state.newest(kind, id));
        let mut proofs = Vec::new();
        for version in born.filter(|version| !version.record.is_deleted()) {
            for relation in version.indexed.facts.relations.iter().filter(|one| one.patient == patient) {
                let institution = relation.institution.clone().or_else(|| version.institution.clone());
                let (kind, id) = (version.record.kind.clone(), version.record.id.clone());
                proofs.push(Proof { relation: Relation { institution, ..relation.clone() }, kind, id });
            }
        }
        proofs.sort_by_key(|proof| Reverse((proof.relation.until, proof.relation.from)));
        Ok(proofs)
    }

    fn census(&self, access: &AccessPlan) -> Result<Vec<(String, u64)>, StoreError> {
        let mut counts = std::collections::BTreeMap::new();
        for version in self.state.records.values().filter_map(|versions| versions.last()) {
            if !version.record.is_deleted() && (access.system || self.visible(access, version)) {
                *counts.entry(version.record.kind.clone()).or_insert(0) += 1;
            }
        }
        Ok(counts.into_iter().collect())
    }
}

impl View {
    fn version(&self, entry: &FeedEntry) -> &Version {
        let versions = &self.state.records[&(entry.kind.clone(), entry.id.clone())];
        let index = usize::try_from(entry.version - 1).expect("version numbers are small");
        &versions[index]
    }

    /// Whether a version was the newest of its record at some time in a stretch.
    fn was_newest(&self, record: &Record, at: Stretch) -> bool {
        let versions = &self.state.records[&(record.kind.clone(), record.id.clone())];
        let next = versions.iter().find(|other| other.record.version == record.version + 1);
        record.instant < at.until && next.is_none_or(|next| next.record.instant > at.from)
    }

    /// The commit that first created the record.
    pub(super) fn born_at(&self, kind: &str, id: &str) -> u64 {
        self.state.records[&(kind.to_owned(), id.to_owned())][0].record.t
    }
}
