//! What all pages have around their own content: the menu of the role, who is signed in, the language switch.

use axum::http::StatusCode;
use ieum_trust::access::{Behalf, Role};
use ieum_ui::{ButtonStyle, Crumb, Lang, Message, NavItem, Page, Viewer, button_post};
use maud::{Markup, html};

use super::call::{Call, Reply};
use super::record::load;
use super::routes;

/// A page's own parts.
pub(crate) struct Frame<'a> {
    /// The heading.
    pub(crate) title: &'a str,
    /// A sentence under it.
    pub(crate) lead: Option<Markup>,
    /// Buttons beside it.
    pub(crate) actions: Option<Markup>,
    /// Steps between home and this page; `None` on homes.
    pub(crate) trail: Option<&'a [Crumb<'a>]>,
    /// What came of what the reader just did.
    pub(crate) flash: Option<Message<'a>>,
    /// The content.
    pub(crate) content: Markup,
}

impl<'a> Frame<'a> {
    /// A page of heading and content.
    pub(crate) fn new(title: &'a str, content: Markup) -> Self {
        Self { title, lead: None, actions: None, trail: None, flash: None, content }
    }
}

impl Call<'_> {
    /// The page as an answer.
    pub(crate) fn page(&self, frame: Frame<'_>) -> Reply {
        self.page_with(StatusCode::OK, frame)
    }

    /// The page as an answer with another status.
    pub(crate) fn page_with(&self, status: StatusCode, frame: Frame<'_>) -> Reply {
        Reply::Page(status, self.framed(frame))
    }

    /// The page that leads on by itself, to there.
    pub(crate) fn onward(&self, to: String, frame: Frame<'_>) -> Reply {
        self.onward_with(to, frame, Vec::new())
    }

    /// The same, with cookies set on the way.
    pub(crate) fn onward_with(&self, to: String, frame: Frame<'_>, cookies: Vec<String>) -> Reply {
        Reply::Onward(to, self.framed(frame), cookies)
    }

    fn framed(&self, frame: Frame<'_>) -> Markup {
        let lang = self.lang;
        let role = self.role();
        let path = self.address.split('?').next().unwrap_or("/");
        let behalf = self.behalf();
        let entries = menu(role).iter().filter(|(href, ..)| behalf.is_none_or(|behalf| is_for(behalf, href)));
        let nav: Vec<NavItem<'_>> = entries
            .map(|(href, ko, en)| NavItem { label: lang.pick(ko, en), href, current: is_under(path, href) })
            .collect();
        let name = self.viewer_name(role);
        let viewer = self.session.as_ref().map(|session| Viewer {
            name: &name,
            role: match behalf {
                Some(_) => self.say("대리인", "Representative"),
                None => role.map_or("", |role| role_word(role, lang)),
            },
            own: session.person().map(|_| (self.say("내 로그인", "My log-in"), "/my-login")),
            sign_out: "/sign-out",
            csrf: Some(&session.csrf),
        });
        let page = Page {
            lang,
            title: frame.title,
            lead: frame.lead,
            actions: frame.actions,
            path: self.address,
            demo: self.portal.is_demo(),
            home: role.and_then(routes::home).unwrap_or("/"),
            nav: &nav,
            viewer,
            banner: behalf.map(|_| (self.say("누구를 대신하는지", "For whom you act"), self.acting())),
            trail: frame.trail,
            flash: frame.flash,
            footer: &[NavItem {
                label: lang.pick("근거 법령", "The law behind it"),
                href: "/law",
                current: path == "/law",
            }],
            content: frame.content,
        };
        page.html()
    }

    /// For whom whoever is signed in acts, with the way back.
    fn acting(&self) -> Markup {
        let patient = self.access().ok().and_then(|access| access.patient.as_deref());
        let person = patient.and_then(|id| load::person(&self.view().ok()?, id).ok());
        let name = person.map_or_else(String::new, |person| person.name(self.lang).to_owned());
        html! {
            p { strong { (self.say(format!("{name} 님을 대신하여 보고 있습니다."), format!("You are acting for {name}."))) } }
            (button_post(ButtonStyle::Secondary, self.say("내 화면으로", "Back to myself"), "/representing/stop", &[("csrf", self.csrf())]))
        }
    }

    fn viewer_name(&self, role: Option<Role>) -> String {
        let given = self.session.as_ref().and_then(|session| session.name.clone());
        given.unwrap_or_else(|| match role {
            Some(Role::Clinician) => self.say("체험 의료진", "Demo clinician").to_owned(),
            Some(Role::Operator) => self.say("체험 운영자", "Demo operator").to_owned(),
            _ => self.say("체험 사용자", "Demo user").to_owned(),
        })
    }
}

