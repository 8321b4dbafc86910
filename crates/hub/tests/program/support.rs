//! Starting `ieum` and speaking to it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program under test.
pub(crate) fn ieum() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ieum"));
    command.env("RUST_LOG", "warn").env("IEUM_WEB", "skip");
    command
}

/// Runs a command to its end; it must succeed.
pub(crate) fn run(arguments: &[&str]) -> String {
    let output = output(arguments);
    assert!(
        output.status.success(),
        "ieum {arguments:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command to its end.
pub(crate) fn output(arguments: &[&str]) -> Output {
    ieum().args(arguments).output().unwrap()
}

/// A running hub.
pub(crate) struct Running {
    child: Child,
    /// Address of the FHIR interface.
    pub(crate) base: String,
    agent: ureq::Agent,
}

impl Running {
    /// Starts an open hub on a free port and waits until it listens.
    pub(crate) fn open(data: &Path) -> Self {
        Self::start(data, &["--open"])
    }

    pub(crate) fn start(data: &Path, flags: &[&str]) -> Self {
        Self::start_with(data, 0, flags, |_| {})
    }

    /// The same on a port that is known: so a hub keeps its address over restarts.
    pub(crate) fn start_on(data: &Path, port: u16, flags: &[&str]) -> Self {
        Self::start_with(data, port, flags, |_| {})
    }

    /// The same in another environment.
    pub(crate) fn start_with(
        data: &Path,
        port: u16,
        flags: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let mut command = ieum();
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(data).args(flags);
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let base = line.split("FHIR: ").nth(1).unwrap_or_else(|| panic!("no address in {line:?}"));
        let base = base.trim().trim_end_matches(')').to_owned();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)));
        Self { child, base, agent: config.build().into() }
    }

    /// Kills it as a power cut would, as far as a process can know.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "stopped with {status}");
                return;
            }
            assert!(Instant::now() < until, "does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// GET, as (status, JSON).
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let mut response = self.agent.get(format!("{}/{path}", self.base)).call().unwrap();
        (response.status().as_u16(), json(&mut response))
    }

    /// PUT; it must be taken.
    pub(crate) fn put(&self, path: &str, body: &str) {
        let request = self.agent.put(format!("{}/{path}", self.base));
        let answer = request.header("content-type", "application/fhir+json").send(body).unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// A client of its own, for another thread.
    pub(crate) fn client(&self) -> (ureq::Agent, String) {
        (self.agent.clone(), self.base.clone())
    }
}

/// A test that fails leaves no hub behind.
impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

fn json(response: &mut ureq::http::Response<ureq::Body>) -> Value {
    let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}

/// The shared data beside the repository; nothing, loudly, when it is not there.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("IEUM_SHARED").map_or(beside, PathBuf::from).join("data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("\n*** SKIPPED: no example data at {}; set IEUM_SHARED ***\n", path.display());
    None
}
