//! What the journal has and the database may not have yet, by key. Pure.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::super::backend::{Change, Entry};

/// What has become of keys: their values, or nothing where they were taken out.
pub type Changed = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Two layers over the database: what is written now, and below it what the database is taking in.
#[derive(Debug, Default)]
pub struct Overlay {
    newer: Changed,
    older: Option<Arc<Changed>>,
}

/// Which way a range is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The least key first.
    Up,
    /// The greatest key first.
    Down,
}

impl Way {
    fn is_first(self, one: &[u8], other: &[u8]) -> bool {
        match self {
            Self::Up => one < other,
            Self::Down => one > other,
        }
    }
}

impl Overlay {
    /// Puts changes on top.
    pub fn put(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            match change {
                Change::Put(key, value) => self.newer.insert(key, Some(value)),
                Change::Delete(key) => self.newer.insert(key, None),
            };
        }
    }

    /// What has become of the key, if the overlay knows.
    pub fn get(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        let older = || self.older.as_ref().and_then(|older| older.get(key));
        self.newer.get(key).or_else(older).cloned()
    }

    /// Lowers the upper layer, which becomes empty; the lower one must be gone.
    pub fn lower(&mut self) -> Arc<Changed> {
        debug_assert!(self.older.is_none(), "the lower layer is still needed");
        let lowered = Arc::new(std::mem::take(&mut self.newer));
        self.older = Some(lowered.clone());
        lowered
    }

    /// Whether anything was written since the upper layer was lowered.
    pub fn is_written(&self) -> bool {
        !self.newer.is_empty()
    }

    /// The database has the lower layer.
    pub fn drop_lower(&mut self) {
        self.older = None;
    }

    /// The lower layer.
    pub fn lower_layer(&self) -> Option<Arc<Changed>> {
        self.older.clone()
    }

    /// The keys of what is taken out.
    pub fn taken_out(&self) -> Vec<Vec<u8>> {
        let is_out = |key: &Vec<u8>| self.get(key) == Some(None);
        let older = self.older.iter().flat_map(|older| older.keys());
        let older = older.filter(|key| !self.newer.contains_key(*key));
        let keys = self.newer.keys().chain(older);
        keys.filter(|key| is_out(key)).cloned().collect()
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.newer.is_empty() && self.older.is_none()
    }

    /// What it says of the keys within `range` that begin with `prefix`: all of it, or as much as
    /// holds `limit` values.
    pub fn range(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        prefix: &[u8],
        limit: usize,
        way: Way,
    ) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let layers = [Some(&self.newer), self.older.as_deref()];
        let mut layers = layers.map(|layer| {
            let range = layer
                .into_iter()
                .flat_map(|layer| layer.range::<[u8], _>(range));
            let range: Box<dyn Iterator<Item = _>> = match way {
                Way::Up => Box::new(range),
                Way::Down => Box::new(range.rev()),
            };
            range
                .take_while(|(key, _)| key.starts_with(prefix))
                .peekable()
        });
        let mut found = Vec::new();
        let mut values = 0;
        while values < limit {
            let [newer, older] = &mut layers;
            let (key, value) = match (newer.peek(), older.peek()) {
                (None, None) => break,
                (Some(_), None) => newer.next(),
                (None, Some(_)) => older.next(),
                (Some((one, _)), Some((other, _))) if one == other => {
                    older.next();
                    newer.next()
                }
                (Some((one, _)), Some((other, _))) if way.is_first(one, other) => newer.next(),
                (Some(_), Some(_)) => older.next(),
            }
            .map(|(key, value)| (key.clone(), value.clone()))
            .unwrap_or_default();
            values += usize::from(value.is_some());
            found.push((key, value));
        }
        found
    }
}

