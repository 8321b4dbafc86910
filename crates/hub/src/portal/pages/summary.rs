//! The first page of a record: what matters at a glance.

use ieum_ui::{Grid, Message, Tone, badge, card_plain, chart, columns, grid};
use maud::{Markup, html};

use super::room::{Part, Room};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::concept::hanja;
use crate::portal::record::items::{self, Condition, Dose, Problem};
use crate::portal::record::load;
use crate::portal::record::medicine::{Course, Prescription, courses};
use crate::portal::record::observation::{Observation, PRESSURE, Series, series};
use crate::portal::record::visit::Visit;

/// Visits shown.
const VISITS: usize = 5;
/// Lines in a card.
const LINES: usize = 6;

/// `/patients/{id}`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::of_patient(call)?)
}

/// `/me`
pub(crate) fn own(call: &Call<'_>) -> Result<Reply, Refusal> {
    page(&Room::own(call)?)
}

fn page(room: &Room<'_>) -> Result<Reply, Refusal> {
    let conditions = room.records("Condition", "recorded-date", load::LIST, Condition::read)?;
    let mut prescriptions =
        room.records("MedicationRequest", "authoredon", load::LIST, Prescription::read)?.items;
    load::complete(room.call, &room.view, &mut prescriptions)?;
    let measured = room.records("Observation", "date", load::MEASUREMENTS, Observation::read)?;
    let visits = room.records("Encounter", "date", VISITS, Visit::read)?.items;
    let institutions = visits.iter().filter_map(|visit| visit.institution.clone());
    let names = load::names(room.call, &room.view, institutions, [])?;

    let (current, _) = courses(prescriptions, room.call.today());
    let problems: Vec<Problem> = items::problems(conditions.items);
    let (vitals, results): (Vec<_>, Vec<_>) =
        series(measured.items).into_iter().partition(|one| one.latest().is_vital);
    let main = html! {
        @if room.own { (greeting(room, &visits)) }
        (columns(
            html! {
                (card(room, Part::Problems, &problem_lines(room, &problems)))
                (card(room, Part::Results, &result_lines(room, &results)))
                (card(room, Part::Visits, &visit_lines(room, &visits, &names)))
            },
            html! {
                (card(room, Part::Medicines, &medicine_lines(room, &current)))
                (card(room, Part::Vitals, &vital_lines(room, &vitals)))
                @if room.own { (card(room, Part::Immunisations, &dose_lines(room)?)) }
            },
        ))
    };
    room.page(Part::Summary, &main)
}

/// What the patient is told first: who they are to us, the latest visit, allergies.
fn greeting(room: &Room<'_>, visits: &[Visit]) -> Markup {
    let lang = room.lang();
    let name = room.person.name(lang);
    let latest = visits.first().and_then(|visit| visit.start.as_ref()).map(|start| start.day(lang));
    let title = room.say(format!("{name} 님, 안녕하세요."), format!("Hello, {name}."));
    let body = html! {
        p {
            @match &latest {
                Some(day) => (room.say(format!("가장 최근 진료는 {day}입니다. 아래에서 달라진 것을 확인하세요."),
                    format!("Your latest visit was on {day}. See below what is new."))),
                None => (room.say("아직 진료 기록이 없습니다.", "There are no visits yet.")),
            }
        }
        p .i-small .i-soft { (room.say("여러 의료기관의 기록을 모은 것입니다. 틀린 내용이 있으면 진료받은 기관에 정정을 요청할 수 있습니다.",
            "This is collected from several institutions. If something is wrong, ask the institution to correct it.")) }
    };
    html! {
        (Message { tone: Tone::Information, title: &title, body }.html(lang))
        (room.allergies())
    }
}

/// A card with a heading that leads to the whole.
fn card(room: &Room<'_>, part: Part, body: &Markup) -> Markup {
    let lang = room.lang();
    let title = match (room.own, part) {
        (_, Part::Problems) => {
            room.to(room.say("진단", "Problems"), room.say("지금 관리하는 병", "Conditions under care"))
        }
        (_, Part::Medicines) => room.say("복용 중인 약", "Current medicines"),
        (_, Part::Results) => room
            .to(room.say("최근 검사", "Latest results"), room.say("최근 검사 결과", "Latest test results")),
        (_, Part::Visits) => room.say("최근 진료", "Latest visits"),
        (_, part) => part.word(lang),
    };
    let all = room.say(format!("{title} 모두 보기"), format!("See all: {}", title.to_lowercase()));
    card_plain(html! {
        div .i-card__head {
            h2 .i-card__title { (title) }
            a .i-small href=(room.href(part)) aria-label=(all) { (room.say("모두 보기", "See all")) }
        }
        (body)
    })
}

fn nothing(room: &Room<'_>) -> Markup {
    html! { p .i-soft { (room.say("기록이 없습니다.", "Nothing recorded.")) } }
}

fn more(room: &Room<'_>, count: usize) -> Markup {
    let rest = count.saturating_sub(LINES);
    html! { @if rest > 0 { p .i-small .i-soft { (room.say(format!("그 밖에 {rest}건"), format!("and {rest} more"))) } } }
}

