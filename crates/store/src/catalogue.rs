//! Which kinds of record there are, what each can be found by, and to whom its records belong.

use std::collections::HashMap;
use std::sync::Arc;

use ieum_fhir::definitions;
use ieum_fhir::extract::{ExtractOptions, contained, extract};
use ieum_fhir::index::{ContainedValues, Extracted, FullText, IndexValue, ParamType};
use ieum_fhir::json::Value;
use ieum_fhir::search::custom::CustomParam;
use ieum_fhir::search::parameters::{Allowed, Parameter, Parameters};
use ieum_fhir::words::full_text;

use crate::access::{Facts, Family, Policy};
use crate::custom::Progress;
use crate::own::OwnKind;
use crate::sensitive::SensitiveCodes;

mod resources;

pub use resources::Resources;

/// The kinds of one hub. It never changes: when search parameters come or go, an engine puts another one in force
/// ([`Catalogue::with`]), and what was prepared with the one before is read again by the writer.
#[derive(Debug)]
pub struct Catalogue {
    kinds: Vec<KindDef>,
    by_name: HashMap<String, usize>,
    own: Vec<&'static OwnKind>,
    bases: Vec<String>,
    policy: Policy,
    sensitive: Arc<SensitiveCodes>,
    generation: u64,
}

/// One kind.
#[derive(Debug)]
pub struct KindDef {
    /// Name: a resource type, or one of ours.
    pub name: String,
    /// To whom its records belong.
    pub family: Family,
    /// What it can be found by; index values name these by position. Those that records define come last.
    pub params: Vec<ParamDef>,
    custom: Vec<Arc<CustomParam>>,
    own: Option<&'static OwnKind>,
}

/// One search parameter of a kind.
#[derive(Debug, Clone)]
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
    /// How far records are indexed by it, while they are not all.
    pub progress: Option<Arc<Progress>>,
    /// How it may be asked, when a record defines it.
    pub allowed: Option<Allowed>,
}

impl Catalogue {
    /// All resource types of R4 and the given kinds of our own. References under one of `bases`, the addresses this hub
    /// has or once had, are references to records here.
    #[must_use]
    pub fn new(own: &[&'static OwnKind], bases: Vec<String>, policy: Policy) -> Self {
        let r4 = definitions::r4();
        let mut kinds: Vec<KindDef> = r4.resource_types().iter().map(|name| fhir_kind(name)).collect();
        kinds.extend(own.iter().map(|own| own_kind(own)));
        let by_name = kinds.iter().enumerate().map(|(index, kind)| (kind.name.clone(), index)).collect();
        Self { kinds, by_name, own: own.to_vec(), bases, policy, sensitive: Arc::default(), generation: 0 }
    }

    /// The next catalogue: the same with these parameters defined by records, and no others. `progress` tells how far
    /// records are indexed by one, if not all are.
    #[must_use]
    pub fn with(
        &self,
        custom: &[Arc<CustomParam>],
        progress: impl Fn(&CustomParam) -> Option<Arc<Progress>>,
    ) -> Self {
        let mut next = Self::new(&self.own, self.bases.clone(), self.policy);
        next.generation = self.generation + 1;
        next.sensitive = Arc::clone(&self.sensitive);
        for param in custom {
            let Some(&index) = next.by_name.get(param.kind) else { continue };
            let kind = &mut next.kinds[index];
            kind.params.push(custom_param(param, progress(param)));
            kind.custom.push(Arc::clone(param));
        }
        next
    }

    /// The next catalogue: the same with these sensitive codes.
    #[must_use]
    pub fn with_sensitive(&self, codes: Arc<SensitiveCodes>) -> Self {
        let custom: Vec<Arc<CustomParam>> = self.custom().cloned().collect();
        let progress = |param: &CustomParam| {
            let kind = self.kind(param.kind)?;
            kind.params[kind.param(&param.code)?].progress.clone()
        };
        Self { sensitive: codes, ..self.with(&custom, progress) }
    }

    /// The sensitive codes in force.
    #[must_use]
    pub fn sensitive(&self) -> &Arc<SensitiveCodes> {
        &self.sensitive
    }

    /// Tells catalogues apart: positions of parameters are those of one generation.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The parameters that records define.
    pub fn custom(&self) -> impl Iterator<Item = &Arc<CustomParam>> {
        self.kinds.iter().flat_map(|kind| &kind.custom)
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
        if let Some(own) = kind.own {
            return own.extract(resource);
        }
        let mut extracted = extract(&kind.name, resource, &ExtractOptions { bases });
        kind.add_custom(resource, bases, &mut extracted.values);
        extracted
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
        contained(resource, &ExtractOptions { bases }, &|name, inner, values| {
            if let Some(kind) = self.kind(name) {
                kind.add_custom(inner, bases, values);
            }
        })
    }

    /// What a record says that access depends on.
    #[must_use]
    pub(crate) fn facts(&self, kind: &KindDef, id: &str, record: Value<'_>, bases: &[String]) -> Facts {
        (self.policy.facts)(&kind.name, id, record, bases)
    }

    /// Sensitivity bits of a record with these labels.
    #[must_use]
    pub fn mask(&self, extracted: &Extracted<'_>) -> u32 {
        extracted.labels.iter().fold(0, |mask, (system, code)| mask | (self.policy.label_mask)(system, code))
    }
}

impl KindDef {
    /// Position of a parameter.
    #[must_use]
    pub fn param(&self, code: &str) -> Option<usize> {
        self.params.iter().position(|param| param.code == code)
    }

