//! `POST /v1/events` whole: what is answered 202 is in the log as it was sent, once, and what is
//! answered otherwise is not there at all.

use std::sync::Arc;

use arbitrary::Unstructured;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::Service;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::service::TowerToHyperService;
use redeliver::clock::{ManualClock, Timestamp};
use redeliver::config::Limits;
use redeliver::event::Form;
use redeliver::inbound::body::Bodies;
use redeliver::inbound::{Ingest, cloudevents, native, router};
use redeliver::store::memory::Memory;
use redeliver::store::{Log, Options, Store};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;

const MOST: usize = 2048;

const NAMES: [&str; 9] = [
    "content-type",
    "idempotency-key",
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-subject",
    "ce-time",
    "ce-datacontenttype",
];

const MEDIA: [&str; 8] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/cloudevents+avro",
    "text/plain",
    "application/vnd.x+json",
    "application/json; charset=latin1",
];

thread_local! {
    static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
}

/// Headers, then the body.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    // Input that ends too early is no input.
    let Ok(headers) = headers(&mut input) else {
        return;
    };
    let body = Bytes::copy_from_slice(input.take_rest());
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let log = Log::over(Memory::default(), clock, Options::default(), [1, 2, 3]);
    let log = Arc::new(log.unwrap());
    for turn in 1..=2 {
        let (status, answer) = RUNTIME.with(|runtime| {
            runtime.block_on(async {
                let response = post(&log, &headers, body.clone()).await;
                let status = response.status();
                let bytes = response.into_body().collect().await.unwrap().to_bytes();
                (status, bytes)
            })
        });
        let answer: Value = serde_json::from_slice(&answer).expect("every answer is JSON");
        if status != StatusCode::ACCEPTED {
            assert!(status.is_client_error(), "{status} {answer}");
            assert_eq!(answer["status"], status.as_u16());
            assert_eq!(
                (status == 413),
                body.len() > MOST && status != 415,
                "{answer}"
            );
            assert_eq!(
                log.depth().last_seq,
                0,
                "nothing is kept of what is refused"
            );
            return;
        }
        is_kept(&log, &headers, &body, &answer, turn);
    }
}

fn headers(input: &mut Unstructured<'_>) -> arbitrary::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if input.ratio(3, 4)? {
        let media = *input.choose(&MEDIA)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    }
    for _ in 0..input.int_in_range(0..=8)? {
        let name = HeaderName::from_static(input.choose(&NAMES)?);
        if let Ok(value) = HeaderValue::from_bytes(input.arbitrary()?) {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

async fn post(log: &Arc<Log<Memory>>, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let limits = Limits {
        max_body_bytes: MOST,
        ..Limits::default()
    };
    let (_draining, is_draining) = watch::channel(false);
    let store: Arc<dyn Store> = log.clone();
    let router = router(Ingest::new(store, Bodies::new(&limits), is_draining));
    let mut request = Request::post("/v1/events").body(Body::from(body)).unwrap();
    *request.headers_mut() = headers.clone();
    let answer = TowerToHyperService::new(router).call(request);
    let mut answer = std::pin::pin!(answer);
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer.unwrap(),
            () = tokio::task::yield_now() => { log.commit().unwrap(); }
        }
    }
}

fn is_kept(log: &Log<Memory>, headers: &HeaderMap, body: &Bytes, answer: &Value, turn: u64) {
    assert!(body.len() <= MOST);
    let seq = answer["seq"].as_u64().unwrap();
    let event = log.event(seq).unwrap().expect("it is in the log");
    let content = &event.content;
    assert_eq!(answer["id"], event.id.to_string());
    let keyed = content.idempotency_key.is_some();
    assert_eq!(answer["duplicate"], turn == 2 && keyed);
    let last = if keyed { 1 } else { turn };
    assert_eq!((seq, log.depth().last_seq), (last, last), "each once");
    // The reader whose form the headers name reads the same.
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media = media.unwrap_or_default().to_ascii_lowercase();
    let read = if media.starts_with("application/cloudevents") {
        cloudevents::read_structured(body)
    } else if cloudevents::is_binary(headers) {
        cloudevents::read_binary(headers, body)
    } else {
        native::read(body)
    };
    let read = read.unwrap();
    assert_eq!(
        (&content.kind, &content.subject),
        (&read.kind, &read.subject)
    );
    assert_eq!((&content.time, &content.body), (&read.time, &read.body));
    assert_eq!((content.form, &content.status), (read.form, &read.status));
    assert_eq!(&*content.source, "api");
    if content.form == Form::Data {
        assert_eq!(&*content.content_type, "application/json");
    }
    let mut keys = headers.get_all("idempotency-key").iter();
    match (keys.next(), keys.next()) {
        (None, _) => assert_eq!(content.idempotency_key, read.idempotency_key),
        (Some(key), None) => {
            let kept = content.idempotency_key.as_deref().map(str::as_bytes);
            assert_eq!(kept, Some(key.as_bytes()));
        }
        (Some(_), Some(_)) => panic!("two keys were accepted"),
    }
}
