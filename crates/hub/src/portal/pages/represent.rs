//! Representatives (`ieum_trust::representation`), from three sides.
//!
//! | file | what it holds |
//! |---|---|
//! | [`mine`] | the patient: who represents them, taking back, blocking, naming an agent |
//! | [`representing`] | the representative: whom they represent, asking, acting, laying down |
//! | [`check`] | the privacy officer of an institution: what is shown, granting, refusing, lifting a block |
//! | [`words`] | what all of it is called |

use ieum_store::access::Proof;
use ieum_trust::access::Access;
use ieum_trust::law::may::{Act, Outcome};
use ieum_trust::person::keep;
use ieum_trust::representation::acting::Patient;
use ieum_trust::representation::{ChangeError, Kept, Representation, Standing, Status};
use ieum_ui::format;
use maud::{Markup, html};

use crate::portal::call::{Call, Refusal};
use crate::portal::record::fields::{read, text};
use crate::portal::record::load;
use crate::portal::record::person::Person;

pub(crate) mod check;
pub(crate) mod mine;
pub(crate) mod representing;
mod words;

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            // It is not there for them, or stands otherwise than the page showed.
            ChangeError::Missing | ChangeError::Denied(_) => Self::NotFound,
            ChangeError::Commit(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

/// What the person behind a representation is called, with their log-in name, by which namesakes are told apart.
fn representative(call: &Call<'_>, kept: &Kept<Representation>) -> Result<String, Refusal> {
    let id = kept.record.asked.representative.strip_prefix("IeumPerson/");
    let person = id.map(|id| keep::read(call.portal.hub().door(), id)).transpose()?.flatten();
    let unknown = || call.say("알 수 없는 사람", "Somebody unknown").to_owned();
    Ok(person.map_or_else(unknown, |person| format!("{} ({})", person.value.name, person.value.login)))
}

/// The patient of a representation, by name and birth date; read with the hub's own authority, since the reader reaches no
/// record of theirs. `None` when the record is gone.
fn represented(call: &Call<'_>, kept: &Kept<Representation>) -> Result<Option<Person>, Refusal> {
    let view = call.portal.hub().door().view(&Access::system("representation"))?;
    match load::person(&view, &kept.record.asked.patient) {
        Ok(person) => Ok(Some(person)),
        Err(Refusal::NotFound) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// What an institution is called.
pub(super) fn institution(call: &Call<'_>, id: Option<&String>) -> Result<String, Refusal> {
    let Some(id) = id else { return Ok("–".to_owned()) };
    let view = call.portal.hub().door().view(&Access::system("representation"))?;
    let record = view.read("Organization", id)?.filter(|record| !record.is_deleted());
    let name = record.and_then(|record| read(&record, |value| text(value, &["name"])).flatten());
    Ok(name.unwrap_or_else(|| call.say("이름이 없는 기관", "An institution without name").to_owned()))
}

/// The institutions that have, or had, to do with a patient.
pub(super) fn institutions_of(call: &Call<'_>, patient: &str) -> Result<Vec<String>, Refusal> {
    let view = call.portal.hub().door().view(&Access::system("representation"))?;
    let institution = |proof: Proof| proof.relation.institution;
    let mut all: Vec<String> = view.relations(patient)?.into_iter().filter_map(institution).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// What a representative may do now, until when and by which articles; or why nothing.
fn may(call: &Call<'_>, kept: &Kept<Representation>) -> Result<Markup, Refusal> {
    let (hub, record) = (call.portal.hub(), &kept.record);
    let Some(patient) = Patient::with_id(hub.door(), &record.asked.patient)? else { return Ok(html! {}) };
    let (mut acts, mut articles, mut hides, mut refused) = (Vec::new(), Vec::new(), false, None);
    for act in Act::ALL {
        let decision = patient.decision(hub.law(), record, act, call.micros());
        match decision.outcome {
            Outcome::Granted(grant) => {
                acts.push(words::act(act, call.lang));
                hides |= grant.hidden != 0;
                articles.extend(decision.articles);
            }
            Outcome::ForAPerson(_) if act == Act::View => {
                refused = Some(words::for_a_person(call.lang).to_owned());
            }
            Outcome::Refused { reason, .. } if act == Act::View => {
                refused = Some(words::reason(reason, call.lang).to_owned());
            }
            _ => {}
        }
    }
    let mut by: Vec<String> =
        articles.iter().map(|article| format!("{} {}", article.law, article.article)).collect();
    by.sort_unstable();
    by.dedup();
    Ok(html! {
        @match (acts.is_empty(), refused) {
            (true, Some(why)) => p { (call.say("지금은 아무것도 할 수 없습니다. ", "Nothing at present. ")) (why) },
            (true, None) => {}
            (false, _) => {
                p { (call.say("할 수 있는 일: ", "May: ")) (acts.join(", ")) }
                @if hides { p .i-small { (words::hides(call.lang)) } }
                p .i-small .i-soft { (call.say("근거: ", "By: ")) span lang="ko" { (by.join(", ")) } }
            }
        }
    })
}

/// From when to when, and why it ends then.
fn period(call: &Call<'_>, kept: &Kept<Representation>) -> Result<Markup, Refusal> {
    let (record, lang) = (&kept.record, call.lang);
    let Some(since) = record.since else { return Ok(html! {}) };
    let since = format::date(since, lang);
    let Some(until) = record.until else {
        return Ok(
            html! { p { (call.say(format!("{since}부터, 끝나는 날은 정하지 않았습니다."), format!("From {since}, without a last day."))) } },
        );
    };
    let hub = call.portal.hub();
    let patient = Patient::with_id(hub.door(), &record.asked.patient)?;
    let why = patient.and_then(|patient| words::why_then(hub.law(), patient.birth, until, lang));
    let until = format::date(until, lang);
    Ok(html! {
        p { (call.say(format!("{since}부터 {until}까지."), format!("From {since} to {until}.")))
            @if let Some(why) = why { " " (why) } }
    })
}

/// Whether somebody has decided for it, and it is not over.
fn is_granted(call: &Call<'_>, kept: &Kept<Representation>) -> bool {
    kept.record.standing(call.today()) == Standing::Is(Status::Granted)
}
