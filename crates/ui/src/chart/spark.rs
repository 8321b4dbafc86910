//! A chart in a cell: the course without its axes.

use maud::{Markup, html};

use super::line::{path, triangle};
use super::{Point, Scale, Verdict, px, reach, runs, seconds, usable};
use crate::{Lang, Text, format};

/// A line without axes for a table cell; `label` says what it shows, the last value is told by the caller's cell. `span`
/// are values that the drawing always reaches, as in [`super::LineChart`].
#[must_use]
pub fn sparkline(label: &str, points: &[Point], span: Option<(f64, f64)>, lang: Lang) -> Markup {
    let points = usable(points);
    let Some(last) = points.last() else {
        return html! { span .i-soft .i-small { (Text::NoData.get(lang)) } };
    };
    let x = Scale::over(points.iter().map(|point| seconds(point.at)), (3.0, 93.0));
    let values = points.iter().map(|point| point.value).chain(reach(span, last.value));
    let (Some(x), Some(y)) = (x, Scale::over(values, (20.0, 4.0))) else { return html! {} };
    let place = |point: &Point| (x.at(seconds(point.at)), y.at(point.value));
    let (end_x, end_y) = place(last);
    let values = points.iter().rev().take(5).rev().map(|point| format::decimal(point.value, 2));
    let spoken = format!("{label}: {}", values.collect::<Vec<_>>().join(", "));
    let times: Vec<_> = points.iter().map(|point| point.at).collect();
    html! {
        svg .i-spark viewBox="0 0 96 24" width="96" height="24" role="img" aria-label=(spoken) {
            @for run in runs(&times) { polyline .c-line points=(path(points[run].iter().map(place))) {} }
            @if last.verdict.is_out() {
                (triangle(end_x, end_y, last.verdict == Verdict::High, "c-dot--out"))
            } @else {
                circle .c-dot cx=(px(end_x)) cy=(px(end_y)) r="2.5" {}
            }
        }
    }
}
