//! Tests of the public interface of `ieum-fhir`, in one binary: tables, properties, and the shared example data.

mod custom;
mod date;
mod decimal;
mod expression;
mod extract;
mod fhirpath;
mod hostile;
mod search;
mod shared;
mod text;
mod validation;
