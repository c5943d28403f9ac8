//! What an operator does about deliveries that are stuck, over every implementation of the store.

use std::sync::{Arc, Mutex};

use redeliver::delivery::{GivenUp, Status};
use redeliver::endpoint::{EndpointSettings, Order};
use redeliver::store::{GaveUp, Observer, Outcome, Store, Written};

use super::both::on_both;
use super::harness::*;

on_both! {
    all_that_waits_is_due_at_once_oldest_first_and_stays_so_over_a_crash
    what_is_given_up_is_a_dead_letter_and_what_is_behind_it_goes_on
    what_is_under_way_or_has_ended_is_not_given_up
}

/// More than one step of a retry takes.
const MANY: u64 = 2_500;

fn all_that_waits_is_due_at_once_oldest_first_and_stays_so_over_a_crash<I: Implementation>() {
    let world = World::<I>::new();
    let concurrent = EndpointSettings {
        concurrency: 100,
        ..settings("e", Order::Independent)
    };
    let number = world.add(concurrent);
    let events = (0..MANY).map(|n| event("test", format!("{n}")));
    world.append(events.collect());
    loop {
        let claims = world.claim();
        if claims.is_empty() {
            break;
        }
        for claim in &claims {
            let settlement = settlement(claim, START, retry(3600), redeliver::store::Effect::None);
            world.log.settle(claim.token, settlement).unwrap();
        }
    }
    world.log.save().unwrap();
    assert_eq!(world.log.retry_waiting(number).unwrap(), MANY);
    assert_eq!(world.log.retry_waiting(number).unwrap(), 0);
    let world = world.restart(false);
    let first = world.claim();
    let seqs: Vec<u64> = first.iter().map(|claim| claim.token.seq).collect();
    assert_eq!(seqs, Vec::from_iter(1..=100));
    assert!(
        first
            .iter()
            .all(|claim| claim.attempt == 2 && claim.failures == 0)
    );
    let queue = &world.log.queues()[0];
    assert_eq!((queue.waiting, queue.in_flight), (0, 100));
    assert_eq!(queue.pending, MANY - 100);
    assert_eq!(
        world.log.retry_waiting(number + 1).unwrap(),
        0,
        "there is none"
    );
}

fn what_is_given_up_is_a_dead_letter_and_what_is_behind_it_goes_on<I: Implementation>() {
    let world = World::<I>::new();
    let number = world.add(settings("e", Order::InOrder));
    world.append_many(3);
    world.settle(&world.claim()[0], retry(3600));
    assert!(world.claim().is_empty(), "the head blocks");
    let behind = world.log.delivery(number, 2).unwrap().unwrap();
    let head = world.log.delivery(number, 1).unwrap().unwrap();
    assert_eq!((behind.behind, head.behind), (Some(head.id), None));
    let told = Arc::new(Told::default());
    world.log.observe_by(told.clone());
    assert!(world.log.give_up(number, 1, Some("no price")).unwrap());
    let words = "not attempted: an operator gave it up: no price";
    let heard = told.0.lock().unwrap().clone();
    assert_eq!(
        heard,
        [(1, GivenUp::ByOperator, words.to_owned(), Some((1, 1)))]
    );
    let world = world.restart(false);
    let dead = world.log.delivery(number, 1).unwrap().unwrap();
    assert_eq!((dead.status, dead.attempts_made()), (Status::Dead, 1));
    let record = dead.given_up().unwrap();
    assert_eq!((record.number, record.error.as_deref()), (2, Some(words)));
    assert_eq!(world.log.queues()[0].ended.dead, 1);
    assert_eq!(world.claimed_seqs(), [2]);
    // Put back, its number goes on: none is ever used twice.
    world.log.replay(replay(number)).unwrap();
    let back = world.log.delivery(number, 1).unwrap().unwrap();
    assert_eq!((back.status, back.given_up()), (Status::Pending, None));
    assert_eq!((back.attempt_count, back.attempts_made()), (2, 1));
}

fn what_is_under_way_or_has_ended_is_not_given_up<I: Implementation>() {
    let world = World::<I>::new();
    let number = world.add(settings("e", Order::Independent));
    world.append_many(1);
    let claim = world.claim().pop().unwrap();
    assert!(!world.log.give_up(number, 1, None).unwrap());
    world.settle(&claim, Outcome::Delivered);
    for seq in [1, 2] {
        assert!(!world.log.give_up(number, seq, None).unwrap());
    }
    assert!(!world.log.give_up(number + 1, 1, None).unwrap());
    assert_eq!(
        world.log.delivery(number, 1).unwrap().unwrap().status,
        Status::Delivered
    );
}

/// How many, why, in words, and the position and attempts of the last.
type Heard = (u64, GivenUp, String, Option<(u64, u32)>);

#[derive(Default)]
struct Told(Mutex<Vec<Heard>>);

impl Observer for Told {
    fn written(&self, _: Written<'_>) {}

    fn gave_up(&self, it: GaveUp<'_>) {
        let last = it.last.map(|(event, attempts)| (event.seq, attempts));
        let heard = (it.count, it.why, it.words.to_owned(), last);
        self.0.lock().unwrap().push(heard);
    }
}
