//! From the names and values of a URL to a checked [`Query`] (R4, section 3.1.1).
//!
//! Unknown parameters, and what the definition of a parameter does not allow, are refused when handling is strict, and
//! otherwise left out of [`Query::applied`]. Modifiers that are unknown or not supported yet are always refused, as R4
//! (3.1.1.4.4) demands, and so are values that cannot be read.
//! No text here repeats a value searched for: values are patient data.

mod allowed;
mod codes;
mod expression;
mod filter;
mod include;
mod modifier;
mod number;
mod shape;
mod special;
mod system;
mod tree;
mod value;

use std::cell::Cell;

pub use system::parse_system;

use super::parameters::Parameters;
use super::value_sets::ValueSets;
use super::{ContainedGive, ContainedSearch, Query, R4, SortBy};

/// What a search may cost at most before it is even run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Parameters in one search.
    pub parameters: usize,
    /// Alternatives (commas) in one parameter.
    pub values: usize,
    /// The same where each is a stretch to look through: text, dates, numbers.
    pub ranges: usize,
    /// Keys of `_sort`: each is a table to join.
    pub sort_keys: usize,
    /// Letters of one text to compare with.
    pub letters: usize,
    /// Links of a chain, and `_has`, one inside another.
    pub depth: usize,
    /// Conditions in all, after a chain without type has been followed to every kind it may lead to.
    pub conditions: usize,
    /// Comparisons in all, likewise.
    pub tests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parameters: 100,
            values: 10_000,
            ranges: 500,
            sort_keys: 10,
            letters: 1_000,
            depth: 8,
            conditions: 1_000,
            tests: 1_000_000,
        }
    }
}

/// What the parser must know beside names and values.
#[derive(Clone, Copy)]
pub struct ParseContext<'c> {
    /// Which parameters there are.
    pub parameters: &'c dyn Parameters,
    /// What is in value sets, and which codes subsume which.
    pub value_sets: &'c dyn ValueSets,
    /// This server's addresses, so that references written with one of them are local.
    pub bases: &'c [String],
    /// The time now, for `ap`.
    pub now_micros: i64,
    /// `Prefer: handling=strict`: refuse what would otherwise be ignored.
    pub strict: bool,
    /// Limits in force.
    pub limits: Limits,
}

impl<'c> ParseContext<'c> {
    /// For the resource types and parameters of R4 and KR Core, with the usual limits.
    #[must_use]
    pub fn r4(bases: &'c [String], now_micros: i64, strict: bool) -> Self {
        Self { parameters: &R4, value_sets: &R4, bases, now_micros, strict, limits: Limits::default() }
    }
}

/// Why a search is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchProblem {
    /// No such kind of record.
    UnknownKind,
    /// No such parameter on this kind.
    UnknownParameter,
    /// The modifier does not exist, or not for this type of parameter.
    UnknownModifier,
    /// The SearchParameter that defines the parameter does not list it.
    NotAllowed,
    /// R4 has it; this server has not, so far.
    NotSupported,
    /// The value cannot be read.
    BadValue,
    /// The value is empty.
    EmptyValue,
    /// Given twice where one is allowed.
    Repeated,
    /// Beyond one of [`Limits`].
    TooCostly,
    /// The parameter is new, and not all records are indexed by it yet.
    NotReady,
    /// What the question refers to cannot be read just now.
    Unavailable,
}

/// One reason why a search is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("search parameter {parameter}: {text}")]
pub struct SearchError {
    /// What is wrong.
    pub problem: SearchProblem,
    /// The parameter's name as given, when it looks like one.
    pub parameter: String,
    /// For people: what is wrong and what to do, without the value.
    pub text: String,
}

impl SearchError {
    fn new(problem: SearchProblem, name: &str, text: impl Into<String>) -> Self {
        // A name that looks like none could be a value in the wrong place.
        let legible = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte);
        let parameter = if name.len() <= 128 && name.bytes().all(legible) { name } else { "(not legible)" };
        Self { problem, parameter: parameter.to_owned(), text: text.into() }
    }

    /// Whether a question with several meanings is refused although others of its meanings could be asked: leaving one
    /// out would answer a part.
    fn is_final(&self) -> bool {
        use SearchProblem::{NotReady, TooCostly, Unavailable};
        matches!(self.problem, TooCostly | NotReady | Unavailable)
    }
}

