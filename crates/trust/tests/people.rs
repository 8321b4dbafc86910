//! People in a store: who gets a name, who enters, what counts once, what ends.

use std::sync::Arc;

use ieum_store::catalogue::Catalogue;
use ieum_store::commit::CommitError;
use ieum_store::memory::MemoryEngine;
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, ACCOUNT, Account, INVITATION_MICROS};
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;
use ieum_trust::person::entry::{self, Elsewhere, Way};
use ieum_trust::person::keep::{self, Claim, Unique, Unlinked};
use ieum_trust::person::link::Link;
use ieum_trust::person::totp::Totp;
use ieum_trust::person::{Issuer, PERSON, Person, State, password};
use ieum_trust::records::{self, Kept};

const NOW: i64 = 1_793_502_000_000_000;
const MINUTE: i64 = 60_000_000;
const PASSWORD: &str = "맑은 물 흐르는 골짜기";

fn door() -> Door {
    let bases = vec!["https://hub.example/fhir".to_owned()];
    let catalogue = Arc::new(Catalogue::new(&[&ACCOUNT, &PERSON], bases, POLICY));
    Door::new(Arc::new(MemoryEngine::new(catalogue, Arc::new(|| NOW))), [7; 32])
}

fn invite(door: &Door) -> (Kept<Account>, String) {
    let account = Account { organization: Some("o1".into()), ..Account::new("김간호", Role::Clinician) };
    let (_, token) = account::invite(door, &Access::system("test"), account, NOW).unwrap();
    (account::invited(door, &token, NOW).unwrap().unwrap(), account::digest(&token))
}

/// Somebody with password and code app; gives their id and the app.
fn enrolled(door: &Door, login: &str) -> (String, Totp) {
    let (account, digest) = invite(door);
    let Claim::Made(id) = keep::claim(door, &account, login).unwrap() else { panic!("the name is taken") };
    let secret = Totp::random_secret().unwrap();
    let hash = password::hash(PASSWORD).unwrap();
    let set = |person: &mut Person| {
        person.password = Some(hash);
        person.totp = Some(Totp::new(secret.clone()));
    };
    keep::complete(door, (&account.id, &digest), NOW, None, set).unwrap().unwrap();
    (id, Totp::new(secret))
}

fn enter(door: &Door, login: &str, password: &str, code: &str, now: i64) -> Option<Way> {
    let found = keep::by_login(door, login).unwrap();
    let entered = entry::by_password(door, found.as_ref(), (password, code), "browser", now).unwrap();
    entered.map(|entered| entered.way)
}

#[test]
fn one_name_is_one_persons_whoever_comes_first() {
    let door = door();
    let accounts: Vec<_> = (0..4).map(|_| invite(&door).0).collect();
    let claims: Vec<Claim> = std::thread::scope(|scope| {
        let (door, accounts) = (&door, &accounts);
        let threads: Vec<_> = accounts
            .iter()
            .map(|account| scope.spawn(|| keep::claim(door, account, "kim").unwrap()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(claims.iter().filter(|claim| matches!(claim, Claim::Made(_))).count(), 1, "{claims:?}");
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Taken).count(), 3);
    // An account that was given away is not given away again.
    let taken = claims.iter().position(|claim| matches!(claim, Claim::Made(_))).unwrap();
    assert_eq!(keep::claim(&door, &accounts[taken], "lee").unwrap(), Claim::Stale);
}

#[test]
fn an_invitation_is_good_once_and_for_a_time() {
    let door = door();
    let (account, digest) = invite(&door);
    let Claim::Made(id) = keep::claim(&door, &account, "kim").unwrap() else { panic!() };
    let complete = |now| keep::complete(&door, (&account.id, &digest), now, None, |_| {}).unwrap();
    assert!(complete(NOW + INVITATION_MICROS).is_none(), "too late");
    assert!(keep::complete(&door, (&account.id, "another"), NOW, None, |_| {}).unwrap().is_none());
    assert_eq!(complete(NOW).unwrap().value.state, State::Active);
    assert!(complete(NOW).is_none(), "used");

    // A first entry over again takes the old factors away.
    let token =
        account::invite_again(&door, &Access::system("test"), &account.id, None, NOW).unwrap().unwrap();
    keep::change(&door, "test", &id, |person| person.renew_recovery().ok()).unwrap();
    let before = keep::read(&door, &id).unwrap().unwrap().value;
    let digest = account::digest(&token);
    let after = keep::complete(&door, (&account.id, &digest), NOW, None, |_| {}).unwrap().unwrap().value;
    assert!(!before.recovery.is_empty() && after.recovery.is_empty());
    assert_eq!(after.generation, before.generation + 1, "sessions from before have ended");

    // The locked do not come in again by an invitation.
    keep::change(&door, "test", &id, |person| {
        person.state = State::Locked;
        Some(())
    })
    .unwrap();
    let token =
        account::invite_again(&door, &Access::system("test"), &account.id, None, NOW).unwrap().unwrap();
    let digest = account::digest(&token);
    assert!(keep::complete(&door, (&account.id, &digest), NOW, None, |_| {}).unwrap().is_none());
    // Machines are not invited.
    let machine = Account::new("기계", Role::Service);
    account::create(&door, &Access::system("test"), machine, "secret").unwrap();
    let all = account::list(&door, &Access::system("test")).unwrap();
    let machine = &all.iter().find(|(_, account)| account.role == Role::Service).unwrap().0;
    assert_eq!(account::invite_again(&door, &Access::system("test"), machine, None, NOW).unwrap(), None);
}

#[test]
fn a_code_lets_in_once_even_if_asked_for_at_the_same_time() {
    let door = door();
    let (id, app) = enrolled(&door, "kim");
    let code = app.code_at(NOW);
    let ways: Vec<Option<Way>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| enter(&door, "kim", PASSWORD, &code, NOW))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ways.iter().flatten().count(), 1, "{ways:?}");
    let person = keep::read(&door, &id).unwrap().unwrap().value;
    assert!(person.knows_browser("browser") && person.last_entry == Some(NOW));
}

