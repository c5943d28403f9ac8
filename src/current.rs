//! What is in force, and can be replaced while others read it.

use std::sync::Arc;

use tokio::sync::watch;

/// A value that a reload replaces. Whoever has asked for it goes on with what it was.
#[derive(Debug)]
pub struct Current<T>(watch::Sender<Arc<T>>);

impl<T: Default> Default for Current<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Current<T> {
    /// In force from now on.
    pub fn new(value: T) -> Self {
        Self(watch::Sender::new(Arc::new(value)))
    }

    /// What is in force.
    pub fn get(&self) -> Arc<T> {
        self.0.borrow().clone()
    }

    /// Puts `value` in force.
    pub fn replace(&self, value: T) {
        self.0.send_replace(Arc::new(value));
    }

    /// What is in force, and whatever is in its place later.
    pub fn watch(&self) -> watch::Receiver<Arc<T>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_the_old_value_keeps_it() {
        let current = Current::new(1);
        let before = current.get();
        current.replace(2);
        assert_eq!((*before, *current.get()), (1, 2));
    }
}
