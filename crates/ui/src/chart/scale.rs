//! From values to coordinates.

/// A straight line from a domain of values to a range of coordinates. A domain of one point maps to the middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
}

impl Scale {
    /// The scale that spans the finite ones of these values; `None` when there is none.
    #[must_use]
    pub fn over(values: impl IntoIterator<Item = f64>, range: (f64, f64)) -> Option<Self> {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let domain = finite.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })?;
        Some(Self { domain, range })
    }

    /// The same scale with its domain widened to whole ticks, so that lines end at labelled values.
    #[must_use]
    pub fn niced(self, count: usize) -> Self {
        let marks = self.ticks(count);
        match (marks.first(), marks.last()) {
            (Some(&first), Some(&last)) if last > first => Self { domain: (first, last), ..self },
            _ => self,
        }
    }

    /// About `count` round values over the domain.
    #[must_use]
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        ticks(self.domain.0, self.domain.1, count)
    }

    /// The lower and upper end of the values.
    #[must_use]
    pub const fn domain(&self) -> (f64, f64) {
        self.domain
    }

    /// The coordinate of a value; values outside the domain stay at its edge, so that nothing is drawn outside.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let (from, to) = self.range;
        // Halved before subtracting: the difference of two large finite numbers may not be finite.
        let width = high / 2.0 - low / 2.0;
        let share = if width > 0.0 { ((value / 2.0 - low / 2.0) / width).clamp(0.0, 1.0) } else { 0.5 };
        if share.is_nan() { f64::midpoint(from, to) } else { from + share * (to - from) }
    }
}

/// About `count` round values (1, 2 or 5 times a power of ten) that enclose `low..=high`. Equal ends are widened first.
#[must_use]
pub fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    if !low.is_finite() || !high.is_finite() || count == 0 || high < low {
        return Vec::new();
    }
    let (low, high) = if high > low { (low, high) } else { widened(low) };
    #[expect(clippy::cast_precision_loss, reason = "a count of ticks is small")]
    let step = round_step((high - low) / count as f64);
    if !step.is_finite() || step <= 0.0 {
        return vec![low, high];
    }
    // The tolerance keeps an end that is a tick but for rounding, such as 1.2000000000000002, from adding another.
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    // Beyond 2^53 neighbouring steps are the same number; ends alone are then honest.
    if !(last - first <= 64.0 && first.abs() < 9e15 && last.abs() < 9e15) {
        return vec![low, high];
    }
    let mut marks = Vec::new();
    let mut index = first;
    while index <= last {
        marks.push(index * step);
        index += 1.0;
    }
    marks
}

fn widened(value: f64) -> (f64, f64) {
    let margin = (value.abs() * 0.1).max(1.0);
    (value - margin, value + margin)
}

fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999).unwrap_or(10.0);
    factor * power
}
