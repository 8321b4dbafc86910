//! `ieum doctor`: is everything as it should be, and if not, what to do.

use std::path::Path;
use std::process::{Command, ExitCode};

use indicatif::ProgressBar;

use super::{Doctor, Result, say};
use crate::config::Loaded;
use crate::data::{Data, DataError};
use crate::import::progress_style;

/// Free space under which a warning is given.
const LOW_SPACE_BYTES: u64 = 2 << 30;

pub(super) fn run(arguments: &Doctor) -> Result<ExitCode> {
    let mut faults = 0;
    say(&format!("ieum {}", env!("CARGO_PKG_VERSION")));
    say("");
    say("Settings");
    match Loaded::new(&arguments.data, &arguments.flags) {
        Ok(loaded) => {
            for setting in loaded.shown() {
                say(&format!("  {:<9} {:<24} from {}", setting.name, setting.value, setting.origin));
            }
        }
        Err(error) => {
            faults += 1;
            say(&format!("  FAULT: {error}"));
        }
    }
    say("");
    say(&format!("Data in {}", arguments.data.display()));
    if !arguments.data.join("records.sqlite").exists() {
        say("  nothing there yet: `ieum serve` and `ieum import` make it");
        return Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    faults += check_space(&arguments.data);
    faults += check_records(&arguments.data)?;
    faults += check_clock();
    say("");
    say(&match faults {
        0 => "Everything is as it should be.".to_owned(),
        count => format!("{count} to look into."),
    });
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_records(directory: &Path) -> Result<u32> {
    let data = match Data::open(directory, None) {
        Ok(data) => data,
        Err(DataError::InUse(_)) => {
            say("  a hub is running on it: stop it to have records and indexes checked");
            return Ok(0);
        }
        Err(error) => {
            say(&format!("  FAULT: {error}"));
            say("    Restore the directory from a backup, or use the version of ieum that wrote it.");
            return Ok(1);
        }
    };
    let bar = ProgressBar::new(0).with_style(progress_style("records"));
    let report = data.engine.check(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let size = data.engine.bytes_on_disk();
    say(&format!(
        "  {} current records, {} older versions, {} commits",
        report.records, report.versions, report.commits
    ));
    say(&format!("  {size} bytes on disk, schema {} of {}", report.schema, report.newest_schema));
    for fault in &report.faults {
        say(&format!("  FAULT: {fault}"));
    }
    if !report.faults.is_empty() {
        say("    Keep a copy of the directory, restore it from a backup, and report what is written above.");
    }
    Ok(u32::try_from(report.faults.len()).unwrap_or(u32::MAX))
}

/// Free space, as `df` tells it: the standard library has no way to ask.
fn check_space(directory: &Path) -> u32 {
    let output = Command::new("df").args(["-P", "-k"]).arg(directory).output();
    let free = output.ok().and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kib| kib << 10)
    });
    match free {
        Some(free) if free < LOW_SPACE_BYTES => {
            say(&format!("  FAULT: only {free} bytes are free on this disk"));
            say("    Make room before importing: a full disk stops all writing.");
            1
        }
        Some(free) => {
            say(&format!("  {free} bytes free on this disk"));
            0
        }
        None => 0,
    }
}

/// A clock before this program was built cannot be right.
fn check_clock() -> u32 {
    const BUILT_MICROS: i64 = 1_790_000_000_000_000;
    if (ieum_store::clock::system_clock())() < BUILT_MICROS {
        say("  FAULT: the machine's clock is wrong: it shows a time before this program was made");
        say("    Set it, and keep it right with NTP: times of access are evidence.");
        return 1;
    }
    0
}
