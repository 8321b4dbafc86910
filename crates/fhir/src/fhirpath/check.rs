//! What can be said about an expression without a resource: which types it goes through (FHIRPath N1, "type safety and
//! strict evaluation").

use super::ast::{Ast, Node, Operator};
use super::error::{At, PathError, Problem};
use super::item::is_a;
use crate::definitions::{TypeDef, r4};

/// What an expression can find.
#[derive(Debug, Clone)]
struct Found {
    /// Elements of these types; `None` for what is not known.
    types: Option<Vec<&'static TypeDef>>,
    /// Whether it is known to be a value of a system type that is no boolean.
    no_boolean: bool,
    /// Whether its order is defined.
    ordered: bool,
}

impl Found {
    const UNKNOWN: Self = Self { types: None, no_boolean: false, ordered: true };

    fn of(types: Vec<&'static TypeDef>) -> Self {
        // Nothing more can be said of a resource of any type.
        let types = (!types.iter().any(|def| def.is_abstract)).then_some(types);
        Self { types, ..Self::UNKNOWN }
    }
}

/// Checks an expression on a type.
pub(super) fn check(ast: &Ast, type_name: &str) -> Result<(), PathError> {
    types(ast, type_name).map(drop)
}

/// The same, and the types of what it can find.
pub(super) fn types(ast: &Ast, type_name: &str) -> Result<Option<Vec<&'static str>>, PathError> {
    let this = r4().type_of(type_name).map_or(Found::UNKNOWN, |def| Found::of(vec![def]));
    let types = found(ast, &this)?.types;
    Ok(types.map(|types| types.into_iter().map(|def| def.name).collect()))
}

fn found(ast: &Ast, this: &Found) -> Result<Found, PathError> {
    match &ast.node {
        Node::This => Ok(this.clone()),
        Node::Start(name) => start(ast.at, name, this),
        Node::Member(on, name) => member(ast.at, name, &found(on, this)?),
        Node::Is(on, _) | Node::Minus(on) | Node::Plus(on) => {
            found(on, this)?;
            Ok(Found::UNKNOWN)
        }
        Node::As(on, name) | Node::OfType(on, name) => {
            let on = found(on, this)?;
            let def = r4().type_of(&name.name);
            Ok(Found { types: def.map(|def| vec![def]), ..on })
        }
        Node::Item(on, index) => {
            let found_on = found(on, this)?;
            found(index, this)?;
            in_order(ast.at, found_on)
        }
        Node::Binary(operator, left, right) => {
            let (left, right) = (found(left, this)?, found(right, this)?);
            Ok(match (operator, left.types, right.types) {
                (Operator::Union, Some(mut left), Some(right)) => {
                    left.extend(right);
                    Found { ordered: false, ..Found::of(left) }
                }
                (Operator::Union, ..) => Found { ordered: false, ..Found::UNKNOWN },
                _ => Found::UNKNOWN,
            })
        }
        Node::Call { on, function, args } => {
            let on = match on {
                Some(on) => found(on, this)?,
                None => this.clone(),
            };
            call(ast.at, function, on, args, this)
        }
        Node::Text(_) | Node::Integer(_) | Node::Decimal(_) | Node::Temporal(_) | Node::Quantity(_) => {
            Ok(Found { no_boolean: true, ..Found::UNKNOWN })
        }
        Node::Empty | Node::Boolean(_) | Node::Variable(_) | Node::Index | Node::Total => Ok(Found::UNKNOWN),
    }
}

/// A name at the start: a type, if it is that of what is there, else an element.
fn start(at: At, name: &str, this: &Found) -> Result<Found, PathError> {
    if name.starts_with(|first: char| first.is_ascii_uppercase())
        && let Some(types) = &this.types
    {
        let of_type: Vec<_> = types.iter().copied().filter(|def| is_a(def, name)).collect();
        if !of_type.is_empty() {
            return Ok(Found::of(of_type));
        }
    }
    member(at, name, this)
}

fn member(at: At, name: &str, on: &Found) -> Result<Found, PathError> {
    let Some(types) = &on.types else { return Ok(Found { ordered: on.ordered, ..Found::UNKNOWN }) };
    let elements: Vec<_> = types.iter().filter_map(|def| def.element(name)).collect();
    match types.first() {
        Some(def) if elements.is_empty() => Err(PathError::new(
            at,
            Problem::UnknownElement { of: def.name.to_owned(), name: name.to_owned() },
        )),
        _ => {
            let types = elements.iter().flat_map(|element| &element.types);
            let mut types: Vec<_> = types.map(|of| of.definition()).collect();
            types.sort_by_key(|def| def.name);
            types.dedup_by_key(|def| def.name);
            Ok(Found { ordered: on.ordered, ..Found::of(types) })
        }
    }
}

fn in_order(at: At, on: Found) -> Result<Found, PathError> {
    if on.ordered { Ok(on) } else { Err(PathError::new(at, Problem::Unordered)) }
}

fn call(at: At, function: &str, on: Found, args: &[Ast], this: &Found) -> Result<Found, PathError> {
    let for_each =
        matches!(function, "where" | "select" | "all" | "exists" | "repeat" | "aggregate" | "sort");
    let scope = if for_each || function == "iif" { &on } else { this };
    let mut results = Vec::new();
    for arg in args {
        results.push(found(arg, scope)?);
    }
    match (function, results.first()) {
        ("first" | "last" | "tail" | "skip" | "take", _) => in_order(at, on),
        ("where" | "distinct" | "intersect" | "exclude" | "single" | "trace", _) => Ok(on),
        ("sort", _) => Ok(Found { ordered: true, ..on }),
        ("children" | "descendants", _) => Ok(Found { ordered: false, ..Found::UNKNOWN }),
        ("extension", _) => Ok(r4().type_of("Extension").map_or(Found::UNKNOWN, |def| Found::of(vec![def]))),
        ("select", Some(result)) => Ok(result.clone()),
        ("iif", Some(criterion)) if criterion.no_boolean => {
            Err(PathError::new(at, Problem::Operand("the criterion of iif() must be a boolean")))
        }
        _ => Ok(Found::UNKNOWN),
    }
}
