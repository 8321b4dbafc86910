//! The steps, in order.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::clients;
use super::tools::{self, Tool};
use crate::process::{cargo, run};
use crate::{Result, arrows, bench, definitions, documents, root, target};

/// One step.
pub(super) struct Step {
    /// What `--only` calls it.
    pub(super) name: &'static str,
    /// What must hold.
    pub(super) title: &'static str,
    /// What it needs besides Rust.
    pub(super) needs: &'static [Tool],
    /// Does it; returns what there is to say of a success, or nothing.
    pub(super) run: fn() -> Result<String>,
}

/// Every step.
pub(super) const STEPS: &[Step] = &[
    step("tools", "what the tests need is installed", Tool::ALL, || Ok(String::new())),
    step("format", "the code is formatted", &[], format),
    step("arrows", "no crate uses one that it may not", &[], arrows::check),
    step("documents", "documents name every dependency and existing tests", &[], documents::check),
    step("deny", "licences, duplicate versions, sources, advisories", &[Tool::CargoDeny], deny),
    step("unused", "no dependency is unused", &[Tool::CargoMachete], unused),
    step("definitions", "the tables of FHIR can be made again", &[Tool::Npm], definitions_made_again),
    step("lints", "no warning of clippy", &[Tool::WebModules], lints),
    step("pages", "the documentation builds without warning", &[Tool::WebModules], pages),
    step("build", "everything builds, tests and examples included", &[Tool::WebModules], build),
    step("tests", "the tests in Rust", &[Tool::WebModules, Tool::Faults], tests),
    step("bench", "the benchmark runs, in its quick mode", &[Tool::WebModules], benchmark),
    step("browser", "the pages in a real browser", &[Tool::Browser, Tool::WebModules], browser),
    step(
        "clients",
        "real FHIR clients against a real hub",
        &[Tool::Python, Tool::ClientModules],
        clients::run_all,
    ),
];

const fn step(
    name: &'static str,
    title: &'static str,
    needs: &'static [Tool],
    run: fn() -> Result<String>,
) -> Step {
    Step { name, title, needs, run }
}

fn format() -> Result<String> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    Ok(String::new())
}

fn deny() -> Result<String> {
    let mut command = Command::new(tools::binary("cargo-deny"));
    run(command.current_dir(root()).args([
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))?;
    advisories()
}

/// The advisories are in a git repository that closed networks do not reach: then this is told, and is no fault.
fn advisories() -> Result<String> {
    let log = target().join("advisories.log");
    let mut command = Command::new(tools::binary("cargo-deny"));
    command.current_dir(root()).args(["check", "--hide-inclusion-graph", "advisories"]);
    // git would wait for a name and password where a proxy asks for them.
    command.env("GIT_TERMINAL_PROMPT", "0").stdout(std::fs::File::create(&log)?);
    command.stderr(std::fs::OpenOptions::new().append(true).open(&log)?);
    let mut child = command.stdin(std::process::Stdio::null()).spawn()?;
    let started = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if started.elapsed() > Duration::from_secs(120) {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let told = std::fs::read_to_string(&log)?;
    match ended {
        Some(status) if status.success() => Ok("no advisory against any dependency".to_owned()),
        Some(_) if !told.contains("failed to fetch advisory database") => Err(told.into()),
        _ => Ok("NOT CHECKED: advisories; their database cannot be reached from here".to_owned()),
    }
}

fn unused() -> Result<String> {
    run(Command::new(tools::binary("cargo-machete"))
        .current_dir(root())
        .args(["benches", "crates", "xtask"]))?;
    Ok(String::new())
}

fn definitions_made_again() -> Result<String> {
    definitions::run(&definitions::Options { check: true })?;
    Ok(String::new())
}

fn lints() -> Result<String> {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    Ok(String::new())
}

fn pages() -> Result<String> {
    let mut command = cargo();
    command.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
    run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(String::new())
}

fn build() -> Result<String> {
    run(cargo().args(["build", "--workspace", "--all-targets", "--locked"]))?;
    Ok(String::new())
}

fn tests() -> Result<String> {
    run(cargo().args(["test", "--workspace", "--locked"]))?;
    Ok(String::new())
}

/// Built as everything is, since building two packages alone would mean other features and all dependencies anew.
fn benchmark() -> Result<String> {
    build()?;
    bench::smoke()
}

fn browser() -> Result<String> {
    build()?;
    let gallery = target().join("gallery");
    run(Command::new(built("examples/gallery")).arg(&gallery))?;
    let web = root().join("web");
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec"]).args(node_tests(&web.join("tests"))?).current_dir(&web);
    command.env("IEUM_GALLERY", &gallery).env("IEUM_BIN", built("ieum"));
    run(command.env("IEUM_CHROMIUM", tools::chromium()))?;
    Ok(String::new())
}

/// A program of ours, built by the step `build`.
pub(crate) fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The test files of a folder. They are named one by one because node's versions differ in what a folder means.
pub(super) fn node_tests(folder: &std::path::Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.display().to_string().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{} holds no *.test.mjs", folder.display()).into());
    }
    Ok(files)
}
