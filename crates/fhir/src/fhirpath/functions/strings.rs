//! Strings (FHIRPath N1, "string manipulation", and those of 2.1). Positions count characters.

use regex::{Regex, RegexBuilder};

use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, integer, one, text};
use super::super::item::{Item, System};
use super::convert::item_text;
use super::{Invocation, Problem};

mod encoding;

/// Bytes that a compiled regular expression may take.
const REGEX_BYTES: usize = 1 << 20;
/// Steps that making one counts for.
const REGEX_STEPS: usize = 2_000;
/// Characters that a replacement may make.
const MOST_TEXT: usize = 1 << 24;

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let mut args = Vec::new();
    for arg in call.args {
        args.push(evaluator.evaluate(arg, call.scope)?);
    }
    if call.name == "join" {
        return join(call, args.first());
    }
    let Some(focus) = text(call.at, &call.focus)? else { return Ok(Vec::new()) };
    evaluator.spend(call.at, focus.len() / 64)?;
    match call.name {
        "upper" => return Ok(string(focus.to_uppercase())),
        "lower" => return Ok(string(focus.to_lowercase())),
        "trim" => return Ok(string(focus.trim().to_owned())),
        "length" => return Ok(count(focus.chars().count())),
        "toChars" => return Ok(focus.chars().flat_map(|letter| string(letter.to_string())).collect()),
        "substring" => return substring(call, &focus, &args),
        _ => {}
    }
    // All others take strings, and answer nothing when one is missing.
    let mut strings = Vec::new();
    for (arg, found) in call.args.iter().zip(&args) {
        match text(arg.at, found)? {
            Some(text) => strings.push(text),
            None => return Ok(Vec::new()),
        }
    }
    match strings.as_slice() {
        [argument] => with_one(evaluator, call, &focus, argument),
        [pattern, substitution] => replaced(evaluator, call, &focus, pattern, substitution),
        _ => Ok(Vec::new()),
    }
}

fn string<'d>(text: String) -> Collection<'d> {
    one(System::Text(text.into()))
}

fn count<'d>(count: usize) -> Collection<'d> {
    one(System::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn with_one<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
    focus: &str,
    argument: &str,
) -> Result<Collection<'d>, PathError> {
    Ok(match call.name {
        "contains" => one(System::Boolean(focus.contains(argument))),
        "startsWith" => one(System::Boolean(focus.starts_with(argument))),
        "endsWith" => one(System::Boolean(focus.ends_with(argument))),
        "indexOf" => match focus.find(argument) {
            Some(at) => count(focus[..at].chars().count()),
            None => one(System::Integer(-1)),
        },
        "split" if argument.is_empty() => string(focus.to_owned()),
        "split" => focus.split(argument).flat_map(|part| string(part.to_owned())).collect(),
        "matches" => one(System::Boolean(expression(evaluator, call, argument)?.is_match(focus))),
        "matchesFull" => {
            let whole = expression(evaluator, call, &format!("^(?:{argument})$"))?;
            one(System::Boolean(whole.is_match(focus)))
        }
        name => {
            let done = match name {
                "encode" => encoding::encode(focus, argument),
                "decode" => encoding::decode(focus, argument),
                "escape" => encoding::escape(focus, argument),
                _ => encoding::unescape(focus, argument),
            };
            done.map(string).unwrap_or_default()
        }
    })
}

/// The point matches line ends too. Running time is linear in the text, whatever the pattern; making the expression
/// costs much more, so that the last one is kept, and each new one counts for many steps.
fn expression(
    evaluator: &mut Evaluator<'_, '_>,
    call: &Invocation<'_, '_>,
    pattern: &str,
) -> Result<Regex, PathError> {
    if let Some(kept) = evaluator.regex.as_ref().filter(|kept| kept.as_str() == pattern) {
        return Ok(kept.clone());
    }
    evaluator.spend(call.at, REGEX_STEPS)?;
    let built = RegexBuilder::new(pattern).dot_matches_new_line(true).size_limit(REGEX_BYTES).build();
    let built = built.map_err(|_| call.fail(Problem::Operand("the regular expression cannot be used")))?;
    evaluator.regex = Some(built.clone());
    Ok(built)
}

fn replaced<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
    focus: &str,
    pattern: &str,
    substitution: &str,
) -> Result<Collection<'d>, PathError> {
    // Each character could be replaced.
    if (focus.len() + 1).saturating_mul(substitution.len() + 1) > MOST_TEXT {
        return Err(call.fail(Problem::Limit("characters of a string")));
    }
    if call.name == "replace" {
        return Ok(string(focus.replace(pattern, substitution)));
    }
    if pattern.is_empty() {
        return Ok(string(focus.to_owned()));
    }
    // The library would take `$1x` for a group of the name `1x`.
    let groups = braced(substitution);
    Ok(string(expression(evaluator, call, pattern)?.replace_all(focus, groups.as_str()).into_owned()))
}

/// `${1}x` for `$1x`: the first group and an x.
fn braced(substitution: &str) -> String {
    let mut text = String::with_capacity(substitution.len());
    let mut rest = substitution;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at + 1);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        text.push_str(before);
        if digits > 0 {
            text.push_str(&format!("{{{}}}", &after[..digits]));
        }
        rest = &after[digits..];
    }
    text.push_str(rest);
    text
}

fn substring<'d>(
    call: &Invocation<'_, 'd>,
    focus: &str,
    args: &[Collection<'d>],
) -> Result<Collection<'d>, PathError> {
    let number = |position: usize| match args.get(position) {
        Some(found) => integer(call.at, found),
        None => Ok(None),
    };
    let Some(start) = number(0)?.and_then(|start| usize::try_from(start).ok()) else { return Ok(Vec::new()) };
    let length = number(1)?.map(|length| usize::try_from(length).unwrap_or(0));
    if start >= focus.chars().count() {
        return Ok(Vec::new());
    }
    Ok(string(focus.chars().skip(start).take(length.unwrap_or(usize::MAX)).collect()))
}

fn join<'d>(
    call: &Invocation<'_, 'd>,
    separator: Option<&Collection<'d>>,
) -> Result<Collection<'d>, PathError> {
    let separator = match separator {
        Some(found) => text(call.at, found)?.unwrap_or_default(),
        None => String::new(),
    };
    if call.focus.is_empty() {
        return Ok(Vec::new());
    }
    let has_value = |item: &&Item<'_>| item.element().is_none_or(|element| element.value().is_some());
    let not_text = || call.fail(Problem::Operand("only strings can be joined"));
    let parts: Result<Vec<String>, PathError> =
        call.focus.iter().filter(has_value).map(|item| item_text(item).ok_or_else(not_text)).collect();
    Ok(string(parts?.join(&separator)))
}
