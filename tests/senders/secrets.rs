//! Secrets, planted in every place that takes one and looked for wherever something is written.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::process::broker::{Ran, Site};
use crate::process::eventually;
use crate::process::receiver::nobody;

/// One for each place, so that a leak tells where it came from.
const TOKEN: &str = "planted-admin-token-0a";
const HOTJAR_KEY: &str = "planted-hotjar-key-1b";
const STANDARD_KEY: &str = "whsec_cGxhbnRlZC1zdGFuZGFyZC1rZXktMmM=";
const PASSWORD: &str = "planted-password-3d";
const HEADER: &str = "planted-header-4e";
const QUERY: &str = "planted-query-5f";
const USERINFO: &str = "planted-userinfo-6a";
const WRONG_TOKEN: &str = "planted-wrong-token-7b";
const REJECTED: &str = "planted-rejected-8c";

const PARSED_TOKEN: &str = "planted-token/with-a-slash-9d";
const PARSED_COOKIE: &str = "planted-cookie-10e";

/// As much of an answer is kept.
const EXCERPT_BYTES: usize = 4096;

const ALL: [&str; 9] = [
    TOKEN,
    HOTJAR_KEY,
    STANDARD_KEY,
    PASSWORD,
    HEADER,
    QUERY,
    USERINFO,
    WRONG_TOKEN,
    REJECTED,
];

/// A secret as it may look after it went through something.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    let mut forms = vec![
        secret.to_owned(),
        hex::encode(bytes),
        hex::encode_upper(bytes),
        percent,
        bytes.iter().rev().map(|&byte| char::from(byte)).collect(),
    ];
    // In base64 it looks different behind one and behind two bytes; its ends depend on what is
    // round it.
    for before in 0..3 {
        let text = STANDARD.encode([&vec![b'x'; before][..], bytes].concat());
        forms.push(text[4..text.len() - 4].to_owned());
    }
    forms
}

/// Finds none of `secrets` in `text`, in whatever form.
#[track_caller]
fn clean(what: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        for form in forms(secret) {
            assert!(!text.contains(&form), "{secret} is in {what}: {text}");
        }
    }
}

#[track_caller]
fn clean_run(ran: &Ran) {
    clean("output", &ran.out, &ALL);
    clean("errors", &ran.err, &ALL);
}

/// A receiver that sends back the request it got, as some do while they are being repaired.
fn mirror() -> String {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let head = format!("HTTP/1.1 401 No\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), &request[..length]].concat());
        }
    });
    format!("http://{address}/?token={QUERY}")
}

/// A receiver that sends back what it parsed out of the request, as JSON: `credentials` with its
/// slashes escaped, the token and the cookie as they are meant, and the token once more where the
/// excerpt ends. So says the endpoint that it is made with.
fn parser(credentials: &str) -> String {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let parsed = json!({"args": {"tenant": "7", "token": PARSED_TOKEN},
        "cookies": {"lang": "en", "session": PARSED_COOKIE}});
    let escaped = credentials.replace('/', "\\/");
    let parsed = format!("{{\"authorization\":\"{escaped}\",\"parsed\":{parsed},\"again\":\"");
    let filling = ".".repeat(EXCERPT_BYTES - parsed.len() - PARSED_TOKEN.len() / 2);
    let body = format!("{parsed}{filling}{PARSED_TOKEN}\"}}");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 401 No\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat());
        }
    });
    address.to_string()
}

#[test]
fn what_a_receiver_parsed_and_says_back_shows_no_secret_not_even_where_it_is_cut_off() {
    let site = Site::new();
    let broker = site.start(&[]);
    // Behind these the base64 of the password has a slash.
    let password = format!("???{PASSWORD}");
    let credentials = STANDARD.encode(format!("user:{password}"));
    assert!(credentials.contains('/'));
    let token = PARSED_TOKEN.replace('-', "%2D").replace('/', "%2F");
    let url = format!("http://{}/?tenant=7&token={token}", parser(&credentials));
    let endpoint = json!({
        "name": "parser", "url": url, "policy": "standard", "check": "off",
        "basic_auth": {"user": "user", "password": password},
        "headers": {"Cookie": format!("lang=en; session={PARSED_COOKIE}")},
    });
    broker.post("/v1/endpoints", &endpoint);
    let event = broker.event("t", &json!(1));
    let delivery = broker.delivery_once(&event, "waiting");
    let id = delivery["id"].as_str().unwrap();
    let shown = broker.get(&format!("/v1/deliveries/{id}"));
    let excerpt = shown["attempts"][0]["response_excerpt"].as_str().unwrap();
    assert!(
        excerpt.starts_with("{\"authorization\":\"…\","),
        "{excerpt}"
    );
    assert!(
        excerpt.contains("\"tenant\":\"7\",\"token\":\"…\""),
        "{excerpt}"
    );
    assert!(
        excerpt.contains("\"lang\":\"en\",\"session\":\"…\""),
        "{excerpt}"
    );
    assert!(excerpt.ends_with("..…"), "{excerpt}");
    clean(
        "the history",
        excerpt,
        &[PARSED_TOKEN, PARSED_COOKIE, PASSWORD],
    );
    broker.stop();
}

