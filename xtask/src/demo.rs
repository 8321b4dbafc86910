//! `cargo xtask demo`: a hub with synthetic Korea in it, on this machine, and a log-in for each role.
//!
//! Everything is made once below the target folder and found again at the next start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::process::{Hub, cargo, is_taken, run};
use crate::test::{Tool, ensure, seconds};
use crate::{Result, target};

mod people;
mod reception;
mod sign;

/// Options of the task.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// People in synthetic Korea
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    patients: u64,
    /// Port on this machine
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Build for speed instead of for a quick start
    #[arg(long)]
    release: bool,
    /// Throw away what earlier demos left and begin anew
    #[arg(long)]
    fresh: bool,
}

/// The seed of the demo's people: the same people on every machine.
const SEED: u64 = 7;

/// Runs the task.
pub(crate) fn run_demo(options: &Options) -> Result<()> {
    if is_taken(options.port) {
        return Err(format!("port {} is in use; choose another with --port", options.port).into());
    }
    ensure(Tool::Npm)?;
    let demo =
        Demo { folder: target().join(format!("demo/{}", options.patients)), patients: options.patients };
    if options.fresh && demo.folder.exists() {
        fs::remove_dir_all(&demo.folder)?;
    }
    fs::create_dir_all(&demo.folder)?;
    let ieum = step(1, "building the hub", || build(options.release))?;
    step(2, "making synthetic Korea", || demo.make_people(&ieum))?;
    step(3, "importing it, and opening the reception of a clinic", || demo.import(&ieum))?;
    let people = step(4, "making one account for each role", || people::ensure(&demo, &ieum))?;
    demo.serve(&ieum, options.port, &people)
}

fn step<T>(number: u8, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("\n── {number}/4 {title}");
    let started = Instant::now();
    let done = work()?;
    eprintln!("   done in {}", seconds(started.elapsed()));
    Ok(done)
}

/// Builds `ieum` and says where it is.
fn build(release: bool) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--locked", "--package", "ieum", "--bin", "ieum"]);
    let profile = if release { "release" } else { "debug" };
    if release {
        command.arg("--release");
    }
    run(&mut command)?;
    Ok(target().join(profile).join("ieum"))
}

/// Where one size of demo lives.
struct Demo {
    folder: PathBuf,
    patients: u64,
}

impl Demo {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn korea(&self) -> PathBuf {
        self.folder.join("korea")
    }

    /// Does a thing once: a file tells that it has been done to its end.
    fn once(&self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let stamp = self.folder.join(format!("{name}.done"));
        if stamp.exists() {
            eprintln!("   kept from an earlier start (--fresh begins anew)");
            return Ok(());
        }
        work()?;
        Ok(fs::write(&stamp, "")?)
    }

    fn make_people(&self, ieum: &Path) -> Result<()> {
        self.once("korea", || {
            let mut command = Command::new(ieum);
            command.args(["synth", "--patients", &self.patients.to_string(), "--seed", &SEED.to_string()]);
            run(command.arg("--out").arg(self.korea()))
        })
    }

    fn import(&self, ieum: &Path) -> Result<()> {
        self.once("import", || {
            run(Command::new(ieum).arg("import").arg("--data").arg(self.data()).arg(self.korea()))
        })?;
        self.once("reception", || reception::open(self, ieum))
    }

    /// Serves until somebody presses Ctrl-C.
    fn serve(&self, ieum: &Path, port: u16, people: &[people::Person]) -> Result<()> {
        let stops = stops_asked()?;
        let log = self.folder.join("hub.log");
        let arguments = ["--demo".into(), "--data".into(), self.data().into_os_string()];
        let mut hub = Hub::start(ieum, &arguments, port, &log)?;
        eprintln!("\n{}", sign::draw(&sign::lines(port, self.patients, people, &log)));
        while stops.load(Ordering::Relaxed) == 0 {
            if let Some(status) = hub.ended()? {
                return Err(format!("the hub ended by itself ({status}); see {}", log.display()).into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // In a terminal the hub has heard the same Ctrl-C; asking again does no harm.
        hub.stop()?;
        eprintln!("\n멈췄습니다. 데이터는 그대로 있습니다.  Stopped; the data stay for the next start.");
        Ok(())
    }
}

/// Counts requests to stop. The second ends the program at once, in case the first is not obeyed.
fn stops_asked() -> Result<Arc<AtomicUsize>> {
    let stops = Arc::new(AtomicUsize::new(0));
    let asked_before = Arc::new(std::sync::atomic::AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked_before))?;
        signal_hook::flag::register(signal, Arc::clone(&asked_before))?;
        signal_hook::flag::register_usize(signal, Arc::clone(&stops), 1)?;
    }
    Ok(stops)
}
