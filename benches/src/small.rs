//! W7: small writes beside one transaction of 20,000 entries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::report::{Better, percentile};
use crate::server::{Program, Server, emptied};
use crate::{Bench, Result};

/// Clients that write small records.
const CLIENTS: usize = 4;
/// Time between two writes of one client, whatever became of the first.
const PACE: Duration = Duration::from_millis(20);
const TIME: (&str, Better) = ("ms", Better::Less);
const SMALL: &str = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/small"},"effectiveDateTime":"2026-03-01T09:00:00+09:00","valueQuantity":{"value":72,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}"#;

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let (bundle, entries) = bench.corpus.joined(if bench.quick { 500 } else { 20_000 });
    for program in bench.servers() {
        let data = bench.data_of(program, "small");
        emptied(&data)?;
        let server = bench.programs.start(program, &data)?;
        let alone = Duration::from_millis(if bench.quick { 200 } else { 3_000 });
        let (times, ()) = beside(&server, || {
            std::thread::sleep(alone);
            Ok(())
        })?;
        tell(bench, program, "alone", times);
        let (times, seconds) = beside(&server, || {
            let started = Instant::now();
            let answer = server.client().send("POST", "", Some(&bundle))?.expect(&[200])?.json()?;
            if answer["entry"].as_array().map_or(0, Vec::len) != entries {
                return Err("the big bundle was not answered in full".into());
            }
            Ok(started.elapsed().as_secs_f64())
        })?;
        tell(bench, program, "beside", times);
        let what = format!("the bundle of {entries} itself");
        bench.report.server(("small", &what), ("s", Better::Less), program, seconds);
        let memory = server.memory()?.1 / 1e6;
        bench.report.server(("small", "memory at its peak"), ("MB", Better::Less), program, memory);
        server.stop()?;
    }
    Ok(())
}

fn tell(bench: &mut Bench, program: Program, when: &str, (mut times, refused): (Vec<Duration>, usize)) {
    for percent in [50, 99, 100] {
        if let Some(time) = percentile(&mut times, percent) {
            let what = format!("a small write {when}, p{percent}");
            bench.report.server(("small", &what), TIME, program, time);
        }
    }
    if refused > 0 {
        let answered = times.len();
        bench.report.note(format!("small: {program:?} refused {refused} writes {when} and took {answered}"));
    }
}

/// Writes small records for as long as `work` takes; gives the times of those that were taken, and how many were not.
fn beside<T>(server: &Server, work: impl FnOnce() -> Result<T>) -> Result<((Vec<Duration>, usize), T)> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<(Vec<Duration>, usize)> {
                    let (mut client, mut times, mut refused) = (server.client(), Vec::new(), 0);
                    let mut due = Instant::now();
                    while !done.load(Ordering::Relaxed) {
                        // From when it was to be sent: one that waits for the one before it has waited, too.
                        due += PACE;
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        let answer = client.send("POST", "Observation", Some(SMALL.as_bytes()))?;
                        if answer.status == 201 {
                            times.push(due.elapsed());
                        } else {
                            refused += 1;
                        }
                    }
                    Ok((times, refused))
                })
            })
            .collect();
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        let (mut times, mut refused) = (Vec::new(), 0);
        for client in clients {
            let (more, not) = client.join().unwrap_or_else(|_| Err("a bug".into()))?;
            times.extend(more);
            refused += not;
        }
        Ok(((times, refused), outcome?))
    })
}
