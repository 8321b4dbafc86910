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
        9 => prop_oneof![
            3 => patient(),
            4 => observation(),
            3 => encounter(),
            2 => organization(),
            2 => location(),
            1 => appointment(),
            1 => questionnaire(),
            1 => questionnaire_response(),
            1 => medication().prop_map(|medication| format!(r#"{{"resourceType":"Medication",{medication}}}"#)),
            2 => medication_request(),
            2 => list(),
            1 => document_reference(),
            1 => note(),
            3 => evidence(),
        ]
        .prop_map(Step::Put),
        1 => (kind(), 0..5_u8).prop_map(|(kind, id)| Step::Delete(kind, format!("{}{id}", letter(kind)))),
    ]
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Patient",
        "Observation",
        "Encounter",
        "Organization",
        "Appointment",
        "Location",
        "List",
        "Medication",
        "MedicationRequest",
        "TestEvidence",
    ])
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
        r#""meta":{"profile":["http://p.test/a|1.0"],"source":"http://s.test/x"}"#,
    ])
}

/// A narrative.
fn narrative() -> BoxedStrategy<String> {
    one(&[
        r#""text":{"status":"generated","div":"<div>고혈압이 <b class=\"두통\">있다</b></div>"}"#,
        r#""text":{"status":"generated","div":"<div>chest pain &amp; 두통</div>"}"#,
        r#""text":{"status":"generated","div":"<div>Pain, 혈당; 압박</div>"}"#,
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
        r#"{"identifier":{"system":"urn:a","value":"1"}}"#,
        r#"{"reference":"Patient/p1","identifier":{"value":"1"},"display":"chest"}"#,
    ])
}

fn coding() -> BoxedStrategy<String> {
    one(&[
        r#"{"coding":[{"system":"http://a.test","code":"x"}]}"#,
        r#"{"coding":[{"system":"http://b.test","code":"x"},{"code":"y"}]}"#,
        r#"{"coding":[{"code":"x"},{"system":"http://a.test","code":"X"}]}"#,
        r#"{"coding":[{"system":"http://a.test"}],"text":"x"}"#,
        r#"{"coding":[{"system":"http://a.test","code":"x"},{"system":"http://b.test","code":"x"}]}"#,
        r#"{"coding":[{"system":"http://a.test","code":"X","display":"Headache"},{"code":"x","display":"두통"}],"text":"두통"}"#,
        r#"{"text":"headache 血壓"}"#,
    ])
}

/// Quantities; among them what others begin or end with.
pub(super) const QUANTITIES: &[&str] = &[
    r#"{"value":100,"unit":"mg","system":"http://u.test","code":"mg"}"#,
    r#"{"value":1e2,"code":"mg"}"#,
    r#"{"value":99.95,"unit":"g"}"#,
    r#"{"value":-0.5}"#,
    r#"{"value":100,"comparator":"<","code":"mg"}"#,
    r#"{"value":123456789012345678901234567890.10,"code":"g"}"#,
    r#"{"value":100,"system":"http://unitsofmeasure.org","code":"mg"}"#,
    r#"{"value":0.1,"system":"http://unitsofmeasure.org","code":"g"}"#,
    r#"{"value":100,"comparator":">=","system":"http://unitsofmeasure.org","code":"ug"}"#,
    r#"{"value":100,"system":"http://unitsofmeasure.org","code":"정"}"#,
    r#"{"value":37,"system":"http://unitsofmeasure.org","code":"Cel"}"#,
    r#"{"value":98.6,"system":"http://unitsofmeasure.org","code":"[degF]"}"#,
    r#"{"value":95}"#,
    r#"{"value":99.85,"unit":"g"}"#,
    r#"{"value":105.0,"code":"mg"}"#,
    r#"{"value":0,"comparator":"<="}"#,
    r#"{"value":0.00,"code":"mg"}"#,
    r#"{"value":100,"comparator":">","code":"mg"}"#,
];

fn quantity() -> BoxedStrategy<String> {
    one(QUANTITIES)
}

