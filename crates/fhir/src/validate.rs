//! Structural validation of resources against the base specification (R4, `validation.html`, aspects structure,
//! cardinality, value domains and required bindings). Profiles, invariants and terminology come on top of it.
//!
//! One walk over the tape; nothing is allocated for content that is right, and places are written out only when
//! there is something to tell.
//!
//! ```
//! use ieum_fhir::json::{Document, Limits};
//! use ieum_fhir::validate::validate;
//! let body = br#"{"resourceType":"Patient","birthDate":"1987-02-29"}"#;
//! let document = Document::parse(body, &Limits::default()).unwrap();
//! let validation = validate(document.root(), Some("Patient"));
//! assert_eq!(validation.issues[0].place, "Patient.birthDate");
//! assert_eq!(validation.issues[0].code.id(), "IEUM-V011");
//! ```

use crate::json::Value;
use crate::outcome::{Code, Issue, Severity};

mod binding;
mod narrative;
mod place;
mod primitive;
mod reference;
#[cfg(test)]
mod tests;
mod walk;

/// Issues listed at most; one more says that there are others.
pub const ISSUES_LISTED: usize = 100;

/// What a walk over a resource found.
#[derive(Debug, Default)]
pub struct Validation {
    /// What is wrong; empty when nothing is.
    pub issues: Vec<Issue>,
    /// Node indexes ([`Value::index`]) of `Reference.reference`, in document order.
    pub references: Vec<u32>,
    /// Node indexes of all other strings of type uri, url, oid or uuid, in document order. Canonical URLs are not among
    /// them: transactions leave these as they are (R4, `http.html#trules`).
    pub uris: Vec<u32>,
    /// Node indexes of narratives (`div`) that have links or images.
    pub linked_narratives: Vec<u32>,
    unlisted: usize,
}

impl Validation {
    /// Whether the resource can be taken.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.issues.is_empty()
    }
}

/// Walks over a resource. `expected_type` is the type it must have, for example from the URL.
#[must_use]
pub fn validate(resource: Value<'_>, expected_type: Option<&str>) -> Validation {
    let mut validation = walk::walk(resource, expected_type);
    if validation.unlisted > 0 {
        let diagnostics = format!(
            "{} more issues are not listed; correct the first {ISSUES_LISTED} and send it again",
            validation.unlisted
        );
        let place = String::new();
        validation.issues.push(Issue {
            severity: Severity::Information,
            code: Code::MoreIssues,
            place,
            diagnostics,
        });
    }
    validation
}
