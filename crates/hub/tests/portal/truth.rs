//! What pages show of a record is true, and what they leave out is said.

use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Portal, Visitor};

pub(crate) fn about(kind: &str, id: &str, more: &Value) -> Value {
    let mut resource = json!({"resourceType": kind, "id": id, "subject": {"reference": "Patient/p1"},
        "patient": {"reference": "Patient/p1"}});
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

/// A portal with one grown-up, and a clinician.
pub(crate) fn portal(records: &[Value]) -> (Portal, Visitor) {
    let portal = Portal::with_accounts();
    portal.put(&[json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}], "birthDate": "1980-02-03"})]);
    portal.put(records);
    let visitor = portal.sign_in(&portal.account(Role::Clinician, None));
    (portal, visitor)
}

pub(crate) fn page(portal: &Portal, visitor: &Visitor, part: &str) -> String {
    portal.get(visitor, &format!("/patients/p1{part}")).expect(200).body
}

fn allergy(id: &str, name: &str, status: &str, more: &Value) -> Value {
    let mut resource =
        about("AllergyIntolerance", id, &json!({"code": {"text": name}, "criticality": "high"}));
    if !status.is_empty() {
        resource["clinicalStatus"] = json!({"coding": [{"code": status}]});
    }
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

#[test]
fn allergies_that_hold_are_not_crowded_out() {
    let mut records: Vec<Value> = (0..350)
        .map(|number| allergy(&format!("r{number}"), "나은알레르기", "resolved", &json!({})))
        .collect();
    records.push(allergy("a1", "페니실린", "active", &json!({})));
    records.push(allergy("a2", "상태없는알레르기", "", &json!({})));
    records.push(allergy(
        "a3",
        "거짓알레르기",
        "active",
        &json!({"verificationStatus": {"coding": [{"code": "refuted"}]}}),
    ));
    records.push(allergy(
        "a4",
        "물어본알레르기",
        "active",
        &json!({"verificationStatus": {"coding": [{"code": "unconfirmed"}]}}),
    ));
    let flags = (0..60).map(|number| {
        about("Flag", &format!("f{number}"), &json!({"status": "inactive", "code": {"text": "지난주의"}}))
    });
    records.extend(flags);
    records.push(about("Flag", "now", &json!({"status": "active", "code": {"text": "낙상주의"}})));
    let (portal, visitor) = portal(&records);
    for part in ["", "/vitals"] {
        let page = page(&portal, &visitor, part);
        for shown in ["페니실린", "상태없는알레르기", "물어본알레르기", "낙상주의"] {
            assert!(page.contains(shown), "{part}: {shown}");
        }
        for hidden in ["나은알레르기", "거짓알레르기", "지난주의", "기록된 것이 없습니다"]
        {
            assert!(!page.contains(hidden), "{part}: {hidden}");
        }
        // An allergy is no error.
        assert!(page.contains("중요: </span>알레르기") && !page.contains("오류: "), "{part}");
    }
}

#[test]
fn too_many_allergies_are_said() {
    let records: Vec<Value> =
        (0..310).map(|number| allergy(&format!("a{number}"), "알레르기", "active", &json!({}))).collect();
    let (portal, visitor) = portal(&records);
    for part in ["", "/results"] {
        assert!(page(&portal, &visitor, part).contains("여기에 없는 알레르기가 더 있습니다"), "{part}");
    }
}

#[test]
fn no_known_allergy_is_a_sentence_and_no_alert() {
    let none = json!({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}]}});
    let (portal, visitor) = portal(&[allergy("n1", "", "active", &none)]);
    let shown = page(&portal, &visitor, "");
    assert!(shown.contains("알려진 알레르기 없음") && !shown.contains("i-message--danger"));
    assert!(!shown.contains("알레르기: 기록된 것이 없습니다"));
    portal.put(&[allergy("a1", "땅콩", "active", &json!({}))]);
    let both = page(&portal, &visitor, "");
    assert!(
        both.contains("땅콩") && both.contains("i-message--danger") && both.contains("어긋날 수 있습니다")
    );
}

