//! The extensions and profiles of the guide «Subscriptions R5 Backport» 1.1 that the hub reads and writes.

use serde_json::Value as Json;

macro_rules! canonical {
    ($name:literal) => {
        concat!("http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/", $name)
    };
}

/// Profile of Subscription.
pub const PROFILE: &str = canonical!("backport-subscription");
/// Profile of a notification.
pub const NOTIFICATION: &str = canonical!("backport-subscription-notification-r4");
/// Profile of the Parameters that open a notification.
pub const STATUS: &str = canonical!("backport-subscription-status-r4");
/// On `Subscription.criteria`: a filter.
pub const FILTER: &str = canonical!("backport-filter-criteria");
/// On `Subscription.channel.payload`: how much a notification says.
pub const CONTENT: &str = canonical!("backport-payload-content");
/// On `Subscription.channel`: seconds between signs of life.
pub const HEARTBEAT: &str = canonical!("backport-heartbeat-period");
/// On `Subscription.channel`: seconds to wait for an answer.
pub const TIMEOUT: &str = canonical!("backport-timeout");
/// On `Subscription.channel`: events in one notification.
pub const MAX_COUNT: &str = canonical!("backport-max-count");
/// On `CapabilityStatement.rest.resource`: a topic.
pub const TOPIC: &str = canonical!("capabilitystatement-subscriptiontopic-canonical");

fn of_url<'j>(element: &'j Json, url: &'j str) -> impl Iterator<Item = &'j Json> {
    let extensions = element["extension"].as_array().into_iter().flatten();
    extensions.filter(move |extension| extension["url"] == url)
}

/// The texts of these extensions of an element.
pub(super) fn texts(element: &Json, url: &str) -> Vec<String> {
    of_url(element, url).filter_map(|one| one["valueString"].as_str()).map(ToOwned::to_owned).collect()
}

/// The code of this extension of an element.
pub(super) fn code<'j>(element: &'j Json, url: &'j str) -> Option<&'j str> {
    of_url(element, url).next()?["valueCode"].as_str()
}

/// The number of this extension of an element; nothing inside when it has none.
pub(super) fn number(element: &Json, url: &str) -> Option<Option<u64>> {
    let extension = of_url(element, url).next()?;
    let value =
        ["valueUnsignedInt", "valuePositiveInt", "valueInteger"].iter().find_map(|name| extension.get(name));
    Some(value.and_then(Json::as_u64))
}
