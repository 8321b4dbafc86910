//! Search parameters that are defined while the store runs.

use ieum_store::commit::{CommitError, Expect, Guard, StoreError};
use ieum_store::custom::IndexTask;
use ieum_store::engine::SearchRequest;

use crate::support::{Store, everything, finds, finds_in_order, only};

/// A definition on one type.
fn definition(code: &str, kind: &str, param_type: &str, expression: &str) -> String {
    format!(
        r#"{{"resourceType":"SearchParameter","id":"{code}","url":"http://x.test/{code}","name":"n","status":"active",
        "description":"d","code":"{code}","base":["{kind}"],"type":"{param_type}","expression":"{expression}"}}"#
    )
}

fn patient(number: usize, family: &str, given: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"p{number}","name":[{{"family":"{family}","given":["{given}"]}}],
        "managingOrganization":{{"reference":"Organization/o{}"}}}}"#,
        number % 2
    )
}

fn fill(store: &Store, patients: usize) {
    store.put(r#"{"resourceType":"Organization","id":"o0","name":"zero"}"#);
    store.put(r#"{"resourceType":"Organization","id":"o1","name":"one"}"#);
    for number in 0..patients {
        store.put(&patient(number, if number.is_multiple_of(3) { "kim" } else { "lee" }, "min"));
    }
}

fn family() -> String {
    definition("own", "Patient", "string", "Patient.name.family")
}

/// Whether the question is refused because its parameter is not ready.
fn is_refused(store: &Store, query: &ieum_fhir::search::Query) -> bool {
    let snapshot = store.engine.snapshot().unwrap();
    let request = SearchRequest { query, after: None, backward: false, limit: 10 };
    matches!(snapshot.search(&everything(), &request), Err(StoreError::NotServed { .. }))
        && matches!(snapshot.count(&everything(), query), Err(StoreError::NotServed { .. }))
}

/// A question that was read while its parameter was in force.
fn question_from_before(store: &Store, url: &str) -> ieum_fhir::search::Query {
    let before = crate::support::memory();
    before.define(&[&family()]);
    before.index_all();
    let query = before.query(url);
    assert!(store.try_query(url).is_err(), "{url} is no question yet");
    query
}

on_every_engine! {
    /// Never a part of the answer: first refusals, then the whole.
    fn is_answered_when_all_are_indexed(store: &Store) {
        fill(store, 25);
        store.define(&[&family()]);
        let work = store.engine.index_work().unwrap();
        assert_eq!(work.len(), 1);
        assert_eq!((work[0].kind.as_str(), work[0].code.as_str(), work[0].task), ("Patient", "own", IndexTask::Build));
        let refusal = store.try_query("Patient?own=kim").unwrap_err();
        assert!(refusal.contains("NotReady") && refusal.contains("0 of about 25"), "{refusal}");
        let query = question_from_before(store, "Patient?own=kim");
        let mut steps = 0;
        loop {
            assert!(is_refused(store, &query));
            assert!(store.try_query("Patient?_sort=own").is_err());
            assert!(store.try_query("Patient?own:missing=true").is_err());
            steps += 1;
            if store.engine.index_some(&work[0], 4).unwrap().is_finished {
                break;
            }
        }
        assert!(steps > 2, "{steps}");
        assert!(store.engine.index_work().unwrap().is_empty());
        assert_eq!(store.find(&everything(), "Patient?own=kim"), store.find(&everything(), "Patient?family=kim"));
        assert_eq!(store.find(&everything(), "Patient?own=kim").len(), 9);
        finds(store, "Patient?own:missing=true", &[]);
        assert!(!is_refused(store, &query));
    }

    /// What is written meanwhile, before and behind the point that indexing has come to, is found as it is at the end.
    fn writes_go_on_while_records_are_indexed(store: &Store) {
        fill(store, 20);
        let before = store.engine.catalogue();
        store.define(&[&family()]);
        store.index_some(7);
        for number in [1, 4, 10, 16, 19] {
            store.put(&patient(number, "park", "min"));
        }
        // Rewritten with the same value.
        store.put(&patient(2, "lee", "soo"));
        store.put(&patient(17, "lee", "soo"));
        store.delete("Patient", "p3");
        store.delete("Patient", "p18");
        store.put(&patient(18, "park", "again"));
        // Prepared under the catalogue of before.
        let late = Store::put_change_with(&before, &patient(30, "park", "new"), Expect::Anything);
        store.commit(vec![late]).unwrap();
        store.index_some(7);
        store.put(&patient(31, "park", "new"));
        store.delete("Patient", "p1");
        store.index_all();
        let late = Store::put_change_with(&before, &patient(32, "park", "new"), Expect::Anything);
        store.commit(vec![late]).unwrap();
        finds(store, "Patient?own=park", &["p10", "p16", "p18", "p19", "p30", "p31", "p32", "p4"]);
        for value in ["kim", "lee", "park"] {
            let (own, known) = (format!("Patient?own={value}"), format!("Patient?family={value}"));
            assert_eq!(store.find(&everything(), &own), store.find(&everything(), &known), "{value}");
        }
    }

    /// Another meaning: refused until all are indexed by it, and never the old rows under the new name.
    fn a_new_meaning_is_indexed_anew(store: &Store) {
        fill(store, 12);
        store.define(&[&family()]);
        store.index_all();
        finds(store, "Patient?own=min", &[]);
        let given = definition("own", "Patient", "string", "Patient.name.given");
        store.define(&[&given]);
        let query = question_from_before(store, "Patient?own=min");
        assert!(is_refused(store, &query));
        store.put(&patient(40, "kim", "min"));
        store.index_some(5);
        assert!(store.try_query("Patient?own=min").is_err());
        store.index_all();
        assert_eq!(store.find(&everything(), "Patient?own=min").len(), 13);
        finds(store, "Patient?own=kim", &[]);
        // Defined as it was, nothing happens.
        store.define(&[&given]);
        assert!(store.engine.index_work().unwrap().is_empty());
        // To another type, in one go.
        store.define(&[&definition("own", "Patient", "reference", "Patient.managingOrganization")]);
        store.index_all();
        assert_eq!(store.find(&everything(), "Patient?own=Organization/o1").len(), 6);
    }

    /// What is defined no more is unknown at once, and comes back whole.
    fn what_is_taken_away_is_unknown(store: &Store) {
        fill(store, 8);
        let other = definition("other", "Patient", "token", "Patient.name.given.exists()");
        store.define(&[&family(), &other]);
        store.index_all();
        let query = store.query("Patient?own=kim");
        store.define(&[&other]);
        assert!(is_refused(store, &query));
        assert!(store.try_query("Patient?own=kim").is_err());
        assert_eq!(store.find(&everything(), "Patient?other=true").len(), 8);
        store.put(&patient(5, "kim", "x"));
        store.index_some(3);
        store.define(&[&other, &family()]);
        store.index_all();
        assert_eq!(store.find(&everything(), "Patient?own=kim").len(), 4);
        assert_eq!(store.find(&everything(), "Patient?other=true").len(), 8);
    }

    fn indexing_stops_and_goes_on(store: &Store) {
        fill(store, 9);
        store.define(&[&family()]);
        store.index_some(3);
        let work = store.engine.index_work().unwrap();
        store.engine.halt_indexing("Patient", "own", true).unwrap();
        assert!(store.engine.index_work().unwrap().is_empty());
        assert!(store.engine.index_some(&work[0], 3).unwrap().is_finished, "what is stopped is no work");
        assert!(store.try_query("Patient?own=kim").unwrap_err().contains("stopped"));
        store.put(&patient(11, "kim", "x"));
        store.engine.halt_indexing("Patient", "own", false).unwrap();
        store.index_all();
        assert_eq!(store.find(&everything(), "Patient?own=kim").len(), 4);
        store.engine.halt_indexing("Patient", "own", true).unwrap();
        assert_eq!(store.find(&everything(), "Patient?own=kim").len(), 4, "what is ready stays so");
    }

    /// Conditions of commits are judged at their place in the sequence.
    fn guards_by_a_parameter_that_went_away(store: &Store) {
        fill(store, 3);
        store.define(&[&family()]);
        store.index_all();
        let guard = Guard { query: store.query("Patient?own=nobody"), found: Vec::new() };
        let change = || store.put_change(&patient(9, "nobody", "x"), Expect::New);
        store.define(&[]);
        let refused = store.commit_guarded(vec![guard.clone()], vec![change()]);
        assert!(matches!(refused, Err(CommitError::Store(StoreError::NotServed { .. }))), "{refused:?}");
        store.define(&[&family()]);
        store.index_all();
        store.commit_guarded(vec![guard.clone()], vec![change()]).unwrap();
        let again = store.put_change(&patient(10, "nobody", "x"), Expect::New);
        assert!(matches!(store.commit_guarded(vec![guard], vec![again]), Err(CommitError::Guard { .. })));
    }

    /// References, chains both ways, trees, sorts, expressions, contained resources.
    fn takes_part_in_the_whole_language(store: &Store) {
        fill(store, 6);
        store.put(
            r#"{"resourceType":"Observation","id":"b1","subject":{"reference":"Patient/p3"},"status":"final",
            "code":{"coding":[{"system":"s","code":"c"}]},"valueQuantity":{"value":7,"unit":"mg"}}"#,
        );
        store.put(
            r##"{"resourceType":"MedicationRequest","id":"m1","contained":[{"resourceType":"Medication","id":"x",
            "code":{"coding":[{"code":"inside"}]}}],"medicationReference":{"reference":"#x"}}"##,
        );
        let composite = r#"{"resourceType":"SearchParameter","id":"both","url":"http://x.test/both","name":"n","status":"active",
            "description":"d","code":"both","base":["Observation"],"type":"composite","expression":"Observation",
            "component":[{"definition":"http://hl7.org/fhir/SearchParameter/clinical-code","expression":"code"},
            {"definition":"http://hl7.org/fhir/SearchParameter/Observation-value-quantity","expression":"value.as(Quantity)"}]}"#;
        store.define(&[
            &family(),
            &definition("own-org", "Patient", "reference", "Patient.managingOrganization"),
            &definition("own-subject", "Observation", "reference", "Observation.subject"),
            &definition("own-code", "Medication", "token", "Medication.code"),
            &definition("count", "Patient", "number", "Patient.name.count()"),
            composite,
        ]);
        store.index_all();
        finds_in_order(store, "Patient?_sort=-own,_id", &["p1", "p2", "p4", "p5", "p0", "p3"]);
        finds(store, "Patient?own-org:Organization.name=one", &["p1", "p3", "p5"]);
        finds(store, "Organization?_has:Patient:own-org:own=kim", &["o0", "o1"]);
        finds(store, "Observation?own-subject:Patient.own=kim", &["b1"]);
        finds(store, "Patient?_has:Observation:own-subject:both=s|c$gt5", &["p3"]);
        finds(store, "Observation?both=c$gt8", &[]);
        finds(store, "Patient?_filter=own eq \"kim\" and count eq 1", &["p0", "p3"]);
        finds(store, "Patient?count=gt1", &[]);
        finds_in_order(store, "Observation?_sort=own-subject.own", &["b1"]);
        let parts = store.find_parts(&everything(), "Medication?own-code=inside&_contained=true", 5);
        assert_eq!(parts[0].1, "m1");
        finds(store, "Medication?own-code:missing=true&_contained=true", &[]);
    }

    /// Whose a record is follows from R4 alone.
    fn definitions_say_nothing_of_whose_a_record_is(store: &Store) {
        store.put(r#"{"resourceType":"Patient","id":"p1"}"#);
        store.put(r#"{"resourceType":"Patient","id":"p2"}"#);
        // R4 has no parameter `patient` for this type; one that a record defines gives it no owner.
        store.define(&[&definition("patient", "PaymentNotice", "reference", "PaymentNotice.request")]);
        store.index_all();
        store.put(
            r#"{"resourceType":"PaymentNotice","id":"n1","status":"active","request":{"reference":"Patient/p2"}}"#,
        );
        finds(store, "PaymentNotice?patient=Patient/p2", &["n1"]);
        assert_eq!(store.find(&only(&["p2"]), "PaymentNotice?patient=Patient/p2"), [""; 0]);
        assert_eq!(store.read(&only(&["p2"]), "PaymentNotice", "n1"), None);
        // Nobody learns by them of records that are somebody else's.
        store.define(&[&definition("owner-name", "Task", "reference", "Task.owner")]);
        store.index_all();
        store.put(
            r#"{"resourceType":"Task","id":"t1","status":"draft","intent":"order","for":{"reference":"Patient/p1"},
            "owner":{"reference":"Patient/p2"}}"#,
        );
        assert_eq!(store.find(&only(&["p1"]), "Task?owner-name=Patient/p2"), ["t1"]);
        assert_eq!(store.find(&only(&["p1"]), "Task?owner-name:Patient._id=p2"), [""; 0]);
        assert_eq!(store.find(&only(&["p2"]), "Task?owner-name=Patient/p2"), [""; 0]);
        assert_eq!(store.find(&only(&["p2"]), "Patient?_has:Task:owner-name:_id=t1"), [""; 0]);
    }
}

