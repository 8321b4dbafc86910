//! The one door: every read and every write names its [`Access`], and nothing else reaches the engines.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use ieum_fhir::search::{Query, Total};
use ieum_store::access::{AccessPlan, Institution, Proof, Reach, Selection};
use ieum_store::catalogue::Catalogue;
use ieum_store::commit::{Change, CommitError, CommitRequest, Committed, Guard, StoreError};
use ieum_store::cursor::{BadCursor, CursorKey};
use ieum_store::engine::{
    AsOfPage, AsOfRequest, AuditEntry, CompartmentRequest, Engine, FeedEntry, HistoryRequest, HistoryScope,
    KeysPage, KeysRequest, Position, SearchRequest, Snapshot, StoredAuditEntry, Stretch,
};
use ieum_store::include::{self, Included};
use ieum_store::record::Record;

use crate::access::Access;
use crate::refusals::{Refusals, entry};

mod behalf;
mod definitions;
mod news;
mod several;

pub use definitions::DEFINITION;
pub use news::News;
pub use several::Several;

/// The door to one store. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub(crate) engine: Arc<dyn Engine>,
    cursors: CursorKey,
    /// Held while definitions are read and put into force, so that the newest are.
    pub(crate) defining: Arc<Mutex<()>>,
    /// Definitions that are stored and could not be put into force yet.
    outstanding: Arc<Mutex<BTreeSet<String>>>,
    pub(crate) refusals: Arc<Refusals>,
    news: Arc<News>,
}

