//! `rightful serve`: puts a site into service, and takes it out again in good order.

mod containments;
mod mail;
mod places;
mod post_office;
mod sweep;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rand_core::{Rng as _, UnwrapErr};
use rightful_app::app::{App, Policy};
use rightful_web::pages::{Accent, Branding};
use rightful_web::server::{Metrics, Server, ServerParts, log_subscriber};
use rightful_web::site::{Parts, router};
use rightful_web::words::Locale;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cli::SiteArgs;
use crate::config::{Config, environment};
use crate::world;

/// How often certificates are looked at and durations summed up.
const TICK: Duration = Duration::from_secs(5);

/// Runs the server until it is told to stop.
pub(crate) async fn run(config: Option<&Path>, args: &SiteArgs) -> Result<ExitCode> {
    let config = Config::load(config, environment())?;
    let log = log_subscriber(config.log.level.as_str(), config.log.format.0, std::io::stdout)?;
    tracing::subscriber::set_global_default(log).context("the log cannot be written")?;
    let args = site_args(&config, args)?;
    let mut env = world::env();
    let site = world::open_site(&args, &mut env).await?;
    let pool = world::pool(&args)?;
    let policy = Policy {
        site_name: config.site.name.clone(),
        sign_up: config.site.sign_up,
        attempts_per_range: config.limits.sign_ins_per_range.into(),
        codes_per_hour: config.limits.codes_per_hour.into(),
    };
    let chance = Box::new(|| Box::new(UnwrapErr(getrandom::SysRng)) as Box<dyn rand_core::CryptoRng + Send>);
    let app = Arc::new(App::new(site, policy, pool, Arc::new(world::now), world::uptime(), chance).await?);
    let mail = mail::mail(&config)?;
    let stop = CancellationToken::new();
    let tick = Arc::new(Notify::new());
    let parts = parts(&config, &app, &mail)?;
    let server = Server::bind(config.server(), server_parts(&app, &parts, Arc::clone(&tick))).await?;
    announce(&config, &server, &app, mail.mailbox.is_some()).await?;
    let workers = [
        tokio::spawn(post_office::run(Arc::clone(&app), mail.post, stop.clone())),
        tokio::spawn(containments::run(Arc::clone(&app), stop.clone())),
        tokio::spawn(sweep::run(Arc::clone(&app), stop.clone())),
        tokio::spawn(ticks(tick, stop.clone())),
        tokio::spawn(stop_on_signal(stop.clone())?),
    ];
    server.serve(router(parts), stop.clone()).await;
    stop.cancel();
    for worker in workers {
        worker.await.context("a worker of the server failed")?;
    }
    app.site.store.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Where the site is: as configured, unless the command line says otherwise.
fn site_args(config: &Config, args: &SiteArgs) -> Result<SiteArgs> {
    let said = |path: &Path, usual: &str| path != Path::new(usual);
    Ok(SiteArgs {
        data: if said(&args.data, "./rightful-data") {
            args.data.clone()
        } else {
            config.data.folder.clone()
        },
        key: if said(&args.key, "./rightful.key") {
            args.key.clone()
        } else {
            config.data.key_file.clone()
        },
        database: args.database.clone().or_else(|| {
            config
                .data
                .database
                .as_ref()
                .map(|database| database.expose().to_owned())
        }),
        cores: args.cores.or_else(|| {
            config
                .limits
                .cores
                .and_then(|cores| std::num::NonZeroUsize::new(cores.into()))
        }),
    })
}

fn branding(config: &Config) -> Result<Branding> {
    let languages = config
        .site
        .languages
        .iter()
        .filter_map(|language| Locale::from_tag(language.code()));
    Ok(Branding {
        logo: config.logo()?,
        accent: Accent::parse(config.site.accent.as_str()).unwrap_or_default(),
        languages: languages.collect(),
        ..Branding::named(&config.site.name)
    })
}

fn parts(config: &Config, app: &Arc<App>, mail: &mail::Mail) -> Result<Parts> {
    let contact = config.site.security_contact.as_ref();
    Ok(Parts {
        app: Arc::clone(app),
        branding: Arc::new(branding(config)?),
        secure: config.site.base_url.as_ref().is_some_and(|url| url.is_https()),
        places: places::open(config.places.file.as_deref())?,
        mailbox: mail.mailbox.clone(),
        help_contact: None,
        security_txt: contact.map(|contact| security_txt(contact.as_str(), world::now())),
        bounce_secret: config.bounce_secret(),
    })
}

/// RFC 9116. The time after which it is stale is a year ahead of each start.
fn security_txt(contact: &str, now: rightful_core::Timestamp) -> String {
    let expires = rightful_app::moment::show(now.plus_seconds(365 * 24 * 3600));
    format!("Contact: mailto:{contact}\nExpires: {expires}\nPreferred-Languages: en, de\n")
}

fn server_parts(app: &Arc<App>, parts: &Parts, tick: Arc<Notify>) -> ServerParts {
    let asked = Arc::clone(app);
    let mut request_key = [0; 16];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut request_key);
    ServerParts {
        clock: Arc::new(world::now),
        request_key,
        ready: Arc::new(move || {
            let app = Arc::clone(&asked);
            Box::pin(async move { app.is_ready().await.map_err(|fault| fault.to_string()) })
        }),
        error_page: Some(rightful_web::site::error_page(Arc::clone(&parts.branding))),
        metrics: Metrics::new(),
        tick,
    }
}

/// Says where it is, and how the first administrator is made.
async fn announce(config: &Config, server: &Server, app: &App, has_mailbox: bool) -> Result<()> {
    let address = server.address()?;
    let shown = match &config.site.base_url {
        Some(base_url) => base_url.to_string(),
        None => format!("http://{address}"),
    };
    tracing::info!(listen.address = %address, "serving");
    eprintln!("serving {} on {shown}", config.site.name);
    if has_mailbox {
        eprintln!("no mail server is configured: messages lie in the data folder, and at {shown}/dev/mailbox");
    }
    if let Some(code) = app.new_set_up_code().await? {
        eprintln!(
            "there is no administrator yet: open {shown}/setup and type this code: {}",
            code.as_str()
        );
    }
    Ok(())
}

async fn ticks(tick: Arc<Notify>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tick.notify_waiters();
        wait(TICK, &stop).await;
    }
}

/// Waits for a time, or until the server stops.
async fn wait(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}

/// Raises `stop` at Ctrl-C or SIGTERM.
fn stop_on_signal(stop: CancellationToken) -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => tracing::info!("told to stop"),
            _ = terminate.recv() => tracing::info!("told to stop"),
            () = stop.cancelled() => {}
        }
        stop.cancel();
    })
}
