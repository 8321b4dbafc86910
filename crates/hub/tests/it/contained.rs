//! `_contained` and `_containedType`: what is shown of resources inside others. What matches is the engines' business.

use crate::support::{Kind, Server, entries, ids, link, on_every_engine};

on_every_engine!(containers_of_what_matches, contained_resources_by_themselves, parts_of_contained_resources);

fn fill(server: &Server) {
    let body = r##"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","subject":{"reference":"Patient/p"},"medicationReference":{"reference":"#a"},"contained":[{"resourceType":"Medication","id":"a","status":"active","code":{"text":"해열제","coding":[{"code":"x"}]}},{"resourceType":"Medication","id":"b","code":{"coding":[{"code":"x"}]}}]}"##;
    server.put("/MedicationRequest/m", body).expect(201);
    server
        .put(
            "/Medication/own",
            r#"{"resourceType":"Medication","id":"own","code":{"coding":[{"code":"x"}]}}"#,
        )
        .expect(201);
}

fn containers_of_what_matches(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    assert_eq!(ids(&server.get("/Medication?code=x").json(), "match"), ["own"]);
    let bundle = server.get("/Medication?code=x&_contained=true").expect(200).json();
    assert_eq!((bundle["total"].as_u64(), ids(&bundle, "match")), (Some(1), vec!["m".to_owned()]));
    assert_eq!(bundle["entry"][0]["fullUrl"], format!("{}/MedicationRequest/m", server.base));
    assert_eq!(ids(&server.get("/Medication?code=x&_contained=both").json(), "match"), ["m", "own"]);
    server.get("/Medication?_contained=perhaps").refused(400, "IEUM-S005");
    server.get("/Medication?_contained=both&_sort=code").refused(400, "IEUM-S004");
}

fn contained_resources_by_themselves(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    let path = "/Medication?code=x&_contained=both&_containedType=contained";
    let bundle = server.get(path).expect(200).json();
    assert_eq!(bundle["total"], 3);
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}{path}", server.base));
    let found = entries(&bundle);
    for (entry, address) in
        found.iter().zip(["MedicationRequest/m#a", "MedicationRequest/m#b", "Medication/own"])
    {
        assert_eq!(entry["fullUrl"], format!("{}/{address}", server.base));
        assert_eq!(entry["search"]["mode"], "match");
        assert_eq!(entry["resource"]["resourceType"], "Medication");
    }
    // Just as it stands in its container.
    let expected = r##"{"resourceType":"Medication","id":"a","status":"active","code":{"text":"해열제","coding":[{"code":"x"}]}}"##;
    assert_eq!(found[0]["resource"], serde_json::from_str::<serde_json::Value>(expected).unwrap());
    let pages = server.pages(&format!("{path}&_count=1"));
    assert_eq!(
        pages.concat().iter().map(|entry| &entry["fullUrl"]).collect::<Vec<_>>(),
        found.iter().map(|entry| &entry["fullUrl"]).collect::<Vec<_>>()
    );
    // Over several types too.
    let several =
        server.get("?_contained=true&_containedType=contained&_type=Medication,Patient").expect(200);
    assert_eq!(ids(&several.json(), "match"), ["a", "b"]);
    assert_eq!(server.get("?_contained=true&_containedType=contained&_count=0").json()["total"], 2);
}

fn parts_of_contained_resources(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    let path = "/Medication?_contained=true&_containedType=contained&_id=a";
    let bundle = server.get(&format!("{path}&_elements=code")).expect(200).json();
    let part = &bundle["entry"][0]["resource"];
    assert_eq!((part["code"]["text"].as_str(), part["id"].as_str()), (Some("해열제"), Some("a")));
    assert!(part["status"].is_null());
    assert_eq!(part["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(part["meta"]["versionId"].is_null());
    let summary = server.get(&format!("{path}&_summary=true")).expect(200).json();
    assert_eq!(summary["entry"][0]["resource"]["status"], "active");
}
