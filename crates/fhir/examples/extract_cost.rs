//! What parsing and extraction cost per resource: `cargo run --release -p ieum-fhir --example extract_cost [FOLDER]`.
//! The folder holds Synthea bundles (`*.json.zst`); `../shared/data/synthea` when none is given.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ieum_fhir::extract::{ExtractOptions, extract};
use ieum_fhir::json::{Document, Limits, write_minified};

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
    let mut least = vec![(Duration::MAX, Duration::MAX); resources.len()];
    let mut values = 0;
    for _ in 0..RUNS {
        values = 0;
        for ((kind, bytes), least) in resources.iter().zip(&mut least) {
            let start = Instant::now();
            let document = Document::parse(bytes, &Limits::default())?;
            let parsed = start.elapsed();
            let found = extract(kind, black_box(document.root()), &options);
            let all = start.elapsed();
            values += black_box(found).values.len();
            *least = (least.0.min(parsed), least.1.min(all.saturating_sub(parsed)));
        }
    }
    println!("{:.2} values each", values as f64 / resources.len() as f64);
    let mut kinds: BTreeMap<&str, (usize, usize, Duration, Duration)> = BTreeMap::new();
    for ((kind, bytes), (parse, extract)) in resources.iter().zip(least) {
        for kind in ["all", kind] {
            let of_kind = kinds.entry(kind).or_default();
            *of_kind = (of_kind.0 + 1, of_kind.1 + bytes.len(), of_kind.2 + parse, of_kind.3 + extract);
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (_, _, parse, extract))| std::cmp::Reverse(*parse + *extract));
    for (kind, (count, bytes, parse, extract)) in kinds {
        let per = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
        println!(
            "{count:6} {kind:22} {:6} bytes  parse {:6.2} µs  extract {:6.2} µs",
            bytes / count,
            per(parse),
            per(extract)
        );
    }
    Ok(())
}
