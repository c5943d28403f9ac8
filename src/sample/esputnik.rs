//! What eSputnik sends of its contacts' activities: ESP-21 to ESP-40.

mod names;

pub use names::{Media, NotAllowed, Origin, Status};

use super::people::{HOSTS, NAMES};
use super::{Chance, Document};
use crate::clock::Timestamp;

/// The type that an activity has as an event here; the vendor's body has none.
pub const ACTIVITY: &str = "activity";

/// What the activities are to be like; what is absent is left to chance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Like {
    /// What happened.
    pub status: Option<Status>,
    /// By what the message went.
    pub media: Option<Media>,
    /// What the message was sent for.
    pub origin: Option<Origin>,
    /// Whether it is a test message, which has no name (ESP-30).
    pub is_test: bool,
    /// Whether there are members that nobody has heard of.
    pub unknown_fields: bool,
}

impl Like {
    /// Refuses what the vendor never sends (ESP-23).
    pub fn check(&self) -> Result<(), NotAllowed> {
        match (self.status, self.media) {
            (Some(status), Some(media)) if !status.occurs_with(media) => {
                Err(NotAllowed { status, media })
            }
            _ => Ok(()),
        }
    }
}

/// The activities of an account's contacts, one after the other.
pub struct Account {
    chance: Chance,
    message_id: i64,
    broadcast_id: i64,
    workflow_id: i64,
    instance_id: i64,
}

/// One message to one contact: what all its activities have in common.
struct Message {
    media: Media,
    /// `broadcastId` (ESP-35), or the fields of a workflow (ESP-36).
    first: Document,
    /// From `iid` up to `mediaType`.
    contact: Document,
    /// `messageId` and those behind it.
    message: Document,
    view_link: Option<String>,
    unknown_fields: bool,
}

