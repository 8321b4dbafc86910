use ieum_store::commit::{CommitError, Expect, Guard};
use ieum_store::record::Op;

use crate::support::{Store, everything};

const KIM: &str = r#"{"resourceType":"Patient","id":"p1","active":true,"name":[{"text":"김가상"}]}"#;

on_every_engine! {
    /// What is sent comes back, with version and time in `meta`.
    fn a_record_comes_back_as_it_was_sent(store: &Store) {
        store.clock.set(1_700_000_000_123_456);
        let sent = r#"{ "resourceType":"Observation", "meta":{"tag":[{"code":"x"}],"versionId":"9"}, "id":"o1",
            "valueQuantity":{"value":1.10,"unit":"\u00b5g"}, "_status":{"id":"a"}, "status":"final" }"#;
        let done = store.put(sent);
        assert_eq!((done.t, done.changes[0].version, done.changes[0].op), (1, 1, Some(Op::Create)));
        let record = store.read(&everything(), "Observation", "o1").unwrap();
        assert_eq!(
            String::from_utf8(record.json()).unwrap(),
            concat!(
                r#"{"resourceType":"Observation","id":"o1","meta":{"versionId":"1","#,
                r#""lastUpdated":"2023-11-15T07:13:20.123456+09:00","tag":[{"code":"x"}]},"#,
                r#""valueQuantity":{"value":1.10,"unit":"\u00b5g"},"_status":{"id":"a"},"status":"final"}"#
            )
        );
        assert!(store.read(&everything(), "Observation", "o2").is_none());
        assert!(store.read(&everything(), "Patient", "o1").is_none());
    }

    /// Every change makes a version; the same again makes none.
    fn versions_count_up_and_the_same_again_is_no_version(store: &Store) {
        store.put(KIM);
        let again = store.put(KIM);
        assert_eq!((again.t, again.changes[0].version, again.changes[0].op), (1, 1, None));
        let changed = store.put(&KIM.replace("true", "false"));
        assert_eq!((changed.t, changed.changes[0].version, changed.changes[0].op), (2, 2, Some(Op::Update)));
        let view = store.engine.snapshot().unwrap();
        assert_eq!(view.t(), 2);
        let old = view.read_version(&everything(), "Patient", "p1", 1).unwrap().unwrap();
        assert!(String::from_utf8(old.json()).unwrap().contains("true"));
        assert!(view.read_version(&everything(), "Patient", "p1", 3).unwrap().is_none());
    }

    /// Deletion is a version; creating again goes on counting.
    fn deletion_is_a_version_and_life_goes_on(store: &Store) {
        store.put(KIM);
        let deleted = store.delete("Patient", "p1");
        assert_eq!((deleted.changes[0].version, deleted.changes[0].op), (2, Some(Op::Delete)));
        assert!(store.read(&everything(), "Patient", "p1").unwrap().is_deleted());
        assert!(store.find(&everything(), "Patient?active=true").is_empty());
        assert_eq!(store.delete("Patient", "p1").changes[0].op, None);
        assert_eq!(store.delete("Patient", "never").changes[0].op, None);
        let back = store.put(KIM);
        assert_eq!((back.changes[0].version, back.changes[0].op), (3, Some(Op::Create)));
        assert_eq!(store.find(&everything(), "Patient?active=true"), ["p1"]);
        let gone = store.engine.snapshot().unwrap().read_version(&everything(), "Patient", "p1", 2).unwrap();
        assert!(gone.unwrap().is_deleted());
    }

    /// `Absent` takes a record that never was and one that is deleted, and nothing else.
    fn absence_can_be_expected(store: &Store) {
        let absent = |json: &str| store.commit(vec![store.put_change(json, Expect::Absent)]);
        assert_eq!(absent(KIM).unwrap().changes[0].version, 1);
        let refused = absent(&KIM.replace("true", "false"));
        assert!(matches!(refused, Err(CommitError::Version { index: 0, current: Some(1) })), "{refused:?}");
        store.delete("Patient", "p1");
        assert_eq!(absent(KIM).unwrap().changes[0].version, 3);
    }

    /// Expectations are judged; a refused commit leaves no trace.
    // threat: 25
    fn a_refused_commit_leaves_no_trace(store: &Store) {
        store.put(KIM);
        let other = r#"{"resourceType":"Patient","id":"p2","active":true}"#;
        let refused = |expect: Expect, json: &str| {
            let changes = vec![store.put_change(other, Expect::Anything), store.put_change(json, expect)];
            store.commit(changes).unwrap_err()
        };
        assert!(matches!(refused(Expect::New, KIM), CommitError::Taken { index: 1 }));
        assert!(matches!(refused(Expect::Version(2), KIM), CommitError::Version { index: 1, current: Some(1) }));
        let missing = KIM.replace("p1", "p3");
        assert!(matches!(refused(Expect::Version(1), &missing), CommitError::Version { index: 1, current: None }));
        assert!(matches!(refused(Expect::Anything, other), CommitError::Duplicate { index: 1 }));
        assert!(store.read(&everything(), "Patient", "p2").is_none());
        assert_eq!(store.find(&everything(), "Patient?active=true"), ["p1"]);
        assert_eq!(store.engine.snapshot().unwrap().t(), 1);
        store.commit(vec![store.put_change(&KIM.replace("true", "false"), Expect::Version(1))]).unwrap();
    }

    /// A condition that has another answer by now refuses the commit.
    fn guards_hold_at_the_place_in_the_sequence(store: &Store) {
        let query = store.query("Patient?active=true");
        let guard = |found: &[&str]| Guard {
            query: query.clone(),
            found: found.iter().map(ToString::to_string).collect(),
        };
        let put = || vec![store.put_change(r#"{"resourceType":"Group","id":"g","type":"person","actual":true}"#, Expect::New)];
        store.put(KIM);
        let refused = store.commit_guarded(vec![guard(&["p1"]), guard(&[])], put()).unwrap_err();
        assert!(matches!(refused, CommitError::Guard { index: 1 }));
        assert!(matches!(store.commit_guarded(vec![guard(&["p2"])], put()).unwrap_err(), CommitError::Guard { index: 0 }));
        store.put(&KIM.replace("p1", "p2"));
        assert!(matches!(store.commit_guarded(vec![guard(&["p1"])], put()).unwrap_err(), CommitError::Guard { index: 0 }));
        store.commit_guarded(vec![guard(&["p1", "p2"])], put()).unwrap();
    }

    /// Times follow commit numbers, whatever the clock does.
    fn time_never_stands_still_between_commits(store: &Store) {
        let mut last = 0;
        for (step, now) in [5_000_000, 5_000_000, 1_000_000, 9_000_000].into_iter().enumerate() {
            store.clock.set(now);
            let done = store.put(&KIM.replace("김가상", &format!("김가상{step}")));
            assert!(done.changes[0].instant > last, "at step {step}");
            last = done.changes[0].instant;
        }
        assert_eq!(last, 9_000_000);
    }

    /// The feed tells every change once, in order; followers remember their place.
    fn the_feed_tells_every_change_once(store: &Store) {
        store.put(KIM);
        let two = [r#"{"resourceType":"Patient","id":"a"}"#, r#"{"resourceType":"Patient","id":"b"}"#];
        store.commit(two.iter().map(|json| store.put_change(json, Expect::New)).collect()).unwrap();
        store.put(KIM);
        store.delete("Patient", "p1");
        let view = store.engine.snapshot().unwrap();
        let mut entries = Vec::new();
        let mut after = 0;
        loop {
            let some = view.feed(&everything(), after, 1).unwrap();
            let Some(last) = some.last() else { break };
            after = last.t;
            entries.extend(some);
        }
        let mut told: Vec<_> = entries.iter().map(|e| (e.t, e.id.as_str(), e.version, e.op)).collect();
        told.sort_by_key(|entry| (entry.0, entry.1));
        let expected =
            [(1, "p1", 1, Op::Create), (2, "a", 1, Op::Create), (2, "b", 1, Op::Create), (3, "p1", 2, Op::Delete)];
        assert_eq!(told, expected);
        drop(view);
        store.engine.set_follower("lake", 2).unwrap();
        store.engine.set_follower("lake", 3).unwrap();
        let view = store.engine.snapshot().unwrap();
        assert_eq!((view.follower("lake").unwrap(), view.follower("other").unwrap()), (3, 0));
        drop(view);
        store.engine.set_follower("lake", 0).unwrap();
        assert_eq!(store.engine.snapshot().unwrap().follower("lake").unwrap(), 0);
    }

    /// A commit and its audit entry are one.
    // threat: 17
    fn every_commit_has_its_audit_entry(store: &Store) {
        store.put(KIM);
        store.put(KIM);
        store.delete("Patient", "p1");
        let entries = store.engine.snapshot().unwrap().audit_entries(None, 10).unwrap();
        let commits: Vec<_> = entries.iter().map(|entry| entry.commit).collect();
        assert_eq!(commits, [Some((2, 1)), Some((1, 1))]);
        assert!(entries.iter().all(|entry| entry.entry.allowed && entry.entry.actor == "test"));
        let mut refusal = entries[0].entry.clone();
        refusal.allowed = false;
        store.engine.audit(&refusal).unwrap();
        let newest = store.engine.snapshot().unwrap().audit_entries(None, 1).unwrap();
        assert_eq!((newest[0].commit, newest[0].entry.allowed), (None, false));
        let before = store.engine.snapshot().unwrap().audit_entries(Some(newest[0].number), 10).unwrap();
        assert_eq!(before, entries);
    }

    /// A snapshot does not change.
    fn a_snapshot_stays_as_it_is(store: &Store) {
        store.put(KIM);
        let view = store.engine.snapshot().unwrap();
        store.put(&KIM.replace("true", "false"));
        store.put(&KIM.replace("p1", "p2"));
        assert_eq!(view.t(), 1);
        assert_eq!(view.read(&everything(), "Patient", "p1").unwrap().unwrap().version, 1);
        assert_eq!(view.count(&everything(), &store.query("Patient?active=true")).unwrap(), 1);
        assert!(view.read(&everything(), "Patient", "p2").unwrap().is_none());
    }
}
