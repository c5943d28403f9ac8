//! Lists of deliveries, page by page, over a backlog that is longer than a page looks at.

use redeliver::delivery::Status;
use redeliver::endpoint::Order;
use redeliver::store::{DeliveryQuery, Outcome, Store};

use crate::harness::{InMemory, World, event, retry, settings};

/// Every event of a list, oldest last, by pages of `limit`.
fn listed(world: &World<InMemory>, status: Status, limit: usize) -> Vec<u64> {
    let (mut seqs, mut after) = (Vec::new(), None);
    loop {
        let query = DeliveryQuery {
            endpoint: Some(0),
            statuses: vec![status],
            after,
            limit,
            ..DeliveryQuery::default()
        };
        let page = world.log.deliveries(&query).unwrap();
        seqs.extend(page.items.iter().map(|view| view.event.seq));
        after = page.next;
        if after.is_none() {
            return seqs;
        }
    }
}

#[test]
fn a_list_reaches_the_oldest_delivery_of_a_backlog_of_many_pages() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::InOrder));
    world.append((0..10_000).map(|_| event("test", "")).collect());
    world.settle(&world.claim()[0], retry(60));
    assert_eq!(listed(&world, Status::Waiting, 10), [1]);
    let pending: Vec<u64> = (2..=10_000).rev().collect();
    assert_eq!(listed(&world, Status::Pending, 500), pending);
}

#[test]
fn a_list_of_dead_letters_has_as_many_pages_as_it_takes() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::Independent));
    world.append((0..50).map(|_| event("test", "")).collect());
    loop {
        let claims = world.claim();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            world.settle(&claim, Outcome::Dead);
        }
    }
    let dead: Vec<u64> = (1..=50).rev().collect();
    for limit in [1, 7, 10, 49, 50, 51] {
        assert_eq!(listed(&world, Status::Dead, limit), dead, "{limit}");
    }
}
