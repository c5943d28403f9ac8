//! Names that are being resolved, each once however many ask.
//!
//! An endpoint begins several attempts at a time, and many endpoints share a host: were each to ask
//! for itself, a name server that is slow, or drops what comes too fast, would be asked hundreds of
//! times at once, and each question holds a thread. Nothing is remembered: what is asked after an
//! answer has come is asked anew, and the guard looks at every address again.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use tokio::sync::watch;

use crate::deliver::guard::{Resolve, Resolving};

type Answer = Result<Vec<SocketAddr>, Arc<io::Error>>;
type UnderWay = HashMap<String, watch::Receiver<Option<Answer>>>;

/// A resolver that asks another one, once at a time for each name.
pub(super) struct Lookups {
    resolver: Arc<dyn Resolve>,
    under_way: Arc<Mutex<UnderWay>>,
}

impl Lookups {
    pub(super) fn of(resolver: Arc<dyn Resolve>) -> Self {
        Self {
            resolver,
            under_way: Arc::default(),
        }
    }

    /// The answer that `host` has, or will have.
    fn ask(&self, host: &str) -> watch::Receiver<Option<Answer>> {
        let mut under_way = lock(&self.under_way);
        if let Some(answer) = under_way.get(host) {
            return answer.clone();
        }
        let (told, answer) = watch::channel(None);
        under_way.insert(host.to_owned(), answer.clone());
        let asked = Asked {
            host: host.to_owned(),
            under_way: self.under_way.clone(),
        };
        let resolver = self.resolver.clone();
        // A task of its own: whoever asked first may give up before the others.
        tokio::spawn(async move {
            let found = resolver.resolve(&asked.host, 0).await.map_err(Arc::new);
            drop(asked);
            told.send_replace(Some(found));
        });
        answer
    }
}

/// A question, which is under way for as long as this is held: over a panic, too.
struct Asked {
    host: String,
    under_way: Arc<Mutex<UnderWay>>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.host);
    }
}

fn lock(under_way: &Mutex<UnderWay>) -> MutexGuard<'_, UnderWay> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Resolve for Lookups {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move {
            let mut answer = self.ask(host);
            let answer = answer.wait_for(Option::is_some).await;
            let answer = answer.ok().and_then(|answer| answer.clone());
            let found = answer.unwrap_or_else(|| {
                let ended = io::Error::other("the lookup ended without an answer");
                Err(Arc::new(ended))
            });
            let with_port = |address: SocketAddr| SocketAddr::new(address.ip(), port);
            match found {
                Ok(addresses) => Ok(addresses.into_iter().map(with_port).collect()),
                Err(error) => Err(again(&error)),
            }
        })
    }
}

/// The same error for one more: its number decides whether it is a shortage of ours.
fn again(error: &io::Error) -> io::Error {
    match Errno::from_io_error(error) {
        Some(errno) => errno.into(),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// Answers each question when there is a permit for it, and counts them.
    struct Slow {
        asked: AtomicUsize,
        answers: Semaphore,
        fails: bool,
    }

    impl Slow {
        fn new(fails: bool) -> Arc<Self> {
            Arc::new(Self {
                asked: AtomicUsize::new(0),
                answers: Semaphore::new(0),
                fails,
            })
        }
    }

    impl Resolve for Slow {
        fn resolve<'a>(&'a self, _: &'a str, port: u16) -> Resolving<'a> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                self.answers.acquire().await.unwrap().forget();
                match self.fails {
                    true => Err(Errno::MFILE.into()),
                    false => Ok(vec![SocketAddr::from(([192, 0, 2, 1], port))]),
                }
            })
        }
    }

    #[tokio::test]
    async fn many_that_ask_for_a_name_ask_once_and_each_hears_the_answer_for_its_port() {
        let slow = Slow::new(false);
        let lookups = Lookups::of(slow.clone());
        let mut gives_up = lookups.resolve("a.example", 80);
        assert!(looked_at(&mut gives_up).await.is_none());
        drop(gives_up);
        let ports = [80, 443, 443, 8080];
        let mut asking: Vec<_> = ports.map(|port| lookups.resolve("a.example", port)).into();
        let mut other = lookups.resolve("b.example", 1);
        for one in asking.iter_mut().chain([&mut other]) {
            assert!(looked_at(one).await.is_none());
        }
        assert_eq!(slow.asked.load(Ordering::Relaxed), 2, "one for each name");
        slow.answers.add_permits(2);
        for (one, port) in asking.into_iter().zip(ports) {
            assert_eq!(
                one.await.unwrap(),
                [SocketAddr::from(([192, 0, 2, 1], port))]
            );
        }
        assert!(other.await.is_ok());
        // Nothing is remembered.
        slow.answers.add_permits(1);
        assert!(lookups.resolve("a.example", 80).await.is_ok());
        assert_eq!(slow.asked.load(Ordering::Relaxed), 3);
        assert!(lock(&lookups.under_way).is_empty());
    }

    #[tokio::test]
    async fn a_shortage_of_ours_is_one_for_everybody_who_asked() {
        let slow = Slow::new(true);
        let lookups = Lookups::of(slow.clone());
        slow.answers.add_permits(1);
        let (first, second) = tokio::join!(lookups.resolve("h", 1), lookups.resolve("h", 2));
        for failed in [first, second] {
            let errno = Errno::from_io_error(&failed.unwrap_err());
            assert_eq!(errno, Some(Errno::MFILE));
        }
        assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
    }

    /// What a look at it gives, once those who work for it had their turn.
    async fn looked_at<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = tokio::task::yield_now() => None,
        }
    }
}
