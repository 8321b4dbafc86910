//! The servers under test: started on an empty port of loopback, watched, stopped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
use crate::http::{Base, Client};

/// `USER_HZ`: in `/proc`, processor time is counted in hundredths of a second on every Linux we run on.
const TICKS: f64 = 100.0;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Ours.
    Ieum,
    /// Helios FHIR Server.
    Hfs,
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// `ieum`.
    pub(crate) ieum: PathBuf,
    /// `hfs`, and the folder with its search parameters.
    pub(crate) hfs: Option<(PathBuf, PathBuf)>,
}

/// A running server. Stopped when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it answers.
    pub(crate) base: Base,
    /// Time from its start to its first answer to a search.
    pub(crate) ready: Duration,
}

impl Programs {
    /// Starts a server on a data directory and waits until it answers a search.
    pub(crate) fn start(&self, program: Program, data: &Path) -> Result<Server> {
        self.start_as(program, data, None)
    }

    /// Starts ours so that it asks for accounts, of which this is one's secret.
    pub(crate) fn start_with_accounts(&self, data: &Path, secret: &str) -> Result<Server> {
        self.start_as(Program::Ieum, data, Some(secret.to_owned()))
    }

    fn start_as(&self, program: Program, data: &Path, secret: Option<String>) -> Result<Server> {
        fs::create_dir_all(data)?;
        settle()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = fs::File::create(data.with_extension("log"))?;
        let (mut command, prefix) = match program {
            Program::Ieum => (self.ieum_command(address, data, secret.is_none()), "/fhir"),
            Program::Hfs => (self.hfs_command(port, data)?, ""),
        };
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("{program:?} does not start: {error}"))?;
        let base = Base { address, prefix, secret };
        while started.elapsed() < Duration::from_mins(10) {
            if Client::new(&base).get("Patient?_count=1").is_ok_and(|answer| answer.status == 200) {
                return Ok(Server { child, base, ready: started.elapsed() });
            }
            if let Some(status) = child.try_wait()? {
                let log = data.with_extension("log");
                return Err(format!("{program:?} ended with {status}; see {}", log.display()).into());
            }
            sleep(Duration::from_millis(2));
        }
        child.kill()?;
        child.wait()?;
        Err(format!("{program:?} did not answer within ten minutes").into())
    }

    fn ieum_command(&self, address: SocketAddr, data: &Path, is_open: bool) -> Command {
        let mut command = Command::new(&self.ieum);
        command.args(["serve", "--listen", &address.to_string(), "--data"]).arg(data);
        // Nobody is slowed down here for looking for many people.
        command.args(["--people-searches", "4000000000"]);
        command.args(is_open.then_some("--open"));
        command.env("RUST_LOG", "warn");
        command
    }

    /// As its own benchmarks start it; without its pages and without seeding, which would count as records.
    fn hfs_command(&self, port: u16, data: &Path) -> Result<Command> {
        let (program, parameters) = self.hfs.as_ref().ok_or("HFS is not here")?;
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--host", "127.0.0.1", "--log-level", "error"]);
        command.arg("--database-url").arg(data.join("fhir.db")).arg("--data-dir").arg(parameters);
        for (name, value) in [
            ("HFS_BASE_URL", format!("http://127.0.0.1:{port}").as_str()),
            ("HFS_STORAGE_BACKEND", "sqlite"),
            ("HFS_UI_ENABLED", "false"),
            ("HFS_SEED_CONFORMANCE", "false"),
            ("HFS_REQUEST_TIMEOUT", "3600"),
            ("HFS_MAX_BODY_SIZE", "1073741824"),
            ("HFS_BULK_SUBMIT_POLL_RATE_LIMIT", "0"),
        ] {
            command.env(name, value);
        }
        command.env("HFS_BULK_SUBMIT_OUTPUT_DIR", data.join("submit")).current_dir(data);
        Ok(command)
    }
}

impl Server {
    /// A new connection to it.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// The same with another account.
    pub(crate) fn client_with(&self, secret: &str) -> Client {
        Client::new(&Base { secret: Some(secret.to_owned()), ..self.base.clone() })
    }

    /// Bytes of memory it holds now, and held at most.
    pub(crate) fn memory(&self) -> Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        let kibibytes = field("VmRSS:").zip(field("VmHWM:")).ok_or("/proc tells no memory")?;
        Ok((kibibytes.0 * 1024.0, kibibytes.1 * 1024.0))
    }

    /// Seconds of processor time it has used.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu_of(&format!("/proc/{}/stat", self.child.id()))
    }

    /// Seconds of processor time of its thread with this name.
    pub(crate) fn cpu_of_thread(&self, name: &str) -> Result<f64> {
        let mut seconds = 0.0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let path = task?.path();
            if fs::read_to_string(path.join("comm"))?.trim_end() == name {
                seconds += cpu_of(&path.join("stat").display().to_string())?;
            }
        }
        Ok(seconds)
    }

    /// Asks it to stop and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        // The standard library can only kill; stopping in order needs the signal.
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_mins(2) {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            sleep(Duration::from_millis(5));
        }
        Err("a server did not stop within two minutes".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn cpu_of(path: &str) -> Result<f64> {
    let stat = fs::read_to_string(path)?;
    // The name, in parentheses, may hold blanks; what follows does not.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).ok_or("/proc tells no processor time")?;
    Ok((user + system) / TICKS)
}

/// Seconds of processor time of all programs that we started and that have ended.
pub(crate) fn cpu_of_ended() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = ticks(13).zip(ticks(14)).ok_or("/proc tells no processor time")?;
    Ok((user + system) / TICKS)
}

/// Lets the disk write what earlier workloads left in memory: an fsync pays for whatever waits on the same file system,
/// and who comes after a server that does not wait for the disk would pay for that one.
pub(crate) fn settle() -> Result<()> {
    Command::new("sync").status()?;
    Ok(())
}

/// Bytes of all files below a folder.
pub(crate) fn bytes_below(folder: &Path) -> Result<f64> {
    let mut bytes = 0.0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_below(&entry.path())? } else { metadata.len() as f64 };
    }
    Ok(bytes)
}

/// An empty folder of this name.
pub(crate) fn emptied(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}
