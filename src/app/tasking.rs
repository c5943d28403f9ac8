//! The bulk operations of a broker.

use std::path::Path;
use std::sync::Arc;

use rand::RngExt;

use super::{AppError, Keep};
use crate::clock::SharedClock;
use crate::store::Store;
use crate::tasks::Tasks;

/// Below the data directory.
const DIR: &str = "tasks";

/// The tasks that were written down, beside the log that they are about.
pub(super) async fn open(
    keep: Keep,
    data_dir: &Path,
    store: &Arc<dyn Store>,
    clock: &SharedClock,
) -> Result<Arc<Tasks>, AppError> {
    let dir = keep.dir(data_dir).map(|dir| dir.join(DIR));
    let (store, clock, tag) = (store.clone(), clock.clone(), rand::rng().random());
    let opening = move || Tasks::open(dir, store, clock, tag);
    let opened = tokio::task::spawn_blocking(opening).await;
    let tasks = opened.map_err(|panic| AppError::System {
        what: "the tasks",
        cause: std::io::Error::other(panic),
    })?;
    Ok(Arc::new(tasks?))
}
