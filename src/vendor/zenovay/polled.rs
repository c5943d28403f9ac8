//! What a client takes from the answers that it polls (ZRT-10, ZRT-25, ZRT-28, ZRT-40, ZSS-08 to
//! ZSS-10); every item keeps its own bytes.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// How much of the server's own word for an error is shown.
const CODE_MAX_BYTES: usize = 40;

/// The most items of one answer that are taken: no list of the vendor's has more.
const ITEMS_MAX: usize = 1000;

/// The largest item: the vendor's have less than a kilobyte.
const ITEM_MAX_BYTES: usize = 256 * 1024;

/// Why an answer cannot be used. None of these shows what a stranger could hide a secret in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// No JSON, or not of this shape (ZSS-09).
    #[error("the answer is not the JSON that was expected")]
    Json,
    /// Not a success (ZRT-10, ZSS-08); perhaps with the server's word for the error.
    #[error("the answer is no success{}", .0.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
    NoSuccess(Option<String>),
    /// A success without this in it.
    #[error("the answer has no {0}")]
    Missing(&'static str),
    /// More than can be meant.
    #[error("the {0} of the answer is larger than {ITEM_MAX_BYTES} bytes")]
    TooLarge(&'static str),
}

/// A visit of the list of visitors.
#[derive(Clone, Debug)]
pub struct Visit<'a> {
    /// Whose.
    pub id: String,
    /// When it began; empty where the server does not say.
    pub visited_at: String,
    /// The item as it was sent.
    pub item: &'a RawValue,
}

/// A part of the list of visitors.
#[derive(Clone, Debug)]
pub struct Visits<'a> {
    /// The newest first (ZRT-42); items without an id are left out, and those that are too large.
    pub visits: Vec<Visit<'a>>,
    /// How many items were read.
    pub items: usize,
    /// Whether there are more.
    pub has_more: Option<bool>,
}

/// A group of errors.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// Its id, else its fingerprint.
    pub id: String,
    /// What changes when it is told again: how often it occurred, and its status.
    pub state: String,
    /// When it was last seen.
    pub last_seen_at: Option<String>,
    /// The item as it was sent.
    pub item: &'a RawValue,
}

type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    success: Raw<'a>,
    #[serde(borrow)]
    data: Raw<'a>,
    #[serde(borrow)]
    error: Raw<'a>,
}

/// The live count (ZRT-02, ZRT-05): missing or null is nobody (ZRT-25), unless the answer says that
/// it is no success (ZRT-10).
pub fn live(body: &[u8]) -> Result<u64, Unusable> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Live<'a> {
        #[serde(borrow)]
        visitors: Raw<'a>,
        #[serde(borrow)]
        live_count: Raw<'a>,
        #[serde(borrow)]
        count: Raw<'a>,
        #[serde(borrow)]
        success: Raw<'a>,
        #[serde(borrow)]
        error: Raw<'a>,
    }
    let live: Live<'_> = object(body)?;
    if live.success.is_some_and(|success| success.get() == "false") {
        return Err(Unusable::NoSuccess(live.error.and_then(code)));
    }
    let counts = [live.visitors, live.live_count, live.count];
    match counts.into_iter().flatten().find(|raw| raw.get() != "null") {
        None => Ok(0),
        Some(raw) => raw.get().parse().map_err(|_| Unusable::Missing("count")),
    }
}

/// The summary of an overview (ZRT-11).
pub fn summary(body: &[u8]) -> Result<&RawValue, Unusable> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        summary: Raw<'a>,
    }
    let data: Data<'_> = data(body)?;
    let summary = data.summary.filter(|raw| raw.get().starts_with('{'));
    match summary.ok_or(Unusable::Missing("summary"))? {
        large if large.get().len() > ITEM_MAX_BYTES => Err(Unusable::TooLarge("summary")),
        summary => Ok(summary),
    }
}

