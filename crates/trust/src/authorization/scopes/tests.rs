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
        "user/Condition.r?category%3Anot=a%20b",
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
        "patient/Observation.rs?",
        "patient/Observation.rs?code",
        "patient/Observation.rs?code=",
        "patient/Observation.rs?=b",
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
fn what_cannot_be_asked_of_each_record_is_no_scope() {
    for text in [
        "patient/*.rs?_id=a",
        "patient/Observation.cruds?code=a",
        "patient/Observation.u?code=a",
        "patient/Observation.rs?nothing=a",
        "patient/Observation.rs?code:wrong=a",
        "patient/Observation.rs?code:text=a",
        "patient/Observation.rs?code:in=http://a.test/v",
        "patient/Observation.rs?date=tomorrow",
        "patient/Observation.rs?code=%FF",
        "patient/Observation.rs?patient.name=a",
        "patient/Observation.rs?subject:Patient.name=a",
        "patient/Observation.rs?_has:Provenance:target:agent=a",
        "patient/Encounter.rs?location:below=Location/a",
        "patient/Observation.rs?_content=a",
        "patient/Observation.rs?_sort=date",
        "patient/Observation.rs?code=a&_count=1",
        "patient/Observation.rs?code=a&_include=Observation:subject",
        "patient/Observation.rs?code=a&_elements=id",
        "patient/Observation.rs?code=a&_contained=true",
        "patient/Observation.rs?code=a&_summary=count",
        "patient/Observation.rs?code=a&_total=none",
    ] {
        assert_eq!(Scopes::parse(text), Err(ScopeError::Selection), "{text}");
    }
}

#[test]
fn scopes_name_selections_by_interaction() {
    let named = |scopes: &str, what, whole| {
        let selections = parse(scopes).selections(what, whole, (&[], 0))?;
        Some(selections.into_iter().map(|one| (one.kind, one.filters.len())).collect::<Vec<_>>())
    };
    let scopes = "patient/Observation.rs?code=a&status=final patient/Condition.r user/Encounter.s openid";
    let of = |kinds: &[(&str, usize)]| Some(kinds.iter().map(|(kind, n)| ((*kind).into(), *n)).collect());
    assert_eq!(named(scopes, Interactions::READ, false), of(&[("Observation", 2), ("Condition", 0)]));
    assert_eq!(named(scopes, Interactions::SEARCH, false), of(&[("Observation", 2), ("Encounter", 0)]));
    assert_eq!(named(scopes, Interactions::READ, true), of(&[("Condition", 0)]));
    assert_eq!(named(scopes, Interactions::CREATE, false), of(&[]));
    assert_eq!(named("user/*.s patient/Condition.rs", Interactions::SEARCH, false), None);
    assert_eq!(named("user/*.s patient/Condition.rs", Interactions::READ, false), of(&[("Condition", 0)]));
    assert_eq!(named("openid", Interactions::READ, false), of(&[]));
}

#[test]
fn lists_are_bounded() {
    assert_eq!(Scopes::parse(&"openid ".repeat(MOST_BYTES)), Err(ScopeError::TooMany));
    let kinds = r4().resource_types().iter().take(MOST_SCOPES + 1);
    let many: Vec<String> = kinds.map(|kind| format!("user/{kind}.r")).collect();
    assert_eq!(Scopes::parse(&many.join(" ")), Err(ScopeError::TooMany));
    assert_eq!(parse(&many[1..].join(" ")).iter().count(), MOST_SCOPES);
    let long = format!("user/Observation.r?{}", ["code=b"; MOST_PARAMETERS + 1].join("&"));
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
        ("user/Observation.rs?code=a", Some("Observation"), read, false),
        ("openid launch", Some("Patient"), read, false),
    ] {
        assert_eq!(parse(scopes).allow(kind, what), allowed, "{scopes}: {kind:?} {what}");
    }
    for (scopes, kind, what, allowed) in [
        ("user/Observation.rs?code=a", Some("Observation"), both, true),
        ("user/Observation.rs?code=a", Some("Condition"), read, false),
        ("user/Observation.rs?code=a", None, search, true),
        ("user/*.s", Some("Condition"), search, true),
        ("user/Patient.r user/Patient.s", Some("Patient"), both, true),
        ("user/Patient.r user/*.s", Some("Patient"), both, true),
        ("user/Patient.r?gender=male user/Patient.s", Some("Patient"), both, true),
        ("user/Patient.r user/Patient.s?gender=male", Some("Patient"), both, true),
        ("user/Patient.r?gender=male user/Patient.s?gender=male", Some("Patient"), both, false),
        ("user/*.s", None, read, false),
    ] {
        assert_eq!(parse(scopes).allow_some(kind, what), allowed, "{scopes}: {kind:?} {what}");
    }
}
