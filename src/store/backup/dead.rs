//! Dead letters in a copy. Where the attempts of one are kept, these tell of it; of the others a copy
//! has the keys as they stood at its moment, and none that an earlier part of it left behind.

use std::collections::BTreeSet;

use super::super::StoreError;
use super::super::backend::{Backend, Change, Entry};
use super::super::log::Log;
use super::super::record::key;
use crate::id::Seq;
use crate::store::maintain::base;

/// Dead letters that are looked at in one go.
const DEAD_PER_READ: usize = 256;

/// Of which endpoint, and of which event.
pub(super) fn of_key(entry: &[u8]) -> Option<(u32, Seq)> {
    Some((key::small_number(entry, 1)?, key::number(entry, 5)?))
}

/// Whether an attempt of this delivery is recorded in frame `from` or behind it.
fn is_attempt_kept<B: Backend>(
    backend: &B,
    (endpoint, seq): (u32, Seq),
    from: u64,
) -> Result<bool, StoreError> {
    let prefix = &key::attempt(endpoint, seq, 0)[..13];
    let attempts = backend.scan(prefix, prefix, usize::MAX)?;
    let mut frames = attempts.iter().map(|(_, value)| key::number(value, 0));
    Ok(frames.any(|frame| frame.is_some_and(|frame| frame >= from)))
}

impl<B: Backend> Log<B> {
    /// The dead letters that the base names, as far as they still are some. Nothing is put back
    /// meanwhile.
    pub(super) fn named_dead_letters(&self) -> Result<Vec<(u32, Seq)>, StoreError> {
        let named = self.shared().state.expired.dead.clone();
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let mut dead = self.dead_letters(Seq::MAX)?;
        dead.retain(|(endpoint, seq)| named.get(endpoint).is_some_and(|it| it.contains(*seq)));
        Ok(dead)
    }

    /// Of some keys of dead letters those of which no attempt is kept, and the base does not say so:
    /// it was written by an earlier program.
    pub(super) fn without_attempts(&self, entries: Vec<Entry>) -> Result<Vec<Entry>, StoreError> {
        let mut left = Vec::new();
        for entry in entries {
            let Some((endpoint, seq)) = of_key(&entry.0) else {
                continue;
            };
            let (is_named, from) = {
                let shared = self.shared();
                let expired = &shared.state.expired;
                let named = expired.dead.get(&endpoint);
                let is_named = named.is_some_and(|it| it.contains(seq));
                (is_named, expired.frames_from)
            };
            if !is_named && !is_attempt_kept(&self.backend, (endpoint, seq), from)? {
                left.push(entry);
            }
        }
        Ok(left)
    }
}

/// Takes the keys away that are of no dead letter: of an event that has expired, whose attempts are
/// kept; or, where an earlier part of the copy was gone on with, of what was put back meanwhile by a
/// record that has expired itself. `came` are those that came by their keys, if others were there.
pub(super) fn tidy<B: Backend>(
    backend: &B,
    came: Option<&BTreeSet<(u32, Seq)>>,
    delete: impl Fn(&[Change]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (_, Some(base)) = base::load(backend)? else {
        return Ok(());
    };
    let expired = base.expired;
    let mut from = key::dead(0, 0);
    loop {
        let entries = backend.scan(b"x", &from, DEAD_PER_READ)?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        from = [last.as_slice(), &[0]].concat();
        let mut deletions = Vec::new();
        for (entry, _) in entries {
            let Some(dead) = of_key(&entry) else {
                continue;
            };
            let is_one = !expired.seqs().contains(dead.1)
                && match came {
                    None => true,
                    Some(came) if came.contains(&dead) => true,
                    Some(_) => is_attempt_kept(backend, dead, expired.frames_from)?,
                };
            if !is_one {
                deletions.push(Change::Delete(entry));
            }
        }
        delete(&deletions)?;
    }
}
