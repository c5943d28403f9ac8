//! Who has tried wrong tokens, and how often: each for himself, so that nobody keeps another one
//! out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::HeaderName;

use crate::clock::Timestamp;
use crate::inbound::server::Peer;

/// A person who mistypes needs a few.
const TRIES_MAX: u32 = 10;

/// From the first wrong one on.
const WINDOW: Duration = Duration::from_secs(60);

/// How many are remembered: beyond it, whoever began first is forgotten first.
const REMEMBERED_MAX: usize = 1024;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whoever tries, as far as he can be told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Trier(IpAddr);

impl Trier {
    /// The other side of the connection. Is that this machine, a proxy may stand there, which adds
    /// whom it speaks to at the end of `X-Forwarded-For`.
    pub(super) fn of(peer: Peer, headers: &HeaderMap) -> Self {
        let peer = peer.0.to_canonical();
        let mut lines = headers.get_all(X_FORWARDED_FOR).iter();
        let last = lines.next_back().and_then(|line| line.to_str().ok());
        let last = last.and_then(|line| line.rsplit(',').next());
        let last = last.and_then(|text| text.trim().parse::<IpAddr>().ok());
        match last.filter(|_| peer.is_loopback()) {
            Some(named) => Self(network(named.to_canonical())),
            None => Self(network(peer)),
        }
    }
}

/// One who has an IPv6 address has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let kept = address.to_bits() & (u128::MAX << 64);
            Ipv6Addr::from_bits(kept).into()
        }
    }
}

/// Wrong tokens of the last minute.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<Trier, Tries>>);

#[derive(Clone, Copy)]
struct Tries {
    began: Timestamp,
    count: u32,
}

impl Tries {
    fn are_over(&self, now: Timestamp) -> bool {
        // A clock that was set back holds nobody up.
        now < self.began || now.since(self.began) >= WINDOW
    }

    fn left(&self, now: Timestamp) -> Duration {
        WINDOW.saturating_sub(now.since(self.began))
    }
}

impl Failures {
    /// How long `who` has to wait before the next try; none: he may try now.
    pub(super) fn wait(&self, who: Trier, now: Timestamp) -> Option<Duration> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = all.get(&who).filter(|tries| !tries.are_over(now))?;
        (tries.count >= TRIES_MAX).then(|| tries.left(now))
    }

    /// Takes one of the tries of `who`, before it is known how it ends: of many at once no more are
    /// judged than of as many one after another. Where none is left, how long he has to wait.
    pub(super) fn take(&self, who: Trier, now: Timestamp) -> Option<Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&who) && all.len() >= REMEMBERED_MAX {
            all.retain(|_, tries| !tries.are_over(now));
            let first = all.iter().min_by_key(|(_, tries)| tries.began);
            if let Some(first) = first
                .map(|(who, _)| *who)
                .filter(|_| all.len() >= REMEMBERED_MAX)
            {
                all.remove(&first);
            }
        }
        let fresh = Tries {
            began: now,
            count: 0,
        };
        let tries = all.entry(who).or_insert(fresh);
        if tries.are_over(now) {
            *tries = fresh;
        }
        if tries.count >= TRIES_MAX {
            return Some(tries.left(now));
        }
        tries.count += 1;
        None
    }

    /// The token was right: the try is no wrong one.
    pub(super) fn give_back(&self, who: Trier) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = all.get_mut(&who) {
            tries.count = tries.count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn trier(peer: &str, forwarded: Option<&str>) -> Trier {
        let header = |text| (X_FORWARDED_FOR, HeaderValue::from_str(text).unwrap());
        let headers = HeaderMap::from_iter(forwarded.map(header));
        Trier::of(Peer(peer.parse().unwrap()), &headers)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn ten_wrong_tokens_within_a_minute_are_enough_for_one_and_hold_up_no_other() {
        let failures = Failures::default();
        let (one, other) = (trier("203.0.113.5", None), trier("203.0.113.6", None));
        for second in 0..10 {
            assert_eq!(failures.wait(one, at(second)), None);
            assert_eq!(failures.take(one, at(second)), None);
        }
        assert_eq!(failures.wait(one, at(10)), Some(Duration::from_secs(50)));
        assert_eq!(failures.take(one, at(10)), Some(Duration::from_secs(50)));
        assert_eq!(failures.wait(other, at(10)), None);
        assert_eq!(failures.wait(one, at(60)), None);
        // A new minute, not one more of the old.
        assert_eq!(failures.take(one, at(60)), None);
        assert_eq!(failures.wait(one, at(60)), None);
        assert_eq!(failures.wait(one, at(-5)), None);
    }

    #[test]
    fn right_tokens_use_up_no_tries() {
        let (failures, who) = (Failures::default(), trier("203.0.113.5", None));
        for _ in 0..100 {
            assert_eq!(failures.take(who, at(1)), None);
            failures.give_back(who);
        }
        assert_eq!(failures.wait(who, at(1)), None);
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_memory_than_a_thousand() {
        let failures = Failures::default();
        for number in 0..5_000_u32 {
            let peer = Peer(IpAddr::from(number.to_be_bytes()));
            failures.take(Trier::of(peer, &HeaderMap::new()), at(1));
        }
        assert_eq!(failures.0.lock().unwrap().len(), REMEMBERED_MAX);
    }

    #[test]
    fn a_proxy_on_this_machine_is_believed_about_its_last_client_and_a_stranger_is_not() {
        let named = trier("198.51.100.7", None);
        assert_eq!(trier("127.0.0.1", Some("1.2.3.4, 198.51.100.7")), named);
        assert_eq!(trier("::1", Some("198.51.100.7")), named);
        assert_ne!(trier("203.0.113.5", Some("198.51.100.7")), named);
        assert_eq!(
            trier("127.0.0.1", Some("unknown")),
            trier("127.0.0.1", None)
        );
        assert_eq!(trier("2001:db8::1", None), trier("2001:db8::2", None));
    }
}
