//! The operator's pages: what the hub holds and how it does. No record of a patient, and no id of one.

use ieum_fhir::json::Value;
use ieum_store::engine::StoredAuditEntry;
use ieum_ui::{
    Align, Column, Message, Narrow, Progress, Table, Tone, badge, card_plain, format, pagination, section,
};
use jiff::Timestamp;
use maud::{Markup, html};

use self::words::{Names, action_word, purpose_word};
use super::{column, column_keep, column_number};
use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::fields::{number, read_all, text};
use crate::portal::record::load;

pub(crate) mod jobs;
mod overview;
pub(crate) mod subscriptions;
mod words;

pub(crate) use overview::overview;

/// Entries on one page of the audit log.
const ENTRIES: usize = 50;
/// Audit entries read to find the commits of one page of the feed.
const ENTRIES_FOR_FEED: usize = 400;
/// Imports shown.
const IMPORTS: usize = 20;
/// The record kind of imports, when the hub has it.
const IMPORT: &str = "IeumImport";

fn instant(micros: i64, call: &Call<'_>) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| "–".to_owned(), |at| format::date_time(at, call.lang))
}

/// The kind in an audit entry's target. Ids of records, which may be patients', stay out of the page.
fn kind_of(target: &str) -> &str {
    if target.starts_with('/') { target } else { target.split('/').next().unwrap_or_default() }
}

fn before(call: &Call<'_>) -> Result<Option<u64>, Refusal> {
    call.some("before").map(|text| text.parse().map_err(|_| Refusal::Stale)).transpose()
}

/// `/operator/feed`: the latest commits. Taken from the audit log, which knows who and how many without any id.
pub(crate) fn feed(call: &Call<'_>) -> Result<Reply, Refusal> {
    let entries = call.view()?.audit_entries(before(call)?, ENTRIES_FOR_FEED)?;
    let commits: Vec<&StoredAuditEntry> =
        entries.iter().filter(|entry| entry.commit.is_some()).take(ENTRIES).collect();
    let last = match (commits.last(), entries.last()) {
        (Some(commit), _) if commits.len() == ENTRIES => Some(commit.number),
        (_, Some(entry)) if entries.len() == ENTRIES_FOR_FEED => Some(entry.number),
        _ => None,
    };
    let names = Names::of(call, commits.iter().map(|stored| &stored.entry))?;
    let content = html! {
        (refresh(call))
        (commit_table(call, &commits, &names))
        (older(call, "/operator/feed", last))
    };
    let lead = html! { (call.say("누가 언제 몇 건을 바꾸었는지 봅니다. 어느 환자의 기록인지는 보이지 않습니다.",
    "Who changed how many records, and when. Whose records they are is not shown.")) };
    let title = call.say("변경 흐름", "Change feed");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), ..Frame::new(title, content) }))
}

fn commit_table(call: &Call<'_>, commits: &[&StoredAuditEntry], names: &Names) -> Markup {
    let columns = [
        column_number(call.say("순번", "Number")),
        column_keep(call.say("시각", "Time")),
        column(call.say("누가", "Who")),
        column_keep(call.say("무엇을", "Action")),
        column_number(call.say("건수", "Records")),
        column_keep(call.say("종류", "Kind")),
    ];
    let rows = commits.iter().filter_map(|stored| {
        let (t, count) = stored.commit?;
        let kind = kind_of(&stored.entry.target);
        let kind = if count == 1 { kind } else { call.say("여러 종류", "several") };
        Some(vec![
            html! { span .i-number { (format::integer(t)) } },
            html! { (instant(stored.instant, call)) },
            names.who(call, &stored.entry),
            action_word(&stored.entry.action, call.lang),
            html! { (format::integer(count)) },
            html! { (kind) },
        ])
    });
    let caption = call.say("최근 변경", "Latest changes");
    let empty = call.say("아직 변경이 없습니다.", "No changes yet.");
    let table = Table { empty: Some(empty), ..Table::new(caption, &columns, rows.collect()) };
    table.html(call.lang)
}