/// Parameters that say how the answer is written; others read them.
const IGNORED: [&str; 2] = ["_format", "_pretty"];

/// Reads a search on `kind`. Names and values are those of the URL or form, decoded.
///
/// # Errors
/// Every reason found why this is no search we can run.
pub fn parse(
    kind: &str,
    pairs: &[(String, String)],
    context: &ParseContext<'_>,
) -> Result<Query, Vec<SearchError>> {
    if !context.parameters.has_kind(kind) {
        return Err(vec![SearchError::new(
            SearchProblem::UnknownKind,
            "",
            "there is no such kind of record",
        )]);
    }
    let limit = context.limits.parameters;
    if pairs.len() > limit {
        let text = format!("a search may have at most {limit} parameters, this one has {}", pairs.len());
        return Err(vec![SearchError::new(SearchProblem::TooCostly, "", text)]);
    }
    let parser = Parser {
        context,
        conditions: Cell::new(context.limits.conditions),
        tests: Cell::new(context.limits.tests),
    };
    let mut query = Query { kind: kind.to_owned(), ..Query::default() };
    let mut errors = Vec::new();
    for (name, value) in pairs {
        if IGNORED.contains(&name.as_str()) {
            continue;
        }
        match parser.take(&mut query, name, value) {
            Ok(()) => query.applied.push((name.clone(), value.clone())),
            Err(error) if parser.may_ignore(&error) => {}
            Err(error) => errors.push(error),
        }
    }
    errors.extend(order_of_containers(&query));
    if errors.is_empty() { Ok(query) } else { Err(errors) }
}

/// A record that is found for what it contains has no values of the searched kind to be ordered by.
fn order_of_containers(query: &Query) -> Option<SearchError> {
    let contained = query.contained;
    let containers = contained.search != ContainedSearch::No && contained.give == ContainedGive::Container;
    let ordered = query.sort.iter().any(|key| key.by != SortBy::LastUpdated);
    (containers && ordered).then(|| {
        let text = "containers can be ordered by _lastUpdated only; or ask for _containedType=contained";
        SearchError::new(SearchProblem::NotSupported, "_sort", text)
    })
}

/// One run of the parser.
struct Parser<'c> {
    context: &'c ParseContext<'c>,
    /// Conditions still allowed.
    conditions: Cell<usize>,
    /// Comparisons still allowed.
    tests: Cell<usize>,
}

impl Parser<'_> {
    /// Adds what one name and value ask for to the query.
    fn take(&self, query: &mut Query, name: &str, value: &str) -> Result<(), SearchError> {
        let (code, modifier) = name.split_once(':').map_or((name, None), |(code, rest)| (code, Some(rest)));
        if let Some(shape) = shape::Shape::of(code) {
            if modifier.is_some() {
                return Err(SearchError::new(SearchProblem::UnknownModifier, name, "takes no modifier"));
            }
            return self.shape(query, shape, name, value);
        }
        match code {
            "_include" => self.include(query, name, modifier, value, false),
            "_revinclude" => self.include(query, name, modifier, value, true),
            _ => {
                self.check_repetition(query, name)?;
                let filter = self.filter(&query.kind, name, name, value, 0)?;
                query.filters.push(filter);
                Ok(())
            }
        }
    }

    /// Lenient handling passes over unknown parameters, empty values, and what a definition does not allow; and nothing
    /// else.
    fn may_ignore(&self, error: &SearchError) -> bool {
        use SearchProblem::{EmptyValue, NotAllowed, UnknownParameter};
        !self.context.strict && matches!(error.problem, UnknownParameter | EmptyValue | NotAllowed)
    }

    fn spend(counter: &Cell<usize>, amount: usize, name: &str) -> Result<(), SearchError> {
        match counter.get().checked_sub(amount) {
            Some(left) => {
                counter.set(left);
                Ok(())
            }
            None => {
                let text = "leads to more comparisons than one search may have; name the type in chains \
                            (subject:Patient.name), or ask for fewer values at once";
                Err(SearchError::new(SearchProblem::TooCostly, name, text))
            }
        }
    }
}
