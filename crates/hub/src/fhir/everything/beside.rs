//! What goes beside the records of a page: institutions, practitioners, medicines and other records they refer to.

use std::collections::HashSet;

use ieum_fhir::definitions::r4;
use ieum_fhir::index::Target;
use ieum_fhir::json::{Document, Limits, Value};
use ieum_fhir::reference;
use ieum_store::record::Record;
use ieum_trust::door::View;

use crate::call::{Call, Failure};
use crate::fhir::error;

/// Records that go with one page, at most.
pub(super) const MOST: usize = 1_000;

/// Records that the records of a page refer to.
pub(super) struct Beside<'s> {
    call: &'s Call<'s>,
    view: &'s View<'s>,
    since: Option<i64>,
    seen: HashSet<(String, String)>,
    /// The records.
    pub(super) records: Vec<Record>,
    /// Bytes that may still be added.
    room: usize,
    /// True when there were more than [`MOST`], or more than there is room for.
    pub(super) cut: bool,
}

impl<'s> Beside<'s> {
    /// Nothing so far.
    pub(super) fn new(call: &'s Call<'s>, view: &'s View<'s>, since: Option<i64>) -> Self {
        let room = call.hub.limits().page_bytes;
        Self { call, view, since, seen: HashSet::new(), records: Vec::new(), room, cut: false }
    }

    /// Adds what a record refers to, as far as it is of a kind that goes beside.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn add_of(
        &mut self,
        record: &Record,
        goes_beside: &dyn Fn(&str) -> bool,
    ) -> Result<(), Failure> {
        let json = record.plain_json();
        let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
        let document = Document::parse(&json, &limits).map_err(|_| error::internal())?;
        let mut references = Vec::new();
        collect(document.root(), &mut references);
        for text in references {
            let bases = self.call.kinds.catalogue().bases();
            let target = reference::target(text, bases, &|kind| r4().is_resource(kind));
            let Some(Target::Local { kind, id }) = target else { continue };
            if !goes_beside(&kind) || !self.seen.insert((kind.to_string(), id.to_string())) {
                continue;
            }
            let Some(found) = self.view.read(&kind, &id)?.filter(|found| !found.is_deleted()) else {
                continue;
            };
            if self.since.is_some_and(|since| found.instant < since) {
                continue;
            }
            if self.records.len() >= MOST || found.body.len() > self.room {
                self.cut = true;
                return Ok(());
            }
            self.room -= found.body.len();
            self.records.push(found);
        }
        Ok(())
    }
}

/// All `reference` members under a value. As deep as stored documents are, which is bounded where they come in.
fn collect<'d>(value: Value<'d>, found: &mut Vec<std::borrow::Cow<'d, str>>) {
    for child in value.members().chain(value.elements()) {
        match child.text() {
            Some(text) if child.key().is_some_and(|key| key == "reference") => found.push(text),
            Some(_) => {}
            None => collect(child, found),
        }
    }
}
