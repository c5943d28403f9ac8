//! For whoever names an endpoint or a policy that is not there: which there are.

use std::sync::Arc;

use super::params::Params;
use crate::api::Admin;
use crate::endpoint::{Endpoint, EndpointState};
use crate::inbound::problem::Problem;
use crate::words::{listed, nearest, quoted};

/// How many names are told; thousands would help nobody.
const TOLD_MAX: usize = 20;

/// Among how many a misspelt name is looked for.
const COMPARED_MAX: usize = 1_000;

impl Admin {
    /// The endpoint that the parameter `endpoint` names. A filter by one that is not there would
    /// show nothing, as if it were well.
    pub(in crate::api) fn filtered_endpoint(
        &self,
        params: &mut Params<'_>,
    ) -> Option<Arc<Endpoint>> {
        let wanted = params.text("endpoint")?.to_owned();
        let found = self.store.find_endpoint(&wanted);
        if found.is_none() {
            params.add("endpoint", self.no_endpoint(&wanted));
        }
        found
    }

    /// The policy that the parameter `policy` names: one that there is, or under which there was an
    /// endpoint.
    pub(in crate::api) fn filtered_policy(&self, params: &mut Params<'_>) -> Option<String> {
        let wanted = params.text("policy")?.to_owned();
        let policies = self.policies.get();
        let queues = self.store.queues();
        let in_use = queues.iter().map(|queue| &*queue.endpoint.settings.policy);
        let mut names: Vec<&str> = policies.names().chain(in_use).collect();
        names.sort_unstable();
        names.dedup();
        if !names.contains(&&*wanted) {
            let detail = format!(
                "there is no policy {}; {}",
                quoted(&wanted),
                told(&wanted, &names)
            );
            params.add("policy", detail);
        }
        Some(wanted)
    }

    /// Why no endpoint is called so, and what to ask for instead.
    pub(in crate::api) fn no_endpoint(&self, wanted: &str) -> String {
        if let Some(removed) = self.removed(wanted) {
            return format!(
                "endpoint {} is removed; its history is found by its id, {}",
                quoted(wanted),
                removed.id
            );
        }
        let queues = self.store.queues();
        let present = queues.iter().map(|queue| &queue.endpoint);
        let present = present.filter(|endpoint| endpoint.state != EndpointState::Removed);
        let names: Vec<&str> = present.map(|it| it.settings.name.as_str()).collect();
        format!(
            "there is no endpoint {}; {}",
            quoted(wanted),
            told(wanted, &names)
        )
    }

    /// 404, for a path that names an endpoint which is not there.
    pub(in crate::api) fn unknown_endpoint(&self, wanted: &str) -> Problem {
        Problem::not_found(self.no_endpoint(wanted))
    }

    /// The last endpoint that was called so and is removed.
    fn removed(&self, name: &str) -> Option<Arc<Endpoint>> {
        let endpoints = self.store.queues().into_iter().map(|queue| queue.endpoint);
        endpoints
            .filter(|it| it.state == EndpointState::Removed && it.settings.name == name)
            .max_by_key(|it| it.number)
    }
}

fn told(wanted: &str, names: &[&str]) -> String {
    let compared = names.iter().take(COMPARED_MAX).copied();
    if let Some(near) = nearest(wanted, compared) {
        return format!("did you mean {}?", quoted(near));
    }
    let shown = listed(names.iter().take(TOLD_MAX).copied());
    match names.len() {
        0 => "there are none".to_owned(),
        count if count > TOLD_MAX => {
            format!("there are {shown} and {} more", count - TOLD_MAX)
        }
        1 => format!("there is {shown}"),
        _ => format!("there are {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_a_few_are_told_and_the_one_that_was_meant() {
        assert_eq!(told("x", &[]), "there are none");
        assert_eq!(told("x", &["crm"]), "there is \"crm\"");
        assert_eq!(told("shops", &["crm", "shop"]), "did you mean \"shop\"?");
        let names: Vec<String> = (0..30).map(|n| format!("endpoint-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let told = told("x", &names);
        assert!(told.ends_with("\"endpoint-19\" and 10 more"), "{told}");
    }
}
