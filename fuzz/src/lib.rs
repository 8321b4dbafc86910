//! What must hold of any input. libFuzzer looks for counterexamples (`cargo xtask fuzz`); the ordinary tests of the hub
//! (`crates/hub/tests/it/fuzzed.rs`) judge the seeds, everything that was ever found, and random changes of both.
//!
//! Each `judge` panics when the hub does what it must not. A panic inside the hub is answered with 500, which none of them
//! lets pass.

pub mod apps;
pub mod bundles;
pub mod documents;
mod hub;
pub mod patches;
pub mod queries;
