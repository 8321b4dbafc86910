//! From everything that can go wrong to a status and an OperationOutcome. This is the one place that does so.
//!
//! The rule: what is said names parameters, elements, limits and positions, never a value that was sent or stored. A
//! record that the caller may not see is spoken of as one that never existed.

use axum::http::StatusCode;
use ieum_fhir::json::JsonError;
use ieum_fhir::outcome::{Code, Issue, Severity};
use ieum_fhir::patch::PatchError;
use ieum_fhir::search::parse::{SearchError, SearchProblem};
use ieum_fhir::validate::Validation;
use ieum_store::commit::{CommitError, StoreError};
use ieum_trust::door::DoorError;

use super::definitions;
use crate::call::Failure;

/// A failure with a code of ours; `what` says what is wrong and what to do.
#[must_use]
pub fn failure(status: StatusCode, code: Code, what: impl Into<String>) -> Failure {
    Failure::new(status, Issue::error(code, "", what))
}

/// 400.
#[must_use]
pub fn bad(code: Code, what: impl Into<String>) -> Failure {
    failure(StatusCode::BAD_REQUEST, code, what)
}

/// 401: who asks is not known.
#[must_use]
pub fn unauthenticated() -> Failure {
    failure(
        StatusCode::UNAUTHORIZED,
        Code::Unauthenticated,
        "send the header `Authorization: Bearer <secret>`",
    )
}

/// 403: the role may not.
#[must_use]
pub fn forbidden() -> Failure {
    failure(StatusCode::FORBIDDEN, Code::Forbidden, "this account's role may not do this; ask the operator")
}

/// 404: nothing of this id.
#[must_use]
pub fn not_found() -> Failure {
    failure(StatusCode::NOT_FOUND, Code::NotFound, "search for it by what you know of it")
}

/// 404: no such resource type.
#[must_use]
pub fn unknown_type() -> Failure {
    let what = "use one of the resource types of FHIR R4 in the address; case matters";
    failure(StatusCode::NOT_FOUND, Code::UnknownType, what)
}

/// 404: no such compartment; `which` says which there are.
#[must_use]
pub fn no_compartment(which: &str) -> Failure {
    let what = format!("compartments that can be searched within: {which}");
    failure(StatusCode::NOT_FOUND, Code::UnknownRoute, what)
}

/// 410: deleted.
#[must_use]
pub fn deleted() -> Failure {
    failure(StatusCode::GONE, Code::Deleted, "read an earlier version from its history")
}

/// 412: the record is not as `If-Match` or `If-None-Match` says.
#[must_use]
pub fn precondition() -> Failure {
    let what = "read the current version, apply the change to it and send it with its ETag";
    failure(StatusCode::PRECONDITION_FAILED, Code::PreconditionFailed, what)
}

/// 412: a condition means more than one record.
#[must_use]
pub fn multiple_matches() -> Failure {
    let what = "the criteria match more than one record; add criteria until they mean one";
    failure(StatusCode::PRECONDITION_FAILED, Code::MultipleMatches, what)
}

/// 503: others are too busy with the same.
#[must_use]
pub fn contended() -> Failure {
    let what = "other clients keep changing what the condition is about; try again";
    busy_with(failure(StatusCode::SERVICE_UNAVAILABLE, Code::Contended, what))
}

/// 429: this account has looked for people too often.
#[must_use]
pub fn too_many_people(seconds: u32) -> Failure {
    let what = "wait for the seconds in Retry-After; systems that need more at once use export";
    Failure {
        retry_after: Some(seconds),
        ..failure(StatusCode::TOO_MANY_REQUESTS, Code::TooManyPeople, what)
    }
}

/// 503: too much to do.
#[must_use]
pub fn busy() -> Failure {
    busy_with(failure(
        StatusCode::SERVICE_UNAVAILABLE,
        Code::Busy,
        "too many requests are waiting; try again",
    ))
}

fn busy_with(failure: Failure) -> Failure {
    Failure { retry_after: Some(1), ..failure }
}

/// 500: a bug or a broken machine. What happened is in the log under the request's id.
#[must_use]
pub fn internal() -> Failure {
    let what = "give the operator the value of X-Request-Id";
    failure(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, what)
}

