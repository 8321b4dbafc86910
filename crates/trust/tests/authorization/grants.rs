//! What was allowed: seen by whoever allowed it, taken back, and removed when it has ended.

use ieum_trust::access::{Access, Role};
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::grant::{self, CODE_SECONDS, GRANT, OFFLINE_SECONDS};
use ieum_trust::records;

use crate::support::{Bench, error};

fn left(bench: &Bench) -> usize {
    let query = ieum_fhir::search::Query { kind: GRANT.name.into(), ..Default::default() };
    bench.door.view(&Access::system("test")).unwrap().matching_ids(&query, 10_000).unwrap().len()
}

#[test]
fn what_somebody_allowed_is_known_until_it_ends() {
    let bench = Bench::new();
    let (app, other) = (bench.strict(), bench.public());
    let (user, somebody) = (bench.user(Role::Patient, Some("p1")), bench.user(Role::Patient, Some("p2")));
    let living = |account: &Access| {
        let all = grant::living(&bench.door, &account.actor, bench.now()).unwrap();
        all.into_iter().map(|kept| kept.grant).collect::<Vec<_>>()
    };
    assert_eq!(living(&user), []);
    let tokens = app.tokens("offline_access patient/*.rs", &user);
    app.tokens("patient/*.rs", &user);
    other.tokens("patient/*.rs", &user);
    app.tokens("patient/*.rs", &somebody);
    assert_eq!((living(&user).len(), living(&somebody).len()), (3, 1));
    assert!(living(&user).iter().all(|grant| grant.used == Some(bench.now())));
    // A code that nobody redeems gives nothing any more.
    app.code("patient/*.rs", &somebody);
    assert_eq!(living(&somebody).len(), 2);
    bench.later(CODE_SECONDS + 1);
    assert_eq!(living(&somebody).len(), 1);
    bench.later(300);
    let [lasting] = living(&user).try_into().unwrap();
    let first = lasting.used;
    // The day of the last use is kept, and no more is written on the same day.
    bench.later(60);
    app.refresh(&tokens).unwrap();
    assert_eq!(living(&user)[0].used, first);
    bench.later(86_400);
    app.refresh(&tokens).unwrap();
    assert_eq!(living(&user)[0].used, Some(bench.now()));
    bench.later(OFFLINE_SECONDS);
    assert_eq!(living(&user), []);
}

#[test]
fn taking_back_ends_all_that_one_app_has_of_one_user() {
    let bench = Bench::new();
    let (app, other) = (bench.strict(), bench.public());
    let (user, somebody) = (bench.user(Role::Patient, Some("p1")), bench.user(Role::Patient, Some("p2")));
    let scope = "offline_access patient/*.rs";
    let (one, two) = (app.tokens(scope, &user), app.tokens(scope, &user));
    let (others, theirs) = (other.tokens(scope, &user), app.tokens(scope, &somebody));
    assert_eq!(grant::revoke_app(&bench.door, &user.actor, &app.id).unwrap(), 2);
    for tokens in [&one, &two] {
        assert_eq!(app.use_token(tokens), Err(Fault::Token));
        assert_eq!(error(app.refresh(tokens)), "invalid_grant");
    }
    other.use_token(&others).unwrap();
    app.use_token(&theirs).unwrap();
    app.refresh(&theirs).unwrap();
    assert_eq!(grant::revoke_app(&bench.door, &user.actor, &app.id).unwrap(), 0);
}

#[test]
fn what_has_ended_is_removed_and_nothing_else() {
    let bench = Bench::new();
    let app = bench.strict();
    let user = bench.user(Role::Patient, Some("p1"));
    let lasting = app.tokens("offline_access patient/*.rs", &user);
    // More than are removed at once.
    for _ in 0..520 {
        app.tokens("patient/*.rs", &user);
    }
    let ends = |view: &ieum_trust::door::View<'_>| {
        let all = records::find::<grant::Grant>(view, &GRANT, ("account", &user.actor), 1_000).unwrap();
        all.into_iter().map(|kept| kept.value.ends).min().unwrap()
    };
    let first = ends(&bench.door.view(&Access::system("test")).unwrap());
    assert_eq!(grant::sweep(&bench.door, first - 1).unwrap(), 0);
    assert_eq!(left(&bench), 521);
    assert_eq!(grant::sweep(&bench.door, first).unwrap(), 520);
    app.use_token(&lasting).unwrap();
    app.refresh(&lasting).unwrap();
    assert_eq!(grant::sweep(&bench.door, bench.now() + OFFLINE_SECONDS - 1).unwrap(), 0);
    assert_eq!(grant::sweep(&bench.door, bench.now() + OFFLINE_SECONDS).unwrap(), 1);
    assert_eq!(left(&bench), 0);
}

#[test]
fn an_app_of_an_institution_is_for_its_people_and_patients() {
    let bench = Bench::new();
    let app = bench.strict();
    let mut client = ieum_trust::authorization::client::read(&bench.door, &Access::system("test"), &app.id)
        .unwrap()
        .unwrap();
    client.institution = Some("o1".into());
    let app = crate::support::App { id: bench.register(&client), ..app };
    let of = |role, organization: Option<&str>| Access {
        organization: organization.map(ToOwned::to_owned),
        ..bench.user(role, None)
    };
    for (user, may) in [
        (bench.user(Role::Patient, Some("p1")), true),
        (of(Role::Clinician, Some("o1")), true),
        (of(Role::Clinician, Some("o2")), false),
        (of(Role::Clinician, None), false),
        (of(Role::Operator, None), false),
        (of(Role::Operator, Some("o1")), false),
    ] {
        let allowed = bench.server.allow(&app.ask("user/*.rs"), &user, None, bench.now());
        assert_eq!(allowed.err(), (!may).then_some(Fault::NotForUser), "{user:?}");
    }
}
