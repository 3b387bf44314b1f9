//! The gate between a socket and the HTTP parser.
//!
//! hyper accepts lines that end in a bare LF, a Content-Length beside a Transfer-Encoding, and chunk extensions. Proxies
//! read these in other ways. The gate therefore frames the requests itself, with the strict rules of `head` and `chunks`,
//! and lets pass one whole head, then the bytes of its body, then the next head: what it would not read itself never
//! reaches the parser. It also holds what a socket must not cost: the time until a head is there, the idle time between
//! two, and the time that a client takes to read what we wrote.
//!
//! A refused head is answered like any request, with the headers, the page and the log line of all the others: the gate
//! leaves the refusal in a cell that the service looks into, and hands the parser `STAND_IN` in place of the head.

use std::future::{Pending, pending};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Timeout, timeout};

use super::chunks::Chunks;
use super::head::{self, Framing};
use super::refusal::Refusal;

/// What the parser reads in place of a head that was refused. Nothing follows it.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

const LATE_HEAD: Refusal = Refusal::closing(StatusCode::REQUEST_TIMEOUT, "the head of the request took too long");
const LONG_HEAD: Refusal = Refusal::closing(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "the head of the request is too long",
);

/// How much is read from the socket at once.
const STEP: usize = 8 * 1024;

/// How much is read and thrown away at the end of a connection, at most, so that the client gets to read our answer.
const MOST_DRAINED: u64 = 16 * 1024 * 1024;

/// What one connection may cost.
#[derive(Clone, Debug)]
pub(super) struct GateLimits {
    pub(super) head_bytes: usize,
    pub(super) head_fields: usize,
    pub(super) head_time: Duration,
    pub(super) idle_time: Duration,
    pub(super) write_time: Duration,
    pub(super) drain_time: Duration,
}

/// Where the refusal of a connection's next head is left. Set at most once: nothing is read after it.
pub(super) type RefusalCell = Arc<OnceLock<Refusal>>;

pub(super) struct Gate<S> {
    io: S,
    limits: Arc<GateLimits>,
    refusal: RefusalCell,
    stage: Stage,
    /// Bytes from the socket; the first `cleared` of them may pass, the first `searched` hold no end of a head.
    inbox: Vec<u8>,
    cleared: usize,
    searched: usize,
    is_first: bool,
    reading: Option<(Wait, Deadline)>,
    writing: Option<Deadline>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Body {
        left: u64,
    },
    Chunks(Chunks),
    /// Nothing passes any more.
    Over,
}

/// What the client is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Head,
    Idle,
}

/// Ends by itself; a future of tokio's timer wheel, so that this room needs no clock.
type Deadline = Pin<Box<Timeout<Pending<()>>>>;

