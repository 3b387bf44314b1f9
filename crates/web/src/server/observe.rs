//! What operators see of requests: one log line each, and numbers.
//!
//! Neither holds what an owner typed: no path (only the route that it matched), no query, no body, no full address.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::client::Client;

const REQUESTS: &str = "rightful_http_requests_total";
const SECONDS: &str = "rightful_http_request_seconds";
const CONNECTIONS: &str = "rightful_http_connections";
const TURNED_AWAY: &str = "rightful_http_connections_turned_away_total";

/// Upper ends of the histogram of durations, in seconds. Pages take milliseconds, a password hash tens of them.
const BUCKETS: &[f64] = &[0.002, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

const ABOUT: Metadata<'static> = Metadata::new("rightful", Level::INFO, Some(module_path!()));

/// The numbers of this process, shown at `/metrics` in the text format of Prometheus. A clone shows the same numbers.
///
/// It is a recorder of the crate `metrics` too: the binary may make it the process's own, and what other rooms count
/// stands in the same list.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Starts counting.
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new()
            .set_buckets(BUCKETS)
            .expect("the list of buckets is not empty");
        let recorder = Arc::new(builder.build_recorder());
        let handle = recorder.handle();
        recorder.describe_counter(KeyName::from(REQUESTS), None, "Requests answered.".into());
        recorder.describe_histogram(
            KeyName::from(SECONDS),
            Some(Unit::Seconds),
            "From the head of a request to the head of its response.".into(),
        );
        recorder.describe_gauge(KeyName::from(CONNECTIONS), None, "Connections that are open.".into());
        recorder.describe_counter(
            KeyName::from(TURNED_AWAY),
            None,
            "Connections closed at once, for there were too many.".into(),
        );
        Self { recorder, handle }
    }

    /// The numbers, as text.
    pub(super) fn text(&self) -> String {
        self.handle.render()
    }

    /// Sums up what was measured since the last time. Without it, memory grows until somebody asks for the numbers.
    pub(super) fn sum_up(&self) {
        self.handle.run_upkeep();
    }

    pub(super) fn connections(&self) -> Gauge {
        self.register_gauge(&Key::from_static_name(CONNECTIONS), &ABOUT)
    }

    /// `why` is `all` or `range`: which cap was reached.
    pub(super) fn turned_away(&self, why: &'static str) -> Counter {
        let key = Key::from_parts(TURNED_AWAY, vec![Label::from_static_parts("cap", why)]);
        self.register_counter(&key, &ABOUT)
    }

    fn answered(&self, done: &Done<'_>) {
        let route = Label::new("route", done.route().to_owned());
        let labels = vec![
            Label::from_static_parts("method", method_word(done.method)),
            route.clone(),
            Label::new("status", done.status.as_str().to_owned()),
        ];
        self.register_counter(&Key::from_parts(REQUESTS, labels), &ABOUT)
            .increment(1);
        let seconds = done.micros as f64 / 1_000_000.0;
        self.register_histogram(&Key::from_parts(SECONDS, vec![route]), &ABOUT)
            .record(seconds);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder for Metrics {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, about: &Metadata<'_>) -> Counter {
        self.recorder.register_counter(key, about)
    }

    fn register_gauge(&self, key: &Key, about: &Metadata<'_>) -> Gauge {
        self.recorder.register_gauge(key, about)
    }

    fn register_histogram(&self, key: &Key, about: &Metadata<'_>) -> Histogram {
        self.recorder.register_histogram(key, about)
    }
}

/// One request that was answered.
pub(super) struct Done<'a> {
    pub(super) client: &'a Client,
    pub(super) method: &'a Method,
    pub(super) route: Option<&'a MatchedPath>,
    pub(super) status: StatusCode,
    pub(super) micros: i64,
    /// Why no handler saw it.
    pub(super) refused: Option<&'static str>,
}

impl Done<'_> {
    fn route(&self) -> &str {
        self.route.map_or("none", MatchedPath::as_str)
    }

    /// Writes the line and counts.
    pub(super) fn tell(&self, metrics: &Metrics) {
        metrics.answered(self);
        tracing::event!(
            target: "access",
            tracing::Level::INFO,
            {
                request.id = %self.client.request_id,
                http.method = method_word(self.method),
                http.route = self.route(),
                http.status = self.status.as_u16(),
                duration_ms = self.micros as f64 / 1000.0,
                client.range = %self.client.range,
                refused = self.refused,
            },
            "answered"
        );
    }
}

/// A closed list: what a client invents as a method goes neither into the log nor into a label.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Makes the router say which route it took: outside of it only the path is known, and paths may hold anything.
pub(super) fn with_routes(router: Router) -> Router {
    async fn tell_route(request: Request, next: Next) -> Response {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let mut response = next.run(request).await;
        if let Some(route) = route {
            response.extensions_mut().insert(route);
        }
        response
    }
    router.layer(from_fn(tell_route))
}
