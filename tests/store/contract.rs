//! One suite for every implementation of the store.

use redeliver::delivery::Status;
use redeliver::endpoint::{EndpointState, Filter, FilterOn, Order};
use redeliver::store::{
    AppendError, DeliveryQuery, Effect, EndpointCommand, EndpointError, Options, Outcome,
    ReplayRequest, SettleError, Store,
};

use super::both::on_both;
use super::harness::*;

on_both! {
    positions_start_at_1_and_have_no_gaps_over_a_restart
    a_repeated_key_gives_the_first_event_within_the_window_and_over_a_restart
    a_repeat_within_one_group_gives_one_event
    keys_of_different_sources_never_meet
    bodies_of_every_size_come_back_byte_for_byte_after_a_restart
    an_in_order_endpoint_shows_only_its_head
    an_independent_endpoint_is_not_held_back_by_a_failing_event
    a_retry_cannot_be_claimed_before_it_is_due
    the_attempt_number_rises_only_when_an_attempt_is_settled
    what_is_settled_stays_settled_after_a_restart
    a_claim_that_was_settled_or_released_is_fenced
    an_endpoint_receives_only_what_came_after_it
    a_paused_endpoint_queues_and_starts_with_its_head_and_a_fresh_delay_when_resumed
    a_removed_endpoint_stays_removed_and_its_deliveries_end
    a_dead_letter_can_be_put_back_and_goes_on_counting_attempts
    a_list_shows_the_latest_attempts_without_a_gap_however_the_first_one_ended
    a_replay_of_a_time_range_takes_delivered_events_too
    endpoints_take_turns
    a_full_queue_refuses_instead_of_dropping
    names_are_unique_until_the_endpoint_is_removed
    filtered_and_listed_deliveries_tell_their_state
    a_clock_set_back_by_a_year_does_not_stall_a_retry
    a_fragmented_backlog_is_left_in_the_log_and_still_delivered_once
    the_figures_tell_how_many_events_there_are_and_how_old_the_oldest_is
}

