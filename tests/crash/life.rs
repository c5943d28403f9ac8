//! One store from its making to the last check, through all that is done to its processes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use crate::cast::{self, CONFIGURED};
use crate::ledger::{self, Logged, count, text};
use crate::link::Target;
use crate::operator::Operator;
use crate::process::broker::{Broker, Site};
use crate::process::receiver::{Receiver, Seen};
use crate::process::{eventually, now};
use crate::registry::{Known, Registry, Restart};
use crate::senders::{Acknowledged, Habit, Senders};
use crate::witness::{Case, End, Repeats, Witness};

/// A store, those who use it, and what became of it so far.
pub struct Life {
    pub site: Site,
    pub receiver: Arc<Receiver>,
    pub senders: Senders,
    target: Target,
    operator: Operator,
    ends: Vec<End>,
    /// Acknowledged events that were looked at after the end of a process.
    checked: usize,
}

/// What lives came to.
#[derive(Debug, Default)]
pub struct Sum {
    stores: usize,
    events: usize,
    changes: usize,
    requests: usize,
    pub repeats: Repeats,
    delivered: usize,
    dead: usize,
    removed: usize,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} stores, {} acknowledged events and {} changes, none lost; {} deliveries delivered, \
             {} dead, {} removed with their endpoints; {} requests, {} of them repeats, of attempts \
             answered at most {:?} before the end",
            self.stores,
            self.events,
            self.changes,
            self.delivered,
            self.dead,
            self.removed,
            self.requests,
            self.repeats.count,
            self.repeats.longest,
        )
    }
}

impl Sum {
    pub fn join(&mut self, other: &Self) {
        self.stores += other.stores;
        self.events += other.events;
        self.changes += other.changes;
        self.requests += other.requests;
        self.repeats.join(other.repeats);
        self.delivered += other.delivered;
        self.dead += other.dead;
        self.removed += other.removed;
    }
}

impl Life {
    pub fn new(seed: u64, site: Site, habit: Habit) -> Self {
        let receiver = Arc::new(cast::receiver());
        site.configure(&cast::configuration(&receiver, seed));
        let target = Target::default();
        Self {
            site,
            senders: Senders::start(seed, habit, &target),
            operator: Operator::start(seed, &receiver, &target),
            target,
            receiver,
            ends: Vec::new(),
            checked: 0,
        }
    }

    /// Looks at what this process found: what was acknowledged since the last look; with `whole`,
    /// at everything.
    pub fn check(&mut self, broker: &Broker, whole: bool) {
        self.senders.check_alive();
        self.operator.check_alive();
        let new = self.senders.acknowledged_from(self.checked);
        self.checked += new.len();
        ledger::check_events(broker, &new);
        if whole {
            let log = ledger::check_log(broker, &self.senders.acknowledged_from(0));
            for name in CONFIGURED {
                let (deliveries, sums) = ledger::check_deliveries(broker, name, log.len());
                assert_eq!(deliveries.len(), log.len(), "{sums}");
            }
        }
    }

    /// Lets everybody at it, and waits until that shows.
    pub fn open(&self, broker: &Broker) {
        let before = self.senders.count();
        self.target.point_at(Some(broker.address));
        eventually("an event is taken", || {
            self.senders.check_alive();
            (self.senders.count() > before).then_some(())
        });
    }

    /// What the present process has logged so far must not be that the mark of how far the log
    /// reaches is gone: every answer came after one was on disk.
    pub fn check_mark(&self, logged: &str) {
        let gone = logged.contains("high-water mark is missing");
        assert!(!gone || self.senders.count() == 0, "{logged}");
    }

    /// The process has ended at `at`, against its will.
    pub fn ended(&mut self, at: Timestamp) {
        self.target.point_at(None);
        self.receiver.settle();
        let over = now();
        self.ends.push(End { at, over });
    }

    /// The process has ended in good order.
    pub fn stopped(&self) {
        self.target.point_at(None);
        self.receiver.settle();
    }

