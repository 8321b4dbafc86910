//! What the pages of one record share: whose it is, the header with what must not be overlooked, the tabs.

use ieum_fhir::json::Value;
use ieum_trust::door::View;
use ieum_ui::{
    ButtonStyle, Crumb, Lang, Tone, badge, button_link, button_print, card_plain, definitions,
    definitions_inline, disclosure, tab_links,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::alerts::Alerts;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::concept::hanja;
use crate::portal::record::fields::Moment;
use crate::portal::record::load;
use crate::portal::record::observation::Observation;
use crate::portal::record::person::{Number, Person};

/// A record as one reader sees it.
pub(super) struct Room<'c> {
    /// The request.
    pub(super) call: &'c Call<'c>,
    /// What the reader reaches.
    pub(super) view: View<'c>,
    /// Whose record it is.
    pub(super) person: Person,
    /// Where its pages are.
    pub(super) base: String,
    /// Whether the reader is the patient.
    pub(super) own: bool,
    /// What must not be overlooked.
    pub(super) alerts: Alerts,
}

/// A part of the record with a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Summary,
    Visits,
    Problems,
    Medicines,
    Results,
    Vitals,
    Immunisations,
    Documents,
}

impl Part {
    const ALL: [Self; 8] = [
        Self::Summary,
        Self::Visits,
        Self::Problems,
        Self::Medicines,
        Self::Results,
        Self::Vitals,
        Self::Immunisations,
        Self::Documents,
    ];

    /// The end of its address.
    const fn path(self) -> &'static str {
        match self {
            Self::Summary => "",
            Self::Visits => "/visits",
            Self::Problems => "/problems",
            Self::Medicines => "/medicines",
            Self::Results => "/results",
            Self::Vitals => "/vitals",
            Self::Immunisations => "/immunisations",
            Self::Documents => "/documents",
        }
    }

    /// What it is called.
    pub(super) fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Summary => lang.pick("요약", "Summary"),
            Self::Visits => lang.pick("진료 이력", "Visits"),
            Self::Problems => lang.pick("진단", "Problems"),
            Self::Medicines => lang.pick("약", "Medicines"),
            Self::Results => lang.pick("검사", "Results"),
            Self::Vitals => lang.pick("활력징후", "Vital signs"),
            Self::Immunisations => lang.pick("예방접종", "Vaccinations"),
            Self::Documents => lang.pick("문서·영상", "Documents"),
        }
    }

    /// What it is called to the patient themselves, and to whoever acts for them.
    fn own_word(self, lang: Lang, is_for_another: bool) -> &'static str {
        match self {
            _ if is_for_another => self.word(lang),
            Self::Summary => lang.pick("내 건강기록", "My health record"),
            Self::Visits => lang.pick("내가 받은 진료", "My visits"),
            Self::Problems => lang.pick("진단받은 병", "What I was diagnosed with"),
            Self::Medicines => lang.pick("내 약", "My medicines"),
            Self::Results => lang.pick("내 검사 결과", "My test results"),
            Self::Vitals => lang.pick("혈압·체중", "Blood pressure and weight"),
            Self::Immunisations => lang.pick("예방접종", "My vaccinations"),
            Self::Documents => lang.pick("문서와 영상", "Documents and images"),
        }
    }
}

impl<'c> Room<'c> {
    /// The record of the patient named in the address.
    pub(super) fn of_patient(call: &'c Call<'c>) -> Result<Self, Refusal> {
        let id = call.place.first().to_owned();
        Self::open(call, &id, format!("/patients/{id}"), false)
    }

    /// The reader's own record.
    pub(super) fn own(call: &'c Call<'c>) -> Result<Self, Refusal> {
        let id = call.access()?.patient.clone().ok_or(Refusal::NoRecord)?;
        Self::open(call, &id, "/me".to_owned(), true).map_err(|refusal| match refusal {
            Refusal::NotFound => Refusal::NoRecord,
            other => other,
        })
    }

    fn open(call: &'c Call<'c>, id: &str, base: String, own: bool) -> Result<Self, Refusal> {
        let view = call.view()?;
        let person = load::person(&view, id)?;
        let alerts = Alerts::read(call, &view, id)?;
        Ok(Self { call, view, person, base, own, alerts })
    }

