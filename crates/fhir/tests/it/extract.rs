//! Extraction: each type of value and each trap of the handbook; in `data`, all of the example data.

use std::collections::BTreeSet;

use ieum_fhir::decimal::SortKey;
use ieum_fhir::definitions::r4;
use ieum_fhir::expression::{compile, compile_in};
use ieum_fhir::extract::{ExtractOptions, contained, extract, main_date_expressions, reads};
use ieum_fhir::index::{Extracted, IndexValue, ParamType, Target};
use ieum_fhir::json::{Document, Limits};

mod data;

fn with<T>(json: &str, then: impl FnOnce(&str, &Extracted<'_>) -> T) -> T {
    let document = Document::parse(json.as_bytes(), &Limits::default())
        .unwrap_or_else(|error| panic!("{json}: {error}"));
    let kind = document.root().get("resourceType").unwrap().text().unwrap();
    let bases = ["https://hub.example/fhir".to_owned()];
    then(&kind, &extract(&kind, document.root(), &ExtractOptions { bases: &bases }))
}

/// The values of one parameter, written short.
fn values(json: &str, code: &str) -> Vec<String> {
    with(json, |kind, found| {
        let (position, _) = r4().search_param(kind, code).unwrap_or_else(|| panic!("{kind} has no {code}"));
        let own = found.values.iter().filter(|(param, _)| usize::from(*param) == position);
        own.map(|(_, value)| short(value)).collect()
    })
}

fn short(value: &IndexValue<'_>) -> String {
    let instant = |micros: i64| match micros {
        i64::MIN => "-∞".to_owned(),
        i64::MAX => "∞".to_owned(),
        _ => jiff::Timestamp::from_microsecond(micros).unwrap().to_string(),
    };
    let or = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("-").to_owned();
    match value {
        IndexValue::Token { system, code } => format!("{}|{}", or(system), or(code)),
        IndexValue::Reference(Target::Local { kind, id }) => format!("{kind}/{id}"),
        IndexValue::Reference(Target::Url(url)) => format!("<{url}>"),
        IndexValue::Date(range) => format!("{}..{}", instant(range.lo), instant(range.hi)),
        IndexValue::Number(range) => format!("{}..{}", number(&range.lo), number(&range.hi)),
        IndexValue::Quantity { system, code, unit, range } => {
            format!("{}..{} {}|{}|{}", number(&range.lo), number(&range.hi), or(system), or(code), or(unit))
        }
        IndexValue::String(text) => text.to_string(),
        IndexValue::Uri(uri) => uri.to_string(),
        IndexValue::Text(text) => format!("text {text}"),
        IndexValue::OfType { system, code, value } => format!("of-type {system}|{code}|{value}"),
        IndexValue::Identifier { system, value } => format!("identifier {}|{}", or(system), or(value)),
        IndexValue::Canonical { unit, range } => {
            format!("{}..{} [{unit}]", number(&range.lo), number(&range.hi))
        }
        IndexValue::Composite(parts) => parts.iter().map(short).collect::<Vec<_>>().join(" $ "),
        IndexValue::Near { lat, lon } => format!("{lat},{lon}"),
    }
}

/// The name of a key among those the tests use.
fn number(key: &SortKey) -> &'static str {
    for text in ["0", "0.0005", "0.005", "0.0071", "0.5", "5", "7.10", "10", "19.99", "5000"] {
        let plain = SortKey::of(text).unwrap();
        if *key == plain {
            return text;
        }
        if *key == plain.clone().just_below() {
            return if text == "5" { "<5" } else { "<0.005" };
        }
        if *key == plain.just_above() {
            return ">5";
        }
    }
    if *key == SortKey::minus_infinity() {
        "-∞"
    } else {
        assert_eq!(*key, SortKey::plus_infinity());
        "∞"
    }
}

fn check(json: &str, code: &str, expected: &[&str]) {
    assert_eq!(values(json, code), expected, "{code} of {json}");
}

