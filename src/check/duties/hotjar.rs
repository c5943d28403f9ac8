//! What Contentsquare (Hotjar) asks of a receiver.

use super::families::{Family, effects};
use super::{DAY_S, MARGIN_S};
use crate::check::drill::{Dispatch, Drill, Shape};
use crate::check::duty::{Duty, Need};
use crate::check::shapes::hotjar as shapes;
use crate::vendor::hotjar::MAX_AGE;

const FAMILY: Family = Family {
    prefix: "hotjar",
    base: shapes::survey,
    signature: &["HOT-33", "HOT-34"],
    duplicates: &["HOT-18", "HOT-19"],
    success: &["HOT-15", "HOT-16"],
    recognise: "remember each data.id on disk, and do nothing for one that was seen; the body's bytes are no guide, as each retry has a new timestamp (A-03)",
};

/// Its duties, in the order in which they are looked at.
pub(super) fn duties() -> Vec<Duty> {
    let mut all = messages();
    all.push(FAMILY.effect());
    all.push(raw_bytes());
    all.extend(FAMILY.forgeries());
    all.extend(ages());
    all.extend(FAMILY.aftermath());
    all.extend(FAMILY.repeats(Some(-30)));
    let base = Dispatch::of(shapes::survey);
    all.push(
        FAMILY
            .duty(
                "duplicate.only-by-id",
                "Two responses that differ by their ids only have two effects",
                &["HOT-18", "HOT-39"],
                effects(&[base, base], false, 2),
                "recognise a response by data.id alone; people answer the same survey twice",
            )
            .needing(Need::Probe),
    );
    let without_id = Dispatch::of(shapes::null_id);
    all.push(
        FAMILY
            .duty(
                "duplicate.not-by-null-id",
                "Two responses whose ids are null have two effects",
                &["HOT-18", "HOT-38"],
                effects(&[without_id, without_id], false, 2),
                "do not remember a null id: it is nobody's, and all responses but the first would be lost",
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
    shapes: &[(&'static str, Shape)],
    mend: &'static str,
) -> Duty {
    let dispatches = shapes.iter();
    let dispatches = dispatches.map(|(label, shape)| Dispatch::named(label, *shape));
    FAMILY.duty(id, title, rules, Drill::Accept(dispatches.collect()), mend)
}

fn messages() -> Vec<Duty> {
    let base = Dispatch::of(shapes::survey);
    vec![
        FAMILY.duty(
            "answer.in-time",
            "A message is answered within 10 seconds",
            &["HOT-15"],
            Drill::Answer(base),
            "answer as soon as the message is kept, and do the work afterwards",
        ),
        FAMILY.duty(
            "accept.survey-response",
            "A genuine survey response is answered with 2xx",
            &["HOT-16", "HOT-30", "HOT-31"],
            Drill::Accept(vec![base]),
            "answer 200 to a message whose com-hotjar-signature is the HMAC-SHA3-256 of the raw body in lower-case hex; `redeliver verify` names the usual mistakes",
        ),
        accept(
            "accept.test-message",
            "The test message is accepted",
            &["HOT-58"],
            &[("", shapes::test_message)],
            "answer test_message with 200, though its data is {\"sample\": \"data\"} and has no id",
        ),
        accept(
            "accept.unknown-event",
            "An event of an unknown type is accepted",
            &["HOT-17", "A-06"],
            &[("", shapes::unknown_event)],
            "look at `event` first, and answer 200 to what you have no use for",
        ),
        accept(
            "accept.unknown-fields",
            "Fields that are not documented are ignored",
            &["HOT-37"],
            &[("", shapes::unknown_fields)],
            "let the parser skip what it does not know: fields may be added at any time",
        ),
        accept(
            "accept.nulls",
            "Every field but the id may be null",
            &["HOT-38"],
            &[("", shapes::nulls)],
            "expect null in each field, also in questions and user_attributes",
        ),
        accept(
            "accept.null-id",
            "The id may be null, too",
            &["HOT-38"],
            &[("", shapes::all_null)],
            "accept a message without an id; it cannot be told from another one, so do not keep its id",
        ),
        accept(
            "accept.question-spelling",
            "Both question_text and questiom_text are accepted",
            &["A-09", "HOT-54"],
            &[
                ("with question_text", shapes::question_text),
                ("with questiom_text", shapes::questiom_text),
            ],
            "read question_text, and where it is missing questiom_text: the vendor's list of fields has the one, its example the other",
        ),
        accept(
            "accept.question-types",
            "Every type of question is accepted, also none at all",
            &["HOT-55", "HOT-56", "HOT-57"],
            &[
                ("with every type of question", shapes::question_types),
                ("without questions", shapes::no_questions),
            ],
            "expect any question_type, several answers to a question, empty answers and no questions",
        ),
        accept(
            "accept.user-attributes",
            "Attributes may be texts, numbers, booleans and times",
            &["HOT-53"],
            &[("", shapes::user_attributes)],
            "do not take every value of user_attributes for a text",
        ),
        accept(
            "accept.non-ascii",
            "Text beyond ASCII is accepted",
            &["HOT-04"],
            &[("", shapes::non_ascii)],
            "decode the body as UTF-8, after its signature was computed over the bytes",
        ),
        accept(
            "accept.large",
            "A response of 256 KiB is accepted",
            &["HOT-02", "HOT-56"],
            &[("", shapes::large)],
            "raise the limit on the body's size: no limit is documented for answers, and frameworks often stop at 100 KiB",
        ),
        accept(
            "accept.out-of-order",
            "A response with a lower index than the last one is accepted",
            &["HOT-12", "HOT-13"],
            &[
                ("that was given later", shapes::survey),
                ("that was given earlier", shapes::earlier),
            ],
            "order responses by index when you read them; they are not sent in order",
        ),
    ]
}

fn raw_bytes() -> Duty {
    accept(
        "signature.raw-bytes",
        "The signature is computed over the raw bytes, however the JSON is written",
        &["HOT-33"],
        &[
            ("with spaces and line ends", shapes::spaces),
            ("with escapes", shapes::escapes),
            ("with its members in another order", shapes::key_order),
        ],
        "compute the signature over the body's bytes as they came, before they are parsed; JSON that is written again has other bytes",
    )
    .needing(Need::Key)
}

fn ages() -> Vec<Duty> {
    let limit_s = MAX_AGE.as_secs() as i64;
    let base = Dispatch::of(shapes::survey);
    let refuse = |moved_s| Drill::Refuse(vec![base.moved(moved_s)]);
    let rules = &["HOT-35"];
    vec![
        FAMILY
            .duty(
                "age.just-inside",
                "A message that is a little less than 5 minutes old is accepted",
                rules,
                Drill::Accept(vec![base.moved(MARGIN_S - limit_s)]),
                "allow 5 minutes between `timestamp` and your clock, and see that your clock is right",
            )
            .needing(Need::Key),
        FAMILY
            .duty(
                "age.just-over",
                "A message that is a little more than 5 minutes old is refused",
                rules,
                refuse(-MARGIN_S - limit_s),
                "refuse a message whose `timestamp` is more than 300 seconds old, once its signature was found right",
            )
            .needing(Need::Key),
        FAMILY
            .duty(
                "age.day-old",
                "A message that is a day old is refused",
                rules,
                refuse(-DAY_S),
                "compare `timestamp` (Unix seconds) with your clock, or whoever has seen a message can send it again for ever",
            )
            .needing(Need::Key),
        FAMILY.duty(
            "age.future",
            "A message from the future",
            rules,
            Drill::Unjudged(
                "the vendor says nothing about timestamps ahead of the receiver's clock",
            ),
            "nothing is to be mended: refuse them or not, as you like",
        ),
    ]
}