    /// Nothing more comes in; waits until all is delivered or given up, and checks everything.
    pub fn finish(mut self, broker: Broker) -> Sum {
        self.senders.stop();
        let mut registry = self.operator.stop();
        registry.is_shown(&broker.list("/v1/endpoints?state=all&limit=1000"));
        drain(&broker, &mut registry);
        let seen = self.receiver.posts();
        let log = ledger::check_log(&broker, &self.senders.acknowledged_from(0));
        let mut sum = Sum {
            stores: 1,
            events: self.senders.count(),
            changes: registry.obeyed,
            requests: seen.len(),
            ..Sum::default()
        };
        let mut by_endpoint: HashMap<&str, Vec<&Seen>> = HashMap::new();
        for post in &seen {
            let name = cast::endpoint_of(post);
            by_endpoint.entry(name).or_default().push(post);
        }
        let configured = CONFIGURED.map(|name| (name, name, name));
        let made = registry.endpoints.iter().filter_map(|known| {
            let id = known.id.as_deref()?;
            Some((&*known.name, known.policy, id))
        });
        for (name, policy, id) in configured.into_iter().chain(made) {
            let endpoint = broker.get(&format!("/v1/endpoints/{id}"));
            let removed = endpoint["state"] == "removed";
            let deliveries = self.deliveries(&broker, &endpoint, &log);
            ledger::check_counts(&endpoint, &deliveries);
            let case = Case {
                name,
                policy,
                removed,
                deliveries: &deliveries,
                seen: &by_endpoint.remove(name).unwrap_or_default(),
            };
            self.check_span(&case, &registry, &log);
            let witness = Witness {
                log: &log,
                registry: &registry,
                ends: &self.ends,
            };
            sum.repeats.join(witness.check(&case));
            let ended = |status| deliveries.iter().filter(|d| d["status"] == status).count();
            sum.delivered += ended("delivered");
            sum.dead += ended("dead");
            sum.removed += ended("removed");
        }
        assert!(by_endpoint.is_empty(), "sent to nobody's: {by_endpoint:?}");
        for retried in &registry.retried {
            let delivery = broker.get(&format!("/v1/deliveries/{}", retried.delivery));
            let attempts = count(&delivery["attempt_count"]);
            assert!(attempts > retried.attempts, "{retried:?}: {delivery}");
        }
        broker.stop();
        self.verify();
        sum
    }

    /// Every record of the store is whole, which no process has open.
    pub fn verify(&self) {
        let verified = self.site.verify();
        assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    }

    /// Every delivery of an endpoint with every attempt, oldest first.
    fn deliveries(&self, broker: &Broker, endpoint: &Value, log: &[Logged]) -> Vec<Value> {
        let id = text(&endpoint["id"]);
        let mut deliveries = if endpoint["state"] == "removed" {
            broker.list(&format!("/v1/deliveries?endpoint={id}&limit=1000"))
        } else {
            ledger::check_deliveries(broker, text(&endpoint["name"]), log.len()).0
        };
        deliveries.reverse();
        for delivery in &mut deliveries {
            // A list shows fewer attempts.
            let shown = delivery["attempts"].as_array().map(Vec::len);
            if shown != delivery["attempt_count"].as_u64().map(|n| n as usize) {
                let id = text(&delivery["id"]);
                *delivery = broker.get(&format!("/v1/deliveries/{id}"));
            }
        }
        deliveries
    }

    /// An endpoint has a delivery of every event that was sent while it surely was there.
    fn check_span(&self, case: &Case<'_>, registry: &Registry, log: &[Logged]) {
        let seqs = case
            .deliveries
            .iter()
            .map(|delivery| count(&delivery["seq"]));
        let (first, last) = (seqs.clone().min(), seqs.clone().max());
        let known = registry
            .endpoints
            .iter()
            .find(|known| known.name == case.name);
        let Some(known) = known else {
            assert_eq!((first, last), (Some(1), Some(log.len() as u64)));
            return;
        };
        if let (Some(first), Some(last)) = (first, last) {
            assert!(seqs.eq(first..=last), "{} has a gap", case.name);
        }
        let gone = case
            .seen
            .iter()
            .filter(|seen| known.policy == "mortal" && matches!(seen.answered, Some((410, _))));
        let gone = gone.map(|seen| seen.arrived).chain(known.whole_until).min();
        let is_its_own = |event: &&Acknowledged| {
            known.made_by.is_some_and(|made_by| event.sent_at > made_by)
                && gone.is_none_or(|gone| event.told_at < gone)
        };
        for event in self.senders.acknowledged_from(0).iter().filter(is_its_own) {
            assert!(
                first.is_some_and(|first| first <= event.seq)
                    && last.is_some_and(|last| event.seq <= last),
                "{known:?} misses {event:?}"
            );
        }
    }
}

/// Waits until no endpoint has a backlog; those that are paused are resumed.
fn drain(broker: &Broker, registry: &mut Registry) {
    let made = registry.endpoints.iter().filter(|known| known.is_present());
    let made: Vec<Known> = made.cloned().collect();
    let names = CONFIGURED
        .into_iter()
        .chain(made.iter().map(|known| &*known.name));
    for name in names {
        eventually(&format!("the backlog of {name} is empty"), || {
            let path = format!("/v1/endpoints/{name}");
            let answer = broker.send("GET", &path, &[], b"");
            // It was removed by an answer meanwhile.
            if answer.status == 404 {
                return Some(());
            }
            let endpoint = answer.json();
            if endpoint["state"] == "paused" {
                let from = now();
                broker.post(&format!("{path}/resume"), &json!({}));
                registry.restarts.push(Restart {
                    endpoint: name.to_owned(),
                    from,
                    until: now(),
                    lost: false,
                });
            }
            std::thread::sleep(Duration::from_millis(20));
            (endpoint["backlog"] == 0).then_some(())
        });
    }
}
