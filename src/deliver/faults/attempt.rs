//! An attempt that suffers what was planned for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Faults;
use crate::clock::Moment;
use crate::deliver::courier::{Courier, Failed};
use crate::deliver::outgoing::Unsendable;
use crate::deliver::transport::{Answer, Drip, Phase, Request, SendError};
use crate::delivery::Attempt;
use crate::fault::Fault;
use crate::policy::Input;
use crate::store::{Claim, Token};
use crate::vendor::{Profile, Tamper, Told};

/// In how many parts a slow body comes.
const PARTS: usize = 10;

type Planned = [(Fault, Duration)];

/// What the first request came to, and when; and what is to be told of the second, if there was one.
struct Sent {
    answer: Result<Answer, Failed>,
    ended: Moment,
    second: Option<Result<String, String>>,
}

impl Faults {
    /// Makes an attempt. What the policy is told is what the vendor would have seen: of a
    /// connection that it cut itself no answer, of two requests the first answer.
    pub(in crate::deliver) async fn attempt(
        &self,
        courier: &Courier,
        claim: &Claim,
    ) -> (Attempt, Input) {
        let planned = self.planned(claim);
        let settings = &claim.endpoint.settings;
        let began = courier.began(settings);
        let moment = began.moment;
        let (request, told) = match tampered(courier, claim, moment, &planned) {
            Ok((request, told)) => (Ok(request), told),
            Err(error) => (Err(error), Vec::new()),
        };
        let mut record = courier.sent(&request, settings);
        let sent = match request {
            Ok(request) if stops_at(&planned, request.body.len()).is_some() => {
                let part = stops_at(&planned, request.body.len()).unwrap_or_default();
                if let Some(record) = &mut record {
                    record.body.truncate(part);
                }
                let sent = courier.transport.abandon(request, began.deadline, part);
                let failed = match sent.await {
                    Ok(()) => Failed::OnDemand,
                    Err(error) => Failed::Send(error),
                };
                Sent {
                    answer: Err(failed),
                    ended: courier.clock.moment(),
                    second: None,
                }
            }
            Ok(request) => {
                self.send(courier, claim, request, began.deadline, &planned)
                    .await
            }
            Err(error) => Sent {
                answer: Err(error.into()),
                ended: courier.clock.moment(),
                second: None,
            },
        };
        courier.record(claim, record, sent.answer.as_ref().ok());
        self.tell(claim, &planned, told, &sent);
        // Before it is settled, so that nobody takes the broker for idle meanwhile.
        self.attempted(claim);
        Courier::conclude(sent.answer, settings, claim.attempt, moment, sent.ended)
    }

    /// Sends the request once or twice, perhaps slowly.
    async fn send(
        &self,
        courier: &Courier,
        claim: &Claim,
        request: Request,
        deadline: crate::clock::Sleep,
        planned: &Planned,
    ) -> Sent {
        let transport = &courier.transport;
        let again = request.clone();
        let first = async {
            match time_of(planned, Fault::SlowBody) {
                Some(time) => {
                    let drip = self.drip(claim.token, time, request.body.len());
                    transport.send_slowly(request, deadline, drip).await
                }
                None => transport.send(request, deadline).await,
            }
        };
        let second = || async {
            let timeout = courier.timeout(&claim.endpoint.settings);
            let deadline = courier.clock.sleep(timeout);
            transport.send(again, deadline).await
        };
        if time_of(planned, Fault::ConcurrentDuplicate).is_some() {
            return both(courier, first, second()).await;
        }
        let answer = first.await;
        let ended = courier.clock.moment();
        let second = match time_of(planned, Fault::Duplicate) {
            Some(_) if answer.is_ok() => {
                Some(Ok(format!("the second {}", came_to(&second().await))))
            }
            Some(_) => Some(Err("the first had no answer".to_owned())),
            None => None,
        };
        Sent {
            answer: answer.map_err(Failed::Send),
            ended,
            second,
        }
    }

    fn drip(&self, token: Token, time: Duration, length: usize) -> Drip {
        let piece = length.div_ceil(PARTS).max(1);
        let pauses = length.div_ceil(piece).saturating_sub(1).max(1);
        let pause = time / u32::try_from(pauses).unwrap_or(1);
        let (clock, agenda) = (self.clock.clone(), self.agenda.clone());
        let wait = move || super::pause(&clock, &agenda, token, pause);
        Drip::new(piece, Box::new(wait))
    }

