//! The FHIR R4 interface (R4, `http.html`): one file for each interaction.

use std::time::{Duration, UNIX_EPOCH};

use axum::http::Method;
use ieum_fhir::definitions::r4;
use ieum_fhir::outcome;
use ieum_fhir::reference::is_id;
use ieum_fhir::search::parse::{Limits, ParseContext};
use ieum_fhir::search::value_sets::ValueSets;
use ieum_store::access::Reach;

use crate::authorization::{discovery, scope};
use crate::call::{Answer, Call, Failure};
use crate::matching;
use crate::refusals::Refused;
use crate::routes::Offer::{
    Code, Compartments, Flag, Operation, System, SystemOperation, Type, TypeOperation,
};
use crate::routes::Takes::{Bundle, Form, Lines, Nothing, Parameters, Patch, Resource};
use crate::routes::Who::{Accounts, Anybody, Writers};
pub(crate) use transaction::put_plain;

use crate::routes::{Gives, Handler, Offer, Route, Takes, Who};

mod batch;
pub mod bulk;
mod bundle;
mod capability;
mod conditional;
mod consents;
mod create;
pub mod definitions;
mod delete;
pub mod error;
mod everything;
pub mod format;
mod group;
mod history;
mod openapi;
mod page;
mod patch;
mod read;
mod respond;
mod room;
mod search;
mod subscription;
mod subset;
mod transaction;
mod update;
pub(crate) mod value_sets;
mod vread;

const EVERYTHING_OF_PATIENT: Offer =
    Operation("everything", "Patient", "http://hl7.org/fhir/OperationDefinition/Patient-everything");
const EVERYTHING_OF_ENCOUNTER: Offer =
    Operation("everything", "Encounter", "http://hl7.org/fhir/OperationDefinition/Encounter-everything");
const EVERYTHING_OF_GROUP: Offer =
    Operation("everything", "Group", "http://hl7.org/fhir/OperationDefinition/Group-everything");

