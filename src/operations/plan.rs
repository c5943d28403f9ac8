//! What is to be told, from how things stand and what was told. Pure.

use super::notice::Notice;
use super::streak::Streaks;
use super::told::Told;
use crate::clock::Timestamp;
use crate::config::Operations;
use crate::endpoint::EndpointState;
use crate::store::QueueView;

/// What to tell now, and when to look again whatever happens.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which it is told.
    pub notices: Vec<Notice>,
    /// When dead letters may be told that came too soon behind others.
    pub look_at: Option<Timestamp>,
}

/// What follows at `now`, where the queues stand like this.
pub fn plan(
    config: &Operations,
    queues: &[QueueView],
    streaks: &mut Streaks,
    told: &mut Told,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    for queue in queues {
        plan.add(config, queue, streaks, told, now);
    }
    plan
}

impl Plan {
    fn add(
        &mut self,
        config: &Operations,
        queue: &QueueView,
        streaks: &mut Streaks,
        told: &mut Told,
        now: Timestamp,
    ) {
        let endpoint = &*queue.endpoint;
        let backlog = queue.pending + queue.waiting + queue.in_flight;
        told.forget_dead(endpoint.id, queue.ended.dead);
        let before = told.of(endpoint.id);
        let is_removed = endpoint.state == EndpointState::Removed;
        if before.state != endpoint.state {
            if !(is_removed && told.is_no_news(endpoint)) {
                self.notices.push(Notice::state(endpoint, backlog));
            }
        }
        if is_removed {
            return;
        }
        match (streaks.running(endpoint.number), before.is_failing) {
            (Some(streak), false) if now.since(streak.since) >= config.failing_after => {
                let notice = Notice::failing(endpoint, streak, backlog);
                self.notices.push(notice);
            }
            (_, true) => {
                if let Some(at) = streaks.ended(endpoint.number) {
                    self.notices.push(Notice::recovered(endpoint, at, backlog));
                }
            }
            _ => {}
        }
        let more = queue.ended.dead.saturating_sub(before.dead_letters);
        if more > 0 {
            let due = before.dead_at.map(|at| at.plus(config.dead_letters_every));
            // A clock that was set back must not silence it for as long.
            let due = due.filter(|due| *due > now && due.since(now) <= config.dead_letters_every);
            match due {
                Some(due) => self.look_at = self.look_at.into_iter().chain([due]).min(),
                None => {
                    let last = streaks.take_dead(endpoint.number);
                    let counts = (more, queue.ended.dead);
                    self.notices.push(Notice::dead(endpoint, counts, last, now));
                }
            }
        }
    }
}
