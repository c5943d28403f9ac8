//! Sequences of events that are rare, legal, and must cost nothing: no loss, no stall, no wrong
//! answer.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redeliver::clock::{Clock, ManualClock};
use redeliver::delivery::Status;
use redeliver::endpoint::{EndpointState, Filter, FilterOn, Order};
use redeliver::store::backend::{Backend, Change, Durability, Entry};
use redeliver::store::memory::Memory;
use redeliver::store::{
    DeliveryQuery, Effect, EndpointCommand, Log, Options, Outcome, ReplayRequest, Store,
    StoreError, committer,
};

use super::disk::{copy, erase, open};
use super::harness::*;

/// A real moment that is long for a machine and short for a test.
const A_WHILE: Duration = Duration::from_millis(300);

/// Where the frame of events that begins at `first` lies.
fn frame(first: u64) -> Vec<u8> {
    [&b"e"[..], &first.to_be_bytes()].concat()
}

fn settle_unsaved<B: Backend>(log: &Log<B>, clock: &ManualClock, claim: &redeliver::store::Claim) {
    let settlement = settlement(claim, clock.now(), Outcome::Delivered, Effect::None);
    log.settle(claim.token, settlement).unwrap();
}

#[test]
fn an_event_that_cannot_be_read_holds_up_no_other_one() {
    let world = World::<InMemory>::with(Options {
        frame_cache_bytes: 0,
        ..Options::default()
    });
    world.add(settings("crm", Order::Independent));
    world.append_many(2);
    world.log.backend().damage(&frame(1), Some(b"rot".to_vec()));
    let claimed: Vec<u64> = (0..3)
        .flat_map(|_| world.log.claim(100).unwrap_or_default())
        .map(|claim| claim.token.seq)
        .collect();
    assert_eq!(claimed, [2]);
}

#[test]
fn a_loss_behind_the_snapshot_can_be_accepted_too() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), Options::default()).unwrap();
    let add = EndpointCommand::Add(
        Box::new(settings("crm", Order::Independent)),
        EndpointState::Active,
    );
    log.endpoint(add).unwrap();
    for _ in 0..3 {
        log.append(vec![event("a", "")]).unwrap();
        log.commit().unwrap();
    }
    log.close().unwrap();
    drop(log);
    erase(dir.path(), &[2]);
    let log = open(
        dir.path(),
        Options {
            accept_loss: Some(2..=2),
            ..Options::default()
        },
    )
    .unwrap();
    let claims = log.claim(100);
    let seqs: Result<Vec<u64>, StoreError> =
        claims.map(|claims| claims.iter().map(|claim| claim.token.seq).collect());
    assert_eq!(seqs, Ok(vec![1, 3]));
}

#[test]
fn a_damaged_last_frame_is_a_loss_even_when_the_mark_is_older() {
    let world = World::<InMemory>::new();
    world.append_many(3);
    let left = world.log.backend().after_kill();
    left.damage(&frame(3), Some(b"rot".to_vec()));
    let clock = Arc::new(ManualClock::new(START));
    let opened = Log::over(left, clock, Options::default(), ENTROPY);
    assert!(
        matches!(opened, Err(StoreError::Damaged { from: 3, .. })),
        "opened as if event 3 had never been, ready to overwrite it"
    );
}

#[test]
fn a_position_that_was_given_up_for_lost_is_never_given_again() {
    let world = World::<OnDisk>::new();
    world.append_many(3);
    let dir = tempfile::tempdir().unwrap();
    copy(&world.dir(), dir.path());
    let mark = "high-water";
    let older = fs::read(dir.path().join(mark)).unwrap();
    world.append_many(2);
    fs::copy(world.dir().join(mark), dir.path().join(mark)).unwrap();
    let accept = Options {
        accept_loss: Some(4..=5),
        ..Options::default()
    };
    let log = open(dir.path(), accept).unwrap();
    log.commit().unwrap();
    drop(log);
    // A power cut sets the mark back, which it may.
    fs::write(dir.path().join(mark), older).unwrap();
    let log = open(dir.path(), Options::default()).unwrap();
    let ticket = log.append(vec![event("a", "")]).unwrap();
    log.commit().unwrap();
    let seq = ticket.blocking_recv().unwrap().unwrap()[0].seq;
    drop(log);
    let log = open(dir.path(), Options::default()).unwrap();
    assert!(
        log.event(seq).unwrap().is_some(),
        "event {seq} was acknowledged and counts as lost"
    );
}

