//! Anything at all, given to the readers of expressions, patches and XML: they answer, and do not panic.

use ieum_fhir::fhirpath::{Context, Expression};
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::patch::{self, Bounds};
use ieum_fhir::xml;
use proptest::prelude::*;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1987-03-01","_birthDate":{"id":"b"},
  "name":[{"given":["A","B"],"_given":[null,{"extension":[{"url":"u","valueDecimal":1.10}]}]}],
  "deceasedDateTime":"2026-03-01T10:00:00+09:00","multipleBirthInteger":2}"#;

/// Words of FHIRPath in any order: more of them can be read than of random letters.
fn expression() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "Patient",
        "name",
        "given",
        "birthDate",
        "deceased",
        "extension('u')",
        "value",
        ".",
        ".",
        ".",
        "(",
        ")",
        "[0]",
        "where(",
        "select(",
        "repeat(",
        "iif(",
        "aggregate(",
        "$this",
        "$index",
        "$total",
        "is",
        "as",
        "and",
        "or",
        "xor",
        "implies",
        "in",
        "contains",
        "+",
        "-",
        "*",
        "/",
        "div",
        "mod",
        "&",
        "|",
        "=",
        "~",
        "!=",
        "<",
        ">=",
        "1",
        "-1",
        "2147483647",
        "0.1",
        "99999999999999999999.9",
        "'a'",
        "''",
        "@2020",
        "@9999-12-31",
        "@T10:30",
        "1 'mg'",
        "3 months",
        "10 years",
        "{}",
        "true",
        "%resource",
        "toString()",
        "toQuantity()",
        "lowBoundary()",
        "highBoundary(3)",
        "power(9)",
        "ln()",
        "sqrt()",
        "round(2)",
        "substring(1,2)",
        "matches('a*')",
        "replaceMatches('(a)','$1')",
        "descendants()",
        "children()",
        "sort(-$this)",
        "count()",
        "type()",
        "not()",
        "resolve()",
        "trace('x')",
        ",",
        "`",
        "'",
        "/*",
        "//",
        "\\u12",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    // threat: 20
    #[test]
    fn no_input_panics(text in prop_oneof![".{0,60}", expression()], operations in prop::collection::vec(any::<u8>(), 0..6)) {
        let document = Document::parse(PATIENT.as_bytes(), &Limits::default()).unwrap();
        if let Ok(expression) = Expression::parse(&text) {
            let _ = expression.check("Patient");
            let _ = expression.evaluate(&Context::of(document.root()));
        }
        let quoted = serde_json::to_string(&text).unwrap();
        let kinds = ["add", "insert", "delete", "replace", "move"];
        let parts: Vec<String> = operations
            .iter()
            .map(|seed| {
                let (kind, index) = (kinds[usize::from(*seed) % 5], seed / 64);
                format!(
                    r#"{{"name":"operation","part":[{{"name":"type","valueCode":"{kind}"}},{{"name":"path","valueString":{quoted}}},
                    {{"name":"name","valueString":"given"}},{{"name":"index","valueInteger":{index}}},
                    {{"name":"source","valueInteger":{index}}},{{"name":"destination","valueInteger":0}},
                    {{"name":"value","valueString":"C"}}]}}"#
                )
            })
            .collect();
        let parameters = format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, parts.join(","));
        let parameters = Document::parse(parameters.as_bytes(), &Limits::default()).unwrap();
        if let Ok(patched) = patch::fhirpath(document.root(), parameters.root(), 0, &Bounds::default()) {
            prop_assert!(Document::parse(&patched, &Limits::default()).is_ok());
        }
        let json = format!(
            r#"[{{"op":"add","path":{quoted},"value":{quoted}}},{{"op":"move","from":{quoted},"path":"/name/0"}},
            {{"op":"copy","from":"/name","path":{quoted}}}]"#
        );
        let json = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        if let Ok(patched) = patch::json(document.root(), json.root(), &Bounds::default()) {
            prop_assert!(Document::parse(&patched, &Limits::default()).is_ok());
        }
        let _ = xml::to_json(&text, &xml::Limits::default());
    }

    #[test]
    fn no_xml_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "<Patient xmlns=\"http://hl7.org/fhir\">", "</Patient>", "<name>", "</name>", "<given value=\"A\"/>", "<text>",
        "<div xmlns=\"http://www.w3.org/1999/xhtml\">", "</div>", "<div/>", "</text>", "<active value=\"true\">", "</active>",
        "<extension url=\"u\">", "</extension>", "<contained>", "</contained>", "<!-- x -->", "<![CDATA[x]]>", "<?x?>", "&lt;",
        "&x;", "x", "\u{feff}", "<!DOCTYPE a>", "<", ">", "\"",
    ]), 0..12)) {
        if let Ok(json) = xml::to_json(&parts.concat(), &xml::Limits::default()) {
            prop_assert!(Document::parse(json.as_bytes(), &Limits::default()).is_ok(), "{json}");
        }
    }
}
