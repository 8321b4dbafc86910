//! Which kinds of record there are, what each can be found by, and to whom its records belong.

use std::collections::HashMap;

use ieum_fhir::definitions;
use ieum_fhir::extract::{ExtractOptions, contained, extract};
use ieum_fhir::index::{ContainedValues, Extracted, FullText, ParamType};
use ieum_fhir::json::Value;
use ieum_fhir::search::parameters::{Parameter, Parameters};
use ieum_fhir::words::full_text;

use crate::access::Family;
use crate::own::OwnKind;

/// Gives the sensitivity bits of one security label (system, code).
pub type LabelMask = fn(system: &str, code: &str) -> u32;

/// The kinds of one hub. Made once at start and shared.
#[derive(Debug)]
pub struct Catalogue {
    kinds: Vec<KindDef>,
    by_name: HashMap<String, usize>,
    bases: Vec<String>,
    label_mask: LabelMask,
}

/// One kind.
#[derive(Debug)]
pub struct KindDef {
    /// Name: a resource type, or one of ours.
    pub name: String,
    /// To whom its records belong.
    pub family: Family,
    /// What it can be found by; index values name these by position.
    pub params: Vec<ParamDef>,
    own: Option<&'static OwnKind>,
}

/// One search parameter of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamDef {
    /// Its code in URLs.
    pub code: String,
    /// Its type.
    pub param_type: ParamType,
    /// The text that defines what it yields; when it changes, records must be indexed again.
    pub definition: String,
    /// Kinds a reference parameter may point to; empty for any.
    pub targets: Vec<String>,
    /// The parts of a composite parameter, in order.
    pub components: Vec<ParamDef>,
}

impl Catalogue {
    /// All resource types of R4 and the given kinds of our own. References under one of `bases`, the addresses this hub
    /// has or once had, are references to records here.
    #[must_use]
    pub fn new(own: &[&'static OwnKind], bases: Vec<String>, label_mask: LabelMask) -> Self {
        let r4 = definitions::r4();
        let mut kinds: Vec<KindDef> = r4.resource_types().iter().map(|name| fhir_kind(name)).collect();
        kinds.extend(own.iter().map(|own| own_kind(own)));
        let by_name = kinds.iter().enumerate().map(|(index, kind)| (kind.name.clone(), index)).collect();
        Self { kinds, by_name, bases, label_mask }
    }

    /// All kinds, in a fixed order.
    #[must_use]
    pub fn kinds(&self) -> &[KindDef] {
        &self.kinds
    }

    /// The kind of this name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&KindDef> {
        self.by_name.get(name).map(|&index| &self.kinds[index])
    }

    /// The addresses this hub has or once had.
    #[must_use]
    pub fn bases(&self) -> &[String] {
        &self.bases
    }

    /// Everything an engine keeps beside the body of this record, read as by a hub with these addresses.
    #[must_use]
    pub(crate) fn extract<'d>(&self, kind: &KindDef, resource: Value<'d>, bases: &[String]) -> Extracted<'d> {
        match kind.own {
            Some(own) => own.extract(resource),
            None => extract(&kind.name, resource, &ExtractOptions { bases }),
        }
    }

    /// The terms of a record's texts; records of our own kinds have none.
    #[must_use]
    pub fn full_text(&self, kind: &KindDef, resource: Value<'_>) -> FullText {
        if kind.own.is_some() { FullText::default() } else { full_text(&kind.name, resource) }
    }

    /// What the resources contained in a record are found by; records of our own kinds contain none.
    #[must_use]
    pub(crate) fn contained<'d>(
        &self,
        kind: &KindDef,
        resource: Value<'d>,
        bases: &[String],
    ) -> Vec<ContainedValues<'d>> {
        if kind.own.is_some() {
            return Vec::new();
        }
        contained(resource, &ExtractOptions { bases })
    }

    /// Sensitivity bits of a record with these labels.
    #[must_use]
    pub fn mask(&self, extracted: &Extracted<'_>) -> u32 {
        extracted.labels.iter().fold(0, |mask, (system, code)| mask | (self.label_mask)(system, code))
    }
}

impl KindDef {
    /// Position of a parameter.
    #[must_use]
    pub fn param(&self, code: &str) -> Option<usize> {
        self.params.iter().position(|param| param.code == code)
    }
}

