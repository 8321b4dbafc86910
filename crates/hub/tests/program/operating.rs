//! What an operator meets: accounts of a running hub, rights of files, full disks, addresses.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::disk::SmallDisk;
use crate::support::{Running, ieum, output, run};

fn account(data: &Path, arguments: &[&str]) -> (bool, String) {
    let done = ieum().arg("account").args(arguments).arg("--data").arg(data).output().unwrap();
    let text = [done.stdout.as_slice(), &done.stderr].concat();
    (done.status.success(), String::from_utf8(text).unwrap().trim().to_owned())
}

fn enters(hub: &Running, secret: &str) -> u16 {
    let (agent, base) = hub.client();
    let request = agent.get(format!("{base}/Patient")).header("authorization", format!("Bearer {secret}"));
    request.call().unwrap().status().as_u16()
}

#[test]
fn people_are_invited_by_command() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let hub = Running::start(&data, &[]);
    let (is_invited, said) = account(&data, &["invite", "--role", "clinician", "--name", "가상 의사"]);
    let link = said.lines().next().unwrap().to_owned();
    assert!(is_invited && link.starts_with("/welcome/") && said.contains("72 hours"), "{said}");
    let (agent, base) = hub.client();
    let status = |link: &str| {
        let url = format!("{}{link}", base.strip_suffix("/fhir").unwrap());
        agent.get(url).call().unwrap().status().as_u16()
    };
    assert_eq!((status(&link), status("/welcome/none")), (200, 410));
    let (_, list) = account(&data, &["list"]);
    let id = list.split(' ').next().unwrap();
    let (_, said) = account(&data, &["invite", "--account", id]);
    let second = said.lines().next().unwrap().to_owned();
    assert_eq!((status(&link), status(&second)), (410, 200), "the newest link is the one");
    for (arguments, what) in [
        (vec!["invite", "--account", "nobody"], "account list"),
        (vec!["invite", "--role", "manager", "--name", "x"], "--organization"),
        (
            vec!["invite", "--role", "manager", "--name", "x", "--organization", "none"],
            "no Organization record",
        ),
        (vec!["invite", "--role", "service", "--name", "x"], "clinician"),
        (vec!["invite", "--role", "patient", "--name", "x"], "--patient"),
        (vec!["lock", "nobody"], "nobody with this log-in name"),
        (vec!["unlock", "x"], "cannot be a log-in name"),
    ] {
        let (is_done, said) = account(&data, &arguments);
        assert!(!is_done && said.contains(what), "{arguments:?}: {said}");
    }
}

#[test]
fn accounts_come_and_go_while_the_hub_runs_and_while_it_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    assert!(!account(&data, &["list"]).0 && !data.exists(), "a slip of the hand makes no data directory");
    let (_, said) = account(&data, &["add", "--role", "clinician", "--name", "가상 의사"]);
    assert!(said.contains("made a new data directory"), "{said}");
    let first = said.lines().next().unwrap().to_owned();

    let hub = Running::start(&data, &[]);
    let (is_added, second) = account(&data, &["add", "--role", "service", "--name", "가상 검사실"]);
    assert!(is_added && second.len() == 43, "{second}");
    assert_eq!((enters(&hub, &first), enters(&hub, &second)), (200, 200));
    let (_, list) = account(&data, &["list"]);
    assert!(list.contains("clinician  가상 의사") && list.contains("service    가상 검사실"), "{list}");
    assert!(!list.contains(&first) && !list.contains(&second));
    let id_of = |list: &str, name: &str| {
        let line = list.lines().find(|line| line.contains(name)).unwrap();
        line.split(' ').next().unwrap().to_owned()
    };
    assert!(account(&data, &["remove", &id_of(&list, "가상 의사")]).0);
    assert_eq!((enters(&hub, &first), enters(&hub, &second)), (401, 200));
    let (is_removed, said) = account(&data, &["remove", "nobody"]);
    assert!(!is_removed && said.contains("account list"), "{said}");
    hub.stop();

    assert!(account(&data, &["remove", &id_of(&list, "가상 검사실")]).0);
    assert_eq!(account(&data, &["list"]), (true, String::new()));
    let hub = Running::start(&data, &[]);
    assert_eq!(enters(&hub, &second), 401);
    // A hub that was killed leaves its ear behind; the next one is not kept from listening.
    hub.kill();
    let hub = Running::start(&data, &[]);
    assert!(account(&data, &["list"]).0);
    hub.stop();
}