/// Why a read was not answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DoorError {
    /// A page token that does not belong here.
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    /// The engine failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Door {
    /// A door to an engine.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, cursor_secret: [u8; 32]) -> Self {
        Self {
            engine,
            cursors: CursorKey::new(cursor_secret),
            defining: Arc::default(),
            outstanding: Arc::default(),
            refusals: Arc::default(),
            news: Arc::default(),
        }
    }

    /// An id for a record of this program's making, which nobody else can foretell.
    pub(crate) fn own_id(&self, of: &str) -> String {
        self.cursors.name(of.as_bytes())
    }

    /// The kinds of record behind it, as they are in force at this moment.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.engine.catalogue()
    }

    /// An unchanging view of what this access reaches. Hold it briefly.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot serve.
    pub fn view(&self, access: &Access) -> Result<View<'_>, StoreError> {
        let snapshot = self.engine.snapshot()?;
        Ok(View { door: self, plan: access.plan(), snapshot, page_bytes: PAGE_BYTES })
    }

    /// The same without the system's own records, even for those who may see them: what the FHIR interface shows.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot serve.
    pub fn resource_view(&self, access: &Access) -> Result<View<'_>, StoreError> {
        let plan = AccessPlan { system: false, ..access.plan() };
        Ok(View { door: self, plan, snapshot: self.engine.snapshot()?, page_bytes: PAGE_BYTES })
    }

    /// What this access reaches of the definitions of search parameters: to be asked for these alone.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot serve.
    pub fn definition_view(&self, access: &Access) -> Result<View<'_>, StoreError> {
        let plan = AccessPlan { system: false, ..access.definition_plan() };
        Ok(View { door: self, plan, snapshot: self.engine.snapshot()?, page_bytes: PAGE_BYTES })
    }

    /// Commits changes; durable when it returns. A commit that the access does not allow leaves an audit entry; so does
    /// one that names a record hidden from the caller: what nobody may read, nobody may overwrite. Search parameters that
    /// it defines are in force when it returns, and take a role that may define them; what the engine could not put into
    /// force is outstanding ([`Door::take_outstanding`]).
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has happened.
    pub fn commit(
        &self,
        access: &Access,
        action: &'static str,
        guards: Vec<Guard>,
        changes: Vec<Change>,
    ) -> Result<Committed, CommitError> {
        let defined = definitions::named(&changes);
        let plan = if !defined.is_empty() && defined.len() == changes.len() {
            access.definition_plan()
        } else {
            access.plan()
        };
        let may_define = defined.is_empty() || access.role.defines_searches();
        let is_active = may_define && definitions::are_active(&changes);
        let result = self.commit_as(plan, may_define, action, guards, changes);
        if result.is_ok() && !defined.is_empty() {
            self.take_definitions(&defined, is_active);
        }
        result
    }

    /// The same for changes that bring records of our own kinds with them, which the program made and the caller cannot
    /// name: the caller need not see these. What is allowed of all others stays as it is. Definitions of search parameters
    /// are not among them.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has happened.
    pub fn commit_with_own(
        &self,
        access: &Access,
        action: &'static str,
        guards: Vec<Guard>,
        changes: Vec<Change>,
    ) -> Result<Committed, CommitError> {
        let is_allowed = definitions::named(&changes).is_empty();
        let plan = AccessPlan { system: true, ..access.plan() };
        self.commit_as(plan, is_allowed, action, guards, changes)
    }

    fn commit_as(
        &self,
        plan: AccessPlan,
        is_allowed: bool,
        action: &'static str,
        guards: Vec<Guard>,
        changes: Vec<Change>,
    ) -> Result<Committed, CommitError> {
        let request = CommitRequest { access: Arc::new(plan), action, guards, changes };
        let mut entry = AuditEntry::of_commit(&request);
        let result = if is_allowed { self.engine.commit(request) } else { Err(CommitError::Denied) };
        match result {
            Ok(committed) => {
                self.news.tell(committed.t);
                Ok(committed)
            }
            Err(CommitError::Denied) => {
                entry.allowed = false;
                self.write_refusal(&entry)?;
                Err(CommitError::Denied)
            }
            Err(error) => Err(error),
        }
    }

    /// What this process commits, for those who wait for it.
    #[must_use]
    pub fn news(&self) -> &News {
        &self.news
    }

    /// Records that something was released. Called before the answer leaves: what could not be written down is not shown.
    ///
    /// # Errors
    /// [`StoreError`] when the entry could not be made durable.
    pub fn released(&self, access: &Access, action: &str, target: &str) -> Result<(), StoreError> {
        self.engine.audit(&entry(access, action, target, true))
    }

    /// Remembers how far a follower of the feed has come; at 0 it is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be made durable.
    pub fn set_follower(&self, name: &str, t: u64) -> Result<(), StoreError> {
        self.engine.set_follower(name, t)
    }
}

/// What one access reaches, at one moment.
pub struct View<'d> {
    door: &'d Door,
    plan: AccessPlan,
    snapshot: Box<dyn Snapshot + 'd>,
    page_bytes: usize,
}

/// Bytes of records on a page, if nothing else is said.
const PAGE_BYTES: usize = 16 << 20;

/// One page of an answer.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The records, in order.
    pub records: Vec<Record>,
    /// With `_containedType=contained`: for each of the records the id of the resource inside it that is meant, `None`
    /// for the record itself. Empty in all other searches.
    pub parts: Vec<Option<String>>,
    /// What goes with them.
    pub included: Included,
    /// How many there are in all, if that was asked and is known.
    pub total: Option<u64>,
    /// Token of the page before.
    pub previous: Option<String>,
    /// Token of the page after.
    pub next: Option<String>,
}

