//! `cargo xtask bench`: builds what is to be measured and what measures it (`benches/`), and starts that.
//!
//! The driver is a program of its own, so that xtask stays light for everybody who never measures.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::process::{cargo, run};
use crate::test::built;
use crate::{Result, definitions, root, target};

/// What to measure.
#[derive(clap::Subcommand)]
pub(crate) enum Suite {
    /// The record store: see docs/bench.md
    Records(Options),
}

/// Options of the task.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Helios FHIR Server 0.2.7, to compare with
    #[arg(long, value_name = "FILE", env = "IEUM_BENCH_HFS")]
    hfs: Option<PathBuf>,
    /// Take the programs that are built already
    #[arg(long)]
    no_build: bool,
    /// Options of the driver; `-- --help` lists them
    #[arg(last = true, value_name = "OPTION")]
    driver: Vec<String>,
}

/// Runs the task.
pub(crate) fn run_suite(Suite::Records(options): &Suite) -> Result<()> {
    if !options.no_build {
        run(cargo().args([
            "build",
            "--locked",
            "--release",
            "--package",
            "ieum",
            "--package",
            "ieum-bench",
        ]))?;
    }
    let release = target().join("release");
    let mut command = Command::new(release.join("ieum-bench"));
    command.arg("--ieum").arg(release.join("ieum")).arg("--work").arg(target().join("bench"));
    command.arg("--data").arg(data());
    if let Some(hfs) = &options.hfs {
        // HFS reads its parameters from the file that our own definitions are made of.
        command.arg("--hfs").arg(hfs).arg("--hfs-parameters").arg(definitions::search_parameters()?);
    }
    run(command.args(&options.driver))
}

/// The quick mode of two workloads against what the step `build` has built: that the benchmark works, not how fast.
pub(crate) fn smoke() -> Result<String> {
    let data = data();
    if !data.is_dir() {
        return Ok(format!(
            "NOT CHECKED: there are no Synthea bundles at {}; set IEUM_SHARED",
            data.display()
        ));
    }
    let work = target().join("bench-smoke");
    let mut command = Command::new(built("ieum-bench"));
    command.arg("--ieum").arg(built("ieum")).arg("--work").arg(work).arg("--data").arg(data);
    command.args(["--quick", "--only", "transactions", "--only", "everything"]);
    let log = target().join("bench-smoke.log");
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&log)?);
    run(&mut command).map_err(|error| format!("{error}; what it said is in {}", log.display()))?;
    Ok(String::new())
}

/// The shared Synthea bundles, beside the repository or where `IEUM_SHARED` says.
fn data() -> PathBuf {
    let shared = std::env::var_os("IEUM_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    shared.join("data/synthea")
}
