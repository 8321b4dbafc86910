use ieum_store::engine::SearchRequest;

use crate::support::{Store, everything};

fn patient(id: usize, born: Option<usize>) -> String {
    let born = born.map_or(String::new(), |year| format!(r#","birthDate":"19{year:02}-01-01""#));
    let organization = match id % 4 {
        0 => String::new(),
        number => format!(r#","managingOrganization":{{"reference":"Organization/g{number}"}}"#),
    };
    format!(
        r#"{{"resourceType":"Patient","id":"p{id}","active":true,"name":[{{"text":"가상{id:03}"}},{{"text":"나{id}"}}]{born}{organization}}}"#
    )
}

fn fill(store: &Store, count: usize) {
    // One without a name, one that is not there.
    store.put(r#"{"resourceType":"Organization","id":"g1","name":"가상 병원"}"#);
    store.put(r#"{"resourceType":"Organization","id":"g2","active":true}"#);
    for id in 0..count {
        store.put(&patient(id, (id % 3 != 0).then_some(id % 5)));
    }
}

/// Values that are the same for all, for some, for none; several in a record; of other records; of every type.
const SORTS: [&str; 20] = [
    "Patient?active=true",
    "Patient?_sort=birthdate",
    "Patient?_sort=-birthdate",
    "Patient?_sort=-birthdate,name",
    "Patient?_sort=name",
    "Patient?_sort=-name",
    "Patient?_sort=-name,birthdate",
    "Patient?_sort=-_id&active=true",
    "Patient?_sort=_lastUpdated",
    "Patient?_sort=-_lastUpdated",
    "Patient?_sort=active,-birthdate,_id",
    "Patient?_sort=-active",
    "Patient?_sort=birthdate,-_lastUpdated",
    "Patient?_sort=gender,family",
    "Patient?_sort=-deceased,name",
    "Patient?_sort=organization",
    "Patient?_sort=-organization,-birthdate",
    "Patient?_sort=organization.name",
    "Patient?_sort=-organization.name,birthdate",
    "Patient?_sort=organization._id,-name",
];

on_every_engine! {
    /// Pages of every size give the same whole, forward and back.
    fn pages_of_every_size_give_the_same_whole(store: &Store) {
        fill(store, 23);
        for url in SORTS {
            let whole = store.find_paged(&everything(), url, 1_000);
            assert_eq!(whole.len(), 23, "{url}");
            for limit in [1, 2, 5, 22, 23, 24] {
                assert_eq!(store.find_paged(&everything(), url, limit), whole, "{url} by {limit}");
            }
            let query = store.query(url);
            let mut pages = Vec::new();
            let mut request = SearchRequest { query: &query, after: None, backward: false, limit: 4 };
            loop {
                let page = store.page(&everything(), &request);
                let ids: Vec<_> = page.records.iter().map(|record| record.id.clone()).collect();
                request.after = page.next.clone();
                pages.push((ids, page));
                if request.after.is_none() {
                    break;
                }
            }
            assert!(pages[0].1.previous.is_none());
            for window in pages.windows(2) {
                let back = SearchRequest { after: window[1].1.previous.clone(), backward: true, ..request.clone() };
                let page = store.page(&everything(), &back);
                let ids: Vec<_> = page.records.iter().map(|record| record.id.clone()).collect();
                assert_eq!(ids, window[0].0, "{url} going back");
                assert!(page.next.is_some());
            }
        }
    }

    /// Places stand as the records do, in both directions.
    fn places_stand_as_the_records_do(store: &Store) {
        fill(store, 13);
        let view = store.engine.snapshot().unwrap();
        for url in SORTS {
            let query = store.query(url);
            let mut request = SearchRequest { query: &query, after: None, backward: false, limit: 5 };
            for _ in 0..2 {
                let (page, places) = (store.page(&everything(), &request), view.places(&everything(), &request).unwrap());
                let ids: Vec<_> = page.records.iter().map(|record| (&*record.kind, &*record.id)).collect();
                assert_eq!(places.places.iter().map(|place| (&*place.kind, &*place.id)).collect::<Vec<_>>(), ids, "{url}");
                assert_eq!(places.places.last().map(|place| &place.position), page.next.as_ref(), "{url}");
                assert!(places.more);
                request.after = page.next;
            }
            let back = SearchRequest { backward: true, ..request.clone() };
            let places = view.places(&everything(), &back).unwrap();
            let page = store.page(&everything(), &back);
            assert_eq!(places.places.first().map(|place| &place.position), page.previous.as_ref(), "{url}");
            assert_eq!((places.places.len(), places.more), (5, true), "{url}");
        }
    }

    /// Records without a value come last, in both directions.
    fn missing_values_come_last(store: &Store) {
        fill(store, 9);
        for url in ["Patient?_sort=birthdate", "Patient?_sort=-birthdate"] {
            let found = store.find_paged(&everything(), url, 4);
            let mut tail = found[6..].to_vec();
            tail.sort();
            assert_eq!(tail, ["p0", "p3", "p6"], "{url}");
        }
    }

    /// What nobody touches appears exactly once, whatever is written during the walk.
    fn an_untouched_record_appears_exactly_once(store: &Store) {
        for url in SORTS {
            fill(store, 20);
            let query = store.query(url);
            let mut seen = Vec::new();
            let mut after = None;
            for round in 0.. {
                let request = SearchRequest { query: &query, after, backward: false, limit: 3 };
                let page = store.page(&everything(), &request);
                seen.extend(page.records.into_iter().map(|record| record.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
                // Records from 10 on are changed, deleted and made; those below are left alone.
                store.put(&patient(10 + round % 5, Some(round % 60)));
                store.delete("Patient", &format!("p{}", 15 + round % 5));
                store.put(&patient(100 + round, Some(1)));
            }
            let mut untouched: Vec<_> = seen.iter().filter(|id| id.len() == 2).collect();
            untouched.sort();
            let expected: Vec<String> = (0..10).map(|id| format!("p{id}")).collect();
            assert_eq!(untouched, expected.iter().collect::<Vec<_>>(), "{url}");
            let all = (0..200).map(|id| Store::delete_change("Patient", &format!("p{id}")));
            store.commit(all.collect()).unwrap();
        }
    }
}