impl View<'_> {
    /// The same with pages that end after about so many bytes of records; what goes with a page may have as many again.
    #[must_use]
    pub fn with_pages_of(mut self, bytes: usize) -> Self {
        self.page_bytes = bytes;
        self
    }

    /// The same view of the records in the compartments of these patients alone, as far as it reached them before:
    /// it is narrowed, never widened.
    #[must_use]
    pub fn of_patients(mut self, patients: &[String]) -> Self {
        self.plan.clinical = match self.plan.clinical {
            Reach::All => Reach::Patients(patients.to_vec()),
            Reach::Patients(own) => {
                Reach::Patients(own.into_iter().filter(|patient| patients.contains(patient)).collect())
            }
            Reach::Institution(institution) => {
                let about = match institution.about {
                    Some(about) => about.into_iter().filter(|patient| patients.contains(patient)).collect(),
                    None => patients.to_vec(),
                };
                Reach::Institution(Institution { about: Some(about), ..institution })
            }
            Reach::Nothing => Reach::Nothing,
        };
        self
    }

    /// The same view of records in one of these selections alone, as far as it reached them before: it is narrowed, never
    /// widened.
    #[must_use]
    pub fn of_selections(mut self, mut selections: Vec<Selection>) -> Self {
        if let Some(own) = &self.plan.only {
            let has_whole = |kind: &str| own.iter().any(|own| own.kind == kind && own.filters.is_empty());
            selections.retain(|selection| has_whole(&selection.kind));
        }
        self.plan.only = Some(selections);
        self
    }

    /// See [`Door::own_id`].
    pub(crate) fn own_id(&self, of: &str) -> String {
        self.door.own_id(of)
    }

    /// The newest commit in this view.
    #[must_use]
    pub fn t(&self) -> u64 {
        self.snapshot.t()
    }

    /// When the newest commit was made, in microseconds since 1970.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn instant(&self) -> Result<i64, StoreError> {
        self.snapshot.instant()
    }

    /// Records of one kind exactly as they were at a commit; see [`Snapshot::as_of`].
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn as_of(&self, request: &AsOfRequest<'_>) -> Result<AsOfPage, StoreError> {
        self.snapshot.as_of(&self.plan, request)
    }

    /// Which records match, and in which version; see [`Snapshot::keys`].
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    pub fn keys(&self, request: &KeysRequest<'_>) -> Result<KeysPage, StoreError> {
        self.snapshot.keys(&self.plan, request)
    }

    /// The newest version of a record; a deletion is a version without body.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn read(&self, kind: &str, id: &str) -> Result<Option<Record>, StoreError> {
        self.snapshot.read(&self.plan, kind, id)
    }

    /// One version of a record.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn read_version(&self, kind: &str, id: &str, version: u64) -> Result<Option<Record>, StoreError> {
        self.snapshot.read_version(&self.plan, kind, id, version)
    }

    /// Versions, newest first: those made from `since` on, and those that were the newest at some time in `at`.
    ///
    /// # Errors
    /// [`DoorError`] for a foreign token, or when the engine fails.
    pub fn history(
        &self,
        scope: HistoryScope<'_>,
        (since, at): (Option<i64>, Option<Stretch>),
        token: Option<&str>,
        limit: usize,
    ) -> Result<Page, DoorError> {
        let question = self.question(&format!("history {scope:?} {since:?} {at:?}"));
        let (after, backward) = self.open(token, &question)?;
        let request = HistoryRequest { scope, since, at, after, backward, limit };
        let page = self.snapshot.history_within(&self.plan, &request, self.page_bytes)?;
        Ok(Page {
            records: page.records,
            total: page.total,
            previous: page.previous.map(|position| self.seal(&position, true, &question)),
            next: page.next.map(|position| self.seal(&position, false, &question)),
            ..Page::default()
        })
    }

    /// Records that match, with what goes with them.
    ///
    /// # Errors
    /// [`DoorError`] for a foreign token, or when the engine fails or the question takes too long.
    pub fn search(&self, query: &Query, token: Option<&str>, limit: usize) -> Result<Page, DoorError> {
        let meaning = self.snapshot.catalogue().meaning(query);
        let asked = format!("search {} {:?} {:?}{meaning}", query.kind, query.filters, query.sort);
        let question = self.question(&asked);
        let (after, backward) = self.open(token, &question)?;
        let request = SearchRequest { query, after, backward, limit };
        let page = self.snapshot.search_within(&self.plan, &request, self.page_bytes)?;
        let total = match query.total {
            Total::None => None,
            Total::Accurate => Some(self.snapshot.count(&self.plan, query)?),
        };
        let (snapshot, includes) = (&*self.snapshot, &query.includes);
        let included = include::included(snapshot, &self.plan, includes, &page.records, self.page_bytes)?;
        Ok(Page {
            records: page.records,
            parts: page.parts,
            included,
            total,
            previous: page.previous.map(|position| self.seal(&position, true, &question)),
            next: page.next.map(|position| self.seal(&position, false, &question)),
        })
    }

    /// How many records match.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    pub fn count(&self, query: &Query) -> Result<u64, StoreError> {
        self.snapshot.count(&self.plan, query)
    }

    /// The ids of at most `most` records that match: for conditions, where more than one is already too many.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    pub fn matching_ids(&self, query: &Query, most: usize) -> Result<Vec<String>, StoreError> {
        let request = SearchRequest { query, after: None, backward: false, limit: most };
        let page = self.snapshot.search(&self.plan, &request)?;
        Ok(page.records.into_iter().map(|record| record.id).collect())
    }

    /// Records in the compartments of some patients, each once. Page tokens are bound to `about`, which names these: they
    /// stay good when a group gets another member.
    ///
    /// # Errors
    /// [`DoorError`] for a foreign token, or when the engine fails.
    pub fn compartment(
        &self,
        about: &str,
        patients: &[String],
        (kinds, since): (&[String], Option<i64>),
        token: Option<&str>,
        limit: usize,
    ) -> Result<Page, DoorError> {
        let question = self.question(&format!("compartment {about:?} {kinds:?} {since:?}"));
        let (after, _) = self.open(token, &question)?;
        let request = CompartmentRequest { patients, kinds, since, after, limit };
        let page = self.snapshot.compartment_within(&self.plan, &request, self.page_bytes)?;
        let next = page.next.map(|position| self.seal(&position, false, &question));
        Ok(Page { records: page.records, next, ..Page::default() })
    }

    /// Changes after a commit, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        self.snapshot.feed(&self.plan, after, limit)
    }

    /// How far a follower of the feed has come.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn follower(&self, name: &str) -> Result<u64, StoreError> {
        self.snapshot.follower(name)
    }

    /// Audit entries, newest first; none for those who may not see the system's own records.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<StoredAuditEntry>, StoreError> {
        if self.plan.system { self.snapshot.audit_entries(before, limit) } else { Ok(Vec::new()) }
    }

    /// Treatment relations to a patient; see [`Snapshot::relations`].
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn relations(&self, patient: &str) -> Result<Vec<Proof>, StoreError> {
        self.snapshot.relations(&self.plan, patient)
    }

    /// Current records by kind.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn census(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.snapshot.census(&self.plan)
    }

    /// What a token is bound to: the question, and what the caller reaches.
    fn question(&self, asked: &str) -> Vec<u8> {
        format!("{asked}\n{:?}", self.plan).into_bytes()
    }

    fn seal(&self, position: &Position, backward: bool, question: &[u8]) -> String {
        let direction = if backward { 'b' } else { 'f' };
        format!("{direction}{}", self.door.cursors.seal(position, &directed(question, backward)))
    }

    fn open(&self, token: Option<&str>, question: &[u8]) -> Result<(Option<Position>, bool), BadCursor> {
        let Some(token) = token else { return Ok((None, false)) };
        let backward = match token.as_bytes().first() {
            Some(b'f') => false,
            Some(b'b') => true,
            _ => return Err(BadCursor),
        };
        let position = self.door.cursors.open(&token[1..], &directed(question, backward))?;
        Ok((Some(position), backward))
    }
}

fn directed(question: &[u8], backward: bool) -> Vec<u8> {
    [question, if backward { b"\nback" } else { b"\nforth" }].concat()
}
