//! Random questions, as URLs.

use proptest::prelude::*;
use proptest::sample::select;

/// Parameters by kind: name and the values to ask for.
const PARAMETERS: &[(&str, &[(&str, Values)])] = &[
    (
        "Patient",
        &[
            ("name", TEXT),
            ("family", TEXT),
            ("given", TEXT),
            ("identifier", IDENTIFIERS),
            ("gender", &["male", "female", "http://hl7.org/fhir/administrative-gender|male", "|male"]),
            ("birthdate", DATES),
            ("active", &["true", "false"]),
            ("deceased", &["true", "false"]),
            ("organization", &["Organization/o0", "o1", "Organization/none"]),
            ("telecom", &["010-0000-0001", "a@b.test", "phone|010-0000-0001"]),
        ],
    ),
    (
        "Observation",
        &[
            ("status", &["final", "amended"]),
            ("code", CODES),
            ("category", CODES),
            ("combo-code", CODES),
            ("subject", PATIENTS),
            ("patient", PATIENTS),
            ("encounter", &["Encounter/e0", "e1"]),
            ("date", DATES),
            ("value-quantity", NUMBERS),
            ("value-concept", CODES),
            ("value-string", &["높", "high", "HI"]),
        ],
    ),
    (
        "Encounter",
        &[
            ("status", &["finished", "planned"]),
            ("class", &["AMB", "http://a.test|AMB", "|IMP"]),
            ("subject", PATIENTS),
            ("service-provider", &["Organization/o0", "o2"]),
            ("part-of", &["Encounter/e0", "e1"]),
            ("date", DATES),
        ],
    ),
    (
        "Organization",
        &[("name", &["가상", "ㄱㅅ", "cl"]), ("partof", &["Organization/o0", "o1"]), ("active", &["true"])],
    ),
    ("Appointment", &[("patient", PATIENTS), ("date", DATES)]),
    (
        "Questionnaire",
        &[("url", &["http://q.test/a", "http://q.test/a/b", "http://q.test"]), ("version", &["1", "|2"])],
    ),
    (
        "TestNote",
        &[
            ("state", &["open", "closed", "true", "7"]),
            ("about", &["Patient/p1", "Patient/p3"]),
            ("made", DATES),
            ("size", &["1", "2", "2.0", "1.5"]),
        ],
    ),
];

type Values = &'static [&'static str];

