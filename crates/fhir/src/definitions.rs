//! The definitions of FHIR R4 (4.0.1) as tables: types and elements, required bindings, search parameters,
//! compartments.
//!
//! The tables under `crates/fhir/definitions` are made by `cargo xtask definitions` and compiled in; [`r4`] reads
//! them once. Everything it hands out lives as long as the process.
//!
//! ```
//! use ieum_fhir::definitions::r4;
//! let observation = r4().type_of("Observation").unwrap();
//! let value = observation.property("valueQuantity").unwrap();
//! assert_eq!((value.element.name, value.type_ref.name), ("value", "Quantity"));
//! ```

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::index::ParamType;

mod lookup;
mod read;
#[cfg(test)]
mod tests;

use lookup::Lookup;

/// The definitions of R4 with the search parameters of KR Core 2.0.0.
#[must_use]
pub fn r4() -> &'static Definitions {
    static R4: OnceLock<Definitions> = OnceLock::new();
    R4.get_or_init(read::read)
}

/// Names of the five compartments; each is also the resource type that owns it.
pub const COMPARTMENTS: [&str; 5] = ["Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"];

/// All definitions.
#[derive(Debug)]
pub struct Definitions {
    types: Vec<TypeDef>,
    type_ids: HashMap<&'static str, u16>,
    resource_types: Vec<&'static str>,
    params: HashMap<&'static str, Vec<&'static SearchParamDef>>,
    params_by_url: HashMap<&'static str, &'static SearchParamDef>,
    compartments: HashMap<&'static str, HashMap<&'static str, Vec<&'static str>>>,
}

impl Definitions {
    /// The concrete resource types, sorted.
    #[must_use]
    pub fn resource_types(&self) -> &[&'static str] {
        &self.resource_types
    }

    /// Whether this is a concrete resource type.
    #[must_use]
    pub fn is_resource(&self, name: &str) -> bool {
        self.type_of(name).is_some_and(|found| found.kind == TypeKind::Resource && !found.is_abstract)
    }

    /// The type of this name: a resource type, a data type, or the path of a backbone element
    /// (`Observation.component`).
    #[must_use]
    pub fn type_of(&self, name: &str) -> Option<&TypeDef> {
        self.type_ids.get(name).map(|&id| &self.types[usize::from(id)])
    }

    /// All types, backbone types included, sorted by name.
    #[must_use]
    pub fn types(&self) -> &[TypeDef] {
        &self.types
    }

    /// The search parameters of a resource type with those of Resource and DomainResource, sorted by code.
    /// Nothing for unknown types.
    #[must_use]
    pub fn search_params(&self, resource_type: &str) -> &[&'static SearchParamDef] {
        self.params.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// A search parameter of a resource type, with its position in [`Definitions::search_params`].
    #[must_use]
    pub fn search_param(&self, resource_type: &str, code: &str) -> Option<(usize, &'static SearchParamDef)> {
        let params = self.search_params(resource_type);
        let position = params.binary_search_by_key(&code, |param| param.code).ok()?;
        Some((position, params[position]))
    }

    /// The search parameter with this canonical URL: what [`ComponentDef::definition`] names.
    #[must_use]
    pub fn search_param_by_url(&self, url: &str) -> Option<&'static SearchParamDef> {
        self.params_by_url.get(url).copied()
    }

    /// The codes of the search parameters that lead from a resource of this type into the compartment; `{def}`
    /// stands for the resource itself. `None`: resources of this type are never in it.
    #[must_use]
    pub fn compartment(&self, compartment: &str, resource_type: &str) -> Option<&[&'static str]> {
        self.compartments.get(compartment)?.get(resource_type).map(Vec::as_slice)
    }
}

/// What a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `string`, `date`, …: a JSON scalar.
    Primitive,
    /// A data type with elements.
    Complex,
    /// A resource type, abstract ones included.
    Resource,
    /// The type of an element that has elements of its own, named by its path.
    Backbone,
}

/// A type.
#[derive(Debug)]
pub struct TypeDef {
    /// Its name; for backbone types their path.
    pub name: &'static str,
    /// The type it specialises.
    pub base: Option<&'static str>,
    /// What it is.
    pub kind: TypeKind,
    /// Whether no value is of exactly this type (Resource, DomainResource, Element, …).
    pub is_abstract: bool,
    /// Its elements, inherited ones first, in the order of the specification.
    pub elements: Vec<&'static Element>,
    /// Which primitive it is; `None` for all types with elements.
    pub primitive: Option<Primitive>,
    /// Bit by position in `elements`: the elements with `min` above 0.
    pub(crate) required: u128,
    properties: Vec<OwnedProperty>,
    lookup: Lookup,
}

/// The primitive types (R4, section 2.24.0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the type of the same name")]
pub enum Primitive {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}

