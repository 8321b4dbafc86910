//! Somebody who acts for an institution, a patient, and a privacy officer: relations, switches and the broken glass, through
//! the door.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ieum_fhir::json::{Document, Limits};
use ieum_store::catalogue::Catalogue;
use ieum_store::commit::{Change, CommitError, Expect};
use ieum_store::memory::MemoryEngine;
use ieum_trust::access::{Access, Role};
use ieum_trust::account::ACCOUNT;
use ieum_trust::breaking::{self, BreakError, REVIEW, State};
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;
use ieum_trust::evidence::relation::RELATION;
use ieum_trust::law::Law;
use ieum_trust::sharing::{self, Choice, Switch};

const NOW: i64 = 1_790_000_000_000_000;
const MINUTE: i64 = 60_000_000;
const REASON: &str = "의식이 없는 환자, 복용 약 확인";

struct World {
    door: Door,
    clock: Arc<AtomicI64>,
}

impl World {
    /// Two institutions; a patient who was at `b` long ago and at `a` lately; conditions that each of them wrote down.
    fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(NOW));
        let catalogue = Arc::new(Catalogue::new(&[&ACCOUNT, &RELATION, &REVIEW], Vec::new(), POLICY));
        let now = Arc::clone(&clock);
        let engine = MemoryEngine::new(catalogue, Arc::new(move || now.load(Ordering::SeqCst)));
        let world = Self { door: Door::new(Arc::new(engine), [7; 32]), clock };
        for (kind, id) in [("Organization", "a"), ("Organization", "b"), ("Patient", "p"), ("Patient", "q")] {
            world.put(&format!(r#"{{"resourceType":"{kind}","id":"{id}"}}"#));
        }
        for (id, year, institution) in [("ea", "2026-09", "a"), ("eb", "2019-09", "b")] {
            world.put(&format!(
                r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","subject":{{"reference":"Patient/p"}},
                    "period":{{"start":"{year}-01","end":"{year}-02"}},
                    "serviceProvider":{{"reference":"Organization/{institution}"}}}}"#
            ));
        }
        let labelled = |system: &str, code: &str| {
            let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
            format!(r#""meta":{{"security":[{{"system":"{system}","code":"{code}"}}]}},"#)
        };
        for (id, encounter, label) in [
            ("ca", "ea", String::new()),
            ("cb", "eb", String::new()),
            ("psy", "eb", labelled("v3-ActCode", "PSY")),
            ("sealed", "ea", labelled("v3-Confidentiality", "V")),
        ] {
            world.put(&format!(
                r#"{{"resourceType":"Condition","id":"{id}",{label}"subject":{{"reference":"Patient/p"}},
                    "encounter":{{"reference":"Encounter/{encounter}"}}}}"#
            ));
        }
        world
    }

    fn put(&self, json: &str) {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let text = |name: &str| document.root().get(name).unwrap().text().unwrap().into_owned();
        let catalogue = self.door.catalogue();
        let kind = catalogue.kind(&text("resourceType")).unwrap();
        let record = Box::new(catalogue.prepare(kind, &text("id"), document.root(), &mut |_| None));
        let change = Change::Put { record, expect: Expect::Anything };
        self.door.commit(&Access::system("test"), "test", Vec::new(), vec![change]).unwrap();
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn wait(&self, minutes: i64) {
        self.clock.fetch_add(minutes * MINUTE, Ordering::SeqCst);
    }

    /// The conditions that somebody reaches.
    fn sees(&self, access: &Access) -> Vec<&'static str> {
        let view = self.door.view(access).unwrap();
        let all = ["ca", "cb", "psy", "sealed"].into_iter();
        all.filter(|id| view.read("Condition", id).unwrap().is_some()).collect()
    }

    fn is_audited(&self, actor: &str, action: &str, allowed: bool) -> bool {
        let entries = self.door.view(&Access::system("test")).unwrap().audit_entries(None, 100).unwrap();
        entries.into_iter().map(|stored| stored.entry).any(|entry| {
            (entry.actor.as_str(), entry.action.as_str(), entry.allowed) == (actor, action, allowed)
        })
    }
}

fn acting(actor: &str, role: Role, organization: &str) -> Access {
    Access { organization: Some(organization.to_owned()), ..Access::new(actor, role) }
}

fn patient(id: &str) -> Access {
    Access { patient: Some(id.to_owned()), ..Access::new("patient", Role::Patient) }
}

// threat: 7
#[test]
fn switches_open_and_close_at_once() {
    let world = World::new();
    let (doctor, own) = (acting("doctor", Role::Clinician, "a"), patient("p"));
    assert_eq!(world.sees(&doctor), ["ca"]);
    let set = |institution, choice: Option<Choice>| {
        world.wait(1);
        sharing::set(&world.door, &own, institution, choice.as_ref(), world.now()).unwrap();
    };
    let everything = Choice::Permit { without: Vec::new() };
    set(None, Some(everything.clone()));
    assert_eq!(world.sees(&doctor), ["ca", "cb", "psy"]);
    let but_psychiatry = Choice::Permit { without: vec!["PSY".into()] };
    set(None, Some(but_psychiatry.clone()));
    assert_eq!(world.sees(&doctor), ["ca", "cb"]);
    set(Some("a"), Some(Choice::Deny));
    assert_eq!(world.sees(&doctor), ["ca"], "what the institution made itself stays open to it");
    set(Some("a"), Some(everything.clone()));
    assert_eq!(world.sees(&doctor), ["ca", "cb"], "what is left out for everybody is left out here too");
    let switches = sharing::consents(&world.door.view(&own).unwrap(), "p", 100).unwrap().0;
    let expected = [
        Switch { institution: None, choice: but_psychiatry },
        Switch { institution: Some("a".into()), choice: everything },
    ];
    assert_eq!(switches, expected);
    set(Some("a"), None);
    set(None, None);
    assert_eq!(world.sees(&doctor), ["ca"]);
    assert!(sharing::consents(&world.door.view(&own).unwrap(), "p", 100).unwrap().0.is_empty());
    assert!(world.sees(&acting("other", Role::Clinician, "b")).is_empty(), "no relation any more");
}

