//! The privacy officer's reviews of broken glass: all of their institution, each to be decided, and who breaks it how often.

use std::collections::BTreeMap;

use ieum_fhir::date;
use ieum_trust::access::Access;
use ieum_trust::account::{ACCOUNT, Account};
use ieum_trust::breaking::{self, Review, State};
use ieum_trust::records;
use ieum_ui::{
    ButtonStyle, Field, Message, Table, Tone, badge, button, form_post, format, radios, section, text_area,
};
use maud::{Markup, html};

use super::{column, column_keep, column_number};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;

const PAGE: &str = "/privacy/reviews";
/// Reviews shown, the newest.
const SHOWN: usize = 500;
const HOUR: i64 = 3_600_000_000;
/// Days over which breakings are counted.
const DAYS: i64 = 30;

/// `GET /privacy/reviews`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let reviews = breaking::reviews(call.portal.hub().door(), call.access()?, SHOWN)?;
    let names = names(call, &reviews)?;
    let (open, decided): (Vec<_>, Vec<_>) =
        reviews.iter().partition(|(_, review)| review.state == State::Open);
    let content = html! {
        (section(call.say("검토할 것", "To review"), html! {
            @if open.is_empty() { (ieum_ui::empty(call.say("검토할 응급 열람이 없습니다.", "There is nothing to review."))) }
            @for (id, review) in &open { (to_decide(call, id, review, &names)) }
        }))
        (section(call.say("사람마다 몇 번", "How often, by person"), rates(call, &reviews, &names)))
        (section(call.say("검토한 것", "Reviewed"), done(call, &decided, &names)))
    };
    let flash = (call.value("done") == "decided").then(|| Message {
        tone: Tone::Success,
        title: call.say("검토를 마쳤습니다. 환자에게 보입니다.", "The review is done. The patient sees it."),
        body: html! {},
    });
    let hours = breaking::review_hours(call.portal.hub().law(), call.micros());
    let lead = html! { (call.say(
        format!("동의 없이 응급으로 기록을 연 일을 모두 검토합니다. {hours}시간이 지나면 늦은 것입니다."),
        format!("Every emergency access without consent is reviewed. After {hours} hours it is late."),
    )) };
    let title = call.say("응급 열람 검토", "Reviews of emergency access");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

/// `POST /privacy/reviews/{id}`
pub(crate) fn decide(call: &Call<'_>) -> Result<Reply, Refusal> {
    let is_justified = match call.field_of("decision") {
        "justified" => true,
        "unjustified" => false,
        _ => return Err(Refusal::Bad),
    };
    let decision = (call.place.first(), is_justified, call.field_of("note"));
    let decided = breaking::decide(call.portal.hub().door(), call.access()?, decision, call.micros())?;
    if decided { Ok(Reply::See(format!("{PAGE}?done=decided"), Vec::new())) } else { Err(Refusal::NotFound) }
}

/// How the persons are called who broke the glass.
fn names(call: &Call<'_>, reviews: &[(String, Review)]) -> Result<BTreeMap<String, String>, Refusal> {
    let view = call.portal.hub().door().view(&Access::system("reviews"))?;
    let mut names = BTreeMap::new();
    for (_, review) in reviews {
        if !names.contains_key(&review.person) {
            let account = records::read::<Account>(&view, &ACCOUNT, &review.person)?;
            let gone = || call.say("없어진 계정", "An account that is gone").to_owned();
            names.insert(review.person.clone(), account.map_or_else(gone, |account| account.value.name));
        }
    }
    Ok(names)
}

fn name<'n>(names: &'n BTreeMap<String, String>, review: &Review) -> &'n str {
    names.get(&review.person).map_or("", String::as_str)
}

