//! Whether the scopes of a token allow a call of the FHIR interface, and what they leave of what the call reaches. The account
//! behind it is asked beside this, as for every call: scopes only take away.

use axum::http::StatusCode;
use ieum_fhir::outcome::Code;
use ieum_store::access::Selection;
use ieum_trust::authorization::scopes::{Interactions, Scopes};
use ieum_trust::authorization::server::Authority;

use crate::call::{Call, Failure};
use crate::fhir::error;
use crate::routes::Who;

/// What a call needs. What it finds beyond, along references or in other kinds, is left out by the view ([`selections`]).
#[derive(Clone, Copy)]
enum Needed<'c> {
    /// This on some records of a kind.
    Some(&'c str, Interactions),
    /// This on all records of a kind.
    Whole(&'c str, Interactions),
    /// This on some records of some kind.
    Anything(Interactions),
    /// This on all records of some kind.
    AnyWhole(Interactions),
    /// This on everything.
    Everything(Interactions),
}

const READ: Interactions = Interactions::READ;
const SEARCH: Interactions = Interactions::SEARCH;
const CREATE: Interactions = Interactions::CREATE;
const UPDATE: Interactions = Interactions::UPDATE;

impl Needed<'_> {
    fn is_allowed(self, scopes: &Scopes) -> bool {
        match self {
            Self::Some(kind, what) => scopes.allow_some(Some(kind), what),
            Self::Whole(kind, what) => scopes.allow(Some(kind), what),
            Self::Anything(what) => scopes.allow_some(None, what),
            Self::AnyWhole(what) => scopes.allow_some_kind(what),
            Self::Everything(what) => scopes.allow(None, what),
        }
    }

    fn told(self) -> String {
        let (kind, what) = match self {
            Self::Some(kind, what) | Self::Whole(kind, what) => (kind, what),
            Self::Anything(what) | Self::AnyWhole(what) | Self::Everything(what) => ("*", what),
        };
        let whole =
            if matches!(self, Self::Whole(..) | Self::AnyWhole(_)) { ", without a selection" } else { "" };
        format!("this needs the scope `{kind}.{what}` (patient/, user/ or system/){whole}")
    }

    fn what(self) -> Interactions {
        match self {
            Self::Some(_, what)
            | Self::Whole(_, what)
            | Self::Anything(what)
            | Self::AnyWhole(what)
            | Self::Everything(what) => what,
        }
    }
}

/// Refuses a call that the scopes of its token do not allow.
///
/// # Errors
/// 403.
pub(crate) fn check(call: &Call<'_>) -> Result<(), Failure> {
    let Some(token) = call.token else { return Ok(()) };
    // Entries of bundles come here one by one.
    if call.route.who == Who::Anybody || call.route.action == "bundle" {
        return Ok(());
    }
    let Some(mut needed) = needed(call) else {
        return Err(refused("tokens cannot do this: it would outlive them; use the secret of an account"));
    };
    // A job goes on as the account, without the token.
    let becomes_a_job = call.prefer.respond_async || is_a_job(call.route.action);
    if becomes_a_job && token.scopes.are_about_a_patient() {
        return Err(refused("with `patient/` scopes nothing can be exported or asked for later"));
    }
    if call.route.who == Who::Writers && token.scopes.are_about_a_patient() {
        return Err(refused("a token with `patient/` scopes is held to one patient, and writes nothing"));
    }
    // What is written depends on records of other kinds: if some of them were left out, it would go wrong.
    let is_write_by_others = call.route.who == Who::Writers && leads_elsewhere(call);
    if becomes_a_job || is_write_by_others {
        needed = Needed::Everything(needed.what());
    }
    if needed.is_allowed(&token.scopes) { Ok(()) } else { Err(refused(needed.told())) }
}

/// Whether the scopes allow searching a kind by criteria, as a conditional reference in a transaction does.
///
/// # Errors
/// 403.
pub(crate) fn check_search(call: &Call<'_>, kind: &str, criteria: &str) -> Result<(), Failure> {
    let Some(token) = call.token else { return Ok(()) };
    let follows = names(criteria).any(follows);
    let needed = if follows { Needed::Everything(SEARCH) } else { Needed::Whole(kind, SEARCH) };
    if needed.is_allowed(&token.scopes) { Ok(()) } else { Err(refused(needed.told())) }
}

