//! The vendors' retry contracts told from a delivery's history alone, without a phase. Random
//! histories and the fuzz targets hold the state machine against it.

use std::time::Duration;

use redeliver::clock::Timestamp;
use redeliver::policy::{Action, Input, Phase, Policy};

/// What is expected of a delivery, told from its history alone.
pub struct Model<'a> {
    pub policy: &'a Policy,
    pub log: Vec<(Input, Timestamp)>,
}

impl Model<'_> {
    fn is(&self, name: &str) -> bool {
        self.policy.name == name
    }

    fn succeeds(&self, input: Input) -> bool {
        match input {
            Input::Answer { status, .. } if self.is("esputnik") => status == 200,
            Input::Answer { status, .. } => status / 100 == 2,
            _ => false,
        }
    }

    fn gone(&self, input: Input) -> bool {
        input == Input::Remove
            || self.is("hotjar") && matches!(input, Input::Answer { status: 410, .. })
    }

    fn delay(&self, failures: u32) -> u64 {
        if self.is("hotjar") {
            [30, 60, 120, 300, 600, 1200][failures as usize - 1]
        } else if self.is("esputnik") {
            (1..failures).fold(60, |delay: u64, _| (delay * 2).min(3600))
        } else {
            [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400][failures as usize - 1]
        }
    }

    pub fn phase(&self) -> Phase {
        if self.log.iter().any(|(input, _)| self.gone(*input)) {
            return Phase::Removed;
        }
        let since = self
            .log
            .iter()
            .rposition(|(input, _)| *input == Input::Retry);
        let recent = &self.log[since.map_or(0, |at| at + 1)..];
        let failed = |input: &Input| {
            matches!(input, Input::Answer { .. } | Input::NoAnswer) && !self.succeeds(*input)
        };
        let failures = recent.iter().filter(|(input, _)| failed(input)).count() as u32;
        let most = [("hotjar", 7), ("standard", 10)]
            .into_iter()
            .find(|(name, _)| self.is(name));
        match recent.last() {
            None => Phase::Pending,
            Some((Input::Claim, _)) => Phase::InFlight { failures },
            Some((Input::Release, _)) if failures == 0 => Phase::Pending,
            Some((Input::Release, at)) => Phase::Waiting { failures, due: *at },
            Some((input, _)) if self.succeeds(*input) => Phase::Delivered,
            Some(_) if most.is_some_and(|(_, most)| failures == most) => Phase::Dead,
            Some((_, at)) => Phase::Waiting {
                failures,
                due: at.plus(Duration::from_secs(self.delay(failures))),
            },
        }
    }

    pub fn allows(&self, input: Input, now: Timestamp) -> bool {
        let ended = [Phase::Delivered, Phase::Dead, Phase::Removed].contains(&self.phase());
        let under_way = matches!(self.log.last(), Some((Input::Claim, _)));
        let due = match self.phase() {
            Phase::Waiting { due, .. } => Some(due),
            _ => None,
        };
        match input {
            Input::Claim => !ended && !under_way && due.is_none_or(|due| due <= now),
            Input::Answer { .. } | Input::NoAnswer | Input::Release => under_way && !ended,
            Input::Retry => due.is_some() || (ended && self.phase() != Phase::Removed),
            Input::Remove => !ended,
        }
    }

    /// What `input`, which is allowed, does to the endpoint.
    pub fn action(&self, input: Input) -> Action {
        match (input, self.policy.name.as_str()) {
            (Input::Answer { status: 410, .. }, "hotjar") => Action::RemoveEndpoint,
            (Input::Answer { status: 410, .. }, "standard") => Action::PauseEndpoint,
            _ => Action::None,
        }
    }
}
