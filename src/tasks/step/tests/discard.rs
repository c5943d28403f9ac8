//! Steps of a discard.

use super::*;

/// The statuses of all deliveries, counted: removed, and those that are not.
fn removed(world: &World) -> (u64, u64) {
    let (mut removed, mut others) = (0, 0);
    for endpoint in [0, 1] {
        for seq in 1..=*world.log.tail().borrow() {
            match world.log.delivery(endpoint, seq).unwrap().unwrap().status {
                Status::Removed => removed += 1,
                _ => others += 1,
            }
        }
    }
    (removed, others)
}

#[test]
fn a_crash_at_any_step_of_a_discard_leaves_nothing_out_and_counts_nothing_twice() {
    for crash_at in 0.. {
        for was_done in [false, true] {
            let world = World::with_dead_letters(EVENTS);
            let mut task = world.task_of(Kind::Discard, "dead,pending,waiting", false);
            let written = RefCell::new(Vec::new());
            let mut ended = false;
            while !ended && written.borrow().len() <= crash_at {
                let count = written.borrow().len();
                let save = |task: &Task| {
                    written.borrow_mut().push(task.clone());
                    match count == crash_at && !was_done {
                        true => Err(FileError {
                            path: "task".into(),
                            cause: std::io::Error::other("killed"),
                        }),
                        false => Ok(()),
                    }
                };
                match step_within(SMALL, &world.log, &mut task, save) {
                    Ok(step) => ended = step == Step::Ended,
                    Err(_) => break,
                }
            }
            if ended && written.borrow().len() <= crash_at {
                assert!(crash_at >= 4, "{crash_at}");
                return;
            }
            let mut task = written.borrow().last().unwrap().clone();
            world.run(&mut task);
            assert_eq!((task.matched, task.done), (2 * EVENTS, 2 * EVENTS));
            assert_eq!(removed(&world), (2 * EVENTS, 0), "at {crash_at}");
            assert_eq!(world.attempts(), [0, 0, 2 * EVENTS, 0]);
        }
    }
}

#[test]
fn a_discard_takes_what_is_queued_and_comes_back_to_what_an_attempt_was_under_way_for() {
    let world = World::with_dead_letters(12);
    drop(world.log.replay(ReplayRequest {
        endpoint: 0,
        since: None,
        until: None,
        seq: None,
        only_dead: true,
        limit: 12,
        dry_run: false,
    }));
    let under_way = world.log.claim(3).unwrap();
    let mut task = world.task_of(Kind::Discard, "pending,waiting,dead", false);
    let step = |task: &mut Task| step_within(SMALL, &world.log, task, |_| Ok(())).unwrap();
    while step(&mut task) == Step::Goes {}
    assert_eq!((task.matched, task.done), (9 + 12, 9 + 12));
    for _ in 0..3 {
        assert_eq!(step(&mut task), Step::Rests);
    }
    for (claim, outcome) in under_way.into_iter().zip([
        Outcome::Delivered,
        Outcome::Dead,
        Outcome::Retry {
            after: std::time::Duration::from_secs(60),
        },
    ]) {
        world.settle(claim, outcome);
    }
    world.run(&mut task);
    assert_eq!((task.matched, task.done), (23, 23));
    assert_eq!(removed(&world), (23, 1));
}

#[test]
fn an_attempt_that_begins_between_the_finding_and_the_discarding_is_come_back_to() {
    let world = World::with_dead_letters(0);
    world.append(12);
    let mut task = world.task_of(Kind::Discard, "pending,waiting", false);
    let begun = RefCell::new(Vec::new());
    let save = |_: &Task| {
        begun.borrow_mut().extend(world.log.claim(2).unwrap());
        Ok(())
    };
    assert_eq!(
        step_within(SMALL, &world.log, &mut task, save).unwrap(),
        Step::Goes
    );
    // One of each endpoint was begun.
    assert_eq!((task.matched, task.done), (9, 9));
    assert_eq!(task.under_way, [(0, [1].into())].into());
    for claim in begun.take() {
        let after = std::time::Duration::from_secs(60);
        world.settle(claim, Outcome::Retry { after });
    }
    world.run(&mut task);
    assert_eq!(removed(&world), (24, 0));
    assert_eq!((task.matched, task.done), (24, 24));
}

#[test]
fn a_dry_run_of_a_discard_counts_alone() {
    let world = World::with_dead_letters(12);
    let mut task = world.task_of(Kind::Discard, "dead", true);
    world.run(&mut task);
    assert_eq!((task.matched, task.done), (24, 0));
    assert_eq!(removed(&world), (0, 24));
}

#[test]
fn a_dry_run_of_a_discard_waits_for_no_attempt_that_is_under_way() {
    let world = World::with_dead_letters(0);
    world.append(12);
    assert_eq!(world.log.claim(4).unwrap().len(), 4);
    let mut task = world.task_of(Kind::Discard, "pending,waiting,dead", true);
    let step = |task: &mut Task| step_within(SMALL, &world.log, task, |_| Ok(())).unwrap();
    while step(&mut task) == Step::Goes {}
    assert_eq!(step(&mut task), Step::Ended);
    assert_eq!((task.matched, task.done), (20, 0));
}

#[test]
fn a_crash_while_attempts_are_under_way_leaves_nothing_out_and_discards_nothing_twice() {
    for crash_at in 0.. {
        let world = World::with_dead_letters(0);
        world.append(EVENTS);
        let under_way = world.log.claim(6).unwrap();
        let mut task = world.task_of(Kind::Discard, "pending,waiting", false);
        let (mut file, mut steps) = (task.clone(), 0);
        let written = RefCell::new(None);
        let save = |task: &Task| {
            *written.borrow_mut() = Some(task.clone());
            Ok(())
        };
        // Steps are lost back to the last that wrote something down.
        while steps < crash_at
            && step_within(SMALL, &world.log, &mut task, save).unwrap() != Step::Rests
        {
            file = written.take().unwrap_or(file);
            steps += 1;
        }
        for claim in under_way {
            let after = std::time::Duration::from_secs(60);
            world.settle(claim, Outcome::Retry { after });
        }
        world.run(&mut file);
        assert_eq!((file.matched, file.done), (2 * EVENTS, 2 * EVENTS));
        assert_eq!(removed(&world), (2 * EVENTS, 0), "at {crash_at}");
        assert_eq!(world.attempts(), [0, 2 * EVENTS - 6, 6, 0]);
        if steps < crash_at {
            assert!(steps >= 6, "{steps}");
            return;
        }
    }
}

#[test]
fn what_is_come_back_to_is_looked_at_before_it_is_too_much_to_write_down() {
    let world = World::with_dead_letters(0);
    world.append(EVENTS);
    let few = Bounds {
        under_way: 4,
        ..SMALL
    };
    let mut task = world.task_of(Kind::Discard, "pending,waiting", false);
    let begun = RefCell::new(Vec::new());
    // A receiver that takes about as much as is discarded, and answers at once.
    let save = |task: &Task| {
        let waited_for: usize = task.under_way.values().map(BTreeSet::len).sum();
        assert!(waited_for < 4 + SMALL.deliveries, "{waited_for}");
        begun.borrow_mut().extend(world.log.claim(4).unwrap());
        Ok(())
    };
    while step_within(few, &world.log, &mut task, save).unwrap() != Step::Ended {
        for claim in begun.take() {
            world.settle(claim, Outcome::Delivered);
        }
    }
    let (removed, delivered) = removed(&world);
    assert!(delivered > 4, "{delivered}");
    assert_eq!((task.matched, task.done), (removed, removed));
    assert_eq!(removed + delivered, 2 * EVENTS);
}
