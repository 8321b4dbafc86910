//! `cargo xtask fuzz`: looks for input that the hub does not bear (`fuzz/`).
//!
//! On stable Rust, and without a sanitizer: the workspace denies `unsafe`, so there is nothing in our code for one to
//! see, and it would look into SQLite and zstd no more, which are C and built as they always are. What is watched is
//! panics, overflow (debug assertions are on), time, memory, and what the targets themselves assert.

use std::fs;
use std::process::Command;

use crate::process::run;
use crate::test::{Tool, binary, ensure};
use crate::{Result, root, target};

/// Options of the task.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Only this target
    target: Option<String>,
}

/// Every target.
const TARGETS: [&str; 5] = ["documents", "queries", "bundles", "patches", "apps"];

/// Runs the task.
pub(crate) fn run_fuzz(options: &Options) -> Result<()> {
    let chosen: Vec<&str> = match &options.target {
        None => TARGETS.to_vec(),
        Some(name) => TARGETS.into_iter().filter(|target| target == name).collect(),
    };
    if chosen.is_empty() {
        return Err(format!("there is no such target; there are {}", TARGETS.join(", ")).into());
    }
    ensure(Tool::CargoFuzz)?;
    let mut found = Vec::new();
    for name in chosen {
        eprintln!("\n── {name}, {} s", options.seconds);
        if let Err(error) = run(&mut fuzzing(name, options.seconds)?) {
            eprintln!("{error}");
            found.push(name);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!(
        "found something in {}: see above. Repair it, and keep the input as a file in fuzz/seeds: the hub's tests judge it \
         from then on",
        found.join(", ")
    )
    .into())
}

/// libFuzzer on one target. What it learns is kept below the target folder and used again.
fn fuzzing(name: &str, seconds: u32) -> Result<Command> {
    let fuzz = root().join("fuzz");
    let folder = target().join("fuzz");
    let (corpus, found, temporary) =
        (folder.join("corpus").join(name), folder.join("found"), folder.join("tmp"));
    for folder in [&corpus, &found, &temporary] {
        fs::create_dir_all(folder)?;
    }
    let mut command = Command::new(binary("cargo-fuzz"));
    command.current_dir(root()).arg("run").arg("--fuzz-dir").arg(&fuzz).arg("--target-dir").arg(&folder);
    command.args(["--sanitizer", "none", name]).arg(&corpus).arg(fuzz.join("seeds").join(name)).arg("--");
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-dict={}", fuzz.join("words.dict").display()));
    command.arg(format!("-artifact_prefix={}/{name}-", found.display()));
    command.args(["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    // Stores of the targets on disk.
    command.env("TMPDIR", &temporary);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_and_has_seeds() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        for name in TARGETS {
            assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
            assert!(fs::read_dir(root().join("fuzz/seeds").join(name)).unwrap().count() > 5, "{name}");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }
}
