//! A connection that hands on no more than what may be believed.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What a server may say in one go, in bytes, TLS and its certificates included.
const LONGEST_SAYING: usize = 256 * 1024;

/// First byte of a TLS handshake record (RFC 8446 §5.1). No SMTP command begins with it.
const HANDSHAKE: u8 = 0x16;

/// Until TLS begins it is read byte by byte.
///
/// Who stands between us and the server can put text behind the answer to STARTTLS in the same packet. lettre buffers what it
/// reads and does not empty the buffer when TLS begins, so that text would be taken for the server's, said under TLS
/// (CVE-2021-38371 and its kin). Given single bytes it buffers none: what was put there goes into the handshake and ends it.
#[derive(Debug)]
pub(super) struct Guard {
    stream: TcpStream,
    is_encrypted: bool,
    said: usize,
}

impl Guard {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            is_encrypted: false,
            said: 0,
        }
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let read = if this.is_encrypted {
            Pin::new(&mut this.stream).poll_read(context, into)
        } else {
            let mut byte = [0; 1];
            let mut one = ReadBuf::new(&mut byte);
            let read = Pin::new(&mut this.stream).poll_read(context, &mut one);
            into.put_slice(one.filled());
            read
        };
        this.said += into.filled().len() - before;
        if this.said > LONGEST_SAYING {
            return Poll::Ready(Err(io::Error::other("the mail server says too much at once")));
        }
        read
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.is_encrypted |= bytes.first() == Some(&HANDSHAKE);
        this.said = 0;
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Guard {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
