//! `ieum doctor`: is everything as it should be, and if not, what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use ieum_store::commit::StoreError;
use indicatif::ProgressBar;

use super::{Doctor, Result, say};
use crate::config::{Loaded, Settings};
use crate::data::{Data, DataError, holds_records};
use crate::federation::Federation;
use crate::import::progress_style;
use crate::secret_file;

/// Free space under which a warning is given.
const LOW_SPACE_BYTES: u64 = 2 << 30;
/// Days before its end from which a certificate is a fault.
const SOON_DAYS: i64 = 14;

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
            if let Err(misfit) = loaded.settings.check() {
                faults += 1;
                say(&format!("  FAULT: {misfit}"));
            }
            faults += check_elsewhere(&arguments.data, &loaded.settings);
            match loaded.settings.law_in_force() {
                Ok(law) => say(&format!("  {} rows of law", law.rows().len())),
                Err(error) => {
                    faults += 1;
                    say(&format!("  FAULT: {error}"));
                }
            }
            faults += check_tls(&loaded.settings);
            if let Err(error) = loaded.settings.anchors() {
                faults +=
                    tell(&error, "Each authority needs NAME.pem and NAME.toml; see docs/authorization.md.");
            }
        }
        Err(error) => {
            faults += 1;
            say(&format!("  FAULT: {error}"));
        }
    }
    say("");
    say(&format!("Data in {}", arguments.data.display()));
    if !holds_records(&arguments.data) {
        say("  nothing there yet: `ieum serve` and `ieum import` make it");
        return Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    faults += check_rights(&arguments.data);
    faults += check_space(&arguments.data);
    faults += check_records(&arguments.data);
    faults += check_clock();
    say("");
    say(&match faults {
        0 => "Everything is as it should be.".to_owned(),
        count => format!("{count} to look into."),
    });
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Certificate and key of the hub's own, if it has any.
fn check_tls(settings: &Settings) -> u32 {
    let Some(files) = settings.tls() else { return 0 };
    let certificate = match files.load() {
        Ok(loaded) => loaded.certificate,
        Err(error) => {
            return tell(&error, "Give certificate and key in PEM, readable by the user who runs ieum.");
        }
    };
    let now = (ieum_store::clock::system_clock())().div_euclid(1_000_000);
    let day = |at: i64| {
        jiff::Timestamp::from_second(at).map(|at| ieum_ui::format::korean_time(at).date().to_string())
    };
    let (begins, ends) = (certificate.begins(), certificate.ends());
    let days = (ends - now).div_euclid(86_400);
    let until = day(ends).unwrap_or_else(|_| "ever".to_owned());
    if begins > now {
        return tell(&"the certificate is not valid yet", "Set the clock, or wait with it.");
    }
    if ends <= now {
        return tell(&format!("the certificate was over on {until}"), "Get a new one: nobody connects.");
    }
    if days < SOON_DAYS {
        return tell(
            &format!("the certificate ends in {days} days"),
            "Get a new one; the hub reads it by itself.",
        );
    }
    say(&format!("  certificate of {} good until {until}", certificate.subject()));
    0
}

/// Others by whom people show who they are: whether each can be asked, and the keys by which it must know the hub.
fn check_elsewhere(directory: &Path, settings: &Settings) -> u32 {
    let mut faults = 0;
    for relay in &settings.identity_check {
        say(&format!("  identity_check {:<9} {}", relay.id, relay.address));
        if let Err(error) = secret_file::read(&directory.join(&relay.key_file)) {
            faults += tell(&error, "It is the key that the relay and the hub have.");
        }
    }
    let providers = &settings.login_provider;
    if providers.is_empty() || !directory.exists() {
        return faults;
    }
    let now = (ieum_store::clock::system_clock())().div_euclid(1_000_000);
    // Where people come back to does not matter here.
    let federation = match Federation::new("", directory, providers, now) {
        Ok(federation) => federation,
        Err(error) => return faults + tell(&error, "Until then the hub does not start."),
    };
    for known in federation.providers() {
        say(&format!("  login_provider {:<9} {}", known.provider.id, known.provider.issuer));
        if let Err(fault) = known.metadata(now) {
            faults += tell(
                &fault,
                "Compare its issuer, letter by letter, and see that this machine reaches it by https.",
            );
        }
    }
    if let Some(keys) = federation.providers().iter().find_map(|known| known.public_keys(now)) {
        say(&format!("  keys for providers without client_secret_file: {keys}"));
    }
    faults
}

/// A fault, with what to do.
fn tell(fault: &dyn std::fmt::Display, remedy: &str) -> u32 {
    say(&format!("  FAULT: {fault}"));
    say(&format!("    {remedy}"));
    1
}

/// What to do about a data directory that cannot be used.
fn remedy(error: &DataError) -> &'static str {
    match error {
        DataError::InUse(_) => "Stop the hub that runs on it.",
        DataError::Missing(_) => "`ieum serve` and `ieum import` make one.",
        DataError::Io { .. } => "Let the user who runs ieum read and write the directory and its files.",
        DataError::Store(error) => remedy_of_store(error),
    }
}

fn remedy_of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::DiskFull => "Make room on the disk.",
        StoreError::ReadOnly => "Let the user who runs ieum write the directory and its files.",
        StoreError::DiskFails => "Look at the disk: the log of the system (`dmesg`) says why it fails.",
        StoreError::TooSlow { .. }
        | StoreError::TooCostly { .. }
        | StoreError::NotServed { .. }
        | StoreError::Stopped => "Try again when the machine has less to do.",
        StoreError::Damaged(_) | StoreError::Engine(_) => {
            "Use the version of ieum that wrote it. If it does so too: keep a copy of the directory, and restore it from \
             a backup."
        }
    }
}

fn check_records(directory: &Path) -> u32 {
    let data = match Data::existing(directory, None) {
        Ok(data) => data,
        Err(DataError::InUse(_)) => {
            say("  a hub is running on it: stop it to have records and indexes checked");
            return 0;
        }
        Err(error) => return tell(&error, remedy(&error)),
    };
    let bar = ProgressBar::new(0).with_style(progress_style("records"));
    let checked = data.engine.check(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    let report = match checked {
        Ok(report) => report,
        Err(error) => {
            bar.finish_and_clear();
            return tell(&error, remedy_of_store(&error));
        }
    };
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
    u32::try_from(report.faults.len()).unwrap_or(u32::MAX)
}

/// Records are for the user who runs the hub, and nobody else on the machine.
fn check_rights(directory: &Path) -> u32 {
    let is_wide = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    };
    if !is_wide(directory) {
        return 0;
    }
    let fault =
        "others on this machine may look into the directory: it holds patient data and the hub's secrets";
    tell(&fault, &format!("chmod -R go= {}", directory.display()))
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
            let fault = format!("only {free} bytes are free on this disk");
            tell(&fault, "Make room before importing: a full disk stops all writing.")
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
        let fault = "the machine's clock is wrong: it shows a time before this program was made";
        return tell(&fault, "Set it, and keep it right with NTP: times of access are evidence.");
    }
    0
}
