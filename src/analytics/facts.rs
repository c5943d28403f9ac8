//! What an event says to the read side: when, who, and what was done.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::event::Event;

/// Longer texts are cut: they are shown in lists, and kept for a year.
const TEXT_MAX_BYTES: usize = 512;

/// The type of an event that is a page view.
pub const PAGE_VIEW: &str = "page_view";

/// The type of an event that is an error.
pub const ERROR: &str = "error";

/// What an event comes to.
#[derive(Debug, PartialEq)]
pub struct Facts<'a> {
    /// When it was received, by the broker's clock. What the sender says of the time is not asked:
    /// it may be years off (so it is in Zebline's own example), and then neither a live count nor
    /// the last 24 hours would slide.
    pub at: Timestamp,
    /// Whose it is, if anybody's.
    pub who: Option<Who<'a>>,
    /// What was done.
    pub what: What<'a>,
}

/// A visitor, as the sender names him.
#[derive(Debug, PartialEq)]
pub struct Who<'a> {
    /// The name, which is never shown.
    pub name: Cow<'a, str>,
    /// Whether it is a user's; else it is one that a browser was given.
    pub known: bool,
}

/// What was done.
#[derive(Debug, PartialEq)]
pub enum What<'a> {
    /// A page was looked at.
    View(Box<Page<'a>>),
    /// Something failed.
    Failure {
        /// Its message.
        message: Option<Cow<'a, str>>,
        /// Its type, such as `TypeError`.
        kind: Option<Cow<'a, str>>,
    },
    /// Something else: the visitor is there.
    Activity,
}

/// The attributes of a page view; what is missing is unknown.
#[derive(Debug, Default, PartialEq)]
pub struct Page<'a> {
    /// `page_url`
    pub url: Option<Cow<'a, str>>,
    /// `landing_page`
    pub landing: Option<Cow<'a, str>>,
    /// `device`
    pub device: Option<Cow<'a, str>>,
    /// `browser`
    pub browser: Option<Cow<'a, str>>,
    /// `os`
    pub system: Option<Cow<'a, str>>,
    /// `country_code`
    pub country: Option<Cow<'a, str>>,
    /// `country_name`
    pub country_name: Option<Cow<'a, str>>,
    /// `city`
    pub city: Option<Cow<'a, str>>,
    /// `referrer`
    pub referrer: Option<Cow<'a, str>>,
    /// `value_score`
    pub score: Option<f32>,
}

/// A body of Zebline: the attributes are one level down.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outer<'a> {
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    anonymous_id: Option<&'a RawValue>,
    #[serde(borrow)]
    event_name: Option<&'a RawValue>,
    #[serde(borrow)]
    event_data: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes<'a> {
    #[serde(borrow)]
    page_url: Option<&'a RawValue>,
    #[serde(borrow)]
    landing_page: Option<&'a RawValue>,
    #[serde(borrow)]
    device: Option<&'a RawValue>,
    #[serde(borrow)]
    browser: Option<&'a RawValue>,
    #[serde(borrow)]
    os: Option<&'a RawValue>,
    #[serde(borrow)]
    country_code: Option<&'a RawValue>,
    #[serde(borrow)]
    country_name: Option<&'a RawValue>,
    #[serde(borrow)]
    city: Option<&'a RawValue>,
    #[serde(borrow)]
    referrer: Option<&'a RawValue>,
    #[serde(borrow)]
    value_score: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    r#type: Option<&'a RawValue>,
}

impl<'a> Facts<'a> {
    /// What `event` comes to.
    pub fn of(event: &'a Event) -> Self {
        let content = &event.content;
        let outer: Outer<'a> = object(&content.body);
        let inner = outer.event_data.map(|data| data.get().as_bytes());
        let inner = inner.filter(|data| outer.event_name.is_some() && data.starts_with(b"{"));
        let who = |name: Option<Cow<'a, str>>, known| name.map(|name| Who { name, known });
        let named = inner.is_some().then(|| {
            who(text(outer.user_id), true).or_else(|| who(text(outer.anonymous_id), false))
        });
        let subject = || who(content.subject.as_deref().and_then(cut), true);
        let attributes = || object::<Attributes<'a>>(inner.unwrap_or(&content.body));
        Self {
            at: event.received_at,
            who: named.flatten().or_else(subject),
            what: match &*content.kind {
                PAGE_VIEW => What::View(Box::new(attributes().page())),
                ERROR => {
                    let attributes = attributes();
                    What::Failure {
                        message: text(attributes.message),
                        kind: text(attributes.r#type),
                    }
                }
                _ => What::Activity,
            },
        }
    }
}

impl<'a> Attributes<'a> {
    fn page(self) -> Page<'a> {
        Page {
            url: text(self.page_url),
            landing: text(self.landing_page),
            device: text(self.device),
            browser: text(self.browser),
            system: text(self.os),
            country: text(self.country_code),
            country_name: text(self.country_name),
            city: text(self.city),
            referrer: text(self.referrer),
            score: text(self.value_score)
                .and_then(|score| score.parse().ok())
                .filter(|score: &f32| score.is_finite()),
        }
    }
}

/// What is no JSON object says nothing. An array would be read as the members in their order.
fn object<'a, T: Deserialize<'a> + Default>(body: &'a [u8]) -> T {
    let body = body.trim_ascii_start();
    if !body.starts_with(b"{") {
        return T::default();
    }
    serde_json::from_slice(body).unwrap_or_default()
}

/// A text, or a number as it was written; none of what is empty or has parts.
fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let value = value?.get();
    match value.as_bytes().first()? {
        b'"' => match serde_json::from_str::<&str>(value) {
            Ok(text) => cut(text),
            // It has escapes.
            Err(_) => {
                let text: String = serde_json::from_str(value).ok()?;
                cut(&text).map(|text| Cow::Owned(text.into_owned()))
            }
        },
        b'-' | b'0'..=b'9' | b't' | b'f' => cut(value),
        _ => None,
    }
}

fn cut(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let mut end = text.len().min(TEXT_MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (!text.is_empty()).then(|| Cow::Borrowed(&text[..end]))
}

#[cfg(test)]
mod tests;
