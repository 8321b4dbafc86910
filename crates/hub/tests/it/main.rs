//! Tests of the FHIR interface over HTTP: a real server on a port of its own, spoken to by a plain client, on every
//! engine.

mod access;
mod bundles;
mod capability;
mod concurrency;
mod conditional;
mod crud;
mod everything;
mod formats;
mod history;
mod host;
mod hostile;
mod logs;
mod memory_bounds;
mod refusals;
mod search;
mod subset;
mod support;
mod transaction;
mod transaction_conditions;
