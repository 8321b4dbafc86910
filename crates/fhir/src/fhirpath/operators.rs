//! The operators (FHIRPath N1, "operations").

use std::cmp::Ordering;

use super::ast::{Ast, Operator};
use super::equality;
use super::error::{At, PathError, Problem};
use super::evaluate::{Collection, Evaluator, Scope, boolean, one, single, value};
use super::item::System;
use super::number::Number;
use super::quantity::{Quantity, Unit};
use super::temporal::{Kind, Temporal};

/// `left operator right`.
pub(super) fn binary<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    operator: Operator,
    left: Collection<'d>,
    right: &Ast,
    scope: Scope<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    use Operator::{And, Concatenate, Contains, Implies, In, Or, Union, Xor};
    let right = evaluator.evaluate(right, scope)?;
    match operator {
        And | Or | Xor | Implies => {
            let result = logic(operator, boolean(at, &left)?, boolean(at, &right)?);
            Ok(optional(result.map(System::Boolean)))
        }
        Union => equality::union(evaluator, at, left, right),
        In => membership(evaluator, at, &left, &right),
        Contains => membership(evaluator, at, &right, &left),
        Concatenate => {
            let mut text = super::evaluate::text(at, &left)?.unwrap_or_default();
            text.push_str(&super::evaluate::text(at, &right)?.unwrap_or_default());
            Ok(one(System::Text(text.into())))
        }
        Operator::Equal | Operator::NotEqual => {
            let equal = equality::equal(evaluator, at, &left, &right)?;
            Ok(optional(equal.map(|equal| System::Boolean(equal == (operator == Operator::Equal)))))
        }
        Operator::Equivalent | Operator::NotEquivalent => {
            let equivalent = equality::equivalent(evaluator, at, &left, &right)?;
            Ok(one(System::Boolean(equivalent == (operator == Operator::Equivalent))))
        }
        _ => {
            let (left, right) = (value(at, &left)?, value(at, &right)?);
            let (Some(left), Some(right)) = (left, right) else { return Ok(Vec::new()) };
            let result = match operator {
                Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                    comparison(at, operator, &left, &right)?
                }
                _ => arithmetic(at, operator, &left, &right)?,
            };
            Ok(optional(result))
        }
    }
}

pub(super) fn optional(value: Option<System<'_>>) -> Collection<'_> {
    value.map(one).unwrap_or_default()
}

/// Three-valued logic; `None` is unknown.
fn logic(operator: Operator, left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (operator, left, right) {
        (Operator::And, Some(false), _) | (Operator::And, _, Some(false)) => Some(false),
        (Operator::And, Some(true), Some(true)) => Some(true),
        (Operator::Or, Some(true), _) | (Operator::Or, _, Some(true)) => Some(true),
        (Operator::Or, Some(false), Some(false)) => Some(false),
        (Operator::Xor, Some(left), Some(right)) => Some(left != right),
        (Operator::Implies, Some(false), _) | (Operator::Implies, _, Some(true)) => Some(true),
        (Operator::Implies, Some(true), Some(false)) => Some(false),
        _ => None,
    }
}

/// `item in collection`.
fn membership<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    at: At,
    item: &Collection<'d>,
    collection: &Collection<'d>,
) -> Result<Collection<'d>, PathError> {
    let Some(item) = single(at, item)? else { return Ok(Vec::new()) };
    let found = equality::contains(evaluator, at, collection, item)?;
    Ok(one(System::Boolean(found)))
}

/// The order of two values: `None` when it cannot be known.
///
/// # Errors
/// When there is no order between the two types.
pub(super) fn order(at: At, left: &System<'_>, right: &System<'_>) -> Result<Option<Ordering>, PathError> {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Ok(Some(left.order(right)));
    }
    match (left, right) {
        (System::Text(left), System::Text(right)) => Ok(Some(left.cmp(right))),
        (System::Temporal(left), System::Temporal(right))
            if (left.kind == Kind::Time) == (right.kind == Kind::Time) =>
        {
            Ok(left.order(right))
        }
        _ => match (quantity(left), quantity(right)) {
            (Some(left), Some(right)) => Ok(left.order(&right)),
            _ => Err(PathError::new(at, Problem::Operand("there is no order between these types"))),
        },
    }
}

