//! Mocks by name: made, found and taken away while others go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::Plan;
use super::running::{Mock, MockError};

/// Each holds a log in memory, threads and tasks.
pub const MOCKS_MAX: usize = 256;

/// As long as the names of tests are.
const NAME_MAX: usize = 200;

/// The one that answers without its name, too.
pub const DEFAULT: &str = "default";

/// Every mock of one server.
pub struct Mocks {
    state: Mutex<State>,
    on_loopback: bool,
}

#[derive(Default)]
struct State {
    by_name: BTreeMap<String, Arc<Mock>>,
    is_closed: bool,
}

/// Why there is no such mock.
#[derive(Debug, thiserror::Error)]
pub enum NoMock {
    /// Nobody made it, or it was taken away.
    #[error("there is no mock of this name; make it by PUT /mocks/NAME")]
    Unknown,
    /// No name for a path.
    #[error("a mock's name is 1 to {NAME_MAX} letters, digits, dashes and underscores")]
    Name,
    /// As many as there may be.
    #[error("there are {MOCKS_MAX} mocks already; take one away by DELETE /mocks/NAME")]
    TooMany,
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed,
    /// It does not start, or does not stop.
    #[error(transparent)]
    Mock(#[from] MockError),
}

impl Mocks {
    /// None yet. Whether they may send to this machine is for the caller to say.
    pub fn new(on_loopback: bool) -> Self {
        Self {
            state: Mutex::default(),
            on_loopback,
        }
    }

    /// Makes the mock called `name`, in the place of the one that has the name: whoever uses a
    /// name finds nothing of those who used it before.
    pub async fn put(&self, name: &str, plan: Plan) -> Result<Arc<Mock>, NoMock> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !(1..=NAME_MAX).contains(&name.len()) || !name.chars().all(fits) {
            return Err(NoMock::Name);
        }
        // Started first: where it does not, the one before stays.
        let mock = Arc::new(Mock::start(plan, self.on_loopback).await?);
        match self.enter(name, &mock) {
            Ok(Some(before)) => before.stop().await?,
            Ok(None) => {}
            Err(error) => {
                mock.stop().await?;
                return Err(error);
            }
        }
        Ok(mock)
    }

    fn enter(&self, name: &str, mock: &Arc<Mock>) -> Result<Option<Arc<Mock>>, NoMock> {
        let mut state = self.state();
        if state.is_closed {
            return Err(NoMock::Closed);
        }
        if state.by_name.len() >= MOCKS_MAX && !state.by_name.contains_key(name) {
            return Err(NoMock::TooMany);
        }
        Ok(state.by_name.insert(name.to_owned(), mock.clone()))
    }

    /// The mock called `name`.
    pub fn get(&self, name: &str) -> Result<Arc<Mock>, NoMock> {
        self.state()
            .by_name
            .get(name)
            .cloned()
            .ok_or(NoMock::Unknown)
    }

    /// Every mock, by name.
    pub fn list(&self) -> Vec<(String, Arc<Mock>)> {
        let state = self.state();
        let each = state.by_name.iter();
        each.map(|(name, mock)| (name.clone(), mock.clone()))
            .collect()
    }

    /// Takes the mock called `name` away.
    pub async fn remove(&self, name: &str) -> Result<(), NoMock> {
        let found = self.state().by_name.remove(name);
        Ok(found.ok_or(NoMock::Unknown)?.stop().await?)
    }

    /// Takes all of them away; no more can be made.
    pub async fn close(&self) -> Result<(), NoMock> {
        let all = {
            let mut state = self.state();
            state.is_closed = true;
            std::mem::take(&mut state.by_name)
        };
        for mock in all.into_values() {
            mock.stop().await?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
