//! hyper with nothing around it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::ACCEPTED;

pub type Answer = Response<Full<Bytes>>;

/// Binds, and says where on standard output.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

/// Answers every request by `answer`, which is given its whole body, for ever.
pub async fn serve<A, F>(listener: TcpListener, answer: A) -> io::Result<()>
where
    A: Fn(hyper::http::request::Parts, Bytes) -> F + Clone + Send + 'static,
    F: Future<Output = Answer> + Send,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer.clone();
            async move {
                let (head, body) = request.into_parts();
                let answered = match body.collect().await {
                    Ok(body) => answer(head, body.to_bytes()).await,
                    Err(_) => status(StatusCode::BAD_REQUEST),
                };
                Ok::<_, Infallible>(answered)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// What a broker answers that has taken an event.
pub fn accepted() -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(ACCEPTED)));
    *answer.status_mut() = StatusCode::ACCEPTED;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}

/// Nothing but a status.
pub fn status(status: StatusCode) -> Answer {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer
}
