//! What eSputnik asks of a receiver.

use super::families::{Family, effects};
use crate::check::drill::{Change, Dispatch, Drill, Shape};
use crate::check::duty::{Duty, Need};
use crate::check::shapes::esputnik as shapes;

const FAMILY: Family = Family {
    prefix: "esputnik",
    base: shapes::delivered,
    signature: &[],
    duplicates: &["ESP-39", "ESP-15"],
    success: &["ESP-12"],
    recognise: "remember each activity by iid, activityStatus and activityDateTime together, on disk, and do nothing for one that was seen",
};

/// Its duties, in the order in which they are looked at.
pub(super) fn duties() -> Vec<Duty> {
    let mut all = messages();
    all.push(FAMILY.effect());
    all.extend(logins());
    all.extend(sequences());
    all.extend(FAMILY.repeats(None));
    all.extend(stories());
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
    let base = Dispatch::of(shapes::delivered);
    vec![
        FAMILY.duty(
            "answer.in-time",
            "A request is answered within 10 seconds",
            &["ESP-12"],
            Drill::Answer(base),
            "answer as soon as the activity is kept, and do the work afterwards; until then every later one waits (the vendor names no time; we allow 10 s)",
        ),
        accept(
            "accept.activity",
            "An activity is answered with success",
            &["ESP-42", "ESP-40"],
            &[("", shapes::delivered)],
            "answer 200 to a POST whose body is a JSON array of activities",
        ),
        FAMILY.duty(
            "answer.exactly-200",
            "Success is answered with 200 and nothing else",
            &["ESP-12"],
            Drill::AcceptStrictly(base),
            "answer 200: 201, 202 and 204 count as failures, and the same request comes again for ever",
        ),
        FAMILY.duty(
            "get.answered",
            "GET is answered with 2xx",
            &["ESP-07", "ESP-42", "A-12"],
            Drill::Get,
            "answer GET on the same URL with 200: the vendor asks before it saves the webhook",
        ),
        accept(
            "accept.test-message",
            "A test message, which has no messageName, is accepted",
            &["ESP-30"],
            &[("", shapes::test_message)],
            "expect messageName to be missing",
        ),
        accept(
            "accept.statuses",
            "Every activityStatus is accepted",
            &["ESP-22", "ESP-24", "ESP-25", "ESP-26", "A-10"],
            shapes::STATUSES,
            "expect all eight statuses; statusDescription, hardBounce and clickEventLink come with some of them only",
        ),
        accept(
            "accept.media-types",
            "Every mediaType is accepted, in either case",
            &["ESP-29", "A-16"],
            shapes::MEDIA_TYPES,
            "compare mediaType without regard to case, and expect one that you do not know",
        ),
        accept(
            "accept.triggered",
            "An activity of a workflow, which has no broadcastId, is accepted",
            &["ESP-35", "ESP-36"],
            &[("", shapes::triggered)],
            "expect either broadcastId or the fields of a workflow",
        ),
        accept(
            "accept.left-out",
            "externalCustomerId, email and viewMessageLink may be missing",
            &["ESP-37", "ESP-38"],
            &[("", shapes::left_out)],
            "read fields as ones that may be missing: what is unknown is left out, not null",
        ),
        accept(
            "accept.status-data",
            "statusData may be an object, an array or null",
            &["ESP-32", "A-17"],
            &[
                ("whose statusData is an array", shapes::status_data_array),
                ("whose statusData is null", shapes::status_data_null),
            ],
            "take statusData as it comes: it is documented as an array and sent as {}",
        ),
        accept(
            "accept.subscriptions",
            "Subscriptions are accepted in each spelling",
            &["ESP-33", "A-18"],
            &[
                ("with subscriptions", shapes::subscriptions),
                ("with subscriptons", shapes::subscriptons),
            ],
            "read subscriptions and, as the document spells it, subscriptons; neither is there always",
        ),
        accept(
            "accept.wide-integers",
            "Ids of 64 bits are accepted",
            &["ESP-27"],
            &[("", shapes::wide_integers)],
            "keep broadcastId, contactId and the others in 64 bits",
        ),
        accept(
            "accept.several",
            "An array of several activities is accepted",
            &["ESP-40", "A-19"],
            &[("", shapes::several)],
            "go through the whole array, not its first activity only",
        ),
        accept(
            "accept.non-ascii",
            "Text beyond ASCII is accepted",
            &["ESP-28"],
            &[("", shapes::non_ascii)],
            "decode the body as UTF-8",
        ),
        accept(
            "accept.large",
            "An array of 256 KiB is accepted",
            &["ESP-40", "A-19"],
            &[("", shapes::large)],
            "raise the limit on the body's size: no limit is documented, and frameworks often stop at 100 KiB",
        ),
    ]
}

