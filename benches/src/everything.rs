//! W5: `$everything` of patients to its last page, and history of records, of a type and of everything.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bulk::loaded;
use crate::floor::Reader;
use crate::http::Client;
use crate::report::{Better, percentile};
use crate::server::Program;
use crate::{Bench, Result};

const TIME: (&str, Better) = ("ms", Better::Less);
const HISTORIES: [&str; 2] = ["Observation/_history?_count=100", "_history?_count=100"];

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let most = if bench.quick { 3 } else { 60 };
    let of_patients = bench.corpus.resources.iter().filter(|resource| resource.kind == "Patient");
    let patients: Vec<String> = of_patients.map(|patient| patient.id.clone()).take(most).collect();
    let mut totals = Vec::new();
    for program in bench.servers() {
        let data = loaded(bench, program)?;
        let server = bench.programs.start(program, &data)?;
        let mut client = server.client();
        let (mut entries, mut times) = (0, Vec::new());
        for id in &patients {
            let (more, time) = everything(&mut client, id)?;
            entries += more;
            times.push(time);
        }
        let seconds: f64 = times.iter().map(Duration::as_secs_f64).sum();
        let rate = entries as f64 / seconds;
        totals.push(entries);
        bench.report.server(("everything", "records"), ("records/s", Better::More), program, rate);
        tell(bench, program, "$everything to its last page", times);
        let mut times = Vec::new();
        for id in &patients {
            times.push(timed(&mut client, &format!("Patient/{id}/_history"))?);
        }
        tell(bench, program, "history of a record", times);
        for question in HISTORIES {
            let times = (0..most).map(|_| timed(&mut client, question)).collect::<Result<_>>()?;
            tell(bench, program, &format!("`{question}`"), times);
        }
        server.stop()?;
    }
    bench.report.note(format!("everything: records of {} patients, by server: {totals:?}", patients.len()));
    floor(bench, &patients)
}

fn tell(bench: &mut Bench, program: Program, what: &str, mut times: Vec<Duration>) {
    for percent in [50, 99] {
        if let Some(time) = percentile(&mut times, percent) {
            bench.report.server(("everything", &format!("{what}, p{percent}")), TIME, program, time);
        }
    }
}

/// How many records a patient has, counted over all pages, and how long their answers took.
fn everything(client: &mut Client, id: &str) -> Result<(usize, Duration)> {
    let (mut entries, mut time) = (0, Duration::ZERO);
    let mut next = Some(format!("Patient/{id}/$everything?_count=1000"));
    while let Some(question) = next {
        let asked = Instant::now();
        let page = client.get(&question)?.expect(&[200])?;
        time += asked.elapsed();
        let page = page.json()?;
        entries += page["entry"].as_array().map_or(0, Vec::len);
        let links = page["link"].as_array().map_or(&[][..], Vec::as_slice);
        let link = links.iter().find(|link| link["relation"] == "next");
        next = link.and_then(|link| link["url"].as_str().map(str::to_owned));
    }
    Ok((entries, time))
}

fn timed(client: &mut Client, question: &str) -> Result<Duration> {
    let asked = Instant::now();
    let answer = client.get(question)?.expect(&[200])?;
    let time = asked.elapsed();
    match answer.json()?["entry"].as_array().map(Vec::as_slice) {
        None | Some([]) => Err(format!("{question} has no entries").into()),
        Some([first, ..]) if first["request"] == Value::Null => Err("an entry without request".into()),
        Some(_) => Ok(time),
    }
}

fn floor(bench: &mut Bench, patients: &[String]) -> Result<()> {
    let reader = Reader::open(&loaded(bench, Program::Ieum)?)?;
    let mut times = Vec::new();
    for id in patients {
        let asked = Instant::now();
        reader.everything(id)?;
        times.push(asked.elapsed());
    }
    if let Some(time) = percentile(&mut times, 50) {
        bench.report.floor(("everything", "$everything to its last page, p50"), TIME, time);
    }
    Ok(())
}
