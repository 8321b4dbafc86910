//! search: the bundle, its links and pages. What matches what is the business of the engines' own tests.

use std::collections::HashSet;

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_store::sqlite::SqliteOptions;
use ieum_trust::access::Role;

use crate::support::{Kind, Server, entries, ids, link, on_every_engine, patient};

on_every_engine!(
    bundle_of_a_search,
    search_by_post,
    paged_in_both_directions,
    pages_hold_under_writes,
    tokens_belong_to_question_and_caller,
    counts,
    strict_and_lenient,
    links_are_encoded,
    includes,
    refused,
    korean_names,
);

fn three(server: &Server) -> Vec<String> {
    ["김민수", "김영희", "이철수"].iter().map(|name| server.create(&patient(name, name))).collect()
}

fn bundle_of_a_search(kind: Kind) {
    let server = Server::open(kind);
    let created = three(&server);
    let bundle = server.get("/Patient?family=%EA%B9%80").expect(200).json();
    assert_eq!(
        (bundle["resourceType"].as_str(), bundle["type"].as_str()),
        (Some("Bundle"), Some("searchset"))
    );
    assert_eq!(bundle["total"], 2);
    assert_eq!(ids(&bundle, "match"), created[..2]);
    let entry = &entries(&bundle)[0];
    assert_eq!(entry["fullUrl"], format!("{}/Patient/{}", server.base, created[0]));
    assert_eq!(entry["resource"], server.get(&format!("/Patient/{}", created[0])).json());
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}/Patient?family=%EA%B9%80", server.base));
    assert_eq!((link(&bundle, "next"), link(&bundle, "previous")), (None, None));
    let none = server.get("/Patient?family=nobody").expect(200).json();
    assert_eq!(none["total"], 0);
    assert!(none.get("entry").is_none());
    assert_eq!(server.get("/Patient?_total=none").json().get("total"), None);
}

fn search_by_post(kind: Kind) {
    let server = Server::open(kind);
    let created = three(&server);
    let bundle = server.form("/Patient/_search", "family=%EA%B9%80&_count=1").expect(200).json();
    assert_eq!(bundle["total"], 2);
    assert_eq!(ids(&bundle, "match"), created[..1]);
    // The links of a search by POST can be followed by GET.
    let next = link(&bundle, "next").unwrap();
    assert_eq!(ids(&server.get(next).expect(200).json(), "match"), created[1..2]);
    // Parameters of URL and form count together.
    let bundle = server
        .form("/Patient/_search?family=%EA%B9%80", "identifier=http://a.kr/mrn%7C%EA%B9%80%EB%AF%BC%EC%88%98")
        .json();
    assert_eq!(ids(&bundle, "match"), created[..1]);
    assert_eq!(server.request("POST", "/Patient/_search", &[], None).expect(200).json()["total"], 3);
    server.form("/Patient/_search", "family=%ff").refused(400, "IEUM-R027");
    server.post("/Patient/_search", "{}").refused(415, "IEUM-R010");
}

fn paged_in_both_directions(kind: Kind) {
    let server = Server::open(kind);
    let all: Vec<String> = (0..10).map(|number| server.create(&patient(&number.to_string(), "김"))).collect();
    let pages = server.pages("/Patient?family=%EA%B9%80&_count=4&_sort=-_lastUpdated");
    let walked: Vec<String> =
        pages.concat().iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect();
    let mut expected = all;
    expected.reverse();
    assert_eq!(walked, expected);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    // And back.
    let first = server.get("/Patient?family=%EA%B9%80&_count=4&_sort=-_lastUpdated").json();
    let second = server.get(link(&first, "next").unwrap()).json();
    assert_eq!(second["total"], 10);
    let third = server.get(link(&second, "next").unwrap()).json();
    assert_eq!(link(&third, "next"), None);
    let back = server.get(link(&third, "previous").unwrap()).json();
    assert_eq!(ids(&back, "match"), ids(&second, "match"));
    let start = server.get(link(&back, "previous").unwrap()).json();
    assert_eq!(ids(&start, "match"), ids(&first, "match"));
    assert_eq!(link(&start, "previous"), None);
    assert_eq!(ids(&server.get(link(&third, "first").unwrap()).json(), "match"), ids(&first, "match"));
    // The self link of a page gives that page again.
    assert_eq!(
        server.get(link(&second, "self").unwrap()).body,
        server.get(link(&first, "next").unwrap()).body
    );
}

