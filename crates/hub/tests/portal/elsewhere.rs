//! Log-in at providers elsewhere: entering, linking, what is refused and what is said then. What a token must hold is
//! tested in `crates/trust/src/federation`.

use std::os::unix::fs::PermissionsExt as _;

use ieum::federation::{Federation, FederationError};
use ieum::percent;
use ieum::secret_file::SecretFileError;
use ieum_trust::access::{Access, Role};
use ieum_trust::federation::Provider;
use ieum_trust::person::{State, keep};
use serde_json::json;

use crate::people::Human;
use crate::support::{Portal, Reply, Visitor};

mod provider;

use provider::Elsewhere;

/// A portal with these providers.
fn portal(providers: &[Provider]) -> (Portal, tempfile::TempDir) {
    let (portal, directory) = (Portal::with_accounts(), tempfile::tempdir().unwrap());
    Federation::start(&portal.hub, directory.path(), providers).unwrap();
    (portal, directory)
}

/// Somebody who has been sent to a provider: where, and with which cookies they come back.
struct Sent {
    address: String,
    visitor: Visitor,
}

impl Sent {
    fn state(&self) -> String {
        let pairs = percent::pairs(self.address.split_once('?').unwrap().1).unwrap();
        pairs.into_iter().find(|pair| pair.0 == "state").unwrap().1
    }
}

impl Portal {
    fn send(&self, visitor: &Visitor, path: &str, form: &str) -> Sent {
        let reply = self.post(visitor, path, form).expect(200);
        let address = onward(&reply);
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        assert!(reply.header("set-cookie").contains("; Max-Age=600; HttpOnly; SameSite=Lax"));
        let cookie = format!("{}; {cookie}", visitor.cookie);
        Sent { address, visitor: Visitor { cookie, csrf: visitor.csrf.clone() } }
    }

    fn seconds(&self) -> i64 {
        self.now().div_euclid(1_000_000)
    }

    /// Comes back to a provider's address with these parameters.
    fn back(&self, visitor: &Visitor, id: &str, pairs: &[(&str, &str)]) -> Reply {
        let path = percent::with_pairs(&format!("/sign-in/with/{id}/return"), pairs.iter().copied());
        // From another site: without the session.
        let reply = self.get(&Visitor::default(), &path).expect(200);
        self.get(visitor, &onward(&reply))
    }

    /// Logs in at a provider, and comes back.
    fn returned(&self, elsewhere: &Elsewhere, sent: &Sent, subject: &str) -> Reply {
        let code = elsewhere.log_in(&sent.address, subject, self.seconds());
        let pairs = [("code", code.as_str()), ("state", &sent.state()), ("iss", &elsewhere.issuer)];
        self.back(&sent.visitor, "test", &pairs)
    }

    fn enter_elsewhere(&self, elsewhere: &Elsewhere, subject: &str) -> Reply {
        let sent = self.send(&Visitor::default(), "/sign-in/with/test", "");
        self.returned(elsewhere, &sent, subject)
    }

    /// Somebody with password and app, who has linked who they are elsewhere.
    fn linked(&self, elsewhere: &Elsewhere, login: &str, subject: &str) -> (Human, Visitor) {
        let (human, visitor) = self.enrol(&self.invite(Role::Clinician, None), login);
        let sent = self.send(&visitor, "/my-login/links/with/test", "");
        let reply = self.returned(elsewhere, &sent, subject).expect(303);
        assert_eq!(reply.header("location"), "/my-login?done=linked");
        (human, self.session_of(&reply, "/my-login"))
    }

    fn refusals(&self) -> Vec<(String, String)> {
        let view = self.door.view(&Access::system("test")).unwrap();
        let entries =
            view.audit_entries(None, 50).unwrap().into_iter().filter(|stored| !stored.entry.allowed);
        entries.map(|stored| (stored.entry.action, stored.entry.target)).collect()
    }
}

/// Where a page leads by itself.
fn onward(reply: &Reply) -> String {
    reply.header("refresh").strip_prefix("0; url=").unwrap().to_owned()
}

/// The code of a page's refusal.
fn code_of(reply: &Reply) -> &str {
    let at = reply.body.find("IEUM-L").unwrap_or_else(|| panic!("{}: {}", reply.status, reply.body));
    &reply.body[at..at + 9]
}

