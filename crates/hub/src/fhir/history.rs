//! history of a record, of a type and of everything (R4, `http.html#history`).

use ieum_store::engine::HistoryScope;

use super::page::{self, Bundle, Links};
use super::{error, subset};
use crate::call::{Answer, Call, Failure};

/// `GET [base]/Type/id/_history`, `[base]/Type/_history`, `[base]/_history`: versions, newest first.
pub(super) fn history(call: &Call<'_>) -> Result<Answer, Failure> {
    let subset = subset::asked(call, &["_count", "_since", "_at", "_page"])?;
    let (token, since, count) = (page::token(call)?, page::since(call)?, page::count(call)?);
    let at = page::stretch(&call.pairs, "_at")?;
    let place = &call.place;
    let (scope, path) = match (place.kind.as_str(), place.id.as_str()) {
        ("", _) => (HistoryScope::System, "/_history".to_owned()),
        (kind, "") => (HistoryScope::Kind(kind), format!("/{kind}/_history")),
        (kind, id) => (HistoryScope::Record(kind, id), format!("/{kind}/{id}/_history")),
    };
    let view = call.view()?.with_pages_of(call.hub.limits().page_bytes);
    if let HistoryScope::Record(kind, id) = scope
        && view.read(kind, id)?.is_none()
    {
        return Err(error::not_found());
    }
    let size = page::size(call, count);
    let found = view.history(scope, (since, at), token, size.max(1))?;

    let applied_count = count.map(|_| size.to_string());
    let mut applied = Vec::new();
    for name in ["_since", "_at"] {
        applied.extend(call.values(name).map(|value| (name, value)));
    }
    applied.extend(applied_count.as_deref().map(|count| ("_count", count)));
    let shape = call.pairs.iter().filter(|(name, _)| name == "_summary" || name == "_elements");
    applied.extend(shape.map(|(name, value)| (name.as_str(), value.as_str())));
    let links = Links::new(call, &path, applied);
    // `_count=0` asks for the number alone.
    let next = found.next.as_deref().filter(|_| size > 0);
    let mut bundle =
        Bundle::new("history", found.total, &links.of_page(token, found.previous.as_deref(), next));
    for record in found.records.iter().take(size) {
        bundle.version(call, record, &subset)?;
    }
    Ok(Answer::resource(bundle.finish()))
}
