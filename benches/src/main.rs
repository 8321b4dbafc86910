//! The driver of `cargo xtask bench records`: what it measures and how to read it is in `docs/bench.md`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

mod access;
mod bulk;
mod corpus;
mod crud;
mod everything;
mod floor;
mod footprint;
mod http;
mod machine;
mod report;
mod searches;
mod server;
mod shapes;
mod slope;
mod small;
mod stages;
mod submit;
mod transactions;

use corpus::Corpus;
use report::Report;
use server::{Program, Programs};

/// What a workload ends with; the message says what went wrong.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Measures the record store from outside, beside a floor program and, where it is present, Helios HFS.
#[derive(Parser)]
#[command(name = "ieum-bench")]
struct Options {
    /// The program to measure
    #[arg(long, value_name = "FILE")]
    ieum: PathBuf,
    /// Helios FHIR Server 0.2.7, to compare with
    #[arg(long, value_name = "FILE", env = "IEUM_BENCH_HFS")]
    hfs: Option<PathBuf>,
    /// R4's SearchParameters as a Bundle, for HFS: `search-parameters.json` of the definitions package
    #[arg(long, value_name = "FILE", env = "IEUM_BENCH_HFS_PARAMETERS", requires = "hfs")]
    hfs_parameters: Option<PathBuf>,
    /// Folder of Synthea bundles, `*.json.zst`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder to work in: what is measured depends on its disk. It is emptied.
    #[arg(long, value_name = "DIR")]
    work: PathBuf,
    /// Only this workload; may be given several times
    #[arg(long, value_name = "WORKLOAD")]
    only: Vec<Workload>,
    /// Seconds instead of minutes: shows that it works, not how fast
    #[arg(long)]
    quick: bool,
    /// Runs of the short workloads, of which the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Also measure HFS on ten times the data, which takes it long
    #[arg(long)]
    slope_hfs: bool,
    /// Where the figures go as JSON; otherwise into the folder to work in
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// Create, read, update, delete, of nine types
    Crud,
    /// Synthea's bundles as transactions
    Transactions,
    /// The same as NDJSON, in bulk
    Bulk,
    /// Thirty shapes of searches
    Search,
    /// `$everything` and history
    Everything,
    /// What access costs that rests on relations and consents
    Access,
    /// Ten times the data
    Slope,
    /// Small writes beside a bundle of 20,000 entries
    Small,
    /// Disk, memory, start
    Footprint,
    /// Where the time of preparing a record goes
    Stages,
}

/// What every workload works with.
pub(crate) struct Bench {
    /// The programs.
    pub(crate) programs: Programs,
    /// The data.
    pub(crate) corpus: Corpus,
    /// What was measured.
    pub(crate) report: Report,
    /// Whether only to show that it works.
    pub(crate) quick: bool,
    /// Runs of short workloads.
    pub(crate) runs: usize,
    /// Whether HFS takes ten times the data, too.
    pub(crate) slope_hfs: bool,
    work: PathBuf,
}

impl Bench {
    /// The servers to measure.
    pub(crate) fn servers(&self) -> Vec<Program> {
        let hfs = self.programs.hfs.is_some().then_some(Program::Hfs);
        std::iter::once(Program::Ieum).chain(hfs).collect()
    }

    /// A place below the folder to work in.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    /// A data directory of a server.
    pub(crate) fn data_of(&self, program: Program, name: &str) -> PathBuf {
        self.work.join(format!("{name}-{program:?}").to_lowercase())
    }
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the program is asked for")]
fn run(options: Options) -> Result<()> {
    server::emptied(&options.work)?;
    let programs = programs(&options)?;
    let machine = machine::describe(&options.work, &programs)?;
    eprintln!("{}", machine::told(&machine));
    let corpus = Corpus::load(&options.data, if options.quick { 6 } else { usize::MAX })?;
    eprintln!(
        "{} bundles, {} entries, {} resources",
        corpus.bundles.len(),
        corpus.size(),
        corpus.resources.len()
    );
    let runs = if options.quick { 1 } else { options.runs.max(1) };
    let Options { quick, slope_hfs, work, .. } = options;
    let file = options.json.unwrap_or_else(|| work.join("bench.json"));
    let mut bench = Bench { programs, corpus, report: Report::default(), quick, runs, slope_hfs, work };
    for workload in Workload::value_variants() {
        if !options.only.is_empty() && !options.only.contains(workload) {
            continue;
        }
        eprintln!("── {workload:?}");
        measure(&mut bench, *workload).map_err(|error| format!("{workload:?}: {error}"))?;
        // After each, so that a long run that is ended early has not been in vain.
        bench.report.write(&file, &machine)?;
    }
    println!("{}\n\n{}", machine::told(&machine), bench.report.table());
    eprintln!("figures: {}", file.display());
    Ok(())
}

fn measure(bench: &mut Bench, workload: Workload) -> Result<()> {
    match workload {
        Workload::Crud => crud::run(bench),
        Workload::Transactions => transactions::run(bench),
        Workload::Bulk => bulk::run(bench),
        Workload::Search => searches::run(bench),
        Workload::Everything => everything::run(bench),
        Workload::Access => access::run(bench),
        Workload::Slope => slope::run(bench),
        Workload::Small => small::run(bench),
        Workload::Footprint => footprint::run(bench),
        Workload::Stages => stages::run(bench),
    }
}

/// HFS reads its parameters from a file of a fixed name, without which it would index almost nothing.
fn programs(options: &Options) -> Result<Programs> {
    let hfs = match (&options.hfs, &options.hfs_parameters) {
        (Some(program), Some(parameters)) => {
            let folder = options.work.join("hfs-parameters");
            fs::create_dir_all(&folder)?;
            fs::copy(parameters, folder.join("search-parameters-r4.json"))
                .map_err(|error| format!("{}: {error}", parameters.display()))?;
            Some((program.canonicalize()?, folder.canonicalize()?))
        }
        (Some(_), None) => return Err("--hfs needs --hfs-parameters".into()),
        (None, _) => None,
    };
    let ieum = options.ieum.canonicalize().map_err(|error| format!("{}: {error}", options.ieum.display()))?;
    Ok(Programs { ieum, hfs })
}