/// An endpoint for `odd` events whose backlog has so many holes that its last ones stay in the
/// log, unrouted: `odd` at every second position, then `gap` others, then one more `odd`.
fn fragmented(gap: u64) -> (World<InMemory>, u32, u64) {
    let world = World::<InMemory>::new();
    let mut odd = settings("odd", Order::Independent);
    odd.filter = Filter {
        on: FilterOn::Kind,
        patterns: vec!["odd".to_owned()],
    };
    odd.concurrency = 100_000;
    let endpoint = world.add(odd);
    let holes = 131_072 + 8;
    let total = holes + gap + 1;
    let mut seq = 1;
    while seq <= total {
        let until = (seq + 1000).min(total + 1);
        let kinds = (seq..until).map(|n| match n {
            n if n == total || (n <= holes && n % 2 == 1) => "odd",
            _ => "even",
        });
        world.append(kinds.map(|kind| event(kind, "")).collect());
        seq = until;
    }
    (world, endpoint, total)
}

#[test]
fn what_was_left_in_the_log_is_routed_although_nothing_else_happens() {
    let (world, endpoint, last) = fragmented(80_000);
    loop {
        let claims = world.log.claim(16_000).unwrap();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            settle_unsaved(&world.log, &world.clock, &claim);
        }
        world.log.commit().unwrap();
    }
    let log = Arc::new(world.log);
    committer::spawn(log.clone()).unwrap();
    let status = || log.delivery(endpoint, last).unwrap().unwrap().status;
    for _ in (0..200).take_while(|_| status() != Status::Delivered) {
        std::thread::sleep(A_WHILE);
        for claim in log.claim(16_000).unwrap() {
            settle_unsaved(&log, &world.clock, &claim);
        }
    }
    assert_eq!(status(), Status::Delivered);
}

#[test]
fn a_damaged_body_keeps_no_queue_from_being_caught_up_with() {
    let (world, endpoint, _) = fragmented(0);
    let large = world.append(vec![event("odd", vec![7; 20_000])])[0].seq;
    let last = world.append(vec![event("odd", "")])[0].seq;
    loop {
        let claims = world.log.claim(16_000).unwrap();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            settle_unsaved(&world.log, &world.clock, &claim);
        }
        world.log.commit().unwrap();
    }
    let left = world.log.backend().after_kill();
    let part = [&b"b"[..], &large.to_be_bytes(), &[0; 4]].concat();
    left.damage(&part, None);
    let log = Log::over(left, world.clock.clone(), Options::default(), ENTROPY).unwrap();
    let delivery = log.delivery(endpoint, last).unwrap().unwrap();
    assert_eq!(delivery.status, Status::Delivered);
}

#[test]
fn a_new_filter_takes_nothing_away_from_what_is_queued_in_the_log() {
    let (world, endpoint, last) = fragmented(0);
    let mut other = settings("odd", Order::Independent);
    other.filter.patterns = vec!["other".to_owned()];
    other.concurrency = 100_000;
    world.command(EndpointCommand::Update(endpoint, Box::new(other)));
    loop {
        let claims = world.log.claim(16_000).unwrap();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            settle_unsaved(&world.log, &world.clock, &claim);
        }
        world.log.commit().unwrap();
    }
    let status = world.log.delivery(endpoint, last).unwrap().unwrap().status;
    assert_eq!(status, Status::Delivered, "it matched when it came");
}

#[test]
fn a_snapshot_that_cannot_be_written_costs_no_more_than_time() {
    let world = World::<OnDisk>::new();
    world.append_many(1);
    // As a full disk does.
    fs::create_dir(world.dir().join("projections.unfinished")).unwrap();
    assert_eq!(world.log.close(), Ok(()));
}

type Hook = Box<dyn FnOnce() + Send>;

/// A backend during whose next call something else happens.
#[derive(Default)]
struct Hooked {
    memory: Memory,
    hook: Mutex<Option<Hook>>,
}

