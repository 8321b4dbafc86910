//! Whether a change concerns a subscription: its topic and its filters, asked of the version as its maker may see it.

use std::cell::OnceCell;

use ieum_fhir::definitions::r4;
use ieum_fhir::search::parameters::{Parameter, Parameters};
use ieum_fhir::search::parse::{Limits, ParseContext, SearchError, SearchProblem};
use ieum_fhir::search::{self, Filter, Query};
use ieum_store::alone::{Alone, can_be_judged};
use ieum_store::catalogue::{Catalogue, Resources};
use ieum_store::commit::StoreError;
use ieum_store::engine::FeedEntry;
use ieum_store::prepare::Indexed;
use ieum_store::record::{Op, Record};
use ieum_trust::access::Access;
use ieum_trust::door::View;

use super::topics::{Filters, Topic};
use crate::fhir::value_sets;
use crate::hub::Hub;
use crate::percent;

/// Filters of one subscription, at most.
pub const FILTERS: usize = 20;

/// A topic with filters, ready to be asked.
#[derive(Debug)]
pub struct Wanted {
    topic: &'static Topic,
    before: Vec<Filter>,
    now: Vec<Filter>,
    filters: Vec<Query>,
}

/// Why filters cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// Not written as `Type?criteria`.
    Form,
    /// Of a type that the topic is not about.
    Kind,
    /// It looks at more than the record, or shapes an answer.
    Alone,
    /// Not criteria of a search.
    Search(Vec<SearchError>),
}

impl Unusable {
    /// Whether it may be usable in a while: what it refers to cannot be read at this moment.
    #[must_use]
    pub fn is_for_now(&self) -> bool {
        let is_for_now = |error: &SearchError| error.problem == SearchProblem::Unavailable;
        matches!(self, Self::Search(errors) if errors.iter().any(is_for_now))
    }
}

impl Wanted {
    /// Reads filters.
    ///
    /// # Errors
    /// The number of the first that cannot be used, and why.
    pub fn new(
        hub: &Hub,
        access: &Access,
        topic: &'static Topic,
        filters: &[String],
    ) -> Result<Self, (usize, Unusable)> {
        let kind = topic.kind.unwrap_or_default();
        let own = |criteria: Option<&str>| {
            let query = criteria.map(|criteria| read(hub, access, &format!("{kind}?{criteria}")));
            query.map_or(Ok(Vec::new()), |query| query.map(|query| query.filters)).map_err(|error| (0, error))
        };
        let (before, now) = (own(topic.before)?, own(topic.now)?);
        let mut queries = Vec::new();
        for (index, text) in filters.iter().enumerate() {
            let query = read(hub, access, text).map_err(|error| (index, error))?;
            let fits = match topic.filters {
                Filters::Patients => query.kind == "Patient",
                Filters::Record => {
                    topic.kind.is_none_or(|kind| query.kind == kind) && query.kind != "Subscription"
                }
            };
            if !fits {
                return Err((index, Unusable::Kind));
            }
            queries.push(query);
        }
        Ok(Self { topic, before, now, filters: queries })
    }

    /// Whether a change may concern it, by what the feed says of it.
    #[must_use]
    pub fn may_concern(&self, entry: &FeedEntry) -> bool {
        let is_of_kind = match self.topic.kind {
            Some(kind) => kind == entry.kind,
            // The hub writes into Subscriptions itself: to tell of that would never end.
            None => entry.kind != "Subscription" && r4().is_resource(&entry.kind),
        };
        let is_filtered = self.topic.filters == Filters::Record && !self.filters.is_empty();
        is_of_kind
            && self.topic.on.contains(&entry.op)
            && (!is_filtered || self.filters.iter().any(|query| query.kind == entry.kind))
    }

    /// Whether a change that may concern it does.
    ///
    /// # Errors
    /// [`StoreError`] when a version cannot be read.
    pub fn concerns(&self, change: &Seen<'_>) -> Result<bool, StoreError> {
        let Some(subject) = change.subject()? else { return Ok(false) };
        if !self.now.iter().all(|filter| subject.holds(filter)) {
            return Ok(false);
        }
        if let (false, Some(before)) = (self.before.is_empty(), change.before()?)
            && !self.before.iter().all(|filter| before.holds(filter))
        {
            return Ok(false);
        }
        match self.topic.filters {
            Filters::Record => {
                let of_kind = self.filters.iter().filter(|query| query.kind == subject.record.kind);
                Ok(of_kind.flat_map(|query| &query.filters).all(|filter| subject.holds(filter)))
            }
            Filters::Patients => self.is_of_wanted_patient(change, subject),
        }
    }

