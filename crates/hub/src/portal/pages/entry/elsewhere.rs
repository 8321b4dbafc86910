//! Logging in at a provider elsewhere (OpenID Connect, code flow): somebody is sent there, and comes back with a code.
//!
//! They are sent from four places: to enter, to set up a first entry, to show again who they are, and to link who they are
//! there to who they are here. What it was for stands in a cookie of ten minutes, beside something random; the `state`
//! that goes along is a challenge signed for the provider and that cookie, so that an answer counts in the browser that
//! asked, for what it asked, from whom it asked, once. Nonce and PKCE verifier are derived from it: nothing is stored, and
//! nobody pushes out others' by asking for many.
//!
//! Who comes back comes from another site, without the session's cookie (`SameSite=Strict`): [`arrive`] leads on to
//! [`finish`], which has it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_fhir::outcome::Code;
use ieum_store::commit::CommitError;
use ieum_trust::federation::id_token::Shown;
use ieum_trust::person::Issuer;
use ieum_trust::person::entry::{self, Elsewhere, Entered, Way};
use ieum_trust::person::keep::{self, Unique};
use ieum_trust::person::link::Link;

use super::{browser, from, let_in_shown, second};
use crate::federation::{Known, Question};
use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::challenges::Challenges;
use crate::portal::cookies;
use crate::portal::pages::my_login::change::goes_on;
use crate::portal::pages::sign_in::local;
use crate::portal::session::{Standing, random};

pub(crate) mod words;

/// Bytes of a code that are looked at.
const CODE_BYTES: usize = 2048;

/// What somebody is sent to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Enter,
    SetUp,
    Confirm,
    Link,
}

impl What {
    const ALL: [Self; 4] = [Self::Enter, Self::SetUp, Self::Confirm, Self::Link];

    fn name(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::SetUp => "set-up",
            Self::Confirm => "confirm",
            Self::Link => "link",
        }
    }

    /// What audit entries call it.
    fn action(self) -> &'static str {
        match self {
            Self::Enter => "sign-in",
            Self::SetUp => "first-entry",
            Self::Confirm => "confirm",
            Self::Link => "provider-link",
        }
    }
}

/// What a browser was sent with: what for, the number of its session if it had one, where to go afterwards, and something
/// random.
struct Sent<'c> {
    whole: &'c str,
    what: What,
    session: &'c str,
    next: &'c str,
}