const EXPORT: Offer = SystemOperation("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export");
const EXPORT_PATIENTS: Offer =
    Operation("export", "Patient", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export");
const EXPORT_GROUP: Offer =
    Operation("export", "Group", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export");
/// Not in the guide: the export of one type has the definition of the whole system's.
const EXPORT_TYPE: Offer =
    TypeOperation("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export");

const IMPORT: Offer = SystemOperation("import", "https://ieum.example/fhir/OperationDefinition/import");

pub use subscription::ROUTES as SUBSCRIPTION_ROUTES;

/// The routes of the FHIR interface, but for those of subscriptions.
pub static ROUTES: &[Route] = &[
    row(Method::GET, "/fhir/metadata", Anybody, "capabilities", Nothing, &[], capability::capability),
    row(
        Method::GET,
        "/fhir/.well-known/smart-configuration",
        Anybody,
        "smart-configuration",
        Nothing,
        &[],
        discovery::smart,
    ),
    row(Method::GET, "/fhir/openapi.json", Anybody, "openapi", Nothing, &[], openapi::openapi),
    row(
        Method::GET,
        "/fhir",
        Accounts,
        "search-system",
        Nothing,
        &[System("search-system")],
        search::search_system,
    ),
    row(
        Method::POST,
        "/fhir",
        Accounts,
        "bundle",
        Bundle,
        &[System("transaction"), System("batch")],
        bundle::bundle,
    ),
    row(Method::POST, "/fhir/_search", Accounts, "search-system", Form, &[], search::search_system),
    row(
        Method::GET,
        "/fhir/_history",
        Accounts,
        "history-system",
        Nothing,
        &[System("history-system")],
        history::history,
    ),
    row(Method::GET, "/fhir/{kind}", Accounts, "search", Nothing, &[Type("search-type")], search::search),
    row(Method::POST, "/fhir/{kind}/_search", Accounts, "search", Form, &[], search::search),
    row(
        Method::POST,
        "/fhir/{kind}",
        Writers,
        "create",
        Resource,
        &[Type("create"), Flag("conditionalCreate")],
        create::create,
    ),
    row(
        Method::PUT,
        "/fhir/{kind}",
        Writers,
        "update",
        Resource,
        &[Flag("conditionalUpdate")],
        update::update_conditional,
    ),
    row(Method::PATCH, "/fhir/{kind}", Writers, "patch", Patch, &[], patch::patch_conditional),
    row(
        Method::DELETE,
        "/fhir/{kind}",
        Writers,
        "delete",
        Nothing,
        &[Code("conditionalDelete", "single")],
        delete::delete_conditional,
    ),
    row(
        Method::GET,
        "/fhir/{kind}/_history",
        Accounts,
        "history-type",
        Nothing,
        &[Type("history-type")],
        history::history,
    ),
    row(
        Method::GET,
        "/fhir/{kind}/{id}",
        Accounts,
        "read",
        Nothing,
        &[Type("read"), Code("conditionalRead", "full-support")],
        read::read,
    ),
    row(
        Method::PUT,
        "/fhir/{kind}/{id}",
        Writers,
        "update",
        Resource,
        &[Type("update"), Flag("updateCreate")],
        update::update,
    ),
    row(Method::PATCH, "/fhir/{kind}/{id}", Writers, "patch", Patch, &[Type("patch")], patch::patch),
    row(Method::DELETE, "/fhir/{kind}/{id}", Writers, "delete", Nothing, &[Type("delete")], delete::delete),
    row(
        Method::GET,
        "/fhir/{kind}/{id}/_history",
        Accounts,
        "history-instance",
        Nothing,
        &[Type("history-instance"), Flag("readHistory")],
        history::history,
    ),
    row(
        Method::GET,
        "/fhir/{kind}/{id}/_history/{version}",
        Accounts,
        "vread",
        Nothing,
        &[Type("vread")],
        vread::vread,
    ),
    row(
        Method::GET,
        "/fhir/{kind}/{id}/{inner}",
        Accounts,
        "search-compartment",
        Nothing,
        &[Compartments(&search::COMPARTMENTS)],
        search::search_compartment,
    ),
    row(
        Method::POST,
        "/fhir/{kind}/{id}/{inner}/_search",
        Accounts,
        "search-compartment",
        Form,
        &[],
        search::search_compartment,
    ),
    row(
        Method::GET,
        "/fhir/Patient/{id}/$everything",
        Accounts,
        "everything",
        Nothing,
        &[EVERYTHING_OF_PATIENT],
        everything::everything,
    ),
    row(
        Method::POST,
        "/fhir/Patient/{id}/$everything",
        Accounts,
        "everything",
        Parameters,
        &[],
        everything::everything,
    ),
    row(
        Method::GET,
        "/fhir/Encounter/{id}/$everything",
        Accounts,
        "everything",
        Nothing,
        &[EVERYTHING_OF_ENCOUNTER],
        everything::everything,
    ),
    row(
        Method::POST,
        "/fhir/Encounter/{id}/$everything",
        Accounts,
        "everything",
        Parameters,
        &[],
        everything::everything,
    ),
    row(
        Method::GET,
        "/fhir/Group/{id}/$everything",
        Accounts,
        "everything",
        Nothing,
        &[EVERYTHING_OF_GROUP],
        everything::everything,
    ),
    row(
        Method::POST,
        "/fhir/Group/{id}/$everything",
        Accounts,
        "everything",
        Parameters,
        &[],
        everything::everything,
    ),
    row(Method::GET, "/fhir/$export", Accounts, "export", Nothing, &[EXPORT], bulk::ask_export),
    row(Method::POST, "/fhir/$export", Accounts, "export", Parameters, &[], bulk::ask_export),
    row(
        Method::GET,
        "/fhir/{kind}/$export",
        Accounts,
        "export",
        Nothing,
        &[EXPORT_PATIENTS, EXPORT_TYPE],
        bulk::ask_export,
    ),
    row(Method::POST, "/fhir/{kind}/$export", Accounts, "export", Parameters, &[], bulk::ask_export),
    row(
        Method::GET,
        "/fhir/Group/{id}/$export",
        Accounts,
        "export",
        Nothing,
        &[EXPORT_GROUP],
        bulk::ask_export,
    ),
    row(Method::POST, "/fhir/Group/{id}/$export", Accounts, "export", Parameters, &[], bulk::ask_export),
    row(Method::POST, "/fhir/$import", Writers, "import", Lines, &[IMPORT], bulk::ask_import),
    row(Method::GET, "/fhir/$jobs/{id}", Accounts, "job-status", Nothing, &[], bulk::status),
    row(Method::DELETE, "/fhir/$jobs/{id}", Accounts, "job-cancel", Nothing, &[], bulk::cancel),
    Route {
        method: Method::GET,
        pattern: "/fhir/$jobs/{id}/{file}",
        who: Accounts,
        action: "job-file",
        takes: Nothing,
        gives: Gives::File,
        offers: &[],
        run: bulk::file,
    },
];

const fn row(
    method: Method,
    pattern: &'static str,
    who: Who,
    action: &'static str,
    takes: Takes,
    offers: &'static [Offer],
    run: Handler,
) -> Route {
    Route { method, pattern, who, action, takes, gives: Gives::Json, offers, run }
}

/// Does one call, over HTTP or from inside a bundle: checks what every interaction has in common, then runs it.
///
/// # Errors
/// [`Failure`]; then nothing has happened.
pub fn run(call: &Call<'_>) -> Result<Answer, Failure> {
    check_access(call)?;
    let mut result = (call.route.run)(call);
    if let Ok(answer) = &mut result {
        definitions::tell_progress(call, answer);
    }
    if let Err(failure) = &result {
        note_missing(call, failure);
    }
    result
}

/// A record that was answered as not there may be one that is hidden from the caller: such a refusal is written down.
fn note_missing(call: &Call<'_>, failure: &Failure) {
    let plan = call.access.plan();
    let nothing_is_hidden = plan.clinical == Reach::All && plan.denied == 0;
    let is_missing = failure.issues.iter().any(|issue| issue.code == outcome::Code::NotFound);
    if !is_missing || call.place.id.is_empty() || !is_id(&call.place.id) || nothing_is_hidden {
        return;
    }
    // Ids without a type are not of records.
    let kind = call.place.kind.as_str();
    if kind.is_empty() {
        return;
    }
    call.hub.refusals().note(Refused::Missing {
        access: call.access.clone(),
        action: call.route.action,
        kind: kind.to_owned(),
        id: call.place.id.clone(),
        version: call.place.version.parse().ok(),
    });
}

/// Whether the caller may use the route, and the address names a resource type.
fn check_access(call: &Call<'_>) -> Result<(), Failure> {
    let is_resource = r4().is_resource(&call.place.kind);
    if !call.route.who.admits(call.access, &call.place.kind) {
        // What is no type may be anything, and is not kept.
        let target = if is_resource { &call.place.kind } else { "" };
        call.hub.door().refused(call.access, call.route.action, target)?;
        return Err(error::forbidden());
    }
    if let Err(failure) = scope::check(call) {
        let target = if is_resource { &call.place.kind } else { "" };
        call.hub.door().refused(call.access, call.route.action, target)?;
        return Err(failure);
    }
    matching::check(call)?;
    // `IeumAccount` and its like are records, but not resources: they do not exist here.
    if call.route.pattern.contains("{kind}") && !is_resource {
        return Err(error::unknown_type());
    }
    Ok(())
}

pub(crate) use update::document_limits;

/// An instant as HTTP headers write it; seconds.
#[must_use]
pub(crate) fn http_date(micros: i64) -> String {
    let seconds = u64::try_from(micros.div_euclid(1_000_000)).unwrap_or(0);
    // Beyond the year 9999 the format has no room.
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(253_402_300_799));
    httpdate::fmt_http_date(time)
}

/// What is searched, and how strictly, on behalf of a call.
fn search_context<'c>(call: &'c Call<'_>, value_sets: &'c dyn ValueSets, strict: bool) -> ParseContext<'c> {
    ParseContext {
        parameters: &call.kinds,
        value_sets,
        bases: call.kinds.catalogue().bases(),
        now_micros: call.hub.now(),
        strict,
        limits: Limits::default(),
    }
}