fn pages_hold_under_writes(kind: Kind) {
    let server = Server::open(kind);
    let all: HashSet<String> =
        (0..9).map(|number| server.create(&patient(&number.to_string(), "김"))).collect();
    let mut seen = Vec::new();
    let mut next = Some("/Patient?_count=2&_sort=family".to_owned());
    let mut round = 0;
    while let Some(path) = next {
        let bundle = server.get(&path).expect(200).json();
        seen.extend(ids(&bundle, "match"));
        next = link(&bundle, "next").map(str::to_owned);
        round += 1;
        // New ones before and after the place, with the same sort value too.
        for family in ["가", "김", "하"] {
            server.create(&patient(&format!("new-{round}-{family}"), family));
        }
    }
    assert_eq!(seen.len(), all.len());
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), all);
}

fn tokens_belong_to_question_and_caller(kind: Kind) {
    let server = Server::with_accounts(kind);
    let (service, other) = (server.account(Role::Service, None), server.account(Role::Clinician, None));
    for number in 0..3 {
        server.send_as(&service, "POST", "/Patient", &patient(&number.to_string(), "김")).expect(201);
    }
    let first = server.get_as(&service, "/Patient?_count=1").expect(200).json();
    let next = link(&first, "next").unwrap();
    server.get_as(&service, next).expect(200);
    server.get_as(&other, next).refused(400, "IEUM-R024");
    let token = next.split_once("_page=").unwrap().1;
    server.get_as(&service, &format!("/Patient?_count=2&_page={token}")).expect(200);
    server.get_as(&service, &format!("/Patient?family=x&_page={token}")).refused(400, "IEUM-R024");
    server.get_as(&service, &format!("/Patient?_sort=family&_page={token}")).refused(400, "IEUM-R024");
    server.get_as(&service, &format!("/Practitioner?_page={token}")).refused(400, "IEUM-R024");
    server.get_as(&service, &format!("/Patient?_page={token}0")).refused(400, "IEUM-R024");
    server.get_as(&service, &format!("/Patient?_page={token}&_page={token}")).refused(400, "IEUM-S007");
    server.get_as(&service, "/Patient?_page=").refused(400, "IEUM-R024");
}

fn counts(kind: Kind) {
    let server = Server::open(kind);
    three(&server);
    for path in ["/Patient?_count=0", "/Patient?_summary=count", "/Patient?_summary=count&family=%EA%B9%80"] {
        let bundle = server.get(path).expect(200).json();
        assert_eq!(bundle["total"], if path.contains("family") { 2 } else { 3 });
        assert!(bundle.get("entry").is_none());
        assert!(link(&bundle, "next").is_none());
    }
    // What fhirpy sends to count.
    assert_eq!(server.get("/Patient?_count=0&_totalMethod=count").expect(200).json()["total"], 3);
    // More than is given out at once: the self link tells what was applied.
    let bundle = server.get("/Patient?_count=5000").expect(200).json();
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}/Patient?_count=1000", server.base));
}

fn strict_and_lenient(kind: Kind) {
    let server = Server::open(kind);
    let created = three(&server);
    server.get("/Patient?nmae=x").refused(400, "IEUM-S002");
    server.get("/Patient?family=").refused(400, "IEUM-S006");
    let path = "/Patient?nmae=x&family=%EA%B9%80&gender=&%EA%B9%80=%EC%9D%B4&_format=json";
    let reply = server.get_with(path, &[("prefer", "handling=lenient")]).expect(200);
    let bundle = reply.json();
    assert_eq!(ids(&bundle, "match"), created[..2]);
    assert_eq!(
        link(&bundle, "self").unwrap(),
        format!("{}/Patient?family=%EA%B9%80&_format=json", server.base)
    );
    let outcome = entries(&bundle).iter().find(|entry| entry["search"]["mode"] == "outcome").unwrap();
    let issues = outcome["resource"]["issue"].as_array().unwrap();
    assert_eq!(issues.len(), 3);
    assert!(issues.iter().all(|issue| issue["severity"] == "warning"));
    assert!(issues[0]["diagnostics"].as_str().unwrap().contains("nmae"));
    // A name that is no name is not repeated: it could be a patient's.
    assert!(!outcome.to_string().contains("김"));
}

fn links_are_encoded(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("a&b=c+d %|\\", "김"));
    server.create(&patient("a&b=c+d %|\\", "이"));
    let value = "http%3A%2F%2Fa.kr%2Fmrn%7Ca%26b%3Dc%2Bd+%25%5C%7C%5C%5C";
    let bundle = server.get(&format!("/Patient?identifier={value}&_count=1&_pretty=true")).expect(200).json();
    assert_eq!(bundle["total"], 2);
    assert_eq!(ids(&bundle, "match"), [id]);
    let own = link(&bundle, "self").unwrap();
    assert_eq!(server.get(own).expect(200).json(), bundle);
    assert!(own.ends_with("&_pretty=true"));
    assert_eq!(server.get(link(&bundle, "next").unwrap()).expect(200).json()["total"], 2);
}

