//! Activities of eSputnik, after the documented examples.

use serde_json::{Map, Value, json};

use super::{LARGE_BYTES, NON_ASCII, data};
use crate::check::drill::{Identity, Shape};
use crate::clock::Timestamp;
use crate::event::NewEvent;

const KIND: &str = "activity";

/// An activity of a broadcast (ESP-35). What tells it from others is its iid (ESP-39).
fn activity(identity: &Identity, status: &str, seconds_later: i64) -> Value {
    let time = identity.happened_at.moved(seconds_later * 1000).to_string();
    // Without a zone, as in the examples (ESP-21, A-14).
    let time = time.get(..19).unwrap_or_default();
    json!({
        "broadcastId": 3_459_207,
        "messageName": "test",
        "iid": identity.uuid(),
        "contactId": 1_967_597_908,
        "externalCustomerId": "789456512",
        "email": "contact1@example.com",
        "mediaType": "email",
        "activityStatus": status,
        "messageId": 2_489_300,
        "messageInstanceId": 4_702_518,
        "activityDateTime": time,
        "viewMessageLink": "https://s8.esclick.me/1GlIGhju6umq",
        "statusData": {},
    })
}

/// Adds these members; a null takes the member away.
fn with(mut activity: Value, members: Value) -> Value {
    if let (Some(all), Value::Object(members)) = (activity.as_object_mut(), members) {
        put(all, members);
    }
    activity
}

fn put(all: &mut Map<String, Value>, members: Map<String, Value>) {
    for (name, value) in members {
        match value {
            Value::Null => all.remove(&name),
            value => all.insert(name, value),
        };
    }
}

/// One activity in its array (ESP-40).
fn one(activity: Value) -> NewEvent {
    data(KIND, &activity)
}

/// The message was delivered: an ordinary activity.
pub fn delivered(identity: &Identity, _: Timestamp) -> NewEvent {
    one(activity(identity, "DELIVERED", 0))
}

/// It was read.
pub fn read(identity: &Identity, _: Timestamp) -> NewEvent {
    one(activity(identity, "READ", 67))
}

/// A link in it was clicked (ESP-26).
pub fn clicked(identity: &Identity, _: Timestamp) -> NewEvent {
    one(click(identity, 72))
}

/// The link was clicked again.
pub fn clicked_again(identity: &Identity, _: Timestamp) -> NewEvent {
    one(click(identity, 90))
}

fn click(identity: &Identity, seconds_later: i64) -> Value {
    let link = json!({"clickEventLink": "https://www.example.com/offer"});
    with(activity(identity, "CLICKED", seconds_later), link)
}

/// It came back (ESP-24, ESP-25).
pub fn undelivered(identity: &Identity, _: Timestamp) -> NewEvent {
    let why = json!({
        "hardBounce": false,
        "statusDescription": "5.1.2 (bad destination system: no such domain)",
    });
    one(with(activity(identity, "UNDELIVERED", 4), why))
}

/// A mobile push was sent (ESP-23).
pub fn sent(identity: &Identity, _: Timestamp) -> NewEvent {
    let push = json!({
        "mediaType": "Mobile Push", "email": null, "mobilepush": "token", "viewMessageLink": null,
    });
    one(with(activity(identity, "SENT", 0), push))
}

/// The contact wants no more.
pub fn unsubscribed(identity: &Identity, _: Timestamp) -> NewEvent {
    one(activity(identity, "UNSUBSCRIBED", 0))
}

/// The contact complained.
pub fn spam(identity: &Identity, _: Timestamp) -> NewEvent {
    one(activity(identity, "SPAM", 0))
}

/// Every status (ESP-22).
pub const STATUSES: &[(&str, Shape)] = &[
    ("SENT", sent),
    ("DELIVERED", delivered),
    ("UNDELIVERED", undelivered),
    ("READ", read),
    ("UNSUBSCRIBED", unsubscribed),
    ("CLICKED", clicked),
    ("SPAM", spam),
    ("SUBSCRIPTION_CHANGED", subscriptions),
];

macro_rules! media_types {
    ($($name:ident $text:literal,)+) => {
        $(fn $name(identity: &Identity, _: Timestamp) -> NewEvent {
            one(with(activity(identity, "DELIVERED", 0), json!({"mediaType": $text})))
        })+

        /// Every media type (ESP-29), and the examples' own writing.
        pub const MEDIA_TYPES: &[(&str, Shape)] = &[$((concat!("of the media type ", $text), $name),)+];
    };
}

