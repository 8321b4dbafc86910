//! W3: the same data as NDJSON, each server by its own way of bulk.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::floor::{Log, digest};
use crate::report::{Better, median};
use crate::server::{Program, cpu_of_ended, emptied};
use crate::submit::submit;
use crate::transactions::wait_until_found;
use crate::{Bench, Result};

const RATE: (&str, Better) = ("resources/s", Better::More);
const CPU: (&str, Better) = ("CPU µs/resource", Better::Less);
/// Lines that the floor makes durable at once: what our import does.
const LINES: usize = 500;

/// Runs the workload. What it leaves is what searches are asked of.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let size = bench.corpus.resources.len() as f64;
    let probes = bench.corpus.probes(true)?;
    let files = bench.corpus.write_ndjson(&bench.place("ndjson"), 0)?;
    let (mut rates, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let data = bench.data_of(Program::Ieum, "loaded");
        emptied(&data)?;
        let (started, before) = (Instant::now(), cpu_of_ended()?);
        import(bench, &data, &bench.place("ndjson"))?;
        rates.push(size / started.elapsed().as_secs_f64());
        cpus.push((cpu_of_ended()? - before) * 1e6 / size);
        // What the import wrote is found as soon as a hub is there: that is checked, and its start is timed elsewhere.
        let server = bench.programs.start(Program::Ieum, &data)?;
        wait_until_found(&server, &probes)?;
        server.stop()?;
    }
    bench.report.server(("bulk", "searchable"), RATE, Program::Ieum, median(rates));
    bench.report.server(("bulk", "processor time"), CPU, Program::Ieum, median(cpus));
    if bench.programs.hfs.is_some() {
        let data = bench.data_of(Program::Hfs, "loaded");
        emptied(&data)?;
        let server = bench.programs.start(Program::Hfs, &data)?;
        let (started, before) = (Instant::now(), server.cpu()?);
        submit(&server, &files)?;
        wait_until_found(&server, &probes)?;
        let rate = size / started.elapsed().as_secs_f64();
        let cpu = (server.cpu()? - before) * 1e6 / size;
        server.stop()?;
        bench.report.server(("bulk", "searchable"), RATE, Program::Hfs, rate);
        bench.report.server(("bulk", "processor time"), CPU, Program::Hfs, cpu);
    }
    let rate = floor(bench, &files)?;
    bench.report.floor(("bulk", "searchable"), RATE, rate);
    Ok(())
}

/// A data directory with the data in it: what [`run`] left, or one made now.
pub(crate) fn loaded(bench: &Bench, program: Program) -> Result<PathBuf> {
    let data = bench.data_of(program, "loaded");
    if data.exists() {
        return Ok(data);
    }
    emptied(&data)?;
    let files = bench.corpus.write_ndjson(&bench.place("ndjson"), 0)?;
    match program {
        Program::Ieum => import(bench, &data, &bench.place("ndjson"))?,
        Program::Hfs => {
            let server = bench.programs.start(program, &data)?;
            submit(&server, &files)?;
            wait_until_found(&server, &bench.corpus.probes(true)?)?;
            server.stop()?;
        }
    }
    Ok(data)
}

/// `ieum import`; everything must be taken.
pub(crate) fn import(bench: &Bench, data: &Path, folder: &Path) -> Result<()> {
    let mut command = Command::new(&bench.programs.ieum);
    command.arg("import").arg("--data").arg(data).arg(folder).env("RUST_LOG", "warn");
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let told = [output.stdout, output.stderr].concat();
    Err(format!("ieum import ended with {}: {}", output.status, String::from_utf8_lossy(&told)).into())
}

fn floor(bench: &Bench, files: &[(String, PathBuf)]) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..bench.runs {
        let log = Log::create(&bench.place("floor-bulk"))?;
        let started = Instant::now();
        let (sender, receiver) = sync_channel::<Vec<String>>(8);
        let receiver = Mutex::new(receiver);
        let threads = std::thread::available_parallelism()?.get();
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| digest_lines(&receiver, &log))).collect();
            for (_, path) in files {
                let mut lines = BufReader::new(std::fs::File::open(path)?).lines();
                loop {
                    let some: Vec<String> = lines.by_ref().take(LINES).collect::<std::io::Result<_>>()?;
                    if some.is_empty() {
                        break;
                    }
                    sender.send(some)?;
                }
            }
            drop(sender);
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a bug".into())))
        })?;
        rates.push(bench.corpus.resources.len() as f64 / started.elapsed().as_secs_f64());
        log.close()?;
    }
    Ok(median(rates))
}

fn digest_lines(receiver: &Mutex<Receiver<Vec<String>>>, log: &Log) -> Result<()> {
    let writer = log.writer();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(lines) = next else { return Ok(()) };
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend(digest(line.as_bytes())?);
        }
        writer.append(bytes)?;
    }
}
