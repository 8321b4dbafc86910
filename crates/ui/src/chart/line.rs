//! One value over time: laboratory results, weight, temperature.

use maud::{Markup, html};

use super::{Point, Range, Scale, Size, Verdict, column, numbers_table, px, seconds, usable};
use crate::{Align, Lang, Text, empty, format};

/// Room for labels around the drawing: left, right, top, bottom.
const MARGIN: (f64, f64, f64, f64) = (44.0, 16.0, 20.0, 24.0);

/// A line chart with the reference range as a band.
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
    /// The reference range.
    pub range: Range,
    /// The size of the drawing.
    pub size: Size,
    /// How many decimals values are shown with, at most.
    pub places: usize,
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
        let verdict = self.range.verdict(last.value);
        html! {
            figure .i-chart {
                figcaption .i-chart__head {
                    span .i-chart__title { (self.title) }
                    span .i-chart__last {
                        span .i-hidden { (Text::Latest.get(lang)) " " }
                        (self.value(last.value)) " " small { (self.unit) " " } (verdict.badge(lang))
                    }
                }
                (self.drawing(&points, lang))
                @if let Some(range) = self.range.text() {
                    ul .i-legend {
                        li {
                            svg .i-chart__svg viewBox="0 0 24 12" aria-hidden="true" { rect .c-band width="24" height="12" {} }
                            (Text::ReferenceRange.get(lang)) " " (range) " " (self.unit)
                        }
                    }
                }
                (self.table(&points, lang))
            }
        }
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
        let out = points.iter().filter(|point| self.range.verdict(point.value).is_out()).count();
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

    fn drawing(&self, points: &[Point], lang: Lang) -> Markup {
        let Size { width, height } = self.size;
        let (left, right, top, bottom) = MARGIN;
        let plot = (left, width - right);
        let x = Scale::over(points.iter().map(|point| seconds(point.at)), (left + 8.0, width - right - 8.0));
        let values = points.iter().map(|point| point.value).chain(self.range.ends());
        let (Some(x), Some(y)) = (x, Scale::over(values, (height - bottom, top))) else { return html! {} };
        let (marks, y) = (y.ticks(3), y.niced(3));
        let place = |point: &Point| (x.at(seconds(point.at)), y.at(point.value));
        html! {
            svg .i-chart__svg viewBox={ "0 0 " (px(width)) " " (px(height)) } width=(px(width)) height=(px(height))
                role="img" aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                title id={ (self.id) "-t" } { (self.title) }
                desc id={ (self.id) "-d" } { (self.summary(points, lang)) }
                (self.band(&y, plot))
                (grid(&y, &marks, plot))
                polyline .c-line points=(path(points.iter().map(place))) {}
                @for (index, point) in points.iter().enumerate() {
                    (self.mark(place(point), point.value, index + 1 == points.len(), width - right))
                }
                (time_labels(points, plot, height, lang))
            }
        }
    }

    fn band(&self, y: &Scale, plot: (f64, f64)) -> Markup {
        if self.range.text().is_none() {
            return html! {};
        }
        let (low, high) = y.domain();
        let (bottom, top) = (y.at(self.range.low.unwrap_or(low)), y.at(self.range.high.unwrap_or(high)));
        html! {
            rect .c-band x=(px(plot.0)) y=(px(top)) width=(px(plot.1 - plot.0)) height=(px((bottom - top).max(0.0))) {}
            @for end in self.range.ends() {
                line .c-band-edge x1=(px(plot.0)) x2=(px(plot.1)) y1=(px(y.at(end))) y2=(px(y.at(end))) {}
            }
        }
    }

    /// A circle; outside the range a filled triangle that points the way, so that shape says what colour says. Values
    /// are written at the last point and at those outside.
    fn mark(&self, (x, y): (f64, f64), value: f64, last: bool, edge: f64) -> Markup {
        let verdict = self.range.verdict(value);
        let up = verdict != Verdict::Low;
        let anchor = if x > edge - 24.0 { "end" } else { "middle" };
        let text_x = if anchor == "end" { edge } else { x };
        html! {
            @if verdict.is_out() { (triangle(x, y, up, "c-dot c-dot--out")) }
            @else { circle .c-dot cx=(px(x)) cy=(px(y)) r="3.5" {} }
            @if last {
                text .c-value .c-value--out[verdict.is_out()] x=(px(text_x)) y=(px(if up { y - 9.0 } else { y + 17.0 })) text-anchor=(anchor) {
                    (self.value(value))
                }
            }
        }
    }

    fn table(&self, points: &[Point], lang: Lang) -> Markup {
        let columns = [
            column(Text::Date.get(lang), Align::Keep),
            column(Text::Value.get(lang), Align::Number),
            column(Text::Verdict.get(lang), Align::Keep),
        ];
        let rows = points.iter().rev().map(|point| {
            let value = self.value(point.value);
            vec![
                html! { (format::date(format::korean_time(point.at).date(), lang)) },
                html! { (value) " " (self.unit) },
                self.range.verdict(point.value).badge(lang),
            ]
        });
        numbers_table(self.title, &columns, rows.collect(), lang)
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

/// A line without axes for a table cell; `label` says what it shows, the last value is told by the caller's cell.
#[must_use]
pub fn sparkline(label: &str, points: &[Point], range: Range, lang: Lang) -> Markup {
    let points = usable(points);
    let x = Scale::over(points.iter().map(|point| seconds(point.at)), (3.0, 93.0));
    let y = Scale::over(points.iter().map(|point| point.value), (20.0, 4.0));
    let (Some(x), Some(y), Some(last)) = (x, y, points.last()) else {
        return html! { span .i-soft .i-small { (Text::NoData.get(lang)) } };
    };
    let place = |point: &Point| (x.at(seconds(point.at)), y.at(point.value));
    let (end_x, end_y) = place(last);
    let values = points.iter().rev().take(5).rev().map(|point| format::decimal(point.value, 2));
    let spoken = format!("{label}: {}", values.collect::<Vec<_>>().join(", "));
    html! {
        svg .i-spark viewBox="0 0 96 24" width="96" height="24" role="img" aria-label=(spoken) {
            polyline .c-line points=(path(points.iter().map(place))) {}
            @if range.verdict(last.value).is_out() {
                (triangle(end_x, end_y, range.verdict(last.value) == Verdict::High, "c-dot--out"))
            } @else {
                circle .c-dot cx=(px(end_x)) cy=(px(end_y)) r="2.5" {}
            }
        }
    }
}
