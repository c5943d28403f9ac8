//! What an answer means under the vendor's rules. Pure.

use std::time::Duration;

use crate::duration::format_duration;
use crate::policy::{On410, Policy, Success};

/// What came back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer with this status, in time.
    Status(u16),
    /// None, and why not.
    Silence(Silence),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// In words.
    pub why: String,
    /// Whether the time for it ran out; else the connection ended before.
    pub is_late: bool,
}

/// By what answers are judged.
#[derive(Clone, Debug)]
pub struct Terms {
    success: Success,
    on_410: On410,
    timeout: Duration,
    tolerated: Option<u16>,
}

/// What the answer to a forgery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was refused, as it should.
    Refused,
    /// It was answered with success: unless it had no effect, it was believed.
    Taken(u16),
    /// It was not taken, and yet not refused as it should.
    Wrong(String),
    /// Nobody can tell.
    Unclear(String),
}

impl Terms {
    /// The terms of `policy`, with another time to answer in.
    pub fn new(policy: &Policy, timeout: Duration) -> Self {
        Self {
            success: policy.success,
            on_410: policy.on_410,
            timeout,
            tolerated: None,
        }
    }

    /// Also takes `status` for success from now on: it is wrong, that has been found, and must not
    /// be found again in every other duty.
    pub fn tolerate(&mut self, status: u16) {
        self.tolerated = Some(status);
    }

    /// Whether `reply` is a success, strictly or with what is tolerated.
    pub fn accepted(&self, reply: &Reply) -> Result<(), String> {
        match reply {
            Reply::Status(status) if Some(*status) == self.tolerated => Ok(()),
            _ => self.accepted_strictly(reply),
        }
    }

    /// Whether `reply` is a success by the vendor's rule, or why not.
    pub fn accepted_strictly(&self, reply: &Reply) -> Result<(), String> {
        let status = match reply {
            Reply::Status(status) if self.success.accepts(*status) => return Ok(()),
            Reply::Status(status) => *status,
            Reply::Silence(why) => return Err(self.silence(why)),
        };
        let rule = match self.success {
            Success::Any2xx => "only 200 to 299 counts as delivered",
            Success::Only200 => "only 200 counts as delivered, every other answer is sent again",
        };
        Err(match status {
            300..400 => format!("it answered {status}; redirects are not followed, and {rule}"),
            410 if self.on_410 != On410::Retry => {
                format!("it answered 410, which tells the vendor to stop sending; {rule}")
            }
            _ => format!("it answered {status}; {rule}"),
        })
    }

    /// What `reply` to a forgery means.
    pub fn refusal(&self, reply: &Reply) -> Refusal {
        let status = match reply {
            Reply::Status(status) => *status,
            Reply::Silence(why) => {
                let why = self.silence(why);
                return Refusal::Wrong(format!("{why}; answer 400, 401 or 403 instead"));
            }
        };
        match status {
            _ if self.accepted(reply).is_ok() || (200..300).contains(&status) => {
                Refusal::Taken(status)
            }
            429 => Refusal::Unclear(
                "it answered 429: its rate limit refused, and nobody knows what it thinks of the message"
                    .to_owned(),
            ),
            // What looks forged after a change of keys comes from the vendor itself.
            410 if self.on_410 != On410::Retry => Refusal::Wrong(
                "it answered 410, which tells the vendor to stop sending for good; after a change of keys the webhook would be lost; answer 401 or 403 instead".to_owned(),
            ),
            500.. => Refusal::Wrong(format!(
                "it answered {status}: it broke on the message instead of refusing it; answer 400, 401 or 403 instead"
            )),
            _ => Refusal::Refused,
        }
    }

    fn silence(&self, silence: &Silence) -> String {
        let Silence { why, is_late } = silence;
        match is_late {
            true => {
                let timeout = format_duration(self.timeout);
                format!("there was no answer within {timeout}: {why}")
            }
            false => format!("there was no answer: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::{esputnik, hotjar};

    fn terms(policy: &Policy) -> Terms {
        Terms::new(policy, policy.timeout)
    }

    #[test]
    fn hot_16_any_2xx_is_success_and_esp_12_only_200() {
        for (status, hotjar_accepts, esputnik_accepts) in [
            (200, true, true),
            (204, true, false),
            (302, false, false),
            (404, false, false),
        ] {
            let reply = Reply::Status(status);
            let accepted = |policy| terms(&policy).accepted(&reply).is_ok();
            assert_eq!(accepted(hotjar::policy()), hotjar_accepts, "{status}");
            assert_eq!(accepted(esputnik::policy()), esputnik_accepts, "{status}");
        }
        let why = terms(&hotjar::policy()).accepted(&Reply::Status(302));
        assert!(why.unwrap_err().contains("redirects are not followed"));
    }

    #[test]
    fn what_is_tolerated_counts_as_success_but_not_strictly() {
        let mut terms = terms(&esputnik::policy());
        terms.tolerate(204);
        let reply = Reply::Status(204);
        assert!(terms.accepted(&reply).is_ok() && terms.accepted_strictly(&reply).is_err());
    }

    #[test]
    fn a_refusal_is_4xx_and_neither_a_crash_nor_silence() {
        let terms = terms(&hotjar::policy());
        let refusal = |status| terms.refusal(&Reply::Status(status));
        for status in [400, 401, 403, 404, 422, 302] {
            assert_eq!(refusal(status), Refusal::Refused, "{status}");
        }
        assert_eq!(refusal(204), Refusal::Taken(204));
        for status in [500, 503, 410] {
            assert!(matches!(refusal(status), Refusal::Wrong(_)), "{status}");
        }
        assert!(matches!(refusal(429), Refusal::Unclear(_)));
        for is_late in [true, false] {
            let why = "the receiver closed the connection".to_owned();
            let silence = terms.refusal(&Reply::Silence(Silence { why, is_late }));
            // Whoever hung up at once did not take ten seconds.
            assert!(
                matches!(silence, Refusal::Wrong(why) if why.contains("within 10s") == is_late)
            );
        }
    }

    #[test]
    fn a_02_a_410_means_nothing_special_to_esputnik() {
        let refusal = terms(&esputnik::policy()).refusal(&Reply::Status(410));
        assert_eq!(refusal, Refusal::Refused);
    }
}