fn includes(kind: Kind) {
    let server = Server::open(kind);
    let organization = server.create(r#"{"resourceType":"Organization","name":"가나다 병원"}"#);
    let body = format!(
        r#"{{"resourceType":"Patient","managingOrganization":{{"reference":"Organization/{organization}"}}}}"#
    );
    let patients = [server.create(&body), server.create(&body)];
    let bundle = server.get("/Patient?_include=Patient:organization").expect(200).json();
    assert_eq!(bundle["total"], 2);
    assert_eq!(ids(&bundle, "match"), patients);
    assert_eq!(ids(&bundle, "include"), [organization.as_str()]);
    let bundle = server.get("/Organization?_revinclude=Patient:organization").expect(200).json();
    assert_eq!(bundle["total"], 1);
    assert_eq!(ids(&bundle, "match"), [organization.as_str()]);
    assert_eq!(ids(&bundle, "include").len(), 2);
    let bundle = server.get("/Patient?_include=Patient:organization&_elements=id").expect(200).json();
    let included = entries(&bundle).iter().find(|entry| entry["search"]["mode"] == "include").unwrap();
    assert_eq!(included["resource"]["name"], "가나다 병원");
}

fn refused(kind: Kind) {
    let server = Server::open(kind);
    for (query, code) in [
        ("birthdate=yesterday", "IEUM-S005"),
        ("birthdate:exact=2000", "IEUM-S003"),
        ("_query=x", "IEUM-S004"),
        ("_sort=nothing", "IEUM-S002"),
        ("_count=-1", "IEUM-S005"),
        ("_count=1&_count=2", "IEUM-S007"),
        ("_summary=everything", "IEUM-S005"),
        ("_include=Nothing:x", "IEUM-S005"),
        ("_summary=text&_include=Patient:organization", "IEUM-S005"),
        ("_summary=true&_elements=name", "IEUM-S005"),
        ("name=%zz", "IEUM-R027"),
        ("name=%B1%E8", "IEUM-R027"),
    ] {
        server.get(&format!("/Patient?{query}")).refused(400, code);
    }
    // Errors never repeat what was searched for.
    let reply = server.get("/Patient?birthdate=gimminsu-8001011234567").expect(400);
    assert!(!reply.text().contains("gimminsu"), "{}", reply.text());
}

fn korean_names(kind: Kind) {
    let server = Server::open(kind);
    let created = three(&server);
    // 초성, by GET in the raw bytes that browsers and scripts send.
    let raw = server.raw(
        format!(
            "GET /fhir/Patient?name=ㄱㅁㅅ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            server.address
        )
        .as_bytes(),
        std::time::Duration::from_secs(5),
    );
    // Some HTTP readers refuse raw UTF-8 in addresses; if this one takes it, it must understand it.
    assert!(raw.starts_with("HTTP/1.1 400") || raw.contains(&created[0]), "{raw}");
    let bundle = server.get("/Patient?name=%E3%84%B1%E3%85%81%E3%85%85").expect(200).json();
    assert_eq!(ids(&bundle, "match"), created[..1]);
}

/// What would cost too much is refused before it is asked, with its cost and what would narrow it.
#[test]
fn the_cost_is_told_before() {
    let store = SqliteOptions { query_records: 4, ..SqliteOptions::default() };
    let server = Server::start_on(Kind::Sqlite, Entrance::Open, Limits::default(), store, |_| {});
    for number in 0..5 {
        server.create(&patient(&number.to_string(), "김"));
    }
    let found = server.get("/Patient?identifier=http://a.kr/mrn|1&gender:missing=true").expect(200);
    assert_eq!(found.json()["total"], 1, "a small set to start from costs little");
    let refused = server.get("/Patient?gender:missing=true").refused(400, "IEUM-S008");
    let text = refused.text();
    assert!(
        text.contains("about 5 records") && text.contains("4 are allowed") && text.contains("identifier"),
        "{text}"
    );
    assert!(text.contains("_total=none"), "{text}");
    assert_eq!(
        server.get("/Patient?gender:missing=true&_total=none").expect(200).json()["entry"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    server.get("/Patient?gender:missing=true&_total=none&_sort=birthdate").refused(400, "IEUM-S008");
}