impl Hooked {
    fn meanwhile(&self, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    fn run(&self) -> &Memory {
        let hook = self.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
        &self.memory
    }
}

impl Backend for Hooked {
    fn write(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
        self.run().write(changes, durability)
    }
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.run().get(key)
    }
    fn last(&self, prefix: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.run().last(prefix, key)
    }
    fn scan(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.run().scan(prefix, key, limit)
    }
    fn scan_back(&self, prefix: &[u8], key: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.run().scan_back(prefix, key, limit)
    }
    fn used_bytes(&self) -> u64 {
        self.memory.used_bytes()
    }
    fn free_bytes(&self) -> Option<u64> {
        self.memory.free_bytes()
    }
}

/// A store with one endpoint and two events, the first of them not in the cache.
fn hooked() -> (Arc<Log<Hooked>>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let options = Options {
        frame_cache_bytes: 0,
        ..Options::default()
    };
    let log = Log::over(Hooked::default(), clock.clone(), options, ENTROPY).unwrap();
    let add = Box::new(settings("crm", Order::Independent));
    let _ticket = log.endpoint(EndpointCommand::Add(add, EndpointState::Active));
    for _ in 0..2 {
        log.commit().unwrap();
        let _ticket = log.append(vec![event("a", "")]).unwrap();
    }
    log.commit().unwrap();
    (Arc::new(log), clock)
}

fn the_endpoint(log: &Log<Hooked>) -> u32 {
    log.find_endpoint("crm").unwrap().number
}

#[test]
fn a_delivery_that_ends_while_it_is_looked_at_is_never_called_filtered() {
    let (log, clock) = hooked();
    let claim = log.claim(1).unwrap().remove(0);
    // The cache holds one frame, which is now the other one.
    log.event(2).unwrap();
    let meanwhile = log.clone();
    log.backend()
        .meanwhile(move || settle_unsaved(&meanwhile, &clock, &claim));
    let view = log.delivery(the_endpoint(&log), 1).unwrap().unwrap();
    assert!(
        matches!(view.status, Status::InFlight | Status::Delivered),
        "{:?}",
        view.status
    );
}

#[test]
fn a_retry_by_hand_during_an_attempt_gives_no_number_twice() {
    let (log, clock) = hooked();
    let fail = |log: &Log<Hooked>, clock: &ManualClock| {
        let claim = log.claim(1).unwrap().remove(0);
        assert_eq!(claim.token.seq, 1);
        let failed = settlement(&claim, clock.now(), retry(0), Effect::None);
        log.settle(claim.token, failed).unwrap();
        claim.attempt
    };
    assert_eq!(fail(&log, &clock), 1);
    log.commit().unwrap();
    let request = ReplayRequest {
        seq: Some(1),
        ..replay(the_endpoint(&log))
    };
    let meanwhile = (log.clone(), clock.clone());
    log.backend().meanwhile(move || {
        assert_eq!(fail(&meanwhile.0, &meanwhile.1), 2);
    });
    assert_eq!(log.replay(request).unwrap(), 1);
    let attempts = log.claim(2).unwrap();
    let again = attempts
        .into_iter()
        .find(|claim| claim.token.seq == 1)
        .unwrap();
    assert_eq!(again.attempt, 3);
}

#[test]
fn a_committer_that_panics_stops_the_store_and_says_so() {
    let (log, _) = hooked();
    committer::spawn(log.clone()).unwrap();
    log.backend().meanwhile(|| panic!("a bug"));
    let _ticket = log.append(vec![event("a", "")]).unwrap();
    // A panic with a trace takes its time on a busy machine.
    let mut tries = 0..100;
    while log.stopped().borrow().is_none() && tries.next().is_some() {
        std::thread::sleep(A_WHILE);
    }
    assert!(log.stopped().borrow().is_some());
    assert!(log.append(vec![event("a", "")]).is_err());
}

#[test]
fn a_stopped_store_hands_out_no_more_work() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::InOrder));
    world.append_many(1);
    world.log.backend().fail_writes_after(0);
    let _ticket = world.log.append(vec![event("a", "")]).unwrap();
    world.log.commit().unwrap_err();
    let claims = world.log.claim(1);
    assert!(claims.is_err(), "its outcome could not be kept");
}

