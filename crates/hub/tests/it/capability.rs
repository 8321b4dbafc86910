//! The CapabilityStatement: valid, and true.

use serde_json::Value;

use ieum_fhir::json::{Document, Limits};
use ieum_fhir::validate::validate;

use crate::support::{Kind, Server, on_every_engine};

on_every_engine!(
    is_a_valid_resource,
    tells_what_is_done,
    parameters_it_names_are_taken,
    tells_the_search_language
);

fn is_a_valid_resource(kind: Kind) {
    let server = Server::with_accounts(kind);
    let reply = server.get("/metadata").expect(200);
    let document = Document::parse(&reply.body, &Limits::default()).unwrap();
    assert_eq!(validate(document.root(), Some("CapabilityStatement")).issues, []);
    assert_eq!(server.get("/metadata?mode=full").expect(200).body, reply.body);
    server.get("/metadata?mode=terminology").refused(400, "IEUM-S004");
}

fn tells_what_is_done(kind: Kind) {
    let server = Server::open(kind);
    let statement = server.get("/metadata").expect(200).json();
    let rest = &statement["rest"][0];
    let codes = |list: &Value| -> Vec<String> {
        let codes = list
            .as_array()
            .unwrap()
            .iter()
            .map(|interaction| interaction["code"].as_str().unwrap().to_owned());
        codes.collect()
    };
    assert_eq!(codes(&rest["interaction"]), ["search-system", "transaction", "batch", "history-system"]);
    let compartments: Vec<_> =
        rest["compartment"].as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
    let definition = |owner: &str| format!("http://hl7.org/fhir/CompartmentDefinition/{owner}");
    assert_eq!(
        compartments,
        ["patient", "encounter", "relatedPerson", "practitioner", "device"].map(definition)
    );
    let resources = rest["resource"].as_array().unwrap();
    assert_eq!(resources.len(), ieum_fhir::definitions::r4().resource_types().len());
    let patient = resources.iter().find(|resource| resource["type"] == "Patient").unwrap();
    let mut interactions = codes(&patient["interaction"]);
    interactions.sort();
    let expected = [
        "create",
        "delete",
        "history-instance",
        "history-type",
        "patch",
        "read",
        "search-type",
        "update",
        "vread",
    ];
    assert_eq!(interactions, expected);
    for flag in ["conditionalCreate", "conditionalUpdate", "updateCreate", "readHistory"] {
        assert_eq!(patient[flag], true, "{flag}");
    }
    assert_eq!(patient["conditionalDelete"], "single");
    let formats = ["application/json-patch+json", "application/merge-patch+json", "application/fhir+json"];
    assert_eq!(statement["patchFormat"], serde_json::json!(formats));
    assert_eq!(patient["conditionalRead"], "full-support");
    let names = |operations: &Value| -> Vec<String> {
        let operations = operations.as_array().unwrap().iter();
        operations.map(|operation| operation["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&patient["operation"]), ["everything", "export"]);
    assert_eq!(names(&rest["operation"]), ["export", "import"]);
    let definition = patient["operation"][1]["definition"].as_str().unwrap();
    assert!(definition.ends_with("/patient-export"));
    let group = resources.iter().find(|resource| resource["type"] == "Group").unwrap();
    assert!(names(&group["operation"]).contains(&"export".to_owned()));
    let list = |name: &str| {
        patient[name].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect::<Vec<_>>()
    };
    assert!(list("searchInclude").contains(&"Patient:general-practitioner"));
    assert!(list("searchRevInclude").contains(&"Observation:patient"));
    let names: Vec<&str> = patient["searchParam"]
        .as_array()
        .unwrap()
        .iter()
        .map(|param| param["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"identifier") && names.contains(&"_id") && names.contains(&"_lastUpdated"));
    assert!(names.contains(&"_text") && names.contains(&"_content"));
    // Not served, so not named.
    assert!(!names.contains(&"_query"));
}

fn parameters_it_names_are_taken(kind: Kind) {
    let server = Server::open(kind);
    let statement = server.get("/metadata").expect(200).json();
    let mut asked = 0;
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let name = resource["type"].as_str().unwrap();
        if !["Patient", "Observation", "Encounter", "Medication"].contains(&name) {
            continue;
        }
        for param in resource["searchParam"].as_array().unwrap() {
            let code = param["name"].as_str().unwrap();
            let (code, value) = match param["type"].as_str().unwrap() {
                "date" => (code.to_owned(), "2026"),
                "number" | "quantity" => (code.to_owned(), "5"),
                "uri" => (code.to_owned(), "http://a.kr"),
                "composite" | "special" => (format!("{code}:missing"), "true"),
                _ => (code.to_owned(), "x"),
            };
            server.get(&format!("/{name}?{code}={value}&_summary=count")).expect(200);
            asked += 1;
        }
        for include in resource["searchInclude"].as_array().unwrap() {
            server.get(&format!("/{name}?_include={}&_id=x", include.as_str().unwrap())).expect(200);
        }
    }
    assert!(asked > 60, "{asked}");
}

fn tells_the_search_language(kind: Kind) {
    let server = Server::open(kind);
    let rest = &server.get("/metadata").expect(200).json()["rest"][0];
    let names: Vec<&str> =
        rest["searchParam"].as_array().unwrap().iter().map(|param| param["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["_type", "_list", "_filter", "_has", "_contained", "_containedType", "_sort"]);
    server
        .get("?_type=Patient&_list=x&_filter=_id%20eq%201&_has:Observation:patient:_id=1&_sort=_id")
        .expect(200);
    let documentation = rest["documentation"].as_str().unwrap();
    for told in [
        "string: missing, exact, contains;",
        "token: missing, text, not, in, not-in, above, below, of-type;",
        "reference: missing, above, below, identifier, [type];",
        "uri: missing, above, below;",
        "date: eq, ne, gt, ge, lt, le, sa, eb, ap",
    ] {
        assert!(documentation.contains(told), "{told}: {documentation}");
    }
    let of = |kind: &str| {
        let resources = rest["resource"].as_array().unwrap();
        resources.iter().find(|resource| resource["type"] == kind).unwrap().clone()
    };
    let param = |kind: &str, name: &str| {
        let params = of(kind)["searchParam"].as_array().unwrap().clone();
        params.into_iter().find(|param| param["name"] == name).unwrap_or_else(|| panic!("{kind} {name}"))
    };
    for (kind, name, of_type) in [
        ("Observation", "code-value-quantity", "composite"),
        ("Location", "near", "special"),
        ("Patient", "_text", "string"),
        ("Patient", "_content", "string"),
        ("Patient", "_id", "token"),
    ] {
        assert_eq!(param(kind, name)["type"], of_type, "{kind} {name}");
    }
    for kind in ["Encounter", "Group", "Patient"] {
        let operations = of(kind)["operation"].to_string();
        assert!(operations.contains(&format!("{kind}-everything")), "{operations}");
    }
    assert!(!of("Observation")["operation"].to_string().contains("everything"));
}
