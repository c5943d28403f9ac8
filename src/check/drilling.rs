//! How each drill is done, but for counting effects.

use tokio::task::JoinSet;

use super::crafted::Crafted;
use super::drill::{Change, Dispatch, Drill};
use super::examiner::Examiner;
use super::finding::{Exchange, Verdict};
use super::judge::{Refusal, Reply};
use crate::vendor::KeyError;

/// Messages at the same time under load.
const LOAD: usize = 50;

/// Forgeries in a row: what makes receivers lock somebody out.
const FORGERIES: usize = 10;

/// Copies of one message at the same time.
const COPIES: usize = 8;

impl Examiner {
    /// What `drill` shows.
    pub(super) async fn drill(&mut self, drill: &Drill) -> Verdict {
        match drill {
            Drill::Answer(dispatch) => self.accept(std::slice::from_ref(dispatch)).await,
            Drill::Accept(dispatches) => self.accept(dispatches).await,
            Drill::AcceptSequence(dispatches) => self.accept_sequence(dispatches).await,
            Drill::AcceptStrictly(dispatch) => self.accept_strictly(dispatch).await,
            Drill::Refuse(dispatches) => self.refuse(dispatches).await,
            Drill::AcceptAfter(forged) => self.accept_after(forged).await,
            Drill::Get => self.get().await,
            Drill::Effects {
                dispatches,
                same,
                expected,
            } => self.effects(dispatches, *same, *expected).await,
            Drill::Repeat(first, second) => self.repeat(first, second).await,
            Drill::AtOnce(dispatch) => self.at_once(dispatch).await,
            Drill::Load { dispatch, counted } => self.load(dispatch, *counted).await,
            Drill::Restart { dispatch, repeated } => match self.plan.restart.clone() {
                Some(restart) => self.restart(dispatch, *repeated, &restart).await,
                None => Verdict::NotJudged(super::Need::Restart.missing().to_owned()),
            },
            Drill::Unjudged(why) => Verdict::NotJudged((*why).to_owned()),
        }
    }

    /// Each of them is accepted.
    pub(super) async fn accept(&mut self, dispatches: &[Dispatch]) -> Verdict {
        for dispatch in dispatches {
            self.evidence.clear();
            let identity = self.identity();
            let reply = self.exchange(dispatch, &identity).await;
            if let Err(reason) = self.terms.accepted(&reply) {
                return Verdict::Failed(of(dispatch, &reason));
            }
        }
        Verdict::Passed
    }

    async fn accept_sequence(&mut self, dispatches: &[Dispatch]) -> Verdict {
        let identity = self.identity();
        for (place, dispatch) in dispatches.iter().enumerate() {
            let reply = self.exchange(dispatch, &identity).await;
            if let Err(reason) = self.terms.accepted(&reply) {
                return Verdict::Failed(format!("to request {} {reason}", place + 1));
            }
        }
        Verdict::Passed
    }

    async fn accept_strictly(&mut self, dispatch: &Dispatch) -> Verdict {
        let identity = self.identity();
        let reply = self.exchange(dispatch, &identity).await;
        let accepted = self.terms.accepted_strictly(&reply);
        accepted.map_or_else(Verdict::Failed, |()| Verdict::Passed)
    }

    /// Each of them is refused, and its genuine twin is not.
    async fn refuse(&mut self, dispatches: &[Dispatch]) -> Verdict {
        for dispatch in dispatches {
            self.evidence.clear();
            let before = self.count_if_seen().await;
            let identity = self.identity();
            let reply = self.exchange(dispatch, &identity).await;
            match self.terms.refusal(&reply) {
                Refusal::Refused => {}
                Refusal::Wrong(reason) => return Verdict::Failed(of(dispatch, &reason)),
                Refusal::Unclear(reason) => return Verdict::NotJudged(of(dispatch, &reason)),
                Refusal::Taken(status) => {
                    if let Err(reason) = self.dropped(status, before).await {
                        return Verdict::Failed(of(dispatch, &reason));
                    }
                    self.notes.push(format!(
                        "it answered {status} and dropped the message: 401 would tell whoever has a wrong key"
                    ));
                }
            }
            let twin = self.exchange(&dispatch.genuine(), &identity).await;
            if let Err(reason) = self.terms.accepted(&twin) {
                let why = format!("the genuine message is refused as well: {reason}");
                return Verdict::NotJudged(of(dispatch, &why));
            }
        }
        Verdict::Passed
    }

    async fn accept_after(&mut self, forged: &Dispatch) -> Verdict {
        for _ in 0..FORGERIES {
            let identity = self.identity();
            self.exchange(forged, &identity).await;
        }
        match self.accept(&[forged.genuine()]).await {
            Verdict::Failed(reason) => {
                Verdict::Failed(format!("after {FORGERIES} forgeries in a row {reason}"))
            }
            verdict => verdict,
        }
    }

    /// Whether what was answered with success had no effect: then it was dropped, as it should
    /// (HOT-34), if in silence.
    async fn dropped(&mut self, status: u16, before: Option<u64>) -> Result<(), String> {
        let taken = format!("it answered {status} to what must be refused");
        let Some(before) = before else {
            return Err(match self.plan.probe {
                Some(_) => taken,
                None => format!("{taken} (if it was dropped in silence, show it with --probe)"),
            });
        };
        match self.counted_after(before, 0).await {
            Ok(0) => Ok(()),
            Ok(_) => Err(format!("{taken}, and had its effect")),
            Err(_) => Err(taken),
        }
    }

