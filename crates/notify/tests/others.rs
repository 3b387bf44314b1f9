//! Programs that are not ours: a mail server (aiosmtpd) takes every message that we write, and dkimpy finds each signature good.
//!
//! They are Debian's packages `python3-aiosmtpd` and `python3-dkim`; `cargo xtask test` installs them where it may. What they do
//! stands in `others.py`.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod samples;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rightful_notify::{
    Address, Channel, Delivery, DkimKey, Envelope, Locale, MessageId, Names, Relay, ReturnPath, Security, Sender,
    Signer, Smtp, Timeouts, Trust, compose, render,
};
use serde_json::Value;

use crate::samples::{AT, CODE, NUMBER, samples};

/// The Python that the mail server is written for: that in its first line. There may be others on this machine.
fn python() -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join("aiosmtpd"));
    let program = found.into_iter().find(|program| program.is_file());
    let program = program.expect("aiosmtpd (Debian's package python3-aiosmtpd) is on PATH");
    let text = std::fs::read_to_string(program).unwrap();
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("#!").expect("a Python program").trim().into()
}

/// The mail server, running. Killed when dropped.
struct MailServer {
    program: Child,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl MailServer {
    fn start(record: (&str, &str)) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/others.py");
        let mut program = Command::new(python())
            .arg(script)
            .args([record.0, record.1])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(program.stdout.take().unwrap());
        let mut port = String::new();
        said.read_line(&mut port).unwrap();
        let port = port.trim().parse();
        Self {
            program,
            said,
            port: port.expect("it serves; Debian's package python3-dkim may be missing"),
        }
    }

    /// What it says of the next message.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn channel(port: u16) -> Channel {
    let patient = Duration::from_secs(60);
    let relay = Relay {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::PlainToLoopback,
        trust: Trust::default(),
        credentials: None,
        hello: "mail.example.org".to_owned(),
        timeouts: Timeouts {
            connect: patient,
            command: patient,
            message: patient,
        },
        connections: 1,
    };
    Channel::Smtp(Smtp::new(relay).unwrap())
}

fn envelope(name: &str) -> Envelope {
    let from = Address::parse("hello@example.org").unwrap();
    Envelope {
        id: MessageId::new(name, &from),
        from: Sender {
            name: "Bücher & Söhne".to_owned(),
            address: from,
        },
        to: Address::parse("anna@owner.example").unwrap(),
        return_path: ReturnPath::make("k7m4qx2p", "bounces.example.org").unwrap(),
        date: AT,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_mail_server_takes_every_message_and_dkimpy_finds_its_signature_good() {
    let key = DkimKey::generate().unwrap();
    let record = key.dns_record("rightful", "example.org").unwrap();
    let signer = Signer::new(&key, "rightful", "example.org").unwrap();
    let mut server = MailServer::start((&record.name, &record.value));
    let channel = channel(server.port);
    let names = Names {
        site: "Example",
        owner: Some("Jörg"),
    };
    let all = samples()
        .into_iter()
        .flat_map(|(name, notice)| Locale::ALL.map(|locale| (name, notice.clone(), locale)));
    for (name, notice, locale) in all {
        let (letter, envelope) = (render(&notice, NUMBER, locale, &names), envelope(name));
        let signed = signer.sign(&compose(&letter, &envelope).unwrap()).unwrap();
        let delivery = channel.send(&envelope, &signed).await;
        assert!(
            matches!(&delivery, Delivery::Sent { reply } if reply.code == 250),
            "{name}: {delivery:?}"
        );
        let taken = server.next();
        assert_eq!(taken["from"], "bounce+k7m4qx2p@bounces.example.org");
        assert_eq!(taken["to"], serde_json::json!(["anna@owner.example"]));
        assert_eq!(
            taken["bytes"].as_str().unwrap().as_bytes(),
            signed.as_bytes(),
            "{name}: byte by byte"
        );
        assert_eq!(taken["holds"], true, "{name} {}: {}", locale.word(), taken["bytes"]);
        assert_eq!(
            taken["changed"],
            serde_json::json!([false, false, false, false, false]),
            "{name}: a changed one does not hold"
        );
    }
    // A key that is not in the DNS signs nothing that holds.
    let other = DkimKey::generate().unwrap();
    let other = Signer::new(&other, "rightful", "example.org").unwrap();
    let (_, notice) = samples().swap_remove(0);
    let letter = render(&notice, CODE, Locale::En, &names);
    let forged = other.sign(&compose(&letter, &envelope("forged")).unwrap()).unwrap();
    channel.send(&envelope("forged"), &forged).await;
    assert_eq!(server.next()["holds"], false);
}