/// `/operator/audit`: who did what, refusals marked.
pub(crate) fn audit(call: &Call<'_>) -> Result<Reply, Refusal> {
    let entries = call.view()?.audit_entries(before(call)?, ENTRIES)?;
    let last = entries.last().filter(|_| entries.len() == ENTRIES).map(|entry| entry.number);
    let names = Names::of(call, entries.iter().map(|stored| &stored.entry))?;
    let columns = [
        column_number(call.say("번호", "Number")),
        column_keep(call.say("시각", "Time")),
        column(call.say("누가", "Who")),
        column_keep(call.say("목적", "Purpose")),
        column_keep(call.say("무엇을", "Action")),
        column(call.say("대상", "Target")),
        column_keep(call.say("결과", "Outcome")),
    ];
    let rows = entries.iter().map(|stored| {
        let entry = &stored.entry;
        vec![
            html! { span .i-number { (stored.number) } },
            html! { (instant(stored.instant, call)) },
            names.who(call, entry),
            html! { (purpose_word(&entry.purpose, call.lang)) },
            action_word(&entry.action, call.lang),
            html! { (kind_of(&entry.target)) },
            if entry.allowed {
                badge(Tone::Success, call.say("허용", "Allowed"))
            } else {
                badge(Tone::Danger, call.say("거부", "Refused"))
            },
        ]
    });
    let caption = call.say("감사 기록", "Audit log");
    let empty = call.say("아직 기록이 없습니다.", "No entries yet.");
    let table = Table { empty: Some(empty), dense: true, ..Table::new(caption, &columns, rows.collect()) };
    let content = html! { (refresh(call)) (table.html(call.lang)) (older(call, "/operator/audit", last)) };
    let lead = html! { (call.say("모든 변경, 이 화면들에서 한 열람, 거부가 여기에 남습니다. FHIR로 읽은 것은 아직 남지 않고, 거부가 쏟아지면 나머지는 건수로 남습니다. 대상은 종류만 보입니다.",
    "Every change, what these pages released, and refusals are here. Reads over FHIR are not yet, and of a flood of refusals the rest is told by number. Of the target only its kind is shown.")) };
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), ..Frame::new(caption, content) }))
}

fn older(call: &Call<'_>, path: &str, last: Option<u64>) -> Markup {
    let next = last.map(|number| with_pairs(path, [("before", number.to_string().as_str())]));
    let first = call.some("before").map(|_| path);
    pagination(first, next.as_deref(), call.lang)
}

/// `/operator/statements`: what the store took long for.
pub(crate) fn statements(call: &Call<'_>) -> Result<Reply, Refusal> {
    let slow = call.portal.operator_info().slow_statements();
    let columns = [
        column(call.say("질의", "Statement")),
        Column { label: call.say("가장 오래 걸림", "Longest"), align: Align::Number },
        column_number(call.say("횟수", "Times")),
    ];
    let rows = slow.iter().map(|one| {
        vec![
            html! {
                details .i-details .i-details--quiet {
                    summary { code .i-statement { (one.statement) } }
                    div .i-details__body { ol .i-plan { @for step in &one.plan { li { code { (step) } } } } }
                }
            },
            html! { (one.longest.as_millis()) " ms" },
            html! { (format::integer(one.count)) },
        ]
    });
    let title = call.say("느린 질의", "Slow statements");
    let empty = call.say("느린 질의가 없습니다.", "No slow statements.");
    let table =
        Table { empty: Some(empty), narrow: Narrow::Stack, ..Table::new(title, &columns, rows.collect()) };
    let lead = html! { (call.say("시작한 뒤로 오래 걸린 질의의 모양과 실행 계획입니다. 값은 남기지 않습니다.",
    "Shapes and plans of the statements that took long since the start. Values are not kept.")) };
    let content = html! { (refresh(call)) (table.html(call.lang)) };
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), ..Frame::new(title, content) }))
}

/// A link that works everywhere, and a box that reloads by itself where scripts run.
fn refresh(call: &Call<'_>) -> Markup {
    let path = call.address.split('?').next().unwrap_or("/operator");
    html! {
        div .i-row .i-refresh {
            a .krds-btn .small .tertiary href=(path) { (call.say("새로 고침", "Refresh")) }
            label .i-check hidden data-refresh="10" {
                input type="checkbox"; span { (call.say("10초마다 저절로", "Every 10 seconds")) }
            }
            span .i-small .i-soft { (call.say("기준 시각 ", "As of ")) (format::date_time(call.now(), call.lang)) }
        }
    }
}

