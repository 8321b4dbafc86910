//! The operator's home: figures, health, imports, what is held.

use std::time::Duration;

use ieum_ui::chart::{Bar, bars};
use ieum_ui::{Grid, Lang, Table, Tone, badge, card_figure, card_plain, format, grid, section};
use maud::{Markup, html};

use super::{imports, jobs, refresh};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::pages::{column, column_keep};
use crate::status::{self, Census};

/// A disk with less than this left wants somebody to act.
const LITTLE_DISK_BYTES: u64 = 5 << 30;
/// A log larger than this means that a reader holds an old view, or that the disk cannot keep up.
const LARGE_LOG_BYTES: u64 = 1 << 30;
/// A writer slower than this is waiting for something.
const SLOW_WRITER: Duration = Duration::from_secs(1);

/// `/operator`
pub(crate) fn overview(call: &Call<'_>) -> Result<Reply, Refusal> {
    let census = status::census(call.portal)?;
    let content = html! {
        (refresh(call))
        (figures(call, &census))
        (section(call.say("상태", "Health"), health(call)))
        (jobs::under_way(call)?)
        (imports(call)?)
        (section(call.say("종류별 기록", "Records by kind"), kinds(call, &census)))
    };
    let lead = html! { (call.say("허브가 가진 기록의 수와 상태를 봅니다. 환자의 기록은 이 역할에 보이지 않습니다.",
    "What the hub holds, in numbers, and how it does. This role sees no patient's record.")) };
    Ok(call.page(Frame { lead: Some(lead), ..Frame::new(call.say("운영 현황", "Operations"), content) }))
}

fn figures(call: &Call<'_>, census: &Census) -> Markup {
    let lang = call.lang;
    let info = call.portal.operator_info();
    let patients = census.kinds.get("Patient").copied().unwrap_or(0);
    let records: u64 = census.kinds.values().sum();
    let uptime = call.portal.metrics().uptime();
    let since = call.now() - jiff::SignedDuration::try_from(uptime).unwrap_or_default();
    let store = info.store_bytes().map_or_else(|| call.say("메모리", "Memory").to_owned(), format::bytes);
    let version = format!("{} {}", call.say("버전", "Version"), env!("CARGO_PKG_VERSION"));
    let since = call.say(
        format!("{} 시작", format::date_time(since, lang)),
        format!("since {}", format::date_time(since, lang)),
    );
    let cards = [
        card_figure(call.say("환자", "Patients"), &format::integer(patients), call.say("명", ""), None),
        card_figure(call.say("기록", "Records"), &format::integer(records), call.say("건", ""), None),
        card_figure(call.say("변경 순번", "Commit number"), &format::integer(census.t), "", None),
        card_figure(call.say("저장 공간", "Storage"), &store, "", None),
        card_figure(
            call.say("가동 시간", "Running for"),
            &format::duration(uptime.as_secs(), lang),
            "",
            Some(&since),
        ),
        card_figure(
            call.say("메모리", "Memory"),
            &status::memory_bytes().map_or_else(|| "–".to_owned(), format::bytes),
            "",
            Some(&version),
        ),
    ];
    html! { div .i-figures { (grid(Grid::Small, cards)) } }
}

/// One check: what, how it is, in words.
struct Check {
    name: &'static str,
    tone: Tone,
    state: &'static str,
    detail: String,
}

fn health(call: &Call<'_>) -> Markup {
    let info = call.portal.operator_info();
    let mut checks = vec![writer(call)];
    checks.extend(info.free_bytes().map(|free| disk(call, free)));
    checks.extend(info.log_bytes().map(|bytes| log(call, bytes)));
    checks.push(clock(call));
    let columns = [
        column(call.say("점검", "Check")),
        column_keep(call.say("상태", "State")),
        column(call.say("내용", "Detail")),
    ];
    let rows = checks.iter().map(|check| {
        vec![
            html! { (check.name) },
            badge(check.tone, check.state),
            html! { span .i-number { (check.detail) } },
        ]
    });
    Table::new(call.say("상태 점검", "Health checks"), &columns, rows.collect()).html(call.lang)
}

fn good(lang: Lang) -> (Tone, &'static str) {
    (Tone::Success, lang.pick("정상", "Good"))
}

fn attention(lang: Lang) -> (Tone, &'static str) {
    (Tone::Warning, lang.pick("살펴보세요", "Look at this"))
}

