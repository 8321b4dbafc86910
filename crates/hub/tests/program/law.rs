//! Tables of law laid over those of the program.

use std::path::Path;

use ieum::data::Data;
use ieum_trust::access::Access;
use ieum_trust::law::kept::LAW;

use crate::support::{Running, output};

fn row(value: u32, period: &str) -> String {
    format!(
        "[[row]]\nid = \"age.own-consent\"\nlaw = \"법\"\narticle = \"§1\"\nvalue = {value}\nunit = \"age\"\n\
         {period}\nsource_ko = \"시험용 나이\"\nsource_en = \"an age for a test\"\nconfidence = \"primary\"\n"
    )
}

/// The page of the law that holds on a day.
fn page(hub: &Running, day: &str) -> String {
    let (agent, base) = hub.client();
    let address = format!("{}/law?subject=ages&lang=en&date={day}", base.trim_end_matches("/fhir"));
    agent.get(address).call().unwrap().body_mut().read_to_string().unwrap()
}

/// How often the law in force was written down, and in which version it is.
fn written(data: &Path) -> (usize, u64) {
    let data = Data::existing(data, None).unwrap();
    let view = data.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, 100).unwrap();
    let of_law = entries.iter().filter(|entry| entry.entry.action == "law").count();
    let version = view.read(LAW.name, "law").unwrap().map_or(0, |record| record.version);
    drop(view);
    data.engine.stop();
    (of_law, version)
}

#[test]
fn a_law_laid_over_is_in_force_and_written_down() {
    let directory = tempfile::tempdir().unwrap();
    let (data, law) = (directory.path().join("data"), directory.path().join("law"));
    let hub = Running::open(&data);
    assert!(!page(&hub, "2027-07-01").contains("an age for a test"));
    hub.stop();
    assert_eq!(written(&data), (1, 1));
    Running::open(&data).stop();
    assert_eq!(written(&data), (1, 1), "the same law is not written down again");

    std::fs::create_dir(&law).unwrap();
    let rows = row(14, "valid_to = 2027-06-30") + &row(13, "valid_from = 2027-07-01");
    std::fs::write(law.join("consent.toml"), rows).unwrap();
    let hub = Running::start(&data, &["--open", "--law", law.to_str().unwrap()]);
    let before = page(&hub, "2027-06-30");
    let after = page(&hub, "2027-07-01");
    assert!(before.contains("until 2027-06-30") && !before.contains("from 2027-07-01"), "{before}");
    assert!(after.contains("from 2027-07-01") && !after.contains("until 2027-06-30"), "{after}");
    hub.stop();
    assert_eq!(written(&data), (2, 2));
}

#[test]
fn a_wrong_law_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let (data, law) = (directory.path().join("data"), directory.path().join("law"));
    std::fs::create_dir(&law).unwrap();
    std::fs::write(law.join("consent.toml"), row(13, "valid_from = 2027-07-01")).unwrap();
    let (data, law) = (data.to_str().unwrap(), law.to_str().unwrap());
    let started = output(&["serve", "--open", "--data", data, "--listen", "127.0.0.1:0", "--law", law]);
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(!started.status.success() && said.contains("consent.toml, line 1: age.own-consent"), "{said}");
    assert!(said.contains("overlaps") && said.contains("valid_to"), "{said}");
    assert!(!Path::new(data).exists(), "nothing was begun");
    let doctor = output(&["doctor", "--data", data, "--law", law]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(!doctor.status.success() && said.contains("consent.toml, line 1"), "{said}");
}