fn comparison<'d>(
    at: At,
    operator: Operator,
    left: &System<'_>,
    right: &System<'_>,
) -> Result<Option<System<'d>>, PathError> {
    let holds = |order: Ordering| match operator {
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        _ => order.is_ge(),
    };
    Ok(order(at, left, right)?.map(|order| System::Boolean(holds(order))))
}

/// Whole and decimal numbers as one.
pub(super) fn number(value: &System<'_>) -> Option<Number> {
    match value {
        System::Integer(value) => Some(Number::from(*value)),
        System::Decimal(value) => Some(*value),
        _ => None,
    }
}

/// A quantity; numbers are quantities without unit.
pub(super) fn quantity(value: &System<'_>) -> Option<Quantity> {
    match value {
        System::Quantity(value) => Some(value.clone()),
        other => number(other).map(|value| Quantity { value, unit: Unit::ucum("1") }),
    }
}

/// A whole number within 32 bits, as the specification has them; beyond, there is none.
pub(super) fn whole<'d>(value: i64) -> Option<System<'d>> {
    i32::try_from(value).ok().map(|value| System::Integer(i64::from(value)))
}

fn arithmetic<'d>(
    at: At,
    operator: Operator,
    left: &System<'_>,
    right: &System<'_>,
) -> Result<Option<System<'d>>, PathError> {
    if let (System::Integer(left), System::Integer(right)) = (left, right)
        && operator != Operator::Divide
    {
        let result = match operator {
            Operator::Plus => left.checked_add(*right),
            Operator::Minus => left.checked_sub(*right),
            Operator::Times => left.checked_mul(*right),
            Operator::Div => left.checked_div(*right),
            _ => left.checked_rem(*right),
        };
        return Ok(result.and_then(whole));
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        let result = match operator {
            Operator::Plus => left.plus(right),
            Operator::Minus => left.minus(right),
            Operator::Times => left.times(right),
            Operator::Divide => left.over(right),
            Operator::Div => return Ok(left.div(right).and_then(Number::integer).and_then(whole)),
            _ => left.modulo(right),
        };
        return Ok(result.map(System::Decimal));
    }
    match (left, operator, right) {
        (System::Text(left), Operator::Plus, System::Text(right)) => {
            Ok(Some(System::Text(format!("{left}{right}").into())))
        }
        (System::Temporal(date), Operator::Plus | Operator::Minus, System::Quantity(stretch)) => {
            later(at, date, stretch, operator == Operator::Minus)
        }
        _ => {
            let wrong = PathError::new(at, Problem::Operand("the operator does not go with these types"));
            let (Some(left), Some(right)) = (quantity(left), quantity(right)) else { return Err(wrong) };
            let result = match operator {
                Operator::Plus | Operator::Minus => left.plus(&right, operator == Operator::Minus),
                Operator::Times | Operator::Divide => left.times(&right, operator == Operator::Divide),
                _ => return Err(wrong),
            };
            Ok(result.map(System::Quantity))
        }
    }
}

fn later<'d>(
    at: At,
    date: &Temporal,
    stretch: &Quantity,
    negative: bool,
) -> Result<Option<System<'d>>, PathError> {
    let what = "only stretches of time can be added to a date; years and months by their words";
    let unit = stretch.unit.stretch().ok_or_else(|| PathError::new(at, Problem::Operand(what)))?;
    let value = if negative { stretch.value.negated() } else { stretch.value };
    Ok(date.plus(value, unit).map(System::Temporal))
}

/// `-x`
pub(super) fn negated<'d>(at: At, items: &Collection<'d>) -> Result<Collection<'d>, PathError> {
    match value(at, items)?.as_deref() {
        None => Ok(Vec::new()),
        Some(System::Integer(value)) => Ok(one(System::Integer(-value))),
        Some(System::Decimal(value)) => Ok(one(System::Decimal(value.negated()))),
        Some(System::Quantity(quantity)) => {
            let value = quantity.value.negated();
            Ok(one(System::Quantity(Quantity { value, unit: quantity.unit.clone() })))
        }
        Some(_) => Err(PathError::new(at, Problem::Operand("only numbers have a sign"))),
    }
}