/// The resource types that are about nobody: institutions and their staff, medicines, definitions, terms. Everything
/// else may be about a patient, whatever the specification's compartment says (a Task, a stored document), and is
/// hidden from patients unless it is known to be theirs.
const SHARED: [&str; 63] = [
    "ActivityDefinition",
    "CapabilityStatement",
    "CatalogEntry",
    "ChargeItemDefinition",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "DeviceDefinition",
    "EffectEvidenceSynthesis",
    "Endpoint",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "GraphDefinition",
    "HealthcareService",
    "ImplementationGuide",
    "InsurancePlan",
    "Library",
    "Location",
    "Measure",
    "Medication",
    "MedicationKnowledge",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "NamingSystem",
    "ObservationDefinition",
    "OperationDefinition",
    "Organization",
    "OrganizationAffiliation",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "RiskEvidenceSynthesis",
    "SearchParameter",
    "Slot",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Substance",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "ValueSet",
];

fn fhir_kind(name: &str) -> KindDef {
    let r4 = definitions::r4();
    let params = r4.search_params(name).iter().map(|param| fhir_param(param));
    let family = if SHARED.contains(&name) { Family::Shared } else { Family::Clinical };
    KindDef { name: name.to_owned(), family, params: params.collect(), own: None }
}

/// How extraction reads values of this type, as a number to be raised when that changes: it is part of the definition,
/// so that records are indexed again.
fn revision(param_type: ParamType) -> u32 {
    match param_type {
        // 2: what modifiers look at, canonicals with and without version, canonical quantities, composites, places.
        ParamType::Token
        | ParamType::Reference
        | ParamType::Uri
        | ParamType::Quantity
        | ParamType::Composite
        | ParamType::Special => 2,
        // 2: Korean names as one word.
        ParamType::String => 2,
        ParamType::Date | ParamType::Number => 1,
    }
}

fn fhir_param(param: &definitions::SearchParamDef) -> ParamDef {
    let mut definition = param.expression.unwrap_or_default().to_string();
    for component in &param.components {
        definition.push_str(" $ ");
        definition.push_str(component.expression);
    }
    let revision = revision(param.kind);
    if revision > 1 && !definition.is_empty() {
        definition.push_str(&format!(" #{revision}"));
    }
    let components = param.components.iter();
    let components =
        components.filter_map(|component| definitions::r4().search_param_by_url(component.definition));
    ParamDef {
        code: param.code.to_string(),
        param_type: param.kind,
        definition,
        targets: param.targets.iter().map(ToString::to_string).collect(),
        components: components.map(fhir_param).collect(),
    }
}

fn own_kind(own: &'static OwnKind) -> KindDef {
    let params = own.params.iter().map(|param| ParamDef {
        code: param.code.to_owned(),
        param_type: param.param_type,
        definition: param.path.join("."),
        targets: Vec::new(),
        components: Vec::new(),
    });
    KindDef { name: own.name.to_owned(), family: own.family, params: params.collect(), own: Some(own) }
}

impl Parameters for Catalogue {
    fn kinds(&self) -> Vec<&str> {
        self.kinds.iter().map(|kind| kind.name.as_str()).collect()
    }

    fn has_kind(&self, kind: &str) -> bool {
        self.kind(kind).is_some()
    }

    fn find(&self, kind: &str, code: &str) -> Option<Parameter<'_>> {
        self.kind(kind)?.params.iter().find(|param| param.code == code).map(parameter)
    }

    fn list(&self, kind: &str) -> Vec<Parameter<'_>> {
        self.kind(kind).map(|kind| kind.params.iter().map(parameter).collect()).unwrap_or_default()
    }
}

fn parameter(param: &ParamDef) -> Parameter<'_> {
    let targets = param.targets.iter().map(String::as_str).collect();
    let components = param.components.iter().map(parameter).collect();
    Parameter { code: &param.code, kind: param.param_type, targets, components }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_types_exist_and_are_in_no_patients_compartment() {
        for name in SHARED {
            assert!(definitions::r4().is_resource(name), "{name}");
            let compartment = definitions::r4().compartment("Patient", name);
            assert!(compartment.is_none_or(|params| params.is_empty()), "{name}");
        }
    }
}
