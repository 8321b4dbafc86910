//! The comparisons of `_filter` (R4, `search_filter.html`, table of operators).

use std::borrow::Cow;

use super::Expressions;
use crate::index::ParamType;
use crate::reference::is_id;
use crate::search::parameters::Parameter;
use crate::search::parse::modifier::Modifier;
use crate::search::parse::number::{number_with, quantity_with};
use crate::search::parse::value::string;
use crate::search::parse::{Parser, SearchError, SearchProblem};
use crate::search::{DateTest, Filter, Param, Prefix, StringMode, Test, Way};

/// An operator and what it compares with.
pub(super) struct Comparison {
    operator: Operator,
    /// The operator as it was written.
    name: String,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// `eq` `ne` `gt` `lt` `ge` `le` `ap` `sa` `eb`.
    Ordered(Prefix),
    /// `co` `sw` `ew`.
    Text(StringMode),
    /// `pr`: there is a value, or none.
    Present,
    /// `po`: periods overlap.
    Overlaps,
    /// `ss`: the value subsumes the record's code; `sb`: is subsumed by it.
    Subsumes(Way),
    /// `in`, `ni`.
    In { not: bool },
    /// `re`: refers to.
    Refers,
}

impl Comparison {
    pub(super) fn new(name: &str, value: Cow<'_, str>) -> Option<Self> {
        let operator = match name {
            "eq" => Operator::Ordered(Prefix::Eq),
            "ne" => Operator::Ordered(Prefix::Ne),
            "gt" => Operator::Ordered(Prefix::Gt),
            "lt" => Operator::Ordered(Prefix::Lt),
            "ge" => Operator::Ordered(Prefix::Ge),
            "le" => Operator::Ordered(Prefix::Le),
            "ap" => Operator::Ordered(Prefix::Ap),
            "sa" => Operator::Ordered(Prefix::Sa),
            "eb" => Operator::Ordered(Prefix::Eb),
            "co" => Operator::Text(StringMode::Contains),
            "sw" => Operator::Text(StringMode::Starts),
            "ew" => Operator::Text(StringMode::Ends),
            "pr" => Operator::Present,
            "po" => Operator::Overlaps,
            "ss" => Operator::Subsumes(Way::Below),
            "sb" => Operator::Subsumes(Way::Above),
            "in" => Operator::In { not: false },
            "ni" => Operator::In { not: true },
            "re" => Operator::Refers,
            _ => return None,
        };
        Some(Self { operator, name: name.to_owned(), value: value.into_owned() })
    }
}

impl Expressions<'_, '_> {
    /// A comparison with the values of one parameter.
    pub(super) fn compare(
        &self,
        kind: &str,
        code: &str,
        comparison: &Comparison,
    ) -> Result<Filter, SearchError> {
        if code == "_id" || code == "_lastUpdated" {
            return self.compare_own(code, comparison);
        }
        let parameter = self.parser.find(kind, self.whole, code)?;
        let param = Param { kind: kind.to_owned(), code: code.to_owned() };
        let value = &comparison.value;
        match comparison.operator {
            Operator::Present => Ok(Filter::Missing { param, missing: !self.truth(value)? }),
            Operator::In { not } if parameter.kind == ParamType::Token => {
                let tests = self.parser.in_value_sets(self.whole, &escaped(value))?;
                Ok(if not { Filter::None { param, tests } } else { Filter::Any { param, tests } })
            }
            Operator::Subsumes(way) if parameter.kind == ParamType::Token => {
                let tests = self.parser.subsuming(self.whole, way, &value.replace(',', "\\,"))?;
                Ok(Filter::Any { param, tests })
            }
            operator => {
                // `eq` is what a value without prefix asks for. Other operators are no comparators.
                if matches!(operator, Operator::Ordered(prefix) if prefix != Prefix::Eq) {
                    Parser::check_comparator(&parameter, &comparison.name, self.whole)?;
                }
                Parser::spend(&self.parser.tests, 1, self.whole)?;
                Ok(Filter::Any { param, tests: vec![self.test(&parameter, operator, value)?] })
            }
        }
    }