#[test]
fn tokens() {
    let patient = r#"{"resourceType":"Patient","active":true,"gender":"male","deceasedDateTime":"2020",
        "identifier":[{"system":"urn:mrn","value":"12 3"},{"value":"x"},{"system":"urn:empty"},{"use":"old"}],
        "telecom":[{"system":"phone","value":"010-1234-5678"},{"system":"email","value":"a@b.kr"}],
        "meta":{"tag":[{"code":"t"}],"security":[{"system":"s","code":"R"}]}}"#;
    check(patient, "active", &["-|true"]);
    check(patient, "gender", &["http://hl7.org/fhir/administrative-gender|male"]);
    check(patient, "identifier", &["-|x", "urn:empty|-", "urn:mrn|12 3"]);
    check(patient, "phone", &["-|010-1234-5678"]);
    check(patient, "email", &["-|a@b.kr"]);
    check(patient, "telecom", &["-|010-1234-5678", "-|a@b.kr"]);
    check(patient, "deceased", &["-|true"]);
    check(patient, "_tag", &["-|t"]);
    check(patient, "_security", &["s|R"]);
    for (json, expected) in [
        (r#"{"resourceType":"Patient"}"#, "-|false"),
        (r#"{"resourceType":"Patient","deceasedBoolean":false}"#, "-|false"),
        (r#"{"resourceType":"Patient","deceasedBoolean":true}"#, "-|true"),
    ] {
        check(json, "deceased", &[expected]);
    }
    let condition = r#"{"resourceType":"Condition","code":{"text":"두통","coding":[{"system":"kcd","code":"R51"},
        {"system":"kcd","code":"R51"},{"code":"x"},{"display":"only"}]}}"#;
    check(condition, "code", &["-|x", "kcd|R51", "text only", "text 두통"]);
    let identified = r#"{"resourceType":"Patient","identifier":[{"system":"urn:a","value":"1",
        "type":{"text":"주민번호","coding":[{"system":"http://v2","code":"MR"},{"code":"NI"}]}},
        {"type":{"coding":[{"system":"http://v2","code":"SS"}]}}]}"#;
    check(identified, "identifier", &["urn:a|1", "text 주민번호", "of-type http://v2|MR|1"]);
    let value_set =
        r#"{"resourceType":"Encounter","status":"finished","class":{"system":"act","code":"AMB"}}"#;
    check(value_set, "status", &["http://hl7.org/fhir/encounter-status|finished"]);
    check(value_set, "class", &["act|AMB"]);
}

#[test]
fn combo_parameters_cover_the_resource_and_its_components() {
    let pressure = r#"{"resourceType":"Observation","code":{"coding":[{"system":"loinc","code":"85354-9"}]},
        "component":[{"code":{"coding":[{"system":"loinc","code":"8480-6"}]},"valueQuantity":{"value":10,"code":"mm[Hg]"}},
        {"code":{"coding":[{"system":"loinc","code":"8462-4"}]},"valueQuantity":{"value":5}}]}"#;
    check(pressure, "code", &["loinc|85354-9"]);
    check(pressure, "component-code", &["loinc|8462-4", "loinc|8480-6"]);
    check(pressure, "combo-code", &["loinc|8462-4", "loinc|8480-6", "loinc|85354-9"]);
    check(pressure, "value-quantity", &[]);
    check(pressure, "combo-value-quantity", &["5..5 -|-|-", "10..10 -|mm[Hg]|-"]);
}