/// The visits of a part of the list.
pub fn visits(body: &[u8]) -> Result<Visits<'_>, Unusable> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        visitors: Option<Vec<&'a RawValue>>,
        #[serde(borrow)]
        pagination: Raw<'a>,
    }
    #[derive(Deserialize)]
    struct Pagination {
        has_more: Option<bool>,
    }
    let data: Data<'_> = data(body)?;
    let items = data.visitors.ok_or(Unusable::Missing("visitors"))?;
    let pagination = data
        .pagination
        .and_then(|raw| serde_json::from_str::<Pagination>(raw.get()).ok());
    let has_more = pagination.and_then(|pagination| pagination.has_more);
    let is_cut = items.len() > ITEMS_MAX;
    let read = items.into_iter().take(ITEMS_MAX);
    Ok(Visits {
        items: read.len(),
        visits: read.filter_map(visit).collect(),
        has_more: if is_cut { Some(true) } else { has_more },
    })
}

/// A visit, if the item says whose.
pub fn visit(item: &RawValue) -> Option<Visit<'_>> {
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        id: Raw<'a>,
        #[serde(borrow)]
        visited_at: Raw<'a>,
    }
    let read: Item<'_> = of_item(item)?;
    Some(Visit {
        id: text(read.id)?,
        visited_at: text(read.visited_at).unwrap_or_default(),
        item,
    })
}

/// The groups of errors, those left out that have neither id nor fingerprint.
pub fn groups(body: &[u8]) -> Result<Vec<Group<'_>>, Unusable> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        error_groups: Option<Vec<&'a RawValue>>,
    }
    let data: Data<'_> = data(body)?;
    let items = data.error_groups.ok_or(Unusable::Missing("error_groups"))?;
    let items = items.into_iter().take(ITEMS_MAX);
    Ok(items.filter_map(group).collect())
}

/// A group, if the item says which.
pub fn group(item: &RawValue) -> Option<Group<'_>> {
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        id: Raw<'a>,
        #[serde(borrow)]
        fingerprint: Raw<'a>,
        #[serde(borrow)]
        occurrence_count: Raw<'a>,
        #[serde(borrow)]
        status: Raw<'a>,
        #[serde(borrow)]
        last_seen_at: Raw<'a>,
    }
    let read: Item<'_> = of_item(item)?;
    let raw = |raw: Raw<'_>| raw.map_or_else(String::new, |raw| raw.get().to_owned());
    Some(Group {
        id: text(read.id).or_else(|| text(read.fingerprint))?,
        state: format!("{} {}", raw(read.occurrence_count), raw(read.status)),
        last_seen_at: text(read.last_seen_at),
        item,
    })
}

/// The same text for equal values, in whatever order their members are.
pub fn canonical(value: &RawValue) -> String {
    // Its maps are sorted by their keys.
    serde_json::from_str::<Value>(value.get())
        .map_or_else(|_| value.get().to_owned(), |value| value.to_string())
}

fn data<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unusable> {
    let envelope: Envelope<'_> = object(body)?;
    if envelope
        .success
        .is_none_or(|success| success.get() != "true")
    {
        return Err(Unusable::NoSuccess(envelope.error.and_then(code)));
    }
    let data = envelope.data.ok_or(Unusable::Missing("data"))?;
    object(data.get().as_bytes())
}

/// Serde would take a list for a struct.
fn object<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Unusable> {
    match text.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(text).map_err(|_| Unusable::Json),
        _ => Err(Unusable::Json),
    }
}

/// The members of an item, unless it is too large.
fn of_item<'a, T: Deserialize<'a>>(item: &'a RawValue) -> Option<T> {
    let text = item.get().as_bytes();
    object(text).ok().filter(|_| text.len() <= ITEM_MAX_BYTES)
}

/// The server's word for an error, where it is a word.
fn code(error: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Words<'a> {
        #[serde(borrow)]
        code: Option<Cow<'a, str>>,
    }
    let code = serde_json::from_str::<Words<'_>>(error.get()).ok()?.code?;
    let is_word = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    let is_shown = code.len() <= CODE_MAX_BYTES && code.bytes().all(is_word);
    is_shown.then(|| code.into_owned())
}

/// A text, or a number as it is written.
fn text(raw: Raw<'_>) -> Option<String> {
    let raw = raw?.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'0'..=b'9' | b'-' => Some(raw.to_owned()),
        _ => None,
    }
    .filter(|text: &String| !text.is_empty())
}

#[cfg(test)]
mod tests;
