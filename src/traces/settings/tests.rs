//! What the variables say, and what is said of those that say nothing that can be done.

use super::*;

fn read(given: &[(&str, &str)]) -> Result<Option<Settings>, String> {
    let env = |name: &str| {
        let found = given.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::read(&env).map_err(|error| error.to_string())
}

fn with(more: (&str, &str)) -> Result<Option<Settings>, String> {
    read(&[(ENDPOINT, "http://127.0.0.1:4318"), more])
}

#[test]
fn without_an_endpoint_or_switched_off_nothing_is_exported() {
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[(ENDPOINT, " ")]), Ok(None));
    assert_eq!(read(&[("OTEL_SERVICE_NAME", "shop")]), Ok(None));
    assert_eq!(with(("OTEL_SDK_DISABLED", "TRUE")), Ok(None));
    assert_eq!(with(("OTEL_TRACES_EXPORTER", "none")), Ok(None));
}

#[test]
fn the_defaults_are_those_of_the_specification() {
    let settings = with(("OTEL_TRACES_EXPORTER", "otlp")).unwrap().unwrap();
    let expected = Settings {
        endpoint: Url::parse("http://127.0.0.1:4318/v1/traces").unwrap(),
        certificate: None,
        timeout: Duration::from_secs(10),
        sampling: Sampling::All,
        queue_max: 2048,
        batch_max: 512,
        delay: Duration::from_secs(5),
    };
    assert_eq!(settings, expected);
}

#[test]
fn the_path_of_traces_is_added_to_the_endpoint_of_all_signals_only() {
    let url = |name, text| read(&[(name, text)]).unwrap().unwrap().endpoint;
    for (name, text, whole) in [
        (ENDPOINT, "http://a:4318/", "http://a:4318/v1/traces"),
        (ENDPOINT, "https://a/otlp", "https://a/otlp/v1/traces"),
        (TRACES_ENDPOINT, "http://a:4318/x", "http://a:4318/x"),
    ] {
        assert_eq!(url(name, text).as_str(), whole);
    }
}

#[test]
fn what_is_said_of_traces_counts_more_than_what_is_said_of_all() {
    let both = [
        (ENDPOINT, "http://all"),
        (TRACES_ENDPOINT, "http://traces/"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2"),
    ];
    let settings = read(&both).unwrap().unwrap();
    assert_eq!(settings.endpoint.as_str(), "http://traces/");
    assert_eq!(settings.timeout, Duration::from_millis(2));
}

#[test]
fn a_sampler_by_its_parent_is_that_of_its_root() {
    let given = |name, argument| {
        let given = [
            (ENDPOINT, "http://a"),
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ];
        read(&given).map(|settings| settings.map(|settings| settings.sampling))
    };
    assert_eq!(given("parentbased_always_on", ""), Ok(Some(Sampling::All)));
    assert_eq!(given("always_off", "1"), Ok(Some(Sampling::None)));
    let tenth = Ok(Some(Sampling::Ratio(0.1)));
    assert_eq!(given("parentbased_traceidratio", "0.1"), tenth);
    assert_eq!(given("traceidratio", ""), Ok(Some(Sampling::Ratio(1.0))));
    assert!(given("traceidratio", "2").is_err());
    assert!(given("xray", "").is_err());
}

#[test]
fn what_cannot_be_done_is_told_with_its_mend_and_without_credentials() {
    let grpc = with(("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")).unwrap_err();
    assert_eq!(
        grpc,
        "OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\"; set it to http/protobuf, for which \
         collectors listen at port 4318; no traces are exported"
    );
    let gzip = with(("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"));
    assert!(gzip.unwrap_err().contains("none"));
    let queue = with(("OTEL_BSP_MAX_QUEUE_SIZE", "0")).unwrap_err();
    assert!(queue.contains("from 1 to 100000"), "{queue}");
    for bad in ["collector:4318", "http://", "http://me:s3cret@a", "s3cret"] {
        let told = read(&[(ENDPOINT, bad)]).unwrap_err();
        assert!(
            told.starts_with(ENDPOINT) && !told.contains("s3cret"),
            "{told}"
        );
    }
}
