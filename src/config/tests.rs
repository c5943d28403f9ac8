//! What a whole configuration comes to.

use std::time::Duration;

use super::*;
use crate::endpoint::tests::policies;
use crate::endpoint::{Check, FilterOn, Order, Origin};
use crate::policy::{On410, Schedule};

mod alerts;
mod documentation;
mod messages;
mod reference;
mod sources;
mod weak;

/// The sample of the documentation.
const SAMPLE: &str = r#"[server]
listen = "127.0.0.1:7070"
data_dir = "redeliver-data"
admin_token = "env:REDELIVER_TOKEN"   # required when listen is not loopback

[[source]]
name = "shop"            # POST /v1/accounts/LICENSE/events
kind = "zebline"
license = "LICENSE_CODE"
access_token = "env:ZEBLINE_TOKEN"

[[source]]
name = "surveys"         # POST /in/surveys : a real Hotjar points here
kind = "hotjar"          # or esputnik, standard, cloudevents, raw, zenovay (a poller)
key = "env:HOTJAR_KEY"

[[endpoint]]
name = "crm"
url = "http://127.0.0.1:9000/hook"
policy = "esputnik"      # or hotjar, standard, or a [policy.NAME] table of your own
events = ["*"]           # event types; under esputnik the activity status, where an event has one
basic_auth = { user = "u", password = "env:CRM_PASSWORD" }

[[endpoint]]
name = "warehouse"
url = "http://127.0.0.1:9001/hook"
policy = "hotjar"
signing_key = "env:WAREHOUSE_KEY"

[policy.mine]
order = "in-order"       # or independent
success = "2xx"          # or "200"
schedule = ["1s", "10s", "1m"]       # or backoff = { first = "1m", factor = 2, max = "1h" }
give_up_after = 8        # attempts; leave out for never
on_410 = "remove"        # or retry
timeout = "10s"
jitter = 0.0

[[website]]              # Zenovay's read side, computed from the log
id = "ws_abc123"
tracking_code = "ZV_XXXXXXXXXXX"
domain = "example.com"
name = "Example"
sources = ["shop"]       # whose events count
api_keys = ["env:ZENOVAY_API_KEY"]
"#;

/// Every variable is set to `hunter2-` and its name, but those that begin with `UNSET`.
pub(super) fn environment(name: &str) -> Option<String> {
    (!name.starts_with("UNSET")).then(|| format!("hunter2-{name}"))
}

pub(super) fn parsed(text: &str) -> Result<Config, ConfigErrors> {
    parse(text, Path::new("redeliver.toml"), &environment, &policies())
}

#[test]
fn the_sample_of_the_documentation_is_right() {
    let config = parsed(SAMPLE).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:7070");
    let token = config.server.admin_token.unwrap();
    assert_eq!(token.expose(), "hunter2-REDELIVER_TOKEN");
    assert_eq!(config.warnings, []);
    let [shop, surveys] = &config.sources[..] else {
        panic!("two sources")
    };
    assert_eq!((shop.kind, shop.line), (SourceKind::Zebline, 6));
    assert_eq!(shop.license.as_deref(), Some("LICENSE_CODE"));
    assert_eq!(surveys.kind, SourceKind::Hotjar);
    let [crm, warehouse] = &config.endpoints[..] else {
        panic!("two endpoints")
    };
    assert_eq!((crm.line, warehouse.line), (17, 24));
    assert_eq!(crm.settings.origin, Origin::Config);
    assert_eq!(crm.settings.filter.on, FilterOn::Status);
    assert_eq!(crm.settings.concurrency, 1);
    assert_eq!(crm.settings.check, Check::Any2xx);
    let auth = crm.settings.basic_auth.as_ref().unwrap();
    assert_eq!(auth.password.expose(), "hunter2-CRM_PASSWORD");
    assert_eq!(warehouse.settings.concurrency, 8);
    let [mine] = &config.policies[..] else {
        panic!("one policy")
    };
    assert_eq!((mine.order, mine.on_410), (Order::InOrder, On410::Remove));
    assert_eq!(mine.give_up_after, Some(8));
    assert_eq!(mine.schedule.delay(3), Duration::from_secs(60));
    assert_eq!(config.websites[0].sources, ["shop"]);
}

