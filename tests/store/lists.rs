//! Lists of deliveries, page by page, over a backlog that is longer than a page looks at.

use redeliver::delivery::Status;
use redeliver::endpoint::{Filter, FilterOn, Order};
use redeliver::store::{DeliveryQuery, Effect, Outcome, Store};

use crate::harness::{InMemory, START, World, event, retry, settings, settlement};

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

#[test]
fn a_list_of_one_type_or_of_a_stretch_of_the_log_is_whole_at_any_page_length() {
    let world = World::<InMemory>::new();
    world.add(settings("crm", Order::Independent));
    let kind = |n: u64| {
        if n.is_multiple_of(40) {
            "rare"
        } else {
            "common"
        }
    };
    world.append((1..=3_000).map(|n| event(kind(n), "")).collect());
    loop {
        let claims = world.claim();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            world
                .log
                .settle(
                    claim.token,
                    settlement(&claim, START, Outcome::Dead, Effect::None),
                )
                .unwrap();
        }
    }
    let filter = |pattern: &str| Filter {
        on: FilterOn::Kind,
        patterns: vec![pattern.to_owned()],
    };
    let listed = |query: &DeliveryQuery| {
        let (mut seqs, mut query) = (Vec::new(), query.clone());
        loop {
            let page = world.log.deliveries(&query).unwrap();
            seqs.extend(page.items.iter().map(|view| view.event.seq));
            query.after = page.next;
            if query.after.is_none() {
                return seqs;
            }
        }
    };
    let rare: Vec<u64> = (1..=75).rev().map(|n| n * 40).collect();
    for (limit, statuses) in [
        (1, vec![]),
        (1, vec![Status::Dead]),
        (50, vec![Status::Dead]),
    ] {
        let query = DeliveryQuery {
            events: Some(filter("rare")),
            statuses: statuses.clone(),
            limit,
            ..DeliveryQuery::default()
        };
        assert_eq!(listed(&query), rare, "{limit} {statuses:?}");
        let query = DeliveryQuery {
            seqs: Some(100..=200),
            ..query
        };
        assert_eq!(listed(&query), [200, 160, 120], "{limit} {statuses:?}");
        let query = DeliveryQuery {
            events: None,
            seqs: Some(7..=7),
            ..query
        };
        assert_eq!(listed(&query), [7]);
    }
}
