//! Random `_filter` expressions.

use proptest::prelude::*;
use proptest::sample::select;

use super::parameters::{Form, LINKS, PARAMETERS, Parameter, of};

/// An expression on records of a kind.
pub(super) fn expression(kind: &'static str, depth: u32) -> BoxedStrategy<String> {
    let one = comparison(kind, depth);
    if depth == 0 {
        return one;
    }
    let inner = move || expression(kind, depth - 1);
    prop_oneof![
        3 => one,
        1 => (inner(), inner()).prop_map(|(left, right)| format!("{left} and {right}")),
        1 => (inner(), inner()).prop_map(|(left, right)| format!("{left} or {right}")),
        1 => (inner(), inner()).prop_map(|(left, right)| format!("({left}) and ({right})")),
        // As often as a comparison alone: what `not` turns round must itself be of each form, another `not` among them.
        3 => inner().prop_map(|inner| format!("not ({inner})")),
    ]
    .boxed()
}

fn comparison(kind: &'static str, depth: u32) -> BoxedStrategy<String> {
    let parameters: Vec<Parameter> =
        of(PARAMETERS, kind).iter().copied().filter(|(_, form, _)| *form != Form::Parts).collect();
    let own = select(parameters).prop_flat_map(|(name, form, values)| {
        (select(operators(form)), select(values)).prop_map(move |(operator, value)| match operator {
            "pr" => format!("{name} pr {}", value.len() % 2 == 0),
            "in" | "ni" => {
                format!("{name} {operator} http://vs.test/{}", ["x", "y", "empty"][value.len() % 3])
            }
            "ss" | "sb" => format!("{name} {operator} http://a.test|{}", ["x", "X", "top"][value.len() % 3]),
            _ => format!("{name} {operator} \"{value}\""),
        })
    });
    let links = of(LINKS, kind);
    if links.is_empty() || depth == 0 {
        return own.boxed();
    }
    let along = select(links).prop_flat_map(move |(link, target)| {
        let condition = prop::option::weighted(0.4, expression(target, depth - 1));
        (condition, comparison(target, depth - 1)).prop_map(move |(condition, rest)| match condition {
            Some(condition) => format!("{link}[{condition}].{rest}"),
            None => format!("{link}.{rest}"),
        })
    });
    prop_oneof![3 => own, 1 => along].boxed()
}

fn operators(form: Form) -> &'static [&'static str] {
    match form {
        Form::Text => &["eq", "ne", "co", "sw", "ew", "pr"],
        Form::Token | Form::Identifier => &["eq", "ne", "pr"],
        Form::Code => &["eq", "ne", "in", "ni", "ss", "sb", "pr"],
        Form::Date => &["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "po", "pr"],
        Form::Number | Form::Quantity => &["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "pr"],
        Form::Reference | Form::Tree => &["eq", "ne", "re", "pr"],
        Form::Uri => &["eq", "ne", "pr"],
        Form::Parts => &[],
    }
}
