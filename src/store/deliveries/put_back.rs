//! Putting back what was found before, as far as it still stands as it was found.
//!
//! What has ended moves only when it is put back, and that is written down: the frames since it was
//! found tell. The number of its attempts alone does not, for what is known of them may expire
//! meanwhile, and they are counted from the first one again.

use std::collections::BTreeSet;

use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::record::codec::{self, Kind};
use crate::store::record::frames::Frames;
use crate::store::record::{Reopened, Transition, key};
use crate::store::sealing::kept;
use crate::store::{FoundDelivery, StoreError};

impl<B: Backend> Log<B> {
    /// See [`Store::put_back`](crate::store::Store::put_back).
    pub(in crate::store) fn put_back_deliveries(
        &self,
        endpoint: u32,
        deliveries: &[FoundDelivery],
    ) -> Result<u64, StoreError> {
        let _turn = self.replay_turn();
        self.save_settlements()?;
        let seqs: Vec<Seq> = deliveries.iter().map(|delivery| delivery.seq).collect();
        let idle = self.not_queued(endpoint, &seqs);
        self.save_settlements()?;
        let moved = self.put_back_since(endpoint, deliveries)?;
        let mut reopened = Vec::new();
        for found in deliveries {
            let since = (found.seq, found.frame)..=(found.seq, u64::MAX);
            let is_idle = idle.binary_search(&found.seq).is_ok();
            if !is_idle || moved.range(since).next().is_some() {
                continue;
            }
            let now = self.ended(endpoint, found.seq, true)?;
            reopened.extend(now.filter(|now| stands(*now, found)));
        }
        let count = self.reopen(endpoint, reopened, false, false)?;
        if count > 0 {
            self.save_settlements()?;
        }
        Ok(count)
    }

    /// What was put back to this endpoint since the first of `deliveries` was found, and by which
    /// frame. Of what has expired itself since then nobody knows.
    fn put_back_since(
        &self,
        endpoint: u32,
        deliveries: &[FoundDelivery],
    ) -> Result<BTreeSet<(Seq, u64)>, StoreError> {
        let mut moved = BTreeSet::new();
        let frames = deliveries.iter().map(|found| found.frame);
        let Some(from) = frames.filter(|frame| *frame > 0).min() else {
            return Ok(moved);
        };
        let mut frames = Frames::new(b"t", key::transitions(from));
        while let Some((number, bytes)) = frames.next(&self.backend)? {
            let frame = codec::open(&bytes, Kind::Transitions);
            let body = frame.and_then(|frame| kept::read(&frame));
            let body = body.map_err(|error| error.into_store_error("a frame of transitions"))?;
            for transition in body.transitions {
                if let Transition::Replay(replay) = transition
                    && replay.endpoint == endpoint
                {
                    moved.extend(replay.deliveries.iter().map(|back| (back.seq, number)));
                }
            }
        }
        Ok(moved)
    }
}

/// Whether a delivery that was not put back stands as it was `found`, as far as it tells itself.
fn stands(now: Reopened, found: &FoundDelivery) -> bool {
    let attempts_agree = match found.frame {
        // Where it is not known since when to look, nothing else tells.
        0 => now.attempts == found.attempts,
        _ => now.attempts <= found.attempts,
    };
    attempts_agree && now.was_dead == found.was_dead
}
