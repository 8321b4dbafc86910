//! What records say about access, in a small language of the tests: encounters name their institution and department, and
//! records of a kind of their own hold relations and rules as they stand.

use ieum_fhir::json::Value;
use ieum_store::access::{
    AccessPlan, Facts, Family, Institution, Policy, Reach, Relation, RelationReach, Rule, Which,
};
use ieum_store::own::OwnKind;

use crate::support::everything;

/// The kind.
pub(crate) static EVIDENCE: OwnKind = OwnKind { name: "TestEvidence", family: Family::System, params: &[] };

pub(crate) const POLICY: Policy = Policy { label_mask, facts };

/// The purpose that callers have, and another.
pub(crate) const PURPOSE: u32 = 1;

fn label_mask(_: &str, code: &str) -> u32 {
    match code {
        "R" => 1,
        "V" => 2,
        _ => 0,
    }
}

fn facts(kind: &str, id: &str, record: Value<'_>, _: &[String]) -> Facts {
    let encounter = match kind {
        "Encounter" => Some(id.to_owned()),
        _ => record.get("encounter").and_then(|encounter| id_in(encounter, "Encounter/")),
    };
    let coding = record.get("serviceType").and_then(|concept| concept.get("coding"));
    let coding = coding.and_then(|coding| coding.elements().next());
    Facts {
        institution: record.get("serviceProvider").and_then(|provider| id_in(provider, "Organization/")),
        encounter,
        department: coding.and_then(|coding| text(coding, "code")).filter(|_| kind == "Encounter"),
        relations: all(record, "relations").map(relation).collect(),
        rules: all(record, "rules").map(rule).collect(),
        signed: false,
    }
}

fn id_in(reference: Value<'_>, before: &str) -> Option<String> {
    text(reference, "reference").and_then(|text| text.strip_prefix(before).map(ToOwned::to_owned))
}

fn all<'d>(record: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> + use<'d> {
    record.get(name).into_iter().flat_map(Value::elements)
}

fn text(value: Value<'_>, name: &str) -> Option<String> {
    value.get(name).and_then(Value::text).map(std::borrow::Cow::into_owned)
}

fn number(value: Value<'_>, name: &str) -> Option<i64> {
    value.get(name).and_then(Value::number).map(|number| number.parse().unwrap())
}

fn relation(value: Value<'_>) -> Relation {
    let is_all = value.get("all").is_some();
    Relation {
        patient: text(value, "patient").unwrap(),
        institution: text(value, "institution"),
        person: text(value, "person"),
        reach: if is_all { RelationReach::All } else { RelationReach::Consented },
        from: number(value, "from").unwrap_or(i64::MIN),
        until: number(value, "until").unwrap_or(i64::MAX),
    }
}

fn rule(value: Value<'_>) -> Rule {
    let small = |name: &str, otherwise: u32| {
        number(value, name).map_or(otherwise, |number| u32::try_from(number).unwrap())
    };
    let record = text(value, "record").map(|record| {
        let (kind, id) = record.split_once('/').unwrap();
        (kind.to_owned(), id.to_owned())
    });
    Rule {
        patient: text(value, "patient").unwrap(),
        permit: value.get("permit").is_some(),
        specificity: small("specificity", 0),
        made: number(value, "made").unwrap_or(0),
        asker: text(value, "asker"),
        purposes: small("purposes", u32::MAX),
        from: number(value, "from").unwrap_or(i64::MIN),
        until: number(value, "until").unwrap_or(i64::MAX),
        which: Which {
            institution: text(value, "institution"),
            department: text(value, "department"),
            kind: text(value, "kind"),
            labels: small("labels", 0),
            without: small("without", 0),
            since: number(value, "since"),
            before: number(value, "before"),
            record,
            encounter: text(value, "encounter"),
        },
    }
}

/// Somebody who acts for an institution.
pub(crate) fn acting_for(institution: &str, person: Option<&str>) -> AccessPlan {
    let institution = Institution {
        id: institution.into(),
        person: person.map(ToOwned::to_owned),
        purpose: PURPOSE,
        about: None,
    };
    AccessPlan { clinical: Reach::Institution(institution), system: false, ..everything() }
}
