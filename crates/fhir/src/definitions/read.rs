//! Reads the tables. They are ours and compiled in: a line that cannot be read is a bug, and panics.

use std::collections::HashMap;

use super::{
    Binding, COMPARTMENTS, CodeSet, Codes, ComponentDef, Definitions, Element, Lookup, OwnedProperty,
    Primitive, Property, SearchParamDef, TypeDef, TypeKind, TypeRef,
};
use crate::index::ParamType;

const TYPES: &str = include_str!("../../definitions/types.txt");
const BINDINGS: &str = include_str!("../../definitions/bindings.txt");
const SEARCH: &str = include_str!("../../definitions/search-parameters.txt");
const KRCORE_SEARCH: &str = include_str!("../../definitions/krcore-search.txt");
const COMPARTMENT_MEMBERS: &str = include_str!("../../definitions/compartments.txt");

/// Components for which R4 names the wrong parameter, by expression, with the right one: DocumentReference's
/// `relationship` has its two the wrong way round.
const WRONG_COMPONENTS: [(&str, &str, &str); 2] = [
    (
        "http://hl7.org/fhir/SearchParameter/DocumentReference-relatesto",
        "code",
        "http://hl7.org/fhir/SearchParameter/DocumentReference-relation",
    ),
    (
        "http://hl7.org/fhir/SearchParameter/DocumentReference-relation",
        "target",
        "http://hl7.org/fhir/SearchParameter/DocumentReference-relatesto",
    ),
];

const VALUE_SETS: &str = "http://hl7.org/fhir/ValueSet/";

/// Everything the process keeps for its life; leaked on purpose, once.
fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

