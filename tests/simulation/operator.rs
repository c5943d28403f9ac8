//! What the operator does: endpoints made, paused, resumed, removed, and deliveries replayed.

use rand::RngExt;
use redeliver::endpoint::{
    Check, EndpointSettings, EndpointState, Filter, FilterOn, Order, Origin, TextEncoding,
    TimestampMode,
};
use redeliver::secret::Secret;
use redeliver::store::{EndpointCommand, ReplayRequest};

use super::faults;
use super::life::Life;
use super::plan::Planned;
use super::world::{End, Turn, World};

impl World {
    /// Does something to one of the endpoints.
    pub async fn operate(&mut self, life: &Life) -> Turn {
        let Ok(views) = life.store.endpoints() else {
            return Err(life.end("the endpoints cannot be listed".to_owned()));
        };
        let present = views.into_iter();
        let present = present.filter(|view| view.endpoint.state != EndpointState::Removed);
        let present: Vec<_> = present.collect();
        let what = self.rng.random_range(0..10);
        if present.is_empty() || what == 0 {
            let planned = self.endpoints.add();
            return self.make(life, planned).await;
        }
        let endpoint = &present[self.rng.random_range(0..present.len())].endpoint;
        let number = endpoint.number;
        self.outside
            .ledger()
            .note(format!("operator: {what} for endpoint {number}"));
        match (what, endpoint.state) {
            (1, _) => {
                self.set_state(life, number, EndpointState::Removed).await?;
                self.outside.ledger().stopped(number);
                Ok(())
            }
            (2..=4, _) => {
                let only_dead = self.rng.random_bool(0.5);
                let replayed = life.replay(ReplayRequest {
                    endpoint: number,
                    since: None,
                    until: None,
                    seq: None,
                    only_dead,
                    limit: u64::MAX,
                    dry_run: false,
                });
                let crashed = replayed.is_err();
                self.outside.ledger().replayed(number, only_dead, crashed);
                replayed
            }
            (_, EndpointState::Paused) => self.resume(life, number).await,
            _ => {
                self.set_state(life, number, EndpointState::Paused).await?;
                self.outside.ledger().stopped(number);
                Ok(())
            }
        }
    }

    pub async fn resume(&mut self, life: &Life, number: u32) -> Turn {
        self.outside.ledger().resumed(number);
        self.set_state(life, number, EndpointState::Active).await
    }

    async fn set_state(&mut self, life: &Life, number: u32, state: EndpointState) -> Turn {
        let command = EndpointCommand::SetState(number, state, None);
        // Taken or not, if a crash comes before the answer.
        self.outside.ledger().interrupt(number);
        life.command(command, || self.commit(life))
            .await
            .map(|_| ())
    }

    /// Makes a planned endpoint, unless it is there.
    pub async fn make(&mut self, life: &Life, planned: Planned) -> Turn {
        let views = life.store.endpoints();
        let views = views.map_err(|error| life.end(error.to_string()))?;
        let there = views
            .iter()
            .find(|v| v.endpoint.settings.name == planned.name());
        let number = match there {
            Some(view) => view.endpoint.number,
            None if self.made.contains(&planned.index) => {
                let rule = format!("endpoint {} is lost", planned.name());
                return Err(End::Broken(rule));
            }
            None => {
                let settings = faults::settings(self.scenario.fault, settings(&planned));
                let add = EndpointCommand::Add(Box::new(settings), EndpointState::Active);
                life.command(add, || self.commit(life)).await?
            }
        };
        if !self.made.contains(&planned.index) {
            self.made.push(planned.index);
        }
        let mut ledger = self.outside.ledger();
        ledger.note(format!("endpoint {number} is {planned:?}"));
        ledger.watch(number, planned);
        Ok(())
    }
}

fn settings(planned: &Planned) -> EndpointSettings {
    EndpointSettings {
        name: planned.name(),
        url: format!("http://127.0.0.1:{}/hook", planned.port()),
        policy: planned.vendor.policy().to_owned(),
        order: match planned.vendor.in_order() {
            true => Order::InOrder,
            false => Order::Independent,
        },
        filter: Filter {
            on: FilterOn::Kind,
            patterns: vec![if planned.only_a { "a" } else { "*" }.to_owned()],
        },
        concurrency: planned.concurrency,
        timeout: None,
        basic_auth: None,
        headers: Vec::new(),
        signing_key: Some(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        key_encoding: TextEncoding::Utf8,
        signature_encoding: TextEncoding::Hex,
        timestamp_mode: TimestampMode::PerAttempt,
        allow_http: true,
        drop_while_inactive: false,
        ca_pem: None,
        check: Check::Off,
        origin: Origin::Api,
        rotation: None,
    }
}
