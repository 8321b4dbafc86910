//! Random questions, as URLs.

mod expressions;
mod parameters;

use proptest::prelude::*;
use proptest::sample::select;

use expressions::expression;
use parameters::{BACK_LINKS, Form, LINKS, PARAMETERS, PREFIXES, Parameter, Values, WORDS, of};

/// Each prefix with each value of each parameter that has an order.
pub(crate) fn comparisons() -> Vec<String> {
    let mut urls = Vec::new();
    for (kind, parameters) in PARAMETERS {
        let ordered = |form: Form| matches!(form, Form::Date | Form::Number | Form::Quantity);
        for (name, _, values) in parameters.iter().filter(|(_, form, _)| ordered(*form)) {
            let each = PREFIXES.iter().flat_map(|prefix| values.iter().map(move |value| (prefix, value)));
            urls.extend(each.map(|(prefix, value)| format!("{kind}?{name}={prefix}{value}")));
        }
    }
    urls
}

/// Links of chains and `_has` one inside another.
const DEPTH: u32 = 3;

/// Any question.
pub(crate) fn url() -> impl Strategy<Value = String> {
    select(PARAMETERS).prop_flat_map(|(kind, _): (&'static str, _)| {
        let conditions = prop::collection::vec(condition(kind, DEPTH), 0..4);
        let contained = if kind == "Medication" { contained() } else { Just(String::new()).boxed() };
        let sort = prop::option::weighted(0.5, sort(kind));
        (conditions, contained, sort).prop_map(move |(mut parts, contained, sort)| {
            if contained.is_empty() {
                parts.extend(sort.map(|sort| format!("_sort={sort}")));
            } else {
                parts.push(contained);
            }
            if parts.is_empty() { kind.to_owned() } else { format!("{kind}?{}", parts.join("&")) }
        })
    })
}

/// Which resources are meant where some stand in others.
fn contained() -> BoxedStrategy<String> {
    let search = select(&["", "_contained=true", "_contained=both"][..]);
    let give = select(&["", "&_containedType=container", "&_containedType=contained"][..]);
    (search, give)
        .prop_map(|(search, give)| if search.is_empty() { String::new() } else { format!("{search}{give}") })
        .boxed()
}

/// One condition on records of a kind, with chains at most so deep.
fn condition(kind: &'static str, depth: u32) -> BoxedStrategy<String> {
    let mut any = vec![(8, simple(of(PARAMETERS, kind))), (2, common(kind))];
    if depth > 0 {
        let (links, back) = (of(LINKS, kind), of(BACK_LINKS, kind));
        if !links.is_empty() {
            let chain = select(links).prop_flat_map(move |(link, target)| {
                condition(target, depth - 1).prop_map(move |inner| format!("{link}.{inner}"))
            });
            any.push((3, chain.boxed()));
        }
        if !back.is_empty() {
            let has = select(back).prop_flat_map(move |(other, link)| {
                condition(other, depth - 1).prop_map(move |inner| format!("_has:{other}:{link}:{inner}"))
            });
            any.push((3, has.boxed()));
        }
        any.push((3, expression(kind, 2).prop_map(|expression| format!("_filter={expression}")).boxed()));
    }
    prop::strategy::Union::new_weighted(any).boxed()
}

/// `name[:modifier]=value[,value]`
fn simple(parameters: &'static [Parameter]) -> BoxedStrategy<String> {
    (select(parameters), 0..14_usize)
        .prop_flat_map(|((name, form, values), choice)| {
            let (modifier, values) = match choice {
                0 => (":missing", &["true"][..]),
                1 => (":missing", &["false"][..]),
                2 if form == Form::Tree => (":below", values),
                3 if form == Form::Tree => (":above", values),
                2..=7 => modifier(form, choice - 2).unwrap_or(("", values)),
                _ => ("", values),
            };
            let ordered = modifier.is_empty() && matches!(form, Form::Date | Form::Number | Form::Quantity);
            let prefix: Values = if ordered { PREFIXES } else { &[""] };
            let most = if modifier == ":missing" { 2 } else { 4 };
            let value =
                (select(prefix), select(values)).prop_map(|(prefix, value)| format!("{prefix}{value}"));
            prop::collection::vec(value, 1..most)
                .prop_map(move |values| format!("{name}{modifier}={}", values.join(",")))
        })
        .boxed()
}

