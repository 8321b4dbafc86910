//! Where the time of preparing a record goes: each stage over all resources, on one thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ieum_fhir::extract::{ExtractOptions, contained, extract};
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::validate::validate;
use ieum_fhir::words::full_text;
use ieum_store::body::body_from;
use ieum_store::compress::pack;

use crate::report::{Better, median};
use crate::server::Program;
use crate::{Bench, Result};

const STAGES: [&str; 6] = ["parse", "validate", "extract", "full text", "body", "compress"];

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let mut times: [Vec<f64>; 6] = Default::default();
    for _ in 0..bench.runs {
        for (all, time) in times.iter_mut().zip(one_run(bench)?) {
            all.push(time.as_secs_f64() * 1e6 / bench.corpus.resources.len() as f64);
        }
    }
    for (stage, times) in STAGES.into_iter().zip(times) {
        let unit = ("µs/resource", Better::Less);
        bench.report.server(("stages", stage), unit, Program::Ieum, median(times));
    }
    Ok(())
}

fn one_run(bench: &Bench) -> Result<[Duration; 6]> {
    let mut times = [Duration::ZERO; 6];
    let options = ExtractOptions::default();
    for resource in &bench.corpus.resources {
        let mut last = Instant::now();
        let mut lap = |stage: usize| {
            let now = Instant::now();
            times[stage] += now - last;
            last = now;
        };
        let document = Document::parse(resource.text.as_bytes(), &Limits::default())?;
        let root = document.root();
        lap(0);
        if !validate(root, Some(&resource.kind)).is_valid() {
            return Err(format!("{}/{} is not valid", resource.kind, resource.id).into());
        }
        lap(1);
        black_box((extract(&resource.kind, root, &options), contained(root, &options, &|_, _, _| {})));
        lap(2);
        black_box(full_text(&resource.kind, root));
        lap(3);
        let body = body_from(root, &mut |_| None);
        lap(4);
        black_box(pack(&body));
        lap(5);
    }
    Ok(times)
}
