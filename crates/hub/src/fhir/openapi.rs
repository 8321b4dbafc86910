//! The OpenAPI document (OpenAPI 3.1), computed from the table of routes and, where there is an authorization server, from
//! its addresses: what can be asked, with which parameters and bodies, and with which statuses it is answered. What resources
//! hold is told by the CapabilityStatement and R4's definitions, not here.

use axum::http::Method;
use ieum_fhir::definitions::r4;
use serde_json::{Map, Value, json};

use super::subset;
use crate::authorization::{self, origin, routes as oauth};
use crate::call::{Answer, Call, Content, Failure, PatchKind};
use crate::hub::Entrance;
use crate::routes::{self, Gives, Route, Takes, Who};

const FHIR: &str = "application/fhir+json";
const FORM: &str = "application/x-www-form-urlencoded";
const LINES: &str = "application/fhir+ndjson";
/// Parameters by which searches are shaped, of every type.
const SEARCH: [&str; 12] = [
    "_count",
    "_elements",
    "_id",
    "_include",
    "_lastUpdated",
    "_page",
    "_revinclude",
    "_sort",
    "_summary",
    "_total",
    "_has",
    "_type",
];
const HISTORY: [&str; 6] = ["_at", "_count", "_elements", "_page", "_since", "_summary"];
const EVERYTHING: [&str; 8] = ["_count", "_elements", "_page", "_since", "_summary", "_type", "end", "start"];
const EXPORT: [&str; 7] =
    ["_elements", "_outputFormat", "_since", "_type", "_typeFilter", "_until", "patient"];

/// `GET [base]/openapi.json`.
pub(super) fn openapi(call: &Call<'_>) -> Result<Answer, Failure> {
    subset::check_parameters(call, &[])?;
    let json = document(call).to_string().into_bytes();
    Ok(Answer { content: Content::Json(json), ..Answer::empty(axum::http::StatusCode::OK) })
}

fn document(call: &Call<'_>) -> Value {
    let with_accounts = call.hub.entrance() == Entrance::Accounts;
    let mut paths = Map::new();
    for route in routes::all().filter(|route| route.gives != Gives::Socket) {
        add(&mut paths, route.pattern, &route.method, operation(route, with_accounts));
    }
    if call.hub.authorization().is_some() {
        for route in oauth::ROUTES {
            add(&mut paths, route.path, &route.method, address(route));
        }
    } else {
        // An open hub has none, and nothing of SMART.
        paths.remove("/fhir/.well-known/smart-configuration");
    }
    let kinds = r4().resource_types();
    let inner: Vec<&str> = kinds.iter().copied().chain(["*"]).collect();
    let mut components = json!({
        "schemas": {
            "Resource": { "type": "object", "required": ["resourceType"], "properties": { "resourceType": { "type": "string" } } },
            "OperationOutcome": {
                "type": "object", "required": ["resourceType", "issue"],
                "properties": { "resourceType": { "const": "OperationOutcome" }, "issue": { "type": "array", "minItems": 1, "items": { "type": "object" } } },
            },
        },
        "parameters": { "kind": in_path("kind", &json!({ "enum": kinds })), "inner": in_path("inner", &json!({ "enum": inner })) },
    });
    if with_accounts {
        let what = "The secret of an account, or an access token of the authorization server.";
        components["securitySchemes"] =
            json!({ "bearer": { "type": "http", "scheme": "bearer", "description": what } });
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ieum", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "FHIR R4, computed from the table of routes. GET /fhir/metadata tells which parameters each type is searched by.",
        },
        "servers": [{ "url": origin(call.hub.base_url()) }],
        "paths": paths,
        "components": components,
    })
}

fn add(paths: &mut Map<String, Value>, path: &str, method: &Method, operation: Value) {
    let operations = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    operations[method.as_str().to_ascii_lowercase()] = operation;
}

fn operation(route: &Route, with_accounts: bool) -> Value {
    let words: Vec<&str> = route
        .pattern
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let name = format!("{}_{}", route.method.as_str().to_ascii_lowercase(), words.join("_"));
    let mut out = json!({
        "operationId": name,
        "summary": route.action,
        "parameters": parameters(route),
        "responses": responses(route, with_accounts),
    });
    if let Some(content) = body(route.takes) {
        let required = !matches!(route.takes, Takes::Form | Takes::Parameters);
        out["requestBody"] = json!({ "required": required, "content": content });
    }
    if with_accounts && route.who != Who::Anybody {
        out["security"] = json!([{ "bearer": [] }]);
    }
    out
}

fn in_path(name: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

/// What is in the path, the query and the headers.
fn parameters(route: &Route) -> Vec<Value> {
    let mut all = Vec::new();
    for part in route.pattern.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let schema = match part {
            "kind" | "inner" => {
                all.push(json!({ "$ref": format!("#/components/parameters/{part}") }));
                continue;
            }
            "version" => json!({ "type": "integer", "minimum": 1 }),
            _ => json!({ "type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$" }),
        };
        all.push(in_path(part, &schema));
    }
    let is_search = route.action.starts_with("search");
    let in_query: &[&str] = match route.action {
        _ if is_search && route.takes == Takes::Nothing => &SEARCH,
        "history-system" | "history-type" | "history-instance" => &HISTORY,
        "everything" if route.takes == Takes::Nothing => &EVERYTHING,
        "export" if route.takes == Takes::Nothing => &EXPORT,
        "read" | "vread" => &["_elements", "_summary"],
        "capabilities" => &["mode"],
        _ => &[],
    };
    let query = |name: &&str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    all.extend(in_query.iter().map(query));
    if route.gives == Gives::Json {
        all.push(json!({ "name": "_format", "in": "query", "schema": { "type": "string" } }));
        all.push(json!({ "name": "_pretty", "in": "query", "schema": { "type": "boolean" } }));
    }
    let by_criteria =
        ["update", "patch", "delete"].contains(&route.action) && !route.pattern.contains("{id}");
    if by_criteria || is_search && route.takes == Takes::Nothing {
        let any = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        all.push(json!({ "name": "criteria", "in": "query", "style": "form", "explode": true, "schema": any, "description": "Search parameters of the type." }));
    }
    let in_headers: &[&str] = match route.action {
        "read" | "vread" => &["If-None-Match", "If-Modified-Since"],
        "create" => &["If-None-Exist", "Prefer"],
        "update" | "patch" => &["If-Match", "If-None-Match", "Prefer"],
        "delete" => &["If-Match"],
        "everything" | "export" | "import" | "bundle" => &["Prefer"],
        "job-file" => &["Range"],
        _ if is_search => &["Prefer"],
        _ => &[],
    };
    let header = |name: &&str| json!({ "name": name, "in": "header", "schema": { "type": "string" } });
    all.extend(in_headers.iter().map(header));
    all
}

