//! kill -9 at any moment: what was acknowledged is there, and nothing is there by half.

use std::time::Duration;

use crate::pairs::{CLIENTS, Ended, Pairs, is_sound};
use crate::support::Running;

/// Kills in an ordinary run; `IEUM_KILLS` sets another number.
const KILLS: u32 = 200;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_there() {
    let kills: u32 = std::env::var("IEUM_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let pairs = Pairs::default();
    for round in 0..kills {
        let hub = Running::open(&data);
        pairs.check(&hub);
        write_until_killed(hub, round, &pairs);
        if round % 50 == 49 {
            is_sound(&data);
        }
    }
    let hub = Running::open(&data);
    pairs.check_all(&hub);
    let (acknowledged, unknown) = pairs.counts();
    assert!(acknowledged > kills as usize, "too little was written to prove anything");
    eprintln!("{acknowledged} pairs acknowledged, {unknown} unknown, {kills} kills");
    hub.stop();
    is_sound(&data);
}

/// Lets clients write, and kills the hub after a time that differs from round to round.
fn write_until_killed(hub: Running, round: u32, pairs: &Pairs) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let connection = hub.client();
            scope.spawn(move || {
                loop {
                    match pairs.write(&connection, client) {
                        Ended::Done => {}
                        Ended::Silent => return,
                        Ended::Refused(status, outcome) => panic!("refused with {status}: {outcome}"),
                    }
                }
            });
        }
        // Between 5 and 80 ms, in an order without pattern.
        std::thread::sleep(Duration::from_millis(u64::from(5 + round * 37 % 76)));
        hub.kill();
    });
}
