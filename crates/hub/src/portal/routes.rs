//! The one list of pages. A page that is not here does not exist; tests walk the list for every role.

use axum::http::Method;
use ieum_trust::access::Role;

use super::Portal;
use super::call::{Call, Refusal, Reply};
use super::pages::entry::{choose, claim, confirm, elsewhere, second, set_up, ways, welcome};
use super::pages::{
    apps, clients, consent, document, documents, emergency, enter, find, immunisations, law, medicines,
    my_apps, my_login, operator, presence, problems, represent, result, results, reviews, sharing, sign_in,
    staff, start, summary, timeline, transfers, visit, vitals,
};
use crate::status;

/// One route of the portal.
pub struct Route {
    /// Method; a route for GET also serves HEAD.
    pub method: Method,
    /// Path, with variable parts in braces.
    pub pattern: &'static str,
    /// Who may.
    pub who: Who,
    /// What audit entries call it.
    pub action: &'static str,
    /// Whether it shows records of people, so that each showing is written down before the page leaves.
    pub shows_records: bool,
    run: Run,
}

/// Who may see a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Anybody,
    /// Whoever is signed in, in any role.
    SignedIn,
    /// One role; the patient alone, and nobody for them, if it is theirs.
    Only(Role),
    /// The patient, or whoever represents them.
    PatientOrRepresentative,
    /// A person who has shown who they are, as whatever account, or before they have chosen one.
    Person,
    /// Whoever was invited, until they have set up what proves who they are.
    Invited,
    /// This machine itself, and operators.
    LocalOrOperator,
}

