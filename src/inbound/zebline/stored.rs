//! An event of Zebline's as it lies in the log: what it says about attributes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::document::member;
use crate::inbound::json::{self, Object};

/// What was dropped of `eventData` stands beside it under this name.
pub(super) const DROPPED: &str = "droppedAttributes";

/// An attribute that was dropped, as it is written beside those that were not.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dropped {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What a stored event says about attributes.
#[derive(Debug)]
pub struct Stored<'a> {
    /// The event's type.
    pub name: Cow<'a, str>,
    /// The attributes that it has.
    pub attributes: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The attributes that it was sent with besides.
    pub dropped: Vec<Dropped>,
}

impl<'a> Stored<'a> {
    /// Reads what `Document::read`(super::document::Document::read) has taken, perhaps without
    /// some of its attributes.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let object = Object::parse(bytes).ok()?;
        let data = Object::parse(member(&object, "eventData")?.get().as_bytes()).ok()?;
        let dropped = member(&object, DROPPED);
        let dropped = dropped.and_then(|dropped| serde_json::from_str(dropped.get()).ok());
        Some(Self {
            name: json::text(member(&object, "eventName")?)?,
            attributes: data.0,
            dropped: dropped.unwrap_or_default(),
        })
    }
}
