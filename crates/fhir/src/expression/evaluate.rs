//! Walking a path through a resource.

use std::borrow::Cow;

use super::{Path, Step};
use crate::json::{Kind, Value};
use crate::reference::split_relative;

impl Path {
    /// Calls `found` with every value that the path leads to from `start`, in document order. JSON nulls, which
    /// stand for primitives that have only extensions, are left out.
    pub fn evaluate<'d>(&self, start: Value<'d>, found: &mut dyn FnMut(Value<'d>)) {
        walk(&self.steps, start, found);
    }
}

fn walk<'d>(steps: &[Step], at: Value<'d>, found: &mut dyn FnMut(Value<'d>)) {
    let Some((step, rest)) = steps.split_first() else {
        if at.kind() != Kind::Null {
            found(at);
        }
        return;
    };
    match step {
        Step::Member(name) => {
            let Some(member) = at.get(name) else { return };
            match rest.split_first() {
                Some((Step::Item(item), rest)) => {
                    member.each().skip(*item).take(1).for_each(|value| walk(rest, value, found));
                }
                _ => member.each().for_each(|value| walk(rest, value, found)),
            }
        }
        // Compiled only after a member, which has taken it.
        Step::Item(_) => {}
        condition => {
            if condition.holds(at) {
                walk(rest, at, found);
            }
        }
    }
}

impl Step {
    /// Whether a value passes a step that is a condition; steps that lead on are none, and hold.
    #[must_use]
    pub fn holds(&self, value: Value<'_>) -> bool {
        match self {
            Self::Where { member, equals } => {
                value.get(member).and_then(Value::text).is_some_and(|text| text == **equals)
            }
            Self::ResolvesTo(kind) => reference_kind(value).is_some_and(|found| found == *kind),
            Self::Member(_) | Self::Item(_) => true,
        }
    }
}

/// The type of resource that a Reference, canonical or URI points to, as far as it says so itself: by its text
/// (`Patient/1`, `https://elsewhere/fhir/Patient/1`), else by `Reference.type`. Nothing is looked up.
#[must_use]
pub fn reference_kind(value: Value<'_>) -> Option<Cow<'_, str>> {
    let text = if value.kind() == Kind::String {
        value.text()
    } else {
        value.get("reference").and_then(Value::text)
    };
    let by_text = match text {
        Some(Cow::Borrowed(text)) => kind_in(text).map(Cow::Borrowed),
        Some(Cow::Owned(text)) => kind_in(&text).map(|kind| Cow::Owned(kind.to_owned())),
        None => None,
    };
    by_text.or_else(|| value.get("type").and_then(Value::text))
}

/// The type in the last `Type/id` of a reference.
fn kind_in(text: &str) -> Option<&str> {
    let text = text.split_once("/_history/").map_or(text, |(text, _)| text);
    let before_id = text.rfind('/')?;
    let start = text[..before_id].rfind('/').map_or(0, |slash| slash + 1);
    split_relative(&text[start..]).map(|(kind, _)| kind)
}
