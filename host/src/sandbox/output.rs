//! The standard output and error of a plugin. Each line becomes an event, and never a part of a
//! result.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::sandbox::guest_event::GuestStream;
use crate::sandbox::guest_output::GuestOutput;

/// A standard stream of one worker's plugin.
#[derive(Clone)]
pub(crate) struct Capture(Arc<Mutex<Lines>>);

struct Lines {
    output: Arc<GuestOutput>,
    stream: GuestStream,
    /// The current line, which has not ended yet.
    line: Vec<u8>,
}

impl Capture {
    pub(crate) fn new(stream: GuestStream, output: &Arc<GuestOutput>) -> Self {
        let output = Arc::clone(output);
        Self(Arc::new(Mutex::new(Lines { output, stream, line: Vec::new() })))
    }

    fn take(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
    }
}

impl Lines {
    /// The longest line in bytes. A longer line is passed on in pieces, so that a plugin cannot
    /// fill the host's memory.
    const MAX_LINE: usize = 8 * 1024;
    /// The most bytes that a plugin may write in one call.
    const PERMIT: usize = 64 * 1024;

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ends) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            for part in piece.chunks(Self::MAX_LINE) {
                if self.line.len() + part.len() > Self::MAX_LINE {
                    self.pass_on();
                }
                self.line.extend_from_slice(part);
            }
            if ends {
                self.pass_on();
            }
        }
    }

    fn pass_on(&mut self) {
        self.output.line(self.stream, &self.line);
        self.line.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.pass_on();
        }
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(Lines::PERMIT)
    }
}

impl AsyncWrite for Capture {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::limits::LogLimit;
    use crate::sandbox::guest_event::{GuestEvent, GuestSink};
    use crate::sandbox::guest_output::PoolRateLimiter;

    fn lines(writes: &[&[u8]]) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&lines);
        let sink = GuestSink::new(move |event| {
            if let GuestEvent::Output { line, .. } = event {
                sent.lock().unwrap().push((*line).to_owned());
            }
        });
        let (limit, pool_limiter) = (LogLimit::DEFAULT, PoolRateLimiter::new(LogLimit::DEFAULT));
        let output = GuestOutput::new(limit, pool_limiter, sink);
        let capture = Capture::new(GuestStream::Stdout, &Arc::new(output));
        for bytes in writes {
            capture.take(bytes);
        }
        drop(capture);
        std::mem::take(&mut *lines.lock().unwrap())
    }

    #[test]
    fn guest_lines_are_joined_across_writes() {
        assert_eq!(lines(&[b"one\ntw", b"o\n", b"\nlast"]), ["one", "two", "", "last"]);
        assert_eq!(lines(&[b"dos\r\n", b"\xff\n"]), ["dos", "\u{fffd}"]);
    }

    #[test]
    fn a_long_guest_line_is_split() {
        let long = vec![b'x'; Lines::MAX_LINE * 2 + 5];
        let lengths: Vec<_> = lines(&[&long, b"y\n"]).iter().map(String::len).collect();
        assert_eq!(lengths, [Lines::MAX_LINE, Lines::MAX_LINE, 6]);
    }
}
