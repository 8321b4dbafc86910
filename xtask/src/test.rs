//! `cargo xtask test`: everything that must hold, in the order in which a fault is cheapest to find.

use std::time::{Duration, Instant};

use crate::Result;

mod clients;
mod steps;
mod tools;

pub(crate) use steps::built;
use steps::{STEPS, Step};
pub(crate) use tools::{Tool, binary, ensure};

/// Options of the task.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this step; may be given several times
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Name the steps and do nothing
    #[arg(long)]
    list: bool,
}

/// Runs the task.
#[expect(clippy::print_stdout, reason = "the list and the closing line are what the task is asked for")]
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        for step in STEPS {
            println!("{:12} {}", step.name, step.title);
        }
        return Ok(());
    }
    let chosen = choose(&options.only)?;
    let mut done: Vec<(&Step, Duration)> = Vec::new();
    for (index, step) in chosen.iter().enumerate() {
        eprintln!("\n── {}/{} {}: {}", index + 1, chosen.len(), step.name, step.title);
        let started = Instant::now();
        let result = one(step);
        let time = started.elapsed();
        if let Err(error) = result {
            eprintln!("{error}");
            summary(&done);
            println!("\n{} passed, 1 failed", done.len());
            let name = step.name;
            return Err(format!("step {name} failed; to repeat it: cargo xtask test --only {name}").into());
        }
        eprintln!("   done in {}", seconds(time));
        done.push((step, time));
    }
    summary(&done);
    println!("\n{} passed, 0 failed", done.len());
    Ok(())
}

fn one(step: &Step) -> Result<()> {
    for tool in step.needs {
        ensure(*tool)?;
    }
    let told = (step.run)()?;
    if !told.is_empty() {
        eprintln!("   {told}");
    }
    Ok(())
}

/// The steps to do, in their own order whatever the order of the names.
fn choose(names: &[String]) -> Result<Vec<&'static Step>> {
    let unknown = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name));
    if let Some(name) = unknown {
        return Err(format!("there is no step {name}; see cargo xtask test --list").into());
    }
    Ok(STEPS.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)).collect())
}

fn summary(done: &[(&Step, Duration)]) {
    eprintln!("\n── times");
    for (step, time) in done {
        eprintln!("   {:12} {:>9}", step.name, seconds(*time));
    }
    let all = done.iter().map(|(_, time)| *time).sum();
    eprintln!("   {:12} {:>9}", "all", seconds(all));
}

/// A time as a person reads it: `4.2 s`, `3 min 07 s`.
pub(crate) fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 {
        return format!("{:.1} s", time.as_secs_f64());
    }
    format!("{} min {:02} s", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(chosen: &[&Step]) -> Vec<&'static str> {
        chosen.iter().map(|step| step.name).collect()
    }

    #[test]
    fn steps_run_in_their_own_order() {
        let asked = ["tests", "format"].map(str::to_owned);
        assert_eq!(names(&choose(&asked).unwrap()), ["format", "tests"]);
        assert_eq!(choose(&[]).unwrap().len(), STEPS.len());
    }

    #[test]
    fn an_unknown_step_is_named() {
        let Err(error) = choose(&["tset".to_owned()]) else { panic!("there is no such step") };
        assert!(error.to_string().contains("tset"), "{error}");
    }

    #[test]
    fn no_two_steps_have_a_name() {
        let mut all = names(&choose(&[]).unwrap());
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), STEPS.len());
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(seconds(Duration::from_millis(4210)), "4.2 s");
        assert_eq!(seconds(Duration::from_secs(187)), "3 min 07 s");
    }
}
