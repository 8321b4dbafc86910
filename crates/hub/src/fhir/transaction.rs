//! transaction: all entries or none, in one commit (R4, `http.html#trules`).
//!
//! 1. Everything that does not depend on the state: the bundle is valid, each entry is a request, no record is named
//!    twice. 2. What depends on it ([`attempt`]): criteria and conditional references are looked up, references to
//!    entries become references to records, and all changes go into one commit, guarded by what was found. When a
//!    guard no longer holds the second part starts again. 3. Reads, on the state after the commit.

use std::collections::{HashMap, HashSet};

use axum::http::{Method, StatusCode};
use ieum_fhir::json::{Document, Value};
use ieum_fhir::outcome::Code;
use ieum_fhir::reference::is_id;
use ieum_fhir::search::Query;
use ieum_fhir::validate::{Validation, validate};
use ieum_store::body::{Stamp, write_resource};
use ieum_store::commit::{Change, Changed, CommitError, Expect, Guard};
use ieum_store::record::Op;
use ieum_trust::door::View;

use self::references::References;
use super::bundle::{self, Entry};
use super::conditional::{self, Found, Stumble};
use super::create::new_id;
use super::page::Bundle;
use super::room::Room;
use super::update::{self, id_of};
use super::{consents, create, definitions, delete, error, patch, respond, run};
use crate::authorization::scope;
use crate::call::{Answer, Call, Content, Failure, Returns};
use crate::routes::{Takes, Who};

mod conditional_references;
mod plain;
mod references;

pub(crate) use plain::put_plain;

/// Does all of it, or nothing.
pub(super) fn transaction(call: &Call<'_>, root: Value<'_>) -> Result<Answer, Failure> {
    let validation = validate(root, Some("Bundle"));
    if !validation.is_valid() {
        return Err(error::invalid(validation));
    }
    bundle::check_full_urls(root)?;
    let entries = root.get("entry").into_iter().flat_map(Value::elements).enumerate();
    let entries: Vec<Entry<'_>> =
        entries.map(|(index, entry)| Entry::read(call, index, entry)).collect::<Result<_, _>>()?;
    let steps: Vec<Step<'_>> = entries.iter().map(|entry| Step::of(call, entry)).collect::<Result<_, _>>()?;
    check_duplicates(&steps)?;
    let done = conditional::settle(|| attempt(call, &steps, &validation))?;
    answer(call, &steps, done)
}

/// One entry, as far as it is known without looking at the state.
struct Step<'e> {
    entry: &'e Entry<'e>,
    does: Does,
}

enum Does {
    /// POST, perhaps only if nothing matches.
    Create { fresh: String, criteria: Option<Query> },
    /// PUT to an id, or to what criteria mean.
    Update { fresh: String, criteria: Option<Query> },
    /// PATCH of an id, or of what criteria mean.
    Patch { criteria: Option<Query> },
    /// DELETE of an id, or of what criteria mean.
    Delete { criteria: Option<Query> },
    /// GET and whatever else changes nothing.
    Read,
}

impl<'e> Step<'e> {
    fn of(call: &Call<'_>, entry: &'e Entry<'e>) -> Result<Self, Failure> {
        let does = Self::does(call, entry).map_err(|failure| failure.under(&entry.name()))?;
        Ok(Self { entry, does })
    }

    fn does(call: &Call<'_>, entry: &Entry<'_>) -> Result<Does, Failure> {
        let own = entry.call(call);
        if entry.route.who != Who::Writers {
            // Before anything is written, not when it is read.
            scope::check(&own)?;
            return Ok(Does::Read);
        }
        super::check_access(&own)?;
        if own.place.kind == create::SUBSCRIPTION {
            let what = "write it by itself, or in a batch: a transaction may not wait for what goes with it";
            return Err(error::failure(StatusCode::UNPROCESSABLE_ENTITY, Code::NotifyAlone, what));
        }
        let given = entry.resource.and_then(id_of);
        if let Some(resource) = entry.resource
            && entry.route.takes == Takes::Resource
            && resource.get("resourceType").and_then(Value::text).as_deref() != Some(&*entry.place.kind)
        {
            return Err(error::bad(
                Code::OtherResourceType,
                "the url names another type than the resource is of",
            ));
        }
        if let Some(resource) = entry.resource {
            create::check_whole(resource, &format!("{}.resource", entry.name()))?;
            let id = Some(entry.place.id.as_str()).filter(|id| !id.is_empty());
            definitions::check(call, id, resource)?;
        }
        let by_criteria = || conditional::criteria(&own, &entry.place.kind, &entry.pairs).map(Some);
        let is_by_id = !entry.place.id.is_empty();
        match entry.route.method {
            Method::POST => Ok(Does::Create { fresh: new_id(), criteria: create::criteria(&own)? }),
            Method::DELETE => Ok(Does::Delete { criteria: if is_by_id { None } else { by_criteria()? } }),
            Method::PATCH if is_by_id && !is_id(&entry.place.id) => Err(update::bad_id()),
            Method::PATCH => Ok(Does::Patch { criteria: if is_by_id { None } else { by_criteria()? } }),
            _ => {
                if [given.as_deref(), is_by_id.then_some(&*entry.place.id)]
                    .into_iter()
                    .flatten()
                    .any(|id| !is_id(id))
                {
                    return Err(update::bad_id());
                }
                if is_by_id && given.as_deref() != Some(&*entry.place.id) {
                    return Err(error::bad(Code::IdMismatch, "give the resource the id that is in the url"));
                }
                Ok(Does::Update { fresh: new_id(), criteria: if is_by_id { None } else { by_criteria()? } })
            }
        }
    }