impl Account {
    /// The account of this seed, whose first message is still to be sent.
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        Self {
            message_id: chance.between(2_000_000, 4_000_000),
            broadcast_id: chance.between(3_000_000, 4_000_000),
            workflow_id: chance.between(100_000, 900_000),
            instance_id: chance.between(4_000_000, 9_000_000),
            chance,
        }
    }

    /// An activity at `at`. What the vendor never sends is left out of chance; what `like` asks for
    /// is given as it asks, so [`check`](Like::check) it first.
    pub fn activity(&mut self, like: &Like, at: Timestamp) -> Document {
        let media = self.media(like);
        let status = like.status.unwrap_or_else(|| self.status(media));
        let message = self.message(like, media);
        self.happened(&message, status, at)
    }

    /// What becomes of one message that is received, opened and clicked: DELIVERED, READ and
    /// CLICKED in this order, with one `iid` (ESP-11). The last one happens at `at`.
    pub fn sequence(&mut self, like: &Like, at: Timestamp) -> [Document; 3] {
        let media = self.media(like);
        let message = self.message(like, media);
        let opened = self.chance.between(2, 300) * 1000;
        let clicked = self.chance.between(1, 60) * 1000;
        [
            (Status::Delivered, opened + clicked),
            (Status::Read, clicked),
            (Status::Clicked, 0),
        ]
        .map(|(status, before_ms)| self.happened(&message, status, at.moved(-before_ms)))
    }

    /// Activities of `count` contacts in one body: those of one broadcast, unless `like` asks for
    /// triggered ones.
    pub fn bulk(&mut self, like: &Like, count: usize, at: Timestamp) -> Document {
        let like = Like {
            origin: Some(like.origin.unwrap_or(Origin::Broadcast)),
            media: Some(self.media(like)),
            ..like.clone()
        };
        let each = (0..count).map(|_| self.activity(&like, at));
        Document::Array(each.collect())
    }

    fn media(&mut self, like: &Like) -> Media {
        let fits = |media: &Media| like.status.is_none_or(|status| status.occurs_with(*media));
        // Most messages are e-mails.
        if like.media.is_none() && fits(&Media::Email) && self.chance.is_likely(50) {
            return Media::Email;
        }
        let all: Vec<Media> = Media::ALL.into_iter().filter(fits).collect();
        like.media.unwrap_or_else(|| *self.chance.one_of(&all))
    }

    fn status(&mut self, media: Media) -> Status {
        let fits = |status: &Status| status.occurs_with(media);
        let all: Vec<Status> = Status::ALL.into_iter().filter(fits).collect();
        *self.chance.one_of(&all)
    }

    fn message(&mut self, like: &Like, media: Media) -> Message {
        let chance = &mut self.chance;
        let origin = like.origin.unwrap_or(match chance.is_likely(60) {
            true => Origin::Broadcast,
            false => Origin::Triggered,
        });
        self.instance_id += chance.between(1, 9);
        let name = *chance.one_of(&["Осінній розпродаж", "Cart reminder", "Grüße zum Geburtstag"]);
        let name = (!like.is_test).then_some(name);
        let first = match origin {
            Origin::Broadcast => Document::object([("broadcastId", self.broadcast_id.into())])
                .with_some("messageName", name),
            Origin::Triggered => {
                let event = *chance.one_of(&["productViewed", "cartAbandoned", "orderCreated"]);
                let has_numbers = chance.is_likely(50);
                Document::object([])
                    .with_some("messageName", name)
                    .with("workflowId", self.workflow_id)
                    .with("workflowBlockId", format!("_{}", chance.hex(32)))
                    .with_some("sourceEventId", has_numbers.then_some(self.instance_id))
                    .with("sourceEventKey", chance.uuid())
                    .with_some("sourceEventTypeId", has_numbers.then_some(61_204_i64))
                    .with("sourceEventTypeKey", event)
                    .with("workflowInstanceId", chance.uuid())
            }
        };
        // Left out where it is not known, never null (ESP-37).
        let customer = chance.is_likely(67);
        let customer = customer.then(|| match chance.is_likely(50) {
            true => chance.uuid(),
            false => chance.between(100_000_000, 999_999_999).to_string(),
        });
        let contact = Document::object([("iid", chance.uuid().into())])
            .with("contactId", chance.between(500_000_000, 5_000_000_000))
            .with_some("externalCustomerId", customer);
        let contact = match media.contact_field() {
            Some(field) => contact.with(field, address(chance, media)),
            None => contact,
        };
        let tag = *chance.one_of(&["tag2,tag,test", "sale", "vip,осінь"]);
        let language = *chance.one_of(&["uk", "en", "de"]);
        let message = Document::object([
            ("messageId", self.message_id.into()),
            ("messageInstanceId", self.instance_id.into()),
        ])
        .with_some(
            "messageLanguageCode",
            chance.is_likely(50).then_some(language),
        )
        .with_some("messageTag", chance.is_likely(50).then_some(tag));
        Message {
            media,
            first,
            contact: contact.with("mediaType", media.name()),
            message,
            // ESP-38.
            view_link: (media == Media::Email)
                .then(|| format!("https://s8.esclick.me/{}", chance.hex(12))),
            unknown_fields: like.unknown_fields,
        }
    }

    fn happened(&mut self, message: &Message, status: Status, at: Timestamp) -> Document {
        let chance = &mut self.chance;
        let is_undelivered = status == Status::Undelivered;
        let changes_subscription =
            matches!(status, Status::Unsubscribed | Status::SubscriptionChanged);
        let categories = || vec![Document::from("news"), "promo-осінь".into()];
        let members = [
            &message.first,
            &Document::object([])
                .with_some("hardBounce", is_undelivered.then(|| chance.is_likely(30))),
            &message.contact,
            &Document::object([("activityStatus", status.name().into())]),
            &message.message,
            &Document::object([("activityDateTime", without_zone(at).into())])
                .with_some(
                    "statusDescription",
                    is_undelivered.then(|| *chance.one_of(message.media.reasons())),
                )
                .with_some("viewMessageLink", message.view_link.as_deref())
                .with("statusData", Document::object([]))
                .with_some(
                    "clickEventLink",
                    (status == Status::Clicked)
                        .then_some("https://www.example.com/offer?q=чай&n=1"),
                )
                // Spelt as in the vendor's English edition.
                .with_some("subscription", changes_subscription.then(categories))
                .with_some("subscriptions", changes_subscription.then(categories)),
        ];
        let members = members.into_iter().filter_map(|part| match part {
            Document::Object(members) => Some(members.clone()),
            _ => None,
        });
        let activity = Document::Object(members.flatten().collect());
        match message.unknown_fields {
            false => activity,
            true => activity
                .with("osName", "Android")
                .with("scoring", Document::object([("grade", "A+".into())]))
                .with("segmentIds", vec![7.into(), 11.into()]),
        }
    }
}

/// As the examples have it, in UTC.
fn without_zone(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..19).unwrap_or(&text).to_owned()
}

fn address(chance: &mut Chance, media: Media) -> String {
    match media {
        Media::Email => {
            let number = chance.between(1, 9999);
            format!(
                "{}{number}@{}",
                chance.one_of(&NAMES),
                chance.one_of(&HOSTS)
            )
        }
        Media::Sms | Media::Viber => format!("380{}", chance.between(500_000_000, 999_999_999)),
        _ => format!("{}:APA91b{}", chance.hex(22), chance.hex(32)),
    }
}
