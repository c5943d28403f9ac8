//! Discards of the real process while its receivers are being sent to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::process::broker::{Broker, Ran, Site};
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply};

const EVENTS: usize = 200;

/// As many attempts are under way at once.
const CONCURRENCY: usize = 8;

/// A broker with as many deliveries queued, of which as many as may are under way to a receiver that
/// holds its answers until it is let go: then it takes what is for `/a`, and refuses what is for `/b`.
struct Held {
    site: Site,
    broker: Broker,
    receiver: Receiver,
    let_go: Arc<AtomicBool>,
}

impl Held {
    fn new() -> Self {
        let let_go = Arc::new(AtomicBool::new(false));
        let asked = let_go.clone();
        let receiver = Receiver::start(move |seen, _| {
            if seen.method == "GET" {
                return Reply::Status(200);
            }
            eventually("the test lets go", || {
                asked.load(Ordering::Relaxed).then_some(())
            });
            match seen.path.as_str() {
                "/hook/a" => Reply::Status(200),
                _ => Reply::Status(500),
            }
        });
        let site = Site::new();
        let endpoint = |name: &str| {
            format!(
                "[[endpoint]]\nname = \"{name}\"\nurl = \"{}/{name}\"\npolicy = \"p\"\n\
                 concurrency = {CONCURRENCY}\ntimeout = \"2m\"\n\n",
                receiver.url()
            )
        };
        site.configure(&format!(
            "[policy.p]\nschedule = [\"1h\"]\ngive_up_after = 2\n\n{}{}",
            endpoint("a"),
            endpoint("b")
        ));
        let broker = site.start(&[]);
        for _ in 0..EVENTS {
            broker.event("t", &json!(1));
        }
        eventually("as many as may are under way", || {
            (receiver.held() == 2 * CONCURRENCY).then_some(())
        });
        Self {
            site,
            broker,
            receiver,
            let_go,
        }
    }

    fn discard(&self, more: &[&str]) -> Ran {
        let server = format!("http://{}", self.broker.address);
        let status = ["--status", "pending,waiting", "--yes"];
        let args = [&["task", "discard", "--server", &server], &status[..], more];
        self.site.run(&args.concat())
    }

    fn removed(&self) -> [Value; 2] {
        ["a", "b"].map(|name| self.broker.endpoint(name)["removed"].clone())
    }
}

#[test]
fn a_discard_of_what_waits_or_is_pending_keeps_an_active_endpoint_from_draining_its_queue() {
    let held = Held::new();
    let queued = EVENTS - CONCURRENCY;
    std::thread::scope(|scope| {
        let discarding = scope.spawn(|| held.discard(&[]));
        eventually(
            "what is queued is discarded while every attempt is held",
            || (held.removed() == [json!(queued), json!(queued)]).then_some(()),
        );
        assert_eq!(held.receiver.held(), 2 * CONCURRENCY);
        assert!(!discarding.is_finished(), "attempts are still under way");
        held.let_go.store(true, Ordering::Relaxed);
        let ran = discarding.join().unwrap();
        let expected = format!("discarded {} deliveries", 2 * queued + CONCURRENCY);
        assert!(ran.out.contains(&expected), "{ran:?}");
    });
    // What was delivered stays so, and what was refused is discarded with the rest.
    assert_eq!(held.removed(), [json!(queued), json!(EVENTS)]);
    assert_eq!(held.broker.endpoint("a")["delivered"], CONCURRENCY);
    assert_eq!(held.receiver.posts().len(), 2 * CONCURRENCY);
}

#[test]
fn a_dry_run_of_a_discard_tells_what_is_queued_while_every_attempt_is_held() {
    let held = Held::new();
    let ran = held.discard(&["--dry-run"]);
    let expected = format!("would discard {} deliveries", 2 * (EVENTS - CONCURRENCY));
    assert!(ran.out.contains(&expected), "{ran:?}");
    assert_eq!(held.receiver.held(), 2 * CONCURRENCY);
    assert_eq!(held.removed(), [json!(0), json!(0)]);
    held.let_go.store(true, Ordering::Relaxed);
}

#[test]
fn a_discard_that_is_killed_while_attempts_are_held_gives_every_delivery_up_once() {
    let Held {
        site,
        broker,
        receiver: _receiver,
        let_go,
    } = Held::new();
    let asked = json!({"kind": "discard", "status": "pending,waiting", "endpoint": "b"});
    let task = broker.post("/v1/tasks", &asked);
    let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    eventually("what is queued is discarded", || {
        (broker.get(&path)["done"] == EVENTS - CONCURRENCY).then_some(())
    });
    assert_eq!(broker.get(&path)["state"], "running");
    assert!(broker.kill());
    // What was under way is queued again, and is discarded before or after it is refused.
    let broker = site.start(&[]);
    let_go.store(true, Ordering::Relaxed);
    let ended = eventually("the task ends", || {
        Some(broker.get(&path)).filter(|task| task["state"] != "running")
    });
    for member in ["matched", "done", "total"] {
        assert_eq!(ended[member], EVENTS, "{ended}");
    }
    assert_eq!(broker.endpoint("b")["removed"], EVENTS);
    let deliveries = broker.list("/v1/deliveries?endpoint=b&limit=1000&status=removed");
    assert_eq!(deliveries.len(), EVENTS);
    for delivery in deliveries {
        let attempts = delivery["attempts"].as_array().unwrap();
        let discards = attempts.iter().filter(|attempt| {
            let error = attempt["error"].as_str().unwrap_or_default();
            error.contains("discarded by")
        });
        assert_eq!(discards.count(), 1, "{delivery}");
    }
}
