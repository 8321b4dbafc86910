//! Values with parts: composites, places, quantities in canonical units.

use crate::support::{Store, finds, finds_in_order};

fn pressure(id: &str, systolic: &str, diastolic: &str) -> String {
    let part = |code: &str, value: &str| {
        format!(
            r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},
            "valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}"#
        )
    };
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"code":"bp"}}]}},
        "component":[{},{}]}}"#,
        part("sys", systolic),
        part("dia", diastolic)
    )
}

fn weight(id: &str, value: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","code":{{"coding":[{{"code":"w"}},{{"code":"weight"}}]}},
        "valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"{code}","unit":"u"}}}}"#
    )
}

on_every_engine! {
    fn composites(store: &Store) {
        store.put(&pressure("high", "150", "80"));
        store.put(&pressure("swapped", "80", "150"));
        store.put(&weight("w", "70", "kg"));
        finds(store, "Observation?component-code-value-quantity=sys$gt140", &["high"]);
        finds(store, "Observation?component-code-value-quantity=http://loinc.org|dia$gt140", &["swapped"]);
        finds(store, "Observation?component-code-value-quantity=sys$80,dia$80", &["high", "swapped"]);
        finds(store, "Observation?component-code-value-quantity=dia$lt90|http://unitsofmeasure.org|mm[Hg]", &["high"]);
        finds(store, "Observation?component-code-value-quantity=dia$lt11|http://unitsofmeasure.org|kPa", &["high"]);
        finds(store, "Observation?component-code-value-quantity=bp$gt140", &[]);
        finds(store, "Observation?component-code-value-quantity:missing=true", &["w"]);
        finds(store, "Observation?combo-code-value-quantity=weight$70||kg,sys$150", &["high", "w"]);
        finds(store, "Observation?code-value-quantity=w$70000|http://unitsofmeasure.org|g", &["w"]);
        finds(store, "Observation?code-value-quantity=w$70|http://unitsofmeasure.org|g", &[]);
        finds(store, "Patient?_has:Observation:patient:code-value-quantity=w$70", &[]);
        assert!(store.try_query("Observation?code-value-quantity=w").is_err());
        assert!(store.try_query("Observation?code-value-quantity=w$1$2").is_err());
    }

    fn composites_of_other_types(store: &Store) {
        for json in [
            r#"{"resourceType":"Observation","id":"s","code":{"coding":[{"code":"x"}]},"valueString":"High"}"#,
            r#"{"resourceType":"Observation","id":"d","code":{"coding":[{"code":"x"}]},"valueDateTime":"2026-03-01"}"#,
            r#"{"resourceType":"Observation","id":"c","code":{"coding":[{"code":"x"}]},"valueCodeableConcept":{"coding":[{"system":"s","code":"p"}]}}"#,
            r#"{"resourceType":"DocumentReference","id":"r","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}},
                {"code":"appends","target":{"reference":"DocumentReference/2"}}]}"#,
            r#"{"resourceType":"MolecularSequence","id":"m","referenceSeq":{"chromosome":{"coding":[{"code":"7"}]}},"variant":[{"start":10,"end":20},{"start":30,"end":40}]}"#,
        ] {
            store.put(json);
        }
        finds(store, "Observation?code-value-string=x$hi", &["s"]);
        finds(store, "Observation?code-value-date=x$ge2026-03", &["d"]);
        finds(store, "Observation?code-value-concept=x$s|p,y$s|p", &["c"]);
        finds(store, "Observation?code-value-concept=x$s|q", &[]);
        finds(store, "DocumentReference?relationship=replaces$DocumentReference/1", &["r"]);
        finds(store, "DocumentReference?relationship=replaces$DocumentReference/2", &[]);
        finds(store, "MolecularSequence?chromosome-variant-coordinate=7$le10$ge20", &["m"]);
        finds(store, "MolecularSequence?chromosome-variant-coordinate=7$30$20", &[]);
        finds(store, "MolecularSequence?chromosome-variant-coordinate=8$10$20", &[]);
    }

    fn canonical_units(store: &Store) {
        for (id, value, code) in
            [("a", "5", "mg"), ("b", "0.005", "g"), ("c", "5", "g"), ("d", "5", "정"), ("e", "37", "Cel"), ("f", "98.6", "[degF]"), ("g", "7.4", "[pH]")]
        {
            store.put(&weight(id, value, code));
        }
        store.put(r#"{"resourceType":"Observation","id":"h","valueQuantity":{"value":5,"comparator":"<","system":"http://unitsofmeasure.org","code":"ug"}}"#);
        let ucum = "http://unitsofmeasure.org";
        let value = |value: &str| format!("Observation?value-quantity={value}");
        finds(store, &value(&format!("5|{ucum}|mg")), &["a", "b"]);
        finds(store, &value(&format!("5000|{ucum}|ug")), &["a", "b"]);
        finds(store, &value(&format!("gt0.004|{ucum}|g")), &["a", "b", "c"]);
        finds(store, &value(&format!("lt1|{ucum}|mg")), &["h"]);
        finds(store, &value(&format!("5|{ucum}|정")), &["d"]);
        finds(store, &value(&format!("37.0|{ucum}|Cel")), &["e", "f"]);
        finds(store, &value(&format!("310.15|{ucum}|K")), &["e", "f"]);
        finds(store, &value(&format!("ge98.6|{ucum}|[degF]")), &["e", "f"]);
        finds(store, &value(&format!("7.4|{ucum}|[pH]")), &["g"]);
        finds(store, &value(&format!("5|{ucum}|mL")), &[]);
        // Without system the unit is compared as it is written.
        finds(store, &value("5||mg"), &["a"]);
        finds(store, &value("5"), &["a", "c", "d"]);
        finds_in_order(store, "Observation?_sort=value-quantity&_id=a,b,c,d", &["b", "a", "c", "d"]);
    }

    fn near(store: &Store) {
        for (id, latitude, longitude) in [
            ("seoul", "37.5665", "126.9780"),
            ("incheon", "37.4563", "126.7052"),
            ("busan", "35.1796", "129.0756"),
            ("west", "0", "-179.99"),
            ("pole", "90", "0"),
        ] {
            store.put(&format!(
                r#"{{"resourceType":"Location","id":"{id}","position":{{"latitude":{latitude},"longitude":{longitude}}}}}"#
            ));
        }
        store.put(r#"{"resourceType":"Location","id":"nowhere"}"#);
        finds(store, "Location?near=37.5665|126.9780", &["seoul"]);
        finds(store, "Location?near=37.5665|126.9780|0", &["seoul"]);
        finds(store, "Location?near=37.5665|126.9780|30", &["incheon", "seoul"]);
        finds(store, "Location?near=37.5665|126.9780|26000|m", &["seoul"]);
        finds(store, "Location?near=37.5665|126.9780|325.2|km", &["busan", "incheon", "seoul"]);
        finds(store, "Location?near=37.5665|126.9780|200|[mi_i]", &["incheon", "seoul"]);
        finds(store, "Location?near=0|180|2|km", &["west"]);
        finds(store, "Location?near=89.99|77|2|km", &["pole"]);
        finds(store, "Location?near=0|0|30000|km", &["busan", "incheon", "pole", "seoul", "west"]);
        finds(store, "Location?near=37.5|127|5|km,35.2|129|20|km", &["busan"]);
        finds(store, "Location?near:missing=true", &["nowhere"]);
        for refused in ["37", "91|0", "0|181", "a|b", "0|0|-1", "0|0|1|kg", "0|0||km", "1|2|3|km|5"] {
            assert!(store.try_query(&format!("Location?near={refused}")).is_err(), "{refused}");
        }
    }
}
