//! Opens a TCP connection to one of a receiver's addresses.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::SendError;
use super::error::is_our_shortage;

/// How long an address has for itself before the next one is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// More addresses than this are no help within one deadline.
const ADDRESS_LIMIT: usize = 8;

/// Connects to the first of `addresses` that lets us, none of which may hold up the others.
pub(super) async fn connect(
    addresses: Vec<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), SendError> {
    if let [only] = addresses[..] {
        return one(only).await;
    }
    let mut waiting = addresses.into_iter().take(ADDRESS_LIMIT);
    // Dropping the set gives up on those that have not connected.
    let mut trying = JoinSet::new();
    let mut last = SendError::Unusable("its name has no address");
    loop {
        let next = waiting.next();
        let more = next.is_some();
        if let Some(address) = next {
            trying.spawn(one(address));
        }
        tokio::select! {
            done = trying.join_next() => match done {
                Some(Ok(Ok(connected))) => return Ok(connected),
                Some(Ok(Err(error))) => last = error,
                Some(Err(_)) => {}
                None => return Err(last),
            },
            () = tokio::time::sleep(HEAD_START), if more => {}
        }
    }
}

async fn one(peer: SocketAddr) -> Result<(TcpStream, SocketAddr), SendError> {
    let connected: io::Result<TcpStream> = async {
        let tcp = TcpStream::connect(peer).await?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }
    .await;
    match connected {
        Ok(tcp) => Ok((tcp, peer)),
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
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = gone.local_addr().unwrap();
        drop(gone);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let (_, peer) = connect(vec![closed, open]).await.unwrap();
        assert_eq!(peer, open);
        assert_eq!(
            connect(vec![closed, closed]).await.unwrap_err(),
            SendError::Connect {
                peer: closed,
                kind: io::ErrorKind::ConnectionRefused
            }
        );
    }
}
