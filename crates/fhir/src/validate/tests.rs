use super::*;
use crate::json::{Document, Limits};

fn check<R>(body: &str, read: impl FnOnce(&Validation, &Document<'_>) -> R) -> R {
    let document = Document::parse(body.as_bytes(), &Limits::default()).unwrap();
    read(&validate(document.root(), None), &document)
}

fn valid(body: &str) {
    check(body, |validation, _| assert_eq!(validation.issues, [], "{body}"));
}

/// The body has exactly this issue.
fn refused(body: &str, code: Code, place: &str) {
    check(body, |validation, _| {
        let found: Vec<_> =
            validation.issues.iter().map(|issue| (issue.code, issue.place.as_str())).collect();
        assert_eq!(found, [(code, place)], "{body}\n{:?}", validation.issues);
    });
}

/// A Patient with more members.
fn patient(members: &str) -> String {
    format!(r#"{{"resourceType":"Patient",{members}}}"#)
}

/// An Observation with more members.
fn observation(members: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"a"}},{members}}}"#)
}

#[test]
fn takes_good_resources() {
    valid(r#"{"resourceType":"Patient"}"#);
    valid(r#"{"\u0072esourceType":"Patient","\u0069d":"p1"}"#);
    valid(&patient(
        r#""id":"p1","meta":{"versionId":"1","lastUpdated":"2026-03-01T09:00:00+09:00","profile":["http://a.kr/p"]},
        "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">김민수</div>"},
        "name":[{"use":"official","text":"김민수","family":"김","given":["민수"],"period":{"start":"2020"}}],
        "active":true,"gender":"male","birthDate":"1987-02-28","deceasedBoolean":false,"multipleBirthInteger":2,
        "address":[{"line":["세종대로 110"],"country":"KR"}],"link":[{"other":{"reference":"Patient/2"},"type":"seealso"}]"#,
    ));
    valid(&observation(
        r#""effectiveDateTime":"2026-03-01T09:00:00+09:00","valueQuantity":{"value":1.10,"comparator":"<","unit":"mg"},
        "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"1-8"}]},"valueInteger":-5,
        "referenceRange":[{"low":{"value":0}}]}],"issued":"2026-03-01T00:00:00Z""#,
    ));
    valid(
        r#"{"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient","id":"1"}},
        {"name":"b","part":[{"name":"c","valueDate":"2026"}]}]}"#,
    );
    valid(
        r#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}]}"#,
    );
}

