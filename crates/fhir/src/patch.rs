//! Patches: JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386) and FHIRPath Patch (R4, `fhirpatch.html`), as pure
//! functions from a resource and a patch to the bytes of the changed resource.
//!
//! Everything that a patch does not name comes out as it went in: digits of numbers, spelling of strings, order of
//! members, extensions of primitives. The result is not validated here.
//!
//! ```
//! use ieum_fhir::json::{Document, Limits};
//! use ieum_fhir::patch::{self, Bounds};
//! let limits = Limits::default();
//! let body = br#"{"resourceType":"Observation","valueQuantity":{"value":1.10,"unit":"mg"}}"#;
//! let patch = br#"[{"op":"replace","path":"/valueQuantity/unit","value":"g"}]"#;
//! let (body, patch) = (Document::parse(body, &limits).unwrap(), Document::parse(patch, &limits).unwrap());
//! let patched = patch::json(body.root(), patch.root(), &Bounds::default()).unwrap();
//! assert_eq!(patched, br#"{"resourceType":"Observation","valueQuantity":{"value":1.10,"unit":"g"}}"#);
//! ```

use crate::fhirpath::PathError;
use crate::json::Value;
use crate::outcome::{Code, Issue};

mod fhirpath;
mod json;
mod merge;
mod pointer;
mod tree;

use tree::Tree;

/// What a patch may cost.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Operations in one patch.
    pub operations: usize,
    /// Nesting of the resource.
    pub depth: usize,
    /// Bytes of the resource with all that a patch adds and copies.
    pub bytes: usize,
    /// Bytes that are moved, and for FHIRPath Patches read: each operation reads what the one before left.
    pub work: usize,
}

impl Default for Bounds {
    /// 1,000 operations, 64 levels, 16 MiB, 256 MiB of work.
    fn default() -> Self {
        Self { operations: 1_000, depth: 64, bytes: 16 << 20, work: 256 << 20 }
    }
}

/// Why a patch cannot be applied. Never carries a value of the patch or the resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PatchError {
    /// Which operation, from 0; `None` when it is about the patch as a whole.
    pub operation: Option<usize>,
    /// What is wrong.
    pub problem: PatchProblem,
}

/// What is wrong with a patch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchProblem {
    /// It has not the form of a patch.
    #[error("{0}")]
    Form(&'static str),
    /// An operation lacks something.
    #[error("the operation needs `{0}`")]
    Missing(&'static str),
    /// A path is no JSON Pointer (RFC 6901).
    #[error("a path begins with a slash; `~` is written `~0`, and a slash inside a name `~1`")]
    Pointer,
    /// A path is no FHIRPath, or cannot be evaluated.
    #[error("the path cannot be used: {0}")]
    Path(PathError),
    /// Nothing is at the path.
    #[error("there is nothing at the path")]
    Nothing,
    /// The path selects more than one element.
    #[error("the path selects several elements, and must select one")]
    Several,
    /// The path does not select all elements of one list.
    #[error("the path must select one whole list, such as Patient.identifier")]
    NoList,
    /// An index outside the list.
    #[error("the list is shorter than the index says")]
    Index,
    /// The element does not repeat, and is there already.
    #[error("the element does not repeat and is there already; replace it")]
    Occupied,
    /// The type has no such element.
    #[error("{0} has no element of this name")]
    NoElement(&'static str),
    /// The value is not of a type that the element can have.
    #[error("{0} cannot have a value of this type")]
    ValueType(String),
    /// Something moved into itself, or the whole resource removed.
    #[error("{0}")]
    Impossible(&'static str),
    /// A `test` did not hold.
    #[error("what is at the path is not what the test says")]
    Test,
    /// Beyond a bound.
    #[error("the patch exceeds the limit of {0}")]
    Limit(&'static str),
}

impl PatchProblem {
    /// The stable code of it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Form(_) | Self::Missing(_) => Code::PatchForm,
            Self::Pointer | Self::Path(_) => Code::PatchPath,
            Self::Nothing | Self::Index => Code::PatchTarget,
            Self::Several | Self::NoList => Code::PatchSeveral,
            Self::Occupied | Self::NoElement(_) | Self::ValueType(_) | Self::Impossible(_) => {
                Code::PatchValue
            }
            Self::Test => Code::PatchTest,
            Self::Limit(_) => Code::PatchTooCostly,
        }
    }

    /// Whether the patch itself is wrong, whatever it is applied to.
    #[must_use]
    pub fn is_form(&self) -> bool {
        matches!(self, Self::Form(_) | Self::Missing(_) | Self::Pointer | Self::Path(_))
    }
}

impl PatchError {
    fn whole(problem: PatchProblem) -> Self {
        Self { operation: None, problem }
    }
}

impl From<&PatchError> for Issue {
    fn from(error: &PatchError) -> Self {
        let diagnostics = match error.operation {
            Some(operation) => format!("operation {} of the patch: {}", operation + 1, error.problem),
            None => error.problem.to_string(),
        };
        Self::error(error.problem.code(), "", diagnostics)
    }
}

/// Applies a JSON Patch.
///
/// # Errors
/// [`PatchError`]; a patch is applied as a whole or not at all.
pub fn json(resource: Value<'_>, patch: Value<'_>, bounds: &Bounds) -> Result<Vec<u8>, PatchError> {
    let mut tree = Tree::of(resource);
    json::apply(&mut tree, patch, bounds)?;
    Ok(tree.bytes())
}

/// Applies a JSON Merge Patch.
///
/// # Errors
/// [`PatchError`] when it is no object, or exceeds a bound.
pub fn merge(resource: Value<'_>, patch: Value<'_>, bounds: &Bounds) -> Result<Vec<u8>, PatchError> {
    let mut tree = Tree::of(resource);
    merge::apply(&mut tree, patch, bounds)?;
    Ok(tree.bytes())
}

/// Applies a FHIRPath Patch, a Parameters resource. `now_micros` is what `now()` says in its paths.
///
/// # Errors
/// [`PatchError`]; a patch is applied as a whole or not at all.
pub fn fhirpath(
    resource: Value<'_>,
    parameters: Value<'_>,
    now_micros: i64,
    bounds: &Bounds,
) -> Result<Vec<u8>, PatchError> {
    let mut tree = Tree::of(resource);
    fhirpath::apply(&mut tree, parameters, now_micros, bounds)?;
    Ok(tree.bytes())
}

#[cfg(test)]
mod tests;
