//! Tests of the record store: one conformance suite for all engines, and random questions put to engine and oracle.

mod conformance;
mod costs;
mod evidence;
mod generative;
mod golden;
mod learning;
mod log;
mod many;
mod support;
