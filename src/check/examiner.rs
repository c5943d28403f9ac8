//! One run over a receiver's duties.

use std::time::Duration;

use super::crafted::{Crafted, Maker};
use super::drill::{Dispatch, Drill, Identity};
use super::duty::{Duty, Need};
use super::finding::{Exchange, Finding, Verdict};
use super::judge::{Reply, Silence, Terms};
use super::link::{Link, is_out_of_reach, silence};
use super::plan::{Plan, Unfit, policy};
use crate::clock::{SharedClock, Timestamp};
use crate::vendor::{KeyError, Profile};

/// Looks at a receiver.
pub struct Examiner {
    pub(super) plan: Plan,
    pub(super) link: Link,
    pub(super) clock: SharedClock,
    pub(super) terms: Terms,
    pub(super) base: Dispatch,
    pub(super) evidence: Vec<Exchange>,
    pub(super) notes: Vec<String>,
    /// How late effects were seen to come, at most; unknown at first.
    pub(super) lag: Option<Duration>,
    serial: u32,
    latest: Timestamp,
}

impl Examiner {
    /// Looks at the receiver behind `link`.
    pub fn new(plan: Plan, link: Link, clock: SharedClock) -> Result<Self, Unfit> {
        plan.credentials.check()?;
        let terms = Terms::new(&policy(plan.credentials.profile), link.timeout());
        let base = plan.duties().into_iter().find_map(|duty| match duty.drill {
            Drill::Answer(dispatch) => Some(dispatch),
            _ => None,
        });
        // Every vendor's first duty is to answer: see duties::tests.
        let base = base.expect("a duty to answer");
        Ok(Self {
            plan,
            link,
            clock,
            terms,
            base,
            evidence: Vec::new(),
            notes: Vec::new(),
            lag: None,
            serial: 0,
            latest: Timestamp::default(),
        })
    }

