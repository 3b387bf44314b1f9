//! A DNS server for tests: texts at names, over UDP on loopback, and no such name for all others.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};

/// Bytes of the header (RFC 1035 §4.1.1), and of the longest question that is read.
const HEADER: usize = 12;
const LARGEST: usize = 512;

/// The answers' header bits: a response, authoritative, recursion available.
const ANSWER: u16 = 0x8480;
const NO_SUCH_NAME: u16 = 3;

/// A server, for as long as the process lives.
pub struct Dns {
    address: SocketAddr,
}

impl Dns {
    /// A server that knows these texts, each with its name (no dot at the end, in lower case). Answers may be as long as a
    /// packet.
    ///
    /// # Panics
    /// When there is no port to listen on.
    pub fn new(texts: &[(&str, &str)]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = socket.local_addr().expect("a port");
        let mut known: HashMap<String, Vec<String>> = HashMap::new();
        for (name, text) in texts {
            known.entry((*name).to_owned()).or_default().push((*text).to_owned());
        }
        std::thread::spawn(move || {
            let mut question = [0; LARGEST];
            while let Ok((read, from)) = socket.recv_from(&mut question) {
                if let Some(answer) = answer(&question[..read], &known) {
                    // Who asked may have gone away.
                    drop(socket.send_to(&answer, from));
                }
            }
        });
        Self { address }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The answer to a question for texts: the question again, and a record for each text.
fn answer(packet: &[u8], known: &HashMap<String, Vec<String>>) -> Option<Vec<u8>> {
    let id = packet.get(..2)?;
    let (name, name_end) = name(packet)?;
    let question = packet.get(HEADER..name_end + 4)?;
    let texts = known.get(&name).map(Vec::as_slice).unwrap_or_default();
    let code = if texts.is_empty() { NO_SUCH_NAME } else { 0 };
    let counts = [ANSWER | code, 1, u16::try_from(texts.len()).ok()?, 0, 0];
    let mut out = id.to_vec();
    out.extend(counts.into_iter().flat_map(u16::to_be_bytes));
    out.extend_from_slice(question);
    for text in texts {
        // Strings of at most 255 bytes, each with its length in front.
        let data: Vec<u8> = text
            .as_bytes()
            .chunks(255)
            .flat_map(|part| [&[u8::try_from(part.len()).unwrap_or(u8::MAX)], part].concat())
            .collect();
        // The name as a pointer to the question's; type TXT, class IN, a minute to live.
        out.extend_from_slice(&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        out.extend(data);
    }
    Some(out)
}

/// The name that is asked for, and where it ends.
fn name(packet: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        let label = packet.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
}
