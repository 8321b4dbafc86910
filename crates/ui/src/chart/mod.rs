//! Charts as inline SVG: pure functions from data to markup. Points that are not finite are left out, empty data give a
//! sentence instead of a picture, and behind every chart stands a table with the same numbers.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::{Align, Column, Lang, Narrow, Table, Text, Tone, badge, disclosure_quiet, format};

mod bars;
mod line;
mod pressure;
mod scale;
mod spark;

pub use bars::{Bar, bars};
pub use line::LineChart;
pub use pressure::{PressureChart, Reading};
pub use scale::{Scale, ticks};
pub use spark::sparkline;

/// The size of a chart's drawing in its own units; on screen it fills its container at this ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Width; 360 reads well on a telephone and in a card.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Size {
    /// A chart in a card: 360 × 180.
    pub const CARD: Self = Self { width: 360.0, height: 180.0 };
    /// A chart over the full column: 760 × 240. Hard to read on a telephone.
    pub const WIDE: Self = Self { width: 760.0, height: 240.0 };
}

/// One measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When it was measured.
    pub at: Timestamp,
    /// The value; left out of the drawing when not finite.
    pub value: f64,
    /// The range that this measurement was judged by: laboratories differ, and change.
    pub range: Range,
    /// How the value lies. Stated rather than computed, so that a chart says what the list beside it says.
    pub verdict: Verdict,
}

impl Point {
    /// A value judged by a range.
    #[must_use]
    pub fn new(at: Timestamp, value: f64, range: Range) -> Self {
        Self { at, value, range, verdict: range.verdict(value) }
    }
}

/// The range that the laboratory states as usual; either end may be open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The lower end, itself inside.
    pub low: Option<f64>,
    /// The upper end, itself inside.
    pub high: Option<f64>,
}

/// How a value lies to its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Below the lower end.
    Low,
    /// Inside.
    Within,
    /// Above the upper end.
    High,
    /// There is no range, or no value.
    Unknown,
}

impl Range {
    /// How a value lies to this range.
    #[must_use]
    pub fn verdict(&self, value: f64) -> Verdict {
        if !value.is_finite() || (self.low.is_none() && self.high.is_none()) {
            return Verdict::Unknown;
        }
        if self.low.is_some_and(|low| value < low) {
            return Verdict::Low;
        }
        if self.high.is_some_and(|high| value > high) { Verdict::High } else { Verdict::Within }
    }

    /// "70–99", "≥ 70", "≤ 99"; `None` when both ends are open.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let number = |value| format::decimal(value, 2);
        match (self.low, self.high) {
            (Some(low), Some(high)) => Some(format!("{}–{}", number(low), number(high))),
            (Some(low), None) => Some(format!("≥ {}", number(low))),
            (None, Some(high)) => Some(format!("≤ {}", number(high))),
            (None, None) => None,
        }
    }

    fn ends(&self) -> impl Iterator<Item = f64> {
        self.low.into_iter().chain(self.high).filter(|end| end.is_finite())
    }
}

impl Verdict {
    /// "▲ 높음", "▼ 낮음", "정상 범위" as a badge; nothing when unknown.
    #[must_use]
    pub fn badge(self, lang: Lang) -> Markup {
        match self {
            Self::High => badge(Tone::Danger, &format!("▲ {}", Text::High.get(lang))),
            Self::Low => badge(Tone::Danger, &format!("▼ {}", Text::Low.get(lang))),
            Self::Within => badge(Tone::Success, Text::Normal.get(lang)),
            Self::Unknown => html! {},
        }
    }

    /// Whether the value lies outside.
    #[must_use]
    pub const fn is_out(self) -> bool {
        matches!(self, Self::High | Self::Low)
    }
}

/// A coordinate with one decimal: enough for a screen, and short.
fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Seconds since the epoch as a coordinate.
#[expect(clippy::cast_precision_loss, reason = "seconds of the years 1–9999 fit 53 bits")]
fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

/// The finite points in order of time.
fn usable(points: &[Point]) -> Vec<Point> {
    let mut points: Vec<Point> = points.iter().copied().filter(|point| point.value.is_finite()).collect();
    points.sort_by_key(|point| point.at);
    points
}

/// Days without a value over which lines go on even so: those who come once a year come some weeks late.
const LONGEST_DAYS: i64 = 400;
/// Days without a value over which lines always go on.
const SHORT_DAYS: i64 = 60;

/// Runs of indices that one line may join. A line over a time in which nobody measured would show a course that nobody
/// knows, so it breaks over more than a year, and over three times the usual distance.
fn runs(times: &[Timestamp]) -> Vec<std::ops::Range<usize>> {
    let days = |pair: &[Timestamp]| (pair[1].as_second() - pair[0].as_second()) / 86_400;
    let mut usual: Vec<i64> = times.windows(2).map(days).collect();
    usual.sort_unstable();
    let usual = usual.get(usual.len() / 2).copied().unwrap_or(0);
    let longest = (3 * usual).clamp(SHORT_DAYS, LONGEST_DAYS);
    let mut runs = Vec::new();
    let mut start = 0;
    for (index, pair) in times.windows(2).enumerate() {
        if days(pair) > longest {
            runs.push(start..index + 1);
            start = index + 1;
        }
    }
    runs.push(start..times.len());
    runs
}

/// The values that an axis reaches beyond those it shows: without them a difference of one in a hundred would fill the
/// drawing. When nothing is customary, a tenth of the newest value to either side.
fn reach(given: Option<(f64, f64)>, newest: f64) -> [f64; 2] {
    let (low, high) = given.unwrap_or((newest * 0.9, newest * 1.1));
    [low, high]
}

/// The table behind a chart: newest first.
fn numbers_table(caption: &str, columns: &[Column<'_>], rows: Vec<Vec<Markup>>, lang: Lang) -> Markup {
    let table = Table { narrow: Narrow::Scroll, dense: true, ..Table::new(caption, columns, rows) };
    disclosure_quiet(Text::ShowTable.get(lang), table.html(lang))
}

const fn column(label: &str, align: Align) -> Column<'_> {
    Column { label, align }
}

#[cfg(test)]
mod tests;
