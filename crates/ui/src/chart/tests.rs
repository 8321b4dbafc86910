use proptest::prelude::*;

use super::bars::share;
use super::*;

fn point(second: i64, value: f64) -> Point {
    let range = Range { low: Some(70.0), high: Some(99.0) };
    Point::new(Timestamp::from_second(second).expect("a second of the table"), value, range)
}

fn line(points: &[Point]) -> String {
    let chart = LineChart {
        title: "공복<혈당>",
        id: "g",
        unit: "mg/dL",
        points,
        span: None,
        size: Size::CARD,
        places: 1,
        notes: &[],
    };
    chart.html(Lang::Ko).into_string()
}

#[test]
fn a_chart_without_usable_points_says_so_and_draws_nothing() {
    for points in [&[][..], &[point(0, f64::NAN)], &[point(0, f64::INFINITY), point(1, f64::NEG_INFINITY)]] {
        let text = line(points);
        assert!(text.contains("자료가 없습니다.") && !text.contains("polyline"), "{text}");
    }
    let pressure = PressureChart {
        id: "p",
        readings: &[],
        limits: Some((140.0, 90.0)),
        size: Size::CARD,
        verdict: Verdict::Unknown,
        notes: &[],
    };
    assert!(pressure.html(Lang::En).into_string().contains("No data."));
    assert!(bars("종류", &[], Lang::En).into_string().contains("No data."));
    assert!(sparkline("x", &[], None, Lang::En).into_string().contains("No data."));
}

#[test]
fn values_outside_the_range_are_told_by_shape_and_word() {
    let text = line(&[point(0, 80.0), point(86_400, 120.0), point(172_800, f64::NAN)]);
    assert_eq!(text.matches("<polygon").count(), 1, "one triangle");
    assert!(text.contains("▲ 높음") && text.contains("2회 측정") && !text.contains("NaN"));
    assert!(text.contains("공복&lt;혈당&gt;") && !text.contains("<혈당>"));
}

#[test]
fn each_value_is_judged_by_the_range_of_its_day() {
    let of = |day: i64, high| {
        Point::new(point(day * 86_400, 0.0).at, 1.3, Range { low: Some(0.5), high: Some(high) })
    };
    let differ = line(&[of(0, 1.2), of(30, 1.4)]);
    assert!(differ.contains("참고범위를 벗어난 값 1회") && differ.contains("▲ 높음"), "{differ}");
    assert!(!differ.contains("class=\"c-band\"") && differ.contains("참고범위가 검사마다 달라"));
    let same = line(&[of(0, 1.4), of(30, 1.4)]);
    assert!(same.contains("class=\"c-band\"") && !same.contains("참고범위가 검사마다 달라"));
}

#[test]
fn small_differences_look_small() {
    let height = |value, day: i64| Point::new(point(day * 86_400, 0.0).at, value, Range::default());
    let ys: Vec<f64> =
        coordinates(&line(&[height(159.4, 0), height(160.0, 30)])).into_iter().skip(1).step_by(2).collect();
    assert!((ys[0] - ys[1]).abs() < 10.0, "half a centimetre is no fall: {ys:?}");
    let spark = sparkline("x", &[height(250.0, 0), height(252.0, 30)], None, Lang::En).into_string();
    let ys: Vec<f64> = coordinates(&spark).into_iter().skip(1).step_by(2).collect();
    assert!((ys[0] - ys[1]).abs() < 2.0, "{ys:?}");
}

#[test]
fn lines_break_where_nobody_measured() {
    let at =
        |days: &[i64]| -> Vec<Timestamp> { days.iter().map(|day| point(day * 86_400, 0.0).at).collect() };
    assert_eq!(runs(&at(&[0, 700])), [0..1, 1..2]);
    assert_eq!(runs(&at(&[0, 365, 740])).len(), 1, "once a year is a course");
    assert_eq!(runs(&at(&[0, 1, 2, 200, 201])), [0..3, 3..5]);
    assert_eq!(runs(&at(&[0, 1, 2, 50])).len(), 1);
    let text = line(&[point(0, 80.0), point(700 * 86_400, 90.0)]);
    assert!(text.matches("<polyline").count() == 2 && text.contains("선을 잇지 않았습니다"));
}

