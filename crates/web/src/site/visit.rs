//! A request as handlers see it: language, cookies, who asks, who is signed in; and the answers that they give.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use rightful_app::app::Fault;
use rightful_app::sessions::{Opened, Owner};
use rightful_app::visitor::{Locale as AppLocale, Visitor};

use super::agent::browser;
use super::fault::WebFault;
use super::{Parts as SiteParts, Site, Web};
use crate::pages::{Page, Shell, paths};
use crate::server::Client;
use crate::words::Locale;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jar {
    /// A signed-in browser.
    Session,
    /// A conversation under way.
    Flow,
    /// A browser on which the owner signed in before.
    Browser,
    /// The language that was chosen.
    Language,
    /// What a page that comes next says was done.
    Done,
    /// The request of a program that waits to be let act.
    Login,
}

impl Jar {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Flow => "flow",
            Self::Browser => "browser",
            Self::Language => "lang",
            Self::Done => "done",
            Self::Login => "login",
        }
    }

    /// How long a browser keeps it; `None` until it is closed.
    const fn kept_for(self) -> Option<Duration> {
        match self {
            Self::Session => Some(Duration::days(14)),
            Self::Browser | Self::Language => Some(Duration::days(365)),
            Self::Flow => None,
            Self::Done => Some(Duration::minutes(2)),
            Self::Login => Some(Duration::minutes(10)),
        }
    }
}

/// A request, and the cookies that its answer sets.
pub(crate) struct Visit {
    pub(crate) web: Web,
    pub(crate) client: Client,
    pub(crate) locale: Locale,
    headers: HeaderMap,
    set: Vec<(Jar, Option<String>)>,
    signed_in: bool,
}

impl Visit {
    /// A cookie of the request.
    pub(crate) fn cookie(&self, jar: Jar) -> Option<String> {
        read_cookie(&self.headers, &self.web.cookie_name(jar.name()))
    }

    /// Sets a cookie with the answer.
    pub(crate) fn keep(&mut self, jar: Jar, value: &str) {
        self.set.push((jar, Some(value.to_owned())));
    }

    /// Takes a cookie away with the answer.
    pub(crate) fn forget(&mut self, jar: Jar) {
        if self.cookie(jar).is_some() {
            self.set.push((jar, None));
        }
    }

    /// The sender, as use cases know him.
    pub(crate) fn visitor(&self) -> Visitor {
        let browser_token = self.cookie(Jar::Browser);
        visitor(&self.web, &self.client, &self.headers, self.locale, browser_token)
    }

    /// What stands around a page.
    pub(crate) fn shell(&self) -> Shell {
        Shell {
            locale: self.locale,
            branding: Arc::clone(&self.web.branding),
            signed_in: self.signed_in,
        }
    }

    /// Shows a page.
    pub(crate) fn show(self, page: &impl Page) -> Response {
        self.show_as(StatusCode::OK, page)
    }

    /// Shows a page with another status than 200.
    pub(crate) fn show_as(self, status: StatusCode, page: &impl Page) -> Response {
        let html = page.render(&self.shell());
        let mut response = (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
        self.set_cookies(&mut response);
        response
    }

    /// Sends the browser to another of our paths, by GET (303, RFC 9110 section 15.4.4): what was posted is not posted again.
    pub(crate) fn go(self, path: &'static str) -> Response {
        let mut response = (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from_static(path))]).into_response();
        self.set_cookies(&mut response);
        response
    }

    /// Keeps what a session that opened brings.
    pub(crate) fn keep_opened(&mut self, opened: &Opened) {
        self.keep(Jar::Session, &opened.session);
        if let Some(browser) = &opened.browser {
            self.keep(Jar::Browser, browser);
        }
        self.forget(Jar::Flow);
    }

    /// The token of the conversation under way.
    pub(crate) fn flow(&self) -> String {
        self.cookie(Jar::Flow).unwrap_or_default()
    }

    /// Whoever is signed in.
    pub(crate) async fn owner(&mut self) -> Result<Option<Owner>, Fault> {
        let Some(token) = self.cookie(Jar::Session) else {
            return Ok(None);
        };
        let owner = self.web.app.owner(&token).await?;
        self.signed_in = owner.is_some();
        Ok(owner)
    }

    fn set_cookies(&self, response: &mut Response) {
        for (jar, value) in &self.set {
            let header = self.web.cookie(*jar, value.as_deref());
            if let Ok(header) = HeaderValue::from_str(&header) {
                response.headers_mut().append(SET_COOKIE, header);
            }
        }
    }
}

