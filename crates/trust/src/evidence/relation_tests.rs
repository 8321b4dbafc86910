use ieum_fhir::json::{Document, Limits};

use super::*;

/// From, until, and how far: what a record proves, in texts of dates.
type Proved = Vec<(&'static str, &'static str, RelationReach)>;

const FOREVER: &str = "";

fn relations(json: &str) -> Vec<Relation> {
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let kind = text(document.root(), "resourceType").unwrap();
    of(&kind, document.root(), Refer { bases: &[] })
}

fn instant(text: &str) -> i64 {
    if text == FOREVER { i64::MAX } else { date::parse(text).unwrap().lo }
}

/// Whether a record proves these relations of patient `p` to an institution, `None` for the one that made it; what reaches
/// everything is always of that one.
fn proves(json: &str, institution: Option<&str>, proved: Proved) {
    let expected: Vec<Relation> = proved
        .into_iter()
        .map(|(from, until, reach)| Relation {
            patient: "p".into(),
            institution: institution.filter(|_| reach == Consented).map(Into::into),
            person: None,
            reach,
            from: instant(from),
            until: instant(until),
        })
        .collect();
    assert_eq!(relations(json), expected, "{json}");
}

use RelationReach::{All, Consented};

fn encounter(status: &str, class: &str, period: &str) -> String {
    format!(
        r#"{{"resourceType":"Encounter","status":"{status}","class":{{"code":"{class}"}},"subject":{{"reference":"Patient/p"}},
            "serviceProvider":{{"reference":"Organization/o"}},"period":{{{period}}}}}"#
    )
}

const START: &str = r#""start":"2026-03-01T09:00:00+09:00""#;
const BEGAN: &str = "2026-03-01T09:00:00+09:00";

