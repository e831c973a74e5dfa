//! Requests by wasi:http: refused.
//!
//! Components that might use HTTP are loaded; what they send fails inside of them, as it would
//! without a network.

use std::future::Future;

use http::{Request, Response};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

/// Refuses every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoHttp;

type Io = Box<dyn Future<Output = std::result::Result<(), Error>> + Send>;

impl WasiHttpHooks for NoHttp {
    fn send_request(
        &mut self,
        _request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Io,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Io)>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
