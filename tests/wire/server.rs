//! A small HTTP server on loopback: a handler that gets the whole request and gives the whole answer.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub type Answer = Response<Full<Bytes>>;

/// Serve requests read to their end.
pub async fn serve<H, F>(handler: H) -> SocketAddr
where
    H: Fn(Request<Bytes>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    serve_raw(move || {
        let handler = handler.clone();
        service_fn(move |request: Request<Incoming>| {
            let handler = handler.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                Ok::<_, hyper::Error>(handler(Request::from_parts(parts, body)).await)
            }
        })
    })
    .await
}

/// Serve with a hyper service; `service` is called for each connection.
pub async fn serve_raw<S, B>(service: impl Fn() -> S + Send + 'static) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service());
            // A client that goes away is no concern of the server.
            tokio::spawn(async move { drop(connection.await) });
        }
    });
    address
}

/// The trace that a request to AWS names.
pub fn trace(headers: &HeaderMap) -> Option<String> {
    headers.get("x-amzn-trace-id").map(|value| value.to_str().unwrap().to_owned())
}

pub fn answer(status: u16, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::new(body.into())).unwrap()
}