    /// The language.
    pub(super) fn lang(&self) -> Lang {
        self.call.lang
    }

    /// One of two texts, by language.
    pub(super) fn say<T>(&self, ko: T, en: T) -> T {
        self.call.say(ko, en)
    }

    /// One of two texts, by who reads: clinicians, or the patient.
    pub(super) fn to<T>(&self, clinician: T, patient: T) -> T {
        if self.own { patient } else { clinician }
    }

    /// The address of a part.
    pub(super) fn href(&self, part: Part) -> String {
        format!("{}{}", self.base, part.path())
    }

    /// Parameters of a search on this patient's records.
    pub(super) fn of_person<'p>(&'p self, more: &[(&'p str, &'p str)]) -> Vec<(&'p str, &'p str)> {
        let mut pairs = vec![("patient", self.person.id.as_str())];
        pairs.extend_from_slice(more);
        pairs
    }

    /// Records of this patient, the newest first by a date parameter.
    pub(super) fn records<T>(
        &self,
        kind: &str,
        newest_by: &str,
        limit: usize,
        work: impl Fn(Value<'_>) -> T,
    ) -> Result<load::Found<T>, Refusal> {
        let sort = format!("-{newest_by}");
        load::records(self.call, &self.view, kind, &self.of_person(&[("_sort", &sort)]), limit, work)
    }

    /// The patient's measurements, judged with their age.
    pub(super) fn measurements(
        &self,
        more: &[(&str, &str)],
        limit: usize,
    ) -> Result<load::Found<Observation>, Refusal> {
        let born = self.born();
        let read = |value: Value<'_>| Observation::read(value, born);
        load::records(self.call, &self.view, "Observation", &self.of_person(more), limit, read)
    }

    /// The day of birth.
    pub(super) fn born(&self) -> Option<Date> {
        self.person.birth.as_ref().and_then(Moment::date)
    }

    /// A page of the record.
    pub(super) fn page(&self, part: Part, content: &Markup) -> Reply {
        self.page_below(part, None, content)
    }

    /// A page below a part: one test, one document.
    pub(super) fn page_below(&self, part: Part, below: Option<&str>, content: &Markup) -> Reply {
        if self.own { self.own_page(part, below, content) } else { self.patient_page(part, below, content) }
    }

    fn patient_page(&self, part: Part, below: Option<&str>, content: &Markup) -> Reply {
        let lang = self.lang();
        let name = self.person.name(lang);
        let whose = self.say(format!("{name} 님의 기록"), format!("Record of {name}"));
        let title = match (below, part) {
            (Some(below), _) => format!("{below} · {name}"),
            (None, Part::Summary) => whose.clone(),
            (None, part) => format!("{} · {name}", part.word(lang)),
        };
        let (record, of_part) = (self.href(Part::Summary), self.href(part));
        let mut trail = Vec::new();
        if part != Part::Summary {
            trail.push(Crumb { label: &whose, href: &record });
        }
        if below.is_some() {
            trail.push(Crumb { label: part.word(lang), href: &of_part });
        }
        let is_first = part == Part::Summary && below.is_none();
        let content = html! { (self.header(is_first)) (self.tabs(part)) (content) };
        let apps = format!("{record}/apps");
        let has_apps = self.call.portal.hub().authorization().is_some();
        let actions = Some(html! {
            @if has_apps { (button_link(ButtonStyle::Tertiary, self.say("앱", "Apps"), &apps)) }
            (button_print(lang))
        });
        self.call.page(Frame { trail: Some(&trail), actions, ..Frame::new(&title, content) })
    }

    fn own_page(&self, part: Part, below: Option<&str>, content: &Markup) -> Reply {
        let word = part.own_word(self.lang(), self.call.behalf().is_some());
        let title = below.unwrap_or(word);
        let of_part = self.href(part);
        let crumbs = [Crumb { label: word, href: &of_part }];
        let trail: Option<&[Crumb<'_>]> = match (part, below) {
            (Part::Summary, _) => None,
            (_, None) => Some(&[]),
            (_, Some(_)) => Some(&crumbs),
        };
        let actions = Some(button_print(self.lang()));
        self.call.page(Frame { trail, actions, ..Frame::new(title, content.clone()) })
    }

    fn tabs(&self, part: Part) -> Markup {
        let lang = self.lang();
        let links: Vec<(&str, String, bool)> =
            Part::ALL.into_iter().map(|other| (other.word(lang), self.href(other), other == part)).collect();
        let links: Vec<(&str, &str, bool)> =
            links.iter().map(|(word, href, current)| (*word, href.as_str(), *current)).collect();
        tab_links(self.say("기록의 부분", "Parts of the record"), &links)
    }

    /// Who it is, and what must not be overlooked. The first page has all of it, the others what fits in a few lines.
    fn header(&self, is_first: bool) -> Markup {
        let lang = self.lang();
        let person = &self.person;
        let age = person.age(self.call.today(), lang);
        let sex_age =
            [Some(person.sex(lang).to_owned()), age].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let mut rows = vec![
            (self.say("성별·나이", "Sex, age"), Some(html! { (sex_age) })),
            (self.say("생년월일", "Born"), self.birth()),
            (
                self.say("환자번호", "Patient number"),
                person.first_number().map(|number| html! { span .i-number { (number) } }),
            ),
        ];
        if is_first {
            let phone = person.phones.first().map(|phone| html! { span .i-number { (phone) } });
            rows.push((self.say("연락처", "Telephone"), phone));
        }
        card_plain(html! {
            (definitions_inline(&rows, lang))
            (self.marks(is_first))
            @if is_first {
                (disclosure(self.say("인적사항 모두 보기", "All personal details"), false, self.details()))
            }
        })
    }

    fn birth(&self) -> Option<Markup> {
        let pending = || self.person.birth_pending.then(|| self.say("확인 중", "Being verified").to_owned());
        let birth = self.person.birth.as_ref().map(|birth| birth.day(self.lang())).or_else(pending)?;
        Some(html! { (birth) })
    }

    /// Allergies first, then notes of safety, then death.
    fn marks(&self, is_first: bool) -> Markup {
        let lang = self.lang();
        html! {
            @if is_first { (self.alerts.allergies(lang)) } @else { (self.alerts.allergies_short(lang)) }
            (self.alerts.notes(lang))
            @if let Some(death) = &self.person.death {
                p { (badge(Tone::Neutral, self.say("사망", "Deceased"))) " "
                    @if let Some(death) = death { (death.day(lang)) } }
            }
        }
    }

    fn details(&self) -> Markup {
        let person = &self.person;
        let lines = |lines: Vec<Markup>| {
            (!lines.is_empty()).then(|| html! { ul { @for line in &lines { li { (line) } } } })
        };
        let number = |number: &Number| {
            html! {
                span .i-number { (number.value) } @if let Some(place) = &number.place { " " span .i-soft .i-small { (place) } }
            }
        };
        let contact = |contact: &crate::portal::record::person::Contact| {
            html! {
                (contact.name) @if let Some(relation) = &contact.relation { " (" (relation) ")" }
                @if let Some(phone) = &contact.phone { " " span .i-number { (phone) } }
            }
        };
        let rows = [
            (
                self.say("다른 표기", "Other spellings"),
                lines(person.other_names.iter().map(|name| hanja(name)).collect()),
            ),
            (self.say("환자번호", "Patient numbers"), lines(person.numbers.iter().map(number).collect())),
            (
                self.say("주민·외국인등록번호", "Registration number"),
                person.registration.as_ref().map(|number| html! { span .i-number { (number) } }),
            ),
            (self.say("주소", "Address"), person.address.as_ref().map(|address| html! { (address) })),
            (
                self.say("연락처", "Telephone"),
                lines(person.phones.iter().map(|phone| html! { (phone) }).collect()),
            ),
            (
                self.say("보호자·가족", "Guardian, family"),
                lines(person.contacts.iter().map(contact).collect()),
            ),
        ];
        definitions(&rows, self.lang())
    }
}
