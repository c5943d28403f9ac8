//! `GET /api/sse/live`.

use serde_json::{Value, json};

use crate::process::broker::Broker;
use crate::process::source::Source;
use crate::shop::{Shop, header};

const PATH: &str = "/api/sse/live?trackingCode=ZV_XXXXXXXXXXX&websiteId=ws_abc123";

fn open(broker: &Broker) -> Source {
    let source = Source::open(broker.address, PATH, &[]);
    // Its head is there before anything happens (ZRT-31).
    for (name, value) in [("cache-control", "no-cache"), ("connection", "keep-alive")] {
        let headers = &source.headers;
        assert!(
            headers.contains(&(name.into(), value.into())),
            "{headers:?}"
        );
    }
    source
}

/// The next event, and its data, of a frame that is exactly as it should be (ZRT-34).
fn next(source: &mut Source) -> (String, Value) {
    let frame = source.text().expect("the stream has ended");
    let (event, data) = frame.trim_end().split_once('\n').unwrap();
    let event = event.strip_prefix("event: ").unwrap();
    let data = data.strip_prefix("data: ").unwrap();
    assert_eq!(frame, format!("event: {event}\ndata: {data}\n\n"));
    assert!(!data.contains([' ', '\n', '\r']), "{data}");
    (event.to_owned(), serde_json::from_str(data).unwrap())
}

#[test]
fn zrt_32_zrt_33_a_stream_tells_the_live_count_every_ten_seconds_and_totals_every_thirty() {
    let shop = Shop::open();
    shop.view("ann", "/");
    let mut source = open(&shop.broker);
    shop.broker.advance("9s999ms");
    shop.view("bob", "/");
    // Nothing came before: this is the first, and bob is in it.
    shop.broker.advance("1ms");
    assert_eq!(next(&mut source), ("live".into(), json!({"visitors": 2})));
    shop.broker.advance("10s");
    assert_eq!(next(&mut source), ("live".into(), json!({"visitors": 2})));
    shop.broker.advance("10s");
    assert_eq!(next(&mut source).0, "live");
    let (event, totals) = next(&mut source);
    assert_eq!(event, "analytics");
    assert_eq!(totals["total_visitors"], 2);
    assert_eq!(totals["total_page_views"], 2);
    assert_eq!(totals["unique_visitors"], 2);
    // In one step, as when a machine has slept: nothing of it is lost.
    shop.broker.advance("5m");
    let events: Vec<_> = (0..40).map(|_| next(&mut source)).collect();
    let named = |name: &str| events.iter().filter(|(event, _)| event == name).count();
    assert_eq!((named("live"), named("analytics")), (30, 10));
    assert_eq!(events[38], ("live".into(), json!({"visitors": 0})));
    shop.broker.stop();
}

#[test]
fn a_24_a_stream_begins_with_both_figures_where_the_website_says_so_and_then_keeps_its_times() {
    let shop = Shop::with("initial_snapshot = true");
    shop.view("ann", "/");
    let mut source = open(&shop.broker);
    assert_eq!(next(&mut source), ("live".into(), json!({"visitors": 1})));
    let (event, totals) = next(&mut source);
    assert_eq!(
        (&*event, &totals["total_page_views"]),
        ("analytics", &json!(1))
    );
    shop.broker.advance("30s");
    let names: Vec<_> = (0..4).map(|_| next(&mut source).0).collect();
    assert_eq!(names, ["live", "live", "live", "analytics"]);
    shop.broker.stop();
}

#[test]
fn zrt_38_a_browser_that_comes_back_gets_a_stream_of_its_own_again() {
    let shop = Shop::open();
    shop.view("ann", "/");
    for _ in 0..3 {
        let mut source = open(&shop.broker);
        shop.broker.advance("10s");
        assert_eq!(next(&mut source), ("live".into(), json!({"visitors": 1})));
    }
    shop.broker.stop();
}

#[test]
fn a_year_in_one_step_is_not_made_up_for_event_by_event() {
    let shop = Shop::open();
    let mut source = open(&shop.broker);
    shop.broker.advance("8760h");
    for _ in 0..60 {
        next(&mut source);
    }
    shop.broker.stop();
}

#[test]
fn a_stop_ends_open_streams_at_once() {
    let shop = Shop::open();
    let mut sources: Vec<_> = (0..5).map(|_| open(&shop.broker)).collect();
    // The drain would take longer than a stop is waited for here.
    shop.broker.stop();
    for source in &mut sources {
        assert_eq!(
            source.text(),
            None,
            "it ends as a stream ends, not as one breaks"
        );
    }
}

#[test]
fn zrt_36_streams_that_were_left_make_room_for_others_and_too_many_are_refused() {
    let shop = Shop::open();
    let Shop { broker, site } = shop;
    broker.stop();
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    site.configure(&format!("{config}\n[limits]\nstreams_max = 4\n"));
    let broker = site.start(&["--clock", "manual"]);
    let first = open(&broker);
    let _second = open(&broker);
    let refused = broker.send("GET", PATH, &[], b"");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["success"], false);
    assert!(
        header(&refused, "retry-after")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    drop(first);
    // Its clock stands still: it is the disconnection that ends it, not the next event.
    crate::process::eventually("there is room again", || {
        Source::ask(broker.address, PATH, &[])
    });
    broker.stop();
}

#[test]
fn a_stream_of_no_website_is_refused_in_json() {
    let shop = Shop::open();
    for (query, status) in [
        ("", 400),
        ("?trackingCode=ZV_XXXXXXXXXXX", 400),
        ("?trackingCode=ZV_Z&websiteId=ws_abc123", 404),
        ("?trackingCode=ZV_YYYYYYYYYYY&websiteId=ws_abc123", 404),
    ] {
        let path = format!("/api/sse/live{query}");
        let answer = shop.broker.send("GET", &path, &[], b"");
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.json()["success"], false);
    }
    let answer = shop.broker.send("POST", PATH, &[], b"");
    assert_eq!(answer.status, 405);
}