    fn criteria(&self) -> Option<&Query> {
        match &self.does {
            Does::Create { criteria, .. }
            | Does::Update { criteria, .. }
            | Does::Patch { criteria }
            | Does::Delete { criteria } => criteria.as_ref(),
            Does::Read => None,
        }
    }
}

impl Entry<'_> {
    fn name(&self) -> String {
        format!("Bundle.entry[{}]", self.index)
    }
}

/// Two entries on the same criteria would both find nothing, and both make the record.
fn check_duplicates(steps: &[Step<'_>]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for step in steps {
        let Some(query) = step.criteria() else { continue };
        // All of them must hold, so their order means nothing.
        let mut filters: Vec<String> = query.filters.iter().map(|filter| format!("{filter:?}")).collect();
        filters.sort();
        if !seen.insert((&query.kind, filters)) {
            return Err(duplicate(step));
        }
    }
    Ok(())
}

/// No record is written twice; and what a conditional create finds is not changed by another entry: deletions and
/// updates come in between, and what it has found might be gone, or no longer match, when its turn comes.
fn check_records(steps: &[Step<'_>], fates: &[Fate]) -> Result<(), Failure> {
    let mut is_written = HashMap::new();
    for (step, fate) in steps.iter().zip(fates) {
        let (id, writes) = match fate {
            Fate::Put { id, .. } | Fate::Patched { id, .. } | Fate::Delete { id: Some(id), .. } => (id, true),
            Fate::Existing { id, .. } => (id, false),
            Fate::Delete { id: None, .. } | Fate::Read => continue,
        };
        let before = is_written.insert((&step.entry.place.kind, id), writes);
        if before.is_some_and(|written| written || writes) {
            return Err(duplicate(step));
        }
    }
    Ok(())
}

fn duplicate(step: &Step<'_>) -> Failure {
    let failure = error::bad(Code::DuplicateRecord, "an earlier entry names the same record; name each once");
    failure.under(&step.entry.name())
}

/// What an entry has come to, in the state that was looked at.
pub(crate) enum Fate {
    /// Writes this record.
    Put { id: String, expect: Expect },
    /// Writes what a patch has made of this record, JSON.
    Patched { id: String, expect: Expect, json: Vec<u8>, validation: Box<Validation> },
    /// A conditional create that found this record.
    Existing { answer: Answer, id: String },
    /// Deletes the record of this id, or finds nothing to delete.
    Delete { id: Option<String>, change: Option<Change> },
    /// Reads, later.
    Read,
}

/// What has been done.
struct Done {
    fates: Vec<Fate>,
    /// For each entry its change, and the body if it is to be shown.
    changed: Vec<Option<(Changed, Vec<u8>)>>,
}

fn attempt(call: &Call<'_>, steps: &[Step<'_>], validation: &Validation) -> Result<Done, Stumble> {
    // Of whoever may write nothing else, the definitions alone.
    let view = call.hub.door().definition_view(call.access)?;
    let mut guards = Vec::new();
    let mut fates = Vec::with_capacity(steps.len());
    let room = Room::new(call.hub.limits().bundle_answer_bytes);
    for step in steps {
        let fate = fate(call, step, &view, &mut guards).map_err(|stumble| stumble.under(step))?;
        fates.push(match fate {
            // What has been found is held until all is done.
            Fate::Existing { answer, id } => Fate::Existing { answer: room.fit(answer, true), id },
            other => other,
        });
    }
    check_records(steps, &fates)?;
    let entries: Vec<&Entry<'_>> = steps.iter().map(|step| step.entry).collect();
    let references = References::resolve(call, &view, &entries, &fates, validation, &mut guards)?;
    // Not while waiting for the commit: views are few.
    drop(view);

    let mut changes = Vec::new();
    let mut origins = Vec::new();
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    // DELETE, POST, PUT and PATCH: the order of R4, though no record is named twice.
    for method in [Method::DELETE, Method::POST, Method::PUT, Method::PATCH] {
        let of_method =
            steps.iter().zip(&fates).enumerate().filter(|(_, (step, _))| step.entry.route.method == method);
        for (index, (step, fate)) in of_method {
            let Some(change) = change(call, step, fate, &references)? else { continue };
            bodies.push(match &change {
                Change::Put { record, .. } if call.prefer.returns == Some(Returns::Representation) => {
                    record.body.clone()
                }
                _ => Vec::new(),
            });
            changes.push(change);
            origins.push(index);
        }
    }
    let mut changed: Vec<Option<(Changed, Vec<u8>)>> = vec![None; steps.len()];
    if changes.is_empty() {
        // What was found was found at one moment; nothing is written that would have to agree with it. A role that may
        // write some things alone is not asked for more than it uses.
        return Ok(Done { fates, changed });
    }
    let committed = match call.hub.door().commit(call.access, "transaction", guards, changes) {
        Ok(committed) => committed,
        Err(CommitError::Guard { .. } | CommitError::Version { .. }) => return Err(Stumble::Again),
        Err(CommitError::Duplicate { index }) => return Err(duplicate(&steps[origins[index]]).into()),
        Err(CommitError::Taken { index }) => {
            let failure = Failure::from(CommitError::Taken { index });
            return Err(failure.under(&steps[origins[index]].entry.name()).into());
        }
        Err(error) => return Err(error.into()),
    };
    for ((origin, change), body) in origins.into_iter().zip(committed.changes).zip(bodies) {
        changed[origin] = Some((change, body));
    }
    Ok(Done { fates, changed })
}

