//! People: the first entry, entering, what is slowed down, sessions and their end, showing again who one is.

use axum::body::Body;
use axum::http::{Request, header};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, ACCOUNT, Account};
use ieum_trust::person::totp::Totp;
use ieum_trust::person::{State, keep};
use ieum_trust::records;

use crate::support::{Portal, Visitor, post_request};

const HERE: &str = "http://127.0.0.1:8080";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody who has a password and a code app.
pub(crate) struct Human {
    pub(crate) login: String,
    app: Totp,
}

impl Portal {
    /// An invitation; gives the address of its link.
    pub(crate) fn invite(&self, role: Role, organization: Option<&str>) -> String {
        let organization = organization.map(ToOwned::to_owned);
        let account = Account { organization, ..Account::new("김간호", role) };
        let (_, token) = account::invite(&self.door, &Access::system("test"), account, self.now()).unwrap();
        format!("/welcome/{token}")
    }

    /// Follows an invitation to its end; gives who it is then, signed in.
    pub(crate) fn enrol(&self, link: &str, login: &str) -> (Human, Visitor) {
        self.get(&Visitor::default(), link).expect(200);
        let reply = self.post(&Visitor::default(), link, &format!("login={login}")).expect(303);
        assert_eq!(reply.header("location"), "/set-up");
        let visitor = self.session_of(&reply, "/set-up");
        let page = self.get(&visitor, "/set-up").expect(200).body;
        let secret = page.split("secret=").nth(1);
        assert!(secret.is_none(), "the address is in the picture alone");
        let app = Totp::new(secret_shown(&page));
        let human = Human { login: login.to_owned(), app };
        let form = format!("password={PASSWORD}&again={PASSWORD}&code={}", human.code(self));
        let reply = self.post(&visitor, "/set-up/password", &form).expect(303);
        let visitor = self.session_of(&reply, "/my-login");
        (human, visitor)
    }

    /// What entering with password and code is answered.
    pub(crate) fn try_human(&self, human: &Human, password: &str, code: &str) -> crate::support::Reply {
        let form = format!("login={}&password={password}&code={code}", human.login);
        self.post(&Visitor::default(), "/sign-in/password", &form)
    }

    /// Enters with password and code, half a minute later so that there is a new code.
    pub(crate) fn sign_in_human(&self, human: &Human) -> Visitor {
        self.wait_minutes(1);
        let reply = self.try_human(human, PASSWORD, &human.code(self)).expect(303);
        self.session_of(&reply, "/my-login")
    }
}

impl Human {
    pub(crate) fn code(&self, portal: &Portal) -> String {
        self.app.code_at(portal.now())
    }
}

/// The secret that a page shows to be typed into an app.
fn secret_shown(page: &str) -> String {
    let text = page.split("이 값을 앱에 넣으세요").nth(1).unwrap();
    let text = text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
    text.replace(' ', "")
}

fn newest_entries(portal: &Portal, most: usize) -> Vec<(String, String, bool)> {
    let view = portal.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, most).unwrap().into_iter();
    entries.map(|stored| (stored.entry.action, stored.entry.target, stored.entry.allowed)).collect()
}

