//! Values, charts, cuts and documents: what is shown is what was recorded.

use serde_json::{Value, json};

use crate::truth::{about, page, portal};

fn measured(id: &str, day: &str, more: &Value) -> Value {
    let mut resource = about(
        "Observation",
        id,
        &json!({"status": "final", "effectiveDateTime": day,
        "code": {"text": "크레아티닌", "coding": [{"system": "http://loinc.org", "code": "2160-0"}]}}),
    );
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

#[test]
fn values_are_shown_as_they_were_recorded() {
    let quantity = |sign: &str, value: f64| {
        json!({"valueQuantity": {"comparator": sign, "value": value, "unit": "mg/dL"},
            "referenceRange": [{"low": {"value": 0}, "high": {"value": 9}}]})
    };
    let (portal, visitor) = portal(&[
        measured("o1", "2026-01-01", &quantity("<", 10.0)),
        measured("o2", "2026-01-02", &json!({"valueBoolean": true})),
        measured(
            "o3",
            "2026-01-03",
            &json!({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}),
        ),
        measured("o4", "2026-01-04", &json!({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}})),
        measured("o5", "2026-01-05", &json!({"valueQuantity": {"value": 0.9, "unit": "mg/dL"}})),
        measured("o6", "2026-01-06", &json!({"valueQuantity": {"value": 80, "unit": "umol/L"}})),
    ]);
    let shown = page(&portal, &visitor, "/results/2160-0");
    for words in [
        "&lt; 10.0 mg/dL",
        "예",
        "1:128",
        "결과 없음 (시행하지 않음)",
        "단위가 다른 1건은 그래프에 없습니다",
        "4건은 그래프에 없습니다",
    ] {
        assert!(shown.contains(words), "{words}");
    }
    assert!(!shown.contains("▲ 높음"), "what is below ten may be in range");
}

#[test]
fn charts_and_lists_judge_alike() {
    let of = |id: &str, day: &str, low: f64, high: f64| {
        measured(
            id,
            day,
            &json!({"valueQuantity": {"value": 1.3, "unit": "mg/dL"},
            "referenceRange": [{"low": {"value": low}, "high": {"value": high}}]}),
        )
    };
    let (portal, visitor) = portal(&[of("o1", "2026-01-01", 0.5, 1.2), of("o2", "2026-02-01", 0.7, 1.4)]);
    let shown = page(&portal, &visitor, "/results/2160-0");
    assert!(shown.contains("벗어난 값 1회") && shown.contains("참고범위가 검사마다 달라"));
    // Two charts, of which one is seen, each with its table; and the list.
    assert_eq!(shown.matches("▲ 높음").count(), 3);
}

fn vital(id: &str, code: &str, value: f64, unit: &str, at: &str) -> Value {
    about(
        "Observation",
        id,
        &json!({"status": "final", "effectiveDateTime": at, "encounter": {"reference": "Encounter/e1"},
        "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": unit}}),
    )
}

#[test]
fn vital_signs_of_grown_ups_are_marked_and_long_stays_summed_up() {
    let mut records = vec![
        about(
            "Encounter",
            "e1",
            &json!({"status": "finished", "class": {"code": "IMP"},
            "period": {"start": "2026-09-01", "end": "2026-09-20"}}),
        ),
        vital("s1", "2708-6", 93.0, "%", "2026-09-01T09:00:00+09:00"),
        vital("h1", "9279-1", 25.0, "/min", "2026-09-01T09:00:00+09:00"),
    ];
    records.extend((0..40).map(|hour| {
        let at = format!("2026-09-{:02}T{:02}:10:00+09:00", 1 + hour / 2, 6 + hour % 2 * 12);
        vital(&format!("t{hour}"), "8310-5", 36.5 + f64::from(hour % 5) * 0.5, "Cel", &at)
    }));
    let (portal, visitor) = portal(&records);
    let vitals = page(&portal, &visitor, "/vitals");
    assert!(vitals.contains("▼ 낮음") && vitals.contains("▲ 높음") && vitals.contains("만 18세 이상"));
    assert!(!vitals.contains("정상 범위"), "no mark is no praise");
    assert!(page(&portal, &visitor, "").contains("▼ 낮음"));
    let visits = page(&portal, &visitor, "/visits");
    assert!(
        visits.contains("40회: 최근")
            && visits.contains("36.5–38.5")
            && visits.contains("통상 범위를 벗어남")
    );
    assert!(
        visits.contains("(2026.9.20. 18:10)") || visits.contains("(2026.9.20. 오후 6:10)"),
        "with its time"
    );
    assert!(visits.matches("℃").count() < 5, "not one after another");
}

#[test]
fn a_summary_says_what_it_did_not_read() {
    let mut records: Vec<Value> = (0..301)
        .flat_map(|number| {
            let day = format!("20{:02}-01-01", 1 + number % 26);
            [
                about(
                    "Condition",
                    &format!("c{number}"),
                    &json!({"code": {"text": "병"}, "recordedDate": day}),
                ),
                about(
                    "MedicationRequest",
                    &format!("m{number}"),
                    &json!({"status": "completed", "intent": "order",
                    "authoredOn": day, "medicationCodeableConcept": {"text": "약"}}),
                ),
                about(
                    "DiagnosticReport",
                    &format!("r{number}"),
                    &json!({"status": "final", "code": {"text": "영상"},
                    "effectiveDateTime": day, "conclusion": "없음"}),
                ),
            ]
        })
        .collect();
    records.extend((0..601).map(|number| {
        measured(
            &format!("o{number}"),
            &format!("20{:02}-01-01", 1 + number % 26),
            &json!({"valueString": "1"}),
        )
    }));
    let (portal, visitor) = portal(&records);
    let summary = page(&portal, &visitor, "");
    for words in [
        "진단 최근 300건까지만",
        "처방 최근 300건까지만",
        "검사·활력징후 최근 600건까지만",
        "더 오래된 처방은 보지 않았습니다",
    ] {
        assert!(summary.contains(words), "{words}");
    }
    assert!(page(&portal, &visitor, "/results").contains("판독 최근 300건까지만"));
    assert!(page(&portal, &visitor, "/documents").contains("판독 최근 300건까지만"));
}

#[test]
fn documents_are_read_in_their_own_letters() {
    let document = |id: &str, charset: &str| {
        about(
            "DocumentReference",
            id,
            &json!({"status": "current", "content": [{"attachment":
            {"contentType": format!("text/plain; charset={charset}"), "data": "vNKw3yDBpLvz"}}]}),
        )
    };
    let (portal, visitor) = portal(&[document("d1", "euc-kr"), document("d2", "utf-8")]);
    assert!(page(&portal, &visitor, "/documents/d1").contains("소견 정상"));
    let broken = page(&portal, &visitor, "/documents/d2");
    assert!(broken.contains("화면에서 열 수 없습니다") && !broken.contains('\u{FFFD}'));
}
