//! An expression as a tree. Each node knows where in the text it stands.

use super::error::At;
use super::number::Number;
use super::quantity::Quantity;
use super::temporal::Temporal;

/// A node and its place.
#[derive(Debug, Clone)]
pub(super) struct Ast {
    pub(super) at: At,
    pub(super) node: Node,
    /// Nodes on the longest way down from here: what evaluation recurses.
    pub(super) depth: usize,
}

impl Ast {
    /// The first of these functions that is called anywhere in it. Trees are as deep as the parser lets them be.
    pub(super) fn calls(&self, names: &[&'static str]) -> Option<&'static str> {
        let inside = |ast: &Self| ast.calls(names);
        match &self.node {
            Node::Call { function, .. } if names.contains(function) => Some(function),
            Node::Call { on, args, .. } => {
                on.as_deref().and_then(inside).or_else(|| args.iter().find_map(inside))
            }
            Node::Item(left, right) | Node::Binary(_, left, right) => inside(left).or_else(|| inside(right)),
            Node::Member(on, _)
            | Node::Minus(on)
            | Node::Plus(on)
            | Node::Is(on, _)
            | Node::As(on, _)
            | Node::OfType(on, _) => inside(on),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    /// `{}`
    Empty,
    Boolean(bool),
    Text(String),
    Integer(i64),
    Decimal(Number),
    Temporal(Temporal),
    Quantity(Quantity),
    /// `%name`
    Variable(String),
    This,
    Index,
    Total,
    /// A name at the start of a path: an element of `$this`, or its type.
    Start(String),
    /// `.name`
    Member(Box<Ast>, String),
    /// A function; without `on` it is called on `$this`.
    Call {
        on: Option<Box<Ast>>,
        function: &'static str,
        args: Vec<Ast>,
    },
    /// `[n]`
    Item(Box<Ast>, Box<Ast>),
    /// `-x`
    Minus(Box<Ast>),
    /// `+x`
    Plus(Box<Ast>),
    Binary(Operator, Box<Ast>, Box<Ast>),
    /// `x is T`, and `x.is(T)`
    Is(Box<Ast>, TypeName),
    /// `x as T`, and `x.as(T)`
    As(Box<Ast>, TypeName),
    /// `x.ofType(T)`
    OfType(Box<Ast>, TypeName),
}

/// A type as it is named in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeName {
    /// `FHIR`, `System`, or none.
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Times,
    Divide,
    Div,
    Mod,
    Plus,
    Minus,
    Concatenate,
    Union,
    LessOrEqual,
    Less,
    Greater,
    GreaterOrEqual,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}
