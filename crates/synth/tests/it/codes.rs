//! Codes come from the lists that KR Core allows.

use crate::{records, text, walk};

/// The last part of each system with few codes, and the codes allowed there.
fn allowed(system: &str) -> Option<Vec<String>> {
    let range = |from: u32, to: u32| (from..=to).map(|code| format!("{code:02}"));
    let words = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    Some(match system.rsplit('/').next()? {
        "hira-medical-department" => {
            let single = (1..=9).filter(|code| *code != 6).map(|code| code.to_string());
            range(0, 26)
                .chain(range(50, 59))
                .chain(["61".to_owned()])
                .chain(range(80, 87))
                .chain(single)
                .collect()
        }
        "hira-insurance-types" => words("4 5 7 9"),
        "hira-healthcare-organization-types" => {
            words("01 11 21 28 29 31 41 51 61 71 72 73 74 75 81 91 92 93 94")
        }
        "krcore-vcnt-types" => range(0, 45).collect(),
        "krcore-condition-category-types" => words("진단 주호소"),
        "krcore-procedure-category-types" => words("1 2 3"),
        "condition-clinical" => words("active inactive resolved"),
        "v3-ActCode" => words("AMB IMP EMER HH VR PSY HIV STD"),
        "v3-Confidentiality" => words("R V"),
        "v2-0074" => words("LAB IMG PAT OSL"),
        "observation-category" => words("vital-signs laboratory exam"),
        "v3-ObservationInterpretation" => words("L N H"),
        "discharge-disposition" => words("home other-hcf exp"),
        _ => return None,
    })
}

#[test]
fn codes_are_in_their_lists() {
    let mut lists = std::collections::HashMap::new();
    for resource in records().iter().flat_map(|record| &record.resources) {
        walk(resource, &mut |map| {
            let (Some(system), Some(code)) = (map.get("system"), map.get("code")) else { return };
            let Some(system) = system.as_str() else { return };
            if let Some(list) = lists.entry(system.to_owned()).or_insert_with(|| allowed(system)) {
                assert!(list.iter().any(|known| known == text(code)), "{system} {code}");
            }
        });
    }
}

#[test]
fn diagnoses_have_the_shape_of_kcd() {
    for condition in records().iter().flat_map(|record| record.of("Condition")) {
        let coding = &condition["code"]["coding"][0];
        if coding["system"] == "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8" {
            let code = text(&coding["code"]).as_bytes();
            let shape = code[0].is_ascii_uppercase()
                && code[1..3].iter().all(u8::is_ascii_digit)
                && (code.len() == 3 || (code.len() == 5 && code[3] == b'.' && code[4].is_ascii_digit()));
            assert!(shape, "{coding}");
            let hanja = text(&coding["display"]).chars().any(|letter| ('一'..='鿿').contains(&letter));
            assert_eq!(
                code[0] == b'U',
                hanja,
                "codes of Korean medicine, and only they, have Hanja: {coding}"
            );
        }
    }
}

#[test]
fn quantities_are_ucum() {
    for resource in records().iter().flat_map(|record| &record.resources) {
        walk(resource, &mut |map| {
            if map.contains_key("unit") {
                assert_eq!(map["system"], "http://unitsofmeasure.org");
                assert!(map["value"].is_number() && map["code"].is_string(), "{map:?}");
            }
        });
    }
}
