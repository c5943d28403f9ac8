//! The committer: one thread that writes group after group.
//!
//! While one group syncs, the next one fills. Under one client each event costs one fsync; under
//! many, one fsync is shared by all that came in meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::{Store, StoreError};

/// Starts the thread. It ends when the store is closed or has failed.
pub fn spawn<B: Backend>(log: Arc<Log<B>>) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("committer".to_owned())
        .spawn(move || {
            // A start may have left events to be routed.
            log.ring();
            while log.wait_for_work() {
                let done = catch_unwind(AssertUnwindSafe(|| log.commit()));
                let error = match done {
                    Ok(Ok(_)) => continue,
                    Ok(Err(error)) => error,
                    // Whoever waits for an answer must not wait for ever.
                    Err(_) => StoreError::Stopped("the committer gave up".to_owned()),
                };
                log.stop(&error);
                break;
            }
        })
}
