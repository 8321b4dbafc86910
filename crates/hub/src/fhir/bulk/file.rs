//! The files of a result (Bulk Data Access 2.0.0, "Output File Request"), whole or in part (RFC 9110, section 14).

use axum::http::{HeaderName, StatusCode, header};
use ieum_fhir::outcome::Code;

use super::ask::jobs;
use super::status::own;
use crate::call::{Answer, Call, Content, Failure, FilePart};
use crate::fhir::error;
use crate::jobs::state::State;

/// What the files are.
const NDJSON: &str = "application/fhir+ndjson";

/// `GET [base]/$jobs/id/file`. Each time a file is sent is written down first.
pub(in crate::fhir) fn file(call: &Call<'_>) -> Result<Answer, Failure> {
    let kept = own(call)?;
    // Its name is looked for among those on record: nothing a client sends becomes a path.
    let file = kept.job.files.iter().find(|file| file.name == call.place.file);
    let file = file.filter(|_| kept.job.state == State::Done).ok_or_else(error::not_found)?;
    let path = jobs(call)?.directory(&kept.id).join(&file.name);
    let length = std::fs::metadata(&path).map_err(|_| error::not_found())?.len();
    if length != file.bytes {
        tracing::error!(job.id = kept.id, "a file of a result has another size than on record");
        return Err(error::internal());
    }
    let range = call.conditions.range.as_deref().and_then(|text| range(text, length));
    let (status, start, length_sent) = match range {
        None => (StatusCode::OK, 0, length),
        Some(Some((first, last))) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Some(None) => {
            let what = format!("the file has {length} bytes");
            return Err(error::failure(StatusCode::RANGE_NOT_SATISFIABLE, Code::AsyncRange, what));
        }
    };
    let target = format!("IeumJob/{}/{}", kept.id, file.name);
    call.hub.door().released(call.access, call.route.action, &target)?;
    let part = FilePart { path, start, length: length_sent, media: NDJSON };
    let mut answer = Answer { content: Content::File(part), ..Answer::empty(status) };
    let mut add = |name: HeaderName, value: String| answer.headers.push((name, value));
    add(header::ACCEPT_RANGES, "bytes".into());
    if status == StatusCode::PARTIAL_CONTENT {
        let last = start + length_sent - 1;
        add(header::CONTENT_RANGE, format!("bytes {start}-{last}/{length}"));
    }
    if let Some(digest) = &file.sha256 {
        add(header::ETAG, format!("\"{digest}\""));
    }
    Ok(answer)
}

/// The first and last byte that a `Range` asks for: nothing when it is none we know, and then all is sent; nothing
/// inside when it lies beyond the end.
fn range(text: &str, length: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, last) = match (first.trim().is_empty(), last.trim().is_empty()) {
        (false, false) => (number(first)?, number(last)?),
        (false, true) => (number(first)?, u64::MAX),
        (true, false) => match number(last)? {
            0 => return Some(None),
            count => (length.saturating_sub(count), u64::MAX),
        },
        (true, true) => return None,
    };
    if first > last {
        return None;
    }
    let last = last.min(length.saturating_sub(1));
    Some((first < length).then_some((first, last)))
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges() {
        for (text, expected) in [
            ("bytes=0-9", Some(Some((0, 9)))),
            ("bytes=10-", Some(Some((10, 99)))),
            ("bytes=-10", Some(Some((90, 99)))),
            ("bytes=-1000", Some(Some((0, 99)))),
            ("bytes=50-1000", Some(Some((50, 99)))),
            ("bytes=100-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=9-0", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("bytes=0-1,5-6", None),
            ("lines=0-9", None),
        ] {
            assert_eq!(range(text, 100), expected, "{text}");
        }
        assert_eq!(range("bytes=0-", 0), Some(None));
    }
}