/// An import, as far as pages need it.
struct Import {
    /// The beginning of the file's digest, and its size. Not its name: files are called after people.
    file: String,
    state: String,
    done: u64,
    rejected: u64,
}

fn import(value: Value<'_>) -> Import {
    let whole = |name| number(value, &[name]).and_then(|(digits, _)| digits.parse().ok()).unwrap_or(0);
    let digest = text(value, &["id"]).unwrap_or_default();
    let digest: String = digest.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    Import {
        file: format!("{digest} ({})", format::bytes(whole("bytes"))),
        state: text(value, &["state"]).unwrap_or_default(),
        done: whole("done"),
        rejected: whole("rejected"),
    }
}

/// Imports, when the hub knows them: those under way with their progress, the others with their end.
fn imports(call: &Call<'_>) -> Result<Markup, Refusal> {
    let view = call.view()?;
    if call.portal.hub().door().catalogue().kind(IMPORT).is_none() {
        return Ok(html! {});
    }
    let page = load::search(call, &view, IMPORT, &[("_sort", "-_lastUpdated")], None, IMPORTS)?;
    let all = read_all(&page.records, import);
    let (running, ended): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.state == "running");
    Ok(section(
        call.say("가져오기", "Imports"),
        html! {
            @if running.is_empty() && ended.is_empty() { p .i-soft { (call.say("가져오기가 없습니다.", "No imports.")) } }
            @for one in &running { (card_plain(progress(call, one))) }
            @for one in ended.iter().filter(|one| one.state == "failed" || one.rejected > 0) { (trouble(call, one)) }
            @if !ended.is_empty() { (ended_table(call, &ended)) }
        },
    ))
}

fn rejected(call: &Call<'_>, count: u64) -> Option<String> {
    let number = format::integer(count);
    (count > 0).then(|| call.say(format!("{number}건 거부됨"), format!("{number} rejected")))
}

fn progress(call: &Call<'_>, one: &Import) -> Markup {
    let note = rejected(call, one.rejected);
    Progress { label: &one.file, done: one.done, total: None, note: note.as_deref() }.html(call.lang)
}

fn trouble(call: &Call<'_>, one: &Import) -> Markup {
    let failed = one.state == "failed";
    let title = if failed {
        call.say(
            format!("{}: 끝까지 가져오지 못했습니다.", one.file),
            format!("{}: did not finish.", one.file),
        )
    } else {
        format!("{}: {}", one.file, rejected(call, one.rejected).unwrap_or_default())
    };
    let body = html! {
        @if failed { p { (call.say("가져오기를 다시 시작하면 멈춘 데서 이어집니다. 까닭은 가져오기를 실행한 화면과 로그에 있습니다.",
            "Started again, the import goes on where it stopped. The reason is where it was run, and in the log.")) } }
        @if one.rejected > 0 { p { (call.say("거부된 까닭은 가져오기가 남긴 파일에 있습니다.",
            "Why records were rejected is in the file that the import left.")) } }
    };
    Message { tone: if failed { Tone::Danger } else { Tone::Warning }, title: &title, body }.html(call.lang)
}

fn ended_table(call: &Call<'_>, ended: &[Import]) -> Markup {
    let columns = [
        column(call.say("파일 (지문의 앞부분)", "File (start of digest)")),
        column_keep(call.say("상태", "State")),
        column_number(call.say("가져옴", "Done")),
        column_number(call.say("거부", "Rejected")),
    ];
    let rows = ended.iter().map(|one| {
        let state = match one.state.as_str() {
            "done" => badge(Tone::Success, call.say("마침", "Done")),
            "failed" => badge(Tone::Danger, call.say("실패", "Failed")),
            other => badge(Tone::Neutral, other),
        };
        vec![
            html! { code { (one.file) } },
            state,
            html! { (format::integer(one.done)) },
            html! { (format::integer(one.rejected)) },
        ]
    });
    Table::new(call.say("끝난 가져오기", "Ended imports"), &columns, rows.collect()).html(call.lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lose_their_ids_and_routes_stay_whole() {
        assert_eq!(kind_of("Patient/p1"), "Patient");
        assert_eq!(kind_of("214 records"), "214 records");
        assert_eq!(kind_of("/patients/{id}"), "/patients/{id}");
    }
}
