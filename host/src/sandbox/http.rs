//! HTTP requests of plugins by wasi:http: over plain HTTP 1.1, to granted addresses.
//!
//! The checks of sockets do not apply to wasi:http, so this module checks each request itself. The
//! module sends a request only to a granted host and port. The addresses of the host come from the
//! network (`network.rs`). The module follows no redirects. A refused request fails inside the
//! guest.
//!
//! The host offers no TLS: an `https` request fails with a message that says so.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::network::Network;
use crate::sandbox::guest_event::Denial;

/// The hooks that send the requests of one instance.
#[derive(Clone, Debug)]
pub(crate) struct Requests(Arc<Network>);

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Connection = http1::Connection<TokioIo<TcpStream>, WasiBody>;

impl Requests {
    pub(crate) fn new(network: &Arc<Network>) -> Self {
        Self(Arc::clone(network))
    }

    /// Returns the addresses for a request, if it is allowed.
    fn destinations(&self, uri: &Uri) -> Result<Vec<SocketAddr>> {
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
        let default = if is_tls { 443 } else { 80 };
        let (host, port) = (authority.host(), authority.port_u16().unwrap_or(default));
        let found = self.0.destinations(host, port).map_err(|_| Error::HttpRequestDenied)?;
        if is_tls {
            self.0.report_denial(&Denial::Tls { host: host.into(), port });
            return Err(Error::InternalError(Some("this host has no TLS: use `http`".into())));
        }
        Ok(found)
    }
}

impl WasiHttpHooks for Requests {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _done: Io,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Io)>> + Send> {
        let destinations = self.destinations(request.uri());
        Box::new(async move { send(request, &destinations?, options.unwrap_or_default()).await })
    }
}

/// The longest wait for a response if the guest sets no timeout. The guest's own deadline may end
/// the wait sooner.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

async fn send(
    mut request: Request<WasiBody>,
    destinations: &[SocketAddr],
    options: RequestOptions,
) -> Result<(Response<WasiBody>, Io)> {
    let limit = |requested: Option<Duration>| requested.unwrap_or(DEFAULT_TIMEOUT);
    let connect = async {
        let stream = TcpStream::connect(destinations).await.map_err(Error::Connect)?;
        Ok::<_, Error>(http1::handshake(TokioIo::new(stream)).await?)
    };
    let connected = timeout(limit(options.connect_timeout), connect).await;
    let (mut sender, mut connection) = connected.map_err(|_| Error::ConnectionTimeout)??;
    *request.uri_mut() = origin_form(request.uri());
    let response = with_io(&mut connection, sender.send_request(request));
    let response = timeout(limit(options.first_byte_timeout), response).await;
    let response = response.map_err(|_| Error::ConnectionReadTimeout)??;
    let max_pause = limit(options.between_bytes_timeout);
    let response = response.map(|incoming| TimeLimited::new(incoming, max_pause).boxed_unsync());
    Ok((response, Box::new(async { Ok(connection.await?) })))
}

/// Returns the path without the host. Only a request to a proxy has the host in its first line.
fn origin_form(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    path.map_or_else(|| Uri::from_static("/"), Uri::from)
}

/// Waits for a response, and drives the connection meanwhile.
async fn with_io(
    connection: &mut Connection,
    response: impl Future<Output = hyper::Result<Response<Incoming>>>,
) -> hyper::Result<Response<Incoming>> {
    let mut response = pin!(response);
    let mut is_open = true;
    poll_fn(|context| {
        if is_open && let Poll::Ready(ended) = Pin::new(&mut *connection).poll(context) {
            is_open = false;
            ended?;
        }
        response.as_mut().poll(context)
    })
    .await
}

/// The body of a response. It ends with an error if the next piece takes too long.
struct TimeLimited {
    incoming: Incoming,
    max_pause: Duration,
    end: Pin<Box<Sleep>>,
}

impl TimeLimited {
    fn new(incoming: Incoming, max_pause: Duration) -> Self {
        Self { incoming, max_pause, end: Box::pin(sleep(max_pause)) }
    }
}

impl Body for TimeLimited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(frame) => {
                let end = Instant::now() + self.max_pause;
                self.end.as_mut().reset(end);
                Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
            }
            Poll::Pending => {
                ready!(self.end.as_mut().poll(context));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
