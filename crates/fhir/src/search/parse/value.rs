//! Values: one alternative of a parameter as a [`Test`] (R4, section 3.1.1.4).

use std::borrow::Cow;

use super::modifier::Modifier;
use super::number::{number, quantity};
use super::{Parser, SearchError, SearchProblem};
use crate::date;
use crate::index::{ParamType, Target};
use crate::reference;
use crate::search::parameters::Parameter;
use crate::search::split::{split, split_once, unescape};
use crate::search::{
    DateTest, Prefix, ReferenceTest, StringMode, StringTest, SystemTest, Test, TokenTest, UriMode, UriTest,
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
        Self::check_comparator(parameter, letters_before(part), whole)?;
        let letters = self.context.limits.letters;
        let is_text =
            matches!((parameter.kind, modifier), (ParamType::String, _) | (ParamType::Token, Modifier::Text));
        if is_text && part.chars().nth(letters).is_some() {
            let text = format!("may have at most {letters} letters");
            return Err(SearchError::new(SearchProblem::TooCostly, whole, text));
        }
        let mode = if let Modifier::String(mode) = modifier { mode } else { StringMode::Starts };
        match (parameter.kind, modifier) {
            (ParamType::Token, Modifier::Text) => string(part, StringMode::Starts).map(Test::Text),
            (ParamType::Token, Modifier::OfType) => of_type(part),
            (ParamType::Token, _) => token(part).map(Test::Token),
            (ParamType::String, _) => string(part, mode).map(Test::String),
            (ParamType::Reference, Modifier::Identifier) => token(part).map(Test::Identifier),
            (ParamType::Reference, _) => {
                let asked = if let Modifier::Type(kind) = modifier { Some(kind) } else { None };
                return self.reference(parameter, asked, whole, part).map(Test::Reference);
            }
            (ParamType::Date, _) => self.date(part).map(Test::Date),
            (ParamType::Number, _) => number(part).map(Test::Number),
            (ParamType::Quantity, _) => quantity(part).map(Test::Quantity),
            (ParamType::Uri, _) => {
                let mode = if let Modifier::Uri(mode) = modifier { mode } else { UriMode::Exact };
                Ok(Test::Uri(UriTest { mode, text: unescape(part).into_owned() }))
            }
            (ParamType::Composite, _) => return self.composite(parameter, whole, part),
            (ParamType::Special, _) => return self.special(parameter, whole, part),
        }
        .map_err(|text| SearchError::new(SearchProblem::BadValue, whole, text))
    }

    /// `part$part`, one for each component (3.1.1.4.15).
    fn composite(&self, parameter: &Parameter<'_>, whole: &str, part: &str) -> Result<Test, SearchError> {
        let parts: Vec<&str> = split(part, b'$').collect();
        let count = parameter.components.len();
        if parts.len() != count || parts.iter().any(|part| part.trim().is_empty()) {
            let text = format!("must have {count} parts with $ between them");
            return Err(SearchError::new(SearchProblem::BadValue, whole, text));
        }
        let tests = parameter.components.iter().zip(parts);
        let tests = tests.map(|(component, part)| self.test(component, Modifier::None, whole, part));
        Ok(Test::Composite(tests.collect::<Result<_, _>>()?))
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
        self.date_with(prefix, text)
    }

    pub(super) fn date_with(&self, prefix: Prefix, text: &str) -> Result<DateTest, &'static str> {
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

    /// `Type/id`, `id`, or a URL, with or without a type as modifier (3.1.1.4.11); `url|version` for canonicals.
    pub(super) fn reference(
        &self,
        parameter: &Parameter<'_>,
        asked: Option<&str>,
        whole: &str,
        part: &str,
    ) -> Result<ReferenceTest, SearchError> {
        let wrong = |text: &str| Err(SearchError::new(SearchProblem::BadValue, whole, text));
        let value = unescape(part);
        if value.contains('|') {
            let is_canonical = value.contains(':') && value.split('|').all(|part| !part.is_empty());
            return if is_canonical {
                Ok(ReferenceTest::Url(value.into_owned()))
            } else {
                wrong("must be an id, Type/id, an absolute URL or URL|version")
            };
        }
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
        match reference::target(value, self.context.bases, &known) {
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
pub(super) fn token(part: &str) -> Result<TokenTest, &'static str> {
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

pub(super) fn string(part: &str, mode: StringMode) -> Result<StringTest, &'static str> {
    let meant = unescape(part);
    if mode != StringMode::Exact && text::normalize(&meant).is_empty() {
        return Err("has nothing in it to search for");
    }
    Ok(StringTest { mode, text: text::nfc(&meant).into_owned() })
}

/// `system|code|value`, all three (3.1.1.4.10).
fn of_type(part: &str) -> Result<Test, &'static str> {
    let parts: Vec<String> = split(part, b'|').map(|part| unescape(part).into_owned()).collect();
    match <[String; 3]>::try_from(parts) {
        Ok(parts) if parts.iter().all(|part| !part.trim().is_empty()) => {
            let [system, code, value] = parts;
            Ok(Test::OfType { system, code, value })
        }
        _ => Err("must be system|code|value: system and code of the identifier's type, and the identifier"),
    }
}

/// The letters that a value begins with: the prefix, where values have an order.
fn letters_before(part: &str) -> &str {
    &part[..part.bytes().take_while(u8::is_ascii_alphabetic).count()]
}

/// The prefix and the rest; without prefix, equality (3.1.1.4.6).
pub(super) fn prefix(part: &str) -> Result<(Prefix, &str), &'static str> {
    let prefix = letters_before(part);
    let rest = &part[prefix.len()..];
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
