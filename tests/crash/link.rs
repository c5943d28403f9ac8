//! A connection to a broker that comes and goes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::process::http::{Answer, Client};

/// Where the present process listens, while it is known to.
#[derive(Clone, Default)]
pub struct Target(Arc<Mutex<(u64, Option<SocketAddr>)>>);

impl Target {
    /// Each process is a turn of its own.
    pub fn point_at(&self, address: Option<SocketAddr>) {
        let mut present = self.0.lock().unwrap();
        *present = (present.0 + 1, address);
    }

    fn present(&self) -> Option<(u64, SocketAddr)> {
        let (turn, address) = *self.0.lock().unwrap();
        Some((turn, address?))
    }
}

/// A client's way to the present process: one connection for its whole life, so that nothing is
/// sent to a stranger that has got the port of a dead one.
pub struct Link {
    target: Target,
    client: Option<(u64, Client)>,
    broken: u64,
}

impl Link {
    pub fn new(target: Target) -> Self {
        Self {
            target,
            client: None,
            broken: 0,
        }
    }

    /// The turn of the process that it leads to, if it leads to one.
    pub fn turn(&mut self) -> Option<u64> {
        let (turn, address) = self.target.present()?;
        if self.client.as_ref().is_none_or(|(own, _)| *own != turn) {
            self.client = Some((turn, Client::new(address)));
        }
        (turn != self.broken).then_some(turn)
    }

    /// None if there is no process, or it went away: it may have done what was asked or not.
    pub fn send(&mut self, method: &str, path: &str, body: &str) -> Option<Answer> {
        let turn = self.turn()?;
        let (_, client) = self.client.as_mut()?;
        let json = [("content-type", "application/json")];
        let answer = client.send(method, path, &json, body.as_bytes());
        if answer.is_err() {
            self.broken = turn;
        }
        answer.ok()
    }
}
