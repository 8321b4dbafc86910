use std::collections::BTreeMap;

use super::*;

#[test]
fn has_the_whole_of_r4() {
    let r4 = r4();
    assert_eq!(r4.resource_types().len(), 146);
    assert!(r4.is_resource("Patient") && !r4.is_resource("DomainResource") && !r4.is_resource("HumanName"));
    assert!(!r4.is_resource("SubscriptionStatus") && !r4.is_resource("MetadataResource"));
    let primitives = r4.types().iter().filter(|found| found.kind == TypeKind::Primitive).count();
    assert_eq!(primitives, 20);
    for found in r4.types() {
        for element in &found.elements {
            assert!(!element.types.is_empty(), "{}.{}", found.name, element.name);
            assert!(element.choice || element.types.len() == 1, "{}.{}", found.name, element.name);
        }
        for (name, property) in found.properties() {
            let again = found.property(name).unwrap();
            assert_eq!(again.element.name, property.element.name);
            assert_eq!(again.type_ref.name, property.type_ref.name);
            assert_eq!(property.type_ref.definition().name, property.type_ref.name);
            assert_eq!(found.elements[property.position].name, property.element.name);
        }
    }
}

#[test]
fn knows_elements_with_types_targets_and_bindings() {
    let observation = r4().type_of("Observation").unwrap();
    assert_eq!((observation.base, observation.kind), (Some("DomainResource"), TypeKind::Resource));
    let status = observation.property("status").unwrap().element;
    assert_eq!((status.min, status.max, status.summary), (1, 1, true));
    let binding = status.binding.unwrap();
    assert_eq!(binding.url, "http://hl7.org/fhir/ValueSet/observation-status");
    let Codes::Enumerated(codes) = &binding.codes else { panic!("observation-status can be listed") };
    assert!(codes.has("http://hl7.org/fhir/observation-status", "final") && !codes.has_code("finished"));
    assert_eq!(codes.iter().count(), 8);
    let component = observation.property("component").unwrap();
    assert_eq!((component.element.max, component.type_ref.name), (u32::MAX, "Observation.component"));
    let range = component.type_ref.definition().property("referenceRange").unwrap();
    assert_eq!(range.type_ref.name, "Observation.referenceRange");
    let subject = observation.property("subject").unwrap().type_ref;
    assert_eq!(subject.targets, ["Device", "Group", "Location", "Patient"]);
    assert!(observation.property("value").is_none() && observation.property("valueAddress").is_none());
    assert_eq!(observation.property("valueDateTime").unwrap().type_ref.name, "dateTime");
    assert_eq!(observation.property("id").unwrap().type_ref.name, "id");
    assert_eq!(r4().type_of("Extension").unwrap().property("url").unwrap().type_ref.name, "uri");
    assert_eq!(r4().type_of("Extension").unwrap().element("value").unwrap().types.len(), 50);
    assert_eq!(r4().type_of("Age").unwrap().property("comparator").unwrap().element.max, 1);
}

/// What the package carries beyond R4 must not be here.
#[test]
fn holds_nothing_of_medplum_or_r5() {
    for (path, property) in [
        ("Meta", "project"),
        ("Binary", "url"),
        ("EvidenceVariable.characteristic", "definitionId"),
        ("ResearchStudy", "label"),
        ("ObservationDefinition", "publisher"),
        ("DeviceDefinition", "classification"),
    ] {
        assert!(r4().type_of(path).unwrap().property(property).is_none(), "{path}.{property}");
    }
    let observer = r4().type_of("AuditEvent.source").unwrap().property("observer").unwrap();
    assert!(!observer.type_ref.targets.contains(&"Subscription"));
}

#[test]
fn has_all_search_parameters() {
    let mut by_kind: BTreeMap<ParamType, usize> = BTreeMap::new();
    let (r4_own, kr_own): (Vec<&SearchParamDef>, Vec<&SearchParamDef>) =
        r4().params_by_url.values().copied().partition(|param| param.url.starts_with("http://hl7.org/"));
    for param in &r4_own {
        *by_kind.entry(param.kind).or_default() += 1;
    }
    let expected = [
        (ParamType::Token, 539),
        (ParamType::Reference, 472),
        (ParamType::String, 133),
        (ParamType::Date, 109),
        (ParamType::Composite, 46),
        (ParamType::Uri, 45),
        (ParamType::Quantity, 27),
        (ParamType::Number, 6),
        (ParamType::Special, 1),
    ];
    assert_eq!(by_kind, expected.into());
    assert_eq!(r4_own.iter().map(|param| param.bases.len()).sum::<usize>(), 1_709);
    assert_eq!(kr_own.len(), 11, "eight of KR Core's own, three that differ");
    for param in r4_own {
        for component in &param.components {
            assert!(r4().search_param_by_url(component.definition).is_some(), "{}", component.definition);
        }
    }
}

#[test]
fn finds_search_parameters_by_type_and_code() {
    for name in r4().resource_types() {
        let params = r4().search_params(name);
        assert!(params.is_sorted_by(|left, right| left.code < right.code), "{name}");
        assert!(r4().search_param(name, "_id").is_some());
        let is_domain = r4().type_of(name).unwrap().base == Some("DomainResource");
        assert_eq!(r4().search_param(name, "_text").is_some(), is_domain, "{name}");
    }
    let (position, param) = r4().search_param("Observation", "code-value-quantity").unwrap();
    assert_eq!(r4().search_params("Observation")[position].url, param.url);
    assert_eq!(param.components[1].expression, "value.as(Quantity)");
    let address = r4().search_param("Patient", "address").unwrap().1;
    assert!(address.expression.unwrap().contains("krcore-roadNameAddress"));
    assert!(r4().search_param("Person", "address").unwrap().1.url.starts_with("http://hl7.org/"));
    assert_eq!(r4().search_param("Patient", "phonetic").unwrap().1.usage, Some("phonetic"));
    assert!(r4().search_params("Nothing").is_empty());
}

#[test]
fn has_the_five_compartments() {
    let expected =
        [("Patient", 66), ("Practitioner", 59), ("Device", 32), ("RelatedPerson", 32), ("Encounter", 25)];
    for (name, count) in expected {
        assert_eq!(r4().compartments[name].len(), count, "{name}");
    }
    assert_eq!(r4().compartment("Patient", "Condition").unwrap(), ["patient", "asserter"]);
    assert_eq!(r4().compartment("Encounter", "Encounter").unwrap(), ["{def}"]);
    assert!(r4().compartment("Patient", "Location").is_none());
    let members =
        r4().compartments.iter().flat_map(|(name, members)| members.iter().map(move |of| (name, of)));
    for (compartment, (kind, codes)) in members {
        for code in codes.iter().filter(|code| **code != "{def}") {
            assert!(r4().search_param(kind, code).is_some(), "{compartment}: {kind}.{code}");
        }
    }
}
