//! `rightful audit …`

use std::process::ExitCode;

use anyhow::Result;
use rightful_store::audit::AuditFault;
use serde_json::json;

use super::print_json;
use crate::cli::SiteArgs;
use crate::terminal::number;
use crate::world;

pub(crate) async fn verify(site_args: &SiteArgs, json: bool) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let verdict = site.store.read(async |tx| tx.verify_audit().await).await?;
    let broken = verdict.broken.map(|broken| {
        let what = match broken.fault {
            AuditFault::Altered => "this row, or one before it, was changed",
            AuditFault::Missing => "rows before this place are missing",
            AuditFault::Cut => "rows are missing at the end of this chain",
            AuditFault::Headless => "rows were added to the table directly",
        };
        (
            format!("chain {}/{}, place {}", broken.home, broken.subject, broken.seq),
            what,
        )
    });
    if json {
        let broken = broken
            .as_ref()
            .map(|(place, what)| json!({ "place": place, "what": what }));
        print_json(
            &json!({ "holds": broken.is_none(), "rows": verdict.rows, "chains": verdict.chains, "broken": broken }),
        )?;
    } else {
        match &broken {
            None => println!(
                "The audit log holds: {} rows in {} chains.",
                number(verdict.rows),
                number(verdict.chains)
            ),
            Some((place, what)) => println!("The audit log does NOT hold: {what} ({place})."),
        }
    }
    Ok(if broken.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
