//! `_filter`.

use crate::support::{Store, finds};

fn fill(store: &Store) {
    for json in [
        r#"{"resourceType":"Patient","id":"p1","gender":"male","birthDate":"1980-05-05","active":true,"name":[{"family":"Kim","given":["Min Su","Peter"]}],"identifier":[{"system":"urn:a","value":"1"}]}"#,
        r#"{"resourceType":"Patient","id":"p2","gender":"female","birthDate":"1990","name":[{"family":"Park","given":["Peter Pan"]}],"identifier":[{"system":"urn:b","value":"1"}]}"#,
        r#"{"resourceType":"Patient","id":"p3","name":[{"text":"김민수"}]}"#,
        r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://a.test","code":"x"}]},"subject":{"reference":"Patient/p1"},
            "effectivePeriod":{"start":"2026-03-01","end":"2026-03-05"},"valueQuantity":{"value":5,"system":"http://unitsofmeasure.org","code":"mg"}}"#,
        r#"{"resourceType":"Observation","id":"o2","status":"amended","code":{"coding":[{"system":"http://a.test","code":"X"},{"code":"y"}]},"subject":{"reference":"Patient/p2"},
            "effectiveDateTime":"2026-03-10","valueQuantity":{"value":0.007,"system":"http://unitsofmeasure.org","code":"g"}}"#,
        r#"{"resourceType":"Observation","id":"o3","status":"final","code":{"text":"a (b) \"c\""}}"#,
        r#"{"resourceType":"RiskAssessment","id":"r1","prediction":[{"probabilityDecimal":0.5}]}"#,
        r#"{"resourceType":"Questionnaire","id":"q1","url":"http://q.test/a"}"#,
        r#"{"resourceType":"Questionnaire","id":"q2","url":"http://q.test/b"}"#,
    ] {
        store.put(json);
    }
}

fn filters(store: &Store, kind: &str, expression: &str, ids: &[&str]) {
    finds(store, &format!("{kind}?_filter={expression}"), ids);
}

on_every_engine! {
    fn comparisons(store: &Store) {
        fill(store);
        let patients = |expression: &str, ids: &[&str]| filters(store, "Patient", expression, ids);
        patients(r#"given eq "peter""#, &["p1"]);
        patients("given sw peter", &["p1", "p2"]);
        patients("given co an", &["p2"]);
        patients(r#"given ew "SU""#, &["p1"]);
        patients("family eq KIM", &["p1"]);
        patients("name sw ㄱㅁ", &["p3"]);
        // "An item in the set has an unequal value": another given name is enough.
        patients("given ne peter", &["p1", "p2"]);
        patients("family ne kim", &["p2"]);
        patients("not (family eq kim)", &["p2", "p3"]);
        patients("gender eq male", &["p1"]);
        patients("gender ne male", &["p2"]);
        patients("gender pr false", &["p3"]);
        patients("gender pr true", &["p1", "p2"]);
        patients("identifier eq urn:a|1", &["p1"]);
        patients("identifier eq 1", &["p1", "p2"]);
        patients("identifier ne urn:a|1", &["p2"]);
        patients("birthdate ge 1985", &["p2"]);
        patients("birthdate lt 1985", &["p1"]);
        patients("birthdate po 1990-06", &["p2"]);
        patients("birthdate eq 1990-06", &[]);
        patients("active eq true", &["p1"]);
        patients("_id eq p2", &["p2"]);
        patients("_id ne p2", &["p1", "p3"]);
        patients("_lastUpdated pr true", &["p1", "p2", "p3"]);
        filters(store, "Observation", "date po 2026-03-04", &["o1"]);
        filters(store, "Observation", "date sa 2026-03-05", &["o2"]);
        filters(store, "Observation", "date eb 2026-03-10", &["o1"]);
        filters(store, "Observation", "value-quantity gt 4|http://unitsofmeasure.org|mg", &["o1", "o2"]);
        filters(store, "Observation", "value-quantity ap 6.7|http://unitsofmeasure.org|mg", &["o2"]);
        filters(store, "Observation", "subject re Patient/p1", &["o1"]);
        filters(store, "Observation", "subject ne Patient/p1", &["o2"]);
        filters(store, "Observation", "code in http://vs.test/x", &["o1"]);
        filters(store, "Observation", "code ni http://vs.test/x", &["o2", "o3"]);
        filters(store, "Observation", "code ss http://a.test|x", &["o1", "o2"]);
        filters(store, "Observation", "code sb http://a.test|x", &["o1"]);
        filters(store, "RiskAssessment", "probability le 0.5", &["r1"]);
        filters(store, "Questionnaire", "url eq http://q.test/a", &["q1"]);
        filters(store, "Questionnaire", "url ne http://q.test/a", &["q2"]);
    }

    fn logic(store: &Store) {
        fill(store);
        let patients = |expression: &str, ids: &[&str]| filters(store, "Patient", expression, ids);
        patients("given sw peter and gender eq male", &["p1"]);
        patients("gender eq male or gender eq female", &["p1", "p2"]);
        // From left to right, without precedence.
        patients("gender eq male or gender eq female and family eq park", &["p2"]);
        patients("gender eq male or (gender eq female and family eq park)", &["p1", "p2"]);
        patients("not (gender pr true) or _id eq p1", &["p1", "p3"]);
        patients("not (gender eq male or gender eq female)", &["p3"]);
        patients("((gender eq male))", &["p1"]);
        patients("gender eq male and not(family eq park) and birthdate pr true", &["p1"]);
        finds(store, "Patient?_filter=gender eq male or gender eq female&birthdate=1990", &["p2"]);
        finds(store, "Observation?patient._filter=gender eq male", &["o1"]);
    }

    fn paths(store: &Store) {
        fill(store);
        let observations = |expression: &str, ids: &[&str]| filters(store, "Observation", expression, ids);
        observations("subject.name co pan", &["o2"]);
        observations("subject:Patient.gender eq male", &["o1"]);
        observations("patient[gender eq male].birthdate lt 1985", &["o1"]);
        observations("patient[gender eq male and family sw \"k\"].birthdate gt 1985", &[]);
        observations("patient[identifier eq urn:b|1].given pr true and status eq amended", &["o2"]);
        observations("not (patient.gender eq male)", &["o2", "o3"]);
    }

    fn what_cannot_be_read(store: &Store) {
        for expression in [
            "name", "name eq", "name xx kim", "name eq kim and", "(name eq kim", "name eq kim)", "name eq kim family eq park",
            "gender gt male", "name gt a", "birthdate co 19", "nonsense eq 1", "gender.name eq x", "name pr maybe", r#"name eq "kim"#,
            "patient[gender eq male] eq x", "not name eq kim", "birthdate eq soon", "near eq 1", "", "()", "[", "name eq kim or or", "_id eq a b",
        ] {
            assert!(store.try_query(&format!("Patient?_filter={expression}")).is_err(), "{expression}");
        }
        let nested = |depth: usize| format!("Patient?_filter={}gender eq male{}", "(".repeat(depth), ")".repeat(depth));
        assert!(store.try_query(&nested(16)).is_ok());
        assert!(store.try_query(&nested(17)).is_err());
        assert!(store.try_query(&nested(100_000)).is_err());
        let long = |count: usize| format!("Patient?_filter={}", vec!["gender eq male"; count].join(" or "));
        assert!(store.try_query(&long(900)).is_ok());
        assert!(store.try_query(&long(1_100)).is_err());
    }
}
