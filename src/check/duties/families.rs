//! Duties that several vendors ask for, each under the vendor's name and rules.

use crate::check::drill::{Change, Dispatch, Drill, Shape};
use crate::check::duty::{Duty, Need};

const VERIFY: &str = "compute the signature over the raw bytes of the body, compare it whole and in constant time, and answer 401 before anything else is done";
const FIRST: &str =
    "verify the signature before anything else: parse, store and remember ids after it";

/// One vendor's part of what several ask for.
pub(super) struct Family {
    /// The vendor's name in ids.
    pub prefix: &'static str,
    /// An ordinary message.
    pub base: Shape,
    /// Rules about the signature.
    pub signature: &'static [&'static str],
    /// Rules about duplicates.
    pub duplicates: &'static [&'static str],
    /// Rules about success and time.
    pub success: &'static [&'static str],
    /// What is recognised by what.
    pub recognise: &'static str,
}

impl Family {
    /// A duty under the vendor's name.
    pub fn duty(
        &self,
        id: &str,
        title: &'static str,
        rules: &[&'static str],
        drill: Drill,
        mend: &'static str,
    ) -> Duty {
        Duty::new(format!("{}.{id}", self.prefix), title, rules, drill, mend)
    }

    /// A forgery that must be refused.
    pub fn forgery(
        &self,
        id: &str,
        title: &'static str,
        changes: &[Change],
        mend: &'static str,
    ) -> Duty {
        let base = Dispatch::of(self.base);
        let dispatches = changes.iter().map(|change| base.changed(*change));
        let drill = Drill::Refuse(dispatches.collect());
        self.duty(id, title, self.signature, drill, mend)
            .needing(Need::Key)
    }

    /// The forgeries that every signature must hold against.
    pub fn forgeries(&self) -> Vec<Duty> {
        vec![
            self.forgery(
                "signature.forged-body",
                "A body with one digit changed is refused",
                &[Change::BodyDigit],
                VERIFY,
            ),
            self.forgery(
                "signature.forged-signature",
                "A signature with one character changed is refused",
                &[Change::SignatureDigit],
                "compare the whole signature, not a part of it",
            ),
            self.forgery(
                "signature.missing",
                "A message without a signature is refused",
                &[Change::NoSignature],
                "refuse a message whose signature header is missing, instead of skipping the check",
            ),
            self.forgery(
                "signature.empty",
                "A message with an empty signature is refused",
                &[Change::EmptySignature],
                "refuse an empty signature as you refuse a wrong one",
            ),
            self.forgery(
                "signature.other-key",
                "A signature by another key is refused",
                &[Change::OtherKey],
                "compute the signature with your own key; do not look at its form only",
            ),
            self.forgery(
                "signature.other-algorithm",
                "A signature with another hash function is refused",
                &[Change::OtherHash],
                "take the one algorithm that the vendor signs with, not whichever fits",
            ),
            self.forgery(
                "signature.other-message",
                "The signature of another message is refused",
                &[Change::SignatureOfAnother],
                "compute the signature over the body that came with it",
            ),
            self.forgery(
                "signature.truncated",
                "The first half of the right signature is refused",
                &[Change::HalfSignature],
                "compare the lengths, too: a beginning of the signature is easier to guess",
            ),
            self.forgery(
                "signature.extended",
                "The right signature with more behind it is refused",
                &[Change::LongSignature],
                "compare the lengths, too: the header must be the signature and nothing else",
            ),
        ]
    }

    /// What a forgery must not leave behind.
    pub fn aftermath(&self) -> Vec<Duty> {
        let base = Dispatch::of(self.base);
        let forged = base.changed(Change::OtherKey);
        vec![
            self.duty(
                "signature.no-effect",
                "A forged message has no effect",
                self.signature,
                effects(&[forged], true, 0),
                FIRST,
            )
            .needing(Need::Key)
            .needing(Need::Probe),
            self.duty(
                "signature.id-not-consumed",
                "After a forged message the genuine one with its id still has its effect",
                self.signature,
                effects(&[forged, base], true, 1),
                FIRST,
            )
            .needing(Need::Key)
            .needing(Need::Probe),
            self.duty(
                "accept.after-forgeries",
                "Genuine messages are accepted after forged ones",
                self.success,
                Drill::AcceptAfter(forged),
                "do not lock the sender out for forgeries: anybody can send those",
            )
            .needing(Need::Key),
        ]
    }

    /// What everything that is said of effects stands on.
    pub fn effect(&self) -> Duty {
        self.duty(
            "effect.once",
            "A message has exactly one effect",
            self.duplicates,
            effects(&[Dispatch::of(self.base)], true, 1),
            "do the work once for each message that is accepted, before it is answered or soon after",
        )
        .needing(Need::Probe)
    }

    /// One effect for each message, however often it comes.
    pub fn repeats(&self, renewed_s: Option<i64>) -> Vec<Duty> {
        let base = Dispatch::of(self.base);
        let mut all = vec![
            self.duty(
                "duplicate.accepted",
                "A duplicate is answered with success",
                self.duplicates,
                Drill::Repeat(base.moved(renewed_s.unwrap_or_default()), base),
                "answer a duplicate as you answered the first: after an error the vendor sends it again",
            ),
            self.duty(
                "duplicate.same-bytes",
                "The same message twice has one effect",
                self.duplicates,
                effects(&[base, base], true, 1),
                self.recognise,
            )
            .needing(Need::Probe),
        ];
        if let Some(moved_s) = renewed_s {
            all.push(
                self.duty(
                    "duplicate.renewed",
                    "A retry with a new timestamp and signature has no second effect",
                    self.duplicates,
                    effects(&[base.moved(moved_s), base], true, 1),
                    self.recognise,
                )
                .needing(Need::Probe),
            );
        }
        all.push(
            self.duty(
                "duplicate.concurrent",
                "The same message several times at once has one effect",
                self.duplicates,
                Drill::AtOnce(base),
                "let looking for the id and remembering it be one step: a unique key, or a lock",
            )
            .needing(Need::Probe),
        );
        all
    }

    /// Many messages at once.
    pub fn load(&self) -> Vec<Duty> {
        let load = |counted| Drill::Load {
            dispatch: Dispatch::of(self.base),
            counted,
        };
        vec![
            self.duty(
                "load.accepted",
                "Fifty messages at once are all accepted in time",
                self.success,
                load(false),
                "handle requests side by side, leave long work for after the answer, and let connections wait (a listen backlog of 64; that of Python's http.server is 5)",
            ),
            self.duty(
                "load.effects",
                "Fifty messages at once have one effect each",
                self.success,
                load(true),
                "let the requests share nothing without a lock",
            )
            .needing(Need::Probe),
        ]
    }

    /// What must outlive the receiver's process.
    pub fn restarts(&self) -> Vec<Duty> {
        let restart = |repeated| Drill::Restart {
            dispatch: Dispatch::of(self.base),
            repeated,
        };
        vec![
            self.duty(
                "restart.accepted",
                "After its restart the receiver accepts messages",
                self.success,
                restart(false),
                "start to answer again before --restart-timeout is over, with the same key",
            )
            .needing(Need::Restart),
            self.duty(
                "restart.duplicate",
                "A duplicate of a message from before the restart has no second effect",
                self.duplicates,
                restart(true),
                "keep the ids that were seen on disk: retries come for longer than a restart takes",
            )
            .needing(Need::Restart)
            .needing(Need::Probe),
        ]
    }
}

/// So many effects of these messages.
pub(super) fn effects(dispatches: &[Dispatch], same: bool, expected: u64) -> Drill {
    Drill::Effects {
        dispatches: dispatches.to_vec(),
        same,
        expected,
    }
}