pub(super) fn read() -> Definitions {
    let (types, type_ids) = types(&bindings());
    let mut resource_types: Vec<&'static str> = types
        .iter()
        .filter(|found| found.kind == TypeKind::Resource && !found.is_abstract)
        .map(|found| found.name)
        .collect();
    resource_types.sort_unstable();
    let params = search_params(SEARCH, &resource_types);
    let krcore = search_params(KRCORE_SEARCH, &resource_types);
    let params_by_url = params.iter().chain(&krcore).map(|param| (param.url, *param)).collect();
    let params = resource_types
        .iter()
        .map(|name| (*name, params_of(&types[usize::from(type_ids[name])], &params, &krcore)))
        .collect();
    Definitions { types, type_ids, resource_types, params, params_by_url, compartments: compartments() }
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

/// Splits at the first space; the rest may be empty.
fn word(line: &'static str) -> (&'static str, &'static str) {
    line.split_once(' ').unwrap_or((line, ""))
}

fn bindings() -> HashMap<&'static str, &'static Binding> {
    let mut sets: Vec<(&'static str, Codes)> = Vec::new();
    for line in lines(BINDINGS) {
        if let Some(set) = line.strip_prefix("set ") {
            let (name, rest) = word(set);
            let is_open = rest == "open";
            sets.push((name, if is_open { Codes::Open } else { Codes::Enumerated(CodeSet::default()) }));
            continue;
        }
        let Some((_, Codes::Enumerated(set))) = sets.last_mut() else {
            panic!("codes outside a set: {line}")
        };
        if let Some(system) = line.strip_prefix(" system ") {
            set.systems.push((system, Vec::new()));
        } else {
            let code = &line[2..];
            set.codes.push(code);
            set.systems.last_mut().expect("codes follow their system").1.push(code);
        }
    }
    let kept = sets.into_iter().map(|(name, mut codes)| {
        if let Codes::Enumerated(set) = &mut codes {
            set.codes.sort_unstable();
        }
        let url = if name.contains("://") { name } else { String::leak(format!("{VALUE_SETS}{name}")) };
        (name, keep(Binding { url, codes }))
    });
    kept.collect()
}

fn types(bindings: &HashMap<&'static str, &'static Binding>) -> (Vec<TypeDef>, HashMap<&'static str, u16>) {
    let headers = lines(TYPES).filter_map(|line| line.strip_prefix("type "));
    let ids: HashMap<&'static str, u16> = headers.map(|line| word(line).0).zip(0..).collect();
    let mut types: Vec<TypeDef> = Vec::with_capacity(ids.len());
    let mut own: Vec<Vec<&'static Element>> = Vec::with_capacity(ids.len());
    for line in lines(TYPES) {
        match line.strip_prefix("type ") {
            Some(header) => {
                types.push(type_header(header));
                own.push(Vec::new());
            }
            None => {
                let elements = own.last_mut().expect("elements follow their type");
                elements.push(keep(element(&line[1..], bindings, &ids)));
            }
        }
    }
    for position in 0..types.len() {
        let mut elements = Vec::new();
        inherit(position, &types, &own, &ids, &mut elements);
        let properties: Vec<OwnedProperty> = elements.iter().enumerate().flat_map(properties_of).collect();
        let found = &mut types[position];
        found.lookup = Lookup::new(properties.iter().map(|owned| &*owned.name));
        assert!(elements.len() <= 128, "the mask of required elements has 128 bits");
        found.required = elements
            .iter()
            .enumerate()
            .fold(0, |mask, (bit, element)| mask | u128::from(element.min > 0) << bit);
        found.elements = elements;
        found.properties = properties;
    }
    (types, ids)
}

fn type_header(header: &'static str) -> TypeDef {
    let mut words = header.split(' ');
    let mut next = || words.next().expect("type <name> <kind> <base>");
    let (name, kind, base) = (next(), next(), next());
    let kind = match kind {
        "primitive" => TypeKind::Primitive,
        "complex" => TypeKind::Complex,
        "resource" => TypeKind::Resource,
        "backbone" => TypeKind::Backbone,
        other => panic!("unknown kind of type: {other}"),
    };
    TypeDef {
        name,
        base: (base != "-").then_some(base),
        kind,
        is_abstract: words.next() == Some("abstract"),
        elements: Vec::new(),
        primitive: (kind == TypeKind::Primitive).then(|| Primitive::from_name(name).expect(name)),
        required: 0,
        properties: Vec::new(),
        lookup: Lookup::default(),
    }
}

/// `status 1..1 s code !observation-status`
fn element(
    line: &'static str,
    bindings: &HashMap<&'static str, &'static Binding>,
    ids: &HashMap<&'static str, u16>,
) -> Element {
    let mut words = line.split(' ');
    let mut next = || words.next().expect("<element> <min>..<max> <summary> <types>");
    let (name, cardinality, summary) = (next(), next(), next());
    let (min, max) = cardinality.split_once("..").expect("<min>..<max>");
    let mut types = Vec::new();
    let mut binding = None;
    for word in words {
        match word.strip_prefix('!') {
            Some(set) => binding = Some(bindings[set]),
            None => types.push(type_ref(word, ids)),
        }
    }
    let stem = name.strip_suffix("[x]");
    Element {
        name: stem.unwrap_or(name),
        min: min.parse().expect("a number"),
        max: if max == "*" { u32::MAX } else { max.parse().expect("a number or *") },
        choice: stem.is_some(),
        types,
        binding,
        summary: summary == "s",
    }
}

/// `Quantity`, `Reference(Group|Patient)` or `@Observation.component`
fn type_ref(word: &'static str, ids: &HashMap<&'static str, u16>) -> TypeRef {
    let (name, targets) = word.trim_start_matches('@').split_once('(').unwrap_or((word, ""));
    let name = name.trim_start_matches('@');
    let targets = targets.trim_end_matches(')').split('|').filter(|target| !target.is_empty()).collect();
    TypeRef { name, targets, id: ids[name] }
}

/// Elements of the base types first; an own element of the same name takes the place of the inherited one.
fn inherit(
    position: usize,
    types: &[TypeDef],
    own: &[Vec<&'static Element>],
    ids: &HashMap<&'static str, u16>,
    out: &mut Vec<&'static Element>,
) {
    if let Some(base) = types[position].base {
        inherit(usize::from(ids[base]), types, own, ids, out);
    }
    for element in &own[position] {
        match out.iter_mut().find(|inherited| inherited.name == element.name) {
            Some(inherited) => *inherited = element,
            None => out.push(element),
        }
    }
}

fn properties_of((position, element): (usize, &&'static Element)) -> Vec<OwnedProperty> {
    let element = *element;
    let property =
        |name: Box<str>, type_ref| OwnedProperty { name, property: Property { element, type_ref, position } };
    if !element.choice {
        return element.types.iter().take(1).map(|only| property(element.name.into(), only)).collect();
    }
    let named = element.types.iter().map(|of| {
        let (first, rest) = of.name.split_at(1);
        property(format!("{}{}{rest}", element.name, first.to_ascii_uppercase()).into(), of)
    });
    named.collect()
}

fn search_params(table: &'static str, resource_types: &[&'static str]) -> Vec<&'static SearchParamDef> {
    let mut params: Vec<SearchParamDef> = Vec::new();
    for line in lines(table) {
        if let Some(header) = line.strip_prefix("param ") {
            params.push(param_header(header));
            continue;
        }
        let param = params.last_mut().expect("attributes follow their parameter");
        let (attribute, rest) = word(&line[1..]);
        match attribute {
            "base" => param.bases = rest.split(' ').collect(),
            "expression" => param.expression = Some(rest),
            "target" if rest == "*" => param.targets = resource_types.to_vec(),
            "target" => param.targets = rest.split(' ').collect(),
            "component" => {
                let (named, expression) = word(rest);
                let corrected =
                    WRONG_COMPONENTS.iter().find(|wrong| (wrong.0, wrong.1) == (named, expression));
                let definition = corrected.map_or(named, |(_, _, right)| right);
                param.components.push(ComponentDef { definition, expression });
            }
            "usage" => param.usage = Some(rest),
            other => panic!("unknown attribute of a search parameter: {other}"),
        }
    }
    params.into_iter().map(keep).collect()
}

fn param_header(header: &'static str) -> SearchParamDef {
    let mut words = header.split(' ');
    let mut next = || words.next().expect("param <code> <type> <url>");
    let (code, kind, url) = (next(), next(), next());
    let kind = match kind {
        "token" => ParamType::Token,
        "reference" => ParamType::Reference,
        "string" => ParamType::String,
        "date" => ParamType::Date,
        "composite" => ParamType::Composite,
        "uri" => ParamType::Uri,
        "quantity" => ParamType::Quantity,
        "number" => ParamType::Number,
        "special" => ParamType::Special,
        other => panic!("unknown type of search parameter: {other}"),
    };
    SearchParamDef {
        code,
        url,
        kind,
        bases: Vec::new(),
        expression: None,
        targets: Vec::new(),
        components: Vec::new(),
        usage: None,
    }
}

/// The parameters of one resource type, sorted by code; KR Core's take the place of R4's of the same code.
fn params_of(
    of: &TypeDef,
    r4: &[&'static SearchParamDef],
    krcore: &[&'static SearchParamDef],
) -> Vec<&'static SearchParamDef> {
    let parent = of.base.unwrap_or_default();
    let applies = |param: &&&'static SearchParamDef| {
        param.bases.iter().any(|base| *base == of.name || *base == parent || *base == "Resource")
    };
    let mut found: Vec<&'static SearchParamDef> = krcore.iter().chain(r4).filter(applies).copied().collect();
    // The sort is stable: KR Core's stay before R4's.
    found.sort_by_key(|param| param.code);
    found.dedup_by_key(|param| param.code);
    found
}

fn compartments() -> HashMap<&'static str, HashMap<&'static str, Vec<&'static str>>> {
    let mut compartments: HashMap<_, HashMap<_, _>> = HashMap::new();
    let mut compartment = "";
    for line in lines(COMPARTMENT_MEMBERS) {
        match line.strip_prefix("compartment ") {
            Some(name) => {
                assert!(COMPARTMENTS.contains(&name), "unknown compartment: {name}");
                compartment = name;
            }
            None => {
                let (resource_type, codes) = word(&line[1..]);
                let members = compartments.entry(compartment).or_default();
                members.insert(resource_type, codes.split(' ').collect());
            }
        }
    }
    compartments
}
