//! What can be asked at each route about records that one may not know of.

use std::collections::BTreeSet;

use ieum::routes::Route;
use serde_json::{Value, json};

use super::world::Record;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// Whether the answer may tell that an id is taken, which is known to be so (`docs/security.md`): it is not compared.
    pub(super) tells_taken: bool,
}

/// Names of what another account has.
pub(super) struct Others<'o> {
    pub(super) job: &'o str,
    pub(super) subscription: &'o str,
}

/// Types within whose compartments one searches.
const OWNERS: [&str; 3] = ["Patient", "Encounter", "RelatedPerson"];

/// Every question at a route about these records. A route that is not known here has none, and fails the test.
pub(super) fn at(route: &'static Route, hidden: &[Record], others: &Others<'_>) -> Vec<Question> {
    let kinds: BTreeSet<&str> = hidden.iter().map(|record| record.kind).collect();
    let ask = Ask { route, hidden, kinds };
    let pattern = route.pattern.strip_prefix("/fhir").unwrap();
    match (route.method.as_str(), pattern) {
        (_, "/metadata" | "/.well-known/smart-configuration" | "/openapi.json" | "/$ws") => {
            vec![ask.plain(pattern.to_owned())]
        }
        ("GET", "") => ask.system_searches("?"),
        ("POST", "/_search") => ask.forms(ask.system_searches("?")),
        ("POST", "") => ask.bundles(),
        ("GET", "/_history") => vec![
            ask.plain("/_history?_count=1000".into()),
            ask.plain("/_history?_since=2020-01-01T00:00:00Z".into()),
        ],
        ("GET", "/{kind}") => ask.searches(),
        ("POST", "/{kind}/_search") => ask.forms(ask.searches()),
        ("POST", "/{kind}") => ask.creates(),
        ("PUT", "/{kind}") => vec![ask.sent(
            "/Patient?identifier=urn:canary|canary-two".into(),
            &json!({"resourceType": "Patient", "active": false}),
        )],
        ("PATCH", "/{kind}") => ask.by_criteria().map(|path| ask.patch(path)).collect(),
        ("DELETE", "/{kind}") => ask.by_criteria().map(|path| ask.plain(path)).collect(),
        ("GET", "/{kind}/_history") => {
            ask.kinds.iter().map(|kind| ask.plain(format!("/{kind}/_history"))).collect()
        }
        ("GET", "/{kind}/{id}") => ask.reads(),
        ("PUT", "/{kind}/{id}") => ask.of_each(|kind, id| ask.overwrite(kind, id)),
        ("PATCH", "/{kind}/{id}") => ask.of_each(|kind, id| ask.patch(format!("/{kind}/{id}"))),
        ("DELETE", "/{kind}/{id}") => ask.of_each(|kind, id| ask.plain(format!("/{kind}/{id}"))),
        ("GET", "/{kind}/{id}/_history") => {
            ask.of_each(|kind, id| ask.plain(format!("/{kind}/{id}/_history")))
        }
        ("GET", "/{kind}/{id}/_history/{version}") => ["1", "2"]
            .iter()
            .flat_map(|version| ask.of_each(|kind, id| ask.plain(format!("/{kind}/{id}/_history/{version}"))))
            .collect(),
        ("GET", "/{kind}/{id}/{inner}") => ask.compartments(),
        ("POST", "/{kind}/{id}/{inner}/_search") => ask.forms(ask.compartments()),
        (_, "/Patient/{id}/$everything" | "/Encounter/{id}/$everything" | "/Group/{id}/$everything") => {
            ask.everything(pattern)
        }
        (_, "/$export" | "/{kind}/$export" | "/Group/{id}/$export") => ask.exports(pattern),
        ("POST", "/$import") => vec![ask.import()],
        (_, "/$jobs/{id}") => vec![ask.plain(format!("/$jobs/{}", others.job))],
        (_, "/$jobs/{id}/{file}") => vec![ask.plain(format!("/$jobs/{}/Patient.1.ndjson", others.job))],
        ("GET", pattern) if pattern.starts_with("/Subscription/") => ask.subscriptions(pattern, others, ""),
        ("POST", pattern) if pattern.starts_with("/Subscription/") => {
            let id = json!({"name": "id", "valueString": others.subscription});
            let parameter = if pattern.contains("{id}") { json!([]) } else { json!([id]) };
            let body = if pattern.contains("{id}") {
                json!({"resourceType": "Parameters"})
            } else {
                json!({"resourceType": "Parameters", "parameter": parameter})
            };
            ask.subscriptions(pattern, others, &body.to_string())
        }
        _ => Vec::new(),
    }
}

