//! Counting effects: what the observer says before and after.
//!
//! That something has no effect is shown by a marker: a fresh message behind it, whose effect is
//! waited for. Where effects come later than answers, the count must come to rest as well.

use std::time::Duration;

use super::drill::Dispatch;
use super::examiner::Examiner;
use super::finding::Verdict;
use super::probe::ProbeError;

/// How often somebody is asked who is waited for.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Which part of the time to settle the count must stay the same to be at rest.
const REST: u32 = 8;

impl Examiner {
    async fn count(&self) -> Result<u64, ProbeError> {
        match &self.plan.probe {
            Some(probe) => probe.count(&self.link, &self.clock).await,
            // No drill counts without an observer: see Examiner::obstacle.
            None => Ok(0),
        }
    }

    /// The count now, if anybody can tell.
    pub(super) async fn count_if_seen(&mut self) -> Option<u64> {
        self.plan.probe.as_ref()?;
        self.count_at_rest().await.ok()
    }

    /// The count, when all that was sent has had its effect.
    pub(super) async fn count_at_rest(&mut self) -> Result<u64, ProbeError> {
        let mut count = self.count().await?;
        let start = self.clock.moment().steady();
        let mut deadline = self.clock.sleep(self.plan.settle);
        let long = self.plan.settle / REST;
        let mut rest = match self.lag {
            // Nobody knows yet how late effects are here: all the time that they may take.
            None => self.plan.settle,
            // With their answers: one more look, should one be late after all.
            Some(Duration::ZERO) => LOOK_EVERY.min(long),
            Some(lag) => long.max(lag + lag / 2),
        };
        let mut since = start;
        loop {
            tokio::select! {
                () = &mut deadline => return Ok(count),
                () = self.clock.sleep(LOOK_EVERY.min(rest)) => {}
            }
            let now = self.clock.moment().steady();
            let counted = self.count().await?;
            if counted != count {
                (count, since) = (counted, now);
                self.lags_by(now.since(start));
                rest = rest.max(long);
            } else if now.since(since) >= rest {
                return Ok(count);
            }
        }
    }

    /// The count once it has reached `target`, or when it has had time to.
    async fn count_reaching(&mut self, target: u64) -> Result<u64, ProbeError> {
        let start = self.clock.moment().steady();
        let mut deadline = self.clock.sleep(self.plan.settle);
        let mut count = self.count().await?;
        while count < target {
            tokio::select! {
                () = &mut deadline => return Ok(count),
                () = self.clock.sleep(LOOK_EVERY) => {}
            }
            count = self.count().await?;
            if count >= target {
                self.lags_by(self.clock.moment().steady().since(start));
            }
        }
        self.count_at_rest().await
    }

    /// An effect was seen so long after its answer.
    fn lags_by(&mut self, lag: Duration) {
        self.lag = self.lag.max(Some(lag));
    }

    /// How many effects these messages have.
    pub(super) async fn effects(
        &mut self,
        dispatches: &[Dispatch],
        same: bool,
        expected: u64,
    ) -> Verdict {
        let before = match self.count_at_rest().await {
            Ok(before) => before,
            Err(error) => return Verdict::NotJudged(error.to_string()),
        };
        let mut identity = self.identity();
        for (place, dispatch) in dispatches.iter().enumerate() {
            if place > 0 && !same {
                let happened_at = identity.happened_at;
                identity = self.identity();
                identity.happened_at = happened_at;
            }
            let reply = self.exchange(dispatch, &identity).await;
            let accepted = self.terms.accepted(&reply);
            if let (None, Err(reason)) = (dispatch.change, accepted) {
                return Verdict::NotJudged(format!(
                    "message {} was not accepted: {reason}",
                    place + 1
                ));
            }
        }
        // One message alone needs no marker: its own effect is waited for.
        if dispatches.len() == 1 && expected == 1 {
            let verdict = self.effects_since(before, 1).await;
            if verdict == Verdict::Passed {
                self.lag.get_or_insert(Duration::ZERO);
            }
            return verdict;
        }
        self.marked_effects(before, expected).await
    }

    /// Whether there are so many effects since `before`, once a fresh message has had its own.
    pub(super) async fn marked_effects(&mut self, before: u64, expected: u64) -> Verdict {
        match self.counted_after(before, expected).await {
            Ok(counted) => compared(counted, expected),
            Err(why) => Verdict::NotJudged(why),
        }
    }

    /// The effects since `before`, but for the one of a fresh message that is sent now.
    pub(super) async fn counted_after(
        &mut self,
        before: u64,
        expected: u64,
    ) -> Result<u64, String> {
        let identity = self.identity();
        let marker = self.base;
        let reply = self.exchange(&marker, &identity).await;
        // It is no part of what is shown.
        self.evidence.pop();
        self.terms
            .accepted(&reply)
            .map_err(|reason| format!("a fresh message behind it was not accepted: {reason}"))?;
        let count = self.count_reaching(before + expected + 1).await;
        let count = count.map_err(|error| error.to_string())?;
        count
            .checked_sub(before + 1)
            .ok_or_else(|| "a fresh message behind it had no effect that was seen".to_owned())
    }

    /// Whether there are so many effects since `before`.
    pub(super) async fn effects_since(&mut self, before: u64, expected: u64) -> Verdict {
        match self.count_reaching(before + expected).await {
            Ok(count) => compared(count.saturating_sub(before), expected),
            Err(error) => Verdict::NotJudged(error.to_string()),
        }
    }
}

fn compared(counted: u64, expected: u64) -> Verdict {
    if counted == expected {
        return Verdict::Passed;
    }
    let effects = if counted == 1 { "effect" } else { "effects" };
    let later = match counted < expected {
        true => "; if it comes later, give it longer by --settle",
        false => "",
    };
    Verdict::Failed(format!(
        "the observer saw {counted} {effects} where {expected} would be right{later}"
    ))
}
