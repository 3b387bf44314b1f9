//! A Chromium that a test drives, as people use it: by what stands on labels and buttons. Through chromedriver, which speaks W3C
//! WebDriver (JSON over plain HTTP on loopback) and hands on commands of Chromium's own protocol where the standard has none.
//!
//! Scripts of pages do not run, unless a test turns them on. What finds a field or a button is its accessible name, as a screen
//! reader would say it: a page that a test can use, a blind person can.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::until;

/// Runs chromedriver until our end of the pipe closes, which it does however we end, and then ends everything that it started:
/// Chromium outlives its driver, but not its process group. Argument: a folder for all that the two write.
const HOLD: &str = r#"
TMPDIR="$1" HOME="$1" chromedriver --port=0 >"$1/driver.log" 2>&1 </dev/null &
cat >/dev/null
trap '' TERM
kill -TERM 0
wait
cd / && rm -rf "$1"
"#;

/// Nothing but what a page needs: no network but loopback, nothing in the background, no first-run questions.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Height of the window, in CSS pixels.
const HEIGHT: u32 = 900;

/// A Chromium with a fresh profile. Ended when dropped, and when the test ends in any other way.
pub struct Browser {
    holder: Child,
    port: u16,
    session: String,
    // Removed after the holder has ended.
    folder: TempDir,
}

/// Light or dark, as the system wishes it (`prefers-color-scheme`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// The word of the media feature.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A key that types nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// To the next thing that can be used.
    Tab,
    /// Sends a form, follows a link, presses a button.
    Enter,
}

impl Key {
    /// WebDriver section 17.4.2.
    const fn code(self) -> &'static str {
        match self {
            Self::Tab => "\u{E004}",
            Self::Enter => "\u{E007}",
        }
    }
}

/// What a command came to when it did not work.
#[derive(Debug)]
struct Refused {
    error: String,
    message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.message)
    }
}

/// Something on a page. Dies with the page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Element(String);

/// What a page is asked for.
#[derive(Clone, Copy)]
enum What {
    Field,
    Pressable,
}

impl What {
    const fn css(self) -> &'static str {
        match self {
            Self::Field => "input:not([type=hidden]), textarea, select",
            Self::Pressable => "button, a[href], summary",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Pressable => "button or link",
        }
    }
}

impl Browser {
    /// Starts one that says of itself what Chromium on this machine does and asks for pages in English.
    ///
    /// # Panics
    /// When chromedriver or Chromium cannot be started.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one that says that it is another browser.
    ///
    /// # Panics
    /// When chromedriver or Chromium cannot be started.
    pub fn start_as(user_agent: &str) -> Self {
        Self::start_with(&[format!("--user-agent={user_agent}")])
    }

    /// Starts one that asks for pages in this language.
    ///
    /// # Panics
    /// When chromedriver or Chromium cannot be started.
    pub fn start_in(language: &str) -> Self {
        Self::start_with(&[format!("--accept-lang={language}")])
    }

