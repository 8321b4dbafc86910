//! Search parameters that come into force on the way.

macro_rules! definition {
    ($code:literal, $kind:literal, $type:literal, $expression:literal $(, $more:literal)?) => {
        concat!(
            r#"{"resourceType":"SearchParameter","id":""#, $code, r#"","url":"http://x.test/"#, $code,
            r#"","name":"n","status":"active","description":"d","code":""#, $code, r#"","base":[""#, $kind,
            r#""],"type":""#, $type, r#"","expression":""#, $expression, r#"""#, $($more,)? "}"
        )
    };
}

/// In force at first.
pub(crate) const FIRST: [&str; 4] = [
    // Of another type and meaning than later.
    definition!("own-name", "Patient", "token", "Patient.name.exists()"),
    definition!("own-organization", "Patient", "reference", "Patient.managingOrganization"),
    definition!("own-date", "Observation", "date", "Observation.issued"),
    definition!("own-gone", "Observation", "token", "Observation.status"),
];

/// In force at last.
pub(crate) const THEN: [&str; 7] = [
    definition!("own-name", "Patient", "string", "Patient.name.where(given.exists() or text.exists())"),
    definition!("own-organization", "Patient", "reference", "Patient.managingOrganization"),
    definition!("own-date", "Observation", "date", "Observation.effective"),
    definition!("own-quantity", "Observation", "quantity", "Observation.value | Observation.component.value"),
    definition!("own-has-parts", "Observation", "token", "Observation.component.count() > 0"),
    definition!("own-patient", "Observation", "reference", "Observation.subject.where(resolve() is Patient)"),
    definition!(
        "own-parts",
        "Observation",
        "composite",
        "Observation | Observation.component",
        r#","component":[{"definition":"http://hl7.org/fhir/SearchParameter/clinical-code","expression":"code"},
        {"definition":"http://hl7.org/fhir/SearchParameter/Observation-value-quantity","expression":"value.as(Quantity)"}]"#
    ),
];
