//! Tasks of the project: `cargo xtask --help`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod definitions;
mod dictionaries;

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
    /// Compile the FHIR R4 definitions into the tables of crates/fhir/definitions
    Definitions(definitions::Options),
    /// Train the compression dictionary for new record bodies, on synthetic records only
    Dictionaries(dictionaries::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
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
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
