//! Traces are a feature of the build: a binary without it says so where somebody asks for them.

use redeliver::traces::IS_BUILT;
use serde_json::json;

use crate::process::broker::Site;
use crate::scrape::Page;

const WARNING: &str = "built without them: nothing is exported";

#[test]
fn a_binary_without_traces_says_so_in_one_line_and_works() {
    for (endpoint, config) in [
        ("http://127.0.0.1:1", ""),
        ("", "[otel]\ntraceparent = [\"crm\"]\n"),
    ] {
        let mut site = Site::new();
        site.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        site.configure(config);
        let broker = site.start(&[]);
        broker.event("t", &json!(1));
        broker.stop();
        let count = site.log().matches(WARNING).count();
        assert_eq!(count, usize::from(!IS_BUILT), "{}", site.log());
    }
}

#[test]
fn where_nobody_asks_for_traces_there_is_no_word_and_no_figure_of_them() {
    let site = Site::new();
    let broker = site.start(&[]);
    let page = Page::of(&broker);
    let figures = page.samples.keys().filter(|it| it.contains("trace_"));
    assert_eq!(figures.count(), 0, "{}", page.text);
    broker.stop();
    assert!(!site.log().contains("traces"), "{}", site.log());
}

#[test]
fn mistakes_in_the_table_are_told_with_their_lines() {
    let site = Site::new();
    site.configure("[otel]\ntraceparent = [\"cr*\", 7]\nendpoint = \"http://a\"\n");
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 2);
    for said in [
        "2: traceparent holds \"cr*\"; give names of endpoints, or \"*\" for all of them",
        "2: traceparent holds an integer; write an array of texts",
        "3: unknown key \"endpoint\" in [otel]",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
}
