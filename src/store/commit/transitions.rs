//! Recording a transition: in memory at once, on disk with the next group.

use crate::clock::Timestamp;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::log::parts::Shared;
use crate::store::record::Transition;

impl<B: Backend> Log<B> {
    /// Records a transition, which was made by one look at the clock: in memory at once, on disk
    /// with the next group. Were the clock looked at again, and had been set, what the transition
    /// says of times would not move along.
    pub(in crate::store) fn record(
        &self,
        shared: &mut Shared,
        now: Timestamp,
        transition: Transition,
        sync: bool,
    ) {
        self.record_quietly(shared, now, transition, sync);
        self.wake();
    }

    /// The same, where nobody has to look for work because of it.
    pub(in crate::store) fn record_quietly(
        &self,
        shared: &mut Shared,
        now: Timestamp,
        transition: Transition,
        sync: bool,
    ) {
        shared.state.apply(&transition, now);
        shared.unsaved_bytes += transition.text_len();
        shared.unsaved_has_order |= !matches!(transition, Transition::Attempt(_));
        shared.unsaved.push(transition);
        shared.sync_wanted |= sync;
        self.inbox.ring(sync);
        self.tell_of_change();
    }
}
