//! The base that was found in the files, put together of its parts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::StoreError;
use super::super::base::Base;
use super::source::Sources;

/// Where parts of bases lie, by the number of the base and of the part. A number is given once, so
/// that copies are the same.
pub type Parts = BTreeMap<(u64, u32), (u64, usize)>;

/// The base of the greatest number of which every part is there, and its number.
pub fn latest(sources: &Sources, found: &Parts) -> Result<Option<(u64, Base)>, StoreError> {
    let mut below = u64::MAX;
    while let Some(((number, _), _)) = found.range(..(below, 0)).next_back() {
        let number = *number;
        let mut parts = Vec::new();
        for (at, len) in found
            .range((number, 0)..=(number, u32::MAX))
            .map(|(_, p)| p)
        {
            let bytes = sources.read(*at, *len);
            parts.push(bytes.map_err(|error| StoreError::Read(error.to_string()))?);
        }
        if let Ok(Some(base)) = Base::decode(parts.into_iter().map(Cow::Owned)) {
            return Ok(Some((number, base)));
        }
        below = number;
    }
    Ok(None)
}
