#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ieum_fuzz::apps::judge(input));
