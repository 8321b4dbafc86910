//! Parameters that a hub defines itself (`SearchParameter` resources): each is read by itself, beside the tree of R4's
//! own.
//!
//! What R4's own expressions are made of is compiled to paths, as they are; everything else that FHIRPath can say is
//! evaluated by the general engine ([`crate::fhirpath`]), within narrow limits. Where it cannot be evaluated on a
//! resource, that resource has no value.

use super::composite::Composite;
use super::leaf::{Leaf, Sink, has_ink};
use crate::date;
use crate::decimal::SortKey;
use crate::definitions::r4;
use crate::expression::{Meaning, Path, compile};
use crate::fhirpath::{Context, Expression, Item, Limits, PathError, System};
use crate::index::{IndexValue, NumberRange, ParamType};
use crate::json::Value;

/// What evaluating an expression on one resource may cost: some milliseconds.
const LIMITS: Limits = Limits { length: 4_096, depth: 32, steps: 50_000, items: 5_000 };
/// Ways of one expression to values, after elements with a choice of types.
const MOST_PATHS: usize = 256;
/// Functions whose answer does not follow from the resource alone, so that an index would not stay true.
const NOT_OF_THE_RESOURCE: [&str; 6] = ["now", "today", "timeOfDay", "resolve", "memberOf", "subsumes"];

/// How to read the values of one parameter from resources of one type.
#[derive(Debug)]
pub struct CustomProgram(Ways);

#[derive(Debug)]
enum Ways {
    /// Values at the end of paths.
    Paths(Vec<(Path, Leaf)>),
    /// Whether there is something there.
    Truth(Vec<Path>),
    /// Values that stand together.
    Composites(Vec<(Path, Composite)>),
    /// Whatever FHIRPath can say.
    General(Box<Expression>, ParamType),
}

/// Why an expression cannot be one of a search parameter of this type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no expression, or too large, or names what there is not.
    #[error("{0}")]
    Expression(#[from] PathError),
    /// It finds nothing in resources of this type.
    #[error("it is about no resource of this type")]
    OtherType,
    /// What it finds is of no type that such a parameter can read.
    #[error("what it finds has no type that a parameter of this type reads")]
    OtherValues,
    /// It leads to more places than are looked at.
    #[error("it leads to more than {MOST_PATHS} places")]
    TooWide,
    /// Its answer does not follow from the resource alone.
    #[error("what {0}() answers does not follow from the resource alone")]
    NotOfTheResource(&'static str),
    /// A composite is not made of what our engines keep together.
    #[error(
        "the elements it finds do not hold all components, or the expressions use more than paths, as(), where() and \
         extension()"
    )]
    Components,
}

