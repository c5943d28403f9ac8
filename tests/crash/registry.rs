//! The endpoints as the operator knows them, and what may have been told to them.

use redeliver::clock::Timestamp;
use serde_json::Value;

/// How an endpoint looks: its state and how many attempts it may have at once. None: it is not
/// there.
pub type Looks = Option<(String, u64)>;

/// An endpoint that the operator made, or tried to make.
#[derive(Clone, Debug)]
pub struct Known {
    pub name: String,
    pub policy: &'static str,
    /// Known once it was shown.
    pub id: Option<String>,
    /// One after an answer; two where a request was lost, which was obeyed or not.
    possible: Vec<Looks>,
    /// Events that were sent after this are its own.
    pub made_by: Option<Timestamp>,
    /// Events that were acknowledged before this are its own: when somebody first asked for its
    /// removal.
    pub whole_until: Option<Timestamp>,
}

impl Known {
    pub fn new(name: String, policy: &'static str) -> Self {
        Self {
            name,
            policy,
            id: None,
            possible: vec![None],
            made_by: None,
            whole_until: None,
        }
    }

    /// How it surely looks, as far as the operator alone decides.
    pub fn surely(&self) -> Option<&Looks> {
        match &*self.possible {
            [looks] => Some(looks),
            _ => None,
        }
    }

    pub fn is_present(&self) -> bool {
        matches!(self.surely(), Some(Some((state, _))) if state != "removed")
    }

    /// A request was obeyed.
    pub fn became(&mut self, looks: Looks) {
        self.possible = vec![looks];
    }

    /// A request was lost.
    pub fn may_have_become(&mut self, looks: Looks) {
        self.possible.push(looks);
    }

    /// Checks how it looks: as it was told to, or as the answers of its receiver made it. What was
    /// shown once is so.
    #[track_caller]
    pub fn is_shown(&mut self, endpoint: Option<&Value>) {
        let seen = endpoint.map(|endpoint| {
            let state = endpoint["state"].as_str().unwrap().to_owned();
            (state, endpoint["concurrency"].as_u64().unwrap())
        });
        let by_itself = match self.policy {
            "mortal" => "removed",
            "brittle" => "paused",
            _ => "",
        };
        let present = |looks: &&Looks| looks.as_ref().is_some_and(|(state, _)| state != "removed");
        let changed = |looks: &Looks| Some((by_itself.to_owned(), looks.as_ref()?.1));
        let mut allowed: Vec<Looks> = self.possible.iter().filter(present).map(changed).collect();
        allowed.extend(self.possible.iter().cloned());
        assert!(
            allowed.contains(&seen),
            "{} is {seen:?}: {self:?}",
            self.name
        );
        if let Some(endpoint) = endpoint {
            self.id = endpoint["id"].as_str().map(str::to_owned);
        }
        self.became(seen);
    }
}

/// Schedules of this endpoint may have been started anew between these moments.
#[derive(Clone, Debug)]
pub struct Restart {
    pub endpoint: String,
    pub from: Timestamp,
    pub until: Timestamp,
    /// Nobody knows whether it was: it may have been, and forgotten with the process.
    pub lost: bool,
}

/// A delivery that had so many attempts and was put back.
#[derive(Clone, Debug)]
pub struct Retried {
    pub delivery: String,
    pub attempts: u64,
}

/// All that the operator did.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub endpoints: Vec<Known>,
    pub restarts: Vec<Restart>,
    pub retried: Vec<Retried>,
    /// Requests that were answered with success.
    pub obeyed: usize,
}

impl Registry {
    /// Checks what is shown of every endpoint, removed ones too.
    #[track_caller]
    pub fn is_shown(&mut self, endpoints: &[Value]) {
        for known in &mut self.endpoints {
            known.is_shown(endpoints.iter().find(|shown| shown["name"] == *known.name));
        }
    }

    /// Whether an attempt at `end` may follow one that ended at `begin` sooner than its policy says.
    pub fn restarts_between(&self, endpoint: &str, begin: Timestamp, end: Timestamp) -> bool {
        self.restarts.iter().any(|restart| {
            restart.endpoint == endpoint && restart.from <= end && begin <= restart.until
        })
    }

    /// Whether something may have been sent at `moment` because of a request that was forgotten.
    pub fn was_lost_at(&self, endpoint: &str, moment: Timestamp) -> bool {
        self.restarts.iter().any(|restart| {
            let during = restart.from <= moment && moment <= restart.until;
            restart.lost && restart.endpoint == endpoint && during
        })
    }
}