#[test]
fn the_newest_value_stands_where_the_line_does_not() {
    let label_and_point = |values: [f64; 2]| {
        let text = line(&[point(0, values[0]), point(86_400, values[1])]);
        let y =
            text.split("class=\"c-value").nth(1).and_then(|part| part.split("y=\"").nth(1)).expect("a label");
        let y: f64 = y.split('"').next().and_then(|y| y.parse().ok()).expect("a number");
        (y, coordinates(&text)[3])
    };
    let (label, mark) = label_and_point([95.0, 75.0]);
    assert!(label > mark, "below a line that falls");
    let (label, mark) = label_and_point([75.0, 95.0]);
    assert!(label < mark, "above a line that rises");
}

#[test]
fn the_ends_of_a_range_are_inside() {
    let range = Range { low: Some(70.0), high: Some(99.0) };
    for (value, expected) in [
        (69.9, Verdict::Low),
        (70.0, Verdict::Within),
        (99.0, Verdict::Within),
        (99.1, Verdict::High),
        (f64::NAN, Verdict::Unknown),
    ] {
        assert_eq!(range.verdict(value), expected);
    }
    assert_eq!(Range::default().verdict(1.0), Verdict::Unknown);
    assert_eq!(Range { low: None, high: Some(5.0) }.text().as_deref(), Some("≤ 5"));
}

#[test]
fn ticks_are_round_and_enclose() {
    assert_eq!(ticks(70.0, 126.0, 3), [60.0, 80.0, 100.0, 120.0, 140.0]);
    assert_eq!(ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
    assert!(ticks(f64::NAN, 1.0, 3).is_empty());
}

/// All numbers in attributes and point lists of a drawing.
fn coordinates(svg: &str) -> Vec<f64> {
    let separators = |c: char| !(c.is_ascii_digit() || c == '.' || c == '-');
    let attributes = svg.split("points=\"").skip(1).filter_map(|part| part.split('"').next());
    attributes.flat_map(|list| list.split(separators)).filter_map(|text| text.parse().ok()).collect()
}

proptest! {
    #[test]
    fn drawings_stay_inside_their_frame(values in prop::collection::vec((0i64..4_000_000_000, prop::num::f64::ANY), 0..40)) {
        let points: Vec<Point> = values.into_iter().map(|(second, value)| point(second, value)).collect();
        let text = line(&points);
        prop_assert!(!text.contains("NaN") && !text.contains("inf"));
        for coordinate in coordinates(&text) {
            prop_assert!((-10.0..=Size::CARD.width + 10.0).contains(&coordinate), "{coordinate}");
        }
    }

    #[test]
    fn a_scale_keeps_order_and_reaches_both_ends(low in -1e12..1e12f64, width in 1e-3..1e12f64, a in 0.0..1.0f64, b in 0.0..1.0f64) {
        let high = low + width;
        let scale = Scale::over([low, high], (0.0, 100.0)).expect("finite ends");
        prop_assert!((scale.at(low) - 0.0).abs() < 1e-6 && (scale.at(high) - 100.0).abs() < 1e-6);
        let (x, y) = (low + width * a.min(b), low + width * a.max(b));
        prop_assert!(scale.at(x) <= scale.at(y) + 1e-9);
    }

    #[test]
    fn ticks_enclose_what_they_mark(low in -1e9..1e9f64, width in 0.0..1e9f64, count in 1usize..8) {
        let marks = ticks(low, low + width, count);
        prop_assert!(marks.len() >= 2 && marks.len() <= 2 * count + 4, "{marks:?}");
        prop_assert!(marks.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(marks[0] <= low + 1e-6 && *marks.last().expect("two") >= low + width - 1e-6);
    }

    #[test]
    fn bars_have_a_share_of_the_whole(count in 0u64.., largest in 0u64..) {
        let length = share(count.min(largest), largest);
        prop_assert!((0.0..=100.0).contains(&length));
        prop_assert_eq!(length > 0.0, count.min(largest) > 0);
    }
}