#[test]
fn an_empty_file_is_the_defaults() {
    let config = parsed("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.server.data_dir, Path::new("redeliver-data"));
    assert_eq!(config.server.limits.max_body_bytes, 1024 * 1024);
}

#[test]
fn five_mistakes_are_reported_at_once_each_with_its_line() {
    let text = SAMPLE
        .replace("kind = \"hotjar\"", "kind = \"hotjat\"")
        .replace("policy = \"hotjar\"", "polcy = \"hotjar\"")
        .replace("timeout = \"10s\"", "timeout = 10")
        .replace("env:CRM_PASSWORD", "env:UNSET_PASSWORD")
        .replace("name = \"warehouse\"", "name = \"crm\"");
    assert_eq!(
        parsed(&text).unwrap_err().to_string(),
        "\
redeliver.toml:14: kind \"hotjat\" is not known; did you mean \"hotjar\"?
redeliver.toml:22: environment variable UNSET_PASSWORD is not set; export it or use file:PATH
redeliver.toml:24: endpoint \"crm\" is defined twice, first at line 17; give each a name of its own
redeliver.toml:27: unknown key \"polcy\" in [[endpoint]]; did you mean \"policy\"?
redeliver.toml:36: timeout 10 has no unit; write for example \"10s\""
    );
}

#[test]
fn a_custom_policy_that_says_little_gets_defaults_that_follow_from_its_schedule() {
    let config = parsed(
        "[policy.table]\nschedule = [\"1s\", \"2s\"]\n\
         [policy.forever]\nschedule = [\"1s\"]\ngive_up_after = \"never\"\n\
         [policy.backoff]\nbackoff = { first = \"1m\", max = \"1h\" }\nretry_after = true\n\
         [[endpoint]]\nname = \"e\"\nurl = \"http://h/\"\npolicy = \"table\"\nheaders = { X-B = \"2\", X-A = \"1\" }\n",
    )
    .unwrap();
    let [table, forever, backoff] = &config.policies[..] else {
        panic!("three policies, in the file's order")
    };
    assert_eq!(table.give_up_after, Some(3));
    assert_eq!(table.timeout, Duration::from_secs(10));
    assert_eq!(
        (table.order, table.on_410),
        (Order::Independent, On410::Retry)
    );
    assert_eq!(forever.give_up_after, None);
    assert_eq!(backoff.give_up_after, None);
    assert!(backoff.honours_retry_after);
    assert!(matches!(
        backoff.schedule,
        Schedule::Backoff { factor: 2, .. }
    ));
    assert_eq!(config.endpoints[0].settings.headers[0].0, "X-B");
}

#[test]
fn secrets_come_from_files_beside_the_configuration_with_one_line_break_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content);
    write("token", "hunter2 with spaces \r\n").unwrap();
    write("two", "hunter2\n\n").unwrap();
    write("empty", "\n").unwrap();
    write(
        "ca.pem",
        "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let source = |n: usize, path: &str| {
        format!("[[source]]\nname = \"s{n}\"\nkind = \"hotjar\"\nkey = \"file:{path}\"\n")
    };
    let endpoint = "[[endpoint]]\nname = \"e\"\nurl = \"https://h/\"\npolicy = \"hotjar\"\nca_file = \"ca.pem\"\n";
    write(
        "redeliver.toml",
        &(source(1, "token") + &source(2, "two") + endpoint),
    )
    .unwrap();
    let path = folder.path().join("redeliver.toml");
    let config = load(&path, &environment, &policies()).unwrap();
    let keys: Vec<_> = config
        .sources
        .iter()
        .map(|s| s.key.as_ref().unwrap().expose())
        .collect();
    assert_eq!(keys, ["hunter2 with spaces ", "hunter2\n"]);
    let pem = config.endpoints[0].settings.ca_pem.as_ref().unwrap();
    assert!(pem.starts_with("-----BEGIN"));

    let endpoint = endpoint.replace("ca.pem", "two");
    write(
        "redeliver.toml",
        &(source(1, "empty") + &source(2, "nowhere") + &source(3, ".") + &endpoint),
    )
    .unwrap();
    let errors = load(&path, &environment, &policies()).unwrap_err();
    let details: Vec<_> = errors.0.iter().map(|error| error.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "file \"empty\" is empty; put the secret into it",
            "file \"nowhere\" cannot be read: No such file or directory (os error 2); mend the path or its permissions",
            "file \".\" is no ordinary file of at most 1 MiB; give another path",
            "the CA bundle holds no certificate; give PEM text with -----BEGIN CERTIFICATE-----",
        ]
    );
}

