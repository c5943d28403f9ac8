//! Opens a connection to one of a receiver's addresses.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::SendError;
use crate::deliver::shortage::is_our_shortage;

/// How long an address has for itself before the next one is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// More addresses than this are no help within one deadline.
const ADDRESS_LIMIT: usize = 8;

/// Bytes both ways: TCP, or what stands in for it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A connection to a receiver.
pub type Socket = Box<dyn Stream>;

/// A connection that is being opened.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = io::Result<Socket>> + Send + 'a>>;

/// Opens connections. A simulation has a network of its own.
pub trait Dial: Send + Sync + 'static {
    /// Connects to `peer`, which the address guard has let through.
    fn dial(&self, peer: SocketAddr) -> Dialing<'_>;

    /// Why this machine cannot connect to anybody right now, if it cannot.
    fn shortage(&self) -> Option<io::Error> {
        None
    }
}

/// The operating system's TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Dial for Tcp {
    fn dial(&self, peer: SocketAddr) -> Dialing<'_> {
        Box::pin(async move {
            let tcp = TcpStream::connect(peer).await?;
            tcp.set_nodelay(true)?;
            Ok(Box::new(tcp) as Socket)
        })
    }

    fn shortage(&self) -> Option<io::Error> {
        TcpSocket::new_v4().err().filter(is_our_shortage)
    }
}

/// Connects to the first of `addresses` that lets us, none of which may hold up the others.
pub(super) async fn connect(
    dial: &Arc<dyn Dial>,
    addresses: Vec<SocketAddr>,
) -> Result<(Socket, SocketAddr), SendError> {
    if let [only] = addresses[..] {
        return one(dial.clone(), only).await;
    }
    let mut waiting = addresses.into_iter().take(ADDRESS_LIMIT);
    // Dropping the set gives up on those that have not connected.
    let mut trying = JoinSet::new();
    let mut last = SendError::Unusable("its name has no address");
    loop {
        let next = waiting.next();
        let more = next.is_some();
        if let Some(address) = next {
            trying.spawn(one(dial.clone(), address));
        }
        tokio::select! {
            done = trying.join_next() => match done {
                Some(Ok(Ok(connected))) => return Ok(connected),
                // That one was not tried counts for more than what the others did.
                Some(Ok(Err(_))) if matches!(last, SendError::Starved(_)) => {}
                Some(Ok(Err(error))) => last = error,
                Some(Err(_)) => {}
                None => return Err(last),
            },
            () = tokio::time::sleep(HEAD_START), if more => {}
        }
    }
}

async fn one(dial: Arc<dyn Dial>, peer: SocketAddr) -> Result<(Socket, SocketAddr), SendError> {
    match dial.dial(peer).await {
        Ok(socket) => Ok((socket, peer)),
        Err(error) if is_our_shortage(&error) => Err(SendError::Starved(error.to_string())),
        Err(error) => Err(SendError::Connect {
            peer,
            kind: error.kind(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_address_that_refuses_does_not_keep_the_next_from_being_used() {
        // No port that the kernel may give to another test.
        let closed: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let tcp: Arc<dyn Dial> = Arc::new(Tcp);
        let (_, peer) = connect(&tcp, vec![closed, open]).await.unwrap();
        assert_eq!(peer, open);
        assert_eq!(
            connect(&tcp, vec![closed, closed]).await.err().unwrap(),
            SendError::Connect {
                peer: closed,
                kind: io::ErrorKind::ConnectionRefused
            }
        );
    }

    /// Has a socket for every address but this one.
    struct Short(SocketAddr);

    impl Dial for Short {
        fn dial(&self, peer: SocketAddr) -> Dialing<'_> {
            let error = match peer == self.0 {
                true => rustix::io::Errno::MFILE.into(),
                false => io::ErrorKind::ConnectionRefused.into(),
            };
            Box::pin(std::future::ready(Err(error)))
        }
    }

    #[tokio::test]
    async fn an_address_that_was_not_tried_for_lack_of_a_socket_is_no_failure_of_the_others() {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for short in [1, 2] {
            let dial: Arc<dyn Dial> = Arc::new(Short(at(short)));
            let error = connect(&dial, vec![at(1), at(2)]).await.err().unwrap();
            assert!(matches!(error, SendError::Starved(_)), "{error}");
        }
    }
}