#[test]
fn somebody_invited_sets_up_how_they_enter_and_then_does() {
    let portal = Portal::with_accounts();
    let link = portal.invite(Role::Clinician, None);
    let (human, visitor) = portal.enrol(&link, "kim.nurse");
    portal.get(&visitor, "/patients").expect(200);
    let page = portal.get(&visitor, "/my-login").expect(200).body;
    assert!(page.contains("kim.nurse") && page.contains("지금 이 기기"));
    // The link is used up, and the name taken, however it is written.
    portal.get(&Visitor::default(), &link).expect(410);
    portal.post(&Visitor::default(), &link, "login=other").expect(410);
    let second = portal.invite(Role::Clinician, None);
    let taken = portal.post(&Visitor::default(), &second, "login=%EF%BC%ABIM.Nurse").expect(422).body;
    assert!(taken.contains("다른 사람이 쓰는 이름입니다"));
    portal.post(&Visitor::default(), &second, "login=a").expect(422);

    let visitor = portal.sign_in_human(&human);
    let page = portal.get(&visitor, "/patients").expect(200).body;
    assert!(page.contains("김간호") && page.contains("의료진") && page.contains("/my-login"));
    let entries = newest_entries(&portal, 50);
    let entered = |entry: &&(String, String, bool)| {
        entry.0 == "sign-in" && entry.1.starts_with("/sign-in password-code 127.0.0.1") && entry.2
    };
    assert_eq!(entries.iter().filter(entered).count(), 2, "{entries:?}");
    assert!(entries.iter().any(|entry| entry.0 == "first-entry"));
}

#[test]
fn an_invited_person_reaches_nothing_until_they_have_set_up() {
    let portal = Portal::with_accounts();
    let link = portal.invite(Role::Clinician, None);
    let reply = portal.post(&Visitor::default(), &link, "login=kim").expect(303);
    let visitor = portal.session_of(&reply, "/set-up");
    for page in ["/patients", "/my-login", "/accounts", "/confirm", "/manager"] {
        assert_eq!(portal.get(&visitor, page).expect(303).header("location"), "/set-up", "{page}");
    }
    // What does not suffice, or is not right, leaves things as they are.
    let page = portal.get(&visitor, "/set-up").expect(200).body;
    let code = Totp::new(secret_shown(&page)).code_at(portal.now());
    for (form, what) in [
        (format!("password=short&again=short&code={code}"), "10자보다 짧습니다"),
        (format!("password={PASSWORD}&again=another&code={code}"), "위와 다릅니다"),
        (format!("password={PASSWORD}&again={PASSWORD}&code=000000"), "번호가 맞지 않습니다"),
        (format!("password=1234567890&again=1234567890&code={code}"), "너무 쉽습니다"),
    ] {
        let page = portal.post(&visitor, "/set-up/password", &form).expect(422).body;
        assert!(page.contains(what) && !page.contains(PASSWORD), "{what}");
    }
    // Left in the middle, the link leads on.
    let reply = portal.post(&Visitor::default(), &link, "").expect(303);
    let again = portal.session_of(&reply, "/set-up");
    assert!(portal.get(&again, "/set-up").expect(200).body.contains("kim"));
    portal.wait_minutes(73 * 60);
    portal.get(&Visitor::default(), &link).expect(410);
}

// threat: 11
#[test]
fn names_are_not_told_and_failures_slow_down_and_end() {
    let portal = Portal::with_accounts();
    let (human, _) = portal.enrol(&portal.invite(Role::Clinician, None), "kim");
    let stranger = Human { login: "nobody".into(), app: human.app.clone() };
    portal.wait_minutes(1);
    let strip = |page: String, name: &str| page.replace(name, "NAME");
    let without_challenge = |page: String| {
        let (before, rest) = page.split_once("data-challenge=\"").unwrap();
        format!("{before}{}", rest.split_once('"').unwrap().1)
    };
    for attempt in 1..=5 {
        let code = human.code(&portal);
        let known = portal.try_human(&human, "wrong password", &code).expect(422).body;
        let unknown = portal.try_human(&stranger, "wrong password", &code).expect(422).body;
        let [known, unknown] = [strip(known, "kim"), strip(unknown, "nobody")].map(without_challenge);
        assert_eq!(known, unknown, "{attempt}");
    }
    for one in [&human, &stranger] {
        let page = portal.try_human(one, PASSWORD, &human.code(&portal)).expect(429).body;
        assert!(page.contains("30초 뒤에"), "the right password waits too: nothing is learnt by trying");
    }
    // From the browser that they entered from before they are not slowed down.
    let entered = portal.wait_and_enter(&human, &Visitor::default());
    let browser = entered.1;
    for _ in 0..6 {
        portal.try_human(&human, "wrong password", "000000");
    }
    portal.try_human(&human, PASSWORD, &human.code(&portal)).expect(429);
    let known = Visitor { cookie: browser, csrf: String::new() };
    portal.step_seconds(30);
    let form = format!("login=kim&password={PASSWORD}&code={}", human.code(&portal));
    portal.post(&known, "/sign-in/password", &form).expect(303);
    // And a quarter of an hour later they enter from anywhere, whatever was tried.
    for _ in 0..40 {
        portal.try_human(&human, "wrong password", "000000");
    }
    portal.wait_minutes(16);
    portal.try_human(&human, PASSWORD, &human.code(&portal)).expect(303);
}

