//! Bodies: received within limits of size, time and room.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::BodyExt;
use ieum_fhir::outcome::Code;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::call::Failure;
use crate::fhir::{bulk, error, format};
use crate::hub::Hub;
use crate::jobs::upload::Upload;
use crate::routes::{Route, Takes};

/// A body with the room it takes up.
#[derive(Default)]
pub struct Received {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Or the file they went to.
    pub upload: Option<Upload>,
    room: Vec<OwnedSemaphorePermit>,
}

/// Receives a body of the right kind, within the limits of its route, of its time and of all bodies together.
///
/// # Errors
/// [`Failure`]; the rest of the body has not been read.
pub async fn receive(
    hub: &Hub,
    route: &Route,
    parts: &Parts,
    body: Option<&mut Body>,
) -> Result<Received, Failure> {
    // Parameters may be left out, and clients then say nothing about them.
    let may_be_empty = matches!(route.takes, Takes::Form | Takes::Parameters | Takes::Nothing);
    let is_labelled = parts.headers.contains_key(header::CONTENT_TYPE);
    if is_labelled || !may_be_empty {
        format::check_content(route.takes, &parts.headers)?;
    }
    let Some(body) = body else { return Ok(Received::default()) };
    if route.takes == Takes::Lines && format::is_lines(media(parts)) {
        let upload = Some(to_disk(hub, parts, body).await?);
        return Ok(Received { upload, ..Received::default() });
    }
    let received = within_limits(hub, route, parts, body).await?;
    if !is_labelled && !received.bytes.is_empty() {
        format::check_content(route.takes, &parts.headers)?;
    }
    Ok(received)
}

async fn within_limits(
    hub: &Hub,
    route: &Route,
    parts: &Parts,
    body: &mut Body,
) -> Result<Received, Failure> {
    let limits = hub.limits();
    let limit = match route.takes {
        Takes::Nothing => 0,
        Takes::Resource | Takes::Patch => limits.body_bytes,
        Takes::Bundle => limits.bundle_bytes,
        Takes::Form | Takes::Parameters | Takes::Lines => limits.form_bytes,
    };
    let too_large = || {
        let what = format!("this address takes bodies of up to {limit} bytes; send less at once");
        error::failure(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, what)
    };
    let length =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let mut received =
        Received { bytes: Vec::with_capacity(length.unwrap_or(0).min(1 << 20)), ..Received::default() };
    let mut room_bytes = 0;
    let started = Instant::now();
    loop {
        let left = limits.body_time.saturating_sub(started.elapsed()).min(limits.body_idle_time);
        let frame = timeout(left, body.frame()).await.map_err(|_| too_slow())?;
        let Some(frame) = frame else { return Ok(received) };
        let frame = frame.map_err(|_| error::bad(Code::BadBody, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if received.bytes.len() + data.len() > limit {
            return Err(too_large());
        }
        while room_bytes < received.bytes.len() + data.len() {
            // In steps of 64 KiB: small bodies take little, large ones ask rarely.
            let room = Arc::clone(hub.body_room()).acquire_many_owned(64);
            let Ok(Ok(room)) = timeout(limits.wait_time, room).await else { return Err(error::busy()) };
            received.room.push(room);
            room_bytes += 64 << 10;
        }
        received.bytes.extend_from_slice(&data);
    }
}

fn too_slow() -> Failure {
    error::failure(StatusCode::REQUEST_TIMEOUT, Code::BodyTooSlow, "the body did not arrive in time")
}

fn media(parts: &Parts) -> &str {
    parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Receives a file: it goes to disk as it comes, and is durable when this returns. It may take as long as it needs, as
/// long as it does not stand still.
async fn to_disk(hub: &Hub, parts: &Parts, body: &mut Body) -> Result<Upload, Failure> {
    // Everything that can be refused before is, for nobody likes to send a file for nothing.
    bulk::check_upload(hub, &format::prefer(&parts.headers))?;
    let jobs = hub.jobs().ok_or_else(error::internal)?.clone();
    let limit = jobs.options().sources.file_bytes;
    let turn = timeout(hub.limits().wait_time, Arc::clone(jobs.uploads()).acquire_owned()).await;
    let Ok(Ok(_turn)) = turn else { return Err(error::busy()) };
    let (sender, pieces) = tokio::sync::mpsc::channel(4);
    let writing = tokio::task::spawn_blocking(move || {
        let mut upload = Upload::begin(&jobs)?;
        upload.write(pieces).map(|()| upload)
    });
    let mut bytes = 0_u64;
    loop {
        let frame = timeout(hub.limits().body_idle_time, body.frame()).await.map_err(|_| too_slow())?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| error::bad(Code::BadBody, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes = bytes.saturating_add(data.len() as u64);
        if bytes > limit {
            let what = format!("a file may have {limit} bytes; send it in parts");
            return Err(error::failure(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, what));
        }
        if sender.send(data).await.is_err() {
            // Writing has failed; why is told below.
            break;
        }
    }
    drop(sender);
    let written = writing.await.map_err(|_| error::internal())?;
    written.map_err(|error| bulk::io_failure(&error))
}

/// Reads what is left of a refused body for a moment, so that the client can read why.
pub async fn drain(hub: &Hub, mut body: Body) {
    let mut left = hub.limits().bundle_bytes;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, axum::body::Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    let _ = timeout(Duration::from_secs(5).min(hub.limits().body_idle_time), reading).await;
}
