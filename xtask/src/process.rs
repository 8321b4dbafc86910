//! Other programs: started, waited for, stopped.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;

/// Runs a program to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    ended_well(command, status)
}

/// Runs a program to its end and returns what it printed; its complaints go where ours go.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(command, &error))?;
    ended_well(command, output.status)?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a program runs and is content; it prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("{} does not start: {error}", command.get_program().display())
}

fn ended_well(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(format!("`{}` failed ({status})", told(command)).into())
}

/// The command as one would type it, without its folder.
pub(crate) fn told(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut words = vec![program.display().to_string()];
    words.extend(command.get_args().map(|argument| argument.display().to_string()));
    words.join(" ")
}

/// Where a program is, if it is on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(crate::root());
    command
}

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether somebody listens on a port of this machine.
pub(crate) fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// A hub that we started. Stopped when dropped.
pub(crate) struct Hub {
    child: Child,
    port: u16,
}

impl Hub {
    /// Starts `ieum serve` with these arguments on a port of loopback; its log goes to a file.
    pub(crate) fn start<A: AsRef<OsStr>>(
        ieum: &Path,
        arguments: &[A],
        port: u16,
        log: &Path,
    ) -> Result<Self> {
        let log_file = std::fs::File::create(log)?;
        let mut command = Command::new(ieum);
        command
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file);
        let child = command.spawn().map_err(|error| not_started(&command, &error))?;
        let mut hub = Self { child, port };
        hub.wait_until_ready().map_err(|error| {
            let told = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = told.lines().collect();
            let last = lines[lines.len().saturating_sub(20)..].join("\n");
            format!("{error}; the end of {}:\n{last}", log.display())
        })?;
        Ok(hub)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the hub stopped at once ({status})").into());
            }
            if answers(self.port, "/fhir/metadata") {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err("the hub did not answer within 60 seconds".into())
    }

    /// Asks the hub to stop, waits, and says how it ended. After ten seconds it is made to stop, which is a fault.
    pub(crate) fn stop(mut self) -> Result<()> {
        // The standard library can only kill; stopping in order needs the signal.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait()? {
                let ended = format!("the hub ended with {status} when asked to stop");
                return if status.success() { Ok(()) } else { Err(ended.into()) };
            }
            sleep(Duration::from_millis(20));
        }
        Err("the hub did not stop within ten seconds".into())
    }

    /// How the hub ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a GET on this machine is answered with 200. No client library: the question is one line.
fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let question = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes())?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_as_one_types_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "--workspace"]);
        assert_eq!(told(&command), "cargo test --workspace");
    }

    #[test]
    fn a_failing_program_is_an_error_with_its_name() {
        let error = run(Command::new("false").arg("x")).unwrap_err().to_string();
        assert!(error.starts_with("`false x` failed"), "{error}");
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err().to_string();
        assert!(error.starts_with("no-such-program-here does not start"), "{error}");
    }

    #[test]
    fn a_port_is_free_until_it_is_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_taken(port));
        assert!(!is_taken(free_port().unwrap()));
    }

    #[test]
    fn only_200_is_ready() {
        for (line, ready) in [("HTTP/1.1 200 OK", true), ("HTTP/1.1 503 Busy", false)] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 256];
                assert!(stream.read(&mut request).unwrap() > 0);
                stream.write_all(format!("{line}\r\n\r\n").as_bytes()).unwrap();
            });
            assert_eq!(answers(port, "/fhir/metadata"), ready, "{line}");
            server.join().unwrap();
        }
    }
}