// threat: 11
#[test]
fn one_address_does_not_try_many_names() {
    let portal = Portal::with_accounts();
    for number in 0..60 {
        let form = format!("login=name{number}&password=x&code=1");
        portal.post(&Visitor::default(), "/sign-in/password", &form).expect(422);
    }
    let form = "login=another&password=x&code=1";
    portal.post(&Visitor::default(), "/sign-in/password", form).expect(429);
    let elsewhere = post_request(&Visitor::default(), "/sign-in/password", form, HERE);
    assert_eq!(portal.ask_from(elsewhere, "10.0.0.9:1").status.as_u16(), 422);
}

#[test]
fn a_code_counts_once_and_recovery_codes_stand_in_for_it() {
    let portal = Portal::with_accounts();
    let (human, _) = portal.enrol(&portal.invite(Role::Clinician, None), "kim");
    portal.try_human(&human, PASSWORD, &human.code(&portal)).expect(422);
    let visitor = portal.sign_in_human(&human);
    let page = portal.post(&visitor, "/my-login/recovery", "").expect(200).body;
    let codes: Vec<&str> = page.split("<li><code>").skip(1).map(|text| &text[..19]).collect();
    assert_eq!(codes.len(), 10);
    portal.try_human(&human, PASSWORD, codes[0]).expect(303);
    portal.try_human(&human, PASSWORD, codes[0]).expect(422);
    portal.try_human(&human, PASSWORD, &codes[1].to_lowercase()).expect(303);
    assert!(portal.get(&visitor, "/my-login").expect(200).body.contains("남은 코드: 8개"));
    portal.try_human(&human, PASSWORD, "").expect(422);
}

#[test]
fn changes_ask_again_who_it_is_and_end_other_sessions() {
    let portal = Portal::with_accounts();
    let (human, _) = portal.enrol(&portal.invite(Role::Clinician, None), "kim");
    let (one, other) = (portal.sign_in_human(&human), portal.sign_in_human(&human));
    portal.wait_minutes(6);
    let new = "password=another long phrase&again=another long phrase";
    for (path, form) in [
        ("/my-login/password", new),
        ("/my-login/app", "code=1"),
        ("/my-login/recovery", ""),
        ("/my-login/passkeys", ""),
    ] {
        let reply = portal.post(&one, path, form).expect(303);
        assert_eq!(reply.header("location"), "/confirm?next=/my-login", "{path}");
    }
    portal.get(&one, "/confirm?next=/my-login").expect(200);
    portal.post(&one, "/confirm/code", "code=000000&next=/my-login").expect(422);
    let form = format!("code={}&next=//evil.example", human.code(&portal));
    let reply = portal.post(&one, "/confirm/code", &form).expect(303);
    assert_eq!(reply.header("location"), "/my-login");
    let reply = portal.post(&one, "/my-login/password", new).expect(303);
    let changed = portal.session_of(&reply, "/my-login");
    portal.get(&changed, "/patients").expect(200);
    for ended in [&one, &other] {
        portal.get(ended, "/my-login").expect(303);
    }
    portal.wait_minutes(1);
    portal.try_human(&human, PASSWORD, &human.code(&portal)).expect(422);
    portal.try_human(&human, "another long phrase", &human.code(&portal)).expect(303);
}

