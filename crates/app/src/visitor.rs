//! Who asks: what a request tells of its sender. None of it proves anything.

pub use rightful_notify::{Browser, Locale};

/// The sender of a request.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The address, as text.
    pub address: String,
    /// The range of addresses that budgets go by: a /24 or a /64, as text.
    pub range: String,
    /// The browser, as plainly as it can be named.
    pub browser: Browser,
    /// Where the address is, coarsely, where that is known.
    pub place: Option<String>,
    /// The language of the page.
    pub locale: Locale,
    /// The token of a recognised browser, if the request brought one.
    pub browser_token: Option<String>,
}

impl Visitor {
    /// The browser as rows keep it; [`browser_of`] reads it.
    pub fn agent(&self) -> String {
        let part = |part: &Option<String>| part.as_deref().unwrap_or_default().replace('/', " ");
        format!("{}/{}", part(&self.browser.name), part(&self.browser.system))
    }
}

/// The browser of a row.
pub fn browser_of(agent: &str) -> Browser {
    let known = |part: &str| (!part.is_empty()).then(|| part.to_owned());
    match agent.split_once('/') {
        Some((name, system)) => Browser {
            name: known(name),
            system: known(system),
        },
        None => Browser {
            name: known(agent),
            system: None,
        },
    }
}
