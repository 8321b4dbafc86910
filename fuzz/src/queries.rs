//! An address to be read: what stands after `[base]`, such as `/Patient?name=kim`.

use std::fmt::Write as _;

use serde_json::Value;

use super::hub::{Reply, TestHub};

/// Two hubs with the same records on different engines.
pub struct Judge {
    memory: TestHub,
    disk: TestHub,
}

impl Default for Judge {
    fn default() -> Self {
        Self { memory: TestHub::in_memory().with_world(), disk: TestHub::on_disk().with_world() }
    }
}

impl Judge {
    /// Both engines understand the same and find the same.
    pub fn judge(&self, input: &[u8]) {
        let address = address(input);
        let (Some(expected), Some(found)) = (self.memory.get(&address), self.disk.get(&address)) else {
            return;
        };
        assert_eq!(found.status, expected.status, "{address}: {} {}", found.text(), expected.text());
        if expected.status != 200 || expected.body.is_empty() {
            return;
        }
        let (expected, found) = (whole(&expected), whole(&found));
        // What stands on the first of several pages of a search without order is each engine's own affair, and so is
        // whether it knows how many versions a history has.
        let (Some((total, expected)), Some((found_total, found))) = (expected, found) else { return };
        assert!(
            total.is_null() || found_total.is_null() || total == found_total,
            "{address}: {total} {found_total}"
        );
        let missing: Vec<&String> = expected.iter().filter(|entry| !found.contains(entry)).collect();
        let further: Vec<&String> = found.iter().filter(|entry| !expected.contains(entry)).collect();
        assert!(found == expected, "{address}: missing {missing:?}, further {further:?}");
    }
}

/// The input with everything escaped that cannot stand in an address.
fn address(input: &[u8]) -> String {
    let mut address = String::with_capacity(input.len());
    for &byte in input {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            address.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

/// Total and entries of an answer that has one page; any other resource as it is.
fn whole(reply: &Reply) -> Option<(Value, Vec<String>)> {
    let answer = reply.json();
    if answer["resourceType"] != "Bundle" || answer["type"].is_null() {
        return Some((answer, Vec::new()));
    }
    let links = answer["link"].as_array().map_or(&[][..], Vec::as_slice);
    if links.iter().any(|link| link["relation"] == "next") {
        return None;
    }
    let mut entries: Vec<String> =
        answer["entry"].as_array().into_iter().flatten().map(Value::to_string).collect();
    entries.sort();
    Some((answer["total"].clone(), entries))
}
