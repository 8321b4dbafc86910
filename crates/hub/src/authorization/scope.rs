//! Whether the scopes of a token allow a call of the FHIR interface. The account behind it is asked beside this, as for
//! every call: scopes only take away.
//!
//! What follows from one record to others (includes, chains, `$everything`, exports) needs scopes for every kind, because
//! which kinds it leads to is only known when it is done.

use axum::http::StatusCode;
use ieum_fhir::outcome::Code;
use ieum_trust::authorization::scopes::Interactions;
use ieum_trust::authorization::server::Authority;

use crate::call::{Call, Failure};
use crate::fhir::error;
use crate::routes::Who;

/// What a call needs.
struct Needed<'c> {
    /// Of which kind; `None` for all.
    kind: Option<&'c str>,
    what: Interactions,
}

const READ: Interactions = Interactions::READ;
const SEARCH: Interactions = Interactions::SEARCH;
const CREATE: Interactions = Interactions::CREATE;
const UPDATE: Interactions = Interactions::UPDATE;

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
    let Some(needed) = needed(call) else {
        return Err(refused("tokens cannot do this: it would outlive them; use the secret of an account"));
    };
    // A job goes on as the account, without the token.
    let becomes_a_job = call.prefer.respond_async || is_a_job(call.route.action);
    if becomes_a_job && token.scopes.are_about_a_patient() {
        return Err(refused("with `patient/` scopes nothing can be exported or asked for later"));
    }
    let needed =
        if becomes_a_job || leads_elsewhere(call) { Needed { kind: None, ..needed } } else { needed };
    if token.scopes.allow(needed.kind, needed.what) {
        return Ok(());
    }
    let kind = needed.kind.unwrap_or("*");
    Err(refused(format!("this needs the scope `{kind}.{}` (patient/, user/ or system/)", needed.what)))
}

/// Whether the scopes allow searching a kind, as a conditional reference in a transaction does.
///
/// # Errors
/// 403.
pub(crate) fn check_search(call: &Call<'_>, kind: &str) -> Result<(), Failure> {
    match call.token {
        Some(token) if !token.scopes.allow(Some(kind), SEARCH) => {
            Err(refused(format!("this needs the scope `{kind}.s` (user/ or system/)")))
        }
        _ => Ok(()),
    }
}

/// What a call needs; `None` for what tokens cannot do.
fn needed<'c>(call: &'c Call<'_>) -> Option<Needed<'c>> {
    let place = &call.place;
    let kind = Some(place.kind.as_str());
    let by_criteria = if place.id.is_empty() { SEARCH } else { Interactions::default() };
    let of = |kind, what| Some(Needed { kind, what });
    let writes = call.route.who == Who::Writers;
    if writes && place.kind == "Subscription" {
        return None;
    }
    match call.route.action {
        "read" | "vread" | "history-instance" => of(kind, READ),
        "search" | "history-type" => of(kind, SEARCH),
        "search-compartment" if place.inner != "*" => of(Some(place.inner.as_str()), SEARCH),
        "search-compartment" | "search-system" | "history-system" => of(None, SEARCH),
        "create" if call.conditions.if_none_exist.is_some() => of(kind, CREATE.and(SEARCH)),
        "create" => of(kind, CREATE),
        // An update of what is not there makes it.
        "update" => of(kind, CREATE.and(UPDATE).and(by_criteria)),
        "patch" => of(kind, UPDATE.and(by_criteria)),
        "delete" => of(kind, Interactions::DELETE.and(by_criteria)),
        "everything" | "export" | "job-status" | "job-cancel" | "job-file" => of(None, READ.and(SEARCH)),
        "import" => of(None, CREATE.and(UPDATE)),
        _ => None,
    }
}

fn is_a_job(action: &str) -> bool {
    matches!(action, "export" | "import" | "job-status" | "job-cancel" | "job-file")
}

/// Whether a parameter leads to records of other kinds: an include, or a chain, which has a point or is `_has`.
fn leads_elsewhere(call: &Call<'_>) -> bool {
    let if_none_exist = call.conditions.if_none_exist.as_deref().unwrap_or_default();
    let in_header = if_none_exist.split('&').filter_map(|pair| pair.split('=').next());
    let mut names = call.pairs.iter().map(|(name, _)| name.as_str()).chain(in_header);
    names.any(|name| {
        let name = name.to_ascii_lowercase();
        // Percent signs could hide a point or a letter.
        name.contains(['.', '%'])
            || ["_include", "_revinclude", "_has"].iter().any(|word| name.starts_with(word))
    })
}

/// Of which patient alone a token is.
pub(crate) fn patients(token: &Authority) -> Option<Vec<String>> {
    token.scopes.are_about_a_patient().then(|| token.patient.iter().cloned().collect())
}

fn refused(what: impl Into<String>) -> Failure {
    error::failure(StatusCode::FORBIDDEN, Code::ScopeMissing, what)
}