    fn is_of_wanted_patient(&self, change: &Seen<'_>, subject: &Subject<'_>) -> Result<bool, StoreError> {
        for id in &subject.indexed.patients {
            if self.filters.is_empty() {
                return Ok(true);
            }
            let patient = change.patient(id)?;
            let filters = self.filters.iter().flat_map(|query| &query.filters);
            if patient.is_some_and(|patient| filters.clone().all(|filter| patient.holds(filter))) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn read(hub: &Hub, access: &Access, text: &str) -> Result<Query, Unusable> {
    let (kind, criteria) = text.split_once('?').ok_or(Unusable::Form)?;
    if !r4().is_resource(kind) {
        return Err(Unusable::Form);
    }
    let pairs = percent::pairs(criteria).map_err(|_| Unusable::Form)?;
    let door = hub.door();
    let value_sets = value_sets::of_access(door, access);
    let resources = door.catalogue().resources();
    let context = ParseContext {
        parameters: &Judged(&resources),
        value_sets: &value_sets,
        bases: resources.catalogue().bases(),
        now_micros: hub.now(),
        strict: true,
        limits: Limits::default(),
    };
    let query = search::parse(kind, &pairs, &context).map_err(Unusable::Search)?;
    let is_plain = query.filters.len() == query.applied.len() && !query.filters.is_empty();
    if !is_plain || !query.filters.iter().all(can_be_judged) {
        return Err(Unusable::Alone);
    }
    Ok(query)
}

/// Parameters for conditions that are judged of a record by itself, whose values are read from it: it does not matter
/// whether other records are indexed by them yet.
#[derive(Debug)]
struct Judged<'r>(&'r Resources);

impl Parameters for Judged<'_> {
    fn kinds(&self) -> Vec<&str> {
        self.0.kinds()
    }

    fn has_kind(&self, kind: &str) -> bool {
        self.0.has_kind(kind)
    }

    fn find(&self, kind: &str, code: &str) -> Option<Parameter<'_>> {
        Some(Parameter { indexing: None, ..self.0.find(kind, code)? })
    }

    fn list(&self, kind: &str) -> Vec<Parameter<'_>> {
        self.0.list(kind)
    }
}

/// A version of a record and what it is found by.
pub struct Subject<'c> {
    catalogue: &'c Catalogue,
    record: Record,
    indexed: Indexed,
}

impl<'c> Subject<'c> {
    fn new(catalogue: &'c Catalogue, record: Record) -> Result<Self, StoreError> {
        let kind = catalogue.kind(&record.kind).ok_or_else(|| damaged("kind"))?;
        let indexed = catalogue.index_body(kind, &record.id, &record.body).map_err(|_| damaged("body"))?;
        Ok(Self { catalogue, record, indexed })
    }

    fn holds(&self, filter: &Filter) -> bool {
        self.catalogue.kind(&self.record.kind).is_some_and(|kind| {
            let Self { record: Record { id, instant, .. }, indexed, .. } = self;
            Alone { kind, id, instant: *instant, indexed }.holds(filter)
        })
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("a {what} in the feed"))
}

/// A change, seen by one access. Versions are read when they are asked for, once.
pub struct Seen<'v> {
    view: &'v View<'v>,
    catalogue: &'v Catalogue,
    entry: &'v FeedEntry,
    subject: OnceCell<Option<Subject<'v>>>,
    before: OnceCell<Option<Subject<'v>>>,
}

impl<'v> Seen<'v> {
    /// A change in a view.
    #[must_use]
    pub fn new(view: &'v View<'v>, catalogue: &'v Catalogue, entry: &'v FeedEntry) -> Self {
        Self { view, catalogue, entry, subject: OnceCell::new(), before: OnceCell::new() }
    }

    /// What the change is about: the version made, or the one that was deleted. Nothing when it may not be seen.
    fn subject(&self) -> Result<Option<&Subject<'v>>, StoreError> {
        if self.entry.op == Op::Delete {
            return match self.version(self.entry.version)? {
                // The marker has the access of what it deleted.
                Some(_) => self.before(),
                None => Ok(None),
            };
        }
        once(&self.subject, || self.subject_of(self.entry.version))
    }

    /// The version before, if there was one and it may be seen.
    fn before(&self) -> Result<Option<&Subject<'v>>, StoreError> {
        once(&self.before, || match self.entry.version {
            0 | 1 => Ok(None),
            version => self.subject_of(version - 1),
        })
    }

    /// A patient as they are now, or were last.
    fn patient(&self, id: &str) -> Result<Option<Subject<'v>>, StoreError> {
        let Some(mut record) = self.view.read("Patient", id)? else { return Ok(None) };
        if record.is_deleted() {
            let before = self.view.read_version("Patient", id, record.version.saturating_sub(1))?;
            let Some(before) = before.filter(|record| !record.is_deleted()) else { return Ok(None) };
            record = before;
        }
        Subject::new(self.catalogue, record).map(Some)
    }

    fn subject_of(&self, version: u64) -> Result<Option<Subject<'v>>, StoreError> {
        let record = self.version(version)?.filter(|record| !record.is_deleted());
        record.map(|record| Subject::new(self.catalogue, record)).transpose()
    }

    fn version(&self, version: u64) -> Result<Option<Record>, StoreError> {
        self.view.read_version(&self.entry.kind, &self.entry.id, version)
    }
}

fn once<T>(
    cell: &OnceCell<Option<T>>,
    make: impl FnOnce() -> Result<Option<T>, StoreError>,
) -> Result<Option<&T>, StoreError> {
    if cell.get().is_none() {
        // Nobody else sets it: it belongs to one thread.
        let _ = cell.set(make()?);
    }
    Ok(cell.get().and_then(Option::as_ref))
}
