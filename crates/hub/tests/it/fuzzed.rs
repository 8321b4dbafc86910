//! What the fuzz targets hold of any input (`fuzz/src`), held of their seeds, of all that was ever found, and of random
//! changes of these. `cargo xtask fuzz` looks further.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

#[allow(unreachable_pub, missing_docs, reason = "a library there, a module here")]
#[path = "../../../../fuzz/src/lib.rs"]
mod fuzz;

/// Changed seeds judged in an ordinary run; `IEUM_CASES` sets another number.
const CASES: u32 = 200;

// threat: 20
#[test]
fn any_document() {
    judge("documents", fuzz::documents::judge);
}

// threat: 20
#[test]
fn any_query() {
    let both = fuzz::queries::Judge::default();
    judge("queries", |input| both.judge(input));
}

// threat: 20
#[test]
fn any_bundle() {
    judge("bundles", fuzz::bundles::judge);
}

// threat: 20
#[test]
fn any_patch() {
    judge("patches", fuzz::patches::judge);
}

#[test]
fn anything_apps_send() {
    judge("apps", fuzz::apps::judge);
}

fn judge(target: &str, judge: impl Fn(&[u8])) {
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| judge(seed));
    let cases = std::env::var("IEUM_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let input = (any::<Index>(), prop::collection::vec(change(), 1..4)).prop_map(|(seed, changes)| {
        let seed = seed.get(&seeds).clone();
        String::from_utf8_lossy(&changes.iter().fold(seed, |input, change| change.done(&input, &seeds)))
            .into_owned()
    });
    let judged = runner.run(&input, |input| {
        judge(input.as_bytes());
        Ok(())
    });
    judged.unwrap();
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A change of some bytes: they go, or others come in their place, out of any seed or of nowhere.
#[derive(Debug, Clone)]
struct Change {
    at: Index,
    length: usize,
    from: Option<(Index, Index, usize)>,
    bytes: Vec<u8>,
}

fn change() -> impl Strategy<Value = Change> {
    let from = prop::option::of((any::<Index>(), any::<Index>(), 0..40_usize));
    let bytes = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..4)];
    (any::<Index>(), 0..20_usize, from, bytes).prop_map(|(at, length, from, bytes)| Change {
        at,
        length,
        from,
        bytes,
    })
}

impl Change {
    fn done(&self, input: &[u8], seeds: &[Vec<u8>]) -> Vec<u8> {
        let at = self.at.index(input.len() + 1);
        let mut out = input[..at].to_vec();
        if let Some((seed, from, length)) = &self.from {
            let seed = seed.get(seeds);
            let from = from.index(seed.len() + 1);
            out.extend_from_slice(&seed[from..seed.len().min(from + length)]);
        }
        out.extend_from_slice(&self.bytes);
        out.extend_from_slice(&input[input.len().min(at + self.length)..]);
        out
    }
}
