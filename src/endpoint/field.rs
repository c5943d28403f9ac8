//! A value that may be given, given as null, or left out.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One field of a draft. In a new endpoint null means the same as leaving it out; in a change it
/// means back to the default (RFC 7396).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Left out.
    #[default]
    Absent,
    /// Null.
    Clear,
    /// Given.
    Set(T),
}

impl<T> Field<T> {
    /// Whether it was left out.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Clear => None,
        }
    }

    /// What holds after `change` to this field.
    pub fn changed_by(self, change: Self) -> Self {
        match change {
            Self::Absent => self,
            Self::Clear => Self::Absent,
            set @ Self::Set(_) => set,
        }
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Set)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => s.serialize_some(value),
            Self::Absent | Self::Clear => s.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        // Called only where the key is present, so none is null.
        Ok(Option::deserialize(d)?.map_or(Self::Clear, Self::Set))
    }
}