/// What does the work.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// A page: may block, waits for its turn.
    Page(fn(&Call<'_>) -> Result<Reply, Refusal>),
    /// Something that never blocks and must answer even when nobody has a turn.
    Now(fn(&Portal, &Place) -> Result<Reply, Refusal>),
}

/// The variable parts of a path, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place(Vec<String>);

impl Place {
    /// The first variable part, or nothing.
    #[must_use]
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// The last variable part, or nothing.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

impl Route {
    pub(crate) fn run(&self) -> Run {
        self.run
    }
}

const PATIENT: Who = Who::Only(Role::Patient);
const OWN: Who = Who::PatientOrRepresentative;
const CLINICIAN: Who = Who::Only(Role::Clinician);
const OPERATOR: Who = Who::Only(Role::Operator);
const MANAGER: Who = Who::Only(Role::Manager);
const PRIVACY: Who = Who::Only(Role::Privacy);

/// Every route of the portal.
pub static ROUTES: &[Route] = &[
    get("/", Who::Anybody, "start", Run::Page(start::page)),
    get("/sign-in", Who::Anybody, "sign-in", Run::Page(sign_in::page)),
    post("/sign-in", Who::Anybody, "sign-in", sign_in::enter),
    post("/sign-in/passkey", Who::Anybody, "sign-in", ways::with_passkey),
    post("/sign-in/password", Who::Anybody, "sign-in", ways::with_password),
    get("/welcome/{token}", Who::Anybody, "first-entry", Run::Page(welcome::page)),
    post("/welcome/{token}", Who::Anybody, "first-entry", welcome::begin),
    get("/set-up", Who::Invited, "first-entry", Run::Page(set_up::page)),
    post("/set-up/passkey", Who::Invited, "first-entry", set_up::with_passkey),
    post("/set-up/password", Who::Invited, "first-entry", set_up::with_password),
    get("/accounts", Who::Person, "account-choose", Run::Page(choose::page)),
    post("/accounts", Who::Person, "account-choose", choose::choose),
    get("/confirm", Who::Person, "confirm", Run::Page(confirm::page)),
    post("/confirm/passkey", Who::Person, "confirm", confirm::with_passkey),
    post("/confirm/code", Who::Person, "confirm", confirm::with_code),
    get("/my-login", Who::Person, "my-login", Run::Page(my_login::page)),
    post("/my-login/passkeys", Who::Person, "passkey-add", my_login::change::add_passkey),
    post(
        "/my-login/passkeys/{digest}/remove",
        Who::Person,
        "passkey-remove",
        my_login::change::remove_passkey,
    ),
    post("/my-login/password", Who::Person, "password-change", my_login::change::password),
    post("/my-login/app", Who::Person, "app-change", my_login::change::app),
    post("/my-login/recovery", Who::Person, "recovery-make", my_login::change::recovery),
    post("/my-login/devices/{number}/end", Who::Person, "device-end", my_login::change::end_one),
    post("/my-login/devices/end", Who::Person, "devices-end", my_login::change::end_all),
    post("/sign-in/with/{provider}", Who::Anybody, "sign-in", elsewhere::enter),
    get("/sign-in/with/{provider}/return", Who::Anybody, "sign-in", Run::Page(elsewhere::arrive)),
    get("/sign-in/with/{provider}/finish", Who::Anybody, "sign-in", Run::Page(elsewhere::finish)),
    post("/sign-in/second", Who::Anybody, "sign-in", second::with_code),
    get("/claim", Who::Anybody, "account-claim", Run::Page(claim::page)),
    post("/claim/{check}", Who::Anybody, "account-claim", claim::begin),
    get("/claim/{check}/return", Who::Anybody, "account-claim", Run::Page(claim::finish)),
    post("/set-up/with/{provider}", Who::Invited, "first-entry", elsewhere::set_up),
    post("/confirm/with/{provider}", Who::Person, "confirm", elsewhere::confirm),
    post("/my-login/links/with/{provider}", Who::Person, "provider-link", elsewhere::link),
    post("/my-login/links/{link}/remove", Who::Person, "provider-unlink", my_login::change::remove_link),
    post("/sign-out", Who::SignedIn, "sign-out", sign_in::leave),
    get("/oauth/authorize", Who::Anybody, "authorize", Run::Page(consent::arrive)),
    get("/oauth/consent/{request}", Who::SignedIn, "authorize", Run::Page(consent::page)),
    post("/oauth/consent/{request}", Who::SignedIn, "authorize", consent::allow),
    post("/oauth/consent/{request}/deny", Who::SignedIn, "authorize", consent::deny),
    get("/my-apps", Who::SignedIn, "own-apps", Run::Page(my_apps::page)),
    post("/my-apps/{client}/end", Who::SignedIn, "app-end", my_apps::end),
    get("/law", Who::Anybody, "law", Run::Page(law::page)),
    get("/enter", Who::Anybody, "enter", Run::Page(enter::page)),
    post("/enter", Who::Anybody, "enter", enter::enter),
    record("/patients", CLINICIAN, "patients-find", find::page),
    record("/patients/{id}", CLINICIAN, "record-summary", summary::of_patient),
    record("/patients/{id}/visits", CLINICIAN, "record-visits", timeline::of_patient),
    record("/patients/{id}/problems", CLINICIAN, "record-problems", problems::of_patient),
    record("/patients/{id}/medicines", CLINICIAN, "record-medicines", medicines::of_patient),
    record("/patients/{id}/results", CLINICIAN, "record-results", results::of_patient),
    record("/patients/{id}/results/{code}", CLINICIAN, "record-result", result::of_patient),
    record("/patients/{id}/vitals", CLINICIAN, "record-vitals", vitals::of_patient),
    record("/patients/{id}/immunisations", CLINICIAN, "record-immunisations", immunisations::of_patient),
    record("/patients/{id}/documents", CLINICIAN, "record-documents", documents::of_patient),
    record("/patients/{id}/documents/{document}", CLINICIAN, "record-document", document::of_patient),
    record("/patients/{id}/apps", CLINICIAN, "record-apps", apps::of_patient),
    post("/patients/{id}/apps/{client}", CLINICIAN, "launch", apps::launch),
    record("/me", OWN, "own-summary", summary::own),
    record("/me/visits", OWN, "own-visits", timeline::own),
    record("/me/problems", OWN, "own-problems", problems::own),
    record("/me/medicines", OWN, "own-medicines", medicines::own),
    record("/me/results", OWN, "own-results", results::own),
    record("/me/results/{code}", OWN, "own-result", result::own),
    record("/me/vitals", OWN, "own-vitals", vitals::own),
    record("/me/immunisations", OWN, "own-immunisations", immunisations::own),
    record("/me/documents", OWN, "own-documents", documents::own),
    record("/me/documents/{document}", OWN, "own-document", document::own),
    get("/me/sharing", OWN, "own-sharing", Run::Page(sharing::page)),
    post("/me/sharing", OWN, "own-sharing-change", sharing::save),
    post("/me/sharing/{id}/withdraw", OWN, "consent-withdraw", sharing::withdraw),
    get("/me/representatives", PATIENT, "own-representatives", Run::Page(represent::mine::page)),
    post("/me/representatives", PATIENT, "representation-invite", represent::mine::invite),
    post("/me/representatives/{id}", PATIENT, "representation-change", represent::mine::change),
    get("/representing", Who::Person, "representing", Run::Page(represent::representing::page)),
    post("/representing", Who::Person, "representation-ask", represent::representing::ask),
    post("/representing/stop", Who::Person, "represent-stop", represent::representing::stop),
    post("/representing/{id}", Who::Person, "represent", represent::representing::act),
    post("/representing/{id}/end", Who::Person, "representation-end", represent::representing::end),
    get("/privacy/representatives", PRIVACY, "representations", Run::Page(represent::check::page)),
    post("/privacy/representatives", PRIVACY, "representation-invite", represent::check::invite),
    get("/privacy/representatives/{id}", PRIVACY, "representation-check", Run::Page(represent::check::one)),
    post("/privacy/representatives/{id}", PRIVACY, "representation-change", represent::check::change),
    get("/me/visit", OWN, "own-visit", Run::Page(visit::page)),
    post("/me/visit/code", OWN, "presence-code", visit::code),
    post("/me/visit/grants", OWN, "relation-grant", visit::grant),
    post("/me/visit/relations/{id}/end", OWN, "relation-end", visit::end),
    get("/me/transfers", OWN, "own-transfers", Run::Page(transfers::page)),
    post("/me/transfers", OWN, "transfer-receive", transfers::ask),
    get("/me/transfers/{id}", OWN, "own-transfer", Run::Page(transfers::one)),
    post("/me/transfers/{id}", OWN, "transfer-change", transfers::change),
    get("/privacy/transfers", PRIVACY, "transfers", Run::Page(transfers::sender::page)),
    post("/privacy/transfers/{id}", PRIVACY, "transfer-answer", transfers::sender::change),
    get("/presence", CLINICIAN, "presence", Run::Page(presence::page)),
    post("/presence", CLINICIAN, "presence", presence::confirm),
    get("/emergency", CLINICIAN, "break-glass", Run::Page(emergency::page)),
    post("/emergency", CLINICIAN, "break-glass", emergency::open),
    get("/manager", MANAGER, "staff", Run::Page(staff::manager::page)),
    post("/manager/staff", MANAGER, "staff-invite", staff::change::invite),
    get("/manager/staff/{id}", MANAGER, "staff", Run::Page(staff::manager::one)),
    post("/manager/staff/{id}", MANAGER, "staff-change", staff::change::change),
    post("/manager/staff/{id}/invite", MANAGER, "staff-invite", staff::change::invite_again),
    post("/manager/staff/{id}/end", MANAGER, "staff-end", staff::change::end),
    get("/manager/clients", MANAGER, "clients", Run::Page(clients::list)),
    get("/manager/clients/new", MANAGER, "client-register", Run::Page(clients::register::page)),
    post("/manager/clients", MANAGER, "client-register", clients::register::register),
    get("/manager/clients/{id}", MANAGER, "clients", Run::Page(clients::one)),
    post("/manager/clients/{id}/keys", MANAGER, "client-keys", clients::change::keys),
    post("/manager/clients/{id}/end", MANAGER, "client-end", clients::change::end),
    get("/privacy", PRIVACY, "staff", Run::Page(staff::privacy)),
    get("/privacy/reviews", PRIVACY, "reviews", Run::Page(reviews::page)),
    post("/privacy/reviews/{id}", PRIVACY, "review-decide", reviews::decide),
    get("/operator", OPERATOR, "operator-overview", Run::Page(operator::overview)),
    get("/operator/jobs", OPERATOR, "operator-jobs", Run::Page(operator::jobs::page)),
    post("/operator/jobs/{id}/cancel", OPERATOR, "operator-job-cancel", operator::jobs::cancel),
    get(
        "/operator/subscriptions",
        OPERATOR,
        "operator-subscriptions",
        Run::Page(operator::subscriptions::page),
    ),
    post(
        "/operator/subscriptions/{key}/off",
        OPERATOR,
        "operator-subscription-off",
        operator::subscriptions::off,
    ),
    get("/operator/feed", OPERATOR, "operator-feed", Run::Page(operator::feed)),
    get("/operator/audit", OPERATOR, "operator-audit", Run::Page(operator::audit)),
    get("/operator/statements", OPERATOR, "operator-statements", Run::Page(operator::statements)),
    get("/assets/{name}", Who::Anybody, "asset", Run::Now(status::asset)),
    get("/healthz", Who::Anybody, "healthz", Run::Now(status::health)),
    get("/readyz", Who::Anybody, "readyz", Run::Page(status::ready)),
    get("/metrics", Who::LocalOrOperator, "metrics", Run::Page(status::metrics)),
];

const fn get(pattern: &'static str, who: Who, action: &'static str, run: Run) -> Route {
    Route { method: Method::GET, pattern, who, action, shows_records: false, run }
}

const fn post(
    pattern: &'static str,
    who: Who,
    action: &'static str,
    page: fn(&Call<'_>) -> Result<Reply, Refusal>,
) -> Route {
    Route { method: Method::POST, pattern, who, action, shows_records: false, run: Run::Page(page) }
}

const fn record(
    pattern: &'static str,
    who: Who,
    action: &'static str,
    page: fn(&Call<'_>) -> Result<Reply, Refusal>,
) -> Route {
    Route { method: Method::GET, pattern, who, action, shows_records: true, run: Run::Page(page) }
}

/// The route of a method and the decoded parts of a path. Fixed words win over variable parts.
#[must_use]
pub fn find(method: &Method, parts: &[&str]) -> Option<(&'static Route, Place)> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let matching = ROUTES.iter().filter(|route| route.method == *method);
    let matching = matching.filter_map(|route| matched(route.pattern, parts).map(|place| (route, place)));
    matching.min_by_key(|(_, place)| place.0.len())
}

/// The methods that a path knows.
#[must_use]
pub fn methods(parts: &[&str]) -> Vec<Method> {
    let mut methods: Vec<Method> =
        [Method::GET, Method::POST].into_iter().filter(|method| find(method, parts).is_some()).collect();
    if methods.contains(&Method::GET) {
        methods.insert(1, Method::HEAD);
    }
    methods
}

fn matched(pattern: &str, parts: &[&str]) -> Option<Place> {
    let wanted: Vec<&str> = pattern.split('/').skip(1).collect();
    if wanted.len() != parts.len() {
        return None;
    }
    let mut place = Place::default();
    for (wanted, part) in wanted.into_iter().zip(parts) {
        if wanted.starts_with('{') && !part.is_empty() {
            place.0.push((*part).to_owned());
        } else if wanted != *part {
            return None;
        }
    }
    Some(place)
}

/// The home of a role; roles that are not people's have none.
#[must_use]
pub fn home(role: Role) -> Option<&'static str> {
    match role {
        Role::Clinician => Some("/patients"),
        Role::Patient => Some("/me"),
        Role::Operator => Some("/operator"),
        Role::Manager => Some("/manager"),
        Role::Privacy => Some("/privacy"),
        Role::Service | Role::Open => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_route() {
        for (path, pattern, last) in [
            ("/", "/", ""),
            ("/patients", "/patients", ""),
            ("/patients/p1", "/patients/{id}", "p1"),
            ("/patients/p1/results/4548-4", "/patients/{id}/results/{code}", "4548-4"),
            ("/me/results", "/me/results", ""),
        ] {
            let parts: Vec<&str> = path.split('/').skip(1).collect();
            let (route, place) = find(&Method::HEAD, &parts).expect(path);
            assert_eq!((route.pattern, place.last()), (pattern, last));
        }
        assert!(find(&Method::GET, &["patients", ""]).is_none());
        assert_eq!(methods(&["sign-in"]), [Method::GET, Method::HEAD, Method::POST]);
        assert!(methods(&["nowhere"]).is_empty());
    }

    #[test]
    fn no_route_stands_twice() {
        for (index, route) in ROUTES.iter().enumerate() {
            let twin = |other: &&Route| other.method == route.method && other.pattern == route.pattern;
            assert_eq!(ROUTES.iter().skip(index + 1).find(twin).map(|route| route.pattern), None);
        }
    }
}
