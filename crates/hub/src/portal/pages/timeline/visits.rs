//! Visits by year, each with what happened in it.

use ieum_ui::{Entry, Group, Kind, Tone, badge, empty, timeline};
use maud::{Markup, html};

use super::super::room::{Part, Room};
use super::contents::Contents;
use super::vitals::vital_line;
use super::{Booked, Stretch, booked, place};
use crate::portal::call::Refusal;
use crate::portal::record::concept::hanja;
use crate::portal::record::items::{Condition, Procedure};
use crate::portal::record::load::{self, Names};
use crate::portal::record::observation::Observation;
use crate::portal::record::visit::Visit;

/// Visits on one page.
const VISITS: usize = 15;
/// Results out of range that are named; the rest is counted.
const NAMED: usize = 6;

/// One page of visits.
pub(super) fn stretch(room: &Room<'_>, token: Option<&str>) -> Result<Stretch, Refusal> {
    // Bookings stand before the first page; those called off are counted, so that the list says that there were some.
    let pairs = room.of_person(&[("_sort", "-date"), ("status:not", "planned")]);
    let page = load::search(room.call, &room.view, "Encounter", &pairs, token, VISITS)?;
    let (visits, withdrawn) = load::counting(&page, Visit::read);
    let booked = if token.is_none() { Some(booked(room)?) } else { None };
    let mut contents = Contents::of(room, &visits)?;
    contents.left_out.withdrawn(withdrawn);
    let ahead = booked.iter().flat_map(|booked| &booked.ahead);
    let institutions = visits.iter().chain(ahead).filter_map(|visit| visit.institution.clone());
    let doctors = visits.iter().filter_map(|visit| visit.doctor.clone());
    let names = load::names(room.call, &room.view, institutions, doctors)?;
    let content = html! {
        (contents.left_out.notice(room.lang()))
        @if let Some(booked) = &booked { (bookings(room, booked, &names)) }
        @if visits.is_empty() { (empty(room.say("진료 기록이 없습니다.", "No visits recorded."))) }
        @for of_year in visits.chunk_by(|one, other| year(one) == year(other)) {
            (years(room, of_year, &contents, &names))
        }
    };
    Ok(Stretch { content, previous: page.previous, next: page.next })
}

/// What is booked, apart from what took place.
fn bookings(room: &Room<'_>, booked: &Booked, names: &Names) -> Markup {
    let lang = room.lang();
    let missed = booked.missed;
    html! {
        @if !booked.ahead.is_empty() {
            section .i-section {
                h2 { (room.say("예약", "Booked")) }
                ul .i-flow-list {
                    @for visit in &booked.ahead {
                        li {
                            strong { (visit.start.as_ref().map_or_else(|| room.say("날짜 미정", "No day yet").to_owned(), |start| start.day(lang))) }
                            " " (badge(Tone::Information, room.say("예약", "Booked"))) " " (visit.kind(lang))
                            p .i-small .i-soft { (place(visit, names)) }
                        }
                    }
                }
            }
        }
        @if missed > 0 {
            p .i-small .i-soft {
                (room.say(
                    format!("날짜가 지난 예약 {missed}건은 진료한 기록이 없어 보이지 않습니다."),
                    format!("{missed} past bookings are not shown: nothing says that they took place."),
                ))
            }
        }
    }
}

fn year(visit: &Visit) -> Option<i16> {
    visit.start.as_ref().map(crate::portal::record::fields::Moment::year)
}

fn years(room: &Room<'_>, visits: &[Visit], contents: &Contents, names: &Names) -> Markup {
    let lang = room.lang();
    let title = match visits.first().and_then(year) {
        Some(year) => room.say(format!("{year}년"), year.to_string()),
        None => room.say("날짜 미상", "Date unknown").to_owned(),
    };
    // Texts that entries borrow live here, one set for each visit.
    let texts: Vec<Texts> = visits.iter().map(|visit| Texts::of(room, visit, contents, names)).collect();
    let groups: Vec<Group<'_>> =
        visits.iter().zip(&texts).map(|(visit, texts)| group(room, visit, texts)).collect();
    html! { section .i-section { h2 { (title) } (timeline(&groups, lang)) } }
}

/// One line of a visit, with text of its own.
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) href: Option<String>,
    pub(super) detail: Markup,
    pub(super) marks: Markup,
}

struct Texts {
    place: String,
    lines: Vec<Line>,
}