#[test]
fn a_clock_set_back_stalls_no_short_delay_behind_a_long_one() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::Independent));
    world.append_many(2);
    let claims = world.claim();
    world.settle(&claims[0], retry(86_400));
    world.advance(86_399);
    world.settle(&claims[1], retry(5));
    // Two hours back.
    let hours_ago = world.clock.now().as_millis() - 2 * 3_600_000;
    let behind = redeliver::clock::Timestamp::from_millis(hours_ago);
    let world = world.restart_under(Arc::new(ManualClock::new(behind)));
    assert_eq!(world.claimed_seqs(), [0u64; 0]);
    world.advance(5);
    assert_eq!(
        world.claimed_seqs(),
        [2],
        "never waited for longer than its own delay"
    );
}

#[test]
fn an_attempt_that_outlives_its_endpoint_is_counted_once_after_a_restart_too() {
    let world = World::<InMemory>::new();
    let endpoint = world.add(settings("crm", Order::Independent));
    world.append_many(2);
    let claims = world.claim();
    let gone = Effect::Remove("answered 410".to_owned());
    world.settle_with(&claims[0], Outcome::Gone, gone);
    world.settle(&claims[1], Outcome::Delivered);
    let ended = |world: &World<InMemory>| world.log.endpoints().unwrap()[endpoint as usize].ended;
    let before = ended(&world);
    assert_eq!((before.delivered, before.removed), (1, 1));
    let world = world.restart(false);
    assert_eq!(ended(&world), before);
}

#[test]
fn a_snapshot_keeps_no_work_for_a_removed_endpoint() {
    let world = World::<OnDisk>::new();
    let endpoint = world.add(settings("crm", Order::Independent));
    world.append_many(1);
    assert_eq!(world.claimed_seqs(), [1]);
    world.command(EndpointCommand::SetState(
        endpoint,
        EndpointState::Removed,
        None,
    ));
    let world = world.restart(true);
    let view = world.log.endpoints().unwrap().remove(0);
    let status = world.log.delivery(endpoint, 1).unwrap().unwrap().status;
    assert_eq!((status, view.backlog), (Status::Removed, 0));
}

#[test]
fn a_delivery_that_took_long_is_found_among_many_that_were_quick() {
    let world = World::<InMemory>::new();
    let mut wide = settings("wide", Order::Independent);
    wide.concurrency = 1000;
    let endpoint = world.add(wide);
    world.append_many(130);
    let claims = world.log.claim(130).unwrap();
    for claim in &claims[1..129] {
        world.settle(claim, Outcome::Delivered);
    }
    settle_unsaved(&world.log, &world.clock, &claims[0]);
    settle_unsaved(&world.log, &world.clock, &claims[129]);
    world.log.commit().unwrap();
    let view = world.log.delivery(endpoint, 130).unwrap().unwrap();
    assert_eq!((view.status, view.attempt_count), (Status::Delivered, 1));
}

#[test]
fn a_replay_holds_back_no_new_event() {
    let world = World::<InMemory>::with(Options {
        waiting_max_per_endpoint: 2,
        ..Options::default()
    });
    let endpoint = world.add(settings("crm", Order::Independent));
    for _ in 0..6 {
        world.append_many(1);
        world.settle(&world.claim()[0], Outcome::Delivered);
    }
    world.log.replay(replay(endpoint)).unwrap();
    world.append_many(1);
    let seqs: Vec<u64> = world
        .log
        .claim(2)
        .unwrap()
        .iter()
        .map(|c| c.token.seq)
        .collect();
    assert!(
        seqs.contains(&7),
        "retries and new ones take turns: {seqs:?}"
    );
}

#[test]
fn a_cursor_from_outside_of_the_log_gives_a_list_and_no_panic() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::Independent));
    world.append_many(1);
    let query = DeliveryQuery {
        statuses: vec![Status::Pending],
        after: Some((u64::MAX, 0)),
        limit: 10,
        ..DeliveryQuery::default()
    };
    assert_eq!(world.log.deliveries(&query).unwrap().items.len(), 1);
}

