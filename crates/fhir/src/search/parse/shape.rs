//! Parameters that shape the answer: `_sort`, `_count`, `_total`, `_summary`, `_elements`,
//! `_contained` (R4, section 3.1.1.5).

use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::search::{ContainedGive, ContainedSearch, Param, Query, SortBy, SortKeyOf, Summary, Total};

/// A parameter that is about the answer as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Sort,
    Count,
    Total,
    Summary,
    Elements,
    Contained,
    ContainedType,
}

impl Shape {
    pub(super) fn of(code: &str) -> Option<Self> {
        Some(match code {
            "_sort" => Self::Sort,
            "_count" => Self::Count,
            "_total" => Self::Total,
            "_summary" => Self::Summary,
            "_elements" => Self::Elements,
            "_contained" => Self::Contained,
            "_containedType" => Self::ContainedType,
            _ => return None,
        })
    }
}

impl Parser<'_> {
    pub(super) fn shape(
        &self,
        query: &mut Query,
        shape: Shape,
        name: &str,
        value: &str,
    ) -> Result<(), SearchError> {
        if value.is_empty() {
            return Err(SearchError::new(SearchProblem::EmptyValue, name, "has no value"));
        }
        if query.applied.iter().any(|(applied, _)| applied == name) {
            return Err(SearchError::new(SearchProblem::Repeated, name, "may be given once"));
        }
        let wrong = |text: &str| Err(SearchError::new(SearchProblem::BadValue, name, text));
        match shape {
            Shape::Sort => query.sort = self.sort(&query.kind, name, value)?,
            Shape::Count => match value.parse() {
                Ok(count) => query.count = Some(count),
                Err(_) => return wrong("must be a whole number from 0"),
            },
            Shape::Total => match value {
                "none" => query.total = Total::None,
                "estimate" | "accurate" => query.total = Total::Accurate,
                _ => return wrong("must be none, estimate or accurate"),
            },
            Shape::Summary => match value {
                "true" => query.summary = Summary::True,
                "text" => query.summary = Summary::Text,
                "data" => query.summary = Summary::Data,
                "count" => query.summary = Summary::Count,
                "false" => query.summary = Summary::False,
                _ => return wrong("must be true, text, data, count or false"),
            },
            Shape::Elements => {
                let named = |element: &str| {
                    !element.is_empty()
                        && element.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                };
                let elements: Vec<&str> = value.split(',').collect();
                if elements.len() > self.context.limits.parameters
                    || !elements.iter().all(|element| named(element))
                {
                    return wrong("must be a list of names of elements at the top of the resource");
                }
                query.elements = elements.into_iter().map(str::to_owned).collect();
            }
            Shape::Contained => match value {
                "false" => query.contained.search = ContainedSearch::No,
                "true" => query.contained.search = ContainedSearch::Only,
                "both" => query.contained.search = ContainedSearch::Both,
                _ => return wrong("must be true, both or false"),
            },
            Shape::ContainedType => match value {
                "container" => query.contained.give = ContainedGive::Container,
                "contained" => query.contained.give = ContainedGive::Contained,
                _ => return wrong("must be container or contained"),
            },
        }
        Ok(())
    }

    /// `status,-date,_id`.
    fn sort(&self, kind: &str, name: &str, value: &str) -> Result<Vec<SortKeyOf>, SearchError> {
        let error = |problem, text: &str| SearchError::new(problem, name, text);
        let keys: Vec<&str> = value.split(',').collect();
        let limit = self.context.limits.sort_keys;
        if keys.len() > limit {
            return Err(error(SearchProblem::TooCostly, &format!("may name at most {limit} parameters")));
        }
        let mut sort = Vec::with_capacity(keys.len());
        for key in keys {
            let (code, descending) = key.strip_prefix('-').map_or((key, false), |code| (code, true));
            let by = self.sort_by(kind, name, code, 0)?;
            sort.push(SortKeyOf { by, descending });
        }
        Ok(sort)
    }

    /// A parameter, or one at the end of a chain: `subject:Patient.name`; `subject.name` when that can mean one type.
    fn sort_by(&self, kind: &str, name: &str, code: &str, depth: usize) -> Result<SortBy, SearchError> {
        let error = |problem, text: &str| Err(SearchError::new(problem, name, text));
        let limit = self.context.limits.depth;
        if depth > limit {
            return error(SearchProblem::TooCostly, &format!("chains may be at most {limit} deep"));
        }
        Self::spend(&self.conditions, 1, name)?;
        if let Some((link, rest)) = code.split_once('.') {
            return self.sort_chain(kind, name, (link, rest), depth);
        }
        match code {
            "" => error(SearchProblem::BadValue, "names an empty parameter"),
            "_id" => Ok(SortBy::Id),
            "_lastUpdated" => Ok(SortBy::LastUpdated),
            _ => match self.ready(kind, name, code)? {
                None => error(SearchProblem::UnknownParameter, "names no search parameter of this kind"),
                Some(found) if matches!(found.kind, ParamType::Composite | ParamType::Special) => {
                    error(SearchProblem::BadValue, "composite and special parameters have no order")
                }
                Some(_) => Ok(SortBy::Param(Param { kind: kind.to_owned(), code: code.to_owned() })),
            },
        }
    }

    fn sort_chain(
        &self,
        kind: &str,
        name: &str,
        (link, rest): (&str, &str),
        depth: usize,
    ) -> Result<SortBy, SearchError> {
        let error = |problem, text: &str| Err(SearchError::new(problem, name, text));
        let (code, asked) = link.split_once(':').map_or((link, None), |(code, kind)| (code, Some(kind)));
        let Some(parameter) = self.ready(kind, name, code)? else {
            return error(SearchProblem::UnknownParameter, "names no search parameter of this kind");
        };
        let targets = self.targets(&parameter);
        if parameter.kind != ParamType::Reference || asked.is_some_and(|asked| !targets.contains(&asked)) {
            return error(
                SearchProblem::BadValue,
                "chains go through references, to types these may point to",
            );
        }
        let mut found = Vec::new();
        let mut why = None;
        for target in targets.into_iter().filter(|target| asked.is_none_or(|asked| asked == *target)) {
            match self.sort_by(target, name, rest, depth + 1) {
                Ok(by) => found.push((target.to_owned(), by)),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => why = Some(error),
            }
        }
        let param = Param { kind: kind.to_owned(), code: code.to_owned() };
        match (found.len(), why) {
            (1, _) => {
                let (target, by) = found.remove(0);
                Ok(SortBy::Chain { param, target, by: Box::new(by) })
            }
            (0, Some(error)) => Err(error),
            _ => error(
                SearchProblem::BadValue,
                "can lead to several types: name one, as in subject:Patient.name",
            ),
        }
    }
}
