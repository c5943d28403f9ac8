//! What happened, and the spans that it comes to.

use std::sync::Arc;

use hyper::StatusCode;
use opentelemetry::Value;

use super::*;
use crate::endpoint::tests::endpoint;

const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const OWN: TraceContext = TraceContext {
    trace: 7,
    span: 8,
    is_sampled: true,
};

fn event(seq: u64) -> EventId {
    EventId::new(AT, seq, 9)
}

fn taken(seq: u64, is_duplicate: bool) -> Taken {
    Taken {
        id: event(seq),
        is_duplicate,
        source: "shop".into(),
        kind: "order.paid".into(),
    }
}

fn answered(taken: Vec<Taken>) -> Answered {
    Answered {
        method: Method::POST,
        route: "/v1/events",
        id: Some("r-1".to_owned()),
        caller: None,
        status: StatusCode::ACCEPTED,
        began: AT,
        took: Duration::from_micros(250),
        taken,
    }
}

fn spans(request: Answered) -> Vec<SpanData> {
    of(&Fact::Request(request), OWN)
}

fn attempt(number: u32) -> Attempt {
    Attempt {
        event: event(1),
        source: "shop".into(),
        kind: "order.paid".into(),
        endpoint: endpoint(3),
        number,
        started_at: AT,
        took: Duration::from_micros(1_500),
        status: Some(200),
        error: None,
        outcome: Outcome::Delivered,
    }
}

fn value(span: &SpanData, name: &str) -> Option<Value> {
    let mut all = span.attributes.iter();
    let found = all.find(|it| it.key.as_str() == name);
    found.map(|it| it.value.clone())
}

fn text(span: &SpanData, name: &str) -> String {
    value(span, name).map_or_else(String::new, |value| value.to_string())
}

/// Trace and span.
fn place(span: &SpanData) -> (u128, u64) {
    let context = &span.span_context;
    (
        u128::from_be_bytes(context.trace_id().to_bytes()),
        u64::from_be_bytes(context.span_id().to_bytes()),
    )
}

fn place_of(context: TraceContext) -> (u128, u64) {
    (context.trace, context.span)
}

#[test]
fn a_request_that_brings_one_event_begins_its_trace() {
    let spans = spans(answered(vec![taken(1, false)]));
    assert_eq!(spans.len(), 1);
    let span = &spans[0];
    assert_eq!(place(span), place_of(TraceContext::of_event(event(1))));
    assert_eq!(span.parent_span_id, SpanId::INVALID);
    assert_eq!(
        (&*span.name, &span.span_kind),
        ("POST /v1/events", &SpanKind::Server)
    );
    let took = span.end_time.duration_since(span.start_time);
    assert_eq!(took.unwrap(), Duration::from_micros(250));
    assert_eq!(text(span, "messaging.message.id"), event(1).to_string());
    assert_eq!(text(span, "redeliver.event.type"), "order.paid");
    assert_eq!(value(span, "http.response.status_code"), Some(202.into()));
    assert_eq!(text(span, "redeliver.request.id"), "r-1");
    assert_eq!(span.status, Status::Unset);
}

