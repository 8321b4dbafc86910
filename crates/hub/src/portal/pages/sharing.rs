//! What a patient lets others see: who is in a treatment relation to them, the switches of their consents, and when somebody
//! broke the glass.

use ieum_store::access::{Proof, RelationReach};
use ieum_trust::access::Access;
use ieum_trust::breaking::{self, Review, State};
use ieum_trust::door::View;
use ieum_trust::sharing::{self, CLASSES, Choice, Form, Switch};
use ieum_ui::{
    ButtonStyle, Field, Message, Table, Tone, badge, button, card_plain, checkbox, form_post, format, radios,
    section, select,
};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::fields::{read, text};

const PAGE: &str = "/me/sharing";
/// Relations, switches and reviews that are shown.
const SHOWN: usize = 200;

/// `GET /me/sharing`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let access = decider(call)?;
    let patient = access.patient.clone().ok_or(Refusal::NoRecord)?;
    let view = call.view()?;
    let relations = view.relations(&patient)?;
    let (switches, forms) = sharing::consents(&view, &patient, SHOWN)?;
    let names = Names { call, view: &view };
    let known = institutions(&relations, &switches);
    let (now_open, of_each) = (open_to(call, &names, &relations)?, each(call, &names, &known, &switches)?);
    let signed = signed(call, &names, &forms)?;
    drop(view);
    let told = breaking::told_to(call.portal.hub().door(), access, SHOWN)?;
    let content = html! {
        (section(call.say("지금 내 기록을 볼 수 있는 곳", "Who can see my records now"), html! {
            (now_open)
            p { a href="/me/visit" { (call.say("내원 코드를 보여주거나, 기관에 며칠 동안 허락하기", "Show a code of presence, or let an institution see for some days")) } }
        }))
        (section(call.say("다른 병원의 기록 함께 보여주기", "Showing what other institutions recorded"), everybody(call, &switches)))
        (section(call.say("병원마다 다르게", "Different for one institution"), of_each))
        (section(call.say("기관에 낸 동의서", "Consents given at institutions"), signed))
        (section(call.say("응급 열람", "Emergency access"), broken(call, &told)))
    };
    let flash = (call.value("done") == "saved").then(|| Message {
        tone: Tone::Success,
        title: call.say("저장했습니다. 지금부터 적용됩니다.", "Saved. It holds from now on."),
        body: html! {},
    });
    let lead = html! { (call.say("나를 진료하는 곳은 스스로 쓴 기록을 봅니다. 다른 병원이 쓴 기록까지 보여줄지는 여기서 정합니다. 언제든 바꿀 수 있고, 바꾸면 바로 적용됩니다.",
    "Whoever treats you sees what they wrote themselves. Whether they also see what other institutions wrote is decided here. You can change it at any time, and it holds at once.")) };
    let title = call.say("기록 공개 설정", "Who sees my records");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

/// `POST /me/sharing`
pub(crate) fn save(call: &Call<'_>) -> Result<Reply, Refusal> {
    let access = decider(call)?;
    let institution = Some(call.field("institution")).filter(|id| !id.is_empty());
    if let Some(id) = institution {
        let view = call.view()?;
        view.read("Organization", id)?.filter(|record| !record.is_deleted()).ok_or(Refusal::Bad)?;
    }
    let choice = match call.field_of("choice") {
        "permit" => {
            let codes = CLASSES.iter().map(|(code, ..)| *code);
            let without = codes.filter(|code| !call.field(&format!("without-{code}")).is_empty());
            Some(Choice::Permit { without: without.map(ToOwned::to_owned).collect() })
        }
        "deny" => Some(Choice::Deny),
        "none" => None,
        _ => return Err(Refusal::Bad),
    };
    sharing::set(call.portal.hub().door(), access, institution, choice.as_ref(), call.micros())?;
    Ok(Reply::See(format!("{PAGE}?done=saved"), Vec::new()))
}

