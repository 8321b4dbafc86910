//! The CapabilityStatement (R4, `http.html#capabilities`), computed from what the code does: the routes, the
//! definitions, and what the search parser takes.

use ieum_fhir::date::format_instant;
use ieum_fhir::definitions::{SearchParamDef, r4};
use ieum_fhir::index::ParamType;
use ieum_fhir::outcome::Code;
use ieum_fhir::search;
use ieum_store::catalogue::KindDef;
use serde_json::{Map, Value, json};

use super::{error, search_context, subset};
use crate::authorization::discovery;
use crate::call::{Answer, Call, Failure, PatchKind};
use crate::hub::Entrance;
use crate::routes::{self, Offer};
use crate::subscriptions::extensions::{PROFILE, TOPIC};
use crate::subscriptions::topics::TOPICS;

mod language;

/// `GET [base]/metadata`.
pub(super) fn capability(call: &Call<'_>) -> Result<Answer, Failure> {
    subset::check_parameters(call, &["mode"])?;
    if call.values("mode").any(|mode| mode != "full" && mode != "normative") {
        return Err(error::bad(Code::SearchNotSupported, "search parameter mode: must be full or normative"));
    }
    let generation = call.kinds.catalogue().generation();
    Ok(Answer::resource(call.hub.capabilities(generation, || statement(call).to_string().into_bytes())))
}

fn statement(call: &Call<'_>) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let offers: Vec<Offer> = routes::all().flat_map(|route| route.offers).copied().collect();
    let system: Vec<Value> = offers
        .iter()
        .filter_map(
            |offer| if let Offer::System(code) = offer { Some(json!({ "code": code })) } else { None },
        )
        .collect();
    let operations: Vec<Value> = offers
        .iter()
        .filter_map(|offer| match offer {
            Offer::SystemOperation(name, definition) => {
                Some(json!({ "name": name, "definition": definition }))
            }
            _ => None,
        })
        .collect();
    let compartments: Vec<Value> = offers
        .iter()
        .filter_map(|offer| if let Offer::Compartments(owners) = offer { Some(*owners) } else { None })
        .flatten()
        .map(|owner| format!("http://hl7.org/fhir/CompartmentDefinition/{}", lower_first(owner)).into())
        .collect();
    let security = security(call);
    let context = search_context(call, &search::R4, true);
    let all = Includes::all(call);
    let resources: Vec<Value> =
        r4().resource_types().iter().map(|kind| resource(call, kind, &offers, &all)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "url": format!("{}/metadata", call.hub.base_url()),
        "version": version,
        "name": "Ieum",
        "title": "Ieum, an integrated health information hub",
        "status": "active",
        "experimental": call.hub.entrance() == Entrance::Open,
        "date": format_instant(call.hub.now()),
        "description": "What this server does, computed from its routes, definitions and search parser.",
        "kind": "instance",
        "instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"],
        "software": { "name": "Ieum", "version": version },
        "implementation": { "description": "Ieum", "url": call.hub.base_url() },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": PatchKind::ALL.map(PatchKind::media),
        "rest": [{
            "mode": "server",
            "documentation": language::documentation(&context),
            "security": security,
            "resource": resources,
            "interaction": system,
            "searchParam": language::of_all_types(&context),
            "operation": operations,
            "compartment": compartments,
        }],
    })
}

fn security(call: &Call<'_>) -> Value {
    let description = match call.hub.entrance() {
        Entrance::Open => "Open to anybody, on this machine only: for trying out.",
        Entrance::Accounts => {
            "Requests need the header Authorization: the secret of an account as Bearer, or a token as Bearer or DPoP."
        }
    };
    let authorization = call.hub.authorization();
    let mut security = authorization.map_or_else(|| json!({}), |own| discovery::security(&own.server));
    security["description"] = description.into();
    security
}

