//! A running hub's ear for `ieum account` and `ieum client`: a Unix socket in the data directory. Who may open it may read
//! the records themselves, so nothing more is asked. One line of JSON in, one line out.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ieum_trust::door::Door;

use super::{Result, account, client};
use crate::data::Data;

/// What a running hub is asked to do.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Task {
    Account(account::Task),
    Client(client::Task),
}

impl Task {
    fn perform(&self, door: &Door) -> Answer {
        match self {
            Self::Account(task) => account::perform(door, task),
            Self::Client(task) => client::perform(door, task),
        }
    }
}

/// Lines to print, or why there are none.
pub(super) type Answer = std::result::Result<Vec<String>, String>;

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest task.
const TASK_BYTES: u64 = 64 << 10;
/// The longest answer: a hundred thousand accounts.
const ANSWER_BYTES: u64 = 64 << 20;

fn socket(directory: &Path) -> PathBuf {
    directory.join("control")
}

/// The ear; gone when dropped.
pub(super) struct Control(PathBuf);

impl Control {
    /// Starts to listen. A hub without it still serves, so nothing fails.
    pub(super) fn start(data: &Data) -> Self {
        let path = socket(&data.path);
        // A hub that was killed left its own; the directory is ours alone.
        let _ = std::fs::remove_file(&path);
        match UnixListener::bind(&path) {
            Ok(listener) => {
                let door = data.door.clone();
                // Ends with the process: it waits most of its life.
                std::thread::spawn(move || listen(&listener, &door));
            }
            Err(error) => {
                tracing::warn!(error = %error, "accounts and apps can be changed only while the hub is stopped");
            }
        }
        Self(path)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn listen(listener: &UnixListener, door: &Door) {
    for stream in listener.incoming() {
        let served = stream.and_then(|stream| serve(&stream, door));
        if let Err(error) = served {
            tracing::warn!(error = %error, "a task broke off");
            // Out of file descriptors, for one: trying at once would not help.
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn serve(stream: &UnixStream, door: &Door) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(TASK_BYTES)).read_line(&mut line)?;
    let answer = match serde_json::from_str::<Task>(&line) {
        Ok(task) => task.perform(door),
        Err(_) => Err("the hub does not know this task; use the ieum that runs it".to_owned()),
    };
    send(stream, &answer)
}

fn send(mut stream: &UnixStream, what: &impl serde::Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Has the hub that runs on the directory do a task.
///
/// # Errors
/// When it cannot be asked; the message says what to do.
pub(super) fn ask(directory: &Path, task: &Task) -> Result<Answer> {
    let stream = UnixStream::connect(socket(directory)).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => {
            format!("{}: {error}; run this as the hub's own user", directory.display())
        }
        _ => format!(
            "{} is in use by another ieum that takes no tasks; stop that one first",
            directory.display()
        ),
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    send(&stream, task)?;
    let mut line = String::new();
    BufReader::new((&stream).take(ANSWER_BYTES)).read_line(&mut line)?;
    serde_json::from_str(&line).map_err(|_| "the hub gave no answer; look at its log".into())
}