fn problem_lines(room: &Room<'_>, problems: &[Problem]) -> Markup {
    let lang = room.lang();
    let active: Vec<&Problem> = problems.iter().filter(|problem| problem.is_active).collect();
    if active.is_empty() {
        let past = problems.len();
        return html! {
            p .i-soft { (room.say("지속 중인 진단이 없습니다.", "No lasting problem.")) }
            @if past > 0 { p .i-small .i-soft { (room.say(format!("지난 진단 {past}건"), format!("{past} past"))) } }
        };
    }
    html! {
        ul .i-flow-list {
            @for problem in active.iter().take(LINES) {
                li {
                    strong { (hanja(problem.concept.name(lang))) } " "
                    @if let Some(code) = problem.concept.kcd() { span .i-code-mark { (code) } }
                    @if let Some(first) = &problem.first {
                        " " span .i-soft .i-small { (room.say(format!("{}부터", first.day(lang)), format!("since {}", first.day(lang)))) }
                    }
                }
            }
        }
        (more(room, active.len()))
    }
}

fn medicine_lines(room: &Room<'_>, current: &[Course]) -> Markup {
    let lang = room.lang();
    if current.is_empty() {
        return html! { p .i-soft { (room.say("지금 복용 중인 처방약이 없습니다.", "No prescription is current.")) } };
    }
    html! {
        ul .i-flow-list {
            @for course in current.iter().take(LINES) {
                @let latest = course.latest();
                li {
                    strong { (hanja(latest.medicine.as_ref().map_or("–", |medicine| medicine.name(lang)))) }
                    @if let Some(dose) = &latest.dose { p .i-small .i-soft { (dose) } }
                }
            }
        }
        (more(room, current.len()))
    }
}

/// What is out of range first: that is what somebody opens the record for.
fn result_lines(room: &Room<'_>, results: &[Series]) -> Markup {
    let lang = room.lang();
    if results.is_empty() {
        return nothing(room);
    }
    let mut order: Vec<&Series> = results.iter().collect();
    order.sort_by_key(|series| !series.latest().verdict().is_out());
    let out = results.iter().filter(|series| series.latest().verdict().is_out()).count();
    html! {
        p .i-small .i-soft {
            (room.say(
                format!("검사 {}종 가운데 최근 값이 참고범위를 벗어난 것 {out}종", results.len()),
                format!("{out} of {} tests are out of range at their latest", results.len()),
            ))
        }
        ul .i-flow-list {
            @for series in order.iter().take(LINES) {
                @let latest = series.latest();
                li .i-row .i-row--between {
                    span {
                        strong { (latest.name(lang)) }
                        @if let Some(at) = &latest.at { " " span .i-soft .i-small { (at.short(lang)) } }
                    }
                    span .i-row {
                        span .i-number { (latest.words(lang)) } (latest.verdict().badge(lang))
                        @if series.points().len() > 1 {
                            (chart::sparkline(latest.name(lang), &series.points(), latest.range, lang))
                        }
                    }
                }
            }
        }
        (more(room, results.len()))
    }
}

fn vital_lines(room: &Room<'_>, vitals: &[Series]) -> Markup {
    let lang = room.lang();
    if vitals.is_empty() {
        return nothing(room);
    }
    let figures = vitals.iter().take(4).map(|series| {
        let latest = series.latest();
        let wide = latest.concept.code("http://loinc.org") == Some(PRESSURE);
        html! {
            div .i-mini .i-mini--wide[wide] {
                p .i-small .i-soft { (latest.name(lang)) }
                p .i-mini__value { (latest.words(lang)) }
                @if let Some(at) = &latest.at { p .i-tiny .i-soft { (at.short(lang)) } }
            }
        }
    });
    grid(Grid::Small, figures)
}

fn visit_lines(room: &Room<'_>, visits: &[Visit], names: &load::Names) -> Markup {
    let lang = room.lang();
    if visits.is_empty() {
        return nothing(room);
    }
    html! {
        ul .i-flow-list {
            @for visit in visits {
                li {
                    strong { (visit.start.as_ref().map_or_else(String::new, |start| start.day(lang))) } " "
                    (badge(Tone::Neutral, visit.kind(lang)))
                    p .i-small .i-soft { (super::timeline::place(visit, names)) }
                }
            }
        }
    }
}

fn dose_lines(room: &Room<'_>) -> Result<Markup, Refusal> {
    let lang = room.lang();
    let doses = room.records("Immunization", "date", LINES, Dose::read)?.items;
    let given: Vec<&Dose> = doses.iter().filter(|dose| dose.is_given).take(3).collect();
    if given.is_empty() {
        return Ok(nothing(room));
    }
    Ok(html! {
        ul .i-flow-list {
            @for dose in given {
                li { (dose.vaccine.name(lang)) " "
                    span .i-soft .i-small { (dose.at.as_ref().map_or_else(String::new, |at| at.short(lang))) } }
            }
        }
    })
}
