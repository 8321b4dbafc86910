//! Names: parameters, chains and `_has` (R4, sections 3.1.1.4.4 and 3.1.1.4.16).

use super::modifier::Modifier;
use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::search::parameters::Parameter;
use crate::search::split::split;
use crate::search::{Filter, Param, Test, UriMode, UriTest};

/// Parameters of R4 that narrow the answer and are not here: passing over one would answer more than was asked.
const NOT_YET: [(&str, &str); 4] = [
    ("_query", "named queries are not supported"),
    ("_at", "is not supported in searches"),
    ("_score", "is not supported"),
    ("_type", "belongs to searches over several types: [base]?_type=…"),
];

impl Parser<'_> {
    /// The condition that `name=value` puts on records of `kind`; `whole` is the name from its beginning.
    pub(super) fn filter(
        &self,
        kind: &str,
        whole: &str,
        name: &str,
        value: &str,
        depth: usize,
    ) -> Result<Filter, SearchError> {
        let limit = self.context.limits.depth;
        if depth > limit {
            let text = format!("chains and _has may be at most {limit} deep");
            return Err(SearchError::new(SearchProblem::TooCostly, whole, text));
        }
        Self::spend(&self.conditions, 1, whole)?;
        if let Some(rest) = name.strip_prefix("_has:") {
            return self.has(kind, whole, rest, value, depth);
        }
        if let Some((link, rest)) = name.split_once('.') {
            return self.chain(kind, whole, (link, rest), value, depth);
        }
        let (code, modifier) = name.split_once(':').map_or((name, None), |(code, rest)| (code, Some(rest)));
        match code {
            "_id" | "_lastUpdated" => self.own_column(whole, (code, modifier), value),
            "_list" | "_text" | "_content" | "_filter" if modifier.is_some() => {
                Err(SearchError::new(SearchProblem::UnknownModifier, whole, "takes no modifier"))
            }
            "_list" => self.list(kind, whole, value),
            "_text" | "_content" => self.words(kind, whole, code, value),
            "_filter" => self.expression(kind, whole, value, depth),
            _ => self.condition(kind, whole, (code, modifier), value),
        }
    }

    fn condition(
        &self,
        kind: &str,
        whole: &str,
        (code, modifier): (&str, Option<&str>),
        value: &str,
    ) -> Result<Filter, SearchError> {
        let parameter = self.find(kind, whole, code)?;
        let modifier = self.modifier(&parameter, whole, modifier)?;
        let param = Param { kind: kind.to_owned(), code: code.to_owned() };
        if modifier == Modifier::Missing {
            return match value {
                "true" => Ok(Filter::Missing { param, missing: true }),
                "false" => Ok(Filter::Missing { param, missing: false }),
                "" => Err(SearchError::new(SearchProblem::EmptyValue, whole, "has no value")),
                _ => Err(SearchError::new(
                    SearchProblem::BadValue,
                    whole,
                    "with :missing must be true or false",
                )),
            };
        }
        Self::check_values(&parameter, value, whole)?;
        let tests = match modifier {
            Modifier::In | Modifier::NotIn => self.in_value_sets(whole, value)?,
            Modifier::Way(way) if parameter.kind == ParamType::Token => self.subsuming(whole, way, value)?,
            Modifier::Way(way) => return self.tree(&param, &parameter, way, whole, value),
            _ => self.each_value(whole, value, |part| self.test(&parameter, modifier, whole, part))?,
        };
        let is_range = |test: &&Test| {
            !matches!(
                test,
                Test::Token(_)
                    | Test::Reference(_)
                    | Test::Identifier(_)
                    | Test::OfType { .. }
                    | Test::Uri(UriTest { mode: UriMode::Exact, .. })
            )
        };
        let limit = self.context.limits.ranges;
        if tests.iter().filter(is_range).count() > limit {
            let text = format!("may have at most {limit} values of its type");
            return Err(SearchError::new(SearchProblem::TooCostly, whole, text));
        }
        Ok(match modifier {
            Modifier::Not | Modifier::NotIn => Filter::None { param, tests },
            _ => Filter::Any { param, tests },
        })
    }

    /// The parameter of this code, which must be one that is asked by its values.
    pub(super) fn find(&self, kind: &str, whole: &str, code: &str) -> Result<Parameter<'_>, SearchError> {
        if let Some((_, text)) = NOT_YET.iter().find(|(known, _)| *known == code) {
            return Err(SearchError::new(SearchProblem::NotSupported, whole, *text));
        }
        self.ready(kind, whole, code)?.ok_or_else(|| {
            let text = "is no search parameter of this kind of record";
            SearchError::new(SearchProblem::UnknownParameter, whole, text)
        })
    }

    /// The parameter of this code, if there is one; refused while not all records are indexed by it.
    pub(super) fn ready(
        &self,
        kind: &str,
        whole: &str,
        code: &str,
    ) -> Result<Option<Parameter<'_>>, SearchError> {
        let found = self.context.parameters.find(kind, code);
        match found.as_ref().and_then(|found| found.indexing) {
            Some(indexing) => {
                let text = format!("the parameter {code} of {kind} {indexing}");
                Err(SearchError::new(SearchProblem::NotReady, whole, text))
            }
            None => Ok(found),
        }
    }

    /// `subject:Patient.name`, `subject.name`.
    fn chain(
        &self,
        kind: &str,
        whole: &str,
        (link, rest): (&str, &str),
        value: &str,
        depth: usize,
    ) -> Result<Filter, SearchError> {
        let (code, modifier) = link.split_once(':').map_or((link, None), |(code, rest)| (code, Some(rest)));
        let parameter = self.find(kind, whole, code)?;
        if parameter.kind != ParamType::Reference {
            let text = "chains go through reference parameters only";
            return Err(SearchError::new(SearchProblem::BadValue, whole, text));
        }
        let param = Param { kind: kind.to_owned(), code: code.to_owned() };
        match self.modifier(&parameter, whole, modifier)? {
            Modifier::Type(target) => {
                let filter = self.filter(target, whole, rest, value, depth + 1)?;
                return Ok(Filter::Chain { param, targets: vec![(target.to_owned(), filter)] });
            }
            Modifier::None => {}
            _ => {
                let text = "inside a chain only a type may follow the colon";
                return Err(SearchError::new(SearchProblem::UnknownModifier, whole, text));
            }
        }
        self.each_target(&parameter, param, |target| self.filter(target, whole, rest, value, depth + 1))
    }

    /// A chain without type: every kind that the rest makes sense for is meant. What goes wrong is told only if it does
    /// for none.
    pub(super) fn each_target(
        &self,
        parameter: &Parameter<'_>,
        param: Param,
        mut rest: impl FnMut(&str) -> Result<Filter, SearchError>,
    ) -> Result<Filter, SearchError> {
        let mut targets = Vec::new();
        let mut why = None;
        for target in self.targets(parameter) {
            match rest(target) {
                Ok(filter) => targets.push((target.to_owned(), filter)),
                Err(error) if error.is_final() => return Err(error),
                Err(error) if error.problem == SearchProblem::UnknownParameter => {
                    why.get_or_insert(error);
                }
                Err(error) => why = Some(error),
            }
        }
        match why {
            Some(error) if targets.is_empty() => Err(error),
            _ => Ok(Filter::Chain { param, targets }),
        }
    }

    /// `Observation:patient:code` after `_has:`.
    fn has(
        &self,
        kind: &str,
        whole: &str,
        rest: &str,
        value: &str,
        depth: usize,
    ) -> Result<Filter, SearchError> {
        let error = |problem, text: &str| Err(SearchError::new(problem, whole, text));
        let mut parts = rest.splitn(3, ':');
        let (Some(other), Some(code), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return error(SearchProblem::BadValue, "must be _has:Type:reference:parameter");
        };
        if !self.context.parameters.has_kind(other) {
            return error(SearchProblem::UnknownParameter, "names a type that does not exist");
        }
        let parameter = self.find(other, whole, code)?;
        let points_here = parameter.targets.is_empty() || parameter.targets.contains(&kind);
        if parameter.kind != ParamType::Reference || !points_here {
            return error(
                SearchProblem::BadValue,
                "must go through a reference parameter that can point to this type",
            );
        }
        let filter = Box::new(self.filter(other, whole, rest, value, depth + 1)?);
        Ok(Filter::Has { param: Param { kind: other.to_owned(), code: code.to_owned() }, filter })
    }

    /// The kinds a reference may point to.
    pub(super) fn targets<'p>(&'p self, parameter: &Parameter<'p>) -> Vec<&'p str> {
        if parameter.targets.is_empty() { self.context.parameters.kinds() } else { parameter.targets.clone() }
    }

    /// Reads every alternative; when handling is lenient, empty ones are passed over as long as one is left.
    pub(super) fn each_value<T>(
        &self,
        whole: &str,
        value: &str,
        mut read: impl FnMut(&str) -> Result<T, SearchError>,
    ) -> Result<Vec<T>, SearchError> {
        let limit = self.context.limits.values;
        let mut values = Vec::new();
        for part in split(value, b',') {
            if part.trim().is_empty() {
                if self.context.strict {
                    return Err(SearchError::new(SearchProblem::EmptyValue, whole, "has an empty value"));
                }
                continue;
            }
            if values.len() == limit {
                let text = format!("may have at most {limit} values");
                return Err(SearchError::new(SearchProblem::TooCostly, whole, text));
            }
            values.push(read(part)?);
        }
        if values.is_empty() {
            return Err(SearchError::new(SearchProblem::EmptyValue, whole, "has no value"));
        }
        Self::spend(&self.tests, values.len(), whole)?;
        Ok(values)
    }
}
