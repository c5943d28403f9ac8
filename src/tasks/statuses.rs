//! Which deliveries a task is about, by where they stand.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::delivery::Status;

/// Every state that a task can be asked about.
const KNOWN: [Status; 3] = [Status::Pending, Status::Waiting, Status::Dead];

/// Some of `pending`, `waiting` and `dead`, each once; written with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<Status>);

/// A text that is no list of states.
#[derive(Debug, thiserror::Error)]
#[error("not some of \"pending\", \"waiting\" and \"dead\" with commas between them")]
pub struct StatusesError;

impl Statuses {
    /// Dead letters.
    pub fn dead() -> Self {
        Self(vec![Status::Dead])
    }

    /// Reads what stands in a request.
    pub fn read(text: &str) -> Result<Self, StatusesError> {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        let known = |name: &&str| KNOWN.iter().any(|status| status.as_str() == *name);
        if !names.iter().all(known) {
            return Err(StatusesError);
        }
        let named = |status: &Status| names.contains(&status.as_str());
        Ok(Self(KNOWN.into_iter().filter(named).collect()))
    }

    /// Whether these are dead letters alone.
    pub fn is_dead(&self) -> bool {
        self.0 == [Status::Dead]
    }

    /// The states, in the order in which a delivery comes to them.
    pub fn as_slice(&self) -> &[Status] {
        &self.0
    }
}

impl Serialize for Statuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names: Vec<&str> = self.0.iter().map(|status| status.as_str()).collect();
        serializer.serialize_str(&names.join(","))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Statuses {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TaskStatuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = KNOWN.map(|status| status.as_str()).join("|");
        json_schema!({ "type": "string", "pattern": format!("^({one})(,({one}))*$") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_in_any_order_and_written_in_theirs() {
        for (text, written) in [
            ("dead", "dead"),
            ("dead, pending", "pending,dead"),
            ("waiting,pending,waiting,dead", "pending,waiting,dead"),
        ] {
            let read = Statuses::read(text).unwrap();
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(json, format!("\"{written}\""));
            assert_eq!(serde_json::from_str::<Statuses>(&json).unwrap(), read);
        }
        assert!(Statuses::dead().is_dead());
    }

    #[test]
    fn what_is_no_state_that_can_be_asked_about_is_refused() {
        for text in [
            "",
            "Dead",
            "delivered",
            "dead,",
            "in_flight,dead",
            "removed",
        ] {
            assert!(Statuses::read(text).is_err(), "{text}");
        }
    }
}
