//! `rightful bounce`: one message that came back, as a mail server pipes it in.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rightful_app::bounces::{BounceOutcome, take_bounce};
use rightful_core::contact::Reach;
use serde_json::json;

use super::print_json;
use crate::cli::SiteArgs;
use crate::world;

/// How much of a message is read, in bytes; what a bounce tells stands at its beginning.
const READ: u64 = 1024 * 1024;

/// For mail servers: keep the message and try again (EX_TEMPFAIL of `sysexits.h`).
const TRY_AGAIN: u8 = 75;

/// Takes the message on standard input.
pub(crate) async fn run(site_args: &SiteArgs, json: bool) -> Result<ExitCode> {
    // A bounce sets no site up: without a key there is none that could have written.
    world::key_file(site_args)?;
    match take(site_args).await {
        Ok(outcome) => tell(outcome, json),
        Err(error) => {
            eprintln!("rightful: the bounce was not taken: {error:#}; try again later");
            Ok(ExitCode::from(TRY_AGAIN))
        }
    }
}

async fn take(site_args: &SiteArgs) -> Result<BounceOutcome> {
    let mut message = Vec::new();
    let mut input = std::io::stdin().lock();
    input
        .by_ref()
        .take(READ)
        .read_to_end(&mut message)
        .context("standard input cannot be read")?;
    // Whoever writes into the pipe must not find it broken.
    std::io::copy(&mut input, &mut std::io::sink()).context("standard input cannot be read")?;
    let site = world::open_site(site_args, &mut world::env()).await?;
    Ok(take_bounce(&site, &message, world::now()).await?)
}

fn tell(outcome: BounceOutcome, json: bool) -> Result<ExitCode> {
    if json {
        print_json(&json!({ "outcome": outcome.word(), "reach": outcome.reach_word() }))?;
    } else {
        println!("{}", said(outcome));
    }
    Ok(ExitCode::SUCCESS)
}

fn said(outcome: BounceOutcome) -> String {
    match outcome {
        BounceOutcome::Taken { reach } => about_contact(reach).to_owned(),
        BounceOutcome::Known => "a bounce of this notice was taken before; nothing is changed".to_owned(),
        BounceOutcome::NotOurs => {
            "its return path was not made here, or the notice is gone; nothing is changed".to_owned()
        }
        BounceOutcome::NoFailure => "it tells of a delay, or that the message arrived; nothing is changed".to_owned(),
        BounceOutcome::NotBounce(refused) => format!("{refused}; nothing is changed"),
    }
}

const fn about_contact(reach: Option<Reach>) -> &'static str {
    match reach {
        Some(Reach::Dead) => {
            "the notice did not arrive: there is no such mailbox; another address goes before it from now on"
        }
        Some(Reach::Soft) => "the notice did not arrive; it may work another time",
        Some(Reach::Good) | None => "the notice did not arrive; that says nothing about the mailbox",
    }
}
