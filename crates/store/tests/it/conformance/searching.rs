use crate::support::{Store, finds};

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
    fn tokens(store: &Store) {
        fill(store);
        finds(store, "Patient?gender=female", &["kim"]);
        finds(store, "Patient?gender=female,male", &["kim", "nam"]);
        finds(store, "Patient?gender:not=female", &["nam", "nfd"]);
        finds(store, "Patient?identifier=1", &["kim"]);
        finds(store, "Patient?identifier=urn:mr|1", &["kim"]);
        finds(store, "Patient?identifier=urn:mr|", &["kim"]);
        finds(store, "Patient?identifier=|2", &["nam"]);
        finds(store, "Patient?identifier=|1", &[]);
        finds(store, "Patient?identifier=urn:none|1", &[]);
        finds(store, "Observation?code=1", &["o1", "o2"]);
        finds(store, "Observation?code=|1", &["o2"]);
        finds(store, "Observation?code=http://loinc.org|1,urn:x|1", &["o1"]);
        finds(store, "Observation?code=http://loinc.org|1&status=final", &["o1"]);
        finds(store, "Observation?code=1&status:not=final", &["o2"]);
        finds(store, "Patient?telecom=010-0000-1234", &["kim"]);
        finds(store, "Patient?gender:missing=true", &["nfd"]);
        finds(store, "Patient?gender:missing=false", &["kim", "nam"]);
    }

    fn strings_and_initials(store: &Store) {
        fill(store);
        finds(store, "Patient?name=김", &["kim", "nfd"]);
        finds(store, "Patient?name=ㄱㅁㅅ", &["kim"]);
        finds(store, "Patient?name=ㄱ", &["kim", "nfd"]);
        finds(store, "Patient?name=김ㅁ", &["kim"]);
        finds(store, "Patient?name=ㄴㄱㅁ,ㄱㄴ", &["nam", "nfd"]);
        finds(store, "Patient?name=남궁", &["nam"]);
        finds(store, "Patient?name=min", &["kim"]);
        finds(store, "Patient?name=jose", &["nfd"]);
        finds(store, "Patient?name:exact=José", &["nfd"]);
        finds(store, "Patient?name:exact=jose", &[]);
        finds(store, "Patient?name:exact=김나", &["nfd"]);
        finds(store, "Patient?name:contains=su", &["kim"]);
        finds(store, "Patient?name:contains=궁", &["nam"]);
        finds(store, "Patient?family=kim&given=min", &["kim"]);
    }

    fn dates(store: &Store) {
        fill(store);
        finds(store, "Observation?date=2026-03-01", &["o1"]);
        finds(store, "Observation?date=eq2026", &["o1"]);
        finds(store, "Observation?date=ne2026-03-01", &["o2"]);
        finds(store, "Observation?date=gt2026-03-01", &["o2"]);
        finds(store, "Observation?date=ge2026-03-01", &["o1", "o2"]);
        finds(store, "Observation?date=lt2026-03-01T12:00:00%2B09:00".replace("%2B", "+").as_str(), &["o1"]);
        finds(store, "Observation?date=sa2026-02", &["o1", "o2"]);
        finds(store, "Observation?date=eb2026-03-02", &["o1"]);
        finds(store, "Observation?date=ge2026-02-28T15:00:00Z&date=lt2026-02-28T16:00:00Z", &["o1"]);
        finds(store, "Patient?birthdate=1980", &["kim"]);
        finds(store, "Patient?birthdate=1980-02-03", &[]);
        finds(store, "Patient?birthdate=le1985,ge1990", &["kim", "nam"]);
    }

    fn quantities_and_numbers(store: &Store) {
        fill(store);
        finds(store, "Observation?value-quantity=7.1", &["o1"]);
        finds(store, "Observation?value-quantity=7", &["o1"]);
        finds(store, "Observation?value-quantity=7.2", &[]);
        finds(store, "Observation?value-quantity=gt7.09||mg", &["o1"]);
        finds(store, "Observation?value-quantity=7.1||밀리그램", &["o1"]);
        finds(store, "Observation?value-quantity=7.1|http://unitsofmeasure.org|mg", &["o1"]);
        finds(store, "Observation?value-quantity=7.1|http://unitsofmeasure.org|g", &[]);
        finds(store, "Observation?value-quantity=lt3", &["o2"]);
        finds(store, "Observation?value-quantity=ge5||mg", &["o1"]);
        finds(store, "Observation?value-quantity=eb6", &["o2"]);
    }

    fn references_and_chains(store: &Store) {
        fill(store);
        finds(store, "Observation?subject=Patient/kim", &["o1"]);
        finds(store, "Observation?patient=kim", &["o1"]);
        finds(store, "Observation?subject:Patient=kim", &["o1"]);
        finds(store, "Observation?subject=http://hub.test/fhir/Patient/kim,Patient/nam", &["o1", "o2"]);
        finds(store, "Patient?general-practitioner=Practitioner/d1", &["nam"]);
        finds(store, "Patient?general-practitioner=https://other.test/fhir/Practitioner/d1", &["nam"]);
        finds(store, "Patient?general-practitioner=https://third.test/fhir/Practitioner/d1", &[]);
        finds(store, "Observation?patient.gender=female", &["o1"]);
        finds(store, "Observation?subject:Patient.name=ㄴㄱ", &["o2"]);
        finds(store, "Observation?patient.gender=female,male&status=amended", &["o2"]);
        finds(store, "Patient?_has:Observation:patient:code=urn:x|1", &["kim"]);
        finds(store, "Patient?_has:Observation:subject:date=gt2026-03-01", &["nam"]);
        finds(store, "Observation?patient._has:Observation:patient:status=final", &["o1"]);
    }

    fn uris_ids_and_times(store: &Store) {
        store.clock.set(1_790_000_000_000_000);
        fill(store);
        finds(store, "Questionnaire?url=http://x.test/q", &["q"]);
        finds(store, "Questionnaire?url=http://x.test", &[]);
        finds(store, "Patient?_id=kim,none,nam", &["kim", "nam"]);
        finds(store, "Patient?_id=none", &[]);
        finds(store, "Patient?_lastUpdated=ge2026-01-01", &["kim", "nam", "nfd"]);
        finds(store, "Patient?_lastUpdated=lt2026-01-01", &[]);
        finds(store, "Patient?_lastUpdated=ne2020&gender=male", &["nam"]);
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
