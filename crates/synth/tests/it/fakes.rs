//! Numbers that cannot be real.

use ieum_synth::{
    FOREIGNER_SYSTEM, RRN_SYSTEM, is_fake_institution_symbol, is_fake_phone, is_fake_postal_code,
    is_fake_procedure_code, is_fake_product_code, is_fake_rrn,
};

use crate::{patients, records, shared, text, walk};

#[test]
fn registration_numbers_are_impossible() {
    let mut seen = std::collections::HashSet::new();
    for record in patients() {
        for identifier in record.patient()["identifier"].as_array().unwrap() {
            let system = text(&identifier["system"]);
            if system == RRN_SYSTEM || system == FOREIGNER_SYSTEM {
                let value = text(&identifier["value"]);
                assert!(is_fake_rrn(value), "{value}");
                assert!(seen.insert(value.to_owned()), "{value} twice");
            }
        }
    }
    assert!(seen.len() > 380);
}

#[test]
fn nothing_looks_like_a_real_registration_number() {
    // Any 6-7 digit pair in any text, wherever it stands, has an impossible month.
    for resource in records().iter().flat_map(|record| &record.resources) {
        let json = resource.to_string();
        for (at, _) in json.match_indices('-') {
            let Some(piece) = at.checked_sub(6).and_then(|from| json.get(from..at + 8)) else { continue };
            let digits = piece.bytes().filter(u8::is_ascii_digit).count();
            let edge = json.as_bytes().get(at + 8).is_none_or(|byte| !byte.is_ascii_digit());
            let begins = at < 7 || !json.as_bytes()[at - 7].is_ascii_digit();
            assert!(digits < 13 || !edge || !begins || is_fake_rrn(piece), "{piece}");
        }
    }
}

#[test]
fn the_rule_for_registration_numbers_is_exact() {
    for real in ["900101-1234567", "991231-2000000", "000229-3000000"] {
        assert!(!is_fake_rrn(real), "{real}");
    }
    for wrong in
        ["903301-1234567", "902001-1234567", "902100-1234567", "9021011234567", "90210１-1234567", ""]
    {
        assert!(!is_fake_rrn(wrong), "{wrong}");
    }
    assert!(is_fake_rrn("902101-1234567") && is_fake_rrn("903231-8999999"));
}

#[test]
fn institutions_phones_and_postal_codes_are_fake() {
    for organization in shared().of("Organization") {
        let symbol = text(&organization["identifier"][0]["value"]);
        assert!(is_fake_institution_symbol(symbol) && !symbol.starts_with('0'), "{symbol}");
        assert!(text(&organization["name"]).contains("가상"), "{}", organization["name"]);
    }
    for resource in records().iter().flat_map(|record| &record.resources) {
        walk(resource, &mut |map| {
            if map.get("system").is_some_and(|system| system == "phone" || system == "fax") {
                assert!(is_fake_phone(text(&map["value"])), "{}", map["value"]);
            }
            if let Some(code) = map.get("postalCode") {
                assert!(is_fake_postal_code(text(code)), "{code}");
            }
        });
    }
}

#[test]
fn codes_of_lists_we_may_not_copy_are_in_unused_ranges() {
    for resource in records().iter().flat_map(|record| &record.resources) {
        walk(resource, &mut |map| {
            let Some(system) = map.get("system").and_then(|system| system.as_str()) else { return };
            let code = || text(&map["code"]);
            match system.rsplit('/').next() {
                Some("hira-edi-medication") => assert!(is_fake_product_code(code())),
                Some("hira-edi-procedure") => assert!(is_fake_procedure_code(code())),
                Some("mohw-md-license-id") => {
                    let value: u32 = text(&map["value"]).parse().unwrap();
                    assert!((980_000..1_000_000).contains(&value));
                }
                _ => {}
            }
        });
    }
}

#[test]
fn licences_are_given_once() {
    let mut seen = std::collections::HashSet::new();
    for practitioner in shared().of("Practitioner") {
        for qualification in practitioner["qualification"].as_array().unwrap() {
            assert!(seen.insert(text(&qualification["identifier"][0]["value"])));
        }
    }
}
