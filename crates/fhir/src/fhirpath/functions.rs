//! The functions of FHIRPath and of FHIR R4, by name.

use super::ast::Ast;
use super::error::{At, PathError, Problem};
use super::evaluate::{Collection, Evaluator, Scope};

mod boundary;
mod convert;
mod exist;
mod fhir;
mod filter;
mod math;
mod sets;
mod sort;
mod strings;

/// A function and the numbers of arguments it takes.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    least: usize,
    most: usize,
    family: Family,
}

impl Signature {
    pub(super) fn takes(&self, count: usize) -> bool {
        (self.least..=self.most).contains(&count)
    }
}

/// Which file has the function.
#[derive(Debug, Clone, Copy)]
enum Family {
    Boundary,
    Convert,
    Exist,
    Fhir,
    Filter,
    Math,
    Sets,
    Sort,
    Strings,
}

const fn of(family: Family, name: &'static str, least: usize, most: usize) -> Signature {
    Signature { name, least, most, family }
}

/// Sorted by family and name; `is`, `as` and `ofType` take types and are read by the parser.
static FUNCTIONS: &[Signature] = &[
    of(Family::Boundary, "comparable", 1, 1),
    of(Family::Boundary, "highBoundary", 0, 1),
    of(Family::Boundary, "lowBoundary", 0, 1),
    of(Family::Boundary, "precision", 0, 0),
    of(Family::Convert, "convertsToBoolean", 0, 0),
    of(Family::Convert, "convertsToDate", 0, 0),
    of(Family::Convert, "convertsToDateTime", 0, 0),
    of(Family::Convert, "convertsToDecimal", 0, 0),
    of(Family::Convert, "convertsToInteger", 0, 0),
    of(Family::Convert, "convertsToQuantity", 0, 1),
    of(Family::Convert, "convertsToString", 0, 0),
    of(Family::Convert, "convertsToTime", 0, 0),
    of(Family::Convert, "toBoolean", 0, 0),
    of(Family::Convert, "toDate", 0, 0),
    of(Family::Convert, "toDateTime", 0, 0),
    of(Family::Convert, "toDecimal", 0, 0),
    of(Family::Convert, "toInteger", 0, 0),
    of(Family::Convert, "toQuantity", 0, 1),
    of(Family::Convert, "toString", 0, 0),
    of(Family::Convert, "toTime", 0, 0),
    of(Family::Exist, "all", 1, 1),
    of(Family::Exist, "allFalse", 0, 0),
    of(Family::Exist, "allTrue", 0, 0),
    of(Family::Exist, "anyFalse", 0, 0),
    of(Family::Exist, "anyTrue", 0, 0),
    of(Family::Exist, "count", 0, 0),
    of(Family::Exist, "empty", 0, 0),
    of(Family::Exist, "exists", 0, 1),
    of(Family::Exist, "not", 0, 0),
    of(Family::Fhir, "checkModifiers", 0, usize::MAX),
    of(Family::Fhir, "conformsTo", 1, 1),
    of(Family::Fhir, "elementDefinition", 0, 0),
    of(Family::Fhir, "extension", 1, 1),
    of(Family::Fhir, "getValue", 0, 0),
    of(Family::Fhir, "hasValue", 0, 0),
    of(Family::Fhir, "htmlChecks", 0, 0),
    of(Family::Fhir, "memberOf", 1, 1),
    of(Family::Fhir, "now", 0, 0),
    of(Family::Fhir, "resolve", 0, 0),
    of(Family::Fhir, "slice", 2, 2),
    of(Family::Fhir, "subsumedBy", 1, 1),
    of(Family::Fhir, "subsumes", 1, 1),
    of(Family::Fhir, "timeOfDay", 0, 0),
    of(Family::Fhir, "today", 0, 0),
    of(Family::Fhir, "type", 0, 0),
    of(Family::Filter, "aggregate", 1, 2),
    of(Family::Filter, "children", 0, 0),
    of(Family::Filter, "descendants", 0, 0),
    of(Family::Filter, "first", 0, 0),
    of(Family::Filter, "iif", 2, 3),
    of(Family::Filter, "last", 0, 0),
    of(Family::Filter, "repeat", 1, 1),
    of(Family::Filter, "select", 1, 1),
    of(Family::Filter, "single", 0, 0),
    of(Family::Filter, "skip", 1, 1),
    of(Family::Filter, "tail", 0, 0),
    of(Family::Filter, "take", 1, 1),
    of(Family::Filter, "trace", 1, 2),
    of(Family::Filter, "where", 1, 1),
    of(Family::Math, "abs", 0, 0),
    of(Family::Math, "ceiling", 0, 0),
    of(Family::Math, "exp", 0, 0),
    of(Family::Math, "floor", 0, 0),
    of(Family::Math, "ln", 0, 0),
    of(Family::Math, "log", 1, 1),
    of(Family::Math, "power", 1, 1),
    of(Family::Math, "round", 0, 1),
    of(Family::Math, "sqrt", 0, 0),
    of(Family::Math, "truncate", 0, 0),
    of(Family::Sets, "combine", 1, 1),
    of(Family::Sets, "distinct", 0, 0),
    of(Family::Sets, "exclude", 1, 1),
    of(Family::Sets, "intersect", 1, 1),
    of(Family::Sets, "isDistinct", 0, 0),
    of(Family::Sets, "subsetOf", 1, 1),
    of(Family::Sets, "supersetOf", 1, 1),
    of(Family::Sets, "union", 1, 1),
    of(Family::Sort, "sort", 0, usize::MAX),
    of(Family::Strings, "contains", 1, 1),
    of(Family::Strings, "decode", 1, 1),
    of(Family::Strings, "encode", 1, 1),
    of(Family::Strings, "endsWith", 1, 1),
    of(Family::Strings, "escape", 1, 1),
    of(Family::Strings, "indexOf", 1, 1),
    of(Family::Strings, "join", 0, 1),
    of(Family::Strings, "length", 0, 0),
    of(Family::Strings, "lower", 0, 0),
    of(Family::Strings, "matches", 1, 1),
    of(Family::Strings, "matchesFull", 1, 1),
    of(Family::Strings, "replace", 2, 2),
    of(Family::Strings, "replaceMatches", 2, 2),
    of(Family::Strings, "split", 1, 1),
    of(Family::Strings, "startsWith", 1, 1),
    of(Family::Strings, "substring", 1, 2),
    of(Family::Strings, "toChars", 0, 0),
    of(Family::Strings, "trim", 0, 0),
    of(Family::Strings, "unescape", 1, 1),
    of(Family::Strings, "upper", 0, 0),
];