impl Stumble {
    fn under(self, step: &Step<'_>) -> Self {
        match self {
            Self::Again => Self::Again,
            Self::Failed(failure) => Self::Failed(failure.under(&step.entry.name())),
        }
    }
}

/// What an entry comes to on this view.
fn fate(call: &Call<'_>, step: &Step<'_>, view: &View<'_>, guards: &mut Vec<Guard>) -> Result<Fate, Stumble> {
    let own = step.entry.call(call);
    let kind = &step.entry.place.kind;
    let mut find = |query: &Query| -> Result<Found, Stumble> {
        let (found, guard) = conditional::find(view, query)?;
        guards.push(guard);
        if found == Found::Several { Err(error::multiple_matches().into()) } else { Ok(found) }
    };
    match &step.does {
        Does::Read => Ok(Fate::Read),
        Does::Create { fresh, criteria } => {
            let found = criteria.as_ref().map_or(Ok(Found::None), &mut find)?;
            let Found::One(id) = found else {
                return Ok(Fate::Put { id: fresh.clone(), expect: Expect::New });
            };
            let record = view.read(kind, &id)?.ok_or(Stumble::Again)?;
            Ok(Fate::Existing { answer: respond::existing(&minimal(own), &record), id })
        }
        Does::Update { fresh, criteria } => {
            let Some(query) = criteria else {
                let id = step.entry.place.id.clone();
                let expect = if own.conditions.are_on_version() {
                    update::expectation_of(&own, view, &id)?
                } else {
                    Expect::Anything
                };
                return Ok(Fate::Put { id, expect });
            };
            let given = step.entry.resource.and_then(id_of);
            let (id, expect) = update::target(&own, view, find(query)?, given.as_deref(), fresh)?;
            Ok(Fate::Put { id, expect })
        }
        Does::Patch { criteria } => {
            let id = match criteria {
                None => step.entry.place.id.clone(),
                Some(query) => patch::meant(find(query)?)?,
            };
            let base = patch::Base::of(&own, view, &id)?;
            let json = own.with_body(&update::document_limits(call), |patch| base.patched(&own, patch))?;
            let document = Document::parse(&json, &update::document_limits(call))?;
            let validation = Box::new(base.check(call, document.root())?);
            Ok(Fate::Patched { id, expect: base.expect, json, validation })
        }
        Does::Delete { criteria } => {
            let id = match criteria.as_ref().map(&mut find).transpose()? {
                None => step.entry.place.id.clone(),
                Some(Found::One(id)) => id,
                Some(_) if own.conditions.if_match.is_some() => return Err(error::precondition().into()),
                Some(_) => return Ok(Fate::Delete { id: None, change: None }),
            };
            let change = delete::deletion(&own, view, &id)?;
            Ok(Fate::Delete { id: Some(id), change })
        }
    }
}

