//! A vendor whose answers a test makes up, and a broker that polls it on a manual clock.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::{eventually, http};

pub const KEY: &str = "zv_secret_of_the_test";

/// All that can be polled.
pub const ALL: &str =
    "tracking_code = \"ZV_X\"\nwebsite_id = \"ws_1\"\napi_key = \"env:ZENOVAY_KEY\"\n";
/// The live count alone.
pub const LIVE: &str = "tracking_code = \"ZV_X\"\n";
/// What needs a key.
pub const KEYED: &str = "website_id = \"ws_1\"\napi_key = \"env:ZENOVAY_KEY\"\n";

pub const LIVE_PATH: &str = "/e/live/ZV_X";
pub const OVERVIEW_PATH: &str = "/api/external/v1/analytics/ws_1";
pub const VISITORS_PATH: &str = "/api/external/v1/analytics/ws_1/visitors";
pub const GROUPS_PATH: &str = "/api/external/v1/errors/ws_1/groups";

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| &**value)
    }

    /// A number of the query.
    pub fn number(&self, name: &str) -> usize {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(given, _)| *given == name);
        found.unwrap().1.parse().unwrap()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Said {
    pub status: u16,
    pub headers: String,
    pub body: String,
    /// Until the vendor is dropped, or told to go on.
    pub hangs: bool,
}

impl Said {
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.to_owned(),
            hangs: false,
        }
    }

    pub fn json(body: &Value) -> Self {
        Self::text(200, &body.to_string())
    }

    /// A success with this in it.
    pub fn data(data: &Value) -> Self {
        Self::json(&json!({"success": true, "data": data, "timestamp": "2026-02-07T12:00:00.000Z"}))
    }

    pub fn hang() -> Self {
        Self {
            hangs: true,
            ..Self::text(200, "{}")
        }
    }

    pub fn with(mut self, header: &str) -> Self {
        self.headers += &format!("{header}\r\n");
        self
    }
}

type Script = dyn FnMut(&Asked) -> Said + Send;

struct State {
    asked: Vec<Asked>,
    script: Box<Script>,
    holds: bool,
}

struct Shared {
    state: Mutex<State>,
    goes_on: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listening server; it listens until the test's process ends.
pub struct Vendor {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Vendor {
    pub fn start(script: impl FnMut(&Asked) -> Said + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                asked: Vec::new(),
                script: Box::new(script),
                holds: true,
            }),
            goes_on: Condvar::new(),
        });
        let served = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = served.clone();
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    /// Answers otherwise from now on.
    pub fn now(&self, script: impl FnMut(&Asked) -> Said + Send + 'static) {
        self.shared.lock().script = Box::new(script);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.lock().asked.clone()
    }

    /// How often this path was asked for.
    pub fn count(&self, path: &str) -> usize {
        let state = self.shared.lock();
        state
            .asked
            .iter()
            .filter(|asked| asked.path == path)
            .count()
    }

    /// Lets requests that hang have their answers.
    pub fn go_on(&self) {
        self.shared.lock().holds = false;
        self.shared.goes_on.notify_all();
    }

    /// A site that polls it, with these lines of its source.
    pub fn site(&self, lines: &str) -> Site {
        let mut site = Site::new();
        site.set_env("ZENOVAY_KEY", KEY);
        site.configure(&format!(
            "[[source]]\nname = \"site\"\nkind = \"zenovay\"\nurl = \"http://{}/\"\n{lines}",
            self.address
        ));
        site
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    while let Ok((line, headers)) = http::head(&mut stream) {
        let target = line.split(' ').nth(1).unwrap().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let asked = Asked {
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
        };
        let said = {
            let mut state = shared.lock();
            state.asked.push(asked.clone());
            let said = (state.script)(&asked);
            while said.hangs && state.holds {
                let waited = shared.goes_on.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            said
        };
        let (status, length, body) = (said.status, said.body.len(), &said.body);
        let headers = &said.headers;
        let answer =
            format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {length}\r\n\r\n{body}");
        if stream.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Starts a broker on a manual clock; what is asked at once has been answered.
pub fn start(site: &Site) -> Broker {
    let broker = site.start(&["--clock", "manual"]);
    asked_all(&broker);
    broker
}

/// Waits until nothing is due.
#[track_caller]
pub fn asked_all(broker: &Broker) {
    let now = broker.get("/v1/clock")["now"].as_str().unwrap().to_owned();
    eventually("what is due at once is polled", || {
        let source = shown(broker);
        // Both are written in the same width.
        (*source["next_poll_at"].as_str()? > *now).then_some(())
    });
}

/// The data of every event of this type, the oldest first.
#[track_caller]
pub fn told(broker: &Broker, kind: &str) -> Vec<Value> {
    let events = broker.list(&format!("/v1/events?type={kind}&order=asc&limit=500"));
    events.iter().map(|event| event["data"].clone()).collect()
}

/// What `/v1/sources` shows of the one that is polled.
#[track_caller]
pub fn shown(broker: &Broker) -> Value {
    let sources = broker.get("/v1/sources");
    let mut sources = sources["data"].as_array().unwrap().iter();
    let polled = sources.find(|source| source["kind"] == "zenovay");
    polled.unwrap().clone()
}

/// A list of visitors of which the newest is first.
pub fn list(asked: &Asked, visits: &[Value]) -> Said {
    let (limit, offset) = (asked.number("limit"), asked.number("offset"));
    let page: Vec<_> = visits.iter().rev().skip(offset).take(limit).collect();
    let has_more = offset + page.len() < visits.len();
    Said::data(&json!({
        "visitors": page,
        "pagination": {"limit": limit, "offset": offset, "has_more": has_more},
    }))
}

/// The visit numbered so.
pub fn visit(number: usize) -> Value {
    json!({
        "id": format!("v{number}"),
        "country_name": null,
        "value_score": number % 100,
        "visited_at": format!("2026-02-07T{:02}:{:02}:00.000Z", number / 60, number % 60),
    })
}

/// Nothing of interest at this path.
pub fn quiet(asked: &Asked) -> Said {
    match &*asked.path {
        LIVE_PATH => Said::json(&json!({"visitors": 0})).with("cache-control: no-store"),
        OVERVIEW_PATH => Said::data(&json!({"summary": {"total_visitors": 0}})),
        VISITORS_PATH => list(asked, &[]),
        GROUPS_PATH => Said::data(&json!({"error_groups": []})),
        _ => Said::text(404, "{}"),
    }
}
