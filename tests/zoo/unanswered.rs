//! A name server that never answers keeps no broker from starting, being reloaded, or taking an
//! endpoint.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use redeliver::app::{App, Settings};
use redeliver::config::{self, Config};
use redeliver::deliver::guard::{Resolve, Resolving};
use redeliver::vendor::builtin_policies;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::process::http::Client;

/// Never answers.
struct Silent;

impl Resolve for Silent {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(std::future::pending())
    }
}

const NAMES: usize = 300;

fn config(dir: &Path, names: usize) -> Config {
    let mut text = String::new();
    for number in 0..names {
        text += &format!(
            "[[endpoint]]\nname = \"e{number}\"\nurl = \"http://e{number}.test/hook\"\npolicy = \"esputnik\"\n"
        );
    }
    let read = config::parse(
        &text,
        Path::new("config.toml"),
        &|_| None,
        &builtin_policies(),
    );
    let mut config = read.unwrap();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.server.data_dir = dir.join("data");
    config
}

#[test]
fn names_that_nobody_resolves_keep_no_broker_from_starting_nor_from_a_reload() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let settings = Settings {
            config: config(dir.path(), NAMES),
            ..Settings::default()
        };
        let app = App::start_with_resolver(settings, Arc::new(Silent)).await;
        let app = app.unwrap();
        let reloaded = app.reload(config(dir.path(), NAMES + 1)).await;
        assert_eq!(reloaded.unwrap().endpoints_changed, 1);
        // The same of the API: it may resolve later.
        let address: SocketAddr = app.address();
        let endpoint = json!({ "name": "own", "url": "http://own.test/hook", "policy": "standard",
            "allow_http": true });
        let asking = tokio::task::spawn_blocking(move || {
            let headers = [("content-type", "application/json")];
            let body = endpoint.to_string();
            Client::new(address).send("POST", "/v1/endpoints", &headers, body.as_bytes())
        });
        let answer = asking.await.unwrap().unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        // An address is judged without anybody's answer.
        let mut wrong = config(dir.path(), NAMES);
        for entry in &mut wrong.endpoints {
            entry.settings.url = "http://127.0.0.1:1/hook".to_owned();
        }
        wrong.endpoints[7].settings.url = "http://10.0.0.1/hook".to_owned();
        let refused = app.reload(wrong).await.unwrap_err().to_string();
        assert!(refused.contains("endpoint e7 (line 29)"), "{refused}");
        app.stop().await.unwrap();
    });
}
