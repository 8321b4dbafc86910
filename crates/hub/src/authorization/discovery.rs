//! What apps read first. Only what is true stands here.

use ieum_trust::authorization::dpop;
use ieum_trust::authorization::server::{ASSERTION_ALGORITHMS, Server};
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call, Content, Failure};
use crate::fhir::error;
use crate::hub::Hub;
use ieum_fhir::outcome::Code;

/// What a SMART app may rely on (SMART App Launch 2.2, "Capability sets").
const CAPABILITIES: [&str; 11] = [
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-ehr-patient",
    "context-standalone-patient",
    "permission-offline",
    "permission-patient",
    "permission-user",
    "permission-v2",
];

/// Metadata of the authorization server (RFC 8414), with what PAR, DPoP, RFC 9207 and OpenID Connect add.
pub(super) fn metadata(hub: &Hub, server: &Server) -> Value {
    let mut all = common(server);
    all.insert("issuer".into(), server.issuer().into());
    if server.registers() {
        all.insert("registration_endpoint".into(), server.endpoint("register").into());
    }
    all.insert("response_modes_supported".into(), json!(["query"]));
    all.insert("require_pushed_authorization_requests".into(), false.into());
    all.insert("authorization_response_iss_parameter_supported".into(), true.into());
    let algorithms = dpop::ALGORITHMS.iter().map(|algorithm| algorithm.name());
    all.insert("dpop_signing_alg_values_supported".into(), algorithms.collect());
    all.insert("subject_types_supported".into(), json!(["public"]));
    all.insert("id_token_signing_alg_values_supported".into(), json!(["ES256"]));
    all.insert("protected_resources".into(), json!([hub.base_url()]));
    for endpoint in ["introspection", "revocation"] {
        let name = |what: &str| format!("{endpoint}_endpoint_auth_{what}_supported");
        all.insert(name("methods"), methods(server, endpoint == "revocation"));
        all.insert(name("signing_alg_values"), algorithms_of_assertions());
    }
    all.into()
}

/// `GET [base]/.well-known/smart-configuration` (SMART App Launch 2.2, "Conformance").
///
/// # Errors
/// 404 on a hub without authorization server.
pub(crate) fn smart(call: &Call<'_>) -> Result<Answer, Failure> {
    let Some(authorization) = call.hub.authorization() else {
        let what = "an open hub has no authorization server";
        return Err(error::failure(axum::http::StatusCode::NOT_FOUND, Code::UnknownRoute, what));
    };
    let mut all = common(&authorization.server);
    // Needed where `sso-openid-connect` is.
    all.insert("issuer".into(), authorization.server.issuer().into());
    all.insert("capabilities".into(), json!(CAPABILITIES));
    let json = Value::from(all).to_string().into_bytes();
    Ok(Answer { content: Content::Json(json), ..Answer::empty(axum::http::StatusCode::OK) })
}

/// What both say.
fn common(server: &Server) -> Map<String, Value> {
    let endpoint = |name: &str| Value::from(server.endpoint(name));
    let members = [
        ("jwks_uri", format!("{}/.well-known/jwks.json", server.issuer()).into()),
        ("authorization_endpoint", endpoint("authorize")),
        ("pushed_authorization_request_endpoint", endpoint("par")),
        ("token_endpoint", endpoint("token")),
        ("introspection_endpoint", endpoint("introspect")),
        ("revocation_endpoint", endpoint("revoke")),
        ("token_endpoint_auth_methods_supported", methods(server, true)),
        ("token_endpoint_auth_signing_alg_values_supported", algorithms_of_assertions()),
        ("grant_types_supported", json!(["authorization_code", "refresh_token", "client_credentials"])),
        ("response_types_supported", json!(["code"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        (
            "scopes_supported",
            json!([
                "openid",
                "fhirUser",
                "launch",
                "launch/patient",
                "offline_access",
                "patient/*.rs",
                "user/*.cruds",
                "system/*.cruds",
            ]),
        ),
    ];
    let bound =
        server.client_authorities().map(|_| ("tls_client_certificate_bound_access_tokens", true.into()));
    members.into_iter().chain(bound).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How apps prove who they are; by certificates only where TLS ends in the hub (RFC 8705, section 2).
fn methods(server: &Server, with_public: bool) -> Value {
    let mut methods = vec!["private_key_jwt"];
    if server.client_authorities().is_some() {
        methods.extend(["tls_client_auth", "self_signed_tls_client_auth"]);
    }
    if with_public {
        methods.push("none");
    }
    json!(methods)
}

fn algorithms_of_assertions() -> Value {
    ASSERTION_ALGORITHMS.iter().map(|algorithm| algorithm.name()).collect()
}

/// `CapabilityStatement.rest.security` (SMART App Launch 2.2, "Conformance": for apps that still look there).
pub(crate) fn security(server: &Server) -> Value {
    let uri = |name: &str, endpoint: &str| json!({ "url": name, "valueUri": server.endpoint(endpoint) });
    json!({
        "extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [
                uri("authorize", "authorize"),
                uri("token", "token"),
                uri("introspect", "introspect"),
                uri("revoke", "revoke"),
            ],
        }],
        "service": [{
            "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                "code": "SMART-on-FHIR",
            }],
        }],
    })
}
