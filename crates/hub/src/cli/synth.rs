//! `ieum synth`: synthetic Korea into files that `ieum import` takes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ieum_synth::{Options, patient_bundle, shared_bundle};
use indicatif::ProgressBar;

use super::{Result, Synth, say};
use crate::import::progress_style;

/// People in one file: small enough to write and read in parallel, large enough to compress well.
const PER_FILE: u64 = 500;

pub(super) fn run(arguments: &Synth) -> Result<ExitCode> {
    std::fs::create_dir_all(&arguments.out)?;
    let options = Options::new(arguments.patients, arguments.seed);
    std::fs::write(arguments.out.join("0-institutions.json"), shared_bundle(&options).json)?;
    let bar = ProgressBar::new(arguments.patients).with_style(progress_style("people"));
    let files = arguments.patients.div_ceil(PER_FILE);
    let next = AtomicU64::new(0);
    let failed = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let file = next.fetch_add(1, Ordering::Relaxed);
                    if file >= files {
                        return;
                    }
                    if let Err(error) = write_file(&arguments.out, &options, file, &bar) {
                        *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
                        next.store(files, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error.into());
    }
    bar.finish_and_clear();
    say(&format!("{} people in {} (seed {})", arguments.patients, arguments.out.display(), arguments.seed));
    Ok(ExitCode::SUCCESS)
}

/// One file of people, a bundle a line. It gets its name when it is whole.
fn write_file(out: &Path, options: &Options, file: u64, bar: &ProgressBar) -> std::io::Result<()> {
    let name = out.join(format!("people-{:05}.ndjson.zst", file + 1));
    let part = out.join(format!("people-{:05}.part", file + 1));
    let mut encoder = zstd::Encoder::new(File::create(&part)?, 3)?;
    for person in file * PER_FILE..((file + 1) * PER_FILE).min(options.patients) {
        encoder.write_all(&patient_bundle(options, person).json)?;
        encoder.write_all(b"\n")?;
        bar.inc(1);
    }
    encoder.finish()?.sync_all()?;
    std::fs::rename(part, name)
}