/// Up to `limit` entries of what `over` says and, where it says nothing, of what lies beneath:
/// `page` gives up to `limit` entries of that, behind a key.
pub fn merge<E>(
    over: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    limit: usize,
    way: Way,
    mut page: impl FnMut(Option<&[u8]>) -> Result<Vec<Entry>, E>,
) -> Result<Vec<Entry>, E> {
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    let mut over = over.into_iter().peekable();
    let mut behind: Option<Vec<u8>> = None;
    loop {
        let beneath = page(behind.as_deref())?;
        let is_last = beneath.len() < limit;
        for (key, value) in beneath {
            while let Some((over_key, value)) = over.next_if(|(one, _)| way.is_first(one, &key)) {
                found.extend(value.map(|value| (over_key, value)));
            }
            behind = Some(key.clone());
            match over.next_if(|(one, _)| *one == key) {
                Some((_, value)) => found.extend(value.map(|value| (key, value))),
                None => found.push((key, value)),
            }
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
        if is_last {
            let left = over.filter_map(|(key, value)| value.map(|value| (key, value)));
            found.extend(left);
            found.truncate(limit);
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn put(key: u8) -> Change {
        Change::Put(vec![b'k', key], vec![key])
    }

    fn delete(key: u8) -> Change {
        Change::Delete(vec![b'k', key])
    }

    /// Every range of an overlay over a map, as the two would read in one.
    fn check(beneath: &[u8], lower: &[Change], upper: &[Change]) {
        let mut overlay = Overlay::default();
        overlay.put(lower.iter().cloned());
        let _ = overlay.lower();
        overlay.put(upper.iter().cloned());
        let beneath: BTreeMap<Vec<u8>, Vec<u8>> = beneath
            .iter()
            .map(|key| (vec![b'k', *key], vec![0]))
            .collect();
        let mut all = beneath.clone();
        for change in lower.iter().chain(upper).cloned() {
            match change {
                Change::Put(key, value) => all.insert(key, value),
                Change::Delete(key) => all.remove(&key),
            };
        }
        for (from, limit) in (0..12).flat_map(|from| (1..12).map(move |limit| (from, limit))) {
            let from = [b'k', from];
            let up = (Bound::Included(&from[..]), Bound::Unbounded);
            let over = overlay.range(up, b"k", limit, Way::Up);
            let found = merge(over, limit, Way::Up, |behind| {
                let start = behind.map_or(up.0, Bound::Excluded);
                let page = beneath.range::<[u8], _>((start, Bound::Unbounded));
                Ok::<_, Infallible>(
                    page.take(limit)
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect(),
                )
            });
            let expected = all.range::<[u8], _>(up).take(limit);
            let expected: Vec<Entry> = expected.map(|(k, v)| (k.clone(), v.clone())).collect();
            assert_eq!(found, Ok(expected), "up from {from:?}, {limit}");
            let down = (Bound::Unbounded, Bound::Excluded(&from[..]));
            let over = overlay.range(down, b"k", limit, Way::Down);
            let found = merge(over, limit, Way::Down, |behind| {
                let end = behind.map_or(down.1, Bound::Excluded);
                let page = beneath.range::<[u8], _>((Bound::Unbounded, end)).rev();
                Ok::<_, Infallible>(
                    page.take(limit)
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect(),
                )
            });
            let expected = all.range::<[u8], _>(down).rev().take(limit);
            let expected: Vec<Entry> = expected.map(|(k, v)| (k.clone(), v.clone())).collect();
            assert_eq!(found, Ok(expected), "down from {from:?}, {limit}");
        }
    }

    #[test]
    fn an_overlay_over_a_map_reads_as_one_map() {
        check(&[], &[], &[]);
        check(&[1, 3, 5, 7, 9], &[], &[]);
        check(&[], &[put(2), put(4)], &[delete(2), put(6)]);
        check(
            &[1, 3, 5, 7, 9],
            &[put(3), put(4), delete(5)],
            &[put(5), delete(1), delete(4)],
        );
        check(
            &[1, 2, 3, 4, 5, 6, 7, 8],
            &(1..8).map(delete).collect::<Vec<_>>(),
            &[put(3), put(10)],
        );
    }

    #[test]
    fn a_key_outside_of_the_prefix_ends_a_range() {
        let mut overlay = Overlay::default();
        overlay.put([put(1), Change::Put(b"l1".to_vec(), vec![1])]);
        let all = (Bound::Unbounded, Bound::Unbounded);
        assert_eq!(overlay.range(all, b"k", 9, Way::Up).len(), 1);
        assert_eq!(overlay.range(all, b"k", 9, Way::Down).len(), 0);
    }
}
