//! Scopes: read, bounded, compared.

use super::*;

fn parse(text: &str) -> Scopes {
    Scopes::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn scopes_are_read_and_written() {
    for text in [
        "launch launch/patient openid fhirUser offline_access",
        "patient/*.rs user/Observation.cruds system/Patient.r",
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        "patient/Observation.s?code=a&date=ge2026",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
    assert_eq!(parse(" openid  openid ").to_string(), "openid");
}

#[test]
fn what_is_no_scope_is_refused() {
    for text in [
        "patient/*.read",
        "patient/*.",
        "patient/*",
        "patient/*.rr",
        "patient/*.sr",
        "patient/*.x",
        "patient/*.rs?",
        "patient/*.rs?a",
        "patient/*.rs?a=",
        "patient/*.rs?=b",
        "patient/Patiënt.rs",
        "patient/IeumAccount.rs",
        "patient/patient.rs",
        "group/*.rs",
        "/*.rs",
        "profile",
        "launch/encounter",
        "openid\topenid",
    ] {
        assert_eq!(Scopes::parse(text), Err(ScopeError::Unknown), "{text}");
    }
    assert_eq!(Scopes::parse("  "), Err(ScopeError::None));
}

#[test]
fn lists_are_bounded() {
    assert_eq!(Scopes::parse(&"openid ".repeat(MOST_BYTES)), Err(ScopeError::TooMany));
    let kinds = r4().resource_types().iter().take(MOST_SCOPES + 1);
    let many: Vec<String> = kinds.map(|kind| format!("user/{kind}.r")).collect();
    assert_eq!(Scopes::parse(&many.join(" ")), Err(ScopeError::TooMany));
    assert_eq!(parse(&many[1..].join(" ")).iter().count(), MOST_SCOPES);
    let long = format!("user/*.r?{}", ["a=b"; MOST_PARAMETERS + 1].join("&"));
    assert_eq!(Scopes::parse(&long), Err(ScopeError::TooMany));
}

#[test]
fn nothing_is_granted_beyond_what_is_registered() {
    for (registered, asked, covered) in [
        ("patient/*.rs", "patient/Observation.rs", true),
        ("patient/*.rs", "patient/Observation.r", true),
        ("patient/*.rs", "patient/*.rs", true),
        ("patient/*.rs", "patient/Observation.rs?code=a", true),
        ("patient/*.rs", "patient/Observation.cruds", false),
        ("patient/*.rs", "user/Observation.rs", false),
        ("user/*.rs", "patient/Observation.rs", false),
        ("user/*.rs", "system/Observation.rs", false),
        ("patient/Observation.rs", "patient/*.rs", false),
        ("patient/Observation.rs", "patient/Condition.rs", false),
        ("patient/Observation.rs?code=a", "patient/Observation.rs", false),
        ("patient/Observation.rs?code=a", "patient/Observation.rs?code=b", false),
        ("patient/Observation.rs?code=a", "patient/Observation.r?code=a", true),
        ("patient/*.r patient/*.s", "patient/*.rs", false),
        ("openid patient/*.rs", "openid", true),
        ("patient/*.rs", "offline_access", false),
        ("launch/patient", "launch", false),
    ] {
        assert_eq!(parse(registered).cover(&parse(asked)), covered, "{registered} covers {asked}");
    }
}

#[test]
fn interactions_are_allowed_by_kind() {
    let (read, search) = (Interactions::READ, Interactions::SEARCH);
    let both = read.and(search);
    for (scopes, kind, what, allowed) in [
        ("patient/Observation.rs", Some("Observation"), both, true),
        ("patient/Observation.r patient/Observation.s", Some("Observation"), both, true),
        ("patient/*.r user/Observation.s", Some("Observation"), both, true),
        ("patient/*.r user/Observation.s", Some("Condition"), search, false),
        ("patient/Observation.rs", Some("Observation"), Interactions::CREATE, false),
        ("patient/Observation.rs", Some("Condition"), read, false),
        ("patient/Observation.rs", None, read, false),
        ("user/*.rs", None, both, true),
        ("user/*.rs", None, both.and(Interactions::DELETE), false),
        ("user/*.rs?code=a", Some("Observation"), read, false),
        ("openid launch", Some("Patient"), read, false),
    ] {
        assert_eq!(parse(scopes).allow(kind, what), allowed, "{scopes}: {kind:?} {what}");
    }
}
