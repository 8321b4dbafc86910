//! Values: one alternative of a parameter as a [`Test`] (R4, section 3.1.1.4).

use std::borrow::Cow;

use super::filter::Modifier;
use super::{Parser, SearchError, SearchProblem};
use crate::date;
use crate::decimal::Decimal;
use crate::index::{ParamType, Target};
use crate::reference;
use crate::search::parameters::Parameter;
use crate::search::split::{split, split_once, unescape};
use crate::search::{
    DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, StringMode, StringTest, SystemTest, Test,
    TokenTest, UnitTest,
};
use crate::text;

impl Parser<'_> {
    /// What one value of the parameter asks for.
    pub(super) fn test(
        &self,
        parameter: &Parameter<'_>,
        modifier: Modifier<'_>,
        whole: &str,
        part: &str,
    ) -> Result<Test, SearchError> {
        let letters = self.context.limits.letters;
        if parameter.kind == ParamType::String && part.chars().nth(letters).is_some() {
            let text = format!("may have at most {letters} letters");
            return Err(SearchError::new(SearchProblem::TooCostly, whole, text));
        }
        let mode = if let Modifier::String(mode) = modifier { mode } else { StringMode::Starts };
        match parameter.kind {
            ParamType::Token => token(part).map(Test::Token),
            ParamType::String => string(part, mode).map(Test::String),
            ParamType::Reference => {
                return self.reference(parameter, modifier, whole, part).map(Test::Reference);
            }
            ParamType::Date => self.date(part).map(Test::Date),
            ParamType::Number => number(part).map(Test::Number),
            ParamType::Quantity => quantity(part).map(Test::Quantity),
            ParamType::Uri => Ok(Test::Uri(unescape(part).into_owned())),
            ParamType::Composite | ParamType::Special => {
                Err("composite and special parameters are not supported yet")
            }
        }
        .map_err(|text| SearchError::new(SearchProblem::BadValue, whole, text))
    }

    /// `_id`: a list of ids.
    pub(super) fn ids(&self, whole: &str, value: &str) -> Result<Vec<String>, SearchError> {
        self.each_value(whole, value, |part| {
            if reference::is_id(part) {
                Ok(part.to_owned())
            } else {
                let text = "must be ids: up to 64 letters, digits, hyphens and points";
                Err(SearchError::new(SearchProblem::BadValue, whole, text))
            }
        })
    }

    /// `_lastUpdated`.
    pub(super) fn dates(&self, whole: &str, value: &str) -> Result<Vec<DateTest>, SearchError> {
        self.each_value(whole, value, |part| {
            self.date(part).map_err(|text| SearchError::new(SearchProblem::BadValue, whole, text))
        })
    }

    fn date(&self, part: &str) -> Result<DateTest, &'static str> {
        let (prefix, text) = prefix(part)?;
        // A plus sign that was not percent-encoded arrives as a space.
        let text =
            if text.contains(' ') { Cow::Owned(text.replacen(' ', "+", 1)) } else { Cow::Borrowed(text) };
        let range = date::parse(&text).map_err(|_| {
            "must be a date such as 2026, 2026-03, 2026-03-01 or 2026-03-01T15:04:05+09:00, after a prefix if any"
        })?;
        let range =
            if prefix == Prefix::Ap { date::approximate(range, self.context.now_micros) } else { range };
        Ok(DateTest { prefix, range })
    }

    /// `Type/id`, `id`, or a URL, with or without a type as modifier (3.1.1.4.11).
    fn reference(
        &self,
        parameter: &Parameter<'_>,
        modifier: Modifier<'_>,
        whole: &str,
        part: &str,
    ) -> Result<ReferenceTest, SearchError> {
        let wrong = |text: &str| Err(SearchError::new(SearchProblem::BadValue, whole, text));
        if split(part, b'|').nth(1).is_some() {
            let text = "searching for one version of a canonical resource is not supported yet";
            return Err(SearchError::new(SearchProblem::NotSupported, whole, text));
        }
        let value = unescape(part);
        let asked = if let Modifier::Type(kind) = modifier { Some(kind) } else { None };
        if reference::is_id(&value) {
            let id = value.into_owned();
            let kinds = match asked {
                Some(kind) => vec![kind],
                None => self.targets(parameter),
            };
            if let [kind] = kinds[..] {
                return Ok(ReferenceTest::Local { kind: kind.to_owned(), id });
            }
            Self::spend(&self.tests, kinds.len(), whole)?;
            return Ok(ReferenceTest::Id { kinds: kinds.into_iter().map(str::to_owned).collect(), id });
        }
        let known = |kind: &str| self.context.parameters.has_kind(kind);
        match reference::target(value, self.context.base_url, &known) {
            Some(Target::Local { kind, .. }) if asked.is_some_and(|asked| asked != kind) => {
                wrong("names another type than its modifier does")
            }
            Some(Target::Local { kind, id }) => {
                Ok(ReferenceTest::Local { kind: kind.into_owned(), id: id.into_owned() })
            }
            Some(Target::Url(url)) if url.contains(':') => Ok(ReferenceTest::Url(url.into_owned())),
            _ => wrong("must be an id, Type/id or an absolute URL"),
        }
    }
}