media_types! {
    sms "SMS",
    email "Email",
    web_push "Web Push",
    viber "Viber",
    viber_lower "viber",
    mobile_push "Mobile Push",
    app_inbox "AppInbox",
    widget "Widget",
    in_app "In-App",
    telegram "Telegram",
}

/// Without a messageName (ESP-30).
pub fn test_message(identity: &Identity, _: Timestamp) -> NewEvent {
    let nameless = json!({"messageName": null});
    one(with(activity(identity, "DELIVERED", 0), nameless))
}

/// Of a workflow (ESP-36).
pub fn triggered(identity: &Identity, _: Timestamp) -> NewEvent {
    let workflow = json!({
        "broadcastId": null,
        "workflowId": 340_484,
        "workflowBlockId": "_05cae26d9ae85e1eb40ed34765f9c7be",
        "workflowInstanceId": identity.shared_uuid(),
        "sourceEventKey": "9d0c163d-cc3b-4f9e-bb03-2f5d1111ef91",
        "sourceEventTypeKey": "productViewed",
        "messageTag": "tag2,tag,test",
    });
    one(with(activity(identity, "DELIVERED", 0), workflow))
}

/// Without what may be unknown (ESP-37, ESP-38).
pub fn left_out(identity: &Identity, _: Timestamp) -> NewEvent {
    let viber = json!({
        "externalCustomerId": null, "email": null, "viewMessageLink": null,
        "sms": "380956490955", "mediaType": "viber",
    });
    one(with(activity(identity, "DELIVERED", 0), viber))
}

/// With statusData as the table of fields has it.
pub fn status_data_array(identity: &Identity, _: Timestamp) -> NewEvent {
    one(with(
        activity(identity, "DELIVERED", 0),
        json!({"statusData": [{"key": "value"}]}),
    ))
}

/// With nothing as statusData.
pub fn status_data_null(identity: &Identity, _: Timestamp) -> NewEvent {
    let mut activity = activity(identity, "DELIVERED", 0);
    activity["statusData"] = Value::Null;
    one(activity)
}

/// A change of subscriptions.
pub fn subscriptions(identity: &Identity, _: Timestamp) -> NewEvent {
    subscribed(identity, "subscriptions")
}

/// The same as the document spells it.
pub fn subscriptons(identity: &Identity, _: Timestamp) -> NewEvent {
    subscribed(identity, "subscriptons")
}

fn subscribed(identity: &Identity, name: &str) -> NewEvent {
    let mut activity = activity(identity, "SUBSCRIPTION_CHANGED", 0);
    activity[name] = json!(["news", "offers"]);
    one(activity)
}

/// Ids beyond 32 bits (ESP-27), and within what scripting languages keep.
pub fn wide_integers(identity: &Identity, _: Timestamp) -> NewEvent {
    let wide = identity.number();
    one(with(
        activity(identity, "DELIVERED", 0),
        json!({"broadcastId": wide, "contactId": wide, "messageId": wide, "messageInstanceId": wide}),
    ))
}

/// Text beyond ASCII.
pub fn non_ascii(identity: &Identity, _: Timestamp) -> NewEvent {
    let named = json!({"messageName": NON_ASCII});
    one(with(activity(identity, "DELIVERED", 0), named))
}

/// Three activities of one message.
pub fn several(identity: &Identity, _: Timestamp) -> NewEvent {
    data(
        KIND,
        &json!([
            activity(identity, "DELIVERED", 0),
            activity(identity, "READ", 67),
            click(identity, 72),
        ]),
    )
}

/// What is known, and what is new.
pub fn delivered_and_read(identity: &Identity, _: Timestamp) -> NewEvent {
    let both = json!([
        activity(identity, "DELIVERED", 0),
        activity(identity, "READ", 67)
    ]);
    data(KIND, &both)
}

/// A large array: one message, read again and again.
pub fn large(identity: &Identity, _: Timestamp) -> NewEvent {
    let one = activity(identity, "READ", 0).to_string().len() + 1;
    let count = LARGE_BYTES / one + 1;
    let reads = (0..count).map(|again| activity(identity, "READ", again as i64));
    data(KIND, &Value::from(reads.collect::<Vec<_>>()))
}
