//! One value over time: laboratory results, weight, temperature.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{Point, Range, Scale, Size, Verdict, column, numbers_table, px, reach, runs, seconds, usable};
use crate::{Align, Lang, Text, empty, format};

/// Room for labels around the drawing: left, right, top, bottom.
const MARGIN: (f64, f64, f64, f64) = (44.0, 16.0, 20.0, 24.0);

/// A line chart with the reference range as a band, when all its points have the same.
#[derive(Clone, Debug)]
pub struct LineChart<'a> {
    /// What is measured; also names the drawing's parts, so unique in the page together with `id`.
    pub title: &'a str,
    /// An identifier unique in the page.
    pub id: &'a str,
    /// The unit, as shown; may be empty.
    pub unit: &'a str,
    /// The points, in any order.
    pub points: &'a [Point],
    /// Values that the axis always reaches, customary for what is measured; `None` for a tenth of the newest value to
    /// either side.
    pub span: Option<(f64, f64)>,
    /// The size of the drawing.
    pub size: Size,
    /// How many decimals values are shown with, at most.
    pub places: usize,
    /// What the chart does not show, in sentences.
    pub notes: &'a [String],
}

impl LineChart<'_> {
    /// The chart with its last value, its legend and the table behind it.
    #[must_use]
    pub fn html(&self, lang: Lang) -> Markup {
        let points = usable(self.points);
        let Some(last) = points.last() else {
            return html! {
                figure .i-chart { figcaption .i-chart__title { (self.title) } (empty(Text::NoData.get(lang))) }
            };
        };
        let range = common_range(&points);
        let notes = self.notes(&points, range, lang);
        html! {
            figure .i-chart {
                figcaption .i-chart__head {
                    span .i-chart__title { (self.title) }
                    span .i-chart__last {
                        span .i-hidden { (Text::Latest.get(lang)) " " }
                        (self.value(last.value)) " " small { (self.unit) " " } (last.verdict.badge(lang))
                    }
                }
                (self.drawing(&points, range, lang))
                @if let Some(range) = range.and_then(|range| range.text()) {
                    ul .i-legend {
                        li {
                            svg .i-chart__svg viewBox="0 0 24 12" aria-hidden="true" { rect .c-band width="24" height="12" {} }
                            (Text::ReferenceRange.get(lang)) " " (range) " " (self.unit)
                        }
                    }
                }
                @if !notes.is_empty() { ul .i-chart__notes { @for note in &notes { li { (note) } } } }
                (self.table(&points, lang))
            }
        }
    }

    /// What is not drawn, so that nobody takes the drawing for the whole.
    fn notes(&self, points: &[Point], range: Option<Range>, lang: Lang) -> Vec<String> {
        let own = [(range.is_none(), Text::RangesDiffer), (runs(&times(points)).len() > 1, Text::LineBroken)];
        let own = own.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text.get(lang).to_owned());
        own.chain(self.notes.iter().cloned()).collect()
    }

    fn value(&self, value: f64) -> String {
        format::decimal(value, self.places)
    }

    /// What the drawing says in one sentence.
    fn summary(&self, points: &[Point], lang: Lang) -> String {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Text::NoData.get(lang).to_owned();
        };
        let day = |point: &Point| format::date(format::korean_time(point.at).date(), lang);
        let out = points.iter().filter(|point| point.verdict.is_out()).count();
        let (count, unit) = (points.len(), self.unit);
        let (start, end, latest) = (day(first), day(last), self.value(last.value));
        match lang {
            Lang::Ko => {
                format!(
                    "{start}부터 {end}까지 {count}회 측정. 최근 값 {latest} {unit}. 참고범위를 벗어난 값 {out}회."
                )
            }
            Lang::En => {
                format!(
                    "{count} measurements from {start} to {end}. Latest {latest} {unit}. {out} out of range."
                )
            }
        }
    }

    fn drawing(&self, points: &[Point], range: Option<Range>, lang: Lang) -> Markup {
        let Size { width, height } = self.size;
        let (left, right, top, bottom) = MARGIN;
        let plot = (left, width - right);
        let x = Scale::over(points.iter().map(|point| seconds(point.at)), (left + 8.0, width - right - 8.0));
        let newest = points.last().map_or(0.0, |point| point.value);
        let ends = points.iter().flat_map(|point| point.range.ends());
        let values = points.iter().map(|point| point.value).chain(ends).chain(reach(self.span, newest));
        let (Some(x), Some(y)) = (x, Scale::over(values, (height - bottom, top))) else { return html! {} };
        let (marks, y) = (y.ticks(3), y.niced(3));
        let place = |point: &Point| (x.at(seconds(point.at)), y.at(point.value));
        html! {
            svg .i-chart__svg viewBox={ "0 0 " (px(width)) " " (px(height)) } width=(px(width)) height=(px(height))
                role="img" aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                title id={ (self.id) "-t" } { (self.title) }
                desc id={ (self.id) "-d" } { (self.summary(points, lang)) }
                @if let Some(range) = range { (band(range, &y, plot)) }
                (grid(&y, &marks, plot))
                @for run in runs(&times(points)) {
                    polyline .c-line points=(path(points[run].iter().map(place))) {}
                }
                @for point in points { (mark(place(point), point.verdict)) }
                (self.newest(points, place, width - right))
                (time_labels(points, plot, height, lang))
            }
        }
    }

    /// The newest value beside its point, on the side that the line does not come from.
    fn newest(&self, points: &[Point], place: impl Fn(&Point) -> (f64, f64), edge: f64) -> Markup {
        let Some((last, before)) = points.split_last() else { return html! {} };
        let (x, y) = place(last);
        let comes_from_above = before.last().is_some_and(|point| place(point).1 < y);
        let anchor = if x > edge - 24.0 { "end" } else { "middle" };
        let text_x = if anchor == "end" { edge } else { x };
        let text_y = if comes_from_above { y + 18.0 } else { y - 9.0 };
        html! {
            text .c-value .c-value--out[last.verdict.is_out()] x=(px(text_x)) y=(px(text_y)) text-anchor=(anchor) {
                (self.value(last.value))
            }
        }
    }

    fn table(&self, points: &[Point], lang: Lang) -> Markup {
        let columns = [
            column(Text::Date.get(lang), Align::Keep),
            column(Text::Value.get(lang), Align::Number),
            column(Text::Verdict.get(lang), Align::Keep),
            column(Text::ReferenceRange.get(lang), Align::Keep),
        ];
        let rows = points.iter().rev().map(|point| {
            let value = self.value(point.value);
            vec![
                html! { (format::date(format::korean_time(point.at).date(), lang)) },
                html! { (value) " " (self.unit) },
                point.verdict.badge(lang),
                html! { (point.range.text().unwrap_or_else(|| "–".to_owned())) },
            ]
        });
        numbers_table(self.title, &columns, rows.collect(), lang)
    }
}

