//! Disks that fill up or turn read-only under a hub that writes, and clocks that jump: what was acknowledged stays,
//! nothing is there by half, refusals say why, and the indexes hold what the records say.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::disk::{FailingDisk, SmallDisk};
use crate::pairs::{CLIENTS, Ended, Pairs, is_sound};
use crate::support::{Running, ieum};

/// Clients write until each has been refused so often; gives the statuses and codes of the refusals.
fn write_until_refused(hub: &Running, pairs: &Pairs, times: usize) -> BTreeSet<(u16, String)> {
    let refusals = |client: usize| {
        let connection = hub.client();
        let mut refusals = Vec::new();
        while refusals.len() < times {
            match pairs.write(&connection, client) {
                Ended::Done => {}
                Ended::Refused(status, outcome) => refusals.push(refusal(status, &outcome)),
                Ended::Silent => panic!("the hub has gone"),
            }
        }
        refusals
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || refusals(client))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Status and code.
fn refusal(status: u16, outcome: &Value) -> (u16, String) {
    let code = &outcome["issue"][0]["details"]["coding"][0]["code"];
    (status, code.as_str().unwrap_or_default().to_owned())
}

fn disk_full() -> BTreeSet<(u16, String)> {
    BTreeSet::from([(507, "IEUM-R020".to_owned())])
}

/// `ieum doctor` on a copy: on a disk as small as these it would rightly ask for more room.
fn a_copy_is_sound(data: &Path) {
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("data");
    assert!(Command::new("cp").arg("-a").args([data, &copy]).status().unwrap().success());
    is_sound(&copy);
}

#[test]
fn a_disk_that_fills_up_under_many_writers() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let Some(disk) = SmallDisk::mount(&data, 6) else { return };
    let hub = Running::open(&data);
    let pairs = Pairs::default();
    for megabytes in [8, 10, 40] {
        assert_eq!(write_until_refused(&hub, &pairs, 3), disk_full());
        pairs.check(&hub);
        // Room again: the same hub writes on.
        disk.resize(megabytes);
        let connection = hub.client();
        assert!(matches!(pairs.write(&connection, 0), Ended::Done), "with room it writes again");
    }
    assert_eq!(write_until_refused(&hub, &pairs, 1), disk_full());
    // Killed on a full disk, and started on it.
    hub.kill();
    disk.resize(80);
    let hub = Running::open(&data);
    pairs.check_all(&hub);
    hub.stop();
    a_copy_is_sound(&data);
}

// threat: 25
#[test]
fn a_disk_that_turns_read_only_while_clients_write() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("disk");
    let Some(disk) = FailingDisk::mount(&disk, 64) else { return };
    let data = disk.path().join("data");
    let pairs = Pairs::default();
    for _ in 0..3 {
        let hub = Running::open(&data);
        pairs.check_all(&hub);
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (hub, pairs, failed) = (&hub, &pairs, &failed);
            let clients = (0..CLIENTS).map(|client| {
                scope.spawn(move || {
                    let connection = hub.client();
                    let mut refused = BTreeSet::new();
                    let mut after = 0;
                    while after < 5 {
                        let was_failing = failed.load(Ordering::SeqCst);
                        match pairs.write(&connection, client) {
                            Ended::Done => {
                                assert!(!was_failing, "acknowledged on a disk that cannot be written");
                            }
                            Ended::Refused(status, outcome) => {
                                refused.insert(refusal(status, &outcome));
                            }
                            Ended::Silent => panic!("the hub has gone"),
                        }
                        after += u32::from(was_failing);
                    }
                    refused
                })
            });
            let clients: Vec<_> = clients.collect();
            std::thread::sleep(Duration::from_millis(300));
            // While its file system fails, Linux (6.18) now and then says yes to a sync that has not been: what is
            // acknowledged in these moments may go with it.
            let (certain, _) = pairs.counts();
            disk.fail();
            failed.store(true, Ordering::SeqCst);
            for client in clients {
                let refused = client.join().unwrap();
                assert_eq!(refused, BTreeSet::from([(503, "IEUM-R033".to_owned())]));
            }
            pairs.doubt_after(certain);
        });
        // What was there can still be read, and the hub does not say that it is well.
        pairs.check(&hub);
        let (agent, base) = hub.client();
        let ready = agent.get(base.replace("/fhir", "/readyz")).call().unwrap().status().as_u16();
        assert_eq!(ready, 503);
        hub.kill();
        let said = started_in_vain(&data);
        assert!(said.contains("Read-only file system") || said.contains("not writable"), "{said}");
        disk.repair();
    }
    let hub = Running::open(&data);
    pairs.check_all(&hub);
    hub.stop();
    a_copy_is_sound(&data);
}

/// What `ieum serve` says when it cannot start.
fn started_in_vain(data: &Path) -> String {
    let done =
        ieum().args(["serve", "--open", "--listen", "127.0.0.1:0", "--data"]).arg(data).output().unwrap();
    assert!(!done.status.success());
    String::from_utf8(done.stderr).unwrap()
}

