//! W1: create, read, update and delete records of nine types, and check what is answered.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::floor::{Log, Reader, digest};
use crate::http::{Base, Client};
use crate::report::{Better, median, percentile};
use crate::server::{Program, emptied};
use crate::{Bench, Result};

/// The types, those of daily work.
const KINDS: [&str; 9] = [
    "Patient",
    "Practitioner",
    "Organization",
    "Encounter",
    "Observation",
    "Condition",
    "Procedure",
    "Immunization",
    "MedicationRequest",
];
const CLIENTS: [usize; 3] = [1, 8, 64];
/// What is timed, in the order in which it is done.
const VERBS: [&str; 4] = ["create", "read", "update", "delete"];
const RATE: (&str, Better) = ("requests/s", Better::More);
const TIME: (&str, Better) = ("ms", Better::Less);

/// A type and what a record of it says after its id.
type Template = (&'static str, String);
/// How long each request took, by verb.
type Times = [Vec<Duration>; 4];

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let templates = templates(bench)?;
    let seconds = Duration::from_millis(if bench.quick { 300 } else { 4_000 });
    for clients in CLIENTS {
        for program in bench.servers() {
            let mut rates = Vec::new();
            let mut times = Times::default();
            for _ in 0..bench.runs {
                let data = bench.data_of(program, "crud");
                emptied(&data)?;
                let server = bench.programs.start(program, &data)?;
                let base = &server.base;
                drive(clients, seconds / 4, |until| one_client(base, &templates, until))?;
                let (rate, more) = drive(clients, seconds, |until| one_client(base, &templates, until))?;
                server.stop()?;
                rates.push(rate);
                times.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
            }
            tell(bench, clients, program, median(rates), times);
        }
        let rate = floor(bench, clients, &templates, seconds)?;
        bench.report.floor(("crud", &format!("{clients} clients")), RATE, rate);
    }
    Ok(())
}

fn tell(bench: &mut Bench, clients: usize, program: Program, rate: f64, times: Times) {
    bench.report.server(("crud", &format!("{clients} clients")), RATE, program, rate);
    for (verb, mut times) in VERBS.into_iter().zip(times) {
        for percent in [50, 99] {
            let what = format!("{verb}, {clients} clients, p{percent}");
            if let Some(time) = percentile(&mut times, percent) {
                bench.report.server(("crud", &what), TIME, program, time);
            }
        }
    }
}

/// One record of each type, without its id.
fn templates(bench: &Bench) -> Result<Vec<Template>> {
    let mut templates = Vec::new();
    for kind in KINDS {
        let found = bench.corpus.of_kind(kind)?.into_iter().next();
        let mut record = found.ok_or_else(|| format!("the data have no {kind}"))?;
        let members = record.as_object_mut().ok_or("a record that is no object")?;
        members.shift_remove("resourceType");
        members.shift_remove("id");
        let text = record.to_string();
        templates.push((kind, text.trim_start_matches('{').to_owned()));
    }
    Ok(templates)
}

/// Lets so many clients work for so long; gives requests in a second and the times of all.
fn drive(
    clients: usize,
    time: Duration,
    work: impl Fn(Instant) -> Result<Times> + Sync,
) -> Result<(f64, Times)> {
    let barrier = Barrier::new(clients);
    let started = Instant::now();
    let results: Vec<Result<Times>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    work(Instant::now() + time)
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a bug".into())));
        joined.collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let mut all = Times::default();
    for times in results {
        all.iter_mut().zip(times?).for_each(|(all, times)| all.extend(times));
    }
    let count: usize = all.iter().map(Vec::len).sum();
    Ok((count as f64 / seconds, all))
}

fn one_client(base: &Base, templates: &[Template], until: Instant) -> Result<Times> {
    let mut client = Client::new(base);
    let mut times = Times::default();
    while Instant::now() < until {
        for template in templates {
            one_record(&mut client, template, &mut times)?;
        }
    }
    Ok(times)
}

fn one_record(client: &mut Client, (kind, rest): &Template, times: &mut Times) -> Result<()> {
    let mut timed =
        |verb: usize, method: &str, path: &str, body: Option<&str>, statuses: &[u16]| -> Result<_> {
            let started = Instant::now();
            let answer = client.send(method, path, body.map(str::as_bytes))?.expect(statuses)?;
            let body = if answer.body.is_empty() { None } else { Some(answer.json()?) };
            times[verb].push(started.elapsed());
            Ok(body)
        };
    let record = format!(r#"{{"resourceType":"{kind}",{rest}"#);
    let created = timed(0, "POST", kind, Some(&record), &[201])?.ok_or("nothing came back of a create")?;
    let id = created["id"].as_str().ok_or("a created record has no id")?;
    let path = format!("{kind}/{id}");
    let read = timed(1, "GET", &path, None, &[200])?.ok_or("nothing came of a read")?;
    if read["id"] != id || read["meta"]["versionId"] != "1" {
        return Err(format!("{path} is read as {}", read["id"]).into());
    }
    let changed = format!(r#"{{"resourceType":"{kind}","id":"{id}","language":"ko",{rest}"#);
    let updated = timed(2, "PUT", &path, Some(&changed), &[200])?.ok_or("nothing came of an update")?;
    if updated["language"] != "ko" || updated["meta"]["versionId"] != "2" {
        return Err(format!("{path} was updated to version {}", updated["meta"]["versionId"]).into());
    }
    timed(3, "DELETE", &path, None, &[200, 204])?;
    Ok(())
}

/// The same by the floor: three writes and a read by id, each time for a record.
fn floor(bench: &Bench, clients: usize, templates: &[Template], time: Duration) -> Result<f64> {
    let data = bulk_for_floor(bench)?;
    let id = bench.corpus.resources.iter().find(|resource| resource.kind == "Patient");
    let id = &id.ok_or("the data have no Patient")?.id;
    let log = Log::create(&bench.place("floor-crud"))?;
    let (rate, _) = drive(clients, time, |until| {
        let (writer, reader) = (log.writer(), Reader::open(&data)?);
        let mut times = Times::default();
        while Instant::now() < until {
            for (kind, rest) in templates {
                let record = format!(r#"{{"resourceType":"{kind}",{rest}"#);
                for verb in 0..VERBS.len() {
                    match VERBS[verb] {
                        "read" => drop(reader.by_id("Patient", id)?),
                        "delete" => writer.append(vec![0; 16])?,
                        _ => writer.append(digest(record.as_bytes())?)?,
                    }
                    times[verb].push(Duration::ZERO);
                }
            }
        }
        Ok(times)
    })?;
    log.close()?;
    Ok(rate)
}

/// Records for the floor to read.
fn bulk_for_floor(bench: &Bench) -> Result<std::path::PathBuf> {
    crate::bulk::loaded(bench, Program::Ieum)
}
