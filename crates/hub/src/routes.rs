//! The one list of routes.
//!
//! The router is built from it, bundles find their entries' interactions in it, the CapabilityStatement tells it, and
//! tests walk it: a route that is not here does not exist.

use axum::http::Method;
use ieum_trust::access::{Access, Role};

use crate::call::{Answer, Call, Failure, Place};
use crate::fhir;
use crate::fhir::definitions::DEFINITION;

/// A blocking function that does one interaction.
pub type Handler = fn(&Call<'_>) -> Result<Answer, Failure>;

/// One route.
#[derive(Debug)]
pub struct Route {
    /// Method; a route for GET also serves HEAD.
    pub method: Method,
    /// Path, with `{kind}`, `{id}`, `{inner}`, `{version}` and `{file}`.
    pub pattern: &'static str,
    /// Who may call it.
    pub who: Who,
    /// What audit entries call it.
    pub action: &'static str,
    /// What body it takes.
    pub takes: Takes,
    /// What it answers with.
    pub gives: Gives,
    /// What the CapabilityStatement says of it.
    pub offers: &'static [Offer],
    /// What it does.
    pub run: Handler,
}

/// Who may call a route. What they reach is decided by their [`Access`], record by record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody, without account.
    Anybody,
    /// Every account.
    Accounts,
    /// Roles that may write; for definitions of search parameters, roles that may define them.
    Writers,
}

impl Who {
    /// Whether this access may call the route for this resource type, or for none.
    #[must_use]
    pub fn admits(self, access: &Access, kind: &str) -> bool {
        match self {
            Self::Anybody | Self::Accounts => true,
            Self::Writers if kind == DEFINITION => access.role.defines_searches(),
            Self::Writers => access.plan().write,
        }
    }

    /// The roles that may call the route.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        let access = |role| Access::new("", role);
        Role::ALL.into_iter().filter(move |role| self.admits(&access(*role), ""))
    }
}

/// What body a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// One resource.
    Resource,
    /// A bundle.
    Bundle,
    /// Parameters of a search.
    Form,
    /// A Parameters resource, or nothing.
    Parameters,
    /// A patch of any kind.
    Patch,
    /// A Parameters resource, or NDJSON, which goes to disk as it comes.
    Lines,
}

/// What a route answers with when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// JSON, which the client must be willing to take.
    Json,
    /// A file in the form that was agreed on when it was asked for.
    File,
    /// A WebSocket.
    Socket,
}

/// What the CapabilityStatement says of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// An interaction on every resource type (`http://hl7.org/fhir/restful-interaction`).
    Type(&'static str),
    /// An interaction on the whole system.
    System(&'static str),
    /// A yes of `rest.resource`: `conditionalCreate`.
    Flag(&'static str),
    /// A code of `rest.resource`: `conditionalDelete` is `single`.
    Code(&'static str, &'static str),
    /// An operation on instances of one type: name, type and canonical URL of its definition.
    Operation(&'static str, &'static str, &'static str),
    /// An operation on the whole system: name and canonical URL of its definition.
    SystemOperation(&'static str, &'static str),
    /// Searches within the compartments that records of these types own.
    Compartments(&'static [&'static str]),
    /// An operation on every type: name and canonical URL of its definition.
    TypeOperation(&'static str, &'static str),
}

/// Every route.
pub fn all() -> impl Iterator<Item = &'static Route> {
    fhir::ROUTES.iter().chain(fhir::SUBSCRIPTION_ROUTES)
}

/// The route of a method and a path (`/fhir/Patient/p1`, decoded parts), with the path's variable parts.
#[must_use]
pub fn find(method: &Method, parts: &[&str]) -> Option<(&'static Route, Place)> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    // Fixed words win over variable parts, as they do in the router.
    let mut matching: Vec<_> = all()
        .filter(|route| route.method == *method)
        .filter_map(|route| matched(route.pattern, parts).map(|(fixed, place)| (fixed, route, place)))
        .collect();
    matching.sort_by_key(|(fixed, _, _)| std::cmp::Reverse(*fixed));
    matching.into_iter().next().map(|(_, route, place)| (route, place))
}

/// The methods that a path knows.
#[must_use]
pub fn methods(parts: &[&str]) -> Vec<Method> {
    let mut methods: Vec<Method> = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
        .into_iter()
        .filter(|method| find(method, parts).is_some())
        .collect();
    if methods.contains(&Method::GET) {
        methods.insert(1, Method::HEAD);
    }
    methods
}

fn matched(pattern: &str, parts: &[&str]) -> Option<(usize, Place)> {
    let wanted = || pattern.split('/').skip(1);
    // Most patterns are told apart without making anything: entries of bundles are looked up here by the thousand.
    let fits = |(wanted, part): (&str, &&str)| wanted == *part || wanted.starts_with('{');
    if wanted().count() != parts.len() || !wanted().zip(parts).all(fits) {
        return None;
    }
    let mut place = Place::default();
    let mut fixed = 0;
    for (wanted, part) in wanted().zip(parts) {
        match wanted {
            "{kind}" => (*part).clone_into(&mut place.kind),
            "{id}" => (*part).clone_into(&mut place.id),
            "{inner}" => (*part).clone_into(&mut place.inner),
            "{version}" => (*part).clone_into(&mut place.version),
            "{file}" => (*part).clone_into(&mut place.file),
            _ if wanted == *part => {
                fixed += 1;
                // `/fhir/Patient/{id}/$everything` names its type itself.
                if wanted.starts_with(|letter: char| letter.is_ascii_uppercase()) {
                    wanted.clone_into(&mut place.kind);
                }
            }
            _ => return None,
        }
    }
    // A variable part is never a word of the interface.
    let is_word = |part: &str| part.starts_with(['_', '$']);
    let Place { kind, id, inner, version, file } = &place;
    let has_word = [kind, id, inner, version, file].into_iter().any(|part| is_word(part));
    (!has_word && place.kind != "metadata").then_some((fixed, place))
}
