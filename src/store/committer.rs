//! The committer: one thread that writes group after group.
//!
//! While one group syncs, the next one fills. Under one client each event costs one fsync; under
//! many, one fsync is shared by all that came in meanwhile.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::Store;
use super::backend::Backend;
use super::log::Log;

/// Starts the thread. It ends when the store is closed or has failed.
pub fn spawn<B: Backend>(log: Arc<Log<B>>) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("committer".to_owned())
        .spawn(move || {
            while log.wait_for_work() {
                if let Err(error) = log.commit() {
                    tracing::error!(%error, "the store has stopped");
                    break;
                }
            }
        })
}