/// A member that is a reference to one of the first three records of a kind.
fn reference(name: &'static str, kind: &'static str) -> BoxedStrategy<String> {
    (0..3_u8).prop_map(move |id| format!(r#""{name}":{{"reference":"{kind}/{}{id}"}}"#, letter(kind))).boxed()
}

/// Dates; among them those at which others begin or end.
pub(super) const MOMENTS: &[&str] = &[
    r#""2026""#,
    r#""2026-03""#,
    r#""2026-03-01""#,
    r#""2026-03-01T00:00:00+09:00""#,
    r#""2026-02-28T15:00:00.5Z""#,
    r#""2026-02-28T23:59:60Z""#,
    r#""1987-06-01T00:00:00+10:00""#,
    r#""2026-02""#,
    r#""2026-02-28""#,
    r#""2026-02-28T14:59:59Z""#,
    r#""2026-03-01T08:59:00+09:00""#,
    r#""1987-06""#,
    r#""1986""#,
    r#""1990-05-04""#,
];

fn moment() -> BoxedStrategy<String> {
    one(MOMENTS)
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
        r#"{"system":"urn:a","value":"1","type":{"text":"번호","coding":[{"system":"urn:t","code":"MR"}]}}"#,
        r#"{"value":"2","type":{"text":"Number","coding":[{"system":"urn:t","code":"NI"},{"system":"urn:t","code":"MR"},{"code":"MR"}]}}"#,
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
            reference("managingOrganization", "Organization"),
            several(
                "telecom",
                one(&[r#"{"system":"phone","value":"010-0000-0001"}"#, r#"{"value":"a@b.test"}"#]),
            ),
            member("deceasedBoolean", one(&["true", "false"])),
        ],
    )
}

fn observation() -> BoxedStrategy<String> {
    let component = (
        coding(),
        prop_oneof![member("valueQuantity", quantity()), member("valueCodeableConcept", coding())],
    )
        .prop_map(|(code, value)| format!(r#"{{"code":{code},{value}}}"#))
        .boxed();
    object(
        "Observation",
        vec![
            labels(),
            narrative(),
            several("note", one(&[r#"{"text":"고혈압"}"#, r#"{"text":"chest x"}"#])),
            several("component", component),
            member("status", one(&[r#""final""#, r#""amended""#])),
            member("code", coding()),
            several("category", coding()),
            member("subject", patient_reference()),
            reference("encounter", "Encounter"),
            prop_oneof![
                member("effectiveDateTime", moment()),
                moment().prop_map(|start| format!(r#""effectivePeriod":{{"start":{start}}}"#)),
                moment().prop_map(|end| format!(r#""effectivePeriod":{{"end":{end}}}"#)),
            ]
            .boxed(),
            prop_oneof![
                member("valueQuantity", quantity()),
                member("valueDateTime", moment()),
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
            narrative(),
            reference("serviceProvider", "Organization"),
            member(
                "serviceType",
                one(&[r#"{"coding":[{"code":"0100"}]}"#, r#"{"coding":[{"code":"0400"}]}"#]),
            ),
            reference("partOf", "Encounter"),
            several(
                "location",
                reference("location", "Location").prop_map(|location| format!("{{{location}}}")).boxed(),
            ),
            moment().prop_map(|start| format!(r#""period":{{"start":{start}}}"#)).boxed(),
        ],
    )
}

fn organization() -> BoxedStrategy<String> {
    object(
        "Organization",
        vec![
            member("name", one(&[r#""가상의원""#, r#""가상 병원""#, r#""Clinic""#])),
            reference("partOf", "Organization"),
            member("active", one(&["true"])),
        ],
    )
}

fn location() -> BoxedStrategy<String> {
    let position = one(&[
        r#"{"latitude":37.5,"longitude":127}"#,
        r#"{"latitude":37.5000001,"longitude":127.0}"#,
        r#"{"latitude":37.6,"longitude":127}"#,
        r#"{"latitude":0,"longitude":179.99}"#,
        r#"{"latitude":0.0,"longitude":-179.99}"#,
        r#"{"latitude":89.9,"longitude":-100}"#,
        r#"{"latitude":-90,"longitude":0}"#,
    ]);
    object(
        "Location",
        vec![
            member("name", one(&[r#""병동""#, r#""Ward 1""#])),
            reference("partOf", "Location"),
            member("position", position),
        ],
    )
}

/// The members of a Medication, which may stand in another record; ids are `m0` and so on, or `a`.
fn medication() -> BoxedStrategy<String> {
    let id = prop::sample::select(vec!["m0", "m1", "m2", "a"]);
    let status = prop::option::of(Just(r#","status":"active""#)).prop_map(Option::unwrap_or_default);
    (id, coding(), status)
        .prop_map(|(id, code, status)| format!(r#""id":"{id}","code":{code}{status}"#))
        .boxed()
}

fn medication_request() -> BoxedStrategy<String> {
    let inner = medication().prop_map(|members| format!(r#"{{"resourceType":"Medication",{members}}}"#));
    // An id stands once in a record.
    let contained = prop::collection::vec(inner, 0..3).prop_map(|mut inner| {
        let mut ids = std::collections::HashSet::new();
        inner.retain(|json| json.split('"').nth(7).is_some_and(|id| ids.insert(id.to_owned())));
        format!(r#""contained":[{}]"#, inner.join(","))
    });
    object(
        "MedicationRequest",
        vec![
            labels(),
            contained.boxed(),
            member("subject", patient_reference()),
            prop_oneof![
                reference("medicationReference", "Medication"),
                Just(r##""medicationReference":{"reference":"#a"}"##.to_owned()),
            ]
            .boxed(),
        ],
    )
}

fn list() -> BoxedStrategy<String> {
    let item = prop_oneof![
        reference("item", "Patient"),
        reference("item", "Observation"),
        Just(r#""item":{"reference":"http://hub.test/fhir/Patient/p1"}"#.to_owned()),
    ];
    let entry = item.prop_map(|item| format!("{{{item}}}")).boxed();
    object("List", vec![labels(), several("entry", entry), member("subject", patient_reference())])
}

fn document_reference() -> BoxedStrategy<String> {
    let code = prop::sample::select(vec!["replaces", "appends"]);
    let relation = (code, reference("target", "DocumentReference"))
        .prop_map(|(code, target)| format!(r#"{{"code":"{code}",{target}}}"#));
    object(
        "DocumentReference",
        vec![labels(), member("subject", patient_reference()), several("relatesTo", relation.boxed())],
    )
}

fn questionnaire_response() -> BoxedStrategy<String> {
    object(
        "QuestionnaireResponse",
        vec![
            labels(),
            member("subject", patient_reference()),
            member(
                "questionnaire",
                one(&[r#""http://q.test/a""#, r#""http://q.test/a|1""#, r#""Questionnaire/q1""#]),
            ),
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
            member(
                "url",
                one(&[
                    r#""http://q.test/a""#,
                    r#""http://q.test/a/b""#,
                    r#""http://q.test/a/""#,
                    r#""urn:oid:1.2""#,
                ]),
            ),
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

/// Relations and rules; see [`crate::evidence`].
fn evidence() -> BoxedStrategy<String> {
    let patient =
        || one(&[r#""patient":"p0""#, r#""patient":"p1""#, r#""patient":"p1""#, r#""patient":"p2""#]);
    let open = || {
        one(&[
            "",
            "",
            "",
            "",
            r#","until":1769000000000000"#,
            r#","from":1999000000000000"#,
            r#","until":1999000000000000"#,
        ])
    };
    let relation = (
        patient(),
        one(&[
            "",
            r#","institution":"o0""#,
            r#","institution":"o1""#,
            r#","institution":"o1""#,
            r#","institution":"o2""#,
        ]),
        one(&["", "", r#","person":"dr""#, r#","person":"other""#]),
        one(&["", "", "", r#","all":true"#]),
        open(),
    );
    let relation =
        relation.prop_map(|(patient, at, who, all, open)| format!("{{{patient}{at}{who}{all}{open}}}"));
    let rule = (
        patient(),
        (one(&["", r#","permit":true"#]), one(&["", "", r#","asker":"o1""#, r#","asker":"o2""#])),
        one(&["", "", r#","purposes":1"#, r#","purposes":3"#, r#","purposes":2"#]),
        open(),
        one(&["", r#","specificity":1"#, r#","specificity":2"#, r#","made":5"#, r#","made":6"#]),
        prop::collection::vec(
            one(&[
                "",
                "",
                r#","institution":"o0""#,
                r#","department":"0100""#,
                r#","kind":"Observation""#,
                r#","kind":"Nothing""#,
                r#","labels":1"#,
                r#","labels":3"#,
                r#","without":2"#,
                r#","since":20513"#,
                r#","before":20513"#,
                r#","encounter":"e1""#,
                r#","record":"Observation/o1""#,
                r#","record":"Encounter/e2""#,
            ]),
            0..3,
        ),
    );
    let rule = rule.prop_map(|(patient, (permit, asker), purposes, open, rank, mut which)| {
        // A member stands once in an object.
        which.sort_by_key(|member| member.split(':').next().map(ToOwned::to_owned));
        which.dedup_by_key(|member| member.split(':').next().map(ToOwned::to_owned));
        format!("{{{patient}{permit}{asker}{purposes}{open}{rank}{}}}", which.concat())
    });
    object("TestEvidence", vec![several("relations", relation.boxed()), several("rules", rule.boxed())])
}