    /// Looks at the duties that are `wanted`, and tells of each. What they stand on is looked at in
    /// any case, and told of if it fails: a receiver that refuses everything refuses no forgery.
    pub async fn examine(
        mut self,
        wanted: impl Fn(&Duty) -> bool,
        mut tell: impl FnMut(&Finding),
    ) -> Result<Vec<Finding>, Unfit> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut gates = Gates::default();
        let duties = self.plan.duties();
        let counted = |duty: &Duty| duty.needs.contains(&Need::Probe);
        let counts = duties.iter().any(|duty| wanted(duty) && counted(duty));
        for (place, duty) in duties.into_iter().enumerate() {
            let gate = Gate::of(place, &duty);
            let is_needed = match gate {
                Some(Gate::Effects) => counts,
                Some(Gate::Answer | Gate::Acceptance) => true,
                None => false,
            };
            let is_wanted = wanted(&duty);
            let mut finding = if !is_wanted && !is_needed {
                Finding::unseen(duty, Verdict::Skipped)
            } else if let Some((why, blocked_by)) = self.obstacle(&duty, &gates) {
                Finding {
                    blocked_by,
                    ..Finding::unseen(duty, Verdict::NotJudged(why))
                }
            } else {
                self.look(duty, gate).await?
            };
            if let (Some(gate), Some(reason)) = (gate, finding.verdict.reason()) {
                gates.shut(gate, &finding.duty.id, reason);
            }
            // What nobody asked for is told of only where it stands in the way.
            if !is_wanted && !matches!(finding.verdict, Verdict::Failed(_)) {
                finding = Finding::unseen(finding.duty, Verdict::Skipped);
            }
            tell(&finding);
            findings.push(finding);
        }
        Ok(findings)
    }

    /// Why nobody can tell, and the duty that is to blame, if one is.
    fn obstacle(&self, duty: &Duty, gates: &Gates) -> Option<(String, Option<String>)> {
        if let Drill::Unjudged(why) = duty.drill {
            return Some((why.to_owned(), None));
        }
        let missing = duty.needs.iter().find(|need| !self.plan.has(**need));
        let missing = missing.map(|need| (need.missing().to_owned(), None));
        let shut = |gate: &Option<Shut>| {
            let Shut { id, why } = gate.as_ref()?;
            Some((why.clone(), Some(id.clone())))
        };
        let counts = duty.needs.contains(&Need::Probe);
        // What keeps everything from being judged is to be mended before anything is given.
        shut(&gates.all)
            .or(missing)
            .or_else(|| shut(&gates.effects).filter(|_| counts))
    }

    async fn look(&mut self, duty: Duty, gate: Option<Gate>) -> Result<Finding, Unfit> {
        let started = self.clock.moment().steady();
        self.evidence.clear();
        self.notes.clear();
        let verdict = match (gate, &duty.drill) {
            (Some(Gate::Answer), _) => {
                let verdict = self.answered().await?;
                if let Some(probe) = &self.plan.probe {
                    probe.count(&self.link, &self.clock).await?;
                }
                verdict
            }
            (Some(Gate::Acceptance), _) => self.accepted_at_all().await?,
            (_, drill) => self.drill(drill).await,
        };
        let took = self.clock.moment().steady().since(started);
        Ok(Finding {
            duty,
            verdict,
            blocked_by: None,
            notes: std::mem::take(&mut self.notes),
            took,
            evidence: std::mem::take(&mut self.evidence),
        })
    }

    /// The very first message: whether anybody is there, and answers in time.
    async fn answered(&mut self) -> Result<Verdict, Unfit> {
        let identity = self.identity();
        let crafted = self.craft(&self.base.clone(), &identity)?;
        let reply = match self.link.attempt(&crafted).await {
            Err(error) if is_out_of_reach(&error) => return Err(Unfit::OutOfReach(error)),
            Err(error) => silence(&error),
            Ok(status) => Reply::Status(status),
        };
        let verdict = match (&reply, self.terms.accepted(&reply)) {
            (Reply::Silence(_), Err(reason)) => Verdict::Failed(reason),
            _ => Verdict::Passed,
        };
        self.evidence.push(Exchange::new(crafted, reply));
        Ok(verdict)
    }

    /// Whether a genuine message is accepted, if only by a success that this vendor does not know:
    /// that is a duty of its own.
    async fn accepted_at_all(&mut self) -> Result<Verdict, Unfit> {
        let identity = self.identity();
        let reply = self.exchange(&self.base.clone(), &identity).await;
        let is_signed = self.plan.has(Need::Key);
        let signs = self.plan.credentials.profile != Profile::Esputnik;
        Ok(match (self.terms.accepted(&reply), reply) {
            (Ok(()), _) => Verdict::Passed,
            (Err(_), Reply::Status(status)) if (200..300).contains(&status) => {
                self.terms.tolerate(status);
                Verdict::Passed
            }
            // It does right: whoever forgot the key must not be told to let forgeries in.
            (Err(_), Reply::Status(status @ (400 | 401 | 403))) if signs && !is_signed => {
                return Err(Unfit::Unsigned(status));
            }
            (Err(reason), Reply::Status(400 | 401 | 403)) if signs => {
                Verdict::Failed(self.explained(reason).await)
            }
            (Err(reason), _) => Verdict::Failed(reason),
        })
    }

    /// An identity that no message of this run has had, of a moment that no other has.
    pub(super) fn identity(&mut self) -> Identity {
        self.latest = self.latest.moved(1).max(self.clock.now());
        self.nobody(self.latest)
    }

    /// An identity that no message will have.
    fn nobody(&mut self, happened_at: Timestamp) -> Identity {
        self.serial += 1;
        Identity::new(self.plan.run, self.serial, happened_at)
    }

    pub(super) fn craft(
        &mut self,
        dispatch: &Dispatch,
        identity: &Identity,
    ) -> Result<Crafted, KeyError> {
        let other = self.nobody(identity.happened_at);
        let maker = Maker {
            credentials: &self.plan.credentials,
            seed: self.plan.run.tag,
            // Of the message, not of the moment: the same message has the same bytes.
            now: identity.happened_at,
        };
        maker.make(dispatch, identity, &other)
    }

    /// Sends one message, and keeps it as evidence.
    pub(super) async fn exchange(&mut self, dispatch: &Dispatch, identity: &Identity) -> Reply {
        let request = match self.craft(dispatch, identity) {
            Ok(request) => request,
            Err(error) => {
                let why = error.to_string();
                return Reply::Silence(Silence {
                    why,
                    is_late: false,
                });
            }
        };
        let reply = self.link.send(&request).await;
        self.evidence.push(Exchange::new(request, reply.clone()));
        reply
    }
}

/// What other duties stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// There are answers.
    Answer,
    /// Genuine messages are accepted.
    Acceptance,
    /// A genuine message has one effect.
    Effects,
}

impl Gate {
    fn of(place: usize, duty: &Duty) -> Option<Self> {
        match place {
            0 => Some(Self::Answer),
            1 => Some(Self::Acceptance),
            _ => (duty.short_id() == "effect.once").then_some(Self::Effects),
        }
    }
}

/// Which gates are shut, and why.
#[derive(Default)]
struct Gates {
    all: Option<Shut>,
    effects: Option<Shut>,
}

/// A gate that is shut: by which duty, and why.
struct Shut {
    id: String,
    why: String,
}

impl Gates {
    fn shut(&mut self, gate: Gate, id: &str, reason: &str) {
        let shut = Shut {
            id: id.to_owned(),
            why: format!("{id} stands in the way: {reason}"),
        };
        match gate {
            Gate::Answer | Gate::Acceptance => self.all.get_or_insert(shut),
            Gate::Effects => self.effects.get_or_insert(shut),
        };
    }
}
