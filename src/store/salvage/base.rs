//! The base that was found in the files, put together of its parts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::StoreError;
use super::Salvage;
use super::source::Sources;
use crate::store::maintain::base::Base;
use crate::store::opening::snapshot::KeptSnapshot;

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

impl Salvage {
    /// What has expired does not come back, however many copies of it lie about; and where there is
    /// no newer snapshot, the base is one.
    pub(super) fn take_base(&mut self, base: Option<(u64, Base)>) {
        let tags: Vec<u32> = self.meta.iter().map(|meta| meta.tag).collect();
        let Some((number, base)) = base.filter(|(_, b)| tags.contains(&b.snapshot.tag)) else {
            return;
        };
        let based = &base.snapshot;
        self.reach(based.next_seq, based.next_frame);
        let is_newer = |snapshot: &KeptSnapshot| snapshot.is_not_behind(based);
        if !self.snapshot.as_ref().is_some_and(is_newer) {
            self.snapshot = Some(based.clone());
        }
        self.base = Some((number, base));
    }

    /// The first frame of transitions that has not expired.
    pub(super) fn frames_from(&self) -> u64 {
        self.base
            .as_ref()
            .map_or(1, |(_, base)| base.expired.frames_from)
    }
}