/// `POST /me/sharing/{id}/withdraw`
pub(crate) fn withdraw(call: &Call<'_>) -> Result<Reply, Refusal> {
    let access = decider(call)?;
    if !sharing::withdraw(call.portal.hub().door(), access, call.place.first())? {
        return Err(Refusal::NotFound);
    }
    Ok(Reply::See(format!("{PAGE}?done=saved"), Vec::new()))
}

/// Consents that institutions wrote down, each with a button.
fn signed(call: &Call<'_>, names: &Names<'_, '_>, forms: &[Form]) -> Result<Markup, Refusal> {
    let mut rows = Vec::new();
    for form in forms {
        let institutions = form.institutions.iter().map(|id| names.of(id)).collect::<Result<Vec<_>, _>>()?;
        let to = match institutions.as_slice() {
            [] => call.say("모든 기관", "All institutions").to_owned(),
            some => some.join(", "),
        };
        let withdraw = button(ButtonStyle::Secondary, call.say("철회", "Withdraw"));
        let address = format!("{PAGE}/{}/withdraw", form.id);
        rows.push(vec![
            html! { (form.given.as_deref().map(|given| format::fhir_date(given, call.lang)).unwrap_or_default()) },
            html! { (to) },
            html! { (if form.permits { call.say("보여주기", "Show") } else { call.say("보여주지 않기", "Do not show") }) },
            form_post(&address, csrf(call), &html! {}, &withdraw),
        ]);
    }
    let columns = [
        column_keep(call.say("언제", "When")),
        column(call.say("누구에게", "To whom")),
        column_keep(call.say("무엇을", "What")),
        column_keep(call.say("바꾸기", "Change")),
    ];
    let empty = call.say("기관에 낸 동의서가 없습니다.", "No consent was given at an institution.");
    let lead = call.say(
        "기관이 종이나 전자서명으로 받아 적은 동의입니다. 내가 한 것이 아니거나 그만두고 싶으면 철회하세요. 바로 적용됩니다.",
        "Consents that institutions took on paper or with a signature, and wrote down. Withdraw what is not yours or what you want no more; it holds at once.",
    );
    let caption = call.say("기관에 낸 동의서", "Consents given at institutions");
    Ok(
        html! { p { (lead) } (Table { empty: Some(empty), ..Table::new(caption, &columns, rows) }.html(call.lang)) },
    )
}

/// The patient, or who may consent for them.
pub(super) fn decider<'c>(call: &'c Call<'_>) -> Result<&'c Access, Refusal> {
    let access = call.access()?;
    let may = access.behalf.as_ref().is_none_or(|behalf| behalf.consents);
    if may { Ok(access) } else { Err(Refusal::Oneself) }
}

/// Names of institutions.
struct Names<'n, 'c> {
    call: &'n Call<'c>,
    view: &'n View<'n>,
}

impl Names<'_, '_> {
    fn of(&self, id: &str) -> Result<String, Refusal> {
        let record = self.view.read("Organization", id)?.filter(|record| !record.is_deleted());
        let name =
            record.and_then(|record| read(&record, |organization| text(organization, &["name"])).flatten());
        Ok(name
            .unwrap_or_else(|| self.call.say("이름이 없는 기관", "An institution without name").to_owned()))
    }
}

