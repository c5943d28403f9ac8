//! The inputs that the fuzzer starts from: what people and machines really send, and the wrong
//! turns next to it. Written by
//!
//! ```text
//! cargo test --test fuzz -- --ignored write_the_seeds
//! ```

use std::fs;

use super::folder;

const PAYLOADS: [(&str, &str); 7] = [
    (
        "bulk",
        include_str!("../fixtures/payloads/esputnik_bulk.json"),
    ),
    (
        "sequence",
        include_str!("../fixtures/payloads/esputnik_sequence_delivered_read_clicked.json"),
    ),
    (
        "trigger",
        include_str!("../fixtures/payloads/esputnik_trigger.json"),
    ),
    (
        "survey",
        include_str!("../fixtures/payloads/hotjar_survey_response.json"),
    ),
    (
        "survey-nulls",
        include_str!("../fixtures/payloads/hotjar_survey_response_nulls.json"),
    ),
    (
        "survey-text",
        include_str!("../fixtures/payloads/hotjar_survey_response_question_text.json"),
    ),
    (
        "test-message",
        include_str!("../fixtures/payloads/hotjar_test_message.json"),
    ),
];

const NATIVE: &[&str] = &[
    r#"{"type":"order.paid","data":{"id":17,"sum":1.50}}"#,
    r#"{"type":"t","data":null,"id":"a","subject":"s","time":"2026-01-31T09:30:00Z"}"#,
    r#"{"type":"t","data":{ "b":1.50 ,"a":"\u00e9","b":2e400}}"#,
    r#"{"data":[{"activityStatus":"READ"}],"type":"a"}"#,
    r#"{"type":"t","data":{"\u0061ctivityStatus":"X"}}"#,
    r#"{"type":"a\u0007b","id":7,"id":"x","time":"now","subjct":1}"#,
    r#"{"type":"","data":1,"subject":null,"id":null,"time":null}"#,
    r#"{"type":"t","data":"\ud800"}"#,
    r#"["type","data"]"#,
    r#" {"type":"t","data":[[[[[[[[{"a":{"b":[]}}]]]]]]]]} "#,
    "{\"type\":\"t\",\"data\":1,}",
];

const CLOUDEVENTS: &[&str] = &[
    r#"{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","data":{"n":1}}"#,
    r#"{"specversion":"1.0","id":"1","source":"/shop","type":"t","datacontenttype":"text/plain","data":"hello"}"#,
    r#"{"specversion":"1.0","id":"1","source":"/shop","type":"t","datacontenttype":"image/png","data_base64":"iVBORw0="}"#,
    r#"{"specversion":"1.0","id":"1","source":"/shop","type":"t","data_base64":"eyJuIjoxfQ=="}"#,
    r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"x","time":"2026-01-31T09:30:00.5+01:00","dataschema":"x"}"#,
    r#"{"specversion":"0.3","id":"1","id":"2","source":"","type":7,"data":1,"data_base64":"!"}"#,
    r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/x+json; charset=\"utf-8\"","data":[1]}"#,
];

const ZEBLINE: &[&str] = &[
    include_str!("../fixtures/payloads/zebline_event_request.json"),
    include_str!("../fixtures/payloads/zebline_event_request_anonymous.json"),
    r#"{"userId":"u","eventName":"e","eventTime":"2024-01-01T00:00:00.5Z","eventData":{"a":1,"a":"2","b":null,"c":[1],"d":{"x":1,"y":"2"},"e":"2024-01-01T00:00:00"},"droppedAttributes":[{"name":"z","reason":"mine"}]}"#,
    r#"{"anonymousId":"é","eventName":"we_open","eventTime":1704067200,"eventData":{}}"#,
    r#"{"userId":"","eventName":"","eventTime":"now","eventData":[]}"#,
];

const RELAYED: &[&str] = &[
    r#"{"event":"e","version":1,"timestamp":1700000300,"data":{"id":7,"created_timestamp":1}}"#,
    r#"{"event":"e","timestamp":1700000301,"data":{"id":"x","created_timestamp":9999999999}}"#,
    r#"{"event":null,"timestamp":-1,"data":[{"id":1}]}"#,
    r#"{"event":"a\nb","timestamp":1e9,"data":{"id":1,"id":2}}"#,
    r#"{"event":"e","event":"f","timestamp":"1700000000"}"#,
    r#"[{"iid":"a","activityStatus":"READ","activityDateTime":"2023-09-14T08:30:03"},{"iid":null}]"#,
    r#"[{"iid":1,"activityStatus":7},{},{"activityStatus":"SPAM"}]"#,
    r#" [ ] "#,
    r#"[["iid","READ"],1]"#,
    r#"{"type":"order.paid","timestamp":"2026-01-31T09:30:00Z","data":{"n":1.0}}"#,
    "[{},",
    "",
];

