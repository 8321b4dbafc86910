//! Expressions of search parameters, compiled: the part of FHIRPath that R4 and KR Core use in them.
//!
//! Paths, `|`, `as`, `.as()`, `.ofType()`, `.where(x='y')`, `.where(resolve() is Type)`, `[0]`, `.extension('url')`,
//! `X.exists() and X != false`, `%resource` and parentheses. Names of types are compared without case, because R4
//! itself writes `value.as(DateTime)`. Everything is resolved against the definitions when it is compiled: a
//! [`Path`] holds names of JSON properties (`valueQuantity`), and knows the FHIR type of what it finds.
//!
//! ```
//! use ieum_fhir::expression::{Step, compile};
//! let paths = compile("Observation", "(Observation.value as Quantity) | Condition.code").unwrap();
//! assert_eq!(paths[0].steps, [Step::Member("valueQuantity".into())]);
//! assert_eq!(paths[0].type_name, "Quantity");
//! assert_eq!(paths.len(), 1, "conditions are another type's");
//! ```

mod compile;
mod evaluate;
mod syntax;

pub use compile::{compile, compile_in};
pub use evaluate::reference_kind;

use crate::definitions::Element;

/// One way from a resource or element to values of one type.
#[derive(Debug, Clone)]
pub struct Path {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// FHIR type of what is found.
    pub type_name: &'static str,
    /// The element that is found, for its binding; `None` when the path finds what it started from.
    pub element: Option<&'static Element>,
    /// What the values are for.
    pub meaning: Meaning,
    /// Whether it starts at the resource's root, and not at the element that [`compile_in`] was given.
    pub from_resource: bool,
}

/// What is meant by what a [`Path`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The values themselves.
    Values,
    /// True when there is a value other than `false`, else false: `X.exists() and X != false`.
    Truth,
}

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the member of this name, or to each of its elements when it is an array.
    Member(Box<str>),
    /// Right after [`Step::Member`]: only its element at this place, from 0.
    Item(usize),
    /// Only where this member is the string.
    Where {
        /// Name of the member.
        member: Box<str>,
        /// What it must be.
        equals: Box<str>,
    },
    /// Only references to this type, as told by their text or `Reference.type`.
    ResolvesTo(&'static str),
}

/// Why an expression is not one we can compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Not the grammar above.
    #[error("expression not understood at character {at}")]
    Syntax {
        /// Where, from 0.
        at: usize,
    },
    /// Longer, or with more parentheses, than we read.
    #[error("expression too long or too deep")]
    TooLarge,
    /// There is no such type.
    #[error("there is no type {name}")]
    NoSuchType {
        /// Its name.
        name: String,
    },
    /// The type has no such element.
    #[error("{of} has no element {name}")]
    NoSuchElement {
        /// The type.
        of: String,
        /// The element.
        name: String,
    },
    /// The elements found are never of this type.
    #[error("no element found is of type {name}")]
    NeverOfType {
        /// The type.
        name: String,
    },
    /// Something that the subset has only elsewhere.
    #[error("{what} is not supported here")]
    NotSupported {
        /// What.
        what: &'static str,
    },
}
