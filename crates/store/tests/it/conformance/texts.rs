//! `_text` and `_content`.

use crate::support::{Store, everything, finds, only};

fn fill(store: &Store) {
    for json in [
        r#"{"resourceType":"Patient","id":"p1","name":[{"text":"김민수"}]}"#,
        r#"{"resourceType":"Patient","id":"p2","name":[{"text":"박하나"}]}"#,
        r#"{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"},"code":{"text":"본태성 고혈압"},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>환자는 <b title=\"hidden\">고혈압이</b> 있다. Type&#32;2 diabetes &amp; Asthma</p></div>"}}"#,
        r#"{"resourceType":"Condition","id":"c2","subject":{"reference":"Patient/p2"},"code":{"text":"위암","coding":[{"system":"http://icd.test","code":"C16.9","display":"Malignant neoplasm of stomach"}]},
            "note":[{"text":"血壓 정상"}]}"#,
        r#"{"resourceType":"Condition","id":"c3","contained":[{"resourceType":"Practitioner","id":"d","name":[{"text":"José Pérez"}]}],
            "recorder":{"reference":"\u0023d","display":"이의사"}}"#,
    ] {
        store.put(json);
    }
}

on_every_engine! {
    fn narratives(store: &Store) {
        fill(store);
        finds(store, "Condition?_text=고혈압", &["c1"]);
        finds(store, "Condition?_text=혈압", &["c1"]);
        finds(store, "Condition?_text=ㄱㅎㅇ", &["c1"]);
        finds(store, "Condition?_text=diabetes type", &["c1"]);
        finds(store, "Condition?_text=diabetes cancer", &[]);
        finds(store, "Condition?_text=cancer,ASTHMA", &["c1"]);
        finds(store, "Condition?_text=hidden", &[]);
        finds(store, "Condition?_text=위암", &[]);
        finds(store, "Condition?_text=diabete", &[]);
    }

    fn contents(store: &Store) {
        fill(store);
        finds(store, "Condition?_content=고혈압", &["c1"]);
        finds(store, "Condition?_content=암", &["c2"]);
        finds(store, "Condition?_content=stomach C16.9", &["c2"]);
        finds(store, "Condition?_content=血", &["c2"]);
        finds(store, "Condition?_content=血壓 정상", &["c2"]);
        finds(store, "Condition?_content=perez", &["c3"]);
        finds(store, "Condition?_content=의사", &["c3"]);
        finds(store, "Condition?_content=Patient", &[]);
        finds(store, "Condition?_content=icd", &[]);
        finds(store, "Condition?patient._content=ㅁㅅ", &["c1"]);
        finds(store, "Patient?_has:Condition:patient:_text=asthma", &["p1"]);
        assert_eq!(store.find(&only(&["p2"]), "Condition?_content=혈"), [""; 0]);
        assert_eq!(store.find(&only(&["p2"]), "Condition?_content=암"), ["c2"]);
        for refused in ["Condition?_content=-", "Condition?_text:exact=a", "TestNote?_content=a", "Condition?_text=a,!"] {
            assert!(store.try_query(refused).is_err(), "{refused}");
        }
    }

    fn texts_follow_the_record(store: &Store) {
        fill(store);
        store.put(r#"{"resourceType":"Condition","id":"c1","code":{"text":"감기"}}"#);
        finds(store, "Condition?_content=고혈압", &[]);
        finds(store, "Condition?_text=고혈압", &[]);
        finds(store, "Condition?_content=감기", &["c1"]);
        store.delete("Condition", "c1");
        finds(store, "Condition?_content=감기", &[]);
        store.put(r#"{"resourceType":"Condition","id":"c1","code":{"text":"감기"}}"#);
        assert_eq!(store.find(&everything(), "Condition?_content=감기"), ["c1"]);
    }
}
