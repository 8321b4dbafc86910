//! Security labels that stand elsewhere than in a resource's own `meta.security`: what is inside a resource, or what a
//! resource leads to, is as sensitive as it is by itself.

use std::borrow::Cow;

use crate::json::Value;

type Labels<'d> = Vec<(Cow<'d, str>, Cow<'d, str>)>;

/// The system of `Composition.confidentiality`, whose codes stand alone.
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// The system and code of a coding, if it has a code.
pub(super) fn label<'d>(coding: Value<'d>) -> Option<(Cow<'d, str>, Cow<'d, str>)> {
    let code = coding.get("code").and_then(Value::text)?;
    Some((coding.get("system").and_then(Value::text).unwrap_or_default(), code))
}

/// Adds the labels of a resource's content and of the resources in it. As deep as documents are, which is bounded where
/// they come in.
pub(super) fn of_content<'d>(kind: &str, resource: Value<'d>, labels: &mut Labels<'d>) {
    match kind {
        "DocumentReference" => {
            for concept in members(resource, "securityLabel") {
                labels.extend(members(concept, "coding").filter_map(label));
            }
        }
        "Consent" => members(resource, "provision").for_each(|provision| of_provision(provision, labels)),
        "Composition" => {
            if let Some(code) = resource.get("confidentiality").and_then(Value::text) {
                labels.push((CONFIDENTIALITY.into(), code));
            }
        }
        "Bundle" => members(resource, "entry").for_each(|entry| of_inner(entry, "resource", labels)),
        "Parameters" => of_parameters(resource, "parameter", labels),
        _ => {}
    }
    of_inner(resource, "contained", labels);
}

fn members<'d>(value: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> {
    value.get(name).into_iter().flat_map(Value::each)
}

/// All of a resource that stands inside another.
fn of_inner<'d>(outer: Value<'d>, name: &str, labels: &mut Labels<'d>) {
    for resource in members(outer, name) {
        for meta in members(resource, "meta") {
            labels.extend(members(meta, "security").filter_map(label));
        }
        let kind = resource.get("resourceType").and_then(Value::text).unwrap_or_default();
        of_content(&kind, resource, labels);
    }
}

/// Provisions stand inside one another.
fn of_provision<'d>(provision: Value<'d>, labels: &mut Labels<'d>) {
    labels.extend(members(provision, "securityLabel").filter_map(label));
    members(provision, "provision").for_each(|inner| of_provision(inner, labels));
}

/// Parameters have parts, which are parameters.
fn of_parameters<'d>(outer: Value<'d>, name: &str, labels: &mut Labels<'d>) {
    for parameter in members(outer, name) {
        of_inner(parameter, "resource", labels);
        of_parameters(parameter, "part", labels);
    }
}