/// `code`, `system|code`, `|code`, `system|` (3.1.1.4.10).
fn token(part: &str) -> Result<TokenTest, &'static str> {
    let Some((system, code)) = split_once(part, b'|') else {
        return Ok(TokenTest { system: SystemTest::Any, code: Some(unescape(part).into_owned()) });
    };
    let code = (!code.is_empty()).then(|| unescape(code).into_owned());
    let system = match system {
        "" if code.is_none() => return Err("has neither a system before the bar nor a code after it"),
        "" => SystemTest::Absent,
        system => SystemTest::Is(unescape(system).into_owned()),
    };
    Ok(TokenTest { system, code })
}

fn string(part: &str, mode: StringMode) -> Result<StringTest, &'static str> {
    let meant = unescape(part);
    if mode != StringMode::Exact && text::normalize(&meant).is_empty() {
        return Err("has nothing in it to search for");
    }
    Ok(StringTest { mode, text: text::nfc(&meant).into_owned() })
}

fn number(part: &str) -> Result<NumberTest, &'static str> {
    let (prefix, text) = prefix(part)?;
    let decimal = Decimal::parse(text)
        .map_err(|_| "must be a number such as 5, 5.40 or 54e-1, after a prefix if any")?;
    let (lo, hi) = if prefix == Prefix::Ap { decimal.approximate_range() } else { decimal.implicit_range() };
    Ok(NumberTest { prefix, exact: decimal.sort_key(), lo, hi })
}

/// `number`, `number|system|code`, `number||code` (3.1.1.4.14).
fn quantity(part: &str) -> Result<QuantityTest, &'static str> {
    let parts: Vec<Cow<'_, str>> = split(part, b'|').map(unescape).collect();
    let unit = match &parts[..] {
        [_] => UnitTest::Any,
        [_, system, code] if !code.is_empty() => {
            if system.is_empty() {
                UnitTest::Code(code.clone().into_owned())
            } else {
                UnitTest::Coded { system: system.clone().into_owned(), code: code.clone().into_owned() }
            }
        }
        _ => return Err("must be a number, number|system|code or number||code"),
    };
    Ok(QuantityTest { number: number(&parts[0])?, unit })
}

/// The prefix and the rest; without prefix, equality (3.1.1.4.6).
fn prefix(part: &str) -> Result<(Prefix, &str), &'static str> {
    let letters = part.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (prefix, rest) = part.split_at(letters);
    let prefix = match prefix {
        "" | "eq" => Prefix::Eq,
        "ne" => Prefix::Ne,
        "gt" => Prefix::Gt,
        "lt" => Prefix::Lt,
        "ge" => Prefix::Ge,
        "le" => Prefix::Le,
        "sa" => Prefix::Sa,
        "eb" => Prefix::Eb,
        "ap" => Prefix::Ap,
        _ => return Err("has a prefix other than eq, ne, gt, lt, ge, le, sa, eb or ap"),
    };
    Ok((prefix, rest))
}
