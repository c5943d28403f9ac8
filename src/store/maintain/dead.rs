//! How many dead letters there are, where some have expired with their events.
//!
//! A pass takes those off the counts that it lets go. Snapshots know nothing of what has expired, so a
//! crash may leave one of either side of a pass: a start counts anew, by the keys. No form of a
//! record says so, and a store of an earlier program, which counted them for ever, is right after its
//! first start.

use std::collections::BTreeMap;

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use super::super::record::key;
use crate::id::Seq;

/// Dead letters that are looked at in one go.
const DEAD_PER_READ: usize = 1_024;

impl<B: Backend> Log<B> {
    /// Every dead letter of an event below `cut`.
    pub(in crate::store) fn dead_letters(&self, cut: Seq) -> Result<Vec<(u32, Seq)>, StoreError> {
        let mut dead = Vec::new();
        self.each_dead_letter(|endpoint, seq| {
            if seq < cut {
                dead.push((endpoint, seq));
            }
        })?;
        Ok(dead)
    }

    /// Counts each endpoint's dead letters anew at a start, where any may have expired.
    pub(in crate::store) fn count_dead_letters(&self) -> Result<(), StoreError> {
        let expired = self.shared().state.expired.seqs().clone();
        if expired.is_empty() {
            return Ok(());
        }
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        self.each_dead_letter(|endpoint, seq| {
            // A crash may have left the keys of those that have.
            if !expired.contains(seq) {
                *counts.entry(endpoint).or_default() += 1;
            }
        })?;
        self.shared().state.set_dead_letters(&counts);
        Ok(())
    }

    fn each_dead_letter(&self, mut see: impl FnMut(u32, Seq)) -> Result<(), StoreError> {
        let mut from = key::dead(0, 0);
        loop {
            let entries = self.backend.scan(b"x", &from, DEAD_PER_READ)?;
            let Some((last, _)) = entries.last() else {
                return Ok(());
            };
            from = [last.as_slice(), &[0]].concat();
            for (entry, _) in &entries {
                if let (Some(endpoint), Some(seq)) =
                    (key::small_number(entry, 1), key::number(entry, 5))
                {
                    see(endpoint, seq);
                }
            }
        }
    }
}