    fn start_with(more: &[String]) -> Self {
        let folder = TempDir::with_prefix("rightful-browser-").expect("a folder for the browser");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", HOLD, "sh"]).arg(folder.path());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for variable in [
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
        ] {
            command.env_remove(variable);
        }
        // A group of its own: that is what the holder ends. Ctrl-C is meant for us; it closes the pipe.
        let mut holder = command.process_group(0).spawn().expect("/bin/sh starts");
        let port = driver_port(&folder.path().join("driver.log"), &mut holder);
        let mut browser = Self {
            holder,
            port,
            session: String::new(),
            folder,
        };
        browser.session = browser.new_session(more);
        browser.window(1280);
        browser.scripts(false);
        browser
    }

    fn new_session(&self, more: &[String]) -> String {
        let profile = format!("--user-data-dir={}", self.folder.path().join("profile").display());
        let mut flags: Vec<&str> = FLAGS.to_vec();
        flags.push(&profile);
        if !more.iter().any(|flag| flag.starts_with("--accept-lang=")) {
            flags.push("--accept-lang=en");
        }
        flags.extend(more.iter().map(String::as_str));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": { "args": flags },
        } } });
        let made = exchange(self.port, "POST", "/session", Some(&wanted));
        let made = made.unwrap_or_else(|refused| panic!("Chromium does not start: {refused}"));
        text_of(&made["sessionId"])
    }

    // ------------------------------------------------------------ pages

    /// Opens an address.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.must(self.post("url", &json!({ "url": url })), &format!("{url} opens"));
    }

    /// The address of the page.
    #[track_caller]
    pub fn url(&self) -> String {
        text_of(&self.must(self.get("url"), "the page has an address"))
    }

    /// The path of the page's address.
    #[track_caller]
    pub fn path(&self) -> String {
        let url = self.url();
        let after = url.split_once("://").map_or("", |(_, rest)| rest);
        after.find('/').map_or("/", |at| &after[at..]).to_owned()
    }

    /// What stands on the window.
    #[track_caller]
    pub fn title(&self) -> String {
        text_of(&self.must(self.get("title"), "the page has a title"))
    }

    /// The heading of the page.
    #[track_caller]
    pub fn heading(&self) -> String {
        self.text_at("h1")
    }

    /// All that can be read on the page.
    #[track_caller]
    pub fn text(&self) -> String {
        self.text_at("body")
    }

    /// What can be read within the first element of a CSS selector.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn text_at(&self, css: &str) -> String {
        let element = self.first(css);
        text_of(&self.must(
            self.get(&format!("element/{}/text", element.0)),
            "an element has a text",
        ))
    }

    /// What can be read within each element of a CSS selector.
    #[track_caller]
    pub fn texts_at(&self, css: &str) -> Vec<String> {
        let read = |element: Element| self.get(&format!("element/{}/text", element.0));
        self.all(css)
            .into_iter()
            .map(|element| text_of(&self.must(read(element), "an element has a text")))
            .collect()
    }

    /// An attribute of the first element of a CSS selector.
    ///
    /// # Panics
    /// When there is no such element.
    #[track_caller]
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let path = format!("element/{}/attribute/{name}", self.first(css).0);
        self.must(self.get(&path), "an element has attributes")
            .as_str()
            .map(str::to_owned)
    }

    // ------------------------------------------------------------ what people do

    /// Types into the field with this label, in the place of what stands there.
    ///
    /// # Panics
    /// When there is no such field.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        let field = self.named(What::Field, label);
        self.must(
            self.post(&format!("element/{}/clear", field.0), &json!({})),
            "a field can be emptied",
        );
        let keys = json!({ "text": text });
        self.must(
            self.post(&format!("element/{}/value", field.0), &keys),
            "a field takes text",
        );
    }

    /// What stands in the field with this label.
    ///
    /// # Panics
    /// When there is no such field.
    #[track_caller]
    pub fn value(&self, label: &str) -> String {
        let field = self.named(What::Field, label);
        text_of(&self.must(
            self.get(&format!("element/{}/property/value", field.0)),
            "a field has a value",
        ))
    }

    /// Presses the button, or follows the link, of this name (or whose name begins so, where none is called just that), and waits
    /// for the page that comes.
    ///
    /// # Panics
    /// When there is no such thing, or more than one that do not lead to the same place, or no page comes.
    #[track_caller]
    pub fn press(&self, name: &str) {
        let (before, pressed) = (self.first("html"), self.named(What::Pressable, name));
        self.must(
            self.post(&format!("element/{}/click", pressed.0), &json!({})),
            &format!("{name:?} can be pressed"),
        );
        self.wait_for_page_after(&before);
    }

    /// Whether the page has a button or link of this name.
    #[track_caller]
    pub fn offers(&self, name: &str) -> bool {
        !self.all_named(What::Pressable, name).is_empty()
    }

    /// The accessible names of all fields of the page.
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        self.all(What::Field.css())
            .iter()
            .map(|field| self.name_of(field))
            .collect()
    }

    /// Presses a key, wherever the focus is.
    #[track_caller]
    pub fn key(&self, key: Key) {
        self.type_keys(key.code());
    }

    /// Types, wherever the focus is.
    #[track_caller]
    pub fn type_keys(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|c| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": c.to_string() })))
            .collect();
        let keyboard = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.must(self.post("actions", &keyboard), "a key can be pressed");
    }

    /// Presses a key that brings another page, and waits for it.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn key_to_page(&self, key: Key) {
        let before = self.first("html");
        self.key(key);
        self.wait_for_page_after(&before);
    }

    /// The accessible name of what has the focus; empty when nothing has.
    #[track_caller]
    pub fn focused(&self) -> String {
        match self.get("element/active") {
            Ok(found) => self.name_of(&element(&found)),
            Err(_) => String::new(),
        }
    }

    // ------------------------------------------------------------ how it looks

    /// Makes the window so wide, in CSS pixels, as wide as a phone's if need be.
    #[track_caller]
    pub fn window(&self, width: u32) {
        let size = json!({ "width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false });
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Wishes for a light or a dark page.
    #[track_caller]
    pub fn theme(&self, theme: Theme) {
        let wish = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme.word() }] });
        self.chromium("Emulation.setEmulatedMedia", &wish);
    }

    /// How much wider the page is than the window, in CSS pixels: what one would have to scroll sideways for.
    #[track_caller]
    pub fn overhang(&self) -> i64 {
        let layout = self.chromium("Page.getLayoutMetrics", &json!({}));
        let width = |of: &str, name: &str| layout[of][name].as_f64().unwrap_or(f64::NAN);
        (width("cssContentSize", "width") - width("cssLayoutViewport", "clientWidth")).round() as i64
    }

    /// A picture of the whole page, as PNG.
    #[track_caller]
    pub fn picture(&self) -> Vec<u8> {
        let layout = self.chromium("Page.getLayoutMetrics", &json!({}));
        let size = |name: &str| layout["cssContentSize"][name].as_f64().unwrap_or_default().max(1.0);
        let whole = json!({ "x": 0, "y": 0, "width": size("width"), "height": size("height"), "scale": 1 });
        let wish = json!({ "format": "png", "captureBeyondViewport": true, "clip": whole });
        let taken = self.chromium("Page.captureScreenshot", &wish);
        STANDARD
            .decode(text_of(&taken["data"]))
            .expect("Chromium writes base64")
    }

    // ------------------------------------------------------------ scripts, for tools that look at a page

    /// Whether scripts run in pages from now on.
    #[track_caller]
    pub fn scripts(&self, on: bool) {
        self.chromium("Emulation.setScriptExecutionDisabled", &json!({ "value": !on }));
    }

    /// Runs a script in the page and returns what it hands to its last argument, a function.
    ///
    /// # Panics
    /// When the script fails or never calls it.
    #[track_caller]
    pub fn run_script(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.must(self.post("execute/async", &body), "the script runs")
    }

    // ------------------------------------------------------------ the protocol

    fn get(&self, path: &str) -> Result<Value, Refused> {
        exchange(self.port, "GET", &format!("/session/{}/{path}", self.session), None)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        exchange(
            self.port,
            "POST",
            &format!("/session/{}/{path}", self.session),
            Some(body),
        )
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    fn chromium(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.must(self.post("goog/cdp/execute", &body), command)
    }

    /// What a command brought; else the test fails and says on what page.
    #[track_caller]
    fn must(&self, came: Result<Value, Refused>, what: &str) -> Value {
        came.unwrap_or_else(|refused| self.fail(&format!("it is not so that {what}: {refused}")))
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        let asked = |path: &str| {
            self.get(path)
                .map_or_else(|refused| refused.to_string(), |value| text_of(&value))
        };
        let body = self
            .post("element", &json!({ "using": "css selector", "value": "body" }))
            .ok();
        let shown = body.map(|body| asked(&format!("element/{}/text", element(&body).0)));
        panic!("{why}\n--- at {}\n{}\n---", asked("url"), shown.unwrap_or_default());
    }

    fn all(&self, css: &str) -> Vec<Element> {
        let found = self.post("elements", &json!({ "using": "css selector", "value": css }));
        let found = found
            .ok()
            .and_then(|found| found.as_array().cloned())
            .unwrap_or_default();
        found.iter().map(element).collect()
    }

    #[track_caller]
    fn first(&self, css: &str) -> Element {
        let found = self.post("element", &json!({ "using": "css selector", "value": css }));
        element(&self.must(found, &format!("there is a {css}")))
    }

    fn name_of(&self, element: &Element) -> String {
        let name = self.get(&format!("element/{}/computedlabel", element.0));
        name.map(|name| text_of(&name)).unwrap_or_default()
    }

    /// What is called so; where nothing is, what has a name that begins so: a row that leads somewhere also says how things stand.
    fn all_named(&self, what: What, name: &str) -> Vec<Element> {
        let all = self.all(what.css()).into_iter();
        let named: Vec<(String, Element)> = all.map(|element| (self.name_of(&element), element)).collect();
        let exact = named.iter().any(|(own, _)| own == name);
        let begins = |own: &str| own.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
        let meant = named
            .into_iter()
            .filter(|(own, _)| if exact { own == name } else { begins(own) });
        meant.map(|(_, element)| element).collect()
    }

    #[track_caller]
    fn named(&self, what: What, name: &str) -> Element {
        let mut found = self.all_named(what, name);
        let places = |element: &Element| self.get(&format!("element/{}/property/href", element.0)).ok();
        let first = found.first().and_then(places);
        if found.len() > 1 && (first.is_none() || found.iter().any(|other| places(other) != first)) {
            self.fail(&format!("there are {} of {} {name:?}", found.len(), what.word()));
        }
        if found.is_empty() {
            let names: Vec<String> = self
                .all(what.css())
                .iter()
                .map(|element| self.name_of(element))
                .collect();
            self.fail(&format!("there is no {} {name:?} among {names:?}", what.word()));
        }
        found.swap_remove(0)
    }

    /// Commands wait for a page that loads; so the first element that is another one belongs to the page that came.
    #[track_caller]
    fn wait_for_page_after(&self, before: &Element) {
        let came = || {
            let root = self.post("element", &json!({ "using": "css selector", "value": "html" }));
            root.ok().map(|root| element(&root)).filter(|root| root != before)
        };
        until("another page comes", came);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium first, so that it writes nothing more into the folder; then its driver.
        if !self.session.is_empty() {
            let _ = exchange(self.port, "DELETE", &format!("/session/{}", self.session), None);
        }
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// The port that the driver found free, from what it writes when it is ready.
fn driver_port(log: &Path, holder: &mut Child) -> u16 {
    until("chromedriver is ready", || {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let gone = holder.try_wait().expect("the system knows its children");
        assert!(
            gone.is_none() && !said.contains("not found"),
            "chromedriver does not start (Debian's packages are chromium and chromium-driver): {said}"
        );
        let (_, after) = said.split_once("started successfully on port ")?;
        after.split_once('.')?.0.parse().ok()
    })
}

fn element(value: &Value) -> Element {
    Element(text_of(&value[ELEMENT]))
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One command: a request on a connection of its own, and the value of its answer.
fn exchange(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Refused> {
    let lost = |error: io::Error| Refused {
        error: "no answer".to_owned(),
        message: format!("{method} {path}: {error}"),
    };
    let answer = ask(port, method, path, body).map_err(lost)?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|error| lost(error.into()))?;
    let value = answer["value"].take();
    match value["error"].as_str() {
        // A value may hold a member of that name, but a failure has these three (WebDriver section 6.6).
        Some(error) if value.get("stacktrace").is_some() => Err(Refused {
            error: error.to_owned(),
            message: text_of(&value["message"]),
        }),
        _ => Ok(value),
    }
}

fn ask(port: u16, method: &str, path: &str, body: Option<&Value>) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    read_body(BufReader::new(stream))
}

/// The body of an answer, by the length that its head tells.
fn read_body(mut answer: BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if answer.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    let mut body = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
    answer.read_exact(&mut body)?;
    Ok(body)
}
