//! How many files and sockets may be open at once.
//!
//! Inbound connections must leave enough for the store and for attempts, or else whoever opens many
//! and says nothing stops the deliveries.

use crate::config::Limits;

/// What the store, the log, the listener and the runtime have open, generously.
const OWN: usize = 64;

/// Takes as many descriptors as the system lets this process have, and lowers `limits` to what they
/// suffice for.
pub(super) fn fit(limits: &mut Limits) {
    let Some(descriptors) = raise() else {
        return;
    };
    let fitting = connections(descriptors, limits);
    if fitting < limits.max_connections {
        tracing::warn!(
            descriptors,
            max_connections = fitting,
            "max_connections is lowered to what the descriptor limit leaves beside deliveries; \
             raise it with `ulimit -n`, or lower limits.deliveries_in_flight_max"
        );
        limits.max_connections = fitting;
    }
}

/// Raises the limit as far as may be, and gives it where there is one.
#[cfg(unix)]
fn raise() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where the system says no, what there is has to do.
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    current.and_then(|current| usize::try_from(current).ok())
}

#[cfg(not(unix))]
fn raise() -> Option<usize> {
    None
}

/// How many connections `descriptors` suffice for, beside everything else. Pure.
fn connections(descriptors: usize, limits: &Limits) -> usize {
    let left = descriptors.saturating_sub(OWN);
    // Where there is too little for both, those who ask still get a part.
    let fitting = left.saturating_sub(limits.deliveries_in_flight_max);
    fitting.max(left / 4).clamp(1, limits.max_connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_attempts_and_for_the_store() {
        let limits = Limits::default();
        let (most, attempts) = (limits.max_connections, limits.deliveries_in_flight_max);
        for (descriptors, expected) in [
            (1_000_000, most),
            (OWN + attempts + most, most),
            (OWN + attempts + most - 1, most - 1),
            (1024, 1024 - OWN - attempts),
            (256, (256 - OWN) / 4),
            (0, 1),
        ] {
            assert_eq!(connections(descriptors, &limits), expected, "{descriptors}");
        }
    }
}
