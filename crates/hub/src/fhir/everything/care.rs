//! `start` and `end` of `$everything`: when care was given, which is not when records were changed (`_since`).

use ieum_fhir::extract::{ExtractOptions, extract};
use ieum_fhir::index::TimeRange;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::outcome::Code;
use ieum_store::record::Record;

use crate::call::{Call, Failure};
use crate::fhir::{error, page};

/// The stretch of time asked for.
#[derive(Debug)]
pub(super) struct Care(Option<TimeRange>);

impl Care {
    /// Reads `start` and `end`: dates of any precision, both included, each open when absent.
    ///
    /// # Errors
    /// 400 when one is no date, is given twice, or the end is before the start.
    pub(super) fn asked(call: &Call<'_>) -> Result<Self, Failure> {
        let start = page::stretch(&call.pairs, "start")?.map(|day| day.from);
        let end = page::stretch(&call.pairs, "end")?.map(|day| day.until);
        if start.is_none() && end.is_none() {
            return Ok(Self(None));
        }
        let range = TimeRange { lo: start.unwrap_or(i64::MIN), hi: end.unwrap_or(i64::MAX) };
        if range.hi <= range.lo {
            return Err(error::bad(Code::SearchValue, "search parameter end: must not be before start"));
        }
        Ok(Self(Some(range)))
    }

    /// Leaves out the records that are about another time. What has no date stays, the patient among it: who asks for a
    /// year must not miss an allergy that nobody dated.
    ///
    /// # Errors
    /// When a stored record is not what this program wrote.
    pub(super) fn keep(&self, records: &mut Vec<Record>) -> Result<(), Failure> {
        let Some(asked) = self.0 else { return Ok(()) };
        let mut kept = Vec::with_capacity(records.len());
        for record in records.drain(..) {
            if time(&record)?.is_none_or(|time| time.lo < asked.hi && asked.lo < time.hi) {
                kept.push(record);
            }
        }
        *records = kept;
        Ok(())
    }
}

/// The time that a record is about, as it is ordered by: the day of a result, the stay of an encounter.
fn time(record: &Record) -> Result<Option<TimeRange>, Failure> {
    let json = record.plain_json();
    // Bounded where it came in.
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    let document = Document::parse(&json, &limits).map_err(|_| error::internal())?;
    Ok(extract(&record.kind, document.root(), &ExtractOptions::default()).main_time)
}
