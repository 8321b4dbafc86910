//! FHIRPath (N1, version 2.0.0) with what FHIR R4 adds to it (R4, `fhirpath.html`), and the functions of later versions
//! that the official tests ask for.
//!
//! An [`Expression`] is read once and evaluated on the JSON tape; nothing is copied, and each element that is found knows
//! its way from the root ([`Element::path`]), so that a patch can go there. Types come from the definitions: `value`
//! finds `valueQuantity` and knows that it is a Quantity. Time and other resources are inputs ([`Context`]). Every cost
//! has a bound ([`Limits`]), and every error a place in the expression.
//!
//! ```
//! use ieum_fhir::fhirpath::{Context, Expression};
//! use ieum_fhir::json::{Document, Limits};
//! let body = br#"{"resourceType":"Patient","name":[{"given":["Min-su"]},{"given":["Jun","Ho"]}]}"#;
//! let document = Document::parse(body, &Limits::default()).unwrap();
//! let expression = Expression::parse("Patient.name.where(given = 'Min-su').given").unwrap();
//! let found = expression.evaluate(&Context::of(document.root())).unwrap();
//! assert_eq!(found[0].element().unwrap().value().unwrap().text().unwrap(), "Min-su");
//! assert_eq!(found[0].element().unwrap().path().len(), 4);
//! ```

use std::collections::BTreeMap;

use crate::json::Value;

mod ast;
mod check;
mod equality;
mod error;
mod evaluate;
mod functions;
mod item;
mod lexer;
mod number;
mod operators;
mod parse;
mod quantity;
mod temporal;

pub use error::{At, PathError, Problem};
pub use item::{Element, Item, Step, System};
pub use number::Number;
pub use quantity::{Calendar, Quantity, Unit};
pub use temporal::{Kind as TemporalKind, Precision, Temporal};

/// What an expression may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of its text.
    pub length: usize,
    /// Parts one inside another.
    pub depth: usize,
    /// Nodes evaluated, elements visited and comparisons made.
    pub steps: u64,
    /// Items of one collection.
    pub items: usize,
}

impl Default for Limits {
    /// 16 KiB of text, 128 levels, a million steps (well below a second), 100,000 items.
    fn default() -> Self {
        Self { length: 16 << 10, depth: 128, steps: 1_000_000, items: 100_000 }
    }
}

/// Finds the resource that a reference leads to.
pub type Resolver<'c, 'd> = &'c dyn Fn(&str) -> Option<Value<'d>>;

/// What an expression is evaluated on.
pub struct Context<'c, 'd> {
    /// `%context`, and `$this` at the start.
    pub focus: Vec<Item<'d>>,
    /// `%resource` and `%rootResource`.
    pub resource: Option<Item<'d>>,
    /// Variables by their names, without `%`.
    pub variables: BTreeMap<String, Vec<Item<'d>>>,
    /// What `resolve()` asks, except for contained resources.
    pub resolver: Option<Resolver<'c, 'd>>,
    /// What `now()` says: microseconds since 1970.
    pub now_micros: i64,
    /// Whether `as` selects from several items, as the search parameters of R4 expect, instead of refusing them.
    pub as_selects: bool,
}

impl<'d> Context<'_, 'd> {
    /// On a resource, without variables, and at the beginning of 1970. What is no resource of R4 is nothing.
    #[must_use]
    pub fn of(resource: Value<'d>) -> Self {
        let resource = Element::resource(resource).map(Item::Element);
        Self {
            focus: resource.iter().cloned().collect(),
            resource,
            variables: BTreeMap::new(),
            resolver: None,
            now_micros: 0,
            as_selects: false,
        }
    }
}

/// An expression that has been read.
#[derive(Debug, Clone)]
pub struct Expression {
    ast: ast::Ast,
    limits: Limits,
}

impl Expression {
    /// Reads an expression, within the usual limits.
    ///
    /// # Errors
    /// [`PathError`] when it is none, names a function that there is not, or is too large.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::parse_within(text, Limits::default())
    }

    /// Reads an expression, within limits that also hold for its evaluation.
    ///
    /// # Errors
    /// As [`Expression::parse`].
    pub fn parse_within(text: &str, limits: Limits) -> Result<Self, PathError> {
        Ok(Self { ast: parse::parse(text, &limits)?, limits })
    }

    /// What it is the last element of, and the name of that: `Patient.name` and `given` for `Patient.name.given`. `None`
    /// when it ends otherwise.
    #[must_use]
    pub fn last_member(&self) -> Option<(Self, String)> {
        let (on, name) = match &self.ast.node {
            ast::Node::Member(on, name) => ((**on).clone(), name),
            ast::Node::Start(name) => (ast::Ast { at: self.ast.at, node: ast::Node::This, depth: 1 }, name),
            _ => return None,
        };
        Some((Self { ast: on, limits: self.limits }, name.clone()))
    }

    /// Checks it against the definitions, for a resource or data type: that every element it names exists, and that it
    /// does not count on an order that is not defined.
    ///
    /// # Errors
    /// [`PathError`] with the first thing that cannot be right.
    pub fn check(&self, type_name: &str) -> Result<(), PathError> {
        check::check(&self.ast, type_name)
    }

    /// The first of these functions that it calls, wherever.
    #[must_use]
    pub fn calls(&self, names: &[&'static str]) -> Option<&'static str> {
        self.ast.calls(names)
    }

    /// The FHIR types that it can find in a resource or data type, as far as the definitions tell; `None` when they do not.
    ///
    /// # Errors
    /// As [`Expression::check`].
    pub fn types(&self, type_name: &str) -> Result<Option<Vec<&'static str>>, PathError> {
        check::types(&self.ast, type_name)
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// [`PathError`] when the expression cannot be evaluated on this, or would cost too much.
    pub fn evaluate<'d>(&self, context: &Context<'_, 'd>) -> Result<Vec<Item<'d>>, PathError> {
        let scope = evaluate::Scope { this: &context.focus, index: None, total: &[] };
        evaluate::Evaluator::new(context, &self.limits).evaluate(&self.ast, scope)
    }

    /// Evaluates it to a yes or no: no when it finds nothing, else as FHIRPath reads a collection where a boolean is
    /// asked for.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when there are several items.
    pub fn holds(&self, context: &Context<'_, '_>) -> Result<bool, PathError> {
        let found = self.evaluate(context)?;
        Ok(evaluate::boolean(self.ast.at, &found)?.unwrap_or(false))
    }
}
