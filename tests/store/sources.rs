//! Sources that are kept for longer or shorter than others, in the same frames.

use std::collections::BTreeMap;
use std::time::Duration;

use redeliver::delivery::Status;
use redeliver::endpoint::{EndpointState, Order};
use redeliver::event::NewEvent;
use redeliver::store::backend::Backend;
use redeliver::store::{
    DeliveryQuery, EndpointCommand, Options, Outcome, Retention, SourceRetention, Store, verify,
};

use super::both::on_both;
use super::harness::*;
use super::retention::{HOUR_S, hours, keeping, kept};

on_both! {
    each_source_is_kept_for_its_own_time_although_they_share_their_frames
    an_event_of_a_short_source_that_a_delivery_waits_for_goes_when_that_has_ended
    a_source_of_too_many_bytes_loses_its_oldest_and_the_others_nothing
    what_waited_beyond_the_bytes_of_its_source_goes_only_as_far_as_these_are_exceeded
    a_dead_letter_has_the_time_of_its_source
    other_rules_at_the_next_start_hold_for_what_is_there
    lists_and_walks_pass_over_a_thousand_islands
}

pub fn of(source: &str, body: impl Into<Vec<u8>>) -> NewEvent {
    NewEvent {
        source: source.into(),
        ..event("a", body)
    }
}

fn aged(max_age: Option<Duration>) -> SourceRetention {
    SourceRetention {
        max_age,
        ..SourceRetention::default()
    }
}

pub fn rules(general: Option<Duration>, sources: &[(&str, SourceRetention)]) -> Options {
    let sources = sources
        .iter()
        .map(|(name, rule)| ((*name).to_owned(), *rule));
    keeping(Retention {
        max_age: general,
        sources: sources.collect::<BTreeMap<_, _>>(),
        ..Retention::default()
    })
}

/// `short` for an hour, `long` for ever, others for a day.
pub fn short_and_long() -> Options {
    rules(
        hours(24),
        &[("long", aged(None)), ("short", aged(hours(1)))],
    )
}

/// Every event has its source in its body.
fn sources<I: Implementation>(world: &World<I>) -> Vec<(u64, String)> {
    let read = world.log.read(1, 10_000).unwrap();
    let of = |event: &redeliver::event::Event| {
        let content = &event.content;
        assert!(content.body.starts_with(content.source.as_bytes()));
        (event.seq, content.source.to_string())
    };
    read.iter().map(|event| of(event)).collect()
}

fn three(n: usize) -> Vec<NewEvent> {
    let names = ["short", "long", "other"].iter().cycle().take(n);
    names.map(|name| of(name, name.repeat(40))).collect()
}

fn each_source_is_kept_for_its_own_time_although_they_share_their_frames<I: Implementation>() {
    let mut world = World::<I>::with(short_and_long());
    world.append(three(30));
    world.append(vec![
        of("short", "short".repeat(4_000)),
        of("long", "long ".repeat(4_000)),
    ]);
    world.advance(2 * HOUR_S);
    world.append(three(3));
    let done = world.log.maintain().unwrap();
    assert_eq!(done.expired_events, 11);
    assert!(done.thinned_frames > 0, "{done:?}");
    for clean in [false, true] {
        let there = sources(&world);
        assert_eq!(there.len(), 24);
        let short: Vec<u64> = there
            .iter()
            .filter(|(_, name)| name == "short")
            .map(|(seq, _)| *seq)
            .collect();
        assert_eq!(short, [33]);
        for seq in [1, 4, 31] {
            assert!(world.log.event(seq).unwrap().is_none());
            assert!(world.log.expired_at(seq).is_some());
        }
        assert_eq!(world.log.expired_at(2), None);
        let event = world.log.event(32).unwrap().unwrap();
        assert_eq!(event.content.body.len(), 20_000);
        assert_eq!(world.log.figures().events, 24);
        assert_eq!(world.log.maintain().unwrap().expired_events, 0);
        world = world.restart(clean);
    }
    world.advance(24 * HOUR_S + 1);
    assert_eq!(world.log.maintain().unwrap().expired_events, 10 + 2);
    let there = sources(&world);
    assert!(there.iter().all(|(_, name)| name == "long"), "{there:?}");
    assert_eq!(there.len(), 12);
}

