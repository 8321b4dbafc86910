//! `_filter`: expressions over search parameters (R4, `search_filter.html`).
//!
//! `and` and `or` have no precedence: without parentheses they are read from left to right, as R4 says. A path may have
//! the type of a target in it, as names of chains do: `subject:Patient.name co "kim"`.

mod compare;
mod read;

use super::modifier::Modifier;
use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::search::{Filter, Param};
use compare::Comparison;
use read::{Link, Reader};

/// Parentheses and brackets one inside another.
const MOST_NESTING: usize = 16;

impl Parser<'_> {
    pub(super) fn expression(
        &self,
        kind: &str,
        whole: &str,
        text: &str,
        depth: usize,
    ) -> Result<Filter, SearchError> {
        if text.trim().is_empty() {
            return Err(SearchError::new(SearchProblem::EmptyValue, whole, "has no value"));
        }
        Expressions { parser: self, whole }.filter(kind, text, depth, 0)
    }
}

/// One `_filter`.
struct Expressions<'p, 'c> {
    parser: &'p Parser<'c>,
    /// The name of the parameter, for errors.
    whole: &'p str,
}

impl Expressions<'_, '_> {
    /// A whole text as one condition.
    fn filter(&self, kind: &str, text: &str, depth: usize, nesting: usize) -> Result<Filter, SearchError> {
        let mut reader = Reader::new(text);
        let filter = self.logical(&mut reader, kind, depth, nesting)?;
        if reader.at_end() { Ok(filter) } else { Err(self.syntax("expected and, or, or the end")) }
    }

    /// `x and y or z`, from left to right.
    fn logical(
        &self,
        reader: &mut Reader<'_>,
        kind: &str,
        depth: usize,
        nesting: usize,
    ) -> Result<Filter, SearchError> {
        if nesting > MOST_NESTING {
            let text = format!("parentheses and brackets may be at most {MOST_NESTING} deep");
            return Err(SearchError::new(SearchProblem::TooCostly, self.whole, text));
        }
        let mut left = self.one(reader, kind, depth, nesting)?;
        loop {
            left = if reader.takes_word("and") {
                let right = self.one(reader, kind, depth, nesting)?;
                match left {
                    Filter::And(mut parts) => {
                        parts.push(right);
                        Filter::And(parts)
                    }
                    left => Filter::And(vec![left, right]),
                }
            } else if reader.takes_word("or") {
                let right = self.one(reader, kind, depth, nesting)?;
                match left {
                    Filter::Or(mut parts) => {
                        parts.push(right);
                        Filter::Or(parts)
                    }
                    left => Filter::Or(vec![left, right]),
                }
            } else {
                return Ok(left);
            };
        }
    }

    /// `(x)`, `not (x)` or a comparison.
    fn one(
        &self,
        reader: &mut Reader<'_>,
        kind: &str,
        depth: usize,
        nesting: usize,
    ) -> Result<Filter, SearchError> {
        let negated = reader.takes_not();
        if negated || reader.takes('(') {
            let inner = self.logical(reader, kind, depth, nesting + 1)?;
            if !reader.takes(')') {
                return Err(self.syntax("expected a closing parenthesis"));
            }
            return Ok(if negated { Filter::Not(Box::new(inner)) } else { inner });
        }
        let path = reader.path().ok_or_else(|| self.syntax("expected the name of a parameter"))?;
        let operator = reader.word().unwrap_or_default();
        let value =
            reader.value().ok_or_else(|| self.syntax("expected an operator and a value after a name"))?;
        let comparison = Comparison::new(operator, value)
            .ok_or_else(|| self.syntax("uses an operator that does not exist"))?;
        self.along(kind, &path, &comparison, depth, nesting)
    }

    /// A comparison at the end of a path.
    fn along(
        &self,
        kind: &str,
        path: &[Link<'_>],
        comparison: &Comparison,
        depth: usize,
        nesting: usize,
    ) -> Result<Filter, SearchError> {
        let limit = self.parser.context.limits.depth;
        if depth > limit {
            let text = format!("paths may be at most {limit} deep");
            return Err(SearchError::new(SearchProblem::TooCostly, self.whole, text));
        }
        Parser::spend(&self.parser.conditions, 1, self.whole)?;
        let (link, rest) = path.split_first().ok_or_else(|| self.syntax("expected a name"))?;
        if rest.is_empty() {
            return self.compare(kind, link.name, comparison);
        }
        let parameter = self.parser.find(kind, self.whole, link.name)?;
        if parameter.kind != ParamType::Reference {
            let text = "paths go through reference parameters only";
            return Err(SearchError::new(SearchProblem::BadValue, self.whole, text));
        }
        let step = |target: &str| {
            let end = self.along(target, rest, comparison, depth + 1, nesting)?;
            let Some(condition) = link.condition else { return Ok(end) };
            Ok(Filter::And(vec![self.filter(target, condition, depth + 1, nesting + 1)?, end]))
        };
        let param = Param { kind: kind.to_owned(), code: link.name.to_owned() };
        match self.parser.modifier(&parameter, self.whole, link.kind)? {
            Modifier::Type(target) => {
                Ok(Filter::Chain { param, targets: vec![(target.to_owned(), step(target)?)] })
            }
            Modifier::None => self.parser.each_target(&parameter, param, step),
            _ => Err(self.syntax("after a colon only a type may stand")),
        }
    }

    fn syntax(&self, text: &str) -> SearchError {
        SearchError::new(SearchProblem::BadValue, self.whole, format!("cannot be read: {text}"))
    }
}