#[test]
fn devices_are_listed_and_ended_one_by_one_and_all_together() {
    let portal = Portal::with_accounts();
    let (human, enrolled) = portal.enrol(&portal.invite(Role::Clinician, None), "kim");
    let (one, other) = (portal.sign_in_human(&human), portal.sign_in_human(&human));
    let page = portal.get(&one, "/my-login").expect(200).body;
    let numbers: Vec<&str> = page
        .split("/my-login/devices/")
        .skip(1)
        .filter_map(|text| text.split_once("/end"))
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers.len(), 2, "two others");
    // A number of somebody else's session ends nothing.
    let (_, stranger) = portal.enrol(&portal.invite(Role::Clinician, None), "lee");
    portal.post(&stranger, &format!("/my-login/devices/{}/end", numbers[0]), "").expect(303);
    portal.get(&other, "/my-login").expect(200);
    portal.post(&one, &format!("/my-login/devices/{}/end", numbers[0]), "").expect(303);
    let left =
        [&enrolled, &other].iter().filter(|visitor| portal.get(visitor, "/my-login").status == 200).count();
    assert_eq!(left, 1);

    // Everywhere else: it is no way around showing who one is.
    portal.wait_minutes(6);
    let reply = portal.post(&one, "/my-login/devices/end", "").expect(303);
    let goes_on = portal.session_of(&reply, "/my-login");
    for ended in [&one, &other, &enrolled] {
        portal.get(ended, "/my-login").expect(303);
    }
    let page = portal.get(&goes_on, "/my-login").expect(200).body;
    // Only the button for all others is left.
    assert_eq!(page.matches("/my-login/devices/").count(), 1, "those that ended are not listed");
    portal.get(&stranger, "/my-login").expect(200);
    assert!(
        portal
            .post(&goes_on, "/my-login/recovery", "")
            .expect(303)
            .header("location")
            .starts_with("/confirm")
    );
}

#[test]
fn the_last_way_in_is_not_taken_away_and_unknown_passkeys_are_not_found() {
    let portal = Portal::with_accounts();
    let (_, visitor) = portal.enrol(&portal.invite(Role::Clinician, None), "kim");
    portal.post(&visitor, "/my-login/passkeys/abc/remove", "").expect(404);
    portal.post(&visitor, "/my-login/passkeys", "").expect(400);
    for form in
        ["", "credential=AA&client=AA&data=AA&signature=AA", "credential=!&client=!&data=!&signature=!"]
    {
        let page = portal.post(&Visitor::default(), "/sign-in/passkey", form).expect(422).body;
        assert!(page.contains("이 패스키로 들어올 수 있는 사람이 없거나"));
    }
}

