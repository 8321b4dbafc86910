//! A bundle, posted to a hub that already holds a few records.

use serde_json::Value;

use super::hub::TestHub;

/// A transaction is done as a whole or not at all, in one commit, and every entry is answered in its place. A bundle that
/// is refused leaves no trace. Whatever was done, the indexes hold what the records say.
pub fn judge(input: &[u8]) {
    let hub = TestHub::for_input(input).with_a_few();
    let before = hub.t();
    let reply = hub.send("POST", "", Some("application/fhir+json"), input);
    if reply.status != 200 {
        assert_eq!(hub.t(), before, "refused, and yet done: {}", reply.text());
        return;
    }
    let sent: Value = serde_json::from_slice(input).expect("what was done is JSON");
    let answer = reply.json();
    let (asked, answers) = (entries(&sent), entries(&answer));
    assert_eq!(answers.len(), asked.len(), "an answer for each entry");
    assert_eq!(answer["type"], format!("{}-response", sent["type"].as_str().unwrap_or_default()));
    if sent["type"] == "transaction" {
        assert!(hub.t() <= before + 1, "a transaction is one commit");
        for (asked, answer) in asked.iter().zip(answers) {
            let status = answer["response"]["status"].as_str().expect("each answer has a status");
            let is_read = ["GET", "HEAD"].contains(&asked["request"]["method"].as_str().unwrap_or_default());
            assert!(is_read || status.starts_with('2'), "one of a transaction ended with {status}");
        }
    }
    hub.check();
}

fn entries(bundle: &Value) -> &[Value] {
    bundle["entry"].as_array().map_or(&[], Vec::as_slice)
}