#[test]
fn somebody_links_enters_and_unlinks() {
    let elsewhere = Elsewhere::start();
    let (portal, _directory) = portal(&[elsewhere.provider("test", true)]);
    // Nobody is linked yet, whatever the provider says of their address and name.
    let page = portal.enter_elsewhere(&elsewhere, "kim-elsewhere").expect(403);
    assert_eq!(code_of(&page), "IEUM-L006");
    assert!(page.body.contains("/sign-in") && page.body.contains("초대"));
    let (_, visitor) = portal.linked(&elsewhere, "kim", "kim-elsewhere");
    let page = portal.get(&visitor, "/my-login").expect(200).body;
    assert!(page.contains("가상기관") && !page.contains("kim-elsewhere"), "who they are there is not kept");

    let reply = portal.enter_elsewhere(&elsewhere, "kim-elsewhere").expect(303);
    assert_eq!(reply.header("location"), "/patients");
    let entered = portal.session_of(&reply, "/my-login");
    assert!(portal.get(&entered, "/my-login").expect(200).body.contains("가상기관"));
    assert_eq!(elsewhere.state.lock().unwrap().clients, ["signed"; 3]);
    // They see it among the others; linking ended those before it.
    let link = keep::by_login(&portal.door, "kim").unwrap().unwrap().value.links.remove(0);
    let reply = portal.post(&entered, &format!("/my-login/links/{}/remove", link.identity), "").expect(303);
    assert_eq!(reply.header("location"), "/my-login?done=unlinked");
    assert_eq!(code_of(&portal.enter_elsewhere(&elsewhere, "kim-elsewhere").expect(403)), "IEUM-L006");
    let refused = portal.refusals();
    assert!(refused.iter().any(|entry| entry.0 == "sign-in" && entry.1.contains("provider-test IEUM-L006")));
    assert!(refused.iter().all(|entry| !entry.1.contains("kim-elsewhere")));
}

#[test]
fn an_answer_counts_once_in_the_browser_that_asked_for_what_it_asked() {
    let elsewhere = Elsewhere::start();
    let other = Elsewhere::start();
    let (portal, _directory) = portal(&[elsewhere.provider("test", true), other.provider("other", true)]);
    portal.linked(&elsewhere, "kim", "kim");
    let (one, two) = (
        portal.send(&Visitor::default(), "/sign-in/with/test", ""),
        portal.send(&Visitor::default(), "/sign-in/with/test", ""),
    );
    let code = elsewhere.log_in(&one.address, "kim", portal.seconds());
    let (state, iss) = (one.state(), elsewhere.issuer.as_str());
    let pairs = [("code", code.as_str()), ("state", state.as_str()), ("iss", iss)];
    let refused = |reply: Reply, code: &str| assert_eq!(code_of(&reply), code);
    // Another browser, no cookie, another's state, none, at another provider's address, later.
    refused(portal.back(&two.visitor, "test", &pairs), "IEUM-L002");
    refused(portal.back(&Visitor::default(), "test", &pairs), "IEUM-L002");
    refused(
        portal.back(&one.visitor, "test", &[("code", &code), ("state", &two.state()), ("iss", iss)]),
        "IEUM-L002",
    );
    refused(portal.back(&one.visitor, "test", &[("code", &code), ("iss", iss)]), "IEUM-L002");
    refused(portal.back(&one.visitor, "other", &pairs), "IEUM-L002");
    portal.get(&one.visitor, "/sign-in/with/nowhere/finish").expect(404);
    portal.back(&one.visitor, "test", &pairs).expect(303);
    refused(portal.back(&one.visitor, "test", &pairs), "IEUM-L002");
    // The code with another state: it was made for another nonce and verifier.
    let mixed = [("code", code.as_str()), ("state", &two.state()), ("iss", iss)];
    refused(portal.back(&two.visitor, "test", &mixed), "IEUM-L004");
    let late = portal.send(&Visitor::default(), "/sign-in/with/test", "");
    portal.wait_minutes(10);
    refused(portal.returned(&elsewhere, &late, "kim"), "IEUM-L002");
    // What was asked for linking does not enter, and the other way round: the session is another.
    let (_, visitor) = portal.enrol(&portal.invite(Role::Clinician, None), "lee");
    let linking = portal.send(&visitor, "/my-login/links/with/test", "");
    let cookie = linking.visitor.cookie.split("; ").nth(1).unwrap().to_owned();
    let without_session = Sent { visitor: Visitor { cookie, csrf: String::new() }, ..linking };
    refused(portal.returned(&elsewhere, &without_session, "lee"), "IEUM-L002");
}

