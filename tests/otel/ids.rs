//! What ids come to, as text and as OTLP has them.

use redeliver::trace::TraceContext;

use opentelemetry_proto::tonic::trace::v1::Span;

/// Where the trace of an event begins.
pub fn of_event(id: &str) -> TraceContext {
    TraceContext::of_event(id.parse().unwrap())
}

pub fn is_at(span: &Span, context: TraceContext) -> bool {
    is_in(span, context) && span.span_id == context.span.to_be_bytes()
}

pub fn is_in(span: &Span, context: TraceContext) -> bool {
    span.trace_id == context.trace.to_be_bytes()
}
