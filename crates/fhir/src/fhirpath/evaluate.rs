//! The evaluator: from a tree and a context to a collection.

use std::borrow::Cow;

use regex::Regex;

use super::ast::{Ast, Node, TypeName};
use super::error::{At, PathError, Problem};
use super::functions::{self, Invocation};
use super::item::{Item, System, is_a};
use super::{Context, Limits, operators};
use crate::definitions::{TypeKind, r4};

/// What expressions work on: items in order, perhaps none.
pub(super) type Collection<'d> = Vec<Item<'d>>;

/// What `$this`, `$index` and `$total` mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s, 'd> {
    pub(super) this: &'s [Item<'d>],
    pub(super) index: Option<i64>,
    pub(super) total: &'s [Item<'d>],
}

/// One evaluation and what it has cost so far.
pub(super) struct Evaluator<'c, 'd> {
    pub(super) context: &'c Context<'c, 'd>,
    limits: &'c Limits,
    steps: u64,
    /// The regular expression that was used last.
    pub(super) regex: Option<Regex>,
}

impl<'c, 'd> Evaluator<'c, 'd> {
    pub(super) fn new(context: &'c Context<'c, 'd>, limits: &'c Limits) -> Self {
        Self { context, limits, steps: 0, regex: None }
    }

    /// Counts what an evaluation costs.
    pub(super) fn spend(&mut self, at: At, steps: usize) -> Result<(), PathError> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > self.limits.steps {
            return Err(PathError::new(at, Problem::Limit("steps")));
        }
        Ok(())
    }

    /// Items that a collection may have.
    pub(super) fn most_items(&self) -> usize {
        self.limits.items
    }

    /// Evaluates a node.
    pub(super) fn evaluate(&mut self, ast: &Ast, scope: Scope<'_, 'd>) -> Result<Collection<'d>, PathError> {
        self.spend(ast.at, 1)?;
        let found = self.node(ast, scope)?;
        // Strings can double with each step, and count with their length.
        if let [Item::Value(System::Text(text))] = found.as_slice() {
            self.spend(ast.at, text.len() / 16)?;
        }
        if found.len() > self.limits.items {
            return Err(PathError::new(ast.at, Problem::Limit("items of a collection")));
        }
        Ok(found)
    }

    fn node(&mut self, ast: &Ast, scope: Scope<'_, 'd>) -> Result<Collection<'d>, PathError> {
        let at = ast.at;
        Ok(match &ast.node {
            Node::Empty => Vec::new(),
            Node::Boolean(value) => one(System::Boolean(*value)),
            Node::Text(text) => one(System::Text(Cow::Owned(text.clone()))),
            Node::Integer(value) => one(System::Integer(*value)),
            Node::Decimal(value) => one(System::Decimal(*value)),
            Node::Temporal(value) => one(System::Temporal(*value)),
            Node::Quantity(value) => one(System::Quantity(value.clone())),
            Node::Variable(name) => self.variable(at, name)?,
            Node::This => scope.this.to_vec(),
            Node::Index => scope.index.map(System::Integer).map(Item::Value).into_iter().collect(),
            Node::Total => scope.total.to_vec(),
            Node::Start(name) => self.start(at, name, scope.this)?,
            Node::Member(on, name) if name == "$this" => self.evaluate(on, scope)?,
            Node::Member(on, name) => {
                let focus = self.evaluate(on, scope)?;
                self.member(at, &focus, name)?
            }
            Node::Call { on, function, args } => {
                let focus = match on {
                    Some(on) => self.evaluate(on, scope)?,
                    None => scope.this.to_vec(),
                };
                functions::call(self, Invocation { at, name: function, focus, args, scope })?
            }
            Node::Item(on, index) => {
                let focus = self.evaluate(on, scope)?;
                let index = self.evaluate(index, scope)?;
                let index = integer(at, &index)?.and_then(|index| usize::try_from(index).ok());
                index.and_then(|index| focus.into_iter().nth(index)).into_iter().collect()
            }
            Node::Minus(on) => {
                let value = self.evaluate(on, scope)?;
                operators::negated(at, &value)?
            }
            Node::Plus(on) => self.evaluate(on, scope)?,
            Node::Binary(operator, left, right) => {
                let left = self.evaluate(left, scope)?;
                operators::binary(self, at, *operator, left, right, scope)?
            }
            Node::Is(on, name) => {
                let focus = self.evaluate(on, scope)?;
                check_type(at, name)?;
                match single(at, &focus)? {
                    None => Vec::new(),
                    Some(item) => one(System::Boolean(is(item, name))),
                }
            }
            Node::As(on, name) => {
                let focus = self.evaluate(on, scope)?;
                check_type(at, name)?;
                if !self.context.as_selects {
                    single(at, &focus)?;
                }
                focus.into_iter().filter(|item| is_exactly(item, name)).collect()
            }
            Node::OfType(on, name) => {
                let focus = self.evaluate(on, scope)?;
                check_type(at, name)?;
                focus.into_iter().filter(|item| is_exactly(item, name)).collect()
            }
        })
    }

    /// A name at the start of a path: the type of what is there, or an element of it.
    fn start(&mut self, at: At, name: &str, focus: &[Item<'d>]) -> Result<Collection<'d>, PathError> {
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            let of_type =
                |item: &&Item<'d>| item.element().is_some_and(|found| is_a(found.definition(), name));
            let found: Collection<'d> = focus.iter().filter(of_type).cloned().collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        self.member(at, focus, name)
    }

    fn member(&mut self, at: At, focus: &[Item<'d>], name: &str) -> Result<Collection<'d>, PathError> {
        let mut found = Vec::new();
        for item in focus {
            match item {
                Item::Element(element) => {
                    element.children(Some(name), &mut |child| found.push(Item::Element(child)));
                }
                Item::Value(System::Type(namespace, type_name)) => match name {
                    "namespace" => found.push(Item::Value(System::Text(Cow::Borrowed(namespace)))),
                    "name" => found.push(Item::Value(System::Text(type_name.clone()))),
                    _ => {}
                },
                Item::Value(_) => {}
            }
            if found.len() > self.limits.items {
                return Err(PathError::new(at, Problem::Limit("items of a collection")));
            }
        }
        self.spend(at, focus.len() + found.len())?;
        Ok(found)
    }

    fn variable(&self, at: At, name: &str) -> Result<Collection<'d>, PathError> {
        if let Some(value) = self.context.variables.get(name) {
            return Ok(value.clone());
        }
        let text = match name {
            "context" => return Ok(self.context.focus.clone()),
            "resource" | "rootResource" => return Ok(self.context.resource.iter().cloned().collect()),
            "sct" => "http://snomed.info/sct".to_owned(),
            "loinc" => "http://loinc.org".to_owned(),
            "ucum" => "http://unitsofmeasure.org".to_owned(),
            _ => match (name.strip_prefix("vs-"), name.strip_prefix("ext-")) {
                (Some(set), _) => format!("http://hl7.org/fhir/ValueSet/{set}"),
                (_, Some(extension)) => format!("http://hl7.org/fhir/StructureDefinition/{extension}"),
                _ => return Err(PathError::new(at, Problem::UnknownVariable(name.to_owned()))),
            },
        };
        Ok(one(System::Text(Cow::Owned(text))))
    }
}

/// A collection of one value.
pub(super) fn one(value: System<'_>) -> Collection<'_> {
    vec![Item::Value(value)]
}

/// The only item, if there is one.
///
/// # Errors
/// When there are several.
pub(super) fn single<'i, 'd>(at: At, items: &'i [Item<'d>]) -> Result<Option<&'i Item<'d>>, PathError> {
    match items {
        [] => Ok(None),
        [item] => Ok(Some(item)),
        _ => Err(PathError::new(at, Problem::Several)),
    }
}

/// The only item as a value; nothing for an element without value.
pub(super) fn value<'i, 'd>(at: At, items: &'i [Item<'d>]) -> Result<Option<Cow<'i, System<'d>>>, PathError> {
    match single(at, items)? {
        Some(item @ Item::Element(element)) if element.definition().primitive.is_none() => {
            let system = item.system();
            let what = "an element with elements of its own cannot be used as a value";
            system.map(Some).ok_or_else(|| PathError::new(at, Problem::Operand(what)))
        }
        item => Ok(item.and_then(Item::system)),
    }
}

/// The only item as a boolean (FHIRPath N1, "singleton evaluation of collections"): what is no boolean is true.
pub(super) fn boolean(at: At, items: &[Item<'_>]) -> Result<Option<bool>, PathError> {
    let Some(item) = single(at, items)? else { return Ok(None) };
    Ok(match item.system().as_deref() {
        Some(System::Boolean(value)) => Some(*value),
        // A boolean element with extensions alone has no value.
        None if item.type_name().1 == "boolean" => None,
        _ => Some(true),
    })
}

/// The only item as an integer.
pub(super) fn integer(at: At, items: &[Item<'_>]) -> Result<Option<i64>, PathError> {
    match value(at, items)?.as_deref() {
        None => Ok(None),
        Some(System::Integer(value)) => Ok(Some(*value)),
        Some(_) => Err(PathError::new(at, Problem::Operand("a whole number is needed here"))),
    }
}

/// The only item as a string.
pub(super) fn text(at: At, items: &[Item<'_>]) -> Result<Option<String>, PathError> {
    match value(at, items)?.as_deref() {
        None => Ok(None),
        Some(System::Text(text)) => Ok(Some(text.clone().into_owned())),
        Some(_) => Err(PathError::new(at, Problem::Operand("a string is needed here"))),
    }
}

/// The names of the system types.
const SYSTEM: [&str; 9] =
    ["Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"];

/// A type must exist; unknown names of the system's own namespace are of no item.
fn check_type(at: At, name: &TypeName) -> Result<(), PathError> {
    let is_known = match name.namespace.as_deref() {
        Some("System") => true,
        Some("FHIR") => r4().type_of(&name.name).is_some(),
        Some(_) => false,
        None => r4().type_of(&name.name).is_some() || SYSTEM.contains(&name.name.as_str()),
    };
    if is_known { Ok(()) } else { Err(PathError::new(at, Problem::UnknownType(name.name.clone()))) }
}

/// `is`: of this type, or of one that derives from it.
fn is(item: &Item<'_>, name: &TypeName) -> bool {
    match item {
        Item::Element(element) => {
            name.namespace.as_deref().unwrap_or("FHIR") == "FHIR" && is_a(element.definition(), &name.name)
        }
        Item::Value(_) => {
            let own = item.type_name().1;
            name.namespace.as_deref().unwrap_or("System") == "System"
                && (own == name.name || name.name == "Any")
        }
    }
}

/// `as` and `ofType`: primitive types count exactly (a `code` is selected as no `string`), others with those that derive
/// from them.
fn is_exactly(item: &Item<'_>, name: &TypeName) -> bool {
    let primitive = item.element().is_some_and(|element| element.definition().kind == TypeKind::Primitive);
    is(item, name) && (!primitive || item.type_name().1 == name.name)
}