#[test]
fn dates() {
    let day = "2026-02-28T15:00:00Z..2026-03-01T15:00:00Z";
    for (member, expected) in [
        (r#""effectiveDateTime":"2026-03-01""#, day),
        (
            r#""effectiveInstant":"2026-03-01T00:00:00.000Z""#,
            "2026-03-01T00:00:00Z..2026-03-01T00:00:00.001Z",
        ),
        (r#""effectivePeriod":{"start":"2026-03-01"}"#, "2026-02-28T15:00:00Z..∞"),
        (r#""effectiveTiming":{"event":["2026-03-01"]}"#, day),
    ] {
        check(&format!(r#"{{"resourceType":"Observation",{member}}}"#), "date", &[expected]);
    }
    check(r#"{"resourceType":"Observation","effectiveDateTime":"soon"}"#, "date", &[]);
    check(r#"{"resourceType":"Observation","_effectiveDateTime":{"id":"x"}}"#, "date", &[]);
    let condition = r#"{"resourceType":"Condition","onsetString":"childhood","abatementAge":{"value":5}}"#;
    check(condition, "onset-date", &[]);
    check(condition, "onset-info", &["childhood"]);
    check(condition, "abatement-age", &["5..5 -|-|-"]);
}

#[test]
fn numbers_and_quantities() {
    let of = |quantity: &str| format!(r#"{{"resourceType":"Observation","valueQuantity":{quantity}}}"#);
    let ucum = r#""system":"http://unitsofmeasure.org","code":"mg","unit":"밀리그램""#;
    let unit = "http://unitsofmeasure.org|mg|밀리그램";
    for (quantity, expected) in [
        (format!(r#"{{"value":7.10,{ucum}}}"#), ["7.10..7.10", "0.0071..0.0071"]),
        (format!(r#"{{"value":5,"comparator":"<",{ucum}}}"#), ["-∞..<5", "-∞..<0.005"]),
        (format!(r#"{{"value":5,"comparator":"<=",{ucum}}}"#), ["-∞..5", "-∞..0.005"]),
        (format!(r#"{{"value":5,"comparator":">=",{ucum}}}"#), ["5..∞", "0.005..∞"]),
    ] {
        let [written, canonical] = expected;
        let expected = [&*format!("{written} {unit}"), &*format!("{canonical} [g]")];
        check(&of(&quantity), "value-quantity", &expected);
    }
    check(
        &of(r#"{"value":5,"system":"http://unitsofmeasure.org","code":"정"}"#),
        "value-quantity",
        &["5..5 http://unitsofmeasure.org|정|-"],
    );
    let doses = |low: &str, high: &str| {
        format!(
            r#"{{"resourceType":"Condition","onsetRange":{{"low":{{"value":0.5,"system":"http://unitsofmeasure.org","code":"{low}"}},
            "high":{{"value":5,"system":"http://unitsofmeasure.org","code":"{high}"}}}}}}"#
        )
    };
    let written = "0.5..5 http://unitsofmeasure.org|mg|-";
    check(&doses("mg", "mg"), "onset-age", &[written, "0.0005..0.005 [g]"]);
    check(&doses("mg", "g"), "onset-age", &[written, "0.0005..5 [g]"]);
    check(&doses("mg", "mL"), "onset-age", &[written]);
    check(&of(r#"{"unit":"mg"}"#), "value-quantity", &[]);
    check(&of(r#"{"value":"5"}"#), "value-quantity", &[]);
    let risk = r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.50},
        {"probabilityRange":{"low":{"value":5},"high":{"value":10}}},{"probabilityRange":{"high":{"value":5}}}]}"#;
    check(risk, "probability", &["-∞..5", "0.5..0.5", "5..10"]);
    let invoice = r#"{"resourceType":"Invoice","totalNet":{"value":19.990,"currency":"KRW"}}"#;
    check(invoice, "totalnet", &["19.99..19.99 urn:iso:std:iso:4217|KRW|-"]);
    let age = r#"{"resourceType":"Condition","onsetRange":{"low":{"value":5,"unit":"a"}}}"#;
    check(age, "onset-age", &["5..∞ -|-|a"]);
}

#[test]
fn strings() {
    let patient = r#"{"resourceType":"Patient",
        "name":[{"use":"official","text":"김민수","family":"김","given":["민","수"],"prefix":["Dr."],"suffix":[" "]}],
        "address":[{"use":"home","text":"서울","line":["세종대로 110"],"city":"서울","district":"중구","postalCode":"04524",
        "extension":[{"url":"http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-roadNameAddress",
        "extension":[{"url":"roadName","valueString":"세종대로"},{"url":"code","valueCode":"3000000"}]},
        {"url":"http://other","extension":[{"url":"x","valueString":"nowhere"}]}]}]}"#;
    check(patient, "name", &["Dr.", "김", "김민수", "민", "수"]);
    check(patient, "family", &["김"]);
    check(patient, "phonetic", &["Dr.", "김", "김민수", "민", "수"]);
    check(patient, "address", &["04524", "3000000", "서울", "세종대로", "세종대로 110", "중구"]);
    check(patient, "address-city", &["서울"]);
    let escaped = r#"{"resourceType":"Patient","name":[{"family":"\uae40\n"}]}"#;
    check(escaped, "family", &["김\n"]);
    let observation =
        r#"{"resourceType":"Observation","valueCodeableConcept":{"text":"양성","coding":[{"code":"p"}]}}"#;
    check(observation, "value-string", &["양성"]);
    check(observation, "value-concept", &["-|p", "text 양성"]);
}

#[test]
fn references() {
    let of = |reference: &str| format!(r#"{{"resourceType":"Observation","subject":{{{reference}}}}}"#);
    for (reference, subject, patient) in [
        (r#""reference":"Patient/1""#, &["Patient/1"][..], &["Patient/1"][..]),
        (r#""reference":"Patient/1/_history/2""#, &["Patient/1"], &["Patient/1"]),
        (r#""reference":"https://hub.example/fhir/Patient/1""#, &["Patient/1"], &["Patient/1"]),
        (r#""reference":"https://hub.example/fhir/Patient/1/_history/2""#, &["Patient/1"], &["Patient/1"]),
        (
            r#""reference":"https://else.example/Patient/1""#,
            &["<https://else.example/Patient/1>"],
            &["<https://else.example/Patient/1>"],
        ),
        (r#""reference":"Group/1""#, &["Group/1"], &[]),
        (r##""reference":"#p","type":"Patient""##, &[], &[]),
        (
            r#""reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520""#,
            &["<urn:uuid:c757873d-ec9a-4326-a141-556f43239520>"],
            &[],
        ),
        (r#""reference":"urn:uuid:1","type":"Patient""#, &["<urn:uuid:1>"], &["<urn:uuid:1>"]),
        (r#""reference":"Nonsense/1""#, &["<Nonsense/1>"], &[]),
        (r#""reference":"Patient/bad id""#, &["<Patient/bad id>"], &[]),
        (r#""identifier":{"value":"x"}"#, &["identifier -|x"], &[]),
        (
            r#""identifier":{"system":"s","value":"x"},"type":"Patient""#,
            &["identifier s|x"],
            &["identifier s|x"],
        ),
        (r#""identifier":{"use":"usual"}"#, &[], &[]),
        (r#""reference":"""#, &[], &[]),
        (r#""reference":7"#, &[], &[]),
    ] {
        check(&of(reference), "subject", subject);
        check(&of(reference), "patient", patient);
    }
    let response =
        r#"{"resourceType":"QuestionnaireResponse","questionnaire":"http://q.example/Questionnaire/a|1.0"}"#;
    check(
        response,
        "questionnaire",
        &["<http://q.example/Questionnaire/a>", "<http://q.example/Questionnaire/a|1.0>"],
    );
    let library = r#"{"resourceType":"ActivityDefinition","relatedArtifact":[{"type":"depends-on","resource":"http://a"},
        {"type":"composed-of","resource":"http://b"}],"library":["http://c|2"]}"#;
    check(library, "depends-on", &["<http://a>", "<http://c>", "<http://c|2>"]);
    check(library, "composed-of", &["<http://b>"]);
    let bundle = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Composition","id":"c"}},
        {"resource":{"resourceType":"Patient","id":"p"}}]}"#;
    check(bundle, "composition", &["Composition/c"]);
}

#[test]
fn uris() {
    let resource = r#"{"resourceType":"Patient","meta":{"profile":["http://p|1.0"],"source":"urn:s"}}"#;
    check(resource, "_profile", &["http://p", "http://p|1.0"]);
    check(resource, "_source", &["urn:s"]);
}

#[test]
fn composites_stay_inside_one_element() {
    let pressure = r#"{"resourceType":"Observation","code":{"coding":[{"code":"bp"},{"code":"85354-9"}],"text":"BP"},"valueString":"high",
        "component":[{"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":10}},
        {"code":{"coding":[{"code":"dia"}]},"valueQuantity":{"value":5,"system":"http://unitsofmeasure.org","code":"kg"}},
        {"code":{"coding":[{"code":"arm"}]},"valueCodeableConcept":{"coding":[{"code":"left"}]}},{"code":{"coding":[{"code":"x"}]}}]}"#;
    check(pressure, "code-value-string", &["-|85354-9 $ high", "-|bp $ high"]);
    check(pressure, "code-value-quantity", &[]);
    let quantities =
        ["-|dia $ 5..5 http://unitsofmeasure.org|kg|-", "-|dia $ 5000..5000 [g]", "-|sys $ 10..10 -|-|-"];
    check(pressure, "component-code-value-quantity", &quantities);
    check(pressure, "combo-code-value-quantity", &quantities);
    check(pressure, "component-code-value-concept", &["-|arm $ -|left"]);
    let dated =
        r#"{"resourceType":"Observation","code":{"coding":[{"code":"x"}]},"valueDateTime":"2026-03-01"}"#;
    check(dated, "code-value-date", &["-|x $ 2026-02-28T15:00:00Z..2026-03-01T15:00:00Z"]);
    let group = r#"{"resourceType":"Group","characteristic":[{"code":{"coding":[{"code":"sex"}]},"valueCodeableConcept":{"coding":[{"code":"f"}]}},
        {"code":{"coding":[{"code":"smoker"}]},"valueBoolean":true}]}"#;
    check(group, "characteristic-value", &["-|sex $ -|f", "-|smoker $ -|true"]);
    let sequence = r#"{"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"7"}]}},
        "variant":[{"start":0,"end":5},{"start":10}]}"#;
    check(sequence, "chromosome-variant-coordinate", &["-|7 $ 0..0 $ 5..5"]);
    let related = r#"{"resourceType":"DocumentReference","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}}]}"#;
    check(
        related,
        "relationship",
        &["http://hl7.org/fhir/document-relationship-type|replaces $ DocumentReference/1"],
    );
    let measure = r#"{"resourceType":"Measure","useContext":[{"code":{"code":"age"},"valueRange":{"low":{"value":5}}}]}"#;
    check(measure, "context-type-quantity", &["-|age $ 5..∞ -|-|-"]);
    // Bounded, and nothing twice.
    let codings = |count: usize| {
        let codings: Vec<String> = (0..count).map(|code| format!(r#"{{"code":"{}"}}"#, code % 40)).collect();
        format!(r#"{{"coding":[{}]}}"#, codings.join(","))
    };
    for (count, tuples) in [(2, 4), (40, 1_000), (80, 1_000)] {
        let concept = codings(count);
        let json =
            format!(r#"{{"resourceType":"Observation","code":{concept},"valueCodeableConcept":{concept}}}"#);
        assert_eq!(values(&json, "code-value-concept").len(), tuples);
    }
}

/// What all 46 composite parameters read is among what extraction can read.
#[test]
fn every_composite_parameter_can_be_read() {
    let mut known = BTreeSet::new();
    for kind in r4().resource_types() {
        for param in r4().search_params(kind).iter().filter(|param| param.kind == ParamType::Composite) {
            known.insert(param.url);
            let contexts = compile(kind, param.expression.unwrap()).unwrap();
            assert!(!contexts.is_empty(), "{kind} {}", param.code);
            for component in &param.components {
                let of = r4().search_param_by_url(component.definition).unwrap().kind;
                for context in &contexts {
                    let paths = compile_in(kind, context.type_name, component.expression).unwrap();
                    assert!(paths.iter().any(|path| reads(of, path)), "{kind} {} {component:?}", param.code);
                }
            }
        }
    }
    assert_eq!(known.len(), 46);
}

#[test]
fn places() {
    let of = |position: &str| format!(r#"{{"resourceType":"Location","position":{position}}}"#);
    check(&of(r#"{"latitude":37.5665,"longitude":126.978}"#), "near", &["375665000,1269780000"]);
    check(&of(r#"{"latitude":-0.00000005,"longitude":-180}"#), "near", &["-1,-1800000000"]);
    check(&of(r#"{"latitude":91,"longitude":0}"#), "near", &[]);
    check(&of(r#"{"latitude":1}"#), "near", &[]);
}

#[test]
fn contained_resources() {
    let json = r##"{"resourceType":"MedicationRequest","id":"m","medicationReference":{"reference":"#a"},
        "contained":[{"resourceType":"Medication","id":"a","code":{"coding":[{"code":"x"}]}},{"resourceType":"Medication"},
        {"resourceType":"Nonsense","id":"b"}]}"##;
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let found = contained(document.root(), &ExtractOptions::default(), &|_, _, _| {});
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind, &*found[0].id), ("Medication", "a"));
    assert_eq!(found[0].values.iter().map(|(_, value)| short(value)).collect::<Vec<_>>(), ["-|x"]);
}

#[test]
fn compartments_labels_and_main_date() {
    let json = r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/e"},
        "performer":[{"reference":"Practitioner/d"},{"reference":"Patient/q"},{"reference":"https://else.example/Patient/1"}],
        "meta":{"security":[{"system":"s","code":"R"},{"code":"N"},{"system":"s"}]},
        "issued":"2026-03-02T00:00:00Z","effectivePeriod":{"end":"2026-03-01T00:00:00Z"}}"#;
    with(json, |_, found| {
        let expected = [("Encounter", "e"), ("Patient", "p"), ("Patient", "q"), ("Practitioner", "d")];
        assert_eq!(found.compartments, expected.map(|(kind, id)| (kind, id.into())));
        assert_eq!(found.labels, [("".into(), "N".into()), ("s".into(), "R".into())]);
        assert_eq!(
            found.main_date,
            Some("2026-03-01T00:00:01Z".parse::<jiff::Timestamp>().unwrap().as_microsecond())
        );
        let time = found.main_time.unwrap();
        assert_eq!((time.lo, Some(time.hi)), (i64::MIN, found.main_date));
    });
    with(
        r#"{"resourceType":"Patient","id":"p","link":[{"other":{"reference":"Patient/q"}}]}"#,
        |_, found| {
            assert_eq!(found.compartments, [("Patient", "p".into()), ("Patient", "q".into())]);
            assert_eq!(found.main_date, None);
        },
    );
    with(r#"{"resourceType":"Encounter","id":"e"}"#, |_, found| {
        assert_eq!(found.compartments, [("Encounter", "e".into())]);
    });
    with(r#"{"resourceType":"Unheard"}"#, |_, found| assert_eq!(*found, Extracted::default()));
}

#[test]
fn main_dates_compile() {
    for kind in r4().resource_types() {
        for expression in main_date_expressions(kind) {
            let paths = compile(kind, expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
            let dates = ["date", "dateTime", "instant", "Period", "Timing"];
            assert!(paths.iter().any(|path| dates.contains(&path.type_name)), "{expression}");
        }
    }
}

/// Parameters for which extraction never gives a value, and why.
#[test]
fn every_parameter_has_something_to_extract() {
    let mut without = Vec::new();
    for kind in r4().resource_types() {
        for param in r4().search_params(kind) {
            let paths =
                param.expression.and_then(|expression| compile(kind, expression).ok()).unwrap_or_default();
            let readable = paths.iter().any(|path| reads(param.kind, path));
            if !readable && !matches!(param.kind, ParamType::Composite | ParamType::Special) {
                without.push(format!(
                    "{kind}.{}: {:?} of {:?}",
                    param.code,
                    param.kind,
                    paths.iter().map(|path| path.type_name).collect::<Vec<_>>()
                ));
            }
        }
    }
    without.retain(|line| !["._text:", "._content:", "._query:"].iter().any(|code| line.contains(code)));
    // The package we take the definitions from lists a parameter for an element that R4 does not have.
    assert_eq!(without, ["DeviceDefinition.classification: Token of []"]);
}

#[test]
fn compartment_parameters_exist() {
    for compartment in ieum_fhir::definitions::COMPARTMENTS {
        for kind in r4().resource_types() {
            for code in r4().compartment(compartment, kind).unwrap_or_default() {
                if *code != "{def}" {
                    let (_, param) = r4()
                        .search_param(kind, code)
                        .unwrap_or_else(|| panic!("{compartment} {kind} {code}"));
                    assert_eq!(param.kind, ParamType::Reference, "{compartment} {kind} {code}");
                }
            }
        }
    }
}

// threat: 4
#[test]
fn labels_are_found_wherever_they_stand() {
    let label = |code: &str| format!(r#"{{"system":"s","code":"{code}"}}"#);
    for (resource, expected) in [
        (format!(r#"{{"resourceType":"Basic","meta":{{"security":[{}]}}}}"#, label("A")), vec!["A"]),
        (
            format!(
                r#"{{"resourceType":"DocumentReference","meta":{{"security":[{}]}},"securityLabel":[{{"coding":[{},{}]}},{{"text":"x"}}]}}"#,
                label("A"),
                label("B"),
                label("C")
            ),
            vec!["A", "B", "C"],
        ),
        (
            format!(
                r#"{{"resourceType":"Consent","provision":{{"securityLabel":[{}],"provision":[{{"provision":[{{"securityLabel":[{}]}}]}}]}}}}"#,
                label("A"),
                label("B")
            ),
            vec!["A", "B"],
        ),
        (r#"{"resourceType":"Composition","confidentiality":"V"}"#.into(), vec!["V"]),
        (
            format!(
                r#"{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"Basic","meta":{{"security":[{}]}}}}}},{{"resource":{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"DocumentReference","securityLabel":[{{"coding":[{}]}}]}}}}]}}}},{{"fullUrl":"urn:x"}}]}}"#,
                label("A"),
                label("B")
            ),
            vec!["A", "B"],
        ),
        (
            format!(
                r#"{{"resourceType":"Parameters","parameter":[{{"part":[{{"resource":{{"resourceType":"Basic","meta":{{"security":[{}]}}}}}}]}}]}}"#,
                label("A")
            ),
            vec!["A"],
        ),
        (
            format!(
                r#"{{"resourceType":"Observation","contained":[{{"resourceType":"Basic","meta":{{"security":[{}]}}}}],"category":[{{"coding":[{}]}}]}}"#,
                label("A"),
                label("B")
            ),
            vec!["A"],
        ),
    ] {
        with(&resource, |_, found| {
            let codes: Vec<&str> = found.labels.iter().map(|(_, code)| &**code).collect();
            assert_eq!(codes, expected, "{resource}");
        });
    }
}