#[test]
fn who_may_not_enter_does_not() {
    let door = door();
    let (id, app) = enrolled(&door, "kim");
    let mut now = NOW;
    let mut fresh = || {
        now += MINUTE;
        (app.code_at(now), now)
    };
    let (code, at) = fresh();
    assert_eq!(enter(&door, "kim", "wrong password", &code, at), None);
    assert_eq!(enter(&door, "lee", PASSWORD, &code, at), None);
    assert_eq!(enter(&door, "kim", PASSWORD, "", at), None, "a password alone never suffices");
    assert_eq!(enter(&door, "kim", "", &code, at), None);
    assert_eq!(enter(&door, "kim", PASSWORD, &code, at), Some(Way::Code), "failures used nothing up");
    for state in [State::Locked, State::Ended, State::Invited] {
        keep::change(&door, "test", &id, |person| {
            person.state = state;
            Some(())
        })
        .unwrap();
        let (code, at) = fresh();
        assert_eq!(enter(&door, "kim", PASSWORD, &code, at), None, "{state:?}");
    }
}

#[test]
fn who_has_no_account_left_has_left() {
    let door = door();
    let (id, _) = enrolled(&door, "kim");
    let (second, _) = invite(&door);
    assert!(keep::accept(&door, &second, &id).unwrap());
    assert!(!keep::accept(&door, &second, "somebody-else").unwrap(), "taken already");
    let of_person = || {
        let view = door.view(&Access::system("test")).unwrap();
        records::find::<Account>(&view, &ACCOUNT, ("person", &id), 9).unwrap()
    };
    assert_eq!(of_person().len(), 2);
    let stale = Kept { version: 1, ..of_person().remove(0) };
    assert!(
        !keep::end_account(&door, (&Access::system("test"), "test"), &stale).unwrap(),
        "it was changed since"
    );
    assert!(keep::end_account(&door, (&Access::system("test"), "test"), &of_person()[0]).unwrap());
    assert_eq!(keep::read(&door, &id).unwrap().unwrap().value.state, State::Active);
    let generation = keep::read(&door, &id).unwrap().unwrap().value.generation;
    assert!(keep::end_account(&door, (&Access::system("test"), "test"), &of_person()[0]).unwrap());
    let person = keep::read(&door, &id).unwrap().unwrap().value;
    assert_eq!((person.state, person.generation), (State::Ended, generation + 1));
    // The name stays theirs.
    let (third, _) = invite(&door);
    assert_eq!(keep::claim(&door, &third, "kim").unwrap(), Claim::Taken);
}

#[test]
fn a_managers_invitation_opens_no_other_institution_even_if_it_was_made_before() {
    let door = door();
    let (id, _) = enrolled(&door, "kim");
    let access = Access::system("test");
    let view = door.view(&access).unwrap();
    let first = records::find::<Account>(&view, &ACCOUNT, ("person", &id), 9).unwrap().remove(0);
    drop(view);
    let token = account::invite_again(&door, &access, &first.id, Some("o1"), NOW).unwrap().unwrap();
    let elsewhere = Account { organization: Some("o2".into()), ..Account::new("김간호", Role::Clinician) };
    let (_, second) = account::invite(&door, &access, elsewhere, NOW).unwrap();
    assert!(keep::accept(&door, &account::invited(&door, &second, NOW).unwrap().unwrap(), &id).unwrap());
    let complete = |token: &str| {
        let digest = account::digest(token);
        keep::complete(&door, (&first.id, &digest), NOW, None, |_| {}).unwrap()
    };
    assert!(complete(&token).is_none());
    let by_operator = account::invite_again(&door, &access, &first.id, None, NOW).unwrap().unwrap();
    assert!(complete(&by_operator).is_some());
}

#[test]
fn roles_without_write_make_no_people() {
    let door = door();
    for role in [Role::Manager, Role::Privacy, Role::Patient, Role::Operator] {
        let access = Account::new("x", role).access("x");
        let made = account::invite(&door, &access, Account::new("y", Role::Operator), NOW);
        assert!(matches!(made, Err(CommitError::Denied)), "{role:?}");
    }
}