const TEXT: Values = &[
    "김",
    "김민",
    "ㄱㅁ",
    "ㄱㅁㅅ",
    "김ㅁ",
    "ㄴㄱ",
    "남궁 ㅁ",
    "kim",
    "Jose",
    "PÉR",
    "min",
    "ana*[b]?",
    "ㅋ",
    "수",
    "m",
];
const IDENTIFIERS: Values = &["1", "2", "urn:a|1", "urn:a|", "|1", "urn:none|1", "urn:b|2"];
const CODES: Values = &[
    "x",
    "y",
    "X",
    "http://a.test|x",
    "http://b.test|x",
    "|x",
    "|y",
    "http://a.test|",
    "http://none.test|x",
    "z",
];
const PATIENTS: Values = &[
    "Patient/p0",
    "p1",
    "Patient/p2",
    "http://hub.test/fhir/Patient/p3",
    "http://other.test/fhir/Patient/p1",
    "Patient/never",
];
const DATES: Values = &[
    "2026",
    "2026-02",
    "2026-03",
    "2026-02-28",
    "2026-03-01",
    "2026-03-01T00:00:00+09:00",
    "1986",
    "1990-05-04",
    "2026-02-28T15:00:00Z",
    "1980",
    "1980-02",
    "1990-05-05",
    "1987-06",
    "2026-03-01T08:59",
];
const NUMBERS: Values = &[
    "100",
    "100||mg",
    "1e2",
    "99.9||g",
    "100|http://u.test|mg",
    "-0.5",
    "0",
    "123456789012345678901234567890||g",
    "95",
];
const PREFIXES: &[&str] = &["", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

/// Any question.
pub(crate) fn url() -> impl Strategy<Value = String> {
    select(PARAMETERS).prop_flat_map(|(kind, parameters)| {
        let conditions = prop::collection::vec(condition(kind, parameters), 0..4);
        let sort = prop::option::weighted(0.5, sort(parameters));
        (conditions, sort).prop_map(move |(mut parts, sort)| {
            parts.extend(sort.map(|sort| format!("_sort={sort}")));
            if parts.is_empty() { kind.to_owned() } else { format!("{kind}?{}", parts.join("&")) }
        })
    })
}

fn condition(kind: &'static str, parameters: &'static [(&'static str, Values)]) -> BoxedStrategy<String> {
    let chained = match kind {
        "Observation" => vec!["patient", "subject:Patient", "encounter", "encounter:Encounter"],
        "Encounter" => vec!["subject:Patient", "service-provider", "part-of"],
        "Appointment" => vec!["patient"],
        "Patient" | "Organization" => vec![if kind == "Patient" { "organization" } else { "partof" }],
        _ => vec![],
    };
    let backward = match kind {
        "Patient" => vec![("Observation", "patient"), ("Encounter", "subject"), ("Appointment", "patient")],
        "Encounter" => vec![("Observation", "encounter"), ("Encounter", "part-of")],
        "Organization" => {
            vec![("Patient", "organization"), ("Encounter", "service-provider"), ("Organization", "partof")]
        }
        _ => vec![],
    };
    let mut any = vec![(6, simple(parameters)), (1, common(kind))];
    if !chained.is_empty() {
        let chain = select(chained).prop_flat_map(|link| {
            let target = match link {
                "patient" | "subject:Patient" => "Patient",
                "encounter" | "encounter:Encounter" | "part-of" => "Encounter",
                _ => "Organization",
            };
            simple(of(target)).prop_map(move |inner| format!("{link}.{inner}"))
        });
        any.push((2, chain.boxed()));
    }
    if !backward.is_empty() {
        let has = select(backward).prop_flat_map(|(other, link)| {
            simple(of(other)).prop_map(move |inner| format!("_has:{other}:{link}:{inner}"))
        });
        any.push((2, has.boxed()));
    }
    prop::strategy::Union::new_weighted(any).boxed()
}

fn of(kind: &str) -> &'static [(&'static str, Values)] {
    PARAMETERS.iter().find(|(name, _)| *name == kind).unwrap().1
}

/// `name[:modifier]=value[,value]`
fn simple(parameters: &'static [(&'static str, Values)]) -> BoxedStrategy<String> {
    (select(parameters), 0..12_u8)
        .prop_flat_map(|((name, values), modifier)| {
            let ordered = values.contains(&"2026") || matches!(name, "value-quantity" | "size");
            let text = matches!(name, "name" | "family" | "given" | "value-string");
            let token = matches!(
                name,
                "identifier" | "gender" | "active" | "status" | "code" | "category" | "class" | "state"
            );
            let prefix: Values = if ordered { PREFIXES } else { &[""] };
            let value =
                (select(prefix), select(values)).prop_map(|(prefix, value)| format!("{prefix}{value}"));
            prop::collection::vec(value, 1..4).prop_map(move |values| match modifier {
                0 => format!("{name}:missing=true"),
                1 => format!("{name}:missing=false"),
                2 if token => format!("{name}:not={}", values.join(",")),
                2 if text => format!("{name}:exact={}", values.join(",")),
                3 if text => format!("{name}:contains={}", values.join(",")),
                _ => format!("{name}={}", values.join(",")),
            })
        })
        .boxed()
}

/// Parameters of every kind; those on `meta` only where there is one.
fn common(kind: &str) -> BoxedStrategy<String> {
    let mut any = vec![
        "_id=p1,p2,o0,e1",
        "_id=none",
        "_lastUpdated=ge2026-03-01",
        "_lastUpdated=lt2026-02-20,gt2026-03-10",
        "_lastUpdated=2026-02-15",
    ];
    if kind != "TestNote" {
        any.extend(["_tag=t", "_security=s|V", "_profile=http://p.test/a", "_source=http://s.test"]);
    }
    select(any).prop_map(ToString::to_string).boxed()
}

fn sort(parameters: &'static [(&'static str, Values)]) -> BoxedStrategy<String> {
    let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).chain(["_lastUpdated"]).collect();
    let key = (any::<bool>(), select(names))
        .prop_map(|(down, name)| format!("{}{name}", if down { "-" } else { "" }));
    prop::collection::vec(key, 1..3)
        .prop_map(|mut keys| {
            keys.dedup_by_key(|key| key.trim_start_matches('-').to_owned());
            keys.join(",")
        })
        .boxed()
}
