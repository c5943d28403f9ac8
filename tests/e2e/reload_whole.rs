//! A reload is taken whole or not at all, and what it stops is told.

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::receiver::Receiver;

const TAKEN: &str = "the configuration was read again";
const REFUSED: &str = "the configuration was not taken";

/// Has the broker read `config`; waits until it has said so.
#[track_caller]
fn reload(site: &Site, broker: &Broker, config: &str, says: &str) {
    let said = |log: String| log.matches(says).count();
    let before = said(site.log());
    site.configure(config);
    broker.signal("HUP");
    eventually(&format!("the log says {says:?}"), || {
        (said(site.log()) > before).then_some(())
    });
}

fn endpoint(name: &str, url: &str, policy: &str) -> String {
    format!("[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\npolicy = \"{policy}\"\n\n")
}

#[test]
fn a_file_with_more_endpoints_than_there_is_room_for_changes_none_of_them() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let limits = "[limits]\nendpoints_max = 3\n\n";
    let a = |policy| endpoint("a", &receiver.url(), policy);
    site.configure(&format!("{limits}{}", a("standard")));
    let broker = site.start(&[]);
    let own = json!({ "name": "own", "url": receiver.url(), "policy": "standard" });
    broker.post("/v1/endpoints", &own);
    let policy = "[policy.mine]\nschedule = [\"1s\"]\n\n";
    let (b, c) = (
        endpoint("b", &receiver.url(), "mine"),
        endpoint("c", &receiver.url(), "mine"),
    );
    let too_many = format!("{limits}{policy}{}{b}{c}", a("mine"));
    reload(&site, &broker, &too_many, REFUSED);
    eventually("the limit is named", || {
        site.log()
            .contains("raise limits.endpoints_max")
            .then_some(())
    });
    let names: Vec<_> = broker.list("/v1/endpoints?limit=10");
    let names: Vec<_> = names
        .iter()
        .map(|it| (it["name"].clone(), it["policy"].clone()))
        .collect();
    let mut names: Vec<_> = names.into_iter().map(|(n, p)| format!("{n} {p}")).collect();
    names.sort();
    assert_eq!(names, ["\"a\" \"standard\"", "\"own\" \"standard\""]);
    let event = broker.event("e", &json!(1));
    eventually("both get it", || {
        let found = broker.list(&format!("/v1/events/{event}/deliveries?limit=10"));
        (found.len() == 2 && found.iter().all(|it| it["status"] == "delivered")).then_some(())
    });
    broker.stop();
}

#[test]
fn an_endpoint_whose_policy_is_back_goes_on() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let a = endpoint("a", &receiver.url(), "standard");
    let policy = "[policy.mine]\nschedule = [\"1s\"]\n\n";
    site.configure(&format!("{policy}{a}"));
    let broker = site.start(&[]);
    let own = json!({ "name": "own", "url": receiver.url(), "policy": "mine" });
    broker.post("/v1/endpoints", &own);
    reload(&site, &broker, &a, TAKEN);
    assert_eq!(broker.endpoint("own")["state"], "paused");
    reload(&site, &broker, &format!("{policy}{a}"), TAKEN);
    assert_eq!(broker.endpoint("own")["state"], "active");
    broker.stop();
}
