//! Fetching files to import: only from origins that the operator allows, within the rules of [`crate::outgoing`].

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ieum_fhir::outcome::Code;

use crate::jobs::Sources;
use crate::jobs::files::open_private;
use crate::jobs::work::{Stop, Work};
use crate::outgoing;

/// How long a source may take to be reached, and to begin to answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long a source may fall silent.
const SILENCE_TIME: Duration = Duration::from_secs(60);
/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// How often a job looks whether to go on while a source is silent.
const LOOK: Duration = Duration::from_millis(200);

/// Whether a file may come from there; the reason, if not.
///
/// # Errors
/// What to do, for whoever asked. It does not repeat the address.
pub(super) fn check(url: &str, sources: &Sources) -> Result<(), String> {
    if sources.origins.is_empty() {
        return Err(
            "this hub fetches no files: send the file itself as application/fhir+ndjson; the operator \
                    allows origins with the setting import_origins"
                .to_owned(),
        );
    }
    outgoing::check(url, &sources.origins)
        .map_err(|what| format!("{what}; the operator allows origins with the setting import_origins"))
}

/// Fetches a file whole.
///
/// # Errors
/// [`Stop`] when it cannot be had, is too large, or the job is not to go on.
pub(super) fn fetch(work: &Work<'_>, url: &str, path: &Path) -> Result<u64, Stop> {
    let sources = &work.jobs.options().sources;
    check(url, sources).map_err(|what| Stop::failed(Code::AsyncSource, what))?;
    let (sender, pieces) = sync_channel(2);
    let (url, private) = (url.to_owned(), sources.private);
    // On a thread of its own: a source that falls silent must not keep the job from being cancelled. It ends by itself,
    // at the latest when the source has been silent for too long.
    std::thread::spawn(move || {
        let result = read(&url, private, &sender);
        if let Err(why) = result {
            let _ = sender.send(Err(why));
        }
    });
    let part = path.with_extension("part");
    let file = open_private(&part)?;
    file.set_len(0)?;
    let mut out = BufWriter::with_capacity(PIECE, file);
    let mut bytes = 0;
    loop {
        work.go_on()?;
        match pieces.recv_timeout(LOOK) {
            Ok(Ok(piece)) => {
                bytes += piece.len() as u64;
                if bytes > sources.file_bytes {
                    let what = format!("a file may have {} bytes; send it in parts", sources.file_bytes);
                    return Err(Stop::failed(Code::AsyncSource, what));
                }
                out.write_all(&piece)?;
            }
            Ok(Err(why)) => return Err(Stop::failed(Code::AsyncSource, why)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    out.flush()?;
    out.get_ref().sync_all()?;
    std::fs::rename(&part, path)?;
    File::open(&work.directory)?.sync_all()?;
    Ok(bytes)
}

/// Reads what is at an address, and gives it away in pieces.
fn read(url: &str, private: bool, pieces: &SyncSender<Result<Vec<u8>, String>>) -> Result<(), String> {
    let agent = outgoing::agent(private, |config| {
        config
            .timeout_connect(Some(ANSWER_TIME))
            .timeout_recv_response(Some(ANSWER_TIME))
            .timeout_per_read(Some(SILENCE_TIME))
    });
    let request = agent.get(url).header("accept", "application/fhir+ndjson");
    let mut response =
        request.call().map_err(|_| "the source cannot be reached, or may not be".to_owned())?;
    if response.status().as_u16() != 200 {
        let status = response.status().as_u16();
        return Err(format!("the source answered with status {status}; redirects are not followed"));
    }
    let mut reader = response.body_mut().with_config().limit(u64::MAX).reader();
    loop {
        let mut piece = vec![0; PIECE];
        let read = reader.read(&mut piece).map_err(|_| "the file broke off".to_owned())?;
        if read == 0 {
            return Ok(());
        }
        piece.truncate(read);
        if pieces.send(Ok(piece)).is_err() {
            // Nobody wants the rest.
            return Ok(());
        }
    }
}