    /// Position of a parameter that is R4's or our own, and not defined by a record: whose a record is follows from
    /// these alone.
    #[must_use]
    pub fn built_in(&self, code: &str) -> Option<usize> {
        self.param(code).filter(|position| *position < self.built_ins())
    }

    /// How many of its parameters are not defined by records; these come first.
    #[must_use]
    pub fn built_ins(&self) -> usize {
        self.params.len() - self.custom.len()
    }

    /// The parameters that records define, each with how it is listed.
    pub fn custom(&self) -> impl Iterator<Item = (&ParamDef, &CustomParam)> {
        self.params[self.built_ins()..].iter().zip(self.custom.iter().map(|param| &**param))
    }

    /// Adds what parameters defined by records find. Their positions are the highest, so that order is kept.
    fn add_custom<'d>(&self, resource: Value<'d>, bases: &[String], values: &mut Vec<(u16, IndexValue<'d>)>) {
        for (position, param) in (self.built_ins()..).zip(&self.custom) {
            // The number of parameters of a kind is bounded far below.
            let Ok(position) = u16::try_from(position) else { return };
            values.extend(param.values(resource, bases).into_iter().map(|value| (position, value)));
        }
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
    KindDef { name: name.to_owned(), family, params: params.collect(), custom: Vec::new(), own: None }
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
        progress: None,
        allowed: None,
    }
}

fn custom_param(param: &CustomParam, progress: Option<Arc<Progress>>) -> ParamDef {
    let (of_type, own) = (revision(param.param_type), &param.definition);
    ParamDef {
        code: param.code.clone(),
        param_type: param.param_type,
        definition: format!("{own} #{of_type}"),
        targets: param.targets.clone(),
        components: param.components.iter().map(|component| fhir_param(component)).collect(),
        progress,
        allowed: Some(param.allowed.clone()),
    }
}

fn own_kind(own: &'static OwnKind) -> KindDef {
    let params = own.params.iter().map(|param| ParamDef {
        code: param.code.to_owned(),
        param_type: param.param_type,
        definition: param.path.join("."),
        targets: Vec::new(),
        components: Vec::new(),
        progress: None,
        allowed: None,
    });
    let (name, params) = (own.name.to_owned(), params.collect());
    KindDef { name, family: own.family, params, custom: Vec::new(), own: Some(own) }
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
        let params = self.kind(kind).map(|kind| kind.params.as_slice()).unwrap_or_default();
        params.iter().filter(|param| param.progress.is_none()).map(parameter).collect()
    }
}

fn parameter(param: &ParamDef) -> Parameter<'_> {
    let targets = param.targets.iter().map(String::as_str).collect();
    let components = param.components.iter().map(parameter).collect();
    let indexing = param.progress.as_ref().map(|progress| progress.indexing());
    let allowed = param.allowed.as_ref();
    Parameter { code: &param.code, kind: param.param_type, targets, components, indexing, allowed }
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
