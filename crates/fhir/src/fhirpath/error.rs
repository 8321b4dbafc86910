//! What can be wrong with an expression, and where in it.

/// A place in an expression: bytes from its start.
pub type At = usize;

/// Why an expression cannot be read or evaluated. Never carries a value of a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, at byte {at} of the expression")]
pub struct PathError {
    /// Where in the expression's text.
    pub at: At,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not the grammar of FHIRPath.
    #[error("{0}")]
    Syntax(&'static str),
    /// Longer, deeper or costlier than the limits allow.
    #[error("the expression exceeds the limit of {0}")]
    Limit(&'static str),
    /// No function of this name.
    #[error("there is no function {}", shown(.0))]
    UnknownFunction(String),
    /// A function with too few or too many arguments.
    #[error("{0}() does not take this number of arguments")]
    Arguments(&'static str),
    /// No type of this name.
    #[error("there is no type {}", shown(.0))]
    UnknownType(String),
    /// No environment variable of this name.
    #[error("there is no variable {}", shown(.0))]
    UnknownVariable(String),
    /// Checked expressions only: the type has no element of this name.
    #[error("{of} has no element {}", shown(name))]
    UnknownElement {
        /// The type.
        of: String,
        /// The element asked for.
        name: String,
    },
    /// Checked expressions only: the order of what is indexed is not defined.
    #[error("what comes before has no order, so that there is no first, last or n-th of it")]
    Unordered,
    /// More than one item where one is needed.
    #[error("one item is needed here, and there are several")]
    Several,
    /// An item that cannot be used here.
    #[error("{0}")]
    Operand(&'static str),
    /// Something that needs what is not there yet, such as a terminology service.
    #[error("{0} is not available here")]
    NotAvailable(&'static str),
}

/// Names in an expression may be anything, so that only what looks like a name is repeated.
fn shown(name: &str) -> &str {
    let is_plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { name } else { "of this name" }
}

impl PathError {
    /// An error at a place.
    pub(super) fn new(at: At, problem: Problem) -> Self {
        Self { at, problem }
    }
}
