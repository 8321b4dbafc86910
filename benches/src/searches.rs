//! W4: thirty shapes of searches on the loaded data, after a new start; the counts of both servers are compared.

use std::time::{Duration, Instant};

use crate::bulk::loaded;
use crate::floor::Reader;
use crate::http::Client;
use crate::report::{Better, percentile};
use crate::server::{Program, Server};
use crate::shapes::{Class, SHAPES, Values};
use crate::{Bench, Result};

const TIME: (&str, Better) = ("ms", Better::Less);
/// Entries of a page, and what is asked of both servers for the same amount of work.
const PAGE: &str = "&_count=20&_total=none";
/// Clients at the same time where the rate is measured.
const CLIENTS: usize = 8;
/// Draws whose counts are compared.
const COMPARED: usize = 3;

/// What came of the shapes on one server.
struct Outcome {
    program: Program,
    times: Vec<Vec<Duration>>,
    counts: Vec<Vec<Option<u64>>>,
}

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let values = Values::new(&bench.corpus)?;
    let mut outcomes = Vec::new();
    for program in bench.servers() {
        let data = loaded(bench, program)?;
        let server = bench.programs.start(program, &data)?;
        outcomes.push(ask_all(bench, program, &server, &values)?);
        for class in Class::ALL {
            let rate = rate(bench, &server, class, &values)?;
            let what = format!("{}, {CLIENTS} clients", class.name());
            bench.report.server(("search", &what), ("searches/s", Better::More), program, rate);
        }
        server.stop()?;
    }
    for outcome in &mut outcomes {
        tell(bench, outcome);
    }
    compare(bench, &outcomes);
    floor(bench, &values)
}

fn ask_all(bench: &Bench, program: Program, server: &Server, values: &Values) -> Result<Outcome> {
    let (most, seconds) = if bench.quick { (3, 1) } else { (150, 4) };
    let mut client = server.client();
    let mut outcome = Outcome { program, times: Vec::new(), counts: Vec::new() };
    for (_, shape) in SHAPES {
        let started = Instant::now();
        let mut times = Vec::new();
        let mut draw = 0;
        while draw < most && started.elapsed() < Duration::from_secs(seconds) {
            let question = paged(&values.fill(shape, draw));
            let asked = Instant::now();
            let answer = client.get(&question)?;
            let time = asked.elapsed();
            // What is refused counts as no time, and shows as a shape without any.
            if answer.status == 200 && answer.json()?["resourceType"] == "Bundle" {
                times.push(time);
            }
            draw += 1;
        }
        outcome.times.push(times);
        let counts = (0..COMPARED).map(|draw| count(&mut client, &values.fill(shape, draw)));
        outcome.counts.push(counts.collect::<Result<_>>()?);
    }
    Ok(outcome)
}

fn paged(question: &str) -> String {
    if question.contains("_summary=count") { question.to_owned() } else { format!("{question}{PAGE}") }
}

/// How many match; none when the server does not say.
fn count(client: &mut Client, question: &str) -> Result<Option<u64>> {
    let without = question.split("&_").next().unwrap_or(question);
    let answer = client.get(&format!("{without}&_summary=count"))?;
    if answer.status != 200 {
        return Ok(None);
    }
    Ok(answer.json()?["total"].as_u64())
}

fn tell(bench: &mut Bench, outcome: &mut Outcome) {
    for class in Class::ALL {
        let of_class = SHAPES.iter().zip(&outcome.times).filter(|((of, _), _)| *of == class);
        let mut all: Vec<Duration> = of_class.flat_map(|(_, times)| times.iter().copied()).collect();
        for percent in [50, 99] {
            let what = format!("{}, p{percent}", class.name());
            if let Some(time) = percentile(&mut all, percent) {
                bench.report.server(("search", &what), TIME, outcome.program, time);
            }
        }
    }
    for ((_, shape), times) in SHAPES.iter().zip(&mut outcome.times) {
        match percentile(times, 50) {
            Some(time) => {
                let what = format!("`{}`, p50", shape.replace("%7C", "\\|"));
                bench.report.server(("search", &what), TIME, outcome.program, time);
            }
            None => bench.report.note(format!("search: {:?} does not answer `{shape}`", outcome.program)),
        }
    }
}

fn compare(bench: &mut Bench, outcomes: &[Outcome]) {
    let [ours, theirs] = outcomes else { return };
    let mut equal = 0;
    for (index, (_, shape)) in SHAPES.iter().enumerate() {
        if ours.counts[index] == theirs.counts[index] {
            equal += 1;
        } else {
            let (one, other) = (&ours.counts[index], &theirs.counts[index]);
            bench.report.note(format!("search: `{shape}` counts differ: Ieum {one:?}, HFS {other:?}"));
        }
    }
    bench
        .report
        .note(format!("search: counts of {equal} of {} shapes are equal on both servers", SHAPES.len()));
}

/// Searches of a class in a second, from several clients.
fn rate(bench: &Bench, server: &Server, class: Class, values: &Values) -> Result<f64> {
    let time = Duration::from_millis(if bench.quick { 300 } else { 4_000 });
    let shapes: Vec<&str> = SHAPES.iter().filter(|(of, _)| *of == class).map(|(_, shape)| *shape).collect();
    let started = Instant::now();
    let answered: Vec<Result<u32>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let shapes = &shapes;
                scope.spawn(move || -> Result<u32> {
                    let (mut client, mut answered, mut draw) = (server.client(), 0, number * 1_000);
                    while started.elapsed() < time {
                        let question = paged(&values.fill(shapes[draw % shapes.len()], draw));
                        let answer = client.get(&question)?;
                        answered += u32::from(answer.status == 200);
                        draw += 1;
                    }
                    Ok(answered)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap_or_else(|_| Err("a bug".into()))).collect()
    });
    let answered: u32 = answered.into_iter().sum::<Result<u32>>()?;
    Ok(f64::from(answered) / started.elapsed().as_secs_f64())
}

/// Of one shape, what its page costs at least.
fn floor(bench: &mut Bench, values: &Values) -> Result<()> {
    const SHAPE: &str = "Observation?code={o.code}";
    let reader = Reader::open(&loaded(bench, Program::Ieum)?)?;
    let mut times = Vec::new();
    for draw in 0..if bench.quick { 3 } else { 150 } {
        let question = values.fill(SHAPE, draw);
        let code = question.rsplit('=').next().unwrap_or_default();
        let token = reader.token("Observation", "code", code)?;
        let started = Instant::now();
        reader.page(token, 20)?;
        times.push(started.elapsed());
    }
    if let Some(time) = percentile(&mut times, 50) {
        bench.report.floor(("search", &format!("`{SHAPE}`, p50")), TIME, time);
    }
    Ok(())
}