fn an_event_of_a_short_source_that_a_delivery_waits_for_goes_when_that_has_ended<
    I: Implementation,
>() {
    let world = World::<I>::with(short_and_long());
    let crm = world.add(settings("crm", Order::InOrder));
    world.append(three(6));
    world.command(EndpointCommand::SetState(crm, EndpointState::Paused, None));
    world.advance(2 * HOUR_S);
    assert_eq!(world.log.maintain().unwrap().expired_events, 0);
    let world = world.restart(false);
    world.command(EndpointCommand::SetState(crm, EndpointState::Active, None));
    for seq in 1..=3 {
        let claim = world.claim().remove(0);
        assert_eq!(claim.token.seq, seq);
        world.settle(&claim, Outcome::Delivered);
    }
    assert_eq!(world.log.maintain().unwrap().expired_events, 1);
    assert_eq!(kept(&world), [2, 3, 4, 5, 6]);
    let world = world.restart(false);
    for _ in 0..3 {
        world.settle(&world.claim().remove(0), Outcome::Delivered);
    }
    assert_eq!(world.log.maintain().unwrap().expired_events, 1);
    assert_eq!(kept(&world), [2, 3, 5, 6]);
}

fn bounded(max_bytes: u64) -> SourceRetention {
    SourceRetention {
        max_bytes: Some(max_bytes),
        ..SourceRetention::default()
    }
}

fn a_source_of_too_many_bytes_loses_its_oldest_and_the_others_nothing<I: Implementation>() {
    let mut world = World::<I>::with(rules(None, &[("short", bounded(100_000))]));
    for round in 0..20 {
        for _ in 0..10 {
            let large = if round % 2 == 0 { 200 } else { 3_000 };
            world.append(vec![
                of("short", "short".repeat(large)),
                of("long", "long ".repeat(200)),
            ]);
        }
        world.log.maintain().unwrap();
        let there = world.log.figures().sources;
        let short = there.iter().find(|it| it.name == "short").unwrap();
        assert!(
            (80_000..=100_000).contains(&short.bytes) || round < 4,
            "{round}: {there:?}"
        );
        if round % 5 == 4 {
            world = world.restart(round % 2 == 0);
        }
    }
    let there = sources(&world);
    let seqs = |wanted| -> Vec<u64> {
        let wanted = there.iter().filter(|(_, name)| name == wanted);
        wanted.map(|(seq, _)| *seq).collect()
    };
    assert_eq!(seqs("long"), (1..=200).map(|n| 2 * n).collect::<Vec<u64>>());
    let short = seqs("short");
    let first = short[0];
    assert_eq!(
        short,
        (first..400).step_by(2).collect::<Vec<u64>>(),
        "the newest are left"
    );
}

fn what_waited_beyond_the_bytes_of_its_source_goes_only_as_far_as_these_are_exceeded<
    I: Implementation,
>() {
    let world = World::<I>::with(rules(None, &[("short", bounded(50_000))]));
    world.add(settings("crm", Order::InOrder));
    for _ in 0..100 {
        world.append(vec![of("short", "short".repeat(200))]);
    }
    assert_eq!(
        world.log.maintain().unwrap().expired_events,
        0,
        "all of it is waited for"
    );
    let world = world.restart(false);
    world.settle_all(|_| Outcome::Delivered);
    let done = world.log.maintain().unwrap();
    let left = 100 - done.expired_events;
    assert!(
        (40..=50).contains(&left),
        "{left} are left of 100, each of a kilobyte"
    );
    assert_eq!(kept(&world), (101 - left..=100).collect::<Vec<u64>>());
}

