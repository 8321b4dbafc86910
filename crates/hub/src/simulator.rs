//! `ieum simulator`: a relay of identity checks that is none (가상). It behaves like one - a signed question, a page on which
//! the person says yes or no, a sealed result that is given once and ends - and says on every page that nobody is proven
//! by it. On its page the person also chooses how it misbehaves, for trying out what the hub does then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ieum_store::clock::Clock;
use ieum_trust::identity::{Checked, Kind, sealed};
use ieum_ui::{
    ButtonStyle, Field, InputKind, Lang, Message, Page, Tone, assets, button, card_plain, form_post, radios,
    text_input,
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use crate::identity::{SIGNATURE, Said, is_signed};

/// Transactions kept; the oldest makes room.
const MOST: usize = 1_000;
/// Seconds that one waits for the person, and then for the hub.
const GOOD_SECONDS: i64 = 600;

#[derive(Clone)]
struct Simulator(Arc<Inner>);

struct Inner {
    origin: String,
    key: String,
    clock: Clock,
    open: Mutex<HashMap<String, Transaction>>,
}

struct Transaction {
    kind: Kind,
    request: String,
    back: String,
    began: i64,
    said: Outcome,
}

enum Outcome {
    Waits,
    Refused,
    Sealed(Vec<u8>),
}

#[derive(Deserialize)]
struct Question {
    kind: Kind,
    request: String,
    back: String,
}

#[derive(Deserialize)]
struct Asked {
    transaction: String,
    request: String,
}

/// What the person says on the page.
#[derive(Deserialize)]
struct Answered {
    answer: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    birth: String,
    #[serde(default)]
    sex: String,
    #[serde(default)]
    mobile: String,
}

/// The relay, reached at this origin, known to the hub by this key.
pub fn router(origin: &str, key: &str, clock: Clock) -> Router {
    let (origin, key) = (origin.to_owned(), key.to_owned());
    let simulator = Simulator(Arc::new(Inner { origin, key, clock, open: Mutex::default() }));
    Router::new()
        .route("/requests", post(begin))
        .route("/results", post(result))
        .route("/pages/{transaction}", get(page).post(answer))
        .route("/assets/{name}", get(asset))
        // Where the links of the frame lead: there is nothing but transactions.
        .route("/", get(async || over()))
        .with_state(simulator)
}

impl Simulator {
    fn now(&self) -> i64 {
        (self.0.clock)().div_euclid(1_000_000)
    }

    /// Those that are not over.
    fn open(&self) -> MutexGuard<'_, HashMap<String, Transaction>> {
        let now = self.now();
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, one| now - one.began < GOOD_SECONDS);
        open
    }

    /// A question that the hub signed.
    fn signed<T: serde::de::DeserializeOwned>(&self, headers: &HeaderMap, body: &[u8]) -> Option<T> {
        let signature = headers.get(SIGNATURE)?.to_str().ok()?;
        is_signed(&self.0.key, body, signature).then(|| serde_json::from_slice(body).ok())?
    }
}

async fn begin(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(question) = simulator.signed::<Question>(&headers, &body) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(name) = random() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let Question { kind, request, back } = question;
    let (began, said) = (simulator.now(), Outcome::Waits);
    let mut open = simulator.open();
    if open.len() >= MOST
        && let Some(oldest) = open.iter().min_by_key(|(_, one)| one.began).map(|(name, _)| name.clone())
    {
        open.remove(&oldest);
    }
    open.insert(name.clone(), Transaction { kind, request, back, began, said });
    let page = format!("{}/pages/{name}", simulator.0.origin);
    answer_json(&json!({ "transaction": name, "page": page }))
}

async fn result(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(asked) = simulator.signed::<Asked>(&headers, &body) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let mut open = simulator.open();
    let known = open.get(&asked.transaction).filter(|one| one.request == asked.request);
    match known.map(|one| &one.said) {
        None => StatusCode::GONE.into_response(),
        Some(Outcome::Waits) => StatusCode::ACCEPTED.into_response(),
        Some(Outcome::Refused) => {
            open.remove(&asked.transaction);
            StatusCode::FORBIDDEN.into_response()
        }
        // Given once.
        Some(Outcome::Sealed(sealed)) => {
            let sealed = STANDARD.encode(sealed);
            open.remove(&asked.transaction);
            answer_json(&json!({ "sealed": sealed }))
        }
    }
}

async fn page(State(simulator): State<Simulator>, Path(name): Path<String>) -> Response {
    match simulator.open().get(&name) {
        Some(one) => shown(StatusCode::OK, one.kind, &form(&name, None)),
        None => over(),
    }
}

