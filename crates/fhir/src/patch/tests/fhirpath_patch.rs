//! What the official suite `r4/patch` asks for, and what R4 says beyond it.

use super::*;

/// One operation: type, path, and the other parts as JSON.
fn operation(kind: &str, path: &str, parts: &str) -> String {
    let comma = if parts.is_empty() { "" } else { "," };
    let path = path.replace('"', "\\\"");
    format!(
        r#"{{"name":"operation","part":[{{"name":"type","valueCode":"{kind}"}},{{"name":"path","valueString":"{path}"}}{comma}{parts}]}}"#
    )
}

fn apply(resource: &str, operations: &[String]) -> Outcome {
    let patch = format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, operations.join(","));
    run(resource, &patch, |resource, patch| super::super::fhirpath(resource, patch, 0, &Bounds::default()))
}

/// Applies one operation to a patient with these members.
fn patient(members: &str, kind: &str, path: &str, parts: &str) -> Outcome {
    let resource = format!(r#"{{"resourceType":"Patient"{members}}}"#);
    let patched = apply(&resource, &[operation(kind, path, parts)])?;
    let rest = patched.strip_prefix(r#"{"resourceType":"Patient""#).unwrap();
    Ok(rest.strip_suffix('}').unwrap().to_owned())
}

fn name(name: &str) -> String {
    format!(r#"{{"name":"name","valueString":"{name}"}}"#)
}

fn value(json: &str) -> String {
    format!(r#"{{"name":"value",{json}}}"#)
}

fn number(name: &str, value: i64) -> String {
    format!(r#"{{"name":"{name}","valueInteger":{value}}}"#)
}

#[test]
fn no_operation_changes_nothing() {
    let resource = r#"{"resourceType":"Patient","birthDate":"1920-01-01","_birthDate":{"id":"b"}}"#;
    let patch = r#"{"resourceType":"Parameters"}"#;
    let patched = run(resource, patch, |resource, patch| {
        super::super::fhirpath(resource, patch, 0, &Bounds::default())
    });
    assert_eq!(patched.as_deref(), Ok(resource));
}

#[test]
fn single_elements() {
    let gender = |kind, path, json: &str| {
        let contact = r#","contact":[{"name":{"text":"a"},"gender":"male"}]"#;
        patient(contact, kind, path, &if json.is_empty() { String::new() } else { value(json) })
    };
    for (kind, path, json, expected) in [
        (
            "replace",
            "Patient.contact[0].gender",
            r#""valueCode":"female""#,
            r#","contact":[{"name":{"text":"a"},"gender":"female"}]"#,
        ),
        (
            "replace",
            "Patient.contact[0].name.text",
            r#""valueString":"b""#,
            r#","contact":[{"name":{"text":"b"},"gender":"male"}]"#,
        ),
        ("delete", "Patient.contact[0].gender", "", r#","contact":[{"name":{"text":"a"}}]"#),
        // The name has become empty, and goes too.
        ("delete", "Patient.contact[0].name.text", "", r#","contact":[{"gender":"male"}]"#),
        ("delete", "Patient.contact[0]", "", ""),
        ("delete", "Patient.contact.where(gender = 'male')", "", ""),
        ("delete", "Patient.birthDate", "", r#","contact":[{"name":{"text":"a"},"gender":"male"}]"#),
    ] {
        assert_eq!(gender(kind, path, json).as_deref(), Ok(expected), "{kind} {path}");
    }
    let added =
        patient("", "add", "Patient", &[name("birthDate"), value(r#""valueDate":"1930-01-01""#)].join(","));
    assert_eq!(added.as_deref(), Ok(r#","birthDate":"1930-01-01""#));
    let status = [name("maritalStatus"), value(r#""valueCodeableConcept":{"text":"married"}"#)].join(",");
    assert_eq!(
        patient("", "add", "Patient", &status).as_deref(),
        Ok(r#","maritalStatus":{"text":"married"}"#)
    );
    let status = value(r#""valueCodeableConcept":{"id":"2","text":"not married"}"#);
    let married = r#","maritalStatus":{"id":"1","text":"married"}"#;
    assert_eq!(
        patient(married, "replace", "Patient.maritalStatus", &status).as_deref(),
        Ok(r#","maritalStatus":{"id":"2","text":"not married"}"#)
    );
}

#[test]
fn values_from_parts() {
    let parts = r#""part":[{"name":"name","valueHumanName":{"text":"a"}},
      {"name":"telecom","valueContactPoint":{"value":"1"}},{"name":"telecom","valueContactPoint":{"value":"2"}},
      {"name":"period","part":[{"name":"start","valueDateTime":"2026"}]}]"#;
    let added = patient("", "add", "Patient", &[name("contact"), value(parts)].join(","));
    assert_eq!(
        added.as_deref(),
        Ok(
            r#","contact":[{"name":{"text":"a"},"telecom":[{"value":"1"},{"value":"2"}],"period":{"start":"2026"}}]"#
        )
    );
    let wrong = |parts: &str| patient("", "add", "Patient", &[name("contact"), value(parts)].join(","));
    assert_eq!(
        wrong(r#""part":[{"name":"colour","valueString":"red"}]"#),
        Err(PatchProblem::NoElement("Patient.contact"))
    );
    assert_eq!(
        wrong(r#""part":[{"name":"gender","valueCode":"male"},{"name":"gender","valueCode":"male"}]"#),
        Err(PatchProblem::Occupied)
    );
    assert!(matches!(wrong(r#""valueString":"x""#), Err(PatchProblem::ValueType(_))));
    let contained = value(r#""resource":{"resourceType":"Organization","id":"o"}"#);
    assert_eq!(
        patient("", "add", "Patient", &[name("contained"), contained].join(",")).as_deref(),
        Ok(r#","contained":[{"resourceType":"Organization","id":"o"}]"#)
    );
}

const LIST: &str = r#","identifier":[{"value":"1"},{"value":"2"},{"value":"3"},{"value":"4"}]"#;

fn order(outcome: &Outcome) -> String {
    let text = outcome.as_ref().unwrap();
    text.chars().filter(char::is_ascii_digit).collect()
}

#[test]
fn lists() {
    let insert = |path: &str, index| {
        patient(
            LIST,
            "insert",
            path,
            &[number("index", index), value(r#""valueIdentifier":{"value":"9"}"#)].join(","),
        )
    };
    for (index, expected) in [(0, "91234"), (1, "19234"), (4, "12349")] {
        assert_eq!(order(&insert("Patient.identifier", index)), expected);
    }
    assert_eq!(insert("Patient.identifier", 5), Err(PatchProblem::Index));
    assert_eq!(insert("Patient.identifier", -1), Err(PatchProblem::Index));
    assert_eq!(insert("Patient.identifier.skip(1)", 0), Err(PatchProblem::NoList));
    assert_eq!(insert("Patient.name.where(use = 'x')", 0), Err(PatchProblem::Nothing));
    let into = |members: &str, path: &str, index, json: &str| {
        patient(members, "insert", path, &[number("index", index), value(json)].join(","))
    };
    let identifier = r#""valueIdentifier":{"value":"9"}"#;
    assert_eq!(
        into("", "Patient.identifier", 0, identifier).as_deref(),
        Ok(r#","identifier":[{"value":"9"}]"#)
    );
    assert_eq!(into("", "Patient.identifier", 1, identifier), Err(PatchProblem::Index));
    assert_eq!(into("", "Patient.birthDate", 0, r#""valueDate":"2026-01-01""#), Err(PatchProblem::NoList));
    let add = patient(LIST, "add", "Patient", &[name("identifier"), value(identifier)].join(","));
    assert_eq!(order(&add), "12349");
    for (index, expected) in [(0, "234"), (1, "134"), (3, "123")] {
        assert_eq!(order(&patient(LIST, "delete", &format!("Patient.identifier[{index}]"), "")), expected);
    }
    assert_eq!(patient(LIST, "delete", "Patient.identifier", ""), Err(PatchProblem::Several));
    assert_eq!(order(&patient(LIST, "delete", "Patient.identifier[4]", "")), "1234");
}

#[test]
fn moves() {
    let reorder = |moves: &[(i64, i64)]| {
        let operations: Vec<String> = moves
            .iter()
            .map(|(source, destination)| {
                let parts = [number("source", *source), number("destination", *destination)].join(",");
                operation("move", "Patient.identifier", &parts)
            })
            .collect();
        apply(&format!(r#"{{"resourceType":"Patient"{LIST}}}"#), &operations)
    };
    for (moves, expected) in [
        (&[(3, 1)][..], "1423"),
        (&[(3, 0)], "4123"),
        (&[(3, 2)], "1243"),
        (&[(0, 3)], "2341"),
        (&[(1, 0), (2, 1)], "2314"),
        (&[(3, 0), (3, 1), (3, 2)], "4321"),
    ] {
        assert_eq!(order(&reorder(moves)), expected, "{moves:?}");
    }
    assert_eq!(reorder(&[(4, 0)]), Err(PatchProblem::Index));
    assert_eq!(reorder(&[(0, 4)]), Err(PatchProblem::Index));
    let parts = [number("source", 0), number("destination", 0)].join(",");
    assert_eq!(patient("", "move", "Patient.identifier", &parts), Err(PatchProblem::Nothing));
}

#[test]
fn primitives_and_what_is_beside_them() {
    let names = r#","name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}]"#;
    let given = |kind, path, parts: &str| patient(names, kind, path, parts);
    let insert = [number("index", 0), value(r#""valueString":"C","_valueString":{"id":"c"}"#)].join(",");
    for (kind, path, parts, expected) in [
        ("delete", "Patient.name.given[1]", "", r#","name":[{"given":["A"]}]"#),
        ("delete", "Patient.name.given[0]", "", r#","name":[{"given":["B"],"_given":[{"id":"b"}]}]"#),
        ("delete", "Patient.name.given[1].id", "", r#","name":[{"given":["A","B"]}]"#),
        (
            "insert",
            "Patient.name.given",
            insert.as_str(),
            r#","name":[{"given":["C","A","B"],"_given":[{"id":"c"},null,{"id":"b"}]}]"#,
        ),
        (
            "move",
            "Patient.name.given",
            r#"{"name":"source","valueInteger":1},{"name":"destination","valueInteger":0}"#,
            r#","name":[{"given":["B","A"],"_given":[{"id":"b"},null]}]"#,
        ),
        (
            "add",
            "Patient.name.given[0]",
            r#"{"name":"name","valueString":"extension"},{"name":"value","part":[
              {"name":"url","valueUri":"u"},{"name":"value","valueDecimal":1.10}]}"#,
            r#","name":[{"given":["A","B"],"_given":[{"extension":[{"url":"u","valueDecimal":1.10}]},{"id":"b"}]}]"#,
        ),
    ] {
        assert_eq!(given(kind, path, parts).as_deref(), Ok(expected), "{kind} {path}");
    }
    let birth = r#","birthDate":"2026-01-01","_birthDate":{"extension":[{"url":"u","valueDecimal":1.10}]}"#;
    let decimal = value(r#""valueDecimal":2.500"#);
    assert_eq!(
        patient(birth, "replace", "Patient.birthDate.extension('u').value", &decimal).as_deref(),
        Ok(r#","birthDate":"2026-01-01","_birthDate":{"extension":[{"url":"u","valueDecimal":2.500}]}"#)
    );
    assert_eq!(
        patient(birth, "delete", "Patient.birthDate.extension('u')", "").as_deref(),
        Ok(r#","birthDate":"2026-01-01""#)
    );
    // A value replaces what was beside the old one.
    assert_eq!(
        patient(birth, "replace", "Patient.birthDate", &value(r#""valueDate":"2025""#)).as_deref(),
        Ok(r#","birthDate":"2025""#)
    );
}

#[test]
fn choices() {
    let deceased = r#","deceasedBoolean":true,"active":true"#;
    let date = value(r#""valueDateTime":"2026-01-01""#);
    assert_eq!(
        patient(deceased, "replace", "Patient.deceased", &date).as_deref(),
        Ok(r#","deceasedDateTime":"2026-01-01","active":true"#)
    );
    let add = |members: &str, element: &str, json: &str| {
        patient(members, "add", "Patient", &[name(element), value(json)].join(","))
    };
    assert_eq!(add("", "deceased", r#""valueBoolean":false"#).as_deref(), Ok(r#","deceasedBoolean":false"#));
    assert_eq!(
        add("", "deceasedBoolean", r#""valueBoolean":false"#).as_deref(),
        Ok(r#","deceasedBoolean":false"#)
    );
    assert_eq!(add(deceased, "deceased", r#""valueDateTime":"2026""#), Err(PatchProblem::Occupied));
    assert!(matches!(add("", "deceased", r#""valueString":"no""#), Err(PatchProblem::ValueType(_))));
}

#[test]
fn what_is_wrong_is_told() {
    let gender = value(r#""valueCode":"male""#);
    let period = [name("end"), value(r#""valueDate":"2021-12-01""#)].join(",");
    let names =
        r#","name":[{"given":["A"]},{"given":["B"]}],"gender":"male","identifier":[{"use":"official"}]"#;
    for (kind, path, parts, expected) in [
        ("add", "Patient.identifier.where(use = 'official').period", period.as_str(), PatchProblem::Nothing),
        ("replace", "Patient.birthDate", gender.as_str(), PatchProblem::Nothing),
        ("replace", "Patient.name.given", gender.as_str(), PatchProblem::Several),
        ("delete", "Patient.name.given", "", PatchProblem::Several),
        ("add", "Patient.name", period.as_str(), PatchProblem::Several),
        ("add", "Patient", gender.as_str(), PatchProblem::Missing("name")),
        ("replace", "Patient.gender", "", PatchProblem::Missing("value")),
        ("replace", "Patient.gender", r#"{"name":"value"}"#, PatchProblem::Missing("value")),
        (
            "replace",
            "Patient.gender",
            r#"{"name":"value","valueBoolean":true}"#,
            PatchProblem::ValueType("Patient.gender".into()),
        ),
        (
            "delete",
            "Patient",
            "",
            PatchProblem::Impossible("a patch cannot remove the whole resource; delete it"),
        ),
        ("delete", "1 + 1", "", PatchProblem::Impossible("the path must select elements of the resource")),
        (
            "grow",
            "Patient",
            "",
            PatchProblem::Form("the type is one of add, insert, delete, replace and move"),
        ),
    ] {
        assert_eq!(patient(names, kind, path, parts), Err(expected), "{kind} {path}");
    }
    let taken = [name("gender"), gender].join(",");
    assert_eq!(patient(names, "add", "Patient", &taken), Err(PatchProblem::Occupied));
    assert!(matches!(patient(names, "delete", "Patient.name[", ""), Err(PatchProblem::Path(_))));
    let error = apply(
        r#"{"resourceType":"Patient"}"#,
        &[operation("delete", "active", ""), operation("add", "a", "")],
    );
    assert_eq!(error, Err(PatchProblem::Missing("name")));
    let no_operation = r#"{"resourceType":"Parameters","parameter":[{"name":"other"}]}"#;
    let bounds = Bounds { work: 100, ..Bounds::default() };
    let outcome = run(r#"{"resourceType":"Patient"}"#, no_operation, |resource, patch| {
        super::super::fhirpath(resource, patch, 0, &bounds)
    });
    assert!(matches!(outcome, Err(PatchProblem::Form(_))));
    let much = format!(
        r#"{{"resourceType":"Parameters","parameter":[{}]}}"#,
        vec![operation("delete", "Patient.active", ""); 10].join(",")
    );
    let outcome = run(r#"{"resourceType":"Patient"}"#, &much, |resource, patch| {
        super::super::fhirpath(resource, patch, 0, &bounds)
    });
    assert_eq!(outcome, Err(PatchProblem::Limit("work")));
}

#[test]
fn backbones_and_bundles() {
    let bundle = r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","active":true}}]}"#;
    let replace = operation("replace", "Bundle.entry[0].resource.active", &value(r#""valueBoolean":false"#));
    assert_eq!(apply(bundle, &[replace]).as_deref(), Ok(bundle.replace("true", "false").as_str()));
    let add = operation(
        "add",
        "Bundle.entry[0].resource",
        &[name("gender"), value(r#""valueCode":"male""#)].join(","),
    );
    assert!(apply(bundle, &[add]).unwrap().contains(r#""active":true,"gender":"male""#));
}
