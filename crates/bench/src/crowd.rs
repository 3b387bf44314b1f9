//! Owners who sign in over HTTP, several at once, each on a connection that is kept.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::http::{self, Connection};
use crate::server::PASSWORD;

/// Somebody with an account, at a browser of his.
#[derive(Clone)]
pub(crate) struct Owner {
    name: String,
    address: String,
    /// The token by which the browser is recognised, once it was here.
    browser: Option<String>,
}

/// The names of so many owners, all as long as each other.
pub(crate) fn names(kind: &'static str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{kind}{number:05}@example.org"))
}

/// An address in a range of its own, as a proxy would tell it.
pub(crate) fn address_in(range: usize) -> String {
    format!("10.{}.{}.7", range / 256 % 256, range % 256)
}

/// That range, as the server names it.
pub(crate) fn range_in(range: usize) -> String {
    format!("10.{}.{}.0/24", range / 256 % 256, range % 256)
}

impl Owner {
    /// What he sends.
    pub(crate) fn request(&self, to: SocketAddr) -> Vec<u8> {
        let mut document = json!({ "identifier": self.name, "password": PASSWORD });
        if let Some(browser) = &self.browser {
            document["browser"] = browser.as_str().into();
        }
        http::post(to, "/api/v1/sign-in", &self.address, &document)
    }

    async fn sign_in(&mut self, connection: &mut Connection, to: SocketAddr) -> Result<()> {
        let opened = connection.ask(&self.request(to)).await?.ok()?;
        ensure!(opened["step"] == "session", "{} did not get in: {opened}", self.name);
        if let Some(browser) = opened["browser"].as_str() {
            self.browser = Some(browser.to_owned());
        }
        Ok(())
    }
}

/// Several clients, each for its own owners.
pub(crate) struct Crowd {
    to: SocketAddr,
    clients: Vec<Vec<Owner>>,
}

impl Crowd {
    /// The owners of these names, dealt out to so many clients.
    pub(crate) fn new(to: SocketAddr, names: impl Iterator<Item = String>, clients: usize) -> Self {
        let mut dealt = vec![Vec::new(); clients];
        for (number, name) in names.enumerate() {
            dealt[number % clients].push(Owner {
                name,
                address: address_in(number),
                browser: None,
            });
        }
        Self { to, clients: dealt }
    }

    /// Every owner.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &Owner> {
        self.clients.iter().flatten()
    }

    /// Has everybody sign in once, so that all browsers are recognised from now on.
    pub(crate) async fn arrive(&mut self) -> Result<()> {
        let most = self.clients.iter().map(Vec::len).max().unwrap_or(0);
        self.sign_in(most).await
    }

    /// Has each client sign in so many times, one after the other, its owners in turn.
    pub(crate) async fn sign_in(&mut self, times: usize) -> Result<()> {
        let to = self.to;
        let client = |mut owners: Vec<Owner>| async move {
            let mut connection = Connection::open(to).await?;
            let count = owners.len();
            for number in 0..times {
                owners[number % count].sign_in(&mut connection, to).await?;
            }
            // The next time others come first.
            owners.rotate_left(times % count);
            Ok::<_, anyhow::Error>(owners)
        };
        let running: Vec<_> = std::mem::take(&mut self.clients)
            .into_iter()
            .map(|owners| tokio::spawn(client(owners)))
            .collect();
        for client in running {
            self.clients.push(client.await??);
        }
        Ok(())
    }
}