/// The institutions that a patient may want to decide about: those in a relation, those with a switch.
fn institutions(relations: &[Proof], switches: &[Switch]) -> Vec<String> {
    let of_relations = relations.iter().filter_map(|proof| proof.relation.institution.clone());
    let of_switches = switches.iter().filter_map(|switch| switch.institution.clone());
    let mut all: Vec<String> = of_relations.chain(of_switches).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Relations in force, one line each.
fn open_to(call: &Call<'_>, names: &Names<'_, '_>, relations: &[Proof]) -> Result<Markup, Refusal> {
    let now = call.micros();
    let in_force = |proof: &&Proof| (proof.relation.from..proof.relation.until).contains(&now);
    let mut rows = Vec::new();
    for proof in relations.iter().filter(in_force).take(SHOWN) {
        let Some(institution) = &proof.relation.institution else { continue };
        rows.push(vec![
            html! { (names.of(institution)?) },
            html! { (because(call, proof)) },
            html! { (how_far(call, proof.relation.reach)) },
            html! { (until(call, proof.relation.until)) },
        ]);
    }
    let columns = [
        column(call.say("기관", "Institution")),
        column(call.say("까닭", "Because of")),
        column_keep(call.say("볼 수 있는 것", "What")),
        column_keep(call.say("언제까지", "Until")),
    ];
    let caption = call.say("지금 볼 수 있는 곳", "Who can see now");
    let empty = call
        .say("지금 내 기록을 볼 수 있는 의료기관이 없습니다.", "No institution can see your records now.");
    Ok(Table { empty: Some(empty), ..Table::new(caption, &columns, rows) }.html(call.lang))
}

fn because(call: &Call<'_>, proof: &Proof) -> &'static str {
    match (proof.kind.as_str(), proof.relation.reach) {
        ("Encounter", RelationReach::Consented) => call.say("진료", "A visit"),
        ("Encounter", RelationReach::All) => call.say("응급 진료", "An emergency visit"),
        ("Appointment", _) => call.say("예약", "An appointment"),
        ("ServiceRequest" | "Task", _) => call.say("의뢰", "A referral"),
        ("MedicationRequest", _) => call.say("처방", "A prescription"),
        (_, RelationReach::All) => call.say("응급 열람", "Emergency access"),
        _ => call.say("내원 확인 또는 내 허락", "Presence, or your grant"),
    }
}

fn how_far(call: &Call<'_>, reach: RelationReach) -> Markup {
    match reach {
        RelationReach::Consented => {
            html! { (call.say("스스로 쓴 기록과 내가 보여준 기록", "What it wrote, and what I show")) }
        }
        RelationReach::All => {
            badge(Tone::Warning, call.say("봉인한 것을 뺀 모든 기록", "Everything that is not sealed"))
        }
    }
}

fn until(call: &Call<'_>, micros: i64) -> String {
    match Timestamp::from_microsecond(micros) {
        Ok(instant) if micros != i64::MAX => format::date(format::korean_time(instant).date(), call.lang),
        _ => call.say("진료가 끝날 때까지", "While the visit lasts").to_owned(),
    }
}

/// The switch for all who treat the patient.
fn everybody(call: &Call<'_>, switches: &[Switch]) -> Markup {
    let chosen = switches.iter().find(|switch| switch.institution.is_none()).map(|switch| &switch.choice);
    let permits = matches!(chosen, Some(Choice::Permit { .. }));
    let lang = call.lang;
    let field = Field::new("choice", call.say("나를 진료하는 모든 곳에", "To everybody who treats me"));
    let options = [
        (
            "permit",
            call.say(
                "보여주기 — 같은 검사를 또 하거나 함께 먹으면 안 되는 약을 처방받는 일이 줄어듭니다.",
                "Show — fewer repeated tests, and fewer medicines that do not go together.",
            ),
        ),
        (
            "none",
            call.say(
                "보여주지 않기 — 각 병원은 스스로 쓴 기록만 봅니다.",
                "Do not show — each sees only what it wrote itself.",
            ),
        ),
    ];
    let fields = html! {
        input type="hidden" name="institution" value="";
        (radios(&field, &options, Some(if permits { "permit" } else { "none" }), lang))
        fieldset .i-plain-fieldset {
            legend { (call.say("보여줄 때 빼고 싶은 기록", "Leave out, when shown")) }
            @for (code, ko, en) in CLASSES {
                @let name = format!("without-{code}");
                (checkbox(&Field::new(&name, lang.pick(ko, en)), "on", leaves_out(chosen, code), lang))
            }
        }
    };
    let actions = button(ButtonStyle::Primary, call.say("저장", "Save"));
    card_plain(form_post(PAGE, csrf(call), &fields, &actions))
}

fn leaves_out(choice: Option<&Choice>, code: &str) -> bool {
    matches!(choice, Some(Choice::Permit { without }) if without.iter().any(|left_out| left_out == code))
}

/// A switch for each institution.
fn each(
    call: &Call<'_>,
    names: &Names<'_, '_>,
    known: &[String],
    switches: &[Switch],
) -> Result<Markup, Refusal> {
    if known.is_empty() {
        return Ok(ieum_ui::empty(
            call.say("아직 진료한 기관이 없습니다.", "No institution has treated you yet."),
        ));
    }
    let options = [
        ("none", call.say("위에서 정한 대로", "As decided above")),
        ("permit", call.say("보여주기", "Show")),
        ("deny", call.say("보여주지 않기", "Do not show")),
    ];
    let mut rows = Vec::new();
    for (number, id) in known.iter().take(SHOWN).enumerate() {
        let name = names.of(id)?;
        let choice = switches.iter().find(|switch| switch.institution.as_ref() == Some(id));
        let chosen = match choice.map(|switch| &switch.choice) {
            Some(Choice::Permit { .. }) => "permit",
            Some(Choice::Deny) => "deny",
            None => "none",
        };
        let label = call.say(format!("{name}에 다른 병원의 기록을"), format!("To {name}, what others wrote"));
        let select_id = format!("choice-{number}");
        let field = Field::new(&select_id, &label);
        let control = select(&field, &options, Some(chosen), call.lang);
        let fields = html! { input type="hidden" name="institution" value=(id); (control) };
        let actions = button(ButtonStyle::Secondary, call.say("저장", "Save"));
        rows.push(card_plain(form_post(PAGE, csrf(call), &fields, &actions)));
    }
    let hint = call.say(
        "위에서 빼기로 한 기록은 여기서 보여주기를 골라도 빠집니다.",
        "What is left out above stays left out, also where something is shown here.",
    );
    Ok(html! { p { (hint) } @for row in &rows { (row) } })
}

/// When somebody broke the glass.
fn broken(call: &Call<'_>, told: &[(String, Review)]) -> Markup {
    let rows = told.iter().map(|(_, review)| {
        vec![
            html! { (format::fhir_date(&review.from, call.lang)) },
            html! { (review.reason) },
            state(call, review),
        ]
    });
    let columns = [
        column_keep(call.say("언제", "When")),
        column(call.say("적은 까닭", "The reason given")),
        column(call.say("검토", "Review")),
    ];
    let empty = call.say("응급 열람이 없었습니다.", "There was no emergency access.");
    let lead = call.say(
        "의식이 없을 때처럼 급하면 의료진이 까닭을 적고 기록을 볼 수 있습니다. 그때마다 여기에 남고, 그 기관의 개인정보 보호책임자가 모두 검토합니다.",
        "In an emergency a clinician may look after giving a reason. Each time is told here, and the institution's privacy officer reviews all of them.",
    );
    html! {
        p { (lead) }
        (Table { empty: Some(empty), ..Table::new(call.say("응급 열람", "Emergency access"), &columns, rows.collect()) }.html(call.lang))
    }
}

fn state(call: &Call<'_>, review: &Review) -> Markup {
    let badge = match review.state {
        State::Open => badge(Tone::Information, call.say("검토 중", "Under review")),
        State::Justified => badge(Tone::Success, call.say("필요했음", "Justified")),
        State::Unjustified => badge(Tone::Danger, call.say("필요하지 않았음", "Not justified")),
    };
    html! { (badge) @if let Some(note) = &review.note { p .i-small { (note) } } }
}

fn csrf<'c>(call: &'c Call<'_>) -> Option<&'c str> {
    call.session.as_ref().map(|session| session.csrf.as_str())
}
