//! Who lives in synthetic Korea, and what happens to them.

use std::collections::{HashMap, HashSet};

use crate::{PATIENTS, patients, text};

fn share(count: usize) -> f64 {
    count as f64 / PATIENTS as f64
}

#[test]
fn ages_follow_the_pyramid() {
    let mut bands = [0_usize; 11];
    for record in patients() {
        if let Some(birth) = record.patient()["birthDate"].as_str() {
            let year: usize = birth[..4].parse().unwrap();
            bands[(2026 - year) / 10] += 1;
        }
    }
    let children = share(bands[0] + bands[1]);
    let middle = share(bands[3] + bands[4] + bands[5]);
    let old = share(bands[6..].iter().sum());
    assert!((0.09..0.21).contains(&children), "under 20: {children}");
    assert!((0.36..0.54).contains(&middle), "30 to 59: {middle}");
    assert!((0.21..0.38).contains(&old), "60 and over: {old}");
}

#[test]
fn surnames_are_as_common_as_they_are() {
    let mut surnames: HashMap<char, usize> = HashMap::new();
    for record in patients() {
        if let Some(name) = record.patient()["name"][0]["text"].as_str() {
            *surnames.entry(name.chars().next().unwrap()).or_default() += 1;
        }
    }
    let kim = share(surnames[&'김']);
    let lee = share(surnames[&'이']);
    let park = share(surnames[&'박']);
    assert!((0.15..0.28).contains(&kim), "김 {kim}");
    assert!(lee < kim && park < lee, "이 {lee}, 박 {park}");
    assert!(surnames.len() > 20);
}

#[test]
fn the_special_cases_exist() {
    // Rare ones need more people than the other tests.
    let options = ieum_synth::Options::new(0, 7);
    let mut found: HashSet<&str> = HashSet::new();
    for number in 0..1_200 {
        let json = String::from_utf8(ieum_synth::patient_bundle(&options, number).json).unwrap();
        let patient = json.split(r#","request""#).next().unwrap();
        for (case, mark) in [
            ("unidentified", "신원미확인"),
            ("birth date unknown", r#""valueCode":"temp-unknown""#),
            ("name withheld", r#""valueCode":"masked""#),
            ("name hidden", "○○"),
            ("deceased", "deceasedDateTime"),
            ("foreigner", "patient-nationality"),
            ("guardian", "Next-of-Kin"),
            ("island", "울릉군"),
        ] {
            if patient.contains(mark) {
                found.insert(case);
            }
        }
        if ["남궁", "황보", "선우", "제갈", "독고", "사공"]
            .iter()
            .any(|name| patient.contains(&format!(r#""text":"{name}"#)))
        {
            found.insert("surname of two syllables");
        }
        let compound = ["남궁", "황보", "선우", "제갈", "독고", "사공"];
        if compound.iter().any(|name| patient.contains(&format!(r#""text":"{name}"#))) {
            found.insert("surname of two syllables");
        }
        for (case, mark) in [
            ("video", r#""code":"VR""#),
            ("home", r#""code":"HH""#),
            ("emergency", r#""code":"EMER""#),
            ("stay", r#""code":"IMP""#),
            ("birth", "O80.9"),
            ("psychiatric", r#""code":"PSY""#),
            ("HIV", r#""code":"HIV""#),
            ("sexually transmitted", r#""code":"STD""#),
            ("Korean medicine", "경혈침술"),
            ("herbal", "엑스과립"),
            ("tooth", "(FDI "),
            ("pathology", r#""code":"PAT""#),
            ("electrocardiogram", "심전도"),
            ("discharge summary", "18842-5"),
            ("not vaccinated", "not-done"),
        ] {
            if json.contains(mark) {
                found.insert(case);
            }
        }
    }
    assert_eq!(found.len(), 24, "{found:?}");
}

#[test]
fn treatment_of_diabetes_lowers_the_sugar() {
    let mut first_and_last = Vec::new();
    for record in patients() {
        let diabetic =
            record.of("Condition").any(|condition| condition["code"]["coding"][0]["code"] == "E11.9");
        let mut values: Vec<(&str, f64)> = record
            .of("Observation")
            .filter(|result| result["code"]["coding"][0]["code"] == "4548-4")
            .map(|result| {
                (text(&result["effectiveDateTime"]), result["valueQuantity"]["value"].as_f64().unwrap())
            })
            .collect();
        values.sort_by(|one, other| one.0.cmp(other.0));
        if diabetic && values.len() >= 2 {
            assert!(values.iter().all(|value| value.1 > 5.0));
            first_and_last.push((values[0].1, values[values.len() - 1].1));
        }
    }
    assert!(first_and_last.len() > 8);
    let mean = |pick: fn(&(f64, f64)) -> f64| {
        first_and_last.iter().map(pick).sum::<f64>() / first_and_last.len() as f64
    };
    assert!(mean(|pair| pair.0) > mean(|pair| pair.1) - 0.1, "it does not rise on the whole");
}

#[test]
fn psychiatric_visits_are_labelled_throughout() {
    for record in patients() {
        for visit in record.of("Encounter").filter(|visit| visit["serviceType"]["text"] == "정신건강의학과")
        {
            let reference = format!("Encounter/{}", text(&visit["id"]));
            let inside =
                record.resources.iter().filter(|resource| resource["encounter"]["reference"] == reference);
            for resource in inside.chain([visit]) {
                assert_eq!(resource["meta"]["security"][0]["code"], "R", "{}", resource["id"]);
            }
        }
    }
}

#[test]
fn small_children_are_given_what_they_can_swallow_and_cystitis_is_an_illness_of_women() {
    let options = ieum_synth::Options::new(0, 9);
    let (mut small, mut men, mut all) = (0, 0, 0);
    for number in 0..1_000 {
        let json = ieum_synth::patient_bundle(&options, number).json;
        let bundle: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let resources: Vec<&serde_json::Value> =
            bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]).collect();
        let patient = resources.iter().find(|resource| resource["resourceType"] == "Patient").unwrap();
        let of =
            |kind: &'static str| resources.iter().filter(move |resource| resource["resourceType"] == kind);
        let cystitis = of("Condition").filter(|one| one["code"]["coding"][0]["code"] == "N30.0").count();
        all += cystitis;
        men += if patient["gender"] == "male" { cystitis } else { 0 };
        let Some(birth) = patient["birthDate"].as_str() else { continue };
        let seven = format!("{:04}{}", birth[..4].parse::<u16>().unwrap() + 7, &birth[4..]);
        for request in of("MedicationRequest").filter(|request| text(&request["authoredOn"]) < seven.as_str())
        {
            small += 1;
            let dose = &request["dosageInstruction"][0];
            let unit = text(&dose["doseAndRate"][0]["doseQuantity"]["code"]);
            assert!(!["{tbl}", "{capsule}"].contains(&unit), "{birth}: {request}");
        }
    }
    assert!(small > 150, "{small} prescriptions of small children");
    assert!(all > 30 && men * 10 < all, "{men} of {all} in men");
}