impl<'c> Sent<'c> {
    fn of(call: &'c Call<'_>) -> Option<Self> {
        let whole = call.elsewhere.as_deref()?;
        let mut parts = whole.split(':');
        let (Some(what), Some(session), Some(next), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let what = What::ALL.into_iter().find(|known| known.name() == what)?;
        Some(Self { whole, what, session, next })
    }
}

fn purpose(provider: &str, sent: &str) -> String {
    format!("elsewhere {provider} {sent}")
}

/// The issuers by which people may enter now.
pub(crate) fn issuers<'c>(call: &'c Call<'_>) -> Vec<Issuer<'c>> {
    call.portal.hub().federation().map(|federation| federation.issuers()).unwrap_or_default()
}

/// The providers by which people may enter now.
pub(crate) fn providers<'c>(call: &'c Call<'_>) -> &'c [Known] {
    call.portal.hub().federation().map_or(&[], |federation| federation.providers())
}

/// `POST /sign-in/with/{provider}`
pub(crate) fn enter(call: &Call<'_>) -> Result<Reply, Refusal> {
    send(call, What::Enter, local(call.field("next")).unwrap_or(""))
}

/// `POST /set-up/with/{provider}`: where logging in is two factors.
pub(crate) fn set_up(call: &Call<'_>) -> Result<Reply, Refusal> {
    suffices(call)?;
    send(call, What::SetUp, "")
}

/// `POST /confirm/with/{provider}`: the same.
pub(crate) fn confirm(call: &Call<'_>) -> Result<Reply, Refusal> {
    suffices(call)?;
    send(call, What::Confirm, local(call.field("next")).unwrap_or(""))
}

/// `POST /my-login/links/with/{provider}`
pub(crate) fn link(call: &Call<'_>) -> Result<Reply, Refusal> {
    known(call)?;
    call.fresh("/my-login")?;
    send(call, What::Link, "")
}

fn known<'c>(call: &'c Call<'_>) -> Result<&'c Known, Refusal> {
    let federation = call.portal.hub().federation().ok_or(Refusal::NotFound)?;
    federation.find(call.place.first()).ok_or(Refusal::NotFound)
}

fn suffices(call: &Call<'_>) -> Result<(), Refusal> {
    if known(call)?.provider.two_factors { Ok(()) } else { Err(Refusal::NotFound) }
}

fn number<'c>(call: &'c Call<'_>) -> &'c str {
    call.session.as_ref().map_or("", |session| session.number.as_str())
}

fn send(call: &Call<'_>, what: What, next: &str) -> Result<Reply, Refusal> {
    let (known, now) = (known(call)?, call.micros());
    let challenges = call.portal.challenges();
    let session = if what == What::Enter { "" } else { number(call) };
    let sent = format!("{}:{session}:{next}:{}", what.name(), &random()?[..32]);
    let state = challenges.ask(&purpose(&known.provider.id, &sent), now)?;
    let question = Question {
        state: &state,
        nonce: &challenges.derived("nonce", &state),
        verifier: &challenges.derived("verifier", &state),
        // To enter, being logged in there already is good; it then does not count as shown anew.
        anew: what != What::Enter,
        lang: call.lang,
    };
    match known.ask(&question, now.div_euclid(1_000_000)) {
        Ok(address) => {
            let cookie = cookies::elsewhere(call.portal, &sent);
            Ok(words::onward(call, address, Some(&known.provider), vec![cookie]))
        }
        Err(fault) => {
            tracing::warn!(provider = %known.provider.id, error = %fault, "nobody can be sent to a provider");
            failed(call, (what, known), words::Trouble::of(&fault))
        }
    }
}

/// `GET /sign-in/with/{provider}/return`: from another site, and on to where the session's cookie comes along.
pub(crate) fn arrive(call: &Call<'_>) -> Result<Reply, Refusal> {
    let known = known(call)?;
    let names = ["code", "state", "iss", "error"];
    let pairs = names.iter().filter_map(|name| call.some(name).map(|value| (*name, value)));
    let to = with_pairs(&format!("/sign-in/with/{}/finish", known.provider.id), pairs);
    Ok(words::onward(call, to, None, Vec::new()))
}

/// `GET /sign-in/with/{provider}/finish`
pub(crate) fn finish(call: &Call<'_>) -> Result<Reply, Refusal> {
    let known = known(call)?;
    let now = call.micros();
    if let Some(seconds) = call.portal.passwords().wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    let Some((sent, state)) = taken(call, known, now) else {
        return failed(call, (What::Enter, known), words::Trouble::State);
    };
    let about = (sent.what, known);
    // Who answers must be who was asked (RFC 9207), also when it says no.
    let iss = call.some("iss");
    if iss.is_some_and(|iss| iss != known.provider.issuer) || (iss.is_none() && known.names_itself()) {
        return failed(call, about, words::Trouble::Proof);
    }
    let code = call.value("code");
    if call.some("error").is_some() || code.is_empty() || code.len() > CODE_BYTES {
        return failed(call, about, words::Trouble::Denied);
    }
    let challenges = call.portal.challenges();
    let (nonce, verifier) = (challenges.derived("nonce", state), challenges.derived("verifier", state));
    let asked = Challenges::asked_at(&URL_SAFE_NO_PAD.decode(state).unwrap_or_default());
    let since = (sent.what != What::Enter).then(|| asked.div_euclid(1_000_000));
    match known.shown((code, &verifier), (&nonce, since), now.div_euclid(1_000_000)) {
        Ok(shown) => proven(call, &sent, known, &shown),
        Err(fault) => {
            tracing::warn!(provider = %known.provider.id, error = %fault, "a log-in elsewhere was not taken");
            failed(call, about, words::Trouble::of(&fault))
        }
    }
}

/// What this browser was sent with, and the state that has come back; each counts once, in the session that asked.
fn taken<'c>(call: &'c Call<'_>, known: &Known, now: i64) -> Option<(Sent<'c>, &'c str)> {
    let (sent, state) = (Sent::of(call)?, call.value("state"));
    let challenge = URL_SAFE_NO_PAD.decode(state).ok()?;
    let challenges = call.portal.challenges();
    let is_ours = challenges.is_ours(&purpose(&known.provider.id, sent.whole), &challenge, now)
        && (sent.what == What::Enter || sent.session == number(call))
        && challenges.take(&challenge, now);
    is_ours.then_some((sent, state))
}

fn proven(call: &Call<'_>, sent: &Sent<'_>, known: &Known, shown: &Shown) -> Result<Reply, Refusal> {
    match sent.what {
        What::Enter => entered(call, sent, known, shown),
        What::SetUp => first_entry(call, known, shown),
        What::Confirm => confirmed(call, sent, known, shown),
        What::Link => linked(call, known, shown),
    }
}