fn body(takes: Takes) -> Option<Value> {
    let resource = || json!({ "schema": { "$ref": "#/components/schemas/Resource" } });
    Some(match takes {
        Takes::Nothing => return None,
        Takes::Resource | Takes::Bundle | Takes::Parameters => json!({ FHIR: resource() }),
        Takes::Form => {
            json!({ FORM: { "schema": { "type": "object", "additionalProperties": { "type": "string" } } } })
        }
        Takes::Patch => {
            let any = |kind: PatchKind| {
                (kind.media().to_owned(), json!({ "schema": { "type": ["object", "array"] } }))
            };
            PatchKind::ALL.map(any).into_iter().collect::<Map<_, _>>().into()
        }
        Takes::Lines => json!({ FHIR: resource(), LINES: { "schema": { "type": "string" } } }),
    })
}

/// Every status with which a route answers, and what comes with it.
fn responses(route: &Route, with_accounts: bool) -> Value {
    let mut out = Map::new();
    for status in succeeding(route.action) {
        let media = match route.gives {
            Gives::File => LINES,
            _ if ["job-status", "smart-configuration", "openapi"].contains(&route.action) => {
                "application/json"
            }
            _ => FHIR,
        };
        let has_content = ![202, 204, 304].contains(status);
        let schema =
            if media == FHIR { json!({ "$ref": "#/components/schemas/Resource" }) } else { json!({}) };
        let content = json!({ media: { "schema": schema } });
        out.insert(status.to_string(), told(has_content.then_some(content)));
    }
    let outcome = json!({ FHIR: { "schema": { "$ref": "#/components/schemas/OperationOutcome" } } });
    for status in failing(route, with_accounts) {
        out.insert(status.to_string(), told(Some(outcome.clone())));
    }
    out.into()
}

fn told(content: Option<Value>) -> Value {
    // What a status means is HTTP's and FHIR's; the codes in an OperationOutcome are in docs/errors.md.
    let mut out = json!({ "description": "" });
    if let Some(content) = content {
        out["content"] = content;
    }
    out
}

/// The statuses of success of an action.
fn succeeding(action: &str) -> &'static [u16] {
    match action {
        "create" | "update" => &[200, 201],
        "read" | "vread" => &[200, 304],
        "delete" => &[204],
        "export" | "import" | "job-cancel" => &[202],
        "job-status" | "everything" | "search" | "search-system" | "search-compartment" => &[200, 202],
        "job-file" => &[200, 206],
        _ => &[200],
    }
}

/// The statuses of failure of a route.
fn failing(route: &Route, with_accounts: bool) -> Vec<u16> {
    // Bad parameters, too long an address, too large a head, nobody has time.
    let mut all = vec![400, 414, 431, 503];
    if route.gives == Gives::Json {
        all.push(406);
    }
    if with_accounts && route.who != Who::Anybody {
        // What a role, a scope or an institution may not.
        all.extend([401, 403, 429]);
    }
    if route.pattern.contains(['{', '$']) {
        all.push(404);
    }
    if route.takes != Takes::Nothing {
        all.extend([408, 413, 415, 422]);
    }
    let is_write = route.who == Who::Writers || route.takes == Takes::Bundle;
    if is_write {
        // Taken ids, versions that are not current, a full disk.
        all.extend([409, 412, 507]);
    }
    match route.action {
        "read" | "vread" | "patch" | "everything" => all.push(410),
        "update" if !route.pattern.contains("{id}") => all.push(404),
        "job-file" => all.push(416),
        "import" => all.push(403),
        "subscription-events" | "subscription-token" => all.extend([403, 422]),
        "delete" => all.push(422),
        _ => {}
    }
    // What is done later may be too much at once, and asked for where nothing is done later.
    if ["export", "import", "everything"].contains(&route.action) || route.action.starts_with("search") {
        all.push(429);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// An address of the authorization server.
fn address(route: &authorization::routes::Route) -> Value {
    let json = |status: u16| {
        (status.to_string(), told(Some(json!({ "application/json": { "schema": { "type": "object" } } }))))
    };
    let statuses: &[u16] =
        if route.method == Method::GET { &[200, 400, 503] } else { &[200, 201, 400, 401, 429, 503] };
    let mut out = json!({
        "operationId": route.path.split(|letter: char| !letter.is_ascii_alphanumeric()).collect::<Vec<_>>().join("_"),
        "summary": route.action,
        "responses": statuses.iter().copied().map(json).collect::<Map<_, _>>(),
    });
    if route.method == Method::POST {
        out["requestBody"] = json!({ "required": true, "content": body(Takes::Form) });
    }
    out
}