/// The modifier of this number for values of a form, with what to ask for.
fn modifier(form: Form, number: usize) -> Option<(&'static str, Values)> {
    const NAMES: Values = &["김", "김민", "kim", "남궁 민", "김민수", "KIM min su", "su"];
    const CODES: Values = &["x", "|x", "http://a.test|x", "y", "X"];
    const TEXTS: Values = &["두", "ㄷㅌ", "head", "HEADACHE", "x", "통"];
    const SETS: Values = &["http://vs.test/x", "http://vs.test/y", "http://vs.test/empty"];
    const TREES: Values = &["http://a.test|top", "http://a.test|x", "http://a.test|X"];
    const TYPES: Values = &["urn:t|MR|1", "urn:t|MR|2", "urn:t|NI|2", "urn:u|MR|1"];
    const URLS: Values = &[
        "http://q.test/a",
        "http://q.test/a/",
        "http://q.test",
        "http://q.test/a/b",
        "http://q.test/a/b/c",
        "urn:oid:1.2",
    ];
    let found: &[(&'static str, Values)] = match form {
        Form::Text => &[(":exact", NAMES), (":contains", NAMES)],
        Form::Token => &[(":not", CODES), (":not", &["male", "final", "true", "open", "finished"])],
        Form::Code => &[
            (":not", CODES),
            (":text", TEXTS),
            (":in", SETS),
            (":not-in", SETS),
            (":below", TREES),
            (":above", TREES),
        ],
        Form::Identifier => {
            &[(":not", &["1", "urn:a|1", "|1"]), (":of-type", TYPES), (":text", &["번", "ㅂㅎ", "number"])]
        }
        Form::Reference => &[(":identifier", &["urn:a|1", "1", "|1", "urn:a|"])],
        Form::Uri => &[(":below", URLS), (":above", URLS)],
        // Hierarchies are asked for with the parameter's own values.
        Form::Tree | Form::Date | Form::Number | Form::Quantity | Form::Parts => &[],
    };
    found.get(number).copied()
}

/// Parameters of every kind; those on `meta` and texts only where there are some.
fn common(kind: &str) -> BoxedStrategy<String> {
    let mut any = vec![
        "_id=p1,p2,o0,e1,l0,m1,a",
        "_id=none",
        "_id:not=p1,o1,a",
        "_id:missing=true",
        "_lastUpdated=ge2026-03-01",
        "_lastUpdated=lt2026-02-20,gt2026-03-10",
        "_lastUpdated=2026-02-15",
        "_lastUpdated:missing=false",
    ];
    if kind == "TestNote" {
        return select(any).prop_map(ToString::to_string).boxed();
    }
    any.extend([
        "_tag=t",
        "_tag:not=t",
        "_security=s|V",
        "_profile=http://p.test/a",
        "_source=http://s.test",
        "_source:below=http://s.test",
        "_profile:missing=false",
        "_list=l0",
        "_list=l1,l2",
    ]);
    let words = (select(&["_text", "_content"][..]), select(WORDS))
        .prop_map(|(name, words)| format!("{name}={words}"));
    prop_oneof![2 => select(any).prop_map(ToString::to_string), 1 => words].boxed()
}

fn sort(kind: &'static str) -> BoxedStrategy<String> {
    let ordered = |kind: &str| -> Vec<&'static str> {
        let own = of(PARAMETERS, kind).iter().filter(|(_, form, _)| *form != Form::Parts);
        own.map(|(name, _, _)| *name).chain(["_lastUpdated"]).collect()
    };
    let own = select(ordered(kind)).prop_map(str::to_owned);
    let links = of(LINKS, kind);
    let name = if links.is_empty() {
        own.boxed()
    } else {
        let chain = select(links).prop_flat_map(move |(link, target)| {
            let further: Vec<String> = of(LINKS, target)
                .iter()
                .flat_map(|(next, end)| ordered(end).into_iter().map(move |name| format!("{next}.{name}")))
                .collect();
            let near = ordered(target).into_iter().chain(["_id"]).map(str::to_owned);
            select(near.chain(further).collect::<Vec<_>>()).prop_map(move |name| format!("{link}.{name}"))
        });
        prop_oneof![2 => own, 1 => chain].boxed()
    };
    let key = (any::<bool>(), name).prop_map(|(down, name)| format!("{}{name}", if down { "-" } else { "" }));
    prop::collection::vec(key, 1..3)
        .prop_map(|mut keys| {
            keys.dedup_by_key(|key| key.trim_start_matches('-').to_owned());
            keys.join(",")
        })
        .boxed()
}
