//! W6: ten times the data, in copies with other ids: what a record costs as the store grows.

use std::time::Instant;

use crate::bulk::import;
use crate::footprint::{BYTES, start};
use crate::report::Better;
use crate::server::{Program, bytes_below, cpu_of_ended, emptied};
use crate::submit::submit;
use crate::{Bench, Result};

const RATE: (&str, Better) = ("resources/s", Better::More);
const CPU: (&str, Better) = ("CPU µs/resource", Better::Less);
/// Where the aims for the start are set.
const START: usize = 200_000;

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let copies = if bench.quick { 2 } else { 10 };
    let one = bench.corpus.resources.len();
    let data = bench.data_of(Program::Ieum, "slope");
    emptied(&data)?;
    let mut costs = Vec::new();
    for copy in 1..=copies {
        let folder = bench.place("ndjson-copy");
        bench.corpus.write_ndjson(&folder, copy)?;
        let (started, before) = (Instant::now(), cpu_of_ended()?);
        import(bench, &data, &folder)?;
        let rate = one as f64 / started.elapsed().as_secs_f64();
        let cost = (cpu_of_ended()? - before) * 1e6 / one as f64;
        costs.push(cost);
        let size = one * usize::from(copy);
        if copy == 1 || copy == copies || copy == copies / 2 {
            let what = format!("import up to {size}");
            bench.report.server(("slope", &what), RATE, Program::Ieum, rate);
            bench.report.server(("slope", &what.replace("import", "cost")), CPU, Program::Ieum, cost);
            let bytes = bytes_below(&data)? / size as f64;
            bench.report.server(("slope", &format!("bytes with {size}")), BYTES, Program::Ieum, bytes);
        }
        // The first that is large enough, and the last.
        if (size >= START && size - one < START) || copy == copies {
            start(bench, Program::Ieum, &data, &format!("with {size}"))?;
        }
    }
    if let (Some(first), Some(last)) = (costs.first(), costs.last()) {
        let ratio = ("times", Better::Less);
        bench.report.server(
            ("slope", "cost of the last copy by the first"),
            ratio,
            Program::Ieum,
            last / first,
        );
    }
    if bench.slope_hfs && bench.programs.hfs.is_some() { hfs(bench, copies) } else { Ok(()) }
}

fn hfs(bench: &mut Bench, copies: u16) -> Result<()> {
    let one = bench.corpus.resources.len();
    let data = bench.data_of(Program::Hfs, "slope");
    emptied(&data)?;
    for copy in 1..=copies {
        let files = bench.corpus.write_ndjson(&bench.place("ndjson-copy"), copy)?;
        let server = bench.programs.start(Program::Hfs, &data)?;
        let started = Instant::now();
        submit(&server, &files)?;
        let probes =
            bench.corpus.probes(true)?.into_iter().map(|(question, n)| (question, n * u64::from(copy)));
        crate::transactions::wait_until_found(&server, &probes.collect::<Vec<_>>())?;
        let rate = one as f64 / started.elapsed().as_secs_f64();
        server.stop()?;
        if copy == 1 || copy == copies || copy == copies / 2 {
            let what = format!("import up to {}", one * usize::from(copy));
            bench.report.server(("slope", &what), RATE, Program::Hfs, rate);
        }
    }
    Ok(())
}
