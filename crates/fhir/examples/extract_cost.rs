//! What parsing, extraction and the terms of full-text search cost per resource: `cargo run --release -p ieum-fhir --example extract_cost [FOLDER]`.
//! The folder holds Synthea bundles (`*.json.zst`); `../shared/data/synthea` when none is given.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ieum_fhir::extract::{ExtractOptions, extract};
use ieum_fhir::json::{Document, Limits, write_minified};
use ieum_fhir::words::full_text;

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "../shared/data/synthea".to_owned());
    let mut resources: Vec<(String, Vec<u8>)> = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let bundle = zstd::decode_all(std::fs::File::open(file?.path())?)?;
        let document = Document::parse(&bundle, &Limits::default())?;
        for entry in document.root().get("entry").ok_or("a file is no bundle")?.elements() {
            let resource = entry.get("resource").ok_or("an entry has no resource")?;
            let kind =
                resource.get("resourceType").and_then(|kind| kind.text()).ok_or("a resource has no type")?;
            let mut bytes = Vec::new();
            write_minified(resource, &mut bytes, &mut |value| {
                Some(value.text()?.replace("urn:uuid:", "Patient/"))
            });
            resources.push((kind.into_owned(), bytes));
        }
    }
    let bytes: usize = resources.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{} resources, {} bytes each", resources.len(), bytes / resources.len());
    let bases = ["https://hub.example/fhir".to_owned()];
    let options = ExtractOptions { bases: &bases };
    // The least of several runs for each resource: other programs share the machine.
    let mut least = vec![[Duration::MAX; 3]; resources.len()];
    let (mut values, mut terms) = (0, 0);
    for _ in 0..RUNS {
        (values, terms) = (0, 0);
        for ((kind, bytes), least) in resources.iter().zip(&mut least) {
            let start = Instant::now();
            let document = Document::parse(bytes, &Limits::default())?;
            let parsed = start.elapsed();
            let found = extract(kind, black_box(document.root()), &options);
            let extracted = start.elapsed();
            let text = full_text(kind, black_box(document.root()));
            let all = start.elapsed();
            values += black_box(found).values.len();
            terms += black_box(text).content.len();
            let parts = [parsed, extracted.saturating_sub(parsed), all.saturating_sub(extracted)];
            for (least, part) in least.iter_mut().zip(parts) {
                *least = (*least).min(part);
            }
        }
    }
    let per = |count: usize| count as f64 / resources.len() as f64;
    println!("{:.2} values and {:.2} terms each", per(values), per(terms));
    let mut kinds: BTreeMap<&str, (usize, usize, [Duration; 3])> = BTreeMap::new();
    for ((kind, bytes), least) in resources.iter().zip(least) {
        for kind in ["all", kind] {
            let (count, sum, times) = kinds.entry(kind).or_default();
            *count += 1;
            *sum += bytes.len();
            for (time, part) in times.iter_mut().zip(least) {
                *time += part;
            }
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (_, _, times))| std::cmp::Reverse(times.iter().sum::<Duration>()));
    for (kind, (count, bytes, times)) in kinds {
        let [parse, extract, text] = times.map(|time| time.as_secs_f64() * 1e6 / count as f64);
        println!(
            "{count:6} {kind:22} {:6} bytes  parse {parse:6.2} µs  extract {extract:6.2} µs  text {text:6.2} µs",
            bytes / count
        );
    }
    Ok(())
}
