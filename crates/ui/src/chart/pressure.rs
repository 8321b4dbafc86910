//! Blood pressure over time: two series told apart by shape and dash as well as colour.

use jiff::Timestamp;
use maud::{Markup, html};

use super::line::{grid, path, time_labels, triangle};
use super::{Point, Range, Scale, Size, Verdict, column, numbers_table, px, runs, seconds};
use crate::{Align, Lang, Text, empty, format};

const MARGIN: (f64, f64, f64, f64) = (44.0, 16.0, 20.0, 24.0);

/// One measurement in mmHg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When it was taken.
    pub at: Timestamp,
    /// The systolic pressure; the reading is left out when not finite.
    pub systolic: f64,
    /// The diastolic pressure; the reading is left out when not finite.
    pub diastolic: f64,
}

/// A blood pressure chart.
#[derive(Clone, Copy, Debug)]
pub struct PressureChart<'a> {
    /// An identifier unique in the page.
    pub id: &'a str,
    /// The readings, in any order.
    pub readings: &'a [Reading],
    /// Systolic and diastolic limits drawn as lines, such as 140 and 90; `None` draws none.
    pub limits: Option<(f64, f64)>,
    /// The size of the drawing.
    pub size: Size,
    /// How the newest reading lies.
    pub verdict: Verdict,
    /// What the chart does not show, in sentences.
    pub notes: &'a [String],
}

impl PressureChart<'_> {
    /// The chart with its last value, its legend and the table behind it.
    #[must_use]
    pub fn html(&self, lang: Lang) -> Markup {
        let readings = self.usable();
        let title = Text::BloodPressure.get(lang);
        let Some(last) = readings.last() else {
            return html! {
                figure .i-chart { figcaption .i-chart__title { (title) } (empty(Text::NoData.get(lang))) }
            };
        };
        html! {
            figure .i-chart {
                figcaption .i-chart__head {
                    span .i-chart__title { (title) }
                    span .i-chart__last {
                        span .i-hidden { (Text::Latest.get(lang)) " " } (both(last)) " " small { "mmHg " } (self.verdict.badge(lang))
                    }
                }
                (self.drawing(&readings, lang))
                (self.legend(lang))
                @if joined(&readings).len() > 1 {
                    ul .i-chart__notes { li { (Text::LineBroken.get(lang)) } }
                }
                @if !self.notes.is_empty() { ul .i-chart__notes { @for note in self.notes { li { (note) } } } }
                (table(&readings, lang))
            }
        }
    }

    fn usable(&self) -> Vec<Reading> {
        let finite = |reading: &&Reading| reading.systolic.is_finite() && reading.diastolic.is_finite();
        let mut readings: Vec<Reading> = self.readings.iter().filter(finite).copied().collect();
        readings.sort_by_key(|reading| reading.at);
        readings
    }

    fn drawing(&self, readings: &[Reading], lang: Lang) -> Markup {
        let Size { width, height } = self.size;
        let (left, right, top, bottom) = MARGIN;
        let plot = (left, width - right);
        let x = Scale::over(
            readings.iter().map(|reading| seconds(reading.at)),
            (left + 8.0, width - right - 8.0),
        );
        let limits = self.limits.into_iter().flat_map(|(systolic, diastolic)| [systolic, diastolic]);
        let values =
            readings.iter().flat_map(|reading| [reading.systolic, reading.diastolic]).chain(limits.clone());
        let (Some(x), Some(y)) = (x, Scale::over(values, (height - bottom, top))) else { return html! {} };
        let (marks, y) = (y.ticks(3), y.niced(3));
        let upper = |reading: &Reading| (x.at(seconds(reading.at)), y.at(reading.systolic));
        let lower = |reading: &Reading| (x.at(seconds(reading.at)), y.at(reading.diastolic));
        let days: Vec<Point> =
            readings.iter().map(|reading| Point::new(reading.at, 0.0, Range::default())).collect();
        html! {
            svg .i-chart__svg viewBox={ "0 0 " (px(width)) " " (px(height)) } width=(px(width)) height=(px(height))
                role="img" aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                title id={ (self.id) "-t" } { (Text::BloodPressure.get(lang)) }
                desc id={ (self.id) "-d" } { (summary(readings, lang)) }
                (grid(&y, &marks, plot))
                @for limit in limits.filter(|limit| limit.is_finite()) {
                    line .c-limit x1=(px(plot.0)) x2=(px(plot.1)) y1=(px(y.at(limit))) y2=(px(y.at(limit))) {}
                }
                @for run in joined(readings) {
                    polyline .c-line points=(path(readings[run.clone()].iter().map(upper))) {}
                    polyline .c-line .c-line--second points=(path(readings[run].iter().map(lower))) {}
                }
                @for reading in readings {
                    (triangle(upper(reading).0, upper(reading).1, true, "c-dot"))
                    (triangle(lower(reading).0, lower(reading).1, false, "c-dot c-dot--second"))
                }
                (time_labels(&days, plot, height, lang))
            }
        }
    }

    fn legend(&self, lang: Lang) -> Markup {
        html! {
            ul .i-legend {
                li {
                    svg .i-chart__svg viewBox="0 0 24 12" aria-hidden="true" {
                        polyline .c-line points="0,6 24,6" {} (triangle(12.0, 6.0, true, "c-dot"))
                    }
                    (Text::Systolic.get(lang))
                }
                li {
                    svg .i-chart__svg viewBox="0 0 24 12" aria-hidden="true" {
                        polyline .c-line .c-line--second points="0,6 24,6" {} (triangle(12.0, 6.0, false, "c-dot c-dot--second"))
                    }
                    (Text::Diastolic.get(lang))
                }
                @if let Some((systolic, diastolic)) = self.limits {
                    li {
                        svg .i-chart__svg viewBox="0 0 24 12" aria-hidden="true" { line .c-limit x1="0" x2="24" y1="6" y2="6" {} }
                        (Text::Limit.get(lang)) " " (format::decimal(systolic, 0)) "/" (format::decimal(diastolic, 0))
                    }
                }
            }
        }
    }
}

/// The runs of readings that lines join.
fn joined(readings: &[Reading]) -> Vec<std::ops::Range<usize>> {
    runs(&readings.iter().map(|reading| reading.at).collect::<Vec<_>>())
}

fn both(reading: &Reading) -> String {
    format!("{}/{}", format::decimal(reading.systolic, 0), format::decimal(reading.diastolic, 0))
}

fn summary(readings: &[Reading], lang: Lang) -> String {
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return String::new() };
    let day = |reading: &Reading| format::date(format::korean_time(reading.at).date(), lang);
    let (start, end, latest, count) = (day(first), day(last), both(last), readings.len());
    match lang {
        Lang::Ko => format!("{start}부터 {end}까지 {count}회 측정. 최근 {latest} mmHg."),
        Lang::En => format!("{count} measurements from {start} to {end}. Latest {latest} mmHg."),
    }
}

fn table(readings: &[Reading], lang: Lang) -> Markup {
    let columns = [
        column(Text::Date.get(lang), Align::Keep),
        column(Text::Systolic.get(lang), Align::Number),
        column(Text::Diastolic.get(lang), Align::Number),
    ];
    let rows = readings.iter().rev().map(|reading| {
        vec![
            html! { (format::date(format::korean_time(reading.at).date(), lang)) },
            html! { (format::decimal(reading.systolic, 0)) },
            html! { (format::decimal(reading.diastolic, 0)) },
        ]
    });
    numbers_table(Text::BloodPressure.get(lang), &columns, rows.collect(), lang)
}
