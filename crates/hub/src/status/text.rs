//! The numbers in the text format of Prometheus (exposition format 0.0.4).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use ieum_store::commit::StoreError;

use super::measure::BOUNDS;
use super::{Portal, census, memory_bytes};
use crate::subscriptions::keep;
use crate::subscriptions::record::State;

/// All numbers. Blocks.
pub(super) fn exposition(portal: &Portal) -> Result<String, StoreError> {
    let mut out = String::with_capacity(8 << 10);
    requests(portal, &mut out);
    let census = census(portal)?;
    head(&mut out, "ieum_records", "gauge", "Current records by kind.");
    for (kind, count) in &census.kinds {
        line(&mut out, "ieum_records", &[("kind", kind)], *count);
    }
    // One commit is one place of the feed, so one number is both.
    single(
        &mut out,
        "ieum_commits_total",
        "counter",
        "The newest commit, which is the end of the change feed.",
        census.t,
    );
    jobs(portal, &mut out);
    subscriptions(portal, &mut out)?;
    let info = portal.operator_info();
    let uptime = portal.metrics().uptime().as_secs();
    for (name, help, value) in [
        ("ieum_store_bytes", "Bytes that records take on disk.", info.store_bytes()),
        ("ieum_store_log_bytes", "Bytes of the write-ahead log.", info.log_bytes()),
        ("ieum_disk_free_bytes", "Bytes left on the disk of the records.", info.free_bytes()),
        ("ieum_uptime_seconds", "Seconds since the start.", Some(uptime)),
        ("process_resident_memory_bytes", "Resident memory in bytes.", memory_bytes()),
    ] {
        if let Some(value) = value {
            single(&mut out, name, "gauge", help, value);
        }
    }
    Ok(out)
}

fn requests(portal: &Portal, out: &mut String) {
    const COUNT: &str = "ieum_http_requests_total";
    const TIME: &str = "ieum_http_request_duration_seconds";
    let all = portal.metrics().snapshot();
    head(out, COUNT, "counter", "Requests by method, route pattern and status.");
    for ((method, route, status), series) in &all {
        let status = status.to_string();
        line(out, COUNT, &[("method", method), ("route", route), ("status", &status)], series.count());
    }
    head(out, TIME, "histogram", "How long requests took, by method, route pattern and status.");
    for ((method, route, status), series) in &all {
        let status = status.to_string();
        let labels = [("method", *method), ("route", *route), ("status", status.as_str())];
        let mut so_far = 0;
        for (bound, count) in BOUNDS.iter().zip(series.buckets) {
            so_far += count;
            let bound = bound.to_string();
            line(
                out,
                "ieum_http_request_duration_seconds_bucket",
                &[&labels[..], &[("le", &bound)]].concat(),
                so_far,
            );
        }
        let all = [&labels[..], &[("le", "+Inf")]].concat();
        line(out, "ieum_http_request_duration_seconds_bucket", &all, series.count());
        line(out, "ieum_http_request_duration_seconds_sum", &labels, series.total.as_secs_f64());
        line(out, "ieum_http_request_duration_seconds_count", &labels, series.count());
    }
}

fn jobs(portal: &Portal, out: &mut String) {
    const FINISHED: &str = "ieum_jobs_finished_total";
    let Some(jobs) = portal.hub().jobs() else { return };
    let running = u64::try_from(jobs.running()).unwrap_or(u64::MAX);
    single(out, "ieum_jobs_running", "gauge", "Jobs that this process works on.", running);
    head(
        out,
        FINISHED,
        "counter",
        "Jobs that have ended in this process, by what they did and how they ended.",
    );
    for (what, state, count) in jobs.finished() {
        line(out, FINISHED, &[("what", what), ("state", state)], count);
    }
}

fn subscriptions(portal: &Portal, out: &mut String) -> Result<(), StoreError> {
    const SENT: &str = "ieum_notifications_total";
    let Some(subscriptions) = portal.hub().subscriptions() else { return Ok(()) };
    head(out, "ieum_subscriptions", "gauge", "Subscriptions by state.");
    let view = portal.hub().door().view(&keep::access())?;
    for state in State::ALL {
        line(out, "ieum_subscriptions", &[("state", state.name())], keep::count(&view, state)?);
    }
    drop(view);
    let counts = subscriptions.counts();
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    single(
        out,
        "ieum_subscription_events_total",
        "counter",
        "Events made since the start.",
        of(&counts.events),
    );
    head(out, SENT, "counter", "Notifications since the start, by whether they were taken.");
    line(out, SENT, &[("result", "taken")], of(&counts.sent));
    line(out, SENT, &[("result", "failed")], of(&counts.failed));
    let sockets = u64::try_from(subscriptions.sockets()).unwrap_or(u64::MAX);
    single(out, "ieum_websockets", "gauge", "WebSockets that are open.", sockets);
    Ok(())
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("writing to a string cannot fail");
}

fn single(out: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    head(out, name, kind, help);
    line(out, name, &[], value);
}

fn line(out: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    out.push_str(name);
    for (index, (label, value)) in labels.iter().enumerate() {
        out.push(if index == 0 { '{' } else { ',' });
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(out, "{label}=\"{value}\"").expect("writing to a string cannot fail");
    }
    if !labels.is_empty() {
        out.push('}');
    }
    writeln!(out, " {value}").expect("writing to a string cannot fail");
}
