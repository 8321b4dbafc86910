//! `ieum import`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use ieum_store::clock::system_clock;
use ieum_trust::access::Access;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Import, Result, log, say};
use crate::config::LogFormat;
use crate::data::{Data, DataError};
use crate::hub::{Entrance, Hub, Options};
use crate::import::journal::{Forgotten, Kept, close_left_open};
use crate::import::rejects::Rejects;
use crate::import::remote::Remote;
use crate::import::target::Local;
use crate::import::{Summary, import};
use crate::limits::Limits;

pub(super) fn run(arguments: &Import) -> Result<ExitCode> {
    log::start(LogFormat::Text);
    let started = Instant::now();
    let rejects = Rejects::new(rejects_path(arguments));
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
        "{bar:30} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left  {msg}",
    )?);
    let summary = match (&arguments.data, &arguments.server) {
        (Some(data), _) => local(data, arguments, &rejects, &bar),
        (None, Some(server)) => {
            let target = Remote::new(server, arguments.secret.as_deref());
            target.check()?;
            import(&arguments.paths, &target, &Forgotten, &rejects, &bar).map_err(Into::into)
        }
        (None, None) => Err("give --data DIR or --server URL".into()),
    };
    bar.finish_and_clear();
    let summary = summary?;
    report(&summary, started.elapsed().as_secs_f64(), &rejects);
    Ok(if summary.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn local(data: &Path, arguments: &Import, rejects: &Rejects, bar: &ProgressBar) -> Result<Summary> {
    let data = Data::open(data, None).map_err(|error| match error {
        DataError::InUse(_) => format!("{error}, or import into it with --server URL"),
        error => error.to_string(),
    })?;
    // Whoever may open the data directory may bring in more at once than a client.
    let limits = Limits { body_bytes: 256 << 20, bundle_bytes: 256 << 20, ..Limits::default() };
    let options = Options { base_url: "http://localhost/fhir".into(), entrance: Entrance::Open, limits };
    let hub = Hub::new(data.door.clone(), system_clock(), options);
    let access = Access::system("import");
    let target = Local { hub: hub.clone(), access: access.clone() };
    close_left_open(&hub)?;
    let journal = Kept { hub, access, again: arguments.again };
    let summary = import(&arguments.paths, &target, &journal, rejects, bar)?;
    data.engine.stop();
    Ok(summary)
}

fn report(summary: &Summary, seconds: f64, rejects: &Rejects) {
    let rate = summary.accepted as f64 / seconds.max(0.001);
    let Summary { files, known_files, known_refused, accepted, rejected, unread, notes } = summary;
    say(&format!("{accepted} records from {files} files in {seconds:.1} s ({rate:.0} a second)"));
    if *known_files > 0 {
        say(&format!("{known_files} files had been imported before"));
    }
    for note in notes {
        say(&format!("  {note}"));
    }
    if *rejected > 0 {
        say(&format!("{rejected} refused: what and why is in {}", rejects.path().display()));
    }
    if *unread > 0 {
        say(&format!(
            "{unread} files or directories could not be read to their end; repair them and run the import again"
        ));
    }
    if *rejected > 0 || *known_refused > 0 {
        say(
            "When the cause is removed, give the corrected files, or --again to take the same files once more",
        );
    }
}

fn rejects_path(arguments: &Import) -> PathBuf {
    let now = jiff::Timestamp::from_microsecond((system_clock())()).unwrap_or_default();
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let directory = arguments.data.clone().unwrap_or_else(|| PathBuf::from("."));
    arguments.rejects.clone().unwrap_or_else(|| directory.join(format!("rejects-{stamp}.ndjson")))
}
