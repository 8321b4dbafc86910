//! A patch of a record: a line that says of which kind and of which record, such as `json Patient/p1`, then the patch.

use ieum::call::PatchKind;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::validate::validate;

use super::hub::TestHub;

/// Records that can be patched.
const RECORDS: [&str; 4] = ["Patient/p1", "Observation/o1", "MedicationRequest/m1", "Encounter/e1"];

/// A patch that is refused changes nothing. One that is taken leaves a valid record, answers with what is there then, and
/// makes one version at most.
pub fn judge(input: &[u8]) {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (line, patch) = (String::from_utf8_lossy(&input[..end]), &input[end + 1..]);
    let Some((kind, record)) = line.split_once(' ') else { return };
    let kind = match kind {
        "json" => PatchKind::Json,
        "merge" => PatchKind::Merge,
        "fhirpath" => PatchKind::FhirPath,
        _ => return,
    };
    let Some(record) = RECORDS.into_iter().find(|known| *known == record) else { return };
    let address = format!("/{record}");

    let hub = TestHub::for_input(input).with_a_few();
    let read = || hub.get(&address).expect("an address of ours");
    let (before, t) = (read(), hub.t());
    let reply = hub.send("PATCH", &address, Some(kind.media()), patch);
    let after = read();
    if reply.status != 200 {
        assert!(after.body == before.body && hub.t() == t, "refused, and yet done: {}", reply.text());
        return;
    }
    assert!(hub.t() <= t + 1, "one version at most");
    assert_eq!(reply.body, after.body, "the answer is what is there");
    let document = Document::parse(&after.body, &Limits::default()).expect("a record is JSON");
    assert!(validate(document.root(), None).is_valid(), "not valid any more: {}", after.text());
    hub.check();
}
