//! Periods and timings in resources.

use super::text::parse;
use crate::index::TimeRange;
use crate::json::Value;

const ALWAYS: TimeRange = TimeRange { lo: i64::MIN, hi: i64::MAX };

/// A Period: from the first moment of its start to the last of its end, each open when absent. `None` when it has
/// neither, or what it has is no date. One that ends before it starts counts as its start.
#[must_use]
pub fn period(value: Value<'_>) -> Option<TimeRange> {
    let end_of = |name| value.get(name).and_then(|end| parse(&end.text()?).ok());
    match (end_of("start"), end_of("end")) {
        (None, None) => None,
        (Some(start), Some(end)) if end.hi <= start.lo => Some(start),
        (start, end) => Some(TimeRange {
            lo: start.map_or(i64::MIN, |range| range.lo),
            hi: end.map_or(i64::MAX, |range| range.hi),
        }),
    }
}

/// A Timing: only its outer limits count (R4, section 3.1.1.4.7), over its events and its bounding period.
/// One that gives neither could be at any time, and is left out.
#[must_use]
pub fn timing(value: Value<'_>) -> Option<TimeRange> {
    let events = value.get("event").into_iter().flat_map(Value::each);
    let events = events.filter_map(|event| parse(&event.text()?).ok());
    let bounds = value.get("repeat").and_then(|repeat| repeat.get("boundsPeriod")).and_then(period);
    let (lo, hi) = events
        .chain(bounds.filter(|bounds| *bounds != ALWAYS))
        .fold((i64::MAX, i64::MIN), |(lo, hi), range| (lo.min(range.lo), hi.max(range.hi)));
    (lo < hi).then_some(TimeRange { lo, hi })
}
