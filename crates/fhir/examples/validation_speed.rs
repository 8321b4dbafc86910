//! How long the definitions take to load and a resource to be validated:
//! `cargo run --release -p ieum-fhir --example validation_speed -- FOLDER` with Synthea bundles (`.json.zst`).

use std::hint::black_box;
use std::time::Instant;

use ieum_fhir::definitions::r4;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::validate::validate;

fn main() {
    let start = Instant::now();
    black_box(r4());
    eprintln!("definitions loaded in {:.1?}", start.elapsed());
    let folder = std::env::args().nth(1).expect("the folder with *.json.zst");
    let mut bodies = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let bundle = zstd::decode_all(bytes.as_slice()).expect("zstd");
        let document = Document::parse(&bundle, &Limits::default()).expect("JSON");
        let entries = document.root().get("entry").expect("a bundle").elements();
        bodies.extend(entries.map(|entry| entry.get("resource").expect("a resource").raw().to_owned()));
    }
    let bytes: usize = bodies.iter().map(String::len).sum();
    for _ in 0..3 {
        let start = Instant::now();
        let documents: Vec<_> = bodies
            .iter()
            .map(|body| Document::parse(body.as_bytes(), &Limits::default()).expect("JSON"))
            .collect();
        let parsed = start.elapsed();
        let start = Instant::now();
        let issues: usize =
            documents.iter().map(|document| validate(document.root(), None).issues.len()).sum();
        let validated = start.elapsed();
        let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / bodies.len() as f64;
        eprintln!(
            "{} resources, {} bytes each: parsed in {:.2} µs, validated in {:.2} µs each, {issues} issues",
            bodies.len(),
            bytes / bodies.len(),
            each(parsed),
            each(validated)
        );
    }
}