fn link(identity: &str) -> Link {
    Link::new("https://id.example", identity, NOW)
}

#[test]
fn one_identity_elsewhere_is_one_persons_whoever_comes_first() {
    let door = door();
    let people: Vec<String> =
        ["kim", "lee", "park", "choi"].iter().map(|login| enrolled(&door, login).0).collect();
    let linked: Vec<bool> = std::thread::scope(|scope| {
        let (door, people) = (&door, &people);
        let threads: Vec<_> = people
            .iter()
            .map(|person| {
                scope.spawn(|| match keep::add_link(door, person, &link("i")) {
                    Ok(added) => added.is_some(),
                    Err(CommitError::Guard { .. }) => false,
                    Err(error) => panic!("{error}"),
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(linked.iter().filter(|linked| **linked).count(), 1, "{linked:?}");
    let owner = people.iter().zip(&linked).find(|(_, linked)| **linked).unwrap().0;
    assert_eq!(keep::by_link(&door, "i").unwrap().unwrap().id, *owner);
    // Nor does somebody get it with a first entry.
    let (account, digest) = invite(&door);
    let Claim::Made(_) = keep::claim(&door, &account, "new").unwrap() else { panic!() };
    let taken = |identity: &str| {
        let link = link(identity);
        keep::complete(&door, (&account.id, &digest), NOW, Some(Unique::Link(&link)), |_| {})
    };
    assert!(matches!(taken("i"), Err(CommitError::Guard { .. })));
    assert!(taken("j").unwrap().unwrap().value.has_link("j"));
}

#[test]
fn a_first_entry_over_again_may_use_the_identity_from_before() {
    let door = door();
    let (account, digest) = invite(&door);
    let Claim::Made(id) = keep::claim(&door, &account, "kim").unwrap() else { panic!() };
    let own = link("i");
    keep::complete(&door, (&account.id, &digest), NOW, Some(Unique::Link(&own)), |_| {}).unwrap().unwrap();
    let again =
        account::invite_again(&door, &Access::system("test"), &account.id, None, NOW).unwrap().unwrap();
    let digest = account::digest(&again);
    let done = keep::complete(&door, (&account.id, &digest), NOW, Some(Unique::Link(&own)), |_| {});
    assert_eq!(done.unwrap().unwrap().value.links.len(), 1);
    assert_eq!(keep::by_link(&door, "i").unwrap().unwrap().id, id);
}

#[test]
fn an_identity_elsewhere_lets_in_whom_it_is_linked_to_while_they_may() {
    let door = door();
    let (id, app) = enrolled(&door, "kim");
    let enter =
        |two_factors| entry::by_provider(&door, "i", ("test", two_factors), "browser", NOW + MINUTE).unwrap();
    assert_eq!(enter(true), Elsewhere::Unlinked);
    keep::add_link(&door, &id, &link("i")).unwrap().unwrap();
    assert_eq!(keep::add_link(&door, &id, &link("other")).unwrap(), None, "one of each provider");
    let Elsewhere::Entered(entered) = enter(true) else { panic!("not entered") };
    assert_eq!((entered.person.as_str(), entered.way.name().as_ref()), (id.as_str(), "provider-test"));
    // One factor alone does not suffice; what goes with it counts once.
    assert_eq!(enter(false), Elsewhere::Half(id.clone()));
    let code = app.code_at(NOW + MINUTE);
    let with = |identity: &str, code: &str| {
        let way = ("test", code);
        entry::by_provider_and_code(&door, (&id, identity), way, "browser", NOW + MINUTE).unwrap()
    };
    assert!(with("i", "000000").is_none() && with("other", &code).is_none());
    assert_eq!(with("i", &code).unwrap().way, Way::ProviderCode("test".into()));
    assert!(with("i", &code).is_none(), "used");
    for state in [State::Locked, State::Ended] {
        keep::change(&door, "test", &id, |person| {
            person.state = state;
            Some(())
        })
        .unwrap();
        assert_eq!((enter(true), enter(false)), (Elsewhere::Out(id.clone()), Elsewhere::Out(id.clone())));
        assert!(with("i", &app.code_at(NOW + 2 * MINUTE)).is_none());
    }
}

#[test]
fn the_last_way_in_is_not_unlinked() {
    let door = door();
    let (id, _) = enrolled(&door, "kim");
    keep::add_link(&door, &id, &link("i")).unwrap().unwrap();
    let offered = [Issuer { issuer: "https://id.example", two_factors: true }];
    keep::change(&door, "test", &id, |person| {
        person.password = None;
        Some(())
    })
    .unwrap();
    let remove = |identity: &str| keep::remove_link(&door, &id, identity, &offered).unwrap();
    assert_eq!((remove("i"), remove("other")), (Unlinked::Last, Unlinked::Missing));
    keep::change(&door, "test", &id, |person| {
        person.password = Some("hash".into());
        Some(())
    })
    .unwrap();
    assert!(matches!(remove("i"), Unlinked::Gone(_)));
    assert!(keep::by_link(&door, "i").unwrap().is_none());
}