fn a_dead_letter_has_the_time_of_its_source<I: Implementation>() {
    let short = SourceRetention {
        max_age: hours(1),
        dead_letters_max_age: hours(5),
        ..SourceRetention::default()
    };
    let world = World::<I>::with(rules(hours(2), &[("short", short)]));
    let crm = world.add(settings("crm", Order::Independent));
    world.append(three(6));
    world.settle_all(|_| Outcome::Dead);
    world.advance(3 * HOUR_S);
    world.append(three(3));
    assert_eq!(world.log.maintain().unwrap().expired_events, 0);
    let world = world.restart(false);
    world.advance(3 * HOUR_S);
    assert_eq!(world.log.maintain().unwrap().expired_events, 2);
    assert_eq!(kept(&world), [2, 3, 5, 6, 7, 8, 9]);
    assert_eq!(dead_letters(&world.log, crm), [6, 5, 3, 2]);
}

pub fn dead_letters(log: &dyn Store, endpoint: u32) -> Vec<u64> {
    let listed = log.deliveries(&DeliveryQuery {
        endpoint: Some(endpoint),
        statuses: vec![Status::Dead],
        limit: 100,
        ..Default::default()
    });
    let listed = listed.unwrap().items;
    listed.iter().map(|view| view.event.seq).collect()
}

fn other_rules_at_the_next_start_hold_for_what_is_there<I: Implementation>() {
    let world = World::<I>::with(short_and_long());
    world.append(three(9));
    world.advance(2 * HOUR_S);
    assert_eq!(world.log.maintain().unwrap().expired_events, 3);
    // Nothing of `long` has been looked at by a rule that lets it go.
    let world = world.restart_with(rules(hours(24), &[("long", aged(hours(1)))]), false);
    assert_eq!(world.log.maintain().unwrap().expired_events, 3);
    assert_eq!(kept(&world), [3, 6, 9]);
    let world = world.restart_with(
        keeping(Retention {
            max_age: hours(1),
            ..Retention::default()
        }),
        false,
    );
    world.append(three(3));
    assert_eq!(world.log.maintain().unwrap().expired_events, 3);
    assert_eq!(kept(&world), [10, 11, 12]);
}

