//! What the search parser takes beside the parameters of each type: it is asked.

use ieum_fhir::definitions::{SearchParamDef, r4};
use ieum_fhir::index::ParamType;
use ieum_fhir::search::parse::{ParseContext, SearchProblem};
use ieum_fhir::search::{parse, parse_system};
use serde_json::{Value, json};

use super::type_code;

/// Parameters that R4 has for all types together, with a value to ask with.
const OF_ALL: [(&str, &str, &str); 7] = [
    ("_type", "token", "Patient"),
    ("_list", "special", "1"),
    ("_filter", "special", "_id eq 1"),
    ("_has", "special", "1"),
    ("_contained", "token", "both"),
    ("_containedType", "token", "contained"),
    ("_sort", "special", "_lastUpdated"),
];

/// Parameters whose type stands for others: modifiers go by type, and for tokens and references by what they mean.
const EXAMPLES: [(&str, &str, &str); 11] = [
    ("Patient", "name", "x"),
    ("Observation", "code", "s|c"),
    ("Patient", "identifier", "s|c|v"),
    ("Observation", "subject", "Patient/1"),
    ("Encounter", "location", "Location/1"),
    ("ValueSet", "url", "http://a/b"),
    ("Patient", "birthdate", "2020"),
    ("RiskAssessment", "probability", "1"),
    ("Observation", "value-quantity", "1"),
    ("Observation", "code-value-quantity", "c$1"),
    ("Location", "near", "1|1"),
];

/// R4's modifiers (section 3.1.1.4.5); `Patient` stands for `[type]`.
const MODIFIERS: [&str; 12] = [
    "missing",
    "exact",
    "contains",
    "text",
    "not",
    "in",
    "not-in",
    "above",
    "below",
    "of-type",
    "identifier",
    "Patient",
];

/// R4's prefixes (section 3.1.1.4.6).
const PREFIXES: [&str; 9] = ["eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap"];

/// `rest.searchParam`: what is taken by searches on every type.
pub(super) fn of_all_types(context: &ParseContext<'_>) -> Vec<Value> {
    let taken = OF_ALL.iter().filter(|(name, _, value)| {
        let name = if *name == "_has" { "_has:Observation:patient:_id" } else { name };
        parse_system(&["Patient"], &[(name.to_owned(), (*value).to_owned())], context).is_ok()
    });
    taken.map(|(name, kind, _)| json!({ "name": name, "type": kind })).collect()
}

/// `rest.documentation`: which modifiers and prefixes go with which type of parameter.
pub(super) fn documentation(context: &ParseContext<'_>) -> String {
    let mut modifiers: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut prefixes: Vec<(&str, Vec<&str>)> = Vec::new();
    for (kind, code, value) in EXAMPLES {
        let Some((_, param)) = r4().search_param(kind, code) else { continue };
        let of_type = type_code(param.kind);
        add(
            &mut modifiers,
            of_type,
            MODIFIERS.into_iter().filter(|modifier| takes(context, kind, param, modifier, value)),
        );
        if matches!(param.kind, ParamType::Date | ParamType::Number | ParamType::Quantity) {
            let with = |prefix: &&str| asked(context, kind, code.to_owned(), &format!("{prefix}{value}"));
            add(&mut prefixes, of_type, PREFIXES.into_iter().filter(with));
        }
    }
    let list = |lists: Vec<(&str, Vec<&str>)>| {
        let lists = lists.into_iter().map(|(of_type, names)| format!("{of_type}: {}", names.join(", ")));
        lists.collect::<Vec<_>>().join("; ").replace("Patient", "[type]")
    };
    format!(
        "Search modifiers by type of parameter: {}. Prefixes: {}. Value sets for :in and code systems for :above and \
         :below must be R4's required bindings, or be stored with their content written out.",
        list(modifiers),
        list(prefixes)
    )
}

fn add<'n>(lists: &mut Vec<(&'n str, Vec<&'n str>)>, of_type: &'n str, names: impl Iterator<Item = &'n str>) {
    let place = lists.iter().position(|(known, _)| *known == of_type).unwrap_or(lists.len());
    if place == lists.len() {
        lists.push((of_type, Vec::new()));
    }
    for name in names {
        if !lists[place].1.contains(&name) {
            lists[place].1.push(name);
        }
    }
}

fn takes(
    context: &ParseContext<'_>,
    kind: &str,
    param: &SearchParamDef,
    modifier: &str,
    value: &str,
) -> bool {
    let value = if modifier == "missing" { "true" } else { value };
    // A modifier that exists here may still need another value, such as a value set that is known.
    match parse(kind, &[(format!("{}:{modifier}", param.code), value.to_owned())], context) {
        Ok(_) => true,
        Err(errors) => errors.iter().all(|error| error.problem != SearchProblem::UnknownModifier),
    }
}

fn asked(context: &ParseContext<'_>, kind: &str, name: String, value: &str) -> bool {
    parse(kind, &[(name, value.to_owned())], context).is_ok()
}
