//! From the tree to paths over JSON properties.

use super::syntax::{self, Expression};
use super::{ExpressionError, Meaning, Path, Step};
use crate::definitions::{Codes, TypeDef, TypeKind, r4};

/// Compiles an expression for resources of `kind`. Alternatives that start from another resource type are left out,
/// so the result is empty when none is for this one.
///
/// # Errors
/// [`ExpressionError`] when the expression is outside the subset, or does not fit the definitions.
pub fn compile(kind: &str, expression: &str) -> Result<Vec<Path>, ExpressionError> {
    compile_in(kind, kind, expression)
}

/// Compiles the expression of a part of a composite parameter, relative to values of type `context` inside resources
/// of `kind`. Paths that begin with `%resource` start from the resource all the same: there the caller evaluates on
/// its root, see [`Path::from_resource`].
///
/// # Errors
/// As [`compile`].
pub fn compile_in(kind: &str, context: &str, expression: &str) -> Result<Vec<Path>, ExpressionError> {
    let compiler = Compiler { resource: type_named(kind)?, context: type_named(context)? };
    let places = compiler.places(&syntax::parse(expression)?)?;
    Ok(places.into_iter().map(|place| place.path).collect())
}

fn type_named(name: &str) -> Result<&'static TypeDef, ExpressionError> {
    let found = r4().type_of(name);
    let found = found.or_else(|| r4().types().iter().find(|known| known.name.eq_ignore_ascii_case(name)));
    found.ok_or_else(|| ExpressionError::NoSuchType { name: name.to_owned() })
}

/// Ways one expression may fork into at elements with a choice of types. Extensions have fifty: KR Core has 100.
const MAX_PATHS: usize = 4_096;

struct Compiler {
    resource: &'static TypeDef,
    context: &'static TypeDef,
}

/// A path and the type it has come to.
struct Place {
    path: Path,
    of: &'static TypeDef,
}

impl Place {
    fn start(of: &'static TypeDef, from_resource: bool) -> Self {
        let path = Path {
            steps: Vec::new(),
            type_name: of.name,
            element: None,
            meaning: Meaning::Values,
            from_resource,
        };
        Self { path, of }
    }

    fn step(mut self, step: Step) -> Self {
        self.path.steps.push(step);
        self
    }

    /// On to an element; to each of its types when it has a choice.
    fn member(&self, name: &str) -> Vec<Self> {
        let found = self.of.properties().filter(|(_, property)| property.element.name == name);
        found
            .map(|(json_name, property)| {
                let mut path = self.path.clone();
                path.steps.push(Step::Member(json_name.into()));
                path.type_name = property.type_ref.name;
                path.element = Some(property.element);
                Self { path, of: property.type_ref.definition() }
            })
            .collect()
    }
}

impl Compiler {
    fn places(&self, expression: &Expression<'_>) -> Result<Vec<Place>, ExpressionError> {
        match expression {
            Expression::Name(name) => self.name(name),
            Expression::Resource => Ok(vec![Place::start(self.resource, true)]),
            Expression::Member(on, name) => members(&self.places(on)?, name),
            Expression::OfType(on, name) => of_type(self.places(on)?, name),
            Expression::Where(on, member, equals) => {
                let places = self.places(on)?;
                members(&places, member)?;
                let step = Step::Where { member: (*member).into(), equals: (*equals).into() };
                Ok(places.into_iter().map(|place| place.step(step.clone())).collect())
            }
            Expression::ResolvesTo(on, name) => {
                let target = type_named(name)?.name;
                let places = self.places(on)?;
                Ok(places.into_iter().map(|place| place.step(Step::ResolvesTo(target))).collect())
            }
            Expression::Item(on, item) => {
                let places = self.places(on)?;
                if !places.iter().all(|place| matches!(place.path.steps.last(), Some(Step::Member(_)))) {
                    return Err(ExpressionError::NotSupported { what: "an index not after an element" });
                }
                Ok(places.into_iter().map(|place| place.step(Step::Item(*item))).collect())
            }
            Expression::Extension(on, url) => {
                let places = self.places(on)?;
                if places.iter().any(|place| place.of.kind == TypeKind::Primitive) {
                    return Err(ExpressionError::NotSupported { what: "an extension of a primitive" });
                }
                let step = Step::Where { member: "url".into(), equals: (*url).into() };
                Ok(members(&places, "extension")?.into_iter().map(|place| place.step(step.clone())).collect())
            }
            Expression::And(left, right) => match (&**left, &**right) {
                (Expression::Exists(exists), Expression::NotFalse(not_false)) if exists == not_false => {
                    let mut places = self.places(exists)?;
                    places.iter_mut().for_each(|place| place.path.meaning = Meaning::Truth);
                    Ok(places)
                }
                _ => Err(ExpressionError::NotSupported { what: "and" }),
            },
            Expression::Exists(_) => Err(ExpressionError::NotSupported { what: "exists()" }),
            Expression::NotFalse(_) => Err(ExpressionError::NotSupported { what: "!=" }),
            Expression::Union(parts) => {
                let mut places = Vec::new();
                for part in parts {
                    places.append(&mut self.places(part)?);
                }
                Ok(places)
            }
        }
    }

    /// The resource's own type or one it derives from; nothing for another type; else an element of the context.
    fn name(&self, name: &str) -> Result<Vec<Place>, ExpressionError> {
        if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
            return members(&[Place::start(self.context, false)], name);
        }
        let mut of = Some(self.resource);
        while let Some(found) = of {
            if found.name.eq_ignore_ascii_case(name) {
                return Ok(vec![Place::start(self.resource, true)]);
            }
            of = found.base.and_then(|base| r4().type_of(base));
        }
        type_named(name)?;
        Ok(Vec::new())
    }
}

/// The element of this name at every place that has it; at least one must.
fn members(places: &[Place], name: &str) -> Result<Vec<Place>, ExpressionError> {
    let found: Vec<Place> = places.iter().flat_map(|place| place.member(name)).take(MAX_PATHS + 1).collect();
    if found.len() > MAX_PATHS {
        return Err(ExpressionError::TooLarge);
    }
    match places.first() {
        Some(place) if found.is_empty() => {
            Err(ExpressionError::NoSuchElement { of: place.of.name.to_owned(), name: name.to_owned() })
        }
        _ => Ok(found),
    }
}

fn of_type(places: Vec<Place>, name: &str) -> Result<Vec<Place>, ExpressionError> {
    if places.is_empty() {
        return Ok(places);
    }
    let found: Vec<Place> =
        places.into_iter().filter(|place| place.path.type_name.eq_ignore_ascii_case(name)).collect();
    if found.is_empty() { Err(ExpressionError::NeverOfType { name: name.to_owned() }) } else { Ok(found) }
}

impl Path {
    /// The code system that codes found by this path are of: when they are bound to a value set, by a required
    /// binding, whose codes are all of one system.
    #[must_use]
    pub fn code_system(&self) -> Option<&'static str> {
        let codes = match &self.element?.binding?.codes {
            Codes::Enumerated(codes) => codes,
            Codes::Open => return None,
        };
        let mut systems = codes.iter().map(|(system, _)| system);
        let first = systems.next()?;
        systems.all(|system| system == first).then_some(first)
    }
}
