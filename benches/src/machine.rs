//! What the figures depend on: the machine, how quiet it is, its disk, the versions.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Result;
use crate::report::{percentile, readable};
use crate::server::{Programs, settle};

/// Part of the processors that others may use before we say so.
const QUIET: f64 = 0.05;

/// Tells of the machine before anything is started on it.
pub(crate) fn describe(work: &Path, programs: &Programs) -> Result<Value> {
    let busy = busy_part()?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let (fsyncs, fsync_median) = fsyncs(work)?;
    let hfs = programs.hfs.as_ref().map(|(program, _)| version(program)).transpose()?;
    Ok(json!({
        "processors": std::thread::available_parallelism()?.get(),
        "processor": of_file("/proc/cpuinfo", "model name"),
        "memory": of_file("/proc/meminfo", "MemTotal"),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease")?.trim_end(),
        "load_average": load.trim_end(),
        "busy_before_start": busy,
        "quiet": busy <= QUIET,
        "fsyncs_per_second": fsyncs,
        "fsync_median_ms": fsync_median,
        "ieum": version(&programs.ieum)?,
        "hfs": hfs,
        "sqlite": rusqlite::version(),
    }))
}

/// The same for a person, with a warning where one is due.
pub(crate) fn told(machine: &Value) -> String {
    let text = |name: &str| machine[name].to_string().trim_matches('"').to_owned();
    let mut told = format!(
        "{} processors ({}), {}, Linux {}; fsync {}/s, median {} ms; load {}; {}; {}; SQLite {}",
        text("processors"),
        text("processor"),
        text("memory"),
        text("kernel"),
        readable(machine["fsyncs_per_second"].as_f64().unwrap_or_default()),
        readable(machine["fsync_median_ms"].as_f64().unwrap_or_default()),
        text("load_average"),
        text("ieum"),
        machine["hfs"].as_str().unwrap_or("no HFS"),
        text("sqlite"),
    );
    if machine["quiet"] == false {
        let busy = machine["busy_before_start"].as_f64().unwrap_or_default() * 100.0;
        told.push_str(&format!(
            "\nWARNING: the machine is not quiet: {busy:.0} % of its processors were busy before the start"
        ));
    }
    told
}

/// Part of the processors' time that was used during a second in which we do nothing.
fn busy_part() -> Result<f64> {
    let times = || -> Result<(f64, f64)> {
        let stat = fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().unwrap_or_default();
        let times: Vec<f64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
        let [_, _, _, idle, waiting, ..] = times[..] else {
            return Err("/proc/stat is not what it was".into());
        };
        // The last two are part of the first two already.
        Ok((idle + waiting, times.iter().take(8).sum()))
    };
    let (idle, all) = times()?;
    sleep(Duration::from_secs(1));
    let (idle_after, all_after) = times()?;
    Ok(1.0 - (idle_after - idle) / (all_after - all).max(1.0))
}

/// How many small writes one after another the disk makes durable in a second, and milliseconds of the median one: the
/// two differ where others use the disk.
fn fsyncs(work: &Path) -> Result<(f64, f64)> {
    settle()?;
    let path = work.join("fsync");
    let mut file = File::create(&path)?;
    let started = Instant::now();
    let mut times = Vec::new();
    while started.elapsed() < Duration::from_secs(2) {
        let asked = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        times.push(asked.elapsed());
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok((rate, percentile(&mut times, 50).ok_or("no fsync within two seconds")?))
}

fn version(program: &Path) -> Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

fn of_file(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}
