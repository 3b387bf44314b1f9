//! Every route of the site, read from the router's own text, so that a new one cannot be forgotten.

use http::{Method, StatusCode};
use rightful_web::pages::{Branding, Logo, paths};

use crate::support::{Browser, Engine, FLOW, SESSION, TestSite, branded, on_both_engines};

on_both_engines!(
    d01_mfa_direct_navigation,
    a_route_of_an_account_knows_nobody_who_is_signed_out,
    j06_a_logo_is_served_as_a_picture_and_nothing_else,
);

/// The methods and paths of all routes.
fn routes() -> Vec<(Method, String)> {
    let names = include_str!("../../src/pages/paths.rs");
    let path_of = |name: &str| {
        let found = names
            .lines()
            .find_map(|line| line.strip_prefix(&format!("pub const {name}: &str = \"")));
        found
            .unwrap_or_else(|| panic!("no path {name}"))
            .trim_end_matches("\";")
            .to_owned()
    };
    let text = include_str!("../../src/site/mod.rs");
    let mut routes = Vec::new();
    for route in text.split(".route(").skip(1) {
        let (path, rest) = route.split_once(',').unwrap();
        let path = match path.trim().strip_prefix("paths::") {
            Some(name) => path_of(name),
            None => path.trim().trim_matches('"').to_owned(),
        };
        // Its handlers are named up to the end of the statement.
        let handlers = rest.split([';', '}']).next().unwrap();
        for (call, method) in [("get(", Method::GET), ("post(", Method::POST)] {
            if handlers.contains(call) {
                routes.push((method, path.replace("{name}", "anything")));
            }
        }
    }
    assert!(routes.len() > 50, "{} routes", routes.len());
    assert!(routes.contains(&(Method::POST, paths::ACCOUNT_APP_REMOVE.to_owned())));
    routes
}

/// Whether a path is for whoever is signed in.
fn is_of_owners(path: &str) -> bool {
    path.starts_with(paths::ACCOUNT) || [paths::STEP_UP, paths::SETUP_APP, paths::LOGIN].contains(&path)
}

/// What a form of any page may hold, none of it right.
const FIELDS: &str = "code=123456&password=something+else+entirely&current=kestrel+above+the+harbour&identifier=nobody&\
    address=thief%40example.net&number=AAAA-AAAA&for=app&session=00000000-0000-4000-8000-000000000000&acr=aal2&amr=otp&verified=true";

async fn knock(browser: &Browser, method: &Method, path: &str) -> (crate::support::Answer, Browser) {
    let mut browser = browser.clone();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = if *method == Method::POST {
        FIELDS.as_bytes().to_vec()
    } else {
        Vec::new()
    };
    let answer = browser.send(method.clone(), path, &form, body).await;
    (answer, browser)
}

async fn d01_mfa_direct_navigation(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    let half_in = owner.at_factor(site.browser()).await;
    // The conversation's token where a session's belongs, too.
    let mut as_session = half_in.clone();
    as_session.plant(SESSION, half_in.cookie(FLOW).unwrap());
    let mut renamed = half_in.clone();
    renamed.plant(SESSION, &half_in.cookie(FLOW).unwrap().replacen("rf_", "rs_", 1));
    for (method, path) in routes() {
        for thief in [&half_in, &as_session, &renamed] {
            let (answer, after) = knock(thief, &method, &path).await;
            assert!(!answer.status.is_server_error(), "{method} {path}: {}", answer.status);
            assert!(!answer.body.contains(&owner.address), "{method} {path}");
            if is_of_owners(&path) {
                assert_eq!(answer.location(), Some(paths::SIGN_IN), "{method} {path}");
            }
            let given = after
                .cookie(SESSION)
                .filter(|session| thief.cookie(SESSION) != Some(session));
            assert_eq!(given, None, "{method} {path} opened a session");
        }
    }
    assert!(owner.browser.is_in().await, "and nothing of the owner's ended");
    let page = owner.browser.get(paths::ACCOUNT_APP).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(paths::ACCOUNT_APP_REMOVE), "the app is still there");
}

async fn a_route_of_an_account_knows_nobody_who_is_signed_out(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in().await;
    let ended = owner.browser.clone();
    owner.browser.post(paths::SIGN_OUT, &[]).await;
    for (method, path) in routes().into_iter().filter(|(_, path)| is_of_owners(path)) {
        for browser in [&site.browser(), &ended] {
            let (answer, _) = knock(browser, &method, &path).await;
            assert_eq!(answer.location(), Some(paths::SIGN_IN), "{method} {path}");
            assert!(!answer.body.contains(&owner.address));
        }
    }
}

/// A logo is the operator's, but may have come from anywhere.
async fn j06_a_logo_is_served_as_a_picture_and_nothing_else(engine: Engine) {
    let site = TestSite::new(engine).await;
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>"#;
    let png = b"\x89PNG\r\n\x1a\n<script>alert(3)</script>";
    for (bytes, kind) in [(svg.as_bytes(), "image/svg+xml"), (&png[..], "image/png")] {
        let logo = Logo::read(bytes.to_vec()).unwrap();
        let branding = Branding {
            logo: Some(logo.clone()),
            ..Branding::named("Example")
        };
        let mut browser = site.browser().at(&branded(site.node(), branding));
        let page = browser.get(paths::SIGN_IN).await;
        let shown = format!("<img src=\"{}\" alt=\"Example\">", logo.path());
        assert!(page.body.contains(&shown), "{}", page.body);
        // As a page it is nothing that was written into it.
        assert!(!page.body.contains("alert("), "{}", page.body);
        let picture = browser.get_bytes(&logo.path()).await;
        assert_eq!((picture.0.as_u16(), picture.1.as_str()), (200, kind));
        assert_eq!(picture.2, "public, max-age=31536000, immutable");
        assert_eq!(picture.3, bytes);
        let other = browser.get("/assets/logo-0000000000000000.svg").await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }
    let without = site.browser().get(paths::SIGN_IN).await;
    assert!(!without.body.contains("<img"), "{}", without.body);
}