/// Endpoints without room were put back in front of those behind them, and only some were looked
/// past: with enough of them nobody behind was ever reached.
#[test]
fn a_healthy_endpoint_is_reached_behind_any_number_of_crowded_ones() {
    const CROWDED: u32 = 300;
    let world = World::<InMemory>::with(Options {
        in_flight_max: 400,
        ..Options::default()
    });
    for n in 0..CROWDED {
        world.add(settings(&format!("crowded-{n}"), Order::Independent));
    }
    world.append_many(2);
    // Above half of the places each of them has one, and wants a second.
    assert_eq!(world.log.claim(300).unwrap().len(), 300);
    let healthy = world.add(settings("healthy", Order::Independent));
    world.append_many(1);
    let claims = world.claim();
    let claimed: Vec<u32> = claims.iter().map(|claim| claim.token.endpoint).collect();
    assert_eq!(claimed, [healthy]);
}

#[test]
fn a_dead_letter_that_was_put_back_goes_with_its_endpoint_over_a_restart_too() {
    let mut world = World::<OnDisk>::new();
    let number = world.add(settings("crm", Order::Independent));
    world.append_many(2);
    for claim in world.claim() {
        world.settle(&claim, Outcome::Dead);
    }
    let only_first = ReplayRequest {
        seq: Some(1),
        ..replay(number)
    };
    assert_eq!(world.log.replay(only_first).unwrap(), 1);
    world.command(EndpointCommand::SetState(
        number,
        EndpointState::Removed,
        None,
    ));
    for clean in [true, false] {
        let status = |seq| world.log.delivery(number, seq).unwrap().unwrap().status;
        assert_eq!((status(1), status(2)), (Status::Removed, Status::Dead));
        let ended = world.log.endpoint_view(number).unwrap().unwrap().ended;
        assert_eq!((ended.removed, ended.dead), (1, 1));
        world = world.restart(clean);
    }
}

#[test]
fn a_delivered_one_that_was_put_back_goes_with_its_endpoint_over_a_rebuild_too() {
    let mut world = World::<OnDisk>::new();
    let number = world.add(settings("crm", Order::Independent));
    world.append_many(5);
    world.settle_all(|_| Outcome::Delivered);
    world.append_many(1);
    let sixth = world.claim().remove(0);
    world.settle(&sixth, retry(9));
    world.advance(9);
    world.settle(&world.claim()[0], Outcome::Delivered);
    let put_back = |seq| {
        let only = ReplayRequest {
            seq: Some(seq),
            ..replay(number)
        };
        assert_eq!(world.log.replay(only).unwrap(), 1);
    };
    for seq in [1, 2, 3, 6] {
        put_back(seq);
    }
    // The first arrives once more, the second is under way, the others wait when the endpoint goes.
    world.settle(&world.log.claim(1).unwrap()[0], Outcome::Delivered);
    let under_way = world.log.claim(1).unwrap().remove(0);
    assert_eq!(under_way.token.seq, 2);
    let remove = EndpointCommand::SetState(number, EndpointState::Removed, None);
    world.command(remove);
    world.settle(&under_way, Outcome::Delivered);
    for step in 0.. {
        let status = |seq| world.log.delivery(number, seq).unwrap().unwrap().status;
        let expected = |seq| match seq {
            3 | 6 => Status::Removed,
            _ => Status::Delivered,
        };
        let listed = |status| {
            let query = DeliveryQuery {
                statuses: vec![status],
                limit: 10,
                ..DeliveryQuery::default()
            };
            let page = world.log.deliveries(&query).unwrap();
            Vec::from_iter(page.items.iter().map(|view| view.event.seq))
        };
        for seq in 1..=6 {
            assert_eq!(status(seq), expected(seq), "{step}: {seq}");
        }
        assert_eq!(listed(Status::Removed), [6, 3], "{step}");
        assert_eq!(listed(Status::Delivered), [5, 4, 2, 1], "{step}");
        let ended = world.log.endpoint_view(number).unwrap().unwrap().ended;
        assert_eq!((ended.removed, ended.delivered), (2, 4), "{step}");
        let attempts = world.log.delivery(number, 3).unwrap().unwrap().attempts;
        assert_eq!(attempts.len(), 1, "its history says that it had arrived");
        match step {
            0 => world = world.restart(true),
            1 => {
                // As it is noted when a page could not be read: it is put together anew.
                std::fs::write(world.dir().join("unreadable"), b"").unwrap();
                world = world.restart(true);
                assert!(world.dir().join("damaged-1").is_dir());
            }
            2 => {
                std::fs::remove_file(world.dir().join("projections")).unwrap();
                world = world.restart(false);
            }
            _ => break,
        }
    }
}