#[test]
fn providers_are_not_taken_for_one_another() {
    let elsewhere = Elsewhere::start();
    let other = Elsewhere::start();
    let (portal, _directory) = portal(&[elsewhere.provider("test", true), other.provider("other", true)]);
    portal.linked(&elsewhere, "kim", "kim");
    let answer = |iss: Option<&str>| {
        let sent = portal.send(&Visitor::default(), "/sign-in/with/test", "");
        let code = elsewhere.log_in(&sent.address, "kim", portal.seconds());
        let mut pairs = vec![("code", code), ("state", sent.state())];
        pairs.extend(iss.map(|iss| ("iss", iss.to_owned())));
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        portal.back(&sent.visitor, "test", &pairs)
    };
    assert_eq!(code_of(&answer(Some(&other.issuer))), "IEUM-L004");
    assert_eq!(code_of(&answer(None)), "IEUM-L004", "it says that it names itself");
    answer(Some(&elsewhere.issuer)).expect(303);
    // The same subject at another provider is somebody else.
    let sent = portal.send(&Visitor::default(), "/sign-in/with/other", "");
    let code = other.log_in(&sent.address, "kim", portal.seconds());
    let pairs = [("code", code.as_str()), ("state", &sent.state()), ("iss", &other.issuer)];
    assert_eq!(code_of(&portal.back(&sent.visitor, "other", &pairs)), "IEUM-L006");
}

#[test]
fn what_a_provider_says_wrongly_lets_nobody_in() {
    let elsewhere = Elsewhere::start();
    let strong = Provider { acr: vec!["loa3".into()], ..elsewhere.provider("test", true) };
    let (portal, _directory) = portal(&[strong]);
    elsewhere.state.lock().unwrap().claims = json!({ "acr": "loa3" });
    portal.linked(&elsewhere, "kim", "kim");
    let now = portal.seconds();
    for (claims, code) in [
        (json!({"acr": "loa3", "nonce": "another"}), "IEUM-L004"),
        (json!({"acr": "loa3", "aud": "another"}), "IEUM-L004"),
        (json!({"acr": "loa3", "iss": "https://evil.example"}), "IEUM-L004"),
        (json!({"acr": "loa3", "exp": now - 3600}), "IEUM-L004"),
        (json!({"acr": "loa2"}), "IEUM-L005"),
        (json!({"acr": "loa3", "sub": "lee"}), "IEUM-L006"),
    ] {
        elsewhere.state.lock().unwrap().claims = claims.clone();
        assert_eq!(code_of(&portal.enter_elsewhere(&elsewhere, "kim")), code, "{claims}");
    }
    elsewhere.state.lock().unwrap().claims = json!({ "acr": "loa3" });
    // A new key is fetched, once it may be; a code is good once, also for us.
    elsewhere.change_key();
    portal.step_seconds(31);
    portal.enter_elsewhere(&elsewhere, "kim").expect(303);
    let before = elsewhere.state.lock().unwrap().asked["/jwks"];
    elsewhere.change_key();
    for _ in 0..3 {
        assert_eq!(code_of(&portal.enter_elsewhere(&elsewhere, "kim")), "IEUM-L004");
    }
    assert_eq!(elsewhere.state.lock().unwrap().asked["/jwks"], before, "not at once again");
    // They say no there.
    let sent = portal.send(&Visitor::default(), "/sign-in/with/test", "");
    let pairs = [("error", "access_denied"), ("state", &sent.state()), ("iss", &elsewhere.issuer)];
    assert_eq!(code_of(&portal.back(&sent.visitor, "test", &pairs)), "IEUM-L003");
    for (status, answer) in
        [(200, b"[]".to_vec()), (500, Vec::new()), (200, vec![b' '; 300 << 10]), (302, Vec::new())]
    {
        let sent = portal.send(&Visitor::default(), "/sign-in/with/test", "");
        elsewhere.state.lock().unwrap().answer = Some((status, answer));
        assert_eq!(code_of(&portal.returned(&elsewhere, &sent, "kim")), "IEUM-L001", "{status}");
        elsewhere.state.lock().unwrap().answer = None;
    }
}

