//! A manual clock that is moved beside receivers that hang, over a network in memory and on paused
//! time: how long an advance takes is a figure that is the same on every machine.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redeliver::clock::{Clock, ManualClock, Timestamp};
use redeliver::deliver::guard::{Resolve, Resolving};
use redeliver::deliver::transport::{Dial, Dialing, Network, Socket};
use redeliver::delivery::Status;
use redeliver::store::Store;
use tokio::time::Instant;

use crate::HOUR;
use crate::support::{Receiver, Reply};
use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What hangs again and again in one advance is waited for less than this.
const AGAIN_AND_AGAIN: Duration = Duration::from_millis(1667);

/// Receivers in memory, by their ports; names that nobody answers for.
#[derive(Clone, Default)]
struct Wires(Arc<Mutex<Vec<Arc<Receiver>>>>);

impl Wires {
    fn add(
        &self,
        clock: &Arc<ManualClock>,
        script: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Arc<Receiver> {
        let mut receivers = self.0.lock().unwrap();
        let port = 10_000 + u16::try_from(receivers.len()).unwrap();
        let clock = Some(clock.clone() as _);
        let receiver = Receiver::in_memory(port, clock, move |_, before| script(before));
        receivers.push(Arc::new(receiver));
        receivers.last().unwrap().clone()
    }
}

impl Dial for Wires {
    fn dial(&self, peer: SocketAddr) -> Dialing<'_> {
        let receivers = self.0.lock().unwrap();
        let receiver = receivers.iter().find(|receiver| receiver.address == peer);
        let (near, far) = tokio::io::duplex(64 * 1024);
        let answered = receiver.map(|receiver| receiver.serve(far));
        Box::pin(async move {
            answered.ok_or(io::ErrorKind::ConnectionRefused)?;
            Ok(Box::new(near) as Socket)
        })
    }
}

impl Resolve for Wires {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(std::future::pending())
    }
}

struct Scene {
    wires: Wires,
    world: World,
}

impl Scene {
    async fn new() -> Self {
        let wires = Wires::default();
        let network = Network::simulated(Arc::new(wires.clone()), Arc::new(wires.clone()));
        let world = World::in_memory(network, PATIENCE).await;
        Self { wires, world }
    }

