//! Notices on their way out, rendered, signed and handed to a mail server in this process, against RSA-2048 alone.
//!
//! It is the real post office (`App::send_due`) on a database in a file: leases, the note that a letter is begun, the sealed
//! row opened, rendering in the owner's language, MIME, the signature, SMTP over kept connections, the record of what became
//! of it. The mail server has threads of its own in this process, and its processor time counts for ours.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rightful_app::app::Policy;
use rightful_app::outbox::Post;
use rightful_app::sign_up::SignUpOutcome;
use rightful_app::visitor::Visitor;
use rightful_notify::{Address, DkimKey, Sender, Signer};
use rightful_testkit::app::{TestApp, to_sink, visitor};
use rightful_testkit::databases::Engine;
use rightful_testkit::smtp::Sink;

use crate::clock::cpu;
use crate::crowd::{address_in, names, range_in};
use crate::measure::{Measure, median, rounded};
use crate::{Bench, Task};

const MEASURE: &str = "notices";

/// How fast notices go out.
pub(crate) const BENCH: Bench = Bench {
    measures: &[MEASURE],
    run: |task| crate::runtime()?.block_on(run(task)),
};

async fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let count = task.pick(500, 2000);
    let policy = Policy {
        site_name: "Example".to_owned(),
        sign_up: true,
        attempts_per_range: 60,
        // More than any run asks for.
        codes_per_hour: u32::MAX,
    };
    let app = TestApp::with_policy(Engine::Sqlite, policy).await;
    let key = DkimKey::generate().context("there is no RSA key")?;
    let bare = bare_key(&key)?;
    let sink = Sink::plain();
    let sender = Sender {
        name: "Example".to_owned(),
        address: Address::parse("accounts@example.org").context("the sender of the bench is none")?,
    };
    let signer = Signer::new(&key, "bench", "example.org").context("the key signs nothing")?;
    let post = Post::new(to_sink(&sink, 4), sender, Some(signer), Some("bounces.example.org"))
        .context("the return domain of the bench is none")?;
    let owners: Vec<String> = names("owner", count).collect();
    for owner in &owners {
        app.add_owner(&[owner.as_str()]).await;
    }
    let (mut ours, mut bound, mut ratios, mut of_cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut sent = 0;
    for round in 0..=task.pick(3, 7) {
        write_to(&app, &owners).await?;
        let (begun, used) = (Instant::now(), cpu());
        let told = app.send_all(&post).await;
        let (took, took_cpu) = (begun.elapsed().as_secs_f64(), cpu() - used);
        ensure!(
            told.sent == count as u64,
            "of {count} notices not all were sent: {told:?}"
        );
        sent += count;
        let (begun, used) = (Instant::now(), cpu());
        sign(&bare, count)?;
        let (alone, alone_cpu) = (begun.elapsed().as_secs_f64(), cpu() - used);
        // The first only warms up.
        if round > 0 {
            ours.push(count as f64 / took);
            bound.push(count as f64 / alone);
            ratios.push(alone / took);
            of_cpu.push(alone_cpu / took_cpu);
        }
        // The budgets of codes and notices are full again.
        app.pass(24 * 60 * 60);
    }
    ensure!(sink.messages().len() == sent, "the mail server did not get all of it");
    Ok(vec![
        Measure::of(MEASURE, rounded(median(ours)), "notices/s")
            .in_rounds(rounded(median(bound)), median(ratios))
            .ratio_at_least(0.7)
            .with("ratio_of_cpu", rounded(median(of_cpu)))
            .with("notices", count),
    ])
}

/// Queues a notice to each: somebody wants to make an account with an address that has one.
async fn write_to(app: &TestApp, owners: &[String]) -> Result<()> {
    for (number, owner) in owners.iter().enumerate() {
        let visitor = Visitor {
            address: address_in(number),
            range: range_in(number),
            ..visitor()
        };
        let asked = app.sign_up(owner, &visitor).await?;
        ensure!(
            matches!(asked, SignUpOutcome::Asked(_)),
            "no notice was queued: {asked:?}"
        );
    }
    Ok(())
}

/// The key as the library has it.
fn bare_key(key: &DkimKey) -> Result<KeyPair> {
    let pem = key.to_pem().context("the key cannot be written")?;
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(text).context("the key is no base64")?;
    KeyPair::from_pkcs8(&der).context("the key cannot be read")
}

/// So many signatures, one after the other.
fn sign(key: &KeyPair, count: usize) -> Result<()> {
    let (random, mut signature) = (SystemRandom::new(), vec![0; key.public_modulus_len()]);
    for number in 0..count {
        key.sign(&RSA_PKCS1_SHA256, &random, &number.to_le_bytes(), &mut signature)
            .context("nothing was signed")?;
        black_box(&signature);
    }
    Ok(())
}
