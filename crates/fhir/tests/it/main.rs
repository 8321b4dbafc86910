//! Tests of the public interface of `ieum-fhir`, in one binary.

mod shared;
mod validation;
