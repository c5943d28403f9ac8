//! File descriptors: as many as the system lets this process have, and none of them promised twice.
//!
//! Without shares, idle clients could take every descriptor and no delivery could leave, or hanging
//! receivers could and nobody could put an event in.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Limits;

/// For the store's files, the listener, the runtime and the resolver.
const OWN: u64 = 32;

/// The limits as far as there are descriptors for them.
pub(crate) fn fit(limits: Limits) -> Limits {
    let there = raised();
    let fitted = shared_out(limits.clone(), there);
    let given = (fitted.max_connections, fitted.deliveries_in_flight_max);
    if given != (limits.max_connections, limits.deliveries_in_flight_max) {
        tracing::warn!(
            descriptors = there,
            max_connections = given.0,
            deliveries_in_flight_max = given.1,
            "not enough file descriptors for the limits of the configuration, which are lowered; to have them, raise the hard limit (`ulimit -Hn`, LimitNOFILE=)"
        );
    }
    fitted
}

/// Raises the soft limit to the hard one, and says what it is now. The soft one is low for the sake
/// of programs that use `select`, which this one does not.
fn raised() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where the system refuses, it stays as it was.
    let _ = setrlimit(Resource::Nofile, wanted);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Half for those who send to us, half for those we send to; what one side leaves, the other may
/// have. Pure.
fn shared_out(limits: Limits, descriptors: u64) -> Limits {
    let rest = usize::try_from(descriptors.saturating_sub(OWN)).unwrap_or(usize::MAX);
    let half = rest / 2;
    let (inward, outward) = (limits.max_connections, limits.deliveries_in_flight_max);
    let for_inward = half.max(rest.saturating_sub(outward));
    let for_outward = half.max(rest.saturating_sub(inward));
    Limits {
        max_connections: inward.min(for_inward).max(1),
        deliveries_in_flight_max: outward.min(for_outward).max(1),
        ..limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(descriptors: u64, max_connections: usize, in_flight: usize) -> (usize, usize) {
        let limits = Limits {
            max_connections,
            deliveries_in_flight_max: in_flight,
            ..Limits::default()
        };
        let fitted = shared_out(limits, descriptors);
        (fitted.max_connections, fitted.deliveries_in_flight_max)
    }

    #[test]
    fn limits_that_fit_stay_and_those_that_do_not_get_a_half_or_what_is_left() {
        assert_eq!(shares(1_048_576, 1024, 512), (1024, 512));
        assert_eq!(shares(OWN + 1_536, 1024, 512), (1024, 512));
        assert_eq!(shares(OWN + 1_000, 1024, 512), (500, 500));
        assert_eq!(shares(OWN + 1_000, 1024, 100), (900, 100));
        assert_eq!(shares(OWN + 1_000, 100, 2_000), (100, 900));
        assert_eq!(shares(64, 1024, 512), (16, 16));
    }

    #[test]
    fn what_is_given_out_is_there_and_each_side_has_something() {
        for descriptors in [0, 1, OWN, OWN + 1, OWN + 3, 100, 1024, u64::MAX] {
            for (inward, outward) in [(1, 1), (1024, 512), (65_536, 65_536)] {
                let (inward, outward) = shares(descriptors, inward, outward);
                assert!(inward >= 1 && outward >= 1);
                let given = (inward + outward) as u64;
                assert!(given <= descriptors.saturating_sub(OWN).max(2));
            }
        }
    }
}
