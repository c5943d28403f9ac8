//! Who has logged in. Kept in memory alone: a start, with a new token or with the old one, asks
//! everybody again, and so does a token that is taken back.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::{HeaderMap, Method, StatusCode};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::{cookie, origin};
use crate::api::gate::auth;
use crate::clock::{SharedClock, Timestamp};
use crate::inbound::problem::Problem;
use crate::vendor::signature::hmac_sha256;

/// How long a session lasts: a working day. It cannot be prolonged.
pub const LASTS: Duration = Duration::from_secs(12 * 3600);

/// How many there are at once: people, not programs, log in. For one more, the one that ends first
/// ends at once; only who has the token can bring that about.
const OPEN_MAX: usize = 64;

/// Every session.
pub struct Sessions {
    key: [u8; 32],
    clock: SharedClock,
    list: Mutex<List>,
    ends: watch::Sender<u64>,
}

#[derive(Default)]
struct List {
    /// How many there have been.
    made: u64,
    /// When each ends, by the digest of its id: how long a search for a guessed id takes says nothing
    /// of the ids that there are.
    open: BTreeMap<[u8; 32], Timestamp>,
}

impl Sessions {
    /// None yet. Their ids follow from `key`, which has to be random and new at each start; `clock`
    /// is the machine's.
    pub fn new(key: [u8; 32], clock: SharedClock) -> Self {
        Self {
            key,
            clock,
            list: Mutex::default(),
            ends: watch::Sender::default(),
        }
    }

    /// One more; gives its id, which nobody can guess.
    pub(super) fn open(&self) -> String {
        let now = self.now();
        let mut list = self.list();
        list.made += 1;
        let id = hex::encode(hmac_sha256(
            &self.key,
            &[b"session", &list.made.to_be_bytes()],
        ));
        list.open.retain(|_, ends| *ends > now);
        if list.open.len() >= OPEN_MAX {
            let first = list.open.iter().min_by_key(|(_, ends)| **ends);
            if let Some(first) = first.map(|(digest, _)| *digest) {
                list.open.remove(&first);
                self.tell();
            }
        }
        list.open.insert(digest(&id), now.plus(LASTS));
        id
    }

    /// Ends one, if there is one with this id.
    pub(super) fn close(&self, id: &str) {
        self.list().open.remove(&digest(id));
        self.tell();
    }

    /// Ends every one: a token has been taken back, and may have opened any of them.
    pub fn close_all(&self) {
        self.list().open.clear();
        self.tell();
    }

    /// One has ended before its time: what it has opened ends, too.
    fn tell(&self) {
        self.ends.send_modify(|count| *count += 1);
    }

    fn is_open(&self, id: &str) -> bool {
        let now = self.now();
        let list = self.list();
        list.open.get(&digest(id)).is_some_and(|ends| *ends > now)
    }

    /// A machine whose clock is set neither ends sessions nor prolongs them.
    fn now(&self) -> Timestamp {
        self.clock.moment().steady()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}

impl auth::Sessions for Sessions {
    fn admit(&self, method: &Method, headers: &HeaderMap) -> Result<bool, Problem> {
        let mut ids = cookie::ids(headers).peekable();
        if ids.peek().is_none() {
            return Ok(false);
        }
        if !ids.any(|id| self.is_open(id)) {
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "the session has ended; log in again at /login",
            ));
        }
        origin::check(method, headers)?;
        Ok(true)
    }

    fn ends(&self) -> watch::Receiver<u64> {
        self.ends.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hyper::header::{COOKIE, HeaderValue};

    use super::*;
    use crate::api::gate::auth::Sessions as _;
    use crate::clock::{Clock, ManualClock};

    fn sessions() -> (Sessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        (Sessions::new([7; 32], clock.clone()), clock)
    }

    fn headers(cookies: &str) -> HeaderMap {
        let cookies = HeaderValue::try_from(cookies).unwrap();
        HeaderMap::from_iter([(COOKIE, cookies)])
    }

    #[test]
    fn a_session_lasts_for_twelve_hours_and_not_a_millisecond_longer() {
        let (sessions, clock) = sessions();
        let id = sessions.open();
        clock.set(clock.now().plus(LASTS - Duration::from_millis(1)));
        assert!(sessions.is_open(&id));
        clock.set(clock.now().plus(Duration::from_millis(1)));
        assert!(!sessions.is_open(&id));
    }

    #[test]
    fn with_one_too_many_the_one_that_ends_first_ends() {
        let (sessions, clock) = sessions();
        let ids: Vec<String> = (0..=OPEN_MAX)
            .map(|_| {
                clock.set(clock.now().plus(Duration::from_secs(1)));
                sessions.open()
            })
            .collect();
        assert!(!sessions.is_open(&ids[0]));
        assert!(ids[1..].iter().all(|id| sessions.is_open(id)));
    }

    #[test]
    fn no_two_ids_are_alike_and_none_is_of_another_key() {
        let (sessions, clock) = sessions();
        let other = Sessions::new([8; 32], clock);
        let (first, second) = (sessions.open(), sessions.open());
        assert_ne!(first, second);
        assert_eq!(first.len(), 64);
        assert_ne!(other.open(), first);
        assert!(!other.is_open(&first));
    }

    #[test]
    fn a_closed_or_a_made_up_session_is_told_to_log_in_and_none_at_all_is_none() {
        let (sessions, _) = sessions();
        let id = sessions.open();
        let admit = |cookies: &str| sessions.admit(&Method::GET, &headers(cookies));
        assert_eq!(admit(&format!("a=b; redeliver_7070={id}")), Ok(true));
        assert_eq!(admit("a=b"), Ok(false));
        sessions.close(&id);
        for ended in [
            &*format!("redeliver_7070={id}"),
            "redeliver=x",
            "redeliver=",
        ] {
            let problem = admit(ended).unwrap_err();
            assert_eq!(problem.status.as_u16(), 401, "{ended}");
            assert!(!problem.detail.contains(&id));
        }
    }
}