    fn receiver(&self, script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Arc<Receiver> {
        self.wires.add(&self.world.clock, script)
    }

    /// How much of real time an advance takes.
    async fn advance(&self, by: Duration) -> Duration {
        let began = Instant::now();
        self.world.advance(by).await;
        began.elapsed()
    }

    /// The number of each attempt at the only event, when it began and when it ended, in seconds.
    fn attempts(&self, endpoint: u32, start: Timestamp) -> Vec<(u32, u64, u64)> {
        let delivery = self.world.log.delivery(endpoint, 1).unwrap().unwrap();
        let since = |at: Timestamp| at.since(start).as_secs();
        let attempts = delivery.attempts.iter();
        let shown = attempts.map(|a| (a.number, since(a.started_at), since(a.ended_at)));
        shown.collect()
    }
}

/// Attempts that each take ten seconds, with these delays between them.
fn timed_out(delays: &[u64]) -> Vec<(u32, u64, u64)> {
    let mut attempts = vec![(1, 0, 10)];
    for delay in delays {
        let (number, _, ended) = attempts[attempts.len() - 1];
        attempts.push((number + 1, ended + delay, ended + delay + 10));
    }
    attempts
}

#[tokio::test(start_paused = true)]
async fn hot_20_five_endpoints_that_hang_have_their_schedules_and_hold_two_hours_up_together() {
    let scene = Scene::new().await;
    let mut endpoints = Vec::new();
    for n in 0..5 {
        let receiver = scene.receiver(|_| Reply::Hang);
        let name = format!("hanging-{n}");
        endpoints.push(scene.world.endpoint(&name, "hotjar", &receiver).await);
    }
    let start = scene.world.clock.now();
    scene.world.send("survey_response", "{}").await;
    let took = scene.advance(2 * HOUR).await;
    for endpoint in endpoints {
        let expected = timed_out(&[30, 60, 120, 300, 600, 1200]);
        assert_eq!(scene.attempts(endpoint, start), expected);
        let delivery = scene.world.log.delivery(endpoint, 1).unwrap().unwrap();
        assert_eq!(delivery.status, Status::Dead);
    }
    assert!(took >= PATIENCE && took < AGAIN_AND_AGAIN, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn esp_13_a_month_of_a_head_that_hangs_is_waited_for_less_than_twice() {
    let scene = Scene::new().await;
    let receiver = scene.receiver(|_| Reply::Hang);
    let endpoint = scene.world.endpoint("crm", "esputnik", &receiver).await;
    let start = scene.world.clock.now();
    scene.world.send("activity", "{}").await;
    scene.world.send("activity", "{}").await;
    let took = scene.advance(30 * DAY).await;
    let attempts = scene.attempts(endpoint, start);
    let mut delays = vec![60, 120, 240, 480, 960, 1920];
    delays.resize(attempts.len() - 1, 3600);
    assert_eq!(attempts, timed_out(&delays));
    let last = attempts[attempts.len() - 1];
    assert!(last.1 <= 30 * DAY.as_secs() && last.2 + 3600 > 30 * DAY.as_secs());
    assert_eq!(receiver.received().len(), attempts.len());
    // No wait is shorter than the millisecond that a timer has.
    let bound = AGAIN_AND_AGAIN + Duration::from_millis(attempts.len() as u64);
    assert!(took < bound, "{took:?}");
    let second = scene.world.log.delivery(endpoint, 2).unwrap().unwrap();
    assert_eq!(second.attempt_count, 0, "behind the head");
}

#[tokio::test(start_paused = true)]
async fn each_of_several_that_begin_to_hang_one_after_the_other_is_waited_for_less_than_twice() {
    let scene = Scene::new().await;
    for n in 0..5 {
        // Each is all right for a while of its own.
        let receiver = scene.receiver(move |before| match before < n {
            true => Reply::Status(500),
            false => Reply::Hang,
        });
        let name = format!("hanging-{n}");
        scene.world.endpoint(&name, "esputnik", &receiver).await;
    }
    scene.world.send("activity", "{}").await;
    let took = scene.advance(DAY).await;
    // Those that do what they do at the same moment are waited for together.
    let moments = Duration::from_millis(5 * 30);
    assert!(took < 5 * AGAIN_AND_AGAIN + moments, "{took:?}");
    assert!(took > 5 * PATIENCE, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn names_that_nobody_answers_for_are_waited_for_as_receivers_that_hang() {
    let scene = Scene::new().await;
    for n in 0..3 {
        let (name, url) = (format!("e-{n}"), format!("http://name-{n}.example/"));
        scene.world.endpoint_at(&name, "esputnik", &url).await;
    }
    scene.world.send("activity", "{}").await;
    let took = scene.advance(DAY).await;
    assert!(took >= PATIENCE && took < 2 * PATIENCE, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn who_hung_once_and_answers_soon_is_taken_at_its_moment_and_later_not() {
    for (answers_after_ms, at) in [(0, 40), (200, 40), (240, 40), (260, 110)] {
        let scene = Scene::new().await;
        let receiver = scene.receiver(move |before| match before {
            0 => Reply::Hang,
            1 => Reply::After(Duration::from_millis(answers_after_ms)),
            _ => Reply::Status(200),
        });
        let endpoint = scene.world.endpoint("crm", "hotjar", &receiver).await;
        let start = scene.world.clock.now();
        scene.world.send("survey_response", "{}").await;
        let took = scene.advance(HOUR).await;
        let attempts = scene.attempts(endpoint, start);
        let last = attempts[attempts.len() - 1];
        assert_eq!((last.1, last.2), (at, at), "{answers_after_ms} ms");
        let waited = Duration::from_millis(answers_after_ms.min(250));
        assert_eq!(took.as_millis(), (PATIENCE + waited).as_millis());
        let delivery = scene.world.log.delivery(endpoint, 1).unwrap().unwrap();
        assert_eq!(delivery.status, Status::Delivered);
        scene.world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_refuses_keeps_its_schedule_beside_one_that_hangs_with_more_than_it_has_places() {
    let scene = Scene::new().await;
    let hanging = scene.receiver(|_| Reply::Hang);
    let refusing = scene.receiver(|_| Reply::Status(500));
    scene.world.endpoint("hanging", "hotjar", &hanging).await;
    for n in 0..30 {
        scene.world.send("survey_response", &n.to_string()).await;
    }
    // From here on it is kept to one place, and what it has waits for that.
    scene.advance(MINUTE).await;
    let endpoint = scene.world.endpoint("refusing", "hotjar", &refusing).await;
    let start = scene.world.clock.now();
    scene.world.send("survey_response", "{}").await;
    let took = scene.advance(HOUR).await;
    let offsets: Vec<u64> = refusing.offsets(start);
    assert_eq!(offsets, [0, 30, 90, 210, 510, 1110, 2310]);
    let delivery = scene.world.log.delivery(endpoint, 31).unwrap().unwrap();
    assert_eq!(delivery.attempt_count, 7);
    // One at a time, it hangs some 366 times within the hour.
    let bound = AGAIN_AND_AGAIN + Duration::from_millis(400);
    assert!(took < bound, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_not_late_because_what_was_due_before_it_has_no_place() {
    let scene = Scene::new().await;
    let hanging = scene.receiver(|_| Reply::Hang);
    let refusing = scene.receiver(|before| Reply::Status(if before == 0 { 500 } else { 200 }));
    let world = &scene.world;
    world.endpoint("hanging", "hotjar", &hanging).await;
    for n in 0..30 {
        world.send("survey_response", &n.to_string()).await;
    }
    scene.advance(10 * MINUTE).await;
    world.endpoint("refusing", "standard", &refusing).await;
    world.send("survey_response", "{}").await;
    scene.advance(Duration::ZERO).await;
    assert_eq!(refusing.received().len(), 1);
    let under_way = hanging.received().len();
    // On paused time: everything that was under way has come to rest.
    tokio::time::sleep(PATIENCE).await;
    // Nobody waits for anything, and nothing changes but the time.
    world
        .clock
        .set(world.clock.now().plus(Duration::from_secs(9)));
    world.until(|| refusing.received().len() == 2).await;
    assert_eq!(hanging.received().len(), under_way);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_waited_for_in_one_advance_and_told_of_in_each() {
    let scene = Scene::new().await;
    let receiver = scene.receiver(|_| Reply::Hang);
    let endpoint = scene.world.endpoint("crm", "hotjar", &receiver).await;
    let start = scene.world.clock.now();
    scene.world.send("survey_response", "{}").await;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let began = Instant::now();
        let advanced = scene.world.advanced(Duration::from_secs(1)).await;
        waits.push((began.elapsed().as_millis(), advanced.in_flight));
    }
    let mut expected = [(0, 1); 12];
    expected[0] = (1000, 1);
    // At its deadline it is given up.
    for told in &mut expected[9..] {
        *told = (0, 0);
    }
    assert_eq!(waits, expected);
    assert_eq!(scene.attempts(endpoint, start), timed_out(&[]));
}

#[tokio::test(start_paused = true)]
async fn one_great_advance_and_many_small_ones_beside_a_receiver_that_hangs_make_one_history() {
    let mut histories = Vec::new();
    for (by, times) in [(HOUR, 1), (Duration::from_secs(9), 400)] {
        let scene = Scene::new().await;
        let hanging = scene.receiver(|before| match before % 3 {
            0 => Reply::Hang,
            1 => Reply::Status(500),
            _ => Reply::After(Duration::from_millis(100)),
        });
        let refusing = scene.receiver(|_| Reply::Status(500));
        let one = scene.world.endpoint("one", "hotjar", &hanging).await;
        let other = scene.world.endpoint("other", "esputnik", &refusing).await;
        let start = scene.world.clock.now();
        scene.world.send("survey_response", "{}").await;
        for _ in 0..times {
            scene.advance(by).await;
        }
        let history = [one, other].map(|endpoint| scene.attempts(endpoint, start));
        assert_eq!(history[0], [(1, 0, 10), (2, 40, 40), (3, 100, 100)]);
        histories.push(history);
        scene.world.stop().await;
    }
    assert_eq!(histories[0], histories[1]);
}
