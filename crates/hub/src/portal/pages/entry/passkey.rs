//! Forms for passkeys. The page holds what a passkey is asked; `passkey.ts` asks it, puts the answer into the form and
//! sends it, like any other form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_trust::person::Person;
use ieum_trust::person::passkey::{ALGORITHMS, Fault, Made, Passkey, Used};
use ieum_ui::{ButtonStyle, Field, InputKind, button, text_input};
use maud::{Markup, html};

use crate::portal::call::{Call, Refusal};

/// What a passkey's form sent, decoded.
pub(crate) struct Answer {
    /// Id of the credential; empty when one was made.
    pub(crate) credential: Vec<u8>,
    client: Vec<u8>,
    data: Vec<u8>,
    signature: Vec<u8>,
}

impl Answer {
    /// What is in the form; `None` when it is not what the script sends.
    pub(crate) fn of(call: &Call<'_>) -> Option<Self> {
        let part = |name: &str| URL_SAFE_NO_PAD.decode(call.field(name)).ok();
        let answer = Self {
            credential: part("credential")?,
            client: part("client")?,
            data: part("data")?,
            signature: part("signature")?,
        };
        (!answer.client.is_empty() && !answer.data.is_empty()).then_some(answer)
    }

    /// The answer of a passkey that was used.
    pub(crate) fn used(&self) -> Used<'_> {
        Used { client: &self.client, authenticator: &self.data, signature: &self.signature }
    }

    /// The passkey that was made for a purpose, once its challenge is taken.
    pub(crate) fn register(&self, call: &Call<'_>, purpose: &str, name: &str) -> Result<Passkey, Fault> {
        let (site, now) = (call.portal.site().ok_or(Fault::Elsewhere)?, call.micros());
        let challenges = call.portal.challenges();
        let made = Made { client: &self.client, attestation: &self.data };
        Passkey::register(site, &made, name, now, |challenge| {
            challenges.is_ours(purpose, challenge, now) && challenges.take(challenge, now)
        })
    }
}

/// A form that uses a passkey: any of this site, or one of a person's.
pub(crate) fn form_use(
    call: &Call<'_>,
    action: &str,
    purpose: &str,
    person: Option<&Person>,
    next: Option<&str>,
) -> Result<Markup, Refusal> {
    let allow = person.map(known).unwrap_or_default();
    let label = call.say("패스키로 로그인", "Sign in with a passkey");
    let label =
        if person.is_some() { call.say("패스키로 확인", "Confirm with a passkey") } else { label };
    form(
        call,
        ("get", action, purpose),
        &allow,
        None,
        &html! {
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
        },
        label,
    )
}

/// A form that makes a passkey for a person.
pub(crate) fn form_make(
    call: &Call<'_>,
    action: &str,
    purpose: &str,
    (id, person): (&str, &Person),
) -> Result<Markup, Refusal> {
    let field = Field {
        hint: Some(call.say(
            "목록에서 알아볼 이름입니다. 예: 진료실 컴퓨터",
            "By what you will recognise it, such as “office computer”",
        )),
        ..Field::new("label", call.say("패스키 이름", "Name of the passkey"))
    };
    let fields = text_input(&field, InputKind::Text, &call.device, "off", call.lang);
    let label = call.say("패스키 만들기", "Make a passkey");
    form(call, ("create", action, purpose), &known(person), Some((id, person)), &fields, label)
}

/// The name that somebody gave a passkey, or what their browser is.
pub(crate) fn label(call: &Call<'_>) -> String {
    let given: String = call.field("label").trim().chars().filter(|c| !c.is_control()).take(40).collect();
    if given.is_empty() { call.device.clone() } else { given }
}

fn known(person: &Person) -> String {
    person.passkeys.iter().map(|passkey| passkey.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn form(
    call: &Call<'_>,
    (ceremony, action, purpose): (&str, &str, &str),
    known: &str,
    owner: Option<(&str, &Person)>,
    fields: &Markup,
    label: &str,
) -> Result<Markup, Refusal> {
    let Some(site) = call.portal.site() else {
        return Ok(html! { p .i-soft { (call.say(
            "이 허브는 이름이 아닌 번호 주소로 열려 있어 패스키를 쓸 수 없습니다.",
            "This hub is reached by a number, not a name, so passkeys cannot be used."))
        } });
    };
    let challenge = call.portal.challenges().ask(purpose, call.micros())?;
    let algorithms = ALGORITHMS.map(|algorithm| algorithm.to_string()).join(" ");
    let here = format!("{}{}", site.origin, call.address);
    let failed = call.say(
        "패스키를 쓰지 못했습니다. 취소했거나, 이 기기에 이 사이트의 패스키가 없습니다. 다시 하거나 다른 방법을 쓰세요.",
        "The passkey was not used: it was cancelled, or this device has none for this site. Try again, or use another way.",
    );
    Ok(html! {
        form .i-form method="post" action=(action) hidden data-passkey=(ceremony) data-challenge=(challenge)
            data-site=(site.id) data-origin=(site.origin) data-known=(known)
            data-algorithms=[owner.map(|_| algorithms)] data-owner=[owner.map(|(id, _)| URL_SAFE_NO_PAD.encode(id))]
            data-login=[owner.map(|(_, person)| person.login.as_str())]
            data-name=[owner.map(|(_, person)| person.name.as_str())] {
            @if !call.csrf().is_empty() { input type="hidden" name="csrf" value=(call.csrf()); }
            @for name in ["credential", "client", "data", "signature"] { input type="hidden" name=(name); }
            (fields)
            p .form-hint-invalid role="alert" hidden data-passkey-failed { (failed) }
            div .i-actions { (button(ButtonStyle::Primary, label)) }
        }
        p .i-soft hidden data-passkey-elsewhere {
            (call.say("패스키는 이 주소에서 쓸 수 있습니다: ", "Passkeys are good under this address: "))
            a href=(here) { (site.origin) }
        }
        p .i-soft hidden data-passkey-none { (call.say(
            "이 브라우저는 패스키를 쓸 수 없습니다.", "This browser cannot use passkeys.")) }
        noscript { p .i-soft { (call.say(
            "패스키를 쓰려면 스크립트를 켜야 합니다.", "Passkeys need scripts to be turned on.")) } }
    })
}

/// What is said of a passkey that was not taken.
pub(crate) fn fault_word(call: &Call<'_>, fault: Fault) -> &'static str {
    match fault {
        Fault::Challenge => call.say(
            "화면을 연 지 오래되었습니다. 다시 해 보세요.",
            "The page has been open for too long. Try again.",
        ),
        Fault::NotVerified => call.say(
            "패스키가 본인을 확인하지 않았습니다(PIN, 지문, 얼굴). 본인 확인이 되는 패스키를 쓰세요.",
            "The passkey did not check who you are (PIN, fingerprint, face). Use one that does.",
        ),
        Fault::Cloned => call.say(
            "이 패스키의 사용 횟수가 거꾸로 갔습니다. 복제되었을 수 있어 더는 받지 않습니다. 다른 방법으로 들어와 이 패스키를 지우세요.",
            "The counter of this passkey went back. It may have been copied and is not taken any more. Enter in another way and remove it.",
        ),
        Fault::Malformed | Fault::Elsewhere | Fault::Algorithm | Fault::Signature => call.say(
            "이 패스키를 받을 수 없습니다. 다른 방법을 쓰세요.",
            "This passkey cannot be taken. Use another way.",
        ),
    }
}
