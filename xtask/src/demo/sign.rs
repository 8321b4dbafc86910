//! The sign that the demo shows when it is ready.

use std::path::Path;

use super::people::Person;

/// What the sign says; an empty line is drawn as a rule.
pub(super) fn lines(port: u16, patients: u64, people: &[Person], log: &Path) -> Vec<String> {
    let mut lines = vec![
        format!("이음 Ieum   http://127.0.0.1:{port}/"),
        format!("FHIR R4     http://127.0.0.1:{port}/fhir"),
        String::new(),
        format!("가상 인물 {patients}명. 실제 사람이나 기관이 아닙니다."),
        format!("{patients} synthetic people; nobody and no institution is real."),
        String::new(),
        "로그인에 쓰는 계정 비밀값(FHIR에서는 bearer token), 또는 패스키를 만드는 초대 주소(한 번)."
            .to_owned(),
        "Secrets to sign in with (in FHIR, the bearer token), or addresses to set up a passkey, once."
            .to_owned(),
    ];
    lines.extend(people.iter().map(|person| line(person, port)));
    lines.extend([
        String::new(),
        format!("기록 log  {}", log.display()),
        "끝내기: Ctrl-C   Press Ctrl-C to stop.".to_owned(),
    ]);
    lines
}

/// Somebody, and how they come in. Passkeys belong to the name `localhost`.
fn line(person: &Person, port: u16) -> String {
    let way = if person.way.starts_with('/') {
        format!("http://localhost:{port}{}", person.way)
    } else {
        person.way.clone()
    };
    format!("  {} {way}", padded(person.role, 21))
}

/// Draws a frame around lines.
pub(super) fn draw(lines: &[String]) -> String {
    let inner = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let rule = "─".repeat(inner + 2);
    let mut drawn = format!("┌{rule}┐\n");
    for line in lines {
        if line.is_empty() {
            drawn += &format!("├{rule}┤\n");
        } else {
            drawn += &format!("│ {} │\n", padded(line, inner));
        }
    }
    drawn + &format!("└{rule}┘")
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Columns on a terminal: Korean letters take two.
fn width(text: &str) -> usize {
    text.chars().map(|letter| if ('\u{1100}'..='\u{d7ff}').contains(&letter) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_straight_in_both_languages() {
        let person = Person { role: "의료진 clinician", way: "x".repeat(43) };
        let drawn = draw(&lines(8080, 300, &[person], Path::new("target/demo/hub.log")));
        let widths: Vec<usize> = drawn.lines().map(frame_width).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{drawn}");
    }

    /// As [`width`], but the frame's own lines take one column each.
    fn frame_width(line: &str) -> usize {
        line.chars()
            .map(|letter| if "┌┐├┤└┘│─".contains(letter) { 1 } else { width(&letter.to_string()) })
            .sum()
    }

    #[test]
    fn korean_takes_two_columns() {
        assert_eq!(width("이음 Ieum"), 9);
        assert_eq!(padded("이음", 6), "이음  ");
    }
}
