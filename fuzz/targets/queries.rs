#![no_main]

use std::sync::LazyLock;

use ieum_fuzz::queries::Judge;

static JUDGE: LazyLock<Judge> = LazyLock::new(Judge::default);

libfuzzer_sys::fuzz_target!(|input: &[u8]| JUDGE.judge(input));