fn deadline(after: Duration) -> Deadline {
    Box::pin(timeout(after, pending()))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gate<S> {
    pub(super) fn new(io: S, limits: Arc<GateLimits>, refusal: RefusalCell) -> Self {
        Self {
            io,
            limits,
            refusal,
            stage: Stage::Head,
            inbox: Vec::new(),
            cleared: 0,
            searched: 0,
            is_first: true,
            reading: None,
            writing: None,
        }
    }

    /// Ends the connection so that the last answer arrives: closing a socket with unread bytes in it resets it, and the
    /// client's system then may throw away what we said.
    pub(super) async fn close(mut self) {
        let is_between_requests = self.stage == Stage::Head && self.inbox.is_empty();
        let ending = async {
            if self.io.shutdown().await.is_ok() && !is_between_requests {
                let mut rest = (&mut self.io).take(MOST_DRAINED);
                let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
            }
        };
        let _ = timeout(self.limits.drain_time, ending).await;
    }

    /// Lets pass what may pass. `false`: more bytes are needed.
    fn clear(&mut self) -> io::Result<bool> {
        match self.stage {
            Stage::Head => {
                let found = head::end(&self.inbox, self.searched);
                match found.and_then(|end| end.map(|end| self.open(end)).transpose()) {
                    Ok(None) if self.inbox.len() >= self.limits.head_bytes => self.refuse(LONG_HEAD),
                    Ok(None) => self.searched = self.inbox.len(),
                    Ok(Some(())) => {}
                    Err(refusal) => self.refuse(refusal),
                }
            }
            Stage::Body { left } => {
                self.cleared = usize::try_from(left).unwrap_or(usize::MAX).min(self.inbox.len());
                self.stage = match left - self.cleared as u64 {
                    0 => Stage::Head,
                    left => Stage::Body { left },
                };
            }
            Stage::Chunks(mut chunks) => match chunks.take(&self.inbox) {
                Ok(taken) => {
                    self.cleared = taken;
                    self.stage = if chunks.is_over() {
                        Stage::Head
                    } else {
                        Stage::Chunks(chunks)
                    };
                }
                Err(refusal) => {
                    // The handler's request is under way already: it must see its body break off, not end.
                    let _ = self.refusal.set(refusal);
                    self.stage = Stage::Over;
                    return Err(io::Error::new(ErrorKind::InvalidData, refusal.why));
                }
            },
            Stage::Over => {}
        }
        Ok(self.cleared > 0)
    }

    fn open(&mut self, end: usize) -> Result<(), Refusal> {
        if end > self.limits.head_bytes {
            return Err(LONG_HEAD);
        }
        self.stage = match head::read(&self.inbox[..end], self.limits.head_fields)? {
            Framing::Length(0) => Stage::Head,
            Framing::Length(left) => Stage::Body { left },
            Framing::Chunked => Stage::Chunks(Chunks::new()),
        };
        (self.cleared, self.searched) = (end, 0);
        (self.is_first, self.reading) = (false, None);
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) {
        let _ = self.refusal.set(refusal);
        self.inbox.clear();
        self.inbox.extend_from_slice(STAND_IN);
        (self.cleared, self.stage, self.reading) = (STAND_IN.len(), Stage::Over, None);
    }

    /// Reads from the socket. How many bytes; 0 at its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let (before, mut space) = (self.inbox.len(), [0; STEP]);
        let room = match self.stage {
            // Never more than a head may have, so that a full inbox means a head that is too long.
            Stage::Head => self.limits.head_bytes.saturating_sub(before).clamp(1, STEP),
            _ => STEP,
        };
        let mut space = ReadBuf::new(&mut space[..room]);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut space))?;
        self.inbox.extend_from_slice(space.filled());
        Poll::Ready(Ok(self.inbox.len() - before))
    }

    /// Whether the client has kept us waiting for too long, by the kind of wait.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Wait> {
        // A body's time is counted by the request's own limit.
        if self.stage != Stage::Head {
            return Poll::Pending;
        }
        let wait = if self.is_first || !self.inbox.is_empty() {
            Wait::Head
        } else {
            Wait::Idle
        };
        let time = match wait {
            Wait::Head => self.limits.head_time,
            Wait::Idle => self.limits.idle_time,
        };
        if self.reading.as_ref().is_none_or(|(for_what, _)| *for_what != wait) {
            self.reading = Some((wait, deadline(time)));
        }
        match &mut self.reading {
            Some((_, deadline)) => deadline.as_mut().poll(cx).map(|_| wait),
            None => Poll::Pending,
        }
    }

    fn give(&mut self, out: &mut ReadBuf<'_>) {
        let given = self.cleared.min(out.remaining());
        out.put_slice(&self.inbox[..given]);
        self.inbox.drain(..given);
        self.cleared -= given;
    }

    /// Turns a write that does not end in time into an error. `done` says that nothing is left to write.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>, done: bool) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if done {
                self.writing = None;
            }
            return written;
        }
        // It runs from the first time that the client's side was full until everything is out. A client that reads a
        // byte now and then is as late as one that reads none.
        let after = self.limits.write_time;
        let deadline = self.writing.get_or_insert_with(|| deadline(after));
        deadline.as_mut().poll(cx).map(|_| {
            Err(io::Error::new(
                ErrorKind::TimedOut,
                "the client does not read what it asked for",
            ))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gate<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.cleared > 0 || self.clear()? {
                self.give(out);
                return Poll::Ready(Ok(()));
            }
            if self.stage == Stage::Over {
                return Poll::Ready(Ok(()));
            }
            match self.poll_fill(cx)? {
                Poll::Ready(0) => {
                    self.stage = Stage::Over;
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(_) => {}
                Poll::Pending => match ready!(self.poll_late(cx)) {
                    Wait::Head if !self.inbox.is_empty() => self.refuse(LATE_HEAD),
                    Wait::Head | Wait::Idle => {
                        self.stage = Stage::Over;
                        return Poll::Ready(Ok(()));
                    }
                },
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.in_time(cx, written, false)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.in_time(cx, written, false)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.in_time(cx, flushed, true)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(cx);
        self.in_time(cx, shut, true)
    }
}
