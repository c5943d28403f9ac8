//! A map that forgets what came first when it is full.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// See the module's documentation. A key that is given again stays where it was.
#[derive(Clone, Debug)]
pub(super) struct Bounded<K, V> {
    values: HashMap<K, V>,
    /// The first that came is at the front.
    order: VecDeque<K>,
    max: usize,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    pub(super) fn new(max: usize) -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
            max,
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes in what is newer than all there is.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.values.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.max
            && let Some(first) = self.order.pop_front()
        {
            self.values.remove(&first);
        }
    }

    /// Takes in what is older than all there is, unless it is there already or there is no room.
    pub(super) fn insert_older(&mut self, key: K, value: V) {
        if self.order.len() < self.max && !self.values.contains_key(&key) {
            self.values.insert(key.clone(), value);
            self.order.push_front(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_came_is_forgotten_and_what_is_older_does_not_push_out_what_is_newer() {
        let mut map = Bounded::new(3);
        map.insert(2, 'b');
        map.insert_older(1, 'a');
        map.insert_older(2, 'x');
        map.insert(3, 'c');
        map.insert_older(0, 'z');
        assert_eq!(
            [0, 1, 2, 3].map(|key| map.get(&key).copied()),
            [None, Some('a'), Some('b'), Some('c')]
        );
        map.insert(2, 'B');
        map.insert(4, 'd');
        map.insert(5, 'e');
        assert_eq!(
            [1, 2, 3, 4, 5].map(|key| map.get(&key).copied()),
            [None, None, Some('c'), Some('d'), Some('e')]
        );
        assert_eq!((map.order.len(), map.values.len()), (3, 3));
    }
}