struct Ask<'a> {
    route: &'static Route,
    hidden: &'a [Record],
    kinds: BTreeSet<&'a str>,
}

impl Ask<'_> {
    fn plain(&self, path: String) -> Question {
        Question {
            method: self.route.method.as_str(),
            path,
            headers: Vec::new(),
            body: String::new(),
            tells_taken: false,
        }
    }

    fn sent(&self, path: String, body: &Value) -> Question {
        let headers = vec![("content-type", "application/fhir+json".to_owned())];
        Question { headers, body: body.to_string(), ..self.plain(path) }
    }

    fn patch(&self, path: String) -> Question {
        let headers = vec![("content-type", "application/json-patch+json".to_owned())];
        let body = r#"[{"op":"test","path":"/id","value":"canary"}]"#.to_owned();
        Question { headers, body, ..self.plain(path) }
    }

    /// The same searches as forms.
    fn forms(&self, searches: Vec<Question>) -> Vec<Question> {
        let form = |question: Question| {
            let (path, query) = question.path.split_once('?').unwrap_or((&question.path, ""));
            let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
            Question { path: format!("{path}/_search"), headers, body: query.to_owned(), ..question.clone() }
        };
        searches.into_iter().map(form).collect()
    }

    fn of_each(&self, ask: impl Fn(&str, &str) -> Question) -> Vec<Question> {
        self.hidden.iter().map(|record| ask(record.kind, &record.id)).collect()
    }

    fn reads(&self) -> Vec<Question> {
        let mut all = self.of_each(|kind, id| self.plain(format!("/{kind}/{id}")));
        all.extend(self.of_each(|kind, id| self.plain(format!("/{kind}/{id}?_elements=id"))));
        let known = vec![("if-none-match", "W/\"1\"".to_owned())];
        all.extend(
            self.of_each(|kind, id| Question {
                headers: known.clone(),
                ..self.plain(format!("/{kind}/{id}"))
            }),
        );
        all.extend(
            self.of_each(|kind, id| Question { method: "HEAD", ..self.plain(format!("/{kind}/{id}")) }),
        );
        all
    }

    fn overwrite(&self, kind: &str, id: &str) -> Question {
        let mut body = json!({"resourceType": kind, "id": id});
        if kind == "Condition" {
            body["subject"] = json!({"reference": "Patient/p2"});
        }
        Question { tells_taken: true, ..self.sent(format!("/{kind}/{id}"), &body) }
    }

    fn system_searches(&self, start: &str) -> Vec<Question> {
        let types: Vec<&str> = self.kinds.iter().copied().collect();
        let types = types.join(",");
        let ids: Vec<&str> = self.hidden.iter().map(|record| record.id.as_str()).collect();
        let queries = [
            format!("_type={types}&_count=200"),
            format!("_type={types}&_id={}", ids.join(",")),
            format!("_type={types}&_total=accurate&_summary=count"),
        ];
        queries.into_iter().map(|query| self.plain(format!("{start}{query}"))).collect()
    }

    /// Every way in which a search may pass by what is hidden.
    fn searches(&self) -> Vec<Question> {
        let mut paths: Vec<String> = [
            "Patient?identifier=urn:canary|canary-two",
            "Patient?name=카나리아",
            "Patient?birthdate=1980-01-01&_sort=name",
            "Patient?_has:Condition:subject:code:text=canary-p2-b",
            "Patient?_has:Condition:subject:code:text=canary-p1-b",
            "Patient?_has:Observation:patient:code=4548-4",
            "Patient?_has:Encounter:patient:_has:Condition:encounter:code:text=canary-p1-b",
            "Patient?active=true&_revinclude=*",
            "Patient?_revinclude=Condition:subject&_revinclude:iterate=Provenance:target",
            "Patient?_sort=-_lastUpdated&_count=1",
            "Patient?name:missing=false",
            "Patient?identifier:not=one",
            "Patient?_id:not=p1",
            "Practitioner?_id=d&_revinclude=Observation:performer",
            "Practitioner?_has:Observation:performer:patient.name=카나리아",
            "Organization?_id=b&_revinclude=Encounter:service-provider",
            "Organization?_has:Encounter:service-provider:patient=Patient/p2",
            "Condition?subject=Patient/p2",
            "Condition?subject:Patient.identifier=canary-two",
            "Condition?patient.name=카나리아",
            "Condition?code:text=canary-sealed",
            "Condition?code:not=x",
            "Condition?encounter.date=2001-01-01",
            "Condition?_include=Condition:subject&_include:iterate=Patient:general-practitioner",
            "Condition?_sort=subject",
            "Condition?subject:Patient._has:Encounter:patient:date=2001-01-01",
            "Observation?value-quantity=gt6",
            "Observation?code=4548-4&_sort=date",
            "Observation?patient._id=p2",
            "Observation?encounter=e-p1-b",
            "Provenance?target=Patient/p2",
            "Provenance?target=Condition/c-p1-b&_include=Provenance:target",
            "Provenance?_include=*",
            "Encounter?service-provider=Organization/b",
            "Encounter?service-provider.name=가상&_include=Encounter:subject",
            "Group?member=Patient/p2",
            "RelatedPerson?patient=Patient/p2",
            "Composition?_include=Composition:subject",
        ]
        .map(str::to_owned)
        .to_vec();
        for kind in &self.kinds {
            paths.extend(
                [
                    "_count=200",
                    "_total=accurate",
                    "_summary=count",
                    "_lastUpdated=gt2020-01-01",
                    "_sort=-_lastUpdated",
                ]
                .map(|query| format!("{kind}?{query}")),
            );
        }
        for Record { kind, id, .. } in self.hidden {
            paths.push(format!("{kind}?_id={id}"));
        }
        paths.into_iter().map(|path| self.plain(format!("/{path}"))).collect()
    }

    fn by_criteria(&self) -> impl Iterator<Item = String> {
        let criteria = [
            "/Patient?identifier=urn:canary|canary-two",
            "/Condition?code:text=canary-p1-b",
            "/Condition?code:text=canary-p2-b",
        ];
        criteria.into_iter().map(str::to_owned)
    }

    fn creates(&self) -> Vec<Question> {
        let patient = json!({"resourceType": "Patient", "identifier": [{"system": "urn:canary", "value": "canary-two"}]});
        let mut once = self.sent("/Patient".into(), &patient);
        once.headers.push(("if-none-exist", "identifier=urn:canary|canary-two".to_owned()));
        let about = json!({"resourceType": "Condition", "subject": {"reference": "Patient/p2"}});
        let by_condition =
            json!({"resourceType": "Condition", "subject": {"reference": "Patient?name=카나리아"}});
        vec![once, self.sent("/Condition".into(), &about), self.sent("/Condition".into(), &by_condition)]
    }

    fn bundles(&self) -> Vec<Question> {
        let get = |url: String| json!({"request": {"method": "GET", "url": url}});
        let reads = self.hidden.iter().map(|record| get(format!("{}/{}", record.kind, record.id)));
        let searches = self.searches().into_iter().map(|question| get(question.path[1..].to_owned()));
        let entries: Vec<Value> = reads.chain(searches).collect();
        let delete = |url: &str| json!({"request": {"method": "DELETE", "url": url}});
        let patch = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Condition.code"}]}]});
        let writes = [
            json!([{"resource": {"resourceType": "Condition", "subject": {"reference": "Patient?identifier=urn:canary|canary-two"}}, "request": {"method": "POST", "url": "Condition"}}]),
            json!([{"resource": {"resourceType": "Patient", "active": true}, "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:canary|canary-two"}}]),
            json!([{"resource": patch, "request": {"method": "PATCH", "url": "Condition/c-p2-b"}}]),
            json!([delete("Condition/c-p2-b"), delete("Condition?code:text=canary-p1-b")]),
        ];
        let bundle = |kind: &str, entry: Value| {
            self.sent(String::new(), &json!({"resourceType": "Bundle", "type": kind, "entry": entry}))
        };
        let mut all = vec![bundle("batch", entries.clone().into()), bundle("transaction", entries.into())];
        for entry in writes {
            all.extend(["batch", "transaction"].map(|kind| bundle(kind, entry.clone())));
        }
        all
    }

    fn compartments(&self) -> Vec<Question> {
        let owners = self
            .hidden
            .iter()
            .filter(|record| OWNERS.contains(&record.kind))
            .map(|record| format!("{}/{}", record.kind, record.id));
        // One's own too, in which others may have written.
        let owners: BTreeSet<String> =
            owners.chain(["Patient/p1".to_owned(), "Practitioner/d".to_owned()]).collect();
        owners
            .into_iter()
            .flat_map(|owner| {
                ["Observation", "Condition", "*"]
                    .map(|inner| self.plain(format!("/{owner}/{inner}?_count=200")))
            })
            .collect()
    }

    fn everything(&self, pattern: &str) -> Vec<Question> {
        let kind = pattern.split('/').nth(1).unwrap();
        let mut ids: BTreeSet<&str> = self
            .hidden
            .iter()
            .filter(|record| record.kind == kind)
            .map(|record| record.id.as_str())
            .collect();
        ids.extend(["p1", "e-p1-a", "g-p1-a"]);
        let ask = |id: &str| {
            let path = format!("/{kind}/{id}/$everything");
            if self.route.method == "GET" {
                self.plain(path)
            } else {
                self.sent(path, &json!({"resourceType": "Parameters"}))
            }
        };
        ids.into_iter().map(ask).collect()
    }

    fn exports(&self, pattern: &str) -> Vec<Question> {
        let path = pattern.replace("{kind}", "Patient").replace("{id}", "g-p2-b");
        let one = if self.route.method == "GET" {
            self.plain(path)
        } else {
            let patient = json!([{"name": "patient", "valueReference": {"reference": "Patient/p2"}}]);
            let types = json!([{"name": "_type", "valueString": "Patient,Condition"}]);
            let parameter = if pattern == "/$export" { types } else { patient };
            self.sent(path, &json!({"resourceType": "Parameters", "parameter": parameter}))
        };
        let mut all = vec![one];
        for question in &mut all {
            question.headers.push(("prefer", "respond-async".to_owned()));
        }
        all
    }

    fn import(&self) -> Question {
        let line =
            json!({"resourceType": "Condition", "id": "imported", "subject": {"reference": "Patient/p2"}});
        let headers = vec![
            ("content-type", "application/fhir+ndjson".to_owned()),
            ("prefer", "respond-async".to_owned()),
        ];
        Question { headers, body: format!("{line}\n"), ..self.plain("/$import".into()) }
    }

    fn subscriptions(&self, pattern: &str, others: &Others<'_>, body: &str) -> Vec<Question> {
        let mut path = pattern.replace("{id}", others.subscription);
        if body.is_empty() && !pattern.contains("{id}") {
            path += &format!("?id={}", others.subscription);
        }
        let mut question = self.plain(path);
        if !body.is_empty() {
            question.headers.push(("content-type", "application/fhir+json".to_owned()));
            body.clone_into(&mut question.body);
        }
        vec![question]
    }
}