#[test]
fn a_hub_on_a_read_only_disk_says_so_and_starts_again_later() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let Some(disk) = SmallDisk::mount(&data, 16) else { return };
    let pairs = Pairs::default();
    let hub = Running::open(&data);
    for client in 0..CLIENTS {
        assert!(matches!(pairs.write(&hub.client(), client), Ended::Done));
    }
    // Not stopped in order: the log is still beside the file.
    hub.kill();
    disk.protect();
    let said = started_in_vain(&data);
    assert!(said.contains("Read-only file system") && said.contains(data.to_str().unwrap()), "{said}");
    disk.resize(16);
    disk.allow();
    let hub = Running::open(&data);
    pairs.check_all(&hub);
    hub.stop();
    a_copy_is_sound(&data);
}

/// Where Debian puts the library that gives a program another clock.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

#[test]
fn a_clock_that_jumps_an_hour_back_and_forth() {
    if !Path::new(FAKETIME).is_file() {
        eprintln!("\n*** SKIPPED: {FAKETIME} is not there; install faketime to test clocks that jump ***\n");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (data, clock) = (directory.path().join("data"), directory.path().join("clock"));
    let set = |offset: &str| std::fs::write(&clock, offset).unwrap();
    set("+0");
    let open = || {
        Running::start_with(&data, 0, &["--open"], |command| {
            command.env("LD_PRELOAD", FAKETIME).env("FAKETIME_TIMESTAMP_FILE", &clock);
            // Clocks that jump are those on the wall; waiting goes on as it does on such a machine.
            command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
        })
    };
    let pairs = Pairs::default();
    let mut follower = Follower::default();
    for jumps in [&["-1h", "+0", "+1h"][..], &["-1h", "+1h", "+0"], &["+0", "-2h"]] {
        let hub = open();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (hub, pairs, stop) = (&hub, &pairs, &stop);
            for client in 0..CLIENTS {
                scope.spawn(move || {
                    let connection = hub.client();
                    while !stop.load(Ordering::SeqCst) {
                        assert!(matches!(pairs.write(&connection, client), Ended::Done));
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
            }
            for jump in jumps {
                set(jump);
                let until = Instant::now() + Duration::from_millis(300);
                while Instant::now() < until {
                    follower.follow(hub);
                }
            }
            stop.store(true, Ordering::SeqCst);
        });
        pairs.check(&hub);
        follower.follow(&hub);
        let whole = Follower::whole(&hub);
        assert_eq!(follower.seen, whole.seen, "a follower by _since has missed something");
        whole.assert_order();
        hub.kill();
    }
    let hub = open();
    pairs.check_all(&hub);
    hub.stop();
    is_sound(&data);
}

/// One who asks again and again for what is new since the newest he has seen.
#[derive(Default)]
struct Follower {
    since: Option<String>,
    seen: BTreeSet<(String, u64)>,
    /// (commit's instant, address and version), newest first, of the last time.
    last: Vec<(String, String, u64)>,
}

impl Follower {
    fn whole(hub: &Running) -> Self {
        let mut whole = Self::default();
        whole.follow(hub);
        whole
    }

    fn follow(&mut self, hub: &Running) {
        let since = self.since.as_ref().map(|since| format!("&_since={}", since.replace('+', "%2B")));
        let mut next = Some(format!("_history?_count=500{}", since.unwrap_or_default()));
        self.last.clear();
        while let Some(path) = next {
            let (status, page) = hub.get(&path);
            assert_eq!(status, 200, "{page}");
            for entry in page["entry"].as_array().into_iter().flatten() {
                let resource = &entry["resource"];
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let address = format!("{}/{}", text(&resource["resourceType"]), text(&resource["id"]));
                let version = text(&resource["meta"]["versionId"]).parse().unwrap();
                self.last.push((text(&resource["meta"]["lastUpdated"]), address, version));
            }
            let links = page["link"].as_array().unwrap();
            let link = links.iter().find(|link| link["relation"] == "next");
            next = link.and_then(|link| Some(link["url"].as_str()?.split_once("/fhir/")?.1.to_owned()));
        }
        self.seen.extend(self.last.iter().map(|(_, address, version)| (address.clone(), *version)));
        self.since = self.last.first().map(|(instant, ..)| instant.clone()).or(self.since.take());
    }

    /// The three records of a transaction have one instant, and no two transactions have the same.
    fn assert_order(&self) {
        let instants: Vec<&str> = self.last.iter().map(|(instant, ..)| instant.as_str()).collect();
        assert!(instants.len() > 300, "too little was written to prove anything");
        for of_one in instants.chunks(3) {
            assert!(of_one.iter().all(|instant| *instant == of_one[0]), "{of_one:?}");
        }
        let commits: Vec<&str> = instants.chunks(3).map(|of_one| of_one[0]).collect();
        assert!(commits.is_sorted_by(|newer, older| newer > older), "instants do not follow the commits");
    }
}