/// What a token leaves of the records that a call looks at; `None` when it leaves everything.
pub(crate) fn selections(call: &Call<'_>) -> Option<Vec<Selection>> {
    let token = call.token?;
    // What is written is named, and was checked; see `check`.
    if matches!(call.route.who, Who::Anybody | Who::Writers) || call.route.action == "bundle" {
        return None;
    }
    let what = needed(call)?.what();
    // Older versions may have been none of the selection.
    let whole = matches!(call.route.action, "vread" | "history-instance" | "history-type" | "history-system");
    // The time that approximate dates in scopes go by stays the same while somebody turns pages.
    let midnight = call.hub.now().div_euclid(DAY) * DAY;
    token.scopes.selections(what, whole, (call.kinds.catalogue().bases(), midnight))
}

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// What a call needs; `None` for what tokens cannot do.
fn needed<'c>(call: &'c Call<'_>) -> Option<Needed<'c>> {
    let place = &call.place;
    let kind = place.kind.as_str();
    let by_criteria = if place.id.is_empty() { SEARCH } else { Interactions::default() };
    if call.route.who == Who::Writers && kind == "Subscription" {
        return None;
    }
    Some(match call.route.action {
        "read" => Needed::Some(kind, READ),
        "vread" | "history-instance" => Needed::Whole(kind, READ),
        "history-type" => Needed::Whole(kind, SEARCH),
        "search" => Needed::Some(kind, SEARCH),
        "search-compartment" if place.inner != "*" => Needed::Some(place.inner.as_str(), SEARCH),
        "search-compartment" | "search-system" => Needed::Anything(SEARCH),
        "history-system" => Needed::AnyWhole(SEARCH),
        "create" if call.conditions.if_none_exist.is_some() => Needed::Whole(kind, CREATE.and(SEARCH)),
        "create" => Needed::Whole(kind, CREATE),
        // An update of what is not there makes it.
        "update" => Needed::Whole(kind, CREATE.and(UPDATE).and(by_criteria)),
        "patch" => Needed::Whole(kind, UPDATE.and(by_criteria)),
        "delete" => Needed::Whole(kind, Interactions::DELETE.and(by_criteria)),
        "everything" => Needed::Some(kind, READ.and(SEARCH)),
        "export" | "job-status" | "job-cancel" | "job-file" => Needed::Everything(READ.and(SEARCH)),
        "import" => Needed::Everything(CREATE.and(UPDATE)),
        _ => return None,
    })
}

fn is_a_job(action: &str) -> bool {
    matches!(action, "export" | "import" | "job-status" | "job-cancel" | "job-file")
}

/// Whether a parameter leads to records of other kinds.
fn leads_elsewhere(call: &Call<'_>) -> bool {
    let in_header = call.conditions.if_none_exist.as_deref().unwrap_or_default();
    call.pairs.iter().map(|(name, _)| name.as_str()).chain(names(in_header)).any(follows)
}

/// The names of parameters as they are written.
fn names(criteria: &str) -> impl Iterator<Item = &str> {
    criteria.split('&').filter_map(|pair| pair.split('=').next())
}

/// Whether a parameter of this name may follow references: a chain, which has a point, a hierarchy, and what is about others by
/// itself.
fn follows(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // Percent signs could hide a point or a letter.
    name.contains(['.', '%'])
        || [":above", ":below"].iter().any(|modifier| name.ends_with(modifier))
        || ["_has", "_filter", "_list"].iter().any(|word| name.starts_with(word))
}

/// Whether what a call has written may be shown to whoever wrote it: a scope to write is none to read.
pub(crate) fn may_show(call: &Call<'_>, kind: &str) -> bool {
    call.token.is_none_or(|token| token.scopes.allow(Some(kind), READ))
}

/// Of which patient alone a token is.
pub(crate) fn patients(token: &Authority) -> Option<Vec<String>> {
    token.scopes.are_about_a_patient().then(|| token.patient.iter().cloned().collect())
}

fn refused(what: impl Into<String>) -> Failure {
    error::failure(StatusCode::FORBIDDEN, Code::ScopeMissing, what)
}
