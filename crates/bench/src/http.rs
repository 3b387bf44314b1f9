//! As little of an HTTP/1.1 client as a load generator needs: what it costs is the same for all that is measured with it.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than the head of any answer of ours.
const LONGEST_HEAD: usize = 16 * 1024;

/// A connection that is kept from request to request.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Answer {
    /// The document of an answer that went well.
    pub(crate) fn ok(&self) -> Result<Value> {
        ensure!(
            self.status == 200,
            "the server answered {}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        serde_json::from_slice(&self.body).context("the answer is no JSON")
    }
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to).await;
        let stream = stream.with_context(|| format!("nobody listens on {to}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: Vec::with_capacity(4096),
        })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        let (head_end, status, length) = loop {
            if let Some(end) = memchr::memmem::find(&self.read, b"\r\n\r\n") {
                let (status, length) = read_head(&self.read[..end])?;
                break (end + 4, status, length);
            }
            ensure!(self.read.len() < LONGEST_HEAD, "the head of the answer has no end");
            self.more().await?;
        };
        while self.read.len() < head_end + length {
            self.more().await?;
        }
        let body = self.read[head_end..head_end + length].to_vec();
        self.read.drain(..head_end + length);
        Ok(Answer { status, body })
    }

    async fn more(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.read).await?;
        ensure!(read > 0, "the server closed the connection in the middle of an answer");
        Ok(())
    }
}

/// Status and length of the body. Only what the server and the bound write is understood.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let head = std::str::from_utf8(head).context("the head of the answer is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    match (status, length) {
        (Some(status), Some(length)) => Ok((status, length)),
        _ => bail!("the answer has no status or no length: {head}"),
    }
}

/// A call of the JSON API, from `client`: the server is told to believe it.
pub(crate) fn post(to: SocketAddr, path: &str, client: &str, document: &Value) -> Vec<u8> {
    let body = document.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {to}\r\nx-forwarded-for: {client}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Asks for a path, showing the token of a session.
pub(crate) fn get(to: SocketAddr, path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {to}\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}
