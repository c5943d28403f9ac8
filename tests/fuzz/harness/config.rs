//! The configuration: every mistake has its line and its mend, no message shows a secret, and
//! what is accepted can be run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use redeliver::config::{self, Config, ConfigErrors};
use redeliver::endpoint::Order;
use redeliver::endpoint::url::check_url;
use redeliver::policy::Schedule;
use redeliver::vendor::builtin_policies;
use toml::{Table, Value};

const SECRETS: [&str; 7] = [
    "signing_key",
    "password",
    "admin_token",
    "access_token",
    "key",
    "api_key",
    "api_keys",
];
const FROM_ENVIRONMENT: &str = "k3pt-0ut-of-th3-fil3";

/// The text of a file.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let table = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .parse::<Table>();
    let table = table.map(Value::Table);
    // This process reads no file but its own.
    if table.as_ref().is_ok_and(names_a_file) {
        return;
    }
    let read = read(text);
    assert_eq!(read, self::read(text), "the same text says the same");
    match &read {
        Ok(config) => {
            assert!(table.is_ok(), "{text:?}");
            can_be_run(config);
        }
        Err(errors) => are_told(text, errors),
    }
    if let Ok(table) = table {
        let mut told = match &read {
            Ok(config) => format!("{config:?}"),
            Err(errors) => errors.to_string(),
        };
        if let Ok(config) = &read {
            for warning in &config.warnings {
                told.push_str(&warning.to_string());
            }
        }
        assert!(!told.contains(FROM_ENVIRONMENT), "{told}");
        let mut secrets = Vec::new();
        collect_secrets(&table, false, &mut secrets);
        for secret in secrets {
            // Short ones, and those that stand elsewhere too, prove nothing.
            let reference = secret.starts_with("env:") || secret.starts_with("file:");
            let elsewhere = text.matches(secret).count() != 1;
            if secret.len() >= 12 && !reference && !elsewhere {
                assert!(!told.contains(secret), "{secret:?} is shown in {told}");
            }
        }
    }
}

fn read(text: &str) -> Result<Config, ConfigErrors> {
    let env = |name: &str| match name {
        "SET" => Some(FROM_ENVIRONMENT.to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    let file = Path::new("/nonexistent/redeliver.toml");
    config::parse(text, file, &env, &builtin_policies())
}

fn names_a_file(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let path = text.strip_prefix("file:").unwrap_or(text);
            path.starts_with('/') || path.contains("..")
        }
        Value::Array(all) => all.iter().any(names_a_file),
        Value::Table(table) => table.values().any(names_a_file),
        _ => false,
    }
}

fn collect_secrets<'v>(value: &'v Value, is_secret: bool, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) if is_secret => found.push(text),
        Value::Array(all) => all
            .iter()
            .for_each(|one| collect_secrets(one, is_secret, found)),
        Value::Table(table) => table
            .iter()
            .for_each(|(key, one)| collect_secrets(one, SECRETS.contains(&key.as_str()), found)),
        _ => {}
    }
}

fn are_told(text: &str, errors: &ConfigErrors) {
    assert!(!errors.0.is_empty());
    assert!(errors.0.is_sorted_by_key(|error| error.place.clone()));
    let lines = text.matches('\n').count() + 1;
    for error in &errors.0 {
        let line = error.place.line.expect("a line");
        assert!((1..=lines).contains(&line), "{error} of {lines} lines");
        let detail = &error.detail;
        assert!(!detail.chars().any(char::is_control), "{detail:?}");
        // What to do instead stands behind a semicolon; a parser's message is what it is.
        let mends = detail.contains("; ") || detail.starts_with("not valid TOML: ");
        assert!(mends, "{detail:?} says not how to mend it");
        assert_eq!(error.place.file, "/nonexistent/redeliver.toml");
    }
}

fn can_be_run(config: &Config) {
    let server = &config.server;
    let limits = &server.limits;
    assert!(limits.max_body_bytes <= limits.group_max_bytes);
    assert!(limits.group_max_bytes <= limits.ingest_queue_bytes);
    assert!(limits.max_connections > 0 && limits.deliveries_in_flight_max > 0);
    assert!(limits.drain_timeout >= Duration::from_secs(1));
    assert!(config.endpoints.len() <= limits.endpoints_max);
    assert!(server.admin_token.is_some() || server.listen.ip().to_canonical().is_loopback());
    let mut policies = builtin_policies();
    for policy in &config.policies {
        assert!(policies.get(&policy.name).is_none(), "{}", policy.name);
        assert!((0.0..=1.0).contains(&policy.jitter));
        assert!(policy.timeout > Duration::ZERO && policy.timeout <= Duration::from_secs(600));
        assert_ne!(policy.give_up_after, Some(0));
        let shortest = match &policy.schedule {
            Schedule::Table(delays) => *delays.iter().min().unwrap(),
            Schedule::Backoff { first, max, .. } => *first.min(max),
        };
        assert!(shortest > Duration::ZERO, "{policy:?} would never pause");
        policies.insert(policy.clone());
    }
    let mut names = BTreeSet::new();
    for endpoint in &config.endpoints {
        let settings = &endpoint.settings;
        assert!(
            names.insert(&settings.name),
            "{} is there twice",
            settings.name
        );
        let policy = policies.get(&settings.policy).unwrap();
        let url = check_url(&settings.url, policy, settings.allow_http).unwrap();
        assert_eq!(url.as_str(), settings.url);
        assert!((1..=512).contains(&settings.concurrency));
        assert!(settings.order == Order::Independent || settings.concurrency == 1);
        assert!(!settings.filter.patterns.is_empty());
        for (name, value) in &settings.headers {
            hyper::header::HeaderName::try_from(name).unwrap();
            hyper::header::HeaderValue::try_from(value).unwrap();
        }
    }
    let sources: BTreeSet<_> = config.sources.iter().map(|source| &source.name).collect();
    assert_eq!(sources.len(), config.sources.len());
    for website in &config.websites {
        for source in &website.sources {
            assert!(source == "api" || sources.contains(source));
        }
    }
}
