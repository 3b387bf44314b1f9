//! Rightful: keeps accounts with their rightful owners.
//!
//! The binary reads the command line, the clock and the system's chance, opens files, and hands all of it to the use cases
//! of `rightful-app`. It decides nothing.

mod cli;
mod client;
mod commands;
mod config;
mod serve;
mod terminal;
mod world;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{AccountsCommand, AuditCommand, Cli, Command, ConfigCommand, DkimCommand, LeakCommand};

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::Leak(LeakCommand::Scan { .. })) {
        stand_back();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rightful: the system gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(done) => done,
        Err(error) => {
            eprintln!("rightful: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::from(if is_unusable(&error) { 2 } else { 1 })
        }
    }
}

/// Lets every other program go first. A scan takes hours, and may run beside the server: owners who sign in wait for none of
/// it, and a machine with nothing else to do notices nothing. Threads take it from the one that starts them, so this comes
/// before there are any.
fn stand_back() {
    // A system that refuses to be polite is a slower one, not a broken one.
    let _ = rustix::process::nice(19);
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { site, json, command } = cli;
    match command {
        Command::Demo(args) => commands::demo::run(&args, json, &site).await,
        Command::Accounts(AccountsCommand::Import {
            file,
            hints,
            rejects,
            no_wrap,
        }) => commands::accounts::import(&site, json, &file, &hints, rejects, no_wrap).await,
        Command::Accounts(AccountsCommand::Show { account, region }) => {
            commands::accounts::show(&site, json, &account, region.as_deref()).await
        }
        Command::Accounts(AccountsCommand::List { limit, after }) => {
            commands::accounts::list(&site, json, limit, after.as_deref()).await
        }
        Command::Accounts(AccountsCommand::Export { out, spreadsheet }) => {
            commands::accounts::export(&site, json, out, spreadsheet).await
        }
        Command::Accounts(AccountsCommand::History { account, region }) => {
            commands::accounts::history(&site, json, &account, region.as_deref()).await
        }
        Command::Accounts(AccountsCommand::Hold {
            account,
            change,
            reason,
            region,
        }) => commands::accounts::hold(&site, json, &account, region.as_deref(), change, reason).await,
        Command::Accounts(AccountsCommand::Lift { account, region }) => {
            commands::accounts::lift(&site, json, &account, region.as_deref()).await
        }
        Command::Accounts(AccountsCommand::Wrap) => commands::accounts::wrap(&site, json).await,
        Command::Leak(LeakCommand::Match {
            accounts,
            out,
            hints,
            read,
            spreadsheet,
            leaks,
        }) => {
            let args = commands::leak::MatchArgs {
                accounts,
                out,
                hints,
                read,
                spreadsheet,
                leaks,
            };
            commands::leak::run_match(&site, json, args).await
        }
        Command::Leak(LeakCommand::Scan {
            files,
            name,
            received_from,
            leak_date,
            read,
        }) => {
            let args = commands::leak::ScanArgs {
                files,
                name,
                received_from,
                leak_date,
                read,
            };
            commands::leak::scan(&site, json, args).await
        }
        Command::Leak(LeakCommand::List) => commands::leak::list(&site, json).await,
        Command::Leak(LeakCommand::Show { leak }) => commands::leak::show(&site, json, &leak).await,
        Command::Leak(LeakCommand::Export { leak, out, spreadsheet }) => {
            commands::leak::export(&site, json, &leak, out, spreadsheet).await
        }
        Command::Leak(LeakCommand::Forget { leak }) => commands::leak::forget(&site, json, &leak).await,
        Command::Backup { file } => commands::backup::backup(&site, json, &file).await,
        Command::Restore { file } => commands::backup::restore(&site, json, &file).await,
        Command::Audit(AuditCommand::Verify) => commands::audit::verify(&site, json).await,
        Command::Role { server, account, role } => commands::respond::role(json, &server, account, role).await,
        Command::Incident { server, command } => commands::respond::incident(json, &server, command).await,
        Command::Containment { server, command } => commands::respond::containment(json, &server, command).await,
        Command::Login { server, token_file } => commands::login::run(json, &server, token_file).await,
        Command::Serve { config } => serve::run(config.as_deref(), &site).await,
        Command::Dkim(DkimCommand::Init {
            domain,
            selector,
            key_file,
            return_domain,
        }) => commands::dkim::init(json, &domain, &selector, &key_file, return_domain.as_deref()),
        Command::Dkim(DkimCommand::Check {
            config,
            domain,
            selector,
            key_file,
            return_domain,
            dns,
        }) => {
            let args = commands::dkim::CheckArgs {
                config,
                domain,
                selector,
                key_file,
                return_domain,
                dns,
            };
            commands::dkim::check(json, args).await
        }
        Command::Bounce => commands::bounce::run(&site, json).await,
        Command::Config(ConfigCommand::Check { file }) => commands::config::check(file.as_deref(), json),
        Command::Config(ConfigCommand::Sample) => Ok(commands::config::print_sample()),
        Command::Config(ConfigCommand::Reference) => Ok(commands::config::print_reference()),
    }
}

/// Whether the command, or a file that it names, cannot be used: nothing was begun.
fn is_unusable(error: &anyhow::Error) -> bool {
    use rightful_app::accounts_file::AccountsFileFault;
    use rightful_app::site::SiteFault;
    use rightful_leaks::unpack::ReadFault;
    use rightful_store::StoreError;
    let is_about_set_up = |fault: &StoreError| {
        matches!(
            fault,
            StoreError::SchemaNewer { .. }
                | StoreError::SchemaOlder { .. }
                | StoreError::SchemaAltered { .. }
                | StoreError::Address { .. }
                | StoreError::UnsafeMode { .. }
        )
    };
    error.chain().any(|cause| {
        cause.is::<world::Unusable>()
            || cause.downcast_ref::<SiteFault>().is_some_and(|fault| match fault {
                SiteFault::Store(fault) => is_about_set_up(fault),
                SiteFault::NewKey(_) => false,
                _ => true,
            })
            || cause
                .downcast_ref::<AccountsFileFault>()
                .is_some_and(|fault| !matches!(fault, AccountsFileFault::Read(_)))
            || cause
                .downcast_ref::<ReadFault>()
                .is_some_and(|fault| matches!(fault, ReadFault::Open { .. }))
            || cause.downcast_ref::<StoreError>().is_some_and(is_about_set_up)
    })
}