fn entered(call: &Call<'_>, sent: &Sent<'_>, known: &Known, shown: &Shown) -> Result<Reply, Refusal> {
    let (door, browser, now) = (call.portal.hub().door(), browser(call)?, call.micros());
    let provider = &known.provider;
    let way = (provider.id.as_str(), provider.two_factors);
    match entry::by_provider(door, &shown.identity, way, &browser, now)? {
        Elsewhere::Entered(entered) => let_in_shown(call, entered, &browser, sent.next, shown_at(shown, now)),
        Elsewhere::Half(person) => second::ask(call, &person, (&provider.id, &shown.identity), sent.next),
        Elsewhere::Unlinked => failed(call, (sent.what, known), words::Trouble::Unlinked),
        Elsewhere::Out(person) => {
            let target = format!("IeumPerson/{person} provider-{} {}", provider.id, from(call));
            door.note_person(None, "sign-in", &target, false)?;
            Ok(words::page(call, sent.what, provider, words::Trouble::Out))
        }
    }
}

/// When somebody logged in there; they may have been logged in for hours, which shows nothing anew.
fn shown_at(shown: &Shown, now: i64) -> i64 {
    shown.at.map_or(0, |at| at.saturating_mul(1_000_000)).clamp(0, now)
}

fn first_entry(call: &Call<'_>, known: &Known, shown: &Shown) -> Result<Reply, Refusal> {
    let Some(Standing::Invited { account, invitation, .. }) = call.session.as_ref().map(|it| &it.standing)
    else {
        return Err(Refusal::SignIn);
    };
    let (door, browser, now) = (call.portal.hub().door(), browser(call)?, call.micros());
    let link = Link { used: Some(now), ..Link::new(&known.provider.issuer, &shown.identity, now) };
    let done = keep::complete(door, (account, invitation), now, Some(Unique::Link(&link)), |person| {
        person.remember_browser(&browser);
    });
    let done = match done {
        Err(CommitError::Guard { .. }) => {
            return failed(call, (What::SetUp, known), words::Trouble::Taken);
        }
        done => done?,
    };
    // Used in another window, or withdrawn meanwhile: the session ends with the invitation.
    let kept = done.ok_or(Refusal::SignIn)?;
    let way = Way::Provider(known.provider.id.clone());
    let entered = Entered { person: kept.id, name: kept.value.name, generation: kept.value.generation, way };
    let_in_shown(call, entered, &browser, "/my-login", now)
}

fn confirmed(call: &Call<'_>, sent: &Sent<'_>, known: &Known, shown: &Shown) -> Result<Reply, Refusal> {
    let person = call.person()?;
    let kept = keep::read(call.portal.hub().door(), person)?.ok_or(Refusal::SignIn)?;
    if !kept.value.has_link(&shown.identity) {
        return failed(call, (What::Confirm, known), words::Trouble::Taken);
    }
    super::confirm::confirmed(call, &format!("provider-{}", known.provider.id), sent.next)
}

fn linked(call: &Call<'_>, known: &Known, shown: &Shown) -> Result<Reply, Refusal> {
    let (door, person, now) = (call.portal.hub().door(), call.person()?, call.micros());
    let target = format!("/my-login provider-{} {}", known.provider.id, from(call));
    let link = Link::new(&known.provider.issuer, &shown.identity, now);
    door.note_person(Some(person), "provider-link", &target, true)?;
    match keep::add_link(door, person, &link) {
        Ok(Some(generation)) => goes_on(call, generation, "linked"),
        // One of this provider is there already, or it is somebody else's.
        Ok(None) | Err(CommitError::Guard { .. }) => failed(call, (What::Link, known), words::Trouble::Taken),
        Err(error) => Err(error.into()),
    }
}

/// Nobody has entered: it is counted, written down with its code, and told with what to do.
fn failed(call: &Call<'_>, (what, known): (What, &Known), trouble: words::Trouble) -> Result<Reply, Refusal> {
    // Not what the hub or the provider could not do.
    if !matches!(trouble, words::Trouble::Unreachable | words::Trouble::Busy) {
        call.portal.passwords().failed(call.peer, call.micros());
    }
    let code = trouble.code().map_or("busy", Code::id);
    let target = format!("/{} provider-{} {code} {}", what.name(), known.provider.id, from(call));
    let person = call.person().ok().filter(|_| what != What::Enter);
    call.portal.hub().door().note_person(person, what.action(), &target, false)?;
    Ok(words::page(call, what, &known.provider, trouble))
}
