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
    exact: Listed,
    /// Each ends in a full stop, so that a name has as many as it has full stops, however many
    /// endpoints there are.
    prefixes: Listed,
}

type Listed = HashMap<String, BTreeSet<u32>>;

impl Names {
    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = u32> + 'a {
        let exact = self.exact.get(name);
        let ends = name.match_indices('.');
        let prefixed = ends.filter_map(|(at, _)| self.prefixes.get(&name[..=at]));
        exact.into_iter().chain(prefixed).flatten().copied()
    }
}

fn list(listed: &mut Listed, key: &str, endpoint: u32) {
    listed.entry(key.to_owned()).or_default().insert(endpoint);
}

fn strike(listed: &mut Listed, key: &str, endpoint: u32) {
    if let Some(endpoints) = listed.get_mut(key) {
        endpoints.remove(&endpoint);
        if endpoints.is_empty() {
            listed.remove(key);
        }
    }
}

/// The prefix that a pattern asks for, if it does.
fn prefix(pattern: &str) -> Option<&str> {
    pattern.strip_suffix('*').filter(|p| p.ends_with('.'))
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
            } else if let Some(prefix) = prefix(pattern) {
                list(&mut names.prefixes, prefix, endpoint);
            } else {
                list(&mut names.exact, pattern, endpoint);
            }
        }
    }

    /// Takes an endpoint out that was added with this `filter`.
    pub fn remove(&mut self, endpoint: u32, filter: &Filter) {
        self.all.remove(&endpoint);
        for names in [&mut self.by_kind, &mut self.by_status] {
            for pattern in &filter.patterns {
                match prefix(pattern) {
                    Some(prefix) => strike(&mut names.prefixes, prefix, endpoint),
                    None => strike(&mut names.exact, pattern, endpoint),
                }
            }
        }
    }

    /// The endpoints whose filter matches, each once, lowest number first.
    pub fn of(&self, event: &NewEvent) -> Vec<u32> {
        let mut endpoints: Vec<u32> = match event.is_operational() {
            true => Vec::new(),
            false => self.all.iter().copied().collect(),
        };
        let all = endpoints.len();
        for (on, names) in [
            (FilterOn::Kind, &self.by_kind),
            (FilterOn::Status, &self.by_status),
        ] {
            endpoints.extend(names.of(on.subject(event)));
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

    fn event(source: &str, kind: &str, status: Option<&str>) -> NewEvent {
        NewEvent {
            source: source.into(),
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
                (any::<bool>(), prop::collection::vec("(\\*|a|b|a\\.\\*|a\\.b|b\\.\\*|a\\.b\\.\\*)", 0..3)), 0..8),
            removed in prop::collection::vec(any::<bool>(), 8),
            kind in "(a|b|a\\.b|b\\.c|c|a\\.b\\.c|a\\.|\\.a)",
            status in prop::option::of("(a|b|a\\.b)"),
            source in "(api|redeliver)",
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
            let event = event(&source, &kind, status.as_deref());
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
