//! What a few bad receivers, or one bad record, must not do to the others.

use redeliver::store::Store;

use crate::support::{Receiver, Reply};
use crate::world::World;

#[tokio::test]
async fn many_hanging_endpoints_together_cost_a_healthy_one_nothing() {
    let world = World::start().await;
    let hanging = Receiver::start(None, |_, _| Reply::Hang).await;
    let healthy = Receiver::always(None, 200).await;
    for n in 0..8 {
        world
            .endpoint(&format!("hanging-{n}"), "hotjar", &hanging)
            .await;
    }
    for n in 0..8 {
        world.send("survey_response", &format!("{n}")).await;
    }
    world.until(|| hanging.received().len() == 32).await;
    let endpoint = world.endpoint("healthy", "hotjar", &healthy).await;
    world.send("survey_response", "{}").await;
    let ended = || world.log.endpoints().unwrap()[endpoint as usize].ended;
    world.until(|| ended().delivered == 1).await;
    // The clock stands still, so that no attempt at the others has ended.
    assert_eq!(hanging.received().len(), 32);
}

#[tokio::test]
async fn one_unreadable_event_ends_no_other_endpoints_deliveries() {
    let world = World::start().await;
    let receiver = Receiver::always(None, 200).await;
    let paused = world.endpoint("paused", "hotjar", &receiver).await;
    let paused_state = redeliver::endpoint::EndpointState::Paused;
    world.set_state(paused, paused_state).await;
    world.send("survey_response", "{}").await;
    // Push the first event out of the cache of decoded frames, then let its record rot.
    let large = format!("\"{}\"", "7".repeat(1 << 20));
    for _ in 0..9 {
        world.send("survey_response", &large).await;
    }
    let key = [&b"e"[..], &1u64.to_be_bytes()].concat();
    world.log.backend().damage(&key, Some(b"rot".to_vec()));
    let other = Receiver::always(None, 200).await;
    world.endpoint("healthy", "hotjar", &other).await;
    let active = redeliver::endpoint::EndpointState::Active;
    world.set_state(paused, active).await;
    // All but the one that cannot be read.
    world.until(|| receiver.received().len() == 9).await;
    world.send("survey_response", "{}").await;
    world.until(|| other.received().len() == 1).await;
}
