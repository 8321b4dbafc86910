//! Measures the generator: `cargo run --release -p ieum-synth --example measure -- 2000`.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::Instant;

use ieum_synth::{Options, patient_bundle, shared_bundle};

fn main() {
    let patients = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let options = Options::new(patients, 42);
    let country = shared_bundle(&options);
    println!("shared bundle: {} bytes", country.json.len());
    let start = Instant::now();
    let bytes: usize = (0..patients).map(|number| patient_bundle(&options, number).json.len()).sum();
    let seconds = start.elapsed().as_secs_f64();
    let mut sizes = Vec::new();
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..patients {
        let bundle: serde_json::Value =
            serde_json::from_slice(&patient_bundle(&options, number).json).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        sizes.push(entries.len());
        for entry in entries {
            *kinds.entry(entry["resource"]["resourceType"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    sizes.sort_unstable();
    let at = |share: f64| sizes[((sizes.len() - 1) as f64 * share) as usize];
    println!("{:.0} patients/s, {} bytes/patient", patients as f64 / seconds, bytes as u64 / patients);
    println!("resources/patient: mean {:.1}", sizes.iter().sum::<usize>() as f64 / patients as f64);
    println!("min {} p5 {} p50 {} p95 {} max {}", sizes[0], at(0.05), at(0.5), at(0.95), at(1.0));
    for (kind, count) in kinds {
        println!("{kind:22} {:.2}", count as f64 / patients as f64);
    }
}