/// The function of this name.
pub(super) fn signature(name: &str) -> Option<&'static Signature> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// A call: what it is called on, and with which arguments. Arguments are evaluated by the function itself, since many
/// do so once for each item.
pub(super) struct Invocation<'s, 'd> {
    pub(super) at: At,
    pub(super) name: &'static str,
    pub(super) focus: Collection<'d>,
    pub(super) args: &'s [Ast],
    pub(super) scope: Scope<'s, 'd>,
}

impl Invocation<'_, '_> {
    pub(super) fn fail(&self, problem: Problem) -> PathError {
        PathError::new(self.at, problem)
    }
}

/// Runs a function.
pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let family = signature(call.name).map(|signature| signature.family);
    match family {
        Some(Family::Boundary) => boundary::call(evaluator, &call),
        Some(Family::Convert) => convert::call(evaluator, &call),
        Some(Family::Exist) => exist::call(evaluator, &call),
        Some(Family::Fhir) => fhir::call(evaluator, &call),
        Some(Family::Filter) => filter::call(evaluator, call),
        Some(Family::Math) => math::call(evaluator, &call),
        Some(Family::Sets) => sets::call(evaluator, call),
        Some(Family::Sort) => sort::call(evaluator, &call),
        Some(Family::Strings) => strings::call(evaluator, &call),
        None => Err(call.fail(Problem::UnknownFunction(call.name.to_owned()))),
    }
}
