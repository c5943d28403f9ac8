//! A reload is taken whole or not at all, and what it stops is told.

use std::time::Duration;

use serde_json::json;

use crate::process::broker::Site;
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply};
use crate::reload::{REFUSED, TAKEN, endpoint, reload};

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

#[test]
fn of_many_new_endpoints_a_few_at_a_time_are_asked_whether_they_answer() {
    const ENDPOINTS: usize = 100;
    let site = Site::new();
    let receiver = Receiver::start(|_, _| Reply::After(Duration::from_millis(50), 200));
    let checked = |number: usize| {
        endpoint(&format!("e{number}"), &receiver.url(), "standard")
            .trim_end()
            .to_owned()
            + "\ncheck = \"2xx\"\n\n"
    };
    site.configure(&(0..ENDPOINTS).map(checked).collect::<String>());
    let broker = site.start(&[]);
    let asked = eventually("each was asked, and has answered", || {
        let asked = receiver.gets().into_iter();
        let times = asked.map(|get| Some((get.arrived, get.answered?.1)));
        let times: Option<Vec<_>> = times.collect();
        times.filter(|times| times.len() == ENDPOINTS)
    });
    let beside = |at| {
        let others = asked.iter();
        others.filter(|(from, to)| *from <= at && at < *to).count()
    };
    let at_once = asked.iter().map(|(from, _)| beside(*from)).max().unwrap();
    assert!((2..=16).contains(&at_once), "{at_once}");
    broker.stop();
}

#[test]
fn endpoints_that_a_file_has_lost_are_named_together_and_shown_with_the_reason() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let all: Vec<_> = ["a", "b", "c"]
        .map(|name| endpoint(name, &receiver.url(), "standard"))
        .into();
    site.configure(&all.concat());
    let broker = site.start(&[]);
    // Cut off between two tables: nothing about it is wrong.
    reload(&site, &broker, &all[0], TAKEN);
    eventually("both are named, with the mend", || {
        let log = site.log();
        let line = log
            .lines()
            .find(|line| line.contains("if it was cut off"))?;
        (line.contains("count=2") && line.contains("\"b\\\", \\\"c")).then_some(())
    });
    let shown = site.run(&["status", "--server", &format!("http://{}", broker.address)]);
    let lines = shown.out.lines();
    let paused = lines.filter(|line| line.contains("it is no longer in the configuration"));
    assert_eq!(paused.count(), 2, "{}", shown.out);
    reload(&site, &broker, &all.concat(), TAKEN);
    assert_eq!(broker.endpoint("b")["state"], "active");
    broker.stop();
}
