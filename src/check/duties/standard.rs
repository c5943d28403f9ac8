//! What Standard Webhooks asks of a receiver. Its rules have no numbers; they are cited by section.

use std::time::Duration;

use super::families::{Family, effects};
use super::{DAY_S, MARGIN_S};
use crate::check::drill::{Change, Dispatch, Drill, Shape};
use crate::check::duty::{Duty, Need};
use crate::check::shapes::standard as shapes;

const HEADERS: &str = "spec: Webhook headers";
const SCHEME: &str = "spec: Signature scheme";
const VERIFYING: &str = "spec: Verifying signatures";
const METADATA: &str = "spec: Webhook metadata";
const SUCCESS: &str = "spec: Delivery success and failure";
const TIMEOUTS: &str = "spec: Request timeouts";
const SIZE: &str = "spec: Payload size";

const FAMILY: Family = Family {
    prefix: "standard",
    base: shapes::invoice_paid,
    signature: &[SCHEME, VERIFYING],
    duplicates: &[METADATA, VERIFYING],
    success: &[TIMEOUTS, SUCCESS],
    recognise: "remember each webhook-id on disk, and do nothing for one that was seen; a retry has the same id, a new timestamp and a new signature (X-21)",
};

const WHOLE: &str =
    "compute the signature over the id, the timestamp and the raw body with full stops between";
const MALFORMED: &str =
    "answer 400 where one of the three headers is missing or cannot be read, and never break on it";

/// Its duties, in the order in which they are looked at.
pub(super) fn duties(tolerance: Duration) -> Vec<Duty> {
    let mut all = messages();
    all.push(FAMILY.effect());
    all.extend(genuine_signatures());
    all.extend(FAMILY.forgeries());
    all.extend(forgeries());
    all.extend(ages(i64::try_from(tolerance.as_secs()).unwrap_or(DAY_S)));
    all.extend(FAMILY.aftermath());
    all.extend(FAMILY.repeats(Some(-20)));
    let alike = Dispatch::of(shapes::alike);
    all.push(
        FAMILY
            .duty(
                "duplicate.only-by-id",
                "Two messages that differ by their ids only have two effects",
                &[METADATA],
                effects(&[alike, alike], false, 2),
                "recognise a message by its webhook-id alone; two messages may say the same",
            )
            .needing(Need::Probe),
    );
    all.extend(FAMILY.load());
    all.extend(FAMILY.restarts());
    all
}