fn group<'t>(room: &Room<'_>, visit: &Visit, texts: &'t Texts) -> Group<'t> {
    let lang = room.lang();
    let start = visit.start.as_ref();
    let entries = texts.lines.iter().enumerate().map(|(index, line)| Entry {
        kind: line.kind,
        title: &line.title,
        href: line.href.as_deref(),
        time: (index == 0).then(|| start.and_then(|start| start.time(lang))).flatten(),
        detail: line.detail.clone(),
        marks: line.marks.clone(),
    });
    Group {
        day: start.map(|start| start.day(lang)),
        machine_day: start.and_then(|start| start.date()).map(|date| date.to_string()),
        place: (!texts.place.is_empty()).then_some(texts.place.as_str()),
        entries: entries.collect(),
    }
}

impl Texts {
    fn of(room: &Room<'_>, visit: &Visit, contents: &Contents, names: &Names) -> Self {
        let here = |of: Option<&String>| of == Some(&visit.id);
        let mut lines = vec![visit_line(room, visit, contents, names)];
        let diagnoses =
            contents.conditions.iter().filter(|one| here(one.visit.as_ref()) && !one.is_complaint);
        lines.extend(diagnoses.map(|condition| problem_line(room, condition)));
        lines.extend(medicine_lines(room, visit, contents));
        let procedures = contents.procedures.iter().filter(|one| here(one.visit.as_ref()));
        lines.extend(procedures.map(|procedure| procedure_line(room, procedure)));
        let of_visit = |vital| {
            contents
                .observations
                .iter()
                .filter(move |one| one.visit.as_ref() == Some(&visit.id) && one.is_vital == vital)
        };
        lines.extend(result_line(room, &of_visit(false).collect::<Vec<_>>()));
        lines.extend(vital_line(room, of_visit(true)));
        lines.extend(report_lines(room, visit, contents));
        lines.extend(other_lines(room, visit, contents));
        Self { place: place(visit, names), lines }
    }
}

fn visit_line(room: &Room<'_>, visit: &Visit, contents: &Contents, names: &Names) -> Line {
    let lang = room.lang();
    let complaint =
        contents.conditions.iter().find(|one| one.is_complaint && one.visit.as_ref() == Some(&visit.id));
    let reason = complaint.map(|complaint| complaint.concept.name(lang)).or(visit.reason.as_deref());
    let doctor =
        names.get(visit.doctor.as_ref()).map(|name| room.say(format!("의사 {name}"), format!("Dr {name}")));
    let more: Vec<String> = [doctor, visit.length(lang)].into_iter().flatten().collect();
    Line {
        kind: Kind::Visit,
        title: visit.kind(lang).to_owned(),
        href: None,
        detail: html! {
            @if let Some(reason) = reason { p { (room.to(room.say("주호소", "Complaint"), room.say("찾아간 까닭", "Why"))) ": " (reason) } }
            @if !more.is_empty() { p { (more.join(" · ")) } }
        },
        marks: visit.mark(room.call.now(), lang),
    }
}

fn problem_line(room: &Room<'_>, condition: &Condition) -> Line {
    let lang = room.lang();
    let name = condition.concept.name(lang);
    let marks = html! {
        @if let Some(code) = condition.concept.kcd() { span .i-code-mark { (code) } }
        (condition.doubt.mark(lang))
        @if condition.is_active { (badge(Tone::Primary, room.say("지속", "Lasting"))) }
        @if condition.concept.is_korean_medicine() { (badge(Tone::Information, room.say("한의", "Korean medicine"))) }
    };
    Line { kind: Kind::Problem, title: name.to_owned(), href: None, detail: html! {}, marks }
}

/// All medicines of a visit are one prescription.
fn medicine_lines(room: &Room<'_>, visit: &Visit, contents: &Contents) -> Option<Line> {
    let lang = room.lang();
    let of_visit = contents.prescriptions.iter().filter(|one| one.visit.as_ref() == Some(&visit.id));
    let medicines: Vec<_> = of_visit.collect();
    let count = medicines.len();
    (count > 0).then(|| Line {
        kind: Kind::Medicine,
        title: room.say(
            format!("처방 {count}건"),
            if count == 1 { "1 medicine".to_owned() } else { format!("{count} medicines") },
        ),
        href: Some(room.href(Part::Medicines)),
        detail: html! {
            ul .i-plain-list {
                @for one in medicines {
                    li { (hanja(one.medicine.as_ref().map_or("–", |medicine| medicine.name(lang))))
                        @if let Some(dose) = &one.dose { " — " (dose) } " " (one.mark(lang)) }
                }
            }
        },
        marks: html! {},
    })
}