/// A receiver that answers with this head to everything.
fn answering(head: &'static str) -> String {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(head.as_bytes());
        }
    });
    address.to_string()
}

const CONFIG: &str = r#"
[server]
admin_token = "file:token"

[[endpoint]]
name = "configured"
url = "http://127.0.0.1:1/?token=planted-query-5f"
policy = "hotjar"
signing_key = "env:HOTJAR_KEY"
basic_auth = { user = "user", password = "file:password" }
headers = { X-Key = "planted-header-4e", Cookie = "a=planted-header-4e" }
"#;

fn site() -> Site {
    let mut site = Site::new();
    for (name, secret) in [
        ("token", TOKEN),
        ("password", PASSWORD),
        ("key", STANDARD_KEY),
    ] {
        fs::write(site.path(name), format!("{secret}\n")).unwrap();
    }
    for (name, secret) in [
        ("REDELIVER_TOKEN", TOKEN),
        ("HOTJAR_KEY", HOTJAR_KEY),
        ("HEADER", HEADER),
        ("REDELIVER_KEY", HOTJAR_KEY),
    ] {
        site.set_env(name, secret);
    }
    site.configure(CONFIG);
    site
}

#[test]
fn no_secret_is_logged_or_answered_whatever_fails() {
    for format in ["text", "json"] {
        let mut site = site();
        site.set_env("RUST_LOG", "trace");
        let broker = site.start(&["--clock", "manual", "--log-format", format]);
        let right = ("authorization", &*format!("Bearer {TOKEN}"));
        let media = ("content-type", "application/json");
        // The URL is the operator's own, and shown to him: what he has put in there he can see.
        let hidden: Vec<_> = ALL
            .iter()
            .copied()
            .filter(|secret| *secret != QUERY)
            .collect();
        let call = |method: &str, path: &str, body: &str| {
            let body = body.as_bytes();
            let answer = broker.send(method, path, &[right, media], body);
            let head = format!("{:?}", answer.headers);
            clean(path, &head, &hidden);
            let looks_at_endpoints = path.starts_with("/v1/endpoints") && answer.status < 400;
            let secrets = if looks_at_endpoints {
                &hidden[..]
            } else {
                &ALL[..]
            };
            clean(path, &answer.text(), secrets);
            answer
        };
        for (name, url) in [
            ("mirror", mirror()),
            ("nobody", format!("{}?token={QUERY}", nobody())),
            (
                "tls",
                format!("https://{}/?{QUERY}", answering("no TLS\r\n\r\n")),
            ),
            (
                "garbage",
                format!("http://{}/{QUERY}", answering("no HTTP\r\n\r\n")),
            ),
            ("nowhere", format!("http://nowhere.invalid/{QUERY}")),
            (
                "away",
                format!(
                    "http://{}/{QUERY}",
                    answering("HTTP/1.1 302 Away\r\nlocation: /\r\ncontent-length: 0\r\n\r\n")
                ),
            ),
        ] {
            let endpoint = json!({
                "name": name, "url": url, "policy": "standard", "signing_key": STANDARD_KEY,
                "basic_auth": {"user": "user", "password": PASSWORD},
                "headers": {"X-Api-Key": HEADER, "X-Token": format!("Bearer {HEADER}")},
            });
            let made = call("POST", "/v1/endpoints", &endpoint.to_string());
            assert_eq!(made.status, 201, "{}", made.text());
        }
        // What is refused is not said back.
        for body in [
            json!({"name": "bad", "url": format!("http://u:{USERINFO}@h/"), "policy": "standard"}),
            json!({"name": "bad", "url": format!("ftp://h/{REJECTED}"), "policy": "standard"}),
            json!({"name": "bad", "url": "http://h/", "policy": "standard",
                "signing_key": format!("whsec_{REJECTED}"), "ca_pem": REJECTED,
                "basic_auth": {"user": "u", "password": format!("{REJECTED}\n")},
                "headers": {"X": format!("{REJECTED}\n")}}),
            json!({"signing_key": [REJECTED], "basic_auth": REJECTED, "headers": [REJECTED]}),
            json!({"name": "mirror", "url": "http://127.0.0.1:1/", "policy": "standard",
                "signing_key": STANDARD_KEY}),
        ] {
            let refused = call("POST", "/v1/endpoints", &body.to_string());
            assert!(refused.status >= 400, "{}", refused.text());
        }
        call(
            "POST",
            "/v1/endpoints/mirror/rotate-key",
            "{\"signing_key\":7}",
        );
        for wrong in [
            format!("Bearer {WRONG_TOKEN}"),
            format!("Basic {}", STANDARD.encode(format!("admin:{WRONG_TOKEN}"))),
            WRONG_TOKEN.to_owned(),
        ] {
            let answer = broker.send("GET", "/v1/events", &[("authorization", &wrong)], b"");
            clean("a refusal", &answer.problem(401), &ALL);
        }
        let sent = call("POST", "/v1/events", r#"{"type":"t","data":1}"#);
        assert_eq!(sent.status, 202);
        call(
            "POST",
            "/v1/clock/advance",
            r#"{"by":"10s","patience":"60s"}"#,
        );
        let deliveries = call("GET", "/v1/deliveries?limit=100", "").json();
        let deliveries = deliveries["data"].as_array().unwrap().clone();
        assert_eq!(deliveries.len(), 7, "{deliveries:?}");
        for delivery in &deliveries {
            let path = format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap());
            let shown = call("GET", &path, "").json();
            assert_eq!(shown["attempts"][0]["number"], 1, "{shown}");
            let test = format!(
                "/v1/endpoints/{}/test",
                delivery["endpoint"].as_str().unwrap()
            );
            call("POST", &test, "");
        }
        for path in [
            "/v1/endpoints",
            "/v1/endpoints/configured",
            "/healthz",
            "/readyz",
        ] {
            assert_eq!(call("GET", path, "").status, 200, "{path}");
        }
        let server = format!("http://{}", broker.address);
        let mirrored = deliveries
            .iter()
            .find(|delivery| delivery["endpoint"] == "mirror");
        let mirrored = mirrored.unwrap()["id"].as_str().unwrap();
        for args in [
            &["delivery", "show", mirrored][..],
            &["delivery", "list"],
            &["event", "show", "1"],
            &["endpoint", "test", "nobody"],
            &[
                "endpoint",
                "add",
                "cli",
                "--url",
                "http://127.0.0.1:1/",
                "--policy",
                "hotjar",
                "--signing-key",
                HOTJAR_KEY,
                "--basic",
                "user:file:password",
                "--header",
                "X-Key: env:HEADER",
            ],
            &[
                "endpoint",
                "add",
                "bad",
                "--url",
                "http://127.0.0.1:1/",
                "--policy",
                "standard",
                "--signing-key",
                REJECTED,
                "--header",
                REJECTED,
            ],
            &[
                "endpoint",
                "rotate-key",
                "cli",
                "--signing-key-file",
                "password",
            ],
            &["endpoint", "show", "cli", "--json"],
            &["endpoint", "remove", "cli"],
        ] {
            clean_run(&site.run(&[args, &["--server", &server]].concat()));
        }
        broker.stop();
        assert!(site.log().contains("attempt ended"));
        clean("the log", &site.log(), &ALL);
    }
}