fn positions_start_at_1_and_have_no_gaps_over_a_restart<I: Implementation>() {
    let world = World::<I>::new();
    assert_eq!(
        world.append(vec![event("a", "1"), event("a", "2")])[1].seq,
        2
    );
    let world = world.restart(true);
    assert_eq!(world.append(vec![event("a", "3")])[0].seq, 3);
    let world = world.restart(false);
    let read = world.log.read(1, 10).unwrap();
    let bodies: Vec<&[u8]> = read.iter().map(|event| &event.content.body[..]).collect();
    assert_eq!(bodies, [b"1", b"2", b"3"]);
    assert_eq!(read.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(world.log.read(3, 10).unwrap().len(), 1);
    assert!(world.log.event(4).unwrap().is_none());
}

fn a_repeated_key_gives_the_first_event_within_the_window_and_over_a_restart<I: Implementation>() {
    let world = World::<I>::new();
    let first = world.append(vec![keyed("k")])[0];
    assert!(!first.duplicate);
    let world = world.restart(false);
    world.advance(4 * 3600 - 1);
    let repeat = world.append(vec![keyed("k")])[0];
    assert_eq!(
        (repeat.seq, repeat.id, repeat.duplicate),
        (first.seq, first.id, true)
    );
    let world = world.restart(true);
    world.advance(1);
    let later = world.append(vec![keyed("k")])[0];
    assert_eq!((later.seq, later.duplicate), (2, false));
}

fn a_repeat_within_one_group_gives_one_event<I: Implementation>() {
    let world = World::<I>::new();
    let tickets = [(); 50].map(|()| world.log.append(vec![keyed("k")]).unwrap());
    world.log.commit().unwrap();
    let answers = tickets.map(|ticket| ticket.blocking_recv().unwrap().unwrap()[0]);
    assert_eq!(answers.iter().filter(|a| !a.duplicate).count(), 1);
    assert!(answers.iter().all(|a| a.seq == 1 && a.id == answers[0].id));
    assert_eq!(world.log.depth().last_seq, 1);
}

fn keys_of_different_sources_never_meet<I: Implementation>() {
    let world = World::<I>::new();
    let mut other = keyed("k");
    other.source = "shop".into();
    assert!(!world.append(vec![keyed("k")])[0].duplicate);
    assert!(!world.append(vec![other])[0].duplicate);
}

fn bodies_of_every_size_come_back_byte_for_byte_after_a_restart<I: Implementation>() {
    let world = World::<I>::new();
    let sizes = [0, 1, 49_151, 49_152, 49_153, 96 * 1024, 300_000, 1 << 20];
    let body = |len: usize| (0..len).map(|n| (n * 31 % 251) as u8).collect::<Vec<u8>>();
    world.append(sizes.map(|len| event("size", body(len))).to_vec());
    let world = world.restart(false);
    for (len, seq) in sizes.into_iter().zip(1..) {
        let event = world.log.event(seq).unwrap().unwrap();
        assert!(event.content.body == body(len), "{len} bytes");
    }
}

fn an_in_order_endpoint_shows_only_its_head<I: Implementation>() {
    let world = World::<I>::new();
    world.add(settings("crm", Order::InOrder));
    world.append_many(3);
    let head = world.claim();
    assert_eq!(head.len(), 1);
    assert_eq!(world.claimed_seqs(), [0u64; 0]);
    world.settle(&head[0], retry(60));
    world.append_many(1);
    assert_eq!(world.claimed_seqs(), [0u64; 0], "the head blocks");
    world.advance(60);
    for expected in 1..=4 {
        let head = world.claim();
        assert_eq!(head[0].token.seq, expected);
        world.settle(&head[0], Outcome::Delivered);
    }
}

fn an_independent_endpoint_is_not_held_back_by_a_failing_event<I: Implementation>() {
    let world = World::<I>::new();
    world.add(settings("warehouse", Order::Independent));
    world.append_many(6);
    let claims = world.claim();
    assert_eq!(claims.len(), 4, "as many as its concurrency");
    for claim in &claims {
        world.settle(claim, retry(30));
    }
    assert_eq!(world.claimed_seqs(), [5, 6]);
}

fn a_retry_cannot_be_claimed_before_it_is_due<I: Implementation>() {
    let world = World::<I>::new();
    world.add(settings("warehouse", Order::Independent));
    world.append_many(1);
    let claim = world.claim().remove(0);
    world.settle(&claim, retry(30));
    world.advance(29);
    assert_eq!(world.claimed_seqs(), [0u64; 0]);
    let world = world.restart(false);
    assert_eq!(
        world.claimed_seqs(),
        [0u64; 0],
        "a restart makes nothing early"
    );
    world.advance(1);
    assert_eq!(world.claimed_seqs(), [1]);
}

fn the_attempt_number_rises_only_when_an_attempt_is_settled<I: Implementation>() {
    let world = World::<I>::new();
    world.add(settings("warehouse", Order::Independent));
    world.append_many(1);
    let claim = world.claim().remove(0);
    assert_eq!((claim.attempt, claim.failures), (1, 0));
    let world = world.restart(false);
    let claim = world.claim().remove(0);
    assert_eq!(
        (claim.attempt, claim.failures),
        (1, 0),
        "the crash burnt no attempt"
    );
    world.settle(&claim, retry(30));
    world.advance(30);
    let claim = world.claim().remove(0);
    assert_eq!((claim.attempt, claim.failures), (2, 1));
    let world = world.restart(true);
    let claim = world.claim().remove(0);
    assert_eq!((claim.attempt, claim.failures), (2, 1));
    world.log.release(claim.token).unwrap();
    assert_eq!(world.claim()[0].attempt, 2);
}

fn what_is_settled_stays_settled_after_a_restart<I: Implementation>() {
    for clean in [true, false] {
        let world = World::<I>::new();
        let endpoint = world.add(settings("warehouse", Order::Independent));
        world.append_many(3);
        let claims = world.claim();
        world.settle(&claims[0], Outcome::Delivered);
        world.settle(&claims[1], Outcome::Dead);
        world.settle(&claims[2], retry(30));
        let world = world.restart(clean);
        let expected = [Status::Delivered, Status::Dead, Status::Waiting];
        for (seq, status) in (1..).zip(expected) {
            let delivery = world.log.delivery(endpoint, seq).unwrap().unwrap();
            assert_eq!((delivery.status, delivery.attempt_count), (status, 1));
            assert_eq!(
                delivery.attempts[0].response_excerpt.as_deref(),
                Some("said so")
            );
        }
        world.advance(30);
        assert_eq!(world.claimed_seqs(), [3]);
    }
}

fn a_claim_that_was_settled_or_released_is_fenced<I: Implementation>() {
    let world = World::<I>::new();
    world.add(settings("crm", Order::InOrder));
    world.append_many(1);
    let old = world.claim().remove(0);
    world.log.release(old.token).unwrap();
    let new = world.claim().remove(0);
    let now = redeliver::clock::Clock::now(&*world.clock);
    let late = settlement(&old, now, Outcome::Delivered, Effect::None);
    assert_eq!(
        world.log.settle(old.token, late.clone()),
        Err(SettleError::Fenced)
    );
    assert_eq!(world.log.release(old.token), Err(SettleError::Fenced));
    world.settle(&new, Outcome::Delivered);
    assert_eq!(world.log.settle(new.token, late), Err(SettleError::Fenced));
}

fn an_endpoint_receives_only_what_came_after_it<I: Implementation>() {
    let world = World::<I>::new();
    world.append_many(2);
    let endpoint = world.add(settings("late", Order::Independent));
    world.append_many(1);
    assert_eq!(world.claimed_seqs(), [3]);
    let before = world.log.delivery(endpoint, 1).unwrap().unwrap();
    assert_eq!(before.status, Status::Filtered);
    let world = world.restart(false);
    assert_eq!(world.claimed_seqs(), [3]);
}

fn a_paused_endpoint_queues_and_starts_with_its_head_and_a_fresh_delay_when_resumed<
    I: Implementation,
>() {
    let world = World::<I>::new();
    let endpoint = world.add(settings("crm", Order::InOrder));
    world.append_many(2);
    let head = world.claim().remove(0);
    world.settle(&head, retry(3600));
    let state = |state| EndpointCommand::SetState(endpoint, state, None);
    world.command(state(EndpointState::Paused));
    world.advance(7200);
    world.append_many(1);
    assert_eq!(world.claimed_seqs(), [0u64; 0], "ESP-18");
    let world = world.restart(false);
    assert_eq!(world.claimed_seqs(), [0u64; 0], "ESP-19: it stays stored");
    world.command(state(EndpointState::Active));
    let head = world.claim().remove(0);
    // tried at once, its failures forgotten; the attempt's own number goes on.
    assert_eq!((head.token.seq, head.attempt, head.failures), (1, 2, 0));
}

fn a_removed_endpoint_stays_removed_and_its_deliveries_end<I: Implementation>() {
    let world = World::<I>::new();
    let endpoint = world.add(settings("warehouse", Order::Independent));
    let other = world.add(settings("other", Order::Independent));
    world.append_many(3);
    let claims: Vec<_> = world.claim();
    let gone = claims
        .iter()
        .find(|c| c.token.endpoint == endpoint)
        .unwrap();
    world.settle_with(
        gone,
        Outcome::Gone,
        Effect::Remove("answered 410".to_owned()),
    );
    let world = world.restart(false);
    world.append_many(1);
    let targets: Vec<u32> = world.claim().iter().map(|c| c.token.endpoint).collect();
    assert_eq!(
        targets, [other; 4],
        "HOT-28: no later event goes there; others go on"
    );
    let view = &world.log.endpoints().unwrap()[endpoint as usize];
    assert_eq!(view.endpoint.state, EndpointState::Removed);
    assert_eq!(view.endpoint.state_reason.as_deref(), Some("answered 410"));
    assert_eq!(view.ended.removed, 3);
    for seq in 1..=3 {
        let delivery = world.log.delivery(endpoint, seq).unwrap().unwrap();
        assert_eq!(delivery.status, Status::Removed, "{seq}");
    }
    let again = EndpointCommand::SetState(endpoint, EndpointState::Active, None);
    assert!(matches!(
        world.log.endpoint(again),
        Err(EndpointError::Removed(_))
    ));
}

fn a_dead_letter_can_be_put_back_and_goes_on_counting_attempts<I: Implementation>() {
    let world = World::<I>::new();
    let endpoint = world.add(settings("warehouse", Order::Independent));
    world.append_many(2);
    for claim in world.claim() {
        world.settle(&claim, Outcome::Dead);
    }
    let dead = ReplayRequest {
        only_dead: true,
        limit: 1,
        ..replay(endpoint)
    };
    let dry = ReplayRequest {
        dry_run: true,
        ..dead.clone()
    };
    assert_eq!(world.log.replay(dry).unwrap(), 1);
    assert_eq!(world.claimed_seqs(), [0u64; 0]);
    assert_eq!(world.log.replay(dead.clone()).unwrap(), 1);
    let world = world.restart(false);
    let claim = world.claim().remove(0);
    assert_eq!((claim.token.seq, claim.attempt, claim.failures), (1, 2, 0));
    world.settle(&claim, Outcome::Delivered);
    let delivery = world.log.delivery(endpoint, 1).unwrap().unwrap();
    assert_eq!(
        (delivery.status, delivery.attempt_count),
        (Status::Delivered, 2)
    );
    assert_eq!(delivery.attempts.len(), 2);
    assert_eq!(world.log.replay(dead.clone()).unwrap(), 1, "the other one");
    assert_eq!(world.log.replay(dead).unwrap(), 0);
}

fn a_list_shows_the_latest_attempts_without_a_gap_however_the_first_one_ended<I: Implementation>() {
    let world = World::<I>::new();
    let endpoint = world.add(settings("warehouse", Order::Independent));
    world.append_many(1);
    world.settle(&world.claim().remove(0), Outcome::Delivered);
    for _ in 0..25 {
        assert_eq!(world.log.replay(replay(endpoint)).unwrap(), 1);
        world.settle(&world.claim().remove(0), Outcome::Dead);
    }
    let query = DeliveryQuery {
        limit: 10,
        ..DeliveryQuery::default()
    };
    let listed = world.log.deliveries(&query).unwrap().items.remove(0);
    let numbers: Vec<u32> = listed.attempts.iter().map(|a| a.number).collect();
    assert_eq!(numbers, Vec::from_iter(7..=26));
    let shown = world.log.delivery(endpoint, 1).unwrap().unwrap();
    assert_eq!(shown.attempts.len(), 26);
}

fn a_replay_of_a_time_range_takes_delivered_events_too<I: Implementation>() {
    let world = World::<I>::new();
    let endpoint = world.add(settings("warehouse", Order::Independent));
    for _ in 0..3 {
        world.append_many(1);
        world.advance(60);
    }
    for claim in world.claim() {
        world.settle(&claim, Outcome::Delivered);
    }
    let range = ReplayRequest {
        since: Some(START.plus(std::time::Duration::from_secs(60))),
        until: Some(START.plus(std::time::Duration::from_secs(120))),
        ..replay(endpoint)
    };
    assert_eq!(world.log.replay(range).unwrap(), 1);
    let claim = world.claim().remove(0);
    assert_eq!((claim.token.seq, claim.attempt), (2, 2));
}

fn endpoints_take_turns<I: Implementation>() {
    let world = World::<I>::new();
    for name in ["a", "b", "c"] {
        world.add(settings(name, Order::Independent));
    }
    world.append_many(4);
    let turns: Vec<u32> = (0..6)
        .map(|_| world.log.claim(1).unwrap()[0].token.endpoint)
        .collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
}

fn a_full_queue_refuses_instead_of_dropping<I: Implementation>() {
    let world = World::<I>::with(Options {
        queue_max_events: 3,
        ..Options::default()
    });
    let tickets: Vec<_> = (0..3)
        .map(|_| world.log.append(vec![event("a", "")]).unwrap())
        .collect();
    assert_eq!(
        world.log.append(vec![event("a", "")]).unwrap_err(),
        AppendError::Full
    );
    world.log.commit().unwrap();
    for ticket in tickets {
        assert!(ticket.blocking_recv().unwrap().is_ok());
    }
    assert!(world.log.append(vec![event("a", "")]).is_ok());
}

fn names_are_unique_until_the_endpoint_is_removed<I: Implementation>() {
    let world = World::<I>::new();
    let first = world.add(settings("crm", Order::InOrder));
    let add = || {
        EndpointCommand::Add(
            Box::new(settings("crm", Order::InOrder)),
            EndpointState::Active,
        )
    };
    assert_eq!(
        world.log.endpoint(add()).unwrap_err(),
        EndpointError::NameTaken("crm".to_owned())
    );
    world.command(EndpointCommand::SetState(
        first,
        EndpointState::Removed,
        None,
    ));
    let second = world.command(add());
    assert_ne!(first, second);
    let world = world.restart(false);
    assert_eq!(world.log.find_endpoint("crm").unwrap().number, second);
    assert_eq!(world.log.find_endpoint("nobody"), None);
}

fn filtered_and_listed_deliveries_tell_their_state<I: Implementation>() {
    let world = World::<I>::new();
    let mut orders = settings("orders", Order::Independent);
    orders.filter = Filter {
        on: FilterOn::Kind,
        patterns: vec!["order.*".to_owned()],
    };
    let orders = world.add(orders);
    let all = world.add(settings("all", Order::Independent));
    for kind in ["order.paid", "visit", "order.late"] {
        world.append(vec![event(kind, "{}")]);
    }
    for claim in world.claim() {
        let outcome = match claim.token.seq {
            1 => Outcome::Delivered,
            2 => Outcome::Dead,
            _ => retry(30),
        };
        world.settle(&claim, outcome);
    }
    let list = |endpoint: Option<u32>, statuses: &[Status], limit| {
        let mut after = None;
        let mut found = Vec::new();
        loop {
            let query = DeliveryQuery {
                endpoint,
                statuses: statuses.to_vec(),
                after,
                limit,
                ..DeliveryQuery::default()
            };
            let page = world.log.deliveries(&query).unwrap();
            found.extend(
                page.items
                    .iter()
                    .map(|d| (d.event.seq, d.endpoint.number, d.status)),
            );
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    };
    for limit in [1, 2, 100] {
        assert_eq!(
            list(None, &[], limit),
            [
                (3, orders, Status::Waiting),
                (3, all, Status::Waiting),
                (2, all, Status::Dead),
                (1, orders, Status::Delivered),
                (1, all, Status::Delivered),
            ],
            "newest first, {limit} at a time"
        );
        assert_eq!(
            list(Some(orders), &[Status::Filtered], limit),
            [(2, orders, Status::Filtered)]
        );
        assert_eq!(list(None, &[Status::Dead], limit), [(2, all, Status::Dead)]);
        assert_eq!(
            list(Some(all), &[Status::Dead, Status::Waiting], limit).len(),
            2
        );
    }
}

fn a_clock_set_back_by_a_year_does_not_stall_a_retry<I: Implementation>() {
    let world = World::<I>::new();
    world.add(settings("crm", Order::InOrder));
    world.append_many(1);
    let claim = world.claim().remove(0);
    world.settle(&claim, retry(60));
    // The next start finds a clock that is a year behind.
    let year = std::time::Duration::from_secs(365 * 86_400);
    let year = i64::try_from(year.as_millis()).unwrap();
    let behind = redeliver::clock::Timestamp::from_millis(START.as_millis() - year);
    let clock = std::sync::Arc::new(redeliver::clock::ManualClock::new(behind));
    let world = world.restart_under(clock);
    assert_eq!(world.claimed_seqs(), [0u64; 0]);
    world.advance(60);
    assert_eq!(
        world.claimed_seqs(),
        [1],
        "never waited for longer than its own delay"
    );
}

fn a_fragmented_backlog_is_left_in_the_log_and_still_delivered_once<I: Implementation>() {
    let world = World::<I>::new();
    let mut odd = settings("odd", Order::Independent);
    odd.filter = Filter {
        on: FilterOn::Kind,
        patterns: vec!["odd".to_owned()],
    };
    odd.concurrency = 1000;
    world.add(odd);
    // Every second event matches, so each is a run of its own: more runs than a queue keeps.
    let total = 140_000u64;
    for from in (1..=total).step_by(1000) {
        let kinds = (from..from + 1000).map(|n| if n % 2 == 1 { "odd" } else { "even" });
        world.append(kinds.map(|kind| event(kind, "")).collect());
    }
    let mut delivered = Vec::new();
    let mut world = world;
    loop {
        let claims = world.log.claim(1000).unwrap();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            delivered.push(claim.token.seq);
            let now = redeliver::clock::Clock::now(&*world.clock);
            let settlement = settlement(&claim, now, Outcome::Delivered, Effect::None);
            world.log.settle(claim.token, settlement).unwrap();
        }
        world.log.commit().unwrap();
        if delivered.len() == 50_000 {
            world = world.restart(false);
        }
    }
    let expected: Vec<u64> = (1..=total).step_by(2).collect();
    delivered.sort_unstable();
    assert!(
        delivered == expected,
        "{} of {}",
        delivered.len(),
        expected.len()
    );
}

fn the_figures_tell_how_many_events_there_are_and_how_old_the_oldest_is<I: Implementation>() {
    let world = World::<I>::new();
    let none = world.log.figures();
    assert_eq!(
        (none.events, none.first_seq, none.oldest_at),
        (0, None, None)
    );
    world.append(vec![event("a", "1")]);
    world.advance(60);
    world.append(vec![event("a", vec![7; 20_000])]);
    let two = world.log.figures();
    assert_eq!((two.events, two.first_seq, two.last_seq), (2, Some(1), 2));
    assert_eq!(two.oldest_at, Some(START));
    assert!(two.used_bytes > 20_000, "{two:?}");
}