fn lists_and_walks_pass_over_a_thousand_islands<I: Implementation>() {
    let world = World::<I>::with(short_and_long());
    let crm = world.add(settings("crm", Order::Independent));
    for _ in 0..4 {
        world.append(
            (0..500)
                .flat_map(|_| [of("short", "short"), of("long", "long")])
                .collect(),
        );
    }
    world.settle_all(|_| Outcome::Delivered);
    world.advance(2 * HOUR_S);
    assert_eq!(world.log.maintain().unwrap().expired_events, 2_000);
    let expected: Vec<u64> = (1..=2_000).map(|n| 2 * n).collect();
    assert_eq!(kept_all(&world), expected);
    let back = world.log.read_back(u64::MAX, 10_000).unwrap();
    assert!(
        back.iter()
            .map(|event| event.seq)
            .eq(expected.iter().rev().copied())
    );
    let mut query = DeliveryQuery {
        endpoint: Some(crm),
        limit: 150,
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = world.log.deliveries(&query).unwrap();
        listed.extend(page.items.iter().map(|view| view.event.seq));
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert!(listed.iter().eq(expected.iter().rev()));
}

fn kept_all<I: Implementation>(world: &World<I>) -> Vec<u64> {
    let read = world.log.read(1, usize::MAX).unwrap();
    read.iter().map(|event| event.seq).collect()
}

#[test]
fn a_database_that_is_put_together_anew_has_what_is_left_of_each_frame_and_every_dead_letter() {
    let options = || {
        let mut options = short_and_long();
        options.retention.attempts_max_age = hours(1);
        options
    };
    let world = World::<OnDisk>::with(options());
    let crm = world.add(settings("crm", Order::Independent));
    for _ in 0..30 {
        world.append(three(9));
        world.settle_all(|seq| match seq % 7 {
            0 => Outcome::Dead,
            _ => Outcome::Delivered,
        });
        world.advance(360);
    }
    world.log.backend().checkpoint().unwrap();
    world.log.maintain().unwrap();
    let before = sources(&world);
    let dead = dead_letters(&world.log, crm);
    assert!(dead.len() > 20 && dead.contains(&7), "{dead:?}");
    let attempts = |log: &dyn Store| log.delivery(crm, 7).unwrap().unwrap().attempts.len();
    assert_eq!(attempts(&world.log), 0, "what told of it has expired");
    // One that is put back is none any more.
    world
        .log
        .put_back(
            crm,
            &[redeliver::store::FoundDelivery {
                seq: 14,
                attempts: 0,
                was_dead: true,
                frame: 0,
            }],
        )
        .unwrap();
    world.settle_all(|_| Outcome::Delivered);
    let dead: Vec<u64> = dead.into_iter().filter(|seq| *seq != 14).collect();
    assert_eq!(dead_letters(&world.log, crm), dead);
    let clock = world.clock.clone();
    let directory = world.into_directory();
    let path = directory.0.path();
    assert_eq!(verify(path, 8 << 20).unwrap().findings, []);
    for without_snapshot in [false, true] {
        if without_snapshot {
            std::fs::remove_file(path.join("projections")).unwrap();
        }
        // As it is noted when a page could not be read.
        std::fs::write(path.join("unreadable"), b"").unwrap();
        let log = redeliver::store::Log::open(path, 8 << 20, clock.clone(), options(), ENTROPY);
        let log = log.unwrap();
        assert!(
            path.join(format!("damaged-{}", 1 + u8::from(without_snapshot)))
                .is_dir()
        );
        let read = log.read(1, 10_000).unwrap();
        let there = read
            .iter()
            .map(|event| (event.seq, event.content.source.to_string()));
        assert_eq!(there.collect::<Vec<_>>(), before, "{without_snapshot}");
        assert_eq!(dead_letters(&log, crm), dead, "{without_snapshot}");
        log.close().unwrap();
        drop(log);
        assert_eq!(verify(path, 8 << 20).unwrap().findings, []);
    }
}

/// `REDELIVER_ISLANDS` is how many events of a long source lie between as many of a short one.
#[test]
fn a_pass_writes_a_bit_for_each_event_however_sources_take_turns() {
    let islands = std::env::var("REDELIVER_ISLANDS").ok();
    let islands: usize = islands.map_or(4_000, |n| n.parse().unwrap());
    let world = World::<OnDisk>::with(short_and_long());
    for first in (0..islands).step_by(500) {
        let turns = first..islands.min(first + 500);
        let pair = |_| [of("short", "short"), of("long", "long")];
        world.append(turns.flat_map(pair).collect());
    }
    world.advance(2 * HOUR_S);
    let mut passes = Vec::new();
    for _ in 0..2 {
        let began = redeliver::clock::Stopwatch::start();
        let done = world.log.maintain().unwrap();
        passes.push((done.expired_events, done.thinned_frames, began.elapsed()));
    }
    let parts = world.log.backend().scan(b"p", b"p", usize::MAX).unwrap();
    let base: usize = parts.iter().map(|(_, part)| part.len()).sum();
    println!("{islands} islands: a base of {base} bytes; passes {passes:?}");
    assert_eq!((passes[0].0, passes[1].0), (islands as u64, 0));
    // Two events each, and one bit more for each in a pass that lets them go.
    assert!(base < islands / 2 * 5 / 4 + 2_000, "{base} bytes");
    let world = world.restart(false);
    assert_eq!(world.log.read(1, usize::MAX).unwrap().len(), islands);
}