#[test]
fn no_mistake_in_a_configuration_shows_what_stands_beside_it() {
    let site = site();
    clean_run(&site.start_in_vain(&["--check"]));
    for (line, with) in [
        (
            "admin_token = \"file:token\"",
            format!("admin_token = \"{REJECTED}\" x"),
        ),
        (
            "admin_token = \"file:token\"",
            format!("admin_token = \"{REJECTED}"),
        ),
        (
            "admin_token = \"file:token\"",
            format!("admin_token = [\"{REJECTED}\"]"),
        ),
        (
            "admin_token = \"file:token\"",
            format!("admin_tokn = \"{REJECTED}\""),
        ),
        (
            "admin_token = \"file:token\"",
            format!("admin_token = \"{REJECTED}\\q\""),
        ),
        (
            "\"env:HOTJAR_KEY\"",
            format!("\"{REJECTED}\"\nkey_encoding = \"hex\""),
        ),
        ("\"env:HOTJAR_KEY\"", REJECTED.to_owned()),
        ("\"file:password\"", format!("\"{REJECTED}\\n\"")),
        (
            "{ user = \"user\", password = \"file:password\" }",
            format!("\"user:{REJECTED}\""),
        ),
        ("\"planted-header-4e\",", format!("\"{REJECTED}\\n\",")),
        ("\"planted-header-4e\",", format!("[\"{REJECTED}\"],")),
        (
            "headers = {",
            format!("headers = {{ \"X {REJECTED}\" = 1, "),
        ),
        ("http://127", format!("http://u:{USERINFO}@127")),
    ] {
        let config = CONFIG.replace(line, &with);
        assert_ne!(config, CONFIG);
        site.configure(&config);
        let ran = site.start_in_vain(&["--check"]);
        let names_it = with.contains("X planted");
        assert_eq!(ran.code, 2, "{with}: {}", ran.err);
        if !names_it {
            clean_run(&ran);
        }
    }
    assert!(!site.path("data").exists());
    // Which key a policy takes is asked at the start alone.
    site.configure(&CONFIG.replace("\"hotjar\"", "\"standard\""));
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    clean_run(&ran);
}

