//! An export under way.
//!
//! Everything is as of one commit: the newest when the export began. Whole types are walked through with
//! [`ieum_store::engine::Snapshot::as_of`], each page from a view of its own, so that no view is held for long; what a
//! `_typeFilter` selects is listed first. The point says which part is being written, and how far it is in it.

use ieum_fhir::date::format_instant;
use ieum_fhir::json::write_string;
use ieum_fhir::outcome::Code;
use ieum_fhir::search::Query;
use ieum_fhir::search::parse::ParseContext;
use ieum_store::engine::{AsOfRequest, AsOfWhich};
use ieum_store::record::Record;
use ieum_trust::door::View;
use serde::{Deserialize, Serialize};

use super::export::{Export, Level};
use super::export_list;
use super::out::Out;
use crate::fhir::{group, value_sets};
use crate::jobs::record::OutPart;
use crate::jobs::work::{Stop, Work};

/// Records looked at in one view.
const PAGE: usize = 500;
/// Members of a group, or patients named, at most: who they are is part of every question to the store.
const PATIENTS_MOST: usize = 20_000;

/// Where an export goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    /// The commit that everything is as of.
    as_of: u64,
    /// The version of the Group whose members are exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<u64>,
    /// Which part.
    part: usize,
    /// Where in a walk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<i64>,
    /// Where in a list.
    #[serde(default)]
    offset: u64,
}

/// A part of an export. Parts follow from what was asked, and are the same after an interruption.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// A type as it was.
    Walk(String),
    /// What is on the list of a type.
    List(String),
    /// What of a type has been deleted.
    Deleted(String),
}

/// An export under way.
struct Run<'r, 'w> {
    work: &'r mut Work<'w>,
    export: Export,
    parts: Vec<Part>,
    point: Point,
    /// The patients it is about, unless it is about all.
    patients: Option<Vec<String>>,
    out: Out,
    /// Records written.
    done: u64,
    line: Vec<u8>,
}

/// Does an export, or goes on with it.
///
/// # Errors
/// [`Stop`].
pub(super) fn run(work: &mut Work<'_>, export: Export) -> Result<(), Stop> {
    let known = work.job.point.clone().map(serde_json::from_value::<Point>);
    let point = match known {
        Some(point) => point.map_err(|_| Stop::internal())?,
        None => begin(work, &export)?,
    };
    let patients = patients(work, &export, point.group)?;
    let (directory, file_bytes) = (work.directory.clone(), work.jobs.options().file_bytes);
    let out = Out::resume(directory, file_bytes, work.job.files.clone())?;
    let (parts, done) = (parts(work, &export), work.job.progress.done);
    let mut run = Run { work, export, parts, point, patients, out, done, line: Vec::new() };
    match run.all() {
        // What has been done need not be done again.
        Err(Stop::Interrupted) => run.keep().and(Err(Stop::Interrupted)),
        result => result,
    }
}

/// Fixes what everything is as of, and lists what must be listed, all from one view.
fn begin(work: &mut Work<'_>, export: &Export) -> Result<Point, Stop> {
    let view = work.view()?;
    let as_of = view.t();
    let instant = if as_of == 0 { work.hub.now() } else { view.instant()? };
    let group = match &export.level {
        Level::Group { id } => {
            let group = view.read("Group", id)?.filter(|group| !group.is_deleted());
            let group =
                group.ok_or_else(|| Stop::failed(Code::NotFound, "the group is not there any more"))?;
            Some(group.version)
        }
        _ => None,
    };
    let total = total(&view, export)?;
    let patients = patients(work, export, group)?;
    let view = narrowed(view, patients.as_deref());
    let mut listed = 0;
    let catalogue = work.hub.door().catalogue();
    for kind in export.kinds(&catalogue) {
        let queries = queries(work, export, kind)?;
        if !queries.is_empty() {
            listed += export_list::write(work, &view, kind, &queries, export.is_of_patients())?;
        }
    }
    drop(view);
    let point = Point { as_of, group, part: 0, place: None, offset: 0 };
    work.job.instant = Some(format_instant(instant));
    work.job.progress.total = total.map(|total| total + listed);
    work.job.point = Some(to_value(&point)?);
    work.save()?;
    Ok(point)
}

/// How many records there will be, where it is cheap to know: not when only some of a type are wanted.
fn total(view: &View<'_>, export: &Export) -> Result<Option<u64>, Stop> {
    let is_part = export.is_of_patients() || export.since.is_some() || export.until.is_some();
    if is_part {
        return Ok(None);
    }
    let wanted = |kind: &str| {
        (export.types.is_empty() || export.types.iter().any(|wanted| wanted == kind))
            && export.filters_of(kind).next().is_none()
    };
    let census = view.census()?;
    Ok(Some(census.iter().filter(|(kind, _)| wanted(kind)).map(|(_, count)| count).sum()))
}

fn queries(work: &Work<'_>, export: &Export, kind: &str) -> Result<Vec<Query>, Stop> {
    // It was read strictly when it was asked, unless it was to be read leniently.
    let door = work.hub.door();
    let sets = value_sets::of_access(door, &work.access);
    let kinds = work.hub.kinds();
    let context = ParseContext::r4(kinds.catalogue().bases(), work.hub.now(), false);
    let context = ParseContext { parameters: &kinds, value_sets: &sets, ..context };
    Ok(export.filters_of(kind).map(|filter| filter.parse(&context)).collect::<Result<_, _>>()?)
}

