//! The first page of a record: what matters at a glance.

use ieum_ui::chart::Verdict;
use ieum_ui::{Grid, Message, Tone, badge, card_plain, chart, columns, grid};
use maud::{Markup, html};

use super::left_out::LeftOut;
use super::room::{Part, Room};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::record::concept::hanja;
use crate::portal::record::items::{self, Condition, Dose, Problem};
use crate::portal::record::load;
use crate::portal::record::medicine::{Course, Prescription, Standing, courses};
use crate::portal::record::observation::{LOINC, PRESSURE, Series, series};
use crate::portal::record::visit::{self, Visit};

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
    let mut left_out = LeftOut::default();
    let conditions = room.records("Condition", "recorded-date", load::LIST, Condition::read)?;
    let conditions = left_out.take(room.say("진단", "Diagnoses"), conditions);
    let what = room.say("처방", "Prescriptions");
    let prescriptions = room.records("MedicationRequest", "authoredon", load::LIST, Prescription::read)?;
    let mut prescriptions = left_out.take(what, prescriptions);
    load::complete(room.call, &room.view, &mut prescriptions)?;
    let measured = room.measurements(&[("_sort", "-date")], load::MEASUREMENTS)?;
    let measured = left_out.take(room.say("검사·활력징후", "Results and vital signs"), measured);
    let visits = Visits::read(room)?;
    let institutions =
        visits.latest.iter().chain(&visits.booked).filter_map(|visit| visit.institution.clone());
    let names = load::names(room.call, &room.view, institutions, [])?;

    let medicines = courses(prescriptions, room.call.today());
    let problems: Vec<Problem> = items::problems(conditions);
    let (vitals, results): (Vec<_>, Vec<_>) =
        series(measured).into_iter().partition(|one| one.latest().is_vital);
    let main = html! {
        @if room.own && room.call.behalf().is_none() { (super::represent::mine::notice(room.call)?) }
        @if room.own { (super::transfers::notice(room.call)?) }
        @if room.own { (greeting(room, &visits)) }
        (left_out.notice(room.lang()))
        (columns(
            html! {
                (card(room, Part::Problems, &problem_lines(room, &problems)))
                (card(room, Part::Results, &result_lines(room, &results)))
                (card(room, Part::Visits, &visit_lines(room, &visits, &names)))
            },
            html! {
                (card(room, Part::Medicines, &medicine_lines(room, &medicines, left_out.is_cut(what))))
                (card(room, Part::Vitals, &vital_lines(room, &vitals)))
                @if room.own { (card(room, Part::Immunisations, &dose_lines(room)?)) }
            },
        ))
    };
    Ok(room.page(Part::Summary, &main))
}

/// The latest visits, and those that are booked.
struct Visits {
    latest: Vec<Visit>,
    booked: Vec<Visit>,
}

impl Visits {
    fn read(room: &Room<'_>) -> Result<Self, Refusal> {
        let until = load::until_now(room.call);
        let pairs = room.of_person(&[("_sort", "-date"), visit::TOOK_PLACE, ("date", &until)]);
        let latest = load::records(room.call, &room.view, "Encounter", &pairs, VISITS, Visit::read)?.items;
        Ok(Self { latest, booked: super::timeline::booked(room)?.ahead })
    }
}

