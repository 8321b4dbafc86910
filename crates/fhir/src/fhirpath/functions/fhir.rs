//! What FHIR R4 adds (R4, `fhirpath.html#functions`), `type()`, and the time.

use std::borrow::Cow;

use super::super::error::PathError;
use super::super::evaluate::{Collection, Evaluator, one, single, text};
use super::super::item::{Element, Item, System, is_a};
use super::super::temporal::Temporal;
use super::{Invocation, Problem};
use crate::date::format_instant;
use crate::definitions::r4;
use crate::json::Value;
use crate::validate::validate;

pub(super) fn call<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    match call.name {
        "extension" => extension(evaluator, call),
        "hasValue" => Ok(one(System::Boolean(primitive_value(call)?.is_some()))),
        "getValue" => Ok(primitive_value(call)?.map(one).unwrap_or_default()),
        "resolve" => resolve(evaluator, call),
        "type" => Ok(call.focus.iter().map(type_of).collect()),
        "now" | "today" | "timeOfDay" => Ok(time(call.name, evaluator.context.now_micros)),
        "conformsTo" => conforms_to(evaluator, call),
        "memberOf" => Err(call.fail(Problem::NotAvailable("memberOf(): a terminology service"))),
        "subsumes" | "subsumedBy" => {
            Err(call.fail(Problem::NotAvailable("subsumption: a terminology service")))
        }
        "htmlChecks" => Err(call.fail(Problem::NotAvailable("htmlChecks()"))),
        "checkModifiers" => Err(call.fail(Problem::NotAvailable("checkModifiers()"))),
        _ => Err(call.fail(Problem::NotAvailable("a function on profiles"))),
    }
}

fn extension<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let Some(arg) = call.args.first() else { return Ok(Vec::new()) };
    let Some(url) = text(arg.at, &evaluator.evaluate(arg, call.scope)?)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for item in &call.focus {
        let Item::Element(element) = item else { continue };
        element.children(Some("extension"), &mut |extension| {
            let own = extension.value().and_then(|value| value.get("url")).and_then(Value::text);
            if own.is_some_and(|own| *own == *url) {
                found.push(Item::Element(extension));
            }
        });
    }
    evaluator.spend(call.at, call.focus.len() + found.len())?;
    Ok(found)
}

/// The value of the only item, when it is primitive.
fn primitive_value<'d>(call: &Invocation<'_, 'd>) -> Result<Option<System<'d>>, PathError> {
    let Ok(item) = single(call.at, &call.focus) else { return Ok(None) };
    Ok(match item {
        Some(Item::Element(element)) if element.definition().primitive.is_some() => element.system(),
        Some(Item::Value(value)) => Some(value.clone()),
        _ => None,
    })
}

/// Where References and URLs lead; those that lead nowhere are left out.
fn resolve<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    evaluator.spend(call.at, call.focus.len())?;
    let mut found = Vec::new();
    for item in &call.focus {
        let (url, container) = match item {
            Item::Element(element) => {
                let value = element.value();
                let is_reference = is_a(element.definition(), "Reference");
                let url = if is_reference { value.and_then(|value| value.get("reference")) } else { value };
                (url.and_then(Value::text), Some(element.container()))
            }
            Item::Value(System::Text(text)) => (Some(text.clone()), None),
            Item::Value(_) => (None, None),
        };
        let Some(url) = url else { continue };
        let target = match url.strip_prefix('#') {
            Some(id) => container.and_then(|container| contained(container, id)),
            None => evaluator.context.resolver.and_then(|resolver| resolver(&url)),
        };
        found.extend(target.and_then(Element::resource).map(Item::Element));
    }
    Ok(found)
}

fn contained<'d>(container: Value<'d>, id: &str) -> Option<Value<'d>> {
    if id.is_empty() {
        return Some(container);
    }
    let mut resources = container.get("contained")?.elements();
    resources.find(|resource| resource.get("id").and_then(Value::text).is_some_and(|own| own == id))
}

fn type_of<'d>(item: &Item<'d>) -> Item<'d> {
    let (namespace, name) = item.type_name();
    Item::Value(System::Type(namespace, Cow::Borrowed(name)))
}

/// Korean time, in milliseconds: the same throughout an evaluation.
fn time<'d>(name: &str, now_micros: i64) -> Collection<'d> {
    let now = format_instant(now_micros);
    // `2026-11-23T15:04:05.123456+09:00`: the microseconds are left out.
    let (day, rest) = now.split_at(now.len().min(10));
    let clock = rest.get(1..13).unwrap_or_default();
    let offset = rest.get(16..).unwrap_or_default();
    let temporal = match name {
        "today" => Temporal::date(day),
        "timeOfDay" => Temporal::time(clock),
        _ => Temporal::date_time(&format!("{day}T{clock}{offset}")),
    };
    temporal.map(System::Temporal).map(one).unwrap_or_default()
}

/// Base types only, by structure; profiles come with their validation.
fn conforms_to<'d>(
    evaluator: &mut Evaluator<'_, 'd>,
    call: &Invocation<'_, 'd>,
) -> Result<Collection<'d>, PathError> {
    let Some(arg) = call.args.first() else { return Ok(Vec::new()) };
    let Some(url) = text(arg.at, &evaluator.evaluate(arg, call.scope)?)? else { return Ok(Vec::new()) };
    let Some(item) = single(call.at, &call.focus)? else { return Ok(Vec::new()) };
    let base = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
    let Some(def) = base.and_then(|name| r4().type_of(name)) else {
        return Err(call.fail(Problem::NotAvailable("conformsTo() of this profile")));
    };
    let Some(element) = item.element() else { return Ok(one(System::Boolean(false))) };
    let of_type = is_a(element.definition(), def.name);
    let Some(value) = element.value().filter(|value| of_type && value.get("resourceType").is_some()) else {
        return Ok(one(System::Boolean(of_type)));
    };
    evaluator.spend(call.at, value.raw().len() / 16)?;
    Ok(one(System::Boolean(validate(value, None).is_valid())))
}