#[test]
fn a_file_that_is_not_there_is_one_error() {
    let errors = load(Path::new("nowhere.toml"), &environment, &policies()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "nowhere.toml: cannot be read: No such file or directory (os error 2); give another file with --config"
    );
}

#[test]
fn a_secret_that_is_written_out_works_and_is_warned_about_without_showing_it() {
    let text = SAMPLE
        .replace("env:HOTJAR_KEY", "hunter2")
        .replace("env:CRM_PASSWORD", "hunter2");
    let config = parsed(&text).unwrap();
    let warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "redeliver.toml:15: key is written out in this file; use \"env:NAME\" or \"file:PATH\" instead",
            "redeliver.toml:22: password is written out in this file; use \"env:NAME\" or \"file:PATH\" instead",
        ]
    );
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn no_mistake_around_a_secret_shows_it() {
    for text in [
        "[server]\nadmin_token = \"hunter2 hunter2\"",
        "[server]\nadmin_token = [\"hunter2\"]",
        "[server]\nadmin_token = \"env:hunter2!\"",
        "[server]\nadmin_token = \"hunter2",
        "[server]\nadmin_token = hunter2",
        "[server]\nadmin_token = 'hunter2' 'hunter2'",
        "[[endpoint]]\nbasic_auth = \"u:hunter2\"",
        "[[endpoint]]\nbasic_auth = { user = \"u\", password = \"hunter2\\n\" }",
        "[[endpoint]]\nsigning_key = \"hunter2\"\nkey_encoding = \"hex\"",
        "[[endpoint]]\nheaders = { Authorization = \"hunter2\\n\", X = \"é hunter2\" }",
        "[[endpoint]]\nurl = \"http://u:hunter2@h/?hunter2\"\npolicy = \"hotjar\"",
        "[[endpoint]]\nurl = \"hunter2://h/\"\nca_pem = true",
        "[[website]]\napi_keys = \"hunter2\"",
    ] {
        let errors = parsed(text).unwrap_err();
        let shown = format!("{errors} {errors:?}");
        // A scheme is no secret.
        let shown = shown
            .replace("scheme \"hunter2\"", "")
            .replace("scheme \\\"hunter2\\\"", "");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_server_that_others_reach_needs_a_token_and_warns_of_open_sources() {
    let open = "[server]\nlisten = \"0.0.0.0:7070\"\n";
    assert_eq!(
        parsed(open).unwrap_err().to_string(),
        "redeliver.toml:2: listen 0.0.0.0:7070 is open to other machines, but there is no admin_token; add admin_token = \"env:REDELIVER_TOKEN\" to [server]"
    );
    let source = "[[source]]\nname = \"s\"\nkind = \"raw\"\n";
    let config = parsed(&format!(
        "{open}admin_token = \"env:REDELIVER_TOKEN\"\n{source}"
    ))
    .unwrap();
    assert_eq!(
        config.warnings[0].to_string(),
        "redeliver.toml:4: source \"s\" takes events from anyone who reaches it; set access_token or basic_auth"
    );
    assert_eq!(parsed(source).unwrap().warnings, []);
    assert!(parsed("[server]\nlisten = \"[::1]:0\"").is_ok());
}