impl CustomProgram {
    /// Compiles the expression of a parameter for resources of `kind`; the components of a composite by their types and
    /// expressions.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn new(
        kind: &str,
        param_type: ParamType,
        expression: &str,
        components: &[(ParamType, &str)],
    ) -> Result<Self, Unfit> {
        let Ok(paths) = compile(kind, expression) else {
            return Self::general(kind, param_type, expression);
        };
        if paths.is_empty() {
            return Err(Unfit::OtherType);
        }
        if paths.len() > MOST_PATHS {
            return Err(Unfit::TooWide);
        }
        if param_type == ParamType::Composite {
            let read = |path: Path| {
                Composite::new(kind, path.type_name, 0, components).map(|composite| (path, composite))
            };
            let composites: Vec<_> = paths.into_iter().filter_map(read).collect();
            return if composites.is_empty() {
                Err(Unfit::Components)
            } else {
                Ok(Self(Ways::Composites(composites)))
            };
        }
        if paths.iter().all(|path| path.meaning == Meaning::Truth) {
            return if param_type == ParamType::Token {
                Ok(Self(Ways::Truth(paths)))
            } else {
                Err(Unfit::OtherValues)
            };
        }
        let read = |path: Path| Leaf::of(param_type, &path).map(|leaf| (path, leaf));
        let paths: Vec<_> = paths.into_iter().filter_map(read).collect();
        if paths.is_empty() { Err(Unfit::OtherValues) } else { Ok(Self(Ways::Paths(paths))) }
    }

    fn general(kind: &str, param_type: ParamType, expression: &str) -> Result<Self, Unfit> {
        if param_type == ParamType::Composite {
            return Err(Unfit::Components);
        }
        let parsed = Expression::parse_within(expression, LIMITS)?;
        if let Some(name) = parsed.calls(&NOT_OF_THE_RESOURCE) {
            return Err(Unfit::NotOfTheResource(name));
        }
        let types = parsed.types(kind)?;
        let reads = |name: &&str| Leaf::of_type(param_type, name, || None).is_some();
        if types.is_some_and(|types| !types.iter().any(reads)) {
            return Err(Unfit::OtherValues);
        }
        Ok(Self(Ways::General(Box::new(parsed), param_type)))
    }

    /// The values in a resource; sorted, none twice.
    #[must_use]
    pub fn values<'d>(&self, resource: Value<'d>, bases: &[String]) -> Vec<IndexValue<'d>> {
        let is_kind = |name: &str| r4().is_resource(name);
        let mut sink = Sink { values: Vec::new(), bases, is_kind: &is_kind };
        match &self.0 {
            Ways::Paths(paths) => {
                for (path, leaf) in paths {
                    path.evaluate(resource, &mut |value| sink.take(0, *leaf, value));
                }
            }
            Ways::Truth(paths) => {
                let mut truth = false;
                for path in paths {
                    path.evaluate(resource, &mut |value| truth |= value.boolean() != Some(false));
                }
                sink.token(0, None, Some(if truth { "true" } else { "false" }.into()));
            }
            Ways::Composites(composites) => {
                for (path, composite) in composites {
                    path.evaluate(resource, &mut |element| composite.take(element, resource, &mut sink));
                }
            }
            Ways::General(expression, param_type) => {
                let context = Context { as_selects: true, ..Context::of(resource) };
                for item in expression.evaluate(&context).unwrap_or_default() {
                    take_item(&mut sink, *param_type, item);
                }
            }
        }
        let mut values: Vec<_> = sink.values.into_iter().map(|(_, value)| value).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

/// Adds what one item of the general engine gives: elements as paths would, values of system types as what they are.
fn take_item<'d>(sink: &mut Sink<'d, '_>, param_type: ParamType, item: Item<'d>) {
    let value = match item {
        Item::Element(element) => {
            let leaf = Leaf::of_type(param_type, element.definition().name, || None);
            if let (Some(leaf), Some(value)) = (leaf, element.value()) {
                sink.take(0, leaf, value);
            }
            return;
        }
        Item::Value(value) => value,
    };
    match (param_type, value) {
        (ParamType::Token, System::Boolean(value)) => sink.token(0, None, Some(value.to_string().into())),
        (ParamType::Token, System::Integer(value)) => sink.token(0, None, Some(value.to_string().into())),
        (ParamType::Token, System::Text(text)) => sink.token(0, None, Some(text)),
        (ParamType::String, System::Text(text)) if has_ink(&text) => {
            sink.values.push((0, IndexValue::String(text)));
        }
        (ParamType::Uri, System::Text(text)) => sink.uri(0, Some(text)),
        (ParamType::Reference, System::Text(text)) => sink.reference(0, Some(text)),
        (ParamType::Number, System::Integer(value)) => number(sink, &value.to_string()),
        (ParamType::Number, System::Decimal(value)) => number(sink, &value.to_string()),
        (ParamType::Date, System::Temporal(value)) => {
            let range = date::parse(&value.to_string()).ok();
            sink.values.extend(range.map(|range| (0, IndexValue::Date(range))));
        }
        _ => {}
    }
}

fn number(sink: &mut Sink<'_, '_>, text: &str) {
    let range = SortKey::of(text).map(|key| NumberRange { lo: key.clone(), hi: key });
    sink.values.extend(range.map(|range| (0, IndexValue::Number(range))));
}
