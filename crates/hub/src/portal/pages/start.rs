//! The start page: what Ieum is, what can be tried here, how the hub is.

use ieum_trust::access::Role;
use ieum_ui::{ButtonStyle, Grid, Icon, Message, Tone, button_link, button_post, format, grid, section};
use maud::{Markup, html};

use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::routes;
use crate::status;

/// `/`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let title = call.say("흩어진 건강정보를 한곳에서 잇습니다", "Health information, joined in one place");
    let lead = html! { (call.say(
        "이음은 의료기관마다 흩어진 진료 기록을 국제표준(HL7 FHIR)으로 모아, 필요한 사람에게 필요한 만큼만 전하는 통합 건강정보 허브입니다. \
         기록을 바꾼 일은 모두 감사 기록에 남고, 거절된 시도도 남습니다.",
        "Ieum is a hub that joins the records of health care institutions in the international standard HL7 FHIR and \
         passes them on where they are needed, and nowhere else. Every change is written down, and so are refused attempts.",
    )) };
    let content = html! {
        (state(call)?)
        (section(heading(call), grid(Grid::Cards, roles(call))))
        (section(call.say("시스템과 개발자", "Systems and developers"), interface(call)))
    };
    Ok(call.page(Frame { lead: Some(lead), ..Frame::new(title, content) }))
}

fn heading(call: &Call<'_>) -> &'static str {
    if call.portal.is_open() {
        call.say("역할을 골라 들어가 보세요", "Choose a role and look around")
    } else {
        call.say("역할마다 첫 화면이 있습니다", "Each role has a home page")
    }
}

/// How the hub is, in one line. What it holds is told on open hubs only.
fn state(call: &Call<'_>) -> Result<Markup, Refusal> {
    let version = env!("CARGO_PKG_VERSION");
    let uptime = format::duration(call.portal.metrics().uptime().as_secs(), call.lang);
    let running = call.say(
        format!("정상 작동 중 · {uptime}째 · 버전 {version}"),
        format!("Running for {uptime} · version {version}"),
    );
    let held = if call.portal.is_open() {
        let census = status::census(call.portal)?;
        let count = |kind: &str| format::integer(census.kinds.get(kind).copied().unwrap_or(0));
        let all = format::integer(census.kinds.values().sum());
        call.say(
            format!(" · 환자 {}명, 기록 {all}건", count("Patient")),
            format!(" · {} patients, {all} records", count("Patient")),
        )
    } else {
        String::new()
    };
    let title = format!("{running}{held}");
    let body = html! {
        @if call.portal.is_demo() {
            p { (call.say("여기 있는 사람, 기관, 번호는 모두 지어낸 것입니다.",
                "All people, institutions and numbers here are made up.")) }
        }
    };
    Ok(Message { tone: Tone::Success, title: &title, body }.html(call.lang))
}

fn roles(call: &Call<'_>) -> Vec<Markup> {
    let cards = [
        (
            Role::Clinician,
            Icon::Search,
            call.say("의료진", "Clinician"),
            call.say(
                "이름, 초성(ㄱㅁㅅ), 환자번호, 생년월일로 환자를 찾아 진단·약·검사·진료 이력을 봅니다.",
                "Find a patient by name, initials (ㄱㅁㅅ), number or birth date; read problems, medicines, results and visits.",
            ),
        ),
        (
            Role::Patient,
            Icon::Person,
            call.say("본인(환자)", "Patient"),
            call.say(
                "내 진료, 약, 검사 결과, 예방접종을 쉬운 말로 봅니다. 다른 사람의 기록은 보이지 않습니다.",
                "Read your own visits, medicines, results and vaccinations in plain words, and nobody else's.",
            ),
        ),
        (
            Role::Operator,
            Icon::Vital,
            call.say("허브 운영자", "Operator"),
            call.say(
                "무엇이 얼마나 쌓였는지, 변경 흐름과 상태, 감사 기록을 봅니다. 환자 기록은 보이지 않습니다.",
                "See what the hub holds, its change feed, health and audit log; no patient's record.",
            ),
        ),
    ];
    cards.map(|(role, icon, title, text)| role_card(call, role, icon, title, text)).into()
}

fn role_card(call: &Call<'_>, role: Role, icon: Icon, title: &str, text: &str) -> Markup {
    html! {
        section .i-card .i-role {
            h3 .i-card__title { (icon.html()) (title) }
            p .i-soft { (text) }
            div .i-actions { (way_in(call, role)) }
        }
    }
}

fn way_in(call: &Call<'_>, role: Role) -> Markup {
    let label = match role {
        Role::Operator => call.say("운영자로 들어가기", "Enter as operator"),
        _ => call.say("의료진으로 들어가기", "Enter as clinician"),
    };
    match (call.role() == Some(role), call.portal.is_open(), role) {
        (true, _, _) => {
            let home = routes::home(role).unwrap_or("/");
            button_link(ButtonStyle::Primary, call.say("내 첫 화면으로", "To my home page"), home)
        }
        (false, true, Role::Patient) => button_link(
            ButtonStyle::Secondary,
            call.say("사람을 골라 들어가기", "Choose a person and enter"),
            "/enter",
        ),
        (false, true, _) => {
            let fields = [("role", role.name()), ("csrf", call.csrf())];
            button_post(ButtonStyle::Secondary, label, "/enter", &fields)
        }
        (false, false, _) => button_link(ButtonStyle::Secondary, call.say("로그인", "Sign in"), "/sign-in"),
    }
}

fn interface(call: &Call<'_>) -> Markup {
    let base = call.portal.hub().base_url();
    let command = format!("curl -s '{base}/Patient?name=ㄱㅁㅅ&_count=3'");
    html! {
        p { (call.say(
            "같은 기록을 HL7 FHIR R4 (KR Core) 인터페이스로 읽고 쓸 수 있습니다. 어떤 기능이 있는지는 기능 명세가 알려 줍니다.",
            "The same records are read and written through the HL7 FHIR R4 (KR Core) interface. Its capability statement tells what it can do.",
        )) }
        div .i-code {
            pre tabindex="0" role="region" aria-label=(call.say("명령 예", "Example command")) { code #example { (command) } }
            button .krds-btn .small .tertiary type="button" hidden data-copy="example"
                data-copied=(call.say("복사했습니다", "Copied")) { (call.say("복사", "Copy")) }
        }
        @if !call.portal.is_open() {
            p .i-small .i-soft { (call.say("요청에는 계정의 비밀값을 붙입니다: ", "Requests carry the account's secret: "))
                code { "-H 'Authorization: Bearer …'" } }
        }
        div .i-actions {
            a .krds-btn .medium .secondary href="/fhir/metadata" { (Icon::Document.html())
                (call.say("기능 명세 (/fhir/metadata)", "Capability statement (/fhir/metadata)")) }
        }
        p .i-small .i-soft { (call.say("설명서는 저장소의 ", "The documentation is in the repository's "))
            code { "docs/" } (call.say(" 폴더에 있습니다.", " folder.")) }
    }
}
