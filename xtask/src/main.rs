//! Tasks of the project: `cargo xtask --help`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod accounts;
mod arrows;
mod bench;
mod definitions;
mod demo;
mod dictionaries;
mod documents;
mod fuzz;
mod process;
mod test;

/// What a task ends with; the message says what to do.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, test, demo and checks of Ieum")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, make synthetic Korea, start the hub on this machine
    Demo(demo::Options),
    /// Everything that must hold: installs what is missing, checks, tests
    Test(test::Options),
    /// Measure: the record store, beside a floor program and Helios HFS
    #[command(subcommand)]
    Bench(bench::Suite),
    /// Look for input that the hub does not bear: libFuzzer on documents, queries, bundles and patches
    Fuzz(fuzz::Options),
    /// Make the table of threats in docs/security.md from what the tests say
    Documents,
    /// Compile the FHIR R4 definitions into the tables of crates/fhir/definitions
    Definitions(definitions::Options),
    /// Train the compression dictionary for new record bodies, on synthetic records only
    Dictionaries(dictionaries::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Demo(options) => demo::run_demo(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(suite) => bench::run_suite(&suite),
        Task::Fuzz(options) => fuzz::run_fuzz(&options),
        Task::Documents => documents::run_documents(),
        Task::Definitions(options) => definitions::run(&options),
        Task::Dictionaries(options) => dictionaries::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The repository.
fn root() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.parent().map(PathBuf::from).unwrap_or(folder)
}

/// Where cargo builds, and where tasks keep what can be made again.
fn target() -> PathBuf {
    // Joining an absolute path gives that path.
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}