/// The sender of a request, as use cases know him.
pub(crate) fn visitor(
    site: &SiteParts,
    client: &Client,
    headers: &HeaderMap,
    locale: Locale,
    browser_token: Option<String>,
) -> Visitor {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    Visitor {
        address: client.address.to_string(),
        range: client.range.to_string(),
        browser: browser(agent.unwrap_or_default()),
        place: site.places.as_ref().and_then(|places| places(client.address)),
        locale: match locale {
            Locale::En => AppLocale::En,
            Locale::De => AppLocale::De,
        },
        browser_token,
    }
}

fn read_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let fields = headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
    let mut cookies = fields.flat_map(Cookie::split_parse).flatten();
    let found = cookies.find(|cookie| cookie.name() == name)?;
    Some(found.value().to_owned())
}

impl Web {
    /// The name of a cookie. With the prefix, browsers accept it over TLS from this very host alone (RFC 6265bis section 4.1.3.2).
    fn cookie_name(&self, name: &str) -> String {
        if self.secure {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }

    fn cookie(&self, jar: Jar, value: Option<&str>) -> String {
        let mut cookie = Cookie::build((self.cookie_name(jar.name()), value.unwrap_or_default().to_owned()))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax);
        let age = if value.is_some() {
            jar.kept_for()
        } else {
            Some(Duration::ZERO)
        };
        if let Some(age) = age {
            cookie = cookie.max_age(age);
        }
        cookie.build().to_string()
    }
}

impl FromRequestParts<Site> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Site) -> Result<Self, Response> {
        let State(site) = State::<Site>::from_request_parts(parts, state)
            .await
            .unwrap_or_else(|never| match never {});
        let web = Web(site);
        let client = Client::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let chosen = read_cookie(&parts.headers, &web.cookie_name(Jar::Language.name()));
        let wanted = parts
            .headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|wanted| wanted.to_str().ok());
        let locale = Locale::choose(chosen.as_deref(), wanted, &web.branding.languages);
        let visit = Self {
            client,
            locale,
            headers: parts.headers.clone(),
            set: Vec::new(),
            signed_in: false,
            web,
        };
        match chosen_language(parts) {
            Some(language) if parts.method == http::Method::GET => {
                Err(visit.change_language(language, parts.uri.path()))
            }
            _ => Ok(visit),
        }
    }
}

/// The language that a link in the footer asks for: `?lang=de`.
fn chosen_language(parts: &Parts) -> Option<Locale> {
    let query = parts.uri.query()?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, tag) = pairs.find(|(name, _)| *name == "lang")?;
    Locale::from_tag(tag)
}

impl Visit {
    /// Keeps the language and shows the same page again, without the wish in its address.
    fn change_language(mut self, language: Locale, path: &str) -> Response {
        self.keep(Jar::Language, language.tag());
        // Only a path of ours, never "//elsewhere": a browser reads that as another host.
        let path = if path.starts_with("//") || path.contains('\\') {
            "/"
        } else {
            path
        };
        let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
        let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
        self.set_cookies(&mut response);
        response
    }
}

/// A request of whoever is signed in. Others are sent to the sign-in; who must enrol a second factor first, to that.
pub(crate) struct SignedIn {
    pub(crate) visit: Visit,
    pub(crate) owner: Owner,
}

impl FromRequestParts<Site> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Site) -> Result<Self, Response> {
        // To enrol takes a fresh proof, so that may be given before it.
        let enrolling = [paths::SETUP_APP, paths::STEP_UP].contains(&parts.uri.path());
        let mut visit = Visit::from_request_parts(parts, state).await?;
        let owner = match visit.owner().await {
            Ok(Some(owner)) => owner,
            Ok(None) => {
                if visit.cookie(Jar::Session).is_some() {
                    visit.keep(Jar::Done, "session-over");
                }
                visit.forget(Jar::Session);
                return Err(visit.go(paths::SIGN_IN));
            }
            Err(fault) => return Err(WebFault::from(fault).answer(visit)),
        };
        if owner.must_enrol() && !enrolling {
            return Err(visit.go(paths::SETUP_APP));
        }
        Ok(Self { visit, owner })
    }
}
