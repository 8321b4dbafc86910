//! FHIR R4 (4.0.1) as data and pure functions: JSON, definitions, validation, search values and queries.

pub mod date;
pub mod decimal;
pub mod definitions;
pub mod expression;
pub mod extract;
pub mod fhirpath;
pub mod generate;
pub mod geo;
pub mod index;
pub mod json;
pub mod outcome;
pub mod patch;
pub mod reference;
pub mod search;
pub mod text;
pub mod ucum;
pub mod validate;
pub mod words;
pub mod xml;