#[test]
fn a_person_with_several_accounts_chooses_and_changes() {
    let portal = Portal::with_accounts();
    let (human, first) = portal.enrol(&portal.invite(Role::Clinician, None), "kim");
    let link = portal.invite(Role::Operator, None);
    let (_, stranger) = portal.enrol(&portal.invite(Role::Patient, None), "lee");
    // Whoever is signed in takes the account over, having just shown who they are.
    portal.wait_minutes(6);
    let confirm = portal.post(&first, &link, "").expect(303);
    assert!(confirm.header("location").starts_with("/confirm?next=/welcome/"));
    let visitor = portal.sign_in_human(&human);
    assert!(portal.get(&visitor, &link).expect(200).body.contains("내 계정으로 더하기"));
    assert_eq!(portal.post(&visitor, &link, "").expect(303).header("location"), "/accounts");
    portal.post(&visitor, &link, "").expect(410);

    portal.wait_minutes(1);
    let reply = portal.try_human(&human, PASSWORD, &human.code(&portal)).expect(303);
    assert_eq!(reply.header("location"), "/accounts");
    let visitor = portal.session_of(&reply, "/accounts");
    for page in ["/patients", "/operator"] {
        let reply = portal.get(&visitor, page).expect(303);
        assert!(reply.header("location").starts_with("/accounts?next="), "{page}");
    }
    let accounts = portal.accounts_of("kim");
    let id = |role: Role| accounts.iter().find(|kept| kept.value.role == role).unwrap().id.clone();
    let choose =
        |role: Role| portal.post(&visitor, "/accounts", &format!("account={}", id(role))).expect(303);
    assert_eq!(choose(Role::Operator).header("location"), "/operator");
    portal.get(&visitor, "/operator").expect(200);
    portal.get(&visitor, "/patients").expect(403);
    choose(Role::Clinician);
    portal.get(&visitor, "/patients").expect(200);
    portal.get(&visitor, "/operator").expect(403);
    // Another's account is none of theirs.
    let form = format!("account={}", id(Role::Operator));
    portal.post(&stranger, "/accounts", &form).expect(404);
    // An account that ends is gone at once; the other stays.
    account::remove(&portal.door, &Access::system("test"), &id(Role::Clinician)).unwrap();
    assert!(portal.get(&visitor, "/patients").expect(303).header("location").starts_with("/accounts"));
    portal.post(&visitor, "/accounts", &form).expect(303);
    portal.get(&visitor, "/operator").expect(200);
}

#[test]
fn the_locked_are_out_at_once() {
    let portal = Portal::with_accounts();
    let (human, visitor) = portal.enrol(&portal.invite(Role::Clinician, None), "kim");
    let person = keep::by_login(&portal.door, "kim").unwrap().unwrap().id;
    let set = |state: State| {
        keep::change(&portal.door, "person-lock", &person, |person| {
            person.state = state;
            Some(())
        })
    };
    set(State::Locked).unwrap();
    portal.get(&visitor, "/patients").expect(303);
    portal.wait_minutes(1);
    portal.try_human(&human, PASSWORD, &human.code(&portal)).expect(422);
    set(State::Active).unwrap();
    portal.sign_in_human(&human);
}

#[test]
fn secrets_of_people_are_on_no_page_and_in_no_answer() {
    let portal = Portal::with_accounts();
    let (_, visitor) = portal.enrol(&portal.invite(Role::Operator, None), "kim");
    let person = keep::by_login(&portal.door, "kim").unwrap().unwrap().value;
    let hash = person.password.unwrap();
    for page in ["/operator", "/operator/audit", "/operator/feed", "/my-login", "/fhir/IeumPerson"] {
        let body = portal.get(&visitor, page).body;
        assert!(!body.contains(&hash) && !body.contains("argon2id"), "{page}");
    }
    let secret = portal.account(Role::Service, None);
    let request = Request::get("/fhir/IeumPerson").header(header::AUTHORIZATION, format!("Bearer {secret}"));
    portal.ask(request.body(Body::empty()).unwrap()).expect(404);
}

impl Portal {
    pub(crate) fn accounts_of(&self, login: &str) -> Vec<records::Kept<Account>> {
        let person = keep::by_login(&self.door, login).unwrap().unwrap().id;
        let view = self.door.view(&Access::system("test")).unwrap();
        records::find(&view, &ACCOUNT, ("person", &person), 10).unwrap()
    }

    /// Waits until tries are free again, and enters; gives the cookie of the browser too.
    fn wait_and_enter(&self, human: &Human, visitor: &Visitor) -> (Visitor, String) {
        self.wait_minutes(16);
        let form = format!("login={}&password={PASSWORD}&code={}", human.login, human.code(self));
        let reply = self.post(visitor, "/sign-in/password", &form).expect(303);
        let cookies = reply.headers.get_all(header::SET_COOKIE).iter();
        let browser = cookies.filter_map(|value| value.to_str().ok()).find(|text| text.contains("-browser="));
        let browser = browser.unwrap().split(';').next().unwrap().to_owned();
        (self.session_of(&reply, "/my-login"), browser)
    }
}