/// The file is proved right at every point on the way, and the work goes on where it was left.
#[test]
fn a_file_is_whole_at_every_point_on_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let open = || crate::support::sqlite_with(directory.path(), &crate::support::catalogue());
    let whole = |store: &Store| {
        let report = store.check();
        assert_eq!(report.faults, [""; 0]);
    };
    let store = open();
    fill(&store, 30);
    store.define(&[&family()]);
    store.index_some(11);
    whole(&store);
    store.put(&patient(2, "park", "x"));
    store.put(&patient(29, "park", "x"));
    whole(&store);
    store.stop();

    let store = open();
    store.define(&[&family()]);
    let work = store.engine.index_work().unwrap();
    let step = store.engine.index_some(&work[0], 5).unwrap();
    assert_eq!((step.done, step.total), (16, 30), "it goes on where it was left");
    store.index_all();
    whole(&store);
    assert_eq!(store.find(&everything(), "Patient?own=park"), ["p2", "p29"]);

    // Taken away in parts, across a restart.
    store.define(&[]);
    store.index_some(3);
    whole(&store);
    store.put(&patient(3, "park", "x"));
    store.stop();
    let store = open();
    store.define(&[]);
    whole(&store);
    store.index_all();
    whole(&store);
    let report = store.check();
    assert_eq!(report.records, 32);
    store.define(&[&family()]);
    store.index_all();
    whole(&store);
    finds(&store, "Patient?own=park", &["p2", "p29", "p3"]);
    finds(&store, "Patient?own:missing=true", &[]);
}

