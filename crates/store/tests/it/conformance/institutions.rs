//! Those who act for an institution: treatment relations, consents, and who made a record.

use std::path::Path;

use ieum_store::access::{AccessPlan, Facts, Policy, Reach};
use ieum_store::catalogue::Catalogue;
use ieum_store::commit::{CommitError, Expect};
use ieum_store::engine::{HistoryRequest, HistoryScope};

use crate::evidence::{EVIDENCE, POLICY, acting_for};
use crate::support::{BASE, Store, everything, only, sqlite_with};

const NOW: i64 = 1_770_000_000_000_000;

/// Two institutions, two patients; records that each institution made, one about both patients, one about nobody.
fn fill(store: &Store) {
    store.clock.set(NOW);
    for json in [
        r#"{"resourceType":"Organization","id":"a","name":"가상의원"}"#,
        r#"{"resourceType":"Organization","id":"b","name":"나상의원"}"#,
        r#"{"resourceType":"Patient","id":"p","name":[{"text":"김가상"}]}"#,
        r#"{"resourceType":"Patient","id":"q","name":[{"text":"이가상"}]}"#,
        r#"{"resourceType":"Encounter","id":"ea","subject":{"reference":"Patient/p"},"serviceProvider":{"reference":"Organization/a"}}"#,
        r#"{"resourceType":"Encounter","id":"eb","subject":{"reference":"Patient/p"},"serviceProvider":{"reference":"Organization/b"},"serviceType":{"coding":[{"code":"0400"}]}}"#,
        r#"{"resourceType":"Observation","id":"oa","subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/ea"}}"#,
        r#"{"resourceType":"Observation","id":"ob","subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/eb"},"effectiveDateTime":"2026-01-10","meta":{"security":[{"system":"s","code":"R"}]}}"#,
        r#"{"resourceType":"Observation","id":"oq","subject":{"reference":"Patient/q"},"encounter":{"reference":"Encounter/ea"}}"#,
        r#"{"resourceType":"Observation","id":"on","subject":{"reference":"Patient/p"}}"#,
        r#"{"resourceType":"Appointment","id":"both","participant":[{"actor":{"reference":"Patient/p"}},{"actor":{"reference":"Patient/q"}}]}"#,
    ] {
        store.put(json);
    }
}