/// The range that all points have; `None` when they differ.
fn common_range(points: &[Point]) -> Option<Range> {
    let first = points.first()?.range;
    points.iter().all(|point| point.range == first).then_some(first)
}

fn times(points: &[Point]) -> Vec<Timestamp> {
    points.iter().map(|point| point.at).collect()
}

fn band(range: Range, y: &Scale, plot: (f64, f64)) -> Markup {
    if range.text().is_none() {
        return html! {};
    }
    let (low, high) = y.domain();
    let (bottom, top) = (y.at(range.low.unwrap_or(low)), y.at(range.high.unwrap_or(high)));
    html! {
        rect .c-band x=(px(plot.0)) y=(px(top)) width=(px(plot.1 - plot.0)) height=(px((bottom - top).max(0.0))) {}
        @for end in range.ends() {
            line .c-band-edge x1=(px(plot.0)) x2=(px(plot.1)) y1=(px(y.at(end))) y2=(px(y.at(end))) {}
        }
    }
}

/// A circle; outside the range a filled triangle that points the way, so that shape says what colour says.
fn mark((x, y): (f64, f64), verdict: Verdict) -> Markup {
    html! {
        @if verdict.is_out() { (triangle(x, y, verdict != Verdict::Low, "c-dot c-dot--out")) }
        @else { circle .c-dot cx=(px(x)) cy=(px(y)) r="3.5" {} }
    }
}

/// Horizontal lines with their values.
pub(super) fn grid(y: &Scale, marks: &[f64], plot: (f64, f64)) -> Markup {
    html! {
        @for &tick in marks {
            line .c-grid x1=(px(plot.0)) x2=(px(plot.1)) y1=(px(y.at(tick))) y2=(px(y.at(tick))) {}
            text x=(px(plot.0 - 6.0)) y=(px(y.at(tick) + 4.0)) text-anchor="end" { (format::decimal(tick, 3)) }
        }
    }
}

/// The first and the last day under the drawing; one label when they are the same.
pub(super) fn time_labels(points: &[Point], plot: (f64, f64), height: f64, lang: Lang) -> Markup {
    let day = |point: &Point| format::date_short(format::korean_time(point.at).date(), lang);
    let (Some(first), Some(last)) = (points.first().map(day), points.last().map(day)) else {
        return html! {};
    };
    let y = px(height - 6.0);
    html! {
        @if first == last {
            text x=(px(f64::midpoint(plot.0, plot.1))) y=(y) text-anchor="middle" { (first) }
        } @else {
            text x=(px(plot.0)) y=(y) text-anchor="start" { (first) }
            text x=(px(plot.1)) y=(y) text-anchor="end" { (last) }
        }
    }
}

/// The `points` of a polyline.
pub(super) fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{},{}", px(x), px(y))).collect::<Vec<_>>().join(" ")
}

/// A triangle around a point, pointing up or down.
pub(super) fn triangle(x: f64, y: f64, up: bool, class: &str) -> Markup {
    let tip = if up { -5.0 } else { 5.0 };
    let corners = [(x, y + tip), (x - 5.0, y - tip * 0.8), (x + 5.0, y - tip * 0.8)];
    html! { polygon class=(class) points=(path(corners.into_iter())) {} }
}
