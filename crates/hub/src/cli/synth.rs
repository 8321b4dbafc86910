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
    remove_leftovers(&arguments.out, arguments.patients.div_ceil(PER_FILE))?;
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

/// Takes away what an earlier run with more people left: an import takes the whole folder. Other files are not ours.
fn remove_leftovers(out: &Path, files: u64) -> std::io::Result<()> {
    for entry in std::fs::read_dir(out)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(file_number);
        if number.is_some_and(|number| number > files) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The number of a file that this program names so.
fn file_number(name: &str) -> Option<u64> {
    let rest = name.strip_prefix("people-")?;
    let digits = rest.strip_suffix(".ndjson.zst").or_else(|| rest.strip_suffix(".part"))?;
    (digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_an_earlier_run_are_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "people-00001.ndjson.zst",
            "people-00002.ndjson.zst",
            "people-00003.part",
            "people-99999.txt",
            "mine.ndjson",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        remove_leftovers(folder.path(), 1).unwrap();
        let left: Vec<&str> = names.into_iter().filter(|name| folder.path().join(name).exists()).collect();
        assert_eq!(left, ["people-00001.ndjson.zst", "people-99999.txt", "mine.ndjson"]);
    }
}