/// What validation found: 400 when there is no resource of the right type at all, else 422.
#[must_use]
pub fn invalid(validation: Validation) -> Failure {
    let unreadable = [Code::NoResource, Code::UnknownResourceType, Code::OtherResourceType];
    let outermost = |issue: &Issue| unreadable.contains(&issue.code) && !issue.place.contains('.');
    let status = if validation.issues.iter().any(outermost) {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Failure::of(status, validation.issues)
}

impl From<PatchError> for Failure {
    /// 400 when the patch itself is wrong, 422 when it cannot be applied to the record as it is (RFC 5789, section 2.2).
    fn from(error: PatchError) -> Self {
        let status =
            if error.problem.is_form() { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
        Self::new(status, Issue::from(&error))
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        let status = match error {
            JsonError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, Issue::from(&error))
    }
}

impl From<Vec<SearchError>> for Failure {
    fn from(errors: Vec<SearchError>) -> Self {
        if let Some(error) = errors.iter().find(|error| error.problem == SearchProblem::NotReady) {
            return definitions::not_served(&error.to_string());
        }
        if let Some(error) = errors.iter().find(|error| error.problem == SearchProblem::Unavailable) {
            return busy_with(Self::new(StatusCode::SERVICE_UNAVAILABLE, error.into()));
        }
        Self::of(StatusCode::BAD_REQUEST, errors.iter().map(Issue::from).collect())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let unavailable = |code, what: &str| failure(StatusCode::SERVICE_UNAVAILABLE, code, what);
        match error {
            StoreError::DiskFull => {
                tracing::error!("the disk is full");
                let what = "nothing was written; the operator must make room";
                failure(StatusCode::INSUFFICIENT_STORAGE, Code::DiskFull, what)
            }
            StoreError::ReadOnly => {
                tracing::error!("the data directory is not writable");
                unavailable(
                    Code::ReadOnly,
                    "nothing was written; the operator must make the data directory writable",
                )
            }
            StoreError::DiskFails => {
                tracing::error!("the disk fails");
                unavailable(Code::DiskFails, "nothing was written; the operator must look at the disk")
            }
            StoreError::TooSlow { limit_seconds } => {
                let what = format!(
                    "the search took longer than {limit_seconds} s; add criteria that select fewer records"
                );
                unavailable(Code::TooSlow, &what)
            }
            StoreError::TooCostly { records, most, narrower } => {
                let what = format!(
                    "the search would look at about {records} records, each condition counted, and {most} are allowed; \
                     narrow it by {}, or leave out _sort and ask for _total=none",
                    narrower.join(" or ")
                );
                bad(Code::SearchTooCostly, what)
            }
            StoreError::NotServed { .. } => definitions::not_served(&error.to_string()),
            StoreError::Stopped => {
                busy_with(unavailable(Code::Stopping, "the server is stopping; try again"))
            }
            StoreError::Damaged(_) | StoreError::Engine(_) => {
                tracing::error!(error = %error, "the store failed");
                internal()
            }
        }
    }
}

impl From<DoorError> for Failure {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Cursor(_) => bad(
                Code::PageToken,
                "the page token belongs to another question, account or server; start from the first page",
            ),
            DoorError::Store(error) => error.into(),
        }
    }
}

/// Commits whose caller does not treat [`CommitError::Guard`] and the like in a way of its own.
impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Version { .. } => precondition(),
            CommitError::Taken { .. } => failure(
                StatusCode::CONFLICT,
                Code::IdTaken,
                "there is such a record already, or was; choose another id",
            ),
            CommitError::Guard { .. } => contended(),
            CommitError::Duplicate { .. } => {
                bad(Code::DuplicateRecord, "name each record once in a transaction")
            }
            CommitError::Denied => forbidden(),
            CommitError::Overloaded => busy(),
            CommitError::Store(error) => error.into(),
        }
    }
}

/// A remark beside an answer.
#[must_use]
pub fn remark(severity: Severity, code: Code, what: impl Into<String>) -> Issue {
    Issue { severity, ..Issue::error(code, "", what) }
}
