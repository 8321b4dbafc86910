//! Random records over small alphabets.

use proptest::prelude::*;

/// One write.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Put(String),
    Delete(&'static str, String),
}

/// Any write.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        9 => prop_oneof![patient(), observation(), encounter(), organization(), appointment(), questionnaire(), note()]
            .prop_map(Step::Put),
        1 => (kind(), 0..5_u8).prop_map(|(kind, id)| Step::Delete(kind, format!("{}{id}", letter(kind)))),
    ]
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["Patient", "Observation", "Encounter", "Organization", "Appointment"])
}

/// Ids begin with a letter of their kind.
fn letter(kind: &str) -> char {
    kind.chars().next().unwrap().to_ascii_lowercase()
}

/// The pieces, each there or not, as members of one object.
fn object(kind: &'static str, members: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let members: Vec<_> = members.into_iter().map(|member| prop::option::weighted(0.7, member)).collect();
    (0..5_u8, members)
        .prop_map(move |(id, members)| {
            let mut text = format!(r#"{{"resourceType":"{kind}","id":"{}{id}""#, letter(kind));
            for member in members.into_iter().flatten() {
                text.push(',');
                text.push_str(&member);
            }
            text.push('}');
            text
        })
        .boxed()
}

fn one(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(texts).prop_map(ToString::to_string).boxed()
}

/// A member whose value is an array of one to three of these.
fn several(name: &'static str, element: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop::collection::vec(element, 1..4)
        .prop_map(move |all| format!(r#""{name}":[{}]"#, all.join(",")))
        .boxed()
}

fn member(name: &'static str, value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    value.prop_map(move |value| format!(r#""{name}":{value}"#)).boxed()
}

fn labels() -> BoxedStrategy<String> {
    one(&[
        r#""meta":{"security":[{"system":"s","code":"V"}]}"#,
        r#""meta":{"security":[{"system":"s","code":"R"}],"tag":[{"code":"t"}]}"#,
        r#""meta":{"profile":["http://p.test/a"],"source":"http://s.test"}"#,
    ])
}

fn patient_reference() -> BoxedStrategy<String> {
    one(&[
        r#"{"reference":"Patient/p0"}"#,
        r#"{"reference":"Patient/p1"}"#,
        r#"{"reference":"Patient/p2"}"#,
        r#"{"reference":"http://hub.test/fhir/Patient/p3"}"#,
        r#"{"reference":"http://other.test/fhir/Patient/p1"}"#,
        r#"{"reference":"Patient/never/_history/2"}"#,
    ])
}

fn coding() -> BoxedStrategy<String> {
    one(&[
        r#"{"coding":[{"system":"http://a.test","code":"x"}]}"#,
        r#"{"coding":[{"system":"http://b.test","code":"x"},{"code":"y"}]}"#,
        r#"{"coding":[{"code":"x"},{"system":"http://a.test","code":"X"}]}"#,
        r#"{"coding":[{"system":"http://a.test"}],"text":"x"}"#,
        r#"{"coding":[{"system":"http://a.test","code":"x"},{"system":"http://b.test","code":"x"}]}"#,
    ])
}

fn moment() -> BoxedStrategy<String> {
    one(&[
        r#""2026""#,
        r#""2026-03""#,
        r#""2026-03-01""#,
        r#""2026-03-01T00:00:00+09:00""#,
        r#""2026-02-28T15:00:00.5Z""#,
        r#""2026-02-28T23:59:60Z""#,
        r#""1987-06-01T00:00:00+10:00""#,
    ])
}

fn patient() -> BoxedStrategy<String> {
    let name = one(&[
        r#"{"text":"김민수"}"#,
        r#"{"text":"남궁 민"}"#,
        r#"{"text":"KIM min su","family":"Kim"}"#,
        r#"{"family":"Pérez","given":["José","ana*[b]?"]}"#,
        "{\"text\":\"\u{1100}\u{1175}\u{11B7}민\"}",
        r#"{"text":"ㅋㅋ"}"#,
    ]);
    let identifier = one(&[
        r#"{"system":"urn:a","value":"1"}"#,
        r#"{"value":"1"}"#,
        r#"{"system":"urn:b","value":"2"}"#,
        r#"{"system":"urn:a"}"#,
    ]);
    object(
        "Patient",
        vec![
            labels(),
            several("name", name),
            several("identifier", identifier),
            member("gender", one(&[r#""male""#, r#""female""#])),
            member("birthDate", one(&[r#""1980""#, r#""1980-02""#, r#""1990-05-05""#])),
            member("active", one(&["true", "false"])),
            member(
                "managingOrganization",
                one(&[r#"{"reference":"Organization/o0"}"#, r#"{"reference":"Organization/o1"}"#]),
            ),
            several(
                "telecom",
                one(&[r#"{"system":"phone","value":"010-0000-0001"}"#, r#"{"value":"a@b.test"}"#]),
            ),
            member("deceasedBoolean", one(&["true", "false"])),
        ],
    )
}

fn observation() -> BoxedStrategy<String> {
    let quantity = one(&[
        r#"{"value":100,"unit":"mg","system":"http://u.test","code":"mg"}"#,
        r#"{"value":1e2,"code":"mg"}"#,
        r#"{"value":99.95,"unit":"g"}"#,
        r#"{"value":-0.5}"#,
        r#"{"value":100,"comparator":"<","code":"mg"}"#,
        r#"{"value":123456789012345678901234567890.10,"code":"g"}"#,
    ]);
    object(
        "Observation",
        vec![
            labels(),
            member("status", one(&[r#""final""#, r#""amended""#])),
            member("code", coding()),
            several("category", coding()),
            member("subject", patient_reference()),
            member("encounter", one(&[r#"{"reference":"Encounter/e0"}"#, r#"{"reference":"Encounter/e1"}"#])),
            prop_oneof![
                member("effectiveDateTime", moment()),
                moment().prop_map(|start| format!(r#""effectivePeriod":{{"start":{start}}}"#)),
                moment().prop_map(|end| format!(r#""effectivePeriod":{{"end":{end}}}"#)),
            ]
            .boxed(),
            prop_oneof![
                member("valueQuantity", quantity),
                member("valueCodeableConcept", coding()),
                member("valueString", one(&[r#""높음""#, r#""High""#])),
            ]
            .boxed(),
        ],
    )
}

fn encounter() -> BoxedStrategy<String> {
    object(
        "Encounter",
        vec![
            labels(),
            member("status", one(&[r#""finished""#, r#""planned""#])),
            member("class", one(&[r#"{"system":"http://a.test","code":"AMB"}"#, r#"{"code":"IMP"}"#])),
            member("subject", patient_reference()),
            member(
                "serviceProvider",
                one(&[r#"{"reference":"Organization/o0"}"#, r#"{"reference":"Organization/o2"}"#]),
            ),
            member("partOf", one(&[r#"{"reference":"Encounter/e0"}"#, r#"{"reference":"Encounter/e1"}"#])),
            moment().prop_map(|start| format!(r#""period":{{"start":{start}}}"#)).boxed(),
        ],
    )
}

fn organization() -> BoxedStrategy<String> {
    object(
        "Organization",
        vec![
            member("name", one(&[r#""가상의원""#, r#""가상 병원""#, r#""Clinic""#])),
            member(
                "partOf",
                one(&[r#"{"reference":"Organization/o0"}"#, r#"{"reference":"Organization/o1"}"#]),
            ),
            member("active", one(&["true"])),
        ],
    )
}

fn appointment() -> BoxedStrategy<String> {
    let participant = patient_reference().prop_map(|actor| format!(r#"{{"actor":{actor}}}"#)).boxed();
    object("Appointment", vec![labels(), several("participant", participant), member("start", moment())])
}

fn questionnaire() -> BoxedStrategy<String> {
    object(
        "Questionnaire",
        vec![
            member("url", one(&[r#""http://q.test/a""#, r#""http://q.test/a/b""#])),
            member("version", one(&[r#""1""#, r#""2""#])),
        ],
    )
}

fn note() -> BoxedStrategy<String> {
    let part = one(&[r#"{"size":1}"#, r#"{"size":2.0}"#, r#"{"size":2}"#, "{}"]);
    object(
        "TestNote",
        vec![
            member("state", one(&[r#""open""#, r#""closed""#, "true", "7"])),
            member("about", one(&[r#""Patient/p1""#, r#""Patient/p2""#])),
            member("made", moment()),
            several("parts", part),
        ],
    )
}
