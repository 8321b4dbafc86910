//! Figures as they are gathered, and the table and file that come of them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::server::Program;

/// Which way a figure is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    /// Rates.
    More,
    /// Times, sizes.
    Less,
}

/// One row of the table.
pub(crate) struct Figure {
    workload: &'static str,
    what: String,
    unit: &'static str,
    better: Better,
    ieum: Option<f64>,
    hfs: Option<f64>,
    floor: Option<f64>,
}

/// Everything measured so far.
#[derive(Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a row, or a column of a row that is there; says it at once, since the whole takes long.
    pub(crate) fn server(
        &mut self,
        (workload, what): (&'static str, &str),
        (unit, better): (&'static str, Better),
        program: Program,
        value: f64,
    ) {
        eprintln!("   {workload} {what}: {program:?} {} {unit}", readable(value));
        let figure = self.row(workload, what, unit, better);
        match program {
            Program::Ieum => figure.ieum = Some(value),
            Program::Hfs => figure.hfs = Some(value),
        }
    }

    /// The same for the floor program.
    pub(crate) fn floor(
        &mut self,
        (workload, what): (&'static str, &str),
        (unit, better): (&'static str, Better),
        value: f64,
    ) {
        eprintln!("   {workload} {what}: floor {} {unit}", readable(value));
        self.row(workload, what, unit, better).floor = Some(value);
    }

    fn row(&mut self, workload: &'static str, what: &str, unit: &'static str, better: Better) -> &mut Figure {
        let same = |figure: &Figure| figure.workload == workload && figure.what == what;
        let index = self.figures.iter().position(same).unwrap_or_else(|| {
            let what = what.to_owned();
            self.figures.push(Figure { workload, what, unit, better, ieum: None, hfs: None, floor: None });
            self.figures.len() - 1
        });
        &mut self.figures[index]
    }

    /// Adds what is not a figure.
    pub(crate) fn note(&mut self, note: String) {
        eprintln!("   {note}");
        self.notes.push(note);
    }

    /// The table as Markdown. A ratio above one means that ours is better.
    pub(crate) fn table(&self) -> String {
        let mut out = String::from(
            "| workload | what | unit | Ieum | HFS | times HFS | floor | times the floor's cost |\n|---|---|---|--:|--:|--:|--:|--:|\n",
        );
        for figure in &self.figures {
            let Figure { workload, what, unit, .. } = figure;
            let cell = |value: Option<f64>| value.map_or_else(String::new, readable);
            let (ieum, hfs, floor) = (cell(figure.ieum), cell(figure.hfs), cell(figure.floor));
            let (better, cost) = (cell(figure.times_hfs()), cell(figure.times_floor()));
            let _ = writeln!(
                out,
                "| {workload} | {what} | {unit} | {ieum} | {hfs} | {better} | {floor} | {cost} |"
            );
        }
        for note in &self.notes {
            let _ = write!(out, "\n- {note}");
        }
        out.push('\n');
        out
    }

    /// Writes everything as JSON.
    pub(crate) fn write(&self, path: &Path, machine: &Value) -> Result<()> {
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        let whole = json!({"machine": machine, "figures": figures, "notes": self.notes});
        std::fs::write(path, serde_json::to_vec_pretty(&whole)?)
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

impl Figure {
    /// How many times better than HFS.
    fn times_hfs(&self) -> Option<f64> {
        let (ieum, hfs) = self.ieum.zip(self.hfs)?;
        Some(if self.better == Better::More { ieum / hfs } else { hfs / ieum })
    }

    /// How many times the floor's cost.
    fn times_floor(&self) -> Option<f64> {
        let (ieum, floor) = self.ieum.zip(self.floor)?;
        Some(if self.better == Better::More { floor / ieum } else { ieum / floor })
    }

    fn json(&self) -> Value {
        json!({
            "workload": self.workload, "what": self.what, "unit": self.unit, "ieum": self.ieum, "hfs": self.hfs,
            "floor": self.floor, "times_hfs": self.times_hfs(), "times_floor": self.times_floor(),
        })
    }
}

/// Three digits that count.
pub(crate) fn readable(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The time below which so many of a hundred lie, in milliseconds; none of none.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Option<f64> {
    times.sort_unstable();
    let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(index).map(|time| time.as_secs_f64() * 1e3)
}

/// The middle of an odd number of runs.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_above_one_when_ours_is_better() {
        let mut report = Report::default();
        let (rate, time) = (("rps", Better::More), ("ms", Better::Less));
        report.server(("w", "rate"), rate, Program::Ieum, 30.0);
        report.server(("w", "rate"), rate, Program::Hfs, 10.0);
        report.floor(("w", "rate"), rate, 60.0);
        report.server(("w", "time"), time, Program::Ieum, 5.0);
        report.server(("w", "time"), time, Program::Hfs, 10.0);
        let table = report.table();
        assert!(table.contains("| w | rate | rps | 30.0 | 10.0 | 3.00 | 60.0 | 2.00 |"), "{table}");
        assert!(table.contains("| w | time | ms | 5.00 | 10.0 | 2.00 |"), "{table}");
    }

    #[test]
    fn percentiles_are_of_the_samples() {
        let mut times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), Some(50.0));
        assert_eq!(percentile(&mut times, 99), Some(99.0));
        assert_eq!(percentile(&mut [], 50), None);
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