fn relation(store: &Store, id: &str, members: &str) {
    store.put(&format!(r#"{{"resourceType":"TestEvidence","id":"{id}","relations":[{{{members}}}]}}"#));
}

fn rules(store: &Store, id: &str, rules: &[&str]) {
    let rules: Vec<String> = rules.iter().map(|rule| format!(r#"{{"patient":"p",{rule}}}"#)).collect();
    store.put(&format!(r#"{{"resourceType":"TestEvidence","id":"{id}","rules":[{}]}}"#, rules.join(",")));
}

/// Everything clinical that somebody finds.
fn seen(store: &Store, access: &AccessPlan) -> Vec<String> {
    ["Patient", "Encounter", "Observation", "Appointment"]
        .into_iter()
        .flat_map(|kind| store.find(access, kind))
        .collect()
}

on_every_engine! {
    /// Without a relation nothing of a patient is there; with one, what the institution made and the patient; both end.
    fn a_relation_opens_what_the_institution_made(store: &Store) {
        fill(store);
        let dr = acting_for("a", Some("dr"));
        assert!(seen(store, &dr).is_empty());
        assert_eq!(store.find(&dr, "Organization"), ["a", "b"]);
        relation(store, "r", &format!(r#""patient":"p","institution":"a","from":{NOW},"until":{}"#, NOW + 10));
        assert_eq!(seen(store, &dr), ["p", "ea", "oa"]);
        assert!(seen(store, &acting_for("b", Some("dr"))).is_empty());
        store.clock.set(NOW + 10);
        assert!(seen(store, &dr).is_empty(), "over by its time");
        store.clock.set(NOW + 9);
        assert_eq!(seen(store, &dr), ["p", "ea", "oa"]);
        store.delete("TestEvidence", "r");
        assert!(seen(store, &dr).is_empty(), "taken away");
    }

    /// A relation may be one person's alone, or reach the records of all institutions.
    fn a_relation_may_be_of_one_person_or_reach_everything(store: &Store) {
        fill(store);
        relation(store, "r", r#""patient":"p","institution":"a","person":"dr","all":true"#);
        assert_eq!(seen(store, &acting_for("a", Some("dr"))), ["p", "ea", "eb", "oa", "ob", "on"]);
        assert!(seen(store, &acting_for("a", Some("other"))).is_empty());
        let sealed = AccessPlan { denied: 1, ..acting_for("a", Some("dr")) };
        assert_eq!(seen(store, &sealed), ["p", "ea", "eb", "oa", "on"], "but not what is sealed");
        relation(store, "s", r#""patient":"q","institution":"a","person":"dr","all":true"#);
        assert_eq!(store.find(&acting_for("a", Some("dr")), "Appointment"), ["both"], "each of its patients decides");
    }

    /// What the institution made of no patient is its people's too.
    fn records_of_nobody_are_of_who_made_them(store: &Store) {
        fill(store);
        store.put(r#"{"resourceType":"Encounter","id":"e","serviceProvider":{"reference":"Organization/a"},"status":"planned"}"#);
        store.put(r#"{"resourceType":"Observation","id":"o","encounter":{"reference":"Encounter/e"},"status":"final"}"#);
        let dr = acting_for("a", Some("dr"));
        assert_eq!(store.find(&dr, "Encounter?status=planned"), ["e"]);
        assert_eq!(store.find(&dr, "Observation?status=final"), ["o"]);
        assert!(seen(store, &acting_for("b", Some("dr"))).is_empty());
    }

    /// An institution's systems reach what it made, whoever it is about.
    fn systems_reach_what_their_institution_made(store: &Store) {
        fill(store);
        assert_eq!(seen(store, &acting_for("a", None)), ["ea", "oa", "oq"]);
        assert_eq!(seen(store, &acting_for("b", None)), ["eb", "ob"]);
        assert!(seen(store, &acting_for("nobody", None)).is_empty());
    }

    /// Of a record that is about nobody, the institution that made it decides, however the question is asked.
    fn what_is_about_nobody_belongs_to_who_made_it(store: &Store) {
        fill(store);
        for number in 0..40 {
            let provider = if number % 2 == 0 { "a" } else { "b" };
            store.put(&format!(
                r#"{{"resourceType":"Encounter","id":"n{number:02}","serviceProvider":{{"reference":"Organization/{provider}"}}}}"#
            ));
        }
        let (dr, system) = (acting_for("a", Some("dr")), acting_for("a", None));
        let own = |access: &AccessPlan| {
            let mut found = store.find(access, "Encounter");
            found.retain(|id| id.starts_with('n'));
            found.len()
        };
        assert_eq!((own(&dr), own(&system)), (20, 20));
        relation(store, "r", r#""patient":"p","institution":"a""#);
        assert_eq!((own(&dr), own(&system)), (20, 20));
    }

    /// A consent opens what others made, as far as it says, and its withdrawal closes it in the next question.
    fn consents_open_what_others_made(store: &Store) {
        fill(store);
        relation(store, "r", r#""patient":"p","institution":"a""#);
        let dr = acting_for("a", Some("dr"));
        let also = |rule: &[&str]| {
            rules(store, "c", rule);
            let mut found = seen(store, &dr);
            found.retain(|id| !["p", "ea", "oa"].contains(&id.as_str()));
            found
        };
        assert_eq!(also(&[r#""permit":true"#]), ["eb", "ob", "on"]);
        assert!(also(&[]).is_empty(), "withdrawn");
        assert_eq!(also(&[r#""permit":true,"asker":"a""#]), ["eb", "ob", "on"]);
        assert!(also(&[r#""permit":true,"asker":"b""#]).is_empty());
        assert!(also(&[r#""permit":true,"purposes":2"#]).is_empty());
        assert_eq!(also(&[r#""permit":true,"institution":"b""#]), ["eb", "ob"]);
        assert_eq!(also(&[r#""permit":true,"department":"0400""#]), ["eb", "ob"]);
        assert!(also(&[r#""permit":true,"department":"0100""#]).is_empty());
        assert_eq!(also(&[r#""permit":true,"kind":"Encounter""#]), ["eb"]);
        assert_eq!(also(&[r#""permit":true,"labels":1"#]), ["ob"]);
        assert!(also(&[r#""permit":true,"labels":3"#]).is_empty(), "with each of them");
        assert_eq!(also(&[r#""permit":true,"without":1"#]), ["eb", "on"]);
        assert_eq!(also(&[r#""permit":true,"record":"Observation/ob""#]), ["ob"]);
        assert_eq!(also(&[r#""permit":true,"encounter":"eb""#]), ["eb", "ob"]);
        // 2026-01-10 is day 20463.
        assert_eq!(also(&[r#""permit":true,"since":20463,"before":20464"#]), ["ob"]);
        assert!(also(&[r#""permit":true,"since":20464"#]).is_empty());
        assert!(also(&[r#""permit":true,"before":20463"#]).is_empty());
        assert!(also(&[&format!(r#""permit":true,"until":{NOW}"#)]).is_empty());
        assert!(also(&[&format!(r#""permit":true,"from":{}"#, NOW + 1)]).is_empty());
    }

    /// The most specific line decides, then the last, then the one that forbids; and none of them touches what the
    /// institution made itself.
    fn lines_of_consents_have_an_order(store: &Store) {
        fill(store);
        relation(store, "r", r#""patient":"p","institution":"a""#);
        let dr = acting_for("a", Some("dr"));
        let open = |rule: &[&str]| {
            rules(store, "c", rule);
            assert!(seen(store, &dr).contains(&"oa".to_owned()));
            store.find(&dr, "Observation?_id=ob") == ["ob"]
        };
        let (yes, no) = (r#""permit":true,"specificity":1,"made":1"#, r#""specificity":1,"made":1"#);
        assert!(open(&[yes]) && !open(&[no]) && !open(&[yes, no]));
        assert!(open(&[r#""permit":true,"specificity":2,"made":0"#, no]));
        assert!(!open(&[r#""specificity":2,"made":0"#, yes]));
        assert!(open(&[r#""permit":true,"specificity":1,"made":2"#, no]));
        assert!(!open(&[r#""specificity":1,"made":2"#, yes]));
        assert!(open(&[r#""specificity":9,"kind":"Encounter""#, yes]), "a line that does not apply says nothing");
    }

    /// Chains, `_has`, counts and histories say no more than reading does.
    fn what_is_closed_does_not_shine_through(store: &Store) {
        fill(store);
        relation(store, "r", r#""patient":"p","institution":"a""#);
        let dr = acting_for("a", Some("dr"));
        assert_eq!(store.find(&dr, "Observation?encounter.service-provider=Organization/a"), ["oa"]);
        assert!(store.find(&dr, "Observation?encounter.service-provider=Organization/b").is_empty());
        assert_eq!(store.find(&dr, "Organization?_has:Encounter:service-provider:subject=p"), ["a"]);
        assert_eq!(store.find(&everything(), "Organization?_has:Encounter:service-provider:subject=p"), ["a", "b"]);
        assert!(store.read(&dr, "Observation", "ob").is_none());
        let view = store.engine.snapshot().unwrap();
        assert!(view.read_version(&dr, "Observation", "ob", 1).unwrap().is_none());
        let request = HistoryRequest { scope: HistoryScope::System, since: None, at: None, backward: false, after: None, limit: 100 };
        let history = view.history(&dr, &request).unwrap();
        let mut ids: Vec<_> = history.records.iter().map(|record| record.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["a", "b", "ea", "oa", "p"]);
        drop(view);
        let mut about = dr;
        if let Reach::Institution(institution) = &mut about.clinical {
            institution.about = Some(vec!["q".into()]);
        }
        assert!(seen(store, &about).is_empty());
    }

    /// Who writes is who made it; others change nothing of it, and a person writes about known patients alone.
    fn an_institution_writes_for_itself(store: &Store) {
        fill(store);
        let (emr, dr) = (acting_for("a", None), acting_for("a", Some("dr")));
        let write = |access: &AccessPlan, json: &str| {
            let change = store.put_change(json, Expect::Anything);
            store.commit_as(access, Vec::new(), vec![change])
        };
        let new = r#"{"resourceType":"Observation","id":"new","subject":{"reference":"Patient/p"},"status":"final"}"#;
        assert!(matches!(write(&dr, new), Err(CommitError::Denied)), "no relation");
        write(&emr, new).unwrap();
        assert_eq!(store.find(&emr, "Observation?_id=new"), ["new"]);
        assert!(store.find(&acting_for("b", None), "Observation?_id=new").is_empty());
        relation(store, "r", r#""patient":"p","institution":"a","all":true"#);
        let changed = new.replace("final", "amended");
        write(&dr, &changed).unwrap();
        let foreign = r#"{"resourceType":"Observation","id":"ob","subject":{"reference":"Patient/p"},"status":"final"}"#;
        assert_eq!(store.find(&dr, "Observation?_id=ob"), ["ob"]);
        assert!(matches!(write(&dr, foreign), Err(CommitError::Denied)), "another institution made it");
        let delete = Store::delete_change("Observation", "ob");
        assert!(matches!(store.commit_as(&dr, Vec::new(), vec![delete]), Err(CommitError::Denied)));
        let moved = new.replace("Patient/p", "Patient/q");
        assert!(matches!(write(&dr, &moved), Err(CommitError::Denied)), "nor may it become another patient's");
        store.put(&new.replace("final", "corrected"));
        assert_eq!(store.find(&emr, "Observation?_id=new"), ["new"], "the hub's own work leaves it whose it is");
    }

    /// A record of which nobody knows who made it becomes nobody's by an encounter that they write.
    fn nobody_takes_records_by_writing_their_encounter(store: &Store) {
        fill(store);
        store.put(r#"{"resourceType":"Observation","id":"lost","subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/none"}}"#);
        let system = acting_for("a", None);
        let encounter = r#"{"resourceType":"Encounter","id":"none","subject":{"reference":"Patient/q"}}"#;
        store.commit_as(&system, Vec::new(), vec![store.put_change(encounter, Expect::Anything)]).unwrap();
        assert!(!seen(store, &system).contains(&"lost".to_owned()));
        // Nor does one that the hub wrote lose its records when its institution writes it again.
        let own = r#"{"resourceType":"Encounter","id":"ea","subject":{"reference":"Patient/p"},"status":"finished"}"#;
        store.commit_as(&system, Vec::new(), vec![store.put_change(own, Expect::Anything)]).unwrap();
        assert!(seen(store, &system).contains(&"oa".to_owned()));
    }

    /// A patient sees who has a relation, over or not, and by which record; others see it if they reach the patient.
    fn relations_are_told(store: &Store) {
        fill(store);
        relation(store, "r", &format!(r#""patient":"p","institution":"a","person":"dr","from":5,"until":{NOW}"#));
        relation(store, "s", r#""patient":"p","institution":"b","all":true"#);
        relation(store, "t", r#""patient":"q","institution":"b""#);
        let told = |access: &AccessPlan| {
            let proofs = store.engine.snapshot().unwrap().relations(access, "p").unwrap();
            let told = proofs.into_iter().map(|proof| {
                let relation = proof.relation;
                (proof.id, relation.institution.unwrap(), relation.person, relation.until)
            });
            told.collect::<Vec<_>>()
        };
        let all = [
            ("s".to_owned(), "b".to_owned(), None, i64::MAX),
            ("r".to_owned(), "a".to_owned(), Some("dr".to_owned()), NOW),
        ];
        assert_eq!(told(&only(&["p"])), all);
        assert_eq!(told(&acting_for("b", Some("dr"))), all);
        assert!(told(&only(&["q"])).is_empty() && told(&acting_for("a", Some("dr"))).is_empty());
    }
}

/// A hub at these addresses that reads evidence so.
fn hub(path: &Path, addresses: &[&str], policy: Policy) -> Store {
    let addresses = addresses.iter().map(ToString::to_string).collect();
    sqlite_with(path, &Catalogue::new(&[&EVIDENCE], addresses, policy))
}

/// Records of who made what are read anew when the hub gets another address: whoever wrote a record first still made it.
#[test]
fn another_address_does_not_change_who_made_a_record() {
    let directory = tempfile::tempdir().unwrap();
    let store = hub(directory.path(), &[BASE], POLICY);
    let encounter =
        r#"{"resourceType":"Encounter","id":"e","serviceProvider":{"reference":"Organization/b"}}"#;
    let change = store.put_change(encounter, Expect::New);
    store.commit_as(&acting_for("a", None), Vec::new(), vec![change]).unwrap();
    store.stop();
    let store = hub(directory.path(), &[BASE, "http://new.test/fhir"], POLICY);
    assert_eq!(store.find(&acting_for("a", None), "Encounter"), ["e"]);
    assert!(store.find(&acting_for("b", None), "Encounter").is_empty());
    store.stop();
}

/// What an older program read from a record goes with it, also when today's would not read it so.
#[test]
fn evidence_that_was_read_otherwise_goes_with_its_record() {
    let directory = tempfile::tempdir().unwrap();
    let store = hub(directory.path(), &[BASE], POLICY);
    fill(&store);
    relation(&store, "r", r#""patient":"p","institution":"a""#);
    assert!(!seen(&store, &acting_for("a", Some("dr"))).is_empty());
    store.stop();
    let store = hub(directory.path(), &[BASE], Policy { facts: |_, _, _, _| Facts::default(), ..POLICY });
    store.delete("TestEvidence", "r");
    store.clock.set(NOW);
    assert!(seen(&store, &acting_for("a", Some("dr"))).is_empty());
    store.stop();
}