/// An address that becomes this hub's own changes what references mean, of these parameters too.
#[test]
fn a_new_address_indexes_anew() {
    let directory = tempfile::tempdir().unwrap();
    let with = |bases: Vec<String>| {
        std::sync::Arc::new(ieum_store::catalogue::Catalogue::new(
            &[],
            bases,
            ieum_store::access::Policy::NONE,
        ))
    };
    let own = definition("own", "Observation", "reference", "Observation.subject");
    let store = crate::support::sqlite_with(directory.path(), &with(vec!["http://a.test".into()]));
    store
        .put(r#"{"resourceType":"Observation","id":"b","subject":{"reference":"http://b.test/Patient/p1"}}"#);
    store.define(&[&own]);
    store.index_all();
    finds(&store, "Observation?own=Patient/p1", &[]);
    store.stop();
    let store = crate::support::sqlite_with(
        directory.path(),
        &with(vec!["http://a.test".into(), "http://b.test".into()]),
    );
    store.define(&[&own]);
    assert!(store.try_query("Observation?own=Patient/p1").is_err());
    store.index_all();
    finds(&store, "Observation?own=Patient/p1", &["b"]);
    assert_eq!(store.check().faults, [""; 0]);
}

/// More parameters than have room come when others are gone.
#[test]
fn parameters_of_a_kind_are_bounded() {
    let store = crate::support::sqlite();
    fill(&store, 2);
    let definitions: Vec<String> = (0..ieum_store::custom::MOST_OF_A_KIND + 5)
        .map(|number| definition(&format!("own{number}"), "Patient", "string", "Patient.name.family"))
        .collect();
    let definitions: Vec<&str> = definitions.iter().map(String::as_str).collect();
    store.define(&definitions);
    store.index_all();
    let kind = store.engine.catalogue();
    assert_eq!(kind.custom().count(), ieum_store::custom::MOST_OF_A_KIND);
    finds(&store, "Patient?own31:missing=true", &[]);
    finds(&store, "Patient?own31=kim", &["p0"]);
    for kind in kind.kinds() {
        assert!(kind.built_ins() + 2 * ieum_store::custom::MOST_OF_A_KIND <= 126, "{}", kind.name);
    }
    assert_eq!(store.check().faults, [""; 0]);
}
