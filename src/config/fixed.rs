//! What a running broker keeps until it is started again.

use super::{Config, Export, Limits, Operations, Otel, Retention, Server, Source, Website};
use crate::secret::Secret;

/// The tables that a reload cannot change, without the lines on which they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    server: Server,
    sources: Vec<Source>,
    /// The websites: what alerts are about.
    pub websites: Vec<Website>,
    exports: Vec<Export>,
    operations: Option<Operations>,
    otel: Otel,
    retention: Retention,
}

impl Fixed {
    /// Those of `config`.
    pub fn of(config: &Config) -> Self {
        let mut fixed = Self {
            server: config.server.clone(),
            sources: config.sources.clone(),
            websites: config.websites.clone(),
            exports: config.exports.clone(),
            operations: config.operations,
            otel: config.otel.clone(),
            retention: config.retention.clone(),
        };
        // Which tokens there are may change; not that there are any.
        let masked = |token: &mut Option<Secret>, previous: &mut Vec<Secret>| {
            *token = token.take().map(|_| Secret::new(""));
            previous.clear();
        };
        let server = &mut fixed.server;
        masked(&mut server.admin_token, &mut server.previous_admin_tokens);
        for source in &mut fixed.sources {
            source.line = 0;
            masked(&mut source.access_token, &mut source.previous_access_tokens);
        }
        for website in &mut fixed.websites {
            website.line = 0;
        }
        fixed
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.server.limits
    }

    /// The names of the tables in which `other` differs, as they are written in the file.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let (limits, more) = (&self.server.limits, &other.server.limits);
        let server = Server {
            limits: limits.clone(),
            ..other.server.clone()
        };
        [
            (self.server != server, "[server]"),
            (limits != more, "[limits]"),
            (self.sources != other.sources, "[[source]]"),
            (self.websites != other.websites, "[[website]]"),
            (self.exports != other.exports, "[[export]]"),
            (self.operations != other.operations, "[operations]"),
            (self.otel != other.otel, "[otel]"),
            (self.retention != other.retention, "[retention]"),
        ]
        .into_iter()
        .filter_map(|(differs, table)| differs.then_some(table))
        .collect()
    }
}
