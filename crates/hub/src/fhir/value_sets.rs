//! Value sets and code systems for searches, out of the stored ValueSets and CodeSystems that the caller reaches.

use ieum_fhir::search::value_sets::{Definitions, Listed, ValueSetProblem};
use ieum_fhir::search::{Filter, Param, Query, SystemTest, Test, TokenTest, Total, UriMode, UriTest};
use ieum_store::record::Record;
use ieum_trust::access::Access;
use ieum_trust::door::{Door, View};

use crate::call::Call;

/// What is stored, looked at when it is asked for.
pub(crate) enum Stored<'c> {
    /// In a view of its own.
    Now(&'c Door, &'c Access),
    /// In this view: who holds one while waiting for another may wait for itself.
    In(&'c View<'c>),
}

/// The value sets for one call. They are not kept beyond it: a definition that is changed counts from the next one on.
pub(super) fn of_call<'c>(call: &'c Call<'_>) -> Listed<Stored<'c>> {
    of_access(call.hub.door(), call.access)
}

/// The value sets that an access reaches.
pub(crate) fn of_access<'c>(door: &'c Door, access: &'c Access) -> Listed<Stored<'c>> {
    Listed::new(Stored::Now(door, access))
}

/// The value sets in a view.
pub(super) fn of_view<'c>(view: &'c View<'c>) -> Listed<Stored<'c>> {
    Listed::new(Stored::In(view))
}

impl Definitions for Stored<'_> {
    fn value_set(&self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, ValueSetProblem> {
        self.find("ValueSet", url, version)
    }

    fn value_set_of_id(&self, id: &str) -> Result<Option<Vec<u8>>, ValueSetProblem> {
        let found = self.look(|view| view.read("ValueSet", id).map_err(|error| unavailable(&error)))?;
        Ok(found.filter(|record| !record.is_deleted()).map(|record| record.plain_json()))
    }

    fn code_system(&self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, ValueSetProblem> {
        self.find("CodeSystem", url, version)
    }
}

impl Stored<'_> {
    /// The one record of this URL; of several the one that is active, if only one is.
    fn find(&self, kind: &str, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, ValueSetProblem> {
        let mut filters =
            vec![filter(kind, "url", Test::Uri(UriTest { mode: UriMode::Exact, text: url.to_owned() }))];
        filters.extend(version.map(|version| filter(kind, "version", token(version))));
        let mut found = self.search(kind, filters.clone())?;
        if found.len() > 1 {
            filters.push(filter(kind, "status", token("active")));
            found = self.search(kind, filters)?;
            if found.len() != 1 {
                return Err(ValueSetProblem::Ambiguous);
            }
        }
        Ok(found.pop().map(|record| record.plain_json()))
    }

    fn search(&self, kind: &str, filters: Vec<Filter>) -> Result<Vec<Record>, ValueSetProblem> {
        let query = Query { kind: kind.to_owned(), filters, total: Total::None, ..Query::default() };
        self.look(|view| Ok(view.search(&query, None, 2).map_err(|error| unavailable(&error))?.records))
    }

    fn look<T>(
        &self,
        ask: impl FnOnce(&View<'_>) -> Result<T, ValueSetProblem>,
    ) -> Result<T, ValueSetProblem> {
        match self {
            Self::Now(door, access) => {
                ask(&door.resource_view(access).map_err(|error| unavailable(&error))?)
            }
            Self::In(view) => ask(view),
        }
    }
}

fn filter(kind: &str, code: &str, test: Test) -> Filter {
    Filter::Any { param: Param { kind: kind.to_owned(), code: code.to_owned() }, tests: vec![test] }
}

fn token(code: &str) -> Test {
    Test::Token(TokenTest { system: SystemTest::Any, code: Some(code.to_owned()) })
}

fn unavailable(error: &dyn std::fmt::Display) -> ValueSetProblem {
    tracing::error!(error = %error, "a definition for a search cannot be read");
    ValueSetProblem::Unavailable
}
