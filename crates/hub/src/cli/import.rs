//! `ieum import`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use ieum_store::clock::system_clock;
use ieum_trust::access::Access;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Import, Result, log, say};
use crate::config::LogFormat;
use crate::data::Data;
use crate::hub::{Entrance, Hub, Options};
use crate::import::journal::{Forgotten, Kept};
use crate::import::rejects::Rejects;
use crate::import::target::{Local, Remote};
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
        (Some(data), _) => local(data, &arguments.paths, &rejects, &bar),
        (None, Some(server)) => {
            let target = Remote::new(server, arguments.secret.as_deref());
            import(&arguments.paths, &target, &Forgotten, &rejects, &bar).map_err(Into::into)
        }
        (None, None) => Err("give --data DIR or --server URL".into()),
    };
    bar.finish_and_clear();
    let summary = summary?;
    report(&summary, started.elapsed().as_secs_f64(), &rejects);
    Ok(if summary.rejected == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn local(data: &Path, paths: &[PathBuf], rejects: &Rejects, bar: &ProgressBar) -> Result<Summary> {
    let data = Data::open(data, None)?;
    // Whoever may open the data directory may bring in more at once than a client.
    let limits = Limits { body_bytes: 256 << 20, bundle_bytes: 256 << 20, ..Limits::default() };
    let options = Options { base_url: "http://localhost/fhir".into(), entrance: Entrance::Open, limits };
    let hub = Hub::new(data.door.clone(), system_clock(), options);
    let access = Access::system("import");
    let target = Local { hub: hub.clone(), access: access.clone() };
    let summary = import(paths, &target, &Kept { hub, access }, rejects, bar)?;
    data.engine.stop();
    Ok(summary)
}

fn report(summary: &Summary, seconds: f64, rejects: &Rejects) {
    let rate = summary.accepted as f64 / seconds.max(0.001);
    let Summary { files, known_files, accepted, rejected } = summary;
    say(&format!("{accepted} records from {files} files in {seconds:.1} s ({rate:.0} a second)"));
    if *known_files > 0 {
        say(&format!("{known_files} files had been imported before"));
    }
    if *rejected > 0 {
        say(&format!("{rejected} refused: what and why is in {}", rejects.path().display()));
    }
}

fn rejects_path(arguments: &Import) -> PathBuf {
    let now = jiff::Timestamp::from_microsecond((system_clock())()).unwrap_or_default();
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let directory = arguments.data.clone().unwrap_or_else(|| PathBuf::from("."));
    arguments.rejects.clone().unwrap_or_else(|| directory.join(format!("rejects-{stamp}.ndjson")))
}