async fn answer(
    State(simulator): State<Simulator>,
    Path(name): Path<String>,
    Form(answered): Form<Answered>,
) -> Response {
    let now = simulator.now();
    let mut open = simulator.open();
    let Some(one) = open.get_mut(&name) else { return over() };
    one.said = match (answered.answer.as_str(), said(one.kind, &answered, now)) {
        ("refuse", _) => Outcome::Refused,
        (_, None) => {
            return shown(StatusCode::UNPROCESSABLE_ENTITY, one.kind, &form(&name, Some(&answered)));
        }
        ("leave", _) => Outcome::Waits,
        (how, Some(said)) => {
            // Sealed for another transaction, as if an earlier result were played again.
            let about = if how == "replay" { "another" } else { name.as_str() };
            let text = serde_json::to_vec(&said).unwrap_or_default();
            let sealed = sealed::seal(simulator.0.key.as_bytes(), (about, &one.request), &text);
            let Ok(mut sealed) = sealed else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
            if let Some(last) = sealed.last_mut().filter(|_| how == "tamper") {
                *last ^= 1;
            }
            Outcome::Sealed(sealed)
        }
    };
    Redirect::to(&one.back).into_response()
}

/// Who the person says they are; `None` when something is missing.
fn said(kind: Kind, answered: &Answered, now: i64) -> Option<Said> {
    let name = answered.name.trim();
    let birth_date = answered.birth.parse().ok()?;
    let sex = Some(answered.sex.as_str()).filter(|sex| matches!(*sex, "male" | "female"))?;
    let mobile: String = answered.mobile.chars().filter(char::is_ascii_digit).take(15).collect();
    // The same person has the same CI, and nobody has a real one.
    let ci = STANDARD.encode(Sha512::digest(format!("simulated {name} {birth_date} {sex}")));
    let (name, sex) = (Some(name).filter(|name| !name.is_empty())?.to_owned(), sex.to_owned());
    let mobile = Some(mobile).filter(|mobile| !mobile.is_empty());
    let who = Checked { kind, name, birth_date, sex, foreign: false, mobile, ci: Some(ci) };
    Some(Said { at: now, who })
}

fn form(name: &str, wrong: Option<&Answered>) -> Markup {
    let lang = Lang::Ko;
    let field = |name: &'static str, label: &'static str| Field { required: true, ..Field::new(name, label) };
    let kept = |of: fn(&Answered) -> &str| wrong.map_or("", of);
    let choices = [
        ("confirm", "확인합니다"),
        ("refuse", "거절합니다"),
        ("leave", "끝내지 않고 돌아갑니다 (시험)"),
        ("tamper", "결과를 변조합니다 (시험)"),
        ("replay", "다른 거래의 결과를 보냅니다 (시험)"),
    ];
    let fields = html! {
        (text_input(&field("name", "이름"), InputKind::Text, kept(|it| &it.name), "off", lang))
        (text_input(&field("birth", "생년월일"), InputKind::Date, kept(|it| &it.birth), "off", lang))
        (radios(&field("sex", "성별"), &[("female", "여"), ("male", "남")], Some(kept(|it| &it.sex)), lang))
        (text_input(&Field::new("mobile", "휴대전화번호"), InputKind::Telephone, kept(|it| &it.mobile), "off", lang))
        (radios(&field("answer", "어떻게 답할까요?"), &choices, Some("confirm"), lang))
    };
    let done = button(ButtonStyle::Primary, "보내기");
    html! {
        @if wrong.is_some() {
            (Message { tone: Tone::Danger, title: "이름, 생년월일, 성별을 모두 넣으세요.", body: html! {} }.html(lang))
        }
        (card_plain(form_post(&format!("/pages/{name}"), None, &fields, &done)))
    }
}

fn over() -> Response {
    let content = Message {
        tone: Tone::Warning,
        title: "이 거래는 끝났습니다. 이음에서 처음부터 다시 하세요.",
        body: html! {},
    };
    shown(StatusCode::GONE, Kind::Simple, &content.html(Lang::Ko))
}

/// A page that says what it is.
fn shown(status: StatusCode, kind: Kind, content: &Markup) -> Response {
    let title = match kind {
        Kind::Simple => "가상 간편인증",
        Kind::Phone => "가상 본인확인",
        Kind::Certificate => "가상 인증서 로그인",
    };
    let warning = Message {
        tone: Tone::Warning,
        title: "가상입니다. 실제 인증기관이 아니며, 누구도 증명하지 않습니다. 실제 개인정보를 넣지 마세요.",
        body: html! {},
    };
    let page = Page {
        banner: None,
        lang: Lang::Ko,
        title,
        lead: None,
        actions: None,
        path: "/",
        demo: true,
        home: "/",
        nav: &[],
        viewer: None,
        trail: None,
        flash: Some(warning),
        footer: &[],
        content: content.clone(),
    };
    // The form leads back to the hub, which `form-action` of the hub's own pages would not allow.
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, page.html().into_string()).into_response()
}

async fn asset(Path(name): Path<String>) -> Response {
    match assets::get(&name) {
        Some(asset) => ([(header::CONTENT_TYPE, asset.content_type)], asset.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer_json(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
