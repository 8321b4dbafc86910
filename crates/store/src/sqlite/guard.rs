//! Conditions of a commit, judged at its place in the sequence.

use std::time::Duration;

use rusqlite::Connection;

use super::connection::within;
use super::visible::Scope;
use super::{Shared, newest_t, search};
use crate::commit::{CommitError, CommitRequest};
use crate::engine::{SearchPage, SearchRequest};

/// How long one condition may take: everybody's writing waits for it.
const LIMIT: Duration = Duration::from_secs(2);

/// Checks that every guard still has the answer the request was built on. The writer's connection sees everything
/// committed before this request, and what earlier requests of the same group have written.
pub(super) fn check_guards(
    connection: &Connection,
    shared: &Shared,
    request: &CommitRequest,
) -> Result<(), CommitError> {
    let scope = Scope::new(connection, shared, &request.access, newest_t(connection)?)?;
    for (index, guard) in request.guards.iter().enumerate() {
        shared.catalogue.check(&guard.query)?;
        let asked = SearchRequest { query: &guard.query, after: None, backward: false, limit: 2 };
        let page = within(LIMIT, || match search::page_statement(&scope, &asked)? {
            Some(statement) => search::run(&scope, &asked, &statement),
            None => Ok(SearchPage::default()),
        })?;
        let same = match (guard.found.as_slice(), page.records.as_slice()) {
            ([], []) => true,
            ([expected], [found]) => *expected == found.id,
            ([_, _, ..], [_, _]) => true,
            _ => false,
        };
        if !same {
            return Err(CommitError::Guard { index });
        }
    }
    Ok(())
}