#[test]
fn a_provider_that_is_down_or_another_is_told_and_not_asked_again_at_once() {
    let elsewhere = Elsewhere::start();
    let (portal, _directory) = portal(&[elsewhere.provider("test", true)]);
    elsewhere.state.lock().unwrap().metadata = json!({ "issuer": "https://evil.example" });
    for _ in 0..3 {
        let page = portal.post(&Visitor::default(), "/sign-in/with/test", "").expect(502);
        assert_eq!(code_of(&page), "IEUM-L001");
    }
    assert_eq!(elsewhere.state.lock().unwrap().asked["/.well-known/openid-configuration"], 1);
    elsewhere.state.lock().unwrap().metadata = json!({});
    portal.step_seconds(31);
    portal.post(&Visitor::default(), "/sign-in/with/test", "").expect(200);
    portal.post(&Visitor::default(), "/sign-in/with/test", "").expect(200);
    assert_eq!(elsewhere.state.lock().unwrap().asked["/.well-known/openid-configuration"], 2);
}

#[test]
fn one_factor_elsewhere_takes_a_code_here() {
    let elsewhere = Elsewhere::start();
    let (portal, _directory) = portal(&[elsewhere.provider("test", false)]);
    let (human, visitor) = portal.linked(&elsewhere, "kim", "kim");
    portal.wait_minutes(1);
    let page = portal.enter_elsewhere(&elsewhere, "kim").expect(200).body;
    let field = |name: &str| {
        let text = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        format!("{name}={}", text.split('"').next().unwrap())
    };
    let half = ["person", "provider", "identity", "challenge"].map(field).join("&");
    let with = |half: &str, code: &str| {
        portal.post(&Visitor::default(), "/sign-in/second", &format!("{half}&code={code}"))
    };
    with(&half, "000000").expect(422);
    let another = half.replace("provider=test", "provider=tess");
    assert_eq!(with(&another, &human.code(&portal)).expect(303).header("location"), "/sign-in");
    let reply = with(&half, &human.code(&portal)).expect(303);
    assert_eq!(reply.header("location"), "/patients");
    with(&half, &human.code(&portal)).expect(422);
    // It neither sets up a first entry nor confirms.
    portal.post(&visitor, "/confirm/with/test", "").expect(404);
    let reply =
        portal.post(&Visitor::default(), &portal.invite(Role::Clinician, None), "login=lee").expect(303);
    let invited = portal.session_of(&reply, "/set-up");
    assert!(!portal.get(&invited, "/set-up").expect(200).body.contains("가상기관"));
    portal.post(&invited, "/set-up/with/test", "").expect(404);
}