    /// ESP-07: any 2xx passes the check on save.
    async fn get(&mut self) -> Verdict {
        let request = Crafted::get(&self.plan.credentials);
        let reply = self.link.send(&request).await;
        let verdict = match &reply {
            Reply::Status(200..300) => Verdict::Passed,
            Reply::Status(status) => Verdict::Failed(format!(
                "it answered {status} to GET; the vendor asks by GET whether the URL is right, and takes 2xx for yes"
            )),
            Reply::Silence(silence) => {
                Verdict::Failed(format!("there was no answer to GET: {}", silence.why))
            }
        };
        self.evidence.push(Exchange::new(request, reply));
        verdict
    }

    async fn repeat(&mut self, first: &Dispatch, second: &Dispatch) -> Verdict {
        let identity = self.identity();
        let reply = self.exchange(first, &identity).await;
        if let Err(reason) = self.terms.accepted(&reply) {
            return Verdict::NotJudged(format!("the message itself was not accepted: {reason}"));
        }
        let reply = self.exchange(second, &identity).await;
        match self.terms.accepted(&reply) {
            Ok(()) => Verdict::Passed,
            Err(reason) => Verdict::Failed(format!("the second time {reason}")),
        }
    }

    async fn at_once(&mut self, dispatch: &Dispatch) -> Verdict {
        let before = match self.count_at_rest().await {
            Ok(before) => before,
            Err(error) => return Verdict::NotJudged(error.to_string()),
        };
        let identity = self.identity();
        let crafted = match self.craft(dispatch, &identity) {
            Ok(crafted) => crafted,
            Err(error) => return Verdict::NotJudged(error.to_string()),
        };
        let replies = self.send_all(vec![crafted; COPIES]).await;
        let refused = |(_, reply): &&(Crafted, Reply)| self.terms.accepted(reply).is_err();
        let refusals = replies.iter().filter(refused).count();
        if refusals == COPIES {
            return Verdict::NotJudged("none of them was accepted".to_owned());
        }
        if refusals > 0 {
            self.notes.push(format!(
                "{refusals} of {COPIES} were not accepted, so the vendor would send them again"
            ));
        }
        self.keep(replies.into_iter().take(1), COPIES);
        self.marked_effects(before, 1).await
    }

    async fn load(&mut self, dispatch: &Dispatch, counted: bool) -> Verdict {
        let before = match counted {
            true => match self.count_at_rest().await {
                Ok(before) => Some(before),
                Err(error) => return Verdict::NotJudged(error.to_string()),
            },
            false => None,
        };
        let crafted: Result<Vec<_>, KeyError> = (0..LOAD)
            .map(|_| {
                let identity = self.identity();
                self.craft(dispatch, &identity)
            })
            .collect();
        let replies = match crafted {
            Ok(crafted) => self.send_all(crafted).await,
            Err(error) => return Verdict::NotJudged(error.to_string()),
        };
        let judged = replies.into_iter();
        let judged = judged.map(|sent| (self.terms.accepted(&sent.1).err(), sent));
        let refused: Vec<_> = judged
            .filter_map(|(reason, sent)| reason.map(|reason| (reason, sent)))
            .collect();
        let refusals = refused.len();
        if let Some((reason, sent)) = refused.into_iter().next() {
            self.keep([sent], LOAD);
            let why = format!("{refusals} of {LOAD} were not accepted; of the first one: {reason}");
            return match counted {
                true => Verdict::NotJudged(why),
                false => Verdict::Failed(why),
            };
        }
        match before {
            Some(before) => self.effects_since(before, LOAD as u64).await,
            None => Verdict::Passed,
        }
    }

    /// Sends all of them at once.
    async fn send_all(&self, all: Vec<Crafted>) -> Vec<(Crafted, Reply)> {
        let mut sending = JoinSet::new();
        for crafted in all {
            let link = self.link.clone();
            sending.spawn(async move {
                let reply = link.send(&crafted).await;
                (crafted, reply)
            });
        }
        sending.join_all().await
    }

    /// As evidence, of what was sent so often at once.
    fn keep(&mut self, sent: impl IntoIterator<Item = (Crafted, Reply)>, at_once: usize) {
        let exchanges = sent.into_iter();
        let exchanges = exchanges.map(|(request, reply)| Exchange {
            at_once,
            ..Exchange::new(request, reply)
        });
        self.evidence.extend(exchanges);
    }
}

/// The reason, with which of several messages it is about.
fn of(dispatch: &Dispatch, reason: &str) -> String {
    let label = match (dispatch.label, dispatch.change) {
        ("", Some(Change::NoLogin)) => "without credentials",
        ("", Some(Change::WrongPassword)) => "with a wrong password",
        ("", Some(Change::WrongUser)) => "with a wrong user",
        ("", Some(Change::EmptyPassword)) => "with an empty password",
        ("", _) => return reason.to_owned(),
        (label, _) => label,
    };
    format!("to a message {label}, {reason}")
}
