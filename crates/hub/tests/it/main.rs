//! Tests of the FHIR interface over HTTP: a real server on a port of its own, spoken to by a plain client, on every
//! engine.

mod access;
mod bundles;
mod capability;
mod concurrency;
mod conditional;
mod contained;
mod crud;
mod everything;
mod export;
mod export_consistent;
mod formats;
mod history;
mod hostile;
mod import;
mod jobs;
mod later;
mod logs;
mod patch;
mod patch_bundles;
mod search;
mod search_several;
mod subset;
mod support;
mod transaction;
mod value_sets;
