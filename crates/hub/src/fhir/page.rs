//! Pages of results: the bundle, its links and its entries, written as a stream of bytes.

use ieum_fhir::date::format_instant;
use ieum_fhir::json::write_string;
use ieum_fhir::outcome::{Code, Issue, operation_outcome};
use ieum_store::engine::Stretch;
use ieum_store::record::{Op, Record};

use super::error;
use super::subset::Subset;
use crate::call::{Call, Failure};
use crate::percent;

/// The page asked for, if it is not the first.
///
/// # Errors
/// 400 when there are two tokens.
pub(super) fn token<'c>(call: &'c Call<'_>) -> Result<Option<&'c str>, Failure> {
    let mut tokens = call.values("_page");
    match (tokens.next(), tokens.next()) {
        (token, None) => Ok(token),
        _ => Err(error::bad(Code::SearchRepeated, "search parameter _page: may be given once")),
    }
}

/// Entries on a page.
#[must_use]
pub(super) fn size(call: &Call<'_>, count: Option<u32>) -> usize {
    let limits = call.hub.limits();
    count
        .map_or(limits.page_default, |count| usize::try_from(count).unwrap_or(usize::MAX))
        .min(limits.page_most)
}

/// The one value of `_count`, where no search parser reads it.
///
/// # Errors
/// 400 when it is no whole number, or given twice.
pub(super) fn count(call: &Call<'_>) -> Result<Option<u32>, Failure> {
    let mut values = call.values("_count");
    let wrong = |what: &str| error::bad(Code::SearchValue, format!("search parameter _count: {what}"));
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(wrong("may be given once"));
    }
    value.parse().map(Some).map_err(|_| wrong("must be a whole number from 0"))
}

/// The one value of `_since`, as microseconds since 1970.
///
/// # Errors
/// 400 when it is no date, or given twice.
pub(super) fn since(call: &Call<'_>) -> Result<Option<i64>, Failure> {
    instant(&call.pairs, "_since")
}

/// The one value of a parameter that is an instant, as microseconds since 1970.
///
/// # Errors
/// 400 when it is no date, or given twice.
pub(super) fn instant(pairs: &[(String, String)], name: &str) -> Result<Option<i64>, Failure> {
    Ok(stretch(pairs, name)?.map(|stretch| stretch.from))
}

/// The one value of a parameter that is a date or an instant, as the time it covers.
///
/// # Errors
/// 400 when it is no date, or given twice.
pub(super) fn stretch(pairs: &[(String, String)], name: &str) -> Result<Option<Stretch>, Failure> {
    let mut values = pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value);
    let wrong = |what: &str| error::bad(Code::SearchValue, format!("search parameter {name}: {what}"));
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(wrong("may be given once"));
    }
    // A plus sign that was not percent-encoded arrives as a space.
    let range = ieum_fhir::date::parse(&value.replacen(' ', "+", 1));
    range
        .map(|range| Some(Stretch { from: range.lo, until: range.hi }))
        .map_err(|_| wrong("must be an instant such as 2026-03-01T15:04:05+09:00"))
}

/// Links of a page, all with the parameters that took effect.
pub(super) struct Links<'l> {
    /// Address without parameters.
    pub url: String,
    /// Parameters in effect.
    pub applied: Vec<(&'l str, &'l str)>,
}

impl<'l> Links<'l> {
    /// Links under the base address, with the given parameters and those that ask for the format.
    #[must_use]
    pub(super) fn new(call: &'l Call<'_>, path: &str, applied: Vec<(&'l str, &'l str)>) -> Self {
        let mut links = Self { url: format!("{}{path}", call.hub.base_url()), applied };
        let format = call.pairs.iter().filter(|(name, _)| name == "_format" || name == "_pretty");
        links.applied.extend(format.map(|(name, value)| (name.as_str(), value.as_str())));
        links
    }

    /// The link to the page with this token; to the first page without.
    #[must_use]
    pub(super) fn to(&self, token: Option<&str>) -> String {
        let token = token.map(|token| ("_page", token));
        percent::with_pairs(&self.url, self.applied.iter().copied().chain(token))
    }

    /// The links of one page: self, first, previous and next, as far as there are such.
    #[must_use]
    pub(super) fn of_page(
        &self,
        own: Option<&str>,
        previous: Option<&str>,
        next: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        let mut links = vec![("self", self.to(own))];
        if own.is_some() || next.is_some() {
            links.push(("first", self.to(None)));
        }
        links.extend(previous.map(|token| ("previous", self.to(Some(token)))));
        links.extend(next.map(|token| ("next", self.to(Some(token)))));
        links
    }
}

/// A bundle being written.
pub(super) struct Bundle {
    out: Vec<u8>,
    entries: usize,
}

