//! Parameters that shape the answer: `_sort`, `_count`, `_total`, `_summary`, `_elements` (R4, section 3.1.1.5).

use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::search::{Param, Query, SortBy, SortKeyOf, Summary, Total};

/// A parameter that is about the answer as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Sort,
    Count,
    Total,
    Summary,
    Elements,
    Contained,
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
            Shape::Contained if value == "false" => {}
            Shape::Contained => {
                let text = "searching contained resources is not supported yet";
                return Err(SearchError::new(SearchProblem::NotSupported, name, text));
            }
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
            let by = match code {
                "" => return Err(error(SearchProblem::BadValue, "names an empty parameter")),
                "_id" => SortBy::Id,
                "_lastUpdated" => SortBy::LastUpdated,
                _ if code.contains(['.', ':']) => {
                    return Err(error(
                        SearchProblem::NotSupported,
                        "sorting by chained parameters is not supported yet",
                    ));
                }
                _ => match self.context.parameters.find(kind, code) {
                    None => {
                        return Err(error(
                            SearchProblem::UnknownParameter,
                            "names no search parameter of this kind",
                        ));
                    }
                    Some(found) if matches!(found.kind, ParamType::Composite | ParamType::Special) => {
                        return Err(error(
                            SearchProblem::BadValue,
                            "composite and special parameters have no order",
                        ));
                    }
                    Some(_) => SortBy::Param(Param { kind: kind.to_owned(), code: code.to_owned() }),
                },
            };
            sort.push(SortKeyOf { by, descending });
        }
        Ok(sort)
    }
}
