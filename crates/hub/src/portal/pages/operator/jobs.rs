//! The operator's page of jobs: exports, imports and the like, under way and ended. What was asked for in detail is not
//! shown, because criteria and ids are patient data; results are for whoever asked.

use ieum_ui::{ButtonStyle, Message, Progress, Table, Tone, badge, button_post, card_plain, format, section};
use maud::{Markup, html};

use super::refresh;
use crate::fhir::bulk::Request;
use crate::fhir::bulk::export::Level;
use crate::jobs::Job;
use crate::jobs::keep::{self, Kept};
use crate::jobs::state::State;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::{Frame, role_word};
use crate::portal::pages::{column, column_keep, column_number};

/// Jobs shown.
const JOBS: usize = 50;

/// `/operator/jobs`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let all = newest(call)?;
    let (ended, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|kept| kept.job.state.is_ended());
    let content = html! {
        (refresh(call))
        (section(call.say("진행 중", "Under way"), open_list(call, &open)))
        (section(call.say("끝난 작업", "Ended"), ended_table(call, &ended)))
    };
    let lead = html! { (call.say("내보내기와 가져오기처럼 오래 걸리는 일입니다. 허브가 멈추어도 다시 시작하면 이어서 합니다.",
    "Work that takes long, such as exports and imports. After a stop of the hub it goes on by itself.")) };
    let flash = (call.value("done") == "cancel").then(|| Message {
        tone: Tone::Success,
        title: call.say("작업을 취소했습니다.", "The job was cancelled."),
        body: html! {},
    });
    let title = call.say("작업", "Jobs");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

/// `POST /operator/jobs/{id}/cancel`
pub(crate) fn cancel(call: &Call<'_>) -> Result<Reply, Refusal> {
    let hub = call.portal.hub();
    let jobs = hub.jobs().ok_or(Refusal::NotFound)?;
    let kept = keep::read(hub, call.place.first())?.ok_or(Refusal::NotFound)?;
    hub.door().released(call.access()?, "operator-job-cancel", &format!("IeumJob/{}", kept.id))?;
    let is_cancelled = jobs.cancel(hub, &kept.id).map_err(|error| match error {
        ieum_store::commit::CommitError::Store(error) => Refusal::Failed(error),
        _ => Refusal::Busy,
    })?;
    // One that ended meanwhile stands among the ended ones.
    let to = if is_cancelled { "/operator/jobs?done=cancel" } else { "/operator/jobs" };
    Ok(Reply::See(to.to_owned(), Vec::new()))
}

/// Jobs under way, for the operator's home; nothing when there are none.
pub(super) fn under_way(call: &Call<'_>) -> Result<Markup, Refusal> {
    let open: Vec<Kept> = newest(call)?.into_iter().filter(|kept| !kept.job.state.is_ended()).collect();
    if open.is_empty() {
        return Ok(html! {});
    }
    Ok(section(call.say("진행 중인 작업", "Jobs under way"), open_list(call, &open)))
}

fn newest(call: &Call<'_>) -> Result<Vec<Kept>, Refusal> {
    if call.portal.hub().jobs().is_none() {
        return Ok(Vec::new());
    }
    Ok(keep::newest(call.portal.hub(), JOBS)?)
}

fn open_list(call: &Call<'_>, open: &[Kept]) -> Markup {
    html! {
        @if open.is_empty() { p .i-soft { (call.say("진행 중인 작업이 없습니다.", "No job is under way.")) } }
        @for kept in open { (card_plain(open_job(call, kept))) }
    }
}

