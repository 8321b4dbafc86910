//! FHIR R4 (4.0.1) as data and pure functions: JSON, definitions, validation, search values and queries.

pub mod decimal;
pub mod definitions;
pub mod generate;
pub mod index;
pub mod json;
pub mod outcome;
pub mod search;
pub mod validate;
