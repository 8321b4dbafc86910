//! The write-ahead log stays bounded however many read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{catalogue, sqlite_with};

/// What the log may have: 128 MiB after which it is taken into the file, and a few vain attempts on a busy machine.
const MOST: u64 = 256 << 20;
/// Records of about 0.8 MB that are written.
const RECORDS: u32 = 400;

/// Readers that take turns so that there is always one, and none for long: the log can never be begun anew by itself.
#[test]
fn the_log_is_bounded_while_somebody_always_reads() {
    let directory = tempfile::tempdir().unwrap();
    let store = sqlite_with(directory.path(), &catalogue());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for turn in 0..3_u64 {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(20 * turn));
                while !stop.load(Ordering::SeqCst) {
                    let view = store.engine.snapshot().unwrap();
                    std::thread::sleep(Duration::from_millis(60));
                    drop(view);
                }
            });
        }
        for number in 0..RECORDS {
            store.put(&binary(number));
        }
        stop.store(true, Ordering::SeqCst);
    });
    let log = size(directory.path());
    assert!(log < MOST, "the log has {log} bytes");
    let report = store.check();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

fn size(directory: &Path) -> u64 {
    std::fs::metadata(directory.join("records.sqlite-wal")).map_or(0, |log| log.len())
}

/// A megabyte of letters, which no compressor makes much smaller.
fn binary(number: u32) -> String {
    let mut state = u64::from(number) + 1;
    let letters = (0..1 << 20).map(|_| {
        // Xorshift: enough for a compressor to give up.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(state % 64) as usize])
    });
    format!(
        r#"{{"resourceType":"Binary","id":"b{number}","contentType":"x/y","data":"{}"}}"#,
        letters.collect::<String>()
    )
}