    /// Writes down what of it has been done.
    fn tell(&self, claim: &Claim, planned: &Planned, told: Vec<Told>, sent: &Sent) {
        let mut told = told.into_iter();
        let reached = reached(&sent.answer);
        for (fault, time) in planned {
            let done = match fault {
                // They were told when they were done.
                Fault::Reorder | Fault::Delay => continue,
                Fault::UnknownType
                | Fault::Stale
                | Fault::Future
                | Fault::OtherKey
                | Fault::WrongSignature => told
                    .next()
                    .unwrap_or(Err("there was no request"))
                    .map_err(str::to_owned),
                Fault::Duplicate | Fault::ConcurrentDuplicate => match &sent.second {
                    Some(second) => second.clone(),
                    None => Err("the connection was closed before an answer".to_owned()),
                },
                Fault::TruncatedBody => {
                    Ok("closed behind half of the body that Content-Length promises".to_owned())
                }
                Fault::Cut if time_of(planned, Fault::TruncatedBody).is_some() => {
                    Err("the body was truncated".to_owned())
                }
                Fault::Cut => Ok("closed behind the whole request".to_owned()),
                Fault::SlowBody if matches!(sent.answer, Err(Failed::OnDemand)) => {
                    Err("the connection was closed".to_owned())
                }
                Fault::SlowBody => Ok(format!(
                    "the body took {}, in {PARTS} parts",
                    crate::duration::format_duration(*time)
                )),
            };
            let done = done.and_then(|detail| reached.clone().map(|()| detail));
            self.note(claim, *fault, done);
        }
    }
}

/// The request with what of it is planned to be different.
fn tampered(
    courier: &Courier,
    claim: &Claim,
    began: Moment,
    planned: &Planned,
) -> Result<(Request, Vec<Told>), Unsendable> {
    let settings = &claim.endpoint.settings;
    let ms = |time: &Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let tampers = planned.iter().filter_map(|(fault, time)| match fault {
        Fault::UnknownType => Some(Tamper::UnknownType),
        Fault::Stale => Some(Tamper::Moved { by_ms: -ms(time) }),
        Fault::Future => Some(Tamper::Moved { by_ms: ms(time) }),
        Fault::OtherKey => Some(Tamper::OtherKey),
        Fault::WrongSignature => Some(Tamper::WrongSignature),
        _ => None,
    });
    let tampers: Vec<Tamper> = tampers.collect();
    let profile = Profile::of(&settings.policy);
    let (outbound, told) = profile.tampered(&claim.event, settings, began.now, &tampers)?;
    let (event, number) = (&claim.event, claim.attempt);
    let request = courier
        .outgoing
        .request(&claim.endpoint, event, number, outbound)?;
    Ok((request, told))
}

fn time_of(planned: &Planned, wanted: Fault) -> Option<Duration> {
    let mut planned = planned.iter();
    planned
        .find(|(fault, _)| *fault == wanted)
        .map(|(_, time)| *time)
}

/// How many bytes of the body are sent before the connection is closed, if it is to be.
fn stops_at(planned: &Planned, length: usize) -> Option<usize> {
    let has = |fault| time_of(planned, fault).is_some();
    match (has(Fault::TruncatedBody), has(Fault::Cut)) {
        (true, _) => Some(length / 2),
        (false, true) => Some(length),
        (false, false) => None,
    }
}

/// Two requests at once: the first answer counts, or else the first failure.
async fn both(
    courier: &Courier,
    first: impl Future<Output = Result<Answer, SendError>>,
    second: impl Future<Output = Result<Answer, SendError>>,
) -> Sent {
    let turn = AtomicUsize::new(0);
    let (one, other) = tokio::join!(timed(courier, &turn, first), timed(courier, &turn, second));
    let (counts, other) = match (one.0, one.1) < (other.0, other.1) {
        true => (one, other),
        false => (other, one),
    };
    Sent {
        answer: counts.3.map_err(Failed::Send),
        ended: counts.2,
        second: Some(Ok(format!("the other {}", came_to(&other.3)))),
    }
}

/// An answer behind whether it is none, and whose turn it was; and when.
async fn timed(
    courier: &Courier,
    turn: &AtomicUsize,
    sending: impl Future<Output = Result<Answer, SendError>>,
) -> (bool, usize, Moment, Result<Answer, SendError>) {
    let answer = sending.await;
    let place = turn.fetch_add(1, Ordering::Relaxed);
    (answer.is_err(), place, courier.clock.moment(), answer)
}

fn came_to(answer: &Result<Answer, SendError>) -> String {
    match answer {
        Ok(answer) => format!("was answered {}", answer.status),
        Err(error) => format!("failed: {error}"),
    }
}

/// Whether the receiver can have seen anything of it.
fn reached(answer: &Result<Answer, Failed>) -> Result<(), String> {
    match answer {
        Ok(_) | Err(Failed::OnDemand) => Ok(()),
        Err(Failed::Send(error)) => match error {
            SendError::Timeout { during } | SendError::Broken { during, .. } => match during {
                Phase::Send | Phase::Answer => Ok(()),
                Phase::Resolve | Phase::Connect | Phase::Tls => Err(error.to_string()),
            },
            SendError::Protocol { .. } | SendError::Cut { .. } => Ok(()),
            _ => Err(error.to_string()),
        },
        Err(error @ Failed::Unsendable(_)) => Err(error.to_string()),
    }
}
