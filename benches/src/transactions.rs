//! W2: Synthea's bundles as transactions from twenty clients, timed until all of it is found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::floor::{Log, digest};
use crate::report::{Better, median};
use crate::server::{Program, Server, bytes_below, emptied};
use crate::{Bench, Result};

/// Clients at the same time.
const CLIENTS: usize = 20;
const RATE: (&str, Better) = ("resources/s", Better::More);
const CPU: (&str, Better) = ("CPU µs/resource", Better::Less);

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let probes = bench.corpus.probes(false)?;
    let size = bench.corpus.size() as f64;
    for program in bench.servers() {
        let mut runs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        // A run of HFS takes minutes, and minutes need no median.
        let times = if program == Program::Hfs { 1 } else { bench.runs };
        for _ in 0..times {
            let data = bench.data_of(program, "transactions");
            emptied(&data)?;
            let server = bench.programs.start(program, &data)?;
            let (rate, before) = (Instant::now(), server.cpu()?);
            post_all(bench, &server)?;
            wait_until_found(&server, &probes)?;
            runs.entry("rate").or_default().push(size / rate.elapsed().as_secs_f64());
            runs.entry("cpu").or_default().push((server.cpu()? - before) * 1e6 / size);
            if program == Program::Ieum {
                runs.entry("writer").or_default().push(server.cpu_of_thread("ieum-writer")? * 1e6 / size);
            }
            runs.entry("peak").or_default().push(server.memory()?.1 / 1e6);
            server.stop()?;
            runs.entry("disk").or_default().push(bytes_below(&data)? / size);
        }
        let mut middle = |name| runs.remove(name).map(median);
        for (what, unit, value) in [
            ("searchable", RATE, middle("rate")),
            ("processor time of the server", CPU, middle("cpu")),
            ("of it in the writer thread", CPU, middle("writer")),
            ("memory at its peak", ("MB", Better::Less), middle("peak")),
            ("bytes on disk", ("bytes/resource", Better::Less), middle("disk")),
        ] {
            if let Some(value) = value {
                bench.report.server(("transactions", what), unit, program, value);
            }
        }
    }
    let rate = floor(bench)?;
    bench.report.floor(("transactions", "searchable"), RATE, rate);
    Ok(())
}

/// Gives each bundle to whoever is free.
fn each_bundle(bench: &Bench, work: impl Fn(usize, &[u8]) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed))
                        && let Some(bundle) = bench.corpus.bundles.get(index)
                    {
                        work(index, bundle)?;
                    }
                    Ok(())
                })
            })
            .collect();
        clients.into_iter().try_for_each(|client| client.join().unwrap_or_else(|_| Err("a bug".into())))
    })
}

fn post_all(bench: &Bench, server: &Server) -> Result<()> {
    each_bundle(bench, |index, bundle| {
        let answer = server.client().send("POST", "", Some(bundle))?.expect(&[200])?.json()?;
        let entries = answer["entry"].as_array().map_or(0, Vec::len);
        if entries != bench.corpus.entries[index] {
            return Err(format!("bundle {index} was answered with {entries} entries").into());
        }
        Ok(())
    })
}

/// Asks until every count is what it must be.
pub(crate) fn wait_until_found(server: &Server, probes: &[(String, u64)]) -> Result<()> {
    let started = Instant::now();
    let mut client = server.client();
    for (question, expected) in probes {
        loop {
            let answer = client.get(&format!("{question}&_summary=count"))?.expect(&[200])?.json()?;
            let found = answer["total"].as_u64().unwrap_or_default();
            if found == *expected {
                break;
            }
            if found > *expected || started.elapsed().as_secs() > 1_800 {
                return Err(format!("{question}: {found} instead of {expected}").into());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    Ok(())
}

fn floor(bench: &Bench) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..bench.runs {
        let log = Log::create(&bench.place("floor-transactions"))?;
        let started = Instant::now();
        each_bundle(bench, |_, bundle| log.writer().append(digest(bundle)?))?;
        rates.push(bench.corpus.size() as f64 / started.elapsed().as_secs_f64());
        log.close()?;
    }
    Ok(median(rates))
}