fn parts(work: &Work<'_>, export: &Export) -> Vec<Part> {
    let catalogue = work.hub.door().catalogue();
    let kinds = export.kinds(&catalogue);
    let live = kinds.iter().map(|kind| {
        let is_listed = export.filters_of(kind).next().is_some();
        if is_listed { Part::List((*kind).to_owned()) } else { Part::Walk((*kind).to_owned()) }
    });
    // Without `_since` the guide asks for no deletions: there is nothing they could be deleted from.
    let deleted = kinds.iter().filter(|_| export.since.is_some());
    live.chain(deleted.map(|kind| Part::Deleted((*kind).to_owned()))).collect()
}

/// The patients an export is about; nothing when it is not about some in particular.
fn patients(work: &Work<'_>, export: &Export, group: Option<u64>) -> Result<Option<Vec<String>>, Stop> {
    let patients = match (&export.level, group) {
        (Level::Group { id }, Some(version)) => {
            let group = work.view()?.read_version("Group", id, version)?;
            let group =
                group.ok_or_else(|| Stop::failed(Code::NotFound, "the group is not there any more"))?;
            let mut members = group::members(work.hub, &group)?;
            members.retain(|member| export.patients.is_empty() || export.patients.contains(member));
            members
        }
        _ if export.patients.is_empty() => return Ok(None),
        _ => export.patients.clone(),
    };
    if patients.len() > PATIENTS_MOST {
        let what = format!("an export can be about {PATIENTS_MOST} named patients; ask in parts, or for all");
        return Err(Stop::failed(Code::AsyncGroup, what));
    }
    Ok(Some(patients))
}

fn narrowed<'v>(view: View<'v>, patients: Option<&[String]>) -> View<'v> {
    match patients {
        Some(patients) => view.of_patients(patients),
        None => view,
    }
}

fn to_value(point: &Point) -> Result<serde_json::Value, Stop> {
    serde_json::to_value(point).map_err(|_| Stop::internal())
}

impl Run<'_, '_> {
    fn all(&mut self) -> Result<(), Stop> {
        while let Some(part) = self.parts.get(self.point.part).cloned() {
            loop {
                self.work.go_on()?;
                let more = match &part {
                    Part::Walk(kind) => self.walk(kind, AsOfWhich::Live)?,
                    Part::Deleted(kind) => self.walk(kind, AsOfWhich::Deleted)?,
                    Part::List(kind) => self.list(kind)?,
                };
                if !more {
                    break;
                }
                self.keep_if_due()?;
            }
            self.point = Point { part: self.point.part + 1, place: None, offset: 0, ..self.point.clone() };
            self.keep_if_due()?;
        }
        self.out.finish()?;
        self.keep()?;
        // Kept: nothing will be read from them again.
        for part in &self.parts {
            if let Part::List(kind) = part {
                export_list::remove(&self.work.directory, kind)?;
            }
        }
        Ok(())
    }

    /// A page of a type; false when it was the last.
    fn walk(&mut self, kind: &str, which: AsOfWhich) -> Result<bool, Stop> {
        let request = AsOfRequest {
            kind,
            t: self.point.as_of,
            which,
            since: self.export.since,
            of_patients: self.export.is_of_patients(),
            after: self.point.place,
            limit: PAGE,
        };
        let view = self.work.view()?;
        let page = narrowed(view, self.patients.as_deref()).as_of(&request)?;
        for record in &page.records {
            self.add(record)?;
        }
        self.point.place = page.next;
        Ok(page.next.is_some())
    }

    /// Some of what is on the list of a type; false when it was the end.
    fn list(&mut self, kind: &str) -> Result<bool, Stop> {
        let (keys, offset) = export_list::read(&self.work.directory, kind, self.point.offset, PAGE)?;
        let mut records = Vec::with_capacity(keys.len());
        let view = narrowed(self.work.view()?, self.patients.as_deref());
        for (id, version) in &keys {
            // What the asker may not see any more is left out.
            records.extend(view.read_version(kind, id, *version)?);
        }
        drop(view);
        for record in &records {
            if self.export.since.is_none_or(|since| record.instant > since) {
                self.add(record)?;
            }
        }
        self.point.offset = offset;
        Ok(keys.len() == PAGE)
    }

    fn add(&mut self, record: &Record) -> Result<(), Stop> {
        if self.export.until.is_some_and(|until| record.instant >= until) {
            return Ok(());
        }
        self.line.clear();
        let (part, kind) = if record.is_deleted() {
            // Bulk Data Access 2.0.0, "Response - Complete Status": `deleted`.
            let head = br#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"#;
            self.line.extend_from_slice(head);
            write_string(&format!("{}/{}", record.kind, record.id), &mut self.line);
            self.line.extend_from_slice(b"}}]}");
            (OutPart::Deleted, "Bundle")
        } else {
            self.export.subset(&record.kind).write(record, &mut self.line)?;
            (OutPart::Output, record.kind.as_str())
        };
        self.line.push(b'\n');
        self.out.add(part, kind, &self.line)?;
        self.done += 1;
        Ok(())
    }

    fn keep_if_due(&mut self) -> Result<(), Stop> {
        if self.work.is_due() { self.keep() } else { Ok(()) }
    }

    /// Makes what is done durable, then writes down that it is.
    fn keep(&mut self) -> Result<(), Stop> {
        let files = self.out.save()?;
        self.work.job.files = files;
        self.work.job.progress.done = self.done;
        self.work.job.point = Some(to_value(&self.point)?);
        self.work.save()
    }
}
