//! Tasks over a restart in one process, and files that nobody can read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use redeliver::clock::{ManualClock, Timestamp};
use redeliver::store::memory::Memory;
use redeliver::store::{Log, Options, Store, committer};
use redeliver::tasks::{Kind, Request, State, TaskError, Tasks};
use tokio::sync::watch;

fn store() -> Arc<Log<Memory>> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let log = Log::over(Memory::default(), clock, Options::default(), [1, 2, 3]);
    let log = Arc::new(log.unwrap());
    committer::spawn(log.clone()).unwrap();
    log
}

fn open(dir: &Path, store: &Arc<Log<Memory>>) -> Arc<Tasks> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(5)));
    Arc::new(Tasks::open(Some(dir.to_owned()), store.clone(), clock, 7).unwrap())
}

fn replay() -> Request {
    Request {
        kind: Kind::Replay,
        endpoint: None,
        status: None,
        kinds: None,
        since: None,
        until: None,
        limit: None,
        dry_run: false,
    }
}

/// Runs until nothing is left to do.
async fn run(tasks: &Arc<Tasks>) {
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(tasks.clone().run(stopping));
    while tasks.list().iter().any(|task| task.is_running()) {
        tokio::task::yield_now().await;
    }
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test]
async fn a_task_is_on_disk_before_it_is_answered_and_goes_on_after_a_restart() {
    let (dir, store) = (tempfile::tempdir().unwrap(), store());
    let dir = dir.path().join("tasks");
    let made = open(&dir, &store).create(replay(), None).unwrap();
    let tasks = open(&dir, &store);
    assert_eq!(tasks.get(made.id).unwrap(), made);
    run(&tasks).await;
    let ended = tasks.get(made.id).unwrap();
    assert_eq!(ended.state, State::Done);
    assert_eq!(open(&dir, &store).list(), [ended]);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let file = dir.join(format!("{}.json", made.id));
    assert_eq!((mode(&dir), mode(&file)), (0o700, 0o600));
    store.close().unwrap();
}

#[tokio::test]
async fn a_cancelled_task_stays_cancelled_and_gives_its_key_again() {
    let (dir, store) = (tempfile::tempdir().unwrap(), store());
    let tasks = open(dir.path(), &store);
    let made = tasks.create(replay(), Some("k".to_owned())).unwrap();
    assert_eq!(tasks.cancel(made.id).unwrap().state, State::Cancelled);
    let tasks = open(dir.path(), &store);
    run(&tasks).await;
    let again = tasks.create(replay(), Some("k".to_owned())).unwrap();
    assert_eq!((again.id, again.state), (made.id, State::Cancelled));
    let error = tasks.cancel(made.id).unwrap_err();
    assert!(
        matches!(error, TaskError::Ended(_, State::Cancelled)),
        "{error}"
    );
    store.close().unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_read_stops_nobody_else_and_stays_where_it_is() {
    let (dir, store) = (tempfile::tempdir().unwrap(), store());
    let made = open(dir.path(), &store).create(replay(), None).unwrap();
    let bad = [
        ("torn.json", r#"{"version":1,"task":{"id":"tsk_"#),
        ("newer.json", r#"{"version":2,"task":{}}"#),
        ("empty.json", ""),
        (".tmpAbC", "{"),
    ];
    for (name, text) in bad {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let tasks = open(dir.path(), &store);
    run(&tasks).await;
    assert_eq!(tasks.list().len(), 1);
    assert_eq!(tasks.get(made.id).unwrap().state, State::Done);
    for (name, text) in bad {
        assert_eq!(
            std::fs::read_to_string(dir.path().join(name)).unwrap(),
            text
        );
    }
    store.close().unwrap();
}

#[tokio::test]
async fn sixteen_run_at_once_and_a_hundred_that_have_ended_are_kept() {
    let (dir, store) = (tempfile::tempdir().unwrap(), store());
    let tasks = open(dir.path(), &store);
    for _ in 0..16 {
        tasks.create(replay(), None).unwrap();
    }
    let error = tasks.create(replay(), None).unwrap_err();
    assert!(matches!(error, TaskError::TooMany), "{error}");
    run(&tasks).await;
    for _ in 0..110 {
        tasks.create(replay(), None).unwrap();
        run(&tasks).await;
    }
    let kept = tasks.list();
    assert_eq!((kept.len(), kept[0].id.number()), (101, 126));
    assert_eq!(open(dir.path(), &store).list(), kept);
    store.close().unwrap();
}
