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

/// What follows at `now`, where the queues stand like this. `own_dead` says how many dead letters of
/// an endpoint are operational events since the start; none, if that is just changing, upon which
/// somebody looks again.
pub fn plan(
    config: &Operations,
    queues: &[QueueView],
    streaks: &mut Streaks,
    told: &mut Told,
    own_dead: impl Fn(u32) -> Option<u64>,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    for queue in queues {
        let own_dead = own_dead(queue.endpoint.number);
        if let Some(count) = own_dead {
            told.take_own_dead(queue.endpoint.id, count);
        }
        plan.add(config, queue, streaks, told, now);
        if own_dead.is_some() {
            plan.add_dead(config, queue, streaks, told, now);
        }
    }
    plan
}

impl Plan {
    fn add(
        &mut self,
        config: &Operations,
        queue: &QueueView,
        streaks: &mut Streaks,
        told: &Told,
        now: Timestamp,
    ) {
        let endpoint = &*queue.endpoint;
        let backlog = queue.pending + queue.waiting + queue.in_flight;
        let before = told.of(endpoint.id);
        let is_removed = endpoint.state == EndpointState::Removed;
        let is_no_news = is_removed && told.is_no_news(endpoint);
        if before.state != endpoint.state && !is_no_news {
            self.notices.push(Notice::state(endpoint, backlog));
        }
        if is_removed {
            return;
        }
        match (streaks.running(endpoint.number), before.is_failing) {
            // One that is paused fails at nothing; it is told if it fails on when it is resumed.
            (Some(streak), false)
                if endpoint.state == EndpointState::Active
                    && streak.failing_from(config).is_some_and(|from| from <= now) =>
            {
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
    }

    fn add_dead(
        &mut self,
        config: &Operations,
        queue: &QueueView,
        streaks: &mut Streaks,
        told: &mut Told,
        now: Timestamp,
    ) {
        let endpoint = &*queue.endpoint;
        if endpoint.state == EndpointState::Removed {
            return;
        }
        told.forget_dead(endpoint.id, queue.ended.dead);
        let before = told.of(endpoint.id);
        let more = queue.ended.dead.saturating_sub(before.dead_letters);
        if more > 0 {
            let due = before.dead_at.map(|at| at.plus(config.dead_letters_every));
            // A clock that was set back must not silence it for as long.
            let due = due.filter(|due| *due > now && due.since(now) <= config.dead_letters_every);
            match due {
                Some(due) => self.look_at = self.look_at.into_iter().chain([due]).min(),
                None => {
                    let dead = streaks.take_dead(endpoint.number);
                    let counts = (more, queue.ended.dead);
                    self.notices.push(Notice::dead(endpoint, counts, dead, now));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::notice::{DEAD, Data, What};
    use super::*;
    use crate::endpoint::Endpoint;
    use crate::endpoint::tests::endpoint;
    use crate::store::Ended;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn queue(dead: u64) -> QueueView {
        QueueView {
            endpoint: endpoint(1),
            pending: 0,
            waiting: 0,
            in_flight: 0,
            oldest: None,
            ended: Ended {
                dead,
                ..Ended::default()
            },
        }
    }

    /// What is planned at `now`, told at once.
    fn tell(told: &mut Told, queue: QueueView, now: Timestamp) -> (Vec<Data>, Option<Timestamp>) {
        let config = Operations::default();
        let mut streaks = Streaks::default();
        let plan = plan(&config, &[queue], &mut streaks, told, |_| Some(0), now);
        for notice in &plan.notices {
            told.take_new(&notice.event(now));
        }
        let data = plan.notices.into_iter().map(|notice| notice.data);
        (data.collect(), plan.look_at)
    }

    fn counts(told: &mut Told, dead: u64, now: Timestamp) -> Vec<(u64, u64)> {
        let (data, _) = tell(told, queue(dead), now);
        let counts = data.into_iter().map(|data| match data.what {
            What::Dead {
                count,
                dead_letters,
                ..
            } => (count, dead_letters),
            other => panic!("{DEAD} was to be told, not {other:?}"),
        });
        counts.collect()
    }

    #[test]
    fn dead_letters_are_told_at_once_and_then_together_once_a_minute() {
        let mut told = Told::default();
        assert_eq!(counts(&mut told, 0, AT), []);
        assert_eq!(counts(&mut told, 1, AT), [(1, 1)]);
        let (nothing, look_at) = tell(&mut told, queue(5), AT.moved(10_000));
        assert_eq!((nothing, look_at), (vec![], Some(AT.moved(60_000))));
        assert_eq!(counts(&mut told, 9, AT.moved(60_000)), [(8, 9)]);
        assert_eq!(counts(&mut told, 9, AT.moved(600_000)), []);
    }

    #[test]
    fn dead_letters_that_were_put_back_are_told_when_they_die_again() {
        let mut told = Told::default();
        assert_eq!(counts(&mut told, 7, AT), [(7, 7)]);
        assert_eq!(counts(&mut told, 0, AT.moved(1_000)), []);
        assert_eq!(counts(&mut told, 2, AT.moved(70_000)), [(2, 2)]);
    }

    #[test]
    fn dead_letters_that_are_operational_events_are_not_told_beside_others_that_are() {
        let (config, mut told) = (Operations::default(), Told::default());
        let mut counts = |dead, own, now| {
            let mut streaks = Streaks::default();
            let queues = [queue(dead)];
            let plan = plan(&config, &queues, &mut streaks, &mut told, |_| own, now);
            let told_now = plan.notices.iter().map(|notice| notice.event(now));
            let told_now: Vec<_> = told_now.collect();
            for event in &told_now {
                told.take_new(event);
            }
            told_now.len()
        };
        assert_eq!(counts(2, Some(2), AT), 0);
        // One is on its way to be one: who knows whose the third is.
        assert_eq!(counts(3, None, AT), 0);
        assert_eq!(counts(3, Some(3), AT), 0);
        assert_eq!(counts(4, Some(3), AT), 1);
        assert_eq!(counts(5, Some(4), AT.moved(600_000)), 0);
        // Put back, and given up once more.
        assert_eq!(counts(0, Some(4), AT.moved(600_000)), 0);
        assert_eq!(counts(2, Some(5), AT.moved(600_000)), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_by_a_year_silences_nobody_for_a_year() {
        let mut told = Told::default();
        assert_eq!(counts(&mut told, 1, AT), [(1, 1)]);
        let before = AT.moved(-365 * 86_400_000);
        assert_eq!(counts(&mut told, 2, before), [(1, 2)]);
    }

    #[test]
    fn a_state_is_told_until_it_is_the_one_that_was_told_last() {
        let mut told = Told::default();
        let paused = || QueueView {
            endpoint: Arc::new(Endpoint {
                state: EndpointState::Paused,
                ..(*endpoint(1)).clone()
            }),
            ..queue(0)
        };
        assert_eq!(tell(&mut told, paused(), AT).0.len(), 1);
        assert_eq!(tell(&mut told, paused(), AT).0.len(), 0);
        assert_eq!(tell(&mut told, queue(0), AT).0.len(), 1);
        assert_eq!(tell(&mut told, queue(0), AT).0.len(), 0);
    }
}
