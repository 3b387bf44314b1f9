//! A server of ours, as the command line calls it: one document there, one back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::request::Builder;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rightful_web::server::BaseUrl;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of an answer: a page of a cohort has some hundreds of thousands.
const MOST_BYTES: usize = 4 << 20;

/// A server of ours.
pub(crate) struct Client {
    base_url: BaseUrl,
    host: String,
    port: u16,
}

/// What a server says when it does not do what it was asked (RFC 9457).
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("the server says: {title}. {detail}")]
pub(crate) struct Told {
    /// What happened, as a stable word.
    pub(crate) code: String,
    title: String,
    detail: String,
    /// How long to wait before asking again, in seconds.
    pub(crate) retry_after: Option<u64>,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Client {
    pub(crate) fn new(base_url: BaseUrl) -> Self {
        let origin: Option<Uri> = base_url.origin().parse().ok();
        let port = origin.and_then(|origin| origin.port_u16());
        Self {
            port: port.unwrap_or(if base_url.is_https() { 443 } else { 80 }),
            host: base_url.host().trim_matches(['[', ']']).to_owned(),
            base_url,
        }
    }

    /// Posts a document, or nothing, and reads the one that comes back.
    ///
    /// # Errors
    /// [`Told`] where the server has words for why not.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, document: Option<&impl Serialize>) -> Result<T> {
        self.post_as(path, document, None).await
    }

    /// The same as whoever a token signs in.
    ///
    /// # Errors
    /// [`Told`] where the server has words for why not.
    pub(crate) async fn post_as<T: DeserializeOwned>(
        &self,
        path: &str,
        document: Option<&impl Serialize>,
        token: Option<&str>,
    ) -> Result<T> {
        self.answer(self.request(Request::post(path), document, token)?).await
    }

    /// Looks at something as whoever a token signs in.
    ///
    /// # Errors
    /// [`Told`] where the server has words for why not.
    pub(crate) async fn get_as<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T> {
        self.answer(self.request(Request::get(path), None::<&()>, Some(token))?)
            .await
    }

    async fn answer<T: DeserializeOwned>(&self, request: Request<Full<Bytes>>) -> Result<T> {
        let asked = || format!("{} cannot be asked", self.base_url);
        let answered = timeout(PATIENCE, self.send(request)).await;
        let (status, bytes) = answered
            .map_err(|_| anyhow::anyhow!("it took longer than {} s", PATIENCE.as_secs()))
            .flatten()
            .with_context(asked)?;
        if status == StatusCode::NO_CONTENT {
            return serde_json::from_str("null").map_err(|_| self.no_server_of_ours());
        }
        if status == StatusCode::OK {
            // What stands there may be a secret, so it is not quoted.
            return serde_json::from_slice(&bytes).map_err(|_| self.no_server_of_ours());
        }
        let told: Told = serde_json::from_slice(&bytes).map_err(|_| self.no_server_of_ours())?;
        Err(told.into())
    }

    fn no_server_of_ours(&self) -> anyhow::Error {
        anyhow::anyhow!(
            "what {} answers cannot be read: is a Rightful server of this version there?",
            self.base_url
        )
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        let wire = TokioIo::new(self.connect().await?);
        let (mut sender, connection) = handshake(wire).await?;
        let driving = tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        driving.abort();
        match body {
            Ok(body) => Ok((status, body.to_bytes())),
            Err(fault) => bail!("the answer broke off: {fault}"),
        }
    }

    fn request(
        &self,
        request: Builder,
        document: Option<&impl Serialize>,
        token: Option<&str>,
    ) -> Result<Request<Full<Bytes>>> {
        let authority = self.base_url.origin();
        let authority = authority.split_once("://").map_or("", |(_, authority)| authority);
        let request = request
            .header(HOST, authority)
            .header(USER_AGENT, user_agent())
            .header(ACCEPT, "application/json, application/problem+json");
        let request = match token {
            None => request,
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        };
        Ok(match document {
            None => request.body(Full::default())?,
            Some(document) => {
                let body = serde_json::to_vec(document)?;
                request.header(CONTENT_TYPE, "application/json").body(body.into())?
            }
        })
    }

    async fn connect(&self) -> Result<Box<dyn Wire>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        if !self.base_url.is_https() {
            return Ok(Box::new(stream));
        }
        let name = match self.host.parse::<IpAddr>() {
            Ok(address) => ServerName::from(address),
            Err(_) => ServerName::try_from(self.host.clone())?,
        };
        let connector = TlsConnector::from(Arc::new(tls()?));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

/// TLS with the certificates that this machine trusts.
fn tls() -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_platform_verifier()?.with_no_client_auth())
}

/// By this the owner knows the program again in the list of sessions.
fn user_agent() -> String {
    let system = if cfg!(target_os = "macos") {
        "Macintosh"
    } else {
        "Linux"
    };
    format!("rightful/{} ({system})", env!("CARGO_PKG_VERSION"))
}