fn accept(
    id: &str,
    title: &'static str,
    rules: &[&'static str],
    dispatches: Vec<Dispatch>,
    mend: &'static str,
) -> Duty {
    FAMILY.duty(id, title, rules, Drill::Accept(dispatches), mend)
}

fn messages() -> Vec<Duty> {
    let base = Dispatch::of(shapes::invoice_paid);
    vec![
        FAMILY.duty(
            "answer.in-time",
            "A message is answered within 20 seconds",
            &[TIMEOUTS],
            Drill::Answer(base),
            "answer as soon as the message is kept, and do the work afterwards",
        ),
        accept(
            "accept.message",
            "A genuine message is answered with 2xx",
            &[SUCCESS, SCHEME],
            vec![base],
            "answer 200 to a message with a right signature: v1, and the base64 of the HMAC-SHA256 of id, timestamp and raw body, under the base64-decoded part of the secret after whsec_",
        ),
        accept(
            "accept.non-ascii",
            "Text beyond ASCII is accepted",
            &[SCHEME],
            vec![Dispatch::of(shapes::non_ascii)],
            "decode the body as UTF-8, after its signature was computed over the bytes",
        ),
        accept(
            "accept.large",
            "A message of 20 kB is accepted",
            &[SIZE],
            vec![Dispatch::of(shapes::large)],
            "raise the limit on the body's size: senders are asked to stay below 20 kB, not below less",
        ),
    ]
}

fn genuine_signatures() -> Vec<Duty> {
    let base = Dispatch::of(shapes::invoice_paid);
    let named = |label, change| Dispatch::named(label, shapes::invoice_paid).changed(change);
    let written = |label, shape: Shape| Dispatch::named(label, shape);
    let all = vec![
        accept(
            "signature.raw-bytes",
            "The signature is computed over the raw bytes, however the JSON is written",
            &[SCHEME],
            vec![
                written("with spaces and line ends", shapes::spaces),
                written("with escapes", shapes::escapes),
                written("with its members in another order", shapes::key_order),
            ],
            "compute the signature over the body's bytes as they came, before they are parsed; JSON that is written again has other bytes",
        ),
        accept(
            "signature.several",
            "One right signature among several is enough",
            &[HEADERS, VERIFYING],
            vec![
                named(
                    "whose second signature is the right one",
                    Change::OtherSignatureFirst,
                ),
                named(
                    "whose first signature is the right one",
                    Change::OtherSignatureLast,
                ),
            ],
            "split webhook-signature at its spaces and try each: while keys are changed there are two",
        ),
        accept(
            "signature.unknown-versions-skipped",
            "Signatures of unknown versions are skipped",
            &[SCHEME, HEADERS],
            vec![base.changed(Change::UnknownVersionsBeside)],
            "skip signatures that do not begin with v1 and a comma, instead of refusing the message",
        ),
    ];
    all.into_iter()
        .map(|duty| duty.needing(Need::Key))
        .collect()
}

fn forgeries() -> Vec<Duty> {
    vec![
        FAMILY.forgery(
            "signature.forged-id",
            "Another id than was signed is refused",
            &[Change::OtherId],
            WHOLE,
        ),
        FAMILY
            .forgery(
                "signature.forged-timestamp",
                "Another timestamp than was signed is refused",
                &[Change::RenewedTimestamp],
                WHOLE,
            )
            .moved(-60),
        FAMILY.forgery(
            "signature.body-alone",
            "A signature of the body alone is refused",
            &[Change::BodyAloneSigned],
            WHOLE,
        ),
        FAMILY.forgery(
            "signature.unknown-version-alone",
            "A signature of an unknown version is not believed",
            &[Change::UnknownVersionAlone],
            "look at the version before the comma, and compare those of version v1 only",
        ),
        FAMILY.forgery(
            "signature.missing-id",
            "A message without an id is refused",
            &[Change::NoId],
            MALFORMED,
        ),
        FAMILY.forgery(
            "signature.missing-timestamp",
            "A message without a timestamp is refused",
            &[Change::NoTimestamp],
            MALFORMED,
        ),
        FAMILY.forgery(
            "signature.malformed-timestamp",
            "A timestamp that is no number is refused, though it was signed",
            &[Change::TimestampWord],
            MALFORMED,
        ),
    ]
}

fn ages(tolerance_s: i64) -> Vec<Duty> {
    let base = Dispatch::of(shapes::invoice_paid);
    let inside_s = tolerance_s - MARGIN_S;
    let refuse = |moved_s| Drill::Refuse(vec![base.moved(moved_s)]);
    let accept = |moved_s| Drill::Accept(vec![base.moved(moved_s)]);
    let allow = "allow the time of --tolerance (5 minutes) between webhook-timestamp and your clock, and see that your clock is right";
    let limit = "refuse a message whose webhook-timestamp is further from your clock than you allow: 5 minutes, either way, unless you said so with --tolerance";
    let all = [
        (
            "age.past-inside",
            "A message a little younger than is allowed is accepted",
            accept(-inside_s),
            allow,
        ),
        (
            "age.past-over",
            "A message a little older than is allowed is refused",
            refuse(-tolerance_s - MARGIN_S),
            limit,
        ),
        (
            "age.future-inside",
            "A message a little ahead of the clock is accepted",
            accept(inside_s),
            allow,
        ),
        (
            "age.future-over",
            "A message too far ahead of the clock is refused",
            refuse(tolerance_s + MARGIN_S),
            limit,
        ),
        (
            "age.day-old",
            "A message that is a day old is refused",
            refuse(-DAY_S),
            "compare webhook-timestamp (Unix seconds) with your clock, or whoever has seen a message can send it again for ever",
        ),
        (
            "age.day-ahead",
            "A message that is a day ahead is refused",
            refuse(DAY_S),
            "refuse timestamps from the future, too: they could be sent again until then",
        ),
    ];
    let duties = all.into_iter();
    duties
        .map(|(id, title, drill, mend)| {
            FAMILY
                .duty(id, title, &[VERIFYING], drill, mend)
                .needing(Need::Key)
        })
        .collect()
}