// threat: 16
#[test]
fn what_is_written_is_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    std::fs::write(path("p.json"), r#"{"resourceType":"Patient","id":"p"}"#).unwrap();
    // Whatever the one who starts it lets others do.
    let mut import = std::process::Command::new("sh");
    let script = format!(
        "umask 022; exec {} import --data {} {}",
        env!("CARGO_BIN_EXE_ieum"),
        text("data"),
        text("p.json")
    );
    assert!(import.args(["-c", &script]).status().unwrap().success());
    let hub = Running::open(&path("data"));
    assert_private(&path("data"));
    let report = run(&["doctor", "--data", &text("data")]);
    assert!(report.contains("a hub is running"), "{report}");
    let export = output(&["export", "--data", &text("data"), "--out", &text("out")]);
    let said = String::from_utf8_lossy(&export.stderr).into_owned();
    assert!(said.contains("stop that one first") && !said.contains("import"), "{said}");
    hub.stop();
    run(&["export", "--data", &text("data"), "--out", &text("out")]);
    assert_private(&path("out"));

    std::fs::set_permissions(path("data"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let report = output(&["doctor", "--data", &text("data")]);
    let said = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(!report.status.success() && said.contains("chmod -R go= "), "{said}");
}

fn assert_private(directory: &Path) {
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
        files += 1;
    }
    assert!(files > 0);
}

#[test]
fn a_slip_in_a_directory_makes_no_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let (data, out) = (directory.path().join("typo"), directory.path().join("out"));
    let export = output(&["export", "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(!export.status.success());
    assert!(String::from_utf8_lossy(&export.stderr).contains("holds no records"), "{export:?}");
    assert!(!data.exists() && !out.exists());
}

#[test]
fn addresses_that_cannot_be_served_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let serve = |flags: &[&str]| {
        let done = ieum().args(["serve", "--data"]).arg(&data).args(flags).output().unwrap();
        assert!(!done.status.success());
        String::from_utf8(done.stderr).unwrap()
    };
    let said = serve(&["--listen", &format!("localhost:{}", taken.port())]);
    assert!(said.contains(&taken.to_string()) && said.contains("choose another port"), "{said}");
    let said = serve(&["--listen", "0.0.0.0:0"]);
    assert!(said.contains("--base-url"), "{said}");
    let said = serve(&["--base-url", "http://hub.example/fhir"]);
    assert!(said.contains("https://"), "{said}");
    assert!(!data.exists(), "nothing is made for a hub that cannot serve");
    let report = output(&["doctor", "--data", data.to_str().unwrap(), "--listen", "0.0.0.0:80"]);
    assert!(String::from_utf8_lossy(&report.stdout).contains("FAULT: listening beyond"), "{report:?}");
}

// threat: 25
#[test]
fn a_hub_on_a_full_disk_is_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let Some(disk) = SmallDisk::mount(&data, 4) else { return };
    let hub = Running::open(&data);
    let (agent, base) = hub.client();
    let ready = || {
        // An answer is good for two seconds.
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        let address = base.replace("/fhir", "/readyz");
        agent.get(address).call().unwrap().status().as_u16()
    };
    assert_eq!(ready(), 200);
    let filler = std::fs::File::create(data.join("filler")).unwrap();
    let full = std::io::copy(&mut std::io::repeat(b'x'), &mut &filler);
    assert!(full.is_err());
    let mut status = 0;
    for number in 0..400 {
        let body = format!(r#"{{"resourceType":"Patient","id":"f{number}","name":[{{"text":"가상"}}]}}"#);
        let request =
            agent.put(format!("{base}/Patient/f{number}")).header("content-type", "application/fhir+json");
        status = request.send(body).unwrap().status().as_u16();
        if status == 507 {
            break;
        }
    }
    assert_eq!(status, 507);
    assert_eq!(ready(), 503);
    std::fs::remove_file(data.join("filler")).unwrap();
    disk.resize(16);
    assert_eq!(ready(), 200, "with room it is ready again, without a restart");
    hub.stop();
}

#[test]
fn a_disk_that_cannot_be_written_is_no_reason_to_restore_a_backup() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let Some(disk) = SmallDisk::mount(&data, 8) else { return };
    Running::open(&data).stop();
    disk.protect();
    let report = output(&["doctor", "--data", data.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(!report.status.success() && said.contains("read and write the directory"), "{said}");
    assert!(!said.contains("backup"), "{said}");
}

/// The child of the next test.
#[test]
#[ignore = "panics on purpose"]
fn panics_over_a_name() {
    ieum::serve::log_panics_without_content();
    panic!("가상환자 930101-1");
}

// threat: 18
#[test]
fn a_panic_tells_its_place_and_not_what_it_was_over() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "operating::panics_over_a_name", "--ignored", "--nocapture"]);
    let done = child.output().unwrap();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(said.contains("a panic at") && said.contains("operating.rs"), "{said}");
    assert!(!said.contains("가상환자") && !said.contains("930101"), "{said}");
}