#[test]
fn a_list_has_a_trace_of_its_own_and_each_new_event_begins_another() {
    let spans = spans(answered(vec![
        taken(1, false),
        taken(2, true),
        taken(3, false),
    ]));
    let [request, first, third] = &spans[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(place(request), place_of(OWN));
    assert_eq!(
        value(request, "messaging.batch.message_count"),
        Some(3.into())
    );
    assert_eq!(request.links.len(), 3, "the duplicate's too");
    for (root, seq) in [(first, 1), (third, 3)] {
        assert_eq!(place(root), place_of(TraceContext::of_event(event(seq))));
        assert_eq!(
            (&*root.name, &root.span_kind),
            ("create shop", &SpanKind::Producer)
        );
        assert_eq!(&root.links[0].span_context, &request.span_context);
    }
}

#[test]
fn a_duplicate_begins_nothing_and_is_linked_to_the_first() {
    let spans = spans(answered(vec![taken(1, true)]));
    assert_eq!(spans.len(), 1);
    assert_eq!(place(&spans[0]), place_of(OWN));
    let linked = spans[0].links[0].span_context.trace_id().to_bytes();
    let first = TraceContext::of_event(event(1)).trace;
    assert_eq!(u128::from_be_bytes(linked), first);
    assert_eq!(
        value(&spans[0], "redeliver.event.duplicate"),
        Some(true.into())
    );
}

#[test]
fn the_callers_trace_is_a_link_and_never_the_spans_own() {
    let caller = TraceContext {
        trace: 70,
        span: 80,
        is_sampled: false,
    };
    let request = Answered {
        caller: Some(caller),
        ..answered(vec![taken(1, false)])
    };
    let spans = spans(request);
    assert_eq!(place(&spans[0]), place_of(TraceContext::of_event(event(1))));
    let link = &spans[0].links[0].span_context;
    assert!(link.is_remote() && !link.is_sampled());
    assert_eq!(u128::from_be_bytes(link.trace_id().to_bytes()), 70);
}

#[test]
fn links_are_bounded_and_those_left_out_are_counted() {
    let request = answered((1..=130).map(|seq| taken(seq, false)).collect());
    let spans = spans(request);
    assert_eq!(spans.len(), 131);
    assert_eq!(spans[0].links.links.len(), LINKS_MAX);
    assert_eq!(spans[0].links.dropped_count, 2);
}

#[test]
fn only_what_is_our_fault_is_an_error_of_the_server_and_a_strange_method_is_not_repeated() {
    let of = |status, method: &str| {
        let spans = spans(Answered {
            status: StatusCode::from_u16(status).unwrap(),
            method: method.parse().unwrap(),
            ..answered(vec![])
        });
        let told = ["error.type", "http.request.method"].map(|name| text(&spans[0], name));
        (
            spans[0].status == Status::error(""),
            told,
            spans[0].name.to_string(),
        )
    };
    let told = |error: &str, method: &str| [error.to_owned(), method.to_owned()];
    let name = "POST /v1/events".to_owned();
    assert_eq!(of(422, "POST"), (false, told("", "POST"), name.clone()));
    assert_eq!(of(507, "POST"), (true, told("507", "POST"), name));
    let other = "HTTP /v1/events".to_owned();
    assert_eq!(of(405, "SESAME"), (false, told("", "_OTHER"), other));
}

#[test]
fn an_attempt_is_a_client_below_its_events_beginning_whatever_its_number() {
    let root = TraceContext::of_event(event(1));
    for number in [1, 2, 9] {
        let spans = of(&Fact::Attempt(attempt(number)), OWN);
        let span = &spans[0];
        let own = TraceContext::of_attempt(event(1), 3, number);
        assert_eq!(place(span), place_of(own));
        assert_eq!(own.trace, root.trace);
        assert_eq!(span.parent_span_id.to_bytes(), root.span.to_be_bytes());
        assert_eq!(span.span_kind, SpanKind::Client);
        assert_eq!(
            value(span, "redeliver.attempt"),
            Some(i64::from(number).into())
        );
        let resent = Some(i64::from(number) - 1).filter(|resent| *resent > 0);
        assert_eq!(
            value(span, "http.request.resend_count"),
            resent.map(Value::from)
        );
        assert_eq!(span.status, Status::Unset);
        assert_eq!(text(span, "redeliver.outcome"), "delivered");
    }
}

#[test]
fn a_failed_attempt_says_why_and_what_follows() {
    let failed = |status, error: Option<&str>, outcome| {
        let failed = Attempt {
            status,
            error: error.map(str::to_owned),
            outcome,
            ..attempt(1)
        };
        let spans = of(&Fact::Attempt(failed), OWN);
        let told = ["error.type", "redeliver.outcome"].map(|name| text(&spans[0], name));
        (told.join(" "), spans[0].status.clone())
    };
    let after = Duration::from_secs(1);
    let refused = "refused by 127.0.0.1:1";
    assert_eq!(
        failed(Some(503), None, Outcome::Retry { after }),
        ("503 failed".to_owned(), Status::error(""))
    );
    assert_eq!(
        failed(None, Some(refused), Outcome::Dead),
        ("no_answer dead".to_owned(), Status::error(refused))
    );
}

#[test]
fn of_an_endpoints_url_nothing_is_told_but_its_host() {
    let mut receiver = (*endpoint(3)).clone();
    receiver.settings.url = "https://hooks.example:8443/T0/s3cret?key=s3cret".to_owned();
    let spans = of(
        &Fact::Attempt(Attempt {
            endpoint: Arc::new(receiver),
            ..attempt(1)
        }),
        OWN,
    );
    assert_eq!(text(&spans[0], "server.address"), "hooks.example");
    assert_eq!(value(&spans[0], "server.port"), Some(8443.into()));
    assert!(!format!("{:?}", spans[0]).contains("s3cret"));
}