fn to_decide(call: &Call<'_>, id: &str, review: &Review, names: &BTreeMap<String, String>) -> Markup {
    let lang = call.lang;
    let from = date::parse(&review.from).map_or(0, |range| range.lo);
    let is_late = call.micros() - from > breaking::review_hours(call.portal.hub().law(), from) * HOUR;
    let heading = format!("review-{id}");
    let (decision_name, note_name) = (format!("decision-{id}"), format!("note-{id}"));
    let decision = Field { required: true, ..Field::new(&decision_name, call.say("판단", "Decision")) };
    let note = Field::new(&note_name, call.say("남길 말 (환자도 봅니다)", "Note (the patient sees it)"));
    let options = [
        ("justified", call.say("필요했음", "It was justified")),
        ("unjustified", call.say("필요하지 않았음", "It was not")),
    ];
    let fields = html! { (radios(&decision, &options, None, lang)) (text_area(&note, "", 2, lang)) };
    let csrf = call.session.as_ref().map(|session| session.csrf.as_str());
    let actions = button(ButtonStyle::Primary, call.say("검토 마침", "Decide"));
    html! {
        article .i-card aria-labelledby=(heading) {
            h3 id=(heading) {
                (name(names, review)) " — " (format::fhir_date(&review.from, lang))
                @if is_late { " " (badge(Tone::Danger, call.say("늦음", "Late"))) }
            }
            p { (review.reason) }
            p .i-soft .i-small { (call.say("환자 기록 ", "Patient record ")) code { (review.patient_reference) } }
            (form_post(&format!("{PAGE}/{id}"), csrf, &fields, &actions))
        }
    }
}

/// Who breaks the glass how often; whoever does so much oftener than others is marked.
fn rates(call: &Call<'_>, reviews: &[(String, Review)], names: &BTreeMap<String, String>) -> Markup {
    let since = call.micros() - DAYS * 24 * HOUR;
    let lately = |review: &&Review| date::parse(&review.from).is_ok_and(|range| range.lo >= since);
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for review in reviews.iter().map(|(_, review)| review).filter(lately) {
        let count = counts.entry(name(names, review)).or_default();
        count.0 += 1;
        count.1 += u64::from(review.state == State::Unjustified);
    }
    let mut all: Vec<u64> = counts.values().map(|(count, _)| *count).collect();
    all.sort_unstable();
    let median = all.get(all.len() / 2).copied().unwrap_or(0);
    let rows = counts.iter().map(|(name, (count, unjustified))| {
        let is_outlier = *count > 3.max(3 * median);
        vec![
            html! { (name) @if is_outlier { " " (badge(Tone::Warning, call.say("유난히 잦음", "Unusually often"))) } },
            html! { (format::integer(*count)) },
            html! { (format::integer(*unjustified)) },
        ]
    });
    let columns = [
        column(call.say("사람", "Person")),
        column_number(call.say("30일 동안", "In 30 days")),
        column_number(call.say("필요하지 않았음", "Not justified")),
    ];
    let empty = call.say("지난 30일 동안 없었습니다.", "None in the last 30 days.");
    Table {
        empty: Some(empty), ..Table::new(call.say("사람마다", "By person"), &columns, rows.collect())
    }
    .html(call.lang)
}

fn done(call: &Call<'_>, decided: &[&(String, Review)], names: &BTreeMap<String, String>) -> Markup {
    let rows = decided.iter().map(|(_, review)| {
        let state = match review.state {
            State::Unjustified => badge(Tone::Danger, call.say("필요하지 않았음", "Not justified")),
            _ => badge(Tone::Success, call.say("필요했음", "Justified")),
        };
        vec![
            html! { (format::fhir_date(&review.from, call.lang)) },
            html! { (name(names, review)) },
            html! { (review.reason) },
            html! { (state) @if let Some(note) = &review.note { p .i-small { (note) } } },
        ]
    });
    let columns = [
        column_keep(call.say("언제", "When")),
        column_keep(call.say("누가", "Who")),
        column(call.say("까닭", "Reason")),
        column(call.say("판단", "Decision")),
    ];
    let empty = call.say("아직 없습니다.", "None yet.");
    Table {
        empty: Some(empty), ..Table::new(call.say("검토한 것", "Reviewed"), &columns, rows.collect())
    }
    .html(call.lang)
}