impl Bundle {
    /// The head of a bundle.
    #[must_use]
    pub(super) fn new(kind: &str, total: Option<u64>, links: &[(&str, String)]) -> Self {
        let mut out = Vec::with_capacity(4 << 10);
        out.extend_from_slice(br#"{"resourceType":"Bundle","type":""#);
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        if let Some(total) = total {
            out.extend_from_slice(format!(r#","total":{total}"#).as_bytes());
        }
        for (index, (relation, url)) in links.iter().enumerate() {
            out.extend_from_slice(if index == 0 { br#","link":["# } else { b"," });
            out.extend_from_slice(format!(r#"{{"relation":"{relation}","url":"#).as_bytes());
            write_string(url, &mut out);
            out.push(b'}');
        }
        if !links.is_empty() {
            out.push(b']');
        }
        Self { out, entries: 0 }
    }

    /// Adds an entry; `write` writes the members of its object.
    ///
    /// # Errors
    /// What `write` fails with.
    pub(super) fn entry(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.out.extend_from_slice(if self.entries == 0 { br#","entry":[{"# } else { b",{" });
        self.entries += 1;
        write(&mut self.out)?;
        self.out.push(b'}');
        Ok(())
    }

    /// Adds a record that was found, or that goes with one (`mode`).
    ///
    /// # Errors
    /// 500 when the stored body cannot be read.
    pub(super) fn record(
        &mut self,
        call: &Call<'_>,
        record: &Record,
        subset: &Subset,
        mode: Option<&str>,
    ) -> Result<(), Failure> {
        self.entry(|out| {
            full_url(call, &record.kind, &record.id, out);
            out.extend_from_slice(br#","resource":"#);
            subset.write(record, out)?;
            if let Some(mode) = mode {
                out.extend_from_slice(format!(r#","search":{{"mode":"{mode}"}}"#).as_bytes());
            }
            Ok(())
        })
    }

    /// Adds a resource that was found inside a record; its address is that of the record with the id behind `#` (R4,
    /// section 3.1.1.5.6).
    ///
    /// # Errors
    /// 500 when the stored body cannot be read.
    pub(super) fn part(
        &mut self,
        call: &Call<'_>,
        record: &Record,
        part: &str,
        subset: &Subset,
    ) -> Result<(), Failure> {
        self.entry(|out| {
            full_url(call, &record.kind, &format!("{}#{part}", record.id), out);
            out.extend_from_slice(br#","resource":"#);
            subset.write_part(record, part, out)?;
            out.extend_from_slice(br#","search":{"mode":"match"}"#);
            Ok(())
        })
    }

    /// Adds a version of a history. A deletion has no resource.
    ///
    /// # Errors
    /// 500 when the stored body cannot be read.
    pub(super) fn version(
        &mut self,
        call: &Call<'_>,
        record: &Record,
        subset: &Subset,
    ) -> Result<(), Failure> {
        // Whether a record was created by POST or by PUT is not kept. PUT makes the same record again, with its id.
        let (method, status) = match record.op {
            Op::Create => ("PUT", "201"),
            Op::Update => ("PUT", "200"),
            Op::Delete => ("DELETE", "204"),
        };
        let Record { kind, id, version, instant, .. } = record;
        self.entry(|out| {
            full_url(call, kind, id, out);
            if record.op != Op::Delete {
                out.extend_from_slice(br#","resource":"#);
                subset.write(record, out)?;
            }
            out.extend_from_slice(format!(r#","request":{{"method":"{method}","url":"#).as_bytes());
            write_string(&format!("{kind}/{id}"), out);
            let modified = format_instant(*instant);
            let response = format!(
                r#"}},"response":{{"status":"{status}","etag":"W/\"{version}\"","lastModified":"{modified}"}}"#
            );
            out.extend_from_slice(response.as_bytes());
            Ok(())
        })
    }

    /// Adds something to tell beside the results.
    ///
    /// # Errors
    /// None; it is written like the other entries.
    pub(super) fn outcome(&mut self, issues: &[Issue]) -> Result<(), Failure> {
        self.entry(|out| {
            out.extend_from_slice(br#""resource":"#);
            out.extend_from_slice(&operation_outcome(issues));
            out.extend_from_slice(br#","search":{"mode":"outcome"}"#);
            Ok(())
        })
    }

    /// The whole bundle.
    #[must_use]
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(if self.entries == 0 { b"}" } else { b"]}" });
        self.out
    }
}

/// Writes `"fullUrl":"…"`.
pub(super) fn full_url(call: &Call<'_>, kind: &str, id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(br#""fullUrl":"#);
    write_string(&format!("{}/{kind}/{id}", call.hub.base_url()), out);
}
