//! `cargo xtask dictionaries`: what new bodies are compressed with.
//!
//! A dictionary holds raw pieces of what it was trained on and lies in clear beside every database, so it is trained
//! on synthetic persons only. A dictionary in use is never replaced: a better one gets the next number.

use clap::Args;
use ieum_synth::{Options as SynthOptions, patient_bundle, shared_bundle};
use serde_json::Value;

use crate::Result;

#[derive(Args)]
pub(crate) struct Options {
    /// Number of the new dictionary; an existing one is never overwritten
    #[arg(long)]
    number: u32,
}

/// Patients to learn from.
const PATIENTS: u64 = 120;
/// Bytes of a dictionary, at most.
const SIZE: usize = 110 << 10;

pub(crate) fn run(options: &Options) -> Result<()> {
    let path = crate::root().join(format!("crates/store/dictionaries/{}.zdict", options.number));
    if path.exists() {
        return Err(format!("{} is in use; take the next number", path.display()).into());
    }
    let synth = SynthOptions::new(PATIENTS, 20_261_123);
    let mut samples = samples_of(&shared_bundle(&synth).json)?;
    for patient in 0..PATIENTS {
        samples.extend(samples_of(&patient_bundle(&synth, patient).json)?);
    }
    let dictionary = zstd::dict::from_samples(&samples, SIZE)?;
    std::fs::write(&path, &dictionary)?;
    eprintln!("{}: {} bytes from {} records", path.display(), dictionary.len(), samples.len());
    Ok(())
}

/// The resources of a bundle, without the members that are kept in columns.
fn samples_of(bundle: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut bundle: Value = serde_json::from_slice(bundle)?;
    let entries = bundle["entry"].as_array_mut().ok_or("a bundle without entries")?;
    let samples = entries.iter_mut().map(|entry| {
        let mut resource = entry["resource"].take();
        if let Some(members) = resource.as_object_mut() {
            members.shift_remove("resourceType");
            members.shift_remove("id");
        }
        serde_json::to_vec(&resource)
    });
    Ok(samples.collect::<std::result::Result<_, _>>()?)
}