const CONFIGS: &[&str] = &[
    r#"[server]
listen = "127.0.0.1:7070"
data_dir = "redeliver-data"
admin_token = "env:SET"
allow_addresses = ["10.0.0.0/8", "::1"]

[limits]
max_body_bytes = 1048576
body_timeout = "30s"
drain_timeout = "10s"
endpoints_max = 10

[[endpoint]]
name = "crm"
url = "http://127.0.0.1:9000/hook"
policy = "esputnik"
events = ["*"]
basic_auth = { user = "u", password = "env:SET" }

[[endpoint]]
name = "warehouse"
url = "https://warehouse.example/hook"
policy = "hotjar"
signing_key = "kept-secret-0123456789"
key_encoding = "utf8"
signature_encoding = "base64"
timestamp_mode = "fixed"
timeout = "10s"
headers = { X-Team = "sales" }
concurrency = 4
check = "2xx"

[policy.mine]
order = "in-order"
success = "2xx"
schedule = ["1s", "10s", "1m"]
give_up_after = 8
on_410 = "remove"
timeout = "10s"
jitter = 0.5
retry_after = true

[policy.other]
backoff = { first = "1m", factor = 2, max = "1h" }
give_up_after = "never"
check = "lt400"
"#,
    r#"[[source]]
name = "zebra"
kind = "zebline"
license = "L1"
access_token = "env:SET"

[[source]]
name = "hot"
kind = "hotjar"
key = "6162636465666768"
key_encoding = "hex"
signature_encoding = "base64"

[[source]]
name = "es"
kind = "esputnik"
basic_auth = { user = "u", password = "p" }

[[source]]
name = "std"
kind = "standard"
key = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

[[source]]
name = "zen"
kind = "zenovay"
url = "https://api.example/"
website_id = "w"
tracking_code = "t"
api_key = "env:SET"
interval = "1m"

[[website]]
id = "w1"
tracking_code = "t1"
domain = "shop.example"
sources = ["zebra", "api"]
api_keys = ["env:SET"]
"#,
    "[server]\nlisten = \"0.0.0.0:7070\"\nadmin_token = \"env:NONE\"\nlistn = 1\n",
    "[limits]\nmax_body_bytes = 0x7fffffff\nbody_timeout = 30\nheader_timeout = \"9h\"\n",
    "[[endpoint]]\nname = \"a b\"\nurl = \"ftp://h/\"\npolcy = \"hotjar\"\ntimeout = \"1y\"\nconcurrency = 0\n",
    "[[endpoint]]\nurl = \"https://u:hunter2hunter2@h/\"\npolicy = \"none\"\nevents = [1, \"a*b\"]\nheaders = { Host = \"x\", A = 1 }\nca_file = \"nothing.pem\"\n",
    "[policy.hotjar]\nschedule = []\n[policy.x]\nschedule = [\"1s\", 5]\nbackoff = { first = \"2h\", max = \"1h\", factor = 1001 }\njitter = 2\n",
    "endpoint = 1\nsource = [1]\n[policy]\nx = 1\nx = 2\n",
    "[[source]]\nname = \"api\"\nkind = \"hotja\"\n[[source]]\nname = \"api\"\nkind = \"raw\"\nkey = \"x\"\n",
    "\u{feff}# nothing\n",
    "[server\nlisten = \"\n",
];