#[test]
fn no_command_shows_the_secrets_it_was_given() {
    let site = site();
    fs::write(site.path("body"), "{}").unwrap();
    let wrong = "0".repeat(64);
    for args in [
        &["--help"][..],
        &["serve", "--help"],
        &["event", "list", "--help"],
        &["listen", "--help"],
        &["sign", "--scheme", "hotjar", "body"],
        &[
            "sign",
            "--scheme",
            "standard",
            "--id",
            "a",
            "--timestamp",
            "1",
            "body",
        ],
        &[
            "sign",
            "--scheme",
            "standard",
            "--key-file",
            "password",
            "--id",
            "a",
            "--timestamp",
            "1",
            "body",
        ],
        &[
            "verify",
            "--scheme",
            "hotjar",
            "--signature",
            &wrong,
            "body",
        ],
        &[
            "verify",
            "--scheme",
            "hotjar",
            "--key-encoding",
            "hex",
            "--signature",
            &wrong,
            "body",
        ],
        &[
            "verify",
            "--scheme",
            "hotjar",
            "--signature",
            "zz",
            "--json",
            "body",
        ],
        &[
            "listen",
            "--listen",
            "127.0.0.1:0",
            "--standard-secret",
            REJECTED,
        ],
        &["listen", "--listen", "127.0.0.1:0", "--basic", REJECTED],
        &[
            "listen",
            "--listen",
            "192.0.2.1:1",
            "--hotjar-key",
            HOTJAR_KEY,
        ],
        &[
            "event",
            "list",
            "--server",
            "http://u:planted-userinfo-6a@127.0.0.1:1",
        ],
        &["event", "list", "--server", "http://127.0.0.1:1"],
    ] {
        clean_run(&site.run(args));
    }
}

#[test]
fn the_store_holds_keys_in_files_for_their_owner_alone_and_never_the_admin_token() {
    let mut site = site();
    // As lax as a system may be.
    site.launch_by("umask 000; exec \"$@\"");
    let broker = site.start(&[]);
    let right = ("authorization", &*format!("Bearer {TOKEN}"));
    let media = ("content-type", "application/json");
    let event = br#"{"type":"t","data":1}"#;
    let sent = broker.send("POST", "/v1/events", &[right, media], event);
    assert_eq!(sent.status, 202);
    eventually("the first attempt has failed", || {
        let list = broker.send("GET", "/v1/deliveries", &[right], b"").json();
        (list["data"][0]["status"] == "waiting").then_some(())
    });
    broker.stop();
    let data = site.path("data");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let (mut dirs, mut key_was_seen) = (vec![data], false);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                assert_eq!(mode(&path), 0o700, "{path:?}");
                dirs.push(path);
                continue;
            }
            assert_eq!(mode(&path), 0o600, "{path:?}");
            let bytes = fs::read(&path).unwrap();
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            clean("the store", &text, &[TOKEN]);
            key_was_seen |= text.contains(HOTJAR_KEY);
        }
    }
    assert!(
        key_was_seen,
        "the search finds nothing, not even what is there"
    );
}