#[test]
fn nobody_sets_switches_for_somebody_else() {
    let world = World::new();
    let choice = Choice::Permit { without: Vec::new() };
    for access in [
        acting("doctor", Role::Clinician, "a"),
        Access::new("operator", Role::Operator),
        acting("privacy", Role::Privacy, "a"),
        Access::new("nobody", Role::Patient),
    ] {
        let set = sharing::set(&world.door, &access, None, Some(&choice), NOW);
        assert!(matches!(set, Err(CommitError::Denied)), "{access:?}");
    }
    sharing::set(&world.door, &patient("q"), None, Some(&choice), NOW).unwrap();
    assert_eq!(world.sees(&acting("doctor", Role::Clinician, "a")), ["ca"]);
}

// threat: 8
#[test]
fn the_broken_glass_opens_to_one_person_for_a_time() {
    let world = World::new();
    let doctor = acting("doctor", Role::Clinician, "b");
    assert!(world.sees(&doctor).is_empty());
    let id = breaking::break_glass(&world.door, &Law::built_in(), &doctor, ("p", REASON, 30), NOW).unwrap();
    assert_eq!(world.sees(&doctor), ["ca", "cb", "psy"], "and what is sealed stays sealed");
    assert!(world.sees(&acting("colleague", Role::Clinician, "b")).is_empty());
    assert!(world.is_audited("doctor", "break-glass", true));

    // The patient is told at once, and the privacy officer of that institution alone reviews.
    let told = breaking::told_to(&world.door, &patient("p"), 10).unwrap();
    assert_eq!((told.len(), told[0].1.reason.as_str(), told[0].1.person.as_str()), (1, REASON, "doctor"));
    assert!(breaking::told_to(&world.door, &patient("q"), 10).unwrap().is_empty());
    let (officer, foreign) = (acting("officer", Role::Privacy, "b"), acting("officer", Role::Privacy, "a"));
    assert_eq!(breaking::reviews(&world.door, &officer, 10).unwrap().len(), 1);
    assert!(breaking::reviews(&world.door, &foreign, 10).unwrap().is_empty());
    assert!(!breaking::decide(&world.door, &foreign, (&id, true, ""), NOW).unwrap());
    let by_doctor = breaking::decide(&world.door, &doctor, (&id, true, ""), NOW);
    assert!(matches!(by_doctor, Err(CommitError::Denied)), "nobody reviews as a clinician");
    assert!(breaking::decide(&world.door, &officer, (&id, false, "  기록에 근거 없음 "), NOW + 1).unwrap());
    assert!(!breaking::decide(&world.door, &officer, (&id, true, ""), NOW + 2).unwrap(), "decided once");
    let told = breaking::told_to(&world.door, &patient("p"), 10).unwrap();
    assert_eq!((told[0].1.state, told[0].1.note.as_deref()), (State::Unjustified, Some("기록에 근거 없음")));

    world.wait(30);
    assert!(world.sees(&doctor).is_empty(), "it ends by its time");
}

// threat: 8
#[test]
fn the_glass_is_not_broken_without_reason_or_right() {
    let world = World::new();
    let doctor = acting("doctor", Role::Clinician, "b");
    let long = "가".repeat(breaking::MOST_REASON + 1);
    let attempt = |access: &Access, patient, reason, minutes| {
        breaking::break_glass(&world.door, &Law::built_in(), access, (patient, reason, minutes), NOW)
    };
    assert!(matches!(attempt(&doctor, "p", "응급         ", 60), Err(BreakError::Reason)));
    assert!(matches!(attempt(&doctor, "p", &long, 60), Err(BreakError::Reason)));
    assert!(matches!(attempt(&doctor, "p", REASON, 0), Err(BreakError::Time(1_440))));
    assert!(matches!(attempt(&doctor, "p", REASON, 24 * 60 + 1), Err(BreakError::Time(1_440))));
    assert!(matches!(attempt(&doctor, "nobody", REASON, 60), Err(BreakError::Patient)));
    for access in [
        Access::new("doctor without institution", Role::Clinician),
        acting("emr", Role::Service, "b"),
        acting("manager", Role::Manager, "b"),
        acting("officer", Role::Privacy, "b"),
        patient("p"),
        Access::new("operator", Role::Operator),
        Access::open(),
    ] {
        assert!(matches!(attempt(&access, "p", REASON, 60), Err(BreakError::Role)), "{access:?}");
        assert!(world.is_audited(&access.actor, "break-glass", false), "{access:?}");
    }
    assert!(world.sees(&doctor).is_empty());
}
