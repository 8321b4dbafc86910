//! search by GET and POST (R4, `http.html#search` and `search.html`).

use ieum_fhir::outcome::{Code, Issue, Severity};
use ieum_fhir::search::{self, Query, Summary};

use super::page::{self, Bundle, Links};
use super::subset::{self, Subset};
use super::{bulk, error, search_context};
use crate::call::{Answer, Call, Failure};

/// Parameters that are none of R4's: our page token, and the way to count that the client `fhirpy` asks every server
/// for. Totals are exact here in any case.
const OWN: [&str; 2] = ["_page", "_totalMethod"];

/// `GET [base]/Type?…` and `POST [base]/Type/_search`.
pub(super) fn search(call: &Call<'_>) -> Result<Answer, Failure> {
    let token = page::token(call)?;
    let pairs: Vec<_> =
        call.pairs.iter().filter(|(name, _)| !OWN.contains(&name.as_str())).cloned().collect();
    let query = search::parse(&call.place.kind, &pairs, &search_context(call, !call.prefer.lenient))?;
    let subset = subset::of_query(&query)?;
    if bulk::later::is_asked(call) {
        return bulk::later::ask(call);
    }
    let size = page::size(call, query.count);
    let count = size.to_string();
    let links = Links::new(call, &format!("/{}", query.kind), applied(&query, &count));
    let mut remarks = passed_over(&pairs, &query);
    let view = call.hub.door().resource_view(call.access)?.with_pages_of(call.hub.limits().page_bytes);
    if query.summary == Summary::Count || size == 0 {
        let mut bundle =
            Bundle::new("searchset", Some(view.count(&query)?), &links.of_page(None, None, None));
        tell(&mut bundle, &remarks)?;
        return Ok(Answer::resource(bundle.finish()));
    }

    let found = view.search(&query, token, size)?;
    let links = links.of_page(token, found.previous.as_deref(), found.next.as_deref());
    let mut bundle = Bundle::new("searchset", found.total, &links);
    for record in &found.records {
        bundle.record(call, record, &subset, Some("match"))?;
    }
    // `_elements` names elements of what is searched, and would leave nothing of other types.
    let included = if matches!(subset, Subset::Elements(_)) { Subset::Whole } else { subset };
    for record in &found.included.records {
        bundle.record(call, record, &included, Some("include"))?;
    }
    let longest = call.hub.limits().uri_bytes;
    if links.iter().any(|(_, url)| url.len() > longest) {
        let what = "post what follows the ? of a long link as a form to [base]/Type/_search";
        remarks.push(error::remark(Severity::Information, Code::LongLink, what));
    }
    tell(&mut bundle, &remarks)?;
    if found.included.cut {
        let most = ieum_store::include::MOST;
        let what = format!(
            "more than {most} records, or more than fits, go with this page; ask for fewer with _count"
        );
        bundle.outcome(&[error::remark(Severity::Warning, Code::IncludesCut, what)])?;
    }
    Ok(Answer::resource(bundle.finish()))
}

/// The parameters in effect, with the page size that is really used.
fn applied<'q>(query: &'q Query, count: &'q str) -> Vec<(&'q str, &'q str)> {
    let pairs = query.applied.iter();
    pairs
        .map(|(name, value)| (name.as_str(), if name == "_count" { count } else { value.as_str() }))
        .collect()
}

/// What lenient handling passed over. What took effect is a part of what was asked, in the same order.
fn passed_over(pairs: &[(String, String)], query: &Query) -> Vec<Issue> {
    let mut applied = query.applied.iter().peekable();
    let mut remarks = Vec::new();
    for pair in pairs.iter().filter(|(name, _)| name != "_format" && name != "_pretty") {
        if applied.peek() == Some(&pair) {
            applied.next();
            continue;
        }
        // A name that looks like none could be a value in the wrong place.
        let is_legible = pair.0.len() <= 64
            && pair.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte));
        let name = if is_legible { pair.0.as_str() } else { "(not legible)" };
        let what =
            format!("search parameter {name}: was passed over, because it does not exist or has no value");
        remarks.push(error::remark(Severity::Warning, Code::ParameterPassedOver, what));
    }
    remarks
}

fn tell(bundle: &mut Bundle, remarks: &[Issue]) -> Result<(), Failure> {
    if remarks.is_empty() { Ok(()) } else { bundle.outcome(remarks) }
}