fn procedure_line(room: &Room<'_>, procedure: &Procedure) -> Line {
    let lang = room.lang();
    let marks = html! {
        @if let Some(tooth) = procedure.tooth { span .i-code-mark { (tooth.code()) } (tooth.name(lang)) }
        @if let Some(site) = &procedure.site { span .i-soft { (site.name(lang)) } }
        (procedure.mark(lang))
    };
    let detail = html! { @if let Some(category) = procedure.category(lang) { (category) } };
    Line { kind: Kind::Procedure, title: procedure.concept.name(lang).to_owned(), href: None, detail, marks }
}

/// Results are counted; those out of range are named.
fn result_line(room: &Room<'_>, results: &[&Observation]) -> Option<Line> {
    let lang = room.lang();
    let out: Vec<&&Observation> = results.iter().filter(|one| one.verdict().is_out()).collect();
    let (count, beyond) = (results.len(), out.len());
    let some = room.say(format!("참고범위를 벗어남 {beyond}건"), format!("{beyond} out of range"));
    (count > 0).then(|| Line {
        kind: Kind::Result,
        title: room.say(format!("검사 결과 {count}건"), if count == 1 { "1 result".to_owned() } else { format!("{count} results") }),
        href: Some(room.href(Part::Results)),
        detail: html! {
            @if !out.is_empty() {
                ul .i-plain-list {
                    @for one in out.iter().take(NAMED) {
                        li { (one.name(lang)) " " span .i-number { (one.words(lang)) } " " (one.verdict().badge(lang)) }
                    }
                    @if beyond > NAMED { li .i-soft { (room.say(format!("그 밖에 {}건", beyond - NAMED), format!("and {} more", beyond - NAMED))) } }
                }
            }
        },
        marks: html! { @if beyond > 0 { (badge(Tone::Danger, &some)) } },
    })
}

/// Reports that conclude something: imaging, pathology, function tests.
fn report_lines(room: &Room<'_>, visit: &Visit, contents: &Contents) -> Vec<Line> {
    let lang = room.lang();
    let of_visit = contents.reports.iter().filter(|one| one.visit.as_ref() == Some(&visit.id));
    let concluding =
        of_visit.filter_map(|report| report.conclusion.as_ref().map(|conclusion| (report, conclusion)));
    concluding
        .map(|(report, conclusion)| Line {
            kind: if report.study.is_some() { Kind::Image } else { Kind::Result },
            title: report.concept.name(lang).to_owned(),
            href: Some(room.href(if report.study.is_some() { Part::Documents } else { Part::Results })),
            detail: html! { (room.say("판독", "Conclusion")) ": " (conclusion) },
            marks: report.mark(lang),
        })
        .collect()
}

/// Vaccinations, documents, and studies that nobody has reported on.
fn other_lines(room: &Room<'_>, visit: &Visit, contents: &Contents) -> Vec<Line> {
    let lang = room.lang();
    let here = |of: Option<&String>| of == Some(&visit.id);
    let line = |kind, title: &str, href, marks| Line {
        kind,
        title: title.to_owned(),
        href: Some(href),
        detail: html! {},
        marks,
    };
    let doses = contents.doses.iter().filter(|dose| here(dose.visit.as_ref())).map(|dose| {
        let marks = html! {
            @if let Some(number) = dose.number_words(lang) { span .i-soft { (number) } }
            @if !dose.is_given { (badge(Tone::Warning, room.say("접종 안 함", "Not given"))) }
        };
        line(Kind::Immunisation, dose.vaccine.name(lang), room.href(Part::Immunisations), marks)
    });
    let papers = contents.papers.iter().filter(|paper| here(paper.visit.as_ref())).map(|paper| {
        let href = format!("{}/{}", room.href(Part::Documents), paper.id);
        line(Kind::Document, paper.concept.name(lang), href, paper.mark(lang))
    });
    let reported = |id: &String| contents.reports.iter().any(|report| report.study.as_ref() == Some(id));
    let unread = contents.studies.iter().filter(|study| here(study.visit.as_ref()) && !reported(&study.id));
    let studies = unread.map(|study| {
        let title = study.description.as_deref().unwrap_or(room.say("영상 검사", "Imaging study"));
        line(Kind::Image, title, room.href(Part::Documents), study.mark(lang))
    });
    doses.chain(papers).chain(studies).collect()
}