fn logins() -> Vec<Duty> {
    let base = Dispatch::of(shapes::delivered);
    let refuse = |id: &str, title, changes: &[Change], mend| {
        let dispatches = changes.iter().map(|change| base.changed(*change));
        let drill = Drill::Refuse(dispatches.collect());
        FAMILY
            .duty(id, title, &["ESP-04", "A-11"], drill, mend)
            .needing(Need::Basic)
    };
    vec![
        refuse(
            "basic.missing",
            "A request without credentials is refused",
            &[Change::NoLogin],
            "answer 401 where the Authorization header is missing: the vendor signs nothing, so that the login is all there is",
        ),
        refuse(
            "basic.wrong-password",
            "A wrong password is refused",
            &[Change::WrongPassword, Change::EmptyPassword],
            "compare the whole of user and password, in constant time",
        ),
        refuse(
            "basic.wrong-user",
            "A wrong user is refused",
            &[Change::WrongUser],
            "compare the whole of user and password, in constant time",
        ),
        refuse(
            "basic.other-scheme",
            "Credentials of another scheme are refused",
            &[Change::OtherLoginScheme],
            "take the scheme Basic and no other",
        ),
    ]
}

/// Activities of one message, one request after another.
fn sequences() -> Vec<Duty> {
    let parts = [shapes::delivered, shapes::read, shapes::clicked].map(Dispatch::of);
    vec![
        FAMILY.duty(
            "order.sequence",
            "DELIVERED, READ and CLICKED of one message are accepted one after another",
            &["ESP-11", "ESP-16", "ESP-17"],
            Drill::AcceptSequence(parts.to_vec()),
            "accept each activity of a message on its own: until one is answered 200 all later ones wait",
        ),
        FAMILY
            .duty(
                "order.effects",
                "DELIVERED, READ and CLICKED of one message have one effect each",
                &["ESP-11", "ESP-39"],
                effects(&parts, true, 3),
                "do the work of each activity, and not only of the first one of a message",
            )
            .needing(Need::Probe),
    ]
}

/// What is a duplicate and what only looks like one.
fn stories() -> Vec<Duty> {
    let same = |id: &str, title, shapes: &[Shape], expected, mend| {
        let dispatches: Vec<_> = shapes.iter().map(|shape| Dispatch::of(*shape)).collect();
        FAMILY
            .duty(
                id,
                title,
                &["ESP-39"],
                effects(&dispatches, true, expected),
                mend,
            )
            .needing(Need::Probe)
    };
    vec![
        same(
            "duplicate.not-by-iid",
            "DELIVERED and UNDELIVERED with one iid have two effects",
            &[shapes::delivered, shapes::undelivered],
            2,
            FAMILY.recognise,
        ),
        same(
            "duplicate.not-by-status",
            "CLICKED twice with one iid at different times has two effects",
            &[shapes::clicked, shapes::clicked_again],
            2,
            FAMILY.recognise,
        ),
        same(
            "duplicate.within-array",
            "Of an array that holds a known activity, the new one has its effect",
            &[shapes::delivered, shapes::delivered_and_read],
            2,
            "look at each activity of an array by itself; do not skip or repeat the array as a whole",
        ),
    ]
}