#[test]
fn a_visit_opens_while_it_lasts_and_ninety_days_longer() {
    let both = format!(r#"{START},"end":"2026-03-03""#);
    for status in ["arrived", "triaged", "in-progress", "onleave"] {
        proves(&encounter(status, "AMB", START), Some("o"), vec![(BEGAN, FOREVER, Consented)]);
        // The day of the end is included.
        let until = "2026-06-02T00:00:00+09:00";
        proves(&encounter(status, "AMB", &both), Some("o"), vec![(BEGAN, until, Consented)]);
    }
    proves(&encounter("finished", "AMB", &both), Some("o"), vec![(BEGAN, "2026-06-02", Consented)]);
    // Nobody wrote when it ended: ninety days from its beginning.
    let until = "2026-05-30T09:00:00+09:00";
    proves(&encounter("finished", "AMB", START), Some("o"), vec![(BEGAN, until, Consented)]);
}

#[test]
fn an_open_emergency_opens_everything_and_a_closed_one_does_not() {
    for status in ["arrived", "triaged", "in-progress", "onleave"] {
        // Nobody wrote when it ended: three days, and no more.
        let proved = vec![(BEGAN, FOREVER, Consented), (BEGAN, "2026-03-04T09:00:00+09:00", All)];
        proves(&encounter(status, "EMER", START), Some("o"), proved);
        let both = format!(r#"{START},"end":"2026-03-01T20:00:00+09:00""#);
        let after = "2026-05-30T20:00:01+09:00";
        let proved = vec![(BEGAN, after, Consented), (BEGAN, "2026-03-01T20:00:01+09:00", All)];
        proves(&encounter(status, "EMER", &both), Some("o"), proved);
    }
    let until = "2026-05-30T09:00:00+09:00";
    proves(&encounter("finished", "EMER", START), Some("o"), vec![(BEGAN, until, Consented)]);
    // A code of another system is another word.
    let local = encounter("in-progress", "EMER", START)
        .replace(r#"{"code":"EMER"}"#, r#"{"system":"urn:local","code":"EMER"}"#);
    proves(&local, Some("o"), vec![(BEGAN, FOREVER, Consented)]);
}

#[test]
fn a_proposal_asks_nobody() {
    let json = ADDRESSED[0].json.replace("STATUS", "active");
    for intent in ["proposal", "plan", "option", "directive", ""] {
        proves(&json.replace(r#""intent":"order""#, &format!(r#""intent":"{intent}""#)), None, vec![]);
    }
    for intent in ["original-order", "reflex-order", "filler-order", "instance-order"] {
        let json = json.replace(r#""intent":"order""#, &format!(r#""intent":"{intent}""#));
        assert_eq!(relations(&json).len(), 1, "{intent}");
    }
}

#[test]
fn a_visit_proves_nothing_that_is_not_there_or_says_too_little() {
    for status in ["planned", "cancelled", "entered-in-error", "unknown", ""] {
        proves(&encounter(status, "EMER", START), None, vec![]);
    }
    for period in ["", r#""end":"2026-03-03""#, r#""start":"soon""#] {
        proves(&encounter("in-progress", "EMER", period), None, vec![]);
    }
    let whole = encounter("in-progress", "AMB", START);
    for (part, instead) in [
        (r#""subject":{"reference":"Patient/p"},"#, ""),
        (r#""Patient/p""#, r#""Group/p""#),
        (r#""Patient/p""#, r##""#p""##),
        (r#""Patient/p""#, r#""https://elsewhere.example/Patient/p""#),
        (r#""status":"#, r#""modifierExtension":[{}],"status":"#),
        (r#""status":"#, r#""implicitRules":"https://example.org","status":"#),
    ] {
        assert!(whole.contains(part), "{part}");
        proves(&whole.replace(part, instead), None, vec![]);
    }
    // Without a provider it is the visit of whoever wrote it.
    let unnamed = whole.replace(r#""serviceProvider":{"reference":"Organization/o"},"#, "");
    assert_ne!(unnamed, whole);
    proves(&unnamed, None, vec![(BEGAN, FOREVER, Consented)]);
}

#[test]
fn an_appointment_opens_a_week_before_and_after() {
    let appointment = |status: &str, others: &str| {
        format!(
            r#"{{"resourceType":"Appointment","status":"{status}"{others},"participant":[
                {{"actor":{{"reference":"Practitioner/d"}},"status":"accepted"}},{{"actor":{{"reference":"Patient/p"}},"status":"accepted"}}]}}"#
        )
    };
    let start = r#","start":"2026-03-10T09:00:00+09:00","end":"2026-03-10T10:00:00+09:00""#;
    let week = ("2026-03-03T09:00:00+09:00", "2026-03-17T09:00:01+09:00", Consented);
    for status in ["booked", "arrived", "checked-in", "fulfilled"] {
        proves(&appointment(status, start), None, vec![week]);
    }
    for status in ["proposed", "pending", "cancelled", "noshow", "entered-in-error", "waitlist", ""] {
        proves(&appointment(status, start), None, vec![]);
    }
    proves(&appointment("booked", ""), None, vec![]);
    let kept = appointment("booked", start);
    proves(&kept.replace(r#""accepted"}]"#, r#""declined"}]"#), None, vec![]);
    let both = kept.replace("Practitioner/d", "Patient/q");
    let patients: Vec<String> = relations(&both).into_iter().map(|relation| relation.patient).collect();
    assert_eq!(patients, ["q", "p"]);
}

/// A record that is addressed to institutions, with the statuses in which it opens and in which it does not.
struct Addressed {
    json: &'static str,
    open: &'static [&'static str],
    closed: &'static [&'static str],
    /// Until when it opens, written on 1 March 2026.
    until: &'static str,
}

const ADDRESSED: [Addressed; 3] = [
    Addressed {
        json: r#"{"resourceType":"ServiceRequest","status":"STATUS","intent":"order","subject":{"reference":"Patient/p"},
                 "performer":[{"reference":"Practitioner/d"},{"reference":"Organization/o"}],"authoredOn":"2026-03-01"}"#,
        open: &["active"],
        closed: &["draft", "on-hold", "revoked", "completed", "entered-in-error", "unknown", ""],
        until: "2026-05-30",
    },
    Addressed {
        json: r#"{"resourceType":"Task","status":"STATUS","for":{"reference":"Patient/p"},
                 "owner":{"reference":"Organization/o"},"authoredOn":"2026-03-01"}"#,
        open: &["requested", "received", "accepted", "in-progress", "on-hold"],
        closed: &["draft", "rejected", "ready", "cancelled", "failed", "completed", "entered-in-error", ""],
        until: "2026-05-30",
    },
    Addressed {
        json: r#"{"resourceType":"MedicationRequest","status":"STATUS","subject":{"reference":"Patient/p"},
                 "dispenseRequest":{"performer":{"reference":"Organization/o"}},"authoredOn":"2026-03-01"}"#,
        open: &["active"],
        closed: &["on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown", ""],
        until: "2026-03-04",
    },
];

#[test]
fn what_is_addressed_to_an_institution_opens_to_it() {
    for Addressed { json, open, closed, until } in ADDRESSED {
        for status in open {
            proves(&json.replace("STATUS", status), Some("o"), vec![("2026-03-01", until, Consented)]);
        }
        for status in closed {
            proves(&json.replace("STATUS", status), None, vec![]);
        }
        let json = json.replace("STATUS", open[0]);
        for (part, instead) in [
            ("Patient/p", "Group/p"),
            ("Organization/o", "Practitioner/o"),
            ("Organization/o", "https://elsewhere.example/Organization/o"),
            (r#","authoredOn":"2026-03-01""#, ""),
            (r#""2026-03-01""#, r#""in March""#),
            (r#""status":"#, r#""doNotPerform":true,"status":"#),
            (r#""status":"#, r#""modifierExtension":[{}],"status":"#),
        ] {
            assert!(json.contains(part), "{part}");
            proves(&json.replace(part, instead), None, vec![]);
        }
        let not_negated = json.replace(r#""status":"#, r#""doNotPerform":false,"status":"#);
        assert_eq!(relations(&not_negated).len(), 1);
        // A whole year is no longer time than a day: it is counted from its beginning.
        let vague = relations(&json.replace("2026-03-01", "2026")).remove(0);
        assert_eq!(vague.until - vague.from, instant(until) - instant("2026-03-01"));
    }
}

#[test]
fn a_relation_of_our_own_says_itself_how_far_and_how_long() {
    let own = |basis: &str| {
        format!(
            r#"{{"resourceType":"IeumRelation","patientReference":"Patient/p","organizationReference":"Organization/o",
                "person":"dr","basis":"{basis}","madeBy":"dr","from":"2026-03-01T09:00:00+09:00","until":"2026-03-01T10:00:00+09:00"}}"#
        )
    };
    for (basis, reach) in [("presence", Consented), ("grant", Consented), ("break-glass", All)] {
        let [relation] = &relations(&own(basis))[..] else { panic!("{basis}") };
        assert_eq!((relation.reach, relation.person.as_deref()), (reach, Some("dr")), "{basis}");
        assert_eq!((relation.patient.as_str(), relation.institution.as_deref()), ("p", Some("o")));
        assert_eq!((relation.from, relation.until), (instant(BEGAN), instant("2026-03-01T10:00:00+09:00")));
    }
    let everybody = own("presence").replace(r#""person":"dr","#, "");
    assert_eq!(relations(&everybody)[0].person, None);
    let whole = own("break-glass");
    for (part, instead) in [
        ("break-glass", "curiosity"),
        ("Patient/p", "Group/p"),
        ("Organization/o", "Practitioner/o"),
        (r#""from":"2026-03-01T09:00:00+09:00","#, ""),
        (r#","until":"2026-03-01T10:00:00+09:00""#, ""),
        (r#""2026-03-01T10:00:00+09:00""#, r#""later""#),
    ] {
        assert!(whole.contains(part), "{part}");
        assert_eq!(relations(&whole.replace(part, instead)), [], "{instead}");
    }
}

#[test]
fn other_records_prove_nothing() {
    for kind in ["Observation", "Consent", "CarePlan", "EpisodeOfCare", "Communication"] {
        let json = encounter("in-progress", "EMER", START).replace(r#""Encounter""#, &format!(r#""{kind}""#));
        proves(&json, None, vec![]);
    }
}