impl Primitive {
    /// The primitive of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "base64Binary" => Self::Base64Binary,
            "boolean" => Self::Boolean,
            "canonical" => Self::Canonical,
            "code" => Self::Code,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "decimal" => Self::Decimal,
            "id" => Self::Id,
            "instant" => Self::Instant,
            "integer" => Self::Integer,
            "markdown" => Self::Markdown,
            "oid" => Self::Oid,
            "positiveInt" => Self::PositiveInt,
            "string" => Self::String,
            "time" => Self::Time,
            "unsignedInt" => Self::UnsignedInt,
            "uri" => Self::Uri,
            "url" => Self::Url,
            "uuid" => Self::Uuid,
            "xhtml" => Self::Xhtml,
            _ => return None,
        })
    }
}

/// An element as found under a JSON property.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// The element.
    pub element: &'static Element,
    /// Its type; for choice elements the one the property's name says.
    pub type_ref: &'static TypeRef,
    /// Position of the element in [`TypeDef::elements`].
    pub position: usize,
}

#[derive(Debug)]
struct OwnedProperty {
    name: Box<str>,
    property: Property,
}

impl TypeDef {
    /// The element behind a JSON property: `value` of type Quantity for `valueQuantity`. The properties of primitive
    /// extensions (`_birthDate`) are not known here, nor is `resourceType`.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<Property> {
        let candidate = self.lookup.find(name, |position| &*self.properties[position].name == name)?;
        Some(self.properties[candidate].property)
    }

    /// All JSON properties, in the order of the elements.
    pub fn properties(&self) -> impl Iterator<Item = (&str, Property)> {
        self.properties.iter().map(|owned| (&*owned.name, owned.property))
    }

    /// The element of this name (`value`, not `valueQuantity`).
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&'static Element> {
        self.elements.iter().copied().find(|element| element.name == name)
    }
}

/// An element of a type.
#[derive(Debug)]
pub struct Element {
    /// Its name, for choice elements without `[x]`.
    pub name: &'static str,
    /// How often it must be there.
    pub min: u32,
    /// How often it may be there; `u32::MAX` for any number (`*`).
    pub max: u32,
    /// Whether it is a choice (`value[x]`): its JSON properties end with the name of the type.
    pub choice: bool,
    /// Its types; more than one for choices only.
    pub types: Vec<TypeRef>,
    /// The value set its codes must come from, if that is required.
    pub binding: Option<&'static Binding>,
    /// Whether it is part of `_summary=true`.
    pub summary: bool,
}

impl Element {
    /// Whether it is an array in JSON.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.max > 1
    }
}

/// A type as used by an element.
#[derive(Debug)]
pub struct TypeRef {
    /// Name of the data type, or path of the backbone type.
    pub name: &'static str,
    /// For Reference and canonical: resource types it may point to; empty or `Resource` for any.
    pub targets: Vec<&'static str>,
    id: u16,
}

impl TypeRef {
    /// The type itself.
    #[must_use]
    pub fn definition(&self) -> &'static TypeDef {
        &r4().types[usize::from(self.id)]
    }
}

/// A required binding.
#[derive(Debug)]
pub struct Binding {
    /// Canonical URL of the value set, without version.
    pub url: &'static str,
    /// What it allows.
    pub codes: Codes,
}

/// The codes of a value set.
#[derive(Debug)]
pub enum Codes {
    /// Cannot be listed (languages, MIME types, units, …): not checked.
    Open,
    /// All of them.
    Enumerated(CodeSet),
}

/// Codes with their systems.
#[derive(Debug, Default)]
pub struct CodeSet {
    /// Sorted, over all systems.
    codes: Vec<&'static str>,
    /// Per system sorted.
    systems: Vec<(&'static str, Vec<&'static str>)>,
}

impl CodeSet {
    /// Whether the code is in the set, under any system: for elements of type `code`.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.codes.binary_search(&code).is_ok()
    }

    /// Whether the code of this system is in the set.
    #[must_use]
    pub fn has(&self, system: &str, code: &str) -> bool {
        self.systems.iter().any(|(of, codes)| *of == system && codes.binary_search(&code).is_ok())
    }

    /// All pairs of system and code, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.systems.iter().flat_map(|(system, codes)| codes.iter().map(|code| (*system, *code)))
    }
}

/// A search parameter.
#[derive(Debug)]
pub struct SearchParamDef {
    /// Its name in URLs.
    pub code: &'static str,
    /// Its canonical URL.
    pub url: &'static str,
    /// Its type.
    pub kind: ParamType,
    /// The types it is defined on, as in the source: Resource and DomainResource stand for all that derive from them.
    pub bases: Vec<&'static str>,
    /// FHIRPath as in the source, over all its bases; `None` for `_text`, `_content` and `_query`.
    pub expression: Option<&'static str>,
    /// Resource types it may point to; for "any" all of them.
    pub targets: Vec<&'static str>,
    /// The parts of a composite parameter.
    pub components: Vec<ComponentDef>,
    /// `xpathUsage` where it is not `normal`: `phonetic`, `nearby`.
    pub usage: Option<&'static str>,
}

/// A part of a composite search parameter.
#[derive(Debug)]
pub struct ComponentDef {
    /// Canonical URL of the parameter that says the type.
    pub definition: &'static str,
    /// FHIRPath, relative to the composite's own expression.
    pub expression: &'static str,
}