    fn test(&self, parameter: &Parameter<'_>, operator: Operator, value: &str) -> Result<Test, SearchError> {
        let wrong = |text| SearchError::new(SearchProblem::BadValue, self.whole, text);
        let test = match (parameter.kind, operator) {
            (ParamType::Date, Operator::Ordered(prefix)) => {
                self.parser.date_with(prefix, value).map(Test::Date).map_err(wrong)?
            }
            (ParamType::Date, Operator::Overlaps) => {
                // What `ap` does when nothing is widened.
                let test = self.parser.date_with(Prefix::Eq, value).map_err(wrong)?;
                Test::Date(DateTest { prefix: Prefix::Ap, ..test })
            }
            (ParamType::Number, Operator::Ordered(prefix)) => {
                number_with(prefix, value).map(Test::Number).map_err(wrong)?
            }
            (ParamType::Quantity, Operator::Ordered(prefix)) => {
                quantity_with(prefix, value).map(Test::Quantity).map_err(wrong)?
            }
            (ParamType::String, Operator::Text(mode)) => {
                string(&escaped(value), mode).map(Test::String).map_err(wrong)?
            }
            (ParamType::String, Operator::Ordered(prefix @ (Prefix::Eq | Prefix::Ne))) => {
                let test = string(&escaped(value), StringMode::Whole).map_err(wrong)?;
                equal(Test::String(test), prefix)
            }
            (
                ParamType::Token | ParamType::Uri | ParamType::Reference,
                Operator::Ordered(prefix @ (Prefix::Eq | Prefix::Ne)),
            ) => equal(self.parser.test(parameter, Modifier::None, self.whole, value)?, prefix),
            (ParamType::Reference, Operator::Refers) => {
                self.parser.test(parameter, Modifier::None, self.whole, value)?
            }
            (ParamType::Composite | ParamType::Special, _) => {
                let text = "composite and special parameters cannot be compared in _filter";
                return Err(SearchError::new(SearchProblem::NotSupported, self.whole, text));
            }
            _ => return Err(wrong("uses an operator that is not for this type of parameter")),
        };
        Ok(test)
    }

    /// `_id` and `_lastUpdated`, which every record has.
    fn compare_own(&self, code: &str, comparison: &Comparison) -> Result<Filter, SearchError> {
        let wrong = |text| SearchError::new(SearchProblem::BadValue, self.whole, text);
        let value = &comparison.value;
        match (code, comparison.operator) {
            (_, Operator::Present) => {
                Ok(if self.truth(value)? { Filter::And(Vec::new()) } else { Filter::Or(Vec::new()) })
            }
            ("_id", Operator::Ordered(prefix @ (Prefix::Eq | Prefix::Ne))) => {
                if !is_id(value) {
                    return Err(wrong("compares _id with something that is no id"));
                }
                let found = Filter::Id(vec![value.clone()]);
                Ok(if prefix == Prefix::Eq { found } else { Filter::Not(Box::new(found)) })
            }
            ("_lastUpdated", Operator::Ordered(prefix)) => {
                Ok(Filter::LastUpdated(vec![self.parser.date_with(prefix, value).map_err(wrong)?]))
            }
            ("_lastUpdated", Operator::Overlaps) => {
                Ok(Filter::LastUpdated(vec![self.parser.date_with(Prefix::Eq, value).map_err(wrong)?]))
            }
            _ => Err(wrong("uses an operator that is not for this type of parameter")),
        }
    }

    fn truth(&self, value: &str) -> Result<bool, SearchError> {
        match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(SearchError::new(SearchProblem::BadValue, self.whole, "after pr must be true or false")),
        }
    }
}

/// `ne` asks for a value that is another one, not for the absence of this one.
fn equal(test: Test, prefix: Prefix) -> Test {
    if prefix == Prefix::Ne { Test::Unequal(Box::new(test)) } else { test }
}

/// Text that means itself where separators have a meaning: here they have none.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, ',' | '|' | '$' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}
