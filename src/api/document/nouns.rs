//! The schemas of the nouns that write themselves: ids, moments, and what has a form of its own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::clock::Timestamp;
use crate::endpoint::{Field, Headers};
use crate::fault::Fault;
use crate::id::{DeliveryId, EndpointId, EventId, TaskId};
use crate::secret::Secret;
use crate::vendor::zenovay::bodies::Score;

macro_rules! schema {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(Timestamp, "Timestamp", {
    "type": "string",
    "format": "date-time",
    "description": "RFC 3339, in UTC, to the millisecond, by the broker's clock.",
    "examples": ["2026-01-31T09:30:00.000Z"],
});

schema!(EventId, "EventId", {
    "type": "string",
    "pattern": "^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$",
    "description": "Sorts by time, then by position in the log.",
    "examples": ["evt_01HF7YAT000000000000000009"],
});

schema!(DeliveryId, "DeliveryId", {
    "type": "string",
    "pattern": "^dlv_[0-7][0-9A-HJKMNP-TV-Z]{25}$",
    "description": "Of one event to one endpoint, over all attempts and replays.",
    "examples": ["dlv_01HF7YAT000000000000000001"],
});

schema!(EndpointId, "EndpointId", {
    "type": "string",
    "pattern": "^ep_[0-7][0-9A-HJKMNP-TV-Z]{25}$",
    "description": "Never given again.",
    "examples": ["ep_01HF7YAT000000000000000009"],
});

schema!(TaskId, "TaskId", {
    "type": "string",
    "pattern": "^tsk_[0-7][0-9A-HJKMNP-TV-Z]{25}$",
    "description": "Sorts by time.",
    "examples": ["tsk_01HF7YAT000000000000000009"],
});

schema!(Secret, "Secret", {
    "type": "string",
    "minLength": 1,
    "writeOnly": true,
    "description": "Written, and never read back.",
});

schema!(Headers, "Headers", {
    "type": "object",
    "additionalProperties": { "type": "string", "maxLength": 4096 },
    "maxProperties": 32,
});

schema!(Score, "Score", {
    "type": "number",
    "description": "Whole, or with two decimals.",
});

impl JsonSchema for Fault {
    fn schema_name() -> Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = Self::ALL.map(Self::as_str);
        json_schema!({
            "type": "string",
            "enum": names,
            "description": "One kind of fault that is done on purpose.",
        })
    }
}

/// Null is as good as absent in a new endpoint, and means back to the default in a change.
impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        // Another than what it holds, which would be taken for a part of itself.
        format!("{}Field", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}