/// What the patient is told first: who they are to us, the latest visit, the next one, allergies.
fn greeting(room: &Room<'_>, visits: &Visits) -> Markup {
    let lang = room.lang();
    let name = room.person.name(lang);
    let day = |visits: &[Visit]| visits.first()?.start.as_ref().map(|start| start.day(lang));
    let title = match room.call.behalf() {
        None => room.say(format!("{name} 님, 안녕하세요."), format!("Hello, {name}.")),
        Some(_) => room.say(format!("{name} 님의 건강기록입니다."), format!("The health record of {name}.")),
    };
    let body = html! {
        p {
            @match day(&visits.latest) {
                Some(day) => (room.say(format!("가장 최근 진료는 {day}입니다. 아래에서 달라진 것을 확인하세요."),
                    format!("The latest visit was on {day}. See below what is new."))),
                None => (room.say("아직 진료 기록이 없습니다.", "There are no visits yet.")),
            }
            @if let Some(day) = day(&visits.booked) {
                " " (room.say(format!("다음 예약은 {day}입니다."), format!("The next booking is on {day}.")))
            }
        }
        p .i-small .i-soft { (room.say("여러 의료기관의 기록을 모은 것입니다. 틀린 내용이 있으면 진료받은 기관에 정정을 요청할 수 있습니다.",
            "This is collected from several institutions. If something is wrong, ask the institution to correct it.")) }
    };
    html! {
        (Message { tone: Tone::Information, title: &title, body }.html(lang))
        (room.alerts.allergies(lang))
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
                    strong { (hanja(problem.concept.name(lang))) } " " (problem.doubt.mark(lang)) " "
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

/// What is taken; then what must not be, and what is on hold.
fn medicine_lines(room: &Room<'_>, all: &[Course], is_cut: bool) -> Markup {
    let lang = room.lang();
    let of = |standing| all.iter().filter(|course| course.standing == standing).collect::<Vec<&Course>>();
    let current = of(Standing::Taken);
    let name = |course: &Course| {
        let medicine = course.latest().medicine.as_ref().map_or("–", |medicine| medicine.name(lang));
        html! { strong { (hanja(medicine)) } " " (course.latest().mark(lang)) }
    };
    let aside: Vec<&Course> = of(Standing::Forbidden).into_iter().chain(of(Standing::OnHold)).collect();
    html! {
        @if current.is_empty() { p .i-soft { (super::medicines::none_current(room, is_cut)) } }
        @else {
            ul .i-flow-list {
                @for course in current.iter().take(LINES) {
                    li {
                        (name(course))
                        @for dose in course.doses(room.call.today()) { p .i-small .i-soft { (dose) } }
                    }
                }
            }
            (more(room, current.len()))
        }
        @if !aside.is_empty() { ul .i-flow-list { @for course in &aside { li { (name(course)) } } } }
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
    let unknown = results.iter().filter(|series| series.latest().verdict() == Verdict::Unknown).count();
    html! {
        p .i-small .i-soft {
            (room.say(
                format!("검사 {}종 가운데 최근 값이 참고범위를 벗어난 것 {out}종, 판정할 수 없는 것 {unknown}종", results.len()),
                format!("{out} of {} tests are out of range at their latest, {unknown} cannot be judged", results.len()),
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
                            (chart::sparkline(latest.name(lang), &series.points(), series.span(), lang))
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
        let wide = latest.concept.code(LOINC) == Some(PRESSURE);
        html! {
            div .i-mini .i-mini--wide[wide] {
                p .i-small .i-soft { (latest.name(lang)) }
                p .i-mini__value { (latest.words(lang)) }
                @if latest.verdict().is_out() { p { (latest.verdict().badge(lang)) } }
                @if let Some(at) = &latest.at { p .i-tiny .i-soft { (at.short(lang)) } }
            }
        }
    });
    let is_any_out = vitals.iter().take(4).any(|series| series.latest().verdict().is_out());
    html! {
        (grid(Grid::Small, figures))
        @if is_any_out {
            p .i-tiny .i-soft {
                (room.say("▲▼: 기록에 참고범위가 없으면 성인의 통상 범위를 벗어난 값입니다.",
                    "▲▼: where the record states no range, outside what is customary for adults."))
            }
        }
    }
}

fn visit_lines(room: &Room<'_>, visits: &Visits, names: &load::Names) -> Markup {
    let lang = room.lang();
    if visits.latest.is_empty() && visits.booked.is_empty() {
        return nothing(room);
    }
    let line = |visit: &Visit, mark: Markup| {
        html! {
            li {
                strong { (visit.start.as_ref().map_or_else(String::new, |start| start.day(lang))) } " "
                (badge(Tone::Neutral, visit.kind(lang))) " " (mark)
                p .i-small .i-soft { (super::timeline::place(visit, names)) }
            }
        }
    };
    html! {
        ul .i-flow-list {
            @for visit in &visits.booked { (line(visit, badge(Tone::Information, room.say("예약", "Booked")))) }
            @for visit in &visits.latest { (line(visit, visit.mark(room.call.now(), lang))) }
        }
    }
}

fn dose_lines(room: &Room<'_>) -> Result<Markup, Refusal> {
    let lang = room.lang();
    // Those that were not given are records too, and must not crowd out those that were.
    let pairs = room.of_person(&[("_sort", "-date"), ("status", "completed")]);
    let given = load::records(room.call, &room.view, "Immunization", &pairs, 3, Dose::read)?.items;
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
