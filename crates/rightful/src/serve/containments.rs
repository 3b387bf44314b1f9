//! Does what follows from orders about containments, until the server stops.

use std::sync::Arc;
use std::time::Duration;

use rightful_app::app::App;
use tokio_util::sync::CancellationToken;

use super::wait;

/// How often to look whether there is something to do. A wave counts from its row on, whoever writes that; this only says how soon
/// it follows from its time.
const EVERY: Duration = Duration::from_millis(250);

/// How long to let the database come to itself.
const PAUSE: Duration = Duration::from_secs(5);

/// Works until the server stops. What fails is tried again.
pub(crate) async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match app.run_containments(|| stop.is_cancelled()).await {
            Ok(true) => continue,
            Ok(false) => EVERY,
            Err(fault) => {
                tracing::warn!(error = %fault, "a containment could not be gone on with");
                PAUSE
            }
        };
        wait(pause, &stop).await;
    }
}
