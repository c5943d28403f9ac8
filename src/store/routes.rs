//! Which endpoints an event goes to, without asking each of them.

use std::collections::{BTreeSet, HashMap};

use crate::endpoint::{Filter, FilterOn};
use crate::event::NewEvent;

/// An index of the endpoints' filters: exact names by hash, the rest in short lists.
#[derive(Debug, Default)]
pub struct Routes {
    by_kind: Names,
    by_status: Names,
    all: BTreeSet<u32>,
}

#[derive(Debug, Default)]
struct Names {
    exact: HashMap<String, BTreeSet<u32>>,
    prefixes: BTreeSet<(String, u32)>,
}

impl Names {
    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = u32> + 'a {
        let exact = self.exact.get(name).into_iter().flatten().copied();
        let prefixed = self
            .prefixes
            .iter()
            .filter(move |(prefix, _)| name.starts_with(prefix.as_str()))
            .map(|(_, endpoint)| *endpoint);
        exact.chain(prefixed)
    }
}

impl Routes {
    /// Adds an endpoint.
    pub fn insert(&mut self, endpoint: u32, filter: &Filter) {
        let names = match filter.on {
            FilterOn::Kind => &mut self.by_kind,
            FilterOn::Status => &mut self.by_status,
        };
        for pattern in &filter.patterns {
            if pattern == "*" {
                self.all.insert(endpoint);
            } else if let Some(prefix) = pattern.strip_suffix('*').filter(|p| p.ends_with('.')) {
                names.prefixes.insert((prefix.to_owned(), endpoint));
            } else {
                names
                    .exact
                    .entry(pattern.clone())
                    .or_default()
                    .insert(endpoint);
            }
        }
    }

    /// Takes an endpoint out that was added with this `filter`.
    pub fn remove(&mut self, endpoint: u32, filter: &Filter) {
        self.all.remove(&endpoint);
        for names in [&mut self.by_kind, &mut self.by_status] {
            names.prefixes.retain(|(_, number)| *number != endpoint);
            for pattern in &filter.patterns {
                if let Some(endpoints) = names.exact.get_mut(pattern) {
                    endpoints.remove(&endpoint);
                    if endpoints.is_empty() {
                        names.exact.remove(pattern);
                    }
                }
            }
        }
    }

    /// The endpoints whose filter matches, each once, lowest number first.
    pub fn of(&self, event: &NewEvent) -> Vec<u32> {
        let mut endpoints: Vec<u32> = self.all.iter().copied().collect();
        let all = endpoints.len();
        endpoints.extend(self.by_kind.of(&event.kind));
        if let Some(status) = &event.status {
            endpoints.extend(self.by_status.of(status));
        }
        if endpoints.len() > all {
            endpoints.sort_unstable();
            endpoints.dedup();
        }
        endpoints
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Form;

    fn event(kind: &str, status: Option<&str>) -> NewEvent {
        NewEvent {
            source: "api".into(),
            kind: kind.into(),
            subject: None,
            time: None,
            content_type: "application/json".into(),
            form: Form::Data,
            body: Default::default(),
            status: status.map(Into::into),
            idempotency_key: None,
        }
    }

    proptest! {
        #[test]
        fn the_index_gives_what_asking_every_filter_gives(
            filters in prop::collection::vec(
                (any::<bool>(), prop::collection::vec("(\\*|a|b|a\\.\\*|a\\.b|b\\.\\*)", 0..3)), 0..8),
            removed in prop::collection::vec(any::<bool>(), 8),
            kind in "(a|b|a\\.b|b\\.c|c)",
            status in prop::option::of("(a|b|a\\.b)"),
        ) {
            let filters: Vec<Filter> = filters
                .into_iter()
                .map(|(on, patterns)| Filter {
                    on: if on { FilterOn::Kind } else { FilterOn::Status },
                    patterns,
                })
                .collect();
            let mut routes = Routes::default();
            for (n, filter) in filters.iter().enumerate() {
                routes.insert(n as u32, filter);
            }
            for (n, filter) in filters.iter().enumerate().filter(|(n, _)| removed[*n]) {
                routes.remove(n as u32, filter);
            }
            let event = event(&kind, status.as_deref());
            let expected: Vec<u32> = filters
                .iter()
                .enumerate()
                .filter(|(n, filter)| !removed[*n] && filter.matches(&event))
                .map(|(n, _)| n as u32)
                .collect();
            prop_assert_eq!(routes.of(&event), expected);
        }
    }
}
