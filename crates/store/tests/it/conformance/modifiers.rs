//! Modifiers, and values that only modifiers look at.

use crate::support::{Store, finds};

fn fill(store: &Store) {
    for json in [
        r#"{"resourceType":"Condition","id":"c1","code":{"text":"고혈압","coding":[{"system":"http://a.test","code":"x","display":"Hypertension"}]},
            "subject":{"reference":"Patient/p1"}}"#,
        r#"{"resourceType":"Condition","id":"c2","code":{"coding":[{"system":"http://a.test","code":"X"},{"code":"y","display":"Heart failure"}]},
            "subject":{"identifier":{"system":"urn:mr","value":"7"}}}"#,
        r#"{"resourceType":"Condition","id":"c3","code":{"text":"두통"},"subject":{"reference":"Patient/p2","identifier":{"value":"7"}}}"#,
        r#"{"resourceType":"Condition","id":"c4","code":{"coding":[{"system":"http://b.test","code":"y"}]}}"#,
        r#"{"resourceType":"Patient","id":"p1","gender":"male","identifier":[
            {"system":"urn:mr","value":"1","type":{"text":"환자번호","coding":[{"system":"http://v2","code":"MR"},{"system":"http://v3","code":"M"}]}},
            {"system":"urn:nhi","value":"2","type":{"coding":[{"system":"http://v2","code":"NI"}]}}]}"#,
        r#"{"resourceType":"Patient","id":"p2","identifier":[{"value":"1","type":{"coding":[{"code":"MR"}]}}]}"#,
        r#"{"resourceType":"ValueSet","id":"v1","url":"http://acme.org/fhir/ValueSet/1"}"#,
        r#"{"resourceType":"ValueSet","id":"v2","url":"http://acme.org/fhir"}"#,
        r#"{"resourceType":"ValueSet","id":"v3","url":"http://acme.org/fhir-too/1"}"#,
        r#"{"resourceType":"ValueSet","id":"v4","url":"urn:oid:1.2"}"#,
        r#"{"resourceType":"QuestionnaireResponse","id":"q1","questionnaire":"http://q.test/a|1","meta":{"profile":["http://p.test/a|1.0"]}}"#,
        r#"{"resourceType":"QuestionnaireResponse","id":"q2","questionnaire":"http://q.test/a","meta":{"profile":["http://p.test/a"]}}"#,
    ] {
        store.put(json);
    }
}

on_every_engine! {
    fn text_of_tokens(store: &Store) {
        fill(store);
        finds(store, "Condition?code:text=hyper", &["c1"]);
        finds(store, "Condition?code:text=고혈,heart", &["c1", "c2"]);
        finds(store, "Condition?code:text=ㄷㅌ", &["c3"]);
        finds(store, "Condition?code:text=failure", &[]);
        finds(store, "Condition?code=두통", &[]);
        finds(store, "Patient?identifier:text=환자", &["p1"]);
        // Words for a code are a value too; they are none to sort or to compare codes with.
        finds(store, "Condition?code:missing=true", &[]);
        finds(store, "Condition?code:not=http://a.test|x", &["c2", "c3", "c4"]);
    }

    fn types_of_identifiers(store: &Store) {
        fill(store);
        finds(store, "Patient?identifier:of-type=http://v2|MR|1", &["p1"]);
        finds(store, "Patient?identifier:of-type=http://v3|M|1,http://v2|MR|2", &["p1"]);
        finds(store, "Patient?identifier:of-type=http://v2|MR|2", &[]);
        finds(store, "Patient?identifier:of-type=http://v2|NI|2", &["p1"]);
        finds(store, "Patient?identifier=1", &["p1", "p2"]);
        finds(store, "Patient?identifier=MR", &[]);
    }

    fn identifiers_of_references(store: &Store) {
        fill(store);
        finds(store, "Condition?subject:identifier=urn:mr|7", &["c2"]);
        finds(store, "Condition?subject:identifier=7", &["c2", "c3"]);
        finds(store, "Condition?subject:identifier=|7", &["c3"]);
        finds(store, "Condition?subject:identifier=urn:mr|", &["c2"]);
        finds(store, "Condition?subject=Patient/7", &[]);
        finds(store, "Condition?subject:missing=true", &["c4"]);
        finds(store, "Condition?subject:missing=false", &["c1", "c2", "c3"]);
    }

    fn value_sets_and_hierarchies_of_codes(store: &Store) {
        fill(store);
        finds(store, "Condition?code:in=http://vs.test/x", &["c1"]);
        finds(store, "Condition?code:in=http://vs.test/x,http://vs.test/y", &["c1", "c2", "c4"]);
        finds(store, "Condition?code:not-in=http://vs.test/x", &["c2", "c3", "c4"]);
        finds(store, "Condition?code:in=http://vs.test/empty", &[]);
        finds(store, "Condition?code:not-in=http://vs.test/empty", &["c1", "c2", "c3", "c4"]);
        finds(store, "Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", &["p1"]);
        finds(store, "Condition?code:below=http://a.test|x", &["c1", "c2"]);
        finds(store, "Condition?code:below=http://a.test|X", &["c2"]);
        finds(store, "Condition?code:above=http://a.test|x", &["c1"]);
        finds(store, "Condition?code:above=http://a.test|X", &["c1", "c2"]);
        for refused in ["in=http://vs.test/large", "in=http://vs.test/none", "below=http://b.test|y", "below=x", "below=http://a.test|q"] {
            assert!(store.try_query(&format!("Condition?code:{refused}")).is_err(), "{refused}");
        }
    }

    fn uris_above_and_below(store: &Store) {
        fill(store);
        finds(store, "ValueSet?url:below=http://acme.org/fhir", &["v1", "v2"]);
        finds(store, "ValueSet?url:below=http://acme.org/fhir/", &["v1"]);
        finds(store, "ValueSet?url:below=http://acme.org", &["v1", "v2", "v3"]);
        finds(store, "ValueSet?url:below=urn:oid:1", &[]);
        finds(store, "ValueSet?url:below=urn:oid:1.2", &["v4"]);
        finds(store, "ValueSet?url:above=http://acme.org/fhir/ValueSet/1/_history/5", &["v1", "v2"]);
        finds(store, "ValueSet?url:above=http://acme.org/fhir/", &["v2"]);
        finds(store, "ValueSet?url:above=http://acme.org", &[]);
        finds(store, "ValueSet?url:above=urn:oid:1.2", &["v4"]);
    }

    fn canonicals_with_and_without_version(store: &Store) {
        fill(store);
        finds(store, "QuestionnaireResponse?questionnaire=http://q.test/a", &["q1", "q2"]);
        finds(store, r"QuestionnaireResponse?questionnaire=http://q.test/a|1", &["q1"]);
        finds(store, r"QuestionnaireResponse?questionnaire=http://q.test/a|2", &[]);
        finds(store, "QuestionnaireResponse?_profile=http://p.test/a", &["q1", "q2"]);
        finds(store, "QuestionnaireResponse?_profile=http://p.test/a|1.0", &["q1"]);
        finds(store, "QuestionnaireResponse?_id:not=q1", &["q2"]);
        finds(store, "QuestionnaireResponse?_id:missing=true", &[]);
        finds(store, "QuestionnaireResponse?_lastUpdated:missing=false", &["q1", "q2"]);
    }
}