#[test]
fn only_what_is_ordered_and_goes_on_is_taken() {
    let order = |id: &str, name: &str, more: &Value| {
        let mut resource = about(
            "MedicationRequest",
            id,
            &json!({"status": "active", "intent": "order",
            "authoredOn": "2026-11-01", "medicationCodeableConcept": {"text": name}}),
        );
        for (name, value) in more.as_object().unwrap() {
            resource[name] = value.clone();
        }
        resource
    };
    let (portal, visitor) = portal(&[
        order("m1", "먹는약", &json!({})),
        order("m2", "멈춘약", &json!({"status": "on-hold"})),
        order("m3", "제안된약", &json!({"intent": "proposal"})),
        order("m4", "금지된약", &json!({"doNotPerform": true})),
        order("m5", "초안약", &json!({"status": "draft"})),
        order("m6", "오류약", &json!({"status": "entered-in-error"})),
    ]);
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let pages = [page(&portal, &visitor, "/medicines"), portal.get(&own, "/me/medicines").expect(200).body];
    for page in pages {
        let current = page.split("복용 중인 약").nth(1).unwrap().split("</table>").next().unwrap();
        assert!(current.contains("먹는약"), "{current}");
        for other in ["멈춘약", "제안된약", "금지된약", "초안약", "오류약"] {
            assert!(!current.contains(other), "{other}");
        }
        for mark in ["보류", "제안, 처방 아님", "쓰지 않을 것"] {
            assert!(page.contains(&format!(">{mark}</span>")), "{mark}");
        }
        assert!(page.contains("작성 중인 기록 2건은 보이지 않습니다"));
    }
    let summary = page(&portal, &visitor, "");
    assert!(summary.contains("먹는약") && !summary.contains("제안된약") && !summary.contains("오류약"));
    for (name, mark) in [("멈춘약", "보류"), ("금지된약", "쓰지 않을 것")] {
        let after = summary.split(name).nth(1).unwrap_or_else(|| panic!("{name}"));
        assert!(after[..120].contains(mark), "{name}: {}", &after[..120]);
    }
    let visits = page(&portal, &visitor, "/visits?kind=medicine");
    assert!(visits.contains("제안, 처방 아님") && !visits.contains("초안약"));
}

