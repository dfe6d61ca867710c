//! HTTP on loopback: connections with their limits, and who may ask.
//!
//! Invariant: a client that sends slowly, sends too much or never ends costs a connection of a few ([`CONNECTIONS`]) and no more, and
//! that only until another wants it ([`places`](super::places)); and no page that a browser shows from elsewhere gets an answer ([`same_site`], [`no_browser`]).

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

use super::places::{Doing, Place, Places};

/// Most connections of a listener that anybody may want.
pub const CONNECTIONS: usize = 200;
/// Most connections of one that is for a process alone.
pub const CONNECTIONS_OF_PROCESS: usize = 16;
/// A request's header has come by then; a connection that is not used is closed.
const HEADER_WITHIN: Duration = Duration::from_secs(15);
/// A client has taken some of what is written to it by then.
const WRITTEN_WITHIN: Duration = Duration::from_mins(1);
/// Most octets of a request's header.
const MAX_HEADER: usize = 64 * 1024;
/// Most fields of it.
const MAX_FIELDS: usize = 100;

/// Serve so many connections at a time, until the process ends.
pub async fn serve(listener: TcpListener, router: Router, most: usize) {
    let places = Places::new(most);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptor is left.
            places.close_one();
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Dropped, and so closed, where there is no place.
        let Some(place) = places.take() else { continue };
        let (place, router) = (Arc::new(place), TowerToHyperService::new(router.clone()));
        let held = Arc::clone(&place);
        let service = service_fn(move |request| answered(request, router.clone(), Arc::clone(&held)));
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(HEADER_WITHIN)
                .max_buf_size(MAX_HEADER)
                .max_headers(MAX_FIELDS);
            // A client that goes away, or sends what is no HTTP, is no concern of the server.
            tokio::select! {
                _ = http.serve_connection(TokioIo::new(Patience::new(stream)), service) => {}
                () = place.is_taken() => {}
            }
        });
    }
}

/// Answer a request; its connection says meanwhile what it does.
async fn answered(
    request: hyper::Request<Incoming>,
    router: TowerToHyperService<Router>,
    place: Arc<Place>,
) -> Result<Response, Infallible> {
    place.is(if request.is_end_stream() { Doing::Answering } else { Doing::Receiving });
    let request = request.map(|body| Watched { body, place: Arc::clone(&place), then: Doing::Answering });
    // The parser takes what has come with the last octets that it asked for.
    let answer = if octets(&request) > MAX_HEADER {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "a request's header has 64 KiB at most\n").into_response()
    } else {
        router.call(request).await?
    };
    place.is(Doing::Answering);
    Ok(answer.map(|body| Body::new(Watched { body, place, then: Doing::Idle })))
}

/// Of its first line and its fields, nearly.
fn octets<T>(request: &hyper::Request<T>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    request.headers().iter().fold(target, |sum, (name, value)| sum + name.as_str().len() + value.len() + 4)
}

/// A body; when it has ended or is given up, its connection does something else.
struct Watched<B> {
    body: B,
    place: Arc<Place>,
    then: Doing,
}

impl<B: hyper::body::Body<Data = Bytes> + Unpin> hyper::body::Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) if self.then == Doing::Answering => {
                self.place.has_sent(frame.data_ref().map_or(0, Bytes::len));
            }
            Some(_) => {}
            None => self.place.is(self.then),
        }
        Poll::Ready(frame)
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        self.place.is(self.then);
    }
}

/// A connection whose client must take what is written to it within [`WRITTEN_WITHIN`].
struct Patience {
    stream: TcpStream,
    /// Since when the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(stream: TcpStream) -> Self {
        Self { stream, stalled: None }
    }

    fn timed<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITTEN_WITHIN)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patience {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patience {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.timed(context, written)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.timed(context, flushed)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.timed(context, written)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// For pages: the host that is asked for is this machine by a name that nobody else can point here, and who asks is a page
/// of the same host, or no page. Else 403.
pub async fn same_site(request: Request, next: Next) -> Result<Response, Infallible> {
    let fields = request.headers();
    let site = text(fields, "sec-fetch-site");
    // A link from elsewhere that somebody follows only shows the page.
    let followed = request.method().is_safe() && text(fields, "sec-fetch-dest") == Some("document");
    let host = text(fields, "host").filter(|host| is_own(host));
    let origin = fields.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let sound = stand_once(fields)
        && names_no_other(request.uri())
        && host.is_some_and(|host| {
            origin.is_none_or(|origin| origin.strip_prefix("http://") == Some(host))
                && (site.is_none_or(|site| matches!(site, "same-origin" | "none")) || followed)
        });
    Ok(if sound { next.run(request).await } else { refused() })
}

/// For programs: no browser has a part in it. Else 403.
pub async fn no_browser(request: Request, next: Next) -> Result<Response, Infallible> {
    let fields = request.headers();
    let browser = fields.contains_key(header::ORIGIN) || fields.contains_key("sec-fetch-site");
    let sound =
        !browser && stand_once(fields) && names_no_other(request.uri()) && text(fields, "host").is_some_and(is_own);
    Ok(if sound { next.run(request).await } else { refused() })
}

fn refused() -> Response {
    (StatusCode::FORBIDDEN, "mailwright serve answers only to this machine, by its address or as localhost\n")
        .into_response()
}

/// How containers call the machine that they run on.
const FROM_CONTAINERS: [&str; 2] = ["host.docker.internal", "host.containers.internal"];

/// An IP address, `localhost`, a name below it, or what containers call their host: nobody else can have such a name, while
/// any other may be made to lead here (DNS rebinding).
fn is_own(host: &str) -> bool {
    let Some(authority) = host.parse::<Authority>().ok().filter(|_| !host.contains('@')) else { return false };
    let name = authority.host().to_ascii_lowercase();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
    let port = host.strip_prefix(authority.host()).unwrap_or(host);
    (port.is_empty() || authority.port_u16().is_some())
        && (address.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || FROM_CONTAINERS.contains(&name.as_str()))
}

/// A host in the request's first line counts more than the field (RFC 9112 §3.2.2).
fn names_no_other(target: &Uri) -> bool {
    target.authority().is_none_or(|authority| is_own(authority.as_str()))
}

/// Those by which a request is judged stand once: of several, another program might take the other.
fn stand_once(fields: &HeaderMap) -> bool {
    ["host", "origin", "sec-fetch-site"].into_iter().all(|name| fields.get_all(name).iter().count() <= 1)
}

fn text<'h>(fields: &'h HeaderMap, name: &str) -> Option<&'h str> {
    fields.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for host in [
            "127.0.0.1:8620",
            "[::1]:8620",
            "[::1]",
            "localhost",
            "LOCALHOST:1",
            "my-bucket.localhost:8621",
            "10.0.0.7:1",
            "host.docker.internal:8621",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8620",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "internal.evil.example",
            "foo.internal",
            "[::1",
            "127.0.0.1:99999",
            "127.0.0.1:",
            "evil.example@127.0.0.1",
            "notlocalhost",
        ] {
            assert!(!is_own(host), "{host}");
        }
    }

    #[test]
    fn a_field_that_stands_twice_is_no_field_to_trust() {
        let fields = |names: &[&'static str]| {
            let mut fields = HeaderMap::new();
            for name in names {
                fields.append(*name, "127.0.0.1".parse().expect("a value"));
            }
            fields
        };
        assert!(stand_once(&fields(&["host", "origin", "accept", "accept"])));
        assert!(!stand_once(&fields(&["host", "host"])));
        assert!(!stand_once(&fields(&["host", "origin", "origin"])));
    }
}