const ENDPOINTS: &[&str] = &[
    r#"{"name":"crm","url":"https://crm.example/in?x=1","policy":"standard"}"#,
    r#"{"name":"w","url":"http://127.0.0.1:9/","policy":"hotjar","events":["order.*","a"],"concurrency":4,"timeout":"10s","basic_auth":{"user":"u","password":"a long password"},"headers":{"X-Team":"a"},"signing_key":"a signing key, long","key_encoding":"utf8","signature_encoding":"base64","timestamp_mode":"fixed","allow_http":true,"drop_while_inactive":true,"check":"lt400"}"#,
    r#"{"name":"e","url":"https://h/","policy":"esputnik","concurrency":1,"check":"200","timeout":null,"ca_pem":"-----BEGIN CERTIFICATE-----\n"}"#,
    r#"{"polcy":"x","a/b":1,"signing_key":["hunter2"],"basic_auth":"u:p","concurrency":-1,"headers":{"X":1}}"#,
    r#"{"name":"ep_","url":"https://h/#x","policy":"hotja","events":[],"headers":{"Host":"a","é":"b"},"timeout":"11m"}"#,
];

const CHANGES: &[&str] = &[
    r#"{"timeout":null,"events":["a.*"],"policy":"esputnik"}"#,
    r#"{"headers":{},"basic_auth":{"user":"u","password":"p"},"signing_key":null}"#,
    r#"{"url":"https://u@h/","concurrency":513}"#,
    "{}",
];

const QUERIES: &[&str] = &[
    "limit=5&since=2026-01-31T09:30:00Z&state=waiting,dead&type=order.paid",
    "cursor=ZeOwxEIAAAAAAAAABwAAAAk&limit=1000",
    "limt=5&since=now&limit=0&limit=1&state=a,b&cursor=x",
    "type=%C3%A9+%20%zz&state=,&limit=",
    "",
];

const URLS: &[&str] = &[
    "https://hooks.example/in?x=1",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1:8080/a",
    "http://[::1]/",
    "http://[::ffff:169.254.169.254]/latest/meta-data/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://①27.0.0.1/",
    "http://localhost./",
    "http://a.localhost:1/",
    "https://u:p@h/",
    "https://h/#x",
    "https:///h",
    "https://h\\@evil/",
    "ftp://h/",
    "https://bücher.example/",
    "https://xn--bcher-kva.example:443/",
];

const TEXTS: &[&str] = &[
    "evt_01HF7YAT000000000004938NKR",
    "dlv_01hf7yat000000000004938nkr",
    "ep_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    "evt_00000000000000000000000000",
    "2026-01-31T09:30:00Z",
    "2026-01-31T10:30:00.123456+01:00",
    "1969-12-31T23:59:59.9999Z",
    "-009999-01-01T00:00:00Z",
    "9999-12-30T22:00:00.999Z",
    "30s",
    "38m 30s",
    "1h30m",
    "366d",
    "250ms",
    "1.5h",
    "1 day, 2 hours ago",
    "P1DT2H",
    "10",
    "500x3,410,hang",
    " hangx2 , 204x1 ",
    "60x",
    "0.5x",
    "manual",
];

const ANSWERS: &[&str] = &[
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nbody\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x08\x00",
    "HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
    "SSH-2.0-OpenSSH_9.6\r\n",
    "",
];

/// Inputs that are structures of numbers: any bytes are some structure.
fn numbers(count: u64, longest: u64) -> Vec<(String, Vec<u8>)> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 32
    };
    let mut seeds = Vec::new();
    for index in 0..count {
        let len = 8 + next() % longest;
        let bytes = (0..len).map(|_| next() as u8).collect();
        seeds.push((format!("numbers-{index:02}"), bytes));
    }
    seeds
}

fn texts(prefix: &str, head: &[u8], texts: &[&str]) -> Vec<(String, Vec<u8>)> {
    let seed = |(index, text): (usize, &&str)| {
        let name = format!("{prefix}-{index:02}");
        (name, [head, text.as_bytes()].concat())
    };
    texts.iter().enumerate().map(seed).collect()
}

/// A request to the route of events, as `ingest` reads it: lengths of values stand at the end,
/// the first one last.
fn request(media: u8, headers: &[(u8, &str)], body: &str) -> Vec<u8> {
    let mut bytes = vec![0, media, headers.len() as u8];
    for (name, value) in headers {
        bytes.push(*name);
        bytes.extend(value.bytes());
    }
    bytes.extend(body.bytes());
    bytes.extend(headers.iter().rev().map(|(_, value)| value.len() as u8));
    bytes
}

