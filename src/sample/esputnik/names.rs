//! Statuses, media types and origins of activities, and which of them go together.

use std::fmt;

use crate::words::quoted;

/// What happened (ESP-22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// On its way; for Mobile Push only (ESP-23).
    Sent,
    /// Received.
    Delivered,
    /// Not received, for a reason (ESP-24).
    Undelivered,
    /// Opened.
    Read,
    /// The contact wants no more.
    Unsubscribed,
    /// A link in it was clicked (ESP-26).
    Clicked,
    /// The contact calls it spam.
    Spam,
    /// The contact has changed what it wants.
    SubscriptionChanged,
}

impl Status {
    /// Every status, in the document's order.
    pub const ALL: [Self; 8] = [
        Self::Sent,
        Self::Delivered,
        Self::Undelivered,
        Self::Read,
        Self::Unsubscribed,
        Self::Clicked,
        Self::Spam,
        Self::SubscriptionChanged,
    ];

    /// As `activityStatus` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Delivered => "DELIVERED",
            Self::Undelivered => "UNDELIVERED",
            Self::Read => "READ",
            Self::Unsubscribed => "UNSUBSCRIBED",
            Self::Clicked => "CLICKED",
            Self::Spam => "SPAM",
            Self::SubscriptionChanged => "SUBSCRIPTION_CHANGED",
        }
    }

    /// Whether the vendor sends it of a message that went by `media` (ESP-23).
    pub fn occurs_with(self, media: Media) -> bool {
        self != Self::Sent || media == Media::MobilePush
    }
}

/// By what a message went (ESP-29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// SMS.
    Sms,
    /// E-mail.
    Email,
    /// Push to a browser.
    WebPush,
    /// Viber.
    Viber,
    /// Push to an app.
    MobilePush,
    /// The inbox of an app.
    AppInbox,
    /// A widget of a website.
    Widget,
    /// A message in an app.
    InApp,
    /// Telegram.
    Telegram,
}

impl Media {
    /// Every type, in the document's order.
    pub const ALL: [Self; 9] = [
        Self::Sms,
        Self::Email,
        Self::WebPush,
        Self::Viber,
        Self::MobilePush,
        Self::AppInbox,
        Self::Widget,
        Self::InApp,
        Self::Telegram,
    ];

    /// As `mediaType` has it: in small letters where the examples have it so.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::WebPush => "Web Push",
            Self::Viber => "viber",
            Self::MobilePush => "Mobile Push",
            Self::AppInbox => "AppInbox",
            Self::Widget => "Widget",
            Self::InApp => "In-App",
            Self::Telegram => "Telegram",
        }
    }

    /// The member with the contact's address (ESP-28). The document's example of Viber has the
    /// telephone number in `sms`; for a widget and Telegram none is documented.
    pub(super) const fn contact_field(self) -> Option<&'static str> {
        match self {
            Self::Sms | Self::Viber => Some("sms"),
            Self::Email => Some("email"),
            Self::WebPush => Some("webpush"),
            Self::MobilePush | Self::AppInbox | Self::InApp => Some("mobilepush"),
            Self::Widget | Self::Telegram => None,
        }
    }

    /// Why such a message is not received (ESP-24).
    pub(super) const fn reasons(self) -> &'static [&'static str] {
        match self {
            Self::Email => &[
                "5.1.2 (bad destination system: no such domain)",
                "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
                "4.2.2 (mailbox full)",
            ],
            Self::WebPush | Self::MobilePush | Self::AppInbox | Self::InApp => {
                &["InvalidRegistration", "NotRegistered"]
            }
            _ => &["401: null", "Абонент недоступний"],
        }
    }
}

/// What a message was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// To many contacts at once (ESP-35).
    Broadcast,
    /// Because of something that a contact did (ESP-36).
    Triggered,
}

/// A status that the vendor never sends of such a message (ESP-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    /// The status.
    pub status: Status,
    /// By what the message went.
    pub media: Media,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} occurs with {} only, not with {} (ESP-23)",
            self.status.name(),
            quoted(Media::MobilePush.name()),
            quoted(self.media.name())
        )
    }
}

impl std::error::Error for NotAllowed {}
