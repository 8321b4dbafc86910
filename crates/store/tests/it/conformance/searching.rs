use crate::support::{Store, everything, finds};

fn fill(store: &Store) {
    for json in [
        r#"{"resourceType":"Patient","id":"kim","gender":"female","birthDate":"1980-02","name":[{"text":"김민수"},{"family":"Kim","given":["Min Su"]}],
            "identifier":[{"system":"urn:mr","value":"1"},{"system":"urn:mr2","value":"1"}],"telecom":[{"system":"phone","value":"010-0000-1234"}]}"#,
        r#"{"resourceType":"Patient","id":"nam","gender":"male","birthDate":"1990-05-05","name":[{"text":"남궁민"}],"identifier":[{"value":"2"}],
            "generalPractitioner":[{"reference":"http://hub.test/fhir/Practitioner/d1"},{"reference":"https://other.test/fhir/Practitioner/d1"}]}"#,
        "{\"resourceType\":\"Patient\",\"id\":\"nfd\",\"name\":[{\"text\":\"\u{1100}\u{1175}\u{11B7}나\"},{\"text\":\"José\"}]}",
        r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"},{"system":"urn:x","code":"1"}]},
            "subject":{"reference":"Patient/kim"},"effectiveDateTime":"2026-03-01","valueQuantity":{"value":7.10,"system":"http://unitsofmeasure.org","code":"mg","unit":"밀리그램"}}"#,
        r#"{"resourceType":"Observation","id":"o2","status":"amended","code":{"coding":[{"code":"1"}]},"subject":{"reference":"Patient/nam"},
            "effectivePeriod":{"start":"2026-03-01T23:00:00+09:00"},"valueQuantity":{"value":5,"comparator":"<","code":"mg"}}"#,
        r#"{"resourceType":"Questionnaire","id":"q","url":"http://x.test/q","status":"draft","version":"1"}"#,
    ] {
        store.put(json);
    }
}

on_every_engine! {
    /// A Korean name is one word, whether it was sent whole, with a space, or in two parts.
    fn korean_names_are_one_word(store: &Store) {
        store.put(r#"{"resourceType":"Patient","id":"parts","name":[{"family":"홍","given":["길동"]}]}"#);
        store.put(r#"{"resourceType":"Patient","id":"space","name":[{"text":"홍 길동"}]}"#);
        store.put(r#"{"resourceType":"Patient","id":"whole","name":[{"text":"홍길동"}]}"#);
        store.put(r#"{"resourceType":"Patient","id":"latin","name":[{"family":"Hong","given":["Gil"]}]}"#);
        for question in ["홍길동", "홍길", "ㅎㄱㄷ", "홍ㄱㄷ"] {
            let found = store.find(&everything(), &format!("Patient?name={question}"));
            assert_eq!(found, ["parts", "space", "whole"], "{question}");
        }
        assert!(store.find(&everything(), "Patient?name=honggil").is_empty());
    }

    /// Hanja, letters with accents, syllables taken apart, surnames of two syllables.
    fn names_in_all_letters(store: &Store) {
        for (id, name) in [("hanja", "金民秀"), ("accents", "Pérez Łukasz"), ("apart", "\u{1102}\u{1161}\u{11B7}\u{1100}\u{116E}\u{11BC} 민"), ("two", "황보 관")] {
            store.put(&format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"text":"{name}"}}]}}"#));
        }
        for (question, expected) in [
            ("金", &["hanja"][..]),
            ("金民", &["hanja"]),
            ("民", &[]),
            ("perez", &["accents"]),
            ("PÉREZ", &["accents"]),
            ("Pe\u{301}rez", &["accents"]),
            ("남", &["apart"]),
            ("남궁", &["apart"]),
            ("ㄴㄱㅁ", &["apart"]),
            ("황보", &["two"]),
            ("황보관", &["two"]),
            ("ㅎㅂㄱ", &["two"]),
            ("황ㅂ", &["two"]),
        ] {
            assert_eq!(store.find(&everything(), &format!("Patient?name={question}")), expected, "{question}");
        }
    }

    /// Hundreds of stretches, thousands of exact values in one parameter are an ordinary question; more is refused.
    fn many_values_are_an_ordinary_question(store: &Store) {
        store.put(r#"{"resourceType":"Patient","id":"p","gender":"female","name":[{"text":"가상"}],"birthDate":"1999-12-31"}"#);
        store.put(r#"{"resourceType":"Observation","id":"o","status":"final","valueQuantity":{"value":499}}"#);
        let list = |most: u32, one: &dyn Fn(u32) -> String| (0..most).map(one).collect::<Vec<_>>().join(",");
        let names = format!("Patient?name={},가상", list(499, &|number| format!("없음{number}")));
        assert_eq!(store.find(&everything(), &names), ["p"]);
        let dates = list(500, &|number| format!("{:04}-12-31", 1_500 + number));
        assert_eq!(store.find(&everything(), &format!("Patient?birthdate={dates}")), ["p"]);
        let values = list(500, &|number| format!("{number}|http://unitsofmeasure.org|mg"));
        assert!(store.find(&everything(), &format!("Observation?value-quantity={values}")).is_empty());
        let numbers = list(500, &|number| number.to_string());
        assert_eq!(store.find(&everything(), &format!("Observation?value-quantity={numbers}")), ["o"]);
        let codes = list(9_999, &|number| format!("c{number}"));
        assert_eq!(store.find(&everything(), &format!("Patient?gender={codes},female")), ["p"]);
        let ids = list(9_999, &|number| format!("c{number}"));
        assert_eq!(store.find(&everything(), &format!("Patient?_id={ids},p")), ["p"]);
        assert!(store.try_query(&format!("Observation?value-quantity={numbers},501")).is_err());
    }

    /// Changing a record changes what it is found by.
    fn the_index_follows_the_record(store: &Store) {
        fill(store);
        store.put(r#"{"resourceType":"Observation","id":"o1","status":"entered-in-error","code":{"coding":[{"system":"urn:x","code":"9"}]},
            "subject":{"reference":"Patient/nam"},"effectiveDateTime":"2027","valueQuantity":{"value":1}}"#);
        finds(store, "Observation?patient=kim", &[]);
        finds(store, "Observation?patient=nam", &["o1", "o2"]);
        finds(store, "Observation?code=http://loinc.org|1", &[]);
        finds(store, "Observation?code=9&date=2027&value-quantity=1", &["o1"]);
        finds(store, "Observation?date=2026-03-01", &[]);
        store.delete("Observation", "o1");
        finds(store, "Observation?code=9", &[]);
        finds(store, "Observation?patient=nam", &["o2"]);
    }
}