fn resource(call: &Call<'_>, kind: &str, offers: &[Offer], includes: &Includes) -> Value {
    let mut out = Map::new();
    out.insert("type".into(), kind.into());
    out.insert("profile".into(), format!("http://hl7.org/fhir/StructureDefinition/{kind}").into());
    if kind == "Subscription" {
        out.insert("extension".into(), topics());
        out.insert("supportedProfile".into(), json!([PROFILE]));
    }
    let interactions: Vec<Value> = offers
        .iter()
        .filter_map(|offer| if let Offer::Type(code) = offer { Some(json!({ "code": code })) } else { None })
        .collect();
    out.insert("interaction".into(), interactions.into());
    out.insert("versioning".into(), "versioned-update".into());
    for offer in offers {
        match offer {
            Offer::Flag(name) => out.insert((*name).into(), true.into()),
            Offer::Code(name, code) => out.insert((*name).into(), (*code).into()),
            _ => None,
        };
    }
    out.insert("referencePolicy".into(), json!(["literal"]));
    let own = &includes.from[kind];
    let mut include: Vec<Value> = own.iter().map(|code| format!("{kind}:{code}").into()).collect();
    if !include.is_empty() {
        include.insert(0, "*".into());
    }
    insert_list(&mut out, "searchInclude", include);
    let to = includes.to.get(kind).into_iter().flatten();
    insert_list(&mut out, "searchRevInclude", to.map(|source| source.as_str().into()).collect());
    let params = r4().search_params(kind).iter().filter(|param| is_taken(call, kind, param));
    let params = params
        .map(|param| json!({ "name": param.code, "definition": param.url, "type": type_code(param.kind) }));
    let own = call.kinds.catalogue().kind(kind).into_iter().flat_map(KindDef::custom);
    let own = own.filter(|(param, _)| param.progress.is_none());
    let own = own.map(|(param, by)| {
        json!({ "name": param.code, "definition": by.url, "type": type_code(param.param_type) })
    });
    insert_list(&mut out, "searchParam", params.chain(own).collect());
    let operations = offers.iter().filter_map(|offer| match offer {
        Offer::Operation(name, of, definition) if *of == kind => {
            Some(json!({ "name": name, "definition": definition }))
        }
        // Patient has an operation of this name of its own.
        Offer::TypeOperation(name, definition)
            if !offers.iter().any(|other| matches!(other, Offer::Operation(own, "Patient", _) if own == name && kind == "Patient")) =>
        {
            Some(json!({ "name": name, "definition": definition }))
        }
        _ => None,
    });
    insert_list(&mut out, "operation", operations.collect());
    out.into()
}

/// The topics that can be subscribed to, as the guide has it for R4.
fn topics() -> Value {
    let topics = TOPICS.iter().map(|topic| json!({ "url": TOPIC, "valueCanonical": topic.url }));
    topics.collect::<Vec<_>>().into()
}

fn insert_list(out: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        out.insert(name.into(), list.into());
    }
}

/// Whether the search parser takes the parameter: it is asked.
fn is_taken(call: &Call<'_>, kind: &str, param: &SearchParamDef) -> bool {
    let (name, value) = match param.code {
        "_id" => ("_id".to_owned(), "1"),
        "_lastUpdated" => ("_lastUpdated".to_owned(), "2026"),
        "_text" | "_content" => (param.code.to_owned(), "text"),
        code => (format!("{code}:missing"), "true"),
    };
    search::parse(kind, &[(name, value.to_owned())], &search_context(call, &search::R4, true)).is_ok()
}

/// References that can be followed with `_include` and `_revinclude`.
struct Includes {
    /// By type: its reference parameters.
    from: std::collections::BTreeMap<String, Vec<String>>,
    /// By type: the `Type:parameter` that may point to it by name.
    to: std::collections::BTreeMap<String, Vec<String>>,
}

impl Includes {
    fn all(call: &Call<'_>) -> Self {
        let mut includes = Self { from: Default::default(), to: Default::default() };
        for kind in r4().resource_types() {
            let mut own = Vec::new();
            for param in r4().search_params(kind) {
                if param.kind != ParamType::Reference || !is_taken(call, kind, param) {
                    continue;
                }
                own.push(param.code.to_owned());
                // Parameters that may point to anything would be repeated under every type.
                let targets =
                    param.targets.iter().filter(|_| param.targets.len() < r4().resource_types().len());
                for target in targets {
                    includes.to.entry((*target).into()).or_default().push(format!("{kind}:{}", param.code));
                }
            }
            let custom = call.kinds.catalogue().kind(kind).into_iter().flat_map(KindDef::custom);
            for (param, _) in custom {
                if param.param_type == ParamType::Reference && param.progress.is_none() {
                    own.push(param.code.clone());
                    for target in &param.targets {
                        let source = format!("{kind}:{}", param.code);
                        includes.to.entry(target.clone()).or_default().push(source);
                    }
                }
            }
            includes.from.insert((*kind).into(), own);
        }
        includes
    }
}

/// `RelatedPerson` as the definition of its compartment is named: `relatedPerson`.
fn lower_first(name: &str) -> String {
    let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    first.to_ascii_lowercase() + rest
}

fn type_code(kind: ParamType) -> &'static str {
    match kind {
        ParamType::Token => "token",
        ParamType::Reference => "reference",
        ParamType::String => "string",
        ParamType::Date => "date",
        ParamType::Composite => "composite",
        ParamType::Uri => "uri",
        ParamType::Quantity => "quantity",
        ParamType::Number => "number",
        ParamType::Special => "special",
    }
}
