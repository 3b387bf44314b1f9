//! `rightful login`: a token for an administrator, who lets this program act in a browser (in the manner of RFC 8628).

use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use rightful_web::api::login::{LoginBegun, LoginSecret, LoginState, Moment};
use rightful_web::server::BaseUrl;
use serde_json::json;
use zeroize::Zeroizing;

use super::print_json;
use crate::client::{Client, Told};
use crate::world::Unusable;

/// Asks for a token, waits for the administrator, and keeps it.
pub(crate) async fn run(json: bool, server: &str, token_file: Option<PathBuf>) -> Result<ExitCode> {
    let base_url = BaseUrl::parse(server).map_err(|fault| Unusable(format!("--server {server} {fault}")))?;
    // Before anybody is asked for anything.
    let file = match token_file {
        Some(file) => file,
        None => usual_file()?,
    };
    make_folder(&file)?;
    let client = Client::new(base_url.clone());
    let begun: LoginBegun = client.post("/api/v1/login", None::<&()>).await?;
    eprintln!("Open this page in a browser in which you are signed in as an administrator:\n");
    eprintln!("  {base_url}{}\n", begun.path);
    eprintln!(
        "It shows this code if it is about this program, and not about another: {}",
        begun.code
    );
    let (token, expires_at) = wait(&client, begun).await?;
    write_token(&file, &token)?;
    let Moment(expires_at) = expires_at;
    if json {
        print_json(&json!({ "token_file": file, "expires_at": expires_at }))?;
    } else {
        println!("{} holds the token; it works until {expires_at}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks for the token until it is there, was refused, or the time is over: the server knows which.
async fn wait(client: &Client, begun: LoginBegun) -> Result<(Zeroizing<String>, Moment)> {
    let secret = LoginSecret { secret: begun.secret };
    loop {
        let pause = match client.post("/api/v1/login/token", Some(&secret)).await {
            Ok(LoginState::Approved { token, expires_at }) => return Ok((token, expires_at)),
            Ok(LoginState::Waiting) => begun.look_every,
            Err(error) => match error.downcast_ref::<Told>() {
                Some(Told {
                    retry_after: Some(seconds),
                    ..
                }) => *seconds,
                Some(told) if told.code == "start-again" => {
                    return Err(error.context("nobody let this program act in time; run it again"));
                }
                _ => return Err(error),
            },
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

/// `rightful/token` where programs keep what is the user's (XDG Base Directory Specification).
pub(super) fn usual_file() -> Result<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let config = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let config =
        config.ok_or_else(|| Unusable("neither HOME nor XDG_CONFIG_HOME is set; name a --token-file".to_owned()))?;
    Ok(config.join("rightful").join("token"))
}

/// The token that lies in a file.
pub(super) fn read_token(file: &Path, server: &str) -> Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Unusable(format!(
            "{} cannot be read: {error}. Get a token with `rightful login --server {server}`",
            file.display()
        ))
    })?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

fn folder_of(file: &Path) -> &Path {
    let named = file.parent().filter(|folder| *folder != Path::new(""));
    named.unwrap_or(Path::new("."))
}

fn make_folder(file: &Path) -> Result<()> {
    let folder = folder_of(file);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Unusable(format!("the folder {} cannot be made: {error}", folder.display())))?;
    Ok(())
}

/// Written whole or not at all, for its owner alone, over the one before.
pub(super) fn write_token(file: &Path, token: &str) -> Result<()> {
    let folder = folder_of(file);
    let write = || -> std::io::Result<()> {
        // Such a file can be read by whoever made it, and nobody else, from its first moment.
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(new, "{token}")?;
        new.as_file().sync_all()?;
        new.persist(file).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("the token cannot be written to {}", file.display()))
}