fn change(
    call: &Call<'_>,
    step: &Step<'_>,
    fate: &Fate,
    references: &References,
) -> Result<Option<Change>, Stumble> {
    match (fate, step.entry.resource) {
        (Fate::Put { id, expect }, Some(resource)) => {
            let catalogue = call.kinds.catalogue();
            let kind = catalogue.kind(&step.entry.place.kind).ok_or_else(error::unknown_type)?;
            let record = catalogue.prepare(kind, id, resource, &mut |value| references.replacement(value));
            consents::check(call, &record)?;
            Ok(Some(Change::Put { record: Box::new(record), expect: *expect }))
        }
        (Fate::Patched { id, expect, json, validation }, _) => {
            let catalogue = call.kinds.catalogue();
            let kind = catalogue.kind(&step.entry.place.kind).ok_or_else(error::unknown_type)?;
            let record = references.prepare_patched(call, kind, id, json, validation)?;
            consents::check(call, &record)?;
            Ok(Some(Change::Put { record: Box::new(record), expect: *expect }))
        }
        (Fate::Delete { change, .. }, _) => Ok(change.clone()),
        _ => Ok(None),
    }
}

fn minimal(call: Call<'_>) -> Call<'_> {
    let returns = call.prefer.returns.or(Some(Returns::Minimal));
    Call { prefer: crate::call::Prefer { returns, ..call.prefer }, ..call }
}

/// The answer, in the order of the request; reads are done now.
fn answer(call: &Call<'_>, steps: &[Step<'_>], done: Done) -> Result<Answer, Failure> {
    let mut bundle = Bundle::new("transaction-response", None, &[]);
    let room = Room::new(call.hub.limits().bundle_answer_bytes);
    for ((step, fate), changed) in steps.iter().zip(done.fates).zip(done.changed) {
        let own = minimal(step.entry.call(call));
        let kind = &step.entry.place.kind;
        let full_url = |id: &str| Some(format!("{}/{kind}/{id}", call.hub.base_url()));
        let (answer, full_url) = match (fate, changed) {
            (Fate::Put { id, .. } | Fate::Patched { id, .. }, Some((changed, body))) => {
                (put_answer(&own, &changed, &body), full_url(&id))
            }
            (Fate::Existing { answer, id }, _) => (answer, full_url(&id)),
            (Fate::Delete { .. }, changed) => {
                (respond::deleted(&own, changed.as_ref().map(|(changed, _)| changed)), None)
            }
            (Fate::Read, _) => {
                let read = room.check().and_then(|()| run(&step.entry.call(call)));
                (read.unwrap_or_else(|failure| failure.under(&step.entry.name()).answer()), None)
            }
            (Fate::Put { .. } | Fate::Patched { .. }, None) => return Err(error::internal()),
        };
        let answer = room.fit(answer, !matches!(step.does, Does::Read));
        bundle.entry(|out| {
            bundle::write_answer(&answer, full_url.as_deref(), step.entry.is_head, out);
            Ok(())
        })?;
    }
    Ok(Answer::resource(bundle.finish()))
}

fn put_answer(call: &Call<'_>, changed: &Changed, body: &[u8]) -> Answer {
    let content = match call.prefer.returns {
        Some(Returns::Representation) if scope::may_show(call, &changed.kind) => {
            let Changed { kind, id, version, instant, .. } = changed;
            let mut json = Vec::with_capacity(body.len() + 160);
            write_resource(body, &Stamp { kind, id, version: *version, instant: *instant }, &mut json);
            Content::Resource(json)
        }
        Some(Returns::Outcome) => Content::Outcome(respond::done()),
        _ => Content::None,
    };
    Answer {
        status: if changed.op == Some(Op::Create) { StatusCode::CREATED } else { StatusCode::OK },
        version: Some(changed.version),
        instant: Some(changed.instant),
        location: Some(respond::location(call, &changed.kind, &changed.id, changed.version)),
        headers: Vec::new(),
        content,
    }
}