/// What a role is called.
pub(crate) fn role_word(role: Role, lang: Lang) -> &'static str {
    match role {
        Role::Clinician => lang.pick("의료진", "Clinician"),
        Role::Patient => lang.pick("본인", "Patient"),
        Role::Operator => lang.pick("운영자", "Operator"),
        Role::Manager => lang.pick("기관 관리자", "Institution manager"),
        Role::Privacy => lang.pick("개인정보 보호책임자", "Privacy officer"),
        Role::Service => lang.pick("시스템", "System"),
        Role::Open => lang.pick("누구나", "Anybody"),
    }
}

/// The main menu of a role: address, Korean, English.
fn menu(role: Option<Role>) -> &'static [(&'static str, &'static str, &'static str)] {
    match role {
        Some(Role::Clinician) => &[
            ("/patients", "환자 찾기", "Find a patient"),
            ("/presence", "내원 확인", "Presence"),
            ("/emergency", "응급 열람", "Emergency access"),
            ("/my-apps", "연결된 앱", "Connected apps"),
        ],
        Some(Role::Patient) => &[
            ("/me", "내 건강기록", "My health record"),
            ("/me/visits", "진료", "Visits"),
            ("/me/medicines", "약", "Medicines"),
            ("/me/results", "검사", "Tests"),
            ("/me/vitals", "혈압·체중", "Blood pressure, weight"),
            ("/me/immunisations", "예방접종", "Vaccinations"),
            ("/me/documents", "문서·영상", "Documents"),
            ("/me/visit", "병원에서", "At an institution"),
            ("/me/sharing", "기록 공개 설정", "Who sees it"),
            ("/me/representatives", "대리인", "Representatives"),
            ("/me/transfers", "정보 전송", "Sending"),
            ("/my-apps", "연결된 앱", "Connected apps"),
        ],
        Some(Role::Operator) => &[
            ("/operator", "운영 현황", "Overview"),
            ("/operator/jobs", "작업", "Jobs"),
            ("/operator/subscriptions", "구독", "Subscriptions"),
            ("/operator/feed", "변경 흐름", "Change feed"),
            ("/operator/audit", "감사 기록", "Audit log"),
            ("/operator/statements", "느린 질의", "Slow statements"),
        ],
        Some(Role::Manager) => {
            &[("/manager", "직원", "Staff"), ("/manager/clients", "앱과 시스템", "Apps and systems")]
        }
        Some(Role::Privacy) => &[
            ("/privacy", "들어올 수 있는 사람", "Who may enter"),
            ("/privacy/reviews", "응급 열람 검토", "Emergency access"),
            ("/privacy/representatives", "대리인 확인", "Representatives"),
            ("/privacy/transfers", "전송 요구", "Requests to send"),
        ],
        _ => &[],
    }
}

/// Whether a menu entry of the patient's is one for whoever represents them too.
fn is_for(behalf: &Behalf, href: &str) -> bool {
    match href {
        "/me/sharing" | "/me/visit" | "/me/transfers" => behalf.consents,
        "/me/representatives" => false,
        _ => true,
    }
}

/// Whether a page lies under a menu entry. A role's home is current only itself when others lie beside it.
fn is_under(path: &str, href: &str) -> bool {
    let below = path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/'));
    // Accounts of the staff lie under the manager's home and are its own.
    let is_beside = path.starts_with("/manager/clients") && href == "/manager";
    path == href || (below && !is_beside && !matches!(href, "/me" | "/operator" | "/privacy"))
}
