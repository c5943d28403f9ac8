//! Coming back to what an attempt was under way for. Such an attempt cannot be undone, and whoever
//! waited for it in passing would let everything behind it out meanwhile.

use super::{
    Bounds, FileError, Seq, Step, StepError, Store, Task, UndeliveredQuery, is_present, outlook,
    take, undelivered,
};

/// Gives up those that have come to stand as they are asked for, and forgets those that have ended
/// otherwise. Rests where all that are left are still under way.
pub(super) fn come_back(
    bounds: Bounds,
    store: &dyn Store,
    task: &mut Task,
    save: impl Fn(&Task) -> Result<(), FileError>,
) -> Result<Step, StepError> {
    let endpoints: Vec<u32> = task.under_way.keys().copied().collect();
    for endpoint in endpoints {
        let mut seqs = task.under_way.remove(&endpoint).unwrap_or_default();
        let view = store.endpoint_view(endpoint)?;
        if !view.is_some_and(|view| is_present(&view)) {
            continue;
        }
        let (mut from, mut items) = (task.span.from, Vec::new());
        while items.is_empty() {
            let found = store.find_undelivered(&UndeliveredQuery {
                only: Some(seqs.clone()),
                ..undelivered(bounds, task, endpoint, from)
            })?;
            let until = found.next.unwrap_or(Seq::MAX);
            let is_left = |seq: &Seq| {
                !(from..until).contains(seq) || found.under_way.binary_search(seq).is_ok()
            };
            seqs.retain(is_left);
            items = found.items;
            match found.next {
                Some(next) if next > from => from = next,
                _ => break,
            }
        }
        // What is given up is in the file as that, and no longer as what is come back to.
        task.come_back_to(endpoint, seqs.into_iter().collect());
        if !items.is_empty() {
            take(store, task, endpoint, items, save)?;
            return Ok(Step::Goes);
        }
    }
    Ok(match outlook(task) {
        Step::Ended => Step::Ended,
        _ => Step::Rests,
    })
}
