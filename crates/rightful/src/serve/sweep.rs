//! What a server tidies up by itself: rows whose time is over, accounts whose deletion is due, decoys.

use std::sync::Arc;
use std::time::Duration;

use rightful_app::app::App;
use tokio_util::sync::CancellationToken;

use super::wait;

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// Sweeps until the server stops. What fails is tried again the next time.
pub(crate) async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        wait(EVERY, &stop).await;
        if stop.is_cancelled() {
            return;
        }
        if let Err(fault) = app.sweep(|| stop.is_cancelled()).await {
            tracing::warn!(error = %fault, "the sweep could not be ended");
        }
    }
}