#[test]
fn knows_resource_types() {
    for body in
        ["1", "[]", "null", "{}", r#"{"id":"1"}"#, r#"{"resourceType":1}"#, r#"{"resourceType":null}"#]
    {
        refused(body, Code::NoResource, "Resource");
    }
    for kind in [
        "",
        "patient",
        "DomainResource",
        "Resource",
        "HumanName",
        "string",
        "Observation.component",
        "SubscriptionStatus",
    ] {
        refused(&format!(r#"{{"resourceType":"{kind}"}}"#), Code::UnknownResourceType, "Resource");
    }
    let document = Document::parse(br#"{"resourceType":"Patient"}"#, &Limits::default()).unwrap();
    let validation = validate(document.root(), Some("Observation"));
    assert_eq!((validation.issues[0].code, validation.issues.len()), (Code::OtherResourceType, 1));
    refused(
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"X"}},{"resource":1}]}"#
            .replace(r#",{"resource":1}"#, "")
            .as_str(),
        Code::UnknownResourceType,
        "Bundle.entry[0].resource",
    );
    refused(
        r#"{"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient","gender":"x"}}]}"#,
        Code::CodeNotAllowed,
        "Parameters.parameter[0].resource.gender",
    );
}

#[test]
fn refuses_unknown_elements() {
    refused(&patient(r#""birthdate":"1987""#), Code::UnknownElement, "Patient.birthdate");
    refused(&patient(r#""name":[{"first":"a"}]"#), Code::UnknownElement, "Patient.name[0].first");
    refused(&patient(r#""_name":[{"id":"a"}]"#), Code::UnknownElement, "Patient._name");
    refused(&patient(r#""_id":{"id":"a"}"#), Code::UnknownElement, "Patient._id");
    refused(
        &patient(r#""name":[{"resourceType":"HumanName"}]"#),
        Code::UnknownElement,
        "Patient.name[0].resourceType",
    );
    refused(&observation(r#""value":1"#), Code::UnknownElement, "Observation.value");
    // Names that could carry data are not repeated.
    refused(&patient(r#""김민수 870228-1":"a""#), Code::UnknownElement, "Patient");
    refused(&patient(&format!(r#""{}":"a""#, "a".repeat(65))), Code::UnknownElement, "Patient");
}

#[test]
fn counts() {
    refused(
        r#"{"resourceType":"Observation","code":{"text":"a"}}"#,
        Code::MissingElement,
        "Observation.status",
    );
    refused(&patient(r#""link":[{"type":"refer"}]"#), Code::MissingElement, "Patient.link[0].other");
    refused(&patient(r#""name":{"text":"a"}"#), Code::ArrayNeeded, "Patient.name");
    refused(&patient(r#""birthDate":["1987"]"#), Code::ArrayNotAllowed, "Patient.birthDate");
    refused(&patient(r#""maritalStatus":[{"text":"a"}]"#), Code::ArrayNotAllowed, "Patient.maritalStatus");
    refused(&patient(r#""_birthDate":[{"id":"a"}]"#), Code::ArrayNotAllowed, "Patient.birthDate");
    refused(&patient(r#""name":[{"_given":{"id":"a"}}]"#), Code::ArrayNeeded, "Patient.name[0].given");
}

#[test]
fn refuses_empty_things() {
    refused(&patient(r#""name":[]"#), Code::Empty, "Patient.name");
    refused(&patient(r#""name":[{}]"#), Code::Empty, "Patient.name[0]");
    refused(&patient(r#""name":[{"id":"a"}]"#), Code::Empty, "Patient.name[0]");
    refused(&patient(r#""name":[null]"#), Code::Empty, "Patient.name[0]");
    refused(&patient(r#""birthDate":null"#), Code::Empty, "Patient.birthDate");
    refused(&patient(r#""name":[{"given":["a",null]}]"#), Code::Empty, "Patient.name[0].given[1]");
    refused(&patient(r#""maritalStatus":{}"#), Code::Empty, "Patient.maritalStatus");
    refused(&patient(r#""birthDate":"""#), Code::Format, "Patient.birthDate");
}

#[test]
fn checks_json_types_and_forms() {
    for (members, code, place) in [
        (r#""active":"true""#, Code::JsonType, "Patient.active"),
        (r#""active":1"#, Code::JsonType, "Patient.active"),
        (r#""multipleBirthInteger":"1""#, Code::JsonType, "Patient.multipleBirth"),
        (r#""multipleBirthInteger":1.0"#, Code::Format, "Patient.multipleBirth"),
        (r#""gender":{}"#, Code::JsonType, "Patient.gender"),
        (r#""name":["a"]"#, Code::JsonType, "Patient.name[0]"),
        (r#""name":[["a"]]"#, Code::JsonType, "Patient.name[0]"),
        (r#""maritalStatus":"M""#, Code::JsonType, "Patient.maritalStatus"),
        (r#""birthDate":19870228"#, Code::JsonType, "Patient.birthDate"),
        (r#""birthDate":"1987-02-29""#, Code::Format, "Patient.birthDate"),
        (r#""deceasedDateTime":"2026-03-01T09:00:00""#, Code::Format, "Patient.deceased"),
        (r#""id":"a b""#, Code::Format, "Patient.id"),
        (r#""language":" ko""#, Code::Format, "Patient.language"),
        (r#""name":[{"given":["a","\u0000"]}]"#, Code::Format, "Patient.name[0].given[1]"),
        (r#""implicitRules":"a b""#, Code::Format, "Patient.implicitRules"),
        (r#""photo":[{"data":"QUJ"}]"#, Code::Format, "Patient.photo[0].data"),
        (r#""telecom":[{"rank":0}]"#, Code::Format, "Patient.telecom[0].rank"),
        (r#""text":{"status":"generated","div":"<div/>"}"#, Code::NarrativeSyntax, "Patient.text.div"),
        (
            r#""text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script/></div>"}"#,
            Code::NarrativeContent,
            "Patient.text.div",
        ),
    ] {
        refused(&patient(members), code, place);
    }
}

#[test]
fn checks_choices() {
    refused(&observation(r#""valueAddress":{"text":"a"}"#), Code::ChoiceType, "Observation.value");
    refused(&observation(r#""valueString":"a","valueInteger":1"#), Code::ChoiceTwice, "Observation.value");
    refused(
        &observation(r#""valueString":"a","_valueInteger":{"extension":[{"url":"y","valueInteger":1}]}"#),
        Code::ChoiceTwice,
        "Observation.value",
    );
    valid(&observation(r#""valueString":"a","_valueString":{"id":"b"}"#));
    valid(&observation(r#""_valueString":{"id":"b"},"valueString":"a""#));
    // Not a choice of Annotation.author[x] in lower case.
    refused(&observation(r#""valuestring":"a""#), Code::UnknownElement, "Observation.valuestring");
}

#[test]
fn checks_primitive_extensions() {
    let absent = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}"#;
    valid(&patient(&format!(r#""_birthDate":{absent}"#)));
    valid(&format!(r#"{{"resourceType":"Observation","_status":{absent},"code":{{"text":"a"}}}}"#));
    valid(&patient(&format!(r#""name":[{{"given":["a",null],"_given":[null,{absent}]}}]"#)));
    valid(&patient(&format!(r#""name":[{{"_given":[{absent}]}}]"#)));
    refused(&patient(r#""_birthDate":{"id":"b"}"#), Code::Empty, "Patient.birthDate");
    refused(&patient(r#""birthDate":"1987","_birthDate":{}"#), Code::Empty, "Patient.birthDate");
    refused(&patient(r#""_birthDate":{}"#), Code::Empty, "Patient.birthDate");
    refused(&patient(r#""_birthDate":"a""#), Code::JsonType, "Patient.birthDate");
    refused(
        &patient(r#""birthDate":"1987","_birthDate":{"value":"a"}"#),
        Code::UnknownElement,
        "Patient.birthDate.value",
    );
    refused(
        &patient(&format!(r#""name":[{{"given":["a","b"],"_given":[{absent}]}}]"#)),
        Code::Alignment,
        "Patient.name[0].given",
    );
    refused(
        &patient(r#""name":[{"given":["a",null],"_given":[{"id":"b"},null]}]"#),
        Code::Empty,
        "Patient.name[0].given[1]",
    );
    refused(
        &patient(&format!(r#""name":[{{"_given":[null,{absent}]}}]"#)),
        Code::Empty,
        "Patient.name[0].given[0]",
    );
}

#[test]
fn checks_extensions() {
    let extended = |extension: &str| patient(&format!(r#""extension":[{extension}]"#));
    valid(&extended(r#"{"url":"http://a.kr/x","valueString":"a"}"#));
    valid(&extended(
        r#"{"url":"http://a.kr/x","_valueString":{"extension":[{"url":"y","valueInteger":1}]}}"#,
    ));
    valid(&extended(r#"{"url":"http://a.kr/x","extension":[{"url":"y","valueInteger":1}]}"#));
    refused(&extended(r#"{"url":"http://a.kr/x"}"#), Code::ExtensionContent, "Patient.extension[0]");
    refused(
        &extended(r#"{"url":"http://a.kr/x","valueString":"a","extension":[{"url":"y","valueInteger":1}]}"#),
        Code::ExtensionContent,
        "Patient.extension[0]",
    );
    refused(&extended(r#"{"valueString":"a"}"#), Code::MissingElement, "Patient.extension[0].url");
    refused(&extended(r#"{"url":"x","valueThing":"a"}"#), Code::ChoiceType, "Patient.extension[0].value");
}

#[test]
fn checks_contained_resources() {
    let inner = r#"{"resourceType":"Organization","id":"o1","name":"a"}"#;
    valid(&patient(&format!(r##""contained":[{inner}],"managingOrganization":{{"reference":"#o1"}}"##)));
    refused(
        &patient(r##""managingOrganization":{"reference":"#o1"}"##),
        Code::ContainedMissing,
        "Patient.managingOrganization.reference",
    );
    refused(
        &patient(&format!(
            r##""contained":[{inner}],"generalPractitioner":[{{"reference":"#o1"}}],"link":[{{"type":"refer","other":{{"reference":"#o1"}}}}]"##
        )),
        Code::ReferenceTarget,
        "Patient.link[0].other",
    );
    refused(
        &patient(&format!(
            r#""contained":[{{"resourceType":"Organization","id":"o2","contained":[{inner}]}}]"#
        )),
        Code::ContainedNested,
        "Patient.contained[0].contained[0]",
    );
    refused(
        &patient(r#""contained":[{"resourceType":"Organization","names":"a"}]"#),
        Code::UnknownElement,
        "Patient.contained[0].names",
    );
    // Each entry of a bundle has contained resources of its own.
    let entry = patient(r##""managingOrganization":{"reference":"#o1"}"##);
    refused(
        &format!(
            r#"{{"resourceType":"Bundle","type":"batch","entry":[{{"resource":{}}},{{"resource":{entry}}}]}}"#,
            patient(&format!(r##""contained":[{inner}],"managingOrganization":{{"reference":"#o1"}}"##))
        ),
        Code::ContainedMissing,
        "Bundle.entry[1].resource.managingOrganization.reference",
    );
}

#[test]
fn checks_references() {
    let subject = |reference: &str| observation(&format!(r#""subject":{{{reference}}}"#));
    for good in [
        r#""reference":"Patient/1""#,
        r#""reference":"https://a.kr/fhir/Group/1""#,
        r#""reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520""#,
        r#""reference":"Patient?identifier=a|b""#,
        r#""reference":"https://a.kr/x""#,
        r#""type":"Patient","identifier":{"value":"1"}"#,
        r#""type":"http://a.kr/logical","display":"a""#,
        r#""type":"Patient","reference":"Patient/1""#,
    ] {
        valid(&subject(good));
    }
    refused(&subject(r#""reference":"Practitioner/1""#), Code::ReferenceTarget, "Observation.subject");
    refused(
        &subject(r#""reference":"https://a.kr/Encounter/1""#),
        Code::ReferenceTarget,
        "Observation.subject",
    );
    refused(&subject(r#""type":"Practitioner","display":"a""#), Code::ReferenceTarget, "Observation.subject");
    refused(
        &subject(r#""type":"Group","reference":"Patient/1""#),
        Code::ReferenceTarget,
        "Observation.subject.type",
    );
    refused(&subject(r#""reference":"1""#), Code::ReferenceForm, "Observation.subject.reference");
    valid(&observation(r#""focus":[{"reference":"Practitioner/1"}]"#));
}

#[test]
fn checks_required_bindings() {
    refused(&patient(r#""gender":"M""#), Code::CodeNotAllowed, "Patient.gender");
    refused(&patient(r#""name":[{"use":"legal"}]"#), Code::CodeNotAllowed, "Patient.name[0].use");
    let condition = |status: &str| {
        format!(
            r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}},"clinicalStatus":{{{status}}}}}"#
        )
    };
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    valid(&condition(&format!(
        r#""coding":[{{"system":"http://a.kr","code":"x"}},{{"system":"{system}","code":"active"}}]"#
    )));
    valid(&condition(
        r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]"#,
    ));
    for bad in [
        r#""text":"active""#.to_owned(),
        r#""coding":[{"code":"active"}]"#.to_owned(),
        format!(r#""coding":[{{"system":"{system}","code":"Active"}}]"#),
        r#""coding":[{"system":"http://a.kr","code":"active"}]"#.to_owned(),
    ] {
        refused(&condition(&bad), Code::CodeNotAllowed, "Condition.clinicalStatus");
    }
    // Open sets are not checked.
    valid(&patient(r#""photo":[{"contentType":"image/anything"}]"#));
}

#[test]
fn learns_references_uris_and_linked_narratives() {
    let body = patient(
        r#""text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"Patient/1\">a</a></div>"},
        "identifier":[{"system":"http://a.kr/id","value":"1","assigner":{"reference":"Organization/1"}}],
        "generalPractitioner":[{"identifier":{"assigner":{"reference":"Organization/2"}},"reference":"Organization/3"}],
        "photo":[{"url":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}]"#,
    );
    check(&body, |validation, document| {
        let text = |index: &u32| document.value(*index).text().unwrap().into_owned();
        assert_eq!(validation.issues, []);
        let references: Vec<_> = validation.references.iter().map(text).collect();
        assert_eq!(references, ["Organization/1", "Organization/2", "Organization/3"]);
        let uris: Vec<_> = validation.uris.iter().map(text).collect();
        assert_eq!(uris, ["http://a.kr/id", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"]);
        assert_eq!(validation.linked_narratives.len(), 1);
    });
}

#[test]
fn lists_a_limited_number_of_issues() {
    let names = vec![r#"{"first":"a"}"#; ISSUES_LISTED + 7].join(",");
    check(&patient(&format!(r#""name":[{names}]"#)), |validation, _| {
        assert_eq!(validation.issues.len(), ISSUES_LISTED + 1);
        let last = validation.issues.last().unwrap();
        assert_eq!(last.code, Code::MoreIssues);
        assert!(last.diagnostics.starts_with("7 more"));
    });
}

#[test]
fn goes_as_deep_as_documents_may() {
    let mut item = r#"{"linkId":"1"}"#.to_owned();
    for _ in 0..29 {
        item = format!(r#"{{"linkId":"1","item":[{item}]}}"#);
    }
    valid(&format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{item}]}}"#));
}

/// Long arrays of nulls and many contained resources cost their length, not its square: this would take minutes.
// threat: 20
#[test]
fn is_not_slowed_down_by_hostile_shapes() {
    let extension = r#"{"extension":[{"url":"x","valueInteger":1}]}"#;
    let (nulls, extensions) = (vec!["null"; 50_000].join(","), vec![extension; 50_000].join(","));
    valid(&patient(&format!(r#""name":[{{"given":[{nulls}],"_given":[{extensions}]}}]"#)));
    let contained: Vec<_> =
        (0..20_000).map(|id| format!(r#"{{"resourceType":"Practitioner","id":"{id}"}}"#)).collect();
    let references: Vec<_> = (0..20_000).map(|id| format!(r##"{{"reference":"#{id}"}}"##)).collect();
    let (contained, references) = (contained.join(","), references.join(","));
    valid(&patient(&format!(r#""contained":[{contained}],"generalPractitioner":[{references}]"#)));
}

/// No message repeats what was sent.
// threat: 18
#[test]
fn never_repeats_values() {
    let secret = "870228-1234567";
    for body in [
        patient(&format!(r#""gender":"{secret}","birthDate":"{secret}","id":"{secret}!""#)),
        patient(&format!(
            r#""{secret}":"a","name":["{secret}"],"contained":[{{"resourceType":"{secret}"}}]"#
        )),
        observation(&format!(
            r#""subject":{{"reference":"{secret} "}},"encounter":{{"reference":"{secret}#{secret}","type":"{secret}"}}"#
        )),
        format!(r#"{{"resourceType":"{secret}"}}"#),
    ] {
        check(&body, |validation, _| {
            assert!(!validation.is_valid());
            let outcome = crate::outcome::operation_outcome(&validation.issues);
            assert!(!String::from_utf8(outcome).unwrap().contains("870228"), "{body}");
        });
    }
}