fn open_job(call: &Call<'_>, kept: &Kept) -> Markup {
    let job = &kept.job;
    let label = what(call, job);
    let asked = format!("{} {}", time(call, &job.created), call.say("요청", "asked for"));
    let by = format!("{} ({})", job.asker.actor, role_word(job.asker.role, call.lang));
    let note = format!("{asked} · {by}");
    let progress =
        Progress { label: &label, done: job.progress.done, total: job.progress.total, note: Some(&note) };
    let csrf = call.session.as_ref().map_or("", |session| session.csrf.as_str());
    let action = format!("/operator/jobs/{}/cancel", kept.id);
    html! {
        @if job.state == State::Queued {
            div .i-progress {
                div .i-progress__text { strong { (label) } span { (call.say("대기 중", "Waiting")) } }
                p .i-small .i-soft { (note) }
            }
        } @else { (progress.html(call.lang)) }
        (button_post(ButtonStyle::Danger, call.say("취소", "Cancel"), &action, &[("csrf", csrf)]))
    }
}

fn ended_table(call: &Call<'_>, ended: &[Kept]) -> Markup {
    let columns = [
        column(call.say("작업", "Job")),
        column_keep(call.say("상태", "State")),
        column_keep(call.say("끝난 시각", "Ended")),
        column(call.say("누가", "Who")),
        column_number(call.say("파일", "Files")),
        column_number(call.say("크기", "Size")),
    ];
    let rows = ended.iter().map(|kept| {
        let job = &kept.job;
        let bytes = job.files.iter().map(|file| file.bytes).sum::<u64>();
        vec![
            html! { (what(call, job)) },
            state(call, job),
            html! { (job.ended.as_ref().map(|ended| time(call, ended)).unwrap_or_default()) },
            html! { code { (job.asker.actor) } " " span .i-soft .i-small { (role_word(job.asker.role, call.lang)) } },
            html! { (format::integer(job.files.len() as u64)) },
            html! { (format::bytes(bytes)) },
        ]
    });
    let empty = call.say("끝난 작업이 없습니다.", "No job has ended.");
    let caption = call.say("끝난 작업", "Ended jobs");
    Table { empty: Some(empty), ..Table::new(caption, &columns, rows.collect()) }.html(call.lang)
}

fn state(call: &Call<'_>, job: &Job) -> Markup {
    match job.state {
        State::Done => badge(Tone::Success, call.say("마침", "Done")),
        State::Cancelled => badge(Tone::Neutral, call.say("취소됨", "Cancelled")),
        State::Failed => html! {
            (badge(Tone::Danger, call.say("실패", "Failed")))
            @if let Some(failure) = &job.failure { " " code { (failure.code) } }
        },
        State::Queued | State::Running => badge(Tone::Information, call.say("진행 중", "Under way")),
    }
}

/// What a job does, without what it is about.
fn what(call: &Call<'_>, job: &Job) -> String {
    match &job.request {
        Request::Export(export) => match &export.level {
            Level::System => call.say("전체 내보내기", "Export of everything").to_owned(),
            Level::Kind { kind } => call.say(format!("{kind} 내보내기"), format!("Export of {kind}")),
            Level::Patients => call.say("환자 기록 내보내기", "Export of patients").to_owned(),
            Level::Group { .. } => call.say("집단 내보내기", "Export of a group").to_owned(),
        },
        Request::Later(later) => {
            let kind = &later.kind;
            call.say(format!("나중에 답하는 질의 ({kind})"), format!("Answer asked for later ({kind})"))
        }
        Request::Index(index) => {
            let name = format!("{}.{}", index.kind, index.code);
            if index.removes {
                call.say(
                    format!("검색 항목 {name} 치우기"),
                    format!("Taking away the search parameter {name}"),
                )
            } else {
                call.say(format!("검색 항목 {name} 색인"), format!("Indexing by the search parameter {name}"))
            }
        }
        Request::Label => {
            call.say("민감정보 표시 다시 하기", "Labelling records by other sensitive codes").to_owned()
        }
        Request::Import(import) => {
            let count = format::integer(import.inputs.len() as u64);
            call.say(format!("가져오기 (파일 {count}개)"), format!("Import ({count} files)"))
        }
    }
}

fn time(call: &Call<'_>, instant: &str) -> String {
    let micros = ieum_fhir::date::parse(instant).map_or(0, |range| range.lo);
    super::instant(micros, call)
}