#[test]
fn withdrawn_records_are_left_out_and_counted_and_doubtful_ones_marked() {
    let visit = json!({"reference": "Encounter/e1"});
    let of = |kind: &str, id: &str, name: &str, status: &str, more: &Value| {
        let mut resource = about(
            kind,
            id,
            &json!({"status": status, "code": {"text": name}, "encounter": visit,
            "performedDateTime": "2026-09-01", "effectiveDateTime": "2026-09-01", "recordedDate": "2026-09-01"}),
        );
        for (name, value) in more.as_object().unwrap() {
            resource[name] = value.clone();
        }
        resource
    };
    let verified = |code: &str| json!({"verificationStatus": {"coding": [{"code": code}]}, "clinicalStatus": {"coding": [{"code": "active"}]}});
    let said = |words: &str| json!({"conclusion": words});
    let typed = |name: &str| json!({"type": {"text": name}, "context": {"encounter": [visit]}, "date": "2026-09-01T00:00:00Z"});
    let (portal, visitor) = portal(&[
        about(
            "Encounter",
            "e1",
            &json!({"status": "finished", "class": {"code": "AMB"}, "period": {"start": "2026-09-01"}}),
        ),
        about(
            "Encounter",
            "e2",
            &json!({"status": "cancelled", "class": {"code": "IMP"}, "period": {"start": "2026-09-02"}}),
        ),
        about(
            "Encounter",
            "e3",
            &json!({"status": "entered-in-error", "class": {"code": "EMER"}, "period": {"start": "2026-09-03"}}),
        ),
        of("Procedure", "s1", "하지않은수술", "not-done", &json!({})),
        of("Procedure", "s2", "잘못입력한수술", "entered-in-error", &json!({})),
        of("DiagnosticReport", "r1", "잘못된판독", "entered-in-error", &said("악성종양")),
        of("DiagnosticReport", "r2", "취소된판독", "cancelled", &said("취소된결론")),
        of("DiagnosticReport", "r3", "먼저나온판독", "preliminary", &said("먼저나온결론")),
        of(
            "ImagingStudy",
            "i1",
            "",
            "entered-in-error",
            &json!({"description": "잘못된영상", "started": "2026-09-01"}),
        ),
        of("DocumentReference", "d1", "", "entered-in-error", &typed("잘못된문서")),
        of("DocumentReference", "d2", "", "superseded", &typed("옛문서")),
        of("Condition", "c1", "배제된진단", "", &verified("refuted")),
        of("Condition", "c2", "감별할진단", "", &verified("differential")),
        of("Observation", "o1", "잘못된검사", "entered-in-error", &json!({"valueString": "1"})),
        of("Observation", "o2", "먼저나온검사", "preliminary", &json!({"valueString": "2"})),
        of(
            "Immunization",
            "v1",
            "",
            "entered-in-error",
            &json!({"vaccineCode": {"text": "잘못된접종"}, "occurrenceDateTime": "2026-09-01"}),
        ),
    ]);
    let never = ["잘못", "악성종양", "취소된", "배제된진단"];
    for part in [
        "",
        "/visits",
        "/problems",
        "/results",
        "/documents",
        "/immunisations",
        "/visits?kind=problem",
        "/visits?kind=procedure",
        "/visits?kind=result",
        "/visits?kind=document",
        "/visits?kind=image",
        "/visits?kind=immunisation",
    ] {
        let shown = page(&portal, &visitor, part);
        let shown = shown.replace("잘못 입력", "");
        for word in never {
            assert!(!shown.contains(word), "{part}: {word}");
        }
        assert!(shown.contains("보이지 않습니다"), "{part} says that something is left out");
    }
    let visits = page(&portal, &visitor, "/visits");
    for shown in ["하지않은수술", "시행하지 않음", "먼저나온결론", "잠정", "감별 진단", "다른 문서로 대체됨"]
    {
        assert!(visits.contains(shown), "{shown}");
    }
    assert_eq!(
        visits.matches("i-timeline__group").count(),
        1,
        "neither the stay nor the emergency took place"
    );
    for (part, mark) in [
        ("/problems", "시행하지 않음"),
        ("/problems", "감별 진단"),
        ("/results", "잠정"),
        ("/documents", "다른 문서로 대체됨"),
        ("", "감별 진단"),
        ("/visits?kind=procedure", "시행하지 않음"),
    ] {
        assert!(page(&portal, &visitor, part).contains(mark), "{part}: {mark}");
    }
    portal.get(&visitor, "/patients/p1/documents/d1").expect(404);
}

#[test]
fn bookings_are_no_visits() {
    let encounter = |id: &str, status: &str, day: &str| {
        about("Encounter", id, &json!({"status": status, "class": {"code": "AMB"}, "period": {"start": day}}))
    };
    let mut records = vec![
        encounter("b1", "planned", "2027-03-01"),
        encounter("b2", "planned", "2026-02-02"),
        encounter("x1", "finished", "2027-04-04"),
        encounter("v1", "finished", "2026-05-05"),
    ];
    records.extend((0..20).map(|number| encounter(&format!("c{number}"), "cancelled", "2026-10-10")));
    let (portal, visitor) = portal(&records);
    let found = portal.get(&visitor, "/patients?q=%EA%B9%80").expect(200).body;
    assert!(found.contains("2026.5.5.") && !found.contains("2027"));
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let greeting = portal.get(&own, "/me").expect(200).body;
    assert!(
        greeting.contains("가장 최근 진료는 2026년 5월 5일")
            && greeting.contains("다음 예약은 2027년 3월 1일")
    );
    let summary = page(&portal, &visitor, "");
    let booked = summary.split("2027년 3월 1일").nth(1).unwrap();
    assert!(
        booked[..200].contains("예약")
            && summary.contains("2026년 5월 5일")
            && !summary.contains("2027년 4월")
    );
    let visits = page(&portal, &visitor, "/visits");
    assert!(visits.contains("<h2>예약</h2>") && visits.contains("날짜가 지난 예약 1건"));
    assert!(visits.contains("날짜가 앞으로임"), "a finished visit to come is marked");
}