#[test]
fn a_first_entry_is_set_up_elsewhere_and_confirmed_there_anew() {
    let elsewhere = Elsewhere::start();
    let (portal, _directory) = portal(&[elsewhere.provider("test", true)]);
    let link = portal.invite(Role::Clinician, None);
    let reply = portal.post(&Visitor::default(), &link, "login=kim").expect(303);
    let invited = portal.session_of(&reply, "/set-up");
    let sent = portal.send(&invited, "/set-up/with/test", "");
    assert!(sent.address.contains("prompt=login") && sent.address.contains("max_age=0"));
    let reply = portal.returned(&elsewhere, &sent, "kim").expect(303);
    let visitor = portal.session_of(&reply, "/my-login");
    portal.get(&Visitor::default(), &link).expect(410);
    // The last way in stays.
    let identity = keep::by_login(&portal.door, "kim").unwrap().unwrap().value.links.remove(0).identity;
    portal.post(&visitor, &format!("/my-login/links/{identity}/remove"), "").expect(422);

    // Logged in there for an hour: entered, and not fresh.
    let sent = portal.send(&Visitor::default(), "/sign-in/with/test", "");
    elsewhere.state.lock().unwrap().claims = json!({ "auth_time": portal.seconds() - 3600 });
    let reply = portal.returned(&elsewhere, &sent, "kim").expect(303);
    let visitor = portal.session_of(&reply, "/my-login");
    let asked = portal.post(&visitor, "/my-login/recovery", "").expect(303);
    assert_eq!(asked.header("location"), "/confirm?next=/my-login");
    assert!(portal.get(&visitor, "/confirm?next=/my-login").expect(200).body.contains("/confirm/with/test"));
    let confirm = |claims: serde_json::Value, subject: &str| {
        elsewhere.state.lock().unwrap().claims = claims;
        let sent = portal.send(&visitor, "/confirm/with/test", "next=/my-login");
        portal.returned(&elsewhere, &sent, subject)
    };
    let before = portal.seconds() - 61;
    assert_eq!(code_of(&confirm(json!({ "auth_time": before }), "kim")), "IEUM-L005");
    assert_eq!(code_of(&confirm(json!({ "auth_time": null }), "kim")), "IEUM-L005");
    assert_eq!(code_of(&confirm(json!({}), "lee")), "IEUM-L008");
    assert_eq!(confirm(json!({}), "kim").expect(303).header("location"), "/my-login");
    portal.post(&visitor, "/my-login/recovery", "").expect(200);
}

#[test]
fn an_identity_is_one_persons_and_lets_nobody_in_who_may_not() {
    let elsewhere = Elsewhere::start();
    let (portal, _directory) = portal(&[elsewhere.provider("test", true)]);
    portal.linked(&elsewhere, "kim", "kim");
    let (_, lee) = portal.enrol(&portal.invite(Role::Clinician, None), "lee");
    let sent = portal.send(&lee, "/my-login/links/with/test", "");
    assert_eq!(code_of(&portal.returned(&elsewhere, &sent, "kim").expect(403)), "IEUM-L008");
    assert!(keep::by_login(&portal.door, "lee").unwrap().unwrap().value.links.is_empty());
    // To link asks who it is, here first.
    portal.wait_minutes(6);
    let asked = portal.post(&lee, "/my-login/links/with/test", "").expect(303);
    assert_eq!(asked.header("location"), "/confirm?next=/my-login");
    let kim = keep::by_login(&portal.door, "kim").unwrap().unwrap().id;
    for state in [State::Locked, State::Ended] {
        keep::change(&portal.door, "test", &kim, |person| {
            person.state = state;
            Some(())
        })
        .unwrap();
        assert_eq!(code_of(&portal.enter_elsewhere(&elsewhere, "kim").expect(403)), "IEUM-L007");
    }
    assert!(
        portal.refusals().iter().any(|entry| entry.1.starts_with(&format!("IeumPerson/{kim} provider-test")))
    );
    // Whoever fails too often waits.
    for _ in 0..60 {
        portal.get(&Visitor::default(), "/sign-in/with/test/finish");
    }
    portal.get(&Visitor::default(), "/sign-in/with/test/finish").expect(429);
}

#[test]
fn secrets_are_read_from_files_that_nobody_else_reads() {
    let elsewhere = Elsewhere::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    let with_secret =
        Provider { client_secret_file: Some("secret".into()), ..elsewhere.provider("test", true) };
    let start = |portal: &Portal| {
        Federation::start(&portal.hub, directory.path(), std::slice::from_ref(&with_secret))
    };
    let portal = Portal::with_accounts();
    assert!(matches!(start(&portal), Err(FederationError::Secret(SecretFileError::Io { .. }))));
    std::fs::write(&file, "s:e c\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(start(&portal), Err(FederationError::Secret(SecretFileError::Wrong(_)))));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    start(&portal).unwrap();
    portal.enter_elsewhere(&elsewhere, "kim").expect(403);
    let (other, elsewhere_in_form) =
        (Portal::with_accounts(), json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}));
    elsewhere.state.lock().unwrap().metadata = elsewhere_in_form;
    start(&other).unwrap();
    other.enter_elsewhere(&elsewhere, "kim").expect(403);
    assert_eq!(elsewhere.state.lock().unwrap().clients, ["basic ieum:s%3Ae%20c", "post ieum s:e c"]);
}