fn writer(call: &Call<'_>) -> Check {
    let name = call.say("쓰기", "Writer");
    match status::probe(call.portal) {
        Ok(took) => {
            let (tone, state) = if took < SLOW_WRITER { good(call.lang) } else { attention(call.lang) };
            let millis = format::decimal(took.as_secs_f64() * 1e3, 1);
            let detail = call
                .say(format!("{millis} ms 만에 디스크에 썼습니다"), format!("durable within {millis} ms"));
            Check { name, tone, state, detail }
        }
        Err(error) => {
            tracing::error!(error = %error, "the writer does not answer");
            let detail = call
                .say("기록이 쓰이지 않습니다. 로그를 보세요.", "Nothing is written. See the log.")
                .to_owned();
            Check { name, tone: Tone::Danger, state: call.say("응답 없음", "No answer"), detail }
        }
    }
}

fn disk(call: &Call<'_>, free: u64) -> Check {
    let (tone, state) = if free > LITTLE_DISK_BYTES { good(call.lang) } else { attention(call.lang) };
    let free = format::bytes(free);
    let detail = call.say(format!("{free} 남음"), format!("{free} free"));
    Check { name: call.say("디스크", "Disk"), tone, state, detail }
}

fn log(call: &Call<'_>, bytes: u64) -> Check {
    let (tone, state) = if bytes < LARGE_LOG_BYTES { good(call.lang) } else { attention(call.lang) };
    Check {
        name: call.say("쓰기 전 로그 (WAL)", "Write-ahead log"),
        tone,
        state,
        detail: format::bytes(bytes),
    }
}

/// The clock is wrong when it stands before the newest commit.
fn clock(call: &Call<'_>) -> Check {
    let newest = call.view().ok().and_then(|view| view.audit_entries(None, 1).ok()).unwrap_or_default();
    let newest = newest.first().map_or(0, |entry| entry.instant);
    let is_behind = call.portal.hub().now() + 1_000_000 < newest;
    let (tone, state) = if is_behind { attention(call.lang) } else { good(call.lang) };
    let now = format::date_time(call.now(), call.lang);
    let detail = if is_behind {
        call.say(format!("{now}, 마지막 기록보다 이릅니다"), format!("{now}, before the newest entry"))
    } else {
        now
    };
    Check { name: call.say("시계", "Clock"), tone, state, detail }
}

fn kinds(call: &Call<'_>, census: &Census) -> Markup {
    let mut kinds: Vec<(&String, &u64)> = census.kinds.iter().filter(|(_, count)| **count > 0).collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), (*kind).clone()));
    let labels: Vec<String> = kinds.iter().map(|(kind, _)| label(kind, call.lang)).collect();
    let list: Vec<Bar<'_>> = kinds
        .iter()
        .zip(&labels)
        .map(|((_, count), label)| Bar { label, href: None, count: **count })
        .collect();
    card_plain(bars(call.say("종류별 건수", "Count by kind"), &list, call.lang))
}

/// The kind's own name, with a Korean word before it where there is one.
fn label(kind: &str, lang: Lang) -> String {
    let word = KINDS.iter().find(|(known, _)| *known == kind).map(|(_, word)| *word);
    match (word, lang) {
        (Some(word), Lang::Ko) => format!("{word} ({kind})"),
        _ => kind.to_owned(),
    }
}

const KINDS: [(&str, &str); 22] = [
    ("Patient", "환자"),
    ("Encounter", "진료"),
    ("Condition", "진단·주호소"),
    ("MedicationRequest", "처방"),
    ("Medication", "약"),
    ("Observation", "검사·활력징후"),
    ("DiagnosticReport", "검사보고"),
    ("Specimen", "검체"),
    ("Procedure", "시술·수술"),
    ("Immunization", "예방접종"),
    ("AllergyIntolerance", "알레르기"),
    ("DocumentReference", "문서"),
    ("ImagingStudy", "영상"),
    ("Organization", "기관"),
    ("Location", "장소"),
    ("Practitioner", "의료인"),
    ("PractitionerRole", "의료인 역할"),
    ("RelatedPerson", "보호자"),
    ("IeumAccount", "계정"),
    ("IeumPerson", "로그인하는 사람"),
    ("IeumImport", "가져오기"),
    ("IeumJob", "작업"),
];
