//! Codes by value set and by hierarchy: `:in`, `:not-in`, `:above`, `:below` on tokens (R4, section 3.1.1.4.10). The
//! codes are listed here, once, so that engines see nothing but codes.

use super::{Parser, SearchError, SearchProblem, value};
use crate::search::split::unescape;
use crate::search::value_sets::{SystemCode, ValueSetProblem};
use crate::search::{SystemTest, Test, TokenTest, Way};

impl Parser<'_> {
    /// A test for each code of the value sets named.
    pub(super) fn in_value_sets(&self, whole: &str, value: &str) -> Result<Vec<Test>, SearchError> {
        let sets = self.each_value(whole, value, |part| Ok(unescape(part).into_owned()))?;
        let listed = sets.iter().map(|set| self.context.value_sets.members(set));
        self.tests_of(whole, "the value set", listed)
    }

    /// A test for each code above or below those named, these included.
    pub(super) fn subsuming(&self, whole: &str, way: Way, value: &str) -> Result<Vec<Test>, SearchError> {
        let codes = self.each_value(whole, value, |part| match value::token(part) {
            Ok(TokenTest { system: SystemTest::Is(system), code: Some(code) }) => Ok((system, code)),
            _ => {
                let text = "must be system|code: which codes are above and below is told by their system";
                Err(SearchError::new(SearchProblem::BadValue, whole, text))
            }
        })?;
        let sets = self.context.value_sets;
        let listed = codes.iter().map(|(system, code)| match way {
            Way::Below => sets.below(system, code),
            Way::Above => sets.above(system, code),
        });
        self.tests_of(whole, "the code system of this code", listed)
    }

    fn tests_of(
        &self,
        whole: &str,
        what: &str,
        listed: impl Iterator<Item = Result<Vec<SystemCode>, ValueSetProblem>>,
    ) -> Result<Vec<Test>, SearchError> {
        let mut tests = Vec::new();
        for codes in listed {
            let codes = codes.map_err(|problem| {
                let kind = match problem {
                    ValueSetProblem::Unknown | ValueSetProblem::Ambiguous => SearchProblem::BadValue,
                    ValueSetProblem::TooLarge => SearchProblem::TooCostly,
                    ValueSetProblem::NeedsTerminology => SearchProblem::NotSupported,
                    ValueSetProblem::Unavailable => SearchProblem::Unavailable,
                };
                SearchError::new(kind, whole, format!("{what} {problem}"))
            })?;
            Self::spend(&self.tests, codes.len(), whole)?;
            tests.extend(codes.into_iter().map(|(system, code)| {
                Test::Token(TokenTest { system: SystemTest::Is(system), code: Some(code) })
            }));
        }
        Ok(tests)
    }
}