/// Requests with headers of their own, by their places in the target's lists.
fn requests() -> Vec<(String, Vec<u8>)> {
    const JSON: u8 = 0;
    const TEXT: u8 = 5;
    const KEY: u8 = 1;
    let event = r#"{"type":"t","data":1,"id":"of the body"}"#;
    let attributes = [(2, "1.0"), (3, "1"), (4, "/shop"), (5, "order%2Epaid")];
    [
        ("keyed", request(JSON, &[(KEY, "of the header")], event)),
        (
            "keyed-twice",
            request(JSON, &[(KEY, "a"), (KEY, "b")], event),
        ),
        ("keyed-oddly", request(JSON, &[(KEY, "")], event)),
        ("binary", request(TEXT, &attributes, "hello")),
        ("binary-json", request(JSON, &attributes, "[1]")),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into()
}

/// The frames of the stores that the format's test keeps.
fn frames() -> Vec<Vec<u8>> {
    let dumps = [
        include_str!("../fixtures/store-v1.hex"),
        include_str!("../fixtures/store-v4.hex"),
    ];
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for line in dumps.iter().flat_map(|dump| dump.lines()) {
        match line.strip_prefix("  ") {
            None => frames.push(Vec::new()),
            Some(hexes) => {
                // Long runs are cut short in the dump, and so in the seed.
                let bytes = hex::decode(hexes).unwrap_or_default();
                frames.last_mut().unwrap().extend(bytes);
            }
        }
    }
    frames.retain(|frame| frame.len() > 22 && frame.len() < 1000);
    frames
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "native" => {
            let mut seeds = texts("event", b"", NATIVE);
            for (name, payload) in PAYLOADS {
                let event = format!("{{\"type\":\"{name}\",\"data\":{payload}}}");
                seeds.push((name.to_owned(), event.into_bytes()));
            }
            seeds
        }
        "cloudevents" => [
            texts("structured", b"\x00", CLOUDEVENTS),
            numbers(20, 200)
                .into_iter()
                .map(|(name, bytes)| (name, [b"\x02", &bytes[..]].concat()))
                .collect(),
        ]
        .concat(),
        // Three bytes for the media type, one for no further header.
        "ingest" => [
            texts("native", b"\x00\x00\x00", NATIVE),
            texts("structured", b"\x00\x02\x00", CLOUDEVENTS),
            requests(),
            numbers(20, 200),
        ]
        .concat(),
        "relay" => {
            let kinds = 0..5_u8;
            let payloads = kinds.flat_map(|kind| {
                PAYLOADS.map(|(name, payload)| {
                    let name = format!("{name}-{kind}");
                    (name, [&[kind], payload.as_bytes()].concat())
                })
            });
            payloads
                .chain(texts("hotjar", b"\x00", RELAYED))
                .chain(texts("esputnik", b"\x01", RELAYED))
                .chain(texts("standard", b"\x02", RELAYED))
                .chain(texts("cloudevents", b"\x03", CLOUDEVENTS))
                .collect()
        }
        "zebline" => [
            texts("event", b"\x00", ZEBLINE),
            texts("strict", b"\x03", ZEBLINE),
        ]
        .concat(),
        "config" => texts("file", b"", CONFIGS),
        "api_input" => [
            texts("endpoint", b"\x00", ENDPOINTS),
            texts("change", b"\x01", CHANGES),
            texts("query", b"\x02", QUERIES),
        ]
        .concat(),
        "url_guard" => [
            texts("url", b"\x00\x00\x00\x00\x00\x00\x00", URLS),
            numbers(40, 100),
        ]
        .concat(),
        "texts" => texts("text", b"", TEXTS),
        "answer" => [texts("raw", b"\x00", ANSWERS), numbers(20, 100)].concat(),
        "codec" => {
            let whole = frames().into_iter().enumerate().map(|(index, frame)| {
                let name = format!("frame-{index:02}");
                (name, [b"\x00", &frame[..]].concat())
            });
            let bodies = frames().into_iter().enumerate().map(|(index, frame)| {
                let name = format!("body-{index:02}");
                (name, [b"\x01", &[frame[1] - 1], &frame[22..]].concat())
            });
            whole.chain(bodies).chain(numbers(20, 200)).collect()
        }
        "signature" => numbers(40, 200),
        _ => numbers(40, 400),
    }
}

#[test]
#[ignore = "writes the seeds into the corpus"]
fn write_the_seeds_of_every_target() {
    for (target, _) in super::TARGETS {
        let folder = folder("corpus", target);
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in seeds(target) {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }
}
